"""Where installations stand, line by line, and the log they are read from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.dust.events import read_events
from harness.live.board import PHASES, Board, phase_of, tone_of
from harness.live.lines import Line, RunKind, of_event, read
from harness.live.log_index import LogFilter, LogIndex
from harness.live.veil import Veil
from harness.migration.states import State
from tests.harness.live import live_sample
from tests.sampling import examples

OPEN = Veil(shows_all=True)
A_LINE = Line(1, "2023-01-23T06:00:00.000Z", "info", "testing", "step", "t", ref="a", step="T1")


def fed(*lines: Line) -> Board:
    board = Board()
    for number, line in enumerate(lines, 1):
        board.feed(replace(line, number=number))
    return board


def test_the_sample_is_what_an_engine_writes(tmp_path: Path) -> None:
    live_sample.write(tmp_path, 3)
    events = list(read_events(tmp_path / "events.jsonl"))
    assert [one.number for one in events] == list(range(1, len(events) + 1))
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert [of_event(one) for one in events] == [
        read(raw, number, RunKind.DUST) for number, raw in enumerate(lines, 1)
    ]


def test_every_state_stands_in_one_phase_and_has_a_tone() -> None:
    assert sum(len(states) for states in PHASES.values()) == len(State)
    assert {tone_of(state) for state in State} == {"good", "bad", "warn", "wait", "going", "quiet"}
    assert phase_of("a state of another day") == "planning"


def test_a_cell_keeps_the_gravest_result_of_its_step() -> None:
    board = fed(
        replace(A_LINE, result="ok"),
        replace(A_LINE, result="failed", code="X-T1"),
        replace(A_LINE, result="ok"),
        replace(A_LINE, step="P1", result="skipped"),
    )
    assert board.steps == ["P1", "T1"]
    assert board.rows() == [["a", "Planned", "quiet", "X-T1", A_LINE.at, "P1", "sf"]]


def test_a_home_that_is_tried_again_and_migrates_rests_on_no_code() -> None:
    board = fed(
        replace(A_LINE, result="state", state="RolledBack", code="X"),
        replace(A_LINE, result="state", state="Migrated"),
    )
    assert board.rows()[0][1:4] == ["Migrated", "good", ""]


def test_only_rows_that_lines_behind_a_number_told_of_are_news() -> None:
    board = fed(A_LINE, replace(A_LINE, ref="b"), replace(A_LINE, ref="c"))
    assert [row[0] for row in board.rows(after=1)] == ["b", "c"]
    assert [row[0] for row in board.rows()] == ["a", "b", "c"]


def test_a_board_says_what_a_run_waits_for_until_it_is_over() -> None:
    turn = Line(1, "", "info", "planning", "turn", "turn 2: day")
    board = fed(turn, replace(A_LINE, state="AwaitingCHF", result="state"))
    assert board.waits_for() == "the participant (turn 2: day) and 1 hub to be heard"
    board.feed(Line(3, "", "info", "planning", "turn-done", "turn 2 (day) is over"))
    assert board.waits_for() == "1 hub to be heard"
    board.feed(Line(4, "", "info", "close", "run", "the run is over"))
    assert (board.waits_for(), board.is_over) == ("", True)


def test_the_kinds_of_runs_have_one_form_of_line(runs: Path) -> None:
    scenario = (runs / "scenario" / "events.jsonl").read_bytes().splitlines()
    assert [read(raw, 1, RunKind.SCENARIO).level for raw in scenario] == ["info", "warning"]
    migration = (runs / "migration" / "events.jsonl").read_bytes().splitlines()
    lines = [read(raw, 1, RunKind.MIGRATION) for raw in migration]
    assert [(one.result, one.code, one.level) for one in lines] == [
        ("ok", "", "info"),
        ("failed", "X/2", "warning"),
        ("state", "X", "info"),
    ]


# -- the log ---------------------------------------------------------------------------------------


def followed(index: LogIndex) -> list[Line]:
    taken: list[Line] = []
    index.follow(taken.append)
    return taken


def a_line(number: int, **more: str) -> bytes:
    fields = {"number": number, "at": "", "level": "info", "phase": "testing", "kind": "step"}
    return json.dumps({**fields, "text": f"line {number}", **more}).encode() + b"\n"


def test_a_log_that_grows_is_read_on_and_a_half_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(a_line(1) + a_line(2)[:9])
    index = LogIndex(path, RunKind.DUST)
    assert [one.text for one in followed(index)] == ["line 1"]
    assert followed(index) == []
    path.write_bytes(a_line(1) + a_line(2) + a_line(3))
    assert [one.number for one in followed(index)] == [2, 3]
    assert (index.count, index.generation) == (3, 0)


@pytest.mark.parametrize("behind", [b"", a_line(2, text="other"), a_line(2, text="o") * 9])
def test_a_log_that_a_resumed_run_cut_back_is_read_anew(tmp_path: Path, behind: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(a_line(1) + a_line(2) + a_line(3))
    index = LogIndex(path, RunKind.DUST)
    followed(index)
    path.write_bytes(a_line(1) + behind)
    taken = followed(index)
    assert (taken[0].number, index.generation) == (1, 1)
    assert index.count == 1 + behind.count(b"\n")
    assert list(index.matching(LogFilter(text="line 3"), OPEN)) == []


def test_octets_that_are_no_event_are_a_line_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    octets = (b"\xff\xfe\n", b"[1]\n", b"[" * 90_000 + b"\n", b"\n", b'{"text": 7, "turn": "x"}\n')
    path.write_bytes(b"".join(octets) + a_line(6))
    index = LogIndex(path, RunKind.DUST)
    kinds = [one.kind for one in followed(index)]
    assert kinds == ["unreadable"] * 4 + ["", "step"]
    assert len(index.matching(LogFilter(text="line 6"), OPEN)) == 1


LINES = st.lists(
    st.fixed_dictionaries(
        {
            "level": st.sampled_from(["debug", "info", "warning", "error"]),
            "party": st.sampled_from(["", "DCC", "S1SP"]),
            "receiver": st.sampled_from(["", "DCC"]),
            "ref": st.sampled_from(["", "a", "b"]),
            "device": st.sampled_from(["", "00-DB-01", "00-DB-02"]),
            "text": st.sampled_from(["It is done", "refused", "Maß", 'a "quote"']),
        }
    ),
    max_size=30,
)
FILTERS = st.builds(
    LogFilter,
    level=st.sampled_from(["", "warning", "error", "nonsense"]),
    party=st.sampled_from(["", "DCC", "S1SP", "nobody"]),
    ref=st.sampled_from(["", "a"]),
    device=st.sampled_from(["", "db-01", "DB"]),
    text=st.sampled_from(["", "DONE", "mass", "quote", "refused", "dcc"]),
)
LEVELS = ["debug", "info", "warning", "error"]


def fits(row: dict[str, str], wanted: LogFilter) -> bool:
    least = LEVELS.index(wanted.level) if wanted.level in LEVELS else 0
    words = " ".join(row.values()) + " step testing"
    return (
        LEVELS.index(row["level"]) >= least
        and wanted.party in {"", row["party"], row["receiver"]}
        and wanted.ref in {"", row["ref"]}
        and wanted.device.casefold() in row["device"].casefold()
        and wanted.text.casefold() in words.casefold()
    )


@settings(max_examples=examples(200), deadline=None)
@given(LINES, LINES, FILTERS)
def test_a_filter_takes_the_lines_it_names_also_when_the_log_grows(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, str]],
    more: list[dict[str, str]],
    wanted: LogFilter,
) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    index = LogIndex(path, RunKind.DUST)
    both = [*rows, *more]
    for behind in (len(rows), len(both)):
        told = (a_line(number, **row) for number, row in enumerate(both[:behind], 1))
        path.write_bytes(b"".join(told))
        followed(index)
        expected = [place for place, row in enumerate(both[:behind]) if fits(row, wanted)]
        assert list(index.matching(wanted, OPEN)) == expected
