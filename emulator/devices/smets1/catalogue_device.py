"""A SMETS1 device out of a catalogue: a DLMS/COSEM server over the parts of a meter.

Illustrative, a stand-in: no public document fixes any SMETS1 maker's objects.
"""

from typing import Final

from device_profiles.dlms import Authentication
from emulator.codecs.dlms import acse
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.axdr import Data
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, iso
from emulator.core.effects import (
    BrownOut,
    DeviceEvent,
    DlmsIndication,
    Effect,
    Note,
    Payload,
    SendDlms,
)
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1.calendar import CALENDAR_TIMER
from emulator.devices.smets1.catalogue import build_tree, shared_columns
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.image import ACTIVATE_TIMER, VERIFY_TIMER
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.making import Making
from emulator.devices.smets1.meter import CREDIT_TIMER, LIMIT_TIMER, OVER_TIMER, Meter
from emulator.devices.smets1.object_model import Moment
from emulator.devices.smets1.switch import ControlState

_OWN_TIMERS: Final = frozenset(
    {CALENDAR_TIMER, VERIFY_TIMER, ACTIVATE_TIMER, CREDIT_TIMER, LIMIT_TIMER, OVER_TIMER}
)
_PART: Final = "meter"
#: Word of the fault that takes the supply when keys are to change.
KEY_WRITE_CUT: Final = "key-write-cut"


class CatalogueDevice(Meter, Smets1Device):
    """A device of the first generation whose objects are a catalogue's."""

    def __init__(self, making: Making) -> None:
        """Build a meter that is off, with more than a year of consumption behind it.

        Raises:
            DataError: The catalogue does not fit the profile.
        """
        Meter.__init__(self, making)
        tree = build_tree(self, making.catalogue, making.section)
        Smets1Device.__init__(
            self, making.eui64, making.profile, tree, making.keys, Chance(making.seed)
        )
        self.columns = shared_columns(tree, making.catalogue, making.section)

    # -- events --------------------------------------------------------------------------------

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event and return what the meter wants done, in order.

        Raises:
            IllegalEventError: As ``Smets1Device.handle``.
        """
        was_powered = self.powered
        effects = super().handle(event, payload, now)
        for one in effects:
            if isinstance(one, BrownOut):  # no answer goes out any more
                effects = [effect for effect in effects if not isinstance(effect, SendDlms)]
                break
        if self.powered and not was_powered:
            return [*effects, *self._wake(now)]
        if was_powered and not self.powered:
            self._sleep(now)
        elif isinstance(payload, DlmsIndication):
            self._log_refusals(payload, effects, now)
        return effects

    def _wake(self, now: UtcMs) -> list[Effect]:
        at = Moment(now, security=self.security)
        self.consumption.restore("power", now)
        for captures in self.captures.values():
            captures.run(self.clock.shows(now), self.clock.ppm, now)
        self.log(EventCode.POWER_UP, now)
        for effect in self.image.power_on(now):
            at.outbox.put(effect)
        self.await_calendar(at)
        self.enforce_credit(at)
        self.watch_limit(at)
        return self._acted(at.outbox)

    def _sleep(self, now: UtcMs) -> None:
        self.log(EventCode.POWER_DOWN, now)
        self.consumption.interrupt("power", now)
        for captures in self.captures.values():
            captures.stop(now)
        self.image.lose_power()

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of the meter's own, or of one of its objects."""
        if name not in _OWN_TIMERS:
            return super().on_timer(name, now)
        if self.timers.pop(name, None) is None:
            return []
        at = Moment(now, security=self.security)
        if name == CALENDAR_TIMER:
            self.await_calendar(at)
        elif name == CREDIT_TIMER:
            self.enforce_credit(at)
        elif name == LIMIT_TIMER:
            self.watch_limit(at)
        elif name == OVER_TIMER:
            self.enforce_limit(at)
        else:
            for effect in self.image.on_timer(name):
                at.outbox.put(effect)
            self.log_image_events(now)
        return self._acted(at.outbox)

    def _log_refusals(self, indication: DlmsIndication, effects: list[Effect], now: UtcMs) -> None:
        opening = indication.apdu[:1] == bytes((acse.AARQ_TAG,))
        for effect in effects:
            if not isinstance(effect, Note):
                continue
            fields = dict(effect.fields)
            if effect.kind == "dlms_refused":
                code = EventCode.ASSOCIATION_REFUSED if opening else EventCode.APDU_REFUSED
                self.log(code, now)
            elif effect.kind == "dlms_released" and fields.get("why") == "proof_failed":
                self.log(EventCode.ASSOCIATION_REFUSED, now)
            elif effect.kind == "dlms_association" and self._proves(fields):
                self.log(EventCode.ASSOCIATION_OPENED, now)

    def _proves(self, fields: dict[str, str | int | bool | bytes | None]) -> bool:
        """Say whether the note of an association tells of a client that proved who it is."""
        known = {each.name: each.authentication for each in self.dlms.associations}
        authentication = known.get(str(fields.get("name")), Authentication.NONE)
        return authentication is not Authentication.NONE and fields.get("state") != "pending"

    # -- faults --------------------------------------------------------------------------------

    def inject(self, fault: str) -> None:
        """Put a fault inside the meter.

        Args:
            fault: ``self-test-fails`` (of the firmware started next), or ``key-write-cut:EFFECT:S``
                (the supply goes for S seconds at the next change of keys; EFFECT says whether the
                keys are ``taken`` or ``lost``).

        Raises:
            ValueError: No such fault.
        """
        word, _, rest = fault.partition(":")
        if word == KEY_WRITE_CUT:
            self.inner[KEY_WRITE_CUT] = rest
        elif fault == "self-test-fails":
            self.image.self_test_fails = True
        else:
            raise ValueError(f"a SMETS1 device has no inner fault {fault!r}")

    def transfer_keys(self, data: Data | None, at: Moment) -> MethodOutcome:
        """Take the keys of a key transfer, or none of them; or lose power over it."""
        armed = self.inner.pop(KEY_WRITE_CUT, None)
        if not isinstance(armed, str):
            return super().transfer_keys(data, at)
        effect, _, off_s = armed.partition(":")
        if effect == "taken":
            super().transfer_keys(data, at)
        at.outbox.put(Note("key_write_cut", (("keys", effect),)))
        at.outbox.put(BrownOut(float(off_s)))
        return MethodOutcome(ActionResult.TEMPORARY_FAILURE)

    # -- dump, load, rows ----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        parts: State = {
            "consumption": self.consumption.dump(),
            "rates": self.rates.dump(),
            "clock": self.clock.dump(),
            "calendar": self.calendar.dump(),
            "captures": {name: each.dump() for name, each in self.captures.items()},
            "logs": {name: each.dump() for name, each in self.logs.items()},
            "switch": {"state": int(self.switch.state), "mode": self.switch.mode},
            "cut_for_credit": self.cut_for_credit,
            "limits": {**self.limits},
            "account": self.account.dump(),
            "demand": self.demand.dump(),
            "image": self.image.dump(),
            "policy": self.policy,
            "token": [*self.token],
            "draw": self.draw.position,
        }
        return {**super().dump(), _PART: parts}

    def load(self, state: Json) -> None:
        """Take over a dumped state; profile, catalogue and factory keys stay as constructed.

        Raises:
            IllegalEventError: Not a state of this kind of device; names the value.
        """
        saved = Saved(state)
        parts = saved.part(_PART)
        if isinstance(state, dict):
            super().load({name: value for name, value in state.items() if name != _PART})
        self._load_parts(parts)

    def _load_parts(self, parts: Saved) -> None:
        self.consumption.load(parts.part("consumption"))
        self.rates.load(parts.rows("rates"))
        self.clock.load(parts.part("clock"))
        self.calendar.load(parts.part("calendar"))
        for name, captures in self.captures.items():
            captures.load(parts.part("captures").part(name))
        for name, log in self.logs.items():
            log.load(parts.part("logs").rows(name))
        switch = parts.part("switch")
        self.switch.state = ControlState(switch.number("state"))
        self.switch.mode = switch.number("mode")
        self.cut_for_credit = parts.flag("cut_for_credit")
        self.limits = parts.numbers("limits")
        self.account.load(parts.part("account"))
        self.demand.load(parts.part("demand"))
        self.image.load(parts.part("image"))
        self.policy = parts.number("policy")
        at, status, reason = parts.number_list("token")
        self.token = (UtcMs(at), status, reason)
        self.draw.position = parts.number("draw")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader: name -> value; no key, no secret."""
        log = self.logs["events"].rows
        last = f"{EventCode(log[-1].code).name.lower()} {iso(log[-1].shown)}" if log else "none"
        return {
            **super().rows(),
            "serial": self.serial,
            "firmware": self.firmware_text(),
            "image": self.image.state.name.lower().replace("_", " "),
            "switch": self.switch.supply.value,
            "payment": self.account.mode.name.lower(),
            "last event": last,
        }
