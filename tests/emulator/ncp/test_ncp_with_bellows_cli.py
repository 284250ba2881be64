"""The bellows command line finds the dongle on its pseudo-terminal."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.emulator.ncp.ncp_given import DONGLE, formed, on_pty


@pytest.mark.soak
def test_the_info_command_of_bellows_prints_the_address_of_the_dongle_and_its_network() -> None:
    async def play() -> tuple[int | None, str]:
        async with on_pty(formed().dongle) as path:
            bellows = str(Path(sys.executable).with_name("bellows"))
            process = await asyncio.create_subprocess_exec(
                bellows,
                "-d",
                path,
                "info",
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            told, _ = await process.communicate()
            return process.returncode, told.decode()

    code, told = asyncio.run(asyncio.wait_for(play(), 50))
    assert code == 0, told
    assert str(DONGLE).replace("-", ":").lower() in told
    assert "Bench" in told
