"""Whether the files of a set mean the same installations and devices (check V3)."""

from collections.abc import Collection
from dataclasses import dataclass

from emulator.core.ids import Eui64
from harness.formats.migration_files import checks
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.from_installations import holders_of
from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.group_file import GroupInstallation
from harness.formats.migration_files.opening import Opened
from harness.formats.migration_files.view import InstallationView
from harness.formats.migration_files.words import Validity


@dataclass(frozen=True, slots=True)
class Present:
    """Which files of the set came, and what they name.

    Attributes:
        validation: Whether there is an MVF.
        group: Whether there is an MGF.
        encrypted: Whether there is an MEF.
        strange_hubs: Hubs that the MEF has and the MCF has not.
    """

    validation: bool
    group: bool
    encrypted: bool
    strange_hubs: Collection[str]


def agree(view: InstallationView, present: Present, gate: Gate) -> None:
    """Check that the files agree on an installation.

    Raises:
        MigrationFileError: X-V3.
    """
    ref = view.common.ref
    if present.validation and view.validated is None:
        gate.refuse(checks.MISMATCH, "05", f"{ref} is not in the MVF")
    if view.validated is not None and view.validated.result is Validity.INVALID:
        if view.group is not None or view.encrypted is not None:
            why = f"{ref} is Invalid in the MVF, and yet in the group files"
            gate.refuse(checks.MISMATCH, "02", why)
        return
    if present.group and view.group is None:
        gate.refuse(checks.MISMATCH, "03", f"{ref} is not in the MGF")
    if present.encrypted and view.encrypted is None:
        if present.strange_hubs:
            why = f"{ref}: the MEF has {', '.join(sorted(present.strange_hubs)[:3])} instead"
            gate.refuse(checks.MISMATCH, "09", why)
        gate.refuse(checks.MISMATCH, "04", f"{ref} is not in the MEF")
    if view.group is not None:
        _same_devices(view.common, view.group, gate)


def _same_devices(common: CommonInstallation, group: GroupInstallation, gate: Gate) -> None:
    gas = (
        None if common.gsme is None else common.gsme.device,
        None if group.gsme is None else group.gsme.device,
    )
    for sub_code, what, due, found in (
        ("06", "hub", common.hub.device, group.hub.device),
        ("07", "ESME", common.esme.device, group.esme.device),
        ("08", "GSME", *gas),
    ):
        if due != found:
            why = f"{common.ref}: {what} {found or 'none'} in the MGF, {due or 'none'} in the MCF"
            gate.refuse(checks.MISMATCH, sub_code, why)


def same_secrets(view: InstallationView, opened: Opened, gate: Gate) -> None:
    """Check that every opened layer holds the secrets of the installation's holders, and no other.

    Raises:
        MigrationFileError: X-V3 10 or 11.
    """
    due = set(holders_of(view.common, view.cohort))
    for name, part in (("S1SP", opened.s1sp), ("S1SPDP", opened.s1spdp), ("DCO", opened.dco)):
        if part is None:
            continue
        found = {row.device for row in part.devices}
        if found - due:
            told = f"{view.common.ref}: the part for the {name} has {_shown(found - due)}"
            gate.refuse(checks.MISMATCH, "10", told)
        if due - found:
            told = f"{view.common.ref}: the part for the {name} lacks {_shown(due - found)}"
            gate.refuse(checks.MISMATCH, "11", told)


def stranger(ref: str) -> MigrationFileError:
    """Return the refusal of what another file has and the MCF has not."""
    return MigrationFileError(checks.MISMATCH, "01", f"{ref} is not in the MCF")


def _shown(devices: Collection[Eui64]) -> str:
    return ", ".join(sorted(str(one) for one in devices)[:3])
