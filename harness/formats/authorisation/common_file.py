"""The Migration Common File that an authorisation would become, before its Requesting Party signs.

Source:
    invented, as the file's structure itself (migration.md 4.4).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

from device_profiles.cohort import Cohort
from device_profiles.cpl import Cpl
from device_profiles.installation import Installation
from device_profiles.words import DeviceType, InstallationClass
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from harness.formats.authorisation.installation import AuthorisedInstallation, AuthorisedMeter
from harness.formats.migration_files.common_file import (
    CommonFile,
    CommonInstallation,
    HubDetail,
    MeterDetail,
    PpmidDetail,
)
from harness.formats.migration_files.devices import DeviceModel
from harness.formats.migration_files.document import MigrationFile, octets, to_tree
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.kinds import week_of
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.words import FileType, MeterStatus, ProcessingMode
from harness.rules.migration_authorisation import InstalledDevices

#: Stands where the Requesting Party's own counter comes; suppliers never see that one.
NO_COUNTER: Final = 0


class _LeftOutError(Exception):
    """An installation cannot stand in the file yet."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An installation that the file lacks.

    Attributes:
        ref: What the supplier calls it.
        why: What is not known, or cannot be written; one sentence.
    """

    ref: str
    why: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The file as far as an authorisation tells it.

    Attributes:
        octets: The document, valid against the schema, unsigned; None where nothing stands in it.
        count: How many installations stand in it.
        left_out: Those that do not.
        without_ppmids: How many stand in it without PPMIDs that the authorisation speaks of: it
            names no EUI-64 of a PPMID, and there was no inventory.
    """

    octets: bytes | None = field(repr=False)
    count: int
    left_out: tuple[LeftOut, ...]
    without_ppmids: int


@dataclass(frozen=True, slots=True)
class Drafting:
    """Makes drafts.

    Attributes:
        cohort: The cohort.
        cpl: Where models are found.
        schema: The migration schema.
        installed: The SMSO's inventory: models, PPMIDs and classes; None where there is none.
    """

    cohort: Cohort
    cpl: Cpl
    schema: MigrationSchema
    installed: InstalledDevices | None = None

    def draft(self, installations: Iterable[AuthorisedInstallation], at: UtcMs) -> Draft:
        """Make the file of the installations that are known well enough.

        Args:
            installations: The accepted ones, in their order.
            at: Its moment.
        """
        found: list[CommonInstallation] = []
        left_out: list[LeftOut] = []
        bare = 0
        for one in installations:
            try:
                found.append(self._common(one))
            except _LeftOutError as why:
                left_out.append(LeftOut(one.ref, str(why)))
            else:
                bare += self._home(one) is None and bool(one.ppmid_cpl_entries)
        made, refused = self._octets(found, at)
        return Draft(made, len(found) - len(refused), (*left_out, *refused), bare)

    def _octets(
        self, installations: Sequence[CommonInstallation], at: UtcMs
    ) -> tuple[bytes | None, list[LeftOut]]:
        """Return the document, and the installations that the schema does not take."""
        refused: list[LeftOut] = []
        sound = list(installations)
        try:
            return self._document(sound, at), refused
        except MigrationFileError:  # one of them, then: which?
            told = {one.ref: self._refusal(one, at) for one in installations}
            refused = [LeftOut(ref, why) for ref, why in told.items() if why]
            sound = [one for one in installations if not told[one.ref]]
            return self._document(sound, at), refused

    def _document(self, installations: Sequence[CommonInstallation], at: UtcMs) -> bytes | None:
        if not installations:
            return None
        return octets(to_tree(self._file(installations, at), self.schema), self.schema)

    def _refusal(self, one: CommonInstallation, at: UtcMs) -> str:
        try:
            to_tree(self._file([one], at), self.schema)
        except MigrationFileError as error:
            return str(error)
        return ""

    def _file(self, installations: Sequence[CommonInstallation], at: UtcMs) -> MigrationFile:
        header = Header(
            FileType.MCF,
            self.cohort.cohort.group_id,
            TEST_PARTIES[Role.REQUESTING_PARTY],
            NO_COUNTER,
            at,
            week_of(at),
            None,
            ProcessingMode.FULL,
        )
        return MigrationFile(header, CommonFile(tuple(installations)))

    def _common(self, one: AuthorisedInstallation) -> CommonInstallation:
        home = self._home(one)
        of_class = InstallationClass.ACTIVE if home is None else home.installation_class
        hub = Eui64.parse(one.chf_device_id)
        model = self._model("CHF", one.chf_cpl_entry, one.chf_device_id)
        gsme = one.gsme
        return CommonInstallation(
            one.ref,
            of_class,
            HubDetail(hub, model, self.cohort.cohort.csp if home is None else home.csp),
            self._meter(DeviceType.ESME, one.esme, of_class),
            None if gsme is None else self._meter(DeviceType.GSME, gsme, of_class),
            None,
            self._ppmids(home),
        )

    def _meter(
        self, role: DeviceType, meter: AuthorisedMeter, of_class: InstallationClass
    ) -> MeterDetail:
        dormant = of_class is InstallationClass.DORMANT or (
            of_class is InstallationClass.MIXED and role is DeviceType.GSME
        )
        return MeterDetail(
            Eui64.parse(meter.device_id),
            self._model(role.value, meter.cpl_entry, meter.device_id),
            meter.mpxn,
            Eui64.parse(meter.user_id),
            meter.critical_supplier,
            meter.non_critical_supplier,
            meter.critical_network_operator,
            meter.non_critical_network_operator,
            meter.payment_mode,
            MeterStatus.DORMANT if dormant else MeterStatus.ACTIVE,
        )

    def _ppmids(self, home: Installation | None) -> tuple[PpmidDetail, ...]:
        devices = () if home is None else home.of(DeviceType.PPMID)
        return tuple(
            PpmidDetail(
                Eui64.parse(device.eui64),
                self._model("PPMID", device.cpl_entry or "", device.eui64),
            )
            for device in devices
        )

    def _model(self, role: str, said: str, device_id: str) -> DeviceModel:
        known = said or ("" if self.installed is None else self.installed.entry(device_id))
        if not known:
            raise _LeftOutError(
                f"the model of the {role} {device_id} is not known: give its {role}CplEntry, or"
                " --inventory"
            )
        entry = self.cpl.entries.get(known)
        if entry is None:
            raise _LeftOutError(f"the CPL has no entry {known} (of the {role} {device_id})")
        return DeviceModel(
            entry.manufacturer_id, entry.model_id, entry.hardware_version, entry.firmware_version
        )

    def _home(self, one: AuthorisedInstallation) -> Installation | None:
        found = None if self.installed is None else self.installed.find(one.esme.device_id)
        return None if found is None else found[0]


def moment_of(stamp: datetime | None, day: date | None, earliest: Iterable[date]) -> UtcMs | None:
    """Return the moment of a draft: of the file's name, of the check's day, or of its first window.

    Times are taken for UTC (invented).
    """
    if stamp is not None:
        return from_datetime(stamp.replace(tzinfo=UTC))
    first = day or min(earliest, default=None)
    return None if first is None else from_datetime(datetime.combine(first, time(), UTC))
