"""The emulated bench of SMETS1 homes: hubs and meters, reached through the hubs' WAN."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from device_profiles.dlms import DlmsSection
from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.errors import EmulatorError
from emulator.core.ids import Eui64
from emulator.devices.smets1.behind_hub import BehindHub
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.hub import Smets1Hub
from emulator.runtime import snapshots
from emulator.runtime.driver import Driver
from emulator.runtime.marks import Mark
from emulator.runtime.smets1_home import SERVERS, Smets1Emulation, build_home
from emulator.runtime.smets1_homes import Homes
from emulator.runtime.world import World
from emulator.wan.sim_network import NETWORKS
from harness import installed, ports
from harness.benches import emulated_keypad as keypad
from harness.benches.emulated_hub_wan import EmulatedHubWan, HomePort, Post, WanWire
from harness.benches.emulated_plan import refuse_unknown_defects
from harness.benches.emulated_ports import DrivenBench
from harness.benches.emulated_smets1_plan import OF, building, plan_of
from harness.benches.emulated_twin import Twin
from harness.dlms import from_profile
from harness.dlms.line import ReaderLine
from harness.errors import BenchError
from harness.meter import Credentials
from harness.ports import HubWan, MeterPort, Notice
from harness.run_options import RunOptions

_WAN: Final = "wan"
#: Way -> whose network it leads over.
_TYPES: Final = {one.name: one for one in DeviceType}
_WAYS: Final = {f"{_WAN}@{party}": party for party in NETWORKS}
#: What is kept of the bench itself stands under this name among the homes.
_BENCH: Final = "(bench)"


def open_bench(options: RunOptions) -> "EmulatedSmets1Bench":
    """Build and start emulated SMETS1 homes: the run's one, or the scenario's (setting ``homes``).

    The user's own installation file wins. Setting ``defects`` names device defects that belong to
    the scenario; ``NAME@REF`` is one of one home. Setting ``frames``, where it is False, says that
    nobody will take frames; ``doze``, where it is True, that windows in which nothing comes of
    anything may be passed over; ``gap_ms``, how long after a home the next is switched on.

    Raises:
        UsageError: The installation, a profile, a fault or a defect cannot be used.
    """
    homes = tuple(options.settings.get("homes", ()))
    if options.installation is not None or not homes:
        homes = (installed.chosen(options),)
    return open_homes(homes, options)


def open_homes(homes: Sequence[Installation], options: RunOptions) -> "EmulatedSmets1Bench":
    """Build and start emulated SMETS1 homes that stand beside each other.

    Raises:
        UsageError: An installation, a profile, a fault or a defect cannot be used.
    """
    defects = (*options.defects, *options.settings.get("defects", ()))
    refuse_unknown_defects([name.partition(OF)[0] for name in defects])
    with building(", ".join(home.ref for home in homes)):
        built = [
            build_home(plan_of(home, options, defects, number), number)
            for number, home in enumerate(homes)
        ]
        doze = bool(options.settings.get("doze", False))
        moved = Homes(built, doze=doze)
        bench = EmulatedSmets1Bench(built, options.seed, Driver(moved, moved.mover))
    for home in built:
        home.world.records.keeps_frames = bool(options.settings.get("frames", True))
    return bench


class Smets1HomesBench(DrivenBench):
    """What benches of emulated SMETS1 homes have in common: the ports of the harness.

    A role names a device type, of the first home; ``ESME@REF`` is the ESME of the home of that ref.

    Attributes:
        hub: The first hub's WAN as raw messages; meters are reached by ``meter``.
    """

    def __init__(
        self,
        homes: Sequence[Smets1Emulation],
        seed: int,
        driver: Driver[Homes] | None = None,
    ) -> None:
        """Take built homes; they begin to move when somebody waits for them.

        Args:
            homes: The homes.
            seed: Seed of the clients' chance.
            driver: What moves these very homes; None: one of their own.

        Raises:
            ValueError: None, or two of one ref.
        """
        self._homes = Homes(homes) if driver is None else driver.world
        moved = Driver(self._homes, self._homes.mover) if driver is None else driver
        profiles = {eui64: model for home in homes for eui64, model in home.profiles.items()}
        super().__init__(moved, self._homes, profiles)
        self._chance = Chance(seed)
        self._posts = {home.ref: Post(home) for home in homes}
        #: Device -> party -> its line there, and its port.
        self._lines: dict[Eui64, dict[str, tuple[ReaderLine, HomePort]]] = {}
        self._twins: dict[Eui64, Twin] = {}
        self._snapshots = snapshots.Snapshots()

    # -- who is who ----------------------------------------------------------------------------

    def _found(self, role: str) -> tuple[Smets1Emulation, Eui64]:
        """Return home and device of a role.

        Raises:
            BenchError: The bench has no such home, or the home no such device.
        """
        name, _of, ref = role.partition(OF)
        homes = self._homes.homes
        home = homes.get(ref) if ref else next(iter(homes.values()))
        if home is None:
            raise BenchError(
                f"the bench has no home {ref!r}",
                cause=f"its homes are: {', '.join(homes)}",
                next_command="smetsbench scenarios",
            )
        kind = _TYPES.get(name)
        found = None if kind is None else home.roles.get(kind)
        if found is None:
            raise BenchError(
                f"the bench has no {role}",
                cause=f"its installation has: {', '.join(home.roles)}",
                next_command="smetsbench scenarios",
            )
        return home, found

    def _server(self, role: str) -> tuple[Smets1Emulation, Eui64]:
        """Return home and device of a role that has a DLMS server.

        Raises:
            BenchError: No such device, or one without a server.
        """
        home, eui64 = self._found(role)
        if eui64 not in home.keys:
            raise BenchError(
                f"the {role} of this bench has no DLMS server",
                cause=f"it holds no head-end credentials; those that do: {', '.join(SERVERS)}",
                next_command="smetsbench scenarios",
            )
        return home, eui64

    def _section(self, eui64: Eui64) -> DlmsSection:
        section = self.profiles[eui64].dlms
        if section is None:  # no home is built of such a model
            raise BenchError(f"the model {self.profiles[eui64].name} has no [dlms] section")
        return section

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that type.

        Raises:
            BenchError: The bench has none.
        """
        return self._found(device_type)[1]

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself, with the keys of the factory.

        Raises:
            BenchError: Another device, or its profile knows no such client.
        """
        home, eui64 = self._server(role)
        try:
            return from_profile.credentials(self._section(eui64), home.keys[eui64], name)
        except KeyError:
            raise BenchError(
                f"the {role} of this bench knows no DLMS client {name!r}",
                where=f"profile {self.profiles[eui64].name}",
                next_command=f"smetsbench profiles {self.profiles[eui64].name}",
            ) from None

    # -- ways to devices -----------------------------------------------------------------------

    def meter(self, role: str, way: str = _WAN) -> MeterPort:
        """Return the DLMS port of a device behind the hub, or of the hub itself.

        Each party has a line of its own to each device. ``wan`` is the line of the party whose
        network carries the SIM now.

        Raises:
            BenchError: The bench has no such device, or another way is asked for.
        """
        home, eui64 = self._server(role)
        party = _WAYS.get(way)
        if way == _WAN:
            sim = home.world.sim
            party = NETWORKS[0] if sim is None else sim.owner
        if party is None:
            raise BenchError(
                f"the bench has no DLMS {way} to its {role}",
                cause="in a SMETS1 home devices are reached through the hub:"
                f" {_WAN}, {', '.join(_WAYS)}",
                next_command="smetsbench scenarios 'SER-*'",
            )
        return self._line(home, eui64, party)[1]

    def _line(self, home: Smets1Emulation, eui64: Eui64, party: str) -> tuple[ReaderLine, HomePort]:
        lines = self._lines.setdefault(eui64, {})
        line = lines.get(party)
        if line is None:
            line = lines[party] = self._new_line(home, eui64, party)
        return line

    def _new_line(
        self, home: Smets1Emulation, eui64: Eui64, party: str
    ) -> tuple[ReaderLine, HomePort]:
        section, radio = self._section(eui64), self.profiles[eui64].radio
        settings = from_profile.wan_settings(section, radio.wake_period_s or 0)
        own = "" if party == NETWORKS[0] else f"/{party}"
        line = ReaderLine(settings, self._chance.stream(f"client/{eui64.hex}{own}").octets)
        wire = WanWire(home, self._posts[home.ref], section.wan_port, party)

        def lines() -> list[ReaderLine]:
            return [one for one, _port in self._lines.get(eui64, {}).values()]

        return line, HomePort(self._driver, wire, line, home.keys[eui64], lines)

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of a hub, as its mobile network knows it.

        Raises:
            BenchError: The bench has no such hub, or its SIM cannot be moved.
        """
        home, eui64 = self._found(role)
        if eui64 != home.roles[DeviceType.CHF]:
            raise BenchError(f"the {role} of this bench has no SIM", cause="it is no hub")
        return EmulatedHubWan(self._driver, home, self._posts[home.ref])

    def trouble(self, ref: str, at: UtcMs) -> None:
        """Have the hub of a home notice trouble with its network at a moment, and tell of it.

        Raises:
            KeyError: There is no such home.
        """
        self._driver.catch_up()
        home = self._homes.homes[ref]
        home.world.trouble(home.roles[DeviceType.CHF], at)
        self._driver.disturbed()

    def take_alerts(self) -> list[tuple[str, Notice]]:
        """Return what hubs told of trouble since the last call, with whom each told, in order."""
        self._driver.catch_up()
        told = self._homes.take_with_post()
        found = [one for ref in told for one in self._posts[ref].alerts()]
        return sorted(found, key=lambda one: one[1].at)

    # -- inside devices ------------------------------------------------------------------------

    def _device(self, role: str) -> Smets1Device:
        """Return a device's DLMS server, to look at; who changes it takes ``box.device``."""
        home, eui64 = self._server(role)
        device = home.world.box(eui64).inside
        if isinstance(device, Smets1Hub):
            return device.own
        if isinstance(device, BehindHub):
            return device.server
        raise BenchError(f"the {role} of this bench has no DLMS server")

    async def key_in(self, role: str, digits: str) -> ports.KeypadAnswer:
        """Enter a top-up code at a meter's own keypad; BenchError for what has none."""
        home, eui64 = self._server(role)
        self._driver.catch_up()
        box = home.world.box(eui64)
        box.forget()
        answer = keypad.entered(home.world, box, self._device(role), digits)
        self._driver.disturbed()
        return answer

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate with these credentials, leaving no trace on it.

        Asked of a copy, which has power and listens whatever the device does.

        Raises:
            BenchError: The bench has no such device, or the credentials lack something.
        """
        home, eui64 = self._server(role)
        self._driver.catch_up()
        if eui64 not in self._twins:
            self._twins[eui64] = Twin(home.spare(eui64), home.keys[eui64])
        state = self._device(role).dump_access()
        return self._twins[eui64].opens_to(state, credentials, self._driver.now())

    def _state_of(self, role: str) -> Mapping[str, object]:
        home, eui64 = self._found(role)
        return home.world.box(eui64).inside.dump()

    # -- what it tells -------------------------------------------------------------------------

    def _rows(self) -> dict[str, Mapping[str, str]]:
        rows: dict[str, Mapping[str, str]] = {
            f"{box.role.upper()} {box.eui64}": box.device.rows() for box in self._homes.boxes
        }
        for home in self._homes.homes.values():
            for eui64, role in home.left_out.items():
                rows[f"{role} {eui64}"] = {"emulated": "no"}
        return rows


class EmulatedSmets1Bench(Smets1HomesBench):
    """Emulated SMETS1 homes, whole: they can be dumped and put back."""

    def dump(self) -> bytes:
        """Return the state of all devices and clients; keys of emulated devices are in it."""
        self._driver.catch_up()
        return self._snapshots.pack(self._states())

    def _states(self) -> Iterator[snapshots.Source]:
        """Yield what is kept of the bench, and of each home; a home at rest need not be dumped."""
        lines: dict[str, list[Any]] = {}
        for eui64, parties in self._lines.items():
            row = lines.setdefault(self._homes.home_of(eui64).ref, [])
            row += [[eui64.hex, party, line.dump()] for party, (line, _) in parties.items()]
        order = [eui64.hex for eui64 in self._lines]
        own = {"now_us": self._homes.now_us, "chance": self._chance.dump(), "lines": order}
        yield _BENCH, lambda: None, lambda: own
        for ref, home in self._homes.homes.items():
            post = self._posts[ref].dump()  # takes what arrived out of the world: before its state
            more = [post, lines.get(ref, [])]
            yield ref, partial(_mark_of, home.world, more), partial(_state_of, home.world, more)

    def restore(self, state: bytes) -> None:
        """Put devices, clients, clock and chance back to a dumped state.

        Raises:
            BenchError: The octets are no state of these homes, seed and faults.
        """
        try:
            self._load(snapshots.unpack(state))
        except (EmulatorError, KeyError, TypeError, ValueError) as error:
            raise BenchError(
                f"the stored state of the emulated home cannot be used: {error}",
                cause="it was stored with another installation, seed, fault or version",
                next_command="smetsbench run (afresh) instead of resume",
            ) from error
        self._driver.detach()

    def _load(self, stored: dict[str, Any]) -> None:
        own = stored.pop(_BENCH)
        self._snapshots.clear()
        self._homes.load_state({ref: one[0] for ref, one in stored.items()}, own["now_us"])
        for ref, post in self._posts.items():
            post.load(stored[ref][1])
        rows = [row for one in stored.values() for row in one[2]]
        rows.sort(key=_places(own["lines"]))
        lines = {(Eui64.parse(text), party): state for text, party, state in rows}
        kept, self._lines = self._lines, {}
        for eui64, party in lines:
            line = kept.get(eui64, {}).get(party)
            if line is not None:
                self._lines.setdefault(eui64, {})[party] = line
        for (eui64, party), state in lines.items():
            self._line(self._homes.home_of(eui64), eui64, party)[0].load(state)
        positions = own["chance"]
        for name in {*self._chance.dump(), *positions}:
            self._chance.stream(name).position = positions.get(name, 0)


def _mark_of(world: World, more: list[Any]) -> Mark | None:
    """Return what tells whether a home changed; the clients' ends of its lines are of it."""
    mark = world.mark()
    return None if mark is None else mark.with_more(repr(more))


def _state_of(world: World, more: list[Any]) -> list[Any]:
    return [world.state(), *more]


def _places(order: Sequence[str]) -> Callable[[Sequence[Any]], int]:
    """Return what sorts lines as the bench made them."""
    places = {eui64: number for number, eui64 in enumerate(order)}
    return lambda row: places[row[0]]
