"""Given commands to the RTDS ESME and their responses, answered by an emulated one.

Run as a program it prints the coverage and writes ``rtds_coverage.csv`` beside it:
``.venv/bin/python -m tests.emulator.devices.esme.rtds_pairs``
"""

import csv
import io
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from device_profiles.loader import load_profile
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.use_cases import MESSAGES, PayloadKind
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.effects import DeviceEvent, Note
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import Accepted, KeyRing, open_message
from emulator.devices.esme.esme import Esme
from tests.emulator.devices.kit import ACB, ESME, NETWORK, key, messages
from tests.given import RTDS_DIR, RTDS_KEYS

HERE: Final = Path(__file__).parent
LIST: Final = HERE / "rtds_coverage.csv"
#: The moment of every response.
NOW: Final = from_datetime(datetime(2015, 1, 1, tzinfo=UTC))
LOAD_CONTROLLER: Final = Eui64.parse("90-B3-D5-1F-30-01-00-08")
NETWORK_OF_RTDS: Final = replace(
    NETWORK,
    load_controllers={ESME: LOAD_CONTROLLER},
    transitional_cos=Eui64.parse("90-B3-D5-1F-30-00-00-04"),
    recovery=Eui64.parse("90-B3-D5-1F-30-00-00-01"),
)
HEADINGS: Final = ("pair", "family", "use_case", "outcome", "why")


@dataclass(frozen=True, slots=True)
class Pair:
    """One command and the response to it.

    Attributes:
        family: Leading numbers of its service reference, e.g. ``4.x``.
        story: Name of both files up to the direction.
        command: The command.
        response: The response.
    """

    family: str
    story: str
    command: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an emulated device's answer compares: ``equal``, ``same shape``, ``other``, ``refused``.

    Attributes:
        pair: The pair.
        word: The comparison.
        why: What differs, or why the device refused.
    """

    pair: Pair
    word: str
    why: str = ""

    @property
    def row(self) -> tuple[str, ...]:
        """The outcome as a line of the list."""
        code = envelope.decode(self.pair.command).header.other.message_code
        return self.pair.story, self.pair.family, MESSAGES[code].use_case, self.word, self.why


def pairs() -> Iterator[Pair]:
    """Yield the pairs of the ESME at hand, in a fixed order."""
    for path in sorted(RTDS_DIR.glob("RTDS-*/*/*_COMMAND_GBCS.HEX")):
        answered = path.with_name(path.name.replace("_COMMAND_", "_RESPONSE_"))
        command = bytes.fromhex(path.read_text("ascii"))
        if envelope.decode(command).header.target != ESME or not answered.is_file():
            continue
        srv = path.parent.name.split("_")[0]
        family = "CS02*" if "_CS02" in path.parent.name else f"{srv.split('.')[0]}.x"
        story = path.stem.removesuffix("_COMMAND_GBCS")
        yield Pair(family, story, command, bytes.fromhex(answered.read_text("ascii")))


@cache
def stories() -> dict[str, Any]:
    """Return what the ESME of each story has beside its profile."""
    return tomllib.loads((HERE / "rtds_stories.toml").read_text("utf-8"))


@cache
def rtds_ring() -> KeyRing:
    """The RTDS keys; the device, of which no private key is published, signs with its own.

    It shows the published certificate all the same.
    """
    given = KeyStore.load(RTDS_KEYS)
    held = given.find(ESME, KeyUsage.DS)
    shown = None if held is None else held.certificate
    return KeyRing(given.merged(KeyStore([replace(key(ESME, KeyUsage.DS), certificate=shown)])))


def device_of(story: str) -> Esme:
    """Return the ESME of a story, running."""
    told = stories().get(story, {})
    made = Esme(ESME, load_profile(HERE / "rtds-esme.toml"), rtds_ring(), NETWORK_OF_RTDS)
    made.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW - 3_600_000))
    state = {name: told[name] for name in ("switch", "next_counter") if name in told}
    if "slots" in told:
        pending = {"hardware_min": None, "hardware_max": None, **told["slots"]["pending"]}
        state["slots"] = {"previous": None, **told["slots"], "pending": pending}
    made.load({**made.dump(), **state})
    for name, plain in told.get("attributes", {}).items():
        made.model.put(name, plain)
    made.credentials.joined.update(told.get("joined", {}))
    made.credentials.floors.update({int(role): n for role, n in told.get("floors", {}).items()})
    for fault in told.get("faults", ()):
        made.inject(fault)
    for where in told.get("broken", ()):
        made.inject(f"object:{where}")
    return made


def compare(pair: Pair) -> Outcome:
    """Give the command to the device of its story and compare what comes back."""
    made = device_of(pair.story)
    finish = stories().get(pair.story, {}).get("asked_before_s", 0)
    effects = made.handle(DeviceEvent.GBCS, pair.command, UtcMs(NOW - finish * 1000))
    if finish:
        effects += made.handle(DeviceEvent.TIMER, "activation.finish", NOW)
    sent = [one for one in messages(effects) if envelope.decode(one).header.cra is Cra.RESPONSE]
    if not sent:
        refusals = [dict(one.fields) for one in effects if isinstance(one, Note)]
        reasons = [str(fields["reason"]) for fields in refusals if "reason" in fields]
        return Outcome(pair, "refused", ", ".join(reasons))
    return _judged(pair, sent[0])


def _judged(pair: Pair, sent: bytes) -> Outcome:
    ours, given = envelope.decode(sent), envelope.decode(pair.response)
    if sent == pair.response:
        return Outcome(pair, "equal")
    same = envelope.signed_part(ours) == envelope.signed_part(given)
    if same and ours.signature and given.signature and ours.mac is given.mac is None:
        judged = open_message(sent, rtds_ring(), acb=ACB)
        if isinstance(judged, Accepted):
            return Outcome(pair, "equal", "signature verified instead")
    if ours.header != given.header:
        return Outcome(pair, "other", "header")
    why = stories().get(pair.story, {}).get("why", "")
    if len(ours.payload) == len(given.payload) or _same_tree(ours, given):
        return Outcome(pair, "same shape", why or _difference(ours.payload, given.payload))
    return Outcome(pair, "other", f"{len(ours.payload)} octets, {len(given.payload)} given")


def _same_tree(ours: Envelope, given: Envelope) -> bool:
    """Say whether two ASN.1 payloads have the same types in the same places."""
    row = MESSAGES[given.header.other.message_code]
    if row.payload != (PayloadKind.ASN1,):
        return False
    return _tags(der.decode(ours.payload)) == _tags(der.decode(given.payload))


def _tags(node: Node) -> tuple[Any, ...]:
    parts = node.content if isinstance(node.content, tuple) else ()
    return (node.tag, *map(_tags, parts))


def _difference(ours: bytes, given: bytes) -> str:
    each = zip(ours, given, strict=True)
    at = next((at for at, pair in enumerate(each) if len(set(pair)) > 1), -1)
    return f"from octet {at} of the payload"


def as_csv(outcomes: list[Outcome]) -> str:
    """Return the list as the file holds it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)
    writer.writerows(outcome.row for outcome in outcomes)
    return out.getvalue()


def summary(outcomes: list[Outcome]) -> dict[str, tuple[int, int]]:
    """Return family -> (equal, all)."""
    total = Counter(one.pair.family for one in outcomes)
    equal = Counter(one.pair.family for one in outcomes if one.word == "equal")
    return {family: (equal[family], count) for family, count in sorted(total.items())}


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
