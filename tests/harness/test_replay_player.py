from collections.abc import Callable

import pytest

from emulator.core.chance import Stream
from harness.dlms.jobs import GetJob, Job, ReleaseJob
from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.meter import Association, Credentials
from harness.replay_client import recorded_exchanges
from harness.replay_jobs import jobs_of, play_client
from harness.replay_player import Player, StrictPlayer, turns_of
from harness.replay_tolerant import TolerantPlayer
from harness.transcript import Transcript
from tests.harness.recorded import (
    CHANCE,
    CLOCK,
    IMPORT,
    IMPORT_UNIT,
    NOTHING,
    SEED,
    SERIAL,
    VIEW,
    Recorded,
)

Play = Callable[[Transcript], Player]


def clients(told: Recorded) -> dict[int, Credentials]:
    every = [told.credentials(name) for name in ("public", "reader", "management")]
    return {one.client: one for one in every}


def play(told: Recorded, transcript: Transcript, player: Player) -> list[object]:
    draw = Stream(SEED, CHANCE).octets
    return list(play_client(transcript, player, clients(told), draw))


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("client", ["public", "reader", "management"])
@pytest.mark.parametrize("player", [StrictPlayer, TolerantPlayer])
def test_our_client_meets_its_recorded_meter_without_a_mismatch(
    framing: Framing, client: str, player: Play
) -> None:
    told = Recorded(framing=framing)
    wanted = (VIEW, CLOCK, IMPORT, SERIAL, NOTHING)
    values = told.read(client, *wanted)
    transcript = told.transcript()
    playing = player(transcript)
    again = play(told, transcript, playing)
    assert playing.mismatches == []
    assert playing.left == 0
    assert again == values


def test_a_request_that_was_not_recorded_is_named_and_gets_no_answer_from_a_strict_player() -> None:
    told = Recorded()
    told.read("public", CLOCK, IMPORT)
    transcript = told.transcript()
    other = Recorded()
    other.read("public", CLOCK, IMPORT_UNIT)
    player = StrictPlayer(transcript)
    values = play(other, other.transcript(), player)
    assert player.mismatches[0].expected == "GET Active import, value (3 / 1-0:1.8.0.255 a2)"
    first = player.mismatches[0].got
    assert first == "GET Active import, scaler and unit (3 / 1-0:1.8.0.255 a3)"
    assert player.count >= 1
    assert player.left > 0
    assert isinstance(values[0], Association)


def test_a_tolerant_player_answers_in_any_order_and_says_what_was_never_asked() -> None:
    told = Recorded()
    values = told.read("public", CLOCK, IMPORT, SERIAL)
    other = Recorded()
    other.read("public", SERIAL, IMPORT_UNIT, CLOCK)
    player = TolerantPlayer(told.transcript())
    again = play(other, other.transcript(), player)
    assert [one.got for one in player.mismatches] == [
        "GET Active import, scaler and unit (3 / 1-0:1.8.0.255 a3)"
    ]
    assert (again[1], again[3]) == (values[3], values[1])


def test_a_request_asked_again_gets_the_answers_in_the_order_recorded_then_the_last() -> None:
    told = Recorded()
    values = told.read("public", CLOCK, CLOCK)
    more = Recorded()
    more.read("public", CLOCK, CLOCK, CLOCK)
    player = TolerantPlayer(told.transcript())
    again = play(more, more.transcript(), player)
    assert again[1:4] == [values[1], values[2], values[2]]
    assert values[1] != values[2]


def test_a_wrong_password_is_a_mismatch() -> None:
    told = Recorded()
    told.read("reader", CLOCK)
    transcript = told.transcript()
    known = clients(told)
    wrong = Credentials("reader", 2, known[2].mechanism, secret=b"longer-than-it-was")
    player = StrictPlayer(transcript)
    play_client(transcript, player, {**known, 2: wrong}, Stream(SEED, CHANCE).octets)
    assert player.mismatches[0].expected == "AARQ: associate, LLS"
    assert b"longer-than-it-was" not in player.mismatches[0].octets


def test_a_repeated_request_is_answered_again_and_is_no_mismatch() -> None:
    told = Recorded()
    told.read("public", CLOCK)
    transcript = told.transcript()
    turn = next(one for one in turns_of(transcript.records) if one.request)
    player = StrictPlayer(transcript)
    assert player.receive(turn.request) == list(turn.answers)
    assert player.receive(turn.request) == list(turn.answers)
    assert player.mismatches == []


@pytest.mark.parametrize("player", [StrictPlayer, TolerantPlayer])
def test_octets_arriving_one_by_one_are_one_request(player: Play) -> None:
    told = Recorded()
    told.read("public", CLOCK)
    transcript = told.transcript()
    turn = next(one for one in turns_of(transcript.records) if one.request)
    playing = player(transcript)
    answers = [answer for octet in turn.request for answer in playing.receive(bytes([octet]))]
    assert b"".join(one.octets for one in answers) == b"".join(one.octets for one in turn.answers)


@pytest.mark.parametrize("player", [StrictPlayer, TolerantPlayer])
def test_an_unfinished_frame_is_given_up_after_silence(player: Play) -> None:
    told = Recorded(framing=Framing.OPTICAL)
    told.read("public", CLOCK)
    playing = player(told.transcript())
    assert playing.receive(b"\x7e\xa0\x07\x03") == []
    assert playing.silence() == []
    assert len(playing.mismatches) == 1
    turn = next(one for one in turns_of(told.transcript().records) if one.request)
    assert playing.receive(turn.request) == list(turn.answers)


def test_waits_are_known_from_the_recording() -> None:
    told = Recorded(framing=Framing.OPTICAL)
    told.read("public", CLOCK)
    turns = turns_of(told.transcript().records)
    assert all(answer.after_ns >= 0 for turn in turns for answer in turn.answers)
    assert b"".join(turn.request for turn in turns) == told.transcript().octets(Way.IN)


def test_jobs_are_the_ones_that_were_done() -> None:
    told = Recorded(framing=Framing.OPTICAL)
    told.read("reader", CLOCK, IMPORT)
    jobs: list[Job] = jobs_of(recorded_exchanges(told.transcript()), clients(told))
    assert [type(one).__name__ for one in jobs] == [
        "AssociateJob",
        "GetJob",
        "GetJob",
        "ReleaseJob",
    ]
    assert jobs[1:] == [GetJob((CLOCK,)), GetJob((IMPORT,)), ReleaseJob()]
