"""Makes docs/use-cases.md from the code: use case, device, supported, checked against."""

import csv
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageRow
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from tests.emulator.devices.kit import build

TESTS: Final = Path(__file__).resolve().parent.parent
PAGE: Final = TESTS.parent / "docs" / "use-cases.md"
DEVICES: Final = TESTS / "emulator" / "devices"
#: What compared the given pairs of a family writes its list there; tests keep the lists true.
LISTS: Final = (
    DEVICES / "esme" / "rtds_coverage.csv",
    DEVICES / "gas" / "gas_coverage.csv",
    DEVICES / "hub" / "hub_coverage.csv",
)
STORIES: Final = DEVICES / "credentials" / "rtds-credentials.toml"
COLUMNS: Final = ("ESME", "GSME", "GPF", "CHF", "PPMID", "HCALCS")
HEAD: Final = """# GBCS use cases

Which command each emulated device carries out, and what its answers were compared with. Made
from the message table and the devices' own tables (`python -m tests.docs.use_case_table`); a test
compares. `yes`: carried out on the device's state. `-`: the device is not addressed by it, or does
not support it: it is refused, and an ESME or a load controller (HCALCS, SAPC) tells its sender so
(8F85).

*Checked against*: `given n/m` = n of m given command → response pairs come out of the device's
state octet for octet (signatures verified instead); pairs are counted for a use case, whose codes
share them. `own` = no vector at hand: written for the shape of its family, so its layout is a guess
where the family has no vector either. `refusal` = no device carries it out. A load controller of
its own type (SAPC) is emulated by the HCALCS.
"""


def built() -> Mapping[str, Device]:
    """One device of each column."""
    kinds = (DeviceType(word) for word in COLUMNS if word != "GPF")
    found = {kind.value: build(kind) for kind in kinds}
    hub = found["CHF"]
    assert isinstance(hub, Chf)
    return {**found, "GPF": hub.gpf}


def commands() -> list[MessageRow]:
    """Rows of the message table that a party can send, by use case."""
    return sorted((row for row in MESSAGES.values() if row.command), key=lambda one: one.use_case)


def compared() -> dict[str, tuple[int, int]]:
    """Use case -> pairs that are equal, pairs at hand."""
    equal: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for use_case, outcome in _outcomes():
        whole[use_case] += 1
        equal[use_case] += outcome == "equal"
    return {use_case: (equal[use_case], many) for use_case, many in whole.items()}


def _outcomes() -> Iterator[tuple[str, str]]:
    told = tomllib.loads(STORIES.read_text("utf-8"))
    listed = set()
    for path in LISTS:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                listed.add(row["pair"])
                yield row["use_case"], row["outcome"]
    names = {row.use_case for row in commands()}
    for story, state in told.items():
        if story not in listed:
            yield _use_case(story, names), "same shape" if "why" in state else "equal"


def _use_case(story: str, names: set[str]) -> str:
    """The use case of a vector's name: ``CS02bSupplierByTransCoS_…`` is of CS02b."""
    word = story.partition("_")[0]
    fits = [name for name in names if word.upper().startswith(name.upper().replace("/", ""))]
    return max(fits, key=len) if fits else word


def rows() -> list[tuple[str, ...]]:
    """The table's lines: use case, code, title, SRVs, a word a device, what was compared."""
    devices, given = built(), compared()
    found = []
    for row in commands():
        words = tuple("yes" if devices[one].handling(row.code) else "-" for one in COLUMNS)
        equal, whole = given.get(row.use_case, (0, 0))
        checked = f"given {equal}/{whole}" if whole else ("own" if "yes" in words else "refusal")
        srvs = " ".join(row.srvs) or "-"
        found.append((row.use_case, f"{row.code:04X}", row.title, srvs, *words, checked))
    return found


def render() -> str:
    """The page."""
    table = rows()
    supported = sum("yes" in one[4:10] for one in table)
    vectors = sum(one[10].startswith("given") for one in table)
    pairs = compared().values()
    total = (
        f"\n{len(table)} commands; {supported} carried out by at least one device; {vectors} with"
        f" given pairs, {sum(one for one, _ in pairs)} of {sum(all_ for _, all_ in pairs)} equal."
        "\n\n"
    )
    head = ("use case", "code", "title", "SRV", *COLUMNS, "checked against")
    lines = [head, tuple("---" for _ in head), *table]
    return HEAD + total + "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(render())
