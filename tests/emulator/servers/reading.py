"""Our own client on a served or a virtual line, for tests from end to end."""

import asyncio
from collections.abc import Sequence
from typing import Any

from device_profiles.dlms import DlmsSection
from emulator.core.chance import Chance
from emulator.crypto.dlms_factory import FactoryKeys
from emulator.runtime.line_world import LineWorld
from harness.dlms import from_profile, obis
from harness.dlms.jobs import AssociateJob, Done, GetJob, Job, Output, ReleaseJob, SignOnJob, Write
from harness.dlms.line import ReaderLine
from harness.dlms.settings import Framing
from harness.meter import Association, Credentials
from tests.emulator.servers.serving import Client, dial

COUNTER = obis.attribute(1, "0-0:43.1.0.255", 2)


def reader_line(section: DlmsSection, framing: Framing) -> ReaderLine:
    settings = from_profile.line_settings(section, framing)
    return ReaderLine(settings, Chance(1).stream("reader").octets)


class LiveReader:
    """A reader on an octet connection in real time."""

    def __init__(self, section: DlmsSection, keys: FactoryKeys, framing: Framing) -> None:
        self.line = reader_line(section, framing)
        self._section, self._keys = section, keys
        mode_e = section.sign_on is not None and section.sign_on.mode_e
        self._signs_on = framing is Framing.OPTICAL and mode_e
        self._client: Client | None = None

    async def open(self, address: str, name: str) -> Association:
        """Connect, sign on where the port wants it, and associate.

        A client that ciphers reads first how far the invocation counter has come.
        """
        self._client = await dial(address)
        who = from_profile.credentials(self._section, self._keys, name)
        if who.keys is not None:
            public = from_profile.credentials(self._section, self._keys, "public")
            await self._associate(public)
            (counter,) = await self.do(GetJob((COUNTER,)))
            self.line.resume_counter(who.keys, who.title, counter.value)
            await self.do(ReleaseJob())
        return await self._associate(who)

    async def _associate(self, who: Credentials) -> Association:
        if self._signs_on:
            await self.do(SignOnJob())
        outcome = await self.do(AssociateJob(who, from_profile.signing(self._keys, who)))
        assert isinstance(outcome, Association)
        return outcome

    async def close(self) -> None:
        await self.do(ReleaseJob())
        assert self._client is not None
        self._client.close()

    def drop(self) -> None:
        """Take the plug out."""
        assert self._client is not None
        self._client.close()

    async def do(self, job: Job) -> Any:
        """Do one job; returns its value."""
        client, loop = self._client, asyncio.get_running_loop()
        assert client is not None

        def now_ms() -> int:
            return int(loop.time() * 1000)

        outputs: Sequence[Output] = self.line.begin(job, now_ms())
        while True:
            for output in outputs:
                if isinstance(output, Write):
                    client.write(output.octets)
                elif isinstance(output, Done):
                    return output.value
            deadline_ms = self.line.deadline_ms
            left_s = None if deadline_ms is None else max(deadline_ms - now_ms(), 0) / 1000
            try:
                async with asyncio.timeout(left_s):
                    got = await client.read()
            except TimeoutError:
                outputs = self.line.expire(now_ms() + 1)
                continue
            outputs = self.line.receive(got, now_ms()) if got else self.line.lost(now_ms())


class VirtualReader:
    """A reader on a line world."""

    def __init__(self, world: LineWorld, line: ReaderLine) -> None:
        self.world, self.line = world, line

    def do(self, job: Job) -> Any:
        """Do one job; returns its value."""
        world = self.world
        outputs: Sequence[Output] = self.line.begin(job, world.now_us // 1000)
        while True:
            for output in outputs:
                if isinstance(output, Write):
                    world.send(output.octets)
                elif isinstance(output, Done):
                    return output.value
            outputs = self._next()

    def _next(self) -> Sequence[Output]:
        world, deadline_ms = self.world, self.line.deadline_ms
        assert deadline_ms is not None
        while True:
            received = world.take_received()
            if received:
                octets = b"".join(octets for _at_us, octets in received)
                return self.line.receive(octets, world.now_us // 1000)
            due_us = world.next_due()
            if due_us is None or due_us > deadline_ms * 1000:
                world.run_until(deadline_ms * 1000)
                return self.line.expire(deadline_ms)
            world.step()
