"""Whose top-up codes a meter takes: before its keys change hands, in between, and after."""

import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.effects import DeviceEvent
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters
from emulator.crypto.dlms_keys import KeyId
from emulator.crypto.top_up_code import TopUp, encode, top_up_key
from emulator.devices.smets1.esme import Smets1Esme
from tests.emulator.devices.smets1.meter_kit import invoke, made, manager, member, meter, read
from tests.emulator.devices.smets1.server_kit import EUI64, NOW, keys
from tests.emulator.devices.smets1.test_meter_keys import BACK, person_with

TRANSFER = member(64, "0-0:43.0.0.255", 2)
ENTER, ACTIVATE = member(115, "0-0:19.40.0.255", 1), member(111, "0-0:19.0.0.255", 1)
BALANCE = member(112, "0-0:19.10.0.255", 2)
OLD = keys().keys
NEW = (
    NewKey(KeyId.UNICAST, b"u" * 16),
    NewKey(KeyId.AUTHENTICATION, b"a" * 16),
)
SMSO, S1SP = OLD.authentication, NEW[1].key
MASTER = OLD.master


def code_of(owner: bytes, number: int = 1) -> str:
    return encode(TopUp(500, number), top_up_key(owner, EUI64), EUI64)


def takes(device: Smets1Esme, owner: bytes, number: int = 1) -> bool:
    before = read(device, BALANCE)
    result = invoke(device, ENTER, axdr.octets(code_of(owner, number).encode()))
    grown = read(device, BALANCE) - before
    assert grown == (500_000 if result is ActionResult.SUCCESS else 0)
    return result is ActionResult.SUCCESS


def rotated() -> Smets1Esme:
    """A meter whose keys are the S1SP's, and whose account nobody has activated since."""
    device = meter()
    manager(device).act(TRANSFER, transfer_parameters(MASTER, NEW))
    return device


def activate(device: Smets1Esme) -> None:
    assert invoke(device, ACTIVATE, Data(Tag.INT8, 0)) is ActionResult.SUCCESS


def test_before_the_keys_change_only_the_smsos_codes_count() -> None:
    assert takes(meter(), SMSO)
    assert not takes(meter(), S1SP)


@pytest.mark.parametrize("owner", [SMSO, S1SP], ids=["SMSO", "S1SP"])
def test_between_rotation_and_commissioning_nobodys_codes_count(owner: bytes) -> None:
    assert not takes(rotated(), owner)


def test_from_commissioning_on_only_the_s1sps_codes_count() -> None:
    device = rotated()
    activate(device)
    assert not takes(device, SMSO, 2)  # sold before rotation, keyed afterwards
    assert takes(device, S1SP, 3)


def test_a_rollback_makes_the_smsos_codes_good_again_without_more_ado() -> None:
    device = rotated()
    before = meter().account.dump()
    new = person_with(device, *NEW)
    new.associate()
    new.act(TRANSFER, transfer_parameters(MASTER, BACK))
    assert device.account.dump()["key"] == before["key"]
    assert takes(device, SMSO)


def test_whose_codes_count_survives_a_dump() -> None:
    device = rotated()
    activate(device)
    other = made()
    other.load(device.dump())
    assert takes(other, S1SP)
    assert not takes(other, SMSO, 2)


def test_the_keypad_takes_what_the_line_takes_and_a_dark_meter_takes_nothing() -> None:
    device = rotated()
    activate(device)
    before = read(device, BALANCE)
    assert device.key_in(code_of(SMSO), NOW)
    assert read(device, BALANCE) == before
    device.key_in(code_of(S1SP), NOW)
    assert read(device, BALANCE) == before + 500_000
    device.handle(DeviceEvent.POWER_OFF, None, NOW)
    assert device.key_in(code_of(S1SP, 2), NOW) == []
