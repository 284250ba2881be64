"""What a receiver makes of octets sent at another speed or in another format, bit by bit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emulator.codecs.rfc2217_server import Parity, PortSettings

#: Speeds this close together understand each other.
#: Source: known (half a bit in ten, both ends' error and some margin taken off).
TOLERANCE: Final = 0.03
#: Octets a receiver takes out of one transmission at most: noise is short of no end.
MAX_OCTETS: Final = 4096


@dataclass(frozen=True, slots=True)
class CharacterFormat:
    """How octets stand on a line.

    Attributes:
        baud: Bits a second.
        data_bits: 5 to 8.
        parity: Parity.
    """

    baud: int
    data_bits: int = 8
    parity: Parity = Parity.NONE

    @property
    def bits(self) -> int:
        """Bits an octet takes: start, data, parity, one stop bit."""
        return self.data_bits + (2 if self.parity is Parity.NONE else 3)


def format_of(settings: PortSettings) -> CharacterFormat:
    """Return the format of a serial port's settings; one stop bit or two is the same to hear."""
    return CharacterFormat(settings.baud, settings.data_bits, settings.parity)


def carried(octets: bytes, sender: CharacterFormat, receiver: CharacterFormat) -> bytes:
    """Return what ``receiver`` hears of octets that ``sender`` puts out without a pause.

    An octet whose stop bit is missing is read as 00; one whose parity alone is wrong as it is.
    Bits beyond the receiver's data bits are 0.

    Source:
        Known (an asynchronous receiver waits for the falling edge of a start bit and looks at the
        middle of every bit after it; POSIX termios without INPCK, IGNPAR and PARMRK).
    """
    if _agree(sender, receiver):
        mask = (1 << sender.data_bits) - 1
        return octets if mask == 0xFF else bytes(octet & mask for octet in octets)
    line = [bit for octet in octets for bit in _bits(octet, sender)]
    return bytes(_heard(line, sender.baud, receiver))


def _agree(sender: CharacterFormat, receiver: CharacterFormat) -> bool:
    near = abs(sender.baud - receiver.baud) <= TOLERANCE * receiver.baud
    return near and (sender.data_bits, sender.parity) == (receiver.data_bits, receiver.parity)


def _bits(octet: int, form: CharacterFormat) -> Iterator[int]:
    data = [octet >> place & 1 for place in range(form.data_bits)]
    yield 0
    yield from data
    if form.parity is not Parity.NONE:
        yield _parity_bit(sum(data), form.parity)
    yield 1


def _parity_bit(ones: int, parity: Parity) -> int:
    match parity:
        case Parity.EVEN:
            return ones & 1
        case Parity.ODD:
            return ~ones & 1
        case Parity.MARK:
            return 1
        case _:
            return 0


def _heard(line: list[int], baud: int, receiver: CharacterFormat) -> Iterator[int]:
    """Sample a line of bits; time is counted in bits of the sender."""
    step = baud / receiver.baud
    at, heard = 0.0, 0
    while heard < MAX_OCTETS:
        start = _falling_edge(line, at)
        if start is None:
            return
        octet = 0
        for place in range(receiver.data_bits):
            octet |= _level(line, start + (place + 1.5) * step) << place
        at = start + (receiver.bits - 0.5) * step
        yield octet if _level(line, at) else 0
        heard += 1


def _falling_edge(line: list[int], at: float) -> int | None:
    """Return where the line next goes low; a line that is low all along must go high first."""
    place = int(at)
    if at and place < len(line) and not line[place]:
        while place < len(line) and not line[place]:
            place += 1
    while place < len(line) and line[place]:
        place += 1
    return place if place < len(line) else None


def _level(line: list[int], at: float) -> int:
    return line[int(at)] if at < len(line) else 1
