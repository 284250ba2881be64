"""Reads and writes the parts of a small ASN.1 payload, each of the type and size that is due."""

import enum
from typing import Final, NoReturn, TypeVar

from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs import dates
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError

_LAYER: Final = "gbcs.asn1"
_Code = TypeVar("_Code", bound=enum.IntEnum)


class Parts:
    """Takes the parts of a SEQUENCE one by one, each of the type that is due."""

    def __init__(self, data: bytes, node: Node, what: str) -> None:
        """Open ``node``; ``data`` and ``what`` are for error messages.

        Raises:
            MalformedFrameError: It is no SEQUENCE.
        """
        self._data = data
        self._what = what
        self._at = 0
        if node.tag != Tag.SEQUENCE or isinstance(node.content, bytes):
            self._fail("a SEQUENCE is due")
        self._parts = node.content

    def _fail(self, why: str) -> NoReturn:
        raise MalformedFrameError(_LAYER, self._data, f"{self._what}, part {self._at + 1}: {why}")

    def node(self) -> Node:
        """Take the next part, whatever it is.

        Raises:
            MalformedFrameError: There is none.
        """
        if self._at >= len(self._parts):
            self._fail("missing")
        self._at += 1
        return self._parts[self._at - 1]

    def _primitive(self, tag: Tag) -> bytes:
        node = self.node()
        if node.tag != tag or not isinstance(node.content, bytes):
            self._at -= 1
            self._fail(f"{tag.name} is due, tag {node.tag:02x} found")
        return node.content

    def octets(self, size: int) -> bytes:
        """Take an OCTET STRING of ``size`` octets.

        Raises:
            MalformedFrameError: The next part is none.
        """
        content = self._primitive(Tag.OCTET_STRING)
        if len(content) != size:
            self._fail(f"{size} octets are due, {len(content)} found")
        return content

    def unsigned(self, limit: int) -> int:
        """Take an INTEGER from 0 to ``limit``.

        Raises:
            MalformedFrameError: The next part is none.
        """
        value = int.from_bytes(self._primitive(Tag.INTEGER), "big", signed=True)
        if not 0 <= value <= limit:
            self._fail(f"{value} is not from 0 to {limit}")
        return value

    def code(self, codes: type[_Code]) -> _Code:
        """Take an INTEGER that is a member of ``codes``.

        Raises:
            MalformedFrameError: The next part is none.
        """
        value = int.from_bytes(self._primitive(Tag.INTEGER), "big", signed=True)
        try:
            return codes(value)
        except ValueError:
            self._fail(f"{value} is no {codes.__name__}")

    def time(self) -> UtcMs:
        """Take a GeneralizedTime.

        Raises:
            MalformedFrameError: The next part is none, or no such moment.
        """
        return dates.decode_generalized_time(self._primitive(Tag.GENERALIZED_TIME))

    def more(self) -> bool:
        """Say whether a part is left."""
        return self._at < len(self._parts)

    def finish(self) -> None:
        """Check that no part is left.

        Raises:
            MalformedFrameError: One is.
        """
        if self.more():
            self._fail("nothing more is due")


def open_sequence(data: bytes, what: str) -> Parts:
    """Decode a payload that is one SEQUENCE and open it.

    Raises:
        MalformedFrameError: It is not.
    """
    return Parts(data, der.decode(data), what)


def time_node(at: UtcMs) -> Node:
    """Return a GeneralizedTime."""
    return Node(Tag.GENERALIZED_TIME, dates.encode_generalized_time(at))


def sized(value: bytes, size: int) -> Node:
    """Return an OCTET STRING of ``size`` octets.

    Raises:
        ValueError: ``value`` has another length.
    """
    if len(value) != size:
        raise ValueError(f"{size} octets are due, got {len(value)}")
    return der.octet_string(value)


def check_null(data: bytes, what: str) -> None:
    """Check that a payload is NULL.

    Raises:
        MalformedFrameError: It is not.
    """
    if der.decode(data) != der.NULL:
        raise MalformedFrameError(_LAYER, data, f"{what} is NULL", 0)
