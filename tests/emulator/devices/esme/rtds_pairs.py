"""Given commands to the RTDS ESME and their responses, answered by an emulated one.

Run as a program it prints the coverage and writes ``rtds_coverage.csv`` beside it:
``.venv/bin/python -m tests.emulator.devices.esme.rtds_pairs``
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from device_profiles.loader import load_profile
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.core.ids import Eui64
from emulator.devices.esme.esme import Esme
from emulator.devices.joins.log import JoinedDevice
from tests.emulator.devices.credentials.creds_pairs import PARTY_OF, other_root
from tests.emulator.devices.kit import ESME
from tests.emulator.devices.rtds_kit import (
    NETWORK_OF_RTDS,
    NOW,
    Outcome,
    Pair,
    compare_response,
    pairs_of,
    rtds_ring,
    stories_of,
    write_as_the_rtds,
    write_list,
)

HERE: Final = Path(__file__).parent
LIST: Final = HERE / "rtds_coverage.csv"


def pairs() -> Iterator[Pair]:
    """Yield the pairs of the ESME at hand, in a fixed order."""
    return pairs_of(ESME)


def stories() -> dict[str, Any]:
    """Return what the ESME of each story has beside its profile."""
    return stories_of(HERE / "rtds_stories.toml")


def device_of(story: str) -> Esme:
    """Return the ESME of a story, running."""
    told = stories().get(story, {})
    made = Esme(ESME, load_profile(HERE / "rtds-esme.toml"), rtds_ring(), NETWORK_OF_RTDS)
    made.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW - 3_600_000))
    write_as_the_rtds(made)
    made.trust.root = other_root() if told.get("other_root") else None
    state = {name: told[name] for name in ("switch", "next_counter") if name in told}
    if "slots" in told:
        pending = {"hardware_min": None, "hardware_max": None, **told["slots"]["pending"]}
        state["slots"] = {"previous": None, **told["slots"], "pending": pending}
    made.load({**made.dump(), **state})
    for name, plain in told.get("attributes", {}).items():
        made.model.put(name, plain)
    for who, number in told.get("joined", {}).items():
        made.joins.add(JoinedDevice(Eui64(bytes.fromhex(who)), number), made.profile.limits)
    for role, counter in told.get("accepted", {}).items():
        made.accepted[f"{PARTY_OF[role].hex}/command"] = counter
    for where in told.get("broken", ()):
        made.inject(f"object:{where}")
    return made


def compare(pair: Pair) -> Outcome:
    """Give the command to the device of its story and compare what comes back."""
    made = device_of(pair.story)
    told = stories().get(pair.story, {})
    finish = told.get("asked_before_s", 0)
    effects = made.handle(DeviceEvent.GBCS, pair.command, UtcMs(NOW - finish * 1000))
    if finish:
        effects += made.handle(DeviceEvent.TIMER, "activation.finish", NOW)
    return Outcome.of(pair, compare_response(effects, pair.response), told.get("why", ""))


if __name__ == "__main__":
    write_list([compare(pair) for pair in pairs()], LIST)
