"""What every device has: power, timers, counters, messages in and out, logs, dump and load."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.common import MAX_LENGTH
from emulator.codecs.gbcs.dates import ClockStatus, encode_date_time
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.payload import PayloadValue, encode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode, MessageRow, PayloadKind
from emulator.codecs.zcl import events
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.clock import UtcMs, iso
from emulator.core.effects import (
    CancelTimer,
    DeviceEvent,
    Effect,
    Note,
    Payload,
    SendGbcs,
    SetTimer,
    Value,
    ZclIndication,
)
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing, seal
from emulator.devices import event_service, unsupported
from emulator.devices.block_side import BlockSide
from emulator.devices.checks import (
    Checker,
    Command,
    CommandRefusedError,
    Complaint,
    counter_key,
)
from emulator.devices.credentials import handlers as credential_handlers
from emulator.devices.credentials import replacing
from emulator.devices.credentials.holders import ring_for, roles_of
from emulator.devices.credentials.trust import Trust
from emulator.devices.handlers import Answer, Handling
from emulator.devices.joins import handlers as join_handlers
from emulator.devices.joins.log import JoinLog
from emulator.devices.log_entries import LogEntry, dump_log, load_log
from emulator.devices.network import Network
from emulator.devices.replies import ReplyTo
from emulator.devices.saved import Json, Saved, State
from emulator.devices.shared_use_cases import shared_rows

__all__ = ["Device", "LogEntry", "Network"]

#: Counter of a device's first own message. Source: invented.
FIRST_COUNTER: Final = 1

AlertBody = Callable[[int], bytes]


class Device(BlockSide):
    """A device as a function of its state: ``handle`` returns effects and performs none.

    A new device is off; the world switches it on with POWER_ON. It is joined already: the hub's
    device log and the devices' keys are loaded, not negotiated.

    Attributes:
        eui64: Its identifier.
        profile: What it is and may do.
        ring: Keys it holds: its own private ones, others' public ones.
        network: The parties it knows.
        powered: Whether it has power.
        next_counter: Originator counter of its next own message (an alert).
        accepted: Highest accepted counter by originator and direction.
        event_log: Latest entries of the event log, oldest first.
        security_log: Latest entries of the security log, oldest first.
        trust: Credentials that it was given by command.
        joins: Devices it was joined with by command.
    """

    device_type: ClassVar[DeviceType]
    #: Language of its own alerts.
    alert_language: ClassVar[PayloadKind] = PayloadKind.DLMS
    #: Timer of the next replacement of credentials that is due.
    trust_timer: ClassVar[str] = "trust.replace"

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, network)
        self.ring = ring
        self.powered = False
        self.next_counter = FIRST_COUNTER
        self.accepted: dict[str, int] = {}
        self.timers: dict[str, UtcMs] = {}
        self.event_log: list[LogEntry] = []
        self.security_log: list[LogEntry] = []
        self.trust = Trust()
        self.joins = JoinLog()
        self._made_with = (ring, network)

    # -- events --------------------------------------------------------------------------------

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event and return what the device wants done, in order.

        Args:
            event: What happened.
            payload: What belongs to it; see ``core.effects.Payload``.
            now: The present moment.

        Raises:
            IllegalEventError: Power switched on twice or off twice, or an event that this kind of
                device cannot have. A peer's octets never raise.
        """
        effects = self.in_blocks(self._dispatch(event, payload, now), now)
        for effect in effects:
            if isinstance(effect, SetTimer):
                self.timers[effect.name] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.name, None)
        return effects

    def _dispatch(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        if event in {DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            return self._switch_power(event, now)
        if not self.hears:
            return []
        if event is DeviceEvent.TIMER and isinstance(payload, str):
            return self._timer(payload, now)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return self.on_zcl(payload, now)
        if isinstance(payload, bytes):
            return self.on_octets(event, payload, now)
        raise IllegalEventError(f"{self.device_type}: {event.name} with {type(payload).__name__}")

    def _timer(self, name: str, now: UtcMs) -> list[Effect]:
        if self.timers.pop(name, None) is None:
            return []
        if name == self.trust_timer:
            return credential_handlers.date_reached(self, now)
        return self.on_timer(name, now)

    def _switch_power(self, event: DeviceEvent, now: UtcMs) -> list[Effect]:
        on = event is DeviceEvent.POWER_ON
        if on == self.powered:
            raise IllegalEventError(f"{self.device_type}: {event.name}, as it is already")
        if on:
            self.powered = True
            waiting = credential_handlers.wait(self, now) if self.hears else []
            return [Note("power", (("on", True),)), *self.on_power_on(now), *waiting]
        stopped = [CancelTimer(name) for name in self.timers]
        effects = [*stopped, *self.on_power_off(now), Note("power", (("on", False),))]
        self.powered = False
        return effects

    @property
    def hears(self) -> bool:
        """Whether it takes part in anything: it has power, and firmware that runs."""
        return self.powered

    def on_cluster_frame(
        self, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take a command of a cluster: every device publishes its logs."""
        if indication.cluster == events.CLUSTER:
            return event_service.publish(self, indication, frame)
        return super().on_cluster_frame(indication, frame, now)

    def on_clock_set(self, now: UtcMs) -> list[Effect]:
        """Take notice that the clock was moved; dated replacements move along."""
        return [*super().on_clock_set(now), *credential_handlers.wait(self, now)]

    def on_power_on(self, now: UtcMs) -> list[Effect]:
        """Start up; what non-volatile memory holds goes on."""
        return self.ask_time(now)

    def on_power_off(self, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - some devices want it
        """Lose what only volatile memory holds."""
        self.clock_reliable = False
        return self.forget_blocks()

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of the device's own."""
        return self.on_time_timer(name, now)

    def on_octets(self, event: DeviceEvent, data: bytes, now: UtcMs) -> list[Effect]:
        """Take octets of a link: for most devices a GBCS message out of the tunnel.

        Raises:
            IllegalEventError: A link that this kind of device does not have.
        """
        if event is not DeviceEvent.GBCS:
            raise IllegalEventError(f"{self.device_type} has no link for {event.name}")
        return self.on_frame(data, now)

    def inject(self, fault: str) -> None:
        """Put a fault inside the device; this kind knows none.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"{self.device_type} has no inner fault {fault!r}")

    # -- messages ------------------------------------------------------------------------------

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask; beside what all devices share."""
        return {}

    def handling(self, code: int) -> Handling[Any] | None:
        """Return what carries a message code out: of the device's own table, else the shared."""
        return self.use_cases.get(code) or shared_rows(self.device_type).get(code)

    def roles_for(self, code: int) -> frozenset[RemoteParty] | None:
        """Return who may send a message code; None where the device has no such use case."""
        row = self.handling(code)
        return None if row is None else row.roles

    @property
    def checker(self) -> Checker:
        """The checks a command must pass."""
        return Checker(
            self.eui64,
            self.ring,
            self.network,
            self.roles_for,
            lambda env, roles: ring_for(self, env, roles),
            lambda party: roles_of(self, party),
        )

    def take_ring(self, ring: KeyRing) -> None:
        """Use other keys from now on."""
        self.ring = ring

    def without_authority(self, detail: str, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - meters tell
        """Take notice of an authentic command of a party that may not send it."""
        return []

    def joins_changed(self, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - a GPF wants it
        """Take notice that the log of joined devices changed."""
        return []

    def on_message(self, message: bytes, now: UtcMs) -> list[Effect]:
        """Check a GBCS message and carry it out, or note why not."""
        try:
            command = self.checker.check(message, self.accepted)
            answer = self._carry_out(command, now)
        except CommandRefusedError as refusal:
            fields = (("reason", refusal.reason), ("detail", refusal.detail))
            return [Note("message_refused", fields), *unsupported.tell(self, refusal, now)]
        self.use_up(command.header)
        accepted: tuple[tuple[str, Value], ...] = (
            ("use_case", command.row.use_case),
            ("counter", command.header.counter),
            ("originator", str(command.header.originator)),
        )
        effects: list[Effect] = [Note("message_accepted", accepted), *answer.before]
        if answer.payload is not None:
            effects += self.respond(answer.reply_to or ReplyTo.of(command), answer.payload, now)
        return [*effects, *answer.after]

    def _carry_out(self, command: Command, now: UtcMs) -> Answer:
        row = self.handling(command.row.code)
        if row is None:
            raise CommandRefusedError(Complaint.UNSUPPORTED_USE_CASE.value, command.row.use_case)
        return row.function(self, command, now)

    def use_up(self, header: GroupingHeader) -> None:
        """Note that a counter was used; a floor that the command itself laid may be higher."""
        key = counter_key(header)
        self.accepted[key] = max(header.counter, self.accepted.get(key, 0))

    def respond(self, reply_to: ReplyTo, payload: PayloadValue, now: UtcMs) -> list[Effect]:
        """Send the response to a command; one that no message can carry is noted instead."""
        row, stamp = reply_to.row, b""
        if row.response_date_time:
            stamp = encode_date_time(self.local_time(now), self.stamp_status(row))
        header = reply_to.header(self.eui64, stamp)
        octets = encode_payload(payload)
        if len(octets) > MAX_LENGTH:
            what = (("use_case", row.use_case), ("octets", len(octets)))
            return [Note("response_too_long", what)]
        return self._send(header, octets, reply_to.protection)

    def stamp_status(self, row: MessageRow) -> int:
        """Return the clock status octet of the date-time in a use case's response."""
        return self.clock_status(row.payload[0])

    def clock_status(self, language: PayloadKind) -> int:
        """Return the clock status octet of a response's date-time."""
        told = ClockStatus.RELIABLE if self.clock_reliable else ClockStatus.UNRELIABLE
        return told if language is PayloadKind.GBZ else ClockStatus.UNSAID

    def alert(
        self, code: MessageCode, target: Eui64, body: AlertBody, about: Eui64 | None = None
    ) -> list[Effect]:
        """Send an alert under the device's own counter.

        Args:
            code: Message code.
            target: Who is to have it.
            body: Makes the payload from the counter (DLMS writes it into the payload, too).
            about: Supplementary remote party, or None.
        """
        counter = self.next_counter
        self.next_counter += 1
        other = OtherInformation(int(code), about)
        header = GroupingHeader(Cra.ALERT, counter, self.eui64, target, other)
        return self._send(header, body(counter), MESSAGES[int(code)].alert[0])

    def _send(self, header: GroupingHeader, payload: bytes, protection: Any) -> list[Effect]:
        message = seal(
            Envelope(header, payload), self.ring, protection=protection, acb=self.network.acb
        )
        fields: tuple[tuple[str, Value], ...] = (
            ("code", f"{header.other.message_code:04x}"),
            ("cra", header.cra.name.lower()),
            ("counter", header.counter),
            ("target", str(header.target)),
        )
        return [self.outgoing(message), Note("message_sent", fields)]

    def outgoing(self, message: bytes) -> Effect:
        """Return the effect that puts a message on its way: into the tunnel to the CHF."""
        return SendGbcs(message, self.network.chf)

    # -- logs ----------------------------------------------------------------------------------

    def log(self, code: int, detail: str, now: UtcMs, *, security: bool = False) -> Effect:
        """Enter an event into the event or security log, dropping the oldest when full."""
        limits = self.profile.limits
        entries = self.security_log if security else self.event_log
        limit = limits.security_log_entries if security else limits.event_log_entries
        entries.append(LogEntry(self.local_time(now), code, detail))
        del entries[: max(len(entries) - limit, 0)]
        where = "security" if security else "event"
        return Note("logged", (("log", where), ("code", f"{code:04x}"), ("detail", detail)))

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {
            "device_type": self.device_type.value,
            "powered": self.powered,
            "next_counter": self.next_counter,
            "accepted": {**self.accepted},
            "timers": {name: int(at) for name, at in self.timers.items()},
            "event_log": dump_log(self.event_log),
            "security_log": dump_log(self.security_log),
            "zcl": self.dump_zcl(),
            "trust": self.trust.dump(),
            "joins": self.joins.dump(),
        }

    def load(self, state: Json) -> None:
        """Take over a dumped state; the profile, keys and network stay as constructed.

        Raises:
            IllegalEventError: Not a state of this kind of device.
        """
        saved = Saved(state, self.device_type.value)
        if saved.text("device_type") != self.device_type:
            raise IllegalEventError(
                f"a state of {saved.text('device_type')} loaded into {self.device_type}"
            )
        self.load_saved(saved)

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds; each kind of device adds its own parts."""
        self.powered = saved.flag("powered")
        self.next_counter = saved.number("next_counter")
        self.accepted = saved.numbers("accepted")
        self.timers = {name: UtcMs(at) for name, at in saved.numbers("timers").items()}
        self.event_log = load_log(saved.rows("event_log"))
        self.security_log = load_log(saved.rows("security_log"))
        self.load_zcl(saved.part("zcl"))
        self._load_keys(saved)

    def _load_keys(self, saved: Saved) -> None:
        """Take over credentials and joins, with their keys in effect."""
        if self.trust.installed or self.trust.own or self.joins.entries:
            ring, self.network = self._made_with
            self.take_ring(ring)
        self.trust.load(saved.part("trust"))
        self.joins.load(saved.part("joins"))
        replacing.reinstall(self)
        join_handlers.reinstall(self)

    def rows(self) -> dict[str, str]:
        """Return the state for a reader: name -> value."""
        last = self.event_log[-1] if self.event_log else None
        identity = self.profile.identity
        return {
            "model": f"{identity.manufacturer_name} {identity.model_name}",
            "power": "on" if self.powered else "off",
            "clock": "set" if self.clock_reliable else "not set",
            "last event": "none" if last is None else f"{last.code:04X} {iso(last.at)}",
        }
