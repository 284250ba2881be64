"""What the words of the steps table mean: request arguments to DLMS data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.selective import CaptureObject, RangeSelection
from emulator.core.clock import UtcMs
from emulator.core.values import quick
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters
from harness.dlms.clock import clock_data, clock_of
from harness.errors import UsageError

#: Status of an account in use. Source: IEC 62056-6-2 Account (known).
_IN_USE: Final = 2


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, both ends included.

    Attributes:
        first: First moment.
        last: Last moment.
        rows_of: The column that tells the time of a row.
    """

    first: Data
    last: Data
    rows_of: CaptureObject


@dataclass(frozen=True, slots=True)
class Image:
    """A firmware image to load.

    Attributes:
        identifier: Name it is announced by.
        octets: The image file.
        block_bytes: Block size of the device.
    """

    identifier: bytes
    octets: bytes
    block_bytes: int

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-len(self.octets) // self.block_bytes)

    def block(self, number: int) -> bytes:
        """Return block ``number``, from 0; the last may be short."""
        return self.octets[number * self.block_bytes : (number + 1) * self.block_bytes]


@quick
@dataclass(frozen=True, slots=True)
class Arguments:
    """What a service request carries, as far as its steps need it.

    Attributes:
        period: Span of a profile reading.
        mode: Payment mode: 1 credit, 2 prepayment.
        token: The top-up code's digits.
        clock: Moment to set the clock to, as DLMS date-time octets.
        since: When that was the present moment: a clock that is set later is set to so much more.
        keys: New keys, and the master key they are wrapped under.
        wrapped: The same as a key transfer's parameters, where somebody else wrapped them.
        image: The firmware image.
        name: Name of a calendar.
        price: Price structure.
        entry: Device and type for a hub's device log.
        leaver: EUI-64 (8 octets) of the device that is to leave a hub's device log.
        ticket: Image ticket of an image that a hub holds (14 octets).
        metadata: Image ticket and metadata for a hub's metadata channel.
    """

    period: Period | None = None
    mode: int | None = None
    token: str = ""
    clock: bytes = b""
    since: UtcMs | None = None
    keys: tuple[bytes, Sequence[NewKey]] | None = None
    wrapped: Data | None = None
    image: Image | None = None
    name: str = ""
    price: Data | None = None
    entry: Data | None = None
    leaver: bytes = b""
    ticket: bytes = b""
    metadata: bytes = b""

    def at(self, now: UtcMs) -> "Arguments":
        """Return them as they are at a moment: the time to set a clock to goes on."""
        shown = clock_of(axdr.octets(self.clock)).at if self.clock else None
        if self.since is None or shown is None:
            return self
        later = clock_data(UtcMs(shown + now - self.since)).value
        return replace(self, clock=later if isinstance(later, bytes) else self.clock, since=now)

    def __repr__(self) -> str:
        """Return nothing that keys or codes can be read from."""
        given = [name for name in self.__slots__ if getattr(self, name)]
        return f"Arguments({', '.join(given)})"


def argument_of(word: str, given: Arguments) -> Data | None:
    """Return the DLMS data a step writes or passes; None for none.

    Raises:
        UsageError: The word is unknown, or the request does not carry what it needs.
    """
    if word in {"", "none"}:
        return Data(Tag.INT8, 0) if word else None
    build = _WORDS.get(word)
    if build is None:
        raise UsageError(
            f"the steps table uses a word nobody knows: {word!r}",
            where="catalogues/dmves.csv, column argument",
            cause=f"known words: {', '.join(sorted(_WORDS))}",
        )
    built = build(given)
    if built is None:
        raise UsageError(
            f"the request does not carry what its steps need: {word.partition(':')[0]}",
            where="service request",
            cause="a value is missing",
        )
    return built


def selection_of(word: str, given: Arguments) -> RangeSelection | None:
    """Return the selective access of a reading step; None for all of the attribute.

    Raises:
        UsageError: The step wants a period and the request has none.
    """
    if word != "period:range":
        return None
    if given.period is None:
        raise UsageError("the request names no period", where="service request")
    return RangeSelection(given.period.rows_of, given.period.first, given.period.last)


def image_block(image: Image, number: int) -> Data:
    """Return the parameters of the image transfer's block method."""
    return axdr.structure(Data(Tag.UINT32, number), axdr.octets(image.block(number)))


def _account_mode(mode: int) -> Data:
    """Return mode and status of an account that is in use (class 111, attribute 2)."""
    return axdr.structure(Data(Tag.ENUM, mode), Data(Tag.ENUM, _IN_USE))


def _initiate(given: Arguments) -> Data | None:
    if given.image is None:
        return None
    size = Data(Tag.UINT32, len(given.image.octets))
    return axdr.structure(axdr.octets(given.image.identifier), size)


_WORDS: Final[Mapping[str, Callable[[Arguments], Data | None]]] = {
    "true": lambda _given: Data(Tag.BOOLEAN, 1),
    "i8:0": lambda _given: Data(Tag.INT8, 0),
    "payment:mode": lambda given: None if given.mode is None else _account_mode(given.mode),
    "token:digits": lambda given: axdr.octets(given.token.encode()) if given.token else None,
    "time:clock": lambda given: axdr.octets(given.clock) if given.clock else None,
    "tariff:name": lambda given: axdr.octets(given.name.encode()) if given.name else None,
    "tariff:price": lambda given: given.price,
    "keys:transfer": lambda given: (
        given.wrapped or (given.keys and transfer_parameters(*given.keys))
    ),
    "image:initiate": _initiate,
    "hanlog:entry": lambda given: given.entry,
    "hanlog:leaver": lambda given: axdr.octets(given.leaver) if given.leaver else None,
    "image:ticket": lambda given: axdr.octets(given.ticket) if given.ticket else None,
    "image:metadata": lambda given: axdr.octets(given.metadata) if given.metadata else None,
}
