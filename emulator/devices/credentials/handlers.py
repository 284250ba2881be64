"""Use cases on the credentials of remote parties: CS02a and CS02f show, CS02b and CS02g replace."""

from typing import TYPE_CHECKING, Any, Final

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.credentials import AskCredentials, CellOutcome, ReplaceCredentials
from emulator.codecs.gbcs.dates import CANCEL_TIME
from emulator.codecs.gbcs.payload import encode_payload
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.asn1_commands import node_of, read_payload
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.credentials import own_keys
from emulator.devices.credentials.holders import (
    NOBODY,
    holder,
    party_of,
    places_of,
    roles_of,
)
from emulator.devices.credentials.places import MODES, PLACES, CellStatus, Mode
from emulator.devices.credentials.replacing import authorised, refused_all, replace_all
from emulator.devices.credentials.trust import Waiting
from emulator.devices.dated import parted, wait_for
from emulator.devices.handlers import Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.base import Device

C, R = MessageCode, RemoteParty
#: Event code of a replacement. Source: NP (alert codes).
CREDENTIALS_UPDATED: Final = 0x8F70
_KNOWN_PARTIES: Final = frozenset(RemoteParty) - {R.ROOT, R.ISSUING_AUTHORITY, R.OTHER}


def enter(table: "HandlerTable[Any]", device_type: DeviceType) -> None:
    """Enter the use cases on credentials that a type of device has places for."""
    roles = {cell.role for cell in PLACES.get(device_type, ())}
    for code, mode in MODES.items():
        if mode.authoriser is None and roles:
            table.handles(C(code), by=frozenset({R.OTHER}))(replace_credentials)
        elif mode.authoriser in roles and mode.replaced & roles:
            by = frozenset({R(mode.authoriser)})
            table.handles(C(code), by=by)(replace_credentials)
    if roles:
        table.handles(C.CS02A, C.CS02F, by=_KNOWN_PARTIES)(show_credentials)
        own_keys.enter(table)


def _written(device: "Device", node: Node) -> Node:
    return wire.wide(node) if device.trust.wide_lengths else node


# -- showing ---------------------------------------------------------------------------------------


def show_credentials(device: "Device", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS02a, CS02f: say who holds the places of some roles, and the last counter of each.

    Source:
        RTDS 4.5.0: the counter is the one before this command (the ACB reads its own as 0).
    """
    asked = read_payload(command, AskCredentials.read)
    roles = roles_of(device, command.header.originator)
    if asked.asking is not None and asked.asking.role not in roles:
        detail = f"{command.header.originator} asks as role {asked.asking.role}"
        raise CommandRefusedError(Complaint.ORIGINATOR_ROLE.value, detail)
    shown = [_shown(device, role) for role in asked.roles]
    return Answer(_written(device, der.sequence(*shown)))


def _shown(device: "Device", role: int) -> Node:
    places = [(cell, holder(device, cell)) for cell in places_of(device) if cell.role == role]
    held = tuple([(cell, who) for cell, who in places if who != NOBODY])
    party = party_of(device.network, device.eui64, role)
    counter = 0 if party is None else device.accepted.get(f"{party.hex}/command", 0)
    return wire.held_node(role, counter, held)


# -- replacing -------------------------------------------------------------------------------------


def replace_credentials(device: "Device", command: Command, now: UtcMs) -> Answer:
    """CS02b, CS02g: replace the holders of places, now, at a date, or not after all.

    Raises:
        CommandRefusedError: The payload is of another layout, mode, counter or role.
    """
    mode = MODES[command.row.code]
    asked = _asked(command, mode)
    if asked.at is None:
        cells = replace_all(device, asked, mode, device.local_time(now))
        payload = _written(device, wire.response_node(wire.outcome_node(asked, cells)))
        return Answer(payload, after=_logged(device, mode, cells, now))
    waiting = [one for one in device.trust.waiting if one.code != command.row.code]
    if asked.at != CANCEL_TIME:
        if len(waiting) >= device.profile.limits.future_dated_commands:
            cells = refused_all(device, asked, CellStatus.RESOURCES_BUSY)
            outcome = wire.outcome_node(asked, cells)
            return Answer(_written(device, wire.response_node(outcome)))
        payload_octets = encode_payload(node_of(command))
        code, sender = command.row.code, command.header.originator
        waiting.append(Waiting(payload_octets, code, sender, asked.at))
    device.trust.waiting = waiting
    return Answer(_written(device, wire.response_node(None)), after=tuple(wait(device, now)))


def _asked(command: Command, mode: Mode) -> ReplaceCredentials:
    asked = read_payload(command, ReplaceCredentials.read)
    why = ""
    if asked.mode != mode.number:
        why = f"mode {asked.mode} in a message of mode {mode.number}"
    elif asked.counter != command.header.counter:
        why = f"counter {asked.counter} inside, {command.header.counter} outside"
    elif asked.authorising is not None and asked.authorising.role != (mode.authoriser or 0):
        why = f"authorised by role {asked.authorising.role}"
    if why:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, why)
    return asked


def wait(device: "Device", now: UtcMs) -> list[Effect]:
    """Set the timer to the next date."""
    dates = [one.at for one in device.trust.waiting]
    return wait_for(device, device.trust_timer, dates, now)


def date_reached(device: "Device", now: UtcMs) -> list[Effect]:
    """Carry out the replacements that are due, in the order of their dates, and tell of each."""
    shown = device.local_time(now)
    due, device.trust.waiting = parted(device.trust.waiting, shown)
    effects: list[Effect] = []
    for one in due:
        effects += _carry_out(device, one, now)
    return [*effects, *wait(device, now)]


def _carry_out(device: "Device", one: Waiting, now: UtcMs) -> list[Effect]:
    """Carry out one; of a party that has lost its role meanwhile, nothing is carried out.

    Source:
        inferred: what a party ordered may not outlast its role.
    """
    mode = MODES[one.code]
    asked = ReplaceCredentials.read(der.decode(one.payload))
    if not authorised(device, one.originator, mode):
        detail = f"mode {mode.number}: {one.originator} has lost its role"
        return [device.log(CREDENTIALS_UPDATED, detail, now, security=True)]
    cells = replace_all(device, asked, mode, device.local_time(now))
    good = all(cell.status == CellStatus.SUCCESS for cell in cells)
    code = AlertCode.FUTURE_DATED_SUCCESS if good else AlertCode.FUTURE_DATED_FAILURE
    outcome = wire.outcome_node(asked, cells)
    octets = der.encode(_written(device, wire.alert_node(code, one.at, outcome)))
    told = device.alert(mode.alert, one.originator, lambda _: octets)
    return [*_logged(device, mode, cells, now), *told]


def _logged(
    device: "Device", mode: Mode, cells: tuple[CellOutcome, ...], now: UtcMs
) -> tuple[Effect, ...]:
    """Enter a replacement into the security log, with the status of its worst place."""
    worst = max([cell.status for cell in cells], default=int(CellStatus.OTHER))
    detail = f"mode {mode.number}: {CellStatus(worst).name.lower()}"
    return (device.log(CREDENTIALS_UPDATED, detail, now, security=True),)
