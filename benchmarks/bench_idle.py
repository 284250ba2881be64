"""What idle SMETS2+ installations cost: memory of each, and one simulated day of many.

An installation is CHF with GPF, ESME, GSME and PPMID (the ``demo`` models). All stand in one
process and on one loop of virtual time. Every device has a signing and a key-agreement key of its
own with certificates (P-256); they are drawn from the stream ``pki`` of the seed by one test PKI,
which also makes the keys of the remote parties, once for all homes. The homes are switched on one
after another within the first hour. A GSME wakes every hour (an overlay says so), reports to its
mirror, reads the flags and fetches its messages; an ESME's profile and daily logs grow, by the
shape of its load, and are worked out when somebody asks. The day begins after the first hour.

Each measurement is a process of its own. Memory is taken two ways: what Python allocated
(tracemalloc), as the slope from 50 homes to 200, and the resident set, as the slope from 500 to
1,500 (the bounded caches of key objects are full at both); both two simulated hours after the
last was switched on. So what all homes share counts for nothing.

    python benchmarks/bench_idle.py [HOMES]    # homes of the day; 10,000 where none is said
"""

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from device_profiles import installation
from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.crypto import signature
from emulator.runtime.driver import Driver
from emulator.runtime.neighbourhood import Neighbourhood
from emulator.runtime.virtual_time import VirtualTimeLoop

START: Final = UtcMs(1_700_000_000_000)
HOUR_US: Final = 3_600_000_000
#: Few and many homes, whose difference is what a home takes.
_EXACT: Final = (50, 200)
_RESIDENT: Final = (500, 1500)
_AIM_KIB: Final = 100
_SEED: Final = 1
_ON_HOURS: Final = 1
_SETTLED_HOURS: Final = _ON_HOURS + 2
_DAY_HOURS: Final = 24
#: What a child may take of the machine; it ends with MemoryError beyond.
_LIMIT_BYTES: Final = 8 << 30
_HOURLY: Final = """[radio]
wake_period_s = 3_600
"""


def overlay(folder: Path) -> tuple[Path, ...]:
    """Write the overlay by which gas meters wake every hour."""
    (folder / "models").mkdir()
    (folder / "models" / "demo-gsme.toml").write_text(_HOURLY, "utf-8")
    return (folder,)


def home(number: int) -> Installation:
    """Return the demo home with other EUI-64s, and without its HCALCS."""
    base = _demo()
    devices = [
        device.model_copy(update={"eui64": _numbered(device.eui64, number)})
        for device in base.devices
        if device.role is not DeviceType.HCALCS
    ]
    return base.model_copy(update={"ref": f"idle-{number}", "devices": tuple(devices)})


@lru_cache(maxsize=1)
def _demo() -> Installation:
    return installation.load("demo")


def _numbered(eui64: str, number: int) -> str:
    octets = bytes.fromhex(eui64.replace("-", ""))
    return (octets[:4] + number.to_bytes(3, "big") + octets[7:]).hex("-").upper()


def settle() -> None:
    """Empty the caches of key objects, and collect what is left over."""
    signature.public_key.cache_clear()
    signature.private_key.cache_clear()
    gc.collect()


def resident() -> int:
    """Return the octets of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def built(folder: Path, count: int) -> Neighbourhood:
    """Build homes, not moved; what is built stays, so nothing is collected meanwhile."""
    gap_ms = HOUR_US // 1000 * _ON_HOURS // count
    gc.disable()
    try:
        return Neighbourhood([home(n) for n in range(count)], _SEED, START, overlay(folder), gap_ms)
    finally:
        gc.enable()
        gc.collect()


def pass_hours(homes: Neighbourhood, first: int, last: int) -> None:
    """Let time pass on a loop, from one hour to another; nobody wants the facts."""
    driver: Driver[Neighbourhood] = Driver(homes)
    loop = VirtualTimeLoop()
    try:
        for hour in range(first + 1, last + 1):
            until = START * 1000 + hour * HOUR_US
            loop.run_until_complete(driver.wait_for(_nothing, until))
            homes.drop_facts()
    finally:
        loop.close()


def _nothing() -> None:
    """Nobody waits for anything but the time."""


# -- what children measure -------------------------------------------------------------------------


def exact(count: int) -> dict[str, float]:
    """Measure what Python holds for some homes, in octets."""
    tracemalloc.start(1)
    with tempfile.TemporaryDirectory() as folder:
        homes = built(Path(folder), count)
        pass_hours(homes, 0, _SETTLED_HOURS)
    settle()
    return {"octets": tracemalloc.get_traced_memory()[0]}


def rss(count: int) -> dict[str, float]:
    """Measure the resident set with some homes, in octets."""
    with tempfile.TemporaryDirectory() as folder:
        homes = built(Path(folder), count)
        pass_hours(homes, 0, _SETTLED_HOURS)
    gc.collect()
    return {"octets": resident(), "homes": len(homes.homes)}


def day(count: int) -> dict[str, float]:
    """Let some homes idle for a day."""
    resource.setrlimit(resource.RLIMIT_AS, (_LIMIT_BYTES, _LIMIT_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        homes = built(Path(folder), count)
        build_s = time.process_time() - begun
        pass_hours(homes, 0, _ON_HOURS)
        steps = homes.steps
        gc.collect()
        gc.freeze()
        begun = time.process_time()
        pass_hours(homes, _ON_HOURS, _ON_HOURS + _DAY_HOURS)
        idle_s = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"build_s": build_s, "idle_s": idle_s, "events": homes.steps - steps, "peak": peak}


_MEASURES: Final[dict[str, Callable[[int], dict[str, float]]]] = {
    "exact": exact,
    "rss": rss,
    "day": day,
}


def measured(what: str, count: int) -> dict[str, Any]:
    """Measure in a child process."""
    command = [sys.executable, __file__, what, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def slope(what: str, few: int, many: int) -> float:
    """Return KiB for each home, from a few to many."""
    less, more = measured(what, few)["octets"], measured(what, many)["octets"]
    return float(more - less) / (many - few) / 1024


def main(count: int) -> None:
    """Print ``claim | value | unit | reference | ratio`` lines."""
    print("claim | value | unit | reference | ratio")
    aim = f"at most {_AIM_KIB} KiB (issue 7)"
    measures = (("Python memory", "exact", _EXACT), ("resident memory", "rss", _RESIDENT))
    for name, what, (few, many) in measures:
        kib = slope(what, few, many)
        between = f"{aim}, {few} to {many} homes"
        print(f"{name} per idle home | {kib:.1f} | KiB | {between} | {kib / _AIM_KIB:.2f}")
    one = measured("day", count)
    wakes = count * _DAY_HOURS
    idle, load = one["idle_s"], os.getloadavg()[0]
    print(f"building {count} homes | {one['build_s']:.1f} | s CPU | 10 certificates each |")
    print(f"idle day of {count} homes | {idle:.1f} | s CPU | {wakes} wake-ups, load {load:.1f} |")
    each = f"{idle / count * 1e3:.0f} ms a home and day"
    print(f"per wake-up | {idle / wakes * 1e3:.2f} | ms CPU | {each} |")
    print(f"events | {one['events']} | | {one['events'] / wakes:.1f} a wake-up |")
    peak = one["peak"] / count / 1024
    print(f"peak resident set | {one['peak'] / 2**20:.0f} | MiB | {peak:.1f} KiB a home |")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(_MEASURES[sys.argv[1]](int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
