"""A door that is killed and opened again: nothing lost, nothing done twice, the same octets."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device_profiles.loader import load_profile
from emulator.codecs import ota_file
from emulator.crypto.keystore import KeyUsage
from firmware_images import recipe as recipes
from harness.door.door import Door, DoorOptions
from harness.door.drop import FileDrop
from harness.door.homes import Homes
from harness.door.intake import Ticket
from harness.door.trust import participants_keys, trust_of, xml_key_of
from harness.errors import UsageError
from harness.formats.duis.bodies import (
    ReadFirmwareVersion,
    ReadInventory,
    RequestBody,
    UpdateFirmware,
)
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from tests.harness.door.door_kit import DEMO, EIS, ESME, GSME, PPMID

HOMES = Homes((DEMO,), ())
KEYS = participants_keys(None, HOMES.suppliers, 1)
DCC = "02-53-42-00-00-00-00-04"
TRUST = trust_of(KEYS, HOMES.suppliers, EIS.parse(DCC), 1)


@contextmanager
def standing(state: Path | None, homes: Homes = HOMES) -> Iterator[Door]:
    door = Door(DoorOptions(homes, KEYS, state))
    try:
        yield door
    finally:
        door.close()


def image() -> bytes:
    entry = KEYS.find(EIS, KeyUsage.DS)
    assert entry is not None
    recipe = recipes.load_recipe("demo-esme-2")
    made = recipes.build(recipe, load_profile("demo-esme"), entry.private_scalar)
    return ota_file.encode(made)


def documents() -> list[bytes]:
    """Requests of a small story, in order."""
    bodies: list[tuple[RequestBody, str]] = [
        (ReadInventory(ESME), DCC),
        (ReadFirmwareVersion(), str(ESME)),
        (UpdateFirmware(image(), "01000001", (ESME,)), DCC),
        (ReadFirmwareVersion(), str(GSME)),
        (ReadFirmwareVersion(), str(PPMID)),
        (ReadInventory(ESME), DCC),
    ]
    key = xml_key_of(TRUST.store, EIS)
    return [
        write_request(request(body, RequestId(EIS, EIS.parse(target), number)), key)
        for number, (body, target) in enumerate(bodies, 1)
    ]


def rest(door: Door) -> None:
    asyncio.run(door.rest())
    assert door.broken is None


def everything(door: Door) -> list[object]:
    """All that ever left a door, in order, with moments."""
    rest(door)
    requests = door.exchange.counts()["requests"]
    answers = [door.exchange.answer(number) for number in range(1, requests + 1)]
    return [*answers, *door.exchange.alerts(0)]


def test_a_door_closed_after_every_request_says_octet_for_octet_what_one_left_open_says(
    tmp_path: Path,
) -> None:
    with standing(None) as door:
        for octets in documents():
            assert isinstance(door.intake.take(octets, door="http"), Ticket)
        wanted = everything(door)
    for octets in documents():
        with standing(tmp_path / "door.state") as door:
            assert isinstance(door.intake.take(octets, door="http"), Ticket)
    with standing(tmp_path / "door.state") as door:
        assert everything(door) == wanted
        assert len(wanted) > len(documents())
        replayed = door.intake.take(documents()[2], door="http")
        assert getattr(replayed, "code", "") == "replayed-counter"
    with standing(tmp_path / "door.state") as door:
        assert everything(door) == wanted


def test_a_copy_of_the_state_at_any_moment_goes_on_like_the_original(tmp_path: Path) -> None:
    """What a kill leaves behind is such a copy."""
    state = tmp_path / "door.state"
    copies = []
    with standing(state) as door:
        for number, octets in enumerate(documents()):
            door.intake.take(octets, door="http")
            copy = tmp_path / f"copy-{number}"
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{state}{suffix}", f"{copy}{suffix}")
            copies.append(copy)
        wanted = everything(door)
    for copy in (copies[2], copies[-1]):
        with standing(copy) as door:
            for octets in documents()[door.exchange.counts()["requests"] :]:
                door.intake.take(octets, door="http")
            assert everything(door) == wanted


def test_a_file_that_was_journalled_and_not_moved_is_moved_and_not_read_again(
    tmp_path: Path,
) -> None:
    state, folder = tmp_path / "door.state", tmp_path / "drop"
    octets = documents()[1]
    with standing(state) as door:
        FileDrop(door, folder, print)
        (folder / "in" / "read.xml").write_bytes(octets)
        assert isinstance(door.intake.take(octets, door="drop", name="read.xml"), Ticket)
    with standing(state) as door:
        drop = FileDrop(door, folder, print)
        assert drop.look() == 0
        assert (folder / "taken" / "read.xml").read_bytes() == octets
        assert (folder / "out" / "read.xml.accepted.json").exists()
        assert door.exchange.counts()["requests"] == 1
        rest(door)
    with standing(state) as door:
        FileDrop(door, folder, print).look()
        written = folder / "out" / "read.xml.response.xml"
        answer = door.exchange.answer(1)
        assert answer is not None
        assert written.read_bytes() == answer.document
        written.unlink()
        FileDrop(door, folder, print).look()
        assert not written.exists(), "what the participant took away does not come back"


def test_a_drop_waits_while_its_folders_cannot_be_written(tmp_path: Path) -> None:
    said: list[str] = []
    with standing(None) as door:
        drop = FileDrop(door, tmp_path / "drop", said.append)
        (tmp_path / "drop" / "in" / "read.xml").write_bytes(documents()[0])
        (tmp_path / "drop" / "taken").rmdir()
        drop.look()
        drop.look()
        assert len(said) == 1
        (tmp_path / "drop" / "taken").mkdir()
        drop.look()
        assert (tmp_path / "drop" / "taken" / "read.xml").exists()
        assert door.exchange.counts()["requests"] == 1


def test_a_state_of_another_door_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "door.state"
    with standing(state):
        with pytest.raises(UsageError, match="cannot be used"), standing(state):
            pass
        assert state.stat().st_mode & 0o077 == 0
    other = Homes((DEMO,), (), seed=2)
    with pytest.raises(UsageError, match="other installations"), standing(state, other):
        pass
    state.write_bytes(b"no database, and longer than a header" * 100)
    with pytest.raises(UsageError, match="cannot be used"), standing(state):
        pass
