"""Given commands to the RTDS GSME and GPF and their responses, answered by emulated ones.

Run as a program it prints the coverage and writes ``gas_coverage.csv`` beside it:
``.venv/bin/python -m tests.emulator.devices.gas.gas_pairs``
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from device_profiles.loader import load_profile
from device_profiles.words import SupplyState
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Note, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import Accepted, KeyRing, open_message
from emulator.devices.chf.chf import Chf
from emulator.devices.gpf.gpf import Gpf
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.joins.log import JoinedDevice
from tests.emulator.devices.esme.rtds_pairs import (
    NETWORK_OF_RTDS,
    NOW,
    Outcome,
    Pair,
    as_csv,
    summary,
)
from tests.emulator.devices.kit import ACB, CHF, GPF, GSME, HAN, key, messages
from tests.given import RTDS_DIR, RTDS_KEYS

HERE: Final = Path(__file__).parent
LIST: Final = HERE / "gas_coverage.csv"


def pairs() -> Iterator[Pair]:
    """Yield the pairs of GSME and GPF at hand, in a fixed order."""
    for path in sorted(RTDS_DIR.glob("RTDS-*/*/*_COMMAND_GBCS.HEX")):
        answered = path.with_name(path.name.replace("_COMMAND_", "_RESPONSE_"))
        command = bytes.fromhex(path.read_text("ascii"))
        if envelope.decode(command).header.target not in {GSME, GPF} or not answered.is_file():
            continue
        srv = path.parent.name.split("_")[0]
        family = "CS02*" if "_CS02" in path.parent.name else f"{srv.split('.')[0]}.x"
        story = path.stem.removesuffix("_COMMAND_GBCS")
        yield Pair(family, story, command, bytes.fromhex(answered.read_text("ascii")))


@cache
def stories() -> dict[str, Any]:
    """Return what the devices of each story have beside their profiles."""
    return tomllib.loads((HERE / "gas_stories.toml").read_text("utf-8"))


@cache
def gas_ring() -> KeyRing:
    """The RTDS keys; devices, of which no private key is published, sign with their own."""
    given = KeyStore.load(RTDS_KEYS)
    own = []
    for eui64 in (GSME, GPF):
        held = given.find(eui64, KeyUsage.DS)
        shown = None if held is None else held.certificate
        own.append(replace(key(eui64, KeyUsage.DS), certificate=shown))
    return KeyRing(given.merged(KeyStore(own)))


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
    made = Gsme(GSME, load_profile(HERE / "rtds-gsme.toml"), gas_ring(), NETWORK_OF_RTDS)
    now = moment_of(story)
    for name, plain in told.get("attributes", {}).items():
        made.model.put(name, plain)
    made.handle(DeviceEvent.POWER_ON, None, UtcMs(now - 3_600_000))
    made.clock_reliable = bool(told.get("clock_reliable", True))
    made.valve = SupplyState(told.get("valve", made.valve))
    made.next_counter = told.get("next_counter", made.next_counter)
    made.model.token_counters = list(told.get("token_counters", []))
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
    hub = Chf(CHF, load_profile(HERE / "rtds-gpf.toml"), gas_ring(), NETWORK_OF_RTDS)
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
    sent = [one for one in messages(effects) if envelope.decode(one).header.cra is Cra.RESPONSE]
    if not sent:
        refusals = [dict(one.fields) for one in effects if isinstance(one, Note)]
        reasons = [str(fields["reason"]) for fields in refusals if "reason" in fields]
        why = str(told_of(pair.story).get("why", ""))
        return Outcome(pair, "refused", why or ", ".join(reasons))
    return _judged(pair, sent[0])


def _judged(pair: Pair, sent: bytes) -> Outcome:
    ours, given = envelope.decode(sent), envelope.decode(pair.response)
    if sent == pair.response:
        return Outcome(pair, "equal")
    same = envelope.signed_part(ours) == envelope.signed_part(given)
    signed = ours.signature and given.signature and ours.mac is given.mac is None
    if same and signed and isinstance(open_message(sent, gas_ring(), acb=ACB), Accepted):
        return Outcome(pair, "equal", "signature verified instead")
    if ours.header != given.header:
        return Outcome(pair, "other", "header")
    why = str(told_of(pair.story).get("why", ""))
    if len(ours.payload) == len(given.payload):
        return Outcome(pair, "same shape", why or _difference(ours.payload, given.payload))
    return Outcome(pair, "other", why or f"{len(ours.payload)} octets, {len(given.payload)} given")


def _difference(ours: bytes, given: bytes) -> str:
    each = zip(ours, given, strict=True)
    at = next((at for at, pair in enumerate(each) if len(set(pair)) > 1), -1)
    return f"from octet {at} of the payload"


def main() -> None:
    """Print the coverage and write the list."""
    outcomes = [compare(pair) for pair in pairs()]
    for outcome in outcomes:
        sys.stdout.write(" | ".join(outcome.row) + "\n")
    for family, (equal, total) in summary(outcomes).items():
        sys.stdout.write(f"{family}: {equal} of {total} equal\n")
    LIST.write_text(as_csv(outcomes), "utf-8")


if __name__ == "__main__":
    main()
