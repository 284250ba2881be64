"""Block transfer: sender and receiver over a link that loses, repeats and reorders blocks."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.envelope import Cra, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbt import GbtBlock, GbtSettings
from emulator.codecs.gbcs.gbt_receiver import GbtReceiver, GbtRefusal
from emulator.codecs.gbcs.gbt_sender import GbtSender, SenderState
from emulator.core.chance import Chance, Stream
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.given import needs_rtds, rtds_messages
from tests.sampling import examples

METER = Eui64.parse("00-DB-12-34-56-78-90-A0")
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
HEADER = GroupingHeader(Cra.RESPONSE, 1002, METER, SUPPLIER, OtherInformation(0x0030))
SMALL = GbtSettings(block_bytes=10, window=3)
NOW = UtcMs(0)


def message(length: int) -> bytes:
    return Chance(1).stream("message").octets(length)


def carried(
    octets: bytes, limits: GbtSettings, link: Stream | None = None, loss: int = 0
) -> tuple[bytes | None, GbtSender]:
    """Send a message until it is over; of 100 blocks ``loss`` are lost, some come twice."""
    sender, receiver = GbtSender(octets, HEADER, limits), GbtReceiver(limits)
    found, now = None, NOW
    to_go = sender.start(now)
    while not sender.is_over:
        answers: list[GbtBlock] = []
        for block in disturbed(to_go, link, loss):
            came = receiver.take(gbt.decode(gbt.encode(block)), now)
            assert came.refusal in {None, GbtRefusal.OUT_OF_WINDOW, GbtRefusal.NOT_FIRST}
            assert found is None or came.message is None
            found = came.message or found
            answers += came.answers
        to_go = []
        for block in disturbed(answers, link, loss):
            to_go += sender.acknowledged(gbt.decode(gbt.encode(block)), now)
        if not to_go and sender.deadline is not None:
            now = sender.deadline
            to_go = sender.timeout(now)
    return found, sender


def disturbed(blocks: list[GbtBlock], link: Stream | None, loss: int) -> list[GbtBlock]:
    if link is None:
        return blocks
    out: list[GbtBlock] = []
    for block in blocks:
        if link.below(100) >= loss:
            out.append(block)
        if link.below(100) < loss // 2:
            out.append(block)
        if len(out) > 1 and link.below(100) < loss // 2:
            out[-1], out[-2] = out[-2], out[-1]
    return out


@pytest.mark.parametrize("length", [1, 9, 10, 11, 29, 30, 31, 60, 1307])
def test_a_message_of_any_length_arrives_as_it_was_sent(length: int) -> None:
    found, sender = carried(message(length), SMALL)
    assert found == message(length)
    assert sender.state is SenderState.DONE


@settings(max_examples=examples(150), deadline=None)
@given(
    length=st.integers(1, 400),
    block=st.integers(1, 60),
    window=st.integers(1, 63),
    seed=st.integers(0, 1 << 30),
    loss=st.integers(0, 40),
)
def test_lost_repeated_and_reordered_blocks_do_no_harm(
    length: int, block: int, window: int, seed: int, loss: int
) -> None:
    limits = GbtSettings(block_bytes=block, window=window, retries=60)
    link = Chance(seed).stream("link")
    found, sender = carried(message(length), limits, link, loss)
    assert found == message(length)
    assert sender.state is SenderState.DONE


def test_a_dead_link_ends_with_the_sender_giving_up_after_its_retries() -> None:
    sender = GbtSender(message(25), HEADER, SMALL)
    now, sent = NOW, [sender.start(NOW)]
    while sender.deadline is not None:
        now = sender.deadline
        sent.append(sender.timeout(now))
    assert sender.state is SenderState.GIVEN_UP
    assert [len(blocks) for blocks in sent] == [3, 3, 3, 3, 0]
    assert now == 4 * SMALL.ack_timeout_ms
    assert sender.timeout(now) == [] == sender.start(now)


def test_a_window_is_sent_and_the_last_of_it_asks_for_an_acknowledgement() -> None:
    sender = GbtSender(message(45), HEADER, SMALL)
    first = sender.start(NOW)
    assert [(b.number, b.is_streaming, b.is_last) for b in first] == [
        (1, True, False), (2, True, False), (3, False, False),
    ]  # fmt: skip
    lost_second = replace(first[0], acknowledged=1, number=0, data=b"", window=3)
    again = sender.acknowledged(lost_second, NOW)
    assert [(b.number, b.is_streaming, b.is_last) for b in again] == [
        (2, True, False), (3, True, False), (4, False, False),
    ]  # fmt: skip
    assert sender.acknowledged(replace(lost_second, acknowledged=9), NOW) == []
    assert sender.acknowledged(replace(lost_second, acknowledged=0), NOW) == []
    narrower = replace(lost_second, acknowledged=4, window=1)
    assert [b.number for b in sender.acknowledged(narrower, NOW)] == [5]


def blocks_of(length: int, limits: GbtSettings = SMALL) -> list[GbtBlock]:
    return list(gbt.segment(message(length), HEADER, limits))


def refusals(blocks: list[GbtBlock], limits: GbtSettings = SMALL) -> list[GbtRefusal | None]:
    receiver = GbtReceiver(limits)
    return [receiver.take(block, NOW).refusal for block in blocks]


def test_each_wrong_block_is_refused_for_its_own_reason() -> None:
    one, two, three, *_, last = blocks_of(55)
    assert refusals([last]) == [GbtRefusal.NOT_FIRST]
    assert refusals([one, last]) == [None, GbtRefusal.OUT_OF_WINDOW]
    assert refusals([one, replace(one, data=b"x")]) == [None, GbtRefusal.OTHER_CONTENT]
    assert refusals([one, replace(two, is_last=True), three])[1:] == [None, None]
    ends = replace(two, is_last=True)
    assert refusals([one, three, ends]) == [None, None, GbtRefusal.BEHIND_LAST]
    assert refusals([replace(two, is_last=True), three]) == [None, GbtRefusal.BEHIND_LAST]
    assert refusals([replace(one, data=b"", is_last=True)]) == [GbtRefusal.EMPTY_BLOCK]
    tight = replace(SMALL, max_message_bytes=15)
    assert refusals([one, two], tight) == [None, GbtRefusal.TOO_LONG]
    one_only = replace(SMALL, max_streams=1)
    other = replace(one, counter=7)
    assert refusals([one, other], one_only) == [None, GbtRefusal.TOO_MANY_STREAMS]


def test_messages_of_several_senders_do_not_mix() -> None:
    receiver = GbtReceiver(SMALL)
    other = GroupingHeader(Cra.ALERT, 1002, METER, SUPPLIER, OtherInformation(0x0030))
    mine, theirs = gbt.segment(message(25), HEADER, SMALL), gbt.segment(b"abc" * 8, other, SMALL)
    found = []
    for one, two in zip(mine, theirs, strict=True):
        found += [receiver.take(block, NOW).message for block in (one, two)]
    assert [octets for octets in found if octets] == [message(25), b"abc" * 8]
    assert receiver.unfinished == 0


def test_a_message_whose_rest_never_comes_is_dropped_after_a_silence() -> None:
    receiver = GbtReceiver(SMALL)
    receiver.take(blocks_of(55)[0], UtcMs(5))
    assert receiver.next_deadline() == 5 + SMALL.silence_ms
    assert receiver.pass_time(UtcMs(4 + SMALL.silence_ms)) == ()
    [dropped] = receiver.pass_time(UtcMs(5 + SMALL.silence_ms))
    assert dropped.refusal is GbtRefusal.SILENCE
    assert receiver.unfinished == 0
    assert receiver.next_deadline() is None


def test_a_repeated_block_of_a_whole_message_is_acknowledged_and_gives_no_second_message() -> None:
    receiver = GbtReceiver(SMALL)
    taken = [receiver.take(block, NOW).message for block in blocks_of(25)]
    assert taken == [None, None, message(25)]
    again = receiver.take(blocks_of(25)[-1], NOW)
    assert again.message is None
    assert [answer.acknowledged for answer in again.answers] == [3]
    assert again.answers[0].originator == SUPPLIER
    assert again.answers[0].is_acknowledgement


def test_both_sides_go_on_from_their_dumps() -> None:
    sender, receiver = GbtSender(message(55), HEADER, SMALL), GbtReceiver(SMALL)
    answers = [a for b in sender.start(NOW) for a in receiver.take(b, NOW).answers]
    next_sender, next_receiver = GbtSender(message(55), HEADER, SMALL), GbtReceiver(SMALL)
    next_sender.load(json.loads(json.dumps(sender.dump())))
    next_receiver.load(json.loads(json.dumps(receiver.dump())))
    blocks = [b for answer in answers for b in next_sender.acknowledged(answer, NOW)]
    taken = [next_receiver.take(block, NOW) for block in blocks]
    assert taken[-1].message == message(55)
    assert next_sender.acknowledged(taken[-1].answers[0], NOW) == []
    assert next_sender.state is SenderState.DONE
    with pytest.raises(ValueError, match="no state"):
        next_sender.load({**sender.dump(), "had": 99})


def test_a_block_is_written_as_the_reference_lays_it_out() -> None:
    [block] = gbt.segment(b"\x01\x02", HEADER, GbtSettings())
    assert gbt.encode(block).hex() == (
        "dd090200000000000003ea0800db1234567890a00890b3d51f30010000"
        "00020030000e0000000000e08600010000020102"
    )  # fmt: skip
    assert gbt.decode(gbt.encode(block)) == block
    assert not gbt.is_block(b"\xdd\x00\x00")


@pytest.mark.parametrize("length", range(1, 43))
def test_a_cut_block_is_refused(length: int) -> None:
    octets = gbt.encode(blocks_of(5)[0])
    with pytest.raises(MalformedFrameError, match=r"gbcs\.gbt"):
        gbt.decode(octets[:length])


def test_blocks_that_make_no_message_are_refused_in_words() -> None:
    blocks = blocks_of(25)
    assert gbt.reassemble((blocks[2], blocks[0], blocks[1], blocks[0])) == message(25)
    for wrong, why in (
        (blocks[:2], "missing: the last"),
        (blocks[1:], "missing: 1"),
        ([*blocks, replace(blocks[0], data=b"?")], "two contents"),
        ([*blocks, replace(blocks[0], counter=1)], "several messages"),
        ([*blocks, replace(blocks[0], number=9)], "behind the last"),
    ):
        with pytest.raises(MalformedFrameError, match=why):
            gbt.reassemble(tuple(wrong))
    with pytest.raises(MalformedFrameError, match="too many"):
        gbt.decode(gbt.encode(blocks[0]) + b"\x00")


@pytest.mark.parametrize("wrong", [{"window": 0}, {"window": 64}, {"block_bytes": 0}])
def test_limits_that_no_block_can_keep_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"window|block"):
        GbtSettings(**wrong)


@needs_rtds
def test_every_given_message_survives_its_blocks() -> None:
    limits = GbtSettings(block_bytes=100)
    for name, data in rtds_messages():
        header = envelope.decode(data).header
        octets = b"".join(gbt.encode(b) for b in gbt.segment(data, header, limits))
        assert gbt.reassemble(gbt.decode_all(octets)) == data, name
