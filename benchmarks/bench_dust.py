"""What a DUST run costs: processor time and memory of a home, in few homes and in twice as many.

The homes are those of ``dust new`` in their shares: dual fuel, split supply, electricity only, with
prepayment, displays, dormant gas meters and injected faults. Each run is a process of its own, from
its definition to a pack that is verified; what the smallest run takes (imports, tables) is taken
off both. Three fifths of the homes fit into a day, so that all runs have as many days and turns.

    python benchmarks/bench_dust.py [HOMES]    # homes of the smaller run, more than 25
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from harness.dust import engine
from harness.dust.choices import Choices
from harness.dust.definition_words import Mode
from harness.dust.new_definition import write_new
from harness.dust.verify import verify

#: Set -> homes of it, of fifty.
COUNTS: Final = {
    "dual": 16,
    "third": 4,
    "split": 8,
    "elec": 6,
    "mixed": 4,
    "prepay": 4,
    "gasout": 3,
    "back": 3,
    "late": 2,
}
_FIFTY: Final = 50
_COHORT: Final = "EA"
#: The template's cases name homes; with fewer some of these are not there.
_FEW: Final = 25
_AIM_LINEAR: Final = 0.15


def definition(folder: Path, count: int) -> Path:
    """Write a definition of so many homes, in the shares of ``COUNTS``."""
    path = folder / f"{count}.toml"
    write_new(path, _COHORT, Mode.SIMULATED)
    text = path.read_text("utf-8")
    for name, share in COUNTS.items():
        homes = max(1, round(share * count / _FIFTY))
        text = re.sub(rf'(name = "{name}"\ncount = )\d+', rf"\g<1>{homes}", text)
    text = re.sub(r"per_day = \d+", f"per_day = {max(8, count * 3 // 5)}", text)
    path.write_text(text, "utf-8")
    return path


# -- what children measure -------------------------------------------------------------------------


def measure(count: int) -> dict[str, float]:
    """Run a definition; returns processor seconds, peak octets, homes, whether it is intact."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record = engine.start(Choices(definition(folder, count), folder), folder / "run")
        used = resource.getrusage(resource.RUSAGE_SELF)
        pack = folder / "run" / "evidence.zip"
        intact = all(part.ok is not False for part in verify(pack).parts)
        size = pack.stat().st_size
    return {
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * 1024,
        "homes": len(record.installations),
        "pack": size,
        "intact": intact,
    }


def measured(count: int) -> dict[str, float]:
    """Measure in a child process."""
    command = [sys.executable, __file__, "run", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(count: int) -> None:
    """Print ``claim | value | unit | reference | ratio`` lines."""
    few, one, two = measured(_FEW), measured(count), measured(2 * count)

    def each(run: dict[str, float], what: str) -> float:
        return (run[what] - few[what]) / (run["homes"] - few["homes"])

    print("claim | value | unit | reference | ratio")
    small, large = each(one, "cpu_s") * 1000, each(two, "cpu_s") * 1000
    told = f"{one['homes']:.0f} homes {small:.0f} ms; limit {1 + _AIM_LINEAR:.2f}"
    name = f"processor time a home, {two['homes']:.0f} homes"
    print(
        f"{name} | {large:.0f} | ms | {told}, load {os.getloadavg()[0]:.1f} | {large / small:.2f}"
    )
    small, large = each(one, "peak") / 1024, each(two, "peak") / 1024
    told = f"{one['homes']:.0f} homes {small:.0f} KiB"
    print(f"peak memory a home | {large:.0f} | KiB | {told} | {large / small:.2f}")
    small, large = one["pack"] / one["homes"] / 1024, two["pack"] / two["homes"] / 1024
    told = f"{one['homes']:.0f} homes {small:.0f} KiB"
    print(f"pack a home | {large:.0f} | KiB | {told} | {large / small:.2f}")
    intact = sum(bool(run["intact"]) for run in (few, one, two))
    print(f"packs that are intact | {intact} | of 3 | |")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else _FIFTY)
