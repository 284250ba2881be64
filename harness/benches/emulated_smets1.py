"""The emulated bench of a SMETS1 home: hub and meters, reached through the hub's WAN."""

from collections import deque
from collections.abc import Mapping, Sequence

from device_profiles.errors import DataError
from device_profiles.words import DeviceType
from emulator.codecs.dlms import wrapper
from emulator.core.chance import Chance
from emulator.core.errors import EmulatorError, MalformedFrameError
from emulator.core.faults import FaultError
from emulator.core.ids import Eui64
from emulator.runtime import snapshot
from emulator.runtime.driver import Driver
from emulator.runtime.installation import InstallationError, Plan
from emulator.runtime.smets1_home import Smets1Emulation, build_home
from harness import installed
from harness.benches.emulated import DEFAULT_START
from harness.benches.emulated_meter_port import EmulatedMeterPort
from harness.benches.emulated_ports import EmulatedClock, EmulatedHub, EmulatedPower
from harness.data_files import usage_error
from harness.dlms import from_profile
from harness.dlms.line import ReaderLine
from harness.errors import BenchError, UsageError
from harness.meter import Credentials
from harness.ports import CapturedFrame, MeterPort, Observation
from harness.run_options import RunOptions

_WAN = "wan"


def open_bench(options: RunOptions) -> "EmulatedSmets1Bench":
    """Build and start an emulated SMETS1 home.

    Raises:
        UsageError: The installation, a profile, a fault or a defect cannot be used.
    """
    home = installed.chosen(options)
    plan = Plan(
        home,
        options.seed,
        DEFAULT_START,
        options.faults,
        options.defects,
        installed.overlays(options),
    )
    try:
        return EmulatedSmets1Bench(build_home(plan), options.seed)
    except FaultError as error:
        raise UsageError(
            f"a fault means nothing: {error}",
            where="--fault",
            cause="a mistyped name, key or link",
            next_command="smetsbench faults",
        ) from error
    except DataError as error:
        raise usage_error(error) from error
    except InstallationError as error:
        raise UsageError(
            f"the installation cannot be emulated: {error}",
            where=home.ref,
            cause="a device model or device type that does not fit",
            next_command="smetsbench profiles",
        ) from error


class _Post:
    """Sorts what comes from the hub by wrapper port: each meter's port takes its own."""

    def __init__(self, emulation: Smets1Emulation) -> None:
        self._world = emulation.world
        self._boxes: dict[int, deque[bytes]] = {}

    def take(self, port: int) -> list[bytes]:
        """Return the frames of that port, in order; frames nobody can read are dropped."""
        waiting = self._world.to_dsp
        while waiting:
            octets = waiting.popleft()
            try:
                self._boxes.setdefault(wrapper.decode(octets).source, deque()).append(octets)
            except MalformedFrameError:
                continue
        box = self._boxes.pop(port, deque())
        return list(box)

    def dump(self) -> dict[str, list[str]]:
        """Return what waits, by port."""
        return {str(port): [one.hex() for one in box] for port, box in self._boxes.items()}

    def load(self, state: Mapping[str, list[str]]) -> None:
        """Take over what waited."""
        self._boxes = {
            int(port): deque(bytes.fromhex(one) for one in box) for port, box in state.items()
        }


class WanWire:
    """A reader's way to one device behind the hub: wrapper frames over the WAN.

    Attributes:
        connected: A WAN is always there; what it cannot deliver stays unanswered.
    """

    connected = True

    def __init__(self, emulation: Smets1Emulation, post: _Post, port: int) -> None:
        """Take the home, its post, and the wrapper port of the device."""
        self._world = emulation.world
        self._post = post
        self._port = port
        self._splitter = wrapper.WrapperSplitter()

    def connect(self) -> bool:
        """Begin with no half frame from before."""
        self._splitter = wrapper.WrapperSplitter()
        return True

    def disconnect(self) -> None:
        """Forget half a frame."""
        self._splitter = wrapper.WrapperSplitter()

    def send(self, octets: bytes) -> None:
        """Send what the reader wrote: whole wrapper frames."""
        for frame in self._splitter.feed(octets):
            self._world.send_wan(wrapper.encode(frame))

    def take_received(self) -> list[tuple[int, bytes]]:
        """Return what came from the device, with the present moment in microseconds."""
        return [(self._world.now_us, octets) for octets in self._post.take(self._port)]


class EmulatedSmets1Bench:
    """One emulated SMETS1 home behind the ports of the harness.

    Attributes:
        kind: ``emulated``.
        clock: Its time.
        hub: The hub's WAN as raw messages; meters are reached by ``meter``.
        power: Its mains.
        profiles: Device -> its model.
    """

    def __init__(self, emulation: Smets1Emulation, seed: int) -> None:
        """Take a built home; it begins to move when somebody waits for it."""
        self._emulation = emulation
        self._driver = Driver(emulation.world)
        self.kind = "emulated"
        self.clock = EmulatedClock(self._driver)
        self.hub = EmulatedHub(self._driver)
        self.power = EmulatedPower(self._driver)
        self.profiles = emulation.profiles
        self._sections = {
            eui64: model.dlms for eui64, model in self.profiles.items() if model.dlms is not None
        }
        self._post = _Post(emulation)
        self._lines = {
            role: self._line(eui64, Chance(seed)) for role, eui64 in emulation.roles.items()
        }

    def _line(self, eui64: Eui64, chance: Chance) -> tuple[ReaderLine, EmulatedMeterPort]:
        section = self._sections[eui64]
        wake_period_s = self.profiles[eui64].radio.wake_period_s or 0
        settings = from_profile.wan_settings(section, wake_period_s)
        line = ReaderLine(settings, chance.stream(f"client/{eui64.hex}").octets)
        wire = WanWire(self._emulation, self._post, section.wan_port)
        port = EmulatedMeterPort(self._driver, wire, line, self._emulation.keys[eui64])
        return line, port

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that type.

        Raises:
            BenchError: The bench has none.
        """
        known = device_type in DeviceType.__members__
        found = self._emulation.roles.get(DeviceType(device_type)) if known else None
        if found is None:
            raise BenchError(
                f"the bench has no {device_type}",
                cause=f"its installation has: {', '.join(self._emulation.roles)}",
                next_command="smetsbench scenarios",
            )
        return found

    def meter(self, role: str, way: str = _WAN) -> MeterPort:
        """Return the DLMS port of a device behind the hub, or of the hub itself.

        Raises:
            BenchError: The bench has no such device, or another way is asked for.
        """
        self.role(role)
        if way != _WAN:
            raise BenchError(
                f"the bench has no DLMS {way} to its {role}",
                cause="in a SMETS1 home devices are reached through the hub",
                next_command="smetsbench scenarios 'SER-*'",
            )
        return self._lines[DeviceType(role)][1]

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself, with the keys of the factory.

        Raises:
            BenchError: Another device, or its profile knows no such client.
        """
        eui64 = self.role(role)
        section = self._sections[eui64]
        try:
            return from_profile.credentials(section, self._emulation.keys[eui64], name)
        except KeyError:
            raise BenchError(
                f"the {role} of this bench knows no DLMS client {name!r}",
                where=f"profile {self.profiles[eui64].name}",
                next_command=f"smetsbench profiles {self.profiles[eui64].name}",
            ) from None

    def take_observations(self) -> Sequence[Observation]:
        """Return the facts seen since the last call."""
        self._driver.catch_up()
        return [
            Observation(fact.at, fact.device, fact.kind, fact.fields)
            for fact in self._emulation.world.records.take_facts()
        ]

    def take_frames(self) -> Sequence[CapturedFrame]:
        """Return the frames captured since the last call, in order of time."""
        self._driver.catch_up()
        seen = self._emulation.world.records.take_frames(self._driver.now_us())
        return [CapturedFrame(one.at_us, one.link, one.octets, one.comment) for one in seen]

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state for a reader; devices that are left out are named."""
        self._driver.catch_up()
        rows: dict[str, Mapping[str, str]] = {
            f"{box.role.upper()} {box.eui64}": box.device.rows()
            for box in self._emulation.world.boxes
        }
        for eui64, role in self._emulation.left_out.items():
            rows[f"{role} {eui64}"] = {"emulated": "no"}
        return rows

    def dump(self) -> bytes:
        """Return the state of all devices and clients; keys of emulated devices are in it."""
        self._driver.catch_up()
        lines = {role.value: line.dump() for role, (line, _port) in self._lines.items()}
        state = {"world": self._emulation.world.dump(), "lines": lines, "post": self._post.dump()}
        return snapshot.pack(state)

    def restore(self, state: bytes) -> None:
        """Put devices, clients, clock and chance back to a dumped state.

        Raises:
            BenchError: The octets are no state of this home, seed and faults.
        """
        try:
            stored = snapshot.unpack(state)
            self._emulation.world.load(stored["world"])
            self._post.load(stored["post"])
            for role, (line, _port) in self._lines.items():
                line.load(stored["lines"][role.value])
        except (EmulatorError, KeyError, TypeError, ValueError) as error:
            raise BenchError(
                f"the stored state of the emulated home cannot be used: {error}",
                cause="it was stored with another installation, seed, fault or version",
                next_command="smetsbench run (afresh) instead of resume",
            ) from error
        self._driver.detach()

    async def close(self) -> None:
        """Stop moving the world."""
        self._driver.detach()
