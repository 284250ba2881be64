"""Tables of bench kinds and commands by dotted name, imported when asked for.

This is the one place of ``harness`` that may name ``hil``.
"""

from collections.abc import Mapping
from typing import Final

#: Bench kind -> "module:function" that opens it.
BENCHES: Final[Mapping[str, str]] = {
    "emulated": "harness.benches.emulated:open_bench",
    "bench": "hil.bench:open_bench",
}

#: What is asked of benches on which homes of a run stand beside emulated ones -> who does it.
RUN_BENCHES: Final[Mapping[str, str]] = {
    "standing": "hil.run_offers:standing",
    "named": "hil.run_offers:named",
    "open": "hil.run_bench:RunBench",
    "loop": "hil.held_time:HeldTimeLoop",
}

#: Noun of the command line -> module with a ``register(app)`` function, below ``hil``.
COMMANDS: Final[Mapping[str, str]] = {
    "bench": "hil.cli",
    "capture": "hil.cli_capture",
    "replay": "hil.cli_replay",
}

#: Where served emulators, which run in real time, take the present moment from.
WALL_CLOCK: Final = "hil.wall_clock:now"
