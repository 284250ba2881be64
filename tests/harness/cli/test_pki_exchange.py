"""Trust that a participant and a run exchange: keys of its own here, certificates there."""

import asyncio
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emulator.crypto import certificate as certificates
from emulator.crypto.keystore import KeyUsage
from harness.cli import pki as pki_commands
from harness.door.homes import Homes
from harness.door.participant import ParticipantSystem
from harness.door.trust import DCC, DSP_ROLE, PARTICIPANT, USER_ROLE
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory
from harness.keys import open_keystore
from harness.parties.received import Kind
from tests.harness.door.door_kit import DEMO, EIS, ESME, opened

USER = str(EIS)


def pki(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    pki_commands.register(app)
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, ["pki", *arguments])
    return result.exit_code, result.output + str(result.exception or "")


def roles(folder: Path) -> set[int | None]:
    return {
        certificates.read(one.certificate).role
        for one in open_keystore(folder).entries()
        if one.usage is KeyUsage.XML and one.certificate is not None
    }


def made(folder: Path) -> Path:
    """A participant's own trust folder, made at its place."""
    at = "2021-01-01T00:00:00Z"
    code, told = pki("new", "--user", USER, "--at", at, "--out", str(folder / PARTICIPANT))
    assert code == 0, told
    return folder


def test_a_participant_and_a_run_exchange_trust_and_no_private_key(tmp_path: Path) -> None:
    own, handed, trust = made(tmp_path / "own"), tmp_path / "handed", tmp_path / "trust"
    assert pki("export", str(own), "--for", "participant", "--out", str(handed))[0] == 0
    assert pki("import", str(handed), "--for", "participant", "--out", str(trust))[0] == 0
    assert USER_ROLE in roles(trust / PARTICIPANT)
    assert not list(tmp_path.glob("handed/**/*.key"))
    assert not list(trust.glob("**/*.key"))
    with opened(Homes((DEMO,), ()), tmp_path) as here:
        back = tmp_path / "back"
        assert pki("export", str(trust), "--for", "dcc", "--out", str(back))[0] == 0
        assert pki("import", str(back), "--for", "dcc", "--out", str(own))[0] == 0
        assert DSP_ROLE in roles(own / DCC)
        system = ParticipantSystem.open(own, here.way("http"), EIS)
        assert system.ask(ReadInventory(ESME)).kind is Kind.INVENTORY
        assert system.ask(ReadFirmwareVersion(), ESME).kind is Kind.RESPONSE
        asyncio.run(here.door.rest())


@pytest.mark.parametrize("side", ["participant", "dcc"])
def test_keys_of_the_wrong_side_are_refused(tmp_path: Path, side: str) -> None:
    own = made(tmp_path / "own")
    devices = tmp_path / "devices"
    assert pki("new", "--device", "02-53-42-01-00-00-00-A0", "--out", str(devices))[0] == 0
    source = devices if side == "participant" else own / PARTICIPANT
    code, told = pki("import", str(source), "--for", side, "--out", str(tmp_path / "trust"))
    assert code != 0
    assert "no XML-signing certificate of role" in told
    assert not (tmp_path / "trust").exists()
