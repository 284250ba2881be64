"""Bounded reading of octets, and lengths as BER writes them: what the GBCS codecs share."""

from typing import Final, NoReturn

from emulator.core.errors import MalformedFrameError

#: No GBCS message is longer than a length of two octets can say.
MAX_LENGTH: Final = 0xFFFF
#: Nothing in GBCS nests deeper than about ten; hostile octets must not exhaust the stack.
MAX_DEPTH: Final = 24
#: Lengths of one octet, as they are written.
_SHORT_LENGTHS: Final = tuple(bytes((length,)) for length in range(0x80))


class Reader:
    """A position in a buffer that refuses to read past the end; integers are big-endian.

    Formats that recurse (DLMS data, DER) are read by hand on this, because construct's recursion
    is interpreted and some ten times slower (reference gbcs.md section 13).

    Attributes:
        data: The whole buffer, for error messages.
        at: Offset of the next octet.
        end: Offset after the last octet this reader may take.
        layer: Dotted name of the format, for error messages.
    """

    __slots__ = ("at", "data", "end", "layer")

    def __init__(self, layer: str, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.layer = layer
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    def fail(self, why: str, at: int | None = None) -> NoReturn:
        """Refuse the buffer.

        Raises:
            MalformedFrameError: Always; at ``at``, by default the present position.
        """
        raise MalformedFrameError(self.layer, self.data, why, self.at if at is None else at)

    def take(self, count: int) -> bytes:
        """Read ``count`` octets.

        Raises:
            MalformedFrameError: Fewer are left.
        """
        start, after = self.at, self.at + count
        if after > self.end:
            self.fail(f"{count} octets wanted, {self.end - start} left")
        self.at = after
        return self.data[start:after]

    def u8(self) -> int:
        """Read one octet.

        Raises:
            MalformedFrameError: None is left.
        """
        at = self.at
        if at >= self.end:
            self.fail("1 octet wanted, 0 left")
        self.at = at + 1
        return self.data[at]

    def unsigned(self, octets: int) -> int:
        """Read an unsigned integer of ``octets`` octets.

        Raises:
            MalformedFrameError: Fewer octets are left.
        """
        return int.from_bytes(self.take(octets), "big")

    def length(self) -> int:
        """Read a BER length of one, two (81 xx) or three (82 xx xx) octets.

        Raises:
            MalformedFrameError: It is truncated, of another form or not the shortest form.
        """
        start = self.at
        if start < self.end and self.data[start] < 0x80:  # as most lengths are
            self.at = start + 1
            return self.data[start]
        first = self.u8()
        if first not in {0x81, 0x82}:
            self.fail(f"length octet {first:02x} not allowed", start)
        length = self.unsigned(first & 0x7F)
        if length < (0x80 if first == 0x81 else 0x100):
            self.fail("length is not in its shortest form", start)
        return length

    def expect(self, octets: bytes, what: str) -> None:
        """Read octets that can only be ``octets``.

        Raises:
            MalformedFrameError: They are not; says ``what`` was due.
        """
        start = self.at
        after = start + len(octets)
        if after <= self.end and self.data[start:after] == octets:
            self.at = after
            return
        self.take(len(octets))
        self.fail(f"{what} must be {octets.hex()}", start)

    def finish(self) -> None:
        """Check that every octet was read.

        Raises:
            MalformedFrameError: Octets are left.
        """
        if self.at != self.end:
            self.fail(f"{self.end - self.at} octets too many")


def encode_length(length: int) -> bytes:
    """Return a BER length in its shortest form: one octet, 81 xx or 82 xx xx.

    Raises:
        ValueError: ``length`` is negative or above 65,535.
    """
    if 0 <= length < 0x80:
        return _SHORT_LENGTHS[length]
    if not 0 <= length <= MAX_LENGTH:
        raise ValueError(f"{length} octets do not fit one message (at most {MAX_LENGTH})")
    if length < 0x100:
        return bytes((0x81, length))
    return b"\x82" + length.to_bytes(2, "big")
