"""Makes docs/transforms.md from the code: request, device, use case, checked against."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from device_profiles.duis_services import load_duis_services
from device_profiles.words import DeviceType
from harness.formats.duis.transforms import non_critical
from harness.formats.duis.transforms.table import RULES, Rule
from tests.harness.formats.transforms import transforms_given as given
from tests.harness.formats.transforms.transforms_given import NO_SERVICE

PAGE: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "transforms.md"
HEAD: Final = """# From service requests to pre-commands

Which critical request (command variant 4) becomes which GBCS pre-command, and what it was compared
with. Made from the table of transforms and the lists of the tests
(`python -m tests.docs.transform_table > docs/transforms.md`); a test compares.
`smetsbench duis transform FILE` makes one; `harness.formats.duis.transforms` is the code.

*Checked against*: `sample n/m` = n of m given DUIS samples whose pre-command is at hand become it
octet for octet; `values n` = n given pre-commands without a sample come out, octet for octet, of a
request made of the values that they say; `use-case table` = no pre-command at hand: the shape is
that of the GBCS use-case tables, its words and numbers are inferred. *Known*: evidence mark of the
row; `stand-in` where a script's number or a bit is our own; of several devices of a row the given
ones are compared. A use case of a row may be checked and another one not: the mark says so
(`in part`). Beside this, tests draw requests for meters: they are valid by the DUIS schema, their
pre-commands decode, and emulated meters carry them out where no earlier state counts.
"""
_EXCEPTIONS: Final = """
## Exceptions

Given samples whose pre-command is at hand and differs. A test puts what the reason names into the
request and then finds all octets equal.

"""
_NOTHING: Final = """
Given pre-commands that no service request of DUIS 5.4 asks for:

"""
_OTHERS: Final = """
## Commands that the DCC sends by itself

Payloads that the same transforms make (`transforms.non_critical`); a test compares use case and
payload of each with the given command of its sample. Header, MAC and all other reads are the DSP's.

"""
_NOTES: Final = """
Of the pre-commands made of their values those of 2.1 (ECS08) are compared with the years of their
calendar rows closed: the vectors leave years open, DUIS 5.4 writes whole dates there.
"""
_SAMPLES: Final = "\n## The given samples\n\n"


@cache
def sampled() -> tuple[dict[str, str], ...]:
    """Rows of the inventory."""
    return tuple(given.rows())


def values_of(service: str, use_cases: str) -> int:
    """How many given pre-commands without a sample are of these use cases of a service."""
    names = [name for name in _compared() if name.partition("_")[2].startswith(f"{service}_")]
    wanted = use_cases.split()
    return sum(any(name.startswith(use_case) for use_case in wanted) for name in names)


@cache
def _compared() -> tuple[str, ...]:
    every = [name for name in given.kept_pre_commands() if name not in _samples()]
    return tuple(name for name in every if not name.startswith(tuple(NO_SERVICE)))


@cache
def _samples() -> set[str]:
    return {row["sample"] for row in sampled()}


def rows() -> list[tuple[str, ...]]:
    """The table's lines: one for each service and way to build its pre-command."""
    return [
        (*head, rule.use_cases, _checked(head[0], rule.use_cases), rule.mark)
        for head, rule in _grouped(RULES)
    ]


def other_rows() -> list[tuple[str, ...]]:
    """The lines of commands that the DCC sends by itself."""
    return [(*head, rule.use_cases, rule.mark) for head, rule in _grouped(non_critical.RULES)]


def _grouped(rules: Mapping[tuple[str, DeviceType], Rule]) -> list[tuple[tuple[str, ...], Rule]]:
    services = load_duis_services()
    devices: dict[tuple[str, Rule], list[str]] = {}
    for (service, device), rule in rules.items():
        devices.setdefault((service, rule), []).append(str(device))
    return [
        ((service, services[service].body, " ".join(kinds)), rule)
        for (service, rule), kinds in devices.items()
    ]


def _checked(service: str, use_cases: str) -> str:
    mine = [
        row
        for row in sampled()
        if row["service"] == service
        and row["pre_command"] == "yes"
        and row["use_case"] in use_cases.split()
        and row["variant"] == "4"
    ]
    equal = sum(row["verdict"] == "equal" for row in mine)
    values = values_of(service, use_cases)
    words = [f"sample {equal}/{len(mine)}"] if mine else []
    words += [f"values {values}"] if values else []
    return ", ".join(words) or "use-case table"


def _table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ("---",) * len(head), *lines])


def render() -> str:
    """The page."""
    samples = sampled()
    critical = [row for row in samples if row["variant"] == "4"]
    verdicts = Counter(row["verdict"] for row in critical)
    total = (
        f"\n{len(samples)} samples at hand, {len(critical)} of command variant 4; "
        f"{sum(row['pre_command'] == 'yes' for row in critical)} with their pre-command: "
        f"{verdicts['equal']} equal, {verdicts['exception']} exceptions. "
        f"{len(_compared())} more pre-commands are compared by their values.\n\n"
    )
    head = ("SRV", "request", "device", "use cases", "checked against", "known")
    reasons = [
        (row["sample"], row["use_case"], row["reason"])
        for row in critical
        if row["verdict"] == "exception"
    ]
    listed = [
        (
            row["sample"],
            row["service"],
            row["variant"],
            row["use_case"] or "-",
            row["pre_command"] or "-",
            row["command"] or "-",
            row["verdict"] or "-",
        )
        for row in samples
    ]
    columns = ("sample", "SRV", "variant", "use case", "pre-command", "command", "verdict")
    return "".join(
        (
            HEAD,
            total,
            _table(head, rows()),
            _EXCEPTIONS,
            _table(("sample", "use case", "reason"), reasons),
            _NOTHING,
            "".join(f"- {name}: {why}\n" for name, why in NO_SERVICE.items()),
            _NOTES,
            _OTHERS,
            _table(("SRV", "request", "device", "use cases", "known"), other_rows()),
            _SAMPLES,
            _table(columns, listed),
        )
    )


if __name__ == "__main__":
    sys.stdout.write(render())
