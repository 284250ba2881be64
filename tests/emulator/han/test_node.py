"""The radio stack: two nodes face to face, frame by frame."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee import aps, mac, nwk
from emulator.core.effects import Note, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.han.address_book import AddressBook, Place
from emulator.han.aps_receiver import REASSEMBLY_WAIT_US
from emulator.han.aps_sender import (
    ACK_WAIT_US,
    DUPLICATE_MEMORY_US,
    MAX_BLOCKS,
    MAX_REPEATS,
    MAX_TRANSFERS,
)
from emulator.han.node import RadioNode
from emulator.han.outputs import NodeOutput, Settled, StartTimer, StopTimer, Transmit
from tests.sampling import examples

CHF, GPF = Eui64(b"\x00" * 7 + b"\x01"), Eui64(b"\x00" * 7 + b"\x02")
ESME = Eui64(b"\x00" * 7 + b"\x03")
BOOK = AddressBook(0x1A2B, [Place(CHF, 0, 10), Place(GPF, 0, 11), Place(ESME, 0x2001, 3)])
TUNNEL, OTA = 0x0704, 0x0019


def acked(size: int, fill: int = 0x55) -> SendZcl:
    """A frame whose loss matters: Transfer Data of the Tunneling cluster."""
    return SendZcl(ESME, TUNNEL, b"\x19\x01\x01" + bytes([fill]) * (size - 3))


def block(fill: int) -> SendZcl:
    """A frame nobody acknowledges: Image Block Response."""
    return SendZcl(ESME, OTA, bytes([0x19, fill, 0x05]) + bytes(30))


class Pair:
    """A hub and an ESME, with the air between them in the test's hand."""

    def __init__(self, max_apdu_bytes: int = 61) -> None:
        self.hub = RadioNode(0, BOOK, max_apdu_bytes)
        self.esme = RadioNode(0x2001, BOOK, max_apdu_bytes)
        self.now = 0
        self.timers: dict[tuple[int, str], int] = {}
        self.heard: list[ZclIndication] = []
        self.settled: list[Settled] = []
        self.notes: list[str] = []
        self.on_air: list[Transmit] = []

    def take(self, node: RadioNode, outputs: list[NodeOutput]) -> None:
        for output in outputs:
            match output:
                case Transmit():
                    self.on_air.append(output)
                case ZclIndication():
                    self.heard.append(output)
                case Settled():
                    self.settled.append(output)
                case StartTimer():
                    self.timers[node.short, output.name] = output.due_us
                case StopTimer():
                    self.timers.pop((node.short, output.name), None)
                case Note():
                    self.notes.append(output.kind)

    def send(self, order: SendZcl, handle: int = 0) -> None:
        self.take(self.hub, self.hub.send(order, self.now, handle))

    def deliver(self, frame: Transmit) -> None:
        node = self.hub if frame.to == 0 else self.esme
        self.now += 1000
        self.take(node, node.receive(frame.octets, self.now))

    def settle(self, lose: Callable[[Transmit], bool] = lambda _frame: False) -> None:
        """Let frames and timers go on until nothing moves."""
        for _ in range(2000):
            if self.on_air:
                frame = self.on_air.pop(0)
                if not lose(frame):
                    self.deliver(frame)
            elif self.timers:
                (short, name), due = min(self.timers.items(), key=lambda item: item[1])
                del self.timers[short, name]
                self.now = max(self.now, due)
                node = self.hub if short == 0 else self.esme
                self.take(node, node.expire(name, self.now))
            else:
                return
        raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("size", [3, 60, 61, 62, 122, 123, 500, 1500])
@pytest.mark.parametrize("limit", [16, 61, 98, 1500])
def test_a_frame_of_any_size_arrives_whole(size: int, limit: int) -> None:
    pair = Pair(limit)
    pair.send(acked(size), handle=7)
    pair.settle()
    assert [(got.source, got.destination, got.frame) for got in pair.heard] == [
        (CHF, ESME, acked(size).frame)
    ]
    assert pair.settled == [Settled(7, True, 1)]
    assert pair.notes == []


def test_every_mac_frame_fits_the_radio_and_its_check_sequence_is_right() -> None:
    pair = Pair(1500)
    pair.send(acked(1500))
    seen: list[Transmit] = []

    def watch(frame: Transmit) -> bool:
        seen.append(frame)
        return False

    pair.settle(watch)
    assert all(len(frame.octets) <= 127 for frame in seen)
    assert all(mac.decode(frame.octets).pan_id == 0x1A2B for frame in seen)


def test_chf_and_gpf_of_one_node_are_told_apart() -> None:
    pair = Pair()
    pair.take(pair.hub, pair.hub.send(SendZcl(ESME, 0x0702, b"\x18\x01\x0a", GPF), 0))
    pair.take(pair.esme, pair.esme.send(SendZcl(GPF, 0x0702, b"\x18\x02\x0a"), 0))
    pair.take(pair.esme, pair.esme.send(SendZcl(CHF, 0x0702, b"\x18\x03\x0a"), 0))
    pair.settle()
    assert sorted((str(got.source), str(got.destination)) for got in pair.heard) == sorted(
        [(str(GPF), str(ESME)), (str(ESME), str(GPF)), (str(ESME), str(CHF))]
    )


def test_blocks_of_images_ask_for_no_acknowledgement() -> None:
    pair = Pair()
    pair.send(block(1))
    assert len(pair.on_air) == 1
    pair.deliver(pair.on_air.pop())
    assert pair.on_air == []
    assert len(pair.heard) == 1


def test_a_stream_of_blocks_is_never_taken_for_duplicates() -> None:
    pair = Pair()
    for number in range(600):
        pair.send(block(number % 256))
    pair.settle()
    assert len(pair.heard) == 600


def test_a_block_that_arrives_twice_is_handed_up_once() -> None:
    pair = Pair()
    pair.send(block(1))
    frame = pair.on_air.pop()
    pair.deliver(frame)
    pair.deliver(frame)
    assert len(pair.heard) == 1
    assert pair.notes == ["han_duplicate_dropped"]


@pytest.mark.parametrize("size", [30, 300])
def test_a_lost_frame_is_repeated(size: int) -> None:
    pair = Pair()
    pair.send(acked(size), handle=1)
    pair.on_air.clear()
    pair.settle()
    assert len(pair.heard) == 1
    assert pair.settled == [Settled(1, True, 2 if size == 30 else 1)]


@pytest.mark.parametrize("size", [30, 300])
def test_when_acknowledgements_are_lost_the_frame_is_still_handed_up_once(size: int) -> None:
    pair = Pair()
    pair.send(acked(size), handle=1)
    lost = iter([True, False] * 100)
    pair.settle(lambda frame: frame.label == "aps.ack" and next(lost))
    assert len(pair.heard) == 1
    assert pair.settled[0].delivered


def test_without_any_answer_the_transfer_fails_after_its_repeats() -> None:
    pair = Pair()
    pair.send(acked(300), handle=1)
    tries: list[Transmit] = []

    def lose(frame: Transmit) -> bool:
        tries.append(frame)
        return True

    pair.settle(lose)
    assert len(tries) == MAX_REPEATS + 1
    assert pair.now == (MAX_REPEATS + 1) * ACK_WAIT_US
    assert pair.settled == [Settled(1, False, 0)]  # the last block never went out
    assert pair.notes == ["han_transfer_failed"]


def test_a_failed_transfer_says_when_the_whole_may_have_arrived() -> None:
    pair = Pair()
    pair.send(acked(30), handle=1)
    pair.settle(lambda frame: frame.label == "aps.ack")
    assert pair.settled == [Settled(1, False, MAX_REPEATS + 1)]
    assert len(pair.heard) == 1


def test_transfers_to_one_node_go_one_after_the_other() -> None:
    pair = Pair()
    for number in range(5):
        pair.send(acked(130, number), handle=number + 1)
    assert len(pair.on_air) == 1
    pair.settle()
    assert [got.frame[3] for got in pair.heard] == [0, 1, 2, 3, 4]
    assert [one.handle for one in pair.settled] == [1, 2, 3, 4, 5]


def test_a_cancelled_transfer_settles_at_once_and_the_next_one_starts() -> None:
    pair = Pair()
    pair.send(acked(130, 1), handle=1)
    pair.send(acked(130, 2), handle=2)
    pair.take(pair.hub, pair.hub.cancel(1, 0))
    assert pair.settled == [Settled(1, False, 0)]
    pair.settle()
    assert [got.frame[3] for got in pair.heard] == [2]
    assert pair.hub.cancel(99, 0) == []


def test_pieces_whose_rest_never_comes_are_thrown_away() -> None:
    pair = Pair()
    pair.send(acked(130))
    pair.deliver(pair.on_air.pop())
    pair.on_air.clear()
    pair.hub.forget()
    pair.timers = {key: due for key, due in pair.timers.items() if key[0]}
    assert list(pair.timers.values()) == [pair.now + REASSEMBLY_WAIT_US]
    pair.settle()
    assert (pair.heard, pair.notes) == ([], ["han_reassembly_timed_out"])


def test_a_node_that_lost_power_forgets_what_it_heard_and_not_its_counters() -> None:
    pair = Pair()
    pair.send(acked(30, 1))
    frame = pair.on_air[0]
    pair.settle()
    pair.hub.forget()
    pair.esme.forget()
    pair.send(acked(30, 2))
    assert aps_counter(pair.on_air[0]) != aps_counter(frame)
    pair.settle()
    pair.deliver(frame)
    assert [got.frame[3] for got in pair.heard] == [1, 2, 1]


def aps_counter(frame: Transmit) -> int:
    inner = aps.decode(nwk.decode(mac.decode(frame.octets).payload).payload)
    return inner.counter


def test_a_counter_is_not_used_again_while_it_may_be_remembered() -> None:
    pair = Pair()
    counters = []
    for _ in range(128):
        pair.send(acked(10))
        counters.append(aps_counter(pair.on_air[0]))
        pair.settle()
    assert len(set(counters)) == 128
    pair.now += DUPLICATE_MEMORY_US + 1
    pair.send(acked(10))
    pair.settle()
    assert len(pair.heard) == 129


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda frame: frame[:-1], "check sequence"),
        (lambda frame: frame[:-1] + bytes([frame[-1] ^ 1]), "check sequence"),
        (lambda frame: sealed(frame[:3] + b"\x00\x00" + frame[5:-2]), "another PAN"),
        (lambda frame: sealed(frame[:5] + b"\x02\x20" + frame[7:-2]), "another node"),
        (lambda frame: sealed(frame[:11] + b"\x02\x20" + frame[13:-2]), "another node"),
        (lambda frame: sealed(frame[:13] + b"\x09\x09" + frame[15:-2]), "nobody known"),
        (lambda frame: sealed(frame[:18] + b"\x63" + frame[19:-2]), "no such endpoint"),
        (lambda frame: sealed(frame[:21] + b"\x04\x01" + frame[23:-2]), "no such endpoint"),
        (lambda frame: sealed(frame[:-20]), ""),
        (lambda _frame: b"", "11 to 127"),
    ],
)
def test_a_frame_that_cannot_be_right_is_dropped_with_a_note(
    change: Callable[[bytes], bytes], why: str
) -> None:
    pair = Pair()
    pair.send(block(1))
    (frame,) = pair.on_air
    outputs = pair.esme.receive(change(frame.octets), 0)
    if why:
        (note,) = outputs
        assert isinstance(note, Note)
        assert note.kind == "han_frame_discarded"
        assert why in str(dict(note.fields)["why"])
    else:  # shorter, and otherwise right: the application's matter
        assert isinstance(outputs[0], ZclIndication)


def sealed(body: bytes) -> bytes:
    return body + mac.fcs(body).to_bytes(2, "little")


@settings(max_examples=examples(300), deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_ever_crashes_a_node_or_passes_the_check_sequence(data: st.DataObject) -> None:
    pair = Pair()
    pair.send(acked(data.draw(st.integers(3, 150))))
    frame = pair.on_air[0].octets
    spoilt = bytearray(frame[: data.draw(st.integers(0, len(frame)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if spoilt:
            spoilt[data.draw(st.integers(0, len(spoilt) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    before = pair.esme.dump()
    outputs = pair.esme.receive(bytes(spoilt), 0)
    if bytes(spoilt) != frame and len(frame) - len(spoilt) < 2:
        assert [type(output) for output in outputs] == [Note]
        assert pair.esme.dump() == before


@settings(max_examples=examples(300), deadline=None, derandomize=True)
@given(body=st.binary(max_size=125))
def test_no_octets_with_a_right_check_sequence_crash_a_node(body: bytes) -> None:
    node = RadioNode(0x2001, BOOK, 61)
    node.receive(sealed(body), 0)
    node.receive(sealed(b"\x41\x88\x00\x2b\x1a\x01\x20\x00\x00" + body[:116]), 0)
    node.receive(
        sealed(
            b"\x41\x88\x00\x2b\x1a\x01\x20\x00\x00\x08\x00\x01\x20\x00\x00\x1e\x01" + body[:100]
        ),
        0,
    )


def test_a_frame_for_nobody_is_noted() -> None:
    pair = Pair()
    stranger = Eui64(b"\xff" * 8)
    for order in (SendZcl(stranger, OTA, b"\x01\x00\x00"), SendZcl(GPF, OTA, b"\x01\x00\x00")):
        pair.send(order)
    assert pair.notes == ["han_no_such_node"] * 2
    with pytest.raises(ValueError, match="no endpoint"):
        RadioNode(0x9999, BOOK, 61)


@pytest.mark.parametrize("steps", range(12))
def test_a_stack_restored_in_the_midst_of_a_transfer_goes_on(steps: int) -> None:
    pair = Pair()
    pair.send(acked(200), handle=1)
    pair.send(acked(30), handle=2)
    for _ in range(steps):
        if pair.on_air:
            pair.deliver(pair.on_air.pop(0))
    hub, esme = RadioNode(0, BOOK, 61), RadioNode(0x2001, BOOK, 61)
    hub.load(pair.hub.dump())
    esme.load(pair.esme.dump())
    assert (hub.dump(), esme.dump()) == (pair.hub.dump(), pair.esme.dump())
    pair.hub, pair.esme = hub, esme
    pair.settle()
    assert [len(got.frame) for got in pair.heard] == [200, 30]
    assert [one.delivered for one in pair.settled] == [True, True]


def test_a_receiver_that_goes_off_drops_what_is_half_done() -> None:
    pair = Pair()
    pair.take(pair.esme, pair.esme.send(SendZcl(CHF, TUNNEL, b"\x11\x01\x02" + bytes(200)), 0))
    assert any(short for short, _name in pair.timers)
    pair.take(pair.esme, pair.esme.fall_silent())
    assert not any(short for short, _name in pair.timers)


@pytest.mark.parametrize("handle", [0, 7])
def test_a_frame_of_more_blocks_than_can_be_numbered_fails_at_once(handle: int) -> None:
    pair = Pair(61)
    pair.send(acked(61 * MAX_BLOCKS), handle)
    pair.settle()
    assert len(pair.heard) == 1
    pair.send(acked(61 * MAX_BLOCKS + 1), handle)
    assert pair.on_air == []
    assert pair.notes == ["han_transfer_refused"]
    assert pair.settled[1:] == ([Settled(7, False, 0)] if handle else [])


def test_a_node_that_acknowledges_nothing_cannot_fill_the_memory_of_another() -> None:
    pair = Pair()
    for number in range(1, 3 * MAX_TRANSFERS):
        pair.send(acked(30), handle=number)
    assert len(pair.notes) == 2 * MAX_TRANSFERS - 1
    assert pair.settled[0] == Settled(MAX_TRANSFERS + 1, False, 0)
    assert pair.hub.dump()["sender"]["queues"][0][0] == 0x2001
    assert len(pair.hub.dump()["sender"]["queues"][0][1]) == MAX_TRANSFERS
    pair.settle(lambda _frame: True)
    assert len(pair.settled) == 3 * MAX_TRANSFERS - 1  # every owner has heard of every transfer
