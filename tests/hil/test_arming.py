"""Arming, verb by verb: each reason why a write is refused, and the one way it is allowed."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from harness.errors import UsageError
from hil.arming import ArmedGuard, ArmingRefusedError, Reason
from hil.arming_state import (
    MAX_ARMED_S,
    Arming,
    arm,
    armed_file,
    disarm,
    dry_run_file,
    duration_s,
    load_arming,
    state_file,
    write_private,
)
from hil.bench_file import LoadedBench, load_bench
from hil.dry_run_report import DryRunReport, Rehearsal, Write, counted, load_report
from hil.guard_port import Guard, MeterIdentity
from hil.verbs import CONFIRMED, Verb
from tests.hil.bench_texts import METER, OTHER, REAL, write_bench

NOW = from_datetime(datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
WRITES: list[Verb] = [verb for verb in Verb if verb is not Verb.READ]
PLAIN = [verb for verb in WRITES if verb not in CONFIRMED]
HERE = MeterIdentity(Eui64.parse(METER))
TARGETS = {
    Verb.WRITE: Descriptor(20, bytes((0, 0, 13, 0, 0, 255)), 7),
    Verb.CLOCK: Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2),
    Verb.SUPPLY: Descriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1),
    Verb.KEYS: Descriptor(64, bytes((0, 0, 43, 0, 0, 255)), 2),
    Verb.FIRMWARE: Descriptor(18, bytes((0, 0, 44, 0, 0, 255)), 1),
}
SCENARIO = "SER-009"


@dataclass
class Desk:
    """A bench with everything in order, and ways to disturb it."""

    path: Path
    now: UtcMs = NOW
    user: int = 1000
    ask: Callable[[str], str] | None = None
    scenario: str = SCENARIO
    questions: list[str] = field(default_factory=list)
    read: dict[bytes, LoadedBench] = field(default_factory=dict)

    @property
    def loaded(self) -> LoadedBench:
        """The file as it stands; read once for each content."""
        content = self.path.read_bytes()
        if content not in self.read:
            self.read[content] = load_bench(self.path)
        return self.read[content]

    def rehearse(self, *, scenario: str = SCENARIO, without: Verb | None = None) -> None:
        writes = [
            Write(
                verb=verb,
                role="ESME",
                service="action",
                class_id=what.class_id,
                obis=print_obis(what.obis),
                index=what.index,
            )
            for verb, what in TARGETS.items()
            if verb is not without
        ]
        report = DryRunReport(
            bench="desk 3",
            bench_sha256=self.loaded.sha256,
            seed=1,
            made_at="2026-11-22T08:00:00Z",
            scenarios=(Rehearsal(scenario=scenario, verdict="PASS", writes=counted(writes)),),
        )
        write_private(dry_run_file(self.path), report.encode())

    def arm(self, confirmed: set[Verb] | frozenset[Verb] = CONFIRMED, for_s: int = 1800) -> Arming:
        return arm(
            self.loaded,
            operator="A. Fitter",
            for_s=for_s,
            confirmed=confirmed,
            now=self.now,
            user=self.user,
        )

    def guard(self) -> ArmedGuard:
        return ArmedGuard(
            self.loaded, self.scenario, now=lambda: self.now, user=self.user, ask=self.ask
        )

    def answer(self, word: str) -> None:
        def ask(question: str) -> str:
            self.questions.append(question)
            return word

        self.ask = ask


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(write_bench(tmp_path, REAL.replace("allow", "expires = 2026-11-30\nallow")))
    desk.rehearse()
    desk.arm()
    return desk


def refused(
    guard: Guard,
    verb: Verb,
    identity: MeterIdentity = HERE,
    target: Descriptor | None = None,
) -> ArmingRefusedError:
    """Ask for a write; returns the refusal after checking its form."""
    with pytest.raises(ArmingRefusedError) as caught:
        guard.permit(verb, target or TARGETS[verb], identity)
    error = caught.value
    assert error.verb is verb
    assert f"{verb} refused ({error.reason}): " in error.what
    assert "desk 3" in error.where
    assert error.cause
    assert error.next_command.startswith("smetsbench bench ")
    assert error.exit_code == 2
    return error


# -- allowed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", WRITES)
def test_with_all_in_order_each_verb_is_allowed(desk: Desk, verb: Verb) -> None:
    desk.guard().permit(verb, TARGETS[verb], HERE)


def test_reading_is_allowed_with_nothing_in_order(tmp_path: Path) -> None:
    desk = Desk(write_bench(tmp_path, REAL.replace("allow", "expires = 2020-01-01\nallow")))
    desk.guard().permit(Verb.READ, None, MeterIdentity())


# -- refused, verb by verb ------------------------------------------------------------------------


@pytest.mark.parametrize("verb", WRITES)
def test_an_unarmed_bench_refuses(desk: Desk, verb: Verb) -> None:
    assert disarm(desk.path)
    assert refused(desk.guard(), verb).reason is Reason.UNARMED


@pytest.mark.parametrize("verb", WRITES)
def test_an_arming_lapses(desk: Desk, verb: Verb) -> None:
    desk.now = UtcMs(NOW + 1800_000 - 1)
    desk.guard().permit(verb, TARGETS[verb], HERE)
    desk.now = UtcMs(NOW + 1800_000)
    assert refused(desk.guard(), verb).reason is Reason.EXPIRED


@pytest.mark.parametrize("verb", WRITES)
def test_a_clock_set_back_before_the_arming_refuses(desk: Desk, verb: Verb) -> None:
    desk.now = UtcMs(NOW - 1)
    assert refused(desk.guard(), verb).reason is Reason.EXPIRED


@pytest.mark.parametrize("verb", WRITES)
def test_a_bench_past_its_last_day_refuses(desk: Desk, verb: Verb) -> None:
    desk.now = from_datetime(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    desk.arm()
    desk.guard().permit(verb, TARGETS[verb], HERE)
    desk.now = from_datetime(datetime(2026, 12, 1, tzinfo=UTC))
    assert refused(desk.guard(), verb).reason is Reason.BENCH_EXPIRED


@pytest.mark.parametrize("verb", WRITES)
def test_a_bench_file_changed_after_arming_refuses(desk: Desk, verb: Verb) -> None:
    before = desk.guard()
    desk.path.write_text(desk.path.read_text() + "# a remark\n")
    assert refused(desk.guard(), verb).reason is Reason.FILE_CHANGED  # read after the change
    assert refused(before, verb).reason is Reason.FILE_CHANGED  # read before it
    desk.path.unlink()
    assert refused(before, verb).reason is Reason.FILE_CHANGED


@pytest.mark.parametrize("verb", WRITES)
def test_another_user_than_the_one_who_armed_is_refused(desk: Desk, verb: Verb) -> None:
    desk.user = 1001
    assert refused(desk.guard(), verb).reason is Reason.OTHER_OPERATOR


@pytest.mark.parametrize("verb", WRITES)
def test_an_arming_by_another_operator_is_refused(desk: Desk, verb: Verb) -> None:
    state = load_arming(desk.path)
    assert state is not None
    forged = state.model_copy(update={"operator": "B. Other"})
    write_private(armed_file(desk.path), forged.model_dump_json().encode())
    assert refused(desk.guard(), verb).reason is Reason.OTHER_OPERATOR


@pytest.mark.parametrize("verb", WRITES)
def test_a_device_that_does_not_say_who_it_is_is_refused(desk: Desk, verb: Verb) -> None:
    unknown = MeterIdentity(None, "14P1234567")
    assert refused(desk.guard(), verb, unknown).reason is Reason.IDENTITY_UNKNOWN


@pytest.mark.parametrize("verb", WRITES)
def test_a_device_off_the_list_is_refused(desk: Desk, verb: Verb) -> None:
    stranger = MeterIdentity(Eui64.parse(OTHER))
    error = refused(desk.guard(), verb, stranger)
    assert error.reason is Reason.NOT_ALLOW_LISTED
    assert OTHER in error.what


@pytest.mark.parametrize("verb", WRITES)
def test_without_a_dry_run_nothing_is_written(desk: Desk, verb: Verb) -> None:
    dry_run_file(desk.path).unlink()
    assert refused(desk.guard(), verb).reason is Reason.NO_DRY_RUN


@pytest.mark.parametrize("verb", WRITES)
def test_a_report_made_after_the_arming_was_seen_by_nobody(desk: Desk, verb: Verb) -> None:
    desk.rehearse(without=Verb.WRITE if verb is not Verb.WRITE else Verb.CLOCK)
    assert refused(desk.guard(), verb).reason is Reason.NO_DRY_RUN
    desk.arm()
    desk.guard().permit(verb, TARGETS[verb], HERE)


@pytest.mark.parametrize("verb", WRITES)
def test_a_report_of_another_content_of_the_file_does_not_count(desk: Desk, verb: Verb) -> None:
    desk.path.write_text(desk.path.read_text() + "# a remark\n")
    desk.arm()
    assert refused(desk.guard(), verb).reason is Reason.NO_DRY_RUN


@pytest.mark.parametrize("verb", WRITES)
def test_a_report_that_cannot_be_read_does_not_count(desk: Desk, verb: Verb) -> None:
    for content in (b"", b"{", b"[]", b'{"format": 2}', b"\xff"):
        dry_run_file(desk.path).write_bytes(content)
        desk.arm()
        assert refused(desk.guard(), verb).reason is Reason.NO_DRY_RUN


@pytest.mark.parametrize("verb", WRITES)
def test_a_scenario_that_was_not_rehearsed_writes_nothing(desk: Desk, verb: Verb) -> None:
    desk.scenario = "SER-010"
    error = refused(desk.guard(), verb)
    assert error.reason is Reason.NO_DRY_RUN
    assert "SER-010" in error.what


@pytest.mark.parametrize("verb", WRITES)
def test_a_write_that_was_not_rehearsed_is_refused(desk: Desk, verb: Verb) -> None:
    known = TARGETS[verb]
    for other in (
        Descriptor(known.class_id, known.obis, known.index + 1),
        Descriptor(known.class_id, bytes(6), known.index),
        Descriptor(known.class_id + 1, known.obis, known.index),
    ):
        assert refused(desk.guard(), verb, target=other).reason is Reason.NOT_IN_DRY_RUN
    desk.rehearse(without=verb)
    desk.arm()
    assert refused(desk.guard(), verb).reason is Reason.NOT_IN_DRY_RUN


@pytest.mark.parametrize("verb", WRITES)
def test_a_write_without_target_must_have_been_rehearsed_as_one(desk: Desk, verb: Verb) -> None:
    with pytest.raises(ArmingRefusedError) as caught:
        desk.guard().permit(verb, None, HERE)
    assert caught.value.reason is Reason.NOT_IN_DRY_RUN
    assert Write(verb=verb, role="ESME", service="power").covers(verb, None)


@pytest.mark.parametrize("verb", WRITES)
def test_a_known_target_under_a_milder_verb_is_not_the_same_write(desk: Desk, verb: Verb) -> None:
    other: Verb = WRITES[[*WRITES].index(verb) - 1]
    error = refused(desk.guard(), verb, target=TARGETS[other])
    assert error.reason is Reason.NOT_IN_DRY_RUN


@pytest.mark.parametrize("verb", sorted(CONFIRMED))
def test_a_grave_verb_nobody_confirmed_is_refused(desk: Desk, verb: Verb) -> None:
    desk.arm(confirmed=CONFIRMED - {verb})
    assert refused(desk.guard(), verb).reason is Reason.NOT_CONFIRMED


@pytest.mark.parametrize("verb", PLAIN)
def test_a_mild_verb_needs_no_confirmation(desk: Desk, verb: Verb) -> None:
    desk.arm(confirmed=set())
    desk.guard().permit(verb, TARGETS[verb], HERE)


# -- typed at the run -----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", sorted(CONFIRMED))
def test_a_grave_verb_is_confirmed_by_typing_it_once_a_run(desk: Desk, verb: Verb) -> None:
    desk.arm(confirmed=set())
    desk.answer(f" {verb}\n")
    guard = desk.guard()
    guard.permit(verb, TARGETS[verb], HERE)
    guard.permit(verb, TARGETS[verb], HERE)
    assert len(desk.questions) == 1
    assert METER in desk.questions[0]
    assert SCENARIO in desk.questions[0]
    other = next(one for one in CONFIRMED if one is not verb)
    assert refused(guard, other).reason is Reason.NOT_CONFIRMED  # one word for one verb


@pytest.mark.parametrize("typed", ["", "yes", "supply", "SUPPLY FIRMWARE", "y"])
def test_another_word_confirms_nothing(desk: Desk, typed: str) -> None:
    desk.arm(confirmed=set())
    desk.answer(typed)
    assert refused(desk.guard(), Verb.SUPPLY).reason is Reason.NOT_CONFIRMED


def test_nobody_is_asked_for_what_is_refused_anyway(desk: Desk) -> None:
    disarm(desk.path)
    desk.answer("SUPPLY")
    refused(desk.guard(), Verb.SUPPLY)
    assert desk.questions == []


# -- the state ------------------------------------------------------------------------------------


def test_disarming_stops_a_run_that_has_begun(desk: Desk) -> None:
    guard = desk.guard()
    guard.permit(Verb.WRITE, TARGETS[Verb.WRITE], HERE)
    assert disarm(desk.path)
    assert not disarm(desk.path)
    assert refused(guard, Verb.WRITE).reason is Reason.UNARMED


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"operator": 1}'])
def test_a_state_that_cannot_be_read_arms_nothing(desk: Desk, content: bytes) -> None:
    armed_file(desk.path).write_bytes(content)
    assert load_arming(desk.path) is None
    assert refused(desk.guard(), Verb.WRITE).reason is Reason.UNARMED


def test_a_state_lies_beside_the_file_and_only_its_owner_reads_it(desk: Desk) -> None:
    place = armed_file(desk.path)
    assert place == desk.path.with_name("bench.toml.armed.json")
    assert place.stat().st_mode & 0o777 == 0o600
    assert list(desk.path.parent.glob("*.new")) == []


def test_where_the_folder_is_read_only_the_state_lies_with_the_user(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda *_words: False)  # root may write everywhere
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = state_file(desk.path, ".armed.json")
    assert place.parent == tmp_path / "state" / "smetsbench"
    assert place != state_file(desk.path.with_name("other.toml"), ".armed.json")
    desk.rehearse()
    desk.arm()
    desk.guard().permit(Verb.WRITE, TARGETS[Verb.WRITE], HERE)


def test_only_the_operator_of_the_file_arms_it(desk: Desk) -> None:
    with pytest.raises(UsageError, match=r"A\. Fitter, not B\. Other"):
        arm(desk.loaded, operator="B. Other", for_s=60, now=NOW)


def test_an_expired_bench_cannot_be_armed_and_no_arming_outlasts_it(desk: Desk) -> None:
    end = from_datetime(datetime(2026, 12, 1, tzinfo=UTC))
    desk.now = UtcMs(end - 60_000)
    assert desk.arm().until == end
    desk.now = end
    with pytest.raises(UsageError, match="expired on 2026-11-30"):
        desk.arm()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), (" 8h ", MAX_ARMED_S)]
)
def test_a_duration_reads_as_people_write_it(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "0m", "-5m", "9h", "1d", "m", "1.5h", "28801s", "٣m"])
def test_a_duration_that_is_none_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be armed for"):
        duration_s(text)


def test_a_report_comes_back_as_it_was_written(desk: Desk) -> None:
    found = load_report(dry_run_file(desk.path))
    assert found is not None
    report, _digest = found
    rehearsal = report.of(SCENARIO)
    assert rehearsal is not None
    assert rehearsal.verbs == tuple(WRITES)
    assert DryRunReport.model_validate_json(report.encode()) == report
