"""An emulated meter on a line without pace, in time that passes only when told: for replays."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CancelTimer,
    CloseDlms,
    DeviceEvent,
    Effect,
    SendDlms,
    SetTimer,
)
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from emulator.devices.smets1 import registry
from emulator.devices.smets1.device import Smets1Device
from emulator.runtime.agenda import Agenda
from emulator.servers.line_parts import Framing as LineFraming
from emulator.servers.line_parts import HangUp, LineOutput, Transmit
from emulator.servers.meter_line import MeterLine
from harness.data_files import reading_data
from harness.dlms.settings import Framing
from harness.dlms_view.opened import ClientKeys
from harness.errors import UsageError
from harness.replay_client import Held

_TIMER: Final = "timer"
_DEVICE: Final = 0
#: Name the device knows the line by.
_LINE: Final = "optical"


class EmulatedWire:
    """A meter's line as its reader holds it (``harness.replay_wire.Wire``); nothing really waits.

    Octets cross at once, so that the device hears every request at the moment of its recording.

    Attributes:
        keys: What the device and its clients hold.
    """

    def __init__(
        self, device: Smets1Device, keys: FactoryKeys, framing: Framing, start: UtcMs
    ) -> None:
        """Switch a device on at ``start``, at the end of a line of this framing."""
        self.keys = keys
        self._device = device
        self._now = start
        self._agenda = Agenda()
        self._received: deque[bytes] = deque()
        self._line = MeterLine(device, _LINE, framing=LineFraming(framing.value))
        self._line.begin(start)
        self._handle(DeviceEvent.POWER_ON, None)

    @property
    def now_ms(self) -> int:
        """The present moment, milliseconds since 1970."""
        return self._now

    def write(self, octets: bytes) -> None:
        """Put octets on the line; the meter hears them now."""
        self._perform(self._line.receive(octets, self._now))

    def read(self, timeout_s: float) -> bytes:
        """Return what came; lets the time pass, to its end when nothing comes."""
        until = UtcMs(self._now + round(timeout_s * 1000))
        while not self._received and self._next_due(until):
            self._step()
        if not self._received:
            self._now = until
            return b""
        octets = b"".join(self._received)
        self._received.clear()
        return octets

    def set_baud(self, baud: int) -> None:
        """Do nothing: this line has no speed of its own."""
        del baud

    def pass_until(self, at_ms: int) -> None:
        """Let everything happen that is due up to a moment; time never goes back."""
        until = UtcMs(max(at_ms, self._now))
        while self._next_due(until):
            self._step()
        self._now = until

    # Time.

    def _deadlines(self) -> list[int]:
        own, due_us = self._line.deadline_ms, self._agenda.next_due()
        return [at for at in (own, None if due_us is None else due_us // 1000) if at is not None]

    def _next_due(self, until: UtcMs) -> bool:
        return min(self._deadlines(), default=until + 1) <= until

    def _step(self) -> None:
        at, due_us = min(self._deadlines()), self._agenda.next_due()
        self._now = UtcMs(max(self._now, at))
        if due_us is not None and due_us // 1000 == at:
            self._handle(DeviceEvent.TIMER, str(self._agenda.pop()[4]))
        else:
            self._perform(self._line.expire(self._now))

    # Device and line.

    def _handle(self, event: DeviceEvent, payload: str | None) -> None:
        effects = self._device.handle(event, payload, self._now)
        orders = [effect for effect in effects if isinstance(effect, SendDlms | CloseDlms)]
        self._timers(effects)
        self._perform(self._line.perform(orders, self._now))

    def _perform(self, outputs: Sequence[LineOutput]) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                self._received.append(output.octets)
            elif isinstance(output, HangUp):
                self._perform(self._line.lost(self._now))
                self._line.reset()
                self._line.begin(self._now)
        self._timers(outputs)

    def _timers(self, effects: Sequence[Effect | LineOutput]) -> None:
        for effect in effects:
            if isinstance(effect, SetTimer):
                due_us = max(effect.at, self._now) * 1000
                self._agenda.start_timer(due_us, _TIMER, _DEVICE, effect.name)
            elif isinstance(effect, CancelTimer):
                self._agenda.stop_timer(_TIMER, _DEVICE, effect.name)


@dataclass(frozen=True, slots=True)
class EmulatedMeter:
    """Which meter is emulated for a replay.

    Attributes:
        profile: Device model, by name or path.
        eui64: Its identifier.
        seed: Seed of its consumption, its challenges and its keys.
        overlays: Overlay folders, the strongest last.
    """

    profile: str
    eui64: Eui64
    seed: int
    overlays: tuple[Path, ...] = ()

    def model(self) -> DeviceProfile:
        """Return its profile.

        Raises:
            UsageError: There is no such profile, or it has no DLMS server.
        """
        with reading_data():
            model = load_profile(self.profile, self.overlays)
        if model.dlms is None:
            raise UsageError(
                f"the profile {model.name} has no DLMS server",
                cause="a model without a [dlms] section",
                next_command="smetsbench profiles",
            )
        return model

    def open(self, framing: Framing, start: UtcMs) -> EmulatedWire:
        """Build the meter, switch it on, and return the line to it.

        Args:
            framing: How APDUs travel on its line.
            start: The moment at which it is new from the factory.

        Raises:
            UsageError: As for ``model``, or its catalogue of objects cannot be used.
        """
        model, keys = self.model(), factory_keys(self.seed, self.eui64)
        with reading_data():
            device = registry.build(
                model.device_type,
                self.eui64,
                model,
                self.seed,
                start,
                keys,
                overlays=self.overlays,
            )
        return EmulatedWire(device, keys, framing, start)

    def held(self) -> Held:
        """Return the secrets of its clients.

        Raises:
            UsageError: As for ``model``.
        """
        dlms, factory = self.model().dlms, factory_keys(self.seed, self.eui64)
        known = () if dlms is None else dlms.associations
        secrets, keys = factory.secrets, factory.keys
        opener = ClientKeys(keys, factory.client_title, factory.server_title)
        return Held(
            {one.client: secrets[one.name] for one in known if one.name in secrets},
            {one.client: opener for one in known if one.ciphered},
        )
