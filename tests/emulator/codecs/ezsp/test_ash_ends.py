"""Both ends of a link, move by move."""

import json
from collections.abc import Sequence

import pytest

from emulator.codecs.dlms.dumped import DumpedStateError
from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import (
    AckFrame,
    AshFrame,
    DataFrame,
    ErrorFrame,
    NakFrame,
    ResetCode,
    RstAckFrame,
    RstFrame,
)
from emulator.codecs.ezsp.ash_actions import Action, Deliver, LinkFailed, LinkState, LinkUp, Write
from emulator.codecs.ezsp.ash_ends import AshHost, AshNcp
from emulator.codecs.ezsp.ash_receiver import AshReceiver
from emulator.core.errors import IllegalEventError
from tests.emulator.codecs.ezsp.ash_given import connected

_ASK = bytes.fromhex("00000004")
_ANSWER = bytes.fromhex("0080000D025074")


def _ncp() -> AshNcp:
    ncp = AshNcp()
    ncp.start(announce=False)
    return ncp


def _written(actions: Sequence[Action]) -> list[AshFrame]:
    octets = b"".join(action.octets for action in actions if isinstance(action, Write))
    found = AshReceiver().feed(octets)
    return [frame for frame in found if not isinstance(frame, Exception)]


def _payload(number: int) -> bytes:
    return number.to_bytes(4, "big")


def test_a_reset_is_answered_with_the_known_octets() -> None:
    ncp = _ncp()
    actions = ncp.receive(b"\x1a" * 32 + ash.encode(RstFrame()), 0)
    assert actions == [LinkUp(0x0B), Write(bytes.fromhex("1AC1020B0A527E"))]


def test_an_answer_given_at_once_takes_the_acknowledgement_along() -> None:
    ncp = _ncp()
    assert ncp.receive(ash.encode(DataFrame(0, 0, _ASK)), 0) == [Deliver(_ASK)]
    (write,) = ncp.send(_ANSWER, 0)
    assert write == Write(bytes.fromhex("0142A1A8592845C6A5BB7E"))
    assert ncp.receive(ash.encode(AckFrame(1)), 1) == []
    assert ncp.deadline is None
    assert ncp.idle


def test_without_an_answer_the_acknowledgement_goes_alone_after_20_ms() -> None:
    ncp = _ncp()
    ncp.receive(ash.encode(DataFrame(0, 0, _ASK)), 100)
    assert ncp.deadline == 120
    assert ncp.tick(119) == []
    assert _written(ncp.tick(120)) == [AckFrame(1)]
    assert ncp.deadline is None


def test_the_ncp_sends_five_frames_and_waits() -> None:
    ncp = _ncp()
    sent = [_written(ncp.send(_payload(number), 0)) for number in range(7)]
    assert [len(frames) for frames in sent] == [1, 1, 1, 1, 1, 0, 0]
    more = _written(ncp.receive(ash.encode(AckFrame(2)), 5))
    assert more == [DataFrame(5, 0, _payload(5)), DataFrame(6, 0, _payload(6))]


def test_the_host_has_one_frame_unacknowledged() -> None:
    line = connected()
    assert len(_written(line.host.send(_payload(0), line.now))) == 1
    assert _written(line.host.send(_payload(1), line.now)) == []


def test_a_gap_is_rejected_once_and_closed_by_the_missing_frame() -> None:
    ncp = _ncp()
    assert _written(ncp.receive(ash.encode(DataFrame(1, 0, _payload(1))), 0)) == [NakFrame(0)]
    assert ncp.receive(ash.encode(DataFrame(2, 0, _payload(2))), 0) == []
    assert ncp.receive(ash.encode(DataFrame(0, 0, _payload(0), retransmitted=True)), 0) == [
        Deliver(_payload(0))
    ]
    assert _written(ncp.receive(ash.encode(DataFrame(5, 0, _payload(5))), 0)) == [NakFrame(1)]


def test_a_spoilt_frame_is_rejected_once() -> None:
    ncp = _ncp()
    assert _written(ncp.receive(b"\x25\x42\x21\x7e", 0)) == [NakFrame(0)]
    assert ncp.receive(b"\x25\x42\x21\x7e", 0) == []
    assert ncp.refused == 2


def test_a_retransmitted_duplicate_is_acknowledged_and_not_delivered() -> None:
    ncp = _ncp()
    ncp.receive(ash.encode(DataFrame(0, 0, _ASK)), 0)
    again = ncp.receive(ash.encode(DataFrame(0, 0, _ASK, retransmitted=True)), 1)
    assert _written(again) == [AckFrame(1)]
    assert not [action for action in again if isinstance(action, Deliver)]


def test_a_nak_brings_everything_from_its_number_again() -> None:
    ncp = _ncp()
    for number in range(3):
        ncp.send(_payload(number), 0)
    again = _written(ncp.receive(ash.encode(NakFrame(1)), 10))
    assert again == [
        DataFrame(1, 0, _payload(1), retransmitted=True),
        DataFrame(2, 0, _payload(2), retransmitted=True),
    ]


def test_an_acknowledgement_of_what_was_never_sent_is_rejected() -> None:
    ncp = _ncp()
    ncp.send(_payload(0), 0)
    assert _written(ncp.receive(ash.encode(AckFrame(3)), 0)) == [NakFrame(0)]
    assert ncp.unacknowledged == 1
    assert ncp.counts["bad_acknowledgements"] == 1


def test_the_time_to_wait_follows_the_line_and_doubles_when_nothing_comes() -> None:
    ncp = _ncp()
    assert ncp.t_rx_ack_ms == 1600
    for number in range(30):
        ncp.send(_payload(number), number)
        ncp.receive(ash.encode(AckFrame((number + 1) % 8)), number)
    assert ncp.t_rx_ack_ms == 400
    ncp.send(_payload(30), 1000)
    assert ncp.deadline == 1400
    ncp.tick(1400)
    assert ncp.t_rx_ack_ms == 800
    # an acknowledgement of a frame that was sent twice measures nothing
    ncp.receive(ash.encode(AckFrame(7)), 1401)
    assert ncp.t_rx_ack_ms == 800


def test_a_slow_acknowledgement_counts_one_half() -> None:
    ncp = _ncp()
    ncp.send(_payload(0), 0)
    ncp.receive(ash.encode(AckFrame(1)), 1200)
    assert ncp.t_rx_ack_ms == 1400 + 600


def test_after_four_timeouts_the_ncp_gives_up_and_says_so_until_it_is_reset() -> None:
    ncp = _ncp()
    ncp.send(_payload(0), 0)
    again = [DataFrame(0, 0, _payload(0), retransmitted=True)]
    for at in (1600, 1600 + 3200, 1600 + 3200 + 3200):
        assert ncp.deadline == at
        assert _written(ncp.tick(at)) == again
    assert ncp.tick(11_200) == [
        LinkFailed(0x51, 1),
        Write(bytes.fromhex("1AC20251A8BD7E")),
    ]
    assert ncp.tick(99_999) == []
    assert _written(ncp.receive(ash.encode(DataFrame(0, 0, _ASK)), 0)) == [ErrorFrame(0x51)]
    assert _written(ncp.receive(b"\x55\x7e", 0)) == [ErrorFrame(0x51)]
    with pytest.raises(IllegalEventError):
        ncp.send(_payload(1), 0)
    assert _written(ncp.receive(ash.encode(RstFrame()), 0)) == [RstAckFrame(0x0B)]
    assert ncp.receive(ash.encode(DataFrame(0, 0, _ASK)), 0) == [Deliver(_ASK)]


def test_a_reset_forgets_what_was_on_the_way() -> None:
    line = connected()
    line.ncp.send(_payload(0), line.now)
    line.connect()
    assert line.ncp.unacknowledged == 0
    line.act("ncp", line.ncp.send(_payload(9), line.now))
    line.run(lambda: bool(line.at_host))
    assert line.at_host == [_payload(9)]


def test_a_host_asks_three_times_for_a_silent_ncp() -> None:
    host = AshHost()
    done = host.connect(0)
    while host.state is LinkState.RESETTING:
        assert host.deadline is not None
        done += host.tick(host.deadline)
    assert _written(done) == [RstFrame()] * 3
    assert done[-1] == LinkFailed(ResetCode.RESET_FAILED, 0)


def test_a_host_listens_to_nothing_but_the_answer_to_its_reset() -> None:
    host = AshHost()
    host.connect(0)
    for frame in (DataFrame(0, 0, _ASK), AckFrame(0), ErrorFrame(0x51), NakFrame(0), RstFrame()):
        assert host.receive(ash.encode(frame), 1) == []
    assert host.receive(ash.encode(RstAckFrame(0x0B)), 2) == [LinkUp(0x0B)]
    assert host.deadline is None


@pytest.mark.parametrize(
    ("frame", "code"),
    [(RstAckFrame(0x03), 0x03), (ErrorFrame(0x51), 0x51)],
)
def test_a_host_is_told_when_the_ncp_started_anew_or_gave_up(frame: AshFrame, code: int) -> None:
    line = connected()
    line.host.send(_payload(0), line.now)
    line.host.send(_payload(1), line.now)
    assert line.host.receive(ash.encode(frame), line.now) == [LinkFailed(code, 2)]
    assert line.host.state is LinkState.FAILED


def test_a_host_refuses_another_version_of_the_protocol() -> None:
    host = AshHost()
    host.connect(0)
    assert host.receive(ash.encode(RstAckFrame(0x0B, version=1)), 1) == [
        LinkFailed(ResetCode.VERSION, 0)
    ]


def test_a_host_that_is_not_ready_gets_answers_but_no_callbacks() -> None:
    line = connected()
    line.act("host", line.host.set_ready(ready=False))
    line.step()
    line.act("ncp", line.ncp.send(_payload(1), line.now, callback=True))
    line.act("ncp", line.ncp.send(_payload(2), line.now))
    line.run(lambda: bool(line.at_host))
    assert line.at_host == [_payload(2)]
    held_since = line.now
    line.run(lambda: len(line.at_host) == 2)
    assert line.now - held_since > 900  # nobody repeated it, so it holds for a second
    assert line.at_host == [_payload(2), _payload(1)]


def test_a_ready_host_gets_the_held_callbacks_at_once() -> None:
    line = connected()
    line.act("host", line.host.set_ready(ready=False))
    line.step()
    line.act("ncp", line.ncp.send(_payload(1), line.now, callback=True))
    line.act("host", line.host.set_ready(ready=True))
    line.run(lambda: bool(line.at_host))
    assert line.now < 100


def test_too_much_at_once_is_refused_and_nothing_is_lost() -> None:
    ncp = _ncp()
    while ncp.room:
        ncp.send(_payload(1), 0)
    with pytest.raises(IllegalEventError):
        ncp.send(_payload(1), 0)
    assert ncp.unacknowledged == 256 + 5


def test_a_dumped_link_goes_on_where_it_stood() -> None:
    line = connected()
    for number in range(9):
        line.ncp.send(_payload(number), line.now)
    line.ncp.receive(ash.encode(DataFrame(0, 2, _ASK))[:4], line.now)
    copy = AshNcp()
    copy.load(json.loads(json.dumps(line.ncp.dump())))
    assert copy.dump() == line.ncp.dump()
    rest = ash.encode(DataFrame(0, 2, _ASK))[4:]
    assert copy.receive(rest, 50) == line.ncp.receive(rest, 50)
    assert copy.deadline is not None
    assert copy.tick(copy.deadline) == line.ncp.tick(copy.deadline)
    host = AshHost()
    host.load(json.loads(json.dumps(line.host.dump())))
    assert host.dump() == line.host.dump()


@pytest.mark.parametrize(
    ("name", "value"),
    [("state", "UP"), ("expected", 8), ("counts", {}), ("window", None), ("rejecting", 1)],
)
def test_a_damaged_dump_is_refused_and_changes_nothing(name: str, value: object) -> None:
    ncp = _ncp()
    before = ncp.dump()
    damaged = {**before, name: value}
    with pytest.raises(DumpedStateError):
        ncp.load(damaged)  # type: ignore[arg-type]  # a file may hold anything
    assert ncp.dump() == before
