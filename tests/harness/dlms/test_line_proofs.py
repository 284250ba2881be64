"""Passes 3 and 4: our proof, the meter's, and what is no proof."""

from dataclasses import replace

import pytest

from emulator.codecs.dlms.acse import (
    AssociationResponse,
    Authentication,
)
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.crypto.dlms_keys import SecurityKeys
from harness.dlms.jobs import AssociateJob
from harness.dlms.line import LineState
from harness.meter import Association, Silence
from tests.harness.dlms.scripted import (
    CLIENT_TITLE,
    KEYS,
    SERVER_TITLE,
    ScriptedServer,
    management,
)
from tests.harness.dlms.stories import join


def test_our_own_challenge_given_back_is_not_answered() -> None:
    server = ScriptedServer()

    def reflect(response: AssociationResponse) -> AssociationResponse:
        return replace(response, authentication=Authentication(5, server.asked))

    server.spoil_aare = reflect
    _, joined = join(server, management(Form.PLAIN))
    assert joined.silence is Silence.NOT_AUTHENTIC
    assert "reflected" in joined.why
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", [Form.PLAIN, Form.SERVICE_GLOBAL])
@pytest.mark.parametrize("at", range(17))
def test_a_meter_whose_own_proof_is_wrong_is_left_at_once(form: Form, at: int) -> None:
    server = ScriptedServer()
    server.spoil_proof = lambda proof: proof[:at] + bytes((proof[at] ^ 1,)) + proof[at + 1 :]
    pump, joined = join(server, management(form))
    assert not joined.accepted
    assert joined.silence is Silence.NOT_AUTHENTIC
    assert "does not prove" in joined.why
    assert pump.line.state is LineState.CLOSED


@pytest.mark.parametrize("proof", [b"", bytes(16), bytes(18)])
def test_a_proof_of_another_length_is_none(proof: bytes) -> None:
    server = ScriptedServer()
    server.spoil_proof = lambda _proof: proof
    _, joined = join(server, management())
    assert joined.silence is Silence.NOT_AUTHENTIC


@pytest.mark.parametrize(
    ("answer", "silence"),
    [
        ("c701 {} 00 00", Silence.NOT_AUTHENTIC),  # success, and no proof
        ("c701 {} 00 01 01 02", Silence.NOT_AUTHENTIC),
        ("c701 {} 00 01 00 0600000001", Silence.NOT_AUTHENTIC),
        ("c701 00 00 00", Silence.BROKEN),  # another invocation
        ("c704 {} 00000001", Silence.BROKEN),
        ("c401 {} 01 03", Silence.BROKEN),
        ("d8 01 01", Silence.EXCEPTION),
        ("c701 {} 03 00", None),
    ],
)
def test_what_a_meter_may_answer_to_our_proof(answer: str, silence: Silence | None) -> None:
    server = ScriptedServer()
    server.spoil = lambda plain: bytes.fromhex(answer.format(f"{plain[2]:02x}"))
    _, joined = join(server, management(Form.PLAIN))
    assert not joined.accepted
    assert joined.silence is silence
    assert (joined.result, joined.diagnostic) == (0, 14)
    assert joined.why


def test_a_counter_that_the_meter_tells_is_gone_on_from() -> None:
    server = ScriptedServer()
    server.counters.accept(KEYS.unicast, CLIENT_TITLE, 500)
    pump, joined = join(server, management())
    assert not joined.accepted
    pump.line.resume_counter(KEYS, CLIENT_TITLE, 500)
    joined_again = pump.play(AssociateJob(management()))
    assert isinstance(joined_again, Association)
    assert joined_again.accepted
    pump.line.resume_counter(KEYS, CLIENT_TITLE, 3)  # never back
    third = pump.play(AssociateJob(management()))
    assert isinstance(third, Association)
    assert third.accepted


def test_new_keys_are_used_from_the_next_association_on() -> None:
    server = ScriptedServer()
    pump, _ = join(server, management())
    new = SecurityKeys(bytes([9]) * 16, KEYS.authentication, KEYS.master)
    server.keys = new
    old = pump.play(AssociateJob(management()))
    assert isinstance(old, Association)
    assert not old.accepted
    fresh = pump.play(AssociateJob(management(keys=new)))
    assert isinstance(fresh, Association)
    assert fresh.accepted
    assert fresh.server_title == SERVER_TITLE
