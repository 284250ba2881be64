"""Associating: what is said, what may be refused, and what must not be believed."""

from dataclasses import replace

import pytest

from emulator.codecs.dlms import acse, initiate
from emulator.codecs.dlms.acse import (
    ApplicationContext,
    AssociationResponse,
    AssociationResult,
    Authentication,
    DiagnosticSource,
    Mechanism,
    UserDiagnostic,
)
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.initiate import ConfirmedServiceError, Conformance, InitiateResponse
from emulator.crypto.dlms_keys import KeyId
from harness.dlms.jobs import AssociateJob, GetJob
from harness.dlms.line import LineState
from harness.dlms.settings import Framing
from harness.meter import Association, Credentials, Silence, Unanswered
from tests.harness.dlms.peer import pump_for, reader
from tests.harness.dlms.scripted import (
    CLIENT_TITLE,
    KEYS,
    NAME,
    ScriptedServer,
    management,
    public,
    reader_lls,
)
from tests.harness.dlms.stories import join

GOLDEN_AARQ = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400001A1DFFFF")


WRONG_KEYS = KEYS.with_key(KeyId.UNICAST, bytes(16))


def test_the_aarq_of_a_public_client_is_the_golden_one_but_for_what_is_offered() -> None:
    server = ScriptedServer()
    join(server, public(max_pdu_bytes=0xFFFF))
    assert server.requests[0] == GOLDEN_AARQ.replace(
        bytes.fromhex("001A1D"), bytes.fromhex("401E1D")
    )


def test_the_secret_of_lls_goes_in_the_aarq_and_nothing_else_does() -> None:
    server = ScriptedServer()
    join(server, reader_lls())
    request = acse.decode_request(server.requests[0])
    assert request.context == ApplicationContext.LN
    assert request.authentication == Authentication(Mechanism.LLS, b"12345678")
    assert request.title is None


def test_challenges_come_from_chance_and_differ_each_time() -> None:
    server = ScriptedServer()
    pump, _ = join(server, management())
    pump.play(AssociateJob(management()))
    aarqs = [acse.decode_request(one) for one in server.requests if one[0] == acse.AARQ_TAG]
    values = [one.authentication.value for one in aarqs if one.authentication]
    assert len(values[0] or b"") == 16
    assert values[0] != values[1]
    again = ScriptedServer()
    join(again, management())
    assert again.requests[0] == server.requests[0]


@pytest.mark.parametrize("diagnostic", list(UserDiagnostic))
@pytest.mark.parametrize(
    "result", [AssociationResult.REJECTED_PERMANENT, AssociationResult.REJECTED_TRANSIENT]
)
def test_a_refusal_says_numbers_and_words(
    diagnostic: UserDiagnostic, result: AssociationResult
) -> None:
    server = ScriptedServer(refuse=(result, diagnostic))
    pump, joined = join(server, public())
    assert not joined.accepted
    assert (joined.result, joined.diagnostic) == (result, diagnostic)
    assert joined.silence is None
    assert f"diagnostic {int(diagnostic)}" in joined.why
    assert pump.line.state is LineState.LINKED
    server.refuse = None
    accepted = pump.play(AssociateJob(public()))
    assert isinstance(accepted, Association)
    assert accepted.accepted
    assert [one[0] for one in server.requests] == [0x60, 0x60]


def test_a_wrong_secret_and_wrong_keys_are_refusals() -> None:
    _, joined = join(ScriptedServer(), reader_lls(b"00000000"))
    assert (joined.accepted, joined.result, joined.diagnostic) == (False, 1, 13)
    assert "secret" in joined.why
    _, joined = join(ScriptedServer(), management(keys=WRONG_KEYS))
    assert (joined.accepted, joined.result, joined.diagnostic) == (False, 1, 13)
    _, joined = join(ScriptedServer(), management(Form.PLAIN, WRONG_KEYS))
    assert (joined.accepted, joined.result, joined.diagnostic) == (False, 0, 14)
    assert "refuses our proof" in joined.why


def test_a_provider_diagnostic_has_words_too() -> None:
    server = ScriptedServer()
    answer = AssociationResponse(
        1, AssociationResult.REJECTED_PERMANENT, DiagnosticSource.SERVICE_PROVIDER, 2
    )
    server.spoil_aare = lambda _response: answer
    _, joined = join(server, public())
    assert "no common ACSE version" in joined.why


def test_an_initiate_error_is_told_with_the_refusal() -> None:
    server = ScriptedServer()
    error = initiate.encode_error(ConfirmedServiceError(3))
    server.spoil_aare = lambda response: replace(
        response, result=AssociationResult.REJECTED_PERMANENT, user_information=error
    )
    _, joined = join(server, public())
    assert "longest APDU is too short" in joined.why


Spoilt = tuple[str, Credentials, str, Silence | None]


def spoilt(kind: str, response: AssociationResponse) -> AssociationResponse:
    short_names = initiate.encode_response(InitiateResponse(Conformance.GET, 500, 0xFA00))
    old = initiate.encode_response(InitiateResponse(Conformance.GET, 500, version=5))
    plain = initiate.encode_response(InitiateResponse(Conformance.GET, 500))
    given = response.authentication
    changes: dict[str, AssociationResponse] = {
        "context": replace(response, context=2),
        "no initiate": replace(response, user_information=None),
        "short names": replace(response, user_information=short_names),
        "version": replace(response, user_information=old),
        "garbage": replace(response, user_information=b"\x08\x00"),
        "plain initiate": replace(response, user_information=plain),
        "no title": replace(response, title=None),
        "short title": replace(response, title=b"1234"),
        "other title": replace(response, title=b"OTHER\0\0\0"),
        "no passes": replace(response, diagnostic=0),
        "wants hls": replace(response, diagnostic=14),
        "other mechanism": replace(
            response, authentication=Authentication(6, given.value if given else b"")
        ),
        "no mechanism": replace(response, authentication=None),
        "no challenge": replace(response, authentication=Authentication(5)),
        "short challenge": replace(response, authentication=Authentication(5, b"1234567")),
        "long challenge": replace(response, authentication=Authentication(5, bytes(65))),
    }
    return changes[kind]


@pytest.mark.parametrize(
    ("kind", "credentials", "word", "silence"),
    [
        ("context", public(), "context", Silence.BROKEN),
        ("no initiate", public(), "no initiate", Silence.BROKEN),
        ("short names", public(), "FA00", Silence.BROKEN),
        ("version", public(), "version 5", Silence.BROKEN),
        ("garbage", public(), "initiate_response", Silence.BROKEN),
        ("wants hls", public(), "high-level", None),
        ("plain initiate", management(), "not protected", Silence.NOT_AUTHENTIC),
        ("no title", management(), "no system title", Silence.NOT_AUTHENTIC),
        ("short title", management(), "no system title", Silence.NOT_AUTHENTIC),
        ("other title", management(), "not authentic", Silence.NOT_AUTHENTIC),
        ("no title", management(Form.PLAIN), "no system title", Silence.NOT_AUTHENTIC),
        ("other title", management(Form.PLAIN), "does not prove", Silence.NOT_AUTHENTIC),
        ("no passes", management(), "passes 3", Silence.NOT_AUTHENTIC),
        ("no passes", management(Form.PLAIN), "passes 3", Silence.NOT_AUTHENTIC),
        ("other mechanism", management(), "mechanism", Silence.NOT_AUTHENTIC),
        ("no mechanism", management(), "mechanism", Silence.NOT_AUTHENTIC),
        ("no challenge", management(), "challenge", Silence.NOT_AUTHENTIC),
        ("short challenge", management(), "challenge", Silence.NOT_AUTHENTIC),
        ("long challenge", management(), "challenge", Silence.NOT_AUTHENTIC),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_accepting_aare_that_is_not_right_is_not_believed(
    kind: str, credentials: Credentials, word: str, silence: Silence | None
) -> None:
    server = ScriptedServer()
    server.spoil_aare = lambda response: spoilt(kind, response)
    pump, joined = join(server, credentials)
    assert not joined.accepted
    assert joined.result == 0
    assert joined.silence is silence
    assert word in joined.why
    answer = pump.play(GetJob((NAME,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.NOT_ASSOCIATED


@pytest.mark.parametrize(
    ("answer", "silence"),
    [
        ("d80101", Silence.EXCEPTION),
        ("d8", Silence.BROKEN),
        ("61", Silence.BROKEN),
        ("6180", Silence.BROKEN),
        ("c401c100", Silence.BROKEN),
        ("63 00", Silence.BROKEN),
    ],
)
def test_what_is_no_aare_is_no_association(answer: str, silence: Silence) -> None:
    pump = pump_for(Framing.HDLC, lambda _request: bytes.fromhex(answer))
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert not joined.accepted
    assert joined.silence is silence
    assert (joined.result, joined.diagnostic) == (-1, -1)


def test_services_granted_beyond_what_was_offered_are_not_used() -> None:
    server = ScriptedServer()
    everything = initiate.encode_response(InitiateResponse(Conformance((1 << 23) - 1), 500))
    server.spoil_aare = lambda response: replace(response, user_information=everything)
    _, joined = join(server, public())
    assert joined.accepted
    assert not joined.conformance & Conformance.ACCESS


@pytest.mark.parametrize(
    ("credentials", "word"),
    [
        (Credentials("a", 1, Mechanism.LLS), "secret"),
        (Credentials("a", 1, Mechanism.HLS_GMAC), "keys"),
        (Credentials("a", 1, Mechanism.HLS_GMAC, keys=KEYS, title=b"short"), "title"),
        (Credentials("a", 1, form=Form.SERVICE_GLOBAL, title=CLIENT_TITLE), "keys"),
        (Credentials("a", 1, Mechanism.HLS_MD5, keys=KEYS, title=CLIENT_TITLE), "HLS_MD5"),
        (Credentials("a", 300), "address"),
    ],
)
def test_credentials_that_lack_something_are_our_own_fault(
    credentials: Credentials, word: str
) -> None:
    line = reader()
    with pytest.raises(ValueError, match=word):
        line.begin(AssociateJob(credentials), 0)
    assert line.state is LineState.CLOSED
    assert line.deadline_ms is None
