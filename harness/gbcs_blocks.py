"""Messages that travelled in blocks (GBT): found among others, and put together."""

from collections.abc import Iterable, Sequence

from emulator.codecs.gbcs import gbt
from emulator.codecs.gbcs.gbt import GbtBlock
from emulator.core.errors import MalformedFrameError


def messages_of(blocks: Sequence[GbtBlock]) -> list[bytes]:
    """Return the messages that blocks carry, in the order they began; acknowledgements are none.

    Raises:
        MalformedFrameError: A message is not whole.
    """
    streams: dict[object, list[GbtBlock]] = {}
    for block in blocks:
        if not block.is_acknowledgement:
            streams.setdefault(block.stream, []).append(block)
    if not streams:
        raise MalformedFrameError(gbt.LAYER, b"", "acknowledgements alone")
    return [gbt.reassemble(tuple(stream)) for stream in streams.values()]


def whole_messages(frames: Iterable[bytes]) -> list[bytes]:
    """Return the messages of a link: whole ones as they are, those in blocks put together.

    A message in blocks stands where its last missing block came; one that is not whole, or whose
    blocks are damaged, is left as the blocks that came.
    """
    found: list[bytes] = []
    open_streams: dict[object, list[GbtBlock]] = {}
    loose: dict[object, list[bytes]] = {}
    for frame in frames:
        block = _block(frame)
        if block is None:
            found.append(frame)
            continue
        if block.is_acknowledgement:
            continue
        stream = open_streams.setdefault(block.stream, [])
        stream.append(block)
        loose.setdefault(block.stream, []).append(frame)
        message = _whole(stream)
        if message is not None:
            found.append(message)
            del open_streams[block.stream], loose[block.stream]
    return found + [frame for frames in loose.values() for frame in frames]


def _block(frame: bytes) -> GbtBlock | None:
    if not gbt.is_block(frame):
        return None
    try:
        return gbt.decode(frame)
    except MalformedFrameError:
        return None


def _whole(stream: list[GbtBlock]) -> bytes | None:
    try:
        return gbt.reassemble(tuple(stream))
    except MalformedFrameError:
        return None
