"""The supply switch: every control mode, state and order; scripts, limiter and the button."""

import itertools

import pytest

from device_profiles.words import SupplyState
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.devices.consumption import Kind
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.switch import NO_LIMIT_W, ControlState, Order, Switch
from tests.emulator.devices.smets1.meter_kit import (
    DAY_MS,
    HOUR_MS,
    at,
    invoke,
    manager,
    member,
    meter,
    plain,
    profile,
    read,
)
from tests.emulator.devices.smets1.server_kit import NOW

CONTROL = "0-0:96.3.10.255"
OPEN, CLOSE = member(70, CONTROL, 1), member(70, CONTROL, 2)
OUTPUT, STATE, MODE = (member(70, CONTROL, index) for index in (2, 3, 4))
EXECUTE = member(9, "0-0:10.0.106.255", 1)
ZERO = Data(Tag.INT8, 0)
S, BY = ControlState, Order
#: Mode -> what each order makes of each state, by the table of the interface class.
ALWAYS = {
    (S.CONNECTED, BY.REMOTE_DISCONNECT): S.DISCONNECTED,
    (S.READY, BY.REMOTE_DISCONNECT): S.DISCONNECTED,
    (S.DISCONNECTED, BY.REMOTE_DISCONNECT): S.DISCONNECTED,
    (S.CONNECTED, BY.REMOTE_RECONNECT): S.CONNECTED,
    (S.READY, BY.REMOTE_RECONNECT): S.READY,
    (S.READY, BY.MANUAL_RECONNECT): S.CONNECTED,
    (S.CONNECTED, BY.LOCAL_DISCONNECT): S.READY,
}
AT_ONCE = {(S.DISCONNECTED, BY.REMOTE_RECONNECT): S.CONNECTED}
IN_TWO_STEPS = {(S.DISCONNECTED, BY.REMOTE_RECONNECT): S.READY}
BY_HAND = {(S.CONNECTED, BY.MANUAL_DISCONNECT): S.READY}
BY_ITSELF = {(S.READY, BY.LOCAL_RECONNECT): S.CONNECTED}
MODES = {
    0: {},
    1: {**ALWAYS, **IN_TWO_STEPS, **BY_HAND},
    2: {**ALWAYS, **AT_ONCE, **BY_HAND},
    3: {**ALWAYS, **IN_TWO_STEPS},
    4: {**ALWAYS, **AT_ONCE},
    5: {**ALWAYS, **IN_TWO_STEPS, **BY_HAND, **BY_ITSELF},
    6: {**ALWAYS, **IN_TWO_STEPS, **BY_ITSELF},
}


@pytest.mark.parametrize(
    ("mode", "state", "order"), list(itertools.product(MODES, ControlState, Order))
)
def test_every_state_with_every_order_in_every_mode(
    mode: int, state: ControlState, order: Order
) -> None:
    switch = Switch(SupplyState.ON, mode)
    switch.state = state
    assert switch.target(order) is MODES[mode].get((state, order))


@pytest.mark.parametrize("state", list(SupplyState))
def test_a_switch_begins_as_the_profile_says(state: SupplyState) -> None:
    supply = profile("smets1").supply.model_copy(update={"initial_state": state})
    device = meter(profile("smets1").model_copy(update={"supply": supply}))
    assert device.switch.supply is state
    flows = device.consumption.power_w(NOW) > 0
    assert flows == (state is SupplyState.ON)


def energy(device: Smets1Esme, now: int) -> int:
    return device.consumption.energy_wh(Kind.IMPORT, UtcMs(now))


def test_an_open_switch_stops_consumption_and_a_closed_one_lets_it_flow() -> None:
    device = meter()
    person = manager(device)
    assert person.act(OPEN, ZERO).result is ActionResult.SUCCESS
    assert (person.value(OUTPUT), person.value(STATE)) == (0, 0)
    assert energy(device, NOW) == energy(device, NOW + DAY_MS)
    person.wait(DAY_MS)
    assert person.act(CLOSE, ZERO).result is ActionResult.SUCCESS
    assert (person.value(OUTPUT), person.value(STATE)) == (1, 1)
    assert energy(device, NOW + 2 * DAY_MS) > energy(device, NOW + DAY_MS) == energy(device, NOW)
    codes = [row.code for row in device.logs["events"].rows]
    assert codes[-2:] == [EventCode.SWITCH_OPENED, EventCode.SWITCH_CLOSED]


def test_a_button_closes_what_is_ready_and_nothing_else() -> None:
    device = meter()
    person = manager(device)
    assert person.put(MODE, Data(Tag.ENUM, 1)) is DataAccessResult.SUCCESS
    person.act(OPEN, ZERO)
    assert device.press(NOW) == []
    person.act(CLOSE, ZERO)
    assert device.switch.supply is SupplyState.ARMED
    assert device.press(NOW) != []
    assert read(device, STATE) == 1


@pytest.mark.parametrize("mode", [7, 255])
def test_a_mode_that_does_not_exist_is_refused(mode: int) -> None:
    person = manager(meter())
    assert person.put(MODE, Data(Tag.ENUM, mode)) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert person.value(MODE) == 2


def test_without_control_the_switch_does_not_move() -> None:
    device = meter()
    person = manager(device)
    assert person.put(MODE, Data(Tag.ENUM, 0)) is DataAccessResult.SUCCESS
    assert person.act(OPEN, ZERO).result is ActionResult.OTHER_REASON
    assert device.switch.closed


def test_scripts_open_and_close_the_switch() -> None:
    device = meter()
    scripts = [plain(row) for row in read(device, member(9, "0-0:10.0.106.255", 2))]
    assert [(number, actions[0][1], actions[0][3]) for number, actions in scripts] == [
        (1, 70, 1), (2, 70, 2),
    ]  # fmt: skip
    assert invoke(device, EXECUTE, Data(Tag.UINT16, 1)) is ActionResult.SUCCESS
    assert read(device, STATE) == 0
    assert invoke(device, EXECUTE, Data(Tag.UINT16, 2)) is ActionResult.SUCCESS
    assert read(device, STATE) == 1
    unknown = invoke(device, EXECUTE, Data(Tag.UINT16, 3))
    assert unknown is ActionResult.SCOPE_OF_ACCESS_VIOLATED


def test_a_limit_that_is_exceeded_too_long_opens_the_switch() -> None:
    device = meter()
    person = manager(device)
    limit, over = member(71, "0-0:17.0.0.255", 4), member(71, "0-0:17.0.0.255", 6)
    assert person.value(limit) == NO_LIMIT_W
    assert person.put(over, Data(Tag.UINT32, 30)) is DataAccessResult.SUCCESS
    assert not device.timers
    assert person.put(limit, Data(Tag.UINT32, 10)) is DataAccessResult.SUCCESS
    person.wait(29_000)
    assert read(device, OUTPUT) == 1
    person.wait(2_000)
    assert read(device, OUTPUT) == 0
    assert EventCode.LIMIT_EXCEEDED in [row.code for row in device.logs["events"].rows]
    assert person.put(limit, Data(Tag.UINT32, NO_LIMIT_W)) is DataAccessResult.SUCCESS
    assert not device.timers


def test_a_limit_that_is_kept_opens_nothing() -> None:
    device = meter()
    person = manager(device)
    limit = member(71, "0-0:17.0.0.255", 4)
    assert person.put(limit, Data(Tag.UINT32, 10_000)) is DataAccessResult.SUCCESS
    person.wait(5 * HOUR_MS)
    assert device.switch.closed
    assert set(device.timers) == {"limiter.watch"}
    item = device.tree.find(71, limit.obis)
    assert item.write(4, Data(Tag.UINT16, 1), at(device)) is DataAccessResult.TYPE_UNMATCHED  # type: ignore[union-attr]  # it is there
