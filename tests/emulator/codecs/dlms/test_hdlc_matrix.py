"""Every window, information size and address length, both ways, and flags in awkward places."""

import itertools

import pytest

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.hdlc import LLC_RESPONSE, Address, Frame
from emulator.codecs.dlms.hdlc_client import ClientState
from emulator.codecs.dlms.hdlc_control import i_control
from emulator.codecs.dlms.hdlc_link import Reason
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.core.chance import Chance
from tests.emulator.codecs.dlms.hdlc_talk import CLIENT, talk, text

ADDRESSES = [Address(1), Address(1, 17, 2), Address(1, 0x1234, 4)]
SIZES = [64, 128, 255, 256, 512, 1024]


@pytest.mark.parametrize("called", ADDRESSES, ids=lambda address: f"{address.size}-octets")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("window", range(1, 8))
def test_long_messages_cross_both_ways_at_every_window_size_and_address(
    window: int, size: int, called: Address
) -> None:
    draw = Chance(window * size).stream("messages")
    both = talk(Parameters(size, size, window, window), Parameters(2030, 2030, 7, 7), called)
    both.connect()
    assert both.client.agreed == Parameters(size, size, window, window)
    # one octet less and more than a full frame, then one more than two windows (LLC takes three)
    for length in (size - 4, size - 3, size - 2, 2 * window * size - 2):
        question = text(draw, length)
        assert both.ask(question) == question[::-1]
    both.from_client(both.client.disconnect(both.now_ms))
    assert (both.ended, both.client.state) == ([Reason.OWN], ClientState.DISCONNECTED)


@pytest.mark.parametrize(
    ("offered", "able"),
    list(itertools.product([(64, 1), (300, 7), (2030, 3)], [(64, 7), (1024, 2)])),
)
def test_what_is_agreed_is_the_lesser_of_both_in_each_direction(
    offered: tuple[int, int], able: tuple[int, int]
) -> None:
    both = talk(Parameters(offered[0], 128, offered[1], 1), Parameters(512, able[0], 5, able[1]))
    both.connect()
    assert both.client.agreed.transmit_bytes == min(offered[0], able[0])
    assert both.client.agreed.transmit_window == min(offered[1], able[1])
    assert both.client.agreed.receive_bytes == 128
    assert both.client.agreed.receive_window == 1
    link = next(iter(both.station.links.values()))
    assert link.agreed == Parameters(128, min(offered[0], able[0]), 1, min(offered[1], able[1]))
    question = text(Chance(3).stream("m"), 1500)
    assert both.ask(question) == question[::-1]


def _with_check_sequences(number: int) -> Frame:
    information = LLC_RESPONSE + number.to_bytes(4, "big")
    return Frame(CLIENT, Address(1), i_control(number, number >> 3, poll=True), information)


def test_flags_in_check_sequences_neither_end_nor_begin_a_frame() -> None:
    wanted = {"fcs last": 0, "fcs first": 0, "header check": 0}
    splitter = FrameSplitter()
    for number in range(6000):
        frame = _with_check_sequences(number)
        octets = hdlc.encode(frame)
        found = {
            "fcs last": octets[-2] == hdlc.FLAG,
            "fcs first": octets[-3] == hdlc.FLAG,
            "header check": hdlc.FLAG in octets[6:8],
        }
        if not any(found.values()):
            continue
        for name, there in found.items():
            wanted[name] += there
        out = [whole for octet in octets for whole in splitter.feed(bytes((octet,)))]
        assert out == [frame]
        assert splitter.kept_bytes == 1  # its closing flag, which may open the next
    assert min(wanted.values()) > 5
    assert splitter.dropped_bytes == 0


def test_two_frames_may_share_a_flag_even_when_the_first_ends_in_one() -> None:
    ends_in_flag = next(
        frame
        for frame in map(_with_check_sequences, range(6000))
        if hdlc.encode(frame)[-2] == hdlc.FLAG
    )
    octets = hdlc.encode(ends_in_flag)
    assert FrameSplitter().feed(octets + octets[1:] + octets) == [ends_in_flag] * 3
