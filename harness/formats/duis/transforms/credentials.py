"""Credentials: 6.15.1, 6.15.2, 6.17, 6.21, 6.23, 6.24.2, 8.5.

Source:
    RTDS 4.5.0 CS02b to CS02e, CS02g.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs.asn1_parts import time_node
from emulator.codecs.gbcs.credentials import DIGITAL_SIGNATURE, KEY_AGREEMENT, Cell
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from harness.formats.duis.smets1_bodies import (
    CertificatePath,
    PartyRole,
    ReplacementCertificates,
    UpdateCredentialsKrp,
)
from harness.formats.duis.transforms.non_critical_bodies import OptOut
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import Asked, Payload, tree

_SUPPLIER, _NETWORK_OPERATOR, _BROKER, _TRANSITIONAL_COS, _LOAD_CONTROLLER = 2, 3, 4, 5, 8
_UNCHECKED, _CELL, _COUNTER, _FLOOR, _SPECIALISTS, _OTHERS = 0x81, 0xA2, 0x83, 0x84, 0xA5, 0xA6
#: Kind of the counter of top-up codes. Source: RTDS CS02b supplier by supplier.
_TOP_UPS: Final = 0
_USAGES: Final[Mapping[str, bytes]] = MappingProxyType(
    {"Digital Signature": DIGITAL_SIGNATURE, "Key Agreement": KEY_AGREEMENT}
)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a role is replaced: use case, mode, who authorises it, whose certificates they are.

    Nobody is named as authorising where the device knows it by the MAC.
    """

    code: MessageCode
    mode: int
    authorising: int | None
    replaced: int


@dataclass(frozen=True, slots=True)
class _Change:
    """What is put in whose place: the parts that the bodies of all these services have."""

    certificates: ReplacementCertificates
    path: CertificatePath
    floor: int | None
    top_up_floor: int | None
    time_checked: bool


#: A load controller's certificates are replaced by the supplier when it is a service request.
_WAYS: Final[Mapping[PartyRole, _Way]] = MappingProxyType(
    {
        PartyRole.SUPPLIER: _Way(MessageCode.CS02B_SUPPLIER_BY_SUPPLIER, 2, _SUPPLIER, _SUPPLIER),
        PartyRole.NETWORK_OPERATOR: _Way(
            MessageCode.CS02B_NO_BY_NO, 3, _NETWORK_OPERATOR, _NETWORK_OPERATOR
        ),
        PartyRole.LOAD_CONTROLLER: _Way(
            MessageCode.CS02G_LC_BY_SUPPLIER, 11, _SUPPLIER, _LOAD_CONTROLLER
        ),
    }
)


#: 6.23 and 8.5. Source: RTDS 4.5.0 CS02b supplier by TransCoS, ACB by ACB.
_NEW_SUPPLIER: Final = _Way(MessageCode.CS02B_SUPPLIER_BY_TCOS, 7, _TRANSITIONAL_COS, _SUPPLIER)
_NEW_BROKER: Final = _Way(MessageCode.CS02B_ACB_BY_ACB, 4, None, _BROKER)


def replace_party(asked: Asked) -> Payload:
    """Return CS02b or CS02g of 6.15.1."""
    body: UpdateCredentialsKrp = asked.body
    change = _change(body, body.certificates.certificates)
    return _replaced(asked, _way(body.role), change, asked.generalized)


def hand_over(asked: Asked) -> Payload:
    """Return CS02b of 6.21, which the broker signs: the place is still its own."""
    body = asked.body
    return _replaced(asked, _way(body.role), _change(body, body.certificates), asked.generalized)


def change_supplier(asked: Asked) -> Payload:
    """Return CS02b of 6.23, which the transitional change-of-supplier party signs."""
    change = _change(asked.body, asked.body.certificates)
    return _replaced(asked, _NEW_SUPPLIER, change, asked.generalized)


def change_broker(asked: Asked) -> Payload:
    """Return CS02b of 8.5; the DSP sends it when it is time, the device does not wait."""
    body: OptOut = asked.body
    certificates = ReplacementCertificates(None, body.certificates.agreement)
    path = CertificatePath(body.path.certificates)
    change = _Change(certificates, path, body.floor, None, body.time_checked)
    return _replaced(asked, _NEW_BROKER, change, None)


def _way(role: PartyRole) -> _Way:
    way = _WAYS.get(role)
    if way is None:
        raise TransformError(Refusal.NO_TRANSFORM, f"no user replaces the credentials of {role}")
    return way


def _change(body: Any, certificates: ReplacementCertificates) -> _Change:
    return _Change(certificates, body.path, body.floor, body.top_up_floor, body.time_checked)


def _replaced(asked: Asked, way: _Way, change: _Change, at: UtcMs | None) -> Payload:
    parts = (
        _control(asked, change, way),
        der.sequence(*_replacements(change.certificates, way.replaced)),
        der.sequence(*[certificate(one) for one in change.path.certificates]),
        *(() if at is None else (time_node(at),)),
    )
    return tree(way.code, der.sequence(*parts))


def _control(asked: Asked, change: _Change, way: _Way) -> Node:
    parts = [der.integer(way.mode)]
    if not change.time_checked:
        parts.append(_tagged(_UNCHECKED, der.integer(1)))
    if way.authorising is not None:
        parts.append(Node(_CELL, Cell(way.authorising, DIGITAL_SIGNATURE).nodes))
    parts.append(_tagged(_COUNTER, der.integer(asked.identity.counter)))
    return der.sequence(*parts, *_floors(change, way))


def _floors(change: _Change, way: _Way) -> list[Node]:
    if change.floor is None:
        if change.top_up_floor is not None:
            raise TransformError(Refusal.MALFORMED, "a floor of top-ups without one of commands")
        return []
    counted = der.integer(change.floor)
    top_ups: tuple[Node, ...] = ()
    if change.top_up_floor is not None:
        top_ups = (der.sequence(der.integer(_TOP_UPS), der.integer(change.top_up_floor)),)
    if way.authorising not in {None, way.replaced}:
        listed = (der.sequence(*top_ups),) if top_ups else ()
        changed = der.sequence(der.integer(way.replaced), counted, *listed)
        return [Node(_OTHERS, (changed,))]
    return [_tagged(_FLOOR, counted), *((Node(_SPECIALISTS, top_ups),) if top_ups else ())]


def _replacements(given: ReplacementCertificates, role: int) -> list[Node]:
    places = (
        (given.signing, Cell(role, DIGITAL_SIGNATURE)),
        (given.agreement, Cell(role, KEY_AGREEMENT)),
        (given.top_up, Cell(role, KEY_AGREEMENT, is_prepayment=True)),
    )
    found = [
        der.sequence(certificate(one), der.sequence(*cell.nodes))
        for one, cell in places
        if one is not None
    ]
    if not found:
        raise TransformError(Refusal.MISSING_CERTIFICATE, "the request names no certificate")
    return found


def _tagged(tag: int, node: Node) -> Node:
    return Node(tag, node.content)


def certificate(octets: bytes) -> Node:
    """Return a certificate as a tree.

    Raises:
        TransformError: malformed: it is no DER.
    """
    try:
        node = der.decode(octets)
    except MalformedFrameError as error:
        raise TransformError(Refusal.MALFORMED, f"no certificate: {error.why}") from error
    if node.tag != Tag.SEQUENCE or der.encode(node) != octets:
        raise TransformError(Refusal.MALFORMED, "no certificate: it is no SEQUENCE")
    return node


def replace_device(asked: Asked) -> Payload:
    """Return CS02d."""
    return tree(MessageCode.CS02D, certificate(asked.body.certificate))


def issue(asked: Asked) -> Payload:
    """Return CS02c."""
    return _asks_usage(MessageCode.CS02C, asked)


def read_device(asked: Asked) -> Payload:
    """Return CS02e."""
    return _asks_usage(MessageCode.CS02E, asked)


def _asks_usage(code: MessageCode, asked: Asked) -> Payload:
    usage = Node(Tag.BIT_STRING, _USAGES[asked.body.credential])
    return tree(code, der.sequence(usage))
