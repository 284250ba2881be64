"""The emulated SMETS1 meter on its line in virtual time, with our own client: whole transfers."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from device_profiles.loader import load_profile
from emulator.core.chance import Chance
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.crypto.dlms_factory import factory_keys
from emulator.devices.smets1 import registry
from emulator.runtime.line_world import LineWorld
from emulator.servers.line_parts import Framing
from emulator.servers.meter_line import MeterLine
from harness.dlms import from_profile, obis
from harness.dlms.image import ImagePlan, attribute
from harness.dlms.jobs import ActionJob, AssociateJob, GetJob, SignOnJob
from harness.dlms.settings import Framing as ReaderFraming
from harness.meter import Silence, Unanswered
from tests.emulator.servers.line_kit import EUI64, START
from tests.emulator.servers.reading import VirtualReader, reader_line

KEYS = factory_keys(1, EUI64)
REGISTER = obis.attribute(3, "1-0:1.8.0.255", 2)


def virtual(
    profile: str, framing: Framing, faults: Sequence[str] = (), seed: int = 1
) -> VirtualReader:
    found, chance = load_profile(profile), Chance(seed)
    device = registry.build(found.device_type, EUI64, found, 1, START, KEYS)
    schedule = FaultSchedule([parse(text) for text in faults], chance)
    world = LineWorld(device, MeterLine(device, "line", framing=framing), schedule, chance, START)
    world.start()
    assert found.dlms is not None
    return VirtualReader(world, reader_line(found.dlms, ReaderFraming(framing.value)))


def associated(reader: VirtualReader, name: str) -> VirtualReader:
    section = reader.world.device.profile.dlms
    assert section is not None
    if section.sign_on is not None and section.sign_on.mode_e and reader.world.baud == 300:
        assert reader.do(SignOnJob()).answered
    who = from_profile.credentials(section, KEYS, name)
    assert reader.do(AssociateJob(who)).accepted
    return reader


def transfer(reader: VirtualReader, image: ImagePlan, first: int = 0) -> Any:
    """Bring the blocks from ``first`` on; returns what went wrong, or None."""
    call = image.initiate()
    if first == 0:
        assert reader.do(ActionJob(call.method, call.parameters)).result == 0
    for call in image.blocks(first):
        outcome = reader.do(ActionJob(call.method, call.parameters))
        if isinstance(outcome, Unanswered) or outcome.result != 0:
            return outcome
    return None


def test_a_transfer_takes_the_time_of_its_octets() -> None:
    reader = associated(virtual("smets1", Framing.OPTICAL), "management")
    reader.world.records.take_frames(reader.world.now_us)
    began_us = reader.world.now_us
    image = ImagePlan(b"image", bytes(8192), 200)
    assert transfer(reader, image) is None
    crossed = reader.world.records.take_frames(reader.world.now_us)
    limit_us = sum(len(seen.octets) for seen in crossed) * 10 * 1_000_000 / 9600
    assert 1 <= (reader.world.now_us - began_us) / limit_us < 1.05
    (missing,) = reader.do(GetJob((attribute(4),)))
    assert missing.value == image.count


def test_power_loss_in_a_transfer_is_seen_and_the_transfer_goes_on() -> None:
    order = "power-loss:note=image_transfer,percent=50,off_s=20@esme"
    reader = associated(virtual("smets1", Framing.OPTICAL, [order]), "management")
    image = ImagePlan(b"image", bytes(6000), 200)
    outcome = transfer(reader, image)
    assert isinstance(outcome, Unanswered)
    assert outcome.why in {Silence.NO_ANSWER, Silence.LINK_LOST}
    reader.world.run_until(reader.world.now_us + 30_000_000)
    associated(reader, "management")
    (missing,) = reader.do(GetJob((attribute(4),)))
    assert missing.value == 15
    assert transfer(reader, image, missing.value) is None


@pytest.mark.parametrize("framing", [Framing.OPTICAL, Framing.HDLC])
def test_a_noisy_line_is_slow_and_gives_right_values(framing: Framing) -> None:
    faults = ["corrupt:p=0.1@line", "drop:p=0.05@line", "noise:p=0.1,octets=4@line"]
    quiet = associated(virtual("smets1", framing), "public").do(GetJob((REGISTER,)))
    for seed in range(5):
        reader = virtual("smets1", framing, faults, seed)
        for _attempt in range(20):
            section = reader.world.device.profile.dlms
            assert section is not None
            if reader.world.baud == 300:
                reader.do(SignOnJob())
            who = from_profile.credentials(section, KEYS, "public")
            if reader.do(AssociateJob(who)).accepted:
                answer = reader.do(GetJob((REGISTER,)))
                if not isinstance(answer, Unanswered):
                    break
            reader.world.run_until(reader.world.now_us + 121_000_000)
        else:
            raise AssertionError("no attempt came through")
        assert answer[0].tag == quiet[0].tag
        assert answer[0].value >= quiet[0].value


def test_a_dump_in_the_middle_of_a_transfer_goes_on_with_the_same_octets() -> None:
    image = ImagePlan(b"image", bytes(range(250)) * 8, 200)
    straight = associated(virtual("smets1", Framing.OPTICAL), "management")
    broken = associated(virtual("smets1", Framing.OPTICAL), "management")
    call = image.initiate()
    for reader in (straight, broken):
        assert reader.do(ActionJob(call.method, call.parameters)).result == 0
    for number in range(image.count):
        again = virtual("smets1", Framing.OPTICAL)
        again.world.load(broken.world.dump())
        again.line.load(json.loads(json.dumps(broken.line.dump())))
        broken = again
        call = image.block(number)
        outcomes = [
            reader.do(ActionJob(call.method, call.parameters)) for reader in (straight, broken)
        ]
        assert outcomes[0] == outcomes[1]
        now_us = straight.world.now_us
        assert broken.world.now_us == now_us
        frames = [reader.world.records.take_frames(now_us) for reader in (straight, broken)]
        assert frames[0] == frames[1]


@pytest.mark.parametrize(
    ("profile", "framing"),
    [
        pytest.param("smets1", Framing.OPTICAL, marks=pytest.mark.soak),
        pytest.param("smets1-strict", Framing.OPTICAL, marks=pytest.mark.soak),
        ("smets1-wrapper", Framing.HDLC),
        ("smets1-wrapper", Framing.WRAPPER),
    ],
)
def test_a_whole_image_of_256_kib_arrives(profile: str, framing: Framing) -> None:
    reader = associated(virtual(profile, framing), "management")
    (size,) = reader.do(GetJob((attribute(2),)))
    image = ImagePlan(b"image", bytes(range(256)) * 1024, size.value)
    assert transfer(reader, image) is None
    (missing,) = reader.do(GetJob((attribute(4),)))
    assert missing.value == image.count
