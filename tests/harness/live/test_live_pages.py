"""What the pages answer, what they refuse, and how they follow a run that goes on."""

import json
from pathlib import Path

import pytest

from harness.live.stream import MOST_STREAMS
from tests.harness.live import live_sample
from tests.harness.live.pages_kit import Reader, served, stream_events

PAGES = ("/", "/runs/dust/", "/runs.json", "/static/live.css", "/runs/dust/grid.json", "/nothing")


# -- the guard -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_the_strict_headers(reader: Reader, path: str) -> None:
    _status, headers, _octets = reader.ask(path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_answered(reader: Reader, method: str) -> None:
    status, headers, _octets = reader.ask("/runs/dust/", method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_head_is_answered_without_a_body(reader: Reader) -> None:
    status, headers, octets = reader.ask("/runs/dust/", "HEAD")
    assert (status, octets) == (200, b"")
    assert int(headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8765", 200),
        ("localhost:8765", 200),
        ("LOCALHOST", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:80", 421),
        ("", 421),
    ],
)
def test_a_name_that_another_can_have_point_here_is_refused(
    reader: Reader, host: str, status: int
) -> None:
    assert reader.ask("/", headers={"Host": host})[0] == status


@pytest.mark.parametrize(
    "path",
    [
        "/runs/../../etc/passwd",
        "/runs/..%2f..%2fetc/",
        "/runs/%2e%2e/",
        "/runs/notes/",
        "/runs/dust/download/../../../etc/passwd",
        "/runs/dust/download/%2e%2e/%2e%2e/etc/passwd",
        "/runs/dust/download/..%2fprivate%2frun.json",
        "/runs/dust/download//etc/passwd",
        "/runs/dust/download/journal.sqlite",
        "/runs/dust/download/files",
        "/runs/dust/download/",
        "/runs/dust/download/%00",
        "/runs/dust/view.json?path=../private/run.json",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/",
    ],
)
def test_nothing_outside_of_what_is_handed_out_can_be_had(reader: Reader, path: str) -> None:
    status, text = reader.text(path)
    assert (status, "root:" in text, "SQLite" in text) == (404, False, False)


def test_a_record_that_names_files_elsewhere_gets_none_of_them(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "run"
    live_sample.write(run, 1)
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (run / "link.txt").symlink_to(tmp_path / "secret.txt")
    (run / "keys.json").write_text('{"private_scalar": "01"}', "utf-8")
    record = json.loads((run / "run.json").read_text("utf-8"))
    names = ("../../secret.txt", str(tmp_path / "secret.txt"), "link.txt", "journal.sqlite")
    record["files"] += [{"path": name} for name in (*names, "keys.json", "gone.txt")]
    (run / "run.json").write_text(json.dumps(record), "utf-8")
    with served(run.parent) as reader:
        for name in (*names, "keys.json"):
            view = reader.ask(f"/runs/run/view.json?path={name}")
            assert (view[0], b"secret" in view[2].replace(b"secret.txt", b"")) == (403, False)
        assert reader.ask("/runs/run/view.json?path=gone.txt")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/runs/dust/log.json?first=x",
        "/runs/dust/log.json?first=-1",
        "/runs/dust/log.json?first=99999999999999999999",
        f"/runs/dust/log.json?text={'x' * 300}",
    ],
)
def test_nonsense_in_a_query_is_refused(reader: Reader, path: str) -> None:
    assert reader.ask(path)[0] == 400


def test_an_endless_address_is_refused(reader: Reader) -> None:
    assert reader.ask(f"/runs/dust/log.json?text={'x' * 9000}")[0] == 414


# -- what they say ---------------------------------------------------------------------------------


def test_the_list_has_runs_of_every_kind_and_nothing_else(reader: Reader) -> None:
    told = reader.value("/runs.json")
    rows = {row["name"]: (row["kind"], row["verdict"], row["cohort"]) for row in told["rows"]}
    assert rows == {
        "dust": ("dust", "FAIL", "EA"),
        "private": ("dust", "FAIL", "EA"),
        "scenario": ("scenario", "PASS", ""),
        "migration": ("migration", "PASS", "EA"),
    }


def test_a_folder_that_is_itself_a_run_is_served_as_the_only_one(runs: Path) -> None:
    with served(runs / "dust") as reader:
        assert [row["name"] for row in reader.value("/runs.json")["rows"]] == ["dust"]
        assert reader.value("/runs/dust/grid.json")["summary"]["installations"] == 40


def test_the_grid_has_a_row_for_every_installation_with_its_steps(reader: Reader) -> None:
    told = reader.value("/runs/dust/grid.json")
    rows = {row[0]: row for row in told["rows"]}
    assert len(rows) == 40
    assert rows["dual-0001"][1:4] == ["Migrated", "good", ""]
    assert rows["dual-0011"][1:4] == ["Rejected", "bad", "MA110"]
    assert rows["dual-0011"][6][told["steps"].index("V2")] == "f"
    assert set(rows["dual-0001"][6]) == {"k"}
    states = {state: number for state, number, _tone in told["summary"]["states"]}
    assert states == {"Rejected": 3, "Stranded": 3, "Migrated": 34}


def test_a_migration_run_has_a_grid_and_a_scenario_run_has_none(reader: Reader) -> None:
    assert [row[:2] for row in reader.value("/runs/migration/grid.json")["rows"]] == [
        ["EA-1", "RolledBack"]
    ]
    assert reader.value("/runs/scenario/grid.json")["rows"] == []


def test_the_log_is_filtered_and_brought_by_parts(reader: Reader) -> None:
    loud = reader.value("/runs/dust/log.json", level="warning")
    assert (loud["total"], {row["level"] for row in loud["rows"]}) == (6, {"warning"})
    part = reader.value("/runs/dust/log.json", text="refused", party="MCC", first=1, limit=2)
    assert (part["total"], [row["ref"] for row in part["rows"]]) == (3, ["dual-0022", "dual-0033"])
    assert len(reader.value("/runs/dust/log.json", limit=5000)["rows"]) == 200
    line = reader.value("/runs/dust/line.json", number=part["rows"][0]["number"])
    assert json.loads(line["text"])["ref"] == "dual-0022"
    assert reader.ask("/runs/dust/line.json?number=99999999")[0] == 404


def test_an_installation_has_devices_lanes_and_files(reader: Reader) -> None:
    home = reader.value("/runs/dust/home.json", ref="dual-0001")
    assert [one["device_type"] for one in home["record"]["devices"]] == ["CHF", "ESME", "GSME"]
    assert {one["owner"] for one in home["record"]["devices"]} == {"S1SP"}
    assert "history" not in home["record"]
    assert home["lanes"][:3] == ["MCC", "S1SP", "CP"]
    assert [one["path"] for one in home["files"]] == ["files/in/0001-MA.csv"]
    assert reader.ask("/runs/dust/home.json?ref=nobody")[0] == 404


def test_lines_that_name_a_home_or_its_device_alone_are_in_its_diagram_in_order_of_time(
    tmp_path: Path,
) -> None:
    live_sample.write(tmp_path / "run", 2, prefix=live_sample.LIVE)
    path = tmp_path / "run" / "events.jsonl"
    number = path.read_bytes().count(b"\n")
    way = {"level": "debug", "phase": "testing", "kind": "message", "party": "S1SP", "turn": 2}
    texts = (
        "reading",
        "MA, dual-0001",
        "8.11 of 00-DB-01-00-00-00-00-01",
        "MA, dual-0001, dual-0002",
    )
    with path.open("a", encoding="utf-8") as log:
        for place, text in enumerate(texts):
            to = "00-DB-00-00-00-00-00-01" if place == 0 else "DSP"
            at = f"2023-01-23T06:00:0{place}.000Z"
            one = {"number": number + place + 1, "at": at, **way, "text": text, "receiver": to}
            log.write(live_sample.line_of(one))
    with served(tmp_path) as reader:
        told = reader.value("/runs/run/log.json", ref="dual-0001", order="time")
        assert [row["kind"] for row in told["rows"][:3]] == ["message"] * 3
        assert {row["ref"] for row in told["rows"]} == {"dual-0001"}
        assert [row["at"] for row in told["rows"]] == sorted(row["at"] for row in told["rows"])
        assert reader.value("/runs/run/home.json", ref="dual-0001")["lines"] == told["total"]


def test_a_file_is_shown_as_text_or_octets_and_handed_out_whole(reader: Reader, runs: Path) -> None:
    name = "files/in/0001-MA.csv"
    octets = (runs / "dust" / name).read_bytes()
    assert reader.value("/runs/dust/view.json", path=name)["text"].encode() == octets
    as_hex = reader.value("/runs/dust/view.json", path=name, mode="hex")
    assert as_hex["text"].startswith("00000000  3c 48 6f 6d 65 3e 3c 44  65 76")
    status, headers, whole = reader.ask(f"/runs/dust/download/{name}")
    assert (status, whole) == (200, octets)
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''0001-MA.csv"
    assert headers["content-type"] == "application/octet-stream"


def test_a_long_file_comes_page_by_page(reader: Reader, runs: Path) -> None:
    told = [reader.value("/runs/dust/view.json", path="events.jsonl")]
    while told[-1]["next"] is not None:
        told.append(
            reader.value("/runs/dust/view.json", path="events.jsonl", first=told[-1]["next"])
        )
    whole = "".join(one["text"] for one in told)
    assert whole == (runs / "dust" / "events.jsonl").read_text("utf-8").replace(
        live_sample.USER, "EE-EE-00-00-00-00-00-01"
    )
    assert [one["previous"] for one in told[:3]] == [None, 0, told[1]["first"]]


def test_a_report_is_served_without_scripts_in_an_origin_of_its_own(reader: Reader) -> None:
    status, headers, octets = reader.ask("/runs/scenario/report")
    assert (status, b"hello" in octets) == (200, True)
    policy = headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert reader.ask("/runs/migration/report")[0] == 404


# -- identifiers -----------------------------------------------------------------------------------

ASKED = (
    "grid",
    "parts",
    "log",
    "files",
    "line&number=30",
    "home&ref=dual-0001",
    "log&device=ee-ee",
)
FILES = ("run.json", "events.jsonl", "files/in/0001-MA.csv")


def test_live_identifiers_are_pseudonyms_everywhere(reader: Reader) -> None:
    for what in ASKED:
        name, _, query = what.partition("&")
        _status, text = reader.text(f"/runs/private/{name}.json?{query}")
        assert "00-DB-" not in text.upper(), what
        assert "00db0" not in text.lower(), what
    for name in FILES:
        _status, text = reader.text(f"/runs/private/download/{name}")
        assert "00-DB-" not in text.upper(), name
    log = reader.value("/runs/private/log.json", device="ee-ee")
    assert log["total"] > 0
    assert reader.value("/runs/private/log.json", device="00-db")["total"] == 0
    assert reader.value("/runs/private/log.json", text="00-db")["total"] == 0
    assert reader.value("/runs/private/log.json", text="for ee-ee")["total"] > 0


def test_the_pseudonym_of_a_device_is_that_of_the_record_in_its_order(reader: Reader) -> None:
    home = reader.value("/runs/private/home.json", ref="dual-0001")
    shown = [one["eui64"].upper() for one in home["record"]["devices"]]
    assert shown == ["EEEE000000000001", "EEEE000000000002", "EEEE000000000003"]


def test_with_identifiers_shows_them(runs: Path) -> None:
    with served(runs, shows_all=True) as reader:
        assert reader.value("/runs/private/log.json", text="00-db")["total"] > 0
        assert "shown as they are" in reader.value("/runs/private/grid.json")["head"]["identifiers"]


def test_a_pack_is_not_handed_out_altered_while_identifiers_are_hidden(tmp_path: Path) -> None:
    live_sample.write(tmp_path / "run", 2, prefix=live_sample.LIVE)
    (tmp_path / "run" / "evidence.zip").write_bytes(b"PK\5\6" + bytes(18))
    with served(tmp_path) as reader:
        assert reader.ask("/runs/run/download/evidence.zip")[0] == 403
    with served(tmp_path, shows_all=True) as reader:
        assert reader.ask("/runs/run/download/evidence.zip")[0] == 200


# -- following -------------------------------------------------------------------------------------


def grown(folder: Path, count: int) -> None:
    """Let the run tell of further installations."""
    path = folder / "events.jsonl"
    number = path.read_bytes().count(b"\n")
    with path.open("a", encoding="utf-8") as log:
        for event in live_sample.events(live_sample.homes(count)[-1:]):
            number += 1
            log.write(live_sample.line_of({**event, "number": number}))


def test_a_page_learns_what_happens_and_goes_on_where_it_was(tmp_path: Path) -> None:
    live_sample.write(tmp_path / "run", 3, done=False)
    with served(tmp_path) as reader:
        known = reader.value("/runs/run/grid.json")
        way = reader.open()
        way.request("GET", f"/runs/run/live?after={known['cursor']}")
        told = stream_events(way.getresponse())
        _number, name, first = next(told)
        assert (name, first["rows"], first["reset"]) == ("news", [], False)
        grown(tmp_path / "run", 4)
        number, _name, second = next(told)
        assert [row[0] for row in second["rows"]] == ["dual-0004"]
        assert number == second["cursor"]
        way.close()
        grown(tmp_path / "run", 5)
        way = reader.open()
        way.request("GET", "/runs/run/live", headers={"Last-Event-ID": number})
        again = next(stream_events(way.getresponse()))[2]
        assert [row[0] for row in again["rows"]] == ["dual-0005"]
        way.close()


def test_a_page_that_knows_more_than_there_is_begins_anew(tmp_path: Path) -> None:
    live_sample.write(tmp_path / "run", 3, done=False)
    with served(tmp_path) as reader:
        for after in ("0-999999", "7-1", "nonsense", ""):
            way = reader.open()
            way.request("GET", f"/runs/run/live?after={after}")
            news = next(stream_events(way.getresponse()))[2]
            assert (news["reset"], len(news["rows"])) == (True, 3)
            way.close()


def test_the_stream_of_a_run_that_is_done_says_so_and_ends(reader: Reader) -> None:
    way = reader.open()
    way.request("GET", "/runs/dust/live")
    names = [name for _number, name, _data in stream_events(way.getresponse())]
    assert names == ["news", "over"]
    way.close()


def test_no_more_streams_are_open_than_the_limit(tmp_path: Path) -> None:
    live_sample.write(tmp_path / "run", 1, done=False)
    with served(tmp_path) as reader:
        reader.pages.streams.open = MOST_STREAMS
        assert reader.ask("/runs/run/live")[0] == 503
        reader.pages.streams.open = 0


def test_the_record_of_a_turn_brings_devices_of_a_run_that_began_without(tmp_path: Path) -> None:
    run = tmp_path / "run"
    live_sample.write(run, 2, done=False)
    record = (run / "run.json").read_bytes()
    (run / "run.json").unlink()
    with served(tmp_path) as reader:
        assert reader.value("/runs.json")["rows"][0]["state"] == "running"
        assert reader.value("/runs/run/home.json", ref="dual-0001")["record"] is None
        (run / "run.json").write_bytes(record)
        assert reader.value("/runs/run/home.json", ref="dual-0001")["record"]["devices"]
