"""The payload of any GBCS message as named values: nothing of it stays an unnamed run of octets."""

from emulator.codecs.der import Node
from emulator.codecs.dlms.access import AccessRequest, AccessResponse
from emulator.codecs.gbcs import gbz, named_asn1, named_dlms, named_gbz
from emulator.codecs.gbcs.alerts import AlertCode, DlmsAlert
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.gbz import GbzAlert, GbzMessage
from emulator.codecs.gbcs.named import Named
from emulator.codecs.gbcs.payload import PayloadValue
from emulator.codecs.gbcs.use_cases import MESSAGES


def named_payload(
    value: PayloadValue, code: int, cra: Cra, asked: PayloadValue | None = None
) -> Named:
    """Return a decoded payload as named values.

    Args:
        value: The payload.
        code: Message code.
        cra: Command, response or alert.
        asked: Payload of the command that a response answers, where it is at hand.

    Raises:
        MalformedFrameError: A part that ``decode_payload`` leaves alone is damaged.
    """
    match value:
        case AccessRequest():
            named = named_dlms.request(value)
        case AccessResponse():
            command = asked if isinstance(asked, AccessRequest) else None
            named = named_dlms.response(value, code, command)
        case DlmsAlert():
            named = named_dlms.alert(value)
        case GbzMessage():
            named = named_gbz.message(value)
        case GbzAlert():
            named = named_gbz.alert(value)
        case Node():
            named = named_asn1.tree(value, code, cra)
        case _:
            named = named_asn1.firmware(value)
    return named


def named_plain_texts(
    value: PayloadValue, code: int, plain: tuple[bytes | None, ...]
) -> tuple[Named | None, ...]:
    """Return what a payload's encrypted blocks decrypt to, as named values.

    Args:
        value: The payload.
        code: Message code.
        plain: Plain text of each block of ``blocks.encrypted_blocks``; None for one not opened.

    Raises:
        MalformedFrameError: A plain text does not follow its layout.
    """
    if isinstance(value, GbzAlert) and value.alert_code == AlertCode.BILLING_DATA_LOG:
        value = gbz.component_of(value)
    if isinstance(value, GbzMessage):
        sealed = [one for one in value.components if one.frame_counter is not None]
        return tuple(
            [
                None if octets is None else named_gbz.zcl_payload(component, octets)
                for component, octets in zip(sealed, plain, strict=True)
            ]
        )
    row = MESSAGES.get(code)
    use_case = row.use_case.split(" ")[0] if row else ""
    return tuple(
        [None if octets is None else named_dlms.plain_text(octets, use_case) for octets in plain]
    )
