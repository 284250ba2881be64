"""Long values both ways: blocks, lists in blocks, every size from 64 to 1024."""

import pytest

from emulator.codecs.dlms import apdu_get
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_get import GetBlockResponse, GetFailedBlockResponse
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    DataAccessResult,
    DataBlock,
)
from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.hdlc_link import LinkSettings
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.initiate import Conformance
from harness.dlms.jobs import ActionJob, AssociateJob, GetJob, SetJob
from harness.dlms.settings import OFFERED, Framing, LineSettings
from harness.meter import Silence, Unanswered
from tests.harness.dlms.peer import HdlcPeer, Pump, pump_for, reader
from tests.harness.dlms.scripted import (
    CLOCK,
    METHOD,
    NAME,
    ScriptedServer,
    management,
    public,
)

LONG = octets(bytes(n % 251 for n in range(1300)))
SIZES = [64, 65, 127, 128, 129, 130, 255, 256, 257, 258, 259, 260, 512, 1024]
FORMS = [
    *((pdu, Form.PLAIN) for pdu in SIZES),
    *((pdu, Form.SERVICE_GLOBAL) for pdu in (64, 128, 257, 1024)),
    *((pdu, Form.GENERAL_DEDICATED) for pdu in (65, 130, 260, 512)),
]


def longest_sent(server: ScriptedServer) -> int:
    return max(len(request) for request in server.requests if request[0] not in {0x60, 0x62})


@pytest.mark.parametrize(("pdu", "form"), FORMS)
def test_long_values_go_both_ways_in_apdus_no_longer_than_allowed(pdu: int, form: Form) -> None:
    server = ScriptedServer(
        {NAME.descriptor: LONG, CLOCK.descriptor: LONG}, max_pdu_bytes=pdu, answer_bytes=pdu - 30
    )
    server.outcome = MethodOutcome(ActionResult.SUCCESS, LONG)
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(management(form)))
    assert pump.play(GetJob((NAME,))) == (LONG,)
    assert pump.play(GetJob((NAME, CLOCK))) == (LONG, LONG)
    assert pump.play(SetJob(((NAME, LONG),))) == (DataAccessResult.SUCCESS,)
    assert pump.play(SetJob(((NAME, LONG), (CLOCK, LONG)))) == (DataAccessResult.SUCCESS,) * 2
    assert pump.play(ActionJob(METHOD, LONG)) == MethodOutcome(ActionResult.SUCCESS, LONG)
    assert server.invoked == [(METHOD, LONG)]
    assert [value for _attribute, value in server.written] == [LONG] * 3
    assert pdu - 24 <= longest_sent(server) <= pdu


def test_the_list_of_a_get_is_shared_out_where_it_would_be_too_long() -> None:
    server = ScriptedServer({NAME.descriptor: octets(b"n")}, max_pdu_bytes=64)
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(public()))
    assert pump.play(GetJob((NAME,) * 20)) == (octets(b"n"),) * 20
    assert longest_sent(server) <= 64
    assert len(server.plain_requests) == 4


@pytest.mark.parametrize(
    "job", [SetJob(((NAME, LONG),)), ActionJob(METHOD, LONG), SetJob(((NAME, LONG), (CLOCK, LONG)))]
)
def test_a_meter_that_takes_no_blocks_is_not_sent_what_it_cannot_take(
    job: SetJob | ActionJob,
) -> None:
    server = ScriptedServer({NAME.descriptor: LONG, CLOCK.descriptor: LONG}, max_pdu_bytes=200)
    server.conformance = OFFERED & ~(Conformance.BLOCK_SET | Conformance.BLOCK_ACTION)
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(public()))
    answer = pump.play(job)
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.ABORTED
    assert "the meter takes 200" in answer.detail
    assert server.plain_requests == []


def test_a_meter_without_limit_gets_all_at_once() -> None:
    server = ScriptedServer({NAME.descriptor: LONG}, max_pdu_bytes=0)
    pump = pump_for(Framing.WRAPPER, server)
    pump.play(AssociateJob(public()))
    assert pump.play(SetJob(((NAME, LONG),))) == (DataAccessResult.SUCCESS,)
    assert len(server.plain_requests) == 1


def test_a_meter_too_small_for_any_block_is_told_so() -> None:
    server = ScriptedServer({NAME.descriptor: LONG}, max_pdu_bytes=12)
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(public()))
    answer = pump.play(SetJob(((NAME, LONG),)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.ABORTED


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize(("size", "lower"), [(1, None), (2, 17), (4, 17)])
@pytest.mark.parametrize("information", [64, 128, 240, 1024])
def test_every_window_address_and_field_length(
    window: int, size: int, lower: int | None, information: int
) -> None:
    link = LinkSettings(Parameters(information, information, window, window))
    server = ScriptedServer({NAME.descriptor: LONG}, max_pdu_bytes=2000, answer_bytes=2000)
    peer = HdlcPeer(server, link, lower)
    settings = LineSettings(address_bytes=size, physical_address=lower, link=link)
    pump = Pump(reader(settings), peer)
    pump.play(AssociateJob(public(max_pdu_bytes=2000)))
    assert pump.play(GetJob((NAME,))) == (LONG,)
    assert pump.play(SetJob(((NAME, LONG),))) == (DataAccessResult.SUCCESS,)
    assert max(len(piece) for piece in pump.sent + pump.heard) <= information + 18


def spoilt_blocks(kind: str) -> ScriptedServer:
    """A server whose second block is wrong in one way."""
    server = ScriptedServer({NAME.descriptor: LONG}, answer_bytes=200)

    def spoil(plain: bytes) -> bytes:
        answer = apdu_get.decode_response(plain)
        if not isinstance(answer, GetBlockResponse) or answer.block.number != 2:
            return plain
        block = answer.block
        wrong: dict[str, apdu_get.AnyGetResponse] = {
            "number": GetBlockResponse(answer.invoke, DataBlock(False, 3, block.octets)),
            "again": GetBlockResponse(answer.invoke, DataBlock(False, 1, block.octets)),
            "empty": GetBlockResponse(answer.invoke, DataBlock(False, 2, b"")),
            "refused": GetFailedBlockResponse(
                answer.invoke, True, 2, DataAccessResult.LONG_GET_ABORTED
            ),
            "early end": GetBlockResponse(answer.invoke, DataBlock(True, 2, block.octets)),
        }
        return apdu_get.encode_response(wrong[kind])

    server.spoil = spoil
    return server


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("number", Silence.ABORTED),
        ("again", Silence.ABORTED),
        ("empty", Silence.ABORTED),
        ("refused", Silence.ABORTED),
        ("early end", Silence.BROKEN),
    ],
)
def test_a_block_transfer_that_goes_wrong_ends_and_the_next_question_is_answered(
    kind: str, why: Silence
) -> None:
    server = spoilt_blocks(kind)
    server.values[CLOCK.descriptor] = octets(bytes(12))
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(public()))
    answer = pump.play(GetJob((NAME,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is why
    assert answer.detail
    assert answer.octets
    assert pump.play(GetJob((CLOCK,))) == (octets(bytes(12)),)


def test_an_answer_longer_than_we_take_ends_the_transfer() -> None:
    server = ScriptedServer({NAME.descriptor: LONG}, answer_bytes=200)
    settings = LineSettings(max_answer_bytes=1000)
    pump = Pump(reader(settings), HdlcPeer(server))
    pump.play(AssociateJob(public()))
    answer = pump.play(GetJob((NAME,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.ABORTED
    assert "longer" in answer.detail
    assert len(server.plain_requests) == 6


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("c501 {} 00", Silence.ABORTED),  # success before the last block
        ("c502 {} 00000007", Silence.ABORTED),  # acknowledges a block never sent
        ("c503 {} 00 00000001", Silence.ABORTED),
        ("c505 {} 01 03", None),
        ("c505 {} 02 03 03", Silence.BROKEN),
        ("c501 {} 02", None),
        ("c503 {} 03 00000001", None),
        ("c503 {} 03 00000009", Silence.ABORTED),
    ],
)
def test_what_a_meter_may_say_to_the_first_block_of_a_write(
    answer: str, why: Silence | None
) -> None:
    server = ScriptedServer({NAME.descriptor: LONG}, max_pdu_bytes=200)
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(public()))
    server.spoil = lambda plain: bytes.fromhex(answer.format(f"{plain[2]:02x}"))
    came = pump.play(SetJob(((NAME, LONG),)))
    if why is None:
        assert isinstance(came, tuple)
        assert len(came) == 1
        assert came[0] is not DataAccessResult.SUCCESS
    else:
        assert isinstance(came, Unanswered)
        assert came.why is why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("c701 {} 00 00", Silence.ABORTED),  # success before the last block
        ("c704 {} 00000005", Silence.ABORTED),
        ("c703 {} 01 00 00", Silence.BROKEN),
        ("c702 {} 01 00000001 02 0000", Silence.ABORTED),
        ("c701 {} 03 00", None),
    ],
)
def test_what_a_meter_may_say_to_the_first_block_of_an_action(
    answer: str, why: Silence | None
) -> None:
    server = ScriptedServer(max_pdu_bytes=200)
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(public()))
    server.spoil = lambda plain: bytes.fromhex(answer.format(f"{plain[2]:02x}"))
    came = pump.play(ActionJob(METHOD, LONG))
    if why is None:
        assert came == MethodOutcome(ActionResult.READ_WRITE_DENIED)
    else:
        assert isinstance(came, Unanswered)
        assert came.why is why
