"""What 200 served SMETS1 meters in one process cost: memory once all were read, and answers.

Every meter listens at a TCP port of its own. All clients are in another process; each reads the
association view, the clock and the import register of its meter, then registers alone are timed.
"""

import asyncio
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from device_profiles.loader import load_profile
from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from emulator.devices.smets1 import registry
from emulator.devices.smets1.device import Smets1Device
from emulator.servers.listen import parse
from emulator.servers.serve import ServePlan, Service
from harness.dlms import from_profile, obis
from harness.dlms.jobs import AssociateJob, Done, GetJob, Job, Output, Value, Write
from harness.dlms.line import ReaderLine
from harness.dlms.settings import Framing
from harness.meter import Association

_METERS = 200
_AIM_MIB = 100.0
_START = UtcMs(1_767_603_600_000)
_PROFILE = load_profile("smets1")
_ROUNDS = 5
_REFERENCE_RATE = 3230
_EVERYTHING = (
    obis.attribute(15, "0-0:40.0.0.255", 2),
    obis.attribute(8, "0-0:1.0.0.255", 2),
    obis.attribute(3, "1-0:1.8.0.255", 2),
)
_REGISTER = _EVERYTHING[2:]


def _rss_mib(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _ignore(_at: UtcMs, _note: Note) -> None:
    """Nobody reads the notes."""


class Client:
    """One client on one connection."""

    def __init__(self, number: int) -> None:
        section = _PROFILE.dlms
        if section is None:
            raise AssertionError("the profile has no [dlms]")
        settings = from_profile.line_settings(section, Framing.HDLC)
        self._line = ReaderLine(settings, Chance(number).stream("client").octets)
        keys = factory_keys(1, Eui64(number.to_bytes(8, "big")))
        self._who = from_profile.credentials(section, keys, "public")

    async def open(self, address: str) -> None:
        """Connect and associate."""
        host, _, port = address.partition("://")[2].rpartition(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        outcome = await self._do(AssociateJob(self._who))
        if not isinstance(outcome, Association) or not outcome.accepted:
            raise AssertionError(f"not associated: {outcome!r}")

    async def read(self, attributes: tuple[Attribute, ...]) -> None:
        """Read attributes, each by itself."""
        for attribute in attributes:
            answer = await self._do(GetJob((attribute,)))
            if not isinstance(answer, tuple):
                raise TypeError(f"no answer: {answer!r}")

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def _do(self, job: Job) -> Value:
        loop = asyncio.get_running_loop()
        outputs: list[Output] = self._line.begin(job, int(loop.time() * 1000))
        while True:
            for output in outputs:
                if isinstance(output, Done):
                    return output.value
                if isinstance(output, Write):
                    self._writer.write(output.octets)
            got = await self._reader.read(4096)
            outputs = self._line.receive(got, int(loop.time() * 1000))


async def _serve() -> None:
    """The process of the meters: prints an address a line, ends with its standard input."""
    services = []
    for number in range(1, _METERS + 1):
        eui64 = Eui64(number.to_bytes(8, "big"))
        make = partial(_made, number, eui64)
        plan = ServePlan(_PROFILE, eui64, 1, make, [parse("tcp://:0")], _START, _START)
        services.append(Service(plan, _ignore))
        print(*await services[-1].open(), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for service in services:
        await service.close()


def _made(number: int, eui64: Eui64, now: UtcMs) -> Smets1Device:
    keys = factory_keys(1, eui64)
    return registry.build(_PROFILE.device_type, eui64, _PROFILE, number, now, keys)


async def _run(addresses: list[str], process: int) -> None:
    clients = [Client(number) for number in range(1, _METERS + 1)]
    idle_mib = _rss_mib(process)
    for client, address in zip(clients, addresses, strict=True):
        await client.open(address)
    await asyncio.gather(*(client.read(_EVERYTHING) for client in clients))
    began = time.perf_counter()
    for _round in range(_ROUNDS):
        await asyncio.gather(*(client.read(_REGISTER) for client in clients))
    rate = _METERS * _ROUNDS / (time.perf_counter() - began)
    read_mib = _rss_mib(process)
    print(f"{_METERS} meters in one process, resident memory before any client | {idle_mib:.1f} | "
          f"MiB | aim {_AIM_MIB:.0f} MiB | {idle_mib / _AIM_MIB:.2f}")  # fmt: skip
    print(f"the same after each was read by a client of its own, all at once | {read_mib:.1f} | "
          f"MiB | aim {_AIM_MIB:.0f} MiB | {read_mib / _AIM_MIB:.2f}")  # fmt: skip
    print(f"GET of a register, HDLC over TCP, {_METERS} clients at once | {rate:.0f} | 1/s | "
          f"reference 3.3: {_REFERENCE_RATE} 1/s | {rate / _REFERENCE_RATE:.2f}")  # fmt: skip
    for client in clients:
        client.close()
    if read_mib > _AIM_MIB:
        raise SystemExit(f"{read_mib:.1f} MiB, {_AIM_MIB:.0f} are the aim")


def main() -> None:
    """Print the claims."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
        return
    print("claim | value | unit | reference | ratio")
    words = [sys.executable, __file__, "serve"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 -- this very file
        if child.stdin is None or child.stdout is None:
            raise AssertionError("a pipe is missing")
        addresses = [child.stdout.readline().strip() for _meter in range(_METERS)]
        asyncio.run(_run(addresses, child.pid))
        child.stdin.close()


if __name__ == "__main__":
    main()
