"""Firmware images reach devices behind a dongle: octet for octet, and they wait for CS06."""

import hashlib
from dataclasses import dataclass, field

import pytest

from device_profiles import installation as installations
from device_profiles.words import DeviceType
from emulator.codecs import csp_transfer, ota_file
from emulator.codecs.csp_transfer import Chunk, Close, Closed, Offer, Reason
from emulator.codecs.gbcs.asn1 import ActivateFirmware
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import ota
from emulator.codecs.zcl.ota import WAIT_FOR_COMMAND, UpgradeEndResponse
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CancelTimer,
    DeviceEvent,
    Effect,
    SendCsp,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing, seal
from emulator.devices.chf.chf import Chf
from emulator.devices.firmware_device import FirmwareDevice
from emulator.runtime.dongle_home import Home, Joining, home_with
from emulator.runtime.installation import Emulation, Plan, build
from firmware_images import image as images
from firmware_images.image import Signing, Target
from firmware_images.version import FirmwareVersion
from tests.emulator.ncp.home_given import START
from tests.emulator.ncp.host_as_hub import CHF_ENDPOINT, GPF_ENDPOINT, Around, hub_beside

SEED = 1
CONTENT = Stream(SEED, "content").octets(900)


@dataclass
class Brain:
    """The home's own CHF, used as the head of the dongle's host."""

    around: Around
    emulation: Emulation
    ends: list[UpgradeEndResponse] = field(default_factory=list)
    _timers: dict[str, UtcMs] = field(default_factory=dict)

    def __post_init__(self) -> None:
        device = self.emulation.world.boxes[0].device
        assert isinstance(device, Chf)
        self.chf = device
        self.do(self.chf.handle(DeviceEvent.POWER_ON, None, self.now))

    @property
    def now(self) -> UtcMs:
        return self.around.bridge.members[0]._application._clock.utc(self.around.hub.desk.now)

    def do(self, effects: list[Effect]) -> list[bytes]:
        """Carry out what it asks for; return its answers to the CSP."""
        answers = []
        for effect in effects:
            if isinstance(effect, SetTimer):
                self._timers[effect.name] = effect.at
            elif isinstance(effect, CancelTimer):
                self._timers.pop(effect.name, None)
            elif isinstance(effect, SendCsp):
                answers.append(effect.frame)
            elif isinstance(effect, SendZcl):
                self._send(effect)
        return answers

    def _send(self, order: SendZcl) -> None:
        nodes = self.around.hub.desk.dongle.ncp.state.nv.nodes
        if order.to not in nodes:
            return
        if order.cluster == ota.CLUSTER:
            said = ota.decode(zcl_frame.decode(order.frame))
            self.ends += [said] if isinstance(said, UpgradeEndResponse) else []
        gpf = self.emulation.roles[DeviceType.GPF]
        source = GPF_ENDPOINT if order.source == gpf else CHF_ENDPOINT
        self.around.hub.send(order.to, order.cluster, order.frame, sealed=True, source=source)

    def run(self, ms: int) -> None:
        """Let time pass, and answer what comes."""
        hub = self.around.hub
        end = hub.desk.now + ms
        while hub.desk.now < end:
            hub.wait(20)
            heard, hub.heard[:] = list(hub.heard), []
            for message in heard:
                source = hub.eui64_of(message.sender)
                mirrored = message.aps.destination_endpoint == GPF_ENDPOINT
                to = self.emulation.roles[DeviceType.GPF if mirrored else DeviceType.CHF]
                told = ZclIndication(source, to, message.aps.cluster, message.message)
                self.do(self.chf.handle(DeviceEvent.ZCL, told, self.now))
            for name in [name for name, at in self._timers.items() if at <= self.now]:
                del self._timers[name]
                self.do(self.chf.handle(DeviceEvent.TIMER, name, self.now))

    def stage(self, image: bytes, target: Eui64) -> None:
        """Give the hub an image, as the CSP does."""
        frames: list[csp_transfer.Frame] = [
            Offer(1, "request-1", len(image), hashlib.sha256(image).digest(), (target,))
        ]
        frames += [Chunk(1, at, image[at : at + 200]) for at in range(0, len(image), 200)]
        for frame in [*frames, Close(1, Reason.COMPLETE)]:
            octets = csp_transfer.encode(frame)
            (answer,) = self.do(self.chf.handle(DeviceEvent.CSP, octets, self.now))
            said = csp_transfer.decode(answer)
            assert not isinstance(said, Closed) or said.reason is Reason.HELD


def _scene(role: DeviceType, factor: float = 1.0) -> tuple[Brain, FirmwareDevice]:
    emulation = build(Plan(installations.load("demo"), SEED, START))
    home = home_with(emulation, SEED, Joining())
    eui64 = emulation.roles[role]
    plans = tuple(plan for plan in home.plans if plan.eui64 == eui64)
    around = hub_beside(Home(home.hub, plans, home.codes), factor=factor)
    brain = Brain(around, emulation)
    around.hub.permit()
    for _ in range(100):
        if around.bridge.members[0].keys.agreed:
            break
        brain.run(200)
    brain.run(1_000)
    device = plans[0].application
    assert isinstance(device, FirmwareDevice)
    return brain, device


def _image(emulation: Emulation, eui64: Eui64) -> tuple[bytes, bytes]:
    """Return an image one version up, and that version."""
    profile = emulation.profiles[eui64]
    entries = emulation.keys.private(emulation.parties.suppliers[0]).entries()
    scalar = next(entry.private_scalar for entry in entries if entry.usage == "DS")
    assert scalar is not None
    version = (profile.identity.version_number + 1).to_bytes(4, "big")
    signing = Signing(scalar) if profile.device_type is not DeviceType.PPMID else None
    made = images.build(Target.of(profile), FirmwareVersion(version), CONTENT, signing=signing)
    return ota_file.encode(made), version


def _cs06(emulation: Emulation, eui64: Eui64) -> bytes:
    parties, keys = emulation.parties, emulation.keys
    supplier, code = parties.suppliers[0], MessageCode.CS06
    payload = ActivateFirmware(hashlib.sha256(CONTENT).digest(), 1_000, None).encode()
    header = GroupingHeader(Cra.COMMAND, 1_000, supplier, eui64, OtherInformation(int(code)))
    ring = KeyRing(keys.public().merged(keys.private(parties.acb)).merged(keys.private(supplier)))
    protection = MESSAGES[int(code)].command[0]
    return seal(Envelope(header, payload), ring, protection=protection, acb=parties.acb)


@pytest.mark.parametrize(
    ("role", "factor"),
    [(DeviceType.ESME, 1), (DeviceType.GSME, 40)],  # a GSME asks its mirror every half hour
)
def test_a_meter_holds_its_image_until_the_supplier_says_so(
    role: DeviceType, factor: float
) -> None:
    brain, device = _scene(role, factor)
    eui64 = brain.emulation.roles[role]
    octets, version = _image(brain.emulation, eui64)
    before = device.slots.running
    brain.stage(octets, eui64)
    brain.run(60_000)
    assert [end.upgrade_time_s for end in brain.ends] == [WAIT_FOR_COMMAND]
    pending = device.slots.pending
    assert pending is not None
    assert pending.version == version
    brain.run(100_000)
    assert device.slots.running == before
    member = brain.around.bridge.members[0]
    now = brain.around.hub.desk.now
    message = _cs06(brain.emulation, eui64)
    effects = device.handle(DeviceEvent.GBCS, message, brain.now)
    member._application._perform(effects, now)
    brain.run(120_000)
    assert device.slots.running == version
    assert not brain.around.noted("han_frame_discarded")


def test_a_display_is_told_when_to_start_its_image() -> None:
    brain, device = _scene(DeviceType.PPMID)
    eui64 = brain.emulation.roles[DeviceType.PPMID]
    octets, version = _image(brain.emulation, eui64)
    brain.stage(octets, eui64)
    brain.run(200_000)
    assert [end.upgrade_time_s == WAIT_FOR_COMMAND for end in brain.ends] == [False]
    assert device.slots.running == version
