"""Payloads of reads, by the small language of ``duis-transforms.csv``.

Pieces with semicolons between them:

* ``get CLASS/OBIS/ATTRIBUTE``, ``act CLASS/OBIS/METHOD VALUE`` (16 bits, or ``int8:VALUE``, or
  ``null:``): items of a DLMS access request;
* ``range CLASS/OBIS/ATTRIBUTE``: that log between the begin and the end that the request names;
* ``sealed OBIS CLASS/OBIS/ATTRIBUTE…``: those attributes by way of a data-protection object, sealed
  for who reads; ``log OBIS CLASS/OBIS/ATTRIBUTE…``: the same of logs between begin and end;
* ``read CLUSTER ATTRIBUTE…``, ``send CLUSTER COMMAND PAYLOAD``: components of a GBZ message, hex;
  ``since …`` is a ``send`` that names the begin beside its payload;
* ``each COUNT CLUSTER COMMAND PAYLOAD``: that many of them, ``{n}`` being the number of each.

In a GBZ payload ``{from}`` and ``{to}`` are begin and end, ``{halves}`` is the number of half hours
between them, both counted.

Source:
    reference gbcs.md sections 7 and 8; checked octet for octet on the RTDS 4.5.0 commands at hand.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem, AccessRequest, Operation, Selection
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.ids import Eui64
from harness.formats.duis.smets1_bodies import LogPeriod
from harness.formats.duis.transforms.dlms_data import structure

_DATA_PROTECTION: Final = 30
#: What a sealed read asks for: each number as RTDS ECS17b and ECS22b have it.
_WHOLE: Final = 0
_ALL, _BETWEEN = 0, 1
_AGREED_KEY: Final = 2
_REQUEST: Final = b"\x04"
_STATIC_UNIFIED: Final = b"\x02"
#: Selection by the clock of a log's rows. Source: RTDS ECS22c.
_BY_RANGE: Final = 1
_CLOCK: Final = "0-0:94.44.100.255"
_NUMBERS: Final[Mapping[str, Tag]] = {"": Tag.UINT16, "int8": Tag.INT8}
_CLUSTER_COMMAND: Final = 1
_READ: Final = 0
_HALF_HOUR_MS: Final = 1_800_000


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


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks, and for which part of a log."""

    reader: Reader
    period: LogPeriod | None

    @property
    def span(self) -> LogPeriod:
        """The part of the log.

        Raises:
            ValueError: The request names none.
        """
        if self.period is None:
            raise ValueError("the request names no part of the log")
        return self.period


def payload(content: str, reader: Reader, period: LogPeriod | None = None) -> bytes:
    """Return the payload that a content says.

    Args:
        content: In the small language.
        reader: Who asks whom.
        period: Which part of a log, where the request says it.

    Raises:
        ValueError: The content needs a period, and there is none; or it does not fit its field.
    """
    asking = _Asking(reader, period)
    pieces = [piece.split() for piece in content.split(";")]
    if pieces[0][0] in _COMPONENTS:
        parts = [part for words in pieces for part in _COMPONENTS[words[0]](words[1:], asking)]
        numbered = (part.numbered(number) for number, part in enumerate(parts))
        return gbz.encode(GbzMessage(tuple(numbered)))
    items = tuple(_ITEMS[words[0]](words[1:], asking) for words in pieces)
    return access.encode_request(AccessRequest(invoke_id(reader.counter), items))


# -- DLMS ------------------------------------------------------------------------------------


def _place(text: str) -> tuple[int, bytes, int]:
    class_id, obis, index = text.split("/")
    return int(class_id), access.parse_obis(obis), int(index)


def _get(words: list[str], _asking: _Asking) -> AccessItem:
    return AccessItem(Operation.GET, *_place(words[0]))


def _act(words: list[str], _asking: _Asking) -> AccessItem:
    kind, _colon, value = words[1].rpartition(":")
    data = NULL if kind == "null" else Data(_NUMBERS[kind], int(value))
    return AccessItem(Operation.ACTION, *_place(words[0]), data)


def _range(words: list[str], asking: _Asking) -> AccessItem:
    clock = structure(
        Data(Tag.UINT16, 1),
        Data(Tag.OCTETS, access.parse_obis(_CLOCK)),
        Data(Tag.INT8, 2),
        Data(Tag.UINT16, _WHOLE),
    )
    ends = [Data(Tag.UINT32, to_zigbee_seconds(at)) for at in _ends(asking)]
    selection = Selection(_BY_RANGE, structure(clock, *ends, Data(Tag.ARRAY, ())))
    return AccessItem(Operation.GET_SELECTED, *_place(words[0]), NULL, selection)


def _ends(asking: _Asking) -> tuple[UtcMs, UtcMs]:
    return asking.span.first, asking.span.last


def _sealed(words: list[str], asking: _Asking) -> AccessItem:
    return _protected(words, asking.reader, structure(Data(Tag.ENUM, _ALL), NULL))


def _log(words: list[str], asking: _Asking) -> AccessItem:
    span = asking.span
    between = [Data(Tag.OCTETS, encode_date_time(at)) for at in (span.first, span.last)]
    restriction = structure(Data(Tag.ENUM, _BETWEEN), structure(*between))
    return _protected(words, asking.reader, restriction)


def _protected(words: list[str], reader: Reader, restriction: Data) -> AccessItem:
    """Return the invocation of a data-protection object."""
    wanted = [
        structure(
            Data(Tag.UINT16, class_id),
            Data(Tag.OCTETS, obis),
            Data(Tag.INT8, index),
            Data(Tag.UINT16, _WHOLE),
            restriction,
        )
        for class_id, obis, index in map(_place, words[1:])
    ]
    key = structure(
        Data(Tag.ENUM, _AGREED_KEY),
        structure(Data(Tag.OCTETS, _STATIC_UNIFIED), Data(Tag.OCTETS, b"")),
    )
    protection = structure(
        Data(Tag.ENUM, _AGREED_KEY),
        structure(
            Data(Tag.OCTETS, _REQUEST + reader.counter.to_bytes(8, "big")),
            Data(Tag.OCTETS, (reader.user or reader.originator).octets),
            Data(Tag.OCTETS, reader.target.octets),
            Data(Tag.OCTETS, b""),
            key,
        ),
    )
    data = structure(Data(Tag.ARRAY, tuple(wanted)), Data(Tag.ARRAY, (protection,)))
    place = access.parse_obis(words[0])
    return AccessItem(Operation.ACTION, _DATA_PROTECTION, place, 1, data)


_ITEMS: Final[Mapping[str, Callable[[list[str], _Asking], AccessItem]]] = {
    "get": _get,
    "act": _act,
    "range": _range,
    "sealed": _sealed,
    "log": _log,
}


# -- GBZ -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A component that has no number yet."""

    cluster: int
    control: int
    command: int
    payload: bytes
    since: LogPeriod | None = None

    def numbered(self, number: int) -> GbzComponent:
        at = None if self.since is None else self.since.first
        return GbzComponent(
            self.cluster, self.control, number, self.command, self.payload, None, at
        )


def _read(words: list[str], _asking: _Asking) -> Iterable[_Part]:
    attributes = b"".join(int(word, 16).to_bytes(2, "little") for word in words[1:])
    return [_Part(int(words[0], 16), _READ, _READ, attributes)]


def _send(words: list[str], asking: _Asking) -> Iterable[_Part]:
    return [_command(words, _filled(words[2], asking))]


def _since(words: list[str], asking: _Asking) -> Iterable[_Part]:
    return [_command(words, _filled(words[2], asking), asking.span)]


def _each(words: list[str], asking: _Asking) -> Iterable[_Part]:
    for number in range(int(words[0])):
        text = words[3].replace("{n}", f"{number:02x}")
        yield _command(words[1:], _filled(text, asking))


def _command(words: list[str], octets: bytes, since: LogPeriod | None = None) -> _Part:
    return _Part(int(words[0], 16), _CLUSTER_COMMAND, int(words[1], 16), octets, since)


def _filled(text: str, asking: _Asking) -> bytes:
    """Return a payload with begin and end of the period in it."""
    if "{" in text:
        first, last = _ends(asking)
        halves = max(0, last - first) // _HALF_HOUR_MS + 1
        text = text.replace("{from}", _little(to_zigbee_seconds(first), 4))
        text = text.replace("{to}", _little(to_zigbee_seconds(last), 4))
        text = text.replace("{halves}", _little(min(halves, 0xFFFF), 2))
    return bytes.fromhex(text)


def _little(number: int, size: int) -> str:
    try:
        return number.to_bytes(size, "little").hex()
    except OverflowError as error:
        raise ValueError(f"{number} has no room in {size} octets") from error


_COMPONENTS: Final[Mapping[str, Callable[[list[str], _Asking], Iterable[_Part]]]] = {
    "read": _read,
    "send": _send,
    "since": _since,
    "each": _each,
}
