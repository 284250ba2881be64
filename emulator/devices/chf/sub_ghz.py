"""The hub's network below 1 GHz: configuration, channel in use, scans, and its channel log."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.codecs.gbcs.alerts import AlertCode, dlms_alert, encode_dlms_alert
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import CancelTimer, Effect, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.chf.values import CHANNEL_LOG, CONFIGURATION
from emulator.devices.saved import Json, Saved, State

if TYPE_CHECKING:
    from emulator.devices.chf.chf import Chf

#: Timer of the end of a channel scan.
SCAN_TIMER: Final = "sub_ghz.scan"
#: How long a scan takes. Source: invented.
SCAN_MS: Final = 60_000
#: A channel's traffic changes every so often. Source: invented.
_TRAFFIC_MS: Final = 3_600_000
_PAGE_BITS: Final = 5
_CHANNEL_BITS: Final = 27
_MASK_BITS: Final = _PAGE_BITS + _CHANNEL_BITS
#: Why a channel changed. RTDS 4.5.0 DBCH02 has 00 to 07, without meanings; these are invented.
_BY_SCAN: Final = 0
_BY_CONFIGURATION: Final = 1
#: Outcomes of a request for a scan. Source: 00 RTDS 4.5.0 DBCH08; that 01 says no: inferred.
_ASSESSED: Final = 0
_NO_SCAN: Final = 1


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """An entry of the channel log.

    Attributes:
        at: When, by the hub's clock.
        channel: Page and channel, as a mask with the one bit of the channel.
        cause: Why.
    """

    at: UtcMs
    channel: int
    cause: int

    def data(self) -> Data:
        """Return it as DBCH02 answers it. Source: RTDS 4.5.0."""
        what = self.channel.to_bytes(4, "big") + axdr.encode(axdr.octets(bytes((self.cause,))))
        at = Data(Tag.UINT32, to_zigbee_seconds(self.at))
        code = axdr.uint16(AlertCode.SUB_GHZ_CHANNEL_CHANGED)
        return axdr.structure(at, code, axdr.octets(what))


class SubGhz:
    """State of the network below 1 GHz.

    Attributes:
        channel: Page and channel in use, as a mask with one bit; 0 before there was one.
        changes: Changes of the channel, oldest first.
    """

    __slots__ = ("changes", "channel")

    def __init__(self) -> None:
        self.channel = 0
        self.changes: list[ChannelChange] = []

    def dump(self) -> State:
        """Return the state as JSON values."""
        changes: list[Json] = [
            {"at": int(one.at), "channel": one.channel, "cause": one.cause} for one in self.changes
        ]
        return {"channel": self.channel, "changes": changes}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.channel = saved.number("channel")
        self.changes = [
            ChannelChange(row.moment("at"), row.number("channel"), row.number("cause"))
            for row in saved.rows("changes")
        ]


def enabled(hub: "Chf") -> tuple[int, ...]:
    """Return the channels that the configuration allows, each as a mask with its one bit."""
    found: list[int] = []
    for item in hub.values.items(CONFIGURATION):
        if not isinstance(item.value, BitString) or item.value.count != _MASK_BITS:
            continue
        mask = int.from_bytes(item.value.octets, "big")
        page = mask >> _CHANNEL_BITS << _CHANNEL_BITS
        found += [page | 1 << bit for bit in range(_CHANNEL_BITS) if mask & 1 << bit]
    return tuple(found)


def in_use(hub: "Chf") -> int:
    """Return the channel in use: the first allowed one where none was chosen; 0 for none."""
    return hub.sub_ghz.channel or next(iter(enabled(hub)), 0)


def channel_data(channel: int) -> Data:
    """Return a channel as DBCH01 answers it (shape of the masks of DBCH03: inferred)."""
    return Data(Tag.BIT_STRING, BitString(_MASK_BITS, channel.to_bytes(4, "big")))


def configured(hub: "Chf", settings: Data, now: UtcMs) -> list[Effect]:
    """Take another configuration, tell of it (DBCH09), and leave a channel it does not allow."""
    before = in_use(hub)
    hub.values.put(CONFIGURATION, settings)
    code = AlertCode.SUB_GHZ_CONFIGURATION_CHANGED
    effects = _tell(hub, MessageCode.DBCH09, code, now, settings)
    allowed = enabled(hub)
    if allowed and before not in allowed:
        effects += _move(hub, _quietest(hub.eui64, allowed, now), _BY_CONFIGURATION, now)
    return effects


def scan_requested(hub: "Chf", now: UtcMs) -> list[Effect]:
    """Judge a request for a scan, tell of it (DBCH08), and begin with it.

    There is none where no channel is allowed, or while one runs (inferred).
    """
    good = bool(enabled(hub)) and SCAN_TIMER not in hub.timers
    outcome = bytes((_ASSESSED if good else _NO_SCAN,))
    told = axdr.structure(axdr.octets(outcome), axdr.octets(b"\0"))
    effects = _tell(hub, MessageCode.DBCH08, AlertCode.SUB_GHZ_CHANNEL_SCAN_OUTCOME, now, told)
    return [*effects, SetTimer(SCAN_TIMER, UtcMs(now + SCAN_MS))] if good else effects


def scan_over(hub: "Chf", now: UtcMs) -> list[Effect]:
    """Move to the quietest channel that a scan found."""
    allowed = enabled(hub)
    if not allowed:
        return [CancelTimer(SCAN_TIMER)]
    best = _quietest(hub.eui64, allowed, now)
    return [] if best == in_use(hub) else _move(hub, best, _BY_SCAN, now)


def traffic(hub: Eui64, channel: int, now: UtcMs) -> int:
    """Return how busy a channel is around a hub, 0 to 255: seeded, the same for an hour."""
    name = f"sub-ghz/{channel:08x}/{now // _TRAFFIC_MS}"
    return Stream(int.from_bytes(hub.octets, "big"), name).octets(1)[0]


def _quietest(hub: Eui64, channels: tuple[int, ...], now: UtcMs) -> int:
    return min(channels, key=lambda channel: (traffic(hub, channel, now), channel))


def _move(hub: "Chf", channel: int, cause: int, now: UtcMs) -> list[Effect]:
    """Use another channel, enter that into the log, and tell of it (DBCH07)."""
    state = hub.sub_ghz
    state.channel = channel
    change = ChannelChange(hub.local_time(now), channel, cause)
    state.changes.append(change)
    del state.changes[: -hub.profile.limits.event_log_entries]
    code = AlertCode.SUB_GHZ_CHANNEL_CHANGED
    logged = hub.log(code, f"{channel:08x}", now)
    return [logged, *_tell(hub, MessageCode.DBCH07, code, now, channel_data(channel))]


def _tell(
    hub: "Chf", message: MessageCode, code: AlertCode, now: UtcMs, content: Data
) -> list[Effect]:
    """Send an alert to the ACB.

    Source:
        RTDS 4.5.0 DBCH08, DBCH09; what DBCH07 adds: inferred (the channel as DBCH01 reads it).
    """
    at = hub.local_time(now)
    return hub.alert(
        message,
        hub.network.acb,
        lambda counter: encode_dlms_alert(dlms_alert(counter, code, at, content)),
    )


def log_rows(hub: "Chf") -> tuple[Data, ...]:
    """Return the channel log, oldest first: what the profile says, then what was lived."""
    return (*hub.values.rows(CHANNEL_LOG), *[one.data() for one in hub.sub_ghz.changes])
