"""A meter's life: power, logs, read-out, dump and load at any moment; the SMETS2+ meter."""

import json
from collections.abc import Callable

import pytest

from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_get import GetRequest
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.mode_e import data_sets, decode_read_out, encode_read_out
from emulator.codecs.zcl import basic, metering
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Note
from emulator.core.errors import IllegalEventError
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters
from emulator.crypto.dlms_keys import KeyId
from emulator.devices.consumption import Kind
from emulator.devices.esme.esme import Esme
from emulator.devices.esme.han_metering import INSTANTANEOUS_DEMAND
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.logs import EventCode, EventLog
from tests.emulator.devices.kit import build as smets2
from tests.emulator.devices.smets1.meter_kit import (
    DAY_MS,
    HOUR_MS,
    Person,
    at,
    block_data,
    image,
    initiate_data,
    made,
    manager,
    member,
    meter,
    pass_time,
    plain,
    read,
    stamp,
)
from tests.emulator.devices.smets1.server_kit import (
    INVOKE,
    MANAGER,
    NOW,
    PUBLIC,
    READER,
    keys,
)

CLOCK = member(8, "0-0:1.0.0.255", 2)
VIEW = member(15, "0-0:40.0.0.255", 2)
SECURITY_LOG, EVENT_LOG = member(7, "0-0:99.98.1.255", 2), member(7, "0-0:99.98.0.255", 2)


def test_a_new_meter_is_off_and_answers_nobody() -> None:
    device = made()
    assert device.handle(DeviceEvent.TIMER, "credit.check", NOW) == []
    assert Person(device, PUBLIC).send(b"\x60") is None
    with pytest.raises(IllegalEventError):
        device.handle(DeviceEvent.POWER_OFF, None, NOW)


def test_power_is_logged_and_told() -> None:
    device = made()
    assert device.handle(DeviceEvent.POWER_ON, None, NOW) == [Note("power", (("on", True),))]
    device.handle(DeviceEvent.POWER_OFF, None, UtcMs(NOW + 1000))
    device.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW + 2000))
    events = [(row.code, row.shown - NOW) for row in device.logs["events"].rows]
    assert events == [(2, 0), (1, 1000), (2, 2000)]
    rows = [plain(row) for row in read(device, EVENT_LOG, UtcMs(NOW + 3000))]
    assert [code for _, code in rows] == [2, 1, 2]
    assert read(device, member(1, "0-0:96.11.0.255", 2)) == 2


def test_the_security_log_tells_who_came_and_who_was_refused() -> None:
    device = meter()
    Person(device, PUBLIC).associate()  # proves nothing: no news
    Person(device, READER).associate()
    stranger = Person(device, READER)
    stranger.held = keys()
    request = stranger.aarq()
    assert request.authentication is not None
    liar = Person(device, 99)
    assert liar.request().result != 0
    person = manager(device)
    assert person.send(b"\xc0\x01\xc1\x00") is not None  # plain in a ciphered association
    assert [row.code for row in device.logs["security"].rows] == [
        EventCode.ASSOCIATION_OPENED, EventCode.ASSOCIATION_REFUSED,
        EventCode.ASSOCIATION_OPENED, EventCode.APDU_REFUSED,
    ]  # fmt: skip
    assert [plain(row)[1] for row in read(device, SECURITY_LOG)] == [61, 60, 61, 62]


def test_a_wrong_reply_to_the_challenge_is_logged_as_a_refusal() -> None:
    device = meter()
    person = Person(device, MANAGER)
    assert person.request().result == 0
    outcome = person.act(member(15, "0-0:40.0.0.255", 1), axdr.octets(bytes(17)))
    assert outcome.result != 0
    assert device.logs["security"].rows[-1].code == EventCode.ASSOCIATION_REFUSED


def test_a_log_holds_the_latest_events() -> None:
    log = EventLog(3)
    for number in range(5):
        log.enter(number, UtcMs(number), UtcMs(number))
    assert [row.code for row in log.rows] == [2, 3, 4]
    assert log.last(UtcMs(3)) == 3
    assert log.last(UtcMs(1)) == EventCode.NONE


# -- the read-out ----------------------------------------------------------------------------------


def test_the_read_out_is_a_data_block_that_agrees_with_dlms() -> None:
    device = meter()
    block = device.read_out(NOW)
    assert decode_read_out(encode_read_out(block)) == block
    found = {item.address: (item.value, item.unit) for item in data_sets(block)}
    assert found["0.0.0"] == (read(device, member(1, "0-0:96.1.0.255", 2)).decode(), None)
    assert found["0.2.0"] == ("10000001", None)
    assert (found["0.9.1"], found["0.9.2"]) == (("120000", None), ("240601", None))
    for register in ("1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.8.1", "1.8.4"):
        value = read(device, member(3, f"1-0:{register}.255", 2))
        assert found[register][0] == f"{value // 1000:06}.{value % 1000:03}"
    volts = read(device, member(3, "1-0:32.7.0.255", 2))
    assert found["32.7.0"] == (f"{volts // 10}.{volts % 10}", "V")


def test_instantaneous_values_go_together() -> None:
    device = meter()
    power, volts, amps = (
        read(device, member(3, f"1-0:{name}.7.0.255", 2)) for name in ("1", "32", "31")
    )
    assert abs(power - volts * amps / 1000) < 3
    shapes = [plain_value(device, f"1-0:{name}.7.0.255") for name in ("1", "32", "31")]
    assert shapes == [(0, 27), (-1, 35), (-2, 33)]


def plain_value(device: Smets1Esme, obis: str) -> tuple[int, int]:
    scaler, unit = read(device, member(3, obis, 3))
    return scaler.value, unit.value


def test_maximum_demand_is_the_highest_half_hour_until_it_is_reset() -> None:
    device = meter()
    demand, when = member(4, "1-0:1.6.0.255", 2), member(4, "1-0:1.6.0.255", 5)
    later = UtcMs(NOW + 2 * DAY_MS)
    month = UtcMs(NOW - 12 * HOUR_MS)  # the first of June
    assert read(device, demand, later) == device.consumption.most_w(month, later)[0]
    moment = axdr.octets(read(device, when, later))
    assert moment == stamp(device.consumption.most_w(month, later)[1])
    person = manager(device, now=later)
    assert person.act(member(4, "1-0:1.6.0.255", 1), Data(Tag.INT8, 0)).result == 0
    assert person.value(demand) == 0
    end = UtcMs(later + 5 * HOUR_MS)
    assert read(device, demand, end) == device.consumption.most_w(later, end)[0]
    assert device.logs["events"].last(later) == EventCode.BILLING_RESET
    assert read(device, demand, later) == 0  # asked about the past, after the future


# -- dump and load, in the midst of everything -----------------------------------------------------


def in_an_association(device: Smets1Esme) -> None:
    Person(device, READER).associate()


def with_hls_pending(device: Smets1Esme) -> None:
    assert Person(device, MANAGER).request().result == 0


def in_a_block_transfer(device: Smets1Esme) -> None:
    person = manager(device)
    person.exchange(GetRequest(INVOKE, Attribute(VIEW)))


def in_an_image(device: Smets1Esme) -> None:
    octets = image()
    person = manager(device)
    person.act(member(18, "0-0:44.0.0.255", 1), initiate_data(len(octets)))
    size = device.image.section.block_bytes
    block = block_data(3, octets[3 * size : 4 * size])
    assert person.act(member(18, "0-0:44.0.0.255", 2), block).result == 0


def with_keys_changed(device: Smets1Esme) -> None:
    new = NewKey(KeyId.UNICAST, bytes(16))
    manager(device).act(
        member(64, "0-0:43.0.0.255", 2), transfer_parameters(keys().keys.master, [new])
    )


def with_the_clock_set(device: Smets1Esme) -> None:
    assert manager(device).put(CLOCK, stamp(NOW + 777_000)) is DataAccessResult.SUCCESS


def in_prepayment_with_the_switch_open(device: Smets1Esme) -> None:
    person = manager(device)
    prepaid = axdr.structure(Data(Tag.ENUM, 2), Data(Tag.ENUM, 2))
    person.put(member(111, "0-0:19.0.0.255", 2), prepaid)
    person.act(member(112, "0-0:19.10.0.255", 2), Data(Tag.INT32, 1000))
    person.wait(2 * HOUR_MS)
    assert not device.switch.closed


def with_a_limit(device: Smets1Esme) -> None:
    person = manager(device)
    person.put(member(71, "0-0:17.0.0.255", 4), Data(Tag.UINT32, 1))


def without_power(device: Smets1Esme) -> None:
    device.handle(DeviceEvent.POWER_OFF, None, UtcMs(NOW + 500))


def after_refusals(device: Smets1Esme) -> None:
    Person(device, 99).request()
    manager(device).act(member(115, "0-0:19.40.0.255", 1), axdr.octets(b"1"))


STORIES: tuple[Callable[[Smets1Esme], None], ...] = (
    in_an_association, with_hls_pending, in_a_block_transfer, in_an_image, with_keys_changed,
    with_the_clock_set, in_prepayment_with_the_switch_open, with_a_limit, without_power,
    after_refusals,
)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "story"),
    [
        *(("smets1", story) for story in STORIES),
        *(("smets1-quirks", story) for story in (in_a_block_transfer, in_an_image)),
    ],
    ids=lambda item: getattr(item, "__name__", item),
)
def test_a_dump_in_the_midst_of_anything_goes_on_the_same(
    model: str, story: Callable[[Smets1Esme], None]
) -> None:
    device, other = meter(model), made(model, now=UtcMs(NOW + 40 * DAY_MS))
    story(device)
    state = json.loads(json.dumps(device.dump()))
    other.load(state)
    assert other.dump() == state
    assert other.rows() == device.rows()
    later = UtcMs(NOW + 9 * HOUR_MS)
    for each in (device, other):
        pass_time(each, later)
    assert other.dump() == device.dump()
    for item in device.tree.objects():
        for index in item.attributes():
            if item.class_id == 7 and index == 2:
                continue
            assert value(other, item.name, index, later) == value(device, item.name, index, later)


def value(device: Smets1Esme, name: str, index: int, now: UtcMs) -> object:
    item = device.tree.named(name)
    assert item is not None
    return item.read(index, None, at(device, now))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"meter": None}, r"state\.meter"),
        ({"meter": {}}, r"state\.meter\.consumption"),
        ({"device_type": "GSME"}, "device_type"),
    ],
)
def test_a_state_that_is_not_its_own_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(IllegalEventError, match=why):
        made().load({**meter().dump(), **change})  # type: ignore[dict-item]  # broken on purpose


def test_rows_tell_a_reader_what_matters_and_no_secret() -> None:
    rows = meter().rows()
    assert rows["model"] == "Birchwell Wick Open"
    assert (rows["firmware"], rows["switch"], rows["payment"]) == ("10000001", "on", "credit")
    assert rows["last event"].startswith("power_up 2024-06-01T12:00")
    assert not any(secret.decode() in repr(rows) for secret in keys().secrets.values())


# -- the SMETS2+ meter has a household, too --------------------------------------------------------


def test_the_smets2_meter_serves_its_household_s_register_and_power() -> None:
    device = smets2(Esme.device_type, Esme)
    assert isinstance(device, Esme)
    assert device.attributes(metering.CLUSTER, NOW) == {}
    device.handle(DeviceEvent.POWER_ON, None, NOW)
    assert device.consumption is not None
    for later in (0, HOUR_MS, DAY_MS):
        now = UtcMs(NOW + later)
        served = device.attributes(metering.CLUSTER, now)
        total = served[MeteringAttribute.CURRENT_SUMMATION_DELIVERED].value
        assert total == device.consumption.energy_wh(Kind.IMPORT, now)
        assert served[INSTANTANEOUS_DEMAND].value == device.consumption.power_w(now)
    assert device.attributes(basic.CLUSTER, NOW)
    energy = device.consumption.energy_wh(Kind.IMPORT, NOW)
    assert device.rows()["import register"] == f"{energy // 1000}.{energy % 1000:03} kWh"


def test_the_smets2_meter_s_register_stands_still_without_power_or_supply() -> None:
    device = smets2(Esme.device_type, Esme)
    assert isinstance(device, Esme)
    device.handle(DeviceEvent.POWER_ON, None, NOW)
    device.switch = SupplyState.OFF
    device.handle(DeviceEvent.TIMER, "none", UtcMs(NOW + HOUR_MS))
    assert device.consumption is not None
    stood = device.consumption.energy_wh(Kind.IMPORT, UtcMs(NOW + HOUR_MS))
    assert device.consumption.energy_wh(Kind.IMPORT, UtcMs(NOW + DAY_MS)) == stood
    device.switch = SupplyState.ON
    device.handle(DeviceEvent.TIMER, "none", UtcMs(NOW + DAY_MS))
    device.handle(DeviceEvent.POWER_OFF, None, UtcMs(NOW + 2 * DAY_MS))
    device.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW + 3 * DAY_MS))
    used = [device.consumption.energy_wh(Kind.IMPORT, UtcMs(NOW + n * DAY_MS)) for n in range(5)]
    assert used[1] < used[2] == used[3] < used[4]
    other = smets2(Esme.device_type, Esme)
    other.load(json.loads(json.dumps(device.dump())))
    assert other.dump() == device.dump()
    assert other.rows() == device.rows()
