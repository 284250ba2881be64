"""A bad line: lost, repeated, damaged and late frames, noise, dropped links. Nothing hangs."""

from collections.abc import Callable

import pytest

from emulator.codecs.dlms import hdlc, wrapper
from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind, control, i_control
from emulator.codecs.dlms.hdlc_link import LinkSettings
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.core.chance import Chance
from harness.dlms.jobs import ActionJob, AssociateJob, GetJob, Job, RawJob, ReleaseJob, SetJob
from harness.dlms.line import LineState
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, Silence, Unanswered
from tests.harness.dlms.peer import (
    DeadPeer,
    HdlcPeer,
    OpticalPeer,
    Peer,
    Pump,
    Spoil,
    WrapperPeer,
    pump_for,
    reader,
)
from tests.harness.dlms.scripted import CLOCK, METHOD, NAME, ScriptedServer, public

LONG = octets(bytes(n % 251 for n in range(1500)))
NAMED = (octets(b"name"),)


def server() -> ScriptedServer:
    return ScriptedServer({NAME.descriptor: octets(b"name"), CLOCK.descriptor: LONG})


def associated(framing: Framing = Framing.HDLC, meter: ScriptedServer | None = None) -> Pump:
    pump = pump_for(framing, meter or server())
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    return pump


def without(number: int) -> Spoil:
    return lambda piece, n: [] if n == number else [piece]


def twice(number: int) -> Spoil:
    return lambda piece, n: [piece, piece] if n == number else [piece]


def damaged(number: int) -> Spoil:
    return lambda piece, n: [piece[:-4] + b"\x55" + piece[-3:]] if n == number else [piece]


def cut(number: int) -> Spoil:
    return lambda piece, n: [piece[: len(piece) // 2]] if n == number else [piece]


FAULTS: dict[str, Callable[[int], Spoil]] = {
    "lost": without,
    "twice": twice,
    "damaged": damaged,
    "cut": cut,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("to_meter", [True, False])
@pytest.mark.parametrize("number", range(8))
def test_one_bad_frame_anywhere_changes_no_answer_and_nothing_is_done_twice(
    fault: str, to_meter: bool, number: int
) -> None:
    meter = server()
    pump = pump_for(Framing.HDLC, meter)
    if to_meter:
        pump.to_meter = FAULTS[fault](number)
    else:
        pump.to_reader = FAULTS[fault](number)
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((NAME,))) == NAMED
    assert pump.play(GetJob((CLOCK,))) == (LONG,)
    assert len(meter.requests) == 4  # AARQ, two GETs, one next block
    pump.play(ActionJob(METHOD))
    assert meter.invoked == [(METHOD, None)]
    pump.play(ReleaseJob())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("window", [1, 3, 7])
def test_a_very_bad_line_answers_truly_or_says_that_it_cannot(seed: int, window: int) -> None:
    chance = Chance(seed).stream("noise")

    def spoil(piece: bytes, _number: int) -> list[bytes]:
        word = chance.below(12)
        if word == 0:
            return []
        if word == 1:
            return [piece, piece]
        if word == 2:
            at = chance.below(len(piece))
            return [piece[:at] + bytes((piece[at] ^ 1 << chance.below(8),)) + piece[at + 1 :]]
        if word == 3:
            return [chance.octets(1 + chance.below(40)), piece]
        if word == 4:
            return [b"\x7e\xa7\xff\x21", piece]
        return [piece]

    meter = server()
    link = LinkSettings(Parameters(128, 128, window, window))
    pump = Pump(reader(LineSettings(link=link)), HdlcPeer(meter, link), spoil, spoil, 900_000)
    for _ in range(6):
        if pump.line.state is not LineState.ASSOCIATED:
            pump.play(AssociateJob(public()))
            continue
        for job, truth in ((GetJob((NAME,)), NAMED), (GetJob((CLOCK,)), (LONG,))):
            answer = pump.play(job)
            assert answer == truth or isinstance(answer, Unanswered)
    pump.play(ReleaseJob())


@pytest.mark.parametrize(
    "job",
    [
        GetJob((NAME,)),
        SetJob(((NAME, octets(b"x")),)),
        ActionJob(METHOD),
        RawJob(b"\xc0"),
        AssociateJob(public()),
        ReleaseJob(),
    ],
    ids=lambda job: type(job).__name__,
)
@pytest.mark.parametrize("framing", list(Framing))
def test_a_meter_that_falls_silent_ends_every_job_within_a_minute_or_so(
    job: Job, framing: Framing
) -> None:
    pump = associated(framing)
    pump.to_meter = lambda _piece, _n: []
    begun = pump.now_ms
    answer = pump.play(job)
    assert pump.now_ms - begun < 150_000
    assert pump.line.state in {LineState.CLOSED, LineState.OPENED}
    if isinstance(answer, Unanswered | Association):
        why = answer.why if isinstance(answer, Unanswered) else answer.silence
        assert why is Silence.NO_ANSWER
    else:
        assert answer is None
    pump.to_meter = lambda piece, _n: [piece]
    again = pump.play(GetJob((NAME,)))
    assert isinstance(again, Unanswered)
    assert again.why is Silence.NOT_ASSOCIATED
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((NAME,))) == NAMED


def test_nobody_there_at_all() -> None:
    for framing in (Framing.HDLC, Framing.WRAPPER):
        pump = Pump(reader(LineSettings(framing=framing)), DeadPeer())
        joined = pump.play(AssociateJob(public()))
        assert isinstance(joined, Association)
        assert (joined.accepted, joined.silence) == (False, Silence.NO_ANSWER)
        assert (joined.result, joined.diagnostic) == (-1, -1)


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


def test_a_notification_on_the_wrapper_is_passed_over_and_so_is_what_is_not_for_us() -> None:
    pump = associated(Framing.WRAPPER)
    strangers = [
        wrapper.WrapperFrame(1, 16, b"\x0f" + bytes(9)),
        wrapper.WrapperFrame(1, 16, b"\xc2\x00"),
        wrapper.WrapperFrame(1, 17, bytes.fromhex("c401c10101")),
        wrapper.WrapperFrame(2, 16, bytes.fromhex("c401c10101")),
        wrapper.WrapperFrame(1, 16, b""),
    ]
    pump.to_reader = lambda piece, _n: [*map(wrapper.encode, strangers), piece]
    assert pump.play(GetJob((NAME,))) == NAMED


class LateWrapper(WrapperPeer):
    """Keeps each answer back until the next question, then gives both."""

    def __init__(self, application: ScriptedServer) -> None:
        super().__init__(application)
        self.kept: list[bytes] = []
        self.keeps = False

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        out = [*self.kept, *super().hear(octets, now_ms)]
        self.kept = out if self.keeps else []
        return [] if self.keeps else out


def test_a_late_answer_on_the_wrapper_never_counts_for_a_later_question() -> None:
    meter = server()
    peer = LateWrapper(meter)
    pump = Pump(reader(LineSettings(framing=Framing.WRAPPER)), peer)
    peer.keeps = True
    first = pump.play(AssociateJob(public()))
    assert isinstance(first, Association)
    assert first.silence is Silence.NO_ANSWER
    assert pump.wants_reopening()
    peer.keeps = False
    meter.refuse = (1, 13)  # type: ignore[assignment]  # numbers will do
    second = pump.play(AssociateJob(public()))  # the late AARE said "accepted"
    assert isinstance(second, Association)
    assert (second.accepted, second.diagnostic) == (False, 13)
    assert not pump.wants_reopening()
    assert [request[0] for request in meter.requests] == [0x60, 0x62, 0x60]


def test_a_late_exception_does_not_take_the_place_of_the_release_response() -> None:
    meter = server()
    peer = LateWrapper(meter)
    pump = Pump(reader(LineSettings(framing=Framing.WRAPPER)), peer)
    pump.play(AssociateJob(public()))
    meter.spoil = lambda _plain: bytes.fromhex("d80101")
    peer.keeps = True
    assert isinstance(pump.play(GetJob((NAME,))), Unanswered)
    peer.keeps = False
    meter.spoil = lambda plain: plain
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((NAME,))) == NAMED


def test_a_stream_that_lost_its_frames_is_told_and_wants_a_new_connection() -> None:
    pump = associated(Framing.WRAPPER)
    pump.to_reader = lambda piece, _n: [b"\x00\x02" + piece]
    answer = pump.play(GetJob((NAME,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.BROKEN
    assert "version" in answer.detail
    assert pump.wants_reopening()
    pump.to_reader = lambda piece, _n: [piece]
    pump.line.lost(pump.now_ms)
    assert not pump.wants_reopening()
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted


def test_two_answers_in_one_piece_count_as_one() -> None:
    pump = associated(Framing.WRAPPER)
    pump.to_reader = lambda piece, _n: [piece + piece]
    for _ in range(3):
        assert pump.play(GetJob((NAME,))) == NAMED


def test_an_answer_and_the_end_of_the_link_in_one_piece() -> None:
    pump = associated()
    gone = hdlc.encode(Frame(Address(16), Address(1), control(Kind.DM)))
    pump.to_reader = lambda piece, _n: [piece + gone]
    answer = pump.play(GetJob((CLOCK,)))  # block 1 and DM: no block 2
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.LINK_LOST
    assert pump.line.state is LineState.CLOSED


@pytest.mark.parametrize("framing", list(Framing))
def test_octets_one_by_one_are_the_same_conversation(framing: Framing) -> None:
    pump = pump_for(framing, server())
    pump.to_reader = lambda piece, _n: [bytes((octet,)) for octet in piece]
    pump.to_meter = lambda piece, _n: [bytes((octet,)) for octet in piece]
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.play(GetJob((CLOCK,))) == (LONG,)


def test_noise_without_end_does_not_keep_a_job_alive() -> None:
    pump = associated()
    noise = b"\x7e\xa7\xff\x21\x03"
    line, now = pump.line, pump.now_ms
    outputs = line.begin(GetJob((NAME,)), now)
    for _ in range(20_000):
        now += 150
        outputs = line.receive(noise, now) + line.expire(now)
        if line.state is LineState.CLOSED:
            break
    assert line.state is LineState.CLOSED
    assert outputs
    assert now - pump.now_ms < 60_000


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
