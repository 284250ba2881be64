"""The migration's rules in force: read from tables, switched by id, asked in their order."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Final, TypeVar

from device_profiles.errors import (
    DanglingReferenceError,
    DuplicateEntryError,
    InconsistentDataError,
    InvalidValueError,
    UnknownNameError,
)
from device_profiles.files import Folders
from emulator.core.values import quick
from harness.rules.error_codes import CodeTable, load_codes
from harness.rules.in_hand import home_in_hand
from harness.rules.migration_tables import (
    AppendixLinkRow,
    AppendixRow,
    ExclusionRow,
    RuleRow,
    SettingRow,
    SplitSupplyRow,
    TmadRow,
    load_table,
)
from harness.rules.outcomes import Check, NotApplicable, Outcome, Refusal, Result

_RULES: Final = "migration-rules.csv"
_SETTINGS: Final = "migration-settings.csv"
_LINKS: Final = "migration-appendices.csv"
_APPENDIX: Final = "migration-appendix-{}.csv"
#: What a cipher text is bound to (setting ``envelope_aad``).
AAD_REFERENCE: Final = "reference"
AAD_WITH_PARTY: Final = "with-requesting-party"


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers and days of the rules.

    Attributes:
        party_octet_first: First octet of a User ID, from 1, that tells parties apart.
        party_octet_last: Last of them.
        attempts_until_excluded: Consistently failed attempts that exclude an installation.
        dmin_installations_per_day: Flat allocation for each supplier and day.
        early_firmware_from: Day from which 4.26 allows early firmware updates.
        prepayment_mode_change_at: Step from which a prepayment meter must be in credit mode
            (4.49(e)).
        gsme_deregistration_groups: GroupIDs whose SMSO de-registers a dormant GSME beforehand.
        envelope_aad: ``reference``, or ``with-requesting-party``: what cipher texts are bound to.
    """

    party_octet_first: int
    party_octet_last: int
    attempts_until_excluded: int
    dmin_installations_per_day: int
    early_firmware_from: date
    prepayment_mode_change_at: str
    envelope_aad: str
    gsme_deregistration_groups: frozenset[str]

    @property
    def envelope_binds_requesting_party(self) -> bool:
        """Whether cipher texts are bound to the Requesting Party too."""
        return self.envelope_aad == AAD_WITH_PARTY


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All tables of the rules.

    Attributes:
        rules: Rule -> its row, in their order.
        codes: The codes.
        settings: Numbers and days.
        exclusions: Excluded categories, in order.
        split_supply: Truth table of 5.9.10, every combination once.
        tmad: Versions of the TMAD, oldest first.
        links: Clause -> the appendix it calls.
        appendices: Letter -> its checks, in order.
    """

    rules: Mapping[str, RuleRow]
    codes: CodeTable
    settings: Settings
    exclusions: tuple[ExclusionRow, ...]
    split_supply: Mapping[tuple[str, str, str, bool], SplitSupplyRow]
    tmad: tuple[TmadRow, ...]
    links: Mapping[str, AppendixLinkRow]
    appendices: Mapping[str, tuple[AppendixRow, ...]]


@quick
@dataclass(frozen=True, slots=True)
class Switches:
    """What a run changes in the rules, each by rule id.

    Attributes:
        disabled: Rules that are not asked.
        forced: Rules that are asked on days on which they do not hold.
        overridden: Rules whose rejection the operator accepts: told as a warning.
        off_at: Rule -> refs of the installations of which alone it is not asked.
    """

    disabled: frozenset[str] = frozenset()
    forced: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    off_at: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_off(self, rule: str) -> bool:
        """Say whether a rule is not asked: of nobody, or not of the installation in hand."""
        return rule in self.disabled or home_in_hand() in self.off_at.get(rule, ())

    def refuse_unknown(self, book: RuleBook) -> None:
        """Refuse a name that no rule has: a misspelt one would change nothing, in silence.

        Raises:
            UnknownNameError: There is one.
        """
        for rule in sorted(self.disabled | self.forced | self.overridden):
            if rule not in book.rules:
                known = ", ".join(book.rules)
                raise UnknownNameError(f"no rule of this id (known: {known})", file=rule)


Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks rules on one day.

    Attributes:
        book: The rules.
        day: The day, UTC.
        switches: What the run changes.
    """

    book: RuleBook
    day: date
    switches: Switches = field(default_factory=Switches)

    def ask(self, rule: str, check: Check[Facts], facts: Facts) -> Outcome:
        """Ask one rule.

        Raises:
            UnknownNameError: The rule table has no such rule.
        """
        row = self.book.rules.get(rule)
        if row is None:
            raise UnknownNameError("the rule table has no such rule", file=rule)
        if self.switches.is_off(rule):
            return _told(row, Result.SKIPPED, "switched off for this run")
        if not row.in_force(self.day) and rule not in self.switches.forced:
            return _told(row, Result.SKIPPED, f"not in force on {self.day}")
        answer = check(facts)
        if answer is None:
            return _told(row, Result.PASSED, row.says)
        if isinstance(answer, NotApplicable):
            return _told(row, Result.SKIPPED, answer.why)
        return self.refused(row, answer)

    def run(
        self, checks: Mapping[str, Check[Facts]], facts: Facts, *, stop: bool = False
    ) -> tuple[Outcome, ...]:
        """Ask several rules in the order of the rule table.

        Args:
            checks: Rule -> its check.
            facts: What they judge.
            stop: End at the first rejection.

        Raises:
            UnknownNameError: The rule table lacks one of them.
        """
        for rule in checks:
            if rule not in self.book.rules:
                raise UnknownNameError("the rule table has no such rule", file=rule)
        found: list[Outcome] = []
        for rule in self.book.rules:
            if rule in checks:
                found.append(self.ask(rule, checks[rule], facts))
                if stop and found[-1].rejected:
                    break
        return tuple(found)

    def refused(self, row: RuleRow, refusal: Refusal) -> Outcome:
        """Return the outcome of a refusal, with the words of its code."""
        code = refusal.code or row.code
        known = self.book.codes.find(code, refusal.sub_code)
        says = row.says if known is None else known.says
        supplier_says = says if known is None else known.supplier_says or known.says
        result, prefix = Result.REJECTED, ""
        if refusal.warns:
            result = Result.WARNED
        elif row.rule in self.switches.overridden:
            result, prefix = Result.WARNED, "overridden by the operator: "
        supplier_code, supplier_text = "", _joined(supplier_says, refusal.detail)
        if row.supplier_code and not refusal.code:
            supplier_code = row.supplier_code
            general = self.book.codes.find(supplier_code)
            supplier_text = supplier_code if general is None else general.says
        return Outcome(
            rule=row.rule,
            result=result,
            step=row.step,
            code=code,
            sub_code=refusal.sub_code,
            clause=row.clause,
            evidence=refusal.evidence or row.evidence,
            text=prefix + _joined(says, refusal.detail),
            internal=refusal.internal,
            supplier_code=supplier_code,
            supplier_text=prefix + supplier_text,
            subject=refusal.subject,
            repair=refusal.repair,
        )


def load_rule_book(overlays: Folders = ()) -> RuleBook:
    """Load all tables of the rules.

    Raises:
        DataError: One of them cannot be used, or they do not fit together.
    """
    links = {row.clause: row for row in load_table(AppendixLinkRow, _LINKS, overlays)}
    letters = sorted({row.appendix for row in links.values()})
    return RuleBook(
        rules=_rules(overlays),
        codes=load_codes(overlays),
        settings=_settings(overlays),
        exclusions=load_table(ExclusionRow, "migration-exclusions.csv", overlays),
        split_supply=_split_supply(overlays),
        tmad=_tmad(overlays),
        links=links,
        appendices={letter: _appendix(letter, overlays) for letter in letters},
    )


def _told(row: RuleRow, result: Result, text: str) -> Outcome:
    return Outcome(row.rule, result, row.step, "", "", row.clause, row.evidence, text)


def _joined(says: str, detail: str) -> str:
    return f"{says}: {detail}" if detail else says


def _rules(overlays: Folders) -> dict[str, RuleRow]:
    rows = sorted(load_table(RuleRow, _RULES, overlays), key=lambda row: row.order)
    found: dict[str, RuleRow] = {}
    for row in rows:
        if row.rule in found:
            raise DuplicateEntryError("this rule stands twice", file=_RULES, key=row.rule)
        found[row.rule] = row
    return found


def _settings(overlays: Folders) -> Settings:
    values = {row.key: row.value for row in load_table(SettingRow, _SETTINGS, overlays)}
    try:
        found = Settings(
            party_octet_first=int(values["party_octet_first"]),
            party_octet_last=int(values["party_octet_last"]),
            attempts_until_excluded=int(values["attempts_until_excluded"]),
            dmin_installations_per_day=int(values["dmin_installations_per_day"]),
            early_firmware_from=date.fromisoformat(values["early_firmware_from"]),
            prepayment_mode_change_at=values["prepayment_mode_change_at"],
            envelope_aad=values["envelope_aad"],
            gsme_deregistration_groups=frozenset(values["gsme_deregistration_groups"].split()),
        )
    except KeyError as error:
        raise InvalidValueError("this row is missing", file=_SETTINGS, key=error.args[0]) from error
    except ValueError as error:
        raise InvalidValueError(str(error), file=_SETTINGS) from error
    if found.envelope_aad not in {AAD_REFERENCE, AAD_WITH_PARTY}:
        raise InvalidValueError(
            f"it is {AAD_REFERENCE} or {AAD_WITH_PARTY}", file=_SETTINGS, key="envelope_aad"
        )
    if re.fullmatch(r"[PVHTC][1-9]", found.prepayment_mode_change_at) is None:
        raise InvalidValueError(
            "it is a step like P6 or C5", file=_SETTINGS, key="prepayment_mode_change_at"
        )
    if not 1 <= found.party_octet_first <= found.party_octet_last <= 8:
        raise InconsistentDataError(
            "the party octets lie between 1 and 8, first before last", file=_SETTINGS
        )
    return found


def _split_supply(overlays: Folders) -> dict[tuple[str, str, str, bool], SplitSupplyRow]:
    name = "migration-split-supply.csv"
    found: dict[tuple[str, str, str, bool], SplitSupplyRow] = {}
    for row in load_table(SplitSupplyRow, name, overlays):
        if row.key in found:
            raise DuplicateEntryError("this combination stands twice", file=name, key=str(row.key))
        found[row.key] = row
    for key in split_supply_keys():
        if key not in found:
            raise DanglingReferenceError(
                "the truth table lacks this combination", file=name, key=str(key)
            )
    return found


def split_supply_keys() -> tuple[tuple[str, str, str, bool], ...]:
    """Return every combination the truth table of 5.9.10 must have."""
    homes = [("esme-only", "none"), ("dual", "same"), ("dual", "different")]
    return tuple(
        (meters, parties, ids, required)
        for meters, parties in homes
        for ids in ("all-null", "some-null", "no-null")
        for required in (True, False)
    )


def _tmad(overlays: Folders) -> tuple[TmadRow, ...]:
    name = "migration-tmad.csv"
    rows = tuple(sorted(load_table(TmadRow, name, overlays), key=lambda row: row.from_day))
    for earlier, later in pairwise(rows):
        if earlier.from_day == later.from_day:
            raise DuplicateEntryError("two versions of one day", file=name, key=later.version)
    return rows


def _appendix(letter: str, overlays: Folders) -> tuple[AppendixRow, ...]:
    rows = load_table(AppendixRow, _APPENDIX.format(letter.lower()), overlays)
    return tuple(sorted(rows, key=lambda row: row.order))
