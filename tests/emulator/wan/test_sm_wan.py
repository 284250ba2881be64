"""The SM WAN of one hub."""

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.core.chance import Chance
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.core.ids import Eui64
from emulator.wan.line import LATENCY_US
from emulator.wan.sm_wan import IN, OUT, SmWan, label_of

A, B = Eui64(b"\x00" * 7 + b"\x01"), Eui64(b"\x00" * 7 + b"\x02")
MESSAGE = envelope.encode(
    Envelope(GroupingHeader(Cra.COMMAND, 1, A, B, OtherInformation(0x12)), b"payload", b"")
)


def wan(*texts: str) -> SmWan:
    return SmWan(FaultSchedule([parse(text) for text in texts], Chance(1)))


def test_a_message_takes_its_time() -> None:
    passage = wan().send(IN, MESSAGE, 1000)
    assert passage.arrivals == ((1000 + LATENCY_US, MESSAGE),)
    assert passage.faults == ()


def test_messages_are_named_by_direction_and_code() -> None:
    assert label_of(MESSAGE) == "gbcs.command.0012"
    assert label_of(MESSAGE[:20]) == "gbcs.unreadable"


def test_faults_choose_messages_by_name() -> None:
    line = wan("drop:kind=gbcs.command.*@wan-in")
    assert line.send(IN, MESSAGE, 0).arrivals == ()
    assert len(line.send(OUT, MESSAGE, 0).arrivals) == 1


def test_only_what_reaches_the_hub_counts_as_taken() -> None:
    line = wan("drop:n=1@wan-in", "truncate:cut=1,n=2@wan-in")
    for expected in (False, False, True):
        line.send(IN, MESSAGE, 0)
        assert line.has_taken(MESSAGE) is expected
    line.send(OUT, b"from the hub", 0)
    assert not line.has_taken(b"from the hub")


def test_messages_for_a_hub_without_power_are_kept_in_order_over_a_dump() -> None:
    line, copy = wan(), wan()
    line.wait(b"one")
    line.wait(b"two")
    line.to_dsp.append(b"out")
    line.send(IN, MESSAGE, 0)
    copy.load(line.dump())
    assert copy.release() == [b"one", b"two"]
    assert copy.release() == []
    assert list(copy.to_dsp) == [b"out"]
    assert copy.has_taken(MESSAGE)


def test_what_no_fault_can_touch_goes_on_as_what_a_fault_might() -> None:
    quick, slow = wan(), wan()
    for number in range(600):
        message = number.to_bytes(2, "big")
        [(due_us, _octets)] = slow.send(IN, message, number).arrivals
        assert quick.send_untouched(IN, message, number) == due_us
    assert quick.send_untouched(OUT, b"from the hub", 0) == LATENCY_US
    assert not quick.has_taken(b"from the hub")
    assert all(quick.has_taken(number.to_bytes(2, "big")) for number in range(600))
    quick.send_untouched(IN, MESSAGE, 0)
    slow.send(IN, MESSAGE, 0)
    assert quick.dump() == slow.dump()
    quick.send_untouched(IN, b"after the dump", 0)
    quick.load(slow.dump())
    assert not quick.has_taken(b"after the dump")
