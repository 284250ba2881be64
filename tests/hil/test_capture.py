"""Captures of meters on benches, and what is made of them."""

import runpy
from pathlib import Path

import pytest

from emulator.codecs.dlms.axdr import octets
from harness.dlms.jobs import AssociateJob, SetJob
from harness.dlms_view.line import Way
from harness.errors import UsageError
from harness.replay_client import recorded_exchanges
from harness.transcript import EventKind, LineEvent
from harness.transcript_file import load, pcapng_of, toml_of
from harness.transcript_guard import SecretInCaptureError
from hil import cli_capture, cli_replay
from hil.capture import capture_walk
from hil.capture_subject import CaptureChoices, Subject, known_clients, secrets_of
from hil.captured_case import CapturedCase
from hil.captured_test import write_test
from hil.replay import Against, against_emulator
from hil.replay_bench import refuse_writes
from hil.replay_device import ReplayEndpoint
from tests.harness.cli.command_line import run, run_json
from tests.harness.recorded import CLOCK, Recorded, attribute, save
from tests.harness.test_replay_client import ALTERATIONS, altered

BENCH = '[bench]\nname = "a bench"\noperator = "tester"\n\n[roles.ESME]\nendpoint = "{endpoint}"\n'


def bench(folder: Path, endpoint: str) -> Path:
    path = folder / "bench.toml"
    path.write_text(BENCH.format(endpoint=endpoint), "utf-8")
    return path


def nobody(_done: int, _total: int) -> None:
    """Nobody counts."""


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk through an emulated meter as the reader, captured."""
    folder = tmp_path_factory.mktemp("walked")
    choices = CaptureChoices(bench(folder, "emulated:smets1"), folder / "walk", client="reader")
    _, told = capture_walk(choices, nobody)
    assert not told.ended
    return folder / "walk"


def test_a_walk_identifies_the_meter_and_reads_what_may_be_read(walked: Path) -> None:
    about = load(walked).about
    assert about.complete
    assert about.device["firmware_version"] == "10000001"
    assert about.device["manufacturer"] == "SBC"
    assert set(about.device) == {"eui64", "firmware_version", "manufacturer", "serial_number"}
    assert [(one.name, one.sap, one.mechanism) for one in about.clients] == [("reader", 2, "lls")]
    assert about.secrets == ("reader.secret",)
    assert [one.what for one in about.masked] == ["lls-secret"]


def test_a_walk_writes_nothing_to_the_meter(walked: Path) -> None:
    case = CapturedCase.of(walked)
    refuse_writes(recorded_exchanges(case.transcript), case.clients())


def test_a_captured_walk_is_replayed_both_ways_without_a_difference(walked: Path) -> None:
    case = CapturedCase.of(walked)
    assert case.mismatches() == []
    assert case.differences() == []


def test_an_altered_meter_fails_the_case_by_name(tmp_path: Path) -> None:
    told = Recorded()
    told.read("reader", ALTERATIONS[0][1])
    save(tmp_path / "one", told.transcript(), {"reader.secret": told.wire.keys.secrets["reader"]})
    case = CapturedCase.of(tmp_path / "one", altered(tmp_path, 1))
    (line,) = case.differences()
    assert "Active import, scaler and unit" in line


def test_a_test_is_written_that_passes(tmp_path: Path) -> None:
    told = Recorded()
    told.read("reader", CLOCK)
    save(tmp_path / "My walk", told.transcript(), {"s": told.wire.keys.secrets["reader"]})
    (tmp_path / "tests").mkdir()
    target = write_test(tmp_path / "My walk", tmp_path / "tests" / "test_walk.py")
    written = runpy.run_path(str(target))
    case = CapturedCase.of(tmp_path / "My walk", "smets1")
    checks = [check for name, check in written.items() if name.startswith("test_")]
    assert len(checks) == 2
    for check in checks:
        check(case)
    assert 'NAME = Path(__file__).parent / ".." / "My walk"' in target.read_text("utf-8")


def test_no_test_is_written_of_a_capture_that_would_fail(tmp_path: Path) -> None:
    told = Recorded()
    told.read("public", CLOCK)
    transcript = told.transcript()
    other = transcript.about.model_copy(update={"profile": "smets1-quirks"})
    save(tmp_path / "one", type(transcript)(other, transcript.records))
    with pytest.raises(UsageError, match="a test of this capture would fail"):
        write_test(tmp_path / "one")
    assert not (tmp_path / "test_one.py").exists()


def test_no_test_is_written_of_an_empty_capture(tmp_path: Path) -> None:
    save(tmp_path / "one", type(Recorded().transcript())(Recorded().transcript().about))
    with pytest.raises(UsageError, match="nothing was said"):
        write_test(tmp_path / "one")


# On a line.


@pytest.fixture(scope="module")
def on_a_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk through a loopback meter on a pty, by the command."""
    folder = tmp_path_factory.mktemp("line")
    path = bench(folder, "loopback:smets1")
    code, output = run(
        cli_capture.register, "capture", "--bench", str(path), "--out", str(folder / "line")
    )
    assert code == 0
    assert "attributes read" in output
    return folder / "line"


def test_a_line_is_captured_with_everything_that_befell_it(on_a_line: Path) -> None:
    transcript = load(on_a_line)
    events = [one for one in transcript.records if isinstance(one, LineEvent)]
    assert events[0].kind is EventKind.OPEN
    assert events[0].fields == {"baud": 300}
    assert EventKind.SPEED in {one.kind for one in events}
    assert events[-1].kind is EventKind.CLOSE
    moments = [one.at_ns for one in transcript.records]
    assert moments == sorted(moments)
    assert b"dev" not in pcapng_of(on_a_line).read_bytes()  # where the port is stays on the bench


def test_a_captured_line_is_replayed_as_device_and_as_client(on_a_line: Path) -> None:
    case = CapturedCase.of(on_a_line)
    assert case.mismatches() == []
    document = run_json(cli_replay.register, "replay", str(on_a_line), "--as", "client")
    assert document["differences"] == []
    assert document["exchanges"] > 100


def test_a_capture_is_shown_as_a_serial_line(on_a_line: Path, tmp_path: Path) -> None:
    out = tmp_path / "view.pcapng"
    code, _ = run(cli_capture.register, "capture", "view", str(on_a_line), "--out", str(out))
    assert code == 0
    assert out.read_bytes()[:4] == bytes.fromhex("0a0d0d0a")
    with pytest.raises(UsageError, match="only a conversation in the TCP wrapper"):
        run(
            cli_capture.register,
            "capture", "view", str(on_a_line), "--as", "tcp4059", "--out", str(out),
        )  # fmt: skip


# Choices.


def test_a_capture_needs_a_bench_and_a_name() -> None:
    with pytest.raises(UsageError, match="needs a bench and a name"):
        run(cli_capture.register, "capture")


def test_a_role_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = bench(tmp_path, "emulated:smets1")
    for role, words in (("GSME", "has no GSME"), ("LAMP", "no device type 'LAMP'")):
        with pytest.raises(UsageError, match=words):
            run(
                cli_capture.register,
                "capture", "--bench", str(path), "--out", str(tmp_path / "x"), "--role", role,
            )  # fmt: skip
    assert not pcapng_of(tmp_path / "x").exists()


def test_every_secret_of_a_bench_is_looked_for(tmp_path: Path) -> None:
    path = bench(tmp_path, "loopback:smets1")
    subject = Subject.of(CaptureChoices(path, tmp_path / "x"))
    names = set(secrets_of(subject.factory, known_clients(subject)))
    assert {"reader.secret", "installer.secret", "management.unicast", "management.master"} <= names


def test_a_key_in_clear_ends_a_capture_with_nothing_left(tmp_path: Path) -> None:
    told = Recorded()
    told.read("public", attribute(1, "0-0:96.1.0.255", 2))
    serial = told.transcript().octets(Way.OUT)
    secret = next(serial[at : at + 8] for at in range(len(serial)) if serial[at : at + 2] == b"14")
    with pytest.raises(SecretInCaptureError):
        save(tmp_path / "one", told.transcript(), {"reader.secret": secret})
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_writes_is_not_said_to_a_real_meter() -> None:
    told = Recorded()
    told.do(AssociateJob(told.credentials("reader")))
    told.do(SetJob(((CLOCK, octets(bytes(12))),)))
    clients = {2: told.credentials("reader")}
    with pytest.raises(UsageError, match="does more than read") as caught:
        refuse_writes(recorded_exchanges(told.transcript()), clients)
    assert caught.value.where.startswith("SET Clock")


# A real device: here a recorded one behind a pseudo-terminal.


REAL = """
[bench]
name = "a bench"
operator = "tester"

[roles.ESME]
endpoint = "serial:{port}"
profile = "smets1"
"""


def test_a_real_devices_identifiers_are_replaced_unless_they_are_asked_for(
    on_a_line: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    known = load(on_a_line).about.device
    serial, eui64 = known["serial_number"], known["eui64"].replace("-", "").lower()
    for kept in (True, False):
        with ReplayEndpoint(on_a_line, strict=False) as device:
            path = tmp_path / "real.toml"
            path.write_text(REAL.format(port=device.start("pty")), "utf-8")
            choices = CaptureChoices(path, tmp_path / f"real{kept}", with_identifiers=kept)
            about, walked = capture_walk(choices, nobody)
        assert walked.device["serial_number"] == serial
        content = pcapng_of(choices.out).read_bytes() + toml_of(choices.out).read_bytes()
        assert (serial.encode() in content, bytes.fromhex(eui64) in content) == (kept, kept)
        assert about.pseudonyms is not kept
        assert about.device_seed is None
        assert (eui64 in content.decode("latin-1").replace("-", "").lower()) is kept
        assert load(choices.out).about == about
    with pytest.raises(UsageError, match="capture is of a real device"):
        CapturedCase.of(tmp_path / "realTrue").mismatches()
    found = against_emulator(load(tmp_path / "realFalse"), Against("smets1"))
    assert {one.volatile for one in found.volatile} >= {"pseudonym"}
