"""The four reports of a run: complete, valid, the same for the same run, offline."""

import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, cast

import pytest
from lxml import etree, html

from harness.dust import reports
from harness.dust.events import DustEvent, Level, Phase
from harness.dust.pseudonyms import Shown
from harness.dust.record import DustRecord, RunState
from harness.dust.report_model import build
from harness.migration.states import State
from harness.report.html import LIMIT_BYTES
from tests.harness.dust import dust_sample
from tests.harness.schema_check import problems

RECORD = replace(
    dust_sample.record(),
    files=(dust_sample.kept("files/in/0001-MA.csv"), dust_sample.kept("files/out/x|y.xml")),
)
EVENTS = tuple(dust_sample.events(RECORD))
MADE = reports.rendered(RECORD, EVENTS, Shown.MADE_UP)
PAGE = MADE["report.html"].decode()
SCHEMA: dict[str, Any] = json.loads(
    resources.files("harness").joinpath("schemas/dust-report.schema.json").read_text("utf-8")
)


def found(tree: html.HtmlElement, path: str) -> list[Any]:
    return cast(list[Any], tree.xpath(path))


def text_of(part: str) -> str:
    shown = found(html.fromstring(PAGE), f"//*[@id='{part}']")[0]
    return " ".join(shown.text_content().split())


def test_the_same_run_gives_the_same_octets() -> None:
    assert reports.rendered(RECORD, EVENTS, Shown.MADE_UP) == MADE


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    tree = html.fromstring(PAGE)
    assert not found(tree, "//script|//iframe|//object|//embed|//img|//link[@rel='stylesheet']")
    assert not [
        value
        for value in found(tree, "//@href|//@src|//@action")
        if not value.startswith(("#", "data:"))
    ]
    assert not re.search(r"url\(|@import|https?://", PAGE.replace("http-equiv", ""))
    policy = found(tree, "//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "default-src 'none'" in policy
    assert not found(tree, "//@onclick|//@onload")


def test_the_page_can_be_walked_with_keys_alone() -> None:
    tree = html.fromstring(PAGE)
    assert found(tree, "//a[@class='skip']")
    assert all(one.get("aria-label") for one in found(tree, "//*[@tabindex='0']"))
    targets = {one.get("id") for one in found(tree, "//*[@id]")}
    assert {href[1:] for href in found(tree, "//a/@href")} <= targets
    ids = found(tree, "//@id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("exit", "mandatory_cases every mandatory case passed or is waived C-003 failed stand-in"),
        ("cases", "C-002 INCONCLUSIVE waived A. Tester, 2023-03-01 stranded H4"),
        ("cases", "MA110 in line 5 source: DCC-mehrs22 files/in/0001-MA.csv event 12"),
        ("defects", "D-001 2 participant home-0005 V2 MA110 events 12"),
        ("coverage", "TMAD 5.9 EA · dual-fuel 26 installations not covered hub-only"),
        ("capacity", "23 Jan Example Supplier dormant 19"),
        ("timeline", "planning validation commissioning 12 warnings and errors"),
        ("grid", "38 home-0001 Migrated Stranded NoCHFComms X-H4-7D RolledBack"),
        ("chosen", "home-0005 defect D-001 MCC SMSO V2"),
        ("files", "files/in/0001-MA.csv Example Supplier → DCC accepted valid"),
        ("made-up", "3 things migration schema Accepted by the test manager 5.9.10"),
        ("not-proven", "emulated waived skipped mute@wan No installation of shape hub-only"),
        ("not-proven", "Nothing is shown of cohorts DA"),
    ],
)
def test_a_part_of_the_page_says(part: str, words: str) -> None:
    shown = text_of(part)
    assert [word for word in words.split() if word not in shown] == []


def test_the_head_says_who_what_and_as_of_when() -> None:
    head = found(html.fromstring(PAGE), "//header")[0].text_content()
    for words in ("FAIL", "SEC-2022-A", "2023-01-31", "last open day of Table 17.6", "drop"):
        assert words in head
    assert "Migration DUST style" in head
    assert "made up" in head


def test_markup_in_values_is_text() -> None:
    odd = replace(RECORD, reason="<script>alert(1)</script> & |pipe|")
    made = reports.rendered(odd, EVENTS, Shown.MADE_UP)
    assert b"<script>" not in made["report.html"]
    assert b"<script>" not in made["report.md"]
    assert etree.fromstring(made["junit.xml"]) is not None


def test_json_is_valid_against_its_schema() -> None:
    assert problems(json.loads(MADE["report.json"]), SCHEMA, SCHEMA) == []


def test_an_unfinished_run_is_valid_too() -> None:
    open_run = replace(
        RECORD, state=RunState.RUNNING, verdict=None, cases=(), days=(), installations=(), files=()
    )
    made = reports.rendered(open_run, (), Shown.PLAIN)
    assert problems(json.loads(made["report.json"]), SCHEMA, SCHEMA) == []
    assert b"The run is running" in made["report.html"]
    assert etree.fromstring(made["junit.xml"]).get("tests") == "4"


def test_junit_has_a_test_case_a_case_and_skips_what_is_waived() -> None:
    root = etree.fromstring(MADE["junit.xml"])
    suite = root.find("testsuite")
    assert suite is not None
    told = {one.get("name", "").split()[0]: one for one in suite.iter("testcase")}
    assert [[child.tag for child in one if child.tag != "properties"] for one in told.values()] == [
        [],
        ["skipped"],
        ["failure"],
        ["skipped"],
    ]
    waived = told["C-002"].find("skipped")
    assert waived is not None
    assert "waived by A. Tester, 2023-03-01" in str(waived.get("message"))
    failure = told["C-003"].find("failure")
    assert failure is not None
    assert "expected accepted, found MA110 in line 5" in str(failure.text)
    rows = {(one.get("name"), one.get("value")) for one in suite.iter("property")}
    assert {("seed", "7"), ("cohort", "EA"), ("first_failing_step", "V2")} <= rows
    assert ("clause", "MEHRS Appendix A = source:DCC-mehrs22") in rows
    counts = [root.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["8", "2", "0", "2"]


def test_every_table_of_the_markdown_has_rows_of_one_length() -> None:
    rows = [line for line in MADE["report.md"].decode().splitlines() if line.startswith("|")]
    tables: list[int] = []
    for line in rows:
        cells = len(re.findall(r"(?<!\\)\|", line))
        tables += [cells] if line.startswith("| ") and not tables else []
        if set(line) <= set("| -"):
            tables[-1] = cells
            continue
        tables[-1] = cells if tables[-1] != cells and _begins(rows, line) else tables[-1]
        assert cells == tables[-1], line


def _begins(rows: list[str], line: str) -> bool:
    after = rows.index(line) + 1
    return after < len(rows) and set(rows[after]) <= set("| -")


def test_a_better_overlay_leaves_fewer_stand_ins() -> None:
    better = replace(RECORD, header=replace(RECORD.header, stand_ins={"metadata layouts": "S003"}))
    for name in ("report.html", "report.md", "report.json"):
        before, after = MADE[name], reports.rendered(better, EVENTS, Shown.MADE_UP)[name]
        assert b"migration schema" in before
        assert b"migration schema" not in after
        assert after.count(b"stand-in") < before.count(b"stand-in")


def test_sums_that_do_not_follow_are_told() -> None:
    home = dust_sample.home(0)
    home.state = State.VIABLE
    wrong = replace(RECORD, installations=(home, *RECORD.installations[1:]))
    made = reports.rendered(wrong, EVENTS, Shown.MADE_UP)
    assert b"stands in Viable, by its history in Migrated" in made["report.html"]
    assert b"stands in Viable" in made["report.md"]
    assert json.loads(made["report.json"])["unreconciled"]


def test_live_identifiers_are_replaced_in_every_report_unless_asked_for(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 50, prefix=b"\x00\xdb")
    spelt = [str(one.devices[1].eui64) for one in record.installations]
    seen = re.compile("|".join([*spelt, *(name.replace("-", "") for name in spelt)]), re.IGNORECASE)
    for asked in (False, True):
        reports.write(tmp_path, record, with_identifiers=asked)
        page = (tmp_path / "report.html").read_text("utf-8")
        assert bool(seen.search(page)) is asked
        told = json.loads((tmp_path / "report.json").read_text("utf-8"))
        assert told["identifiers"] == ("plain" if asked else "pseudonyms")
        assert asked or not any(
            seen.search((tmp_path / name).read_text("utf-8")) for name in reports.RENDERERS
        )
    assert not list(tmp_path.glob("*.part"))


def test_the_chosen_course_is_the_gravest_defects() -> None:
    assert build(RECORD, EVENTS, Shown.PLAIN).chosen.ref == "home-0005"
    calm = replace(RECORD, defects=(), cases=())
    chosen = build(calm, EVENTS, Shown.PLAIN).chosen
    assert chosen.ref == max(RECORD.installations, key=lambda one: len(one.history)).ref


def test_the_chosen_course_shows_files_of_its_turns_and_none_of_others() -> None:
    turn = next(one.turn for one in EVENTS if one.ref == "home-0005")
    last = EVENTS[-1]
    told = [
        replace(last, party="RP", receiver="MCC", file="files/x", kind=kind, turn=turn, text=text)
        for kind, text in (
            ("file", "MCF, 6 installations"),
            ("file", "notification, home-0006"),
            ("file", "notification: home-0005"),
            ("message", "T1"),
        )
    ]
    trace = build(RECORD, (*EVENTS, *told), Shown.PLAIN).chosen.trace
    shown = [one.label for one in trace if one.sender == "RP" and "V1" not in one.label]
    assert shown == ["MCF, 6 installations", "notification: home-0005"]


def _different(count: int) -> DustRecord:
    """Installations of which no two took the same course."""
    record = dust_sample.record(count)
    for number, one in enumerate(record.installations):
        line = one.history[number % 7]
        one.history[number % 7] = replace(line, code=f"X-{number}", result="failed", text="n" * 200)
    return record


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_two_thousand_installations_of_as_many_courses_fit_the_page() -> None:
    record = _different(2000)
    events = [
        DustEvent(number, one.history[0].at, Level.WARNING, Phase.TESTING, "x", "y" * 200)
        for number, one in enumerate(record.installations, 1)
    ]
    files = tuple(
        dust_sample.kept(f"files/in/{number:05d}-{'n' * 80}.xml") for number in range(20_000)
    )
    made = reports.rendered(replace(record, files=files), events, Shown.MADE_UP)
    assert len(made["report.html"]) <= LIMIT_BYTES
    assert b"Not on this page" in made["report.html"]
    assert len(json.loads(made["report.json"])["installations"]) == 2000
