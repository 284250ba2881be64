import json
from pathlib import Path
from typing import Any

import pytest

from emulator.codecs.dlms import apdu_get
from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.codecs.dlms.axdr import Data, Tag, structure
from harness.differences import ABSENT, Difference, difference, merged, pairs
from harness.differences_runs import Comparison, answered, compare_runs
from harness.dlms_view.readings import Reading
from harness.errors import UsageError
from harness.report.differences_page import headline, render
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import start
from harness.setting import Setting
from tests.harness.recorded import CLOCK, IMPORT, IMPORT_UNIT, SERIAL

UNIT = IMPORT_UNIT.descriptor


def told(*rows: tuple[str, str], target: Descriptor | None = UNIT, **more: Any) -> Reading:
    return Reading("something", rows, target, **more)


def test_the_same_is_no_difference() -> None:
    assert difference(told((".1", "0")), told((".1", "0"))) is None


def test_only_the_paths_that_differ_are_listed() -> None:
    found = difference(told((".1", "0"), (".2", "30")), told((".1", "3"), (".2", "30")))
    assert found is not None
    assert [(one.path, one.a, one.b) for one in found.details] == [(".1", "0", "3")]
    assert not found.volatile


def test_rows_that_one_side_has_alone_are_absent_on_the_other() -> None:
    found = difference(told(("[1]", "a"), ("[2]", "b")), told(("[1]", "a")))
    assert found is not None
    assert [(one.path, one.b) for one in found.details] == [("[2]", ABSENT)]


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (CLOCK.descriptor, "clock"),
        (Descriptor(1, bytes((0, 0, 43, 1, 0, 255)), 2), "invocation counter"),
        (Descriptor(1, bytes((0, 0, 43, 1, 0, 255)), 1), ""),
        (IMPORT.descriptor, ""),
        (SERIAL.descriptor, ""),
    ],
)
def test_volatile_attributes_are_known_by_what_they_are(target: Descriptor, why: str) -> None:
    found = difference(told(("", "1"), target=target), told(("", "2"), target=target))
    assert found is not None
    assert found.volatile == why


def test_a_challenge_alone_is_volatile_and_what_stands_beside_it_is_not() -> None:
    a = told(("result", "0 accepted"), ("challenge", "aa"), target=None)
    only = difference(a, told(("result", "0 accepted"), ("challenge", "bb"), target=None))
    assert only is not None
    assert only.volatile == "challenge"
    more = difference(a, told(("result", "1 rejected"), ("challenge", "bb"), target=None))
    assert more is not None
    assert not more.volatile
    assert [one.path for one in more.details] == ["result"]


def test_protected_content_under_the_same_counter_must_be_the_same() -> None:
    a = told(("invocation counter", "7"), ("content under counter 7", "aa"), target=None)
    b = told(("invocation counter", "7"), ("content under counter 7", "bb"), target=None)
    c = told(("invocation counter", "8"), ("content under counter 8", "bb"), target=None)
    same, moved = difference(a, b), difference(a, c)
    assert same is not None
    assert not same.volatile
    assert moved is not None
    assert moved.volatile == "invocation counter"


def test_an_attribute_that_differs_often_is_one_difference() -> None:
    one = difference(told((".1", "0")), told((".1", "3")), where="step 1")
    other = difference(told((".1", "0")), told((".1", "4")), where="step 2")
    assert one is not None
    assert other is not None
    found = merged([one, other, one])
    assert [(item.where, item.times) for item in found] == [("step 1", 3)]


def test_what_one_side_did_not_answer_stands_against_nothing() -> None:
    both = pairs([told((".1", "0")), told((".2", "0"))], [told((".1", "0"))])
    assert [len(other.rows) for _, other in both] == [1, 0]


def test_a_difference_names_object_attribute_and_values() -> None:
    found = difference(told((".1", "0")), told((".1", "3")))
    assert found is not None
    row = found.to_json()
    assert row["object"] == "Active import"
    assert (row["class_id"], row["obis"], row["attribute"]) == (3, "1-0:1.8.0.255", 3)
    assert (row["member"], row["a"], row["b"]) == ("scaler and unit", "1: 0", "1: 3")


# Journals.


def operation(kind: str, request: object, outcome: object) -> dict[str, Any]:
    return {
        "kind": kind,
        "request": json.dumps(request).encode(),
        "outcome": json.dumps(outcome),
    }


def get(result: Data) -> dict[str, Any]:
    target = IMPORT_UNIT.descriptor
    return operation(
        "meter.get",
        {"role": "ESME", "way": "line", "get": [[3, target.obis.hex(), 3]]},
        {"results": apdu_get.encode_results((result,)).hex()},
    )


def test_a_journalled_get_is_decoded_by_name() -> None:
    scaler = structure(Data(Tag.INT8, -1), Data(Tag.ENUM, 30))
    found = answered(get(scaler), "SER-001, step 1")
    assert found.subject == "Active import, scaler and unit (3 / 1-0:1.8.0.255 a3)"
    assert found.readings[0].rows == ((".1", "-1"), (".2", "30"))


@pytest.mark.parametrize(
    ("kind", "request_body", "outcome", "row"),
    [
        ("meter.get", {"get": [[3, "0100010800ff", 2]]}, {"unanswered": {"why": "no-answer"}},
         ("", "no answer: no-answer")),
        ("meter.get", {"get": [[3, "0100010800ff", 2]]}, {"timed_out": True},
         ("", "no answer: timed out")),
        ("meter.set", {"set": [[[8, "0000010000ff", 2], "00"]]}, {"results": [3]},
         ("result", "3 read write denied")),
        ("meter.action", {"action": [70, "0000600a03ff", 1, None]}, {"outcome": "0000"},
         ("result", "0 success")),
        ("meter.associate", {"name": "reader"}, {"accepted": False, "diagnostic": 13},
         ("accepted", "False")),
        ("meter.sign_on", {"read_out": False}, {"manufacturer": "SBC"}, ("manufacturer", "SBC")),
        ("meter.exchange", {"apdu": "c0"}, {"apdu": "d80203"}, ("octets", "d80203")),
        ("hub.received", "", {"message": None}, ("", "none")),
        ("hub.stage", "", {"delivered": True, "at": 5}, ("delivered", "True")),
    ],
)  # fmt: skip
def test_every_kind_of_operation_is_read(
    kind: str, request_body: object, outcome: object, row: tuple[str, str]
) -> None:
    assert row in answered(operation(kind, request_body, outcome), "").readings[0].rows


# Runs.


def run_of(path: Path, seed: int = 1) -> RunFolder:
    folder, _ = start(["FM-01"], RunOptions(seed=seed), out=path, setting=Setting())
    return folder


def test_two_runs_with_one_seed_tell_the_same_and_with_two_do_not(tmp_path: Path) -> None:
    a = run_of(tmp_path / "a")
    same = compare_runs(a, a)
    assert same.same
    assert same.compared > 0
    other = compare_runs(a, run_of(tmp_path / "c", seed=2))
    assert not other.same


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        compare_runs(RunFolder(tmp_path), RunFolder(tmp_path))


def test_the_page_shows_every_part_and_hides_no_markup() -> None:
    row = Difference("<b>x</b>", "1", "2", where="SER-001, step 1", times=2)
    found = Comparison("a", "b", (row,), (), ("only a: y",), (("SER-001", "PASS", "FAIL"),), 9)
    page = render(found)
    for words in ("&lt;b&gt;x&lt;/b&gt;", "(2 times)", "only a: y", "SER-001", "FAIL"):
        assert words in page
    assert headline(found) == (
        "1 difference, 1 answer of one device alone, 1 verdict differs in 9 answers"
    )
