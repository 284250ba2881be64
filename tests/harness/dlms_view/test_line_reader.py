import pytest

from emulator.codecs.dlms import acse, hdlc, initiate
from emulator.codecs.dlms.acse import AssociationRequest, Authentication
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind, control, i_control
from emulator.codecs.dlms.initiate import Conformance, InitiateRequest
from harness.dlms.settings import Framing
from harness.dlms_view.apdu import tell
from harness.dlms_view.conversation import ExchangeKind, exchanges_of
from harness.dlms_view.line import LineReader, Seen, SeenKind, Way
from harness.dlms_view.readings import readings_of
from harness.replay_client import recorded_exchanges
from tests.harness import recorded
from tests.harness.recorded import CLOCK, IMPORT, IMPORT_UNIT, NOTHING, SERIAL, VIEW

CLIENT, SERVER = Address(16), Address(1)
GET = bytes.fromhex("c001c1000301000108 00ff0200")
ANSWER = bytes.fromhex("c401c1000600370ab6")


def to_meter(number: int, information: bytes, *, segmented: bool = False) -> bytes:
    frame = Frame(SERVER, CLIENT, i_control(number, 0, poll=True), information, segmented)
    return hdlc.encode(frame)


def from_meter(number: int, information: bytes) -> bytes:
    return hdlc.encode(Frame(CLIENT, SERVER, i_control(number, 0, poll=True), information))


def read(*octets: tuple[Way, bytes]) -> list[Seen]:
    reader = LineReader()
    return [seen for way, one in octets for seen in reader.feed(way, one)] + reader.end()


def test_an_answer_is_told_under_the_name_of_its_question() -> None:
    seen = read(
        (Way.IN, to_meter(0, hdlc.LLC_COMMAND + GET)),
        (Way.OUT, from_meter(0, hdlc.LLC_RESPONSE + ANSWER)),
    )
    assert [one.kind for one in seen] == [SeenKind.APDU, SeenKind.APDU]
    assert seen[0].label == "GET Active import, value (3 / 1-0:1.8.0.255 a2)"
    told = seen[1].told
    assert told is not None
    assert dict(told.fields)["Active import, value (3 / 1-0:1.8.0.255 a2) (uint32)"] == "3607222"
    assert (seen[0].client, seen[0].server) == (16, 1)


def test_segments_make_one_apdu() -> None:
    whole = hdlc.LLC_COMMAND + GET
    seen = read((Way.IN, to_meter(0, whole[:8], segmented=True)), (Way.IN, to_meter(1, whole[8:])))
    assert [one.kind for one in seen] == [SeenKind.PART, SeenKind.APDU]
    assert (seen[1].message, seen[1].segments) == (GET, 2)


def test_a_frame_sent_again_is_no_second_request() -> None:
    frame = to_meter(0, hdlc.LLC_COMMAND + GET)
    seen = read((Way.IN, frame), (Way.IN, frame))
    assert [one.kind for one in seen] == [SeenKind.APDU, SeenKind.REPEATED]


def test_a_new_connection_begins_the_numbers_anew() -> None:
    frame = to_meter(0, hdlc.LLC_COMMAND + GET)
    snrm = hdlc.encode(Frame(SERVER, CLIENT, control(Kind.SNRM)))
    seen = read((Way.IN, frame), (Way.IN, snrm), (Way.IN, frame))
    assert [one.kind for one in seen] == [SeenKind.APDU, SeenKind.CONNECT, SeenKind.APDU]


def test_octets_that_are_no_frame_are_counted_as_noise() -> None:
    seen = read((Way.IN, b"\x55\xaa\x55"))
    assert [(one.kind, one.damaged) for one in seen] == [(SeenKind.NOISE, True)]


def test_a_secret_is_not_shown() -> None:
    request = AssociationRequest(
        1,
        initiate.encode_request(InitiateRequest(Conformance.GET, 1024)),
        authentication=Authentication(1, b"12345678"),
    )
    told = tell(acse.encode_request(request))
    assert "12345678" not in str(told.fields)
    assert b"12345678".hex() not in str(told.fields)
    assert ("secret", "8 octets, not shown") in told.fields


@pytest.mark.parametrize("octets", ["", "ff", "c0", "c001", "60", "db"])
def test_a_broken_apdu_becomes_a_line_that_says_so(octets: str) -> None:
    assert tell(bytes.fromhex(octets)).label.startswith("damaged APDU")


@pytest.mark.parametrize("framing", list(Framing))
def test_a_conversation_is_read_as_exchanges_whatever_its_framing(framing: Framing) -> None:
    wanted = (VIEW, CLOCK, IMPORT, IMPORT_UNIT, SERIAL, NOTHING)
    transcript = recorded.reading(*wanted, client="reader", framing=framing)
    exchanges = recorded_exchanges(transcript)
    told = [reading for one in exchanges for reading in readings_of(one)]
    by_subject = {reading.subject: reading for reading in told}
    assert by_subject["Clock, time (8 / 0-0:1.0.0.255 a2)"].rows[0][1].startswith("2026-01-05 09")
    assert by_subject["Active import, scaler and unit (3 / 1-0:1.8.0.255 a3)"].rows == (
        (".1", "0"),
        (".2", "30"),
    )
    assert by_subject["register, value (3 / 1-0:99.99.99.255 a2)"].rows == (
        ("", "refused: 4 object undefined"),
    )
    view = next(one for one in exchanges if len(one.answers) > 1)
    assert len(view.requests) == len(view.answers)  # blocks of one answer
    kinds = [one.kind for one in exchanges]
    linked = framing is not Framing.WRAPPER
    assert kinds.count(ExchangeKind.CONNECT) == int(linked)
    assert kinds.count(ExchangeKind.TEXT) == (2 if framing is Framing.OPTICAL else 0)
    assert ExchangeKind.UNASKED not in kinds


def test_what_the_meter_says_unasked_is_an_exchange_of_its_own() -> None:
    notification = bytes.fromhex("0f00000001000600000001")
    frame = hdlc.encode(
        Frame(CLIENT, SERVER, control(Kind.UI, poll=False), hdlc.LLC_RESPONSE + notification)
    )
    found = exchanges_of((0, seen) for seen in read((Way.OUT, frame)))
    assert [(one.kind, one.answers) for one in found] == [(ExchangeKind.UNASKED, (notification,))]
