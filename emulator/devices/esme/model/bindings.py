"""Where each attribute's value comes from, and what setting it or invoking a method does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device_profiles.gbcs_objects import MemberRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.devices.access_engine import AccessFailedError, Turn
from emulator.devices.esme.model import actions, demand, readings
from emulator.devices.esme.model.logs import WHOLE, read_log

if TYPE_CHECKING:
    from emulator.devices.esme.model.model import EsmeModel

Read = Callable[["EsmeModel", MemberRow, Turn], Data]
#: What a method answers; None is nothing.
Write = Callable[["EsmeModel", MemberRow, Data, Turn], "Data | None"]


@dataclass(frozen=True, slots=True)
class Binding:
    """One word of the catalogue's column ``binding``.

    Attributes:
        read: Gives the value; None where it cannot be read.
        write: Takes a value or an argument; None where nothing can be written.
    """

    read: Read | None = None
    write: Write | None = None


def _stored(model: "EsmeModel", row: MemberRow, _turn: Turn) -> Data:
    found = model.store.find(row.name)
    if found is None:
        raise AccessFailedError
    return found


def _keep(model: "EsmeModel", row: MemberRow, value: Data, _turn: Turn) -> None:
    model.store.put(row.name, value)
    model.peaks.clear()


def _log(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    return read_log(model, row, WHOLE, turn.now)


def _clock(model: "EsmeModel", _row: MemberRow, turn: Turn) -> Data:
    return axdr.octets(encode_date_time(model.device.local_time(turn.now)))


def _clock_status(model: "EsmeModel", _row: MemberRow, _turn: Turn) -> Data:
    return Data(Tag.UINT8, 0 if model.device.clock_reliable else 2)


#: Word -> binding.
BINDINGS: Final[Mapping[str, Binding]] = {
    "stored": Binding(_stored, _keep),
    "log": Binding(_log),
    "clock": Binding(_clock),
    "clock-status": Binding(_clock_status),
    "clock-adjust": Binding(write=actions.adjust_clock),
    "firmware-version": Binding(readings.firmware_version),
    "mpans": Binding(readings.mpans, actions.write_mpans),
    "eui64": Binding(readings.eui64),
    "variant": Binding(readings.variant),
    "model-type": Binding(readings.model_type),
    "manufacturer": Binding(readings.manufacturer),
    "randomised-offset": Binding(readings.randomised_offset),
    "register": Binding(readings.register),
    "registers": Binding(readings.registers),
    "power": Binding(readings.power),
    "price": Binding(readings.price),
    "balances": Binding(readings.balances),
    "demand": Binding(demand.value),
    "demand-time": Binding(demand.captured_at),
    "demand-reset": Binding(write=demand.reset),
    "demand-reset-time": Binding(demand.reset_at),
    "account": Binding(readings.account_part),
    "account-add": Binding(write=actions.add_to_account),
    "account-set": Binding(write=actions.set_account),
    "emergency-credit": Binding(write=actions.invoke_emergency_credit),
    "token": Binding(write=actions.enter_token),
    "activation": Binding(write=actions.date_activation),
    "activate": Binding(write=actions.activate_now),
    "masked-bits": Binding(write=actions.change_bits),
    "reset": Binding(write=actions.reset_counter),
    "log-reset": Binding(write=actions.clear_log),
    "block-reset": Binding(write=actions.reset_blocks),
    "switch-state": Binding(readings.switch_state),
    "switch-script": Binding(write=actions.work_switch),
    "controller-script": Binding(write=actions.work_controller),
    "controller-state": Binding(readings.controller_state),
    "controller-report": Binding(readings.controller_report),
    "protected": Binding(write=actions.read_protected),
}
