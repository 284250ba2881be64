"""Opens what stands behind a role: a child, a recording or a port, and the meter on it."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs, from_datetime, iso
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from harness.dlms.association import Draw
from harness.dlms.from_profile import signing
from harness.dlms.settings import Framing, LineSettings
from harness.errors import BenchError
from harness.meter import Credentials
from harness.run_options import RunOptions
from hil import credentials, locks
from hil.bench_file import LoadedBench
from hil.bench_parts import BenchClock, Ears
from hil.bench_sections import RoleSection
from hil.children import Child
from hil.drivers.serial_meter import HilMeterPort, SerialMeter
from hil.endpoints import EndpointKind, Listen
from hil.guard_port import Guard, Unguarded
from hil.left_links import close_left_links
from hil.line_settings import (
    challenges,
    first_baud,
    line_settings,
    lock_name,
    loopback_eui64,
    port_of,
)
from hil.reopen import Reopener
from hil.replay_device import ReplayEndpoint
from hil.serial_port import SerialPort
from hil.tap import Tap, Taps

_LISTEN: Final = {
    Listen.PTY: "pty",
    Listen.TCP: "tcp://127.0.0.1:0",
    Listen.WRAPPER: "wrapper://127.0.0.1:0",
    Listen.RFC2217: "rfc2217://127.0.0.1:0",
}
_REPLAY_AT: Final = {
    Framing.OPTICAL: "pty",
    Framing.HDLC: "pty",
    Framing.WRAPPER: "wrapper://127.0.0.1:0",
}
_NOBODY: Final = Eui64(bytes(8))


@dataclass(slots=True)
class Line:
    """One open line with its meter.

    Attributes:
        role: Device type behind it.
        section: What the bench file says of it.
        profile: Model the device is, or should be.
        settings: How it is spoken to.
        address: Where it is reached.
        driver: The meter, blocking.
        port: The meter, for scenarios.
        ears: What crossed the line.
        eui64: Its EUI-64; None where nobody says.
        seed: Seed of our client's chance; None for a real device.
        factory: Keys of a loopback or recorded emulated device; None elsewhere.
        child: The process it lives in.
        recording: The recording that answers.
        lock: The lock on its port.
    """

    role: DeviceType
    section: RoleSection
    profile: DeviceProfile
    settings: LineSettings
    address: str
    driver: SerialMeter
    port: HilMeterPort
    ears: Ears
    eui64: Eui64 | None = None
    seed: int | None = None
    factory: FactoryKeys | None = field(default=None, repr=False)
    child: Child | None = None
    recording: ReplayEndpoint | None = None
    lock: locks.DeviceLock | None = None

    def close(self) -> None:
        """End the association with a real meter, let go of the port, end what stands behind it.

        A meter that is left with an open link answers no sign-on until its inactivity time-out.
        """
        with suppress(BenchError):  # a port that is lost already is let go of as well
            if self.lock is not None:
                self.driver.release()
        with suppress(BenchError):
            self.driver.close()
        for part in (self.child, self.recording):
            if part is not None:
                part.stop()
        if self.lock is not None:
            self.lock.release()

    def take_keys(self, factory: FactoryKeys) -> None:
        """Take over the keys that the device left its factory with."""
        self.factory = factory
        self.driver.signing_of = partial(signing, factory)

    def credentials(self, loaded: LoadedBench, name: str) -> Credentials:
        """Return how a client of that name presents itself.

        Raises:
            BenchError: Nobody knows it, or its secrets are not there.
        """
        if self.factory is not None:
            return credentials.of_factory(loaded, self.role, name, self.factory)
        if self.recording is not None and name not in self.section.credentials:
            # Secrets are masked in recordings, so that any will do; keys have to be the right ones.
            made_up = factory_keys(0, self.eui64 or _NOBODY)
            who = credentials.of_factory(loaded, self.role, name, made_up)
            if who.keys is None:
                return who
        return credentials.of_file(loaded, self.role, name)


@dataclass(frozen=True, slots=True)
class LineOpener:
    """Opens the lines of one bench; each call blocks.

    Attributes:
        loaded: The bench file.
        options: Choices of the run.
        clock: The time of the bench.
        guard: Who is asked before a real device is written to.
        faults: Faults for the children, by device type.
        tell: Takes lines of progress for people.
        reopen_s: How long to wait for a port that is away; None: as the bench file says.
        taps: Who else listens, by device type.
        eui64s: Who loopback devices are, where their home says so.
        defects: Defects of loopback devices, where they are not those of the run.
        states: Files that keep what loopback devices remember, by device type.
    """

    loaded: LoadedBench
    options: RunOptions
    clock: BenchClock
    guard: Guard
    tell: Callable[[str], None]
    faults: Mapping[DeviceType, tuple[str, ...]] = field(default_factory=dict)
    reopen_s: float | None = None
    taps: Mapping[DeviceType, Tap] = field(default_factory=dict)
    eui64s: Mapping[DeviceType, Eui64] = field(default_factory=dict)
    defects: Mapping[DeviceType, tuple[str, ...]] = field(default_factory=dict)
    states: Mapping[DeviceType, Path] = field(default_factory=dict)

    def open(self, role: DeviceType) -> Line:
        """Open the line of one role.

        Raises:
            UsageError: There is no such recording.
            BenchError: The child does not start, or the port is not there, busy, or locked.
        """
        openers = {
            EndpointKind.LOOPBACK: self._loopback,
            EndpointKind.SERIAL: self._serial,
            EndpointKind.REPLAY: self._replay,
        }
        return openers[self.loaded.content.roles[role].where.kind](role)

    def _loopback(self, role: DeviceType) -> Line:
        section, profile = self.loaded.content.roles[role], self.loaded.profiles[role]
        seed = self.options.seed if section.seed is None else section.seed
        eui64 = self.eui64s.get(role) or loopback_eui64(section, profile, seed)
        start = self.clock.now()
        child = Child.emulate(self._words(role, seed, eui64, start))
        if self.clock.factor != 1:
            self.clock.begin(start)  # it began when it was ready, and runs away from ours
        try:
            settings = line_settings(section, profile, child.address)
            draw = challenges(seed, role)
            line = self._line(role, settings, child.address, Unguarded(), draw)
        except BaseException:
            child.stop()
            raise
        line.child, line.eui64, line.seed = child, eui64, seed
        line.take_keys(factory_keys(seed, eui64))
        return line

    def _replay(self, role: DeviceType) -> Line:
        section, profile = self.loaded.content.roles[role], self.loaded.profiles[role]
        path = self.loaded.path.parent / section.where.target
        recording = ReplayEndpoint(
            path,
            strict=False,
            tell=lambda one: self.tell(f"replay of {role}: expected {one.expected}, got {one.got}"),
        )
        about = recording.transcript.about
        address = recording.start(_REPLAY_AT[about.framing])
        seed = about.seed or 0
        try:
            settings = line_settings(section, profile, address, about.framing)
            line = self._line(role, settings, address, Unguarded(), challenges(seed, role))
        except BaseException:
            recording.stop()
            raise
        line.recording, line.seed = recording, seed
        self.clock.begin(_moment(about.started_at) or self.clock.now())
        told = about.device.get("eui64")
        line.eui64 = Eui64.parse(told) if line.eui64 is None and told else line.eui64
        if about.device_seed is not None and line.eui64 is not None:
            line.take_keys(factory_keys(about.device_seed, line.eui64))
        return line

    def _serial(self, role: DeviceType) -> Line:
        section, profile = self.loaded.content.roles[role], self.loaded.profiles[role]
        where = f"port {lock_name(section)}"
        lock = locks.acquire(where, self.loaded.content.bench.operator)
        if lock.notice:
            self.tell(lock.notice)
        try:
            settings = line_settings(section, profile, section.where.target)
            draw = os.urandom  # noqa: TID251 - a real meter must not foresee our challenges
            line = self._line(role, settings, "", self.guard, draw, after_a_crash=bool(lock.notice))
        except BaseException:
            lock.release()
            raise
        line.lock = lock
        return line

    def _line(  # noqa: PLR0913 - what differs between a child, a recording and a port
        self,
        role: DeviceType,
        settings: LineSettings,
        address: str,
        guard: Guard,
        draw: Draw,
        *,
        after_a_crash: bool = False,
    ) -> Line:
        """Open the port, and put a meter on it; an empty address is the bench file's port."""
        section = self.loaded.content.roles[role]
        ears, speed = Ears(self.clock), first_baud(section, settings)
        tap = Taps([ears, self.taps[role]]) if role in self.taps else ears

        def opener() -> SerialPort:
            return SerialPort.open(address or port_of(section), speed, tap=tap)

        shown = address or str(section.where)
        patience_s = self.loaded.content.bench.reopen_s if self.reopen_s is None else self.reopen_s
        reopener = Reopener(shown, opener, patience_s, self.tell)
        port = reopener.once() if address or not patience_s else reopener.reopen()
        if after_a_crash:
            self._clean_up(port, settings, role)
        driver = SerialMeter(port, settings, guard=guard, reopener=reopener, draw=draw)
        eui64 = None if section.eui64 is None else Eui64.parse(section.eui64)
        profile = self.loaded.profiles[role]
        return Line(
            role, section, profile, settings, shown, driver, HilMeterPort(driver), ears, eui64
        )

    def _clean_up(self, port: SerialPort, settings: LineSettings, role: DeviceType) -> None:
        """Close what a run that was killed left open; the meter would answer no sign-on."""
        dlms = self.loaded.profiles[role].dlms
        if dlms is None or settings.framing is not Framing.OPTICAL or not settings.mode_e:
            return
        if close_left_links(port, settings, dlms):
            self.tell(f"{role}: the link that the run before left open was closed")

    def _words(self, role: DeviceType, seed: int, eui64: Eui64, start: UtcMs) -> Sequence[str]:
        """Return the command of a child, after ``smetsbench emulate``."""
        section = self.loaded.content.roles[role]
        words = [role.lower(), "--profile", self.loaded.model(role)]
        words += ["--listen", _LISTEN[section.listen or Listen.PTY]]
        words += ["--seed", str(seed), "--eui64", str(eui64)]
        if self.clock.factor != 1:
            words += ["--start", iso(start), "--clock-factor", str(self.clock.factor)]
        words += [] if section.pace is None else ["--pace", str(section.pace)]
        words += ["--state", str(self.states[role])] if role in self.states else []
        for fault in self.faults.get(role, ()):
            words += ["--fault", fault]
        for defect in self.defects.get(role, self.options.defects):
            words += ["--defect", defect]
        for folder in self.options.data:
            words += ["--data", str(folder.resolve())]
        return words


def _moment(text: str) -> UtcMs | None:
    """Return the moment a recording was begun; None where it does not say."""
    try:
        return from_datetime(datetime.fromisoformat(text))
    except ValueError:
        return None
