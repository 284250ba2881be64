"""Pauses between two looks: short at first, longer the longer nothing comes."""

from typing import Final

#: What a pause is longer than the one before it: the last one is an eighth of what was waited in
#: all, so that whoever waits long looks seldom and is late by little. Source: invented.
_GROWTH: Final = 1.125


def longer(pause_s: float, most_s: float) -> float:
    """Return the pause after one in which nothing came, seconds.

    Args:
        pause_s: That pause.
        most_s: The longest there may be; one that is longer already stays as it is.
    """
    return max(pause_s, min(pause_s * _GROWTH, most_s))
