"""Split supply (TMAD 5.8, 5.9.10): two supplier parties, and what their Certificate IDs may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.rules.migration_certificates import CertificateId
from harness.rules.migration_rulebook import RuleBook, Settings
from harness.rules.migration_tables import SplitSupplyRow
from harness.rules.outcomes import Check, NotApplicable, Refusal


@quick
@dataclass(frozen=True, slots=True)
class SupplyFacts:
    """Who supplies an installation, with which Certificate IDs.

    Attributes:
        eis_user_id: User ID of the electricity import supplier, an EUI-64 as text.
        gis_user_id: User ID of the gas supplier; None for an ESME-only installation.
        has_gsme: Whether there is a gas meter.
        supplier_ids: Name -> Certificate ID: two for the ESME, two more for a GSME.
        allowed: Whether the cohort migrates split supply.
        null_required: Whether the cohort demands Null Certificate IDs there.
    """

    eis_user_id: str
    gis_user_id: str | None
    has_gsme: bool
    supplier_ids: Mapping[str, CertificateId]
    allowed: bool
    null_required: bool


def party_of(user_id: str, settings: Settings) -> str:
    """Return what tells the party of a User ID: two of its octets, as hex digits.

    Text that is no EUI-64 is a party of its own.

    Source:
        S001 row 8: two octets of the User ID are unique to each party and are not its Party ID.
        Which two (6 and 7, counted from 1): invented, a setting.
    """
    try:
        octets = Eui64.parse(user_id).octets
    except ValueError:
        return user_id.strip().upper()
    return octets[settings.party_octet_first - 1 : settings.party_octet_last].hex().upper()


def is_split(facts: SupplyFacts, settings: Settings) -> bool:
    """Say whether two supplier parties serve the installation."""
    if not facts.has_gsme:
        return False
    if facts.gis_user_id is None:
        return True  # a gas meter of an unknown party is not taken for one's own
    return party_of(facts.eis_user_id, settings) != party_of(facts.gis_user_id, settings)


def table_row(facts: SupplyFacts, book: RuleBook) -> SplitSupplyRow:
    """Return the one row of the truth table for an installation."""
    meters = "dual" if facts.has_gsme else "esme-only"
    parties = "none"
    if facts.has_gsme:
        parties = "different" if is_split(facts, book.settings) else "same"
    null = [certificate.is_null for certificate in facts.supplier_ids.values()]
    ids = "all-null" if null and all(null) else "some-null" if any(null) else "no-null"
    return book.split_supply[meters, parties, ids, facts.null_required]


def check_5_8(book: RuleBook, facts: SupplyFacts) -> Refusal | NotApplicable | None:
    """Split supply is migrated in this group."""
    if not is_split(facts, book.settings):
        return NotApplicable("one supplier party serves the installation")
    if facts.allowed:
        return None
    return Refusal("01", _parties(facts, book.settings), subject=("EIS_UserID", "GIS_UserID"))


def check_5_9_10(book: RuleBook, facts: SupplyFacts) -> Refusal | None:
    """Split supply goes with Null supplier Certificate IDs: the truth table decides."""
    row = table_row(facts, book)
    if row.result == "pass":
        return None
    held = [name for name, identity in facts.supplier_ids.items() if not identity.is_null]
    return Refusal(
        "01",
        f"{_parties(facts, book.settings)}; not Null: {', '.join(held)}",
        evidence=row.evidence,
        subject=tuple(f"{name}{half}" for name in held for half in ("Serial", "Issuer")),
        repair="put the Null Certificate ID (serial 0, no issuer) in these columns",
    )


def supply_checks(book: RuleBook) -> dict[str, Check[SupplyFacts]]:
    """Return the checks of split supply, by rule."""
    return {"5.8": partial(check_5_8, book), "5.9.10": partial(check_5_9_10, book)}


def _parties(facts: SupplyFacts, settings: Settings) -> str:
    gas = "unknown" if facts.gis_user_id is None else party_of(facts.gis_user_id, settings)
    return f"electricity party {party_of(facts.eis_user_id, settings)}, gas party {gas}"
