"""HDLC links that a meter drops, refuses or keeps waiting, and frames that come oddly."""

import pytest

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind, control, i_control
from harness.dlms.jobs import AssociateJob, GetJob
from harness.dlms.line import LineState
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, Silence, Unanswered
from tests.harness.dlms.peer import (
    HdlcPeer,
    OpticalPeer,
    Peer,
    Pump,
    reader,
)
from tests.harness.dlms.scripted import CLOCK, NAME, public
from tests.harness.dlms.stories import LONG, NAMED, associated, server


def test_a_meter_that_dropped_the_link_is_opened_anew_by_the_next_association() -> None:
    pump = associated()
    assert isinstance(pump.peer, HdlcPeer)
    pump.peer.drop_links()
    answer = pump.play(GetJob((NAME,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.LINK_LOST
    assert "DM" in answer.detail
    second = pump.play(GetJob((NAME,)))
    assert isinstance(second, Unanswered)
    assert second.why is Silence.NOT_ASSOCIATED
    assert isinstance(pump.play(AssociateJob(public())), Association)
    assert pump.play(GetJob((NAME,))) == NAMED


def test_a_link_that_ended_while_nobody_asked_is_told_once() -> None:
    pump = associated()
    pump.now_ms += 600_000
    answer = pump.play(GetJob((NAME,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.LINK_LOST
    assert "associate again" in answer.detail
    second = pump.play(GetJob((NAME,)))
    assert isinstance(second, Unanswered)
    assert second.why is Silence.NOT_ASSOCIATED
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted


class Replying(Peer):
    """Connects, and answers every I frame with one kind of frame."""

    def __init__(self, kind: Kind, *, connects: bool = True) -> None:
        self.kind, self.connects = kind, connects
        self.heard_ms = 0

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        self.heard_ms = now_ms
        frame = hdlc.decode(octets)
        kind = self.kind
        if self.connects and frame.control.kind is Kind.SNRM:
            kind = Kind.UA
        receive = (frame.control.send + 1) % 8 if frame.control.kind is Kind.I else 1
        information = b"\x00\x00\x01" if kind is Kind.FRMR else b""
        answer = Frame(frame.source, frame.destination, control(kind, receive=receive), information)
        return [hdlc.encode(answer)]


@pytest.mark.parametrize(
    ("kind", "why", "word"),
    [
        (Kind.DM, Silence.LINK_LOST, "DM"),
        (Kind.FRMR, Silence.LINK_LOST, "FRMR"),
        (Kind.RNR, Silence.NO_ANSWER, "nothing came"),
        (Kind.RR, Silence.NO_ANSWER, "nothing came"),
        (Kind.UA, Silence.NO_ANSWER, "nothing came"),
        (Kind.SNRM, Silence.NO_ANSWER, "nothing came"),
        (Kind.DISC, Silence.NO_ANSWER, "nothing came"),
    ],
)
def test_what_a_meter_may_say_on_the_link_instead_of_an_answer(
    kind: Kind, why: Silence, word: str
) -> None:
    pump = Pump(reader(), Replying(kind))
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.silence is why
    assert word in joined.why
    assert pump.now_ms < 70_000


def test_a_meter_that_will_not_connect() -> None:
    pump = Pump(reader(), Replying(Kind.DM, connects=False))
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.silence is Silence.LINK_LOST
    assert "would not connect" in joined.why


def test_a_busy_meter_is_polled_until_it_answers() -> None:
    meter = server()
    pump = associated(meter=meter)
    assert isinstance(pump.peer, HdlcPeer)
    station, slow = pump.peer.station, [0]

    def reluctant(octets: bytes, now_ms: int) -> list[bytes]:
        slow[0] += 1
        if slow[0] < 4:
            frame = hdlc.decode(octets)
            answer = Frame(frame.source, frame.destination, control(Kind.RNR, receive=1))
            return [hdlc.encode(answer)]
        return HdlcPeer.hear(pump.peer, octets, now_ms)  # type: ignore[arg-type]  # it is one

    pump.peer.hear = reluctant  # type: ignore[method-assign]  # busy at first
    assert pump.play(GetJob((NAME,))) == NAMED
    assert station.links


def test_a_notification_in_a_ui_frame_is_passed_over() -> None:
    pump = associated()
    unasked = Frame(
        Address(16), Address(1), control(Kind.UI, poll=False), bytes.fromhex("e6e7000f") + bytes(9)
    )
    pump.to_reader = lambda piece, _n: [hdlc.encode(unasked), piece]
    assert pump.play(GetJob((NAME,))) == NAMED


def test_an_answer_and_the_end_of_the_link_in_one_piece() -> None:
    pump = associated()
    gone = hdlc.encode(Frame(Address(16), Address(1), control(Kind.DM)))
    pump.to_reader = lambda piece, _n: [piece + gone]
    answer = pump.play(GetJob((CLOCK,)))  # block 1 and DM: no block 2
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.LINK_LOST
    assert pump.line.state is LineState.CLOSED


def test_an_fcs_that_ends_like_a_flag_is_an_ordinary_frame() -> None:
    meter = server()
    meter.values[NAME.descriptor] = octets(b"14P0000205")
    pump = associated(meter=meter)
    golden = bytes.fromhex("7EA01C210352 3E73E6E700C401C100090A31345030303030323035457E7E")
    assert pump.play(GetJob((NAME,))) == (octets(b"14P0000205"),)
    assert pump.heard[-1] == golden


def test_a_frame_on_a_slow_line_is_not_talked_into() -> None:
    pump = associated()
    line, now = pump.line, pump.now_ms
    line.begin(GetJob((NAME,)), now)
    answer = pump.peer.hear(_get(), now)
    whole = b"".join(answer)
    now += 1_450  # just before the repeat would go
    assert line.receive(whole[:10], now) == []
    now += 100
    assert line.expire(now) == []
    outputs = line.receive(whole[10:], now)
    assert len(outputs) == 1


def _get() -> bytes:
    frame = Frame(
        Address(1),
        Address(16),
        i_control(1, 1, poll=True),
        bytes.fromhex("e6e600c001c1000100002a0000ff0200"),
    )
    return hdlc.encode(frame)


def test_optical_peers_survive_power_loss_in_the_middle_of_a_long_answer() -> None:
    hdlc_peer = HdlcPeer(server())
    peer = OpticalPeer(hdlc_peer)
    pump = Pump(reader(LineSettings(framing=Framing.OPTICAL)), peer)
    pump.play(AssociateJob(public()))
    count = len(pump.sent)

    def power(piece: bytes, number: int) -> list[bytes]:
        if number == count + 3:
            hdlc_peer.drop_links()
            peer.close()
        return [piece]

    pump.to_meter = power
    answer = pump.play(GetJob((CLOCK,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.NO_ANSWER
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((CLOCK,))) == (LONG,)
