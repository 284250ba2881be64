"""GBCS payload values of all three languages as fields."""

from emulator.codecs.dlms.access import AccessRequest, AccessResponse
from emulator.codecs.gbcs.blocks import encrypted_blocks
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.gbz import GbzMessage
from emulator.codecs.gbcs.named import Named
from emulator.codecs.gbcs.named_payload import named_payload, named_plain_texts
from emulator.codecs.gbcs.payload import PayloadValue
from emulator.core.errors import KeyNotHeldError
from emulator.crypto.protection import KeyRing, decrypt_block
from harness.gbcs_view.field import Field
from harness.gbcs_view.printing import fields_of_named, numbered_fields


def payload_fields(
    value: PayloadValue, message_code: int, cra: Cra, asked: PayloadValue | None = None
) -> list[Field]:
    """Return a decoded payload as fields.

    Args:
        value: The payload.
        message_code: Its message code.
        cra: Command, response or alert.
        asked: Payload of the command that it answers, where that is at hand.

    Raises:
        MalformedFrameError: A part that the codec leaves undecoded is damaged.
    """
    named = named_payload(value, message_code, cra, asked)
    if isinstance(value, AccessRequest | AccessResponse | GbzMessage):
        return numbered_fields(named)
    return fields_of_named(named)


def decrypted_fields(value: PayloadValue, env: Envelope, ring: KeyRing) -> list[Field]:
    """Return what the encrypted blocks of a payload say, one field a block; none without blocks.

    Raises:
        MalformedFrameError: A plain text does not follow its layout.
    """
    blocks = encrypted_blocks(value)
    opened = tuple([_opened(block, env, ring) for block in blocks])
    plain = tuple([one if isinstance(one, bytes) else None for one in opened])
    texts = named_plain_texts(value, env.header.other.message_code, plain)
    return [
        (f"{number} decrypted block", _block_fields(text, one))
        for number, (text, one) in enumerate(zip(texts, opened, strict=True), 1)
    ]


def _opened(block: bytes, env: Envelope, ring: KeyRing) -> bytes | str:
    try:
        return decrypt_block(block, env.header, ring) or "does not decrypt: its tag is wrong"
    except KeyNotHeldError as error:
        return str(error)


def _block_fields(text: Named | None, opened: bytes | str) -> str | list[Field]:
    if text is None:
        return opened if isinstance(opened, str) else opened.hex()
    return fields_of_named(text)
