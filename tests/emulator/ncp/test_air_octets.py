"""Frames of a HAN as octets: every value there and back, judged by tshark, and never altered."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.codecs.zigbee import mac, mac_commands, nwk_header
from emulator.codecs.zigbee.aps import ApsFrame
from emulator.codecs.zigbee.mac import MacFrame
from emulator.core.errors import MalformedFrameError
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.ncp.air_octets import AirOctets, UnwritableFrameError
from emulator.ncp.air_reading import AirReader, reader_of
from emulator.ncp.radio_frames import DataFrame, RadioFrame, TransportKey
from harness.report.air_capture import AirCapture
from tests.emulator.ncp.air_dialogue import (
    CHANNEL,
    HUB,
    LINK,
    NETWORK,
    NEW_LINK,
    NODE,
    NODE_SHORT,
    SHOWN,
    dialogue,
    written,
)

_TSHARK = shutil.which("tshark")


def test_every_value_is_read_back_as_it_was_written() -> None:
    frames = dialogue()
    reader = reader_of(link_keys=[LINK, WELL_KNOWN_LINK_KEY])
    told = [reader.read(octets) for octets in written(frames)]
    assert [read.why for read in told if read.why] == []
    found = [_uncounted(read.frame) for read in told if read.frame is not None]
    assert found == frames


def _uncounted(frame: RadioFrame) -> RadioFrame:
    """Leave out what the writer counts for the sender."""
    return replace(frame, link_counter=None) if isinstance(frame, DataFrame) else frame


@pytest.mark.skipif(_TSHARK is None, reason="tshark is not here to judge")
def test_tshark_deciphers_all_of_it_and_finds_nothing_malformed(tmp_path: Path) -> None:
    file = tmp_path / "air.pcapng"
    octets = written(dialogue())
    with AirCapture(file) as capture:
        for number, one in enumerate(octets):
            capture.write(1_700_000_000_000_000 + number * 1000, one, CHANNEL, -50, 200)
    keys = tmp_path / "wireshark" / "zigbee_pc_keys"
    keys.parent.mkdir()
    held = (LINK, WELL_KNOWN_LINK_KEY)
    keys.write_text("".join(f'"{key.hex(":").upper()}","Normal","test"\n' for key in held))
    rows = _tshark(file, keys.parent)
    assert len(rows) == len(octets)
    for number, row in enumerate(rows):
        assert row["_ws.malformed"] == "", (number, row)
        assert row["_ws.expert.message"] == "", (number, row)
    info = [row["_ws.col.Info"] for row in rows]
    for word in ("Beacon Request", "Beacon", "Association Request", "Transport Key", "Link Status"):
        assert any(word in line for line in info), word


def _tshark(file: Path, settings: Path) -> list[dict[str, str]]:
    names = (
        "_ws.malformed", "_ws.expert.message", "zbee.sec.counter",
        "_ws.col.Info", "_ws.col.Protocol",
    )  # fmt: skip
    fields = [part for name in names for part in ("-e", name)]
    done = subprocess.run(
        [str(_TSHARK), "-r", str(file), "-T", "fields", "-E", "separator=/t", *fields],
        env={"WIRESHARK_CONFIG_DIR": str(settings), "HOME": str(settings), "PATH": "/usr/bin"},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines]


def _spoilt(packet: bytes, first: int) -> list[bytes]:
    """Return a packet with every bit from octet ``first`` on flipped, cut short and made longer."""
    flipped = [
        packet[:at] + bytes((packet[at] ^ 1 << bit,)) + packet[at + 1 :]
        for at in range(first, len(packet))
        for bit in range(8)
    ]
    shorter = [packet[:length] for length in range(first, len(packet))]
    return [*flipped, *shorter, *(packet + bytes((more,)) for more in (0, 0x5A, 0xFF))]


def _all_keys() -> AirReader:
    return AirReader([NETWORK], [LINK, NEW_LINK, WELL_KNOWN_LINK_KEY], {0: HUB, NODE_SHORT: NODE})


def test_no_altered_frame_authenticates_though_its_check_sequence_is_mended() -> None:
    tried = 0
    for octets in written(dialogue()):
        outer = mac_commands.decode(octets)
        if not isinstance(outer, MacFrame):
            continue
        secured = nwk_header.decode(outer.payload)[0].secured
        first = 0 if secured else nwk_header.decode(outer.payload)[1]
        for packet in _spoilt(outer.payload, first):
            if len(packet) + mac.OVERHEAD_BYTES > mac.MAX_FRAME_BYTES:
                continue
            told = _all_keys().read(mac.encode(replace(outer, payload=packet)))
            assert told.frame is None, (outer.payload.hex(), packet.hex(), told.frame)
            tried += 1
    assert tried > 5000


def test_a_frame_with_a_wrong_check_sequence_is_no_frame() -> None:
    for octets in written(dialogue()):
        for at in range(len(octets)):
            spoilt = octets[:at] + bytes((octets[at] ^ 0x10,)) + octets[at + 1 :]
            with pytest.raises(MalformedFrameError):
                _all_keys().read(spoilt)


def test_the_octets_of_one_frame_never_come_twice_though_it_is_said_twice() -> None:
    writer = AirOctets(SHOWN)
    joins = dialogue()[:3]
    for frame in joins:
        writer.write(frame)
    frame = dialogue()[8]
    assert writer.write(frame)[0] != writer.write(frame)[0]


def test_a_reader_without_the_keys_tells_only_that_something_was_said() -> None:
    reader = reader_of()
    told = [reader.read(octets) for octets in written(dialogue())]
    assert not [read for read in told if isinstance(read.frame, DataFrame | TransportKey)]
    assert "no link key opens it" in {read.why for read in told}
    assert "no network key opens it" in {read.why for read in told}


def test_a_frame_too_long_or_of_nobody_cannot_be_written() -> None:
    writer = AirOctets(SHOWN)
    long = ApsFrame(1, 1, 0x0702, 1, bytes(100))
    writer.know(NODE, NODE_SHORT)
    with pytest.raises(UnwritableFrameError):
        writer.write(DataFrame(0, NODE_SHORT, long, NETWORK))
    with pytest.raises(UnwritableFrameError):
        writer.write(DataFrame(0x7777, 0, replace(long, payload=b""), NETWORK))
    with pytest.raises(UnwritableFrameError):
        AirOctets(SHOWN).write(TransportKey(NODE, NETWORK, 1, 0, HUB, LINK))


def test_no_key_is_told_by_a_writer_or_reader() -> None:
    told = repr(AirOctets(SHOWN)) + repr(_all_keys()) + repr(dialogue())
    assert all(repr(key)[2:-1] not in told for key in (NETWORK, LINK, NEW_LINK))


def test_frame_counters_go_on_after_a_loss_of_power() -> None:
    writer = AirOctets(SHOWN)
    for frame in dialogue()[:3]:
        writer.write(frame)
    again = AirOctets(SHOWN)
    again.load(writer.dump())
    again.know(NODE, NODE_SHORT)
    frame = dialogue()[8]
    assert writer.write(frame) == again.write(frame)
