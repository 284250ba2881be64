"""The report of a dry run: every write that scenarios would make, bound to one bench file."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from device_profiles.sections import Section
from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Descriptor
from hil.verbs import Verb

#: Largest report read; more is no report.
_MAX_FILE_BYTES: Final = 16 * 1024 * 1024


class Write(Section):
    """One kind of write a scenario makes.

    Attributes:
        verb: What it does.
        role: Device type it is made to.
        service: ``set``, ``action``, ``exchange`` (an APDU as it stands) or ``power``.
        class_id: Interface class; 0 where there is no target to name.
        obis: Logical name as people write it; empty where there is no target.
        index: Attribute or method; 0 where there is no target.
        times: How often it was made.
    """

    verb: Verb
    role: str
    service: str
    class_id: int = 0
    obis: str = ""
    index: int = 0
    times: int = 1

    def covers(self, verb: Verb, target: Descriptor | None) -> bool:
        """Say whether a write that is about to be made is of this kind."""
        if target is None:
            return self.verb is verb and not self.obis
        here = (self.verb, self.class_id, self.obis, self.index)
        return here == (verb, target.class_id, print_obis(target.obis), target.index)

    @property
    def target(self) -> str:
        """Return what it is made to, for people."""
        return f"{self.class_id} / {self.obis} / {self.index}" if self.obis else "no target"


class Rehearsal(Section):
    """One scenario of a dry run.

    Attributes:
        scenario: Its id.
        verdict: What it came to on the emulated twin.
        writes: What it wrote, mildest first.
    """

    scenario: str
    verdict: str
    writes: tuple[Write, ...]

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Verbs it needs, mildest first."""
        wanted = {write.verb for write in self.writes}
        return tuple(verb for verb in Verb if verb in wanted)


class DryRunReport(Section):
    """What a dry run found.

    Attributes:
        format: Format of the file.
        bench: Name of the bench.
        bench_sha256: Hash of the bench file it was made for.
        seed: Seed of the run.
        made_at: When, as ISO text.
        scenarios: One a scenario.
    """

    format: Literal[1] = 1
    bench: str
    bench_sha256: str
    seed: int
    made_at: str
    scenarios: tuple[Rehearsal, ...]

    def of(self, scenario: str) -> Rehearsal | None:
        """Return what was found of a scenario; None when it was not played."""
        return next((one for one in self.scenarios if one.scenario == scenario), None)

    def encode(self) -> bytes:
        """Return the report as its file holds it."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def load_report(path: Path) -> tuple[DryRunReport, str] | None:
    """Return a report and the hash of its file in hex; None where none can be read."""
    content = _content(path)
    if content is None:
        return None
    try:
        return DryRunReport.model_validate_json(content), hashlib.sha256(content).hexdigest()
    except ValidationError:
        return None


def sha256_of(path: Path) -> str | None:
    """Return the hash of a report's file in hex; None where there is none."""
    content = _content(path)
    return None if content is None else hashlib.sha256(content).hexdigest()


def counted(writes: Iterable[Write]) -> tuple[Write, ...]:
    """Return each kind of write once with how often it was made, mildest first."""
    found: dict[Write, int] = {}
    for write in writes:
        found[write] = found.get(write, 0) + write.times
    order = list(Verb)
    return tuple(
        write.model_copy(update={"times": found[write]})
        for write in sorted(
            found, key=lambda one: (order.index(one.verb), one.class_id, one.obis, one.index)
        )
    )


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= _MAX_FILE_BYTES else None
