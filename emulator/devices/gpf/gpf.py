"""The GPF: the gas meter's mirror in the hub, and its notification flags."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.gbcs.dates import ClockStatus
from emulator.codecs.gbcs.use_cases import PayloadKind
from emulator.codecs.zcl import account, metering, prepayment, price, snapshots
from emulator.codecs.zcl.foundation import AttributeValue, ReportAttributes
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.metering import (
    FLAG_WORDS,
    FunctionalFlag,
    MeteringAttribute,
    MirrorReportAttributeResponse,
    NotificationScheme,
    ReportingStatus,
)
from emulator.codecs.zcl.values import ZclType
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SendWan, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices import gas_use_cases
from emulator.devices.base import Device
from emulator.devices.dated import ACTIVATION_TIMER
from emulator.devices.gpf import tapping
from emulator.devices.gpf.model.model import GpfModel
from emulator.devices.gsme.model.store import gas_clusters
from emulator.devices.gsme.model.types import kind_of
from emulator.devices.handlers import HandlerTable, Handling
from emulator.devices.joins import gpf_log
from emulator.devices.network import Network
from emulator.devices.saved import Json, Saved, State

GPF_HANDLERS: Final["HandlerTable[Gpf]"] = HandlerTable(DeviceType.GPF)
#: Five words of flags. Source: firmware.md 4.1 (scheme 2).
_SCHEME: Final = NotificationScheme.ALL_FIVE
#: Attributes the mirror keeps, with their types.
_MIRRORED: Final = {int(attribute): kind for attribute, kind in metering.TYPES.items()} | {
    row.number: kind_of(row.type).zcl
    for row in gas_clusters().rows
    if row.cluster == metering.CLUSTER and row.kind == "a"
}
_REPORTED: Final = frozenset({metering.CLUSTER, prepayment.CLUSTER, price.CLUSTER})


gas_use_cases.enter(GPF_HANDLERS, "gpf")


class Gpf(Device):
    """A gas proxy function; it lives in the box of its CHF, which hands it what is for it.

    Attributes:
        mirror: Metering attribute -> value, as the gas meter last reported it.
        flags: The Functional Notification Flags.
        model: Its ZCL clusters: what else the meter sent, and what it overheard.
        mirrors: Says whether a device is a gas meter whose reports it keeps; the hub, which has
            the device log, puts its own answer here.

    Source:
        HG (mirror, flags, scheme 2); bit 0 firmware.md 4.1.
    """

    device_type: ClassVar[DeviceType] = DeviceType.GPF
    alert_language: ClassVar[PayloadKind] = PayloadKind.GBZ
    #: Timer of the next overheard value that comes into force.
    values_timer: ClassVar[str] = ACTIVATION_TIMER
    trust_timer: ClassVar[str] = "gpf.trust.replace"
    blocks_timer: ClassVar[str] = "gpf.gbt"

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, ring, network)
        self.mirror: dict[int, AttributeValue] = {}
        self.flags = FunctionalFlag(0)
        self.mirrors: Callable[[Eui64], bool] = _nobody
        self.model = GpfModel(self)
        self._overheard: list[bytes] = []

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return GPF_HANDLERS.rows

    def on_power_on(self, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - the hub's clock is its own
        """Start up with the hub, whose clock it shares."""
        self.clock_reliable = True
        return []

    def joins_changed(self, now: UtcMs) -> list[Effect]:
        """Back the log up at the ACB (GCS62)."""
        return gpf_log.back_up(self, now)

    def outgoing(self, message: bytes) -> Effect:
        """Return the effect that puts a message on its way: onto the WAN."""
        return SendWan(message)

    def clock_status(self, language: PayloadKind) -> int:
        """Return the clock status octet: whether it is another clock than the values' own.

        Source:
            RTDS GCS13c, GCS14, GCS60a: 04 for values that bear the meter's time, 00 for others;
            which are which is a setting here.
        """
        if language is not PayloadKind.GBZ:
            return ClockStatus.UNSAID
        own = self.model.store.number("answers_by_own_clock")
        return ClockStatus.RELIABLE if own else ClockStatus.OTHER_CLOCK

    # -- what it overhears -----------------------------------------------------------------------

    def overhear(self, message: bytes, now: UtcMs) -> list[Effect]:
        """Take a message between a remote party and the gas meter, as the box passes it on.

        A command is kept until its response passes; what the meter accepted the GPF keeps, too.

        Source:
            GBCS "tapping off" as known; which use cases are tapped: those that change what the
            GPF itself is asked for.
        """
        done = tapping.learn(self.model, self._overheard, message, now)
        return [*done, *self.model.wait(now)]

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer; that of dated values is the model's."""
        if name == ACTIVATION_TIMER:
            self.model.date_reached(now)
            return self.model.wait(now)
        return super().on_timer(name, now)

    def on_cluster_frame(
        self, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take a row of the gas meter's logs."""
        logs = {metering.CLUSTER: snapshots.COMMANDS, prepayment.CLUSTER: account.COMMANDS}
        table = logs.get(indication.cluster)
        if table is None or not frame.server_to_client or not table.knows(frame):
            return super().on_cluster_frame(indication, frame, now)
        if not self.mirrors(indication.source):
            return [self.frame_refused(indication, "stranger", "no gas meter of this HAN")]
        self.model.publish(table.decode(frame))
        return []

    def sends_as(self, indication: ZclIndication) -> Eui64:  # noqa: ARG002 - one EUI-64 only
        """Return the EUI-64 an answer comes from."""
        return self.eui64

    def set_flag(self, flag: FunctionalFlag, *, on: bool) -> list[Effect]:
        """Set or clear a notification flag for the gas meter."""
        before = self.flags
        self.flags = before | flag if on else before & ~flag
        if self.flags == before:
            return []
        return [Note("notification_flags", (("flags", f"{int(self.flags):08x}"),))]

    def on_foundation(
        self, indication: ZclIndication, frame: ZclFrame, command: Any, now: UtcMs
    ) -> list[Effect]:
        """Keep what the gas meter reports, and answer with the flags."""
        if not isinstance(command, ReportAttributes) or indication.cluster not in _REPORTED:
            return super().on_foundation(indication, frame, command, now)
        if not self.mirrors(indication.source):
            return [self.frame_refused(indication, "stranger", "no gas meter of this HAN")]
        if indication.cluster != metering.CLUSTER:
            self.model.report(indication.cluster, command.values)
            return []
        self.mirror.update({key: value for key, value in command.values if _is_kept(key, value)})
        status = dict(command.values).get(MeteringAttribute.ATTRIBUTE_REPORTING_STATUS)
        if status is not None and status.value == ReportingStatus.PENDING:
            return []
        words = (int(self.flags), *(0,) * (FLAG_WORDS[_SCHEME] - 1))
        answer = metering.encode(MirrorReportAttributeResponse(_SCHEME, words), frame.sequence)
        return [SendZcl(indication.source, metering.CLUSTER, answer, self.eui64)]

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        """Return the attributes it serves: the mirror's, and what it overheard."""
        if cluster not in _REPORTED:
            return super().attributes(cluster, now)
        held = self.model.served(cluster, now)
        return {**held, **self.mirror} if cluster == metering.CLUSTER else held

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        rows: list[Json] = [
            {"attribute": key, "type": int(value.type), "value": _plain(value)}
            for key, value in self.mirror.items()
        ]
        return {
            **super().dump(),
            "mirror": rows,
            "flags": int(self.flags),
            "model": self.model.dump(),
            "overheard": [message.hex() for message in self._overheard],
        }

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.mirror = {row.number("attribute"): _value(row) for row in saved.rows("mirror")}
        self.flags = FunctionalFlag(saved.number("flags"))
        self.model.load(saved.part("model"))
        self._overheard = [bytes.fromhex(text) for text in saved.texts("overheard")]

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        version = self.mirror.get(MeteringAttribute.CURRENT_METER_ID)
        octets = version.value if version is not None else None
        shown = octets.hex().upper() if isinstance(octets, bytes) else "nothing yet"
        return {
            **super().rows(),
            "mirrored version": shown,
            "notification flags": f"{int(self.flags):08X}",
        }


def _nobody(_device: Eui64) -> bool:
    return False


def _is_kept(attribute: int, value: AttributeValue) -> bool:
    """Say whether a reported value has the type of its attribute, and is one."""
    return _MIRRORED.get(attribute) is value.type and value.value is not None


def _plain(value: AttributeValue) -> Json:
    return value.value.hex() if isinstance(value.value, bytes) else int(str(value.value))


def _value(row: Saved) -> AttributeValue:
    kind = ZclType(row.number("type"))
    return AttributeValue(
        kind, row.octets("value") if kind is ZclType.OCTETS else row.number("value")
    )
