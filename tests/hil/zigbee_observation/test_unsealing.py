"""Deciphering with the user's keys: what opens, what stays shut, and that no key is ever shown."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import ota
from emulator.codecs.zigbee.aps import ApsFrame
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.ncp.air_octets import AirOctets
from emulator.ncp.radio_frames import DataFrame, RadioFrame
from hil.zigbee_observation.capture_file import CaptureFile
from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.observation import Observation
from hil.zigbee_observation.sights import sight_of
from hil.zigbee_observation.transfers import Basis
from hil.zigbee_observation.unsealing import Unsealer
from tests.emulator.ncp.air_dialogue import (
    CHANNEL,
    LINK,
    NETWORK,
    NEW_LINK,
    NODE,
    NODE_SHORT,
    SHOWN,
    dialogue,
    written,
)
from tests.sampling import examples

KEYS = (NETWORK, LINK, NEW_LINK)
BLOCKS = 40


def heard(octets: list[bytes]) -> list[Heard]:
    """Return frames as heard, a tenth of a second apart, their check sequences left out."""
    return [
        Heard(number * 100_000, CHANNEL, one[:-2], 200, -50) for number, one in enumerate(octets)
    ]


def firmware(link_key: bytes | None) -> list[Heard]:
    """Blocks of an image, each after its request, by a hub whose network key is known."""
    writer = AirOctets(SHOWN)
    writer.know(NODE, NODE_SHORT, link_key)
    said = []
    for number in range(BLOCKS):
        request = ota.ImageBlockRequest(0x10F2, 0x10, 0x02000001, 40 * number, 40)
        response = ota.ImageBlockResponse(0x10F2, 0x10, 0x02000001, 40 * number, bytes(40))
        frames: list[RadioFrame] = [
            DataFrame(source, to, _ota(ota.encode(command, number), number), NETWORK, link_key)
            for command, source, to in ((request, NODE_SHORT, 0), (response, 0, NODE_SHORT))
        ]
        for frame in frames:
            said += writer.write(frame)
    return heard([one.octets for one in said])


def _ota(payload: bytes, counter: int) -> ApsFrame:
    return ApsFrame(1, 1, ota.CLUSTER, counter, payload, ack_request=True)


def test_the_key_of_an_install_code_opens_a_join_and_all_that_follows() -> None:
    frames = heard(written(dialogue()))
    unsealer = Unsealer([LINK])
    clear = [unsealer.open(frame) for frame in frames]
    assert unsealer.learnt == 2  # the network key, then the hub's own link key
    assert unsealer.shut == 0
    assert unsealer.opened > 15
    for frame in clear:
        sight = sight_of(frame)
        assert sight is not None
        assert sight.network is None or not sight.network.secured


@pytest.mark.parametrize("held", [[LINK], [NETWORK], list(KEYS), [LINK, WELL_KNOWN_LINK_KEY]])
def test_no_key_stands_in_what_was_deciphered(held: list[bytes]) -> None:
    unsealer = Unsealer(held)
    octets = b"".join(unsealer.open(frame).octets for frame in heard(written(dialogue())))
    for key in (*KEYS, WELL_KNOWN_LINK_KEY):
        assert key not in octets
        assert key[::-1] not in octets


def test_without_the_right_key_nothing_is_opened_and_frames_stay_as_they_were() -> None:
    frames = heard(written(dialogue()))
    unsealer = Unsealer([bytes(16)])
    assert [unsealer.open(frame) for frame in frames] == frames
    assert (unsealer.opened, unsealer.learnt) == (0, 0)
    assert unsealer.shut > 15


def test_what_is_sealed_under_an_unknown_link_key_stays_sealed_and_is_counted() -> None:
    frames = firmware(NEW_LINK)
    unsealer = Unsealer([NETWORK])
    clear = [unsealer.open(frame) for frame in frames]
    assert unsealer.opened == 2 * BLOCKS
    assert unsealer.sealed_inside == 2 * BLOCKS
    (one,) = Observation.of(clear).transfers
    assert one.basis is Basis.SIZES


@pytest.mark.parametrize("keys", [[NETWORK, NEW_LINK], [NEW_LINK, NETWORK]])
def test_with_both_keys_the_blocks_of_an_image_are_read(keys: list[bytes]) -> None:
    unsealer = Unsealer(keys)
    seen = Observation.of(unsealer.open(frame) for frame in firmware(NEW_LINK))
    (one,) = seen.transfers
    assert (one.basis, one.blocks, one.octets) == (Basis.READ, BLOCKS, 40 * BLOCKS)
    assert one.image == "10F2-0010-02000001"
    (same,) = Observation.of(firmware(NEW_LINK)).transfers  # shut: by size and direction alone
    assert (same.basis, same.blocks, same.octets) == (Basis.SIZES, BLOCKS, None)


def test_keys_of_another_length_are_refused_and_never_shown() -> None:
    with pytest.raises(ValueError, match="16 octets") as refused:
        Unsealer([b"secret"])
    assert "secret" not in str(refused.value)


@given(st.integers(0, 30), st.integers(0, 126), st.integers(1, 255))
@settings(max_examples=examples(150), derandomize=True)
def test_a_spoiled_frame_opens_to_nothing_and_breaks_nothing(
    number: int, at: int, change: int
) -> None:
    frames = heard(written(dialogue()))
    frame = frames[number % len(frames)]
    octets = bytearray(frame.octets)
    octets[at % len(octets)] ^= change
    unsealer = Unsealer(KEYS)
    opened = unsealer.open(Heard(frame.at_us, frame.channel, bytes(octets)))
    for key in KEYS:
        assert key not in opened.octets


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_reads_the_deciphered_copy_without_a_key(tmp_path: Path) -> None:
    path = tmp_path / "clear.pcapng"
    unsealer = Unsealer([NETWORK, NEW_LINK])
    with CaptureFile(path, note="deciphered") as file:
        for frame in firmware(NEW_LINK):
            file.write(unsealer.open(frame))
    told = subprocess.run(
        [
            "tshark",
            "-r",
            str(path),
            "-T",
            "fields",
            "-e",
            "zbee_aps.cluster",
            "-e",
            "_ws.malformed",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    data = [line for line in told if line.strip()]
    assert len(data) >= 2 * BLOCKS
    assert all("0x0019" in line and "Malformed" not in line for line in data), data[:3]
