"""Documents written as text are those that trees give, octet for octet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.formats.duis import quick_writing, requests, responses, smets1_response
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.quick_writing import UnusualError, made, plain
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request
from harness.formats.duis.responses import (
    Content,
    DccAlertMessage,
    PreCommand,
    ResponseMessage,
    ServiceResponse,
    Smets1ResponseMessage,
    read_response,
    write_response,
)
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.smets1_contents import DeviceAlert, Node, Result, Smets1Status
from harness.formats.duis.smets1_response import Smets1Response, read_signed, write_signed
from tests.harness.formats.test_duis_responses import ALERTS, CONTENTS, HEADER
from tests.harness.formats.test_duis_smets1 import BODIES
from tests.harness.parties.s1sp_world import AT, DSP, EIS, ESME, S1SP, certificates, signing_key
from tests.sampling import examples

KEYS = [None, XmlKey(12_345, 'CN=A & B <"quoted"> \N{LATIN SMALL LETTER E WITH ACUTE}', 7)]
NODES = (Node("A", "x"), Node("B"), Node("C", children=(Node("D", "1"), Node("E"))))
STATUSES = (Smets1Status(0, "", 1), Smets1Status(12, "it is 'refused' (\"no\")", 2))


def responses_of(*bodies: object) -> list[ServiceResponse]:
    return [ServiceResponse(HEADER, body) for body in bodies]  # type: ignore[arg-type]  # bodies of any kind


@pytest.mark.parametrize("key", KEYS, ids=["unsigned", "signed"])
@pytest.mark.parametrize(
    "value",
    responses_of(
        *(ResponseMessage("8.9", "8.9", content) for content in CONTENTS),
        *(DccAlertMessage("N1", alert) for alert in ALERTS),
    ),
    ids=str,
)
def test_a_response_is_written_as_its_tree_is(value: ServiceResponse, key: XmlKey | None) -> None:
    quickly = responses._WRITER.write((value.header, value.body), key)
    assert quickly == responses._write_as_tree(value, key)


@pytest.mark.parametrize("key", KEYS, ids=["unsigned", "signed"])
@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_request_is_written_as_its_tree_is(body: RequestBody, key: XmlKey | None) -> None:
    value = request(body, RequestId(EIS, ESME, 5))
    quickly = requests._WRITER.write((value.header, value.body), key)
    assert quickly == requests._write_as_tree(value, key)


@settings(max_examples=examples(300))
@given(st.text(min_size=1, max_size=12), st.binary(max_size=40))
def test_whatever_text_stands_in_it_the_tree_agrees_or_is_asked(text: str, octets: bytes) -> None:
    content: Content = PreCommand(text, octets)
    value = ServiceResponse(HEADER, ResponseMessage("6.21", "6.21", content))
    quickly = responses._WRITER.write((value.header, value.body), None)
    if quickly is None:
        assert not (text.isascii() and text.isprintable()) or set(text) & set("&<>")
    else:
        assert quickly == responses._write_as_tree(value, None)


@pytest.mark.parametrize("text", ["a\rb", "a\tb", "a&b", "a<b", "a>b", "\N{EURO SIGN}", "\x7f"])
def test_a_character_that_xml_writes_in_another_way_is_left_to_the_tree(text: str) -> None:
    with pytest.raises(UnusualError):
        plain(text)


def signed_result(*nodes: Node, statuses: tuple[Smets1Status, ...] = ()) -> Smets1Response:
    body = Result("UpdatePaymentModeRsp", True, nodes, statuses)
    return Smets1Response(ESME, EIS, 5, body, "1.6", "1.6.1", EIS, 7, AT)


@pytest.mark.parametrize(
    "value",
    [
        signed_result(),
        signed_result(*NODES, statuses=STATUSES),
        signed_result(Node("A", "t", attributes=(("b", "1"), ("a", "2 '"))), Node("B")),
        Smets1Response(ESME, EIS, 5, Result("X", False)),
    ],
    ids=["empty", "full", "attributes", "least"],
)
def test_a_signed_response_is_written_as_its_tree_is(value: Smets1Response) -> None:
    key = signing_key(S1SP)
    assert smets1_response._written(value, key) == smets1_response._write_as_tree(value, key)


@pytest.mark.parametrize(
    "value",
    [
        Smets1Response(ESME, EIS, 5, DeviceAlert(0x8F66, "an alert", AT)),
        signed_result(Node("A", attributes=(("b", "1"), ("a", '2"')))),
        signed_result(Node("A", "1 < 2")),
    ],
    ids=["alert", "quoted attribute", "character"],
)
def test_a_signed_response_out_of_the_ordinary_takes_a_tree(value: Smets1Response) -> None:
    key = signing_key(S1SP)
    with pytest.raises(UnusualError):
        smets1_response._written(value, key)
    assert write_signed(value, key) == smets1_response._write_as_tree(value, key)


def test_a_signed_document_stands_inside_another_as_a_tree_puts_it_there() -> None:
    inner = write_signed(signed_result(*NODES, statuses=STATUSES), signing_key(S1SP))
    value = ServiceResponse(HEADER, Smets1ResponseMessage("1.6", "1.6.1", inner))
    quickly = responses._WRITER.write((value.header, value.body), signing_key(DSP))
    assert quickly == responses._write_as_tree(value, signing_key(DSP))
    signatories = Signatories(certificates(), AT)
    read = read_response(write_response(value, signing_key(DSP)), signatories, DSP)
    assert isinstance(read.body, Smets1ResponseMessage)
    assert read.body.signed == inner
    assert read_signed(inner, signatories, S1SP) == read_signed(read.body.signed)


def test_a_document_that_was_not_made_here_is_put_inside_by_a_tree() -> None:
    inner = write_signed(signed_result(*NODES), signing_key(S1SP))
    foreign = inner.replace(b">x<", b">y<")
    value = ServiceResponse(HEADER, Smets1ResponseMessage("1.6", "1.6.1", foreign))
    assert responses._WRITER.write((value.header, value.body), None) is None
    assert write_response(value) == responses._write_as_tree(value, None)


def test_the_documents_remembered_as_made_here_stay_few() -> None:
    for number in range(200):
        made(f"<sr:A>{number}</sr:A>")
    assert len(quick_writing._MADE) <= quick_writing._MOST_MADE
