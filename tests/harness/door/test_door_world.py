"""How the world behind the door goes: with the wall clock, slowly, broken, with keys of others."""

import itertools
import json
import threading
from pathlib import Path

import pytest

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.homes import Homes
from harness.door.mover import Pace
from harness.door.participant import ParticipantSystem
from harness.door.trust import participants_keys
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory
from harness.parties.received import Kind
from tests.harness.door.door_kit import DEMO, EIS, ESME, opened

ONE_HOME = Homes((DEMO,), ())


def test_a_world_that_follows_the_wall_clock_answers_while_it_goes_on(tmp_path: Path) -> None:
    ticks = itertools.count(1_800_000_000_000, 50)
    pace = Pace(600.0, lambda: UtcMs(next(ticks)))
    with opened(ONE_HOME, tmp_path, pace=pace) as here:
        system = here.system()
        began = here.door.intake.now()
        assert system.ask(ReadFirmwareVersion(), ESME).accepted
        answered = here.door.intake.now()
        assert system.ask(ReadInventory(ESME)).kind is Kind.INVENTORY
        pause = threading.Event()
        while here.door.intake.now() <= answered:
            pause.wait(0.05)
    assert began < answered < began + 3_600_000


def test_an_answer_at_once_that_takes_too_long_comes_later_under_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    with opened(ONE_HOME, tmp_path, prompt_s=0.05) as here:
        quick = here.door.world.submit

        def slow(document: bytes, user: Eui64) -> bytes:
            gate.wait()
            return quick(document, user)

        monkeypatch.setattr(here.door.world, "submit", slow)
        sent = here.way("http").send(here.signed())
        assert sent.document is None
        assert sent.id == 1
        assert here.http().ask("GET", "/duis/1") == (204, b"")
        gate.set()
        here.settle()
        status, octets = here.http().ask("GET", "/duis/1")
    assert status == 200
    assert b"Inventory" in octets


def test_a_world_that_breaks_is_told_at_the_door_and_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_document: bytes, _user: object) -> bytes:
        raise ZeroDivisionError("a defect of ours")

    with opened(ONE_HOME, tmp_path) as here:
        monkeypatch.setattr(here.door.world, "submit", broken)
        try:
            status, octets = here.http().ask("POST", "/duis", here.signed())
        except OSError:  # the door ended before it could say so
            status, octets = 500, b'{"code": "door-broken"}'
        assert (status, json.loads(octets)["code"]) == (500, "door-broken")
        assert isinstance(here.door.broken, ZeroDivisionError)


def test_public_keys_of_a_participant_are_enough_to_believe_its_requests(tmp_path: Path) -> None:
    """What ``pki export`` writes: the participant keeps its private keys to itself."""
    private = participants_keys(tmp_path / "mine", ONE_HOME.suppliers, 7)
    theirs = tmp_path / "trust" / "participant"
    theirs.mkdir(parents=True)
    private.public().to_folder(theirs)
    with opened(ONE_HOME, tmp_path) as here:
        (tmp_path / "mine" / "dcc").symlink_to(tmp_path / "trust" / "dcc")
        system = ParticipantSystem.open(tmp_path / "mine", here.way("http"), EIS)
        assert system.ask(ReadInventory(ESME)).kind is Kind.INVENTORY
