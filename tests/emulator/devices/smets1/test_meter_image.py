"""Image transfer: every state with every method, blocks, verification, activation, power."""

import json
from typing import Any

import pytest

from device_profiles.schema import DeviceProfile
from device_profiles.words import DowngradePolicy
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, BitString, Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, DeviceEvent
from emulator.core.ids import Eui64
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.image import ImageState
from emulator.devices.smets1.logs import EventCode
from tests.emulator.devices.smets1.meter_kit import (
    NEW_VERSION,
    Person,
    block_data,
    changed,
    image,
    initiate_data,
    invoke,
    made,
    manager,
    member,
    meter,
    pass_time,
    plain,
    profile,
    read,
)
from tests.emulator.devices.smets1.server_kit import EUI64, NOW

IMAGE = "0-0:44.0.0.255"
INITIATE, BLOCK, VERIFY, ACTIVATE = (member(18, IMAGE, index) for index in (1, 2, 3, 4))
METHODS = {"initiate": INITIATE, "block": BLOCK, "verify": VERIFY, "activate": ACTIVATE}
STATE = member(18, IMAGE, 6)
FIRMWARE = member(1, "1-0:0.2.0.255", 2)
ZERO = Data(Tag.INT8, 0)
R = ActionResult
AT_ONCE = changed("smets1", image__verify="at-once", image__verify_s=0)


def load(
    device: Smets1Esme, octets: bytes, now: int = NOW, *, without: frozenset[int] = frozenset()
) -> None:
    """Initiate and send every block but some."""
    size = device.image.section.block_bytes
    assert invoke(device, INITIATE, initiate_data(len(octets)), UtcMs(now)) is R.SUCCESS
    for number in range(-(-len(octets) // size)):
        if number not in without:
            block = octets[number * size : (number + 1) * size]
            assert invoke(device, BLOCK, block_data(number, block), UtcMs(now)) is R.SUCCESS


def in_state(state: ImageState, model: str | DeviceProfile = "smets1") -> Smets1Esme:
    """A meter whose transfer has got so far."""
    device = meter(model)
    if state is ImageState.NOT_INITIATED:
        return device
    bad = state is ImageState.VERIFY_FAILED
    load(device, image(manufacturer_code=1) if bad else image())
    if state is ImageState.INITIATED:
        return device
    assert invoke(device, VERIFY, ZERO) is R.TEMPORARY_FAILURE
    if state is ImageState.VERIFY_INITIATED:
        run_out(device)
        return device
    device.image.finish_verification()
    if state in {ImageState.VERIFIED, ImageState.VERIFY_FAILED}:
        return device
    assert invoke(device, ACTIVATE, ZERO) is R.SUCCESS
    if state is ImageState.ACTIVATE_INITIATED:
        return device
    device.image.self_test_fails = state is ImageState.ACTIVATE_FAILED
    device.image.finish_activation()
    return device


def run_out(device: Smets1Esme) -> None:
    """Object-level calls leave their timers in an outbox that nobody empties: nothing to do."""
    assert device.image.state is ImageState.VERIFY_INITIATED


_S = ImageState
#: State -> what initiate, a good block 0, verify and activate come to.
TABLE: dict[ImageState, tuple[ActionResult, ActionResult, ActionResult, ActionResult]] = {
    _S.NOT_INITIATED: (R.SUCCESS, R.OTHER_REASON, R.OTHER_REASON, R.OTHER_REASON),
    _S.INITIATED: (R.SUCCESS, R.SUCCESS, R.TEMPORARY_FAILURE, R.OTHER_REASON),
    _S.VERIFY_INITIATED: (
        R.TEMPORARY_FAILURE, R.TEMPORARY_FAILURE, R.TEMPORARY_FAILURE, R.TEMPORARY_FAILURE,
    ),
    _S.VERIFIED: (R.SUCCESS, R.OTHER_REASON, R.SUCCESS, R.SUCCESS),
    _S.VERIFY_FAILED: (R.SUCCESS, R.OTHER_REASON, R.OTHER_REASON, R.OTHER_REASON),
    _S.ACTIVATE_INITIATED: (
        R.TEMPORARY_FAILURE, R.TEMPORARY_FAILURE, R.OTHER_REASON, R.TEMPORARY_FAILURE,
    ),
    _S.ACTIVATED: (R.SUCCESS, R.OTHER_REASON, R.OTHER_REASON, R.OTHER_REASON),
    _S.ACTIVATE_FAILED: (R.SUCCESS, R.OTHER_REASON, R.OTHER_REASON, R.OTHER_REASON),
}  # fmt: skip
PARAMETERS = {
    "initiate": initiate_data(500),
    "block": block_data(0, bytes(200)),
    "verify": ZERO,
    "activate": ZERO,
}


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("state", list(ImageState))
def test_every_state_with_every_method(state: ImageState, name: str) -> None:
    device = in_state(state)
    assert device.image.state is state
    before = device.image.dump()
    expected = TABLE[state][list(METHODS).index(name)]
    assert invoke(device, METHODS[name], PARAMETERS[name]) is expected
    if expected is not R.SUCCESS and (state, name) != (_S.INITIATED, "verify"):
        assert device.image.dump() == before


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("state", list(ImageState))
def test_nothing_moves_while_the_transfer_is_disabled(state: ImageState, name: str) -> None:
    device = in_state(state)
    device.image.enabled = False
    before = device.image.dump()
    assert invoke(device, METHODS[name], PARAMETERS[name]) is R.OBJECT_UNAVAILABLE
    assert device.image.dump() == before


def test_a_client_switches_the_transfer_off_and_on() -> None:
    device = meter()
    person = manager(device)
    enabled = member(18, IMAGE, 5)
    assert person.value(enabled) == 1
    assert person.put(enabled, Data(Tag.BOOLEAN, 0)) is DataAccessResult.SUCCESS
    assert person.act(INITIATE, initiate_data(500)).result is R.OBJECT_UNAVAILABLE
    assert person.put(enabled, Data(Tag.BOOLEAN, 0xFF)) is DataAccessResult.SUCCESS
    assert person.act(INITIATE, initiate_data(500)).result is R.SUCCESS


@pytest.mark.parametrize(
    ("where", "data", "result"),
    [
        (INITIATE, initiate_data(0), R.SCOPE_OF_ACCESS_VIOLATED),
        (INITIATE, initiate_data(1_048_577), R.SCOPE_OF_ACCESS_VIOLATED),
        (INITIATE, initiate_data(500, b""), R.SCOPE_OF_ACCESS_VIOLATED),
        (INITIATE, initiate_data(500, b"x" * 65), R.SCOPE_OF_ACCESS_VIOLATED),
        (INITIATE, Data(Tag.STRUCTURE, ()), R.TYPE_UNMATCHED),
        (INITIATE, ZERO, R.TYPE_UNMATCHED),
        (INITIATE, None, R.TYPE_UNMATCHED),
        (BLOCK, block_data(5, bytes(200)), R.SCOPE_OF_ACCESS_VIOLATED),
        (BLOCK, block_data(0, bytes(199)), R.TYPE_UNMATCHED),
        (BLOCK, block_data(0, bytes(201)), R.TYPE_UNMATCHED),
        (BLOCK, block_data(0, b""), R.TYPE_UNMATCHED),
        (BLOCK, block_data(4, bytes(200)), R.TYPE_UNMATCHED),
        (BLOCK, block_data(4, bytes(151)), R.TYPE_UNMATCHED),
        (BLOCK, Data(Tag.STRUCTURE, (ZERO, ZERO)), R.TYPE_UNMATCHED),
        (BLOCK, NULL, R.TYPE_UNMATCHED),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    where: Any, data: Data | None, result: ActionResult
) -> None:
    device = meter()
    assert invoke(device, INITIATE, initiate_data(950)) is R.SUCCESS
    before = device.image.dump()
    assert invoke(device, where, data) is result
    assert device.image.dump() == before


def bits(device: Smets1Esme) -> str:
    value = read(device, member(18, IMAGE, 3))
    assert isinstance(value, BitString)
    return "".join(f"{octet:08b}" for octet in value.octets)[: value.count]


def test_blocks_come_in_any_order_and_again() -> None:
    device = meter()
    octets = image(950)
    assert invoke(device, INITIATE, initiate_data(950)) is R.SUCCESS
    seen = []
    for number in (4, 1, 0, 1, 3, 2):
        block = octets[number * 200 : (number + 1) * 200]
        assert invoke(device, BLOCK, block_data(number, block)) is R.SUCCESS
        seen.append((bits(device), read(device, member(18, IMAGE, 4))))
    assert seen == [
        ("00001", 0), ("01001", 0), ("11001", 2), ("11001", 2), ("11011", 2), ("11111", 5),
    ]  # fmt: skip
    assert device.image.transfer is not None
    assert bytes(device.image.transfer.octets) == octets


def test_a_missing_block_is_no_image() -> None:
    device = meter(AT_ONCE)
    load(device, image(), without=frozenset({2}))
    assert read(device, member(18, IMAGE, 4)) == 2
    assert invoke(device, VERIFY, ZERO) is R.OTHER_REASON
    assert device.image.state is ImageState.INITIATED


WRONG = {
    "another maker's": image(manufacturer_code=0x1234),
    "another type's": image(image_type=7),
    "another device's": image(destination=Eui64.parse("00-DB-12-34-56-78-90-00")),
    "for other hardware": image(minimum_hardware=0x0200, maximum_hardware=0x02FF),
    "of another size": image(total_image_size=1001),
    "no image": bytes(1000),
    "shorter than a header": image()[:40],
}


@pytest.mark.parametrize("name", list(WRONG))
def test_an_image_that_is_not_for_the_meter_fails_verification(name: str) -> None:
    device = meter(AT_ONCE)
    load(device, WRONG[name])
    assert invoke(device, VERIFY, ZERO) is R.OTHER_REASON
    assert device.image.state is ImageState.VERIFY_FAILED
    assert read(device, member(18, IMAGE, 7)) == ()
    assert invoke(device, ACTIVATE, ZERO) is R.OTHER_REASON
    assert device.logs["events"].last(NOW) == EventCode.IMAGE_VERIFY_FAILED


def test_an_image_for_this_very_meter_and_its_hardware_is_taken() -> None:
    device = meter(AT_ONCE)
    load(device, image(destination=EUI64, minimum_hardware=0x0100, maximum_hardware=0x0100))
    assert invoke(device, VERIFY, ZERO) is R.SUCCESS
    item = device.tree.find(18, STATE.obis)
    info = plain(item.read(7, None, None))  # type: ignore[union-attr, arg-type]  # needs no moment
    assert info == ((1000, b"image", b""),)


@pytest.mark.parametrize(
    ("policy", "verified", "activated"),
    [
        (DowngradePolicy.ALLOW, R.SUCCESS, R.SUCCESS),
        (DowngradePolicy.REFUSE_AT_QUERY, R.OTHER_REASON, R.OTHER_REASON),
        (DowngradePolicy.REFUSE_AT_ACTIVATION, R.SUCCESS, R.OTHER_REASON),
    ],
)
def test_a_lower_version_is_treated_by_policy(
    policy: DowngradePolicy, verified: ActionResult, activated: ActionResult
) -> None:
    firmware = profile("smets1").firmware.model_copy(update={"downgrade_policy": policy})
    device = meter(AT_ONCE.model_copy(update={"firmware": firmware}))
    load(device, image(version=0x0F000000))
    assert invoke(device, VERIFY, ZERO) is verified
    assert invoke(device, ACTIVATE, ZERO) is activated


# -- through the server, with time -----------------------------------------------------------------


def whole(model: str | DeviceProfile) -> tuple[Smets1Esme, Person]:
    """A meter with a whole image, and its client."""
    device = meter(model)
    person = manager(device)
    load(device, image())
    return device, person


def test_pending_verification_is_polled_until_it_is_done() -> None:
    device, person = whole("smets1")
    asked = []
    for _ in range(4):
        asked.append(person.act(VERIFY, ZERO).result)
        person.wait(5_000)
    assert asked == [R.TEMPORARY_FAILURE, R.TEMPORARY_FAILURE, R.SUCCESS, R.SUCCESS]
    assert device.image.state is ImageState.VERIFIED


@pytest.mark.parametrize(("model", "drops"), [("smets1", True), ("smets1-strict", False)])
def test_activation_changes_the_version_and_drops_associations_by_profile(
    model: str, *, drops: bool
) -> None:
    device, person = whole(model)
    person.act(VERIFY, ZERO)
    person.wait(11_000)
    assert person.act(ACTIVATE, ZERO).result is R.SUCCESS
    assert (CloseDlms() in person.effects) == drops
    assert bool(device.door.standing) != drops
    assert read(device, FIRMWARE) == b"10000001"
    person.wait(31_000)
    assert read(device, FIRMWARE) == f"{NEW_VERSION:08X}".encode()
    assert read(device, STATE) == ImageState.ACTIVATED
    codes = [row.code for row in device.logs["events"].rows]
    assert codes[-3:] == [
        EventCode.IMAGE_INITIATED, EventCode.IMAGE_VERIFIED, EventCode.IMAGE_ACTIVATED,
    ]  # fmt: skip


def test_firmware_that_fails_its_self_test_does_not_run() -> None:
    device, person = whole("smets1-strict")
    device.inject("self-test-fails")
    assert person.act(VERIFY, ZERO).result is R.SUCCESS
    assert person.act(ACTIVATE, ZERO).result is R.SUCCESS
    person.wait(6_000)
    assert read(device, STATE) == ImageState.ACTIVATE_FAILED
    assert read(device, FIRMWARE) == b"10000001"
    assert device.logs["events"].last(person.now) == EventCode.IMAGE_ACTIVATION_FAILED
    with pytest.raises(ValueError, match="no inner fault"):
        device.inject("flies")


# -- power -----------------------------------------------------------------------------------------


def power_cycle(device: Smets1Esme) -> None:
    device.handle(DeviceEvent.POWER_OFF, None, UtcMs(NOW + 1000))
    device.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW + 2000))


@pytest.mark.parametrize(("kept", "missing"), [("kept", 2), ("lost", 0)])
def test_power_loss_keeps_or_loses_an_unfinished_image(kept: str, missing: int) -> None:
    device = meter(changed("smets1", image__power_loss=kept))
    load(device, image(), without=frozenset({2}))
    power_cycle(device)
    state = ImageState.INITIATED if kept == "kept" else ImageState.NOT_INITIATED
    assert device.image.state is state
    assert read(device, member(18, IMAGE, 4)) == missing
    assert len(bits(device)) == (5 if kept == "kept" else 0)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (_S.VERIFY_INITIATED, _S.VERIFIED),
        (_S.VERIFIED, _S.VERIFIED),
        (_S.VERIFY_FAILED, _S.VERIFY_FAILED),
        (_S.ACTIVATE_INITIATED, _S.ACTIVATED),
        (_S.ACTIVATED, _S.ACTIVATED),
        (_S.ACTIVATE_FAILED, _S.ACTIVATE_FAILED),
    ],
)
def test_power_loss_does_not_stop_what_is_under_way(state: ImageState, after: ImageState) -> None:
    device = in_state(state)
    power_cycle(device)
    pass_time(device, UtcMs(NOW + 60_000))
    assert device.image.state is after


@pytest.mark.parametrize("state", list(ImageState))
def test_a_dump_in_any_state_goes_on_the_same(state: ImageState) -> None:
    device = in_state(state)
    power_cycle(device)
    other = made()
    dumped = json.loads(json.dumps(device.dump()))
    other.load(dumped)
    assert other.dump() == dumped
    assert other.rows() == device.rows()
    for each in (device, other):
        pass_time(each, UtcMs(NOW + 60_000))
    assert other.dump() == device.dump()
