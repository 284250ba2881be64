"""What is long is written and read piece by piece, and is what it would be at one stroke."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.core.clock import UtcMs, iso
from harness.dust import pack, reports
from harness.dust.chronicle import MIGRATION, Chronicle
from harness.dust.event_digest import EventDigest
from harness.dust.events import DustEvent, EventLog, Level, Phase
from harness.dust.messages import MessageFile, as_line
from harness.dust.packed_events import PackedEvents, lines_in
from harness.dust.record_form import Rendered, document, lines, load, load_lines, render
from harness.dust.report_charts import timeline
from harness.dust.run_key import key_of_run
from harness.dust.verify import verify
from harness.parties.post import Letter
from tests.harness.dust import dust_sample

AT = UtcMs(1_700_000_000_000)


def event(number: int, **more: object) -> DustEvent:
    given = {"at": UtcMs(AT + number), "level": Level.INFO, "phase": Phase.TESTING, **more}
    return DustEvent(number=number, kind="message", text=f"event {number}", **given)  # type: ignore[arg-type] # whatever a case needs


# -- the record ------------------------------------------------------------------------------------


def test_a_record_told_home_by_home_is_the_one_form(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 8)
    assert b"".join(Rendered(record)).decode() == lines(document(record)) == render(record)
    bare = replace(record, installations=(), files=(), defects=(), suppliers={"a": "b"})
    assert render(bare) == lines(document(bare))


def test_a_record_read_line_by_line_is_the_same(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 8)
    octets = render(record).encode()
    assert load_lines(octets.splitlines(keepends=True)) == load(octets)
    odd = replace(record, reason='ends in: [\n "], {",', files=())
    assert load_lines(render(odd).encode().splitlines(keepends=True)) == odd


@pytest.mark.parametrize("line", [1, 5, 20, 30, -2, -1])
def test_a_record_with_a_broken_line_is_no_record(tmp_path: Path, line: int) -> None:
    rows = render(dust_sample.filled(tmp_path, 8)).encode().splitlines(keepends=True)
    for other in (b"\n", b" {\n", b"   \xff\n", b' "turn": [\n'):
        with pytest.raises(ValueError, match=r".+"):
            load_lines([*rows[:line], other, *rows[line:]])


def test_nothing_is_no_record() -> None:
    with pytest.raises(ValueError, match="no record"):
        load_lines([])


# -- events ----------------------------------------------------------------------------------------


def test_a_digest_counts_what_passes_and_keeps_the_first_warnings() -> None:
    loud = [event(n, level=Level.WARNING) for n in range(1, 101)]
    told = EventDigest([*loud, event(101), event(102, level=Level.ERROR)])
    assert len(told) == 102
    assert told.levels == Counter({Level.WARNING: 100, Level.INFO: 1, Level.ERROR: 1})
    assert told.warnings == loud[:60]
    drawn = timeline(told)
    assert [lane.count for lane in drawn.lanes] == [102]
    assert sum(tick.loud for lane in drawn.lanes for tick in lane.ticks) == 101


def test_a_digest_keeps_messages_of_one_home_and_files_of_its_turns_about_no_other() -> None:
    to = {"party": "S1SP", "receiver": "CP"}
    shared = {**to, "file": "files/x", "turn": 2}
    passing = [
        replace(event(1, **shared), kind="file", text="MCF for a"),
        replace(event(2, **shared), kind="file", text="MCF for b"),
        replace(event(3, **{**shared, "turn": 3}), kind="file"),
        event(4, **shared),  # a message is about one home, or none
        event(5, **to, ref="a", turn=2),
        event(6, ref="a", turn=2),  # to nobody
        event(7, **to, ref="b", turn=2),
    ]
    told = EventDigest(passing, "a", {"a": "a", "b": "b"})
    assert [one.number for one in told.about()] == [1, 5]
    assert EventDigest(passing).about() == []


def test_no_event_at_all_is_drawn_too() -> None:
    drawn = timeline(EventDigest([]))
    assert (drawn.lanes, len(EventDigest([]))) == ((), 0)


def test_lines_are_put_together_over_the_ends_of_pieces() -> None:
    text = b"a\n\nbcd\ne"
    for cut in range(len(text)):
        assert [*lines_in([text[:cut], text[cut:]])] == [b"a\n", b"\n", b"bcd\n", b"e"]


def checked(rows: list[bytes]) -> PackedEvents:
    found = PackedEvents(rows)
    assert [one.kind for one in found] == ["message"] * found.count
    return found


def test_events_of_a_pack_are_looked_at_while_they_pass() -> None:
    rows = [event(n).line().encode() for n in (1, 2, 3)]
    good = checked(rows)
    assert (good.count, good.wrong) == (3, "")
    assert checked([rows[0], rows[2]]).wrong == "event 2 is called 3"
    other = json.dumps(json.loads(rows[1])).encode() + b"\n"
    assert checked([rows[0], other]).wrong == "a line is not in its one form"
    assert checked([*rows, b'{"half']).wrong == "a line is not in its one form"


def test_a_log_that_is_opened_again_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    for number in range(1, 6):
        log.write(event(number))
    log.close()
    log = EventLog(path, known=3)
    assert log.count == 3
    log.write(event(4))
    log.close()
    assert path.read_text("utf-8") == "".join(event(n).line() for n in (1, 2, 3, 4))


# -- messages --------------------------------------------------------------------------------------


def letters(count: int) -> Iterator[Letter]:
    for number in range(count):
        yield Letter(UtcMs(AT + number), "RP", "CP", "duis", bytes([number]), f"letter {number}")


def test_messages_are_written_as_they_pass_and_kept_under_their_turn(tmp_path: Path) -> None:
    chronicle = Chronicle(tmp_path, lambda: AT)
    passing = MessageFile(tmp_path / MIGRATION)
    assert passing.settle() is None
    passing.add(letters(2))
    passing.add([*letters(5)][2:])
    written = passing.settle()
    assert written is not None
    row = chronicle.keep_written(f"{MIGRATION}/messages-001.jsonl", written, "messages")
    chronicle.close()
    octets = (tmp_path / row.path).read_bytes()
    assert octets == b"".join(map(as_line, letters(5)))
    assert (row.size_bytes, row.sha256) == (len(octets), hashlib.sha256(octets).hexdigest())
    assert (row.at, row.kind, chronicle.files()) == (iso(AT), "messages", (row,))
    assert passing.settle() is None


def test_messages_of_a_run_that_was_killed_are_begun_anew(tmp_path: Path) -> None:
    MessageFile(tmp_path).add(letters(3))
    again = MessageFile(tmp_path)
    assert [*tmp_path.iterdir()] == []
    again.add(letters(1))
    written = again.settle()
    assert written is not None
    assert written.place.read_bytes() == b"".join(map(as_line, letters(1)))


# -- packing and checking --------------------------------------------------------------------------


def test_packing_and_checking_say_how_far_they_are(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 8)
    steps: list[tuple[str, int, int]] = []

    def told(what: str, done: int, of: int) -> None:
        steps.append((what, done, of))

    path = pack.write(tmp_path, record, key_of_run(record.header), on_step=told)
    packed = {(what, of) for what, _, of in steps}
    assert ("packing files", len(record.files)) in packed
    assert {what for what, _ in packed} == {
        *("looking at files", "looking for identifiers", "packing files"),
        "rendering reports for the pack",
    }
    assert all(done <= of for _, done, of in steps)
    steps.clear()
    assert verify(path, told).intact
    assert {what for what, _, _ in steps} == {
        *("reading the pack", "rebuilding the archive", "reading the record"),
        "rendering reports anew",
    }


def test_a_log_with_pseudonyms_line_by_line_is_the_same_as_at_one_stroke(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 8)
    log = (tmp_path / reports.EVENTS).read_bytes()
    live = log.replace(b"02-53-", b"00-DB-")
    (tmp_path / reports.EVENTS).write_bytes(live)
    names = reports.names_of(record, live.splitlines(keepends=True))
    assert live != log
    whole = names.over(live, json=True)
    assert b"00-DB-" not in whole
    by_line = list(reports.events_of(tmp_path / reports.EVENTS, names))
    assert by_line == list(reports.events_of(whole))
