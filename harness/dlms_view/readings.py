"""What an exchange told, as readings: one for each attribute, method, association or link."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import apdu_action, apdu_get, axdr, hdlc_parameters
from emulator.codecs.dlms.acse import AssociationRequest, AssociationResponse
from emulator.codecs.dlms.acse_release import ReleaseRequest
from emulator.codecs.dlms.apdu_action import (
    ActionBlockResponse,
    ActionFirstBlockRequest,
    ActionListFirstBlockRequest,
    ActionListRequest,
    ActionListResponse,
    ActionNextResponse,
    ActionRequest,
    ActionResponse,
    MethodOutcome,
)
from emulator.codecs.dlms.apdu_ciphered import CipheredApdu
from emulator.codecs.dlms.apdu_get import (
    GetBlockResponse,
    GetFailedBlockResponse,
    GetListRequest,
    GetListResponse,
    GetRequest,
    GetResponse,
)
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor, GetResult
from emulator.codecs.dlms.apdu_set import (
    SetBlockResponse,
    SetFirstBlockRequest,
    SetLastBlockResponse,
    SetLastListBlockResponse,
    SetListFirstBlockRequest,
    SetListRequest,
    SetListResponse,
    SetRequest,
    SetResponse,
)
from emulator.codecs.dlms.axdr import Data
from emulator.core.errors import MalformedFrameError
from harness.dlms_view import names
from harness.dlms_view.apdu import tell_value
from harness.dlms_view.conversation import Exchange, ExchangeKind
from harness.dlms_view.services import result_name
from harness.dlms_view.texts import tell_text
from harness.dlms_view.told import value_of
from harness.dlms_view.values import flat_of, text_of
from harness.gbcs_view.field import Field, plain_fields

Rows = tuple[tuple[str, str], ...]
_SECRET: Final = (15, 7)
NO_ANSWER: Final = (("answer", "none"),)


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing the meter told.

    Attributes:
        subject: Whom it is about: an attribute by name, ``association of client 16`` …
        rows: Path inside it, and text; the path of a simple value is empty.
        target: Attribute or method; None where it is about something else.
        method: Whether ``target`` is a method.
        selected: Whether only a part of the attribute was asked for.
        data: What a GET gave, where it gave data.
        written: Whether it is what became of a write.
    """

    subject: str
    rows: Rows
    target: Descriptor | None = None
    method: bool = False
    selected: bool = False
    data: Data | None = None
    written: bool = False


def readings_of(exchange: Exchange) -> list[Reading]:
    """Return what an exchange told; nothing for the end of a link."""
    if exchange.kind is ExchangeKind.TEXT:
        return [_text(exchange)]
    if exchange.kind is ExchangeKind.CONNECT:
        return [_link(exchange)]
    if exchange.kind is ExchangeKind.DISCONNECT:
        return []
    question = _value(exchange.request)
    answers = [_value(octets) for octets in exchange.answers]
    whom = f"client {exchange.client}"
    if isinstance(question, ReleaseRequest):
        return []
    if isinstance(question, AssociationRequest):
        return [_association(whom, answers)]
    found = _results(question, answers)
    return found or [_raw(whom, question, answers, exchange.answers)]


def subject_of(octets: bytes) -> str:
    """Return what a request is about, in one line."""
    value = _value(octets)
    return "octets that are no APDU" if value is None else tell_value(value).label


def _value(octets: bytes) -> object:
    try:
        return value_of(octets)
    except MalformedFrameError:
        return None


def _text(exchange: Exchange) -> Reading:
    asked = tell_text(exchange.request).label
    answers = [tell_text(octets) for octets in exchange.answers]
    rows = tuple(row for told in answers for row in _flat(told.fields))
    return Reading(asked, rows or NO_ANSWER)


def _link(exchange: Exchange) -> Reading:
    subject = f"HDLC link of client {exchange.client}"
    if exchange.refused:
        return Reading(subject, (("answer", "refused"),))
    if not exchange.answers:
        return Reading(subject, NO_ANSWER)
    try:
        fields = plain_fields(hdlc_parameters.decode(exchange.answers[-1]))
    except MalformedFrameError as error:
        return Reading(subject, (("answer", f"damaged: {error.why}"),))
    return Reading(subject, _flat(fields))


def _association(whom: str, answers: Sequence[object]) -> Reading:
    subject = f"association of {whom}"
    for answer in answers:
        if isinstance(answer, AssociationResponse):
            return Reading(subject, _flat(tell_value(answer).fields))
    return Reading(subject, _told_rows(answers) or NO_ANSWER)


def _flat(fields: Sequence[Field], prefix: str = "") -> Rows:
    rows: list[tuple[str, str]] = []
    for name, value in fields:
        if isinstance(value, str):
            rows.append((prefix + name, value))
        else:
            rows += _flat(value, f"{prefix}{name}.")
    return tuple(rows)


def _told_rows(answers: Sequence[object]) -> Rows:
    told = [tell_value(answer) for answer in answers if answer is not None]
    return tuple((told_one.label, "") for told_one in told)


def _raw(
    whom: str, question: object, answers: Sequence[object], octets: Sequence[bytes]
) -> Reading:
    """What no attribute or method explains: exceptions, protected APDUs, damage."""
    subject = f"{whom}, {tell_value(question).label if question is not None else 'its request'}"
    if isinstance(question, CipheredApdu):
        subject = f"{whom}, protected request"
    rows: list[tuple[str, str]] = []
    for answer, raw in zip(answers, octets, strict=True):
        if isinstance(answer, CipheredApdu):
            told = dict(_flat(tell_value(answer).fields))
            rows += told.items()
            digest = hashlib.sha256(answer.content).hexdigest()[:16]
            rows.append((f"content under counter {answer.counter}", digest))
        elif answer is None:
            rows.append(("octets", raw.hex()))
        else:
            told_one = tell_value(answer)
            rows += [("answer", told_one.label.partition(":")[0]), *_flat(told_one.fields)]
    return Reading(subject, tuple(rows) or NO_ANSWER)


# GET, SET and ACTION, in any number of blocks.


def _results(question: object, answers: Sequence[object]) -> list[Reading]:
    last = answers[-1] if answers else None
    if isinstance(question, GetRequest | GetListRequest):
        return _read(question, answers, last)
    attributes = _written(question)
    if attributes:
        return _wrote(attributes, last)
    methods = _invoked(question)
    return _did(methods, answers, last) if methods else []


def _read(
    question: GetRequest | GetListRequest, answers: Sequence[object], last: object
) -> list[Reading]:
    attributes = (question.attribute,) if isinstance(question, GetRequest) else question.attributes
    results = _got(question, answers, last)
    if results is None or len(results) != len(attributes):
        return []
    return [of_attribute(one, to) for one, to in zip(results, attributes, strict=True)]


def _got(
    question: GetRequest | GetListRequest, answers: Sequence[object], last: object
) -> Sequence[GetResult] | None:
    if isinstance(last, GetResponse | GetFailedBlockResponse):
        return [last.result]
    if isinstance(last, GetListResponse):
        return last.results
    blocks = [one.block for one in answers if isinstance(one, GetBlockResponse)]
    if not blocks or not blocks[-1].last:
        return None
    octets = b"".join(block.octets for block in blocks)
    listed = isinstance(question, GetListRequest)
    try:
        return apdu_get.decode_results(octets) if listed else [axdr.decode(octets)]
    except MalformedFrameError:
        return None


def subject_of_attribute(attribute: Attribute) -> str:
    """Return an attribute by name, with its selection where only a part is wanted."""
    subject = names.target_text(attribute.descriptor)
    if attribute.selection is None:
        return subject
    return f"{subject} selected by {text_of(attribute.selection.parameters)}"


def of_attribute(result: GetResult, attribute: Attribute) -> Reading:
    """Return what a GET of one attribute told."""
    subject, target = subject_of_attribute(attribute), attribute.descriptor
    selected = attribute.selection is not None
    if isinstance(result, DataAccessResult):
        rows: Rows = (("", f"refused: {result_name(result)}"),)
        return Reading(subject, rows, target, selected=selected)
    if (target.class_id, target.index) == _SECRET:
        return Reading(subject, (("", "not shown"),), target)
    return Reading(subject, tuple(flat_of(result)), target, selected=selected, data=result)


def _written(question: object) -> tuple[Attribute, ...]:
    if isinstance(question, SetRequest | SetFirstBlockRequest):
        return (question.attribute,)
    if isinstance(question, SetListRequest | SetListFirstBlockRequest):
        return question.attributes
    return ()


def _wrote(attributes: tuple[Attribute, ...], last: object) -> list[Reading]:
    if isinstance(last, SetResponse | SetLastBlockResponse):
        results: tuple[DataAccessResult, ...] = (last.result,)
    elif isinstance(last, SetListResponse | SetLastListBlockResponse):
        results = last.results
    elif isinstance(last, SetBlockResponse):
        rows = (("result", f"took block {last.number}"),)
        return [Reading(f"SET {names.target_text(attributes[0].descriptor)}", rows, written=True)]
    else:
        return []
    return of_writes(results, attributes)


def of_writes(
    results: tuple[DataAccessResult, ...], attributes: tuple[Attribute, ...]
) -> list[Reading]:
    """Return what became of writes."""
    return [
        Reading(
            f"SET {names.target_text(to.descriptor)}",
            (("result", result_name(one)),),
            to.descriptor,
            written=True,
        )
        for one, to in zip(results, attributes, strict=False)
    ]


def _invoked(question: object) -> tuple[Descriptor, ...]:
    if isinstance(question, ActionRequest | ActionFirstBlockRequest):
        return (question.method,)
    if isinstance(question, ActionListRequest | ActionListFirstBlockRequest):
        return question.methods
    return ()


def _did(methods: tuple[Descriptor, ...], answers: Sequence[object], last: object) -> list[Reading]:
    outcomes: Sequence[MethodOutcome]
    if isinstance(last, ActionResponse):
        outcomes = (last.outcome,)
    elif isinstance(last, ActionListResponse):
        outcomes = last.outcomes
    elif isinstance(last, ActionNextResponse):
        rows = (("result", f"took block {last.number}"),)
        subject = f"ACTION {names.target_text(methods[0], method=True)}"
        return [Reading(subject, rows, methods[0], method=True, written=True)]
    else:
        outcomes = _from_blocks(methods, answers)
    return [of_method(one, to) for one, to in zip(outcomes, methods, strict=False)]


def _from_blocks(
    methods: tuple[Descriptor, ...], answers: Sequence[object]
) -> Sequence[MethodOutcome]:
    blocks = [one.block for one in answers if isinstance(one, ActionBlockResponse)]
    if not blocks or not blocks[-1].last:
        return ()
    octets = b"".join(block.octets for block in blocks)
    try:
        if len(methods) > 1:
            return apdu_action.decode_outcomes(octets)
        return (apdu_action.decode_outcome(octets),)
    except MalformedFrameError:
        return ()


def of_method(outcome: MethodOutcome, target: Descriptor) -> Reading:
    """Return what became of a method."""
    rows = [("result", result_name(outcome.result))]
    returned = outcome.returned
    if isinstance(returned, DataAccessResult):
        rows.append(("returned", f"refused: {result_name(returned)}"))
    elif returned is not None:
        rows += flat_of(returned, "returned")
    subject = f"ACTION {names.target_text(target, method=True)}"
    return Reading(subject, tuple(rows), target, method=True, written=True)
