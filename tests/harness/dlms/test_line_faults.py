"""A bad line: lost, repeated, damaged and late frames, noise, dropped links. Nothing hangs."""

from collections.abc import Callable

import pytest

from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.hdlc_link import LinkSettings
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.core.chance import Chance
from harness.dlms.jobs import ActionJob, AssociateJob, Done, GetJob, Job, RawJob, ReleaseJob, SetJob
from harness.dlms.line import LineState
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, Silence, Unanswered
from tests.harness.dlms.peer import (
    DeadPeer,
    HdlcPeer,
    Pump,
    Spoil,
    pump_for,
    reader,
)
from tests.harness.dlms.scripted import CLOCK, METHOD, NAME, public
from tests.harness.dlms.stories import LONG, NAMED, associated, server


def without(number: int) -> Spoil:
    return lambda piece, n: [] if n == number else [piece]


def twice(number: int) -> Spoil:
    return lambda piece, n: [piece, piece] if n == number else [piece]


def damaged(number: int) -> Spoil:
    return lambda piece, n: [piece[:-4] + b"\x55" + piece[-3:]] if n == number else [piece]


def cut(number: int) -> Spoil:
    return lambda piece, n: [piece[: len(piece) // 2]] if n == number else [piece]


FAULTS: dict[str, Callable[[int], Spoil]] = {
    "lost": without,
    "twice": twice,
    "damaged": damaged,
    "cut": cut,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("to_meter", [True, False])
@pytest.mark.parametrize("number", range(8))
def test_one_bad_frame_anywhere_changes_no_answer_and_nothing_is_done_twice(
    fault: str, to_meter: bool, number: int
) -> None:
    meter = server()
    pump = pump_for(Framing.HDLC, meter)
    if to_meter:
        pump.to_meter = FAULTS[fault](number)
    else:
        pump.to_reader = FAULTS[fault](number)
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((NAME,))) == NAMED
    assert pump.play(GetJob((CLOCK,))) == (LONG,)
    assert len(meter.requests) == 4  # AARQ, two GETs, one next block
    pump.play(ActionJob(METHOD))
    assert meter.invoked == [(METHOD, None)]
    pump.play(ReleaseJob())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("window", [1, 3, 7])
def test_a_very_bad_line_answers_truly_or_says_that_it_cannot(seed: int, window: int) -> None:
    on_a_very_bad_line(seed, window)


@pytest.mark.soak
@pytest.mark.parametrize("window", range(1, 8))
def test_many_very_bad_lines(window: int) -> None:
    for seed in range(100, 250):
        on_a_very_bad_line(seed, window)


def on_a_very_bad_line(seed: int, window: int) -> None:
    chance = Chance(seed).stream("noise")

    def spoil(piece: bytes, _number: int) -> list[bytes]:
        word = chance.below(12)
        if word == 0:
            return []
        if word == 1:
            return [piece, piece]
        if word == 2:
            at = chance.below(len(piece))
            return [piece[:at] + bytes((piece[at] ^ 1 << chance.below(8),)) + piece[at + 1 :]]
        if word == 3:
            return [chance.octets(1 + chance.below(40)), piece]
        if word == 4:
            return [b"\x7e\xa7\xff\x21", piece]
        return [piece]

    meter = server()
    link = LinkSettings(Parameters(128, 128, window, window))
    pump = Pump(reader(LineSettings(link=link)), HdlcPeer(meter, link), spoil, spoil, 900_000)
    for _ in range(6):
        if pump.line.state is not LineState.ASSOCIATED:
            pump.play(AssociateJob(public()))
            continue
        for job, truth in ((GetJob((NAME,)), NAMED), (GetJob((CLOCK,)), (LONG,))):
            answer = pump.play(job)
            assert answer == truth or isinstance(answer, Unanswered)
    pump.play(ReleaseJob())


@pytest.mark.parametrize(
    "job",
    [
        GetJob((NAME,)),
        SetJob(((NAME, octets(b"x")),)),
        ActionJob(METHOD),
        RawJob(b"\xc0"),
        AssociateJob(public()),
        ReleaseJob(),
    ],
    ids=lambda job: type(job).__name__,
)
@pytest.mark.parametrize("framing", list(Framing))
def test_a_meter_that_falls_silent_ends_every_job_within_a_minute_or_so(
    job: Job, framing: Framing
) -> None:
    pump = associated(framing)
    pump.to_meter = lambda _piece, _n: []
    begun = pump.now_ms
    answer = pump.play(job)
    assert pump.now_ms - begun < 150_000
    assert pump.line.state in {LineState.CLOSED, LineState.OPENED}
    if isinstance(answer, Unanswered | Association):
        why = answer.why if isinstance(answer, Unanswered) else answer.silence
        assert why is Silence.NO_ANSWER
    else:
        assert answer is None
    pump.to_meter = lambda piece, _n: [piece]
    again = pump.play(GetJob((NAME,)))
    assert isinstance(again, Unanswered)
    assert again.why is Silence.NOT_ASSOCIATED
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((NAME,))) == NAMED


def test_nobody_there_at_all() -> None:
    for framing in (Framing.HDLC, Framing.WRAPPER):
        pump = Pump(reader(LineSettings(framing=framing)), DeadPeer())
        joined = pump.play(AssociateJob(public()))
        assert isinstance(joined, Association)
        assert (joined.accepted, joined.silence) == (False, Silence.NO_ANSWER)
        assert (joined.result, joined.diagnostic) == (-1, -1)


@pytest.mark.parametrize("framing", list(Framing))
def test_octets_one_by_one_are_the_same_conversation(framing: Framing) -> None:
    pump = pump_for(framing, server())
    pump.to_reader = lambda piece, _n: [bytes((octet,)) for octet in piece]
    pump.to_meter = lambda piece, _n: [bytes((octet,)) for octet in piece]
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((CLOCK,))) == (LONG,)


def test_noise_without_end_does_not_keep_a_job_alive() -> None:
    pump = associated()
    noise = b"\x7e\xa7\xff\x21\x03"
    line, now = pump.line, pump.now_ms
    outputs = line.begin(GetJob((NAME,)), now)
    for _ in range(20_000):
        now += 150
        outputs = line.receive(noise, now) + line.expire(now)
        if line.state is LineState.CLOSED:
            break
    assert line.state is LineState.CLOSED
    assert outputs
    assert now - pump.now_ms < 60_000


def test_octets_without_end_do_not_keep_a_job_alive_although_nobody_asks_for_the_time() -> None:
    pump = associated()
    line, now = pump.line, pump.now_ms
    outputs = line.begin(GetJob((NAME,)), now)
    while not any(isinstance(output, Done) for output in outputs):
        now += 150
        outputs = line.receive(b"\x7e\xa7\xff\x21\x03", now)
        assert now - pump.now_ms < 60_000
