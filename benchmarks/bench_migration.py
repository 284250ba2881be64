"""What migrations of many installations cost, with real device octets and cryptography.

Every installation is dual fuel, cohort EA; each hub, ESME and GSME answers as octets over its
links, keys are wrapped and proved, files signed, encrypted, checked, journalled. The reference of
each line is measured in the same run, beside it: bare cryptography and codecs for the rate, the
small run for the large one.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from device_profiles.installation import render_toml
from device_profiles.words import InstallationClass, SupplyShape
from emulator.crypto.signature import point_of, sign, verify
from harness.migration import volume
from harness.migration.states import State
from harness.migration.volume_options import VolumeOptions
from harness.new_installations import Order, generate
from harness.report.migration_files import write_migration

_SMALL, _LARGE = 100, 1000
_AIM_PER_S = 25.0
_AIM_LINEAR = 0.15


def homes(folder: Path, count: int) -> Path:
    """Write an installation file."""
    path = folder / f"{count}.toml"
    order = Order(count, 1, "EA", SupplyShape.DUAL_FUEL, InstallationClass.ACTIVE)
    path.write_text(render_toml(generate(order, ())), "utf-8")
    return path


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    """Add processor seconds (children's included) and wall seconds of a block."""
    before, wall = _cpu(), time.perf_counter()
    yield
    into[f"{name} cpu"] = _cpu() - before
    into[f"{name} wall"] = time.perf_counter() - wall


def _cpu() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def migrated(folder: Path, count: int, jobs: int, into: dict[str, float]) -> int:
    """Run migrations with their reports; returns how many installations ended migrated."""
    file = homes(folder, count)
    options = VolumeOptions("EA", str(file))
    with timed(into, f"{count}"):
        made = volume.start(options, out=folder / f"run-{count}", jobs=jobs, progress=None)
        run = write_migration(made)
    into[f"{count} report"] = made.file("report").stat().st_size
    return sum(record.state is State.MIGRATED for record in run.records)


def bare(rounds: int) -> float:
    """Seconds that one installation's cryptography takes alone: signatures and ciphers."""
    key, nonce = bytes(range(16)), bytes(12)
    scalar = 12_345
    point, message = point_of(scalar), bytes(2000)
    begun = time.process_time()
    for _round in range(rounds):
        for _signature in range(50):
            verify(point, message, sign(scalar, message))
        for _apdu in range(420):
            AESGCM(key).encrypt(nonce, message[:60], message[:17])
    return (time.process_time() - begun) / rounds


def main() -> None:
    """Print ``claim | value | unit | reference | ratio`` lines."""
    large = int(sys.argv[1]) if len(sys.argv) > 1 else _LARGE
    jobs, took = len(os.sched_getaffinity(0)), dict[str, float]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        migrated(folder, 4, 1, took)  # imports and tables
        small = migrated(folder, _SMALL, jobs, took)
        floor = bare(5)
        done = migrated(folder, large, jobs, took)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    each = took[f"{large} cpu"] / large
    rate = large / took[f"{large} wall"]
    linear = each / (took[f"{_SMALL} cpu"] / _SMALL)
    print("claim | value | unit | reference | ratio")
    told = f"aim {_AIM_PER_S:.0f}/s on 2 cores; {done} of {large} migrated"
    print(f"installations a second, {jobs} cores | {rate:.1f} | 1/s | {told} | {rate / 25:.2f}")
    told = f"its signatures and ciphers alone {floor * 1000:.1f} ms"
    print(f"processor time an installation | {each * 1000:.1f} | ms | {told} | {each / floor:.1f}")
    told = f"{_SMALL} installations ({small} migrated); limit {1 + _AIM_LINEAR:.2f}"
    print(f"cost each, {large} against {_SMALL} | {each * 1000:.1f} | ms | {told} | {linear:.2f}")
    told = f"largest worker {child:.0f} MiB"
    print(f"peak memory, {large} installations | {own:.0f} | MiB | {told} | {own / child:.1f}")
    size = took[f"{large} report"] / 2**20
    print(f"report, {large} installations | {size:.2f} | MiB | limit 10 MiB | {size / 10:.2f}")


if __name__ == "__main__":
    main()
