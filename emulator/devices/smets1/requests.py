"""Plain requests of the three services as values, and their answers as octets."""

from emulator.codecs.dlms import apdu_action, apdu_exception, apdu_get, apdu_set
from emulator.codecs.dlms.apdu_action import AnyActionRequest, AnyActionResponse
from emulator.codecs.dlms.apdu_get import AnyGetRequest, AnyGetResponse
from emulator.codecs.dlms.apdu_set import AnySetRequest, AnySetResponse
from emulator.core.errors import MalformedFrameError
from emulator.devices.smets1.association import REPLY_TO_HLS
from emulator.devices.smets1.exceptions import Refusal, unknown_service

Request = AnyGetRequest | AnySetRequest | AnyActionRequest
Response = AnyGetResponse | AnySetResponse | AnyActionResponse


def decoded(plain: bytes) -> Request | Refusal:
    """Return the request in a plain APDU, or that it is none.

    Raises:
        MalformedFrameError: It is empty, or a request that cannot be read.
    """
    tag = plain[0] if plain else -1
    if tag == apdu_get.REQUEST_TAG:
        return apdu_get.decode_request(plain)
    if tag == apdu_set.REQUEST_TAG:
        return apdu_set.decode_request(plain)
    if tag == apdu_action.REQUEST_TAG:
        return apdu_action.decode_request(plain)
    if not plain:
        raise MalformedFrameError("dlms.apdu", plain, "there is no APDU", 0)
    return unknown_service(tag)


def encoded(response: Response | Refusal) -> bytes:
    """Return the plain APDU of an answer.

    Raises:
        ValueError: A value of an object does not fit its type.
    """
    if isinstance(response, Refusal):
        return apdu_exception.encode(response.response)
    if isinstance(response, AnyGetResponse):
        return apdu_get.encode_response(response)
    if isinstance(response, AnySetResponse):
        return apdu_set.encode_response(response)
    return apdu_action.encode_response(response)


def is_reply(request: Request) -> bool:
    """Say whether a request is the reply to our challenge, by the association object."""
    return isinstance(request, apdu_action.ActionRequest) and request.method == REPLY_TO_HLS
