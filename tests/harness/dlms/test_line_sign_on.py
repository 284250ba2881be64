"""The optical port: sign-on, mode E, read-out, and silence with its likely causes."""

import pytest

from emulator.codecs.dlms import mode_e
from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.mode_e import Identification, with_even_parity
from emulator.codecs.dlms.mode_e_sign_on import MeterSignOn
from harness.dlms.jobs import AssociateJob, GetJob, ReleaseJob
from harness.dlms.line import LineState
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, SignOnReport, Silence, Unanswered
from tests.harness.dlms.optical import BLOCK, OPTICAL, accepted, meter, sign_on
from tests.harness.dlms.peer import (
    C_METER,
    E_METER,
    HdlcPeer,
    OpticalPeer,
    Pump,
    reader,
)
from tests.harness.dlms.scripted import NAME, ScriptedServer, public, reader_lls


def test_a_meter_in_mode_e_says_who_it_is_and_hdlc_has_the_line() -> None:
    pump = Pump(reader(OPTICAL), meter())
    report = sign_on(pump)
    assert report == SignOnReport(True, "SBC", 9600, "E", "TEST0001")
    assert pump.line.state is LineState.OPENED
    assert pump.speeds == [300, 9600]
    said = len(pump.sent)
    assert accepted(pump)
    assert pump.sent[said][:1] == b"\x7e"  # no second sign-on
    assert pump.speeds == [300, 9600]


def test_every_octet_of_the_sign_on_has_even_parity() -> None:
    pump = Pump(reader(OPTICAL), meter())
    sign_on(pump)
    for piece in pump.sent:
        assert all(octet.bit_count() % 2 == 0 for octet in piece)
    assert pump.sent[0] == with_even_parity(b"/?!\r\n")


def test_a_read_out_is_taken_where_it_is_offered_even_beside_mode_e() -> None:
    for identification, mode in ((E_METER, "E"), (C_METER, "C")):
        pump = Pump(reader(OPTICAL), meter(identification))
        report = sign_on(pump, read_out=True)
        assert (report.answered, report.mode, report.read_out) == (True, mode, BLOCK)
        assert pump.line.state is LineState.CLOSED
        assert pump.speeds == [300, 9600]


def test_a_read_out_nobody_asked_for_is_waited_for_and_not_told() -> None:
    pump = Pump(reader(OPTICAL), meter(C_METER))
    report = sign_on(pump)
    assert (report.answered, report.mode, report.read_out) == (True, "C", None)


def test_after_a_read_out_mode_e_opens_as_ever() -> None:
    pump = Pump(reader(OPTICAL), meter())
    assert sign_on(pump, read_out=True).read_out == BLOCK
    assert accepted(pump)
    assert pump.speeds == [300, 9600, 300, 9600]


def test_a_sign_on_takes_the_line_back_from_hdlc() -> None:
    peer = meter()
    pump = Pump(reader(OPTICAL), peer)
    assert accepted(pump)
    assert sign_on(pump, read_out=True).read_out == BLOCK
    assert sign_on(pump).mode == "E"
    assert sign_on(pump).mode == "E"  # out of mode E by SNRM and DISC
    assert sign_on(pump, read_out=True).read_out == BLOCK
    assert accepted(pump)


def test_an_association_signs_on_by_itself_and_a_release_gives_the_line_back() -> None:
    peer = meter()
    pump = Pump(reader(OPTICAL), peer)
    for _ in range(2):
        assert accepted(pump)
        assert pump.play(GetJob((NAME,))) == (octets(b"name"),)
        pump.play(ReleaseJob())
        assert not peer.opened
        assert pump.line.state is LineState.CLOSED
    assert pump.speeds == [300, 9600] * 2


def test_another_client_signs_on_again() -> None:
    pump = Pump(reader(OPTICAL), meter())
    assert accepted(pump)
    joined = pump.play(AssociateJob(reader_lls()))
    assert isinstance(joined, Association)
    assert joined.accepted
    assert pump.speeds == [300, 9600] * 2


def test_a_meter_without_mode_e_is_named_and_no_link_tried() -> None:
    pump = Pump(reader(OPTICAL), meter(C_METER))
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.silence is Silence.LINK_LOST
    assert "mode C" in joined.why
    assert "framing hdlc" in joined.why
    assert not any(piece[:1] == b"\x7e" for piece in pump.sent)


class BesidePeer(OpticalPeer):
    """HDLC at once, and a sign-on for the read-out beside it."""

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        if octets[:1] == b"\x7e":
            return self.hdlc.hear(octets, now_ms)
        return self._signed(self.sign_on.receive(octets, now_ms))


def test_hdlc_at_once_beside_a_sign_on_for_the_read_out() -> None:
    server = ScriptedServer({NAME.descriptor: octets(b"name")})
    settings = LineSettings(framing=Framing.OPTICAL, mode_e=False, baud=4800)
    pump = Pump(reader(settings), BesidePeer(HdlcPeer(server), C_METER))
    assert sign_on(pump, read_out=True).read_out == BLOCK
    assert accepted(pump)
    assert pump.speeds == [300, 9600, 4800]
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)
    assert sign_on(pump, read_out=True).read_out == BLOCK


@pytest.mark.parametrize("echo", [False, True])
def test_an_echoing_head_does_not_disturb(echo: bool) -> None:
    peer = meter()
    pump = Pump(reader(OPTICAL), peer)
    if echo:
        inner = peer.hear
        peer.hear = lambda octets, now_ms: [octets, *inner(octets, now_ms)]  # type: ignore[method-assign]  # an echo
    assert accepted(pump)
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)


def test_the_address_and_the_speed_of_the_sign_on_are_those_of_the_settings() -> None:
    settings = LineSettings(framing=Framing.OPTICAL, device_address="12345678", sign_on_baud=2400)
    peer = meter()
    peer.sign_on = MeterSignOn(E_METER, "12345678", BLOCK)
    pump = Pump(reader(settings), peer)
    assert sign_on(pump).answered
    assert pump.speeds == [2400, 9600]
    assert pump.sent[0] == with_even_parity(b"/?12345678!\r\n")


def test_a_meter_that_lost_power_in_mode_e_is_signed_on_again() -> None:
    peer = meter()
    pump = Pump(reader(OPTICAL), peer)
    assert accepted(pump)
    peer.hdlc.drop_links()
    peer.close()
    answer = pump.play(GetJob((NAME,)))
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.NO_ANSWER
    assert pump.line.state is LineState.OPENED  # it may still be there
    assert accepted(pump)
    assert pump.speeds == [300, 9600, 300, 9600]


def test_a_meter_still_in_hdlc_after_a_lost_link_is_reached_without_a_sign_on() -> None:
    peer = meter()
    pump = Pump(reader(OPTICAL), peer)
    assert accepted(pump)
    pump.to_meter = lambda _piece, _n: []
    assert isinstance(pump.play(GetJob((NAME,))), Unanswered)
    pump.to_meter = lambda piece, _n: [piece]
    assert accepted(pump)
    assert pump.speeds == [300, 9600]


@pytest.mark.parametrize("baud", sorted(mode_e.BAUD_RATES))
def test_every_speed_a_meter_may_propose(baud: str) -> None:
    pump = Pump(reader(OPTICAL), meter(Identification("SBC", baud, "X", "2")))
    report = sign_on(pump)
    assert report.baud == mode_e.BAUD_RATES[baud]
    assert accepted(pump)
    assert pump.speeds == list(dict.fromkeys([300, mode_e.BAUD_RATES[baud]]))
