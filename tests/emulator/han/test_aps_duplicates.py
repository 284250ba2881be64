"""What a node remembers of what it has received: enough against repeats, not against speed."""

from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment
from emulator.han.aps_receiver import TAKEN_MEMORY, ApsReceiver, Whole
from emulator.han.aps_sender import DUPLICATE_MEMORY_US, ApsSender, Transfer

SENDER, OTHER = 0x0000, 0x1234


def _frame(counter: int, fragment: Fragment | None = None) -> ApsFrame:
    return ApsFrame(1, 2, 0x0702, counter, b"made up", 0x0109, True, fragment)


def _takes(receiver: ApsReceiver, counter: int, at_us: int, source: int = SENDER) -> bool:
    outputs = receiver.take(source, _frame(counter), at_us)
    assert any(isinstance(out, ApsAck) for out in outputs)
    return any(isinstance(out, Whole) for out in outputs)


def test_a_repeat_reaches_nobody_for_as_long_as_it_is_remembered() -> None:
    receiver = ApsReceiver()
    assert _takes(receiver, 7, 0)
    assert not _takes(receiver, 7, DUPLICATE_MEMORY_US)
    assert not _takes(receiver, 7, 2 * DUPLICATE_MEMORY_US)  # the repeat was remembered in turn
    assert _takes(receiver, 7, 3 * DUPLICATE_MEMORY_US + 1)


def test_a_fast_sender_whose_counter_has_gone_round_is_still_heard() -> None:
    receiver = ApsReceiver()
    taken = [_takes(receiver, number & 0xFF, number) for number in range(2_000)]
    assert all(taken)


def test_as_many_as_are_kept_are_known_again_and_no_more() -> None:
    receiver = ApsReceiver()
    for counter in range(TAKEN_MEMORY + 1):
        assert _takes(receiver, counter, counter)
    assert not _takes(receiver, TAKEN_MEMORY, 100)
    assert not _takes(receiver, 1, 100)
    assert _takes(receiver, 0, 100)


def test_a_fast_sender_makes_nobody_forget_another_one() -> None:
    receiver = ApsReceiver()
    assert _takes(receiver, 5, 0, OTHER)
    for number in range(500):
        _takes(receiver, number & 0xFF, number)
    assert not _takes(receiver, 5, 600, OTHER)


def test_a_whole_fragmented_message_is_remembered_too() -> None:
    receiver = ApsReceiver()
    for part in (Fragment(True, 2), Fragment(False, 1)):
        receiver.take(SENDER, _frame(9, part), 0)
    again = receiver.take(SENDER, _frame(9, Fragment(False, 1)), 10)
    assert not any(isinstance(out, Whole) for out in again)


def test_the_memory_outlives_a_dump_in_its_order() -> None:
    receiver = ApsReceiver()
    for counter in (200, 3, 90):
        _takes(receiver, counter, 0)
    fresh = ApsReceiver()
    fresh.load(receiver.dump())
    assert fresh.dump() == receiver.dump()
    assert not _takes(fresh, 3, 1)
    for counter in range(100, 100 + TAKEN_MEMORY - 1):
        _takes(fresh, counter, 2)
    assert not _takes(fresh, 3, 3)  # the latest before them
    assert _takes(fresh, 200, 3)


def test_what_nobody_can_repeat_any_more_takes_no_memory() -> None:
    receiver, sender = ApsReceiver(), ApsSender(60)
    for number in range(50):
        _takes(receiver, number, number)
        sent = Transfer(OTHER, (1, 2), 0x0702, (b"made up",), "report", 0)
        sender.send_acked(sent, number)
        sender.acknowledged(OTHER, ApsAck(2, 1, 0x0702, sent.counter, 0x0109, None), number)
    assert len(receiver.dump()["taken"]) == len(sender.dump()["used"]) == 50
    later = DUPLICATE_MEMORY_US + 100
    _takes(receiver, 200, later)
    sender.send_acked(Transfer(OTHER, (1, 2), 0x0702, (b"x",), "report", 0), later)
    assert [row[1] for row in receiver.dump()["taken"]] == [200]
    assert len(sender.dump()["used"]) == 1
