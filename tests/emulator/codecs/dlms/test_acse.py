from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import acse, acse_release, apdu, initiate
from emulator.codecs.dlms.acse import (
    ApplicationContext,
    AssociationRequest,
    AssociationResponse,
    AssociationResult,
    Authentication,
    DiagnosticSource,
    Mechanism,
    ProviderDiagnostic,
    UserDiagnostic,
)
from emulator.codecs.dlms.acse_release import ReleaseReason, ReleaseRequest, ReleaseResponse
from emulator.codecs.dlms.initiate import Conformance, InitiateRequest
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

PUBLIC = bytes.fromhex(
    "601DA109060760857405080101BE10040E01000000065F1F0400001A1DFFFF"
)  # golden: reference serial-dlms.md section 5
TITLE = b"SMB\0\0\0\0\1"
INFORMATION = bytes.fromhex("0102")
REQUEST = AssociationRequest(
    ApplicationContext.LN_CIPHERED,
    INFORMATION,
    TITLE,
    b"cert",
    3,
    Authentication(Mechanism.HLS_GMAC, b"12345678"),
    bytes.fromhex("0780"),
    ((0xA2, b"\4\1A"),),
)
REQUEST_OCTETS = bytes.fromhex(
    "60 4C 8002 0780 A109 060760857405080103 A203 040141"
    "A60A 0408 534D420000000001 A706 0404 63657274 A903 020103"
    "8A02 0780 8B07 60857405080205 AC0A 8008 3132333435363738 BE04 0402 0102"
)
RESPONSE = AssociationResponse(
    ApplicationContext.LN_CIPHERED,
    AssociationResult.ACCEPTED,
    DiagnosticSource.SERVICE_USER,
    UserDiagnostic.AUTHENTICATION_REQUIRED,
    INFORMATION,
    TITLE,
    None,
    Authentication(Mechanism.HLS_GMAC, b"12345678"),
)
RESPONSE_OCTETS = bytes.fromhex(
    "61 42 A109 060760857405080103 A203 020100 A305 A103 02010E A40A 0408 534D420000000001"
    "8802 0780 8907 60857405080205 AA0A 8008 3132333435363738 BE04 0402 0102"
)
REJECTED = AssociationResponse(
    ApplicationContext.LN,
    AssociationResult.REJECTED_PERMANENT,
    DiagnosticSource.SERVICE_PROVIDER,
    ProviderDiagnostic.NO_COMMON_VERSION,
)
CASES: list[tuple[Any, bytes]] = [
    (REQUEST, REQUEST_OCTETS),
    (RESPONSE, RESPONSE_OCTETS),
    (REJECTED, bytes.fromhex("6117 A109 060760857405080101 A203 020101 A305 A203 020102")),
    (ReleaseRequest(), bytes.fromhex("6203 800100")),
    (ReleaseRequest(None), bytes.fromhex("6200")),
    (
        ReleaseRequest(ReleaseReason.URGENT_OR_NOT_FINISHED, INFORMATION),
        bytes.fromhex("6209 800101 BE04 0402 0102"),
    ),
    (ReleaseResponse(ReleaseReason.USER_DEFINED), bytes.fromhex("6303 80011E")),
]
ENCODERS: dict[int, Any] = {
    0x60: acse.encode_request,
    0x61: acse.encode_response,
    0x62: acse_release.encode_request,
    0x63: acse_release.encode_response,
}


def test_the_golden_request_of_a_public_client_is_read_and_written() -> None:
    request = acse.decode_request(PUBLIC)
    assert request.context == ApplicationContext.LN
    assert request.authentication is None
    assert request.speaks_version_1
    assert acse.encode_request(request) == PUBLIC
    assert request.user_information is not None
    offer = initiate.decode_request(request.user_information)
    asked = (
        *(Conformance.BLOCK_GET, Conformance.BLOCK_SET, Conformance.MULTIPLE_REFERENCES),
        *(Conformance.GET, Conformance.SET, Conformance.SELECTIVE_ACCESS, Conformance.ACTION),
    )
    assert offer == InitiateRequest(Conformance(sum(asked)), 0xFFFF)
    assert initiate.encode_request(offer) == request.user_information


@pytest.mark.parametrize(
    ("bit", "service"),
    [
        *((1, Conformance.GENERAL_PROTECTION), (2, Conformance.GENERAL_BLOCK_TRANSFER)),
        *((11, Conformance.BLOCK_GET), (12, Conformance.BLOCK_SET), (13, Conformance.BLOCK_ACTION)),
        *((14, Conformance.MULTIPLE_REFERENCES), (17, Conformance.ACCESS), (19, Conformance.GET)),
        *((20, Conformance.SET), (21, Conformance.SELECTIVE_ACCESS), (23, Conformance.ACTION)),
    ],
)
def test_conformance_bits_count_from_the_top(bit: int, service: Conformance) -> None:
    assert service == 1 << (23 - bit)


@pytest.mark.parametrize(("value", "octets"), CASES)
def test_association_and_release_are_written_and_read(value: Any, octets: bytes) -> None:
    assert ENCODERS[octets[0]](value) == octets
    assert apdu.decode(octets) == value


@pytest.mark.parametrize("octets", [PUBLIC, *[octets for _, octets in CASES]])
def test_every_truncation_and_extension_is_refused(octets: bytes) -> None:
    for end in range(len(octets)):
        with pytest.raises(MalformedFrameError):
            apdu.decode(octets[:end])
    for tail in (b"\0", octets):
        with pytest.raises(MalformedFrameError):
            apdu.decode(octets + tail)


@pytest.mark.parametrize(("value", "octets"), CASES)
def test_a_flipped_bit_is_refused_or_read_as_something_else(value: Any, octets: bytes) -> None:
    for bit in range(len(octets) * 8):
        spoiled = bytearray(octets)
        spoiled[bit // 8] ^= 1 << bit % 8
        try:
            assert apdu.decode(bytes(spoiled)) != value
        except MalformedFrameError:
            continue


def _with(*fields: str) -> bytes:
    content = b"".join(bytes.fromhex(field) for field in fields)
    return bytes((0x60, len(content))) + content


CONTEXT = "A109060760857405080101"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (_with(), "no application context name"),
        (_with(CONTEXT, CONTEXT), "there twice"),
        (_with("BE0204 00", CONTEXT), "out of order"),
        (_with(CONTEXT, "B000"), "not known here"),
        (_with("A109060760857405080201"), "object identifier of a DLMS name"),
        (_with("A10A06086085740508018101"), "more than one octet"),
        (_with(CONTEXT, "AC0580033132 33"), "needs acse-requirements"),
        (_with(CONTEXT, "8A020780"), "needs acse-requirements"),
        (_with(CONTEXT, "8A020700", "8B0760857405080201"), "acse-requirements must be"),
        (_with(CONTEXT, "8A020780", "8B0760857405080201", "AC03810100"), "charstring"),
        (_with("80020880", CONTEXT), "bit string of up to eight bits"),
        (_with(CONTEXT, "A904 02020001"), "integer of one octet"),
        (bytes.fromhex("60 811D") + PUBLIC[2:], "shortest form"),
        (bytes.fromhex("6100"), "no result or no diagnostic"),
        (bytes.fromhex("6203 800102"), "release reason is not known"),
    ],
)
def test_each_fault_is_named(octets: bytes, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        apdu.decode(octets)


def test_unknown_contexts_and_mechanisms_are_read_so_that_they_can_be_refused() -> None:
    octets = _with("A109060760857405080109", "8A020780", "8B0760857405080263")
    request = acse.decode_request(octets)
    assert (request.context, request.authentication) == (9, Authentication(0x63))


def test_another_protocol_version_shows() -> None:
    assert not acse.decode_request(_with("80020640", CONTEXT)).speaks_version_1
    assert acse.decode_request(_with("80020780", CONTEXT)).speaks_version_1


OPTIONAL = st.one_of(st.none(), st.binary(max_size=300))
AUTHENTICATIONS = st.one_of(
    st.none(), st.builds(Authentication, st.integers(0, 127), st.one_of(st.none(), st.binary()))
)


@given(
    st.builds(
        AssociationRequest,
        st.integers(0, 127),
        OPTIONAL,
        OPTIONAL,
        OPTIONAL,
        st.one_of(st.none(), st.integers(0, 255)),
        AUTHENTICATIONS,
    ),
    st.builds(
        AssociationResponse,
        st.integers(0, 127),
        st.sampled_from(AssociationResult),
        st.sampled_from(DiagnosticSource),
        st.integers(0, 255),
        OPTIONAL,
        OPTIONAL,
        OPTIONAL,
        AUTHENTICATIONS,
    ),
)
@settings(derandomize=True, max_examples=examples(150), deadline=None)
def test_any_association_comes_back(
    request: AssociationRequest, response: AssociationResponse
) -> None:
    assert acse.decode_request(acse.encode_request(request)) == request
    assert acse.decode_response(acse.encode_response(response)) == response


def test_what_does_not_fit_is_not_written() -> None:
    for request in (AssociationRequest(128), AssociationRequest(1, user=256)):
        with pytest.raises(ValueError, match="does not fit"):
            acse.encode_request(request)
    with pytest.raises(ValueError, match="two octets"):
        acse.encode_request(AssociationRequest(1, version=b"\7"))
    with pytest.raises(ValueError, match="do not all belong"):
        acse.encode_request(AssociationRequest(1, unused=((0xB0, b""),)))


def test_no_password_shows_in_print() -> None:
    assert "12345678" not in repr(REQUEST)
