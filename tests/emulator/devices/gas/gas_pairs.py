"""Given commands to the RTDS GSME and GPF and their responses, answered by emulated ones.

Run as a program it prints the coverage and writes ``gas_coverage.csv`` beside it:
``.venv/bin/python -m tests.emulator.devices.gas.gas_pairs``
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from device_profiles.loader import load_profile
from device_profiles.words import SupplyState
from emulator.codecs.gbcs import envelope
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.devices.chf.chf import Chf
from emulator.devices.gpf.gpf import Gpf
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.joins.log import JoinedDevice
from tests.emulator.devices.kit import CHF, GPF, GSME, HAN
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
LIST: Final = HERE / "gas_coverage.csv"


def pairs() -> Iterator[Pair]:
    """Yield the pairs of GSME and GPF at hand, in a fixed order."""
    return pairs_of(GSME, GPF)


def stories() -> dict[str, Any]:
    """Return what the devices of each story have beside their profiles."""
    return stories_of(HERE / "gas_stories.toml")


def told_of(story: str) -> dict[str, Any]:
    """Return what a story says of its devices."""
    told: dict[str, Any] = stories().get(story, {})
    return told


def moment_of(story: str) -> UtcMs:
    """Return the moment of a story's response."""
    return UtcMs(NOW + 1000 * int(told_of(story).get("seconds_later", 0)))


def gsme_of(story: str) -> Gsme:
    """Return the GSME of a story, running, its clock set."""
    told = told_of(story)
    made = Gsme(GSME, load_profile(HERE / "rtds-gsme.toml"), rtds_ring(), NETWORK_OF_RTDS)
    now = moment_of(story)
    for name, plain in told.get("attributes", {}).items():
        made.model.put(name, plain)
    made.handle(DeviceEvent.POWER_ON, None, UtcMs(now - 3_600_000))
    made.clock_reliable = bool(told.get("clock_reliable", True))
    made.valve = SupplyState(told.get("valve", made.valve))
    made.next_counter = told.get("next_counter", made.next_counter)
    for device, (number, method) in told.get("joined", {}).items():
        joined = JoinedDevice(Eui64(bytes.fromhex(device)), number, method)
        made.joins.add(joined, made.profile.limits)
    for fault in told.get("faults", ()):
        made.inject(fault)
    for where in told.get("broken", ()):
        made.inject(f"member:{where}")
    return made


def gpf_of(story: str) -> Gpf:
    """Return the GPF of a story, which the story's gas meter told what it has."""
    told, now = told_of(story), moment_of(story)
    hub = Chf(CHF, load_profile(HERE / "rtds-gpf.toml"), rtds_ring(), NETWORK_OF_RTDS)
    hub.commission(HAN)
    hub.handle(DeviceEvent.POWER_ON, None, UtcMs(now - 3_600_000))
    for name, plain in told.get("gpf", {}).items():
        hub.gpf.model.put(name, plain)
    meter = gsme_of(story)
    for effect in meter.tell_mirror(now):
        if isinstance(effect, SendZcl):
            heard = ZclIndication(GSME, GPF, effect.cluster, effect.frame)
            hub.handle(DeviceEvent.ZCL, heard, now)
    return hub.gpf


def device_of(pair: Pair) -> Gsme | Gpf:
    """Return the device that a pair is of."""
    target: Eui64 = envelope.decode(pair.command).header.target
    return gsme_of(pair.story) if target == GSME else gpf_of(pair.story)


def compare(pair: Pair) -> Outcome:
    """Give the command to the device of its story and compare what comes back."""
    made = device_of(pair)
    effects = made.handle(DeviceEvent.GBCS, pair.command, moment_of(pair.story))
    why = str(told_of(pair.story).get("why", ""))
    return Outcome.of(pair, compare_response(effects, pair.response), why)


if __name__ == "__main__":
    write_list([compare(pair) for pair in pairs()], LIST)
