"""How many examples a property test draws: a share every day, all of them in ``make soak``."""

import os
from typing import Final

#: What ``make test`` and ``make soak`` say in ``SMETSBENCH_SAMPLE``.
DAILY: Final = "1"
SOAK: Final = "soak"
_SHARE: Final = 25
_LEAST: Final = 6


def examples(whole: int) -> int:
    """Return how many of ``whole`` examples are drawn in this run."""
    if os.environ.get("SMETSBENCH_SAMPLE") == DAILY:
        return min(whole, max(_LEAST, whole // _SHARE))
    return whole
