"""What people do at meters and displays: codes, emergency credit, the boost button, the PIN."""

from typing import Any

import pytest

from device_profiles.words import DeviceType, SupplyState
from emulator.codecs.dlms.axdr import CompactArray, Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.devices.esme import privacy
from emulator.devices.esme.model.readings import level_of
from emulator.devices.hands import Handled, HandOrderError, by_hand
from tests.emulator.devices.esme.esme_kit import Meter
from tests.emulator.devices.esme.prepayment_kit import (
    POUND,
    balance,
    events,
    prepaying,
    run_half_hours,
    token,
)
from tests.emulator.devices.kit import powered

MINUTE_MS = 60_000


def press(meter: Meter, order: str) -> Handled:
    return by_hand(meter.device, order, meter.now)


def test_digits_alone_are_a_code_and_are_taken_once() -> None:
    meter = prepaying()
    before = balance(meter)
    assert press(meter, token(3, 500)).done
    assert balance(meter) == before + 5 * POUND
    again = press(meter, f"top-up={token(3, 500)}")
    assert (again.done, again.why) == (False, "duplicate")
    assert balance(meter) == before + 5 * POUND


def test_a_button_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(HandOrderError, match=r"emergency-credit.*top-up"):
        press(prepaying(), "dance")


def test_a_meter_without_power_is_dark() -> None:
    meter = prepaying()
    meter.device.handle(DeviceEvent.POWER_OFF, None, meter.now)
    assert press(meter, "emergency-credit").why == "dark"


def test_an_armed_gas_valve_opens_for_a_person_alone() -> None:
    meter: Any = powered(DeviceType.GSME)
    now = UtcMs(1_717_243_200_000)
    assert not by_hand(meter, "enable-supply", now).done
    meter.valve = SupplyState.ARMED
    assert by_hand(meter, "enable-supply", now).done
    assert meter.valve is SupplyState.ON


# -- boost -----------------------------------------------------------------------------------------


def boosting(*controllers: int, **more: Any) -> Meter:
    given = {f"boost_{number}": True for number in controllers}
    return Meter(values_at="2024-06-01T12:00:00", boost_available=True, **given, **more)


def levels(meter: Meter) -> list[int]:
    return [level_of(meter.device.model, number, meter.now) for number in range(1, 6)]


def test_a_boost_switches_the_controllers_it_was_given_for_its_time() -> None:
    meter = boosting(1, 4)
    assert levels(meter) == [0] * 5
    assert press(meter, "boost=30").done
    assert levels(meter) == [100, 0, 0, 100, 0]
    meter.device.handle(DeviceEvent.POWER_OFF, None, UtcMs(meter.now + MINUTE_MS))
    meter.device.handle(DeviceEvent.POWER_ON, None, UtcMs(meter.now + 2 * MINUTE_MS))
    meter.device.load(meter.device.dump())
    assert levels(meter) == [100, 0, 0, 100, 0]
    run_half_hours(meter, 1)
    assert levels(meter) == [0] * 5
    assert "model.boost" not in meter.device.timers
    rows = meter.read("ECS61c", "boost_log", days=1).value
    assert isinstance(rows, CompactArray)
    assert [row.value[1].value for row in rows.rows] == [30, 0]  # type: ignore[index,union-attr]


def test_a_boost_is_ended_by_hand() -> None:
    meter = boosting(2)
    assert press(meter, "boost=60").done
    assert press(meter, "boost=0").done
    assert levels(meter) == [0] * 5
    assert not press(meter, "boost=0").done


@pytest.mark.parametrize(
    ("meter", "order"),
    [
        (boosting(), "boost=15"),
        (boosting(1), "boost=20"),
        (boosting(1), "boost=soon"),
        (Meter(boost_1=True, boost_available=False), "boost=15"),
    ],
    ids=["no controller", "no such period", "no minutes", "no button"],
)
def test_a_boost_that_cannot_be_does_nothing(meter: Meter, order: str) -> None:
    assert not press(meter, order).done
    assert levels(meter) == [0] * 5
    assert meter.device.model.boost.entries == []


def test_the_association_that_a_supplier_takes_away_ends_the_boost_of_a_controller() -> None:
    meter = boosting(1, 2)
    press(meter, "boost=60")
    meter.set("ECS62", **{f"boost_{n}": Data(Tag.BOOLEAN, 0 if n == 1 else 0xFF) for n in (1, 2)})
    assert levels(meter) == [0, 100, 0, 0, 0]


# -- privacy PIN -----------------------------------------------------------------------------------


def test_a_pin_closes_the_screen_until_it_is_entered_and_for_a_while_only() -> None:
    meter = prepaying()
    assert "balance" in privacy.screen(meter.device, meter.now)
    assert press(meter, "set-pin=2468").done
    assert "balance" not in privacy.screen(meter.device, meter.now)
    assert not press(meter, "pin=2469").done
    assert "balance" not in privacy.screen(meter.device, meter.now)
    assert press(meter, "pin=2468").done
    assert "balance" in privacy.screen(meter.device, meter.now)
    later = UtcMs(meter.now + 10 * MINUTE_MS)
    assert "balance" not in privacy.screen(meter.device, later)


@pytest.mark.parametrize("digits", ["123", "12345", "12a4", "١٢٣٤"])
def test_a_pin_has_four_digits(digits: str) -> None:
    meter = prepaying()
    assert not press(meter, f"set-pin={digits}").done
    assert not privacy.is_set(meter.device)


def test_who_does_not_know_the_pin_cannot_change_it_and_the_supplier_ends_it() -> None:
    meter = prepaying()
    press(meter, "set-pin=2468")
    assert not press(meter, "set-pin=1111").done
    assert not press(meter, "set-pin=").done
    meter.set("ECS14", privacy_pin=Data(Tag.OCTETS, b""))
    assert not privacy.is_set(meter.device)
    assert "balance" in privacy.screen(meter.device, meter.now)


def test_emergency_credit_and_supply_wait_for_the_pin_and_a_token_does_not() -> None:
    meter = prepaying(meter_balance_millipence=0, emergency_credit_limit_millipence=POUND)
    press(meter, "set-pin=2468")
    assert not press(meter, "emergency-credit").done
    states = [meter.device.switch]
    assert press(meter, token(2, 100)).done
    states.append(meter.device.switch)
    assert not press(meter, "enable-supply").done
    assert press(meter, "pin=2468").done
    assert press(meter, "enable-supply").done
    states.append(meter.device.switch)
    assert states == [SupplyState.OFF, SupplyState.ARMED, SupplyState.ON]


def test_buttons_pressed_are_in_the_event_log() -> None:
    meter = boosting(1)
    press(meter, "boost=15")
    press(meter, "boost=16")
    assert events(meter)[-2:] == [0x8161, 0x8162]
