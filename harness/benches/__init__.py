"""Tables of bench kinds and commands by dotted name, imported when asked for.

This is the one place of ``harness`` that may name ``hil``.
"""

from collections.abc import Mapping
from typing import Final

#: Bench kind -> "module:function" that opens it.
BENCHES: Final[Mapping[str, str]] = {
    "emulated": "harness.benches.emulated:open_bench",
}
