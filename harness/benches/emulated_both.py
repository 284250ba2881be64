"""An emulated bench of both worlds: SMETS1 homes, and one home of SMETS2+ devices beside them."""

from collections.abc import Mapping, Sequence
from typing import Final

from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.benches.emulated import EmulatedBench, open_home
from harness.benches.emulated_smets1 import EmulatedSmets1Bench
from harness.benches.emulated_smets1 import open_bench as open_smets1
from harness.meter import Credentials
from harness.ports import (
    CapturedFrame,
    Clock,
    Hub,
    HubWan,
    KeypadAnswer,
    MeterPort,
    Observation,
    Power,
)
from harness.run_options import RunOptions

#: What follows a device type in the role of a device of the SMETS2+ home.
SUFFIX: Final = "@SMETS2+"
#: Octets in which a dumped state tells the length of its first part.
_LENGTH_BYTES: Final = 8


def open_bench(options: RunOptions) -> "EmulatedBothBench":
    """Build and start the SMETS1 homes of a scenario, and the SMETS2+ home beside them.

    Raises:
        UsageError: An installation, a profile, a fault or a defect cannot be used.
    """
    return EmulatedBothBench(open_smets1(options), open_home(options))


class EmulatedBothBench:
    """Two emulated benches with one time; messages of GBCS go to the SMETS2+ home alone.

    A role names a device of the SMETS1 homes; ``PPMID@SMETS2+`` is one of the other home.

    Attributes:
        kind: ``emulated``.
        clock: Their time.
        hub: The SMETS2+ hub's WAN.
        power: The mains of the SMETS1 homes.
        acb: The Access Control Broker that the SMETS2+ devices know.
        wan_provider: Their WAN provider.
    """

    def __init__(self, old: EmulatedSmets1Bench, new: EmulatedBench) -> None:
        """Take both; they begin at one moment."""
        self._old, self._new = old, new
        self.kind = "emulated"
        self.clock: Clock = old.clock
        self.hub: Hub = new.hub
        self.power: Power = old.power
        self.acb = new.acb
        self.wan_provider = new.wan_provider
        self._same_moment()

    def _same_moment(self) -> None:
        """Have both count from here on."""
        self._old.clock.now()
        self._new.clock.now()

    def _whose(self, role: str) -> tuple[EmulatedSmets1Bench | EmulatedBench, str]:
        if role.endswith(SUFFIX):
            return self._new, role.removesuffix(SUFFIX)
        return self._old, role

    @property
    def public_keys(self) -> KeyStore:
        """Public keys and certificates of the SMETS2+ devices and their parties."""
        return self._new.public_keys

    def party_keys(self, eui64: Eui64) -> KeyStore:
        """Return the private keys of one remote party of the SMETS2+ devices.

        Raises:
            BenchError: No such party.
        """
        return self._new.party_keys(eui64)

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of a device.

        Raises:
            BenchError: The bench has none.
        """
        bench, name = self._whose(device_type)
        return bench.role(name)

    def meter(self, role: str, way: str = "wan") -> MeterPort:
        """Return the DLMS port of a SMETS1 device.

        Raises:
            BenchError: No such device, or one that speaks GBCS.
        """
        bench, name = self._whose(role)
        return bench.meter(name, way)

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a DLMS client presents itself to a SMETS1 device.

        Raises:
            BenchError: It knows no such client.
        """
        bench, device = self._whose(role)
        return bench.credentials(device, name)

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of a SMETS1 hub.

        Raises:
            BenchError: The bench has no such hub.
        """
        bench, name = self._whose(role)
        return bench.hub_wan(name)

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate with these credentials; None: it does with nobody.

        Raises:
            BenchError: The bench has no such device.
        """
        bench, name = self._whose(role)
        return bench.opens_to(name, credentials)

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers, without what moves by itself.

        Raises:
            BenchError: The bench has no such device.
        """
        bench, name = self._whose(role)
        return bench.memory(name)

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Enter a top-up code at a SMETS1 meter's keypad; BenchError for what has none."""
        bench, name = self._whose(role)
        return await bench.key_in(name, digits)

    async def disturb(self, order: str) -> None:
        """Put one more fault into force from now on, in both worlds.

        Raises:
            UsageError: The order means nothing.
        """
        await self._old.disturb(order)
        await self._new.disturb(order)

    def take_observations(self) -> Sequence[Observation]:
        """Return the facts seen since the last call, in order of time."""
        found = [*self._old.take_observations(), *self._new.take_observations()]
        return sorted(found, key=lambda one: one.at)

    def take_frames(self) -> Sequence[CapturedFrame]:
        """Return the frames captured since the last call, in order of time."""
        found = [*self._old.take_frames(), *self._new.take_frames()]
        return sorted(found, key=lambda one: one.at_us)

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state for a reader."""
        return {**self._old.describe(), **self._new.describe()}

    def dump(self) -> bytes:
        """Return the state of both; keys of emulated devices are in it."""
        first = self._old.dump()
        return len(first).to_bytes(_LENGTH_BYTES, "big") + first + self._new.dump()

    def restore(self, state: bytes) -> None:
        """Put both back to a dumped state.

        Raises:
            BenchError: The octets are no state of these homes, seed and faults.
        """
        begins = _LENGTH_BYTES + int.from_bytes(state[:_LENGTH_BYTES], "big")
        self._old.restore(state[_LENGTH_BYTES:begins])
        self._new.restore(state[begins:])
        self._same_moment()

    async def close(self) -> None:
        """Stop moving both."""
        await self._old.close()
        await self._new.close()
