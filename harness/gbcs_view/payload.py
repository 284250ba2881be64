"""GBCS payload values of all three languages as fields."""

from emulator.codecs.der import Node
from emulator.codecs.dlms.access import AccessRequest, AccessResponse
from emulator.codecs.gbcs.alerts import DlmsAlert
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.gbz import GbzAlert, GbzMessage
from emulator.codecs.gbcs.payload import PayloadValue
from harness.gbcs_view import asn1, dlms, gbz
from harness.gbcs_view.field import Field
from harness.gbcs_view.layouts import LAYOUTS


def payload_fields(value: PayloadValue, message_code: int, cra: Cra) -> list[Field]:
    """Return a decoded payload as fields; octets are shown in hex.

    Raises:
        MalformedFrameError: A part that the codec leaves undecoded is damaged.
    """
    match value:
        case AccessRequest():
            fields = dlms.request_fields(value)
        case AccessResponse():
            fields = dlms.response_fields(value)
        case DlmsAlert():
            fields = dlms.alert_fields(value)
        case GbzMessage():
            fields = gbz.message_fields(value)
        case GbzAlert():
            fields = gbz.alert_fields(value)
        case Node():
            fields = [asn1.node_field(value, LAYOUTS.get((message_code, cra)))]
        case _:
            fields = asn1.firmware_fields(value)
    return fields
