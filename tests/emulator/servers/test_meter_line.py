"""A meter's line without I/O: framings, phases, hang-ups, time-outs, noise, dumps."""

import json
from typing import Any

import pytest

from device_profiles.loader import load_profile
from emulator.codecs.dlms import mode_e
from emulator.codecs.dlms.dumped import DumpedStateError
from emulator.codecs.dlms.hdlc import Address
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.core.effects import CloseDlms, DlmsChannel, SendDlms, SetTimer
from emulator.core.errors import IllegalEventError
from emulator.servers.line_parts import Framing, LineOutput, Transmit
from emulator.servers.meter_line import MeterLine
from emulator.servers.wrapper_port import MAX_CLIENTS
from tests.emulator.servers.line_kit import (
    ANSWER,
    BROKEN,
    CLOSE_ALL,
    CLOSE_ME,
    GET,
    IDENTIFICATION,
    MUTE,
    OPTION_C,
    OPTION_E,
    PUBLIC,
    REQUEST,
    SERVER,
    SIGN_ON,
    START,
    TELL_LATER,
    HdlcClient,
    ScriptedDevice,
    apdus,
    bauds,
    hang_ups,
    kinds,
    later,
    notes,
    profile,
    sent,
    speeds,
    wrapped,
)

SET = b"\xc1" + GET[1:]


class Bench:
    """A line, its device, and the clock between."""

    def __init__(self, framing: Framing, **changes: Any) -> None:
        self.device = ScriptedDevice(profile(**changes))
        self.line = MeterLine(self.device, "here", framing=framing)
        self.line.begin(START)
        self.ms = 0

    def put(self, octets: bytes) -> list[LineOutput]:
        return self.line.receive(octets, later(self.ms))

    def pass_ms(self, ms: int) -> list[LineOutput]:
        """Let time pass, with ``expire`` at every deadline."""
        end, out = self.ms + ms, []
        while (due := self.line.deadline_ms) is not None and due <= START + end:
            self.ms = max(due - START, self.ms)
            out += self.line.expire(later(self.ms))
        self.ms = end
        return out


def opened(**changes: Any) -> Bench:
    """An optical port whose mode E is open."""
    bench = Bench(Framing.OPTICAL, sign_on=SIGN_ON, **changes)
    assert sent(bench.put(REQUEST)) == IDENTIFICATION
    assert sent(bench.put(OPTION_E)) == OPTION_E
    return bench


# -- HDLC ------------------------------------------------------------------------------------


def test_a_client_connects_asks_and_leaves() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    assert kinds(sent(bench.put(client.snrm()))) == [Kind.UA]
    out = bench.put(client.ask())
    assert apdus(sent(out)) == [ANSWER]
    assert notes(out, "asked") == [{}]
    assert kinds(sent(bench.put(client.disc()))) == [Kind.UA]
    assert bench.device.gone == [DlmsChannel("here", PUBLIC, SERVER)]
    assert kinds(sent(bench.put(client.ask()))) == [Kind.DM]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_server_answers_in_the_form_it_was_called_by(size: int) -> None:
    physical = {"physical_address": 17, "address_bytes": size} if size > 1 else {}
    bench = Bench(Framing.HDLC, hdlc_=physical)
    client = HdlcClient(Address(SERVER, 17 if size > 1 else None, size))
    bench.put(client.snrm())
    assert apdus(sent(bench.put(client.ask()))) == [ANSWER]


def test_two_clients_share_the_line_and_do_not_meet() -> None:
    bench, first, second = Bench(Framing.HDLC), HdlcClient(), HdlcClient(client=2)
    both = bench.put(first.snrm() + second.snrm())
    assert kinds(sent(both)) == [Kind.UA, Kind.UA]
    assert apdus(sent(bench.put(first.ask() + second.ask()))) == [ANSWER, ANSWER]
    bench.put(first.disc())
    assert bench.device.gone == [DlmsChannel("here", PUBLIC, SERVER)]
    assert apdus(sent(bench.put(second.ask()))) == [ANSWER]


def test_a_client_that_calls_by_another_address_form_takes_its_own_link_over() -> None:
    bench = Bench(Framing.HDLC, hdlc_={"physical_address": 17, "address_bytes": 2})
    first, second = HdlcClient(Address(SERVER)), HdlcClient(Address(SERVER, 17, 2))
    bench.put(first.snrm())
    out = bench.put(second.snrm())
    assert kinds(sent(out)) == [Kind.UA]
    assert bench.device.gone == [DlmsChannel("here", PUBLIC, SERVER)]
    assert kinds(sent(bench.put(first.ask()))) == [Kind.DM]
    assert apdus(sent(bench.put(second.ask()))) == [ANSWER]
    bench.pass_ms(120_000)
    assert len(bench.device.gone) == 2


def test_a_repeated_frame_is_answered_alike_and_acted_upon_once() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    question = client.ask(SET)
    first = sent(bench.put(question))
    assert sent(bench.put(question)) == first
    assert bench.device.heard == [SET]


@pytest.mark.parametrize("at", range(1, 26, 3))
def test_a_damaged_frame_is_not_acted_upon(at: int) -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    question = bytearray(client.ask(SET))
    question[at] ^= 0x10
    assert sent(bench.put(bytes(question))) == b""
    assert sent(bench.line.silence(later(60))) == b""
    assert bench.device.heard == []


def test_a_question_without_an_answer_has_its_poll_answered() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    assert kinds(sent(bench.put(client.ask(MUTE)))) == [Kind.RR]
    client.numbers = (1, 0)
    assert kinds(sent(bench.put(client.frame(Kind.RR)))) == [Kind.RR]


def test_octets_the_device_cannot_read_are_noted_and_not_answered() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    out = bench.put(client.ask(BROKEN))
    assert apdus(sent(out)) == []
    assert notes(out, "malformed_frame") == [{"event": "dlms", "layer": "test", "why": "told to"}]


def test_a_ui_frame_is_heard_and_never_answered() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient(Address(0x7F))
    out = bench.put(client.tell(GET))
    assert (bench.device.heard, sent(out)) == ([GET], b"")


def test_the_device_may_drop_one_link_without_a_word() -> None:
    bench, first, second = Bench(Framing.HDLC), HdlcClient(), HdlcClient(client=2)
    bench.put(first.snrm() + second.snrm())
    out = bench.put(first.ask(CLOSE_ME))
    assert apdus(sent(out)) == [CLOSE_ME]
    assert hang_ups(out) == []
    assert kinds(sent(bench.put(first.ask()))) == [Kind.DM]
    assert apdus(sent(bench.put(second.ask()))) == [ANSWER]
    assert bench.device.gone == []


def test_an_order_to_close_every_client_is_carried_out_and_passed_on() -> None:
    bench, first, second = Bench(Framing.HDLC), HdlcClient(), HdlcClient(client=2)
    bench.put(first.snrm() + second.snrm())
    out = bench.put(first.ask(CLOSE_ALL))
    assert CloseDlms(None) in out
    assert kinds(sent(bench.put(second.ask() + first.ask()))) == [Kind.DM, Kind.DM]


def test_what_the_device_says_unasked_goes_out_in_a_ui_frame() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    out = bench.put(client.ask(TELL_LATER))
    assert SetTimer("news", later(1000)) in out
    channel = DlmsChannel("here", PUBLIC, SERVER)
    told = bench.line.perform([SendDlms(channel, b"\x0fnews")], later(1000))
    assert kinds(sent(told)) == [Kind.UI]
    too_long = bench.line.perform([SendDlms(channel, bytes(200))], later(1000))
    assert notes(too_long, "line_unsent") == [{"why": "it does not fit one frame"}]
    elsewhere = SendDlms(DlmsChannel("there", PUBLIC, SERVER), b"\x0f")
    assert bench.line.perform([elsewhere], later(1000)) == []
    stranger = SendDlms(DlmsChannel("here", 99, SERVER), b"\x0f")
    assert notes(bench.line.perform([stranger], START), "line_unsent") != []


def test_a_silent_client_loses_its_link_and_a_silent_line_is_hung_up() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    out = bench.pass_ms(119_999)
    assert out == []
    out = bench.pass_ms(1)
    assert bench.device.gone == [DlmsChannel("here", PUBLIC, SERVER)]
    assert hang_ups(out) == ["nothing was heard for the inactivity time-out"]
    assert bench.line.deadline_ms is None


def test_a_line_nobody_speaks_on_is_hung_up() -> None:
    bench = Bench(Framing.HDLC)
    bench.put(bytes(1000))
    assert hang_ups(bench.pass_ms(120_000)) != []


def test_a_lost_connection_is_told_to_the_device() -> None:
    bench, first, second = Bench(Framing.HDLC), HdlcClient(), HdlcClient(client=2)
    bench.put(first.snrm() + second.snrm())
    bench.line.lost(later(1))
    assert {channel.client for channel in bench.device.gone} == {PUBLIC, 2}


def test_a_check_sequence_that_ends_like_a_flag_and_flags_inside_are_no_flags() -> None:
    ends = {"question": 0, "answer": 0}
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    for number in range(1500):
        apdu = b"\xf7\x7e\x7e" + number.to_bytes(2, "big") + b"\x7e"
        question = client.ask(apdu)
        answer = sent(bench.put(question))
        assert apdus(answer) == [apdu]
        ends["question"] += question.endswith(b"~~")
        ends["answer"] += answer.endswith(b"~~")
    assert min(ends.values()) >= 2


def test_noise_before_between_and_after_frames_changes_nothing() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    assert kinds(sent(bench.put(b"\x00\xff\x7e" + client.snrm() + b"\x55\x7e\x7e"))) == [Kind.UA]
    assert apdus(sent(bench.put(b"~~" + client.ask() + b"\xaa"))) == [ANSWER]


def test_a_false_header_is_given_up_after_silence() -> None:
    bench, client = Bench(Framing.HDLC), HdlcClient()
    bench.put(client.snrm())
    assert sent(bench.put(b"\x7e\xa7\xff\x03\x21")) == b""
    assert bench.line.kept_bytes > 0
    bench.line.silence(later(30))
    assert bench.line.kept_bytes == 0
    assert apdus(sent(bench.put(client.ask()))) == [ANSWER]


# -- sign-on ---------------------------------------------------------------------------------


def test_sign_on_opens_hdlc_at_the_speed_agreed_and_disc_closes_it() -> None:
    bench, client = Bench(Framing.OPTICAL, sign_on=SIGN_ON), HdlcClient()
    assert bench.line.baud == 300
    assert sent(bench.put(client.snrm())) == b""
    assert bench.put(REQUEST) == [Transmit(IDENTIFICATION, 300, 200)]
    out = bench.put(OPTION_E)
    assert out[0] == Transmit(OPTION_E, 9600, 200)
    assert (speeds(out), bench.line.baud) == ([9600], 9600)
    assert sent(bench.put(client.snrm())) != b""
    assert bauds(bench.put(client.ask())) == [9600]
    out = bench.put(client.disc())
    assert (kinds(sent(out)), speeds(out), bench.line.baud) == ([Kind.UA], [300], 300)
    assert bauds(out) == [9600]
    assert sent(bench.put(REQUEST)) == IDENTIFICATION


def test_a_sign_on_goes_unheard_while_hdlc_has_the_line() -> None:
    bench, client = opened(), HdlcClient()
    bench.put(client.snrm())
    assert sent(bench.put(REQUEST)) == b""
    assert apdus(sent(bench.put(client.ask()))) == [ANSWER]
    bench.pass_ms(120_000)
    assert sent(bench.put(REQUEST)) == IDENTIFICATION


def test_a_client_that_opens_mode_e_and_vanishes_frees_the_line_in_time() -> None:
    bench = opened()
    assert speeds(bench.pass_ms(119_999)) == []
    assert speeds(bench.pass_ms(1)) == [300]
    assert sent(bench.put(REQUEST)) == IDENTIFICATION


def test_noise_does_not_keep_hdlc_on_the_line() -> None:
    bench = opened()
    for _second in range(119):
        bench.pass_ms(1000)
        bench.put(b"\x00\x7e\xff")
    assert speeds(bench.pass_ms(1000)) == [300]


def test_a_link_dropped_by_the_device_keeps_hdlc_so_that_the_next_frame_gets_dm() -> None:
    bench, client = opened(), HdlcClient()
    bench.put(client.snrm())
    out = bench.put(client.ask(CLOSE_ALL))
    assert speeds(out) == []
    assert kinds(sent(bench.put(client.ask()))) == [Kind.DM]
    assert kinds(sent(bench.put(client.snrm()))) == [Kind.UA]


def test_the_line_goes_back_to_sign_on_only_after_the_last_client() -> None:
    bench, first, second = opened(), HdlcClient(), HdlcClient(client=2)
    bench.put(first.snrm() + second.snrm())
    assert speeds(bench.put(first.disc())) == []
    assert speeds(bench.put(second.disc())) == [300]


def test_a_read_out_holds_the_values_of_the_moment_of_the_call() -> None:
    bench = Bench(Framing.OPTICAL, sign_on=SIGN_ON)
    bench.device.value = 777
    bench.ms = 4321
    bench.put(REQUEST)
    out = bench.put(OPTION_C)
    block = mode_e.decode_read_out(mode_e.without_parity(sent(out)))
    assert mode_e.data_sets(block)[0].value == "777"
    assert mode_e.data_sets(block)[1].value == "4321"
    assert bauds(out) == [9600]


def test_a_meter_that_is_not_told_what_to_do_reads_out_at_the_opening_speed() -> None:
    bench = Bench(Framing.OPTICAL, sign_on=SIGN_ON | {"start_baud": 2400})
    assert bauds(bench.put(REQUEST)) == [2400]
    said_ms = 200 + -(-len(IDENTIFICATION) * 10_000 // 2400)
    assert bauds(bench.pass_ms(1499 + said_ms)) == []
    out = bench.pass_ms(1)
    assert bauds(out) == [2400]
    assert mode_e.without_parity(sent(out)).startswith(b"\x02")


def test_a_meter_without_mode_c_gives_no_read_out() -> None:
    bench = Bench(Framing.OPTICAL, sign_on=SIGN_ON | {"mode_c": False})
    bench.put(REQUEST)
    assert sent(bench.put(OPTION_C)) == b""


def test_without_mode_e_hdlc_and_read_out_are_there_side_by_side() -> None:
    section = SIGN_ON | {"mode_e": False, "start_baud": 9600}
    bench, client = Bench(Framing.OPTICAL, sign_on=section), HdlcClient()
    assert sent(bench.put(REQUEST)).startswith(IDENTIFICATION[:5])
    assert sent(bench.put(OPTION_C)) != b""
    assert kinds(sent(bench.put(client.snrm()))) == [Kind.UA]
    assert sent(bench.put(REQUEST)) == b""
    assert apdus(sent(bench.put(client.ask()))) == [ANSWER]
    bench.put(client.disc())
    assert sent(bench.put(REQUEST)) != b""


def test_without_sign_on_hdlc_is_there_at_once() -> None:
    bench, client = Bench(Framing.OPTICAL), HdlcClient()
    assert sent(bench.put(REQUEST)) == b""
    assert kinds(sent(bench.put(client.snrm()))) == [Kind.UA]
    assert hang_ups(bench.pass_ms(500_000)) == []


@pytest.mark.parametrize("noise", [b"/?", b"/!\r\n", b"\xaf\x3f\x21\x8d", b"\x06\x0a", bytes(300)])
def test_a_sign_on_after_noise_is_answered(noise: bytes) -> None:
    bench = Bench(Framing.OPTICAL, sign_on=SIGN_ON)
    bench.put(noise)
    assert sent(bench.put(REQUEST)) == IDENTIFICATION


# -- wrapper ---------------------------------------------------------------------------------


def test_a_wrapper_frame_is_answered_to_the_port_it_came_from() -> None:
    bench = Bench(Framing.WRAPPER)
    assert sent(bench.put(wrapped())) == wrapped(ANSWER, SERVER, PUBLIC)
    assert sent(bench.put(wrapped(client=3))) == wrapped(ANSWER, SERVER, 3)


def test_frames_in_pieces_and_several_at_once_are_all_answered() -> None:
    bench = Bench(Framing.WRAPPER)
    octets = wrapped() * 3
    out = [item for at in range(len(octets)) for item in bench.put(octets[at : at + 1])]
    assert sent(out) == wrapped(ANSWER, SERVER, PUBLIC) * 3
    assert sent(bench.put(octets)) == wrapped(ANSWER, SERVER, PUBLIC) * 3


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x00\x02" + wrapped()[2:], "version 2 is not 1"),
        (wrapped(server=5), "nobody listens at wrapper port 5"),
        (wrapped()[:6] + b"\xff\xff", "65535 octets"),
        (wrapped(b""), "a frame without an APDU"),
    ],
)
def test_a_frame_that_means_nothing_ends_the_connection_at_once(octets: bytes, why: str) -> None:
    bench = Bench(Framing.WRAPPER)
    out = bench.put(wrapped() + octets + wrapped())
    assert sent(out) == wrapped(ANSWER, SERVER, PUBLIC)
    (said,) = hang_ups(out)
    assert why in said
    assert bench.put(wrapped()) == []
    assert bench.line.deadline_ms is None


def test_a_connection_with_ever_more_clients_is_hung_up() -> None:
    bench = Bench(Framing.WRAPPER)
    for client in range(1, MAX_CLIENTS + 1):
        assert sent(bench.put(wrapped(client=client))) != b""
    assert hang_ups(bench.put(wrapped(client=MAX_CLIENTS + 1))) != []


def test_half_a_frame_is_not_waited_for_for_ever() -> None:
    bench = Bench(Framing.WRAPPER)
    for second in range(120):
        bench.ms = second * 1000
        bench.put(wrapped()[second % 20 : second % 20 + 1] if second < 20 else b"")
    assert hang_ups(bench.pass_ms(1000)) != []


def test_the_device_closes_a_wrapper_connection() -> None:
    bench = Bench(Framing.WRAPPER)
    out = bench.put(wrapped(CLOSE_ME))
    assert sent(out) == wrapped(CLOSE_ME, SERVER, PUBLIC)
    assert hang_ups(out) == ["this end closed it"]
    bench.line.lost(later(1))
    assert bench.device.gone == []


def test_closing_every_client_leaves_connections_alone_that_have_none() -> None:
    bench = Bench(Framing.WRAPPER)
    assert bench.line.perform([CloseDlms(None)], START) == []
    bench.put(wrapped())
    assert hang_ups(bench.line.perform([CloseDlms(None)], START)) != []


def test_a_lost_wrapper_connection_is_told_for_every_client() -> None:
    bench = Bench(Framing.WRAPPER)
    bench.put(wrapped() + wrapped(client=3))
    bench.line.lost(later(1))
    assert [channel.client for channel in bench.device.gone] == [3, PUBLIC]


# -- dumps -----------------------------------------------------------------------------------


def _stories() -> dict[str, tuple[Framing, dict[str, Any], list[bytes]]]:
    client, other = HdlcClient(), HdlcClient()
    hdlc_story = [client.snrm(), client.ask(), client.ask()[:9], client.ask()[9:], client.disc()]
    optical = [REQUEST[:3], REQUEST[3:], OPTION_E, other.snrm(), other.ask(), other.disc(), REQUEST]
    wrapper_story = [wrapped()[:4], wrapped()[4:], wrapped(client=3), b"\x00\x09" + bytes(6)]
    return {
        "hdlc": (Framing.HDLC, {}, hdlc_story),
        "optical": (Framing.OPTICAL, {"sign_on": SIGN_ON}, optical),
        "wrapper": (Framing.WRAPPER, {}, wrapper_story),
    }


@pytest.mark.parametrize("name", ["hdlc", "optical", "wrapper"])
def test_a_line_put_back_at_any_point_goes_on_with_the_same_octets(name: str) -> None:
    framing, changes, story = _stories()[name]
    straight = Bench(framing, **changes)
    broken = Bench(framing, **changes)
    for octets in story:
        expected = straight.put(octets)
        again = Bench(framing, **changes)
        again.device = broken.device
        again.line = MeterLine(broken.device, "here", framing=framing)
        again.line.load(json.loads(json.dumps(broken.line.dump())))
        broken = again
        assert broken.put(octets) == expected
        assert broken.line.deadline_ms == straight.line.deadline_ms
        assert broken.line.baud == straight.line.baud


@pytest.mark.parametrize("framing", list(Framing))
def test_a_state_of_another_framing_or_damaged_is_refused(framing: Framing) -> None:
    bench = Bench(framing, sign_on=SIGN_ON)
    other = next(each for each in Framing if each is not framing)
    with pytest.raises(DumpedStateError, match="framing"):
        bench.line.load(Bench(other, sign_on=SIGN_ON).line.dump())
    before = bench.line.dump()
    with pytest.raises(DumpedStateError):
        bench.line.load({"framing": framing.value, "port": {}})
    assert bench.line.dump() == before


@pytest.mark.parametrize("framing", list(Framing))
def test_a_reset_line_is_as_new(framing: Framing) -> None:
    bench, client = Bench(framing, sign_on=SIGN_ON), HdlcClient()
    fresh = Bench(framing, sign_on=SIGN_ON)
    for octets in (REQUEST, OPTION_E, client.snrm(), client.ask(), wrapped()):
        bench.put(octets)
    bench.line.reset()
    bench.line.begin(START)
    assert bench.line.dump() == fresh.line.dump()


def test_a_profile_without_dlms_has_no_line() -> None:
    device = ScriptedDevice(load_profile("demo-esme"))
    with pytest.raises(IllegalEventError, match=r"no \[dlms\]"):
        MeterLine(device, "here", framing=Framing.HDLC)
