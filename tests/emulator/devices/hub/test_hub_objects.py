"""The hub answers for its identity, its logs and its network below 1 GHz out of its own state."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings

from device_profiles.words import DeviceType
from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    Operation,
    parse_obis,
)
from emulator.codecs.dlms.axdr import NULL, BitString, CompactArray, Data, Tag
from emulator.codecs.dlms.selective import CaptureObject, RangeSelection, selection_of
from emulator.codecs.gbcs.alerts import decode_dlms_alert
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.named_objects import SUB_GHZ
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, SetTimer
from emulator.devices.chf import sub_ghz
from emulator.devices.chf.chf import Chf
from emulator.devices.chf.values import made_of
from emulator.devices.log_selection import CLOCK_COLUMN
from tests.emulator.devices.esme.esme_kit import values_of
from tests.emulator.devices.hub import hub_pairs
from tests.emulator.devices.hub.hub_pairs import answered, compare, device_of, pairs
from tests.emulator.devices.kit import (
    ACB,
    CHF,
    START,
    SUPPLIER,
    build,
    codes,
    command,
    messages,
    opened,
)
from tests.emulator.devices.rtds_kit import (
    NOW,
    as_csv,
    assert_holds_no_message,
    given,
    summary,
)
from tests.given import needs_rtds
from tests.sampling import examples

C = MessageCode
CONFIGURATION = "0-0:94.44.10.0"


# -- against the given messages --------------------------------------------------------------------


@needs_rtds
def test_the_pairs_are_answered_as_the_list_says() -> None:
    outcomes = [compare(pair) for pair in pairs()]
    assert as_csv(outcomes) == hub_pairs.LIST.read_text("utf-8")
    assert all(equal == total for equal, total in summary(outcomes).values())


@needs_rtds
def test_a_new_configuration_is_told_as_given() -> None:
    made = device_of("DBCH04_6.28_SUCCESS")
    made.next_counter = 4000
    made.sub_ghz.channel = 0xE0000002  # one that stays allowed
    sent = messages(answered(made, given("DBCH04_6.28_SUCCESS_COMMAND")))
    assert sent[1:] == [given("DBCH04_6.28_NA_SUCCESS_ALERT_DBCH09")]


@needs_rtds
def test_the_outcome_of_a_scan_request_is_told_as_given() -> None:
    made = device_of("scan")
    made.next_counter = 4000
    assert messages(sub_ghz.scan_requested(made, NOW)) == [given("DBCH08_NA_8F28_ALERT")]


def plain_values() -> Iterator[tuple[str, Any]]:
    read = tomllib.loads((hub_pairs.HERE / "rtds-chf.toml").read_text("utf-8"))
    yield from read["attributes"].items()
    for told in hub_pairs.stories().values():
        yield from told.get("attributes", {}).items()


@needs_rtds
def test_no_value_is_or_hides_a_part_of_a_message() -> None:
    assert_holds_no_message(plain_values())


def test_the_values_are_typed() -> None:
    for name, plain in plain_values():
        axdr.encode(made_of(name, plain))


# -- a hub of any home -----------------------------------------------------------------------------


class Hub:
    """A running hub and a counter for the commands to it."""

    def __init__(self) -> None:
        made = build(DeviceType.CHF)
        assert isinstance(made, Chf)
        self.device = made
        self.device.handle(DeviceEvent.POWER_ON, None, START)
        self.counter = 1000

    def send(self, code: MessageCode, item: AccessItem) -> list[Effect]:
        self.counter += 1
        request = access.encode_request(AccessRequest(invoke_id(self.counter), (item,)))
        message = command(
            code, CHF, request, counter=self.counter, originator=ACB, supplementary=SUPPLIER
        )
        return self.device.handle(DeviceEvent.WAN, message, START)

    def ask(self, code: MessageCode, item: AccessItem) -> AccessResult:
        effects = self.send(code, item)
        [answer] = [one for one in opened(effects) if one.envelope.header.cra is Cra.RESPONSE]
        value = decode_payload(answer.row, Cra.RESPONSE, answer.envelope.payload)
        assert isinstance(value, AccessResponse)
        return value.results[0]


def get(obis: str, data: Data | None = None) -> AccessItem:
    operation = Operation.GET if data is None else Operation.SET
    return AccessItem(operation, 1, parse_obis(obis), 2, NULL if data is None else data)


def log_item(obis: str) -> AccessItem:
    ends = Data(Tag.UINT32, 0), Data(Tag.UINT32, 0xFFFF_FFFF)
    selection = selection_of(RangeSelection(CaptureObject(*CLOCK_COLUMN), *ends))
    return AccessItem(Operation.GET_SELECTED, 7, parse_obis(obis), 2, NULL, selection)


def mask(channels: int) -> Data:
    return Data(Tag.BIT_STRING, BitString(32, channels.to_bytes(4, "big")))


def configuration(first_mask: int) -> Data:
    settings_ = made_of("sub_ghz_configuration", ["0" * 32] * 4 + [0] * 11).value
    assert isinstance(settings_, tuple)
    return Data(Tag.STRUCTURE, (mask(first_mask), *settings_[1:]))


@for_all(settings_=values_of(SUB_GHZ))
@settings(max_examples=examples(40), deadline=None)
def test_any_configuration_that_is_set_is_read_again(settings_: Data) -> None:
    hub = Hub()
    assert hub.ask(C.DBCH04, get(CONFIGURATION, settings_)).result == 0
    assert hub.ask(C.DBCH03, get(CONFIGURATION)).data == settings_
    assert build_again(hub).values.find("sub_ghz_configuration") == settings_


def build_again(hub: Hub) -> Chf:
    made = build(DeviceType.CHF)
    made.load(hub.device.dump())
    assert made.dump() == hub.device.dump()
    assert isinstance(made, Chf)
    return made


def test_a_channel_that_is_not_allowed_any_more_is_left_logged_and_told() -> None:
    hub = Hub()
    effects = hub.send(C.DBCH04, get(CONFIGURATION, configuration(0xF000_0010)))
    assert codes(effects) == [C.DBCH04, C.DBCH09, C.DBCH07]
    assert hub.ask(C.DBCH01, get("0-0:94.44.10.2")).data == mask(0xF000_0010)
    log = hub.ask(C.DBCH02, log_item("0-0:94.44.10.3")).data.value
    assert isinstance(log, CompactArray)
    assert len(log.rows) == 1
    [told] = [one for one in opened(effects) if one.row.code == C.DBCH07]
    assert decode_dlms_alert(told.envelope.payload).content == (mask(0xF000_0010),)


def test_a_scan_finds_the_quietest_of_the_allowed_channels() -> None:
    hub = Hub()
    hub.send(C.DBCH04, get(CONFIGURATION, configuration(0xE7FF_FFFF)))
    effects = hub.send(C.DBCH05, get("0-0:94.44.10.1", Data(Tag.UINT8, 0)))
    assert codes(effects) == [C.DBCH05, C.DBCH08]
    [timer] = [one for one in effects if isinstance(one, SetTimer)]
    later = UtcMs(timer.at + 3_600_000 * 5)
    hub.device.handle(DeviceEvent.TIMER, sub_ghz.SCAN_TIMER, later)
    allowed = sub_ghz.enabled(hub.device)
    assert len(allowed) == 27
    used = sub_ghz.in_use(hub.device)
    assert sub_ghz.traffic(CHF, used, later) == min(
        sub_ghz.traffic(CHF, one, later) for one in allowed
    )


def outcome_of(effects: list[Effect]) -> Data:
    [told] = [one for one in opened(effects) if one.row.code == C.DBCH08]
    value = decode_dlms_alert(told.envelope.payload).content[0].value
    assert isinstance(value, tuple)
    return value[0]


def test_a_scan_is_not_begun_twice_nor_without_channels() -> None:
    hub, ask = Hub(), get("0-0:94.44.10.1", Data(Tag.UINT8, 1))
    assert outcome_of(hub.send(C.DBCH05, ask)) == axdr.octets(b"\0")
    assert outcome_of(hub.send(C.DBCH05, ask)) == axdr.octets(b"\1")
    hub.device.handle(DeviceEvent.TIMER, sub_ghz.SCAN_TIMER, UtcMs(START + sub_ghz.SCAN_MS))
    assert outcome_of(hub.send(C.DBCH05, ask)) == axdr.octets(b"\0")
    other = Hub()
    other.send(C.DBCH04, get(CONFIGURATION, configuration(0xE000_0000)))
    assert outcome_of(other.send(C.DBCH05, ask)) == axdr.octets(b"\1")


def test_what_the_hub_lived_through_is_in_its_logs() -> None:
    hub = Hub()
    hub.device.log(0x8F1C, "invented", START, security=True)
    hub.device.log(0x8183, "invented", START)
    for code, obis, event in ((C.ECS35C, "0", 0x8183), (C.ECS35D, "1", 0x8F1C)):
        rows = hub.ask(code, log_item(f"0-0:99.98.{obis}.255")).data.value
        assert isinstance(rows, CompactArray)
        last = rows.rows[-1].value
        assert isinstance(last, tuple)
        assert last[1].value == event


@pytest.mark.parametrize(
    ("code", "item"),
    [
        (C.ECS35C, log_item("0-0:99.98.1.255")),
        (C.ECS26N, get("0-0:96.1.1.255")),
        (C.DBCH03, get(CONFIGURATION, configuration(0))),
        (C.DBCH04, get(CONFIGURATION, mask(0))),
        (C.DBCH05, get("0-0:94.44.10.1", mask(0))),
    ],
)
def test_what_a_use_case_has_not_is_a_hardware_fault(code: MessageCode, item: AccessItem) -> None:
    hub = Hub()
    before = hub.device.values.dump()
    assert hub.ask(code, item).result == access.HARDWARE_FAULT
    assert hub.device.values.dump() == before


def test_a_member_that_no_hub_has_cannot_be_broken() -> None:
    with pytest.raises(ValueError, match="no member"):
        Hub().device.inject("object:1/0-0:1.1.1.255/a2")
