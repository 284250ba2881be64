"""The payload of any GBCS message as a value, by its message code and direction."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessRequest, AccessResponse
from emulator.codecs.gbcs import alerts, asn1, gbz
from emulator.codecs.gbcs.alerts import DlmsAlert
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.gbz import GbzAlert, GbzMessage
from emulator.codecs.gbcs.use_cases import MessageCode, MessageRow, PayloadKind
from emulator.core.errors import MalformedFrameError

FirmwareValue = (
    asn1.ActivateFirmware
    | asn1.ActivateFirmwareResponse
    | asn1.FutureDatedFirmwareAlert
    | asn1.ReadFirmwareVersion
    | asn1.FirmwareVersionResponse
    | asn1.FirmwareTransferAlert
    | asn1.PpmidActivationAlert
)
PayloadValue = (
    AccessRequest | AccessResponse | DlmsAlert | GbzMessage | GbzAlert | FirmwareValue | Node
)
_Decode = Callable[[bytes], PayloadValue]

_C = MessageCode
#: ASN.1 payloads with a type of their own; any other is a DER tree.
_TYPED: Final[Mapping[tuple[int, Cra], _Decode]] = MappingProxyType(
    {
        (_C.CS06, Cra.COMMAND): asn1.ActivateFirmware.decode,
        (_C.CS06, Cra.RESPONSE): asn1.ActivateFirmwareResponse.decode,
        (_C.CS06_ALERT, Cra.ALERT): asn1.FutureDatedFirmwareAlert.decode,
        (_C.CS08, Cra.COMMAND): asn1.ReadFirmwareVersion.decode,
        (_C.CS08, Cra.RESPONSE): asn1.FirmwareVersionResponse.decode,
        (_C.CCS08, Cra.ALERT): asn1.FirmwareTransferAlert.decode,
        (_C.CS09, Cra.ALERT): asn1.PpmidActivationAlert.decode,
    }
)
_GENERAL: Final[Mapping[tuple[PayloadKind, Cra], _Decode]] = MappingProxyType(
    {
        (PayloadKind.DLMS, Cra.COMMAND): access.decode_request,
        (PayloadKind.DLMS, Cra.RESPONSE): access.decode_response,
        (PayloadKind.DLMS, Cra.ALERT): alerts.decode_dlms_alert,
        (PayloadKind.GBZ, Cra.COMMAND): gbz.decode,
        (PayloadKind.GBZ, Cra.RESPONSE): gbz.decode,
        (PayloadKind.GBZ, Cra.ALERT): gbz.decode_alert,
        (PayloadKind.ASN1, Cra.COMMAND): der.decode,
        (PayloadKind.ASN1, Cra.RESPONSE): der.decode,
        (PayloadKind.ASN1, Cra.ALERT): der.decode,
    }
)


def kind_of(row: MessageRow, payload: bytes) -> PayloadKind:
    """Return the language of ``payload``: the row's, or of two the one it begins with."""
    if len(row.payload) > 1 and payload.startswith(gbz.PROFILE):
        return PayloadKind.GBZ
    return row.payload[0]


def decode_payload(row: MessageRow, cra: Cra, payload: bytes) -> PayloadValue:
    """Decode the payload of a message.

    Args:
        row: Row of its message code.
        cra: Command, response or alert.
        payload: The octets between other information and signature field.

    Raises:
        MalformedFrameError: The payload is not in the row's language or layout, is truncated or
            has trailing octets.

    Source:
        Checked on the 641 RTDS 4.5.0 messages at hand: all decode and re-encode identically.
    """
    typed = _TYPED.get((row.code, cra))
    value = typed(payload) if typed else _GENERAL[kind_of(row, payload), cra](payload)
    if isinstance(value, DlmsAlert | GbzAlert):
        alerts.check_content(row.code, value, payload)
    return value


def encode_payload(value: PayloadValue) -> bytes:
    """Encode a payload.

    Raises:
        ValueError: A field does not fit.
    """
    match value:
        case AccessRequest():
            payload = access.encode_request(value)
        case AccessResponse():
            payload = access.encode_response(value)
        case DlmsAlert():
            payload = alerts.encode_dlms_alert(value)
        case GbzMessage():
            payload = gbz.encode(value)
        case GbzAlert():
            payload = gbz.encode_alert(value)
        case Node():
            payload = der.encode(value)
        case _:
            payload = value.encode()
    return payload


def decode_unknown(cra: Cra, payload: bytes) -> PayloadValue:
    """Decode the payload of a message whose code the table does not hold, by its first octets.

    Raises:
        MalformedFrameError: It is in none of the three languages.
    """
    if payload.startswith(gbz.PROFILE):
        kind = PayloadKind.GBZ
    elif payload[:1] in {b"\xd9", b"\xda", b"\x0f"}:
        kind = PayloadKind.DLMS
    elif payload:
        kind = PayloadKind.ASN1
    else:
        raise MalformedFrameError("gbcs.payload", payload, "the payload is empty", 0)
    return _GENERAL[kind, cra](payload)
