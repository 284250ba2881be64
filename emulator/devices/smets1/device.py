"""A SMETS1 device as a DLMS/COSEM server: events in, effects out, any object tree.

Illustrative, a stand-in: no public document fixes any SMETS1 maker's server.
"""

from typing import ClassVar, Final

from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import acse, acse_release, apdu_exception
from emulator.codecs.dlms.apdu_ciphered import Form, Protection
from emulator.codecs.dlms.apdu_get import AnyGetRequest
from emulator.codecs.dlms.apdu_parts import is_confirmed
from emulator.codecs.dlms.apdu_set import AnySetRequest
from emulator.codecs.dlms.dumped import Dumped
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CancelTimer,
    CloseDlms,
    DeviceEvent,
    DlmsChannel,
    DlmsIndication,
    Effect,
    Note,
    Payload,
    SendDlms,
    SetTimer,
    Value,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys
from emulator.crypto.dlms_security import Opened
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1.admission import Admission, Rejection
from emulator.devices.smets1.association import (
    DUMPED_NAMES,
    Asked,
    Association,
    loaded,
)
from emulator.devices.smets1.associations import AssociationServer
from emulator.devices.smets1.exceptions import (
    Refusal,
    malformed,
    not_associated,
    not_proven,
    too_long,
)
from emulator.devices.smets1.hls import HlsProof
from emulator.devices.smets1.object_model import Moment, ObjectTree, Outbox
from emulator.devices.smets1.requests import Request, Response, decoded, encoded, is_reply
from emulator.devices.smets1.security import DeviceSecurity
from emulator.devices.smets1.server_action import ActionServer
from emulator.devices.smets1.server_get import GetServer
from emulator.devices.smets1.server_set import SetServer

_AARQ: Final = bytes((acse.AARQ_TAG,))
_RLRQ: Final = bytes((acse_release.RLRQ_TAG,))
_UNWRAPPED: Final = Opened(b"", Form.PLAIN, Protection.NONE)
_NAMES: Final = frozenset(
    {"powered", "timers", "chance", "security", "associations", "objects", "device_type", "inner"}
)


class Smets1Device(GetServer, SetServer, ActionServer):
    """The COSEM application process of one device with one logical device.

    A function of its state: ``handle`` returns effects and performs none. A new device is off.
    Several clients may be associated at once, each on its channel.

    Attributes:
        eui64: Its identifier, and its system title unless its keys name another.
        profile: What it is and may do.
        settings: The profile's ``[dlms]`` section.
        tree: Its objects.
        security: Its keys, secrets and counters.
        door: Its associations.
        powered: Whether it has power.
        timers: Running timers by name.
        inner: What a fault or a saboteur keeps in it; empty in a right device.
        line_defects: What the lines of a saboteur do wrong; nothing on a right device.
    """

    line_defects: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        eui64: Eui64,
        profile: DeviceProfile,
        tree: ObjectTree,
        keys: FactoryKeys,
        chance: Chance,
    ) -> None:
        if profile.dlms is None:
            raise ValueError(f"{profile.title}: the profile has no [dlms] section")
        super().__init__(tree)
        self.eui64 = eui64
        self.profile = profile
        self.settings = profile.dlms
        self.security = DeviceSecurity(keys, self.settings.suite, self.settings.first_counter)
        self.door = AssociationServer(
            self.settings, self.security, chance.stream(f"dlms/{eui64.hex}/challenge")
        )
        self.powered = False
        self.timers: dict[str, UtcMs] = {}
        self.inner: dict[str, Json] = {}

    # -- events --------------------------------------------------------------------------------

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event and return what the device wants done, in order.

        Args:
            event: DLMS, DLMS_GONE, TIMER, POWER_ON or POWER_OFF.
            payload: What belongs to it; see ``core.effects.Payload``.
            now: The present moment.

        Raises:
            IllegalEventError: Power switched on twice or off twice, or an event that this kind of
                device cannot have. A peer's octets never raise.
        """
        if event is DeviceEvent.DLMS and isinstance(payload, DlmsIndication):
            return self.on_apdu(payload.channel, payload.apdu, now) if self.powered else []
        if event is DeviceEvent.POWER_ON or event is DeviceEvent.POWER_OFF:
            return self._switch_power(now, on=event is DeviceEvent.POWER_ON)
        if event is DeviceEvent.DLMS_GONE and isinstance(payload, DlmsChannel):
            return self.drop(payload, "link_gone")
        if event is DeviceEvent.TIMER and isinstance(payload, str):
            return self.on_timer(payload, now) if self.powered else []
        kind = self.profile.device_type
        raise IllegalEventError(f"SMETS1 {kind}: {event.name} with {type(payload).__name__}")

    def _switch_power(self, now: UtcMs, *, on: bool) -> list[Effect]:
        if on == self.powered:
            raise IllegalEventError(f"power is {'on' if on else 'off'} already")
        at = Moment(now, security=self.security)
        effects: list[Effect] = [] if on else [CancelTimer(name) for name in self.timers]
        if not on:
            effects += [self._dropped(channel, "power_off") for channel in [*self.door.standing]]
        self.powered = on
        for item in self.tree.objects():
            item.on_power(on=on, at=at)
        return [*self._perform(effects), Note("power", (("on", on),)), *self._acted(at.outbox)]

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer: that of the object it is named after."""
        if self.timers.pop(name, None) is None:
            return []
        owner, _, word = name.rpartition("/")
        item = self.tree.named(owner)
        if item is None:
            return []
        at = Moment(now, security=self.security)
        item.on_timer(word, at)
        return self._acted(at.outbox)

    def _acted(self, outbox: Outbox) -> list[Effect]:
        return self._perform(outbox.take())

    def _perform(self, effects: list[Effect]) -> list[Effect]:
        """Book timers and dropped associations of ``effects``; return all there is to do."""
        done: list[Effect] = []
        for effect in effects:
            if isinstance(effect, SetTimer):
                self.timers[effect.name] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.name, None)
            elif isinstance(effect, CloseDlms):
                gone = [*self.door.standing] if effect.channel is None else [effect.channel]
                for channel in gone:
                    done += self.drop(channel, "closed_by_device")
            done.append(effect)
        return done

    def drop(self, channel: DlmsChannel, why: str) -> list[Effect]:
        """Forget the association of a channel, if it has one."""
        return [self._dropped(channel, why)] if channel in self.door.standing else []

    def _dropped(self, channel: DlmsChannel, why: str) -> Effect:
        held = self.door.standing.pop(channel)
        return Note("dlms_released", (*_who(channel), ("name", held.section.name), ("why", why)))

    # -- APDUs ---------------------------------------------------------------------------------

    def on_apdu(self, channel: DlmsChannel, apdu: bytes, now: UtcMs) -> list[Effect]:
        """Answer one APDU of a client."""
        first = apdu[:1]
        if first == _AARQ:
            return self.on_association_request(channel, apdu)
        held = self.door.standing.get(channel)
        if held is None:
            what = f"APDU {first.hex() or 'without octets'}"
            return self.refuse(channel, not_associated(what))
        if first == _RLRQ:
            return self.on_release(held, apdu)
        return self.on_service(held, apdu, now)

    def refuse(
        self,
        channel: DlmsChannel,
        why: Refusal,
        held: Association | None = None,
        opened: Opened = _UNWRAPPED,
    ) -> list[Effect]:
        """Tell a client that its request was not taken, in kind where it was authentic."""
        octets = apdu_exception.encode(why.response)
        if held is not None and opened.form is not Form.PLAIN:
            octets = held.seal(octets, opened)
        return [_refused(channel, why), SendDlms(channel, octets)]

    def on_association_request(self, channel: DlmsChannel, apdu: bytes) -> list[Effect]:
        """Let a client in, or say why not."""
        try:
            request = acse.decode_request(apdu)
        except MalformedFrameError as error:
            return self.refuse(channel, malformed(error))
        replaced = self.door.standing.get(channel)
        outcome = self.door.admit(channel, request)
        if isinstance(outcome, Rejection):
            note = _refused(channel, outcome)
            if outcome.silent:
                return [note]
            return [note, SendDlms(channel, self.door.rejection(channel, request, outcome))]
        effects: list[Effect] = []
        if replaced is not None:
            name = ("name", replaced.section.name)
            effects.append(Note("dlms_released", (*_who(channel), name, ("why", "replaced"))))
        return [*effects, *self._admitted(channel, outcome)]

    def _admitted(self, channel: DlmsChannel, admission: Admission) -> list[Effect]:
        held = admission.association
        note = _associated(held, "pending" if held.pending else "associated")
        if admission.silent:
            return [note]
        return [note, SendDlms(channel, self.door.acceptance(admission))]

    def on_release(self, held: Association, apdu: bytes) -> list[Effect]:
        """End an association as its client asks."""
        try:
            answer = self.door.release(held, acse_release.decode_request(apdu))
        except MalformedFrameError as error:
            answer = malformed(error)
        if isinstance(answer, Refusal):
            return self.refuse(held.channel, answer)
        return [SendDlms(held.channel, answer), *self.drop(held.channel, "released")]

    def on_service(self, held: Association, apdu: bytes, now: UtcMs) -> list[Effect]:
        """Check one request of a service, carry it out and answer it."""
        opened = held.open(apdu)
        if isinstance(opened, Refusal):
            return self.refuse(held.channel, opened)
        request = self.read_request(held, opened.plain)
        if isinstance(request, Refusal):
            return self.refuse(held.channel, request, held, opened)
        at = Moment(
            now,
            held.view(opened.protection),
            Outbox(),
            self.security,
            HlsProof(held, self.security),
        )
        was_pending = held.pending
        response = self.answer(Asked(held, at, held.room(opened.form)), request)
        effects: list[Effect] = []
        if was_pending and not held.pending:
            effects.append(_associated(held, "proven"))
        if isinstance(response, Refusal):
            effects.append(_refused(held.channel, response))
        if is_confirmed(request.invoke):
            effects.append(SendDlms(held.channel, held.seal(encoded(response), opened)))
        if held.failed:
            effects += self.drop(held.channel, "proof_failed")
        return [*effects, *self._acted(at.outbox)]

    def read_request(self, held: Association, plain: bytes) -> Request | Refusal:
        """Return the request in a plain APDU, or why it is none that may be taken now.

        Source:
            inferred: the device's limit holds for the plain APDU, what protection adds is free.
        """
        if len(plain) > held.server_pdu_bytes:
            return too_long(len(plain), held.server_pdu_bytes)
        try:
            request = decoded(plain)
        except MalformedFrameError as error:
            return malformed(error)
        if held.pending and not isinstance(request, Refusal) and not is_reply(request):
            return not_proven(f"APDU {plain[:2].hex()} before the reply to the challenge")
        return request

    def answer(self, asked: Asked, request: Request) -> Response | Refusal:
        """Carry a request out."""
        if isinstance(request, AnyGetRequest):
            return self.answer_get(asked, request)
        if isinstance(request, AnySetRequest):
            return self.answer_set(asked, request)
        return self.answer_action(asked, request)

    def inject(self, fault: str) -> None:
        """Put a fault inside the device; this bare kind has none.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"a {type(self).__name__} has no inner fault {fault!r}")

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values, keys that were transferred included."""
        associations: list[Json] = [
            held.dump(self.security) for held in self.door.standing.values()
        ]
        return {
            "device_type": self.profile.device_type.value,
            "powered": self.powered,
            "timers": {name: int(at) for name, at in self.timers.items()},
            "chance": self.door.chance.position,
            "security": self.security.dump(),
            "associations": associations,
            "objects": self.tree.dump(),
            "inner": {**self.inner},
        }

    def dump_access(self) -> State:
        """Return the part of ``dump`` that decides who may associate."""
        return {
            "chance": self.door.chance.position,
            "security": self.security.dump(),
            "inner": {**self.inner},
        }

    def load_access(self, state: Json) -> None:
        """Take over what decides who may associate, and nothing else: for a copy of a device.

        The copy has power, no association, no timer, and the keys, secrets, counters and chance of
        the state.

        Raises:
            IllegalEventError: Not a state of this kind of device; names the value.
        """
        saved = Saved(state)
        self.security.load(saved.table("security"), "state.security")
        self.door.chance.position = saved.number("chance")
        self.door.standing = {}
        self.timers = {}
        self.inner = saved.table("inner")
        self.powered = True

    def load(self, state: Json) -> None:
        """Take over a dumped state; profile, factory keys and objects stay as constructed.

        Raises:
            IllegalEventError: Not a state of this kind of device; names the value. The device may
                then hold a part of it, and must not be used.
        """
        dumped = Dumped(state, "state", _NAMES)
        if dumped.text("device_type") != self.profile.device_type:
            dumped.refuse("device_type", f"not {self.profile.device_type}")
        timers = Saved(state).numbers("timers")
        self.security.load(dumped.raw("security"), "state.security")
        limit = self.settings.max_pdu_bytes
        held = [
            loaded(row, self.door.sections, self.security, limit)
            for row in dumped.rows("associations", DUMPED_NAMES)
        ]
        self.powered = dumped.flag("powered")
        self.timers = {name: UtcMs(at) for name, at in timers.items()}
        self.door.chance.position = dumped.number("chance")
        self.door.standing = {association.channel: association for association in held}
        self.tree.load(Saved(state).part("objects"))
        self.inner = Saved(state).table("inner")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader: name -> value; no key, no secret."""
        identity = self.profile.identity
        clients = [
            f"{held.section.name} on {held.channel.line}" for held in self.door.standing.values()
        ]
        return {
            "model": f"{identity.manufacturer_name} {identity.model_name}",
            "power": "on" if self.powered else "off",
            "clients": ", ".join(clients) or "none",
            "keys": "as made" if self.security.as_made else "transferred",
        }


def _who(channel: DlmsChannel) -> tuple[tuple[str, Value], ...]:
    return (("line", channel.line), ("client", channel.client))


def _associated(held: Association, state: str) -> Note:
    fields = (*_who(held.channel), ("name", held.section.name), ("state", state))
    return Note("dlms_association", fields)


def _refused(channel: DlmsChannel, why: Refusal | Rejection) -> Note:
    fields = (*_who(channel), ("reason", why.reason), ("detail", why.detail))
    return Note("dlms_refused", fields)
