import json
import re
import sqlite3
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html

from harness.errors import UsageError
from harness.report import html as page
from harness.report import json_, junit
from harness.report.evidence import gaps
from harness.report.files import write_reports
from harness.report.folding import fold
from harness.report.model import RunRecord, build
from harness.report.naming import Directory
from harness.report.pcapng import read
from harness.report.privacy import Veil
from harness.report.sequence import draw, lanes_of, size, span
from harness.report.trace import TraceItem
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import start
from harness.scenario import Run, step
from harness.setting import Setting
from harness.verdict import Verdict
from tests.harness import showcase, tiny_scenarios
from tests.harness.playing import SETTING, killed_at, play, play_one
from tests.harness.schema_check import problems
from tests.harness.showcase import ACTIVATE
from tests.harness.tiny_scenarios import scenario

SCHEMA: dict[str, Any] = json.loads(
    resources.files("harness").joinpath("schemas/run.schema.json").read_text("utf-8")
)
TIMES = "\N{MULTIPLICATION SIGN}"
SHOW = Setting(showcase.CATALOGUE, showcase.BENCHES)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the showcase: one scenario passes, one goes wrong in every way."""
    out = tmp_path_factory.mktemp("shown") / "run"
    start(["FM-*"], RunOptions(), out=out, setting=SHOW)
    return out


@pytest.fixture(scope="module")
def record(shown: Path) -> RunRecord:
    return build(RunFolder(shown))


@pytest.fixture(scope="module")
def document(shown: Path) -> html.HtmlElement:
    return html.fromstring((shown / "report.html").read_text("utf-8"))


def text_of(document: html.HtmlElement, path: str) -> list[str]:
    return [" ".join(node.text_content().split()) for node in select(document, path)]


def select(document: html.HtmlElement, path: str) -> list[html.HtmlElement]:
    """Elements by a plain CSS path: tags and classes, one below the other."""
    steps = []
    for part in path.split():
        tag, *classes = part.split(".")
        has = "".join(f"[contains(concat(' ', @class, ' '), ' {name} ')]" for name in classes)
        steps.append(f"//{tag or '*'}{has}")
    found: list[html.HtmlElement] = document.xpath("".join(steps))
    return found


# --- the page -----------------------------------------------------------------------------------


def test_the_page_fetches_nothing(shown: Path, document: html.HtmlElement) -> None:
    source = (shown / "report.html").read_text("utf-8")
    for node in document.iter():
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            value = node.get(name)
            assert value is None or value.startswith("#"), (node.tag, name, value)
    assert not document.xpath("//script | //link | //iframe | //img | //object | //base")
    assert "http://" not in source
    assert "https://" not in source
    assert "@import" not in source
    assert "url(" not in source


def test_the_page_is_complete(document: html.HtmlElement) -> None:
    headings = text_of(document, "h2") + text_of(document, "h3")
    for wanted in (
        "How to repeat",
        "Scenarios",
        "Steps",
        "Sequence",
        "Devices before and after",
        "Events in order",
        "What this run does not prove",
    ):
        assert wanted in headings
    assert text_of(document, "header h1") == ["! ERROR 2 scenarios"]
    assert text_of(document, "header .reason") == ["FM-02: the cable is out."]
    assert text_of(document, ".repeat pre") == ["smetsbench run FM-01 FM-02 --seed 1"]


def test_every_check_stands_in_the_table_with_its_clause_and_evidence(
    document: html.HtmlElement,
) -> None:
    rows = text_of(document, "tr.check")
    assert any(
        row.startswith("version 00020000 00010000 GBCS 11.5 source: GBCS 0.8.1 p140")
        and row.endswith("FAIL")
        for row in rows
    )
    assert any("stand-in" in row and row.startswith("reason held held") for row in rows)
    assert any(row.startswith("activation_time 0 … 600 s 1.0 s") for row in rows)


def test_frames_open_to_decoded_fields_and_octets(document: html.HtmlElement) -> None:
    opened = text_of(document, "details.seqrow.han .opened")
    tunnelled = next(text for text in opened if "CS06 command" in text)
    for wanted in (
        "IEEE 802.15.4",
        "Zigbee NWK",
        "Tunneling",
        "reassembled",
        "Came in 3 fragments",
    ):
        assert wanted in tunnelled
    assert "(ESME)" in tunnelled
    dumps = text_of(document, "details.seqrow.wan pre.dump")
    assert any(ACTIVATE[:16].hex(" ") in dump for dump in dumps)


def test_like_frames_are_folded_and_the_rest_is_named(document: html.HtmlElement) -> None:
    arrows = text_of(document, "svg.row text")
    assert any(
        re.fullmatch(rf"ImageBlock {TIMES}140 · [\d.]+ KiB · [\d.]+ s", text) for text in arrows
    )
    assert any(text.startswith(f"image chunk {TIMES}24 · ") for text in arrows)
    assert "277 more frames like these are not shown here; wire.pcapng has them all." in text_of(
        document, ".opened p.quiet"
    )


def test_rows_can_be_reached_and_opened_by_keyboard(document: html.HtmlElement) -> None:
    for details in select(document, "details"):
        assert details[0].tag == "summary"
    assert select(document, "a.skip")[0].get("href") == "#scenarios"
    assert all(node.get("tabindex") == "0" for node in select(document, "pre"))


def test_the_page_is_well_formed(document: html.HtmlElement) -> None:
    ids = [node.get("id") for node in document.xpath("//*[@id]")]
    assert len(ids) == len(set(ids))
    targets = {node.get("href")[1:] for node in document.xpath("//a[@href]")}
    assert targets <= set(ids)
    assert not document.xpath("//p//p | //p//table | //p//div")


def test_both_colour_schemes_are_styled(shown: Path) -> None:
    source = (shown / "report.html").read_text("utf-8")
    assert "prefers-color-scheme: dark" in source
    assert '<meta name="color-scheme" content="light dark">' in source


def test_text_of_devices_and_scenarios_is_never_taken_for_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "<script>alert(1)</script>"

    @step(evil, "GBCS 11.2")
    async def act(run: Run) -> None:
        """One <b>check</b>."""
        run.message("<i>party</i>", "CHF", "text", evil.encode(), evil)
        run.check(evil, evil, evil)
        run.outcome("ACTIVATED")

    play_one(scenario(act, title=evil), tmp_path, monkeypatch)
    source = (tmp_path / "report.html").read_text("utf-8")
    assert "<script" not in source
    assert "<i>party" not in source
    assert "&lt;script&gt;" in source


def test_a_page_that_would_be_too_long_leaves_detail_out_and_says_so(
    record: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page.render(record)
    assert "Left out" not in whole
    for limit, words in (
        (len(whole.encode()) - 1, "decoded fields and octets of HAN frames"),
        (1000, "the sequence diagrams and most events"),
    ):
        monkeypatch.setattr(page, "LIMIT_BYTES", limit)
        shorter = page.render(record)
        assert words in shorter
        assert len(shorter) < len(whole)


def test_a_thousand_wakes_stay_far_below_the_limit(record: RunRecord) -> None:
    wake = [item for item in record.scenarios[0].trace if item.link == "han"][:40]
    many = tuple(
        replace(item, at_us=item.at_us + wave * 1_800_000_000)
        for wave in range(1000)
        for item in wake
    )
    long = replace(record, scenarios=(replace(record.scenarios[0], trace=many),))
    assert len(page.render(long).encode()) < 2 * 1024 * 1024


def test_the_sequence_keeps_parties_left_and_devices_right(record: RunRecord) -> None:
    lanes = lanes_of(record.scenarios[0].trace)
    assert lanes == ("supplier", "DSP", "CSP", "CHF", "ESME", "radio")


def test_a_message_that_crossed_the_wan_is_drawn_once_there(record: RunRecord) -> None:
    same = [item for item in record.scenarios[0].trace if item.octets == ACTIVATE]
    assert [(item.link, item.sender, item.receiver) for item in same] == [
        ("party", "DSP", "supplier"),
        ("party", "supplier", "DSP"),
        ("wan-in", "DSP", "CHF"),
    ]


def test_a_damaged_frame_is_drawn_as_damaged(record: RunRecord) -> None:
    damaged = [item for item in record.scenarios[0].trace if item.damaged]
    assert [(item.label, item.comment) for item in damaged] == [
        ("damaged frame: frame check sequence wrong", "corrupted on purpose")
    ]


# --- folding ------------------------------------------------------------------------------------


def item(label: str, family: str = "", *, ends: str = "AB", size_bytes: int = 10) -> TraceItem:
    return TraceItem(
        0, "han", 1, ends[0], ends[1], label, family, (), bytes(size_bytes), damaged=False
    )


def shape(items: list[TraceItem]) -> list[tuple[str, int, int]]:
    rows = fold(items)
    assert sum(len(row.items) + len(row.acks) for row in rows) == len(items)
    return [(row.family or row.first.label, len(row.items), row.repeats) for row in rows]


def test_two_frames_of_a_family_stand_alone_and_three_fold() -> None:
    block = item("block", "blocks")
    assert shape([block] * 2) == [("blocks", 1, 1), ("blocks", 1, 1)]
    assert shape([block] * 3) == [("blocks", 3, 1)]
    assert shape([block, item("x", "blocks", ends="BA"), block]) == [("blocks", 3, 1)]


def test_acknowledgements_go_with_the_frame_they_acknowledge() -> None:
    acks = [item("APS ack", "ack", ends="BA")]
    rows = fold([item("query"), *acks, item("answer", ends="BA")])
    assert [(row.first.label, len(row.acks)) for row in rows] == [("query", 1), ("answer", 0)]
    assert rows[0].octets == 20


def test_a_family_ends_where_another_frame_comes_between() -> None:
    block = item("block", "blocks")
    assert shape([*[block] * 4, item("end"), *[block] * 4]) == [
        ("blocks", 4, 1),
        ("end", 1, 1),
        ("blocks", 4, 1),
    ]


def test_frames_of_other_devices_do_not_break_a_family() -> None:
    block, other = item("block", "blocks"), item("report", ends="AC")
    assert shape([block, block, other, block, block]) == [("blocks", 4, 1), ("report", 1, 1)]


def test_rounds_of_different_frames_fold() -> None:
    wake = [item("get"), item("nothing", ends="BA"), item("report")]
    assert shape(wake * 5) == [("get", 15, 5)]
    assert shape(wake * 2) == [(x.label, 1, 1) for x in wake * 2]


def test_numbers_are_written_as_a_reader_writes_them() -> None:
    assert [size(n) for n in (0, 1023, 1024, 6349, 3 << 20)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "6.2 KiB",
        "3.0 MiB",
    ]
    assert [span(n) for n in (0, 1_500_000, 61_000_000, 7_200_000_000, 180_000_000_000)] == [
        "0 s",
        "1.5 s",
        "1 min 1 s",
        "2 h",
        "2 d 2 h",
    ]
    assert page.clock(1_500_000, 1000) == "+00:00:00.500"
    assert page.clock((86_400 + 3_661) * 1_000_000, 0) == "+1 d 01:01:01.000"


def test_an_empty_trace_draws_nothing() -> None:
    assert draw([]).lanes == ()


# --- JSON, JUnit, events ------------------------------------------------------------------------


def test_run_json_follows_the_published_schema(shown: Path, tmp_path: Path) -> None:
    assert problems(json.loads((shown / "run.json").read_text("utf-8")), SCHEMA, SCHEMA) == []
    out = tmp_path / "killed"
    assert killed_at(9, ["TINY-*"], out)
    interrupted = json_.document(build(RunFolder(out)))
    assert interrupted["state"] == "interrupted"
    assert problems(interrupted, SCHEMA, SCHEMA) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"verdict": "GOOD"}, "$: 'GOOD' is none of"),
        ({"seed": "1"}, "$.seed: '1' is no integer"),
        ({"more": 1}, "$: more has no place here"),
        ({"scenarios": [{}]}, "$.scenarios[0]: id is missing"),
    ],
)
def test_the_schema_refuses_what_is_wrong(
    shown: Path, change: dict[str, Any], problem: str
) -> None:
    run = json.loads((shown / "run.json").read_text("utf-8")) | change
    found = problems(run, SCHEMA, SCHEMA)
    assert any(text.replace("$.verdict", "$").startswith(problem) for text in found), found


def test_the_json_says_what_the_command_contract_asks_for(shown: Path) -> None:
    run = json.loads((shown / "run.json").read_text("utf-8"))
    assert {"run", "verdict", "scenarios", "files"} <= set(run)
    first, second = run["scenarios"]
    assert (first["id"], first["verdict"], first["outcome"]) == ("FM-01", "PASS", "ACTIVATED")
    assert first["expectation"]["kind"] == "exact"
    assert [entry["verdict"] for entry in first["steps"]] == ["PASS", "PASS", "SKIPPED"]
    assert [entry["verdict"] for entry in second["steps"]] == ["FAIL", "SKIPPED", "ERROR"]
    assert second["error"]["what"] == "the cable is out"


def test_events_are_lines_of_json_in_order(shown: Path, record: RunRecord) -> None:
    lines = [json.loads(line) for line in (shown / "events.jsonl").read_text("utf-8").splitlines()]
    assert [(line["scenario"], line["word"]) for line in lines] == [
        ("FM-01", "held"),
        ("FM-01", "tunnel_sent"),
        ("FM-01", "activated"),
        ("FM-01", "outcome: ACTIVATED"),
    ]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert len(lines) == sum(len(item.events) for item in record.scenarios)


def test_junit_has_a_suite_a_scenario_and_a_case_a_step(shown: Path) -> None:
    root = etree.fromstring((shown / "junit.xml").read_bytes())
    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "1",
        "errors": "1",
        "skipped": "3",
    }
    first, second = root.findall("testsuite")
    rows = first.iterfind("properties/property")
    properties = [(node.get("name"), node.get("value")) for node in rows]
    assert ("seed", "1") in properties
    assert ("clause", "GBCS 11.5") in properties
    assert ("evidence", "CSP transfer = stand-in") in properties
    failure = second.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "version: expected 00020000, found 00010000"
    for case in root.iter("testcase"):
        assert case.get("classname") in {"FM-01", "FM-02"}
        assert float(case.get("time") or "0") >= 0
        assert {child.tag for child in case} <= {"properties", "failure", "error", "skipped"}


def test_junit_takes_an_inconclusive_outcome_for_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @step("A step", "GBCS 11.2")
    async def act(run: Run) -> None:
        """Control characters do not break the file."""
        run.check("bell", "\x07", "\x07")

    play_one(scenario(act), tmp_path, monkeypatch)
    root = etree.fromstring(junit.render(build(RunFolder(tmp_path))))
    (failure,) = root.iter("failure")
    assert (failure.get("type"), failure.get("message")) == (
        "INCONCLUSIVE",
        "no step stated an outcome",
    )


# --- what is not proven -------------------------------------------------------------------------


def test_all_that_the_run_leaves_open_is_named(record: RunRecord) -> None:
    found = [(gap.kind, gap.scenarios) for gap in gaps(record)]
    assert found == [
        ("emulated", ("FM-01", "FM-02")),
        ("stand-in", ("FM-01", "FM-02")),
        ("stand-in", ("FM-01",)),
        ("inferred", ("FM-01", "FM-02")),
        ("undecided", ("FM-01",)),
        ("skipped", ("FM-01",)),
        ("skipped", ("FM-02",)),
    ]


def test_faults_defects_and_accepted_rules_are_named_too(tmp_path: Path) -> None:
    run = play(
        ["TINY-02"],
        tmp_path,
        faults=("drop@han",),
        defects=("deaf",),
        accepted=frozenset({"TINY-02"}),
    )
    texts = [gap.text for gap in gaps(run)]
    assert "Fault put in on purpose: drop@han." in texts
    assert "Defect built in on purpose: deaf." in texts
    assert any("lets the rule TINY-02 carry a FAIL" in text for text in texts)
    assert page.repeat(run) == (
        "smetsbench run TINY-02 --seed 1 --fault drop@han --defect deaf --accept TINY-02"
    )


# --- rendering again ----------------------------------------------------------------------------


def test_reports_rendered_again_are_the_same_octets(shown: Path) -> None:
    names = ("report.html", "run.json", "junit.xml", "events.jsonl")
    before = {name: (shown / name).read_bytes() for name in names}
    write_reports(RunFolder(shown))
    assert {name: (shown / name).read_bytes() for name in names} == before
    assert not list(shown.glob("*.part"))


def test_a_lost_or_damaged_capture_is_named_and_the_rest_is_rendered(tmp_path: Path) -> None:
    play(["TINY-01"], tmp_path)
    capture = tmp_path / "wire.pcapng"
    capture.write_bytes(capture.read_bytes()[:-5])
    assert any("frames are missing" in note for note in write_reports(RunFolder(tmp_path)).notes)
    capture.unlink()
    run = write_reports(RunFolder(tmp_path))
    assert run.notes == ("wire.pcapng is gone: frames are missing from the diagrams",)
    assert "wire.pcapng is gone" in (tmp_path / "report.html").read_text("utf-8")
    assert [gap.text for gap in gaps(run) if gap.kind == "missing"] == list(run.notes)


def test_an_interrupted_run_is_reported_as_such(tmp_path: Path) -> None:
    assert killed_at(9, ["TINY-*"], tmp_path)
    run = write_reports(RunFolder(tmp_path))
    assert (run.state, run.verdict) == ("interrupted", None)
    assert run.scenarios[0].verdict is None
    source = (tmp_path / "report.html").read_text("utf-8")
    assert "The run was interrupted" in source
    assert "TINY-03 has no verdict" in source
    with pytest.raises(UsageError, match="holds no run"):
        write_reports(RunFolder(tmp_path / "no"))


def test_scenarios_that_passed_before_an_interruption_do_not_make_the_run_pass(
    tmp_path: Path,
) -> None:
    assert killed_at(33, ["TINY-*"], tmp_path)
    run = write_reports(RunFolder(tmp_path))
    assert run.scenarios[0].verdict is Verdict.PASS
    assert (run.state, run.verdict) == ("interrupted", None)


def test_the_capture_holds_what_the_journal_says(shown: Path) -> None:
    with sqlite3.connect(shown / "journal.sqlite") as db:
        offset, frames = db.execute(
            "SELECT MAX(capture_offset), MAX(capture_frames) FROM operations"
        ).fetchone()
    db.close()
    assert (shown / "wire.pcapng").stat().st_size == offset
    assert len(list(read(shown / "wire.pcapng"))) == frames


# --- privacy ------------------------------------------------------------------------------------

EUI = "00-DB-12-34-56-78-90-A1"


def on_user_data(tmp_path: Path, **options: Any) -> dict[str, str]:
    installation = tmp_path / "mine.toml"
    installation.write_text(f'[[device]]\neui64 = "{EUI}"\nmpxn = "1234567890123"\n')
    out = tmp_path / "run"
    start(["FM-01"], RunOptions(installation=installation, **options), out=out, setting=SHOW)
    names = ("report.html", "run.json", "junit.xml", "events.jsonl")
    return {name: (out / name).read_text("utf-8") for name in names}


def forms(octets: bytes) -> set[str]:
    return {
        form
        for order in (octets, octets[::-1])
        for form in (order.hex(), order.hex("-").upper(), order.hex(" "))
    }


def test_identifiers_of_user_data_are_in_no_report(tmp_path: Path) -> None:
    for name, text in on_user_data(tmp_path).items():
        for form in forms(bytes.fromhex(EUI.replace("-", ""))):
            assert form not in text, (name, form)


def test_identifiers_are_shown_when_asked_for(tmp_path: Path) -> None:
    reports = on_user_data(tmp_path, with_identifiers=True)
    assert EUI in reports["report.html"]
    assert "replaced by pseudonyms" not in reports["report.html"]
    assert json.loads(reports["run.json"])["remarks"] == []


def test_pseudonyms_are_told_of_and_are_nothing_that_the_run_leaves_open(tmp_path: Path) -> None:
    reports = on_user_data(tmp_path)
    document = json.loads(reports["run.json"])
    assert problems(document, SCHEMA, SCHEMA) == []
    assert [text for text in document["remarks"] if "replaced by pseudonyms" in text]
    assert "missing" not in {gap["kind"] for gap in document["not_proven"]}
    before, _, after = reports["report.html"].partition('<section id="not-proven">')
    assert "replaced by pseudonyms" in before
    assert "replaced by pseudonyms" not in after


def test_our_own_devices_keep_their_identifiers(shown: Path) -> None:
    assert EUI in (shown / "report.html").read_text("utf-8")


def test_a_pseudonym_is_stable_and_agrees_between_text_and_octets() -> None:
    veil = Veil()
    veil.learn_text(f'eui64 = "{EUI}", mpxn = "1234567890123"')
    octets = bytes.fromhex(EUI.replace("-", ""))
    pseudonym = "EE-EE-EE-EE-EE-EE-EE-01"
    assert veil.text(f"to {EUI}") == f"to {pseudonym}"
    assert veil.text(octets.hex()) == pseudonym.replace("-", "").lower()
    assert veil.text("aa-bb-cc-dd-ee-ff-00-11") == "EE-EE-EE-EE-EE-EE-EE-02"
    assert veil.octets(b"\x01" + octets + octets[::-1]).hex("-").upper() == (
        f"01-{pseudonym}-{'-'.join(reversed(pseudonym.split('-')))}"
    )
    assert veil.octets(f"<ID>{EUI}</ID>1234567890123".encode()) == (
        f"<ID>{pseudonym}</ID>0000000000001".encode()
    )
    assert veil.text("1234567890123 and 12345678901234") == "0000000000001 and 12345678901234"
    assert veil.over({"a": [octets, (EUI, 7, None)]}) == {
        "a": [bytes.fromhex("ee" * 7 + "01"), (pseudonym, 7, None)]
    }


def test_the_tiny_catalogue_is_what_the_setting_plays() -> None:
    assert SETTING.table() == tiny_scenarios.CATALOGUE


def test_a_verdict_never_rests_on_colour_alone(document: html.HtmlElement) -> None:
    for badge in select(document, ".verdict"):
        words = badge.text_content().split()
        assert words[-1] in Verdict.__members__


def test_nodes_are_named_by_device_rows_or_by_what_crossed_in_their_tunnels() -> None:
    rows = {"GSME 02-53": {"short address": "0x4A84"}, "ESME 02-54": {"supply": "on"}}
    directory = Directory.of({"0253010000000001": "ESME"}, rows, ["supplier", "dsp", "acb"])
    assert directory.short(0x4A84) == "GSME"
    assert directory.short(0) == "CHF"
    assert directory.short(0xFFFD) == "all nodes"
    assert directory.short(0x1234) == "node 0x1234"
    assert directory.with_name("02-53-01-00-00-00-00-01") == "02-53-01-00-00-00-00-01 (ESME)"
    assert directory.wan == ("ACB", "DSP")
    assert [directory.party(name) for name in ("hub", "dsp", "supplier")] == [
        "CHF",
        "DSP",
        "supplier",
    ]
