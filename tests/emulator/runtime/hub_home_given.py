"""A home with an emulated hub, and an emulated device of it that joins through the air."""

from dataclasses import dataclass, field, replace

from device_profiles import installation as installations
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.gbcs.dlms import firmware_version_request
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.payload import encode_payload
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.core.chance import Chance, Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.crypto.install_code import InstallCode
from emulator.crypto.protection import KeyRing, seal
from emulator.ncp.member import Member
from emulator.ncp.member_plan import MemberPlan, Stage
from emulator.ncp.radio_bridge import HomeClock
from emulator.ncp.radio_frames import Announcement, HeardPacket, Poll
from emulator.runtime.dongle_home import Home, Joining, home_with
from emulator.runtime.dongle_hub import HubPlan, surround
from emulator.runtime.hub_in_air import WAN_OUT, HubInAir
from emulator.runtime.installation import Plan, build
from firmware_images import image as images
from firmware_images.image import Signing, Target
from firmware_images.version import FirmwareVersion

START = UtcMs(1_800_000_000_000)
SEED = 1


def a_plan() -> Plan:
    return Plan(installations.load("demo"), SEED, START)


def device_of(role: DeviceType) -> Eui64:
    found = next(item for item in a_plan().installation.devices if item.role is role)
    return Eui64.parse(found.eui64)


def ask_version(device: Eui64, counter: int = 1_000) -> bytes:
    """ECS52: ask a device for its firmware version, as its supplier; the CHF, as the ACB."""
    emulation = build(a_plan())
    parties, keys = emulation.parties, emulation.keys
    code = OtherInformation(int(MessageCode.ECS52))
    hub = device == emulation.roles[DeviceType.CHF]
    asks = parties.acb if hub else parties.suppliers[0]
    header = GroupingHeader(Cra.COMMAND, counter, asks, device, code)
    payload = encode_payload(firmware_version_request(counter))
    ring = KeyRing(keys.public().merged(keys.private(parties.acb)))
    envelope = Envelope(header, payload)
    return seal(envelope, ring, protection=Protection.MAC, acb=parties.acb)


def an_image(device: Eui64, content_bytes: int) -> bytes:
    """A signed image that fits a device of the home, one version up."""
    emulation = build(a_plan())
    profile = emulation.profiles[device]
    entries = emulation.keys.private(emulation.parties.suppliers[0]).entries()
    scalar = next(entry.private_scalar for entry in entries if entry.usage == "DS")
    assert scalar is not None
    version = FirmwareVersion((profile.identity.version_number + 1).to_bytes(4, "big"))
    content = Stream(SEED, "image").octets(content_bytes)
    image = images.build(Target.of(profile), version, content, signing=Signing(scalar))
    return ota_file.encode(image)


@dataclass
class Scene:
    """A hub in the air, and a device that may join it."""

    hub: HubInAir
    member: Member
    notes: list[tuple[str, Note]]
    packets: list[tuple[int, HeardPacket]]
    now: int = 0
    shown: Announcement | None = field(default=None)

    def run(self, until: int) -> None:
        """Let time pass, from one thing to the next."""
        while self.now < until:
            self._exchange()
            times = [self.hub.deadline, self.member.timers.deadline, until]
            due = min(at for at in times if at is not None)
            self.now = min(max(self.now + 1, due), until)
        self._exchange()

    def _exchange(self) -> None:
        for _ in range(1_000):
            network = self.hub.hub.network
            if network != self.shown:
                self.shown = network
                self.member.see(network, self.now)
            self.member.tick(self.now)
            sent, self.member.uplink = self.member.uplink, []
            self._ask_for_key()
            for frame in sent:
                self.hub.emit(frame, self.now)
            frames = self.hub.take(self.now)
            for heard in frames:
                self.member.hear(heard, self.now)  # type: ignore[arg-type]  # the hub's are ToNode
            if not sent and not frames:
                return

    def _ask_for_key(self) -> None:
        """Poll, as a sleeping node does while it waits for the network key."""
        node = self.hub.hub.joined.get(self.member.plan.eui64)
        if node is not None and self.member.sleepy and self.member.stage is Stage.KEY_WAIT:
            self.hub.emit(Poll(node.short), self.now)

    def kinds(self, who: str = "") -> list[str]:
        return [note.kind for name, note in self.notes if name.startswith(who)]

    def reasons(self, kind: str) -> list[object]:
        return [dict(note.fields).get("why") for _who, note in self.notes if note.kind == kind]

    def from_wan(self) -> list[bytes]:
        told = [dict(note.fields)["octets"] for _who, note in self.notes if note.kind == WAN_OUT]
        return [bytes.fromhex(str(octets)) for octets in told]

    @property
    def joined(self) -> bool:
        return self.member.stage is Stage.IN


class _Nobody:
    """No other nodes in reach of the member."""

    def place_of(self, eui64: Eui64) -> None:
        assert eui64.octets

    def eui64_of(self, short: int) -> None:
        assert short >= 0

    def cut_power(self, device: Eui64, off_s: float, now: int) -> None:
        raise AssertionError(f"nobody cuts the power of {device} for {off_s} s at {now}")


def member_plan(role: DeviceType, joining: Joining) -> tuple[Home, MemberPlan]:
    home = home_with(build(a_plan()), SEED, joining)
    eui64 = device_of(role)
    return home, next(plan for plan in home.plans if plan.eui64 == eui64)


def a_scene(  # noqa: PLR0913 - a scene has many circumstances, each with its usual value
    role: DeviceType = DeviceType.ESME,
    joining: Joining | None = None,
    *,
    theirs: Joining | None = None,
    permit_s: int | None = None,
    code: InstallCode | None = None,
    factor: float = 1.0,
    recorded: bool = False,
) -> Scene:
    """Return a scene: ``joining`` is the hub's way, ``theirs`` the device's."""
    ours = joining or Joining()
    eui64 = device_of(role)
    notes: list[tuple[str, Note]] = []
    packets: list[tuple[int, HeardPacket]] = []

    def log(who: str, note: Note) -> None:
        notes.append((who, note))

    clock = HomeClock(START, 0, factor)
    plan = HubPlan(
        replace(a_plan(), elsewhere=frozenset({eui64})), eui64, True, ours, permit_s=permit_s
    )

    def record(packet: HeardPacket, now: int) -> None:
        packets.append((now, packet))

    made = surround(plan)(clock, log, Chance(SEED), record if recorded else None)
    assert isinstance(made, HubInAir)
    _home, theirs_plan = member_plan(role, theirs or ours)
    if code is not None:
        theirs_plan = replace(theirs_plan, link_key=code.link_key())
    return Scene(made, Member(theirs_plan, clock, log, _Nobody()), notes, packets)
