"""Any plain application APDU: which kind it is, and its value."""

from collections.abc import Callable
from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.dlms import (
    access,
    acse,
    acse_release,
    apdu_action,
    apdu_exception,
    apdu_get,
    apdu_set,
    data_notification,
    initiate,
)
from emulator.codecs.dlms.access import AccessRequest, AccessResponse
from emulator.codecs.dlms.acse import AssociationRequest, AssociationResponse
from emulator.codecs.dlms.acse_release import ReleaseRequest, ReleaseResponse
from emulator.codecs.dlms.apdu_action import AnyActionRequest, AnyActionResponse
from emulator.codecs.dlms.apdu_exception import ExceptionResponse
from emulator.codecs.dlms.apdu_get import AnyGetRequest, AnyGetResponse
from emulator.codecs.dlms.apdu_set import AnySetRequest, AnySetResponse
from emulator.codecs.dlms.data_notification import Notification
from emulator.codecs.dlms.initiate import (
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)

Apdu = (
    AssociationRequest
    | AssociationResponse
    | ReleaseRequest
    | ReleaseResponse
    | InitiateRequest
    | InitiateResponse
    | ConfirmedServiceError
    | AnyGetRequest
    | AnyGetResponse
    | AnySetRequest
    | AnySetResponse
    | AnyActionRequest
    | AnyActionResponse
    | AccessRequest
    | AccessResponse
    | ExceptionResponse
    | Notification
)

_DECODERS: Final[dict[int, Callable[[bytes], Apdu]]] = {
    acse.AARQ_TAG: acse.decode_request,
    acse.AARE_TAG: acse.decode_response,
    acse_release.RLRQ_TAG: acse_release.decode_request,
    acse_release.RLRE_TAG: acse_release.decode_response,
    initiate.REQUEST_TAG: initiate.decode_request,
    initiate.RESPONSE_TAG: initiate.decode_response,
    initiate.ERROR_TAG: initiate.decode_error,
    data_notification.TAG: data_notification.decode,
    apdu_get.REQUEST_TAG: apdu_get.decode_request,
    apdu_get.RESPONSE_TAG: apdu_get.decode_response,
    apdu_set.REQUEST_TAG: apdu_set.decode_request,
    apdu_set.RESPONSE_TAG: apdu_set.decode_response,
    apdu_action.REQUEST_TAG: apdu_action.decode_request,
    apdu_action.RESPONSE_TAG: apdu_action.decode_response,
    apdu_exception.TAG: apdu_exception.decode,
    0xD9: access.decode_request,
    0xDA: access.decode_response,
}
#: First octets of the APDUs that ``decode`` knows.
KNOWN_TAGS: Final = frozenset(_DECODERS)


def decode(data: bytes) -> Apdu:
    """Decode a plain APDU of the kind its first octet says.

    Raises:
        MalformedFrameError: Layer ``dlms.apdu`` when the tag is not in ``KNOWN_TAGS`` (a server
            answers "service unknown"), else the layer of the kind.
    """
    reader = Reader("dlms.apdu", data)
    decoder = _DECODERS.get(reader.u8())
    if decoder is None:
        reader.fail(f"APDU tag {data[0]:02x} is not known", 0)
    return decoder(data)
