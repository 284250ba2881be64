"""Given RTDS messages: their keys, pairs of command and response, and how answers compare."""

import csv
import io
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.use_cases import MESSAGES, PayloadKind
from emulator.core.clock import from_datetime
from emulator.core.effects import Effect, Note
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import Accepted, KeyRing, open_message
from emulator.devices.base import Device
from harness.gbcs_blocks import whole_messages
from tests.emulator.devices.kit import ACB, CHF, GPF, HAN, NETWORK, key, messages
from tests.given import RTDS_DIR, RTDS_KEYS, rtds_messages

#: The moment of nearly every response.
NOW: Final = from_datetime(datetime(2015, 1, 1, tzinfo=UTC))
SAPC: Final = Eui64.parse("00-DB-12-34-56-78-90-A6")
RECOVERY: Final = Eui64.parse("90-B3-D5-1F-30-00-00-01")
TCOS: Final = Eui64.parse("90-B3-D5-1F-30-00-00-04")
LOAD_CONTROLLER: Final = Eui64.parse("90-B3-D5-1F-30-01-00-08")
NETWORK_OF_RTDS: Final = replace(
    NETWORK,
    suppliers={**NETWORK.suppliers, SAPC: NETWORK.suppliers[CHF]},
    load_controllers=dict.fromkeys((*HAN, SAPC), LOAD_CONTROLLER),
    transitional_cos=TCOS,
    recovery=RECOVERY,
)
#: Octets in a row that no value of a profile or state may share with a message.
RUN: Final = 24
_HEADINGS: Final = ("pair", "family", "use_case", "outcome", "why")


@cache
def rtds_ring() -> KeyRing:
    """The RTDS keys; devices, of which no private key is published, sign with their own.

    They show the published certificates all the same.
    """
    given_keys = KeyStore.load(RTDS_KEYS)
    own = []
    for eui64 in (*HAN, CHF, GPF, SAPC):
        held = given_keys.find(eui64, KeyUsage.DS)
        shown = None if held is None else held.certificate
        own.append(replace(key(eui64, KeyUsage.DS), certificate=shown))
    return KeyRing(given_keys.merged(KeyStore(own)))


def write_as_the_rtds(device: Device) -> None:
    """Let a device write lengths as the RTDS does and take certificates that have run out."""
    device.trust.wide_lengths = True
    device.trust.judges_validity = False


def vector(name: str) -> bytes | None:
    """A given message by the name of its file, or None where it is not at hand."""
    found = sorted(RTDS_DIR.glob(f"RTDS-*/*/{name}_GBCS.HEX"))
    return bytes.fromhex(found[0].read_text("ascii")) if found else None


def given(name: str) -> bytes:
    """A given message; the test is skipped where it is not at hand."""
    found = vector(name)
    if found is None:
        pytest.skip(f"{name} is not among the vectors at hand")
    return found


# -- pairs -----------------------------------------------------------------------------------------


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


def pairs_of(*targets: Eui64) -> Iterator[Pair]:
    """Yield the pairs at hand whose commands go to some devices, in a fixed order."""
    for path in sorted(RTDS_DIR.glob("RTDS-*/*/*_COMMAND_GBCS.HEX")):
        answered = path.with_name(path.name.replace("_COMMAND_", "_RESPONSE_"))
        command = bytes.fromhex(path.read_text("ascii"))
        if envelope.decode(command).header.target not in targets or not answered.is_file():
            continue
        srv = path.parent.name.split("_")[0]
        family = "CS02*" if "_CS02" in path.parent.name else f"{srv.split('.')[0]}.x"
        story = path.stem.removesuffix("_COMMAND_GBCS")
        yield Pair(family, story, command, bytes.fromhex(answered.read_text("ascii")))


@cache
def stories_of(path: Path) -> dict[str, Any]:
    """Return what a TOML file says of the devices of each story beside their profiles."""
    return tomllib.loads(path.read_text("utf-8"))


# -- comparisons -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """How a message sent compares: ``equal``, ``same shape``, ``other``, or it was ``refused``.

    Attributes:
        word: The comparison.
        why: What differs, or why the device refused.
    """

    word: str
    why: str = ""


def compare_messages(sent: bytes, theirs: bytes) -> Compared:
    """Compare a message with the given one; a signature of our own is verified instead."""
    if sent == theirs:
        return Compared("equal")
    ours, other = envelope.decode(sent), envelope.decode(theirs)
    same = envelope.signed_part(ours) == envelope.signed_part(other)
    if same and ours.signature and other.signature and ours.mac is other.mac is None:
        if isinstance(open_message(sent, rtds_ring(), acb=ACB), Accepted):
            return Compared("equal", "signature verified instead")
        return Compared("other", "the signature does not hold")
    if ours.header != other.header:
        return Compared("other", "header")
    if len(ours.payload) == len(other.payload):
        return Compared("same shape", _difference(ours.payload, other.payload))
    word = "same shape" if _same_tree(ours, other) else "other"
    return Compared(word, f"{len(ours.payload)} octets, {len(other.payload)} given")


def _same_tree(ours: Envelope, other: Envelope) -> bool:
    """Say whether two ASN.1 payloads have the same types in the same places."""
    row = MESSAGES[other.header.other.message_code]
    if row.payload != (PayloadKind.ASN1,):
        return False
    return _tags(der.decode(ours.payload)) == _tags(der.decode(other.payload))


def _tags(node: Node) -> tuple[Any, ...]:
    parts = node.content if isinstance(node.content, tuple) else ()
    return (node.tag, *map(_tags, parts))


def _difference(ours: bytes, other: bytes) -> str:
    each = zip(ours, other, strict=True)
    at = next((at for at, pair in enumerate(each) if len(set(pair)) > 1), -1)
    return f"from octet {at} of the payload"


def compare_response(effects: list[Effect], theirs: bytes) -> Compared:
    """Compare the response among some effects with the given one; refused where there is none."""
    whole = whole_messages(messages(effects))
    sent = [one for one in whole if envelope.decode(one).header.cra is Cra.RESPONSE]
    if sent:
        return compare_messages(sent[0], theirs)
    refusals = [dict(one.fields) for one in effects if isinstance(one, Note)]
    return Compared("refused", ", ".join(str(r["reason"]) for r in refusals if "reason" in r))


# -- lists -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an emulated device answered a pair's command.

    Attributes:
        pair: The pair.
        word: The comparison; see ``Compared``.
        why: What differs, or why the device refused.
    """

    pair: Pair
    word: str
    why: str

    @classmethod
    def of(cls, pair: Pair, compared: Compared, why: str) -> "Outcome":
        """Return a comparison as an outcome; what a story says of a difference goes before."""
        told = compared.why if compared.word == "equal" else why or compared.why
        return cls(pair, compared.word, told)

    @property
    def row(self) -> tuple[str, ...]:
        """The outcome as a line of the list."""
        code = envelope.decode(self.pair.command).header.other.message_code
        return self.pair.story, self.pair.family, MESSAGES[code].use_case, self.word, self.why


def as_csv(outcomes: list[Outcome]) -> str:
    """Return the list as the file holds it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADINGS)
    writer.writerows(outcome.row for outcome in outcomes)
    return out.getvalue()


def summary(outcomes: list[Outcome]) -> dict[str, tuple[int, int]]:
    """Return family -> (equal, all)."""
    total = Counter(one.pair.family for one in outcomes)
    equal = Counter(one.pair.family for one in outcomes if one.word == "equal")
    return {family: (equal[family], count) for family, count in sorted(total.items())}


def write_list(outcomes: list[Outcome], where: Path) -> None:
    """Print the coverage and write the list."""
    for outcome in outcomes:
        sys.stdout.write(" | ".join(outcome.row) + "\n")
    for family, (equal, total) in summary(outcomes).items():
        sys.stdout.write(f"{family}: {equal} of {total} equal\n")
    where.write_text(as_csv(outcomes), "utf-8")


# -- values hold no message ------------------------------------------------------------------------


#: Payloads of up to so many octets are in many a value: NULL, or a small number.
_SAYS_NOTHING: Final = 4
#: Values by these names may be a message's octets (issue 7).
_ALLOWED: Final = ("hash", "certificate", "key")


@cache
def _payloads_and_runs() -> tuple[frozenset[bytes], frozenset[bytes]]:
    payloads: set[bytes] = set()
    runs: set[bytes] = set()
    for _, octets in rtds_messages():
        payload = envelope.decode(octets).payload
        if len(payload) > _SAYS_NOTHING:
            payloads.add(payload)
        parts = (octets[at : at + RUN] for at in range(len(octets) - RUN + 1))
        runs.update(part for part in parts if len(set(part)) > 1)
    return frozenset(payloads), frozenset(runs)


def _written(plain: Any) -> Iterator[bytes]:
    """Every run of octets that a plain value could hide."""
    if isinstance(plain, str):
        yield plain.encode()
        digits = "".join(plain.split())
        if len(digits) % 2 == 0 and all(c in "0123456789abcdefABCDEF" for c in digits):
            yield bytes.fromhex(digits)
    elif isinstance(plain, int):
        octets = abs(plain).to_bytes((abs(plain).bit_length() + 7) // 8, "big")
        yield from (octets, octets[::-1])
    elif isinstance(plain, dict):
        for name, part in plain.items():
            if not any(word in name for word in _ALLOWED):
                yield from _written(part)
    elif isinstance(plain, list | tuple):
        if all(isinstance(part, int) and 0 <= part < 256 for part in plain):
            yield bytes(plain)
        for part in plain:
            yield from _written(part)


def assert_holds_no_message(values: Iterable[tuple[str, Any]]) -> None:
    """No value, by its name, is a payload or hides a part of a given message."""
    payloads, runs = _payloads_and_runs()
    for name, plain in values:
        for octets in _written(plain):
            assert octets not in payloads, name
            found = any(octets[at : at + RUN] in runs for at in range(len(octets) - RUN + 1))
            assert not found, name
