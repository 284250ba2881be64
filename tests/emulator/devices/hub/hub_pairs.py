"""Given commands to the RTDS hub and their responses, answered by an emulated one.

Run as a program it prints the coverage and writes ``hub_coverage.csv`` beside it:
``.venv/bin/python -m tests.emulator.devices.hub.hub_pairs``
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from device_profiles.loader import load_profile
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect
from emulator.devices.chf.chf import Chf
from emulator.devices.chf.values import made_of
from tests.emulator.devices.kit import CHF
from tests.emulator.devices.rtds_kit import (
    NETWORK_OF_RTDS,
    NOW,
    Outcome,
    Pair,
    compare_response,
    pairs_of,
    rtds_ring,
    stories_of,
    write_list,
)

HERE: Final = Path(__file__).parent
LIST: Final = HERE / "hub_coverage.csv"
#: Given pairs of the device log and the firmware version have their own tests (test_device_rtds).
_ELSEWHERE: Final = ("CCS0", "ECS52")


def pairs() -> Iterator[Pair]:
    """Yield the pairs of the hub's own objects at hand, in a fixed order."""
    return (pair for pair in pairs_of(CHF) if not pair.story.startswith(_ELSEWHERE))


def stories() -> dict[str, Any]:
    """Return what the hub of each story has beside its profile."""
    return stories_of(HERE / "hub_stories.toml")


def device_of(story: str) -> Chf:
    """Return the hub of a story, running."""
    told = stories().get(story, {})
    made = Chf(CHF, load_profile(HERE / "rtds-chf.toml"), rtds_ring(), NETWORK_OF_RTDS)
    made.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW - 3_600_000))
    for name, plain in told.get("attributes", {}).items():
        made.values.put(name, made_of(name, plain))
    for where in told.get("broken", ()):
        made.inject(f"object:{where}")
    return made


def answered(made: Chf, message: bytes) -> list[Effect]:
    """Give a hub a message out of the WAN."""
    return made.handle(DeviceEvent.WAN, message, NOW)


def compare(pair: Pair) -> Outcome:
    """Give the command to the hub of its story and compare what comes back."""
    effects = answered(device_of(pair.story), pair.command)
    return Outcome.of(pair, compare_response(effects, pair.response), "")


if __name__ == "__main__":
    write_list([compare(pair) for pair in pairs()], LIST)
