"""Activation: what starts, what is refused, and what a newer image must not change."""

import pytest

from device_profiles.words import DeviceType, DowngradePolicy, PathwayPolicy
from emulator.codecs.gbcs.asn1 import ActivationCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Note, SetTimer
from emulator.devices.activation import Activation, Cause, Running, Scheduled
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.firmware_slots import FirmwareSlots, PendingImage
from emulator.devices.saved import Saved
from tests.emulator.devices.kit import (
    ESME,
    NEW_VERSION,
    OLD_VERSION,
    START,
    SUPPLIER,
    cs06,
    image_hash,
    powered,
    profile_of,
)

HASH = image_hash()
NEW = PendingImage(NEW_VERSION, HASH, 500, 0)
LOWER = PendingImage(bytes.fromhex("00000001"), HASH, 500, 0)
BY_COMMAND = Running(Cause.COMMAND)


def machine(pending: PendingImage | None = NEW, **firmware: object) -> Activation:
    changes = {f"firmware__{name}": value for name, value in firmware.items()}
    profile = profile_of(DeviceType.ESME, **changes)
    return Activation(FirmwareSlots(OLD_VERSION, pending), profile)


@pytest.mark.parametrize(
    ("pending", "wanted", "code"),
    [
        (None, HASH, ActivationCode.NO_IMAGE_HELD),
        (None, None, ActivationCode.NO_IMAGE_HELD),
        (NEW, bytes(32), ActivationCode.HASH_MISMATCH),
        (NEW, HASH, None),
        (NEW, None, None),
        (LOWER, HASH, None),
    ],
)
def test_the_order_of_checks_is_image_hash_policy(
    pending: PendingImage | None, wanted: bytes | None, code: ActivationCode | None
) -> None:
    made = machine(pending)
    found, effects = made.begin(wanted, BY_COMMAND, START)
    assert found is code
    assert any(isinstance(effect, SetTimer) for effect in effects) is (code is None)
    assert made.slots.running == OLD_VERSION


def test_a_lower_version_is_refused_where_the_policy_says_so() -> None:
    made = machine(LOWER, downgrade_policy=DowngradePolicy.REFUSE_AT_ACTIVATION)
    assert made.begin(HASH, BY_COMMAND, START)[0] is ActivationCode.ACTIVATION_FAILURE
    assert made.slots.pending is LOWER


@pytest.mark.parametrize(
    ("policy", "refused", "bricked"),
    [
        (PathwayPolicy.OK, False, False),
        (PathwayPolicy.REFUSE, True, False),
        (PathwayPolicy.BRICK, False, True),
    ],
)
def test_an_upgrade_off_its_pathway_ends_by_policy(
    policy: PathwayPolicy, refused: bool, bricked: bool
) -> None:
    made = machine(pathway_policy=policy)
    made.stepping_stones = {NEW_VERSION: frozenset({bytes(4)})}
    code, _ = made.begin(HASH, BY_COMMAND, START)
    assert (code is ActivationCode.ACTIVATION_FAILURE) is refused
    if not refused:
        made.finish()
        assert made.bricked is bricked
        assert (made.slots.running == NEW_VERSION) is not bricked


@pytest.mark.parametrize(
    "device_type", [DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID, DeviceType.HCALCS]
)
def test_a_bricked_device_hears_and_says_nothing_any_more(device_type: DeviceType) -> None:
    device = powered(device_type)
    assert isinstance(device, FirmwareDevice)
    device.activation.bricked = True
    assert device.handle(DeviceEvent.GBCS, cs06(ESME, HASH), START) == []
    device.handle(DeviceEvent.POWER_OFF, None, START)
    effects = device.handle(DeviceEvent.POWER_ON, None, START)
    assert all(isinstance(effect, Note) for effect in effects)


def test_a_second_activation_fails_while_the_first_runs() -> None:
    made = machine()
    made.begin(HASH, BY_COMMAND, START)
    assert made.begin(HASH, BY_COMMAND, START)[0] is ActivationCode.ACTIVATION_FAILURE


@pytest.mark.parametrize("fails", [False, True])
def test_an_image_that_arrives_meanwhile_is_neither_run_nor_lost(fails: bool) -> None:
    made = machine()
    made.begin(HASH, BY_COMMAND, START)
    newer = PendingImage(bytes.fromhex("0123abcf"), bytes(32), 500, 0)
    made.slots.pending = newer
    made.self_test_fails = fails
    made.finish()
    assert made.slots.running == (OLD_VERSION if fails else NEW_VERSION)
    assert made.slots.pending is newer


def test_a_failed_self_test_rolls_back_and_drops_the_image_once() -> None:
    made = machine()
    made.self_test_fails = True
    made.begin(HASH, BY_COMMAND, START)
    _, code, _ = made.finish()
    assert code is ActivationCode.ACTIVATION_FAILURE
    assert (made.slots.running, made.slots.pending) == (OLD_VERSION, None)
    assert not made.self_test_fails


def test_a_dump_holds_everything() -> None:
    made = machine()
    made.schedule(Scheduled(HASH, 7, SUPPLIER, UtcMs(START + 5000)), 0)
    made.begin(HASH, Running(Cause.SCHEDULE, schedule=made.scheduled), START)
    made.self_test_fails = True
    made.stepping_stones = {NEW_VERSION: frozenset({OLD_VERSION, bytes(4)})}
    copy = machine()
    copy.load(Saved(made.dump()))
    assert copy == made


def test_the_past_is_executed_at_once() -> None:
    device = powered(DeviceType.ESME)
    assert isinstance(device, FirmwareDevice)
    message = cs06(ESME, HASH, at=UtcMs(START - 10_000_000))
    effects = device.handle(DeviceEvent.GBCS, message, START)
    assert [e.at for e in effects if isinstance(e, SetTimer)] == [START]
