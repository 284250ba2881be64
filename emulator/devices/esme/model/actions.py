"""What setting attributes and invoking methods of an ESME does beside keeping the value."""

from typing import TYPE_CHECKING, Final

from device_profiles.gbcs_objects import MemberRow
from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr, protected
from emulator.codecs.dlms.access import AccessItem, Operation
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.codecs.dlms.protected import AttributeReference, ProtectionParameters
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.core.effects import Note
from emulator.devices.access_engine import AccessFailedError, Turn
from emulator.devices.dated import has_room
from emulator.devices.esme.model import limits, top_ups
from emulator.devices.esme.model.credit import grant_emergency_credit
from emulator.devices.esme.model.future import Pending, when
from emulator.devices.esme.model.logs import read_log, span_between
from emulator.devices.esme.model.reports import tell_update
from emulator.devices.esme.model.supply import COMMAND, TAMPER, move
from emulator.devices.esme.model.top_ups import TopUpOutcome

if TYPE_CHECKING:
    from emulator.devices.esme.model.model import EsmeModel

#: Use case -> state the load switch goes to. Which script each runs is told by its message code:
#: no vector of ECS43 and ECS44 is at hand.
_SWITCH_TO: Final = {
    "ECS42": SupplyState.ON,
    "ECS43": SupplyState.OFF,
    "ECS44": SupplyState.ARMED,
}
_UNSAID: Final = b"\xff" * 9
#: Low octet of a controller script of ECS47 -> level in per cent; 0x20 resets to the calendar's.
#: Source: RTDS ECS47Activate (0x0111), ECS47Deactivate (0x0312), the controller log (0x0220).
_ORDERS: Final = {0x10: 0, 0x11: 100, 0x12: 0, 0x20: 0}
_RESET: Final = 0x20
_CONTROLLERS: Final = range(1, 6)
_WHOLE: Final = 100
#: Use case whose orders begin and end at dates.
_LIMITS: Final = "ECS47e"
_HALF: Final = 32
#: Characters of an MPAN. Source: RTDS ECS40.
_MPAN: Final = 13


def date_activation(model: "EsmeModel", row: MemberRow, value: Data, turn: Turn) -> None:
    """Let passive values come into force: at once, at a date, or not after all.

    Raises:
        AccessFailedError: As many future-dated commands wait as the meter holds.

    Source:
        The limit: profile. That a full meter answers as for a fault: a stand-in.
    """
    at = when(_octets(value))
    model.pending = [one for one in model.pending if one.name != row.name]
    if at is not None and at <= model.device.local_time(turn.now):
        model.activate(row, turn.now)
    elif at is not None:
        header, most = turn.header, model.device.profile.limits.future_dated_commands
        if not has_room(model.pending, turn, most):
            raise AccessFailedError
        model.pending.append(Pending(row.name, at, turn.code, header.counter, header.originator))
    turn.effects.extend(model.wait(turn.now))


def activate_now(model: "EsmeModel", row: MemberRow, _value: Data, turn: Turn) -> None:
    """Let passive values come into force at once."""
    model.activate(row, turn.now)


def change_bits(model: "EsmeModel", row: MemberRow, value: Data, _turn: Turn) -> None:
    """Change those of 256 bits that the first half marks to what the second half says.

    Source:
        inferred: 512 bits are set where 256 are read (RTDS ECS25a, ECS25r2).
    """
    held = model.store.find(row.argument)
    if not isinstance(value.value, BitString) or held is None:
        raise AccessFailedError
    if not isinstance(held.value, BitString):
        raise AccessFailedError
    said = value.value.octets
    changed = bytes(
        old & ~mask & 0xFF | new & mask
        for old, mask, new in zip(held.value.octets, said[:_HALF], said[_HALF:], strict=True)
    )
    model.store.put(row.argument, Data(Tag.BIT_STRING, BitString(8 * _HALF, changed)))


def write_mpans(model: "EsmeModel", _row: MemberRow, value: Data, _turn: Turn) -> None:
    """Keep one import MPAN or two, thirteen characters each."""
    octets = _octets(value)
    model.store.put("import_mpan", axdr.octets(octets[:_MPAN]))
    model.store.put("second_import_mpan", axdr.octets(octets[_MPAN:]))


def reset_counter(model: "EsmeModel", row: MemberRow, _value: Data, _turn: Turn) -> None:
    """Set a counter to 0."""
    model.store.put(row.argument, Data(Tag.UINT32, 0))


def clear_log(model: "EsmeModel", row: MemberRow, _value: Data, _turn: Turn) -> None:
    """Empty a log."""
    model.store.outlive(row.argument)
    if row.argument == "event_log":
        model.device.event_log.clear()
    else:
        model.orders.clear()


def reset_blocks(model: "EsmeModel", _row: MemberRow, _value: Data, turn: Turn) -> None:
    """Set the block counters to 0."""
    model.ledger.settle(turn.now)
    model.ledger.block.clear()


def adjust_clock(model: "EsmeModel", row: MemberRow, _value: Data, turn: Turn) -> None:
    """Take the clock as right when it shows a time within the interval set before.

    Source:
        inferred from RTDS ECS70, which says no time but an interval around it.
    """
    preset = model.store.find("clock_preset")
    if preset is None or not isinstance(preset.value, tuple) or row.index != 4:
        raise AccessFailedError
    _, begin, end = (_octets(part) for part in preset.value)
    shown = encode_date_time(model.device.local_time(turn.now))[:9]
    model.device.clock_reliable = begin[:9] <= shown <= end[:9] and begin[:9] != _UNSAID


# -- account -------------------------------------------------------------------------------------


def add_to_account(model: "EsmeModel", row: MemberRow, value: Data, turn: Turn) -> None:
    """Add to one part of the account."""
    model.ledger.settle(turn.now)
    model.ledger.account.add(row.argument, _number(value))


def set_account(model: "EsmeModel", row: MemberRow, value: Data, turn: Turn) -> None:
    """Set one part of the account; "accumulated debt" is what is owed on emergency credit."""
    model.ledger.settle(turn.now)
    model.ledger.account.put(row.argument, _number(value))


def invoke_emergency_credit(model: "EsmeModel", _row: MemberRow, _value: Data, turn: Turn) -> None:
    """Grant emergency credit: in prepayment mode, once, and not above its threshold."""
    effects = grant_emergency_credit(model.device, turn.now)
    if effects is None:
        raise AccessFailedError
    turn.effects.extend(effects)


def enter_token(model: "EsmeModel", _row: MemberRow, value: Data, turn: Turn) -> None:
    """CS01a: take a top-up token; the command's counter is the token's."""
    digits = _octets(value).decode("ascii", "replace")
    counter = turn.header.counter
    top_up, effects = top_ups.take(model.device, digits, turn.now, counter=counter)
    turn.effects.extend(effects)
    if top_up.outcome is not TopUpOutcome.ACCEPTED:
        raise AccessFailedError


# -- switches ------------------------------------------------------------------------------------


def work_switch(model: "EsmeModel", _row: MemberRow, _value: Data, turn: Turn) -> None:
    """Close, open or arm the load switch; a meter locked for tampering stays off (inferred)."""
    if model.supply.cause == TAMPER and model.store.number("supply_tamper_state"):
        raise AccessFailedError
    target = _SWITCH_TO[turn.use_case]
    cause = COMMAND if target is SupplyState.OFF else ""
    turn.effects.extend(move(model.device, target, cause))


def work_controller(model: "EsmeModel", _row: MemberRow, value: Data, turn: Turn) -> None:
    """Switch or limit an auxiliary controller.

    Source:
        Selectors of RTDS 4.5.0: ECS47 0nXX, controller n and an order; ECS47a and ECS47e knLL,
        kind k, controller n, LL a level in per cent (inferred from 1100, 1564, 2332).
    """
    selector = _number(value)
    number, low = selector >> 8 & 0xF, selector & 0x7F
    if number not in _CONTROLLERS:
        raise AccessFailedError
    if turn.use_case == _LIMITS and low <= _WHOLE:
        model.note_order(model.device.local_time(turn.now), selector)
        turn.effects.extend(limits.order(model, selector, turn.now))
        return
    if selector < 0x1000:
        if low not in _ORDERS:
            raise AccessFailedError
        if low == _RESET:
            model.levels.pop(number, None)
            model.note_order(model.device.local_time(turn.now), selector)
            return
        low = _ORDERS[low]
    elif low > _WHOLE:
        raise AccessFailedError
    model.levels[number] = low
    model.note_order(model.device.local_time(turn.now), selector)
    fields = (("controller", number), ("level_percent", low))
    turn.effects.append(Note("auxiliary_controller", fields))
    report = f"{low}%".encode()
    turn.effects.extend(tell_update(model.device, number, report, turn.now))


# -- protected reads -----------------------------------------------------------------------------


def read_protected(model: "EsmeModel", row: MemberRow, value: Data, turn: Turn) -> Data:
    """Read sensitive attributes and encrypt them for whoever asked.

    Source:
        reference gbcs.md section 7; the 12 such answers of the RTDS 4.5.0 messages at hand. A
        reader that the device does not know is named in the command, the ACB in the response.
    """
    request = protected.read_request(value)
    header, asked = turn.header, request.parameters
    readers = {header.originator, header.other.supplementary_party}
    rightly = asked.counter == header.counter and asked.recipient == header.target
    if not rightly or asked.originator not in readers:
        raise AccessFailedError
    values = [_referred(model, row, one, turn) for one in request.references]
    block = turn.protect(axdr.encode(axdr.structure(*values)))
    shown = ProtectionParameters(asked.counter, header.target, header.originator)
    return protected.answer_data(shown, block)


def _referred(model: "EsmeModel", row: MemberRow, one: AttributeReference, turn: Turn) -> Data:
    found = model.objects.members.get((one.class_id, one.obis, False, one.attribute))
    if found is None or not found.read & row.write or found.where in model.broken:
        raise AccessFailedError
    if found.binding == "log":
        return read_log(model, found, span_between(one.begin, one.end), turn.now)
    if one.begin is not None:
        raise AccessFailedError
    item = AccessItem(Operation.GET, one.class_id, one.obis, one.attribute)
    return model.access(item, turn)


def _number(data: Data) -> int:
    if not isinstance(data.value, int):
        raise AccessFailedError
    return data.value


def _octets(data: Data) -> bytes:
    if not isinstance(data.value, bytes):
        raise AccessFailedError
    return data.value
