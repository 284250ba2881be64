"""What of a bench file a device is that joins somebody's hub through a dongle."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness import installed
from harness.benches.emulated_outlet_bench import Behind, OutletBench
from harness.errors import UsageError
from harness.run_options import RunOptions
from hil.bench_file import LoadedBench
from hil.dongle_codes import code_of, link_keys, refuse_without_code
from hil.dongle_offers import of_home
from hil.dongle_parts import credentials_of, line_of, node_endpoint
from hil.dongle_place import Around
from hil.dongle_sections import DongleSection
from hil.drivers.zigbee_node_settings import NodeSettings
from hil.endpoints import EndpointKind
from hil.tap import Tap
from hil.zigbee.guard import Role


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to join.

    Attributes:
        loaded: The bench file.
        options: Seed and overlay folders.
        state: File that keeps what the device remembers; None: nothing is kept.
        tap: Who hears every octet of the dongle's line.
        ask: Has a person type a word; None: nobody is there to ask.
    """

    loaded: LoadedBench
    options: RunOptions
    state: Path | None = None
    tap: Tap | None = None
    ask: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class NodePlan:
    """A device that is to join, made out of a bench file.

    Attributes:
        wanted: What was asked for.
        name: The dongle.
        section: What the file says of it.
        role: Device type of the device.
        own: Its EUI-64.
        hub: Its hub's.
        home: The home both are of.
        options: Of the emulated part.
    """

    wanted: Wanted
    name: str
    section: DongleSection
    role: DeviceType
    own: Eui64
    hub: Eui64
    home: Installation
    options: RunOptions

    @classmethod
    def of(cls, wanted: Wanted) -> "NodePlan":
        """Read it off a bench file.

        Raises:
            UsageError: The file has no node, or its home no such device.
        """
        loaded = wanted.loaded
        found = loaded.dongle
        roles = [*loaded.of(EndpointKind.EMULATED)]
        if found is None or found[1].role is not Role.NODE or len(roles) != 1:
            raise UsageError(
                "no device joins anybody on this bench: it has no dongle that is a node",
                where=f"{loaded.path}, [dongles]",
                cause='role = "node", [roles.CHF] endpoint = "dongle:NAME", and one role with'
                " emulated:PROFILE make one",
                next_command=f"smetsbench bench check {loaded.path}",
            )
        options = of_home(loaded, wanted.options)
        home = installed.chosen(options)
        by_role = {one.role: Eui64.parse(one.eui64) for one in home.devices}
        missing = [role for role in (*roles, DeviceType.CHF) if role not in by_role]
        if missing:
            raise UsageError(
                f"the installation {home.ref} has no {missing[0]}",
                where=f"{loaded.path}, [roles]",
                next_command="smetsbench installations",
            )
        (role,) = roles
        hub = by_role[DeviceType.CHF]
        return cls(wanted, *found, role, by_role[role], hub, home, options)

    @property
    def reopen_s(self) -> float:
        """How long a lost dongle may be away, seconds of the wall."""
        return float(self.wanted.loaded.content.bench.reopen_s)

    def behind(self) -> Behind:
        """Return who stands behind the dongle: everybody else.

        Raises:
            UsageError: Nothing says where the device's install code is kept.
        """
        others = frozenset(one.role for one in self.home.devices) - {self.role}
        loaded, real = self.wanted.loaded, self.section.is_real
        if real:
            told = loaded.content.roles[self.role].install_code
            keys = {} if told is None else {self.own: code_of(loaded, told).link_key()}
            refuse_without_code(loaded, keys, self.own)
        else:
            keys = link_keys(loaded, self.home, self.options.seed, loopback=True)
        return Behind(
            others,
            "real" if real else self.section.where.kind.value,
            f"dongle {self.name} ({self.section.where})",
            float(self.section.factor),
            {**keys},
            keyed=self.section.cbke != "none",
        )

    def around(self, bench: OutletBench) -> Around:
        """Return what stands around a loopback dongle: the hub it joins, in the air."""
        words = ["--hub", "emulated", "--as", self.role.value.lower()]
        state = self.wanted.state
        if state is not None:
            words += ["--state", str(state.with_name(state.name + ".dongle").resolve())]
        return Around(self.home, self.options, bench.clock.now(), words)

    def settings(self, path: str, bench: OutletBench) -> NodeSettings:
        """Return how the dongle is driven."""
        section, seed = self.section, self.options.seed
        allowed = frozenset(Eui64.parse(one) for one in section.networks) or frozenset({self.hub})
        return NodeSettings(
            line_of(self.name, section, path),
            allowed,
            (node_endpoint(bench.profiles[self.own]),),
            cbke=None if section.cbke == "none" else section.cbke,
            credentials=lambda eui64: credentials_of(seed, eui64),
            seed=seed,
            tap=self.wanted.tap,
            reopen_s=self.reopen_s,
        )
