"""A run definition that runs as it is: a dozen mixed homes, a few faults, cases of every family."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device_profiles.cohort import Cohort, load_cohort
from device_profiles.files import Folders
from harness.data_files import reading_data
from harness.dust.closing import window_line, window_of
from harness.dust.definition import load_definition
from harness.dust.definition_words import ASKED, Mode
from harness.dust.new_cases import cases, hands_over
from harness.errors import UsageError
from harness.files import write_octets
from harness.new_installations import EIS
from harness.rules.migration_rulebook import load_rule_book

_ID: Final = re.compile(r"[^A-Za-z0-9._-]+")
#: A test fails: the ESME is not heard while it is tested, and is heard again afterwards.
_TEST_FAILS: Final = ("before:T3/mute:role=esme@han", "after:T3/clear@han")
#: The hub never attaches to the new network, until it has been waited for in vain.
_HUB_SILENT: Final = ("before:H3/mute@sim", "after:H4/clear@sim")
#: A meter with the firmware of before, and the version that its cohort's list names.
_EARLIER: Final = "demo-s1-esme-earlier"
_LISTED: Final = "10000001"
_ENTRY: Final = (
    ("epcl", "every combination of models is on the EPCL"),
    ("profiles", "every device model loads"),
    ("test-pki", "keys of all parties are test keys"),
    ("participant-certificates", "the participant's certificates are known"),
    ("participant-interface", "its file interface answers"),
)


@dataclass(frozen=True, slots=True)
class _Set:
    """A device set as the file has it."""

    name: str
    count: int
    says: str
    told: dict[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        yield f"[[devices]]  # {self.says}"
        yield f'name = "{self.name}"'
        yield f"count = {self.count}"
        for key, value in self.told.items():
            yield f'{key} = "{value}"'
        yield ""


@dataclass(frozen=True, slots=True)
class NewDefinition:
    """What a new definition is for.

    Attributes:
        cohort: The cohort.
        named: How the file names it.
        mode: Whose system takes part.
        stem: Stem of the file's name: the run's id follows from it.
        window: One line on when the cohort is open.
        last: The cohort's last open day.
    """

    cohort: Cohort
    named: str
    mode: Mode
    stem: str
    window: str
    last: str

    @property
    def is_simulated(self) -> bool:
        """Whether the participant is the built-in one."""
        return self.mode is Mode.SIMULATED

    def render(self) -> str:
        """Return the definition as TOML."""
        parts = (
            self._head(),
            self._participant(),
            self._capacity(),
            self._sets(),
            self._firmware(),
            self._changes(),
            self._faults(),
            self._mistakes(),
            self._entry(),
            self._cases(),
            self._end(),
        )
        return "\n".join(line for part in parts for line in part)

    def _head(self) -> Iterator[str]:
        key = self.cohort.key
        yield f"# A Migration DUST run of cohort {key}: {self.cohort.title}."
        yield f"#   smetsbench dust plan {self.stem}.toml          what happens on which day"
        yield f"#   smetsbench dust run {self.stem}.toml --out DIR  the run, to DIR/evidence.zip"
        yield "# Every key is explained in docs/dust.md; a key that is not known is refused."
        yield ""
        yield "# Rules without a public source that the test manager accepts, by id."
        yield "rules_accepted = []"
        yield "# Overlay folders with your own tables, relative to this file."
        yield "overlays = []"
        yield ""
        yield "[run]"
        yield f'id = "{_ID.sub("-", f"{key}-{self.stem}").strip("-._")[:40]}"'
        yield f'title = "{_quoted(self.cohort.title)}: mixed homes"'
        yield f'cohort = "{_quoted(self.named)}"'
        yield 'environment = "UIT-emulated"   # or "HIL": sets with bench = "FILE.toml" stand there'
        yield f"# {self.window}."
        yield f"# as_of = {self.last}   # the default: the cohort's last open day"
        yield "seed = 1"
        yield ""

    def _participant(self) -> Iterator[str]:
        yield "[participant]"
        yield 'name = "Example Supplier"'
        yield f'mode = "{self.mode}"   # "simulated" plays itself; "drop" is your own system'
        yield f'user_ids = ["{EIS}"]'
        yield 'roles = ["IS", "GS"]   # which fuels it supplies'
        yield 'trust = "trust"        # keys: participant/ yours, dcc/ ours'
        yield 'drop = "drop"          # file drop: in/ out/ taken/ refused/'
        yield 'listen = "127.0.0.1:0" # HTTP; port 0: any'
        yield f"patience_s = {120 if self.is_simulated else 600}       # silence that ends a turn"
        if self.is_simulated:
            yield "sealed = true          # authorisations go sealed, with a MAPASSWORD file"
            yield "signed = true          # unsigned papers are refused (MAM 7.5.3)"
            yield "# What it asks of homes that have migrated; left out: all that it can."
            yield "# asks = [" + ", ".join(f'"{one}"' for one in ASKED) + "]"
        else:
            yield "signed = false         # true: unsigned papers are refused; smetsbench ma sign"
        yield ""

    def _capacity(self) -> Iterator[str]:
        yield "[capacity]"
        yield "per_day = 8            # installations a day of the Requesting Party"
        yield 'remainder = "largest-remainder"'
        yield 'other_demand = {dormant = 1, "SUPPLIER-B" = 1}   # a day, of others'
        yield "days = 5"
        yield ""

    def _sets(self) -> Iterator[str]:
        sets = [
            _Set("dual", 3, "one supplier, both fuels", {"ppmid": "own"}),
            _Set("third", 1, "a PPMID of another maker than the hub", {"ppmid": "third-party"}),
            _Set("split", 2, "two suppliers", {"shape": "split supply"}),
            _Set("elec", 2, "electricity only", {"shape": "ESME-only", "ppmid": "none"}),
            _Set("mixed", 1, "the gas meter is dormant", {"class": "Mixed"}),
            _Set("prepay", 1, "both meters prepay", {"payment_mode": "prepayment"}),
            _Set("gasout", 1, "the gas meter cannot be migrated", {"shape": "GSME excluded"}),
            _Set("back", 1, "a test fails", {"ppmid": "none"}),
            _Set(
                "early",
                1,
                "dormant, with the firmware of before",
                {"class": "Dormant", "ppmid": "none", "models": f"ESME={_EARLIER}"},
            ),
        ]
        if hands_over(self.cohort):
            sets.append(_Set("late", 1, "the hub is never heard", {"ppmid": "none"}))
        for one in sets:
            yield from one.lines()
        yield '# Homes with meters on lines, where environment = "HIL" (docs/dust.md, On a bench):'
        yield "# [[devices]]"
        yield '# name = "desk"'
        yield '# bench = "desk.toml"      # smetsbench bench check desk.toml'
        yield ""

    def _firmware(self) -> Iterator[str]:
        yield "[[early_firmware]]  # the DCC has it updated by the SMSO before it migrates (4.26)"
        yield 'set = "early"'
        yield 'device = "ESME"'
        yield f'to = "{_LISTED}"'
        yield ""

    def _changes(self) -> Iterator[str]:
        yield "[[change_of_supplier]]  # between authorisation and commissioning"
        yield 'refs = ["elec-002"]'
        yield 'after = "authorisation"'
        yield ""

    def _faults(self) -> Iterator[str]:
        yield "# Faults of all homes, in the words of: smetsbench migration run --help"
        yield "# Defects of devices and parties: smetsbench faults --defects"
        yield "[faults]"
        yield "faults = []"
        yield "defects = []"
        yield ""
        yield "# Those of some homes: a set, some of it (count), or refs. For example:"
        yield "# [[fault]]"
        yield '# set = "dual"'
        yield "# count = 1"
        step = "h2-gsme" if hands_over(self.cohort) else "t3"
        yield f'# defects = ["s1-esme-other-serial", "omits-{step}"]'
        yield ""
        yield from _fault("back", _TEST_FAILS)
        if hands_over(self.cohort):
            yield from _fault("late", _HUB_SILENT)

    def _mistakes(self) -> Iterator[str]:
        if not self.is_simulated:
            return
        yield "# What the simulated supplier does wrong; it mends it when it is told."
        for ref, what in (
            ("dual-002", "spaced-eui64"),
            ("dual-003", "bad-mpan"),
            ("split-002", "not-null"),
            ("elec-001", "closed-window"),
        ):
            yield "[[mistake]]"
            yield f'refs = ["{ref}"]'
            yield f'what = "{what}"'
            yield ""

    def _entry(self) -> Iterator[str]:
        for number, (check, says) in enumerate(_ENTRY, start=1):
            yield f"[[entry]]  # {says}"
            yield f'id = "E{number}"'
            yield f'check = "{check}"'
            yield ""

    def _cases(self) -> Iterator[str]:
        for number, one in enumerate(cases(self.cohort, simulated=self.is_simulated), start=1):
            yield from one.lines(number)

    def _end(self) -> Iterator[str]:
        yield "# A case that may fail:"
        yield "# [[waiver]]"
        yield '# case = "C-014"'
        yield '# owner = "Test Manager"'
        yield f"# review = {self.last}"
        yield '# why = "…"'
        yield ""
        yield "[retry]"
        yield "max_attempts = 5"
        yield 'policy = "default"'
        yield ""
        yield "[exit]"
        yield "mandatory_cases = true"
        yield "open_defects_below = 3   # no open defect of severity 1 or 2"
        yield "terminal_states = true"
        yield "evidence_complete = true"
        yield ""


def write_new(
    path: Path, cohort: str, mode: Mode, *, force: bool = False, overlays: Folders = ()
) -> None:
    """Write a definition that runs as it is.

    Args:
        path: The file.
        cohort: Cohort key, or its file.
        mode: Whose system takes part.
        force: Whether a file that is there is replaced.
        overlays: Overlay folders.

    Raises:
        UsageError: The file is there, the cohort is not migrated, or it cannot be written.
    """
    if path.exists() and not force:
        raise UsageError(
            "the file is there already",
            where=str(path),
            cause="a definition of yours, which is not replaced unasked",
            next_command=f"smetsbench dust new {path} --cohort {cohort} --force",
        )
    with reading_data():
        found = load_cohort(cohort, overlays)
        window = window_of(found, load_rule_book(overlays))
        told = window_line(found, overlays)
    if not found.cohort.migratable:
        raise UsageError(
            f"GroupID {found.cohort.group_id} is not migrated: {found.cohort.not_migrated_because}",
            where=f"--cohort {cohort}",
            cause="there is no Migration DUST of this cohort",
            next_command="smetsbench profiles",
        )
    named = str(Path(cohort).resolve()) if cohort.endswith(".toml") else cohort
    new = NewDefinition(found, named, mode, path.stem, told, str(window.last))
    write_octets(path, new.render().encode())
    load_definition(path, overlays)


def _fault(name: str, faults: tuple[str, ...]) -> Iterator[str]:
    quoted = ", ".join(f'"{one}"' for one in faults)
    yield "[[fault]]"
    yield f'set = "{name}"'
    yield f"faults = [{quoted}]"
    yield ""


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
