"""A meter holds so many future-dated commands as its profile says, and no more."""

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import HARDWARE_FAULT
from emulator.codecs.gbcs.dates import NEVER, encode_date_time
from emulator.codecs.zcl.foundation import Status
from emulator.codecs.zcl.price import PublishCalorificValue, PublishConversionFactor
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.devices.consumption import DAY_MS
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter, item_of
from tests.emulator.devices.gas.gas_kit import Home
from tests.emulator.devices.gas.test_gas_write_read_back import PRICE, tariff
from tests.emulator.devices.kit import START, profile_of

TOMORROW = UtcMs(START + DAY_MS)
NAMES = (
    ("ECS28a", "load_limit_supply_state_activation"),
    ("ECS46c", "controller_calendar_activation"),
)


def dated_result(meter: Meter, use_case: str, *names: str, at: bytes | None = None) -> list[int]:
    date = axdr.octets(encode_date_time(TOMORROW) if at is None else at)
    response, _ = meter.ask(use_case, [item_of(OBJECTS.named[name], date) for name in names])
    return [one.result for one in response.results]


def test_an_electricity_meter_takes_no_command_above_its_limit() -> None:
    meter = Meter()
    limit = meter.device.profile.limits.future_dated_commands
    meter.device.profile = profile_of(meter.device.device_type, limits__future_dated_commands=1)
    assert limit > 1
    prices = ("price_matrix_activation", "standing_charge_activation")
    assert dated_result(meter, "ECS01b", *prices) == [0, 0]  # two dates of one command
    meter.device.load(meter.device.dump())
    use_case, name = NAMES[0]
    assert dated_result(meter, use_case, name) == [HARDWARE_FAULT]
    assert {one.name for one in meter.device.model.pending} == set(prices)
    assert dated_result(meter, "ECS01b", *prices, at=NEVER) == [0, 0]
    assert dated_result(meter, use_case, name) == [0]


def conversion(start_s: int) -> list[object]:
    return [
        (PRICE, PublishConversionFactor(7, start_s, 99_000, 0x50)),
        (PRICE, PublishCalorificValue(7, start_s, 40, 1, 0x10)),
    ]


def test_a_gas_meter_takes_no_command_above_its_limit() -> None:
    home = Home()
    meter, at = home.meter, to_zigbee_seconds(TOMORROW)
    assert meter.profile.limits.future_dated_commands > 1
    meter.profile = profile_of(meter.device_type, limits__future_dated_commands=1)
    assert home.ask("GCS01b", *tariff(at, [1, 2, 3, 4], 5)) == [0, 0]  # two dates of one command
    first, *_ = home.ask("GCS23", *conversion(at))
    assert first == Status.INSUFFICIENT_SPACE
    assert {one.command for one in meter.model.pending} == {
        one.command for one in home.hub.gpf.model.pending
    }
    assert len(meter.model.pending) == 2
    assert home.ask("GCS23", *conversion(0)) == [0, 0]  # at once needs no room
    assert home.ask("GCS01b", *tariff(0xFFFFFFFF, [1, 2, 3, 4], 5)) == [0, 0]
    assert home.ask("GCS23", *conversion(at)) == [0, 0]
    home.wait(DAY_MS + 1000)
    assert meter.model.pending == []


def test_a_gas_meter_as_it_is_holds_as_many_commands_as_its_profile_says() -> None:
    home = Home()
    at = to_zigbee_seconds(TOMORROW)
    assert home.ask("GCS01b", *tariff(at, [1, 2, 3, 4], 5)) == [0, 0]
    assert home.ask("GCS23", *conversion(at)) == [0, 0]
