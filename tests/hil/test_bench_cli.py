"""``smetsbench bench …`` and ``scenarios --bench`` as people and programs give them."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.dlms import apdu_set, axdr
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.apdu_set import SetRequest
from hil.arming_state import armed_file, dry_run_file, load_arming, write_private
from hil.bench_file import load_bench
from hil.dry_run import _writes
from hil.dry_run_report import DryRunReport, Rehearsal, Write, load_report
from hil.probe import Difference, Probed
from hil.verbs import Verb
from tests.command_line import Command as Run
from tests.command_line import command_in
from tests.hil.bench_device import real_bench, shared_device
from tests.hil.bench_texts import HEAD, METER, OTHER, REAL, write_bench


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the whole command line in an empty folder; returns exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMETSBENCH_DATA", raising=False)
    monkeypatch.setenv("SMETSBENCH_TRACEBACK", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return command_in(monkeypatch, capsys)


@pytest.fixture(autouse=True)
def _locks_of_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hil.locks.folder_of_locks", lambda: tmp_path / "locks")


def json_of(told: tuple[int, str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told[1])
    return found


def refusal(told: tuple[int, str, str]) -> str:
    code, _output, error = told
    assert code == 2, told
    for part in ("error: ", "  where: ", "  likely cause: ", "  next: "):
        assert part in error, error
    assert "Traceback" not in error
    return error


# -- check, doctor, schema ------------------------------------------------------------------------


def test_check_tells_what_a_bench_is_and_how_it_stands(run: Run, tmp_path: Path) -> None:
    path = write_bench(tmp_path, REAL)
    code, output, _error = run("bench", "check", str(path))
    assert code == 0
    for word in ("desk 3", "A. Fitter", METER, "armed", "nothing is missing"):
        assert word in output
    told = json_of(run("bench", "check", str(path), "--json"))
    assert told["roles"]["ESME"]["profile"] == "model"
    assert (told["armed_until"], told["dry_run"], told["findings"]) == (None, [], [])


def test_check_shows_every_column_beside_a_long_path_on_80_columns(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    endpoint = "serial:/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A900XYZ1-if00-port0"
    text = re.sub(r'endpoint = "serial:[^"]*"', f'endpoint = "{endpoint}"', REAL)
    output = run("bench", "check", str(write_bench(tmp_path, text)))[1]
    for word in ("ESME", endpoint, "model", METER):
        assert word in output
    told = output.partition("may be written to")[0]
    assert METER in told
    assert all(len(line) <= 80 for line in told.splitlines())


def test_check_and_doctor_name_what_is_missing_and_say_so_by_their_exit_code(
    run: Run, tmp_path: Path
) -> None:
    path = write_bench(tmp_path, REAL.replace(f'eui64 = "{METER}"\n', ""))
    code, output, _error = run("bench", "check", str(path))
    assert code == 1
    assert f"next: smetsbench bench probe {path}" in output
    code, output, _error = run("bench", "doctor", str(path), "--json")
    assert code == 1
    assert [one["code"] for one in json.loads(output)["findings"]] == [
        "no-identity",
        "missing-device",
    ]


def test_a_wrong_bench_file_is_refused_by_every_command(run: Run, tmp_path: Path) -> None:
    path = str(write_bench(tmp_path, REAL.replace("operator", "operater")))
    for words in (
        ("bench", "check", path),
        ("bench", "probe", path),
        ("bench", "doctor", path),
        ("bench", "arm", path, "--operator", "A. Fitter"),
        ("bench", "dry-run", path, "SER-001"),
        ("scenarios", "--bench", path),
        ("run", "SER-001", "--bench", path),
    ):
        assert "there is no such key here" in refusal(run(*words))


def test_schema_prints_the_schema(run: Run) -> None:
    told = json_of(run("bench", "schema"))
    assert told["title"] == "smetsbench bench file"


def test_scenarios_of_a_bench_are_runnable_or_say_what_would_unlock_them(
    run: Run, tmp_path: Path
) -> None:
    path = str(write_bench(tmp_path, REAL))
    code, output, _error = run("scenarios", "SER-001", "SER-010", "FM-01", "--bench", path)
    assert code == 0
    assert "skipped: no noise" in output
    assert "1 of 3 run on" in output
    rows = json_of(run("scenarios", "SER-001", "SER-010", "--bench", path, "--json"))["scenarios"]
    assert [(row["id"], row["runs"]) for row in rows] == [("SER-001", True), ("SER-010", False)]
    assert [lack["need"] for lack in rows[1]["lacks"]] == ["noise"]
    assert all(lack["unlock"] for lack in rows[1]["lacks"])


# -- arming ---------------------------------------------------------------------------------------


def test_a_bench_is_armed_by_name_and_lapses_as_told(run: Run, tmp_path: Path) -> None:
    path = write_bench(tmp_path, REAL)
    words = ("bench", "arm", str(path), "--operator", "A. Fitter", "--for", "30m")
    told = json_of(run(*words, "--confirm", "desk 3", "--confirm", "KEYS", "--json"))
    assert (told["confirmed"], told["allow"], told["has_dry_run"]) == (["KEYS"], [METER], False)
    state = load_arming(path)
    assert state is not None
    assert state.until - state.armed_at == 1800_000
    assert json_of(run("bench", "check", str(path), "--json"))["armed_until"]
    code, output, _error = run(*words, "--confirm", "desk 3")
    assert code == 0
    assert "every write will still be refused" in output
    assert json_of(run("bench", "disarm", str(path), "--json"))["was_armed"] is True
    assert "was not armed" in run("bench", "disarm", str(path))[1]
    assert not armed_file(path).exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--operator", "A. Fitter"), "its name was not typed"),
        (("--operator", "A. Fitter", "--confirm", "KEYS"), "its name was not typed"),
        (("--operator", "A. Fitter", "--confirm", "desk"), "confirms nothing here"),
        (("--operator", "A. Fitter", "--confirm", "keys"), "confirms nothing here"),
        (("--operator", "B. Other", "--confirm", "desk 3"), "operator of this bench is A. Fitter"),
        (
            ("--operator", "A. Fitter", "--confirm", "desk 3", "--for", "9h"),
            "cannot be armed for",
        ),
    ],
)
def test_what_does_not_arm_says_why_and_arms_nothing(
    run: Run, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    path = write_bench(tmp_path, REAL)
    assert why in refusal(run("bench", "arm", str(path), *words))
    assert load_arming(path) is None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "is_armed"), [("desk 3\n", True), ("desk\n", False), ("", False)]
)
def test_at_a_terminal_the_name_is_typed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, is_armed: bool
) -> None:
    path = write_bench(tmp_path, REAL)
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    code, _output, error = run("bench", "arm", str(path), "--operator", "A. Fitter")
    assert (code == 0) is is_armed
    assert "Type the name of the bench" in error
    assert (load_arming(path) is not None) is is_armed


def test_whoever_arms_is_shown_what_the_dry_run_found(run: Run, tmp_path: Path) -> None:
    path = write_bench(tmp_path, REAL)
    write = Write(
        verb=Verb.CLOCK, role="ESME", service="set", class_id=8, obis="0-0:1.0.0.255", index=2
    )
    report = DryRunReport(
        bench="desk 3",
        bench_sha256=load_bench(path).sha256,
        seed=1,
        made_at="2026-11-22T08:00:00Z",
        scenarios=(
            Rehearsal(scenario="SER-013", verdict="PASS", writes=(write,)),
            Rehearsal(scenario="SER-001", verdict="PASS", writes=()),
        ),
    )
    write_private(dry_run_file(path), report.encode())
    words = ("bench", "arm", str(path), "--operator", "A. Fitter", "--confirm", "desk 3")
    code, output, _error = run(*words)
    assert code == 0
    for word in ("CLOCK", "8 / 0-0:1.0.0.255 / 2", "writes nothing"):
        assert word in output


# -- dry run --------------------------------------------------------------------------------------


def test_a_dry_run_lists_every_write_and_keeps_the_list(run: Run, tmp_path: Path) -> None:
    path = write_bench(tmp_path, REAL.replace("./model.toml", "smets1"))
    code, output, _error = run("bench", "dry-run", str(path), "SER-001", "SER-013", "-q")
    assert code == 0
    for word in ("writes nothing", "CLOCK", "8 / 0-0:1.0.0.255 / 2", str(dry_run_file(path))):
        assert word in output
    found = load_report(dry_run_file(path))
    assert found is not None
    assert [one.scenario for one in found[0].scenarios] == ["SER-001", "SER-013"]
    told = json_of(run("bench", "dry-run", str(path), "SER-014", "-q", "--json"))
    assert {one["verb"] for one in told["scenarios"][0]["writes"]} == {"SUPPLY"}
    assert json_of(run("bench", "check", str(path), "--json"))["dry_run"] == ["SER-014"]


CLOCK = Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
NULL = axdr.decode(b"\x00")
RAW = apdu_set.encode_request(SetRequest(1, Attribute(CLOCK), NULL)).hex()


@pytest.mark.parametrize(
    ("kind", "asked", "verbs"),
    [
        ("meter.get", {"get": [[8, "0000010000ff", 2]]}, []),
        ("meter.associate", {"client": 16}, []),
        ("meter.release", {}, []),
        ("meter.has_taken", {"asked": []}, []),
        ("meter.set", {"set": [[[8, "0000010000ff", 2], "00"]]}, ["CLOCK"]),
        (
            "meter.set",
            {"set": [[[8, "0000010000ff", 2], "00"], [[64, "00002b0000ff", 2], "00"]]},
            ["CLOCK", "KEYS"],
        ),
        ("meter.action", {"action": [70, "0000600300ff", 1, None]}, ["SUPPLY"]),
        ("meter.action", {"action": [15, "0000280000ff", 1, "00"]}, []),
        ("meter.exchange", {"apdu": RAW}, ["CLOCK"]),
        ("meter.exchange", {"apdu": "ff"}, ["SUPPLY"]),
        ("hub.send", {}, []),
        ("clock.sleep_until", {}, []),
    ],
)
def test_every_journalled_write_is_counted_and_no_reading(
    kind: str, asked: dict[str, Any], verbs: list[str]
) -> None:
    request = json.dumps({"role": "ESME", "way": "line", **asked}).encode()
    octets = request if kind.startswith("meter") else b"anything"
    found = _writes(kind, octets, ["ESME"])
    assert [str(write.verb) for write in found] == verbs
    assert all(write.role == "ESME" for write in found)
    if kind.startswith("meter"):
        far = json.dumps({"role": "ESME", "way": "wan", **asked}).encode()
        assert _writes(kind, far, ["ESME"]) == []  # through the hub: not this bench's


def test_a_switched_relay_is_a_write_without_target() -> None:
    (write,) = _writes("power.cycle", b"{}", ["ESME"])
    assert (write.verb, write.service, write.target) == (Verb.SUPPLY, "power", "no target")


# -- probe ----------------------------------------------------------------------------------------


def test_probe_reads_who_a_device_is_and_compares(run: Run, tmp_path: Path) -> None:
    path = real_bench(tmp_path, shared_device())
    code, output, _error = run("bench", "probe", str(path), "--json")
    (device,) = json.loads(output)["devices"]
    assert code == 0, output
    assert device["facts"]["EUI-64"] == METER
    assert device["facts"]["manufacturer"] == "SBC"
    assert set(device["facts"]) >= {"serial number", "firmware version", "logical device name"}
    assert (device["differences"], device["silences"], device["error"]) == ([], {}, None)
    text = path.read_text().replace(METER, OTHER)
    path.write_text(text)
    code, output, _error = run("bench", "probe", str(path))
    assert code == 1
    assert f"different: EUI-64: expected {OTHER}, found {METER}" in output


def test_a_device_that_is_another_or_not_there_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bench(tmp_path, REAL + 'serial_number = "14P0000001"\n')
    code, output, _error = run("bench", "probe", str(path))
    assert code == 3
    assert "is not there" in output
    found = Probed(DeviceType.ESME, "serial:x", {"serial number": "14P9"})
    found.differences.append(Difference("serial number", "14P0000001", "14P9"))
    found.silences["sign-on"] = "the head is misplaced"
    monkeypatch.setattr("hil.cli.probe", lambda *_words: [found])
    code, output, _error = run("bench", "probe", str(path))
    assert code == 1
    assert "different: serial number: expected 14P0000001, found 14P9" in output
    assert "the head is misplaced" in output


def test_probe_opens_no_port_but_those_of_the_roles_asked_for(run: Run, tmp_path: Path) -> None:
    path = str(write_bench(tmp_path, REAL))
    assert "no GSME" in refusal(run("bench", "probe", path, "--role", "GSME"))
    emulated = write_bench(
        tmp_path, HEAD + '[roles.ESME]\nendpoint = "emulated:smets1"\n', "twin.toml"
    )
    assert "nothing to probe" in refusal(run("bench", "probe", str(emulated)))
