"""General block transfer: the blocks in which a large GBCS message travels.

A block is a general-ciphering header with the message's own transaction (so it tells whose message
it is part of) around one GBT block; the blocks' data together are a whole message with its own
protections. No vector exists: see ``GbtSettings`` for what is not established.
"""

from dataclasses import dataclass
from typing import Final, NoReturn

from emulator.codecs.common import MAX_LENGTH, Reader, encode_length
from emulator.codecs.gbcs.envelope import Cra, GroupingHeader, OtherInformation
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

LAYER: Final = "gbcs.gbt"
#: First octets of every block: general-ciphering with a transaction id, which no message has.
FIRST_OCTETS: Final = b"\xdd\x09"
_GBT: Final = b"\xe0"
_LAST: Final = 0x80
_STREAMING: Final = 0x40
WINDOW_MASK: Final = 0x3F
_CRA: Final = {int(cra): cra for cra in Cra}
#: Longest length a length field of two octets can say.
_MOST: Final = MAX_LENGTH


@dataclass(frozen=True, slots=True)
class GbtSettings:
    """Limits of block transfer. All of them are unverified.

    Attributes:
        block_bytes: Most octets of data in one block. Source: invented, unverified (reference
            gbcs.md sections 6 and 16: the limit was not found; 1,200 octets occur unsegmented).
        window: Blocks sent before an acknowledgement is awaited, 1 to 63. Source: unverified (6 is
            dissected by tshark).
        ack_timeout_ms: How long an acknowledgement is awaited. Source: invented, unverified.
        retries: How often a window is sent again before the sender gives up. Source: as above.
        silence_ms: How long a receiver keeps an unfinished message. Source: as above.
        max_message_bytes: Longest message a receiver takes. Source: as above.
        max_streams: Unfinished messages a receiver keeps at a time. Source: as above.
        security_control: First octet of the security header. Source: unverified (00 is dissected
            by tshark; the real value was not found).
    """

    block_bytes: int = 1000
    window: int = 6
    ack_timeout_ms: int = 10_000
    retries: int = 3
    silence_ms: int = 120_000
    max_message_bytes: int = 65_535
    max_streams: int = 16
    security_control: int = 0x00

    def __post_init__(self) -> None:
        if not 1 <= self.window <= WINDOW_MASK:
            raise ValueError(f"a window has 1 to {WINDOW_MASK} blocks, not {self.window}")
        if not 1 <= self.block_bytes <= _MOST - 64:
            raise ValueError(f"a block holds 1 to {_MOST - 64} octets, not {self.block_bytes}")


@dataclass(frozen=True, slots=True)
class GbtBlock:
    """One block, or an acknowledgement (no data, and not the last).

    Attributes:
        cra: Of the message it is part of.
        counter: Originator counter of that message.
        originator: Who sends the block.
        target: Who is to have it.
        message_code: Message code of that message.
        number: Block number from 1; 0 in an acknowledgement of who sends nothing.
        acknowledged: Highest block number received without a gap, 0 for none.
        is_last: Whether the message ends with it.
        is_streaming: Whether another block follows without waiting for an acknowledgement.
        window: Blocks that its sender takes at a time.
        data: Part of the message.
        security_control: First octet of the security header.
    """

    cra: Cra
    counter: int
    originator: Eui64
    target: Eui64
    message_code: int
    number: int
    acknowledged: int = 0
    is_last: bool = False
    is_streaming: bool = False
    window: int = 1
    data: bytes = b""
    security_control: int = 0x00

    @property
    def is_acknowledgement(self) -> bool:
        """Whether it carries nothing of a message."""
        return not self.data and not self.is_last

    @property
    def stream(self) -> tuple[bytes, Cra, int]:
        """What the blocks of one message have in common: originator, direction, counter."""
        return self.originator.octets, self.cra, self.counter


def is_block(data: bytes) -> bool:
    """Say whether octets begin as a block does; no whole message begins so."""
    return data.startswith(FIRST_OCTETS)


def decode(data: bytes) -> GbtBlock:
    """Decode one block that fills ``data``.

    Raises:
        MalformedFrameError: Layer ``gbcs.gbt``: a field that no block has, a length that does not
            fit, truncation, trailing octets.

    Source:
        reference gbcs.md section 6 (after Wireshark's dissector; no vector exists).
    """
    reader = Reader(LAYER, data)
    block = read(reader)
    reader.finish()
    return block


def decode_all(data: bytes) -> tuple[GbtBlock, ...]:
    """Decode blocks that stand one after another.

    Raises:
        MalformedFrameError: As ``decode``.
    """
    reader = Reader(LAYER, data)
    blocks = [read(reader)]
    while reader.at < reader.end:
        blocks.append(read(reader))
    return tuple(blocks)


def read(reader: Reader) -> GbtBlock:
    """Read one block.

    Raises:
        MalformedFrameError: As ``decode``, but for trailing octets.
    """
    reader.expect(FIRST_OCTETS, "tag and length of the transaction id")
    cra = _CRA.get(reader.u8())
    if cra is None:
        reader.fail("CRA flag is not 1, 2 or 3", reader.at - 1)
    counter = reader.unsigned(8)
    reader.expect(b"\x08", "length of the originator")
    originator = Eui64(reader.take(8))
    reader.expect(b"\x08", "length of the target")
    target = Eui64(reader.take(8))
    reader.expect(b"\x00\x02", "no date-time, and two octets of other information")
    code = reader.unsigned(2)
    reader.expect(b"\x00", "no key information")
    length = reader.length()
    start = reader.at
    if start + length > reader.end:
        reader.fail(f"block of {length} octets, {reader.end - start} left", start)
    security_control = reader.u8()
    reader.expect(bytes(4), "invocation counter")
    reader.expect(_GBT, "tag of a block")
    control, number, acknowledged = reader.u8(), reader.unsigned(2), reader.unsigned(2)
    content = reader.take(reader.length())
    if reader.at != start + length:
        reader.fail("the block and its data end at different octets")
    return GbtBlock(
        cra,
        counter,
        originator,
        target,
        code,
        number,
        acknowledged,
        bool(control & _LAST),
        bool(control & _STREAMING),
        control & WINDOW_MASK,
        content,
        security_control,
    )


def encode(block: GbtBlock) -> bytes:
    """Encode one block.

    Raises:
        ValueError: A field does not fit.
    """
    if not 0 <= block.window <= WINDOW_MASK or not 0 <= block.number <= MAX_LENGTH:
        raise ValueError(f"no block: {block!r}")
    control = block.window | (_LAST if block.is_last else 0)
    control |= _STREAMING if block.is_streaming else 0
    body = b"".join(
        (
            bytes((block.security_control, 0, 0, 0, 0)),
            _GBT,
            bytes((control,)),
            block.number.to_bytes(2, "big"),
            block.acknowledged.to_bytes(2, "big"),
            encode_length(len(block.data)),
            block.data,
        )
    )
    return b"".join(
        (
            FIRST_OCTETS,
            bytes((block.cra,)),
            block.counter.to_bytes(8, "big"),
            b"\x08",
            block.originator.octets,
            b"\x08",
            block.target.octets,
            b"\x00\x02",
            block.message_code.to_bytes(2, "big"),
            b"\x00",
            encode_length(len(body)),
            body,
        )
    )


def header_of(block: GbtBlock) -> GroupingHeader:
    """Return the grouping header that the blocks of a message must agree with."""
    other = OtherInformation(block.message_code)
    return GroupingHeader(block.cra, block.counter, block.originator, block.target, other)


def segment(message: bytes, header: GroupingHeader, settings: GbtSettings) -> tuple[GbtBlock, ...]:
    """Cut a message into blocks, all of one window after another streaming.

    Args:
        message: The whole message, its protections included.
        header: Its grouping header.
        settings: Limits.

    Raises:
        ValueError: It is empty, or has more blocks than can be numbered.
    """
    size = settings.block_bytes
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    if not 0 < len(parts) <= MAX_LENGTH:
        raise ValueError(f"a message of {len(message)} octets has {len(parts)} blocks")
    last = len(parts)
    return tuple(
        [
            GbtBlock(
                header.cra,
                header.counter,
                header.originator,
                header.target,
                header.other.message_code,
                number,
                is_last=number == last,
                is_streaming=number != last and number % settings.window != 0,
                window=settings.window,
                data=part,
                security_control=settings.security_control,
            )
            for number, part in enumerate(parts, 1)
        ]
    )


def reassemble(blocks: tuple[GbtBlock, ...]) -> bytes:
    """Put the blocks of one message together, in whatever order and however often they came.

    Raises:
        MalformedFrameError: Layer ``gbcs.gbt``: blocks of several messages, a block that came with
            two contents, one behind the last, a missing one.
    """
    parts: dict[int, bytes] = {}
    end = 0
    for block in blocks:
        if block.is_acknowledgement:
            continue
        if block.stream != blocks[0].stream:
            _refuse(block, "blocks of several messages")
        if parts.setdefault(block.number, block.data) != block.data:
            _refuse(block, f"block {block.number} came with two contents")
        if block.is_last:
            end = block.number
    missing = [number for number in range(1, end + 1) if number not in parts]
    if not end or missing:
        what = ", ".join(map(str, missing[:5])) or "the last"
        _refuse(blocks[0], f"block missing: {what}")
    if max(parts) > end:
        _refuse(blocks[0], f"block {max(parts)} stands behind the last one, {end}")
    return b"".join(parts[number] for number in range(1, end + 1))


def _refuse(block: GbtBlock, why: str) -> NoReturn:
    raise MalformedFrameError(LAYER, encode(block), why)
