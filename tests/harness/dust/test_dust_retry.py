"""Retry strategy and disabled checks are data, and pure."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from device_profiles.errors import DataError
from device_profiles.files import SHIPPED
from harness.dust.disabled_checks import switches_on
from harness.dust.retry import TABLE, Strategy, decide, load_strategy
from harness.rules.error_codes import load_codes
from harness.rules.migration_rulebook import Switches, load_rule_book

DAY = date(2023, 1, 23)
CODES = load_codes()
DEFAULT = load_strategy("default", CODES, 5)
_CLASSES = sorted(CODES.classes)


def code_of(failure_class: str) -> tuple[str, str]:
    return next(key for key, row in CODES.codes.items() if row.failure_class == failure_class)


WAYS = {
    "file": (True, DAY, "new-file-set", "RP", False),
    "data": (True, date(2023, 1, 24), "correct-and-new-mcf", "participant", False),
    "comms": (True, date(2023, 1, 24), "5.8A", "MCC", True),
    "device": (True, date(2023, 1, 30), "after-smso-repair", "SMSO", True),
    "commissioning": (True, DAY, "send-again", "CP", False),
    "note": (False, None, "none", "none", False),
}


@pytest.mark.parametrize("failure_class", _CLASSES)
def test_each_class_has_its_own_way(failure_class: str) -> None:
    told = decide(DEFAULT, [code_of(failure_class)], DAY)
    assert told.failure_class == failure_class
    assert (told.retry, told.on, told.needs, told.decided_by, told.counts) == WAYS[failure_class]


def test_a_code_that_nobody_knows_is_left_to_the_mcc_and_counts() -> None:
    told = decide(DEFAULT, [("Y-77", "")], DAY)
    assert (told.retry, told.counts, told.failure_class) == (False, True, "unknown")


def test_five_counted_failures_exclude_and_four_do_not() -> None:
    comms = code_of("comms")
    four, five = decide(DEFAULT, [comms] * 4, DAY), decide(DEFAULT, [comms] * 5, DAY)
    assert (four.retry, four.excluded, four.attempts) == (True, False, 4)
    assert (five.retry, five.excluded, five.attempts) == (False, True, 5)


def test_file_errors_never_exclude() -> None:
    assert not decide(DEFAULT, [code_of("file")] * 50, DAY).excluded


def test_commissioning_counts_from_the_third_failure_on() -> None:
    code = code_of("commissioning")
    assert [decide(DEFAULT, [code] * n, DAY).counts for n in (1, 2, 3, 4)] == [0, 0, 1, 1]


def test_the_policy_never_tries_nothing_again() -> None:
    never = load_strategy("never", CODES, 5)
    assert not any(decide(never, [code_of(one)], DAY).retry for one in _CLASSES)


def test_there_is_nothing_to_decide_without_a_failure() -> None:
    with pytest.raises(ValueError, match="no failure"):
        decide(DEFAULT, [], DAY)


def overlay(folder: Path, change: tuple[str, str]) -> Path:
    (folder / "catalogues").mkdir()
    with (SHIPPED / "catalogues" / TABLE).open(encoding="utf-8", newline="") as file:
        rows = [row[:-1] for row in csv.reader(file)]  # an overlay's rows mark themselves
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    assert change[0] in out.getvalue()
    (folder / "catalogues" / TABLE).write_text(out.getvalue().replace(*change), "utf-8")
    return folder


def loaded(folder: Path, policy: str = "default") -> Strategy:
    return load_strategy(policy, CODES, 5, (folder,))


def test_an_overlay_changes_the_strategy(tmp_path: Path) -> None:
    row = "default,device,yes,7,SMSO,after-smso-repair,"
    told = decide(
        loaded(overlay(tmp_path, (row, row.replace(",7,", ",30,")))), [code_of("device")], DAY
    )
    assert told.on == date(2023, 2, 22)


@pytest.mark.parametrize(
    "change",
    [
        ("default,device", "default,devcie"),
        ("default,device", "default,comms"),
        ("default,", "mine,"),
        (",7,SMSO", ",seven,SMSO"),
        ("yes", "maybe"),
    ],
)
def test_a_table_that_leaves_something_open_is_refused(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    with pytest.raises(DataError):
        loaded(overlay(tmp_path, change))


@dataclass(frozen=True)
class Check:
    id: str
    from_day: date


BOOK = load_rule_book()
_OFF = Check("5.9.10", date(2021, 10, 12))


@pytest.mark.parametrize(("day", "off"), [("2021-10-11", False), ("2021-10-12", True)])
def test_a_named_check_is_off_from_its_day_on(day: str, off: bool) -> None:
    told = switches_on(date.fromisoformat(day), [_OFF], BOOK, Switches(forced=frozenset({"1.3"})))
    assert (("5.9.10" in told.disabled), told.forced) == (off, frozenset({"1.3"}))


def test_a_check_that_no_rule_is_called_is_refused_even_before_its_day() -> None:
    with pytest.raises(DataError):
        switches_on(date(2020, 1, 1), [Check("5.9.1O", DAY)], BOOK)
