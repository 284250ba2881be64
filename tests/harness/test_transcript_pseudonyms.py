from pathlib import Path

import pytest

from emulator.codecs.dlms.mode_e import decode_read_out, without_parity
from harness.dlms.jobs import SignOnJob
from harness.dlms.settings import Framing
from harness.dlms_view.line import SeenKind, Way
from harness.dlms_view.readings import readings_of
from harness.replay_client import recorded_exchanges
from harness.transcript import Transcript, read_line
from harness.transcript_file import load, rewritten
from harness.transcript_pseudonyms import mpans_of, pseudonymised
from tests.harness.recorded import EUI64, SERIAL, Recorded, attribute, save

EUI64_OBJECT = attribute(1, "0-0:96.1.1.255", 2)


def recording(framing: Framing, client: str = "public") -> Transcript:
    told = Recorded(framing=framing)
    told.read(client, SERIAL, EUI64_OBJECT)
    transcript = told.transcript()
    about = transcript.about.model_copy(
        update={"device": {"eui64": str(EUI64), "serial_number": serial_of(transcript)}}
    )
    return Transcript(about, transcript.records)


def serial_of(transcript: Transcript) -> str:
    for exchange in recorded_exchanges(transcript):
        for reading in readings_of(exchange):
            if reading.subject.startswith("Serial number"):
                return reading.rows[0][1].strip("'")
    return ""


@pytest.mark.parametrize("framing", list(Framing))
def test_identifiers_are_gone_and_every_frame_still_checks(framing: Framing) -> None:
    transcript = recording(framing)
    serial = serial_of(transcript).encode()
    assert len(serial) > 6
    hidden = pseudonymised(transcript, [EUI64.octets], [serial])
    for way in Way:
        assert serial not in hidden.octets(way)
        assert EUI64.octets not in hidden.octets(way)
        assert len(hidden.octets(way)) == len(transcript.octets(way))
    before = [one.seen.kind for one in read_line(transcript.records, framing)]
    after = [one.seen for one in read_line(hidden.records, framing)]
    assert [one.kind for one in after] == before
    assert not any(one.kind is SeenKind.NOISE for one in after)
    assert hidden.about.pseudonyms
    assert str(EUI64) not in str(hidden.about)
    assert serial.decode() not in str(hidden.about)
    assert not hidden.about.protection_broken


def test_a_serial_number_in_a_read_out_is_replaced_and_its_check_made_anew() -> None:
    told = Recorded(framing=Framing.OPTICAL)
    told.do(SignOnJob(read_out=True))
    transcript = told.transcript()
    texts = [one.seen.message for one in read_line(transcript.records, Framing.OPTICAL)]
    block = decode_read_out(without_parity(texts[-1]))
    number = next(line for line in block.split("\r\n") if "(" in line).partition("(")[2][:8]
    hidden = pseudonymised(transcript, [], [number.encode()])
    after = [one.seen.message for one in read_line(hidden.records, Framing.OPTICAL)]
    assert number not in decode_read_out(without_parity(after[-1]))


def test_a_capture_with_protected_apdus_says_that_its_protection_is_broken() -> None:
    hidden = pseudonymised(recording(Framing.HDLC, "management"), [EUI64.octets], [])
    assert hidden.about.protection_broken
    assert EUI64.octets not in hidden.octets(Way.OUT)


def test_mpans_are_known_by_their_check_digit() -> None:
    assert mpans_of(b"x1012345678907y") == []
    good = next(
        b"101234567890%d" % digit for digit in range(10) if mpans_of(b"101234567890%d" % digit)
    )
    assert mpans_of(b"MPAN " + good + b" and 1" + good) == [good]


def test_a_capture_is_rewritten_with_its_hash(tmp_path: Path) -> None:
    transcript = recording(Framing.HDLC)
    before = save(tmp_path / "one", transcript)
    serial = serial_of(transcript).encode()
    after = rewritten(tmp_path / "one", lambda one: pseudonymised(one, [EUI64.octets], [serial]))
    assert before.sha256 != after.sha256
    assert load(tmp_path / "one").about == after
