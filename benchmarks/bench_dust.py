"""What a DUST run costs: processor time and memory of a home, in few homes and four times as many.

The homes are those of ``dust new`` in their shares: dual fuel, split supply, electricity only, with
prepayment, displays, dormant gas meters and injected faults. Each run is a process of its own, from
its definition to a pack that is verified; what the smallest run takes (imports, tables) is taken
off both. Three fifths of the homes fit into a day, so that all runs have as many days and turns.
What a turn costs a home that rests is told as well: state and record, kept at every turn.

    python benchmarks/bench_dust.py [HOMES]    # homes of the smaller run, more than 25; 100
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from harness.door.exchange import Exchange
from harness.door.mover import Mover
from harness.dust import conductor, engine
from harness.dust.choices import Choices
from harness.dust.definition_words import Mode
from harness.dust.new_definition import write_new
from harness.dust.verify import verify

#: Set -> homes of it, of fifty.
COUNTS: Final = {
    "dual": 15,
    "third": 4,
    "split": 8,
    "elec": 6,
    "mixed": 4,
    "prepay": 4,
    "gasout": 3,
    "back": 3,
    "late": 2,
    "early": 1,
}
_FIFTY: Final = 50
_HUNDRED: Final = 100
_TIMES: Final = 4
_COHORT: Final = "EA"
#: The template's cases name homes; with fewer some of these are not there.
_FEW: Final = 25
_AIM_LINEAR: Final = 0.15


def definition(folder: Path, count: int) -> Path:
    """Write a definition of so many homes, in the shares of ``COUNTS``."""
    path = folder / f"{count}.toml"
    write_new(path, _COHORT, Mode.SIMULATED)
    path.write_text(grown(path.read_text("utf-8"), count), "utf-8")
    return path


def grown(text: str, count: int) -> str:
    """Return a definition of ``dust new`` with so many homes, in the shares of ``COUNTS``."""
    for name, share in COUNTS.items():
        homes = max(1, round(share * count / _FIFTY))
        text = re.sub(rf'(name = "{name}"\ncount = )\d+', rf"\g<1>{homes}", text)
    return re.sub(r"per_day = \d+", f"per_day = {max(8, count * 3 // 5)}", text)


# -- what children measure -------------------------------------------------------------------------


class Turns:
    """Processor time of whatever keeps a run at the end of each turn: state, journal, record."""

    def __init__(self) -> None:
        """Have it measured in this process from now on."""
        self.cpu_s = 0.0
        self.count = 0
        self._watch(Mover, "_state")
        self._watch(Exchange, "commit", only=lambda deed: deed.memory is not None)
        self._watch(conductor, "write_record")

    def _watch(self, owner: Any, name: str, only: Callable[[Any], bool] | None = None) -> None:
        whole = getattr(owner, name)

        def measured(*given: Any) -> Any:
            began = time.thread_time()
            try:
                return whole(*given)
            finally:
                if only is None or only(given[1]):
                    self.cpu_s += time.thread_time() - began
                    self.count += name == "_state"

        setattr(owner, name, measured)


def measure(count: int) -> dict[str, float]:
    """Run a definition; returns processor seconds, peak octets, homes, whether it is intact."""
    with tempfile.TemporaryDirectory() as name:
        folder, turns = Path(name), Turns()
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
        "turn_s": turns.cpu_s / turns.count,
    }


def measured(count: int) -> dict[str, float]:
    """Measure in a child process."""
    command = [sys.executable, __file__, "run", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(count: int) -> None:
    """Print ``claim | value | unit | reference | ratio`` lines."""
    few, one, many = measured(_FEW), measured(count), measured(_TIMES * count)

    def each(run: dict[str, float], what: str) -> float:
        return (run[what] - few[what]) / (run["homes"] - few["homes"])

    def tell(claim: str, small: float, large: float, unit: str, more: str = "") -> None:
        named = claim.replace("*", f"{many['homes']:.0f}")
        told = f"{one['homes']:.0f} homes {small:.3g} {unit}{more}"
        print(f"{named} | {large:.3g} | {unit} | {told} | {large / small:.2f}")

    print("claim | value | unit | reference | ratio")
    limit = f"; limit {1 + _AIM_LINEAR:.2f}, load {os.getloadavg()[0]:.1f}"
    small, large = each(one, "cpu_s") * 1000, each(many, "cpu_s") * 1000
    tell("processor time a home, * homes", small, large, "ms", limit)
    small, large = each(one, "turn_s") * 1000, each(many, "turn_s") * 1000
    tell("what is kept at a turn, a home, * homes", small, large, "ms")
    tell("peak memory a home", each(one, "peak") / 1024, each(many, "peak") / 1024, "KiB")
    small, large = (run["pack"] / run["homes"] / 1024 for run in (one, many))
    tell("pack a home", small, large, "KiB")
    intact = sum(bool(run["intact"]) for run in (few, one, many))
    print(f"packs that are intact | {intact} | of 3 | |")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else _HUNDRED)
