"""A conducted door: papers, turns, migration in batches, and a kill in between."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from harness.door.client import HttpWay
from harness.door.door import Door, DoorOptions
from harness.door.homes import Homes
from harness.door.intake import Note
from harness.door.kept import Refused, Taken
from harness.door.paper_intake import is_duis
from harness.door.ports import (
    OutFile,
    Paper,
    PaperFinding,
    PaperOutcome,
    TurnDone,
    TurnSheet,
)
from harness.door.trust import participants_keys, xml_key_of
from harness.door.world import DoorWorld
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.responses import read_response
from harness.formats.duis.smets1_contents import Result
from harness.migration.states import State
from harness.new_installations import Order, generate
from harness.parties.received import Kind
from tests.harness.door.door_kit import Served, device, opened

START = from_datetime(datetime(2022, 11, 7, 6, tzinfo=UTC))
HOMES = tuple(generate(Order(2, 5, "DA")))
REFS = [home.ref for home in HOMES]
WORKBOOK = b"PK\x03\x04 a workbook"


class Batches:
    """A conductor that migrates one home after each turn."""

    def __init__(self, turns: int = 2) -> None:
        self.turns = turns
        self.seen: list[str] = []
        self.refusals: list[tuple[str, str, str]] = []

    async def begin(self, world: DoorWorld) -> TurnSheet:
        assert world.clock.now() == START
        return TurnSheet(1, "authorise", expects=("MA",), files=(OutFile("hello.txt", b"hi"),))

    async def turn(self, world: DoorWorld, done: TurnDone) -> TurnSheet | None:
        self.seen.append(f"done {done.turn}{' silence' if done.by_silence else ''}")
        if done.turn > self.turns:
            return None
        records = await world.migrate([REFS[done.turn - 1]])
        self.seen += [f"{ref} {one.state.value}" for ref, one in records.items()]
        await world.advance(UtcMs(START + done.turn * 86_400_000))
        return TurnSheet(done.turn + 1, "day", files=(OutFile("mrr.csv", b"1\n"),))

    def take(self, paper: Paper) -> PaperOutcome:
        self.seen.append(f"paper {paper.number} {paper.name} in turn {paper.turn}")
        if paper.octets != WORKBOOK:
            return PaperOutcome(False, "MA-01", (PaperFinding("MA-01", "no workbook"),))
        return PaperOutcome(True, "ok", files=(OutFile("repaired.xlsx", b"better"),), kind="MA")

    def asked(self, taken: Taken, answer: bytes) -> None:
        self.seen.append(f"asked {taken.service} {read_response(answer).header.code}")

    def refused(self, refused: Refused) -> None:
        self.refusals.append((refused.door, refused.name, refused.code))

    def told(self, user: Eui64, document: bytes, at: UtcMs) -> None:
        assert at >= START
        self.seen.append(f"told {user} {read_response(document).header.code}")

    def dump(self) -> Mapping[str, Any]:
        return {"seen": self.seen}

    def load(self, world: DoorWorld, state: Mapping[str, Any]) -> None:
        assert world.clock.now() >= START
        self.seen = list(state["seen"])


def unmigrated(count: int = 2) -> Homes:
    return Homes((), HOMES[:count], migrated=False, start_at=START)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A run that waits in its first turn."""
    folder = tmp_path_factory.mktemp("turns")
    with opened(unmigrated(1), folder, conductor=Batches()) as here:
        yield here


def wait_for(path: Path) -> bytes:
    pause = threading.Event()
    for _try in range(1200):
        if path.exists():
            return path.read_bytes()
        pause.wait(0.05)
    raise AssertionError(f"{path.name} never came; there is {sorted(path.parent.iterdir())}")


def put(here: Served, name: str, octets: bytes) -> None:
    part = here.drop / "in" / f"{name}.part"
    part.write_bytes(octets)
    part.rename(here.drop / "in" / name)


def ask(here: Served, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    status, octets = here.http().ask(method, path, body, "application/octet-stream")
    return status, json.loads(octets) if octets[:1] in {b"{", b"["} else octets


def test_a_run_by_files_alone(tmp_path: Path) -> None:
    conductor = Batches()
    with opened(unmigrated(), tmp_path, conductor=conductor) as here:
        sheet = json.loads(wait_for(here.drop / "out" / "turn-001.json"))
        assert (sheet["turn"], sheet["kind"], sheet["files"]) == (1, "authorise", ["hello.txt"])
        assert (here.drop / "out" / "hello.txt").read_bytes() == b"hi"
        put(here, "ma.xlsx", WORKBOOK)
        put(here, "odd.xlsx", b"PK\x03\x04 another")
        put(here, "turn-001.done", b"")
        outcome = json.loads(wait_for(here.drop / "out" / "ma.xlsx.outcome.json"))
        assert (outcome["accepted"], outcome["files"]) == (True, ["repaired.xlsx"])
        assert (here.drop / "out" / "repaired.xlsx").read_bytes() == b"better"
        refused = json.loads(wait_for(here.drop / "out" / "odd.xlsx.outcome.json"))
        assert (refused["accepted"], refused["findings"][0]["code"]) == (False, "MA-01")
        wait_for(here.drop / "out" / "turn-002.json")
        put(here, "turn-002.done", b"{}")
        wait_for(here.drop / "out" / "turn-003.json")
        assert wait_for(here.drop / "out" / "mrr.csv.2") == b"1\n"
        put(here, "turn-003.done", b"{}")
        asyncio.run(here.door.over())
        assert here.door.broken is None
        assert (here.drop / "taken" / "turn-001.done").exists()
    assert conductor.seen[:3] == [
        "paper 1 ma.xlsx in turn 1",
        "paper 2 odd.xlsx in turn 1",
        "done 1",
    ]
    migrated = [f"{ref} {State.MIGRATED.value}" for ref in REFS]
    assert [one for one in conductor.seen if one in migrated] == migrated


def test_a_home_answers_through_the_door_once_it_is_migrated(tmp_path: Path) -> None:
    conductor = Batches()
    esmes = [device(home, DeviceType.ESME) for home in HOMES]
    user = Eui64.parse(HOMES[0].of(DeviceType.ESME)[0].supplier)
    with opened(unmigrated(), tmp_path, conductor=conductor) as here:
        system = here.system(user=user)
        codes = [system.ask(ReadInventory(one)).response.header.code for one in esmes]
        assert all(code.startswith("E") for code in codes)
        assert ask(here, "POST", "/turns/1/done", b"") == (202, {"turn": 1})
        wait_for(here.drop / "out" / "turn-002.json")
        assert system.ask(ReadInventory(esmes[0])).kind is Kind.INVENTORY
        answer = system.of_s1sp(system.ask(ReadFirmwareVersion(), esmes[0]))
        assert answer is not None
        assert isinstance(answer.body, Result)
        assert answer.body.success
        assert system.ask(ReadInventory(esmes[1])).response.header.code.startswith("E")
    assert f"told {user} I0" in conductor.seen


def test_papers_over_http_are_taken_once_and_their_outcome_is_fetched(quiet: Served) -> None:
    status, told = ask(quiet, "POST", "/papers/book.xlsx", WORKBOOK)
    assert (status, told["answer"]) == (202, f"/papers/{told['id']}")
    quiet.settle()
    status, outcome = ask(quiet, "GET", told["answer"])
    assert (status, outcome["code"], outcome["kind"]) == (200, "ok", "MA")
    files = ask(quiet, "GET", "/files?after=0")[1]["files"]
    number = next(one["number"] for one in files if one["paper"] == told["id"])
    assert ask(quiet, "GET", f"/files/{number}") == (200, b"better")
    for name, octets, code in [
        ("book.xlsx", WORKBOOK, "name-used-before"),
        (".hidden", WORKBOOK, "bad-name"),
        ("none.csv", b"", "empty"),
    ]:
        status, refusal = ask(quiet, "POST", f"/papers/{name}", octets)
        assert (status, refusal["code"]) == (400, code)
    assert ask(quiet, "GET", "/papers/999")[0] == 404


def test_a_wrong_word_about_a_turn_is_refused_by_name_at_both_doors(quiet: Served) -> None:
    assert ask(quiet, "GET", "/turns/current")[1]["turn"] == 1
    assert ask(quiet, "POST", "/turns/7/done", b"")[1]["code"] == "wrong-turn"
    put(quiet, "turn-007.done", b"")
    error = json.loads(wait_for(quiet.drop / "refused" / "turn-007.done.error.json"))
    assert error["code"] == "wrong-turn"


def test_a_door_without_a_run_refuses_papers_and_words(served: Served) -> None:
    status, told = ask(served, "POST", "/papers/ma.xlsx", WORKBOOK)
    assert (status, told["code"]) == (400, "no-papers")
    put(served, "ma.xlsx", WORKBOOK)
    error = json.loads(wait_for(served.drop / "refused" / "ma.xlsx.error.json"))
    assert error["code"] == "no-papers"
    assert ask(served, "GET", "/turns/current") == (200, {"turn": None})


@pytest.mark.parametrize(
    ("name", "octets", "wanted"),
    [
        ("a.xlsx", b'<?xml version="1.0"?><sr:Request xmlns:sr="x">', True),
        ("a.xml", WORKBOOK, False),
        ("a.XML", b"nonsense", True),
        ("demand.csv", b"a,b\n", False),
        ("list.txt", b"<List/>", False),
    ],
)
def test_octets_say_what_is_a_request_and_names_only_where_they_do_not(
    name: str, octets: bytes, wanted: bool
) -> None:
    assert is_duis(octets, name) is wanted


def test_silence_ends_a_turn(tmp_path: Path) -> None:
    conductor = Batches(turns=0)
    with opened(unmigrated(1), tmp_path, conductor=conductor, patience_s=0.2) as here:
        asyncio.run(here.door.over())
    assert conductor.seen == ["done 1 silence"]


@contextmanager
def standing(state: Path | None, conductor: Batches) -> Iterator[Door]:
    homes = unmigrated()
    keys = participants_keys(None, homes.suppliers, 1)
    notes: list[Note] = []
    door = Door(DoorOptions(homes, keys, state, tell=notes.append, conductor=conductor))
    try:
        yield door
    finally:
        door.close()


def acts(door: Door) -> list[Any]:
    """What a participant does in a run, step by step."""
    key_store = door.world.trust.store
    user = Eui64.parse(HOMES[0].of(DeviceType.ESME)[0].supplier)
    esme = device(HOMES[0], DeviceType.ESME)

    def send(counter: int, target: Eui64, body: Any) -> None:
        octets = write_request(
            request(body, RequestId(user, target, counter)), xml_key_of(key_store, user)
        )
        door.intake.take(octets, door="http")

    return [
        lambda: door.papers.take(WORKBOOK, door="http", name="a.xlsx"),
        lambda: door.papers.say_done(1, door="http"),
        lambda: send(1, esme, ReadFirmwareVersion()),
        lambda: door.papers.take(b"PK\x03\x04", door="http", name="b.xlsx"),
        lambda: send(2, door.world.trust.dsp, ReadInventory(esme)),
        lambda: door.papers.say_done(2, door="http"),
        lambda: door.papers.say_done(3, door="http"),
    ]


def settled(door: Door) -> None:
    asyncio.run(door.rest())
    assert door.broken is None


def everything(door: Door) -> list[Any]:
    exchange = door.exchange
    answers = [exchange.answer(number) for number in range(1, 3)]
    papers = [exchange.outcome(number) for number in range(1, 3)]
    files = [exchange.file(number) for number in range(1, 6)]
    return [*answers, *papers, *files, *exchange.alerts(0), exchange.turn()]


def test_a_run_killed_at_every_step_says_octet_for_octet_what_one_left_alone_says(
    tmp_path: Path,
) -> None:
    alone, broken = Batches(), Batches()
    with standing(None, alone) as door:
        for act in acts(door):
            act()
            settled(door)
        asyncio.run(door.over())
        wanted = everything(door)
    state = tmp_path / "run.state"
    for number in range(7):
        broken = Batches()
        with standing(state, broken) as door:
            settled(door)
            acts(door)[number]()
            if number % 2:
                settled(door)
    with standing(state, broken := Batches()) as door:
        asyncio.run(door.over())
        assert everything(door) == wanted
    assert broken.seen == alone.seen


def test_the_http_way_of_a_participant_needs_nothing_but_the_port(quiet: Served) -> None:
    way = HttpWay("127.0.0.1", quiet.port)
    assert json.loads(way.ask("GET", "/turns/current")[1])["kind"] == "authorise"
