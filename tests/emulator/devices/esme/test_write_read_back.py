"""What a use case writes, every use case that shows it reads back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.codecs.dlms.shapes import make, shape_of
from emulator.codecs.gbcs.dates import NEVER, NOW, encode_date_time
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter, item_of, number, values_of
from tests.emulator.devices.kit import START, codes
from tests.sampling import examples

AT_ONCE, NOT_AFTER_ALL = axdr.octets(NOW), axdr.octets(NEVER)
INT8 = Data(Tag.INT8, 0)
QUICK = settings(max_examples=examples(30), deadline=None)


def activation_of(name: str) -> str | None:
    """The row that lets a passive value come into force."""
    for row in OBJECTS.rows:
        if row.binding in {"activation", "activate"} and name in row.argument.split():
            return row.name
    return None


#: (use case that writes, name written, name read, use case that reads), all there are.
WAYS = [
    (writer, row.name, shown, reader)
    for row in OBJECTS.rows
    if row.binding == "stored" and row.write
    for shown in [row.name.removeprefix("passive_")]
    if shown in OBJECTS.named
    for writer in sorted(row.write)
    for reader in sorted(OBJECTS.named[shown].read)
]


def test_the_ways_go_through_every_family_of_settings() -> None:
    families = {(writer, reader) for writer, _, _, reader in WAYS}
    for pair in (
        ("ECS01a", "ECS24"), ("ECS01b", "ECS24"), ("ECS01c", "ECS24b"), ("ECS02", "ECS26j"),
        ("ECS08", "ECS26a"), ("ECS30", "ECS26d"), ("ECS29a", "ECS26b"),
        ("ECS34", "ECS26f"), ("ECS28a", "ECS27"), ("ECS46a", "ECS61d"), ("ECS81", "ECS26m"),
        ("ECS38", "ECS26c"), ("ECS62", "ECS61c"), ("ECS07", "ECS26a"), ("ECS37", "ECS18b"),
    ):  # fmt: skip
        assert pair in families


@pytest.mark.parametrize(("writer", "written", "shown", "reader"), WAYS)
def test_a_written_value_is_read_back(writer: str, written: str, shown: str, reader: str) -> None:
    @given(values_of(OBJECTS.named[written].type))
    @settings(max_examples=examples(4), deadline=None)
    def holds(value: Data) -> None:
        meter = Meter(phases=3)
        meter.set(writer, **{written: value})
        expected = value
        if written != shown:
            before = meter.read(reader, shown)
            activation = activation_of(shown)
            assert activation is not None
            row = OBJECTS.named[activation]
            meter.set(writer, **{activation: INT8 if row.is_method else AT_ONCE})
            if before.tag is Tag.ARRAY and value.tag is not Tag.ARRAY:
                expected = Data(Tag.ARRAY, (value,))
        assert meter.read(reader, shown) == expected

    holds()


@QUICK
@given(st.integers(1, 300), st.booleans(), values_of("charge"))
def test_a_future_dated_price_comes_into_force_at_its_date(
    hours: int, cancelled: bool, price: Data
) -> None:
    meter = Meter()
    before = meter.read("ECS24", "standing_charge")
    at = axdr.octets(encode_date_time(UtcMs(START + hours * 3_600_000)))
    meter.set("ECS01b", passive_standing_charge=price, standing_charge_activation=at)
    assert meter.read("ECS24", "standing_charge") == before
    if cancelled:
        meter.set("ECS01b", standing_charge_activation=NOT_AFTER_ALL)
    meter.device.load(meter.device.dump())
    effects: list[Effect] = meter.wait(hours * 3_600_000 - 1)
    assert codes(effects) == []
    effects = meter.wait(1)
    assert codes(effects) == ([] if cancelled else [0x00CC])
    assert meter.read("ECS24", "standing_charge") == (before if cancelled else price)


@QUICK
@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_a_balance_is_set_and_adjusted(first: int, change: int) -> None:
    meter = Meter()
    meter.set("ECS04b", meter_balance_set=Data(Tag.INT32, first))
    meter.set("ECS04a", meter_balance_adjust=Data(Tag.INT32, change))
    assert meter.read("ECS82", "meter_balance_millipence") == Data(Tag.INT32, first + change)
    shown = meter.read("ECS19", "prepayment_balances").value
    assert isinstance(shown, tuple)
    assert shown[0] == Data(Tag.INT32, first + change)


@QUICK
@given(st.integers(-1000, 10**6), st.integers(-1000, 10**6), st.integers(-1000, 10**6))
def test_debts_are_adjusted_and_summed(one: int, two: int, three: int) -> None:
    meter = Meter()
    meter.set(
        "ECS07",
        debt_1_adjust=Data(Tag.INT32, one),
        debt_2_adjust=Data(Tag.INT32, two),
        payment_debt_adjust=Data(Tag.INT32, three),
    )
    shown = meter.read("ECS19", "prepayment_balances").value
    assert isinstance(shown, tuple)
    assert [number(part) for part in shown[2:]] == [one, two, three, one + two + three]


@pytest.mark.parametrize(("use_case", "state"), [("ECS42", 1), ("ECS43", 0), ("ECS44", 2)])
def test_the_switch_shows_what_it_was_told(use_case: str, state: int) -> None:
    meter = Meter()
    meter.set(use_case, switch_script=Data(Tag.UINT16, 51))
    assert meter.read("ECS45", "switch_state") == Data(Tag.ENUM, state)


@QUICK
@given(st.text("0123456789", max_size=26))
def test_mpans_are_read_as_written(digits: str) -> None:
    meter = Meter()
    meter.set("ECS39a", import_mpans=axdr.octets(digits.encode()))
    assert meter.read("ECS40", "import_mpans") == axdr.octets(digits.encode())


@QUICK
@given(values_of("flags256"), values_of("flags256"), values_of("flags256"))
def test_alert_bits_change_where_the_mask_says(first: Data, mask: Data, new: Data) -> None:
    def bits(data: Data) -> bytes:
        assert isinstance(data.value, BitString)
        return data.value.octets

    meter = Meter()
    for mask_octets, octets in ((b"\xff" * 32, bits(first)), (bits(mask), bits(new))):
        value = Data(Tag.BIT_STRING, BitString(512, mask_octets + octets))
        meter.set("ECS25a", supplier_alerts_wan_change=value)
    expected = bytes(
        new_ if at else old for old, new_, at in _each_bit(bits(first), bits(new), bits(mask))
    )
    assert _bits_of(bits(meter.read("ECS25r1", "supplier_alerts_wan"))) == expected


def _bits_of(octets: bytes) -> bytes:
    return bytes(octet >> (7 - bit) & 1 for octet in octets for bit in range(8))


def _each_bit(old: bytes, new: bytes, mask: bytes) -> list[tuple[int, int, int]]:
    return list(zip(_bits_of(old), _bits_of(new), _bits_of(mask), strict=True))


def test_a_cleared_log_is_empty() -> None:
    meter = Meter(event_log=[["2024-01-01T00:00:00", 0x8F36]])
    log = OBJECTS.named["event_log"]

    def rows() -> int:
        [result] = meter.ask("ECS35a", [item_of(log)])[0].results
        return len(result.data.value.rows)  # type: ignore[union-attr] # a compact array

    assert rows() == 1
    meter.set("ECS15a", event_log_reset=INT8)
    assert rows() == 0


def test_a_reset_counter_is_zero() -> None:
    meter = Meter(phases=3, under_voltage_counter_2=17)
    assert meter.read("ECS23b", "under_voltage_counter_2") == Data(Tag.UINT32, 17)
    meter.set("ECS29f", under_voltage_counter_2_reset=INT8)
    assert meter.read("ECS23b", "under_voltage_counter_2") == Data(Tag.UINT32, 0)


def test_the_clock_is_right_when_it_shows_a_time_within_the_interval() -> None:
    meter = Meter()
    meter.device.clock_reliable = False
    for first, last, status in ((5, 10, 2), (-10, 10, 0), (-10, -5, 2)):
        ends = [encode_date_time(UtcMs(START + seconds * 1000)) for seconds in (first, last)]
        preset = axdr.structure(axdr.octets(NEVER), *map(axdr.octets, ends))
        meter.set("ECS70", clock_base=Data(Tag.ENUM, 5), clock_preset=preset, clock_adjust=INT8)
        assert meter.read("ECS70", "clock_status") == Data(Tag.UINT8, status)
        assert meter.read("ECS70", "time") == axdr.octets(encode_date_time(meter.now))


def test_a_controller_shows_its_level_and_logs_its_order() -> None:
    meter = Meter()
    dates = {f"aux_controller_3_{end}": AT_ONCE for end in ("begin", "end")}
    meter.set("ECS47a", **dates, controller_script=Data(Tag.UINT16, 0x2332))
    assert meter.read("ECS61e", "aux_controller_3_report") == Data(Tag.UTF8, b"50%")
    assert meter.read("ECS61a", "aux_controller_3_on") == Data(Tag.BOOLEAN, 0xFF)
    meter.set("ECS47", controller_script=Data(Tag.UINT16, 0x0320))
    assert meter.read("ECS61a", "aux_controller_3_on") == Data(Tag.BOOLEAN, 0)


def test_emergency_credit_is_for_prepayment_customers_and_given_once() -> None:
    meter = Meter()
    row = OBJECTS.named["emergency_credit_invoke"]
    assert meter.ask("ECS09", [item_of(row, INT8)])[0].results[0].result == 1
    mode = make(shape_of("payment_mode"), [2, 2])
    meter.set("ECS03", passive_payment_mode=mode, account_activation=AT_ONCE)
    meter.set("ECS04b", meter_balance_set=Data(Tag.INT32, 0))
    assert meter.ask("ECS09", [item_of(row, INT8)])[0].results[0].result == 0
    assert meter.ask("ECS09", [item_of(row, INT8)])[0].results[0].result == 1
