import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.ports import CapturedFrame
from harness.report import pcapng
from harness.report.pcapng import PcapngWriter, read
from tests.sampling import examples

LINKS = ("wan-in", "wan-out", "han", "csp-in", "csp-out", "line-in", "line-out")
FRAMES = [
    CapturedFrame(1_700_000_000_000_000 + number, link, bytes(range(number)), comment)
    for number, (link, comment) in enumerate(
        [
            ("wan-in", ""),
            ("han", "fault: one bit flipped"),
            ("csp-in", ""),
            ("csp-out", "delayed"),
            ("wan-out", "two\nlines £"),
            ("han", ""),
            ("csp-in", pcapng.STAND_IN),
            ("line-in", "fault: noise"),
            ("line-out", ""),
        ]
    )
]
frames = st.builds(
    CapturedFrame,
    at_us=st.integers(0, (1 << 63) - 1),
    link=st.sampled_from(LINKS),
    frame=st.binary(max_size=140),
    comment=st.text(st.characters(codec="utf-8"), max_size=20),
)


def written(path: Path, *rows: CapturedFrame) -> Path:
    with PcapngWriter(path) as writer:
        for row in rows:
            writer.write(row)
    return path


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """Cut a file into blocks, by the pcapng draft and by hand: kind, body."""
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert data[at + length - 4 : at + length] == struct.pack("<I", length)
        found.append((kind, data[at + 8 : at + length - 4]))
        at += length
    return found


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path / "wire.pcapng", *FRAMES)
    assert list(read(path)) == FRAMES


@given(rows=st.lists(frames, max_size=8))
@settings(max_examples=examples(60), derandomize=True)
def test_any_frames_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[CapturedFrame]
) -> None:
    path = tmp_path_factory.mktemp("any") / "wire.pcapng"
    assert list(read(written(path, *rows))) == rows


def test_the_file_starts_with_a_section_and_five_interfaces(tmp_path: Path) -> None:
    data = written(tmp_path / "wire.pcapng").read_bytes()
    assert data[:4] == bytes.fromhex("0a0d0d0a")
    assert data[8:12] == bytes.fromhex("4d3c2b1a")  # byte-order magic, little-endian
    kinds = [kind for kind, _ in blocks(data)]
    assert kinds == [0x0A0D0D0A, 1, 1, 1, 1, 1]
    link_types = [struct.unpack_from("<H", body)[0] for _, body in blocks(data)[1:]]
    assert link_types == [252, 283, 147, 250, 147]
    ours = (b"csp-image-transfer (stand-in)", b"meter-line", b"smets1-wan (stand-in)")
    for name in (b"sm-wan", b"han", *ours):
        assert struct.pack("<HH", 2, len(name)) + name in data  # if_name
    assert pcapng.STAND_IN.encode() in blocks(data)[3][1]


def test_a_gbcs_message_has_the_exported_pdu_header_wireshark_reads(tmp_path: Path) -> None:
    data = written(tmp_path / "w", CapturedFrame(5, "wan-in", b"\xdf\x09")).read_bytes()
    kind, body = blocks(data)[-1]
    octets = bytes.fromhex("000c000c 676263735f6d657373616765 00000000 df09")
    flags = bytes.fromhex("02000400 01000000 00000000")  # inbound; end of options
    place = struct.pack("<IIIII", 0, 0, 5, len(octets), len(octets))
    assert (kind, body) == (6, place + octets + b"\0\0" + flags)


def test_a_han_frame_has_a_tap_header_with_fcs_type_and_channel(tmp_path: Path) -> None:
    data = written(tmp_path / "w", CapturedFrame(1 << 33 | 7, "han", b"\x02\x00\x6a\xe4\x79"))
    kind, body = blocks(data.read_bytes())[-1]
    tap = bytes.fromhex("0000 1400 0000 0100 01000000 0300 0300 0b00 00 00")
    place = struct.pack("<IIIII", 1, 2, 7, 25, 25)
    assert (kind, body) == (6, place + tap + bytes.fromhex("02006ae479") + b"\0\0\0")


def test_octets_of_a_meters_line_have_the_rtac_header_with_time_and_direction(
    tmp_path: Path,
) -> None:
    rows = [CapturedFrame(3_000_007, link, b"\x7e") for link in ("line-in", "line-out")]
    packets = blocks(written(tmp_path / "w", *rows).read_bytes())[-2:]
    for (kind, body), event, flags in zip(packets, (1, 2), (1, 2), strict=True):
        rtac = bytes.fromhex(f"00000003 00000007 {event:02x} 18 0000")
        place = struct.pack("<IIIII", 3, 0, 3_000_007, 13, 13)
        option = struct.pack("<HHIHH", 2, 4, flags, 0, 0)
        assert (kind, body) == (6, place + rtac + b"\x7e\0\0\0" + option)


def without_the_line(path: Path) -> Path:
    """Take the last interfaces out: the capture an earlier version would have written."""
    data = path.read_bytes()
    cut = sum(len(body) + 12 for _, body in blocks(data)[:4])
    after = cut + sum(len(body) + 12 for _, body in blocks(data)[4:6])
    path.write_bytes(data[:cut] + data[after:])
    return path


def test_a_capture_of_an_earlier_version_is_read_and_continued(tmp_path: Path) -> None:
    path = without_the_line(written(tmp_path / "w", *FRAMES[:3]))
    assert list(read(path)) == FRAMES[:3]
    written(path, *FRAMES[3:7])
    assert list(read(path)) == FRAMES[:7]


def test_a_capture_of_an_earlier_version_takes_no_octets_of_a_line(tmp_path: Path) -> None:
    path = without_the_line(written(tmp_path / "w", *FRAMES[:3]))
    with PcapngWriter(path) as writer, pytest.raises(UsageError, match="not a capture"):
        writer.write(FRAMES[-1])
    assert list(read(path)) == FRAMES[:3]


def test_a_capture_of_an_earlier_version_without_a_frame_becomes_one_of_this(
    tmp_path: Path,
) -> None:
    path = without_the_line(written(tmp_path / "w"))
    written(path, *FRAMES)
    assert list(read(path)) == FRAMES


def test_an_rtac_header_that_says_another_time_or_way_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "w", FRAMES[-1])
    data = bytearray(path.read_bytes())
    data[data.rindex(bytes.fromhex("02180000"))] = 1
    path.write_bytes(bytes(data))
    with pytest.raises(UsageError, match="the link header is not the one of meter-line"):
        list(read(path))


def test_every_packet_of_the_stand_in_says_so_and_no_other_does(tmp_path: Path) -> None:
    data = written(tmp_path / "w", *FRAMES).read_bytes()
    packets = [body for kind, body in blocks(data) if kind == 6]
    said = [pcapng.STAND_IN.encode() in body for body in packets]
    assert said == [row.link.startswith("csp") for row in FRAMES]


def test_a_second_writer_continues_where_the_first_ended(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole", *FRAMES)
    parts = written(tmp_path / "parts", *FRAMES[:3])
    written(parts, *FRAMES[3:])
    assert parts.read_bytes() == whole.read_bytes()


def test_what_was_written_after_an_offset_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "wire.pcapng"
    with PcapngWriter(path) as writer:
        offsets = [writer.flush()]
        for row in FRAMES:
            writer.write(row)
            offsets.append(writer.flush())
        assert path.stat().st_size == offsets[-1]
    for kept in reversed(range(len(offsets))):
        with PcapngWriter(path) as writer:
            writer.truncate_to(offsets[kept])
            assert writer.flush() == offsets[kept]
        assert list(read(path)) == FRAMES[:kept]
    written(path, *FRAMES)
    assert list(read(path)) == FRAMES


def test_writing_goes_on_behind_a_truncation(tmp_path: Path) -> None:
    path = tmp_path / "wire.pcapng"
    with PcapngWriter(path) as writer:
        writer.write(FRAMES[0])
        offset = writer.flush()
        writer.write(FRAMES[1])
        writer.truncate_to(offset)
        writer.write(FRAMES[2])
    assert list(read(path)) == [FRAMES[0], FRAMES[2]]


def test_offset_0_empties_the_capture(tmp_path: Path) -> None:
    path = written(tmp_path / "w", *FRAMES)
    with PcapngWriter(path) as writer:
        writer.truncate_to(0)
    assert list(read(path)) == []


def test_an_offset_inside_a_packet_or_behind_the_end_is_refused_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "w", *FRAMES)
    size = path.stat().st_size
    with PcapngWriter(path) as writer:
        for offset in (size - 1, size + 32):
            with pytest.raises(UsageError, match="not between two frames"):
                writer.truncate_to(offset)
        writer.write(FRAMES[0])
    assert list(read(path)) == [*FRAMES, FRAMES[0]]


def test_a_file_cut_at_any_octet_is_continued_after_its_last_whole_packet(tmp_path: Path) -> None:
    data = written(tmp_path / "whole", *FRAMES[:3]).read_bytes()
    first = len(written(tmp_path / "empty").read_bytes())
    for length in range(0, len(data), 3):
        path = tmp_path / f"cut{length}"
        path.write_bytes(data[:length])
        written(path, FRAMES[5])
        got = list(read(path))
        assert got[-1] == FRAMES[5]
        assert got[:-1] == FRAMES[: len(got) - 1]
        assert len(got) == 1 or length > first


def test_reading_a_capture_that_ends_inside_a_packet_gives_the_whole_ones_and_says_so(
    tmp_path: Path,
) -> None:
    data = written(tmp_path / "w", *FRAMES).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[:-3])
    rows = read(path)
    assert [next(rows) for _ in FRAMES[:-1]] == FRAMES[:-1]
    with pytest.raises(UsageError, match="ends inside a packet") as refused:
        next(rows)
    assert "resume" in refused.value.next_command


@pytest.mark.parametrize("content", [b"not a capture at all", bytes.fromhex("d4c3b2a1") * 100])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a capture"):
        PcapngWriter(path)
    with pytest.raises(UsageError, match="not a capture"):
        list(read(path))
    assert path.read_bytes() == content


def test_damage_in_the_middle_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "w", *FRAMES)
    data = bytearray(path.read_bytes())
    first = len(written(tmp_path / "empty").read_bytes())
    for at in (first, first + 4):  # the block's kind, then its length
        spoilt = bytearray(data)
        spoilt[at] ^= 0x04
        path.write_bytes(spoilt)
        with pytest.raises(UsageError, match="damaged"):
            PcapngWriter(path)
        with pytest.raises(UsageError, match="damaged"):
            list(read(path))
        assert path.read_bytes() == spoilt


def test_a_length_that_points_behind_the_end_loses_nothing_before_the_journal_is_asked(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "w", *FRAMES)
    data = bytearray(path.read_bytes())
    data[len(written(tmp_path / "empty").read_bytes()) + 5] ^= 0x40
    path.write_bytes(data)
    with (
        PcapngWriter(path) as writer,
        pytest.raises(UsageError, match="not between two frames"),
    ):
        writer.truncate_to(len(data))
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [(8, 9, "unknown interface"), (28, 1, "link header"), (20, 0xFF, "unknown interface")],
)
def test_a_packet_that_no_writer_of_ours_wrote_is_refused(
    tmp_path: Path, at: int, value: int, why: str
) -> None:
    path = written(tmp_path / "w", FRAMES[1])
    data = bytearray(path.read_bytes())
    data[len(written(tmp_path / "empty").read_bytes()) + at] = value
    path.write_bytes(data)
    with pytest.raises(UsageError, match=why):
        list(read(path))


def test_a_link_that_is_none_is_refused(tmp_path: Path) -> None:
    with PcapngWriter(tmp_path / "w") as writer, pytest.raises(ValueError, match="no such link"):
        writer.write(CapturedFrame(0, "lan", b""))


def test_a_wrapper_frame_on_the_wan_is_on_the_smets1_interface_and_says_stand_in(
    tmp_path: Path,
) -> None:
    path = tmp_path / "wire.pcapng"
    frames = [
        CapturedFrame(1_000, "wan-in", bytes.fromhex("0001001000020002c001")),
        CapturedFrame(2_000, "wan-out", bytes.fromhex("0001000200100002c401")),
        CapturedFrame(3_000, "wan-in", b"\xdf\x09" + bytes(20)),
    ]
    with pcapng.PcapngWriter(path) as writer:
        for frame in frames:
            writer.write(frame)
    assert list(pcapng.read(path)) == frames
    assert path.read_bytes().count(pcapng.WAN_STAND_IN.encode()) == 3  # interface and two packets
