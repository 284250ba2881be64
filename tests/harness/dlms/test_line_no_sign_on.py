"""An optical port that does not answer, or not as it should: likely causes."""

import pytest

from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.mode_e import Identification, SignOn, with_even_parity
from harness.dlms.jobs import AssociateJob, GetJob
from harness.dlms.line import LineState
from harness.dlms.settings import Framing
from harness.meter import Association, Silence
from tests.harness.dlms.optical import OPTICAL, accepted, meter, sign_on
from tests.harness.dlms.peer import (
    E_METER,
    DeadPeer,
    Peer,
    Pump,
    pump_for,
    reader,
)
from tests.harness.dlms.scripted import NAME, ScriptedServer, public


class Told(Peer):
    """Answers every sign-on with the same octets."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heard: list[tuple[bytes, int]] = []

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        self.heard.append((octets, now_ms))
        return [self.answer]


def test_nobody_there_lists_what_may_be_the_cause() -> None:
    pump = Pump(reader(OPTICAL), DeadPeer())
    report = sign_on(pump)
    assert not report.answered
    assert (report.manufacturer, report.baud, report.mode, report.name) == ("", 0, "", "")
    told = " / ".join(report.causes)
    for word in ("misplaced", "no optical port", "woken", "speed", "another mode", "address"):
        assert word in told
    assert len(pump.sent) == 3
    assert pump.now_ms < 10_000


def test_a_head_that_only_echoes_is_known() -> None:
    request = with_even_parity(SignOn().encode())
    report = sign_on(Pump(reader(OPTICAL), Told(request)))
    assert "echo" in report.causes[0]


def test_octets_that_are_no_identification_point_to_the_speed() -> None:
    report = sign_on(Pump(reader(OPTICAL), Told(b"\xf8\x00\x80\xfe")))
    assert "speed" in report.causes[0]


def test_association_without_answer_says_the_likeliest_cause() -> None:
    joined = Pump(reader(OPTICAL), DeadPeer()).play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.silence is Silence.NO_ANSWER
    assert "misplaced" in joined.why


def test_a_lost_confirmation_or_read_out_is_told() -> None:
    identification = with_even_parity(E_METER.encode())
    pump = Pump(reader(OPTICAL), Told(identification))
    report = sign_on(pump)
    assert report.answered
    assert "did not confirm" in report.causes[0]
    assert pump.state is LineState.OPENED  # it may be: the meter was told to
    joined = Pump(reader(OPTICAL), Told(identification)).play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert "did not confirm" in joined.why
    none = sign_on(Pump(reader(OPTICAL), meter(block=None)), read_out=True)
    assert (none.answered, none.read_out) == (True, None)
    assert "no usable read-out" in none.causes[0]


def test_a_damaged_read_out_is_none() -> None:
    def spoil(piece: bytes, _number: int) -> list[bytes]:
        return [piece.replace(with_even_parity(b"4"), with_even_parity(b"5"), 1)]

    report = sign_on(Pump(reader(OPTICAL), meter(), to_reader=spoil), read_out=True)
    assert report.answered
    assert report.read_out is None
    assert "damaged" in report.causes[0]


def test_a_meter_whose_confirmation_got_lost_is_reached_by_hdlc_all_the_same() -> None:
    confirmation = with_even_parity(b"\x06252\r\n")
    pump = Pump(
        reader(OPTICAL),
        meter(),
        to_reader=lambda piece, _n: [] if piece == confirmation else [piece],
    )
    assert accepted(pump)
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_sign_on_request_is_repeated(lost: int) -> None:
    pump = Pump(reader(OPTICAL), meter(), to_meter=lambda piece, n: [] if n < lost else [piece])
    assert sign_on(pump).answered
    assert len(pump.sent) == lost + 2


@pytest.mark.parametrize("framing", [Framing.HDLC, Framing.WRAPPER])
def test_a_line_without_an_optical_port_has_no_sign_on(framing: Framing) -> None:
    pump = pump_for(framing, ScriptedServer())
    report = sign_on(pump, read_out=True)
    assert not report.answered
    assert "no IEC 62056-21 sign-on" in report.causes[0]
    assert pump.sent == []


@pytest.mark.parametrize(("speed", "mode"), [("9", "A"), ("A", "B")])
def test_modes_a_and_b_are_named(speed: str, mode: str) -> None:
    identification = Identification("SBC", speed, "OLD")
    pump = Pump(reader(OPTICAL), Told(with_even_parity(identification.encode())))
    report = sign_on(pump)
    assert (report.answered, report.mode) == (True, mode)
