"""What the S1SP's and the Commissioning Party's files say, out of what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from device_profiles.words import DeviceType
from harness.formats.migration_files.building import BuiltFile, Keys, short
from harness.formats.migration_files.commissioning_file import (
    AssociatedCertificates,
    CommissioningDevice,
    CommissioningFile,
    CommissioningInstallation,
)
from harness.formats.migration_files.common_file import (
    CommonFile,
    CommonInstallation,
    MeterDetail,
)
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.opening import Opened
from harness.formats.migration_files.parties import Role
from harness.formats.migration_files.result_files import ViableFile, ViableInstallation
from harness.formats.migration_files.words import FileType, Viability
from harness.migration.verdicts import InstallationVerdict

#: The files of a set that the S1SP checks.
CHECKED: Final = (FileType.MCF, FileType.MVF, FileType.MGF, FileType.MEF, FileType.RFS)


def viable_file(results: Mapping[str, Sequence[Finding]]) -> ViableFile:
    """Return a VIF: viable is what no step found fault with."""
    return ViableFile(
        tuple(
            ViableInstallation(
                ref,
                Viability.NOT_VIABLE if found else Viability.VIABLE,
                tuple(short(one) for one in found),
            )
            for ref, found in results.items()
        )
    )


def commissioning_file(parts: Sequence[CommonInstallation], keys: Keys) -> CommissioningFile:
    """Return an SCF: devices, models, associations, and the Certificate IDs to associate.

    The IDs are those of the MCF: where they must be Null (split supply), they are Null there.
    """
    s1sp = keys.parties[Role.S1SP]
    return CommissioningFile(
        tuple(CommissioningInstallation(part.ref, s1sp, _devices(part)) for part in parts)
    )


def _devices(part: CommonInstallation) -> tuple[CommissioningDevice, ...]:
    hub = part.hub.device
    devices = [CommissioningDevice(hub, DeviceType.CHF, part.hub.model)]
    kinds = (DeviceType.ESME, DeviceType.GSME)
    devices += [
        CommissioningDevice(meter.device, kind, meter.model, hub, _certificates(meter))
        for kind, meter in zip(kinds, part.meters, strict=False)
    ]
    devices += [
        CommissioningDevice(ppmid.device, DeviceType.PPMID, ppmid.model, hub)
        for ppmid in part.ppmids
    ]
    return tuple(devices)


def _certificates(meter: MeterDetail) -> AssociatedCertificates:
    return AssociatedCertificates(
        meter.critical_supplier,
        meter.non_critical_supplier,
        meter.critical_network_operator,
        meter.non_critical_network_operator,
    )


def parts_of(common: BuiltFile) -> dict[str, CommonInstallation]:
    """Return the installations of an MCF by ref."""
    content = common.file.content
    if not isinstance(content, CommonFile):
        raise TypeError(f"{common.name} is no Migration Common File")
    return {row.ref: row for row in content.installations}


def with_opened(verdict: InstallationVerdict, opened: Opened | None) -> InstallationVerdict:
    """Return a verdict with what its layers hold."""
    return replace(verdict, opened=opened)
