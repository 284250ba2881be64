"""The wrapper: what is not for us, late answers, streams that lost their frames."""

from emulator.codecs.dlms import wrapper
from harness.dlms.jobs import AssociateJob, GetJob
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, Silence, Unanswered
from tests.harness.dlms.peer import (
    Pump,
    WrapperPeer,
    reader,
)
from tests.harness.dlms.scripted import NAME, ScriptedServer, public
from tests.harness.dlms.stories import NAMED, associated, server


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


def test_a_meter_behind_a_hub_is_called_at_its_wrapper_port() -> None:
    class Behind(WrapperPeer):
        def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
            ports.append(wrapper.decode(octets).destination)
            return super().hear(octets, now_ms)

    ports: list[int] = []
    settings = LineSettings(framing=Framing.WRAPPER, wrapper_port=2)
    pump = Pump(reader(settings), Behind(server()))
    pump.play(AssociateJob(public()))
    assert pump.play(GetJob((NAME,))) == NAMED
    assert set(ports) == {2}
