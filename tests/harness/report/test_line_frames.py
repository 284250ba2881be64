from pathlib import Path

from emulator.codecs.dlms import wrapper
from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.ports import CapturedFrame
from harness.report.dissect import Dissector
from harness.report.folding import fold
from harness.report.naming import Directory
from harness.report.pcapng import PcapngWriter, read
from harness.report.sequence import draw
from harness.report.trace import TraceItem
from harness.transcript import Chunk
from tests.harness.recorded import CLOCK, IMPORT, IMPORT_UNIT, SERIAL, VIEW, Recorded, reading

DIRECTORY = Directory({"0" * 16: "ESME"}, {}, "CHF", ("ACB", "DSP"))
LINKS = {Way.IN: "line-in", Way.OUT: "line-out"}


def trace(framing: Framing = Framing.OPTICAL) -> list[TraceItem]:
    """What the report makes of a conversation on a meter's line."""
    dissector = Dissector(DIRECTORY)
    transcript = reading(VIEW, CLOCK, IMPORT, IMPORT_UNIT, SERIAL, framing=framing)
    items = []
    for chunk in transcript.chunks():
        assert isinstance(chunk, Chunk)
        frame = CapturedFrame(chunk.at_ns // 1000, LINKS[chunk.way], chunk.octets)
        told = dissector.dissect(frame)
        items.append(
            TraceItem(
                frame.at_us,
                frame.link,
                1,
                told.sender,
                told.receiver,
                told.label,
                told.family,
                told.layers,
                frame.frame,
                damaged=told.damaged,
            )
        )
    return items


def test_a_line_is_drawn_between_its_reader_and_its_meter() -> None:
    items = trace()
    assert {(one.sender, one.receiver) for one in items} == {("reader", "ESME"), ("ESME", "reader")}
    assert not any(one.damaged for one in items)
    assert draw(items).lanes == ("reader", "ESME")
    assert draw(items).links == ("meter",)


def test_every_layer_of_a_frame_has_its_fields() -> None:
    found = next(one for one in trace() if one.label.startswith("GET Clock"))
    layers = {layer.name: dict(layer.tell()) for layer in found.layers}
    assert layers["HDLC"]["control"].endswith(" I")
    assert layers["DLMS"]["attribute"] == "Clock, time (8 / 0-0:1.0.0.255 a2)"


def test_a_sign_on_is_told_in_words() -> None:
    labels = [one.label for one in trace()]
    assert labels[0] == "sign-on: call whoever is there"
    assert any(label.startswith("identification: SBC") for label in labels)
    assert "option select: open HDLC (mode E)" in labels


def test_blocks_segments_and_flow_control_fold() -> None:
    items = trace(Framing.HDLC)
    rows = fold(items)
    assert len(rows) < len(items) / 2
    assert not any(row.first.label.startswith("RR") for row in rows)


def test_reads_of_one_class_fold_into_a_band() -> None:
    rows = fold(trace(Framing.WRAPPER))
    assert "read register" in [row.family for row in rows if len(row.items) > 2]


def test_a_part_of_a_frame_says_so_and_the_rest_completes_it() -> None:
    dissector = Dissector(DIRECTORY)
    octets = bytes.fromhex("7ea0070321930f017e")
    first = dissector.dissect(CapturedFrame(0, "line-in", octets[:4]))
    rest = dissector.dissect(CapturedFrame(1, "line-in", octets[4:]))
    assert first.label == "part of a frame or text"
    assert rest.label == "SNRM: connect"


def test_dlms_on_the_wan_is_decoded_between_the_wans_parties() -> None:
    dissector = Dissector(DIRECTORY)
    get = bytes.fromhex("c001c100080000010000ff0200")
    frame = wrapper.encode(wrapper.WrapperFrame(16, 1, get))
    told = dissector.dissect(CapturedFrame(0, "wan-in", frame))
    assert (told.sender, told.receiver) == ("ACB", "CHF")
    assert told.label == "GET Clock, time (8 / 0-0:1.0.0.255 a2)"


def test_a_secret_of_a_runs_capture_is_masked(tmp_path: Path) -> None:
    told = Recorded()
    told.read("reader", CLOCK)
    secret = told.wire.keys.secrets["reader"]
    path = tmp_path / "wire.pcapng"
    with PcapngWriter(path) as writer:
        for chunk in told.transcript().chunks():
            writer.write(CapturedFrame(0, LINKS[chunk.way], chunk.octets))
    assert secret not in path.read_bytes()
    labels = [Dissector(DIRECTORY).dissect(frame).label for frame in read(path)]
    assert "AARQ: associate, LLS" in labels
