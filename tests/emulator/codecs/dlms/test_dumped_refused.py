"""A dump that is damaged, or of another machine, is refused by the path of the wrong value."""

import copy
import json
from collections.abc import Callable
from typing import Any, Protocol

import pytest

from emulator.codecs.dlms import hdlc, hdlc_parameters
from emulator.codecs.dlms.apdu_blocks import BlockCollector
from emulator.codecs.dlms.dumped import DumpedStateError, Json
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_client import ClientState
from emulator.codecs.dlms.hdlc_control import CONTROLS
from emulator.codecs.dlms.hdlc_link import LinkSettings, Numbering
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_server import ServerState
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.codecs.dlms.hdlc_station import Station
from emulator.codecs.dlms.mode_e import Identification
from emulator.codecs.dlms.mode_e_sign_on import MeterSignOn, ReaderSignOn
from emulator.codecs.dlms.wrapper import WrapperSplitter
from tests.emulator.codecs.dlms.hdlc_given import WIDE, reached_client, reached_server


class Machine(Protocol):
    def dump(self) -> dict[str, Json]: ...

    def load(self, state: Json, path: str = "") -> None: ...


def through_json(machine: Machine) -> Any:
    return json.loads(json.dumps(machine.dump()))


def _station() -> Station:
    station = Station(LinkSettings(Parameters(32, 32, 2, 2)), frozenset({1}))
    for sap in (1, 16):
        offered = hdlc_parameters.encode(Parameters(32, 32, 2, 2))
        snrm = Frame(Address(1), Address(sap), CONTROLS[0x93], offered)
        station.feed(hdlc.encode(snrm), 0)
    question = Frame(Address(1), Address(16), CONTROLS[0x10], hdlc.LLC_COMMAND + b"?")
    station.feed(hdlc.encode(question), 1)
    station.links[Address(16), Address(1)].answer(bytes(100), 2)
    station.feed(b"~\xa0", 3)
    return station


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inner = [leaf for key in value for leaf in _leaves(value[key], (*path, key))]
        return [(*path, key) for key in value] + inner
    if isinstance(value, list):
        return [leaf for at, item in enumerate(value) for leaf in _leaves(item, (*path, at))]
    return []


def _spoiled(state: Any, leaf: tuple[Any, ...], value: object) -> Any:
    spoiled = copy.deepcopy(state)
    inner = spoiled
    for key in leaf[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[leaf[-1]]
    else:
        inner[leaf[-1]] = value
    return spoiled


MACHINES: list[tuple[str, Callable[[], Machine]]] = [
    ("station", _station),
    ("splitter", FrameSplitter),
    ("client_link", lambda: reached_client(ClientState.WAITING, WIDE)),
    ("client_link", lambda: reached_client(ClientState.DISCONNECTED, WIDE)),
    ("server_link", lambda: reached_server(ServerState.REJECTED, WIDE)),
    ("sign_on", lambda: MeterSignOn(Identification("XYZ", "5", "MODEL"))),
    ("sign_on", ReaderSignOn),
    ("splitter", WrapperSplitter),
    ("block_collector", lambda: BlockCollector(100)),
]


@pytest.mark.parametrize(("name", "make"), MACHINES)
@pytest.mark.parametrize("value", [..., 1.5, "no such thing", [7], {"some": "thing"}, -5])
def test_every_missing_or_mistyped_value_is_named_and_nothing_is_taken(
    name: str, make: Callable[[], Machine], value: object
) -> None:
    machine = make()
    state = through_json(machine)
    for leaf in _leaves(state):
        if leaf[-1] in {"deadline_ms", "poll_held_ms"} and value == -5:
            continue  # a moment before the clock's zero is a moment
        with pytest.raises(DumpedStateError) as caught:
            machine.load(_spoiled(state, leaf, value))
        assert caught.value.path.startswith(name)
        assert str(leaf[-1]) in str(caught.value) or value is ... or isinstance(value, dict)
        assert machine.dump() == state


@pytest.mark.parametrize(("name", "make"), MACHINES)
@pytest.mark.parametrize("state", [None, [], "text", 1, {}, {"some": "thing"}])
def test_what_is_no_such_dump_is_refused(
    name: str, make: Callable[[], Machine], state: Json
) -> None:
    machine = make()
    before = machine.dump()
    with pytest.raises(DumpedStateError, match=name):
        machine.load(state)
    assert machine.dump() == before


@pytest.mark.parametrize(
    ("leaf", "value", "why"),
    [
        (("links", 0, "link", "agreed"), "8180", "octet"),
        (("links", 0, "called"), "05", "not an address of this station"),
        (("links", 0, "called"), "ff", "not an address of this station"),
        (("links", 0, "client"), "02", "an address has"),
        (("links", 0, "client"), "21", "second link"),
        (("links", 1, "link", "numbers", "receive_state"), 8, "from 0 to 7"),
        (("links", 1, "link", "numbers", "stored"), [], "without its last segment"),
        (("links", 1, "link", "numbers", "assembly"), "00", "has not begun"),
        (("splitter", "kept"), "00" * 5000, "are the limit"),
        (("splitter", "kept"), "zz", "not hex"),
    ],
)
def test_a_value_beyond_the_machines_limits_is_refused(
    leaf: tuple[Any, ...], value: object, why: str
) -> None:
    station = _station()
    state = through_json(station)
    wrong = _spoiled(state, leaf, value)
    if value == []:
        wrong["links"][1]["link"]["numbers"]["unsent"] = [{"information": "00", "segmented": True}]
    with pytest.raises(DumpedStateError, match=why):
        station.load(wrong)
    assert station.dump() == state


def test_a_window_larger_than_agreed_is_refused() -> None:
    numbers = Numbering(Parameters(transmit_window=2), 100)
    row: dict[str, Json] = {"information": "00", "segmented": False}
    state = numbers.dump()
    state["stored"] = [row, row, row]
    with pytest.raises(DumpedStateError, match="3 rows, 2 are the limit"):
        numbers.load(state)
