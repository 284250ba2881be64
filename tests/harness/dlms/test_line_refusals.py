"""Answers that are none: exceptions, wrong invocations, broken octets, protection that fails."""

import pytest

from emulator.codecs.dlms import apdu_exception
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.axdr import octets
from harness.dlms.jobs import ActionJob, AssociateJob, GetJob, SetJob
from harness.dlms.line import LineState
from harness.dlms.settings import Framing
from harness.meter import Association, Silence, Unanswered
from tests.harness.dlms.peer import Pump, pump_for
from tests.harness.dlms.scripted import METHOD, NAME, ScriptedServer, management, public

CIPHERED = [form for form in Form if form is not Form.PLAIN]
JOBS = [GetJob((NAME,)), SetJob(((NAME, octets(b"name")),)), ActionJob(METHOD)]


def associated(
    server: ScriptedServer, form: Form = Form.PLAIN, framing: Framing = Framing.HDLC
) -> Pump:
    server.values.setdefault(NAME.descriptor, octets(b"name"))
    pump = pump_for(framing, server)
    joined = pump.play(AssociateJob(public() if form is Form.PLAIN else management(form)))
    assert isinstance(joined, Association)
    assert joined.accepted
    return pump


def unanswered(pump: Pump, job: GetJob | SetJob | ActionJob, why: Silence) -> Unanswered:
    answer = pump.play(job)
    assert isinstance(answer, Unanswered), answer
    assert answer.why is why, answer
    assert answer.detail
    return answer


@pytest.mark.parametrize("job", JOBS, ids=lambda job: type(job).__name__)
@pytest.mark.parametrize("form", [Form.PLAIN, *CIPHERED], ids=lambda form: form.value)
def test_an_exception_response_is_told_in_words_and_the_association_stands(
    job: GetJob | SetJob | ActionJob, form: Form
) -> None:
    server = ScriptedServer()
    pump = associated(server, form)
    refusal = ExceptionResponse(
        StateError.SERVICE_NOT_ALLOWED, ServiceError.INVOCATION_COUNTER_ERROR, 77
    )
    server.spoil = lambda _plain: apdu_exception.encode(refusal)
    answer = unanswered(pump, job, Silence.EXCEPTION)
    assert "01 06" in answer.detail
    assert "77 at least is due" in answer.detail
    server.spoil = lambda plain: plain
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)


@pytest.mark.parametrize("state", list(StateError))
@pytest.mark.parametrize("service", list(ServiceError))
def test_every_exception_has_words(state: StateError, service: ServiceError) -> None:
    server = ScriptedServer()
    pump = associated(server)
    counter = 1 if service is ServiceError.INVOCATION_COUNTER_ERROR else None
    octets_of = apdu_exception.encode(ExceptionResponse(state, service, counter))
    server.spoil = lambda _plain: octets_of
    answer = unanswered(pump, GetJob((NAME,)), Silence.EXCEPTION)
    assert answer.octets == octets_of
    assert len(answer.detail) > 30


def test_a_confirmed_service_error_is_an_exception_too() -> None:
    server = ScriptedServer()
    pump = associated(server)
    server.spoil = lambda _plain: bytes.fromhex("0e050203")
    assert "error 2" in unanswered(pump, GetJob((NAME,)), Silence.EXCEPTION).detail


@pytest.mark.parametrize("job", JOBS, ids=lambda job: type(job).__name__)
@pytest.mark.parametrize("framing", list(Framing))
def test_an_answer_with_another_invoke_id_is_broken(
    job: GetJob | SetJob | ActionJob, framing: Framing
) -> None:
    server = ScriptedServer()
    pump = associated(server, framing=framing)
    server.spoil = lambda plain: plain[:2] + bytes((plain[2] ^ 0x01,)) + plain[3:]
    assert "invoke id" in unanswered(pump, job, Silence.BROKEN).detail
    server.spoil = lambda plain: plain
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)


def test_the_answer_of_an_earlier_question_never_counts_for_the_next() -> None:
    server = ScriptedServer()
    pump = associated(server)
    earlier: list[bytes] = []

    def one_late(plain: bytes) -> bytes:
        earlier.append(plain)
        return earlier[-2] if len(earlier) > 1 else bytes.fromhex("c4")

    server.spoil = one_late
    for _ in range(20):
        unanswered(pump, GetJob((NAME,)), Silence.BROKEN)


@pytest.mark.parametrize(
    "octets_of",
    [
        "c4",
        "c401",
        "c407c1",
        "c401c1",
        "c401c10105",
        "c401c1000903aabb",
        "c501c100",
        "00",
        "ff" * 9,
    ],
)
@pytest.mark.parametrize("form", [Form.PLAIN, Form.SERVICE_GLOBAL, Form.GENERAL_GLOBAL])
def test_octets_that_are_no_answer_are_broken_and_named(octets_of: str, form: Form) -> None:
    server = ScriptedServer()
    pump = associated(server, form)
    wrong = bytes.fromhex(octets_of)
    if form is Form.SERVICE_GLOBAL and wrong[0] not in {0xC4, 0xC5}:
        wrong = b"\xc4" + wrong  # nothing else has a frame of that form
    server.spoil = lambda _plain: wrong
    assert "octet" in unanswered(pump, GetJob((NAME,)), Silence.BROKEN).detail


@pytest.mark.parametrize("form", CIPHERED, ids=lambda form: form.value)
def test_every_flipped_bit_of_a_protected_answer_is_noticed(form: Form) -> None:
    server = ScriptedServer()
    pump = associated(server, form)
    count = len(server.requests)
    pump.play(GetJob((NAME,)))
    assert len(server.requests) == count + 1
    size = 45 if form.general else 36
    for at in range(size):

        def flip(sealed: bytes, at: int = at) -> bytes:
            place = at % len(sealed)
            return sealed[:place] + bytes((sealed[place] ^ 0x04,)) + sealed[place + 1 :]

        server.spoil_sealed = flip
        answer = pump.play(GetJob((NAME,)))
        assert isinstance(answer, Unanswered), at
        assert answer.why in {Silence.NOT_AUTHENTIC, Silence.BROKEN}, answer
    server.spoil_sealed = lambda sealed: sealed
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)


@pytest.mark.parametrize("form", CIPHERED, ids=lambda form: form.value)
def test_a_plain_answer_to_a_protected_question_is_not_authentic(form: Form) -> None:
    server = ScriptedServer()
    pump = associated(server, form)
    plain: list[bytes] = []

    def keep(answer: bytes) -> bytes:
        plain.append(answer)
        return answer

    server.spoil = keep
    server.spoil_sealed = lambda _sealed: plain[-1]
    assert "plain" in unanswered(pump, GetJob((NAME,)), Silence.NOT_AUTHENTIC).detail


@pytest.mark.parametrize("form", CIPHERED, ids=lambda form: form.value)
def test_a_protected_answer_sent_again_is_not_authentic(form: Form) -> None:
    server = ScriptedServer()
    pump = associated(server, form)
    kept: list[bytes] = []

    def keep(sealed: bytes) -> bytes:
        kept.append(sealed)
        return kept[0]

    server.spoil_sealed = keep
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)
    detail = unanswered(pump, GetJob((NAME,)), Silence.NOT_AUTHENTIC).detail
    assert "counter" in detail
    assert pump.line.state is LineState.ASSOCIATED


@pytest.mark.parametrize("form", CIPHERED, ids=lambda form: form.value)
def test_a_replay_from_an_earlier_association_is_not_authentic(form: Form) -> None:
    server = ScriptedServer()
    pump = associated(server, form)
    kept: list[bytes] = []

    def keep(sealed: bytes) -> bytes:
        kept.append(sealed)
        return sealed

    server.spoil_sealed = keep
    pump.play(GetJob((NAME,)))
    server.spoil_sealed = lambda sealed: sealed
    pump.play(AssociateJob(management(form)))
    server.spoil_sealed = lambda _sealed: kept[0]
    unanswered(pump, GetJob((NAME,)), Silence.NOT_AUTHENTIC)


def test_secrets_show_nowhere() -> None:
    credentials = management()
    assert credentials.keys is not None
    texts = [
        repr(AssociateJob(credentials)),
        repr(SetJob(((NAME, octets(b"12345678")),))),
        repr(ActionJob(METHOD, octets(b"12345678"))),
        repr(pump_for(Framing.HDLC, ScriptedServer()).line.__class__),
    ]
    server = ScriptedServer()
    pump = associated(server, Form.SERVICE_DEDICATED)
    texts.append(repr(pump.line._memory.session))
    for text in texts:
        assert "12345678" not in text
        assert credentials.keys.unicast.hex() not in text
        assert "\\x00\\x01\\x02" not in text
