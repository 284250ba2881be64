"""What a run says on the terminal: a picture where someone looks, lines elsewhere, or nothing."""

import io
import threading
from pathlib import Path

import pytest
from rich.console import Console

from harness.dust.events import DustEvent, read_events
from harness.live.step_lines import step_text
from harness.live.terminal import Picture, stepping, watching
from tests.harness.live import live_sample


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[DustEvent]:
    folder = tmp_path_factory.mktemp("run")
    live_sample.write(folder, 60)
    return list(read_events(folder / "events.jsonl"))


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def said(events: list[DustEvent], *, terminal: bool, quiet: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100)
    with watching(console, title="SEC-2022-A", total=60, quiet=quiet) as take:
        if take is not None:
            for event in events:
                take(event)
    return out.getvalue()


def pictured(events: list[DustEvent], *, width: int = 100, total: int = 60) -> list[str]:
    picture = Picture("SEC-2022-A", total)
    for event in events:
        picture.take(event)
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(picture)
    return capture.get().splitlines()


def test_a_picture_shows_phases_states_and_what_the_run_waits_for(events: list[DustEvent]) -> None:
    lines = pictured(events[:1000])
    text = "\n".join(lines)
    assert lines[0].startswith("SEC-2022-A  2023-01-23 06:1")
    assert "AwaitingCHF" in text
    assert "hubs to be heard" in text
    assert "(MA110)" in text
    rows = [line for line in lines if set(line) <= set("■✕◆◇▸·")]
    assert sum(map(len, filter(None, rows))) == 60


def test_a_picture_keeps_its_height_from_the_first_event_to_the_last(
    events: list[DustEvent],
) -> None:
    heights = {len(pictured(events[:number])) for number in (0, 3, 500, len(events))}
    assert len(heights) == 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_two_thousand_installations_have_room_at_any_width(
    events: list[DustEvent], width: int
) -> None:
    lines = pictured(events, width=width, total=2000)
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= 24
    assert "✕" in "".join(lines)


def test_without_a_terminal_turns_and_warnings_are_plain_lines(events: list[DustEvent]) -> None:
    text = said(events, terminal=False)
    assert "\x1b" not in text
    assert "2023-01-23T06:00:00Z  turn 1: authorise" in text
    assert "warning: V2 was refused (MA110) [dual-0011]" in text
    assert "P1 is as it should be" not in text


@pytest.mark.parametrize("name", ["CI", "NO_COLOR"])
def test_a_terminal_that_wants_no_picture_gets_plain_lines(
    events: list[DustEvent], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    text = said(events[:400], terminal=True)
    assert "\x1b[" not in text.replace("\x1b[0m", "")
    assert "turn 1: authorise" in text


def test_a_terminal_gets_a_picture_that_stays(events: list[DustEvent]) -> None:
    text = said(events, terminal=True)
    assert "\x1b[" in text
    assert "migrated" in text.rsplit("SEC-2022-A", 1)[1]


def test_quiet_says_nothing(events: list[DustEvent]) -> None:
    assert not said(events, terminal=True, quiet=True)


def test_many_warnings_of_one_turn_are_counted(events: list[DustEvent], tmp_path: Path) -> None:
    live_sample.write(tmp_path, 300, phases="PV")
    loud = [one for one in read_events(tmp_path / "events.jsonl") if one.level == "warning"]
    turn = next(one for one in events if one.kind == "turn")
    text = said([*loud, turn], terminal=False)
    assert text.count("warning:") == 20
    assert f"and {len(loud) - 20} more warnings" in text


def test_events_may_come_from_any_thread_while_it_is_drawn(events: list[DustEvent]) -> None:
    picture = Picture("run", 60)

    def take(half: list[DustEvent]) -> None:
        for event in half:
            picture.take(event)

    halves = (events[::2], events[1::2])
    threads = [threading.Thread(target=take, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    console = Console(file=io.StringIO(), width=100)
    while any(thread.is_alive() for thread in threads):
        console.print(picture)
    for thread in threads:
        thread.join()
    with console.capture() as capture:
        console.print(picture)
    assert "Migrated" in capture.get()


def stepped(steps: list[tuple[str, int, int]], *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100)
    with stepping(console) as on_step:
        assert on_step is not None
        for step in steps:
            on_step(*step)
    return out.getvalue()


def test_work_of_few_pieces_says_nothing_where_nobody_looks() -> None:
    assert stepped([("packing", n, 9) for n in range(10)], terminal=False) == ""


def test_work_of_many_pieces_says_a_line_a_tenth_and_then_whatever_follows() -> None:
    steps = [("packing", n, 2_000) for n in range(2_001)]
    told = stepped(
        [*steps, ("rendering", 0, 0), ("looking", 0, 5), ("looking", 1, 5)], terminal=False
    )
    lines = told.splitlines()
    assert lines[:2] == ["packing: 0 of 2,000", "packing: 200 of 2,000"]
    assert lines[10:] == ["packing: 2,000 of 2,000", "rendering", "looking: 0 of 5"]


def test_on_a_terminal_how_far_work_is_stands_in_one_line() -> None:
    assert "packing [files]: 3 of 5" in stepped([("packing [files]", 3, 5)], terminal=True)


def test_nobody_hears_of_work_who_asked_for_quiet() -> None:
    with stepping(Console(file=io.StringIO()), quiet=True) as on_step:
        assert on_step is None


def test_a_picture_says_how_far_packing_is_and_keeps_its_height(events: list[DustEvent]) -> None:
    picture = Picture("SEC-2022-A", 60)
    for event in events:
        picture(event)
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    heights = []
    for step in (None, ("packing files", 1_200, 15_000), ("rendering reports", 0, 0)):
        if step is not None:
            picture.step(*step)
        with console.capture() as capture:
            console.print(picture)
        heights.append(len(capture.get().splitlines()))
        assert step is None or step_text(*step) in capture.get()
    assert step_text("packing files", 1_200, 15_000) == "packing files: 1,200 of 15,000"
    assert len(set(heights)) == 1
