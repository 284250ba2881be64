"""What is read from a document's text is what the parser reads, and nothing it refuses is read."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.words import DeviceType
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.pki import TestPki
from harness.formats.duis import (
    bodies,
    countersigned,
    quick_verification,
    requests,
    responses,
    signing,
    smets1_bodies,
    smets1_response,
    smets1_text,
)
from harness.formats.duis.countersigned import Countersigned
from harness.formats.duis.date_time import read as read_moment
from harness.formats.duis.faults import DuisError
from harness.formats.duis.quick_reading import DocumentReader
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.responses import (
    DccAlertMessage,
    ResponseHeader,
    ResponseMessage,
    ServiceResponse,
    Smets1ResponseMessage,
)
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.smets1_contents import Node, Result
from harness.formats.duis.smets1_response import Smets1Response
from tests.harness.formats.test_duis_responses import ALERTS, CONTENTS, HEADER
from tests.harness.formats.test_duis_smets1 import BODIES
from tests.sampling import examples

AT = UtcMs(1_790_000_000_000)
PARTY = Eui64.parse("02-53-42-00-00-01-00-00")
DEVICE = Eui64.parse("02-53-01-00-00-00-00-01")
ENTRY = TestPki.new(Chance(1).stream("pki").octets, AT).xml_signing_entry(PARTY, 2, "supplier")
assert ENTRY.private_scalar is not None
assert ENTRY.certificate is not None
KEY = XmlKey.of(ENTRY.private_scalar, ENTRY.certificate)
KNOWN = Signatories({PARTY: ENTRY.certificate}, AT)
ASKED = RequestId(PARTY, DEVICE, 5)

SIGNED = smets1_response.write_signed(
    Smets1Response(
        DEVICE,
        PARTY,
        7,
        Result("ReadRsp", True, (Node("Log", "", (Node("ID", "a b", (), (("A", "1"),)),)),)),
        "8.9",
        "8.9",
        at=AT,
    ),
    KEY,
)
REQUESTS = [
    requests.write_request(requests.request(body, ASKED), KEY)
    for body in (
        bodies.DevicePrenotification(DEVICE, "FFF2", "01100100", DeviceType.ESME),
        smets1_bodies.ReadDeviceLog(),
    )
]
RESPONSES = [
    responses.write_response(ServiceResponse(ResponseHeader(ASKED, None, "I99", AT), body), KEY)
    for body in (ResponseMessage("12.2", "12.2"), Smets1ResponseMessage("8.9", "8.9", SIGNED))
]
OUTER = countersigned.write(Countersigned(DEVICE, DEVICE, PARTY, 3, REQUESTS[0]), KEY)
DOCUMENTS = [*REQUESTS, *RESPONSES, SIGNED, OUTER]
#: What damage puts in: all that XML, its canonical form or these documents have a meaning for.
PIECES = [
    b"", b" ", b"\n", b"\r", b"\t", b"\x00", b"\x7f", b"\xc3\xa9", b"&amp;", b"&#65;", b"&x;", b">",
    b"<", b"/>", b"]]>", b"<!-- -->", b"<?a b?>", b"<![CDATA[x]]>", b"<!DOCTYPE a>", b"x", b"0",
    b' a="1"', b" xmlns='urn:a'", b' xmlns:sr="urn:a"', b' xmlns="urn:a"', b"<sr:A/>", b"</sr:A>",
    b"<sr:DeviceID>x</sr:DeviceID>", b"<ra:A></ra:A>", b"=", b'"', b"'", b"sr:", b"ds:",
]  # fmt: skip


def read(data: bytes, who: Signatories | None) -> Any:
    """Read a document of any kind, with its value or the name of its refusal."""
    try:
        if b"<cs:" in data[:200]:
            return countersigned.read(data, who or KNOWN, PARTY)
        if data.startswith(b"<sr:SMETS1S"):
            return smets1_response.read_signed(data, who, PARTY)
        if b"<sr:Resp" in data[:80]:
            return responses.read_response(data, who, PARTY)
        return requests.read_request(data, who)
    except DuisError as error:
        return error.name, error.why, error.line


def forget() -> None:
    quick_verification._HELD.clear()
    requests._READ.clear()
    smets1_response._READ.clear()


def both_ways(data: bytes, who: Signatories | None) -> tuple[Any, Any]:
    """What the quick way makes of a document, and what the parser alone makes of it."""
    forget()
    quick = read(data, who)
    forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DocumentReader, "read", lambda *_args: None)
        patch.setattr(smets1_text, "read", lambda *_args: None)
        patch.setattr(countersigned, "_told", lambda *_args: None)
        patch.setattr(quick_verification, "text_holds", lambda *_args: False)
        full = read(data, who)
    forget()
    return quick, full


@pytest.mark.parametrize("data", DOCUMENTS)
def test_what_is_written_here_is_read_without_a_tree(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, full = both_ways(data, KNOWN)
    assert quick == full
    assert not isinstance(quick, tuple)
    for module in (requests, responses, smets1_response, countersigned, signing):
        monkeypatch.setattr(module, "parse", lambda *_args, **_named: pytest.fail("a tree"))
    assert read(data, KNOWN) == full
    forget()


@settings(max_examples=examples(3000), deadline=None)
@given(st.data(), st.sampled_from(DOCUMENTS), st.sampled_from(PIECES), st.booleans())
def test_a_damaged_document_is_read_or_refused_alike(
    data: st.DataObject, document: bytes, piece: bytes, is_verified: bool
) -> None:
    at = data.draw(st.integers(0, len(document)))
    gone = data.draw(st.sampled_from([0, 0, 1, 2, 7]))
    damaged = document[:at] + piece + document[at + gone :]
    quick, full = both_ways(damaged, KNOWN if is_verified else None)
    assert quick == full


@settings(max_examples=examples(2000), deadline=None)
@given(st.data(), st.sampled_from(DOCUMENTS))
def test_a_document_with_its_pieces_moved_is_read_or_refused_alike(
    data: st.DataObject, document: bytes
) -> None:
    tags = [at for at, octet in enumerate(document) if octet == ord("<")]
    first, second, third = sorted(
        data.draw(st.lists(st.sampled_from(tags), min_size=3, max_size=3))
    )
    kind = data.draw(st.sampled_from(["swapped", "twice", "left out"]))
    one, two = document[first:second], document[second:third]
    moved = {"swapped": two + one, "twice": one + one + two, "left out": two}[kind]
    quick, full = both_ways(document[:first] + moved + document[third:], None)
    assert quick == full


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_bodies_of_requests_are_read_alike(body: bodies.RequestBody) -> None:
    quick, full = both_ways(requests.write_request(requests.request(body, ASKED), KEY), KNOWN)
    assert quick == full
    quick, full = both_ways(requests.write_request(requests.request(body, ASKED)), None)
    assert quick == full


@pytest.mark.parametrize(
    "body",
    [
        *(ResponseMessage("8.9", "8.9", content) for content in CONTENTS),
        *(DccAlertMessage("N1", alert) for alert in ALERTS),
    ],
    ids=str,
)
def test_bodies_of_responses_are_read_alike(body: ResponseMessage | DccAlertMessage) -> None:
    quick, full = both_ways(responses.write_response(ServiceResponse(HEADER, body), KEY), KNOWN)
    assert quick == full


def test_another_key_s_signature_is_refused_by_its_text_too() -> None:
    other = XmlKey(KEY.private_scalar + 1, KEY.issuer, KEY.serial)
    written = requests.write_request(requests.request(smets1_bodies.ReadDeviceLog(), ASKED), other)
    quick, full = both_ways(written, KNOWN)
    assert quick == full
    assert quick[0] == "bad-signature"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("name", [b"SignatureValue", b"DigestValue", b"X509SerialNumber"])
@pytest.mark.parametrize("written", [b"<ds:%b/>", b"<ds:%b> </ds:%b>", b""])
def test_a_signature_that_lacks_a_text_is_refused_by_name(
    document: bytes, name: bytes, written: bytes
) -> None:
    at, end = document.rfind(b"<ds:" + name), document.rfind(b"</ds:" + name) + len(name) + 6
    damaged = document[:at] + written.replace(b"%b", name) + document[end:]
    quick, full = both_ways(damaged, KNOWN)
    assert quick == full
    assert quick[0] == "bad-signature"


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-15T09:00:00Z",
        "2030-01-15T09:00:00.120Z",
        "2030-02-30T09:00:00Z",
        "2030-01-15T24:00:00Z",
        "2030-01-15T09:00:60Z",
        "0000-01-15T09:00:00Z",
        "0001-01-01T00:00:00.001Z",
        "9999-12-31T23:59:59.999Z",
    ],
)
def test_moments_of_the_usual_form_are_what_the_full_way_reads(text: str) -> None:
    def told(given: str) -> Any:
        try:
            return read_moment(given)
        except DuisError as error:
            return error.name

    assert told(text) == told(text.replace("Z", "+00:00"))


class Raced(dict[bytes, Any]):
    """A full memory whose oldest row another thread takes out at the very moment."""

    def __len__(self) -> int:
        return 1 << 20

    def __iter__(self) -> Any:
        return iter([b"taken by another thread"])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_two_threads_may_make_room_in_a_memory_at_once(
    document: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget()
    monkeypatch.setattr(requests, "_READ", Raced())
    monkeypatch.setattr(smets1_response, "_READ", Raced())
    assert not isinstance(read(document, KNOWN), tuple)
