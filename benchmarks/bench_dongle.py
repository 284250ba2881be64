"""What the emulated dongle costs through the real drivers: round trips, a firmware image, CPU.

The dongle is a program of its own, the host this process with bellows, zigpy and the hub driver.
The references are what a real dongle's line allows at 115,200 baud: 394 ``nop`` a second and
101 s for 256 KiB in blocks of 50 octets (reference zigbee-dongle.md 7, measured and computed).
The share of the dongle is CPU seconds of its process over those of both, in the transfer alone.

Two hosts serve the image. The bare one is the hub driver with the least server there can be, for a
device that joined without keys: it shows what driver and dongle allow, and the aim of speed is
asked of it. The hub is what a bench has: the emulated CHF with its OTA server, behind the same
driver, for a device under its own link key; the aim of the dongle's share is asked of it, as the
bare server leaves out what a host does for each block.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from device_profiles.files import SHIPPED
from device_profiles.loader import load_profile
from device_profiles.overlay import DATA_VARIABLE
from emulator.codecs import ota_file
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import ota
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from firmware_images.recipe import build, load_recipe, made_up_scalar
from harness.han_ports import HanEvent, HanEventKind, HanFrame, Permit
from harness.ports import StageOrder
from harness.run_options import RunOptions
from hil import dongle_bench, dongle_offers
from hil.bench_file import LoadedBench, load_bench
from hil.dongle_bench import DongleBench
from hil.drivers.zigbee_hub import DongleHub
from hil.zigbee.ezsp import DongleEzsp
from hil.zigbee.guard import Guard, Role
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.settings import DongleSettings

_IMAGE_BYTES: Final = 256 * 1024
_NOPS: Final = 3_000
#: Of a line at 115,200 baud.
_LINE_NOPS: Final = 394
_LINE_S: Final = 101.0
_AIM_TIMES: Final = 10.0
_AIM_SHARE: Final = 0.25
_ENDPOINT: Final = 123
_DEVICE: Final = "esme"
#: What device and hub do else: the device rests between blocks of 44 octets.
_HASTE: Final = {
    "template-esme.toml": {
        "block_interval_ms = 250": "block_interval_ms = 0",
        "size = 44": "size = 50",
    },
    "template-hub.toml": {"size = 44": "size = 50"},
}
#: A shipped image of the device, made as long as the others.
_RECIPE: Final = "demo-esme-2"
_HEADER_BYTES: Final = 400
_BENCH_FILE: Final = """
[bench]
name = "benchmark"
operator = "make bench"

[dongles.stick]
endpoint = "loopback:dongle"
role = "hub"
clock_factor = 1

[roles.ESME]
endpoint = "dongle:stick"
"""
#: Between two looks at what the hub has noted, seconds.
_LOOK_S: Final = 0.1
_WAIT_S: Final = 30
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_HUB: Final = SimpleDescriptor(_ENDPOINT, 0x0109, 0x0500, 0, (0x0000, 0x000A, ota.CLUSTER), ())


@dataclass
class Program:
    """A running ``smetsbench dongle``."""

    address: str
    process: asyncio.subprocess.Process
    devices: dict[str, Eui64] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """Return CPU seconds it has used, its own and the system's for it."""
        return _cpu_s(self.process.pid)


def _cpu_s(pid: int) -> float:
    row = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = row.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _overlay(folder: Path) -> None:
    """Write profiles in which the device never rests between blocks of 50 octets."""
    models = folder / "models"
    models.mkdir(parents=True)
    for template, changes in _HASTE.items():
        told = (SHIPPED / "models" / template).read_text(encoding="utf-8")
        told = told.partition("[evidence]")[0]
        for plain, hasty in changes.items():
            if told.count(plain) != 1:
                raise SystemExit(f"{template} does not say {plain!r} once")
            told = told.replace(plain, hasty)
        (models / template).write_text(told, encoding="utf-8")


@asynccontextmanager
async def _dongle(place: str, data: Path) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "harness.cli.main", "dongle", "--listen", place, "--join", "open"),
        env={**os.environ, DATA_VARIABLE: str(data)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    if process.stdout is None or process.stderr is None:
        raise SystemExit("the dongle has no standard output")
    program = Program((await process.stdout.readline()).decode().strip(), process)
    while _DEVICE not in program.devices:
        line = await asyncio.wait_for(process.stderr.readline(), _WAIT_S)
        words = line.decode().split()
        if not line:
            raise SystemExit("the dongle does not run; try it by hand: smetsbench dongle")
        if len(words) == 2 and words[0] not in program.devices and words[1].count("-") == 7:
            program.devices[words[0]] = Eui64.parse(words[1])
    errors = process.stderr

    async def swallow() -> None:
        while await errors.readline():
            continue

    listening = asyncio.create_task(swallow())
    try:
        yield program
    finally:
        process.terminate()
        await process.wait()
        await listening


async def _nops(place: str, data: Path) -> float:
    """Return round trips a second."""
    async with _dongle(place, data) as program:
        ezsp = DongleEzsp(DongleSettings(program.address), Guard(Role.OBSERVER))
        await ezsp.connect()
        for _ in range(200):
            await ezsp.nop()
        begun = time.perf_counter()
        for _ in range(_NOPS):
            await ezsp.nop()
        taken = time.perf_counter() - begun
        await ezsp.disconnect()
    return _NOPS / taken


class Server:
    """An OTA server of the least kind: it offers one image and serves its blocks."""

    def __init__(self, hub: DongleHub, device: Eui64, image: bytes) -> None:
        self.blocks = 0
        self._hub = hub
        self._device = device
        self._image = image
        self._place = (1, _ENDPOINT)

    async def serve(self) -> None:
        """Serve until the client says how its download ended."""
        await self._tell(ota.ImageNotify(100), 0)
        while True:
            got = await self._hub.received(_WAIT_S)
            if got is None:
                raise SystemExit(f"the client fell silent after {self.blocks} blocks")
            if isinstance(got, HanEvent) or got.peer != self._device:
                continue
            if got.cluster == ota.CLUSTER and await self._answer(got):
                return

    async def _answer(self, got: HanFrame) -> bool:
        self._place = (got.peer_endpoint, got.endpoint)
        frame = zcl_frame.decode(got.octets)
        try:
            asked = ota.decode(frame)
        except MalformedFrameError:
            return False
        if isinstance(asked, ota.QueryNextImageRequest):
            version = asked.file_version + 1
            told: Any = ota.QueryNextImageResponse(
                asked.manufacturer_code, asked.image_type, version, len(self._image)
            )
        elif isinstance(asked, ota.ImageBlockRequest):
            part = self._image[asked.offset : asked.offset + asked.max_data_size]
            told = ota.ImageBlockResponse(
                asked.manufacturer_code,
                asked.image_type,
                asked.file_version,
                asked.offset,
                part,
            )
            self.blocks += 1
        else:
            return isinstance(asked, ota.UpgradeEndRequest)
        await self._tell(told, frame.sequence)
        return False

    async def _tell(self, command: Any, sequence: int) -> None:
        octets = ota.encode(command, sequence)
        frame = HanFrame(self._device, ota.CLUSTER, octets, *self._place)
        await self._hub.send(frame, acknowledged=False)


async def _transfer(place: str, data: Path) -> tuple[float, float, int]:
    """Return seconds, the dongle's share of the CPU, and blocks."""
    image = Stream(1, "benchmark/image").octets(_IMAGE_BYTES)
    async with _dongle(place, data) as program:
        hub = await DongleHub.open(HubSettings(DongleSettings(program.address), (_HUB,)))
        try:
            await hub.form(15)
            device = program.devices[_DEVICE]
            await hub.permit(Permit(device))
            while True:
                told = await hub.received(_WAIT_S)
                if isinstance(told, HanEvent) and told.kind is HanEventKind.JOINED:
                    break
            await asyncio.sleep(2)
            server = Server(hub, device, image)
            began = (time.perf_counter(), time.process_time(), program.cpu_s())
            await server.serve()
            ended = (time.perf_counter(), time.process_time(), program.cpu_s())
        finally:
            await hub.close()
    taken, ours, theirs = (end - begin for begin, end in zip(began, ended, strict=True))
    return taken, theirs / (ours + theirs), server.blocks


def _image() -> bytes:
    """Return an image that the device takes, of nearly the length of the others."""
    recipe = load_recipe(_RECIPE)
    long = recipe.content.model_copy(update={"size_bytes": _IMAGE_BYTES - _HEADER_BYTES})
    profile = load_profile(recipe.image.profile, ())
    image = build(recipe.model_copy(update={"content": long}), profile, made_up_scalar())
    return ota_file.encode(image)


async def _served_by_hub(loaded: LoadedBench, data: Path) -> tuple[float, float, int]:
    """Return seconds, the dongle's share of the CPU, and octets: the hub serves the image."""
    options = RunOptions(bench=loaded.path, world=dongle_offers.HOME_WORLD, data=(data,))
    bench = await dongle_bench.open_bench(loaded, options)
    try:
        child = bench.child
        if not isinstance(bench, DongleBench) or child is None:
            raise SystemExit("no dongle of our own in a SMETS2 home")
        image, device = _image(), bench.role("ESME")
        staged = await bench.hub.stage(StageOrder("benchmark", image, (device,)))
        if not staged.delivered:
            raise SystemExit(f"the hub does not take the image: {staged.reason}")
        began = (time.perf_counter(), time.process_time(), _cpu_s(child.child.pid))
        served = 0
        while served < len(image):
            await asyncio.sleep(_LOOK_S)
            if time.perf_counter() - began[0] > 4 * _LINE_S:
                raise SystemExit(f"the device stopped after {served} octets")
            told = [dict(one.fields) for one in bench.take_observations()]
            offsets = (one["offset"] for one in told if "total" in one)
            served = max([served, *(at for at in offsets if isinstance(at, int))])
        ended = (time.perf_counter(), time.process_time(), _cpu_s(child.child.pid))
    finally:
        await bench.close()
    taken, ours, theirs = (end - begin for begin, end in zip(began, ended, strict=True))
    return taken, theirs / (ours + theirs), len(image)


def _with_hub(folder: Path, data: Path) -> tuple[float, float, int]:
    path = folder / "bench.toml"
    path.write_text(_BENCH_FILE, encoding="utf-8")
    loaded = load_bench(path)
    with asyncio.Runner(loop_factory=lambda: dongle_offers.new_event_loop(loaded)) as runner:
        return runner.run(_served_by_hub(loaded, data))


def main() -> None:
    """Print the claims; end with an error where an aim is missed."""
    with TemporaryDirectory() as folder:
        data = Path(folder, "data")
        _overlay(data)
        _measure(Path(folder), data)


def _measure(folder: Path, data: Path) -> None:
    places = {"pty": "pty", "tcp": "tcp://127.0.0.1:0"}
    missed = []
    print("claim | value | unit | reference | ratio")
    for name, place in places.items():
        rate = asyncio.run(_nops(place, data))
        row = f"EZSP round trips over {name} | {rate:.0f} | 1/s | 115,200 baud {_LINE_NOPS}"
        print(f"{row} | {rate / _LINE_NOPS:.1f}")
    for name, place in places.items():
        taken, share, blocks = asyncio.run(_transfer(place, data))
        times = _LINE_S / taken
        _tell(f"256 KiB image in {blocks} blocks over {name}, bare server", taken, share)
        missed += [f"{times:.1f} times the line over {name}"] if times < _AIM_TIMES else []
    taken, share, octets = _with_hub(folder, data)
    _tell(f"image of {octets} octets over tcp, the CHF's OTA server, link key", taken, share)
    missed += [f"{100 * share:.0f} % of the CPU beside the CHF"] if share > _AIM_SHARE else []
    if missed:
        aims = f"{_AIM_TIMES:.0f} times the line and {100 * _AIM_SHARE:.0f} % are the aims"
        raise SystemExit(f"{'; '.join(missed)}; {aims}")


def _tell(what: str, taken: float, share: float) -> None:
    row = f"{what} | {taken:.1f} | s | 115,200 baud {_LINE_S:.0f} s"
    print(f"{row} | {_LINE_S / taken:.1f}")
    row = f"CPU of the dongle's process in it | {100 * share:.0f} | % | both processes"
    print(f"{row} | {share:.2f}", flush=True)


if __name__ == "__main__":
    main()
