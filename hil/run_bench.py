"""The bench of a DUST run: emulated homes, some of which have devices on real lines."""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from device_profiles.installation import Installation
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.bench_offer import LINES
from harness.errors import NotPermittedError
from harness.meter import Credentials
from harness.ports import (
    Bench,
    CapturedFrame,
    HubWan,
    KeypadAnswer,
    MeterPort,
    Notice,
    Observation,
)
from harness.run_options import RunOptions
from hil.arming import ArmedGuard
from hil.asking import tell
from hil.bench_file import load_bench
from hil.endpoints import EndpointKind
from hil.home import defects_of
from hil.lines import Line, LineOpener
from hil.mixed_bench import MixedBench
from hil.probe import identified
from hil.run_guard import RunGuard, SparedPort
from hil.wired_port import HeldClock

#: Octets in which a dumped state tells the length of its first part.
_LENGTH_BYTES: Final = 8


class RunBench:
    """Emulated homes of a run; devices of some of them stand on lines (``hil.mixed_bench``).

    A role names a device of the first home; ``ESME@REF`` is that of the home of that ref. Loopback
    devices go with the run: what they remember is dumped and put back with the emulated homes. A
    real device keeps its own memory, and is never written to (``hil.run_guard``).

    Attributes:
        kind: ``real`` where a real device is among them, else ``loopback``.
        clock: The time of the homes.
        hub: The first home's hub.
        power: The mains of the emulated devices.
        found: Home -> device type -> who its device on a line says it is.
        refused: Home -> the first thing that was refused there, and what would permit it.
        on_refused: Told of each of these once, when it happens.
    """

    def __init__(
        self,
        home: Any,
        homes: Sequence[Installation],
        files: Mapping[str, Path],
        options: RunOptions,
    ) -> None:
        """Take built homes; no line is opened yet.

        Args:
            home: The emulated bench of all homes.
            homes: The installations, in its order.
            files: Home -> bench file it stands on.
            options: Seed, overlays, settings and folder of the run.

        Raises:
            UsageError: A bench file cannot be used.
        """
        self._home = home
        self._first = homes[0].ref
        self._folder = _folder_in(options.folder)
        self._states: dict[str, dict[str, str]] = {}
        self._parts = {
            one.ref: self._part(one, files[one.ref], options) for one in homes if one.ref in files
        }
        kinds = {part.kind for part in self._parts.values()}
        self.kind = "real" if "real" in kinds else "loopback"
        self.clock, self.hub, self.power = home.clock, home.hub, home.power
        self.found: dict[str, dict[str, str]] = {}
        self.refused: dict[str, str] = {}
        self.on_refused: Callable[[str, str], None] | None = None

    def _part(self, home: Installation, file: Path, options: RunOptions) -> MixedBench:
        loaded = load_bench(file, options.data)
        own = replace(options, settings={**options.settings, "homes": (home,)})
        children = [one for one in loaded.of(EndpointKind.LOOPBACK) if home.of(one)]
        guard = RunGuard(ArmedGuard(loaded))

        def openers(clock: HeldClock) -> LineOpener:
            return LineOpener(
                loaded,
                own,
                clock,
                guard,
                tell,
                eui64s={role: Eui64.parse(home.of(role)[0].eui64) for role in children},
                defects={role: defects_of(own, role) for role in children},
                states={role: self._file(home.ref, role) for role in children},
            )

        return MixedBench(self._home, openers, guard, ref=home.ref)

    def _file(self, ref: str, role: str) -> Path:
        """Return the file in which a loopback device keeps its memory while the run goes."""
        return self._folder / f"{ref}.{role}.{os.getpid()}.state"

    # -- opening and closing -------------------------------------------------------------------

    async def open(self) -> None:
        """Open every line, and ask who is there; loopback devices go on where they were restored.

        Raises:
            BenchError: A port is not there, busy or locked; a child does not start; a device does
                not answer, or is another than the home's.
        """
        for ref, states in self._states.items():
            for role, state in states.items():
                self._file(ref, role).write_bytes(bytes.fromhex(state))
        try:
            for ref, part in self._parts.items():
                await part.open()
                for role, line in part.lines().items():
                    said = await asyncio.to_thread(identified, line, part.loaded)
                    self.found.setdefault(ref, {})[role.value] = said
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of every port, end every child, and stop the homes."""
        for part in self._parts.values():
            await part.close_lines()
        await self._home.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- ports ---------------------------------------------------------------------------------

    def _at(self, role: str) -> Bench:
        """Return the bench that has a role: that of a home with lines, or the emulated one."""
        found: Bench = self._parts.get(self._ref(role), self._home)
        return found

    def _ref(self, role: str) -> str:
        return role.partition("@")[2] or self._first

    def meter(self, role: str, way: str = "wan") -> MeterPort:
        """Return the DLMS port of a device; for one on a line that line.

        Raises:
            BenchError: The bench has no such device, or no such way to it.
        """
        ref, bench = self._ref(role), self._at(role)
        port = bench.meter(role, way)
        return SparedPort(port, partial(self._note, ref)) if bench.kind == "real" else port

    def _note(self, ref: str, refused: NotPermittedError) -> None:
        why = f"{refused.what} (next: {refused.next_command})"
        if ref not in self.refused:
            self.refused[ref] = why
            if self.on_refused is not None:
                self.on_refused(ref, why)

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of a hub; hubs are emulated.

        Raises:
            BenchError: The bench has no such hub.
        """
        return self._at(role).hub_wan(role)

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate with these credentials; None for a real one.

        Raises:
            BenchError: The bench has no such device, or its line is lost.
        """
        return self._at(role).opens_to(role, credentials)

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers; None for one on a line.

        Raises:
            BenchError: The bench has no such device.
        """
        return self._at(role).memory(role)

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Enter a top-up code at a meter's keypad; BenchError where nobody is at it."""
        return await self._at(role).key_in(role, digits)

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself to a device.

        Raises:
            BenchError: The bench knows none, or its secrets are not there.
        """
        return self._at(role).credentials(role, name)

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of a device.

        Raises:
            BenchError: The bench has none.
        """
        return self._at(device_type).role(device_type)

    def lines(self, ref: str) -> Mapping[DeviceType, Line]:
        """Return the open lines of a home; for tests."""
        return self._parts[ref].lines()

    async def disturb(self, order: str) -> None:
        """Put one more fault into force from now on: in the homes, and in the children it concerns.

        Raises:
            UsageError: The order means nothing.
            BenchError: A child refuses it.
        """
        await self._home.disturb(order)
        for part in self._parts.values():
            await part.disturb_lines(order)

    # -- what it tells -------------------------------------------------------------------------

    @property
    def profiles(self) -> Mapping[Eui64, DeviceProfile]:
        """Device -> the model it is, or should be."""
        found: Mapping[Eui64, DeviceProfile] = self._home.profiles
        return found

    def trouble(self, ref: str, at: UtcMs) -> None:
        """Have the hub of a home notice trouble with its network at a moment, and tell of it.

        Raises:
            KeyError: There is no such home.
        """
        self._home.trouble(ref, at)

    def take_alerts(self) -> list[tuple[str, Notice]]:
        """Return what hubs told of trouble since the last call, with whom each told, in order."""
        found: list[tuple[str, Notice]] = self._home.take_alerts()
        return found

    def _open(self) -> list[Line]:
        return [line for part in self._parts.values() for line in part.lines().values()]

    def take_observations(self) -> Sequence[Observation]:
        """Return what was seen inside the emulated devices; nobody looks into those on lines."""
        hidden = {line.eui64 for line in self._open()}
        return [one for one in self._home.take_observations() if one.device not in hidden]

    def take_frames(self) -> Sequence[CapturedFrame]:
        """Return what crossed links and lines since the last call, in order of time."""
        heard = [frame for line in self._open() for frame in line.ears.take()]
        seen: Sequence[CapturedFrame] = self._home.take_frames()
        return sorted([*seen, *heard], key=lambda one: one.at_us) if heard else seen

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state; for those on lines what the bench file says of them."""
        rows: dict[str, Mapping[str, str]] = dict(self._home.describe())
        for line in self._open():
            told = {"profile": line.profile.name, "endpoint": str(line.section.where)}
            rows[f"{line.role} {line.eui64}"] = told
        return rows

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return the state of homes and loopback devices; keys of them are in it.

        Raises:
            BenchError: A child ended.
        """
        first: bytes = self._home.dump()
        more = {"refused": self.refused, "lines": {ref: self._saved(ref) for ref in self._parts}}
        told = json.dumps(more, separators=(",", ":"), sort_keys=True).encode()
        return len(first).to_bytes(_LENGTH_BYTES, "big") + first + told

    def _saved(self, ref: str) -> dict[str, str]:
        part = self._parts[ref]
        roles = part.save_children()
        return {role.value: self._file(ref, role).read_bytes().hex() for role in roles}

    def restore(self, state: bytes) -> None:
        """Put the homes back to a dumped state; what is on lines follows when they are opened.

        Raises:
            BenchError: The octets are no state of these homes, seed and faults.
        """
        begins = _LENGTH_BYTES + int.from_bytes(state[:_LENGTH_BYTES], "big")
        self._home.restore(state[_LENGTH_BYTES:begins])
        told = json.loads(state[begins:])
        self.refused, self._states = told["refused"], told["lines"]


def _folder_in(run: Path | None) -> Path:
    """Make the folder in which loopback devices keep their memory, which only we may read.

    In a run folder a run that was killed finds it again, and takes it away when it is over.
    """
    if run is None:
        return Path(tempfile.mkdtemp(prefix=f"smetsbench-{LINES}-"))
    place = run / LINES
    place.mkdir(mode=0o700, exist_ok=True)
    return place
