"""The one reader of the wall clock."""

import time

from emulator.core.clock import UtcMs


def now() -> UtcMs:
    """Return the present moment, milliseconds since 1970."""
    return UtcMs(time.time_ns() // 1_000_000)
