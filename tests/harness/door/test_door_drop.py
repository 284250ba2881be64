"""What is particular to the file drop: names, half-written files, many at once, files of others."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.harness.door.door_kit import Served
from tests.sampling import examples

IN, OUT, TAKEN, REFUSED = "in", "out", "taken", "refused"


def put(served: Served, name: str, octets: bytes) -> Path:
    part = served.drop / IN / f"{name}.part"
    part.write_bytes(octets)
    return part.rename(served.drop / IN / name)


def wait_for(path: Path, seconds: float = 30) -> Path:
    pause = threading.Event()
    for _try in range(round(seconds / 0.05)):
        if path.exists():
            return path
        pause.wait(0.05)
    raise AssertionError(f"{path.name} never came; there is {sorted(path.parent.iterdir())}")


def error(served: Served, name: str) -> Any:
    return json.loads(wait_for(served.drop / REFUSED / f"{name}.error.json").read_bytes())


def test_a_file_is_read_only_when_it_has_its_final_name(served: Served) -> None:
    octets, before = served.signed(), served.door.exchange.counts()
    part = served.drop / IN / "slow.xml.part"
    part.write_bytes(octets[:300])
    marker = put(served, "marker.xml", served.signed())
    wait_for(served.drop / TAKEN / marker.name)
    assert part.exists()
    part.write_bytes(octets)
    part.rename(part.with_suffix(""))
    assert wait_for(served.drop / OUT / "slow.xml.response.xml").read_bytes().startswith(b"<?xml")
    assert wait_for(served.drop / TAKEN / "slow.xml").read_bytes() == octets
    assert served.door.exchange.counts()["requests"] == before["requests"] + 2


def test_a_name_is_used_once_and_a_refused_one_may_be_used_again(served: Served) -> None:
    put(served, "once.xml", b"<nonsense/>")
    assert error(served, "once.xml")["code"] == "wrong-root"
    put(served, "once.xml", served.signed())
    wait_for(served.drop / TAKEN / "once.xml")
    put(served, "once.xml", served.signed())
    again = wait_for(served.drop / REFUSED / "once.xml.2.error.json")
    assert json.loads(again.read_bytes())["code"] == "name-used-before"
    assert (served.drop / REFUSED / "once.xml.2").exists()


def test_what_is_no_plain_file_is_refused_and_put_aside(served: Served, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere.xml"
    secret.write_bytes(served.signed())
    (served.drop / IN / "link.xml").symlink_to(secret)
    (served.drop / IN / "folder.xml").mkdir()
    os.mkfifo(served.drop / IN / "pipe.xml")
    put(served, "empty.xml", b"")
    put(served, "\u202eodd\n.xml", served.signed())
    for name in ("link.xml", "folder.xml", "pipe.xml"):
        assert error(served, name)["code"] == "not-a-file"
        assert not os.path.lexists(served.drop / IN / name)
    assert error(served, "empty.xml")["code"] == "empty"
    assert error(served, "_odd__xml")["code"] == "bad-name"
    assert secret.exists()


def test_a_folder_in_a_file_s_place_holds_nothing_up(served: Served) -> None:
    """Whose folder it is, is not known: it stays, and the file goes beside it."""
    (served.drop / TAKEN / "held.xml").mkdir()
    (served.drop / OUT / "held.xml.response.xml").mkdir()
    put(served, "held.xml", served.signed())
    put(served, "behind.xml", served.signed())
    wait_for(served.drop / OUT / "behind.xml.response.xml")
    assert wait_for(served.drop / TAKEN / "held.xml.2").is_file()
    beside = wait_for(served.drop / OUT / "held.xml.response.xml.2")
    assert beside.read_bytes().startswith(b"<?xml")
    assert (served.drop / TAKEN / "held.xml").is_dir()


def test_the_ending_of_a_half_written_file_is_known_in_capitals(served: Served) -> None:
    part = served.drop / IN / "SLOW2.XML.PART"
    part.write_bytes(served.signed()[:300])
    marker = put(served, "marker2.xml", served.signed())
    wait_for(served.drop / TAKEN / marker.name)
    assert part.exists()
    part.unlink()


def test_files_of_somebody_who_takes_them_away_again_do_not_matter(served: Served) -> None:
    path = put(served, "gone.xml", b"<nonsense/>")
    path.unlink(missing_ok=True)
    put(served, "after.xml", served.signed())
    wait_for(served.drop / TAKEN / "after.xml")


def test_many_at_once_are_each_answered_and_none_is_read_twice(served: Served) -> None:
    many = examples(500)
    good = {f"many-{number:03d}.xml": served.signed() for number in range(many)}
    before = served.door.exchange.counts()["requests"]
    for number, (name, octets) in enumerate(good.items()):
        if number % 10 == 9:
            put(served, name, octets[:-9])
        else:
            put(served, name, octets)
    for number, name in enumerate(good):
        if number % 10 == 9:
            assert error(served, name)["code"] == "not-well-formed"
        else:
            wait_for(served.drop / OUT / f"{name}.response.xml")
            assert (served.drop / TAKEN / name).exists()
    wanted = sum(1 for number in range(many) if number % 10 != 9)
    assert served.door.exchange.counts()["requests"] - before == wanted
    assert not list((served.drop / IN).glob("many-*"))


@pytest.mark.parametrize("name", ["in", "out", "taken", "refused"])
def test_the_folders_are_there_from_the_beginning(served: Served, name: str) -> None:
    assert (served.drop / name).is_dir()
