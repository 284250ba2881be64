"""The supply switch: disconnect control (class 70), and the limiter (class 71) that opens it."""

import enum
from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.devices.smets1.binding import Binding, number_of, refused
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter


class ControlState(enum.IntEnum):
    """Control state of class 70.

    Source:
        IEC 62056-6-2 Disconnect control (known).
    """

    DISCONNECTED = 0
    CONNECTED = 1
    READY = 2


class Order(enum.Enum):
    """Who wants the switch moved, and which way."""

    REMOTE_DISCONNECT = "remote disconnect"
    REMOTE_RECONNECT = "remote reconnect"
    MANUAL_DISCONNECT = "manual disconnect"
    MANUAL_RECONNECT = "manual reconnect"
    LOCAL_DISCONNECT = "local disconnect"
    LOCAL_RECONNECT = "local reconnect"


_S, _O = ControlState, Order
#: (state, order) -> state after it, and the control modes that allow it.
#: Source: IEC 62056-6-2 Disconnect control, control modes and transitions (a) to (h) (known).
_TRANSITIONS: Final[dict[tuple[ControlState, Order], dict[ControlState, tuple[int, ...]]]] = {
    (_S.CONNECTED, _O.REMOTE_DISCONNECT): {_S.DISCONNECTED: (1, 2, 3, 4, 5, 6)},
    (_S.READY, _O.REMOTE_DISCONNECT): {_S.DISCONNECTED: (1, 2, 3, 4, 5, 6)},
    (_S.DISCONNECTED, _O.REMOTE_RECONNECT): {_S.CONNECTED: (2, 4), _S.READY: (1, 3, 5, 6)},
    (_S.READY, _O.MANUAL_RECONNECT): {_S.CONNECTED: (1, 2, 3, 4, 5, 6)},
    (_S.CONNECTED, _O.MANUAL_DISCONNECT): {_S.READY: (1, 2, 5)},
    (_S.CONNECTED, _O.LOCAL_DISCONNECT): {_S.READY: (1, 2, 3, 4, 5, 6)},
    (_S.READY, _O.LOCAL_RECONNECT): {_S.CONNECTED: (5, 6)},
}
#: Orders that ask for what is so already.
_DONE: Final = {
    (_O.REMOTE_DISCONNECT, _S.DISCONNECTED),
    (_O.REMOTE_RECONNECT, _S.CONNECTED),
    (_O.REMOTE_RECONNECT, _S.READY),
}
MODES: Final = range(7)
#: Thresholds of the limiter: power, and how long it must be exceeded, or kept, to act.
LIMITS: Final = ("watts", "over_s", "under_s")
#: A power limit that is none.
NO_LIMIT_W: Final = 0xFFFF_FFFF
#: Supply state of a profile -> control state.
_INITIAL: Final = {
    SupplyState.OFF: _S.DISCONNECTED,
    SupplyState.ON: _S.CONNECTED,
    SupplyState.ARMED: _S.READY,
}
_WORDS: Final = {state: supply for supply, state in _INITIAL.items()}


class Switch:
    """The supply switch.

    Attributes:
        state: Its control state.
        mode: Control mode, 0 to 6: who may move it.
    """

    def __init__(self, supply: SupplyState, mode: int = 2) -> None:
        self.state = _INITIAL[supply]
        self.mode = mode

    @property
    def closed(self) -> bool:
        """Whether energy flows."""
        return self.state is ControlState.CONNECTED

    @property
    def supply(self) -> SupplyState:
        """Its state in the words of a profile."""
        return _WORDS[self.state]

    def target(self, order: Order) -> ControlState | None:
        """Return the state an order leads to, the present one where it is done; None if refused."""
        for state, modes in _TRANSITIONS.get((self.state, order), {}).items():
            if self.mode in modes:
                return state
        return self.state if self.mode and (order, self.state) in _DONE else None


# -- bindings ----------------------------------------------------------------------------------


def _work(order: Order, meter: "Meter", at: Moment) -> MethodOutcome:
    moved = meter.move_switch(order, at)
    return MethodOutcome(ActionResult.SUCCESS) if moved else refused(ActionResult.OTHER_REASON)


def _disconnect(
    meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment
) -> MethodOutcome:
    return _work(Order.REMOTE_DISCONNECT, meter, at)


def _reconnect(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    return _work(Order.REMOTE_RECONNECT, meter, at)


def _set_mode(meter: "Meter", _row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    if value.value not in MODES or not isinstance(value.value, int):
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    meter.switch.mode = value.value
    return DataAccessResult.SUCCESS


#: Scripts of the switch: number -> order. Source: IEC 62056-6-2 Disconnect control scripts (known).
_SCRIPTS: Final = {1: Order.REMOTE_DISCONNECT, 2: Order.REMOTE_RECONNECT}


def _scripts(_meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    rows = []
    for number in _SCRIPTS:
        action = axdr.structure(
            Data(Tag.ENUM, 2),  # execute a method
            axdr.uint16(70),
            axdr.octets(bytes((0, 0, 96, 3, 10, 255))),
            Data(Tag.INT8, number),
            Data(Tag.INT8, 0),
        )
        rows.append(axdr.structure(axdr.uint16(number), Data(Tag.ARRAY, (action,))))
    return Data(Tag.ARRAY, tuple(rows))


def _execute(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    order = _SCRIPTS.get(number_of(data, Tag.UINT16) or 0)
    return (
        refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED) if order is None else _work(order, meter, at)
    )


def _set_limit(meter: "Meter", row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    if not isinstance(value.value, int):
        return DataAccessResult.TYPE_UNMATCHED
    meter.limits[row.value] = value.value
    meter.watch_limit(at)
    return DataAccessResult.SUCCESS


#: Binding word -> what it does; the row's value names the limit (watts, over_s, under_s).
BINDINGS: Final = {
    "switch.output": Binding(lambda meter, _row, at: int(meter.reported_closed(at))),
    "switch.state": Binding(lambda meter, _row, at: int(meter.reported_state(at))),
    "switch.mode": Binding(lambda meter, _row, _at: meter.switch.mode, _set_mode),
    "switch.disconnect": Binding(invoke=_disconnect),
    "switch.reconnect": Binding(invoke=_reconnect),
    "switch.scripts": Binding(_scripts),
    "switch.execute": Binding(invoke=_execute),
    "limiter.limit": Binding(lambda meter, row, _at: meter.limits[row.value], _set_limit),
}
