"""Both machines talking to each other through lines that lose, repeat and spoil frames."""

import pytest

from emulator.codecs.dlms.hdlc import Address
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_link import (
    ApduReceived,
    Connected,
    Disconnected,
    Drop,
    Dropped,
    LinkSettings,
    Reason,
    Send,
)
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_server import ServerState
from emulator.codecs.dlms.hdlc_station import Station
from emulator.core.chance import Chance
from tests.emulator.codecs.dlms.hdlc_talk import CLIENT, flip, seeded, talk, text


@pytest.mark.parametrize("called", [Address(1), Address(1, 17, 2), Address(1, 0x2000, 4)])
@pytest.mark.parametrize("window", range(1, 8))
def test_messages_cross_at_every_window_and_address_size(called: Address, window: int) -> None:
    draw = Chance(window).stream("messages")
    both = talk(
        Parameters(40, 50, window, 8 - window), Parameters(128, 33, 8 - window, window), called
    )
    both.connect()
    assert both.client.agreed == Parameters(33, 50, window, 8 - window)
    for size in (1, 29, 30, 31, 400, 1500):
        question = text(draw, size)
        assert both.ask(question) == question[::-1]
    both.from_client(both.client.disconnect(both.now_ms))
    assert both.ended == [Reason.OWN]
    assert both.station.links == {}


def _deadline(station: Station) -> int | None:
    return station.deadline_ms  # a call, so that mypy does not think it fixed


@pytest.mark.parametrize("seed", range(40))
def test_a_bad_line_delays_messages_but_neither_changes_nor_repeats_them(seed: int) -> None:
    chance = Chance(seed)
    draw = chance.stream("messages")
    window = seed % 7 + 1
    own = Parameters(32, 32, window, window)
    both = talk(own, own, retries=12, reply_timeout_ms=600_000)
    both.line.fate = seeded(chance.stream("faults"))
    both.connect()
    asked = []
    for _ in range(6):
        asked.append(text(draw, draw.below(300) + 1))
        assert both.ask(asked[-1]) == asked[-1][::-1]
    assert both.delivered == asked
    assert both.line.count > 12


@pytest.mark.parametrize("window", [1, 3, 7])
def test_any_single_lost_frame_is_made_good(window: int) -> None:
    own = Parameters(16, 16, window, window)

    def lost(victim: int) -> tuple[int, list[bytes]]:
        both = talk(own, own)
        both.line.fate = lambda number, octets: [] if number == victim else [octets]
        both.connect()
        assert both.ask(bytes(range(70))) == bytes(range(70))[::-1]
        return both.line.count, both.delivered

    count, _ = lost(-1)
    for victim in range(count):
        assert lost(victim)[1] == [bytes(range(70))]


def test_every_single_flipped_bit_of_a_question_is_refused_and_made_good() -> None:
    clean = talk(Parameters(), Parameters())
    clean.connect()
    size = len(next(o.octets for o in clean.client.send(b"set", 0) if isinstance(o, Send)))
    for bit in range(size * 8):
        both = talk(Parameters(), Parameters())
        both.connect()
        start = both.line.count
        both.line.fate = lambda number, octets, bit=bit, start=start: (  # type: ignore[misc]  # defaults bind the loop
            [flip(octets, bit)] if number == start else [octets]
        )
        assert both.ask(b"set") == b"tes"
        assert both.delivered == [b"set"]


def test_a_dead_line_ends_in_no_answer() -> None:
    both = talk(Parameters(), Parameters())
    both.line.fate = lambda _number, _octets: []
    both.connect()
    assert both.ended == [Reason.NO_ANSWER]
    assert both.now_ms == 1500 * 4


def test_a_server_that_forgot_the_link_says_so() -> None:
    both = talk(Parameters(), Parameters())
    both.connect()
    both.station.links.clear()  # power loss
    both.from_client(both.client.send(b"x", both.now_ms))
    assert both.ended == [Reason.PEER]
    both.connect()
    assert both.ask(b"ab") == b"ba"


def test_a_slow_application_is_polled_until_it_answers() -> None:
    both = talk(Parameters(), Parameters())
    both.connect()
    key = next(iter(both.station.links))
    both.answer = lambda _apdu: None
    link = both.station.links[key]
    both.from_client(both.client.send(b"verify", both.now_ms))
    assert both.client.state is ClientState.PAUSED
    link.state = ServerState.ANSWERING  # as if it had not said None yet
    link.answer(b"pending", both.now_ms)
    both.settle()
    assert both.received == [b"pending"]


def test_two_clients_are_kept_apart_and_a_third_waits() -> None:
    station = Station(LinkSettings(), frozenset({1}), max_links=2)
    clients = [ClientLink(LinkSettings(), Address(sap), Address(1)) for sap in (16, 32, 48)]
    answers = []
    for client in clients:
        snrm = client.connect(0)[0]
        assert isinstance(snrm, Send)
        answers.append([item.output for item in station.feed(snrm.octets, 0)])
    assert [any(isinstance(o, Connected) for o in row) for row in answers] == [True, True, False]
    assert answers[2] == [Dropped(Drop.TOO_MANY_LINKS)]
    assert {key[0].upper for key in station.links} == {16, 32}
    assert _deadline(station) == 120_000
    ended = station.expire(120_000)
    assert [item.output for item in ended] == [Disconnected(Reason.INACTIVITY)] * 2
    assert _deadline(station) is None
    assert station.links == {}


@pytest.mark.parametrize(
    ("called", "outcome"),
    [
        (Address(2), Drop.NOT_FOR_US),
        (Address(0), Drop.NOT_FOR_US),
        (Address(1, 18, 2), Drop.NOT_FOR_US),
        (Address(0x7F), Drop.NOT_EXPECTED),
        (Address(1, 0x7F, 2), Drop.NOT_EXPECTED),
        (Address(0x3FFF, 0x3FFF, 4), Drop.NOT_EXPECTED),
    ],
)
def test_calls_to_others_or_to_all_are_not_answered(called: Address, outcome: Drop) -> None:
    station = Station(LinkSettings(), frozenset({1}), 17)
    snrm = ClientLink(LinkSettings(), CLIENT, called).connect(0)[0]
    assert isinstance(snrm, Send)
    assert [item.output for item in station.feed(snrm.octets, 0)] == [Dropped(outcome)]
    assert station.links == {}


def test_a_call_to_all_in_a_ui_frame_is_heard() -> None:
    station = Station(LinkSettings(), frozenset({1}), 17)
    call = ClientLink(LinkSettings(), CLIENT, Address(0x7F)).send_unnumbered(b"time")[0]
    assert isinstance(call, Send)
    assert [item.output for item in station.feed(call.octets, 0)] == [
        ApduReceived(b"time", numbered=False)
    ]


def test_noise_never_raises_and_never_connects() -> None:
    draw = Chance(3).stream("noise")
    station = Station(LinkSettings(), frozenset({1}))
    for now in range(100):
        outputs = station.feed(draw.octets(97) + b"\x7e\xa0\x07", now)
        outputs += station.silence(now)
        assert not [item for item in outputs if isinstance(item.output, Connected | ApduReceived)]
