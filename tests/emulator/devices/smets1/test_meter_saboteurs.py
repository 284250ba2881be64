"""Every saboteur among SMETS1 meters shows in a story made for it, and leaves other parts right."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from emulator.codecs.dlms import apdu_action, apdu_exception, apdu_get, axdr, selective
from emulator.codecs.dlms.apdu_get import GetListRequest, GetRequest
from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.selective import RangeSelection
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters, with_new_keys
from emulator.crypto.dlms_keys import KeyId
from emulator.crypto.top_up_code import TopUp, encode, top_up_key
from emulator.devices.defective_smets1 import ROWS
from emulator.devices.defective_smets1_homes import ROWS as CONDITIONS
from emulator.devices.defective_smets1_images import ROWS as IMAGES
from emulator.devices.defects import DEFECTS, apply
from emulator.devices.smets1.esme import Smets1Esme, Smets1Gsme
from emulator.devices.smets1.object_model import CosemObject
from tests.emulator.devices.smets1.meter_kit import (
    CLOCK_COLUMN,
    HOUR_MS,
    Person,
    at,
    block_data,
    changed,
    image,
    initiate_data,
    manager,
    member,
    meter,
    moment_of,
    plain,
    stamp,
)
from tests.emulator.devices.smets1.server_kit import (
    EUI64,
    INVOKE,
    MANAGER,
    NOW,
    PUBLIC,
    READER,
    SERIAL_A2,
    keys,
)

SMALL = changed("smets1", profile_entries=30, image__verify="at-once", image__verify_s=0)
TOTAL = member(3, "1-0:1.8.0.255", 2)
LOAD = member(7, "1-0:99.1.0.255", 2)
CLOCK = member(8, "0-0:1.0.0.255", 2)
IMAGE = "0-0:44.0.0.255"
ZERO = Data(Tag.INT8, 0)
OLD = keys().keys
NEW = NewKey(KeyId.UNICAST, bytes(range(16)))
Story = Callable[[Smets1Esme], object]


def public(device: Smets1Esme) -> Person:
    person = Person(device, PUBLIC)
    person.associate()
    return person


def scaler(device: Smets1Esme) -> object:
    return public(device).value(member(3, "1-0:1.8.0.255", 3))


def clock(device: Smets1Esme) -> object:
    person = manager(device)
    person.put(CLOCK, stamp(NOW))
    return person.value(CLOCK)


def clock_set(device: Smets1Esme) -> object:
    person = manager(device)
    result = person.put(CLOCK, stamp(NOW + HOUR_MS))
    return result, person.value(CLOCK)


def serial(device: Smets1Esme) -> object:
    person = public(device)
    return [person.value(SERIAL_A2) for _ in range(2)]


def rates(device: Smets1Esme) -> object:
    person = public(device)
    total = person.value(TOTAL)
    return total - sum(person.value(member(3, f"1-0:1.8.{n}.255", 2)) for n in range(1, 6))


def profile_steps(device: Smets1Esme) -> object:
    rows = public(device).value(LOAD)
    times = [moment_of(row.value[0]) for row in rows]
    return {after - before for before, after in pairwise(times)}


def last_hour(device: Smets1Esme) -> object:
    choice = RangeSelection(CLOCK_COLUMN, stamp(NOW - HOUR_MS), stamp(NOW))
    found = public(device).get(LOAD, selective.selection_of(choice))
    return len(found.value)


def read_out(device: Smets1Esme) -> object:
    total = public(device).value(TOTAL)
    return f"1.8.0({total // 1000:06}.{total % 1000:03}*kWh)" in device.read_out(NOW)


def wrong_password(device: Smets1Esme) -> object:
    person = Person(device, READER)
    good = person.aarq().authentication
    assert good is not None
    return person.request(authentication=replace(good, value=b"00000000")).result


def wrong_reply(device: Smets1Esme) -> object:
    person = Person(device, MANAGER)
    assert person.request().result == 0
    outcome = person.act(member(15, "0-0:40.0.0.255", 1), axdr.octets(bytes(17)))
    return outcome.result, len(device.door.standing)


def rotation(device: Smets1Esme) -> object:
    data = transfer_parameters(OLD.master, [NEW])
    result = manager(device).act(member(64, "0-0:43.0.0.255", 2), data).result
    new = Person(device, MANAGER, held=replace(keys(), keys=with_new_keys(OLD, [NEW])))
    return result, Person(device, MANAGER).request().result, new.request().result


def rollback(device: Smets1Esme) -> object:
    transfer = member(64, "0-0:43.0.0.255", 2)
    manager(device).act(transfer, transfer_parameters(OLD.master, [NEW]))
    new = Person(device, MANAGER, held=replace(keys(), keys=with_new_keys(OLD, [NEW])))
    new.associate()
    back = transfer_parameters(OLD.master, [NewKey(KeyId.UNICAST, OLD.unicast)])
    return new.act(transfer, back).result


def power_loss_in_a_transfer(device: Smets1Esme) -> object:
    person = manager(device)
    octets = image()
    person.act(member(18, IMAGE, 1), initiate_data(len(octets)))
    for number in (0, 1):
        block = block_data(number, octets[number * 200 : (number + 1) * 200])
        person.act(member(18, IMAGE, 2), block)
    device.handle(DeviceEvent.POWER_OFF, None, NOW)
    device.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW + 1000))
    again = manager_again(device)
    return again.value(member(18, IMAGE, 4)), plain_bits(again), again.value(member(18, IMAGE, 6))


def manager_again(device: Smets1Esme) -> Person:
    person = Person(device, MANAGER, now=UtcMs(NOW + 2000))
    person.counters.resume(OLD.unicast, keys().client_title, 50)
    person.associate()
    return person


def plain_bits(person: Person) -> object:
    return person.value(member(18, IMAGE, 3)).octets


def activation_without_verification(device: Smets1Esme) -> object:
    person = manager(device)
    person.act(member(18, IMAGE, 1), initiate_data(200))
    person.act(member(18, IMAGE, 2), block_data(0, image(200)))
    result = person.act(member(18, IMAGE, 4), ZERO).result
    person.wait(31_000)
    return result, device.firmware_text()


def list_with_an_undefined_object(device: Smets1Esme) -> object:
    person = public(device)
    wanted = (SERIAL_A2, member(3, "1-0:1.8.77.255", 2), TOTAL)
    response = person.exchange(GetListRequest(INVOKE, tuple(Attribute(each) for each in wanted)))
    return [getattr(result, "name", "data") for result in response.results]


def the_view(device: Smets1Esme) -> object:
    item = device.tree.find(15, bytes((0, 0, 40, 0, 0, 255)))
    assert isinstance(item, CosemObject)
    found = item.read(2, None, at(device))
    assert isinstance(found, Data)
    listed = [(row[0], row[2]) for row in plain(found)]
    return [each for each in listed if not isinstance(device.tree.find(*each), CosemObject)]


def plain_request(device: Smets1Esme) -> object:
    person = manager(device)
    answer = person.send(apdu_get.encode_request(GetRequest(INVOKE, Attribute(SERIAL_A2))))
    assert answer is not None
    return answer[0] == apdu_exception.TAG


def replayed_request(device: Smets1Esme) -> object:
    person = manager(device)
    top_up = encode(TopUp(100, 1), top_up_key(OLD.authentication, EUI64), EUI64)
    method = member(115, "0-0:19.40.0.255", 1)
    plain_apdu = apdu_action.encode_request(
        apdu_action.ActionRequest(INVOKE, method, axdr.octets(top_up.encode()))
    )
    sealed = person.sealed(plain_apdu)
    person.opened(person.send(sealed))
    answer = person.send(sealed)
    assert answer is not None
    return answer[0] == apdu_exception.TAG


def open_switch(device: Smets1Esme) -> object:
    person = manager(device)
    control = "0-0:96.3.10.255"
    result = person.act(member(70, control, 1), ZERO).result
    return result, person.value(member(70, control, 2)), person.value(member(70, control, 3))


def same_code_twice(device: Smets1Esme) -> object:
    person = manager(device)
    code = encode(TopUp(100, 1), top_up_key(OLD.authentication, EUI64), EUI64)
    method = member(115, "0-0:19.40.0.255", 1)
    return [person.act(method, axdr.octets(code.encode())).result for _ in range(2)]


STORIES: dict[str, Story] = {
    "wrong-scaler": scaler,
    "clock-adrift": clock,
    "any-password": wrong_password,
    "any-key": wrong_reply,
    "keeps-old-key": rotation,
    "rollback-fails": rollback,
    "loses-blocks-on-power-loss": power_loss_in_a_transfer,
    "claims-whole-image": power_loss_in_a_transfer,
    "activates-unverified": activation_without_verification,
    "profile-gap": profile_steps,
    "range-ignored": last_hour,
    "tou-does-not-add-up": rates,
    "list-drops-undefined": list_with_an_undefined_object,
    "view-lies": the_view,
    "plain-in-ciphered": plain_request,
    "accepts-replay": replayed_request,
    "switch-lies": open_switch,
    "topup-twice": same_code_twice,
    "forgets-clock-set": clock_set,
    "wrong-serial": serial,
    "read-out-disagrees": read_out,
}
#: Saboteurs of the meter itself; what is wrong with its lines shows on a line alone.
NAMES = sorted(name for name, (_, methods) in ROWS.items() if "line_defects" not in methods)


@pytest.mark.parametrize("name", NAMES)
def test_a_saboteur_shows(name: str) -> None:
    story = STORIES[name]
    assert story(meter(SMALL, [f"s1-esme-{name}"])) != of_the_right_meter(story)


@pytest.mark.parametrize("name", NAMES)
def test_a_saboteur_shows_in_no_story_of_another_part(name: str) -> None:
    alike = {story for other, story in STORIES.items() if shares(name, other)}
    for story in (scaler, serial, rates, list_with_an_undefined_object, plain_request):
        if story not in alike:
            assert story(meter(SMALL, [f"s1-esme-{name}"])) == of_the_right_meter(story)


@cache
def of_the_right_meter(story: Story) -> object:
    return story(meter(SMALL))


def shares(name: str, other: str) -> bool:
    return name == other or bool(set(ROWS[name][1]) & set(ROWS[other][1]))


def test_what_the_right_meter_does_in_each_story() -> None:
    told = {name: of_the_right_meter(story) for name, story in STORIES.items()}
    assert told["any-password"] == 1
    assert told["keeps-old-key"] == (0, 1, 0)
    assert told["rollback-fails"] == 0
    assert told["loses-blocks-on-power-loss"] == (2, b"\xc0", 1)
    assert told["activates-unverified"] == (250, "10000001")
    assert told["profile-gap"] == {1_800_000}
    assert told["range-ignored"] == 3
    assert told["tou-does-not-add-up"] == 0
    assert told["list-drops-undefined"] == ["data", "OBJECT_UNDEFINED", "data"]
    assert told["view-lies"] == []
    assert told["plain-in-ciphered"] is told["accepts-replay"] is told["read-out-disagrees"] is True
    assert told["switch-lies"] == (0, 0, 0)
    assert told["topup-twice"] == [0, 11]


def test_defects_add_up() -> None:
    device = meter(SMALL, ["s1-esme-wrong-serial", "s1-esme-wrong-scaler"])
    assert serial(device) != serial(meter(SMALL))
    assert scaler(device) != scaler(meter(SMALL))


def test_a_saboteur_is_a_smets1_electricity_meter_s_alone() -> None:
    of_homes = {
        f"s1-{device.value.lower()}-{name}"
        for name, devices, _sentence, _methods in (*CONDITIONS, *IMAGES)
        for device in devices
    }
    of_meters = {f"s1-esme-{name}" for name in ROWS}
    assert not of_homes & of_meters
    assert {name for name, defect in DEFECTS.items() if defect.smets1} == of_homes | of_meters
    with pytest.raises(ValueError, match="belongs to a SMETS1 ESME"):
        apply(Smets1Gsme, "s1-esme-any-password")
    with pytest.raises(ValueError, match="belongs to a ESME"):
        apply(Smets1Esme, "esme-ignores-hash")
    with pytest.raises(ValueError, match="no device defect"):
        meter(SMALL, ["s1-esme-flies"])
