"""A flood of hubs' alerts, and hundreds of files at once: answered, complete, in bounded pieces."""

import fcntl
import json
import multiprocessing
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from device_profiles.installation import Installation
from device_profiles.words import DeviceType, SupplyShape
from emulator.core.clock import UtcMs
from harness.door import drop_out
from harness.door.drop_out import MOST_A_LOOK, write_out
from harness.door.exchange import Deed, Exchange, Raised
from harness.door.flood import Flood
from harness.door.homes import Homes
from harness.door.mover import MOST_AT_ONCE
from harness.errors import UsageError
from harness.formats.duis.responses import DccAlertMessage, read_response
from tests.harness.door.door_kit import DEMO, EIS, ESME, Served, opened
from tests.harness.door.test_door_drop import put, wait_for
from tests.sampling import examples

KINDS = (DeviceType.CHF, DeviceType.ESME)


def hubs(count: int) -> tuple[Installation, ...]:
    """Homes of a hub and a meter; the first meter is the demo's."""
    made = []
    for number in range(count):
        devices = [
            one.model_copy(
                update={
                    "eui64": one.eui64 if not number else f"02-53-42-10-00-{number:02X}-00-{n:02X}"
                }
            )
            for n, one in enumerate(one for one in DEMO.devices if one.role in KINDS)
        ]
        words = {
            "ref": f"hub-{number}",
            "shape": SupplyShape.ELECTRICITY_ONLY,
            "devices": tuple(devices),
        }
        made.append(DEMO.model_copy(update=words))
    return tuple(made)


def flooded(folder: Path, count: int, alerts: int) -> tuple[int, list[dict[str, Any]], int]:
    """Turns that a request waited for, what was raised, longest page."""
    homes = Homes(hubs(count), (), disturbances=(f"flood:alerts={alerts},over_s=300",))
    with opened(homes, folder) as here:
        assert here.way("http").send(here.read(ESME)).id == 1
        here.settle()
        assert here.door.broken is None
        wait_until_written(here)
        pages, after, found = [], 0, []
        while page := json.loads(here.http().ask("GET", f"/alerts?after={after}")[1])["alerts"]:
            found += page
            pages.append(len(page))
            after = page[-1]["number"]
        assert len(list((here.drop / "out").glob("alert-*.xml"))) == len(found)
        assert here.door.exchange.answer(1) is not None
        return here.door.mover.dealt_at[1], found, max(pages)


def wait_until_written(here: Served) -> None:
    pause = threading.Event()
    for _try in range(600):
        if not here.door.exchange.unwritten_alerts(1):
            return
        pause.wait(0.05)
    raise AssertionError("alerts never came to the drop")


def check_flood(tmp_path: Path, count: int, alerts: int) -> None:
    waited, one_each, _page = flooded(tmp_path / "few", count, 1)
    assert len(one_each) == count
    longer, many, page = flooded(tmp_path / "many", count, alerts)
    assert len(many) == count * alerts
    assert [one["number"] for one in many] == list(range(1, count * alerts + 1))
    assert page <= 100
    assert longer <= waited + 20, "a request waits for turns of the world, not for alerts"
    for one in (many[0], many[-1]):
        assert isinstance(read_response(one["document"].encode()).body, DccAlertMessage)


def test_hundreds_of_hub_alerts_leave_the_door_responsive_and_none_is_lost(tmp_path: Path) -> None:
    check_flood(tmp_path, 5, 40)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_two_thousand_hub_alerts_leave_the_door_responsive_and_none_is_lost(tmp_path: Path) -> None:
    check_flood(tmp_path, 100, 20)


def raised(number: int, octets: int) -> Raised:
    return Raised(EIS, "N62", None, UtcMs(number), b"<a>" + b"x" * octets + b"</a>")


def test_a_look_into_the_drop_writes_so_many_alerts_and_no_more(tmp_path: Path) -> None:
    with closing(Exchange.open(None, {})) as exchange:
        exchange.commit(Deed(UtcMs(1), alerts=[raised(number, 10) for number in range(450)]))
        written = [write_out(exchange, tmp_path) for _look in range(4)]
    assert written == [MOST_A_LOOK, MOST_A_LOOK, 50, 0]
    assert len(list(tmp_path.glob("alert-*.xml"))) == 450
    assert MOST_AT_ONCE < MOST_A_LOOK
    assert drop_out.MOST_A_LOOK == 200


@pytest.mark.parametrize("order", ["flood:alerts=0", "flod", "flood:alerts=x", "flood:hubs=2"])
def test_an_order_that_means_nothing_is_refused(order: str) -> None:
    with pytest.raises(UsageError):
        Flood.parse(order)


MIXED: list[tuple[str, str]] = [
    ("whole.xml", "taken"),
    ("cut.xml", "not-well-formed"),
    ("tagged.xml", "wrong-root"),
    ("book.xlsx", "no-papers"),
    ("named.bin", "taken"),
    ("empty.xml", "empty"),
    ("twin.xml", "replayed-counter"),
    (".hidden.xml", "bad-name"),
]


def mixed(served: Served, name: str, twin: bytes) -> bytes:
    whole = served.signed()
    made = {
        "cut.xml": whole[: len(whole) // 2],
        "tagged.xml": whole.replace(b"Request>", b"Bequest>").replace(
            b"sr:Request ", b"sr:Bequest "
        ),
        "book.xlsx": b"PK\x03\x04 workbook",
        "empty.xml": b"",
        "twin.xml": twin,
    }
    return made.get(name, whole)


def test_mixed_files_at_once_are_each_answered_none_lost_none_read_twice(served: Served) -> None:
    twin = served.signed()
    assert served.way("http").send(twin).document is not None
    before = served.door.exchange.counts()["requests"]
    rounds = max(1, examples(500) // len(MIXED))
    for number in range(rounds):
        for name, _wanted in MIXED:
            dot = "." if name.startswith(".") else ""
            put(served, f"{dot}m{number:03d}-{name.lstrip('.')}", mixed(served, name, twin))
    (served.drop / "in" / "late.xml.part").write_bytes(b"half")
    for number in range(rounds):
        for name, wanted in MIXED:
            full = f"m{number:03d}-{name.lstrip('.')}"
            if wanted == "taken":
                wait_for(served.drop / "taken" / full)
                wait_for(served.drop / "out" / f"{full}.response.xml")
                continue
            shown = f"_{full}".replace("-", "_").replace(".", "_") if wanted == "bad-name" else full
            error = json.loads(
                wait_for(served.drop / "refused" / f"{shown}.error.json").read_bytes()
            )
            assert error["code"] == wanted, full
    taken = sum(wanted == "taken" for _name, wanted in MIXED) * rounds
    assert served.door.exchange.counts()["requests"] - before == taken
    assert [one.name for one in (served.drop / "in").iterdir()] == ["late.xml.part"]


@pytest.mark.parametrize("lock", [fcntl.flock, fcntl.lockf])
def test_a_file_that_another_process_holds_locked_is_not_read_and_told_to_be_unreadable(
    served: Served, lock: Callable[[int, int], object]
) -> None:
    name = f"locked-{lock.__name__}.xml"
    held, let_go = multiprocessing.Event(), multiprocessing.Event()
    part = served.drop / "in" / f"{name}.part"
    part.write_bytes(served.signed())
    holder = multiprocessing.Process(target=hold, args=(part, lock, held, let_go))
    holder.start()
    assert held.wait(30)
    part.rename(served.drop / "in" / name)
    put(served, f"after-{name}", served.signed())
    wait_for(served.drop / "taken" / f"after-{name}")  # others do not wait for it
    assert not (served.drop / "taken" / name).exists()
    error = json.loads(wait_for(served.drop / "refused" / f"{name}.error.json").read_bytes())
    assert error["code"] == "unreadable"
    let_go.set()
    holder.join(30)


def hold(path: Path, lock: Callable[[int, int], object], held: Any, let_go: Any) -> None:
    """Hold a file locked, in a process of its own, until told."""
    with path.open("r+b") as file:
        lock(file.fileno(), fcntl.LOCK_EX)
        held.set()
        let_go.wait(60)
