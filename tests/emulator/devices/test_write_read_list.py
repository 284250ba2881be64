"""Issue 7's list of what is written and read back, where no other test draws random values.

Elsewhere: 1.1.1, 1.6, 2.1, 2.2 of gas, 6.8, 7.x by `test_write_read_back` and its gas twin
(1.6 and 7.x take all there are), 6.15.1 by `test_credentials_own_keys` and the credentials
machine, 8.11 by the hub's machine.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.words import SupplyState
from emulator.codecs import der
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.asn1_parts import time_node
from emulator.codecs.gbcs.dates import NEVER, encode_date_time
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl.device_management import ClearEventLog, ClearEventLogResponse, UpdateSiteId
from emulator.codecs.zcl.events import GetEventLog
from emulator.core.clock import UtcMs
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter, item_of, number
from tests.emulator.devices.esme.prepayment_kit import (
    balance,
    prepaying,
    result_of,
    shown,
    top_up,
)
from tests.emulator.devices.gas.gas_kit import Home
from tests.emulator.devices.kit import GPF, GSME, START, command, messages
from tests.emulator.devices.test_ppmid_screen import Home as Screen
from tests.sampling import examples

FEW = settings(max_examples=examples(4), deadline=None)
MANAGEMENT, EVENTS = 0x0708, 0x0709


@FEW
@given(pence=st.integers(1, 3000), counter=st.integers(2, 500), before=st.integers(0, 10**6))
def test_2_2_a_top_up_of_an_esme_is_read_by_4_18_and_seen_at_the_ppmid(
    pence: int, counter: int, before: int
) -> None:
    meter = prepaying(meter_balance_millipence=before, max_balance_millipence=2**31 - 1)
    meter.set("ECS04b", meter_balance_set=Data(Tag.INT32, before))
    assert result_of(top_up(meter, counter, pence)) == 0
    assert balance(meter) == shown(meter)[0] == before + pence * 1000
    assert Screen(meter).look()["electricity balance"] == f"{before / 1000 + pence:.2f} p"


@FEW
@given(first=st.integers(-100, 100), length=st.integers(0, 100))
def test_6_11_the_clock_of_an_esme_is_right_within_the_interval_alone(
    first: int, length: int
) -> None:
    meter = Meter()
    ends = [encode_date_time(UtcMs(START + seconds * 1000)) for seconds in (first, first + length)]
    preset = axdr.structure(axdr.octets(NEVER), *map(axdr.octets, ends))
    meter.set(
        "ECS70", clock_base=Data(Tag.ENUM, 5), clock_preset=preset, clock_adjust=Data(Tag.INT8, 0)
    )
    right = first <= 0 <= first + length
    assert meter.read("ECS70", "clock_status") == Data(Tag.UINT8, 0 if right else 2)
    assert meter.device.clock_reliable is right


@FEW
@given(first=st.integers(-100, 100), length=st.integers(0, 100))
def test_6_11_the_clock_of_a_gas_meter_is_right_within_the_interval_alone(
    first: int, length: int
) -> None:
    home = Home()
    ends = [time_node(UtcMs(home.now + seconds * 1000)) for seconds in (first, first + length)]
    sent = command(MessageCode.GCS28, GSME, der.encode(der.sequence(*ends)), counter=2000)
    answered = [envelope.decode(one).payload for one in messages(home.through(sent, GSME))]
    right = first <= 0 <= first + length
    assert len(answered) == 1
    assert home.meter.clock_reliable is right
    assert (answered[0].hex()[-2:] == "00") is right


@FEW
@given(st.binary(min_size=0, max_size=10), st.binary(min_size=1, max_size=10))
def test_6_20_1_an_mprn_is_read_by_6_2_7_at_meter_and_mirror(before: bytes, mprn: bytes) -> None:
    home = Home()
    for one in (before, mprn):
        assert home.ask("GCS41", (MANAGEMENT, UpdateSiteId(7, 0, 0, one))) == [0]
        for device in (GSME, GPF):
            assert home.read("GCS46", "mprn", to=device) == [one]


@FEW
@given(st.lists(st.integers(0x8000, 0x8FFF), min_size=1, max_size=20))
def test_3_3_a_cleared_event_log_of_an_esme_is_read_empty_by_6_13(codes: list[int]) -> None:
    meter = Meter()
    log, security = OBJECTS.named["event_log"], OBJECTS.named["security_log"]
    for code in codes:
        meter.device.log(code, "made up", meter.now)
        meter.device.log(code, "made up", meter.now, security=True)

    def read(use_case: str, row: object) -> list[int]:
        [result] = meter.ask(use_case, [item_of(row)])[0].results  # type: ignore[arg-type] # a row
        return [number(row[1]) for row in rows_of(result.data)]

    def rows_of(data: Data) -> list[tuple[Data, ...]]:
        return [row.value for row in data.value.rows]  # type: ignore[union-attr, misc] # compact

    kept = meter.device.profile.limits.event_log_entries
    assert read("ECS35a", log)[-len(codes) :] == codes[-kept:]
    before = read("ECS35b", security)
    meter.set("ECS15a", event_log_reset=Data(Tag.INT8, 0))
    assert read("ECS35a", log) == []
    assert read("ECS35b", security) == before


@FEW
@given(st.lists(st.integers(0x8000, 0x8FFF), min_size=1, max_size=8))
def test_3_3_a_cleared_event_log_of_a_gas_meter_is_read_empty_by_6_13(codes: list[int]) -> None:
    home = Home()
    for code in codes:
        home.meter.log(code, "made up", home.now)
    asked = (EVENTS, GetEventLog(0, 3, 0, 0, 0xFFFFFFFF, 0, 0))
    [told] = home.ask("CS10a", asked)
    assert sorted(one[1] for one in told.events) == sorted(codes)
    assert home.ask("CS11", (EVENTS, ClearEventLog(3))) == [ClearEventLogResponse(8)]
    assert home.ask("CS10a", asked) == [0x8B]


@FEW
@given(st.lists(st.sampled_from(["ECS42", "ECS43", "ECS44"]), min_size=1, max_size=5))
def test_7_x_the_last_order_is_read_by_7_4_and_seen_at_the_ppmid(orders: list[str]) -> None:
    meter = prepaying()
    due = {"ECS42": SupplyState.ON, "ECS43": SupplyState.OFF, "ECS44": SupplyState.ARMED}
    words = {"ECS42": "on", "ECS43": "off", "ECS44": "off, armed"}
    for use_case in orders:
        meter.set(use_case, switch_script=Data(Tag.UINT16, 52))
    assert meter.device.switch is due[orders[-1]]
    seen = Screen(meter).look()["electricity supply"]
    assert seen.replace("_", ", ").startswith(words[orders[-1]][:3])
    assert (seen == "on") is (orders[-1] == "ECS42")
