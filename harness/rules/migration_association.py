"""When certificates of a meter's parties are associated in commissioning, and when Null stays.

Source:
    S001 Table 2 row 5 (there are conditions); which they are: stand-in (migration.md 6.2).
"""

from dataclasses import dataclass

from emulator.core.values import quick
from harness.rules.migration_certificates import NULL_CERTIFICATE_ID, CertificateId


@quick
@dataclass(frozen=True, slots=True)
class AssociationFacts:
    """What is known of one meter when certificates are to be associated.

    Attributes:
        authorised: Whether its supplier has authorised the migration (an MA is there).
        signed: Whether the file that names the certificates bears a signature that holds.
        supplier: User ID of its supplier.
        holders: Party of each supplier Certificate ID; None for one that nobody knows.
        split: Whether its installation is a split supply that must keep Null.
    """

    authorised: bool
    signed: bool
    supplier: str
    holders: tuple[str | None, ...]
    split: bool


def why_null(facts: AssociationFacts) -> str:
    """Return why supplier Certificate IDs stay Null; empty where they are associated."""
    if facts.split:
        return "split supply of this group keeps Null"
    if not facts.authorised:
        return "the meter is dormant: nobody authorised"
    if not facts.signed:
        return "the file's signature does not hold"
    if not facts.holders or None in facts.holders:
        return "a Certificate ID is unknown"
    if any(holder != facts.supplier for holder in facts.holders):
        return "a certificate is another party's"
    return ""


def associated(
    supplier_ids: tuple[CertificateId, CertificateId], facts: AssociationFacts
) -> tuple[CertificateId, CertificateId]:
    """Return the supplier Certificate IDs that are notified for a meter."""
    null = (NULL_CERTIFICATE_ID, NULL_CERTIFICATE_ID)
    return null if why_null(facts) else supplier_ids
