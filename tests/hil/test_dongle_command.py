"""``smetsbench dongle`` as a program: one address on standard output, memory kept at SIGTERM."""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import zigpy.types as t

from emulator.crypto.install_code import InstallCode, parse
from harness.cli.dongle import register
from harness.errors import UsageError
from tests.harness.cli.command_line import run
from tests.hil.test_zigpy_on_dongle import play, until
from tests.hil.zigpy_host import SmartEnergyApplication, started

HOME = ("esme", "gsme", "ppmid", "ppmid")
CODE_LINE = re.compile(r"  (\w+) ((?:[0-9A-F]{2}-){7}[0-9A-F]{2})  install code ([0-9A-F]+)")


@dataclass
class Program:
    """A running ``smetsbench dongle``."""

    address: str
    told: list[str] = field(default_factory=list)

    @property
    def codes(self) -> list[tuple[str, str, bytes]]:
        """Role, EUI-64 and link key of each device, as it printed their install codes."""
        found = [CODE_LINE.fullmatch(line) for line in self.told]
        rows = []
        for match in found:
            if match is not None:
                code = parse(match[3])
                assert isinstance(code, InstallCode)
                rows.append((match[1], match[2], code.link_key()))
        return rows


@contextlib.asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[Program]:
    """Run the program; stop it by SIGTERM, after which it must end well."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("smetsbench")),
        "dongle",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    address = (await process.stdout.readline()).decode().strip()
    running = Program(address)
    errors = process.stderr

    async def listen() -> None:
        while line := await errors.readline():
            running.told.append(line.decode().rstrip())

    listening = asyncio.create_task(listen())
    try:
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        code = await process.wait()
        await listening
    assert code == 0, running.told
    assert await process.stdout.read() == b""


def _all_interviewed(app: SmartEnergyApplication, count: int) -> bool:
    others = [device for device in app.devices.values() if device.nwk != 0]
    return len(others) == count and all(
        one.is_initialized and one.model and not one.initializing for one in others
    )


@pytest.mark.soak
def test_a_whole_home_joins_by_install_codes_and_is_still_there_after_a_restart(
    tmp_path: Path,
) -> None:
    database, state = tmp_path / "zigbee.db", tmp_path / "dongle.json"
    place = (
        "--listen",
        "tcp://127.0.0.1:0",
        "--state",
        str(state),
        "--show-secrets",
        "--no-secure",
    )

    async def first() -> None:
        async with program(*place) as running, started(running.address, database) as app:
            await until(lambda: len(running.codes) == len(HOME))
            assert [role for role, _eui64, _key in running.codes] == list(HOME)
            for _role, eui64, key in running.codes:
                address = t.EUI64.convert(eui64.replace("-", ":").lower())
                await app.permit_with_link_key(address, t.KeyData(key), 60)
            await until(lambda: _all_interviewed(app, len(HOME)))
            models = {device.model for device in app.devices.values() if device.nwk != 0}
            assert models == {"Lumen", "Ember", "Glance", "Janus"}

    async def again() -> None:
        async with program(*place) as running, started(running.address, database) as app:
            assert _all_interviewed(app, len(HOME))
            esme = next(one for one in app.devices.values() if one.model == "Lumen")
            values, failed = await esme.endpoints[1].smartenergy_metering.read_attributes(
                [0x0000, 0x0300, 0x0301, 0x0302, 0x0306, 0x0400]
            )
            assert values[0x0000] > 0
            assert failed == {}

    play(first())
    play(again())


@pytest.mark.soak
@pytest.mark.parametrize("version", [8, 13, 14, 18, 19])
def test_the_home_joins_openly_on_every_version_over_a_named_pty(
    version: int, tmp_path: Path
) -> None:
    link = tmp_path / "dongle"

    async def scene() -> None:
        options = ("--listen", f"pty:{link}", "--ezsp", str(version), "--join", "open")
        async with program(*options) as running:
            assert running.address.startswith("/dev/pts/")
            async with started(str(link)) as app:
                await app.permit(60)
                await until(lambda: _all_interviewed(app, len(HOME)))
        assert not link.is_symlink()

    play(scene())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--listen", "tcp://192.0.2.1:0"), "loopback"),
        (("--listen", "tcp://0.0.0.0:0"), "every network"),
        (("--listen", "pty", "--ezsp", "12"), "v12 is not spoken"),
        (("--listen", "wrapper://127.0.0.1:0"), "pty, pty:LINK or tcp"),
        (("--listen", "pty", "--fault", "drop@wan"), "--fault"),
        (("--listen", "pty", "--han", "nowhere"), "nowhere"),
        (("--listen", "pty", "--ca", "nobody"), "nobody of the name"),
        (("--listen", "pty", "--as", "esme"), "the dongle is the hub"),
        (("--listen", "pty", "--hub", "emulated", "--as", "hcalcs"), "no HCALCS"),
        (("--listen", "pty", "--hub", "emulated", "--han", "smets1"), "SMETS1 hub"),
        (("--listen", "pty", "--capture", "/nowhere/at.pcapng"), "--capture"),
    ],
)
def test_what_cannot_be_served_is_refused_in_words(arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError) as refused:
        run(register, "dongle", *arguments)
    assert told in " ".join(" ".join(refused.value.lines()).split())


@pytest.mark.soak
def test_orders_out_of_a_file_are_refused_with_a_word_on_it(tmp_path: Path) -> None:
    file = tmp_path / "orders"
    file.write_text("reset\n")
    words = ["dongle", "--listen", "tcp://127.0.0.1:0", "--until-stdin-closes"]
    with file.open("rb") as orders:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("smetsbench")), *words],
            stdin=orders,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "it is no pipe that could be listened to" in done.stderr
