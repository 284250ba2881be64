"""One application APDU as a line and as named fields."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from emulator.codecs.dlms.acse import AssociationRequest, AssociationResponse
from emulator.codecs.dlms.acse_release import ReleaseRequest, ReleaseResponse
from emulator.codecs.dlms.apdu_ciphered import CipheredApdu
from emulator.codecs.dlms.apdu_exception import ExceptionResponse
from emulator.codecs.dlms.data_notification import Notification
from emulator.core.errors import MalformedFrameError
from harness.dlms_view import associations, services
from harness.dlms_view.services import result_name
from harness.dlms_view.told import Question, Told, value_of
from harness.dlms_view.values import field_of
from harness.gbcs_view.field import Field, plain_fields


def tell(octets: bytes, question: Question = None) -> Told:
    """Say what an APDU is; octets that are none become a line that says so.

    Args:
        octets: The APDU, without LLC, HDLC or wrapper.
        question: The request it answers, from ``Told.question``, where it is an answer.
    """
    try:
        return tell_value(value_of(octets), question)
    except MalformedFrameError as error:
        refused = (("refused", error.why), ("octets", octets.hex()))
        return Told(f"damaged APDU: {error.why}", fields=refused)


def tell_value(value: Any, question: Question = None) -> Told:
    """Say what a decoded APDU is; see ``tell``."""
    teller = _TELLERS.get(type(value))
    if teller is not None:
        return teller(value, question)
    name = type(value).__name__
    return Told(name, fields=tuple(plain_fields(value)), question=value)


def _exception(value: ExceptionResponse, _: Question) -> Told:
    fields: list[Field] = [
        ("state", result_name(value.state)),
        ("service", result_name(value.service)),
    ]
    if value.expected_counter is not None:
        fields.append(("expected invocation counter", str(value.expected_counter)))
    words = value.service.name.lower().replace("_", " ")
    return Told(f"exception response: {words}", "", tuple(fields))


def _notification(value: Notification, _: Question) -> Told:
    return Told("data notification", "", (field_of("body", value.body),))


_TELLERS: Final[Mapping[type, Callable[[Any, Question], Told]]] = {
    **services.TELLERS,
    AssociationRequest: associations.aarq,
    AssociationResponse: associations.aare,
    ReleaseRequest: associations.release,
    ReleaseResponse: associations.release,
    CipheredApdu: associations.ciphered,
    ExceptionResponse: _exception,
    Notification: _notification,
}
