import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.ids import Eui64
from harness.formats.migration_files.checks import shipped_book
from harness.formats.migration_files.counters import Ledger, series
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.words import FileType, ProcessingMode
from harness.rules.counters import COUNTER_CHECKS
from harness.rules.migration_rulebook import Judge
from harness.rules.outcomes import rejection
from tests.harness.formats.migration_files.migration_given import AT

RP = Eui64(bytes(8))
OTHER_RP = Eui64(bytes(7) + b"\1")


def header(kind: FileType, counter: int, *, group: str = "EA", party: Eui64 = RP) -> Header:
    mode = ProcessingMode.FULL if kind is FileType.MCF else None
    return Header(kind, group, party, counter, AT, "2026-W10", None, mode)


def common(counter: int) -> Header:
    return header(FileType.MCF, counter)


def refusal(ledger: Ledger, kind: FileType, counter: int, mcf: int | None) -> str:
    own = header(kind, counter)
    of = own if kind is FileType.MCF else None if mcf is None else common(mcf)
    return refused(ledger, own, of)


def refused(ledger: Ledger, own: Header, of: Header | None) -> str:
    outcome = rejection(JUDGE.run(COUNTER_CHECKS, ledger.facts(own, of)))
    return "" if outcome is None else f"{outcome.code} {outcome.sub_code}"


JUDGE = Judge(shipped_book(), date(2021, 6, 7))
ACCEPTED = Ledger().accepted(common(41))


@pytest.mark.parametrize(
    ("ledger", "counter", "code"),
    [
        (Ledger(), 0, "X-5.9.5 01"),
        (Ledger(), 1, ""),
        (Ledger(), 41, ""),
        (ACCEPTED, 40, "X-5.9.5 01"),
        (ACCEPTED, 41, "X-5.9.5 01"),
        (ACCEPTED, 42, ""),
        (ACCEPTED, 9_999_999_999, ""),
    ],
)
def test_5_9_5_the_counter_of_an_mcf_only_rises(ledger: Ledger, counter: int, code: str) -> None:
    assert refusal(ledger, FileType.MCF, counter, None) == code


@pytest.mark.parametrize("kind", [FileType.MVF, FileType.MGF])
@pytest.mark.parametrize(
    ("counter", "mcf", "code"),
    [(41, 41, ""), (40, 41, "X-5.9.6 01"), (42, 41, "X-5.9.6 01"), (41, None, "X-5.9.6 02")],
)
def test_5_9_6_validation_and_group_file_have_the_counter_of_the_mcf(
    kind: FileType, counter: int, mcf: int | None, code: str
) -> None:
    assert refusal(Ledger(), kind, counter, mcf) == code


@pytest.mark.parametrize(
    ("ledger", "counter", "mcf", "code"),
    [
        (Ledger(), 41, 41, ""),
        (Ledger(), 41, 42, "X-5.9.7 01"),
        (Ledger(), 41, None, "X-5.9.7 02"),
        (Ledger().complete(common(41)), 41, 41, "X-5.9.7 03"),
        (Ledger().complete(common(40)), 41, 41, ""),
    ],
)
def test_5_9_7_the_encrypted_file_has_it_too_and_is_used_once(
    ledger: Ledger, counter: int, mcf: int | None, code: str
) -> None:
    assert refusal(ledger, FileType.MEF, counter, mcf) == code


def test_parties_and_groups_count_for_themselves() -> None:
    full = ACCEPTED.complete(common(41))
    for other in (
        header(FileType.MCF, 41, group="EB"),
        header(FileType.MCF, 41, party=OTHER_RP),
    ):
        assert refused(full, other, other) == ""
        mef = replace(other, file_type=FileType.MEF, mode=None)
        assert refused(full, mef, other) == ""


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["EA", "EB"])), max_size=25))
def test_what_is_accepted_always_rises_in_its_series(counters: list[tuple[int, str]]) -> None:
    ledger = Ledger()
    taken: dict[str, list[int]] = {"EA": [], "EB": []}
    for counter, group in counters:
        mcf = header(FileType.MCF, counter, group=group)
        before = ledger
        highest = max(taken[group], default=-1)
        if counter <= highest:
            assert refused(ledger, mcf, mcf) == "X-5.9.5 01"
        else:
            assert refused(ledger, mcf, mcf) == ""
            ledger = ledger.accepted(mcf)
            taken[group].append(counter)
        assert before.accepted(mcf) is not before, "a ledger is a value"
    for numbers in taken.values():
        assert numbers == sorted(set(numbers))


def test_a_ledger_is_restored_from_what_it_dumps() -> None:
    ledger = ACCEPTED.complete(common(41)).accepted(header(FileType.MCF, 7, party=OTHER_RP))
    assert Ledger.load(json.dumps(ledger.dump()).encode()) == ledger
    assert series(common(1)) == (str(RP), "EA")


ROW = {"requesting_party": "0000000000000000", "group_id": "EA", "counter": 1}


def ledger_of(**changes: object) -> bytes:
    return json.dumps({"highest": [{**ROW, **changes}], "completed": []}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"highest": 1, "completed": []}',
        ledger_of(requesting_party="x"),
        ledger_of(counter="1"),
        ledger_of(counter=True),
        ledger_of(group_id=1),
        b"[" * 100_000,
    ],
)
def test_what_is_no_ledger_is_refused(content: bytes) -> None:
    assert Ledger.load(ledger_of()).state.highest == {(str(RP), "EA"): 1}
    with pytest.raises(ValueError, match=r".+"):
        Ledger.load(content)
