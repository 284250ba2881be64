"""Use cases of an ESME on credentials, its own keys, its joins: CS02a-g, CS03A1, CS04AC."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.credentials import AskCredentials, ReplaceCredentials
from emulator.codecs.gbcs.dates import CANCEL_TIME
from emulator.codecs.gbcs.payload import encode_payload
from emulator.codecs.gbcs.signing_request import request_info, signed_request
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate, signature
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.esme import credentials
from emulator.devices.esme.credentials import PendingReplacement
from emulator.devices.handlers import SUPPLIER, Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

C, R = MessageCode, RemoteParty
#: Message code -> who may replace credentials with it. Source: the names of the modes, RTDS 4.5.0.
REPLACERS: Final = {
    C.CS02B_SUPPLIER_BY_SUPPLIER: R.SUPPLIER,
    C.CS02B_NO_BY_NO: R.NETWORK_OPERATOR,
    C.CS02B_ACB_BY_ACB: R.ACCESS_CONTROL_BROKER,
    C.CS02B_TCOS_BY_TCOS: R.TRANSITIONAL_COS,
    C.CS02B_SUPPLIER_BY_TCOS: R.TRANSITIONAL_COS,
    C.CS02B_ANY_BY_RECOVERY: R.RECOVERY,
    C.CS02G_LC_BY_LC: R.LOAD_CONTROLLER,
    C.CS02G_LC_BY_SUPPLIER: R.SUPPLIER,
}
_LOAD_CONTROLLER_CODES: Final = frozenset({C.CS02G_LC_BY_LC, C.CS02G_LC_BY_SUPPLIER})
_KNOWN_PARTIES: Final = frozenset(
    {R.SUPPLIER, R.NETWORK_OPERATOR, R.ACCESS_CONTROL_BROKER, R.TRANSITIONAL_COS, R.RECOVERY}
)
_USAGES: Final = {wire.DIGITAL_SIGNATURE: KeyUsage.DS, wire.KEY_AGREEMENT: KeyUsage.KA}
#: Responses of CS02c to CS02e, CS03A1 and CS04AC. Source: gbcs.md section 9.2 (0, 1 and 11);
#: that a key which is not held answers 1: inferred.
_SUCCESS, _NOT_HELD, _NOT_IN_LOG, _LOG_FULL, _NO_CERTIFICATE = 0, 1, 1, 4, 11


def enter(table: "HandlerTable[Esme]") -> None:
    """Enter these use cases into an ESME's table."""
    for code, role in REPLACERS.items():
        table.handles(code, by=frozenset({role}))(replace_credentials)
    table.handles(C.CS02A, C.CS02F, by=_KNOWN_PARTIES)(show_credentials)
    table.handles(C.CS02E, by=SUPPLIER)(show_certificate)
    table.handles(C.CS02C, by=SUPPLIER)(make_key)
    table.handles(C.CS02D, by=SUPPLIER)(take_certificate)
    table.handles(C.CS03A1, by=SUPPLIER)(join)
    table.handles(C.CS04AC, by=SUPPLIER)(unjoin)


def _node(command: Command) -> Node:
    if not isinstance(command.value, Node):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "not ASN.1")
    return command.value


def _refused(error: MalformedFrameError) -> CommandRefusedError:
    return CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, str(error))


# -- credentials of remote parties -----------------------------------------------------------------


def replace_credentials(device: "Esme", command: Command, now: UtcMs) -> Answer:
    """CS02b, CS02g: replace the holders of places, now, at a date, or not after all."""
    try:
        asked = ReplaceCredentials.read(_node(command))
    except MalformedFrameError as error:
        raise _refused(error) from None
    if asked.counter != command.header.counter:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "another counter inside")
    if asked.at is None:
        cells = credentials.replace_all(device, asked)
        outcome = wire.outcome_node(asked, cells)
        return Answer(_written(device, wire.response_node(outcome)))
    code = command.row.code
    waiting = [one for one in device.credentials.pending if one.code != code]
    if asked.at != CANCEL_TIME:
        payload = encode_payload(_node(command))
        waiting.append(PendingReplacement(payload, code, command.header.originator))
    device.credentials.pending = waiting
    after = tuple(device.credentials.wait(device, now))
    return Answer(_written(device, wire.response_node(None)), after=after)


def date_reached(device: "Esme", now: UtcMs) -> list[Effect]:
    """Carry out the replacements that are due, and tell whoever asked."""
    effects: list[Effect] = []
    waiting, device.credentials.pending = device.credentials.pending, []
    for one in waiting:
        asked = ReplaceCredentials.read(der.decode(one.payload))
        if asked.at is None or asked.at > device.local_time(now):
            device.credentials.pending.append(one)
        else:
            effects += _carried_out(device, one, asked, asked.at)
    return [*effects, *device.credentials.wait(device, now)]


def _carried_out(
    device: "Esme", one: PendingReplacement, asked: ReplaceCredentials, at: UtcMs
) -> list[Effect]:
    cells = credentials.replace_all(device, asked)
    good = all(cell.status == wire.REPLACED for cell in cells)
    code = AlertCode.FUTURE_DATED_SUCCESS if good else AlertCode.FUTURE_DATED_FAILURE
    node = _written(device, wire.alert_node(code, at, wire.outcome_node(asked, cells)))
    is_load_controller = one.code in _LOAD_CONTROLLER_CODES
    message = C.CS02G_ALERT if is_load_controller else C.CS02B_ALERT
    return device.alert(message, one.originator, lambda _: der.encode(node))


def show_credentials(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS02a, CS02f: say who holds the places of some roles."""
    try:
        asked = AskCredentials.read(_node(command))
    except MalformedFrameError as error:
        raise _refused(error) from None
    shown = []
    for role in asked.roles:
        places = [(cell, credentials.holder(device, cell)) for cell in credentials.PLACES]
        held = [(c, h) for c, h in places if c.role == role and h != credentials.NOBODY]
        shown.append(wire.held_node(role, device.credentials.floors.get(role, 0), tuple(held)))
    return Answer(_written(device, der.sequence(*shown)))


def _written(device: "Esme", node: Node) -> Node:
    return wire.wide(node) if device.model.store.number("wide_lengths") else node


# -- the device's own keys -------------------------------------------------------------------------


def _usage_of(command: Command) -> KeyUsage:
    parts = _node(command).content
    first = parts[0].content if isinstance(parts, tuple) and len(parts) == 1 else b""
    usage = _USAGES.get(first) if isinstance(first, bytes) else None
    if usage is None:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "no key usage")
    return usage


def show_certificate(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS02e: show the device's own certificate; a number where it holds none."""
    entry = device.ring.keystore.find(device.eui64, _usage_of(command))
    if entry is None or entry.certificate is None:
        return Answer(der.integer(_NOT_HELD))
    return Answer(der.decode(entry.certificate))


def make_key(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS02c: make a new key and ask for a certificate for it."""
    usage = _usage_of(command)
    scalar = device.credentials.new_scalar(device.eui64, usage)
    point = signature.point_of(scalar)
    bits = wire.DIGITAL_SIGNATURE if usage is KeyUsage.DS else wire.KEY_AGREEMENT
    hardware = device.model.store.find("hardware_type")
    kind = hardware.value if hardware is not None and isinstance(hardware.value, bytes) else b""
    info = request_info(point, bits, device.eui64, kind)
    signed = signature.sign(scalar, der.encode(info))
    return Answer(signed_request(info, signed))


def take_certificate(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS02d: take a certificate for the key made last, or anew for the one in use."""
    octets = der.encode(_node(command))
    try:
        found = certificate.read(octets)
    except MalformedFrameError as error:
        raise _refused(error) from None
    if found.usage is None or found.eui64 != device.eui64:
        return Answer(der.integer(_NOT_HELD))
    scalar = device.credentials.scalars.get(found.usage)
    held = device.ring.keystore.find(device.eui64, found.usage)
    if scalar is not None and signature.point_of(scalar) == found.public_point:
        install_own(device, found.usage, scalar, octets)
    elif held is None or found.public_point not in _points(held):
        return Answer(der.integer(_NOT_HELD))
    return Answer(der.integer(_SUCCESS))


def _points(held: KeyEntry) -> set[bytes]:
    shown = set() if held.certificate is None else {certificate.public_point(held.certificate)}
    return {held.public_point, *shown}


def install_own(device: "Esme", usage: KeyUsage, scalar: int, octets: bytes) -> None:
    """Take a new key of the device's own into use."""
    entry = KeyEntry(
        device.eui64, usage, False, signature.point_of(scalar), scalar, certificate=octets
    )
    device.ring = KeyRing(device.ring.keystore.merged(KeyStore([entry])))
    device.credentials.own[usage] = (scalar, octets)


# -- joins -----------------------------------------------------------------------------------------


def join(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS03A1: enter a device into the meter's own log of devices."""
    parts = _node(command).content
    if not isinstance(parts, tuple) or len(parts) < 3 or not _is_eui64(parts[1]):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "no join")
    who, kind = parts[1].content, parts[2].content
    if not isinstance(who, bytes) or not isinstance(kind, bytes):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "no join")
    log, limits = device.credentials.joined, device.profile.limits
    most = (limits.type1_devices or 0) + (limits.type2_devices or 0)
    if who.hex() not in log and len(log) >= most:
        return Answer(der.integer(_LOG_FULL))
    log[who.hex()] = int.from_bytes(kind, "big")
    return Answer(der.integer(_SUCCESS))


def unjoin(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS04AC: take a device out of the meter's own log of devices."""
    node = _node(command)
    if not _is_eui64(node) or not isinstance(node.content, bytes):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "no EUI-64")
    found = device.credentials.joined.pop(Eui64(node.content).hex, None)
    return Answer(der.integer(_NOT_IN_LOG if found is None else _SUCCESS))


def _is_eui64(node: Node) -> bool:
    return node.tag == der.Tag.OCTET_STRING and len(node.content) == 8
