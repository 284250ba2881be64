"""A capture on disk: read back, whole after every frame, and read by Wireshark."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from hil.zigbee_observation.capture_file import CaptureFile, read
from hil.zigbee_observation.heard import Heard
from tests.hil.zigbee_observation.air_given import METER, SECOND, beacon, poll
from tests.sampling import examples

frames = st.builds(
    Heard,
    at_us=st.integers(0, (1 << 62) - 1),
    channel=st.integers(11, 26),
    octets=st.binary(max_size=125),
    lqi=st.integers(0, 255),
    rssi_dbm=st.integers(-128, 20),
)


@given(rows=st.lists(frames, max_size=6))
@settings(max_examples=examples(60), derandomize=True)
def test_any_frames_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Heard]
) -> None:
    path = tmp_path_factory.mktemp("air") / "han.pcapng"
    with CaptureFile(path) as file:
        for row in rows:
            file.write(row)
    assert file.frames == len(rows)
    assert list(read(path)) == rows


def test_a_capture_that_was_killed_is_read_up_to_its_last_whole_frame(tmp_path: Path) -> None:
    path = tmp_path / "han.pcapng"
    file = CaptureFile(path)
    file.write(poll(1))
    file.write(poll(2))
    assert list(read(path)) == [poll(1), poll(2)]  # not closed, and yet there
    file.close()
    path.write_bytes(path.read_bytes()[:-5])
    assert list(read(path)) == [poll(1)]


def test_a_capture_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "han.pcapng"
    path.write_text("mine")
    with pytest.raises(UsageError, match="cannot be created"):
        CaptureFile(path)
    assert path.read_text() == "mine"
    with pytest.raises(UsageError):
        CaptureFile(tmp_path / "nowhere" / "han.pcapng")


def test_what_is_no_capture_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no capture at all, only text that is long enough")
    with pytest.raises(UsageError):
        list(read(path))
    with pytest.raises(UsageError, match="cannot be read"):
        list(read(tmp_path / "nowhere"))


@given(st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=examples(150), derandomize=True)
def test_a_spoiled_capture_gives_frames_or_a_refusal_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, at: int, octet: int
) -> None:
    path = tmp_path_factory.mktemp("spoiled") / "han.pcapng"
    with CaptureFile(path) as file:
        file.write(poll(1))
        file.write(beacon(2))
    octets = bytearray(path.read_bytes())
    octets[at % len(octets)] = octet
    path.write_bytes(octets)
    try:
        assert len(list(read(path))) <= 2
    except UsageError:
        return


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_reads_addresses_channel_strength_and_check_sequence(tmp_path: Path) -> None:
    path = tmp_path / "han.pcapng"
    with CaptureFile(path) as file:
        file.write(poll(1_700_000_000 * SECOND + 250_000), comment="a word on it")
        file.write(beacon(1_700_000_001 * SECOND))
    fields = ("wpan.src16", "wpan-tap.ch_num", "wpan-tap.rss", "wpan-tap.lqi", "wpan.fcs_ok")
    told = subprocess.run(
        [
            "tshark",
            "-r",
            str(path),
            "-T",
            "fields",
            "-E",
            "separator=,",
            *(
                part
                for name in (*fields, "zbee_beacon.ext_panid", "frame.comment")
                for part in ("-e", name)
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert told[0].split(",")[:4] == [f"0x{METER:04x}", "15", "-50", "200"]
    assert told[0].endswith(",a word on it")
    assert "00:db:12:34:56:78:90:a0" in told[1]
    assert all(line.split(",")[4] in {"1", "True"} for line in told)
