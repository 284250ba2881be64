"""What differs from GroupID to GroupID in the encrypted file: Table 11.2.1 as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from device_profiles.evidence import Mark
from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.group_information import S1SP_ROOT, S1SPDP_ROOT


@dataclass(frozen=True, slots=True)
class GroupRules:
    """One group's row.

    Attributes:
        group_id: The GroupID.
        root: What EncryptedS1SPGroupInformation decrypts to.
        protected_data: What ProtectedData decrypts to; None: the group has no ProtectedData.
        dco_part: Whether there is a part for the DCO.
        plaintext_allowed: Whether group information may stand in plain text (11.1).
        not_migrated: Why the group is not migrated; empty: it is.
        evidence: Mark of the row.
    """

    group_id: str
    root: str
    protected_data: str | None
    dco_part: bool
    plaintext_allowed: bool
    not_migrated: str
    evidence: str


def from_envelope(
    group_id: str, table: Mapping[str, Any], evidence: str, *, not_migrated: str = ""
) -> GroupRules:
    """Make a row of the ``[envelope]`` table of a cohort file (reference §11).

    Args:
        group_id: The cohort's GroupID.
        table: ``root``, ``protected_data`` (may be absent), ``dco_part``, ``plaintext_allowed``.
        evidence: Mark of the table.
        not_migrated: Why the cohort is not migrated; empty: it is.

    Raises:
        ValueError: A value is missing, of another type, or names no structure.
    """
    unknown = table.keys() - {"root", "protected_data", "dco_part", "plaintext_allowed"}
    protected = table.get("protected_data")
    if unknown or table.get("root") not in {S1SP_ROOT, S1SPDP_ROOT}:
        raise ValueError(f"{group_id}: root names no structure, or a key is not known")
    if protected not in {None, S1SPDP_ROOT}:
        raise ValueError(f"{group_id}: protected_data is {S1SPDP_ROOT} or absent")
    flags = [table.get(name) for name in ("dco_part", "plaintext_allowed")]
    if any(type(flag) is not bool for flag in flags):
        raise ValueError(f"{group_id}: dco_part and plaintext_allowed are true or false")
    Mark.parse(evidence)
    return GroupRules(
        group_id,
        table["root"],
        protected,
        flags[0] is True,
        flags[1] is True,
        not_migrated,
        evidence,
    )


def _with_protected_data(group_id: str, evidence: str, *, plaintext: bool = False) -> GroupRules:
    return GroupRules(group_id, S1SP_ROOT, S1SPDP_ROOT, True, plaintext, "", evidence)


def _simple(group_id: str) -> GroupRules:
    return GroupRules(group_id, S1SP_ROOT, None, True, False, "", "stand-in")


#: The shipped rows, until cohort files hold them. FOC groups: S000 §3.1 (11.1, 15.3), §4 (5.23(b)).
GROUPS: Final[Mapping[str, GroupRules]] = {
    row.group_id: row
    for row in (
        _simple("AA"),
        _simple("BA"),
        _simple("CA"),
        _simple("DA"),
        _with_protected_data("EA", "source:S000 §3.1 (15.3); the part for the DCO: stand-in"),
        _with_protected_data("EB", "source:S000 §3.1 (11.1, 15.3)", plaintext=True),
        GroupRules(
            "EC",
            S1SP_ROOT,
            S1SPDP_ROOT,
            True,
            False,
            "DCC will not migrate installations of this group",
            "source:S001 §5",
        ),
    )
}


def rules_of(group_id: str, groups: Mapping[str, GroupRules]) -> GroupRules:
    """Return the row of a group that is migrated.

    Raises:
        MigrationFileError: X-GROUP 01: no row; X-GROUP 02: not migrated (R-004).
    """
    rules = groups.get(group_id)
    if rules is None:
        raise MigrationFileError(checks.GROUP, "01", f"no row for GroupID {group_id}")
    if rules.not_migrated:
        why = f"GroupID {group_id}: {rules.not_migrated}"
        raise MigrationFileError(checks.GROUP, "02", why)
    return rules
