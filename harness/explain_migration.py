"""What rules, codes, clauses and steps of a migration mean, for ``explain``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from device_profiles.files import Folders
from harness.migration.step_table import load_steps
from harness.rules.migration_rulebook import RuleBook, load_rule_book


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning of a term of the migration.

    Attributes:
        kind: ``migration rule``, ``migration code``, ``migration step`` …
        id: The term.
        says: What it means.
        details: Further facts: name -> value; ``also`` holds other ways to ask for it.
        evidence: Evidence mark.
    """

    kind: str
    id: str
    says: str
    details: Mapping[str, str]
    evidence: str


def migration_meanings(overlays: Folders = ()) -> Iterator[Meaning]:
    """Yield everything of the migration that can be explained.

    Raises:
        DataError: A table cannot be used.
    """
    book = load_rule_book(overlays)
    yield from _rules(book)
    yield from _codes(book)
    yield from _appendices(book)
    yield from _steps(overlays)
    for row in book.exclusions:
        details = {"blocks": row.blocks, "number": str(row.number), "clause": "TMAD 18"}
        yield Meaning("excluded category", row.category, row.says, details, row.evidence)
    for one in book.codes.classes.values():
        details = {"retry": one.retry, "counts_from": str(one.counts_from or "never")}
        yield Meaning("failure class", one.failure_class, one.says, details, one.evidence)


def _rules(book: RuleBook) -> Iterator[Meaning]:
    for rule, row in book.rules.items():
        details = {
            "clause": row.clause,
            "step": row.step,
            "judges": row.scope,
            "code": row.code,
            "also": f"{row.clause}, rule {rule}",
        }
        if row.supplier_code:
            details["suppliers_see"] = row.supplier_code
        if row.valid_from is not None or row.valid_to is not None:
            details["in_force"] = f"{row.valid_from or '…'} to {row.valid_to or '…'}"
        yield Meaning("migration rule", rule, row.says, details, row.evidence)


def _codes(book: RuleBook) -> Iterator[Meaning]:
    by_code = {row.code: row for row in book.rules.values()}
    for (code, sub_code), row in book.codes.codes.items():
        shown = book.codes.shown(code, sub_code)
        details = {
            "failure_class": row.failure_class,
            "retry": book.codes.classes[row.failure_class].retry,
        }
        rule = by_code.get(code)
        if rule is not None:
            details |= {"rule": rule.rule, "step": rule.step, "clause": rule.clause}
        if sub_code:
            details["also"] = f"{code}, {code}/{sub_code}"
        if shown != (code, sub_code):
            details["real_code"] = " ".join(shown).strip()
        name = f"{code} {sub_code}".strip()
        yield Meaning("migration code", name, row.says, details, row.evidence)


def _appendices(book: RuleBook) -> Iterator[Meaning]:
    """Yield the checks of the appendices: their sub-codes stand in no other table."""
    known = book.codes.codes
    for letter, rows in book.appendices.items():
        for row in rows:
            if (row.code, row.sub_code) in known:
                continue
            details = {
                "appendix": letter,
                "looks_at": row.fact,
                "on_failure": row.on_failure,
                "also": f"{row.code}, {row.code}/{row.sub_code}, {row.fact}",
            }
            name = f"{row.code} {row.sub_code}".strip()
            says = f"it must hold that {row.says}"
            yield Meaning("migration code", name, says, details, row.evidence)


def _steps(overlays: Folders) -> Iterator[Meaning]:
    for row in load_steps(overlays).values():
        details = {"phase": row.phase, "actor": row.actor, "clause": row.clause}
        yield Meaning("migration step", row.id, row.title, details, row.evidence)
