"""Key transfer, key agreement and policy: credentials rotate, roll back, or stay as they were."""

from dataclasses import replace

import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.chance import Stream
from emulator.crypto.dlms_key_agreement import Offer, agreed_keys, agreement_parameters
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters, with_new_keys, wrap
from emulator.crypto.dlms_keys import KeyId
from emulator.crypto.pki import scalar_from
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.logs import EventCode
from tests.emulator.devices.smets1.meter_kit import Person, made, manager, member, meter
from tests.emulator.devices.smets1.server_kit import MANAGER, READER, keys, notes

SETUP = "0-0:43.0.0.255"
POLICY, SUITE = member(64, SETUP, 2), member(64, SETUP, 3)
ACTIVATE, TRANSFER, AGREE = (member(64, SETUP, index) for index in (1, 2, 3))
OLD = keys().keys
UNICAST = NewKey(KeyId.UNICAST, bytes(range(16)))
AUTHENTICATION = NewKey(KeyId.AUTHENTICATION, bytes(range(16, 32)))
MASTER = NewKey(KeyId.MASTER, bytes(range(32, 48)))
BACK = (
    NewKey(KeyId.UNICAST, OLD.unicast),
    NewKey(KeyId.AUTHENTICATION, OLD.authentication),
)


def person_with(device: Smets1Esme, *new: NewKey) -> Person:
    """A management client that holds other keys than the factory's."""
    held = replace(keys(), keys=with_new_keys(OLD, new))
    return Person(device, MANAGER, held=held)


def lets_in(person: Person) -> bool:
    return person.request().result == 0


def codes(device: Smets1Esme) -> list[int]:
    return [row.code for row in device.logs["security"].rows]


def test_new_keys_let_their_holder_in_and_the_old_ones_nobody() -> None:
    device = meter()
    outcome = manager(device).act(
        TRANSFER, transfer_parameters(OLD.master, [UNICAST, AUTHENTICATION])
    )
    assert outcome.result is ActionResult.SUCCESS
    assert not lets_in(Person(device, MANAGER))
    assert not lets_in(person_with(device, UNICAST))
    person_with(device, UNICAST, AUTHENTICATION).associate()
    assert device.rows()["keys"] == "transferred"
    assert codes(device) == [
        EventCode.ASSOCIATION_OPENED, EventCode.KEYS_CHANGED, EventCode.ASSOCIATION_REFUSED,
        EventCode.ASSOCIATION_REFUSED, EventCode.ASSOCIATION_OPENED,
    ]  # fmt: skip


def test_a_rollback_lets_the_old_keys_back_in() -> None:
    device = meter()
    manager(device).act(TRANSFER, transfer_parameters(OLD.master, [UNICAST, AUTHENTICATION]))
    new = person_with(device, UNICAST, AUTHENTICATION)
    new.associate()
    back = new.act(TRANSFER, transfer_parameters(OLD.master, BACK))
    assert back.result is ActionResult.SUCCESS
    assert not lets_in(person_with(device, UNICAST, AUTHENTICATION))
    old = Person(device, MANAGER)
    old.counters.resume(OLD.unicast, keys().client_title, 100)
    old.associate()
    assert old.value(SUITE) == 0


def test_a_new_master_key_wraps_what_comes_after() -> None:
    device = meter()
    person = manager(device)
    assert (
        person.act(TRANSFER, transfer_parameters(OLD.master, [MASTER])).result
        is ActionResult.SUCCESS
    )
    old = person.act(TRANSFER, transfer_parameters(OLD.master, [UNICAST]))
    assert old.result is ActionResult.OTHER_REASON
    new = person.act(TRANSFER, transfer_parameters(MASTER.key, [UNICAST]))
    assert new.result is ActionResult.SUCCESS


def row(key_id: Data, wrapped: Data) -> Data:
    return axdr.structure(key_id, wrapped)


GOOD = row(Data(Tag.ENUM, 0), axdr.octets(wrap(OLD.master, UNICAST.key)))
WRONG = {
    "wrapped under another key": (
        transfer_parameters(bytes(16), [UNICAST]), ActionResult.OTHER_REASON, "wrong_wrapping",
    ),
    "one of two wrapped wrong": (
        Data(Tag.ARRAY, (GOOD, row(Data(Tag.ENUM, 2), axdr.octets(bytes(24))))),
        ActionResult.OTHER_REASON, "wrong_wrapping",
    ),
    "of a wrong length": (
        Data(Tag.ARRAY, (row(Data(Tag.ENUM, 0), axdr.octets(bytes(16))),)),
        ActionResult.TYPE_UNMATCHED, "wrapped_length",
    ),
    "of no known key": (
        Data(Tag.ARRAY, (row(Data(Tag.ENUM, 9), axdr.octets(bytes(24))),)),
        ActionResult.OBJECT_UNDEFINED, "unknown_key_id",
    ),
    "twice the same": (
        Data(Tag.ARRAY, (GOOD, GOOD)), ActionResult.SCOPE_OF_ACCESS_VIOLATED, "same_key_twice",
    ),
    "none at all": (Data(Tag.ARRAY, ()), ActionResult.TYPE_UNMATCHED, "wrong_shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(WRONG))
def test_a_refused_transfer_has_its_result_and_changes_no_key(name: str) -> None:
    data, result, why = WRONG[name]
    device = meter()
    person = manager(device)
    assert person.act(TRANSFER, data).result is result
    assert device.security.keys == OLD
    refused = [fields["why"] for fields in notes(person.effects, "keys_refused")]
    assert refused == [why]
    assert codes(device)[-1] == EventCode.KEY_CHANGE_REFUSED


@pytest.mark.parametrize("data", [None, Data(Tag.ENUM, 0), axdr.octets(bytes(24))])
def test_a_transfer_is_an_array(data: Data | None) -> None:
    assert manager(meter()).act(TRANSFER, data).result is ActionResult.TYPE_UNMATCHED


def test_no_other_client_moves_keys() -> None:
    person = Person(meter(), READER)
    person.associate()
    data = transfer_parameters(OLD.master, [UNICAST])
    assert person.act(TRANSFER, data).result is ActionResult.READ_WRITE_DENIED


def test_keys_show_neither_in_notes_nor_in_rows() -> None:
    device = meter()
    person = manager(device)
    person.act(TRANSFER, transfer_parameters(OLD.master, [UNICAST, MASTER]))
    told = repr(person.effects) + repr(device.rows()) + repr(device.logs)
    for key in (UNICAST.key, MASTER.key, OLD.unicast, OLD.master):
        assert key.hex() not in told
        assert repr(key) not in told


def test_a_dump_after_a_transfer_holds_the_new_keys_and_the_old_ones_past() -> None:
    device = meter()
    manager(device).act(TRANSFER, transfer_parameters(OLD.master, [UNICAST]))
    other = made()
    other.load(device.dump())
    assert other.dump() == device.dump()
    assert not lets_in(Person(other, MANAGER))
    person_with(other, UNICAST).associate()


# -- policy, and suite 1 -------------------------------------------------------------------------


def test_a_policy_is_raised_and_never_lowered() -> None:
    device = meter()
    person = manager(device)
    assert (person.value(POLICY), person.value(SUITE)) == (108, 0)
    for policy, result in (
        (0, ActionResult.SCOPE_OF_ACCESS_VIOLATED),
        (4, ActionResult.SCOPE_OF_ACCESS_VIOLATED),
        (109, ActionResult.SCOPE_OF_ACCESS_VIOLATED),
        (124, ActionResult.SUCCESS),
        (108, ActionResult.SCOPE_OF_ACCESS_VIOLATED),
    ):
        assert person.act(ACTIVATE, Data(Tag.ENUM, policy)).result is result
    assert person.value(POLICY) == 124
    assert codes(device)[-1] == EventCode.POLICY_RAISED
    assert person.act(ACTIVATE, Data(Tag.UINT8, 124)).result is ActionResult.TYPE_UNMATCHED


def test_the_setup_tells_titles_and_the_counter() -> None:
    device = meter()
    person = manager(device)
    assert person.value(member(64, SETUP, 4)) == keys().client_title
    assert person.value(member(64, SETUP, 5)) == device.eui64.octets
    assert person.value(member(64, SETUP, 6)) == ()
    counter = person.value(member(1, "0-0:43.1.0.255", 2))
    assert counter == person.counters.sent(OLD.unicast, keys().client_title)


def offers(*ids: KeyId) -> list[Offer]:
    draw = Stream(1, "offers")
    return [Offer(key_id, scalar_from(draw.octets)) for key_id in ids]


def test_two_sides_agree_on_a_key_in_suite_1() -> None:
    device = meter("smets1-wrapper")
    person = manager(device)
    signing = keys().signing
    assert signing is not None
    assert signing.client is not None
    mine = offers(KeyId.UNICAST, KeyId.MASTER)
    outcome = person.act(AGREE, agreement_parameters(mine, signing.client))
    assert outcome.result is ActionResult.SUCCESS
    assert isinstance(outcome.returned, Data)
    found = agreed_keys(
        mine, outcome.returned, signing.server_point,
        client=keys().client_title, server=keys().server_title,
    )  # fmt: skip
    assert isinstance(found, tuple)
    assert device.security.keys == with_new_keys(OLD, found)
    other = made("smets1-wrapper")
    other.load(device.dump())
    assert other.dump() == device.dump()


def test_an_agreement_that_is_not_the_client_s_changes_no_key() -> None:
    device = meter("smets1-wrapper")
    person = manager(device)
    stranger = scalar_from(Stream(2, "stranger").octets)
    mine = agreement_parameters(offers(KeyId.UNICAST), stranger)
    assert person.act(AGREE, mine).result is ActionResult.OTHER_REASON
    assert person.act(AGREE, Data(Tag.ARRAY, ())).result is ActionResult.TYPE_UNMATCHED
    assert device.security.keys == OLD
    assert codes(device)[-1] == EventCode.KEY_CHANGE_REFUSED


def test_a_meter_without_signature_keys_agrees_on_nothing() -> None:
    device = meter("smets1-wrapper")
    device.factory = replace(device.factory, signing=None)
    data = agreement_parameters(offers(KeyId.UNICAST), 5)
    assert manager(device).act(AGREE, data).result is ActionResult.OBJECT_UNAVAILABLE
