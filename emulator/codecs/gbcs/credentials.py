"""Typed ASN.1 payloads of CS02a, CS02b, CS02f and CS02g: who holds which place in a device.

Source:
    Layouts of reference gbcs.md section 9.2; checked on the RTDS 4.5.0 messages of these use cases.
"""

from dataclasses import dataclass, field, replace
from typing import Final, NoReturn, Self

from emulator.codecs import der
from emulator.codecs.der import LengthForm, Node, Tag
from emulator.codecs.gbcs import dates
from emulator.codecs.gbcs.asn1_parts import time_node
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

_LAYER: Final = "gbcs.credentials"
#: Key usage bits as they stand in a BIT STRING, number of unused bits first.
DIGITAL_SIGNATURE: Final = bytes.fromhex("0780")
KEY_AGREEMENT: Final = bytes.fromhex("0308")
KEY_CERT_SIGN: Final = bytes.fromhex("0204")
#: Mode -> role that its floor is for, where the command names no place.
#: Source: RTDS 4.5.0 CS02b ACB by ACB (a floor without a place) and by contingency (root first).
_ROLE_OF_MODE: Final = {4: 4, 9: 0}
#: Status of a role that a device does not know. Source: reference gbcs.md section 9.2.
UNKNOWN_ROLE: Final = 0x19
#: Context tags of a command's first part.
_KEY, _CHECKS, _CELL, _COUNTER, _FLOOR, _SPECIALISTS, _OTHERS = (
    0x80, 0x81, 0xA2, 0x83, 0x84, 0xA5, 0xA6,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One place for a certificate.

    Attributes:
        role: Remote party role.
        usage: Key usage, as a BIT STRING's content.
        is_prepayment: Whether it is the supplier's prepayment key.
    """

    role: int
    usage: bytes
    is_prepayment: bool = False

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Role, usage and, where it is not 0, cell usage."""
        prepayment = (der.integer(1),) if self.is_prepayment else ()
        return der.integer(self.role), Node(Tag.BIT_STRING, self.usage), *prepayment


@dataclass(frozen=True, slots=True)
class Floor:
    """What a role's counter begins at once it is replaced.

    Attributes:
        role: Remote party role.
        counter: Counter of ordinary commands.
        specialists: (kind, counter) of others; kind 0 is prepayment.
    """

    role: int
    counter: int
    specialists: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Replacement:
    """A certificate and the place it is for."""

    certificate: bytes
    cell: Cell


@dataclass(frozen=True, slots=True)
class ReplaceCredentials:
    """A CS02b or CS02g command.

    Attributes:
        mode: Who replaces whom; 2 is supplier by supplier.
        counter: Its originator counter.
        floors: Counters of the roles that it changes.
        replacements: Certificates and their places.
        issuers: Certificates of their issuers.
        at: When; None for at once. ``dates.CANCEL_TIME`` cancels.
        authorising: The place whose holder asks for it, where the command says.
        judges_time: Whether the certificates' validity counts ([1] absent or 0).
        contingency_key: The key that opens the contingency key ([0]), or None; never printed.
    """

    mode: int
    counter: int
    floors: tuple[Floor, ...]
    replacements: tuple[Replacement, ...]
    issuers: tuple[bytes, ...]
    at: UtcMs | None
    authorising: Cell | None = None
    judges_time: bool = True
    contingency_key: bytes | None = field(default=None, repr=False)

    @classmethod
    def read(cls, node: Node) -> Self:
        """Read a command.

        Raises:
            MalformedFrameError: Layer ``gbcs.credentials``: it has another layout.
        """
        control, replacements, issuers, *rest = _parts(node, 3)
        mode, *marked = _parts(control, 1)
        tagged = {part.tag: part for part in marked}
        if len(rest) > 1 or _COUNTER not in tagged or set(tagged) - set(range(0x80, 0xA7)):
            _refuse(node, "no replacement of credentials")
        return cls(
            _number(mode),
            _number(tagged[_COUNTER]),
            _floors(tagged, _number(mode)),
            tuple([_replacement(part) for part in _parts(replacements)]),
            tuple([der.encode(part) for part in _parts(issuers)]),
            dates.decode_generalized_time(_octets(rest[0])) if rest else None,
            _place(tagged[_CELL]) if _CELL in tagged else None,
            _CHECKS not in tagged or _number(tagged[_CHECKS]) == 0,
            _octets(tagged[_KEY]) if _KEY in tagged else None,
        )


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a place.

    Attributes:
        subject: EUI-64; all zeros for an authority.
        key_identifier: Subject key identifier, eight octets.
    """

    subject: Eui64
    key_identifier: bytes

    @property
    def nodes(self) -> tuple[Node, Node]:
        """Subject and key identifier."""
        return der.octet_string(self.subject.octets), der.octet_string(self.key_identifier)


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """What came of one replacement."""

    cell: Cell
    status: int
    old: Holder
    new: Holder


def outcome_node(command: ReplaceCredentials, cells: tuple[CellOutcome, ...]) -> Node:
    """Return the outcome of a replacement."""
    floors = tuple([_floor_node(floor) for floor in command.floors])
    shown = tuple(
        [
            der.sequence(
                der.sequence(*one.cell.nodes),
                Node(Tag.ENUMERATED, bytes((one.status,))),
                *one.old.nodes,
                *one.new.nodes,
            )
            for one in cells
        ]
    )
    return der.sequence(
        der.integer(command.counter),
        der.integer(command.mode),
        der.sequence(*floors),
        der.sequence(*shown),
    )


def response_node(outcome: Node | None) -> Node:
    """Return the response: with the outcome, or without where it follows later."""
    return der.sequence(der.NULL) if outcome is None else der.sequence(der.NULL, outcome)


def alert_node(alert_code: int, at: UtcMs, outcome: Node) -> Node:
    """Return the alert of a future-dated replacement."""
    return der.sequence(der.integer(alert_code), time_node(at), outcome)


@dataclass(frozen=True, slots=True)
class Reported:
    """What a device says became of a replacement.

    Attributes:
        counter: Originator counter of the command.
        success: Whether every place was replaced.
        alert_code: Alert that tells it; 0 for a response.
    """

    counter: int
    success: bool
    alert_code: int = 0


def read_response(payload: bytes) -> Reported | None:
    """Read the response to a command; None where the outcome follows later.

    Raises:
        MalformedFrameError: Layer ``gbcs.credentials``: it has another layout.
    """
    _, *outcome = _parts(der.decode(payload), 1)
    return _reported(outcome[0], 0) if outcome else None


def read_alert(payload: bytes) -> Reported:
    """Read the alert of a future-dated replacement.

    Raises:
        MalformedFrameError: Layer ``gbcs.credentials``: it has another layout.
    """
    code, _at, outcome = _parts(der.decode(payload), 3)[:3]
    return _reported(outcome, _number(code))


def _reported(outcome: Node, alert_code: int) -> Reported:
    counter, _mode, _floors, cells = _parts(outcome, 4)[:4]
    statuses = [_number(_parts(cell, 2)[1]) for cell in _parts(cells)]
    return Reported(_number(counter), bool(statuses) and not any(statuses), alert_code)


@dataclass(frozen=True, slots=True)
class AskCredentials:
    """A CS02a or CS02f command: who holds the places of these roles.

    Attributes:
        roles: The roles asked about.
        asking: The place whose holder asks.
    """

    roles: tuple[int, ...]
    asking: Cell | None = None

    @classmethod
    def read(cls, node: Node) -> Self:
        """Read a command.

        Raises:
            MalformedFrameError: Layer ``gbcs.credentials``: it has another layout.
        """
        asking, roles = _parts(node, 2)[:2]
        return cls(tuple([_number(part) for part in _parts(roles)]), _cell(asking))


def held_node(role: int, counter: int, places: tuple[tuple[Cell, Holder], ...]) -> Node:
    """Return what a device says of one role."""
    if not places:
        return der.sequence(der.integer(role), Node(Tag.ENUMERATED, bytes((UNKNOWN_ROLE,))))
    cells = [der.sequence(*cell.nodes[1:], *holder.nodes) for cell, holder in places]
    return der.sequence(
        der.integer(role),
        Node(Tag.ENUMERATED, bytes(1)),
        der.integer(counter),
        der.sequence(*cells),
    )


def wide(node: Node) -> Node:
    """Return a tree whose lengths from 128 to 255 are written as the RTDS writes them."""
    if isinstance(node.content, bytes):
        return node
    parts = tuple([wide(part) for part in node.content])
    return replace(node, content=parts, length_form=LengthForm.RTDS)


def _floors(tagged: dict[int, Node], mode: int) -> tuple[Floor, ...]:
    found: list[Floor] = []
    role = _number(_parts(tagged[_CELL], 1)[0]) if _CELL in tagged else _ROLE_OF_MODE.get(mode)
    if _FLOOR in tagged and role is not None:
        specialists = _pairs(tagged[_SPECIALISTS]) if _SPECIALISTS in tagged else ()
        found.append(Floor(role, _number(tagged[_FLOOR]), specialists))
    for part in _parts(tagged[_OTHERS]) if _OTHERS in tagged else ():
        role_node, counter, *rest = _parts(part, 2)
        specialists = _pairs(rest[0]) if rest else ()
        found.append(Floor(_number(role_node), _number(counter), specialists))
    return tuple(found)


def _pairs(node: Node) -> tuple[tuple[int, int], ...]:
    rows = [_parts(part, 2) for part in _parts(node)]
    return tuple([(_number(row[0]), _number(row[1])) for row in rows])


def _floor_node(floor: Floor) -> Node:
    specialists = [der.sequence(der.integer(k), der.integer(c)) for k, c in floor.specialists]
    listed = (der.sequence(*specialists),) if specialists else ()
    return der.sequence(der.integer(floor.role), der.integer(floor.counter), *listed)


def _replacement(node: Node) -> Replacement:
    certificate, cell = _parts(node, 2)[:2]
    return Replacement(der.encode(certificate), _cell(cell))


def _place(node: Node) -> Cell:
    """Read a place that is tagged instead of being a SEQUENCE."""
    return _cell(Node(Tag.SEQUENCE, _parts(node, 2)))


def _cell(node: Node) -> Cell:
    role, usage, *rest = _parts(node, 2)
    return Cell(_number(role), _octets(usage), bool(rest) and _number(rest[0]) == 1)


def _parts(node: Node, least: int = 0) -> tuple[Node, ...]:
    if isinstance(node.content, bytes) or len(node.content) < least:
        _refuse(node, f"a SEQUENCE of at least {least} parts is due")
    return node.content


def _octets(node: Node) -> bytes:
    if not isinstance(node.content, bytes):
        _refuse(node, "a primitive value is due")
    return node.content


def _number(node: Node) -> int:
    return int.from_bytes(_octets(node), "big", signed=True)


def _refuse(node: Node, why: str) -> NoReturn:
    raise MalformedFrameError(_LAYER, der.encode(node), why)
