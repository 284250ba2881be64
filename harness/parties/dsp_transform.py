"""From requests without arguments to GBCS commands, by a table.

The small language of the table's ``content``, pieces with semicolons between them:

* ``get CLASS/OBIS/ATTRIBUTE``, ``act CLASS/OBIS/METHOD VALUE`` (16 bits, or ``int8:VALUE``): items
  of a DLMS access request;
* ``sealed OBIS CLASS/OBIS/ATTRIBUTE``: that attribute by way of a data-protection object, sealed
  for who reads;
* ``read CLUSTER ATTRIBUTE…``, ``send CLUSTER COMMAND PAYLOAD``: components of a GBZ message, hex.

Source:
    reference gbcs.md sections 7 and 8; checked octet for octet on the RTDS 4.5.0 commands at hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.duis_services import Transform
from device_profiles.words import DeviceType
from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem, AccessRequest, Operation
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.gbcs import envelope, gbz
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.ids import Eui64
from harness.parties.transform import THROUGH_ACB

_DATA_PROTECTION: Final = 30
#: What a sealed read asks for: each number as RTDS ECS17b has it.
_WHOLE: Final = 0
_AGREED_KEY: Final = 2
_REQUEST: Final = b"\x04"
_STATIC_UNIFIED: Final = b"\x02"
_CLUSTER_COMMAND: Final = 1
_READ: Final = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Who a command is of, and for whom it is.

    Attributes:
        originator: Who sends it: the user, or the broker in the user's place.
        counter: The originator's counter.
        target: The device.
        user: The user in whose place the broker sends it, or None.
        user_counter: That user's counter.
    """

    originator: Eui64
    counter: int
    target: Eui64
    user: Eui64 | None = None
    user_counter: int = 0

    @property
    def other(self) -> tuple[Eui64 | None, int | None]:
        """Supplementary party and counter of the grouping header."""
        return (self.user, None if self.user is None else self.user_counter)


def through_acb(kind: DeviceType, *, knows_user: bool) -> bool:
    """Say whether the broker has to speak to a device in a user's place."""
    return kind in THROUGH_ACB or not knows_user


def command(row: Transform, reader: Reader, *, critical: bool) -> Envelope:
    """Return the command of a request; its signature or MAC is still to be added.

    Args:
        row: How the request becomes one.
        reader: Who asks whom.
        critical: It is a pre-command: no signature field yet.
    """
    code = MessageCode[row.message]
    header = GroupingHeader(
        Cra.COMMAND,
        reader.counter,
        reader.originator,
        reader.target,
        OtherInformation(code, *reader.other),
    )
    payload = _payload(row.content, reader)
    return Envelope(header, payload) if critical else Envelope(header, payload, b"")


def pre_command(row: Transform, reader: Reader) -> bytes:
    """Return the pre-command of a critical request, unsigned and without MAC."""
    return envelope.encode(command(row, reader, critical=True))


def _payload(content: str, reader: Reader) -> bytes:
    pieces = [piece.split() for piece in content.split(";")]
    if pieces[0][0] in _COMPONENTS:
        components = tuple(
            _COMPONENTS[words[0]](number, words[1:]) for number, words in enumerate(pieces)
        )
        return gbz.encode(GbzMessage(components))
    items = tuple(_ITEMS[words[0]](words[1:], reader) for words in pieces)
    return access.encode_request(AccessRequest(invoke_id(reader.counter), items))


# -- DLMS ------------------------------------------------------------------------------------


def _place(text: str) -> tuple[int, bytes, int]:
    class_id, obis, index = text.split("/")
    return int(class_id), access.parse_obis(obis), int(index)


def _get(words: list[str], _reader: Reader) -> AccessItem:
    return AccessItem(Operation.GET, *_place(words[0]))


def _act(words: list[str], _reader: Reader) -> AccessItem:
    kind, _colon, value = words[1].rpartition(":")
    data = Data(Tag.INT8 if kind == "int8" else Tag.UINT16, int(value))
    return AccessItem(Operation.ACTION, *_place(words[0]), data)


def _sealed(words: list[str], reader: Reader) -> AccessItem:
    """Return the invocation of a data-protection object."""
    class_id, obis, index = _place(words[1])
    wanted = _struct(
        Data(Tag.UINT16, class_id),
        Data(Tag.OCTETS, obis),
        Data(Tag.INT8, index),
        Data(Tag.UINT16, _WHOLE),
        _struct(Data(Tag.ENUM, 0), NULL),
    )
    party = reader.user or reader.originator
    counter = reader.counter if reader.user is None else reader.user_counter
    key = _struct(
        Data(Tag.ENUM, _AGREED_KEY),
        _struct(Data(Tag.OCTETS, _STATIC_UNIFIED), Data(Tag.OCTETS, b"")),
    )
    protection = _struct(
        Data(Tag.ENUM, _AGREED_KEY),
        _struct(
            Data(Tag.OCTETS, _REQUEST + counter.to_bytes(8, "big")),
            Data(Tag.OCTETS, party.octets),
            Data(Tag.OCTETS, reader.target.octets),
            Data(Tag.OCTETS, b""),
            key,
        ),
    )
    data = _struct(Data(Tag.ARRAY, (wanted,)), Data(Tag.ARRAY, (protection,)))
    place = access.parse_obis(words[0])
    return AccessItem(Operation.ACTION, _DATA_PROTECTION, place, 1, data)


def _struct(*members: Data) -> Data:
    return Data(Tag.STRUCTURE, members)


_ITEMS: Final[Mapping[str, Callable[[list[str], Reader], AccessItem]]] = {
    "get": _get,
    "act": _act,
    "sealed": _sealed,
}


# -- GBZ -------------------------------------------------------------------------------------


def _read(number: int, words: list[str]) -> GbzComponent:
    attributes = b"".join(int(word, 16).to_bytes(2, "little") for word in words[1:])
    return GbzComponent(int(words[0], 16), _READ, number, _READ, attributes)


def _send(number: int, words: list[str]) -> GbzComponent:
    payload = bytes.fromhex(words[2])
    return GbzComponent(int(words[0], 16), _CLUSTER_COMMAND, number, int(words[1], 16), payload)


_COMPONENTS: Final[Mapping[str, Callable[[int, list[str]], GbzComponent]]] = {
    "read": _read,
    "send": _send,
}
