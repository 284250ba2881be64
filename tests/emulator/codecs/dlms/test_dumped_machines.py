"""A machine dumped at any moment and loaded into a fresh one goes on with the very same octets."""

import json
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import pytest

from emulator.codecs.dlms import hdlc, hdlc_parameters, mode_e, wrapper
from emulator.codecs.dlms.apdu_blocks import BlockCollector, BlockSender
from emulator.codecs.dlms.apdu_parts import DataBlock
from emulator.codecs.dlms.dumped import Json
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_control import CONTROLS
from emulator.codecs.dlms.hdlc_link import LinkSettings, Reason
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_server import ServerLink, ServerState
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.codecs.dlms.hdlc_station import Station
from emulator.codecs.dlms.mode_e import Identification, OptionSelect, SignOn
from emulator.codecs.dlms.mode_e_sign_on import MeterSignOn, ReaderSignOn
from emulator.codecs.dlms.wrapper import WrapperFrame, WrapperSplitter
from emulator.core.chance import Chance, Stream
from tests.emulator.codecs.dlms.hdlc_given import (
    CLIENT,
    SERVER,
    WIDE,
    reached_client,
    reached_server,
)
from tests.emulator.codecs.dlms.hdlc_talk import Talk, seeded, talk, text


class Machine(Protocol):
    def dump(self) -> dict[str, Json]: ...

    def load(self, state: Json, path: str = "") -> None: ...


M = TypeVar("M", bound=Machine)


def through_json(machine: Machine) -> Any:
    return json.loads(json.dumps(machine.dump()))


def moved(machine: M, fresh: M) -> M:
    fresh.load(through_json(machine))
    assert fresh.dump() == machine.dump()
    return fresh


# Whole conversations, with and without restarts.


def _conversation(seed: int, *, restarts: bool) -> tuple[list[bytes], list[bytes], list[Reason]]:
    chance = Chance(seed)
    faults, moments, draw = (chance.stream(name) for name in ("faults", "moments", "messages"))
    window = seed % 7 + 1
    own = Parameters(24, 24, window, window)
    both = talk(own, own, retries=12, reply_timeout_ms=600_000)
    carried: list[bytes] = []
    spoil = seeded(faults)

    def fate(number: int, octets: bytes) -> list[bytes]:
        carried.append(octets)
        if moments.below(4) == 0 and restarts:
            _restart(both, own)
        return spoil(number, octets)

    both.line.fate = fate
    both.connect()
    for _ in range(4):
        both.ask(text(draw, draw.below(200) + 1))
    both.from_client(both.client.disconnect(both.now_ms))
    both.settle()
    return carried, both.received, both.ended


def _restart(both: Talk, own: Parameters) -> None:
    settings = LinkSettings(own, retries=12, reply_timeout_ms=600_000)
    called = Address(1, 17, 2)
    both.client = moved(both.client, ClientLink(settings, CLIENT, called))
    both.station = moved(both.station, Station(LinkSettings(own), frozenset({1}), 17))
    both.splitter = moved(both.splitter, FrameSplitter())


@pytest.mark.parametrize("seed", range(20))
def test_a_conversation_with_restarts_of_both_ends_is_the_one_without(seed: int) -> None:
    plain = _conversation(seed, restarts=False)
    assert _conversation(seed, restarts=True) == plain
    assert len(plain[0]) > 10


# Any event in any state.


def _any_frame(draw: Stream, *, to_server: bool) -> Frame:
    """Mostly what could come, now and then anything."""
    ends = (SERVER, CLIENT) if to_server else (CLIENT, SERVER)
    llc = hdlc.LLC_COMMAND if to_server else hdlc.LLC_RESPONSE
    if draw.below(12) == 0:
        return Frame(*ends, CONTROLS[draw.below(256)], draw.octets(draw.below(20)))
    if draw.below(12) == 0:
        offered = hdlc_parameters.encode(WIDE.parameters)
        return Frame(*ends, CONTROLS[0x93 if to_server else 0x73], offered)
    low = (0x10, 0x10, 0x00, 0x12, 0x02, 0x11, 0x15)[draw.below(7)]
    information = b"" if low & 1 else llc + draw.octets(draw.below(12) + 1)
    more = not low & 1 and draw.below(4) == 0
    return Frame(*ends, CONTROLS[draw.below(3) << 5 | low], information, more)


def _server_event(link: ServerLink, draw: Stream, now_ms: int) -> object:
    match draw.below(8):
        case 0:
            return link.expire(now_ms)
        case 1 | 2:
            return link.answer(None if draw.below(4) == 0 else draw.octets(40), now_ms)
    return link.receive(_any_frame(draw, to_server=True), now_ms)


def _client_event(link: ClientLink, draw: Stream, now_ms: int) -> object:
    choice = draw.below(8)
    if choice == 0:
        return link.expire(now_ms)
    if choice == 1 and link.state is ClientState.DISCONNECTED:
        return link.connect(now_ms)
    if choice <= 3 and link.state is ClientState.IDLE:
        return link.send(draw.octets(40), now_ms)
    return link.receive(_any_frame(draw, to_server=False), now_ms)


def _twins(
    first: M, fresh: Callable[[], M], event: Callable[[M, Stream, int], object], seed: int
) -> None:
    """Let one machine live on and its twin be born anew at random; they never differ."""
    one, other = Chance(seed).stream("events"), Chance(seed).stream("events")
    moments = Chance(seed).stream("moments")
    second = moved(first, fresh())
    now_ms = 0
    for _ in range(60):
        now_ms += (0, 10, 1_500, 130_000)[moments.below(4)]
        assert event(first, one, now_ms) == event(second, other, now_ms)
        if moments.below(5) == 0:
            second = moved(second, fresh())
    assert first.dump() == second.dump()


@pytest.mark.parametrize("state", list(ServerState))
def test_a_server_goes_on_alike_from_every_state_whatever_comes(state: ServerState) -> None:
    for seed in range(12):
        link = reached_server(state, WIDE)
        _twins(link, lambda: ServerLink(WIDE, SERVER, CLIENT), _server_event, seed)


@pytest.mark.parametrize("state", list(ClientState))
def test_a_client_goes_on_alike_from_every_state_whatever_comes(state: ClientState) -> None:
    for seed in range(12):
        link = reached_client(state, WIDE)
        _twins(link, lambda: ClientLink(WIDE, CLIENT, SERVER), _client_event, seed)


def test_a_station_keeps_two_clients_and_the_beginning_of_a_frame() -> None:
    def fresh() -> Station:
        return Station(LinkSettings(Parameters(32, 32, 2, 2)), frozenset({1}), 17)

    station = fresh()
    snrm = [hdlc.encode(Frame(Address(1, 17, 2), Address(sap), CONTROLS[0x93])) for sap in (1, 16)]
    station.feed(snrm[0] + snrm[1] + snrm[0][:5], 7)
    again = moved(station, fresh())
    assert len(again.links) == 2
    rest = snrm[0][5:] + hdlc.encode(Frame(Address(1, 17, 2), Address(16), CONTROLS[0x53]))
    assert again.feed(rest, 9) == station.feed(rest, 9)
    assert again.expire(10**6) == station.expire(10**6) != []


# Splitters, sign-on, blocks.


def _stream(draw: Stream, good: bytes) -> list[bytes]:
    octets = b"".join(
        good if draw.below(3) else draw.octets(draw.below(9)) + good[: draw.below(len(good))]
        for _ in range(30)
    )
    pieces = []
    while octets:
        size = draw.below(25) + 1
        pieces.append(octets[:size])
        octets = octets[size:]
    return pieces


@pytest.mark.parametrize("seed", range(20))
def test_a_splitter_finds_the_same_frames(seed: int) -> None:
    draw = Chance(seed).stream("octets")
    good = hdlc.encode(Frame(SERVER, CLIENT, CONTROLS[0x10], b"\x7e\xa0\x7e~~" * 4))
    first, second = FrameSplitter(), FrameSplitter()
    for piece in _stream(draw, good):
        assert first.feed(piece) == second.feed(piece)
        if draw.below(6) == 0:
            assert first.silence() == second.silence()
        second = moved(second, FrameSplitter())
    assert (first.refused, first.dropped_bytes) == (second.refused, second.dropped_bytes)


@pytest.mark.parametrize("seed", range(20))
def test_a_wrapper_splitter_finds_the_same_frames_and_stays_broken(seed: int) -> None:
    draw = Chance(seed).stream("octets")
    good = wrapper.encode(WrapperFrame(1, 16, b"some APDU"))
    first, second = WrapperSplitter(64), WrapperSplitter(64)
    for piece in [good[:9], good[9:] + good, *_stream(draw, good)]:
        assert first.feed(piece) == second.feed(piece)
        second = moved(second, WrapperSplitter(64))
        assert str(first.broken) == str(second.broken)
    assert second.broken is not None


MESSAGES = (
    SignOn().encode(),
    SignOn("12").encode(),
    Identification("XYZ", "5", "MODEL", "2").encode(),
    Identification("XYZ", "4", "MODEL").encode(),
    OptionSelect("2", "5", "2").encode(),
    OptionSelect("0", "4", "0").encode(),
    mode_e.encode_read_out("1.8.0(1*kWh)\r\n"),
    b"noise",
)


def _spoken(draw: Stream) -> bytes:
    octets = mode_e.with_even_parity(MESSAGES[draw.below(len(MESSAGES))])
    return octets if draw.below(3) else octets[: draw.below(len(octets))]


def _meter_event(meter: MeterSignOn, draw: Stream, now_ms: int) -> object:
    match draw.below(8):
        case 0:
            return meter.expire(now_ms)
        case 1:
            meter.close()
            return None
    return meter.receive(_spoken(draw), now_ms)


def _reader_event(reader: ReaderSignOn, draw: Stream, now_ms: int) -> object:
    if reader.state.name == "CLOSED":
        return reader.begin(now_ms)
    return reader.expire(now_ms) if draw.below(8) == 0 else reader.receive(_spoken(draw), now_ms)


@pytest.mark.parametrize("seed", range(30))
def test_both_ends_of_an_opening_go_on_alike(seed: int) -> None:
    def meter() -> MeterSignOn:
        return MeterSignOn(Identification("XYZ", "5", "MODEL", "2"), "12", "1.8.0(1)\r\n")

    _twins(meter(), meter, _meter_event, seed)
    _twins(ReaderSignOn(), ReaderSignOn, _reader_event, seed)


def test_a_block_transfer_goes_on_in_the_middle() -> None:
    value = bytes(range(100))
    sender, collector = BlockSender(value), BlockCollector(200)
    block: object = sender.first(9)
    taken: object = None
    while isinstance(block, DataBlock):
        taken = collector.take(block)
        sender = BlockSender.loaded(json.loads(json.dumps(sender.dump())))
        collector = moved(collector, BlockCollector(200))
        block = sender.next(block.number, 9)
    assert getattr(taken, "octets", None) == value
