"""Every state of a line with every event; and a line put away and taken up again."""

import itertools
import json
from collections.abc import Callable

import pytest

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind, control, i_control
from emulator.core.errors import IllegalEventError
from harness.dlms.jobs import (
    ActionJob,
    AssociateJob,
    Done,
    GetJob,
    Job,
    Output,
    RawJob,
    ReleaseJob,
    SetJob,
    SignOnJob,
)
from harness.dlms.line import LineState, ReaderLine
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, Silence, Unanswered
from tests.harness.dlms.peer import HdlcPeer, OpticalPeer, Pump, pump_for, reader
from tests.harness.dlms.scripted import METHOD, NAME, ScriptedServer, management, public

BETWEEN = [LineState.CLOSED, LineState.OPENED, LineState.LINKED, LineState.ASSOCIATED]
BUSY = [state for state in LineState if state not in BETWEEN]
JOBS: list[Job] = [
    SignOnJob(),
    SignOnJob(read_out=True),
    AssociateJob(public()),
    GetJob((NAME,)),
    SetJob(((NAME, octets(b"x")),)),
    ActionJob(METHOD),
    RawJob(bytes.fromhex("c001c1000100002a0000ff0200")),
    ReleaseJob(),
]


def _frame(kind: Kind, information: bytes = b"") -> bytes:
    frame = Frame(Address(16), Address(1), control(kind), information)
    return hdlc.encode(frame)


#: What may come on the line, whatever is waited for.
ARRIVALS = {
    "nothing": b"",
    "flag": b"\x7e",
    "noise": b"\x00\xff\x80/\x06\r\n",
    "false header": b"\x7e\xa7\xff\x21\x03",
    "UA": _frame(Kind.UA),
    "DM": _frame(Kind.DM),
    "FRMR": _frame(Kind.FRMR, b"\x10\x00\x01"),
    "RR": _frame(Kind.RR),
    "RNR": _frame(Kind.RNR),
    "UI": _frame(Kind.UI, bytes.fromhex("e6e7000f01")),
    "SNRM": _frame(Kind.SNRM),
    "I": hdlc.encode(
        Frame(
            Address(16), Address(1), i_control(0, 1, poll=True), bytes.fromhex("e6e700c401c10101")
        )
    ),
    "I for another": hdlc.encode(
        Frame(Address(17), Address(1), i_control(0, 1, poll=True), bytes.fromhex("e6e700d80101"))
    ),
    "identification": bytes.fromhex("afd3c2c3b55c2e"),
}


def in_state(state: LineState) -> Pump:
    """A line of an optical head in a state, reached as lines reach it."""
    server = ScriptedServer({NAME.descriptor: octets(b"name")})
    pump = Pump(reader(LineSettings(framing=Framing.OPTICAL)), OpticalPeer(HdlcPeer(server)))
    if state is LineState.CLOSED:
        return pump
    if state is LineState.SIGNING_ON:
        pump.line.begin(SignOnJob(), 0)
    elif state is LineState.OPENED:
        pump.play(SignOnJob())
    elif state is LineState.CONNECTING:
        pump.play(SignOnJob())
        pump.line.begin(AssociateJob(public()), pump.now_ms)
    elif state is LineState.LINKED:
        server.refuse = (1, 1)  # type: ignore[assignment]  # numbers will do
        pump.play(AssociateJob(public()))
        server.refuse = None
    else:
        pump.play(AssociateJob(public()))
        if state is LineState.ASKING:
            pump.line.begin(GetJob((NAME,)), pump.now_ms)
        elif state is LineState.DISCONNECTING:
            pump.line.begin(ReleaseJob(), pump.now_ms)
            # the answer to the RLRQ, so that DISC goes out
            answer = pump.peer.hear(_release_frame(), pump.now_ms)
            pump.line.receive(b"".join(answer), pump.now_ms)
    assert pump.line.state is state
    return pump


def _release_frame() -> bytes:
    information = bytes.fromhex("e6e600 6203800100")
    return hdlc.encode(Frame(Address(1), Address(16), i_control(1, 1, poll=True), information))


def finish(pump: Pump, outputs: list[Output]) -> Done:
    """Let a job under way end on a line where nothing more is heard."""
    line = pump.line
    for _ in range(200):
        done = [output for output in outputs if isinstance(output, Done)]
        if done:
            assert len(done) == 1
            return done[0]
        assert line.deadline_ms is not None
        pump.now_ms = max(pump.now_ms, line.deadline_ms)
        outputs = line.expire(pump.now_ms)
    raise AssertionError("the job never ended")


@pytest.mark.parametrize("state", list(LineState))
def test_every_state_can_be_reached_and_says_when_it_wants_to_be_woken(state: LineState) -> None:
    pump = in_state(state)
    if state in BUSY:
        assert pump.line.deadline_ms is not None
        assert pump.line.deadline_ms - pump.now_ms <= 2_000
        assert pump.line.expire(pump.line.deadline_ms - 1) == []
        assert pump.line.state is state


@pytest.mark.parametrize(("state", "job"), list(itertools.product(BETWEEN, JOBS)))
def test_every_job_ends_from_every_state_between_jobs(state: LineState, job: Job) -> None:
    pump = in_state(state)
    pump.play(job)
    assert pump.line.state in BETWEEN
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted


@pytest.mark.parametrize(("state", "job"), list(itertools.product(BUSY, JOBS)))
def test_no_job_begins_while_another_is_under_way(state: LineState, job: Job) -> None:
    pump = in_state(state)
    with pytest.raises(IllegalEventError, match=state.name):
        pump.line.begin(job, pump.now_ms)
    assert pump.line.state is state


@pytest.mark.parametrize(
    ("state", "arrival"), list(itertools.product(LineState, ARRIVALS)), ids=str
)
def test_whatever_comes_in_any_state_ends_in_an_answer_or_changes_nothing(
    state: LineState, arrival: str
) -> None:
    pump = in_state(state)
    outputs = pump.line.receive(ARRIVALS[arrival], pump.now_ms)
    outputs += pump.line.silence(pump.now_ms)
    if state in BETWEEN:
        assert not any(isinstance(output, Done) for output in outputs)
        lost = arrival in {"DM", "FRMR"} and state in {LineState.LINKED, LineState.ASSOCIATED}
        assert pump.line.state is (LineState.OPENED if lost else state)
    else:
        begun = pump.now_ms
        finish(pump, outputs)
        assert pump.now_ms - begun < 200_000
    assert pump.line.state in BETWEEN


@pytest.mark.parametrize("state", list(LineState))
def test_a_lost_connection_ends_link_and_job_in_every_state(state: LineState) -> None:
    pump = in_state(state)
    outputs = pump.line.lost(pump.now_ms)
    assert [type(output) for output in outputs] == ([Done] if state in BUSY else [])
    assert pump.line.state in {LineState.CLOSED, LineState.OPENED}
    if state is LineState.ASSOCIATED:
        answer = pump.play(GetJob((NAME,)))
        assert isinstance(answer, Unanswered)
        assert answer.why is Silence.LINK_LOST
        assert "connection was closed" in answer.detail


@pytest.mark.parametrize("state", list(LineState))
def test_a_job_can_be_given_up_in_every_state(state: LineState) -> None:
    pump = in_state(state)
    pump.line.abandon()
    if state in BUSY:
        assert pump.line.state in {LineState.CLOSED, LineState.OPENED}
    else:
        assert pump.line.state is state
    if state is LineState.SIGNING_ON:
        pump.now_ms += 5_000
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted


@pytest.mark.parametrize("state", BUSY)
def test_no_job_outlives_its_own_limit(state: LineState) -> None:
    pump = in_state(state)
    now = pump.now_ms
    end = now + 3_600_000
    outputs = pump.line.expire(end)
    assert [type(output) for output in outputs] == [Done]
    assert pump.line.state in {LineState.CLOSED, LineState.OPENED}


@pytest.mark.parametrize("state", BUSY)
def test_a_line_is_put_away_between_jobs_alone(state: LineState) -> None:
    pump = in_state(state)
    with pytest.raises(IllegalEventError, match=state.name):
        pump.line.dump()


def taken_up(line: ReaderLine, settings: LineSettings) -> ReaderLine:
    """The same line in another process: its state through JSON."""
    state = json.loads(json.dumps(line.dump()))
    other = reader(settings)
    other.load(state)
    assert other.dump() == line.dump()
    return other


def _read(pump: Pump) -> object:
    return pump.play(GetJob((NAME,)))


STORY: list[Callable[[Pump], object]] = [
    _read,
    lambda pump: pump.play(SetJob(((NAME, octets(b"x" * 300)),))),
    _read,
    lambda pump: pump.play(AssociateJob(public())),
    _read,
    lambda pump: pump.play(ReleaseJob()),
    _read,
]


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("form", list(Form), ids=lambda form: form.value)
def test_a_line_taken_up_says_the_same_octets_as_one_never_put_away(
    framing: Framing, form: Form
) -> None:
    pumps = []
    for _ in range(2):
        pump = pump_for(framing, ScriptedServer({NAME.descriptor: octets(b"name")}))
        pump.play(AssociateJob(management(form)))
        _read(pump)
        pumps.append(pump)
    other, one = pumps
    for step in STORY:
        one.line = taken_up(one.line, LineSettings(framing=framing))
        assert step(one) == step(other)
    assert one.sent == other.sent


def test_counters_survive_so_that_no_counter_is_used_twice() -> None:
    server = ScriptedServer({NAME.descriptor: octets(b"name")})
    pump = pump_for(Framing.HDLC, server)
    pump.play(AssociateJob(management()))
    pump.play(ReleaseJob())
    pump.line = taken_up(pump.line, LineSettings())
    joined = pump.play(AssociateJob(management()))
    assert isinstance(joined, Association)
    assert joined.accepted


def test_a_line_that_takes_up_a_state_forgets_its_own_job() -> None:
    pump = pump_for(Framing.HDLC, ScriptedServer())
    pump.play(AssociateJob(public()))
    state = pump.line.dump()
    pump.line.begin(GetJob((NAME,)), pump.now_ms)
    pump.line.load(state)
    assert pump.line.state is LineState.ASSOCIATED
    assert pump.play(GetJob((NAME,))) != ()


@pytest.mark.parametrize("bytes_", [3, 0, 8])
def test_settings_refuse_what_no_address_has(bytes_: int) -> None:
    with pytest.raises(ValueError, match="1, 2 or 4"):
        LineSettings(address_bytes=bytes_, physical_address=1)
    with pytest.raises(ValueError, match="physical"):
        LineSettings(address_bytes=2)
    with pytest.raises(ValueError, match="physical"):
        LineSettings(physical_address=17)
