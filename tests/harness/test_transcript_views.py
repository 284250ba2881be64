import shutil
import subprocess
from pathlib import Path

import pytest

from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.errors import UsageError
from harness.transcript import Chunk, EventKind, LineEvent, Transcript
from harness.transcript_about import About
from harness.transcript_views import View, view_of
from tests.harness.recorded import CLOCK, IMPORT, reading, save

TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
AT = 1_700_000_000_123_456_789


def shown(path: Path, *fields: str) -> list[list[str]]:
    """What tshark makes of a file: one row a packet."""
    assert TSHARK is not None
    words = [word for field in fields for word in ("-e", field)]
    told = subprocess.run(
        [TSHARK, "-r", path, "-T", "fields", *words], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in told.stdout.splitlines()]


@needs_tshark
def test_tshark_reads_channel_time_direction_and_event_of_a_capture(tmp_path: Path) -> None:
    records = (
        LineEvent(AT, EventKind.OPEN, {"baud": 300}),
        Chunk(AT + 1, Way.IN, b"\x7e\xa0"),
        Chunk(AT + 2, Way.OUT, b"\x7e"),
    )
    save(tmp_path / "one", Transcript(About(), records, ("meter",)))
    rows = shown(
        tmp_path / "one.pcapng",
        "frame.interface_name",
        "frame.time_epoch",
        "frame.packet_flags_direction",
        "frame.len",
        "frame.comment",
    )
    assert rows[0] == ["meter", "1700000000.123456789", "", "0", '{"event": "open", "baud": 300}']
    assert rows[1] == ["meter", "1700000000.123456790", "0x00000001", "2", ""]
    assert rows[2] == ["meter", "1700000000.123456791", "0x00000002", "1", ""]


@needs_tshark
def test_tshark_shows_tx_rx_and_the_lines_of_a_serial_view(tmp_path: Path) -> None:
    records = (
        LineEvent(AT, EventKind.OPEN, {"baud": 300}),
        Chunk(AT + 1, Way.IN, b"\x7e\xa0"),
        LineEvent(AT + 2, EventKind.LINES, {"dtr": False, "cts": True}),
        Chunk(AT + 3, Way.OUT, b"\x7e"),
        LineEvent(AT + 4, EventKind.BREAK, {"duration_ms": 250}),
        LineEvent(AT + 5, EventKind.CLOSE),
    )
    path = tmp_path / "view.pcapng"
    path.write_bytes(view_of(Transcript(About(), records), View.RTAC))
    fields = [f"rtacser.{name}" for name in ("eventtype", "rts", "dtr", "cts")]
    rows = shown(path, *fields, "data.data", "frame.comment")
    assert [[int(one[0], 16), *map(int, one[1:4])] for one in rows] == [
        [0, 1, 1, 0],
        [1, 1, 1, 0],
        [0, 1, 0, 1],
        [2, 1, 0, 1],
        [9, 1, 0, 1],
        [0, 0, 0, 0],
    ]
    assert [one[4] for one in rows] == ["", "7ea0", "", "7e", "", ""]
    assert rows[4][5] == "break: duration_ms 250"


@needs_tshark
def test_tshark_follows_the_tcp_of_a_wrapper_view_to_port_4059(tmp_path: Path) -> None:
    transcript = reading(CLOCK, IMPORT, framing=Framing.WRAPPER)
    path = tmp_path / "view.pcapng"
    path.write_bytes(view_of(transcript, View.TCP4059))
    rows = shown(
        path,
        "ip.checksum.status",
        "tcp.checksum.status",
        "tcp.dstport",
        "tcp.payload",
        "tcp.analysis.lost_segment",
    )
    assert len(rows) == len(list(transcript.chunks()))
    towards = b"".join(bytes.fromhex(row[3]) for row in rows if row[2] == "4059")
    assert towards == transcript.octets(Way.IN)
    assert not any(row[4] for row in rows)
    assert {row[0] for row in rows} <= {"1", "2"}  # good, or not looked at


def test_hdlc_cannot_be_shown_as_tcp() -> None:
    with pytest.raises(UsageError, match="only a conversation in the TCP wrapper"):
        view_of(reading(CLOCK), View.TCP4059)


def test_a_long_chunk_is_cut_into_datagrams_that_ip_can_carry(tmp_path: Path) -> None:
    chunk = Chunk(AT, Way.OUT, bytes(70_000))
    about = About(framing=Framing.WRAPPER)
    content = view_of(Transcript(about, (chunk,)), View.TCP4059)
    path = tmp_path / "view.pcapng"
    path.write_bytes(content)
    if TSHARK is not None:
        rows = shown(path, "tcp.len")
        assert sum(int(row[0]) for row in rows) == 70_000
        assert len(rows) == 2
