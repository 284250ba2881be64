"""The command: what it prints, what it refuses, and a participant who only has files and curl."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509

from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.cli import dust_door
from harness.cli.main import build_app
from harness.door.client import HttpWay
from harness.door.homes import load_homes
from harness.door.participant import ParticipantSystem
from harness.door.trust import USER_ROLE, participants_keys, sign_document, trust_of
from harness.errors import UsageError
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory
from harness.formats.duis.faults import DuisError
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import read_request, request, write_request
from tests.given import ROOT
from tests.harness.door.door_kit import EIS, ESME, OTHER

COMMAND = [sys.executable, "-m", "harness.cli.main", "dust"]


def smetsbench(*words: str) -> Any:
    return build_app("dust")(["dust", *words], standalone_mode=False)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--listen", "off"], "neither HTTP nor a file drop"),
        (["--listen", "nowhere"], "not HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "not HOST:PORT"),
        (["--listen", "0.0.0.0:0"], "beyond this machine"),
        (["--listen", "[::]:0"], "beyond this machine"),
        (["--call-back", "http://example.com/"], "not a place to post"),
        (["--installation", "nobody"], "the installation cannot be used"),
        (["--installation", "demo", "--installation", "demo"], "stands in demo and in demo"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_is_opened(
    words: Sequence[str], why: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=why):
        smetsbench("door", "--trust", str(tmp_path / "trust"), *words)
    assert not (tmp_path / "trust" / "dcc").exists()


def test_smets1_homes_of_two_cohorts_do_not_go_through_one_door(tmp_path: Path) -> None:
    names: list[str] = []
    for cohort in ("IOC", "EA"):
        path = tmp_path / f"{cohort}.toml"
        app = build_app("installations")
        words = ["installations", "new", "--cohort", cohort, "--count", "1"]
        words += ["--seed", str(len(names) + 1), "--out", str(path)]
        app(words, standalone_mode=False)
        names.append(str(path))
    with pytest.raises(UsageError, match="of the cohorts EA, IOC"):
        load_homes(names)


def begun(*words: str) -> tuple["subprocess.Popen[str]", dict[str, Any]]:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*COMMAND, "door", "--json", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    return process, json.loads("".join(lines))


def ended(process: "subprocess.Popen[str]") -> str:
    """Stop a door as an init system does; returns what it said."""
    process.send_signal(signal.SIGTERM)
    _out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return said


@pytest.mark.soak  # the recipe plays the example with the command every day
@pytest.mark.timeout(120)
def test_a_door_opens_answers_and_closes_without_telling_a_key(tmp_path: Path) -> None:
    trust = tmp_path / "trust"
    process, told = begun("--trust", str(trust), "--drop", str(tmp_path / "drop"))
    try:
        assert told["users"] == {str(EIS): ["GS", "IS"]}
        assert told["homes"] == ["demo"]
        port = int(told["http"].rpartition(":")[2])
        system = ParticipantSystem.open(trust, HttpWay("127.0.0.1", port))
        assert system.ask(ReadFirmwareVersion(), ESME).accepted
    finally:
        said = ended(process)
    assert f"{EIS} 11.2 -> {ESME}: taken #1" in said
    keys = KeyStore.from_folder(trust / "participant")
    texts = [f"{one.private_scalar:x}" for one in keys.entries() if one.private_scalar]
    assert texts
    assert not any(text in said for text in texts)


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_a_door_that_is_killed_goes_on_from_its_state_file(tmp_path: Path) -> None:
    words = ["--trust", str(tmp_path / "trust"), "--state", str(tmp_path / "door.state")]
    process, told = begun(*words)
    port = int(told["http"].rpartition(":")[2])
    system = ParticipantSystem.open(tmp_path / "trust", HttpWay("127.0.0.1", port))
    first = system.ask(ReadFirmwareVersion(), ESME)
    sent = system.way.send(system.supplier.send(system.supplier.ask(ReadFirmwareVersion(), ESME)))
    process.kill()
    process.communicate(timeout=60)
    process, told = begun(*words)
    try:
        way = HttpWay("127.0.0.1", int(told["http"].rpartition(":")[2]))
        assert way.ask("GET", "/duis/1") == (200, first.octets)
        pause = threading.Event()
        while way.answer(sent) is None:
            pause.wait(0.1)
        assert system.supplier.take(way.answer(sent) or b"").accepted
    finally:
        ended(process)


def test_a_request_is_signed_with_the_originators_key(tmp_path: Path) -> None:
    homes = load_homes(["demo"])
    keys = participants_keys(tmp_path, homes.suppliers, 1)
    plain, out = tmp_path / "plain.xml", tmp_path / "signed.xml"
    asked = request(ReadInventory(ESME), RequestId(EIS, ESME, 7))
    plain.write_bytes(write_request(asked))
    smetsbench("sign", str(plain), "--trust", str(tmp_path), "--out", str(out))
    trust = trust_of(keys, homes.suppliers, OTHER, 1)
    at = trust.owner_of(str(_serial(keys)))
    assert at is not None
    assert at[1].role == USER_ROLE
    signatories = trust.signatories(at[1].not_before)
    assert read_request(out.read_bytes(), signatories).body == asked.body
    again, who = sign_document(out.read_bytes(), tmp_path)
    assert (again, who) == (out.read_bytes(), EIS)


def _serial(keys: KeyStore) -> int:
    entry = keys.find(EIS, KeyUsage.XML)
    assert entry is not None
    assert entry.certificate is not None
    return x509.load_der_x509_certificate(entry.certificate).serial_number


def test_what_cannot_be_signed_is_refused(tmp_path: Path) -> None:
    participants_keys(tmp_path, [EIS], 1)
    other = write_request(request(ReadInventory(ESME), RequestId(OTHER, ESME, 7)))
    with pytest.raises(UsageError, match="no XML-signing key"):
        sign_document(other, tmp_path)
    with pytest.raises(DuisError):
        sign_document(b"<a/>", tmp_path)


def test_keys_in_the_trust_folder_are_used_and_not_replaced(tmp_path: Path) -> None:
    first = participants_keys(tmp_path, [EIS], 1)
    again = participants_keys(tmp_path, [EIS, OTHER], 2)
    assert {one.public_point for one in again.entries()} == {
        one.public_point for one in first.entries()
    }
    private = list((tmp_path / "participant").glob("*.key"))
    assert private
    assert all(path.stat().st_mode & 0o077 == 0 for path in private)


@pytest.mark.soak
def test_the_worked_example_of_the_command_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        dust_door.door(play_example=True, quiet=True)
    assert ended.value.exit_code == 0
    said = capsys.readouterr().out
    assert said.count("runs 01000001") == 1
