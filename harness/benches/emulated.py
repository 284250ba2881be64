"""The emulated bench: the ports of the harness over a world of emulated devices."""

import asyncio
from collections.abc import Mapping
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.errors import EmulatorError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.runtime.driver import Driver
from emulator.runtime.installation import Emulation
from emulator.runtime.parties import Parties
from emulator.runtime.virtual_time import VirtualTimeLoop
from emulator.runtime.world import World
from harness.benches import emulated_keypad as keypad
from harness.benches.emulated_plan import (
    EmulatedOptions,
    built,
    plan_of,
    refuse_unknown_defects,
)
from harness.benches.emulated_ports import DrivenBench, traffic_rows
from harness.benches.refusals import no_sim
from harness.errors import BenchError
from harness.meter import Credentials
from harness.ports import (
    Bench,
    HubWan,
    KeypadAnswer,
    MeterPort,
)
from harness.run_options import RunOptions
from harness.setting import named


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a loop whose clock jumps; emulated benches belong in one."""
    return VirtualTimeLoop()


#: World of a scenario -> what opens its bench; every other world is a home of SMETS2+ devices.
WORLDS: Final[Mapping[str, str]] = {
    "meter": "harness.benches.emulated_meter:open_bench",
    "SMETS1": "harness.benches.emulated_smets1:open_bench",
    "SMETS1+SMETS2+": "harness.benches.emulated_both:open_bench",
}


def open_bench(options: RunOptions) -> Bench:
    """Build and start what a scenario plays in.

    Raises:
        UsageError: The installation, a profile, a fault or a defect cannot be used.
    """
    refuse_unknown_defects(options.defects)
    dotted = WORLDS.get(options.world)
    if dotted is None:
        return open_home(options)
    opened: Bench = named(dotted)(options)
    return opened


def open_home(options: EmulatedOptions | RunOptions | None = None) -> "EmulatedBench":
    """Build and start an emulated installation of SMETS2+ devices.

    Args:
        options: What to emulate; the choices of a run will do; None means the demo home.

    Raises:
        UsageError: The installation, a profile, a fault or a defect cannot be used.
    """
    return EmulatedBench(built(plan_of(EmulatedOptions() if options is None else options)))


def check(options: RunOptions) -> None:
    """Look at the choices of a run before anything is made or replaced.

    Raises:
        UsageError: The installation, a profile, a key store, a fault or a defect cannot be used.
    """
    open_bench(options)


class HomeBench(DrivenBench):
    """What benches of one emulated installation have in common: the ports of the harness."""

    def __init__(self, emulation: Emulation, driver: Driver[World] | None = None) -> None:
        """Take a built world, and what moves it; it begins to move when somebody waits for it."""
        self._emulation = emulation
        moved = Driver(emulation.world) if driver is None else driver
        super().__init__(moved, emulation.world.records, emulation.profiles)

    @property
    def world(self) -> World:
        """The world below the seam; for tests and the bench's own commands."""
        return self._emulation.world

    # -- who is who, and keys ------------------------------------------------------------------

    @property
    def parties(self) -> Parties:
        """The remote parties that the devices know."""
        return self._emulation.parties

    @property
    def acb(self) -> Eui64:
        """The Access Control Broker."""
        return self.parties.acb

    @property
    def wan_provider(self) -> Eui64:
        """The WAN provider."""
        return self.parties.wan_provider

    @property
    def public_keys(self) -> KeyStore:
        """Public keys and certificates of all devices and parties."""
        return self._emulation.keys.public()

    def party_keys(self, eui64: Eui64) -> KeyStore:
        """Return the private keys of one remote party.

        Raises:
            BenchError: No such party; the keys of devices stay in the devices.
        """
        if eui64 not in {party for party, _role in self.parties.roles()}:
            raise BenchError(
                f"the bench has no remote party {eui64}",
                cause="an EUI-64 of another installation, or of a device",
            )
        return self._emulation.keys.private(eui64)

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that type.

        Raises:
            BenchError: The bench has none.
        """
        known = device_type in DeviceType.__members__
        found = self._emulation.roles.get(DeviceType(device_type)) if known else None
        if found is None:
            here = ", ".join(self._emulation.roles)
            raise BenchError(
                f"the bench has no {device_type}",
                cause=f"its installation has: {here}",
                next_command="smetsbench scenarios",
            )
        return found

    def meter(self, role: str, way: str = "line") -> MeterPort:
        """Return a device's DLMS port; homes of SMETS2+ devices have none.

        Raises:
            BenchError: Always.
        """
        raise BenchError(
            f"the bench has no DLMS {way} to its {role}",
            cause="SMETS2+ devices speak GBCS through their hub",
            next_command="smetsbench scenarios 'SER-*'",
        )

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a DLMS client presents itself; homes of SMETS2+ devices know none.

        Raises:
            BenchError: Always.
        """
        raise BenchError(f"the {role} of this bench knows no DLMS client {name!r}")

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of a SMETS1 hub; homes of SMETS2+ devices have none.

        Raises:
            BenchError: Always.
        """
        raise no_sim(role, "its devices are SMETS2+ ones")

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Press a button of a device, or enter a code at it, as the customer does.

        Args:
            role: The device: ``PPMID``, ``ESME``, ``GSME``.
            digits: A code, or a button's word such as ``emergency-credit``; at a PPMID the answer
                says whether it asked a meter, and its screen shows later what became of it.

        Raises:
            BenchError: The bench has no such device, or that has no such button.
        """
        self._driver.catch_up()
        answer = keypad.pressed(self.world, self.world.box(self.role(role)), digits)
        self._driver.disturbed()
        return answer

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Return None: devices that speak GBCS associate with nobody.

        Raises:
            BenchError: The bench has no such device.
        """
        del credentials
        self.role(role)
        return None

    def _state_of(self, role: str) -> Mapping[str, object]:
        return self.world.box(self.role(role)).device.dump()

    # -- what it tells -------------------------------------------------------------------------

    def _rows(self) -> dict[str, Mapping[str, str]]:
        return {
            f"{box.role.upper()} {box.eui64}": {
                **box.device.rows(),
                "short address": f"0x{box.node.short:04X}",
            }
            for box in self.world.boxes
        }

    def trouble(self, at: UtcMs) -> None:
        """Have the hub notice trouble with its network at a moment, and tell of it (``flood``)."""
        self._driver.catch_up()
        self.world.trouble(self.role("CHF"), at)
        self._driver.disturbed()

    def traffic(self) -> Mapping[str, Mapping[str, str]]:
        """Return how many frames of each kind went to each role so far."""
        self._driver.catch_up()
        return traffic_rows(self.world.records.traffic)


class EmulatedBench(HomeBench):
    """One emulated installation, whole: it can be dumped and put back."""

    def dump(self) -> bytes:
        """Return the state of all devices and links, facts and frames nobody took included."""
        self._driver.catch_up()
        return self.world.dump()

    def restore(self, state: bytes) -> None:
        """Put devices, links, clock and chance back to a dumped state.

        Raises:
            BenchError: The octets are no state of this installation, seed and faults.
        """
        try:
            self.world.load(state)
        except (EmulatorError, KeyError, TypeError, ValueError) as error:
            raise BenchError(
                f"the stored state of the emulated devices cannot be used: {error}",
                cause="it was stored with another installation, seed, fault or version",
                next_command="smetsbench run (afresh) instead of resume",
            ) from error
        self._driver.detach()
