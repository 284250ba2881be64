"""The encrypted blocks (sensitive attributes) inside a payload."""

from collections.abc import Iterator

from emulator.codecs.dlms.access import AccessResponse
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.alerts import AlertCode, DlmsAlert
from emulator.codecs.gbcs.gbz import BLOCK_HEADER, BLOCK_OVERHEAD, GbzAlert, GbzMessage
from emulator.codecs.gbcs.payload import PayloadValue


def encrypted_blocks(value: PayloadValue) -> tuple[bytes, ...]:
    """Return the encrypted blocks of a response's or alert's payload, in order.

    A block is 31 00000000 || cipher text || tag[12]. In DLMS it is the octet-string that answers a
    protected read or stands in a billing alert; in GBZ an encrypted component's payload.

    Raises:
        MalformedFrameError: A billing alert in GBZ does not hold one component.

    Source:
        Reference gbcs.md sections 4, 7 and 8; checked on the 39 blocks of the RTDS 4.5.0 messages
        at hand, all of which decrypt.
    """
    match value:
        case AccessResponse():
            data = [result.data for result in value.results]
        case DlmsAlert():
            data = list(value.content)
        case GbzMessage():
            return _of_components(value)
        case GbzAlert() if value.alert_code == AlertCode.BILLING_DATA_LOG:
            return _of_components(gbz.component_of(value))
        case _:
            return ()
    return tuple(block for item in data for block in _walk(item))


def _of_components(message: GbzMessage) -> tuple[bytes, ...]:
    return tuple(c.payload for c in message.components if c.frame_counter is not None)


def _walk(data: Data) -> Iterator[bytes]:
    if isinstance(data.value, tuple):
        for item in data.value:
            yield from _walk(item)
    elif data.tag is Tag.OCTETS and isinstance(data.value, bytes) and is_block(data.value):
        yield data.value


def is_block(octets: bytes) -> bool:
    """Say whether ``octets`` have the form of an encrypted block."""
    return len(octets) >= BLOCK_OVERHEAD and octets.startswith(BLOCK_HEADER)
