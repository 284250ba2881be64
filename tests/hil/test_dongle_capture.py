"""The command ``dongle`` beside an emulated hub: an order, the WAN's answer, and a capture."""

import asyncio
import sys
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from harness.report import pcapng_blocks as blocks
from tests.emulator.runtime.hub_home_given import ask_version, device_of

LIMIT_S = 60
CHF = device_of(DeviceType.CHF)
BESIDE_HUB = (
    *("dongle", "--listen", "tcp://127.0.0.1:0", "--hub", "emulated", "--han", "demo"),
    "--until-stdin-closes",
)


async def _play(capture: Path) -> tuple[str, str]:
    """Ask the hub for its version; return the order's answer and the note of the hub's answer."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("smetsbench")),
        *BESIDE_HUB,
        "--capture",
        str(capture),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    assert (await process.stdout.readline()).startswith(b"tcp://127.0.0.1:")
    process.stdin.write(f"gbcs {ask_version(CHF).hex()}\n".encode())
    answer = (await process.stdout.readline()).decode().strip()
    note = ""
    while "wan_out" not in note:
        line = await process.stderr.readline()
        assert line
        note = line.decode().strip()
    process.stdin.close()
    _rest, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return answer, note


@pytest.mark.soak
def test_a_command_to_the_hub_is_answered_and_the_home_is_captured(tmp_path: Path) -> None:
    capture = tmp_path / "home.pcapng"
    answer, note = asyncio.run(asyncio.wait_for(_play(capture), LIMIT_S))
    assert answer == f"gbcs {ask_version(CHF).hex()}"[:80]
    told = bytes.fromhex(note.rpartition("octets=")[2])
    assert envelope.decode(told).header.originator == CHF
    with capture.open("rb") as file:
        assert [one.name for one in blocks.interfaces(capture, file)] == ["han-air"]
        assert len(list(blocks.packets(capture, file))) > 2
