"""The emulated bench of one DLMS meter on a line: device, line and client in virtual time."""

from collections.abc import Mapping
from typing import Final, NoReturn

from emulator.core.clock import UtcMs
from emulator.core.errors import EmulatorError
from emulator.core.ids import Eui64
from emulator.runtime import snapshot
from emulator.runtime.driver import Driver
from emulator.runtime.line_world import LineWorld
from harness.benches.emulated_meter_build import Meter, MeterPlan, build, plan_of
from harness.benches.emulated_meter_port import EmulatedMeterPort
from harness.benches.emulated_ports import DrivenBench, traffic_rows
from harness.benches.emulated_twin import Twin
from harness.benches.refusals import WithoutKeypad, no_sim
from harness.dlms import from_profile
from harness.dlms.line import ReaderLine
from harness.errors import BenchError, UsageError
from harness.meter import Credentials
from harness.ports import (
    HubWan,
    MeterPort,
    StageOrder,
    StageOutcome,
)
from harness.run_options import RunOptions

_LINE: Final = "line"
_LOOK: Final = "smetsbench scenarios 'SER-*'"


def open_bench(options: RunOptions | MeterPlan) -> "EmulatedMeterBench":
    """Build and start an emulated meter on a line.

    Args:
        options: The choices of a run, or a plan of one's own.

    Raises:
        UsageError: The profile, the installation, a fault or a defect cannot be used.
    """
    plan = plan_of(options) if isinstance(options, RunOptions) else options
    return EmulatedMeterBench(build(plan))


def check(options: RunOptions) -> None:
    """Look at the choices of a run before anything is made or replaced.

    Raises:
        UsageError: The profile, the installation, a fault or a defect cannot be used.
    """
    open_bench(options)


class NoHub:
    """Stands where a bench of one meter has no hub; says so when it is asked for."""

    @property
    def eui64(self) -> Eui64:
        """Refuse.

        Raises:
            BenchError: Always, as every method here.
        """
        return _no_hub()

    async def send(self, message: bytes) -> None:
        """Refuse a message."""
        del message
        _no_hub()

    async def received(self, until: UtcMs) -> bytes | None:
        """Refuse to wait."""
        del until
        return _no_hub()

    async def stage(self, order: StageOrder) -> StageOutcome:
        """Refuse an image."""
        del order
        return _no_hub()

    async def has_taken(self, message: bytes) -> bool | None:
        """Refuse to tell."""
        del message
        return _no_hub()


def _no_hub() -> NoReturn:
    raise BenchError(
        "the bench has no hub: it is one meter on a line",
        cause="a scenario of the SM WAN on a bench of a serial line",
        next_command=_LOOK,
    )


class EmulatedMains:
    """The mains of the meter."""

    def __init__(self, driver: Driver[LineWorld], world: LineWorld) -> None:
        self._driver = driver
        self._world = world

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from the meter for ``off_s`` seconds, and return when it is back.

        Raises:
            BenchError: The bench has no such device.
            UsageError: ``off_s`` is not more than 0.
        """
        if off_s <= 0:
            raise UsageError(f"power cannot go for {off_s:g} seconds", where=f"device {device}")
        if device != self._world.device.eui64:
            raise BenchError(
                f"the bench has no device {device}",
                cause=f"its one device is {self._world.device.eui64}",
                next_command=_LOOK,
            )
        self._driver.catch_up()
        self._world.cut_power(off_s)
        until_us = self._world.now_us + round(off_s * 1_000_000)
        await self._driver.wait_for(_never, until_us)


class EmulatedMeterBench(WithoutKeypad, DrivenBench):
    """One emulated meter on one emulated line, behind the ports of the harness.

    Attributes:
        hub: A stand that refuses: there is no hub.
        world: The world below the seam; for tests and the bench's own commands.
    """

    hands = "it has one meter, on a line, and nobody at its keypad"

    def __init__(self, meter: Meter) -> None:
        """Take a built meter; it begins to move when somebody waits for it."""
        driver = Driver(meter.world)
        super().__init__(driver, meter.world.records, {meter.device.eui64: meter.profile})
        self._meter = meter
        self.world = meter.world
        self._line = ReaderLine(meter.settings, meter.draw)
        self._port = EmulatedMeterPort(driver, meter.world, self._line, meter.keys)
        self.hub = NoHub()
        self.power = EmulatedMains(driver, meter.world)

    # -- who is who ----------------------------------------------------------------------------

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the meter.

        Raises:
            BenchError: It is no device of that type.
        """
        if device_type != self._role:
            raise BenchError(
                f"the bench has no {device_type}",
                cause=f"it has one device, an {self._role}",
                next_command=_LOOK,
            )
        return self.world.device.eui64

    @property
    def _role(self) -> str:
        return self._meter.profile.device_type.value

    def meter(self, role: str, way: str = _LINE) -> MeterPort:
        """Return the DLMS port of the meter.

        Raises:
            BenchError: Another device, or another way than ``line``.
        """
        self.role(role)
        if way != _LINE:
            raise BenchError(
                f"the bench has no DLMS {way} to its {role}",
                cause="the meter is on a line, and has no hub",
                next_command=_LOOK,
            )
        return self._port

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself, with the keys of the factory.

        Raises:
            BenchError: Another device, or its profile knows no such client.
        """
        self.role(role)
        section = self._meter.section
        try:
            return from_profile.credentials(section, self._meter.keys, name)
        except KeyError:
            known = ", ".join(from_profile.client_names(section))
            raise BenchError(
                f"the {role} of this bench knows no DLMS client {name!r}",
                where=f"profile {self._meter.profile.name}",
                cause=f"its profile has: {known}",
                next_command=f"smetsbench profiles {self._meter.profile.name}",
            ) from None

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of a SMETS1 hub; a meter on a line has none.

        Raises:
            BenchError: Always.
        """
        raise no_sim(role, "it has one meter, on a line")

    def opens_to(self, role: str, credentials: Credentials) -> bool:
        """Say whether the meter would associate with these credentials, leaving no trace on it.

        Raises:
            BenchError: Another device, or the credentials lack something.
        """
        self.role(role)
        self._driver.catch_up()
        spare = self._meter.spare()
        state = self._meter.device.dump_access()
        return Twin(spare, self._meter.keys).opens_to(state, credentials, self._driver.now())

    def _state_of(self, role: str) -> Mapping[str, object]:
        self.role(role)
        return self._meter.device.dump()

    # -- what it tells -------------------------------------------------------------------------

    def _rows(self) -> dict[str, Mapping[str, str]]:
        name = f"{self._role} {self.world.device.eui64}"
        framing, baud = self._meter.settings.framing.value, self.world.baud
        line = {"framing": framing, "reader": self._line.state.value}
        if baud is not None:
            line["speed"] = f"{baud} bit/s"
        return {name: {**self._meter.device.rows()}, "line": line}

    def traffic(self) -> Mapping[str, Mapping[str, str]]:
        """Return how many frames of each kind went to each end so far."""
        self._driver.catch_up()
        return traffic_rows(self.world.records.traffic)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return the state of device, line and client; keys of the emulated device are in it."""
        self._driver.catch_up()
        return snapshot.pack({"world": self.world.dump(), "line": self._line.dump()})

    def restore(self, state: bytes) -> None:
        """Put device, line, client, clock and chance back to a dumped state.

        Raises:
            BenchError: The octets are no state of this meter, line, seed and faults.
        """
        try:
            stored = snapshot.unpack(state)
            self.world.load(stored["world"])
            self._line.load(stored["line"])
        except (EmulatorError, KeyError, TypeError, ValueError) as error:
            raise BenchError(
                f"the stored state of the emulated meter cannot be used: {error}",
                cause="it was stored with another profile, seed, fault or version",
                next_command="smetsbench run (afresh) instead of resume",
            ) from error
        self._driver.detach()


def _never() -> None:
    """Nothing is waited for but the time."""
