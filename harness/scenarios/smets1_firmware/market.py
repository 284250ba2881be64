"""Everybody around commissioned SMETS1 homes: office, DSP, S1SP, suppliers, and the way in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from device_profiles.announced import announced_in_smets1
from device_profiles.cohort import Cohort, load_cohort
from device_profiles.cpl import Cpl
from device_profiles.cpl_entry import CplEntry
from device_profiles.files import Folders
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import (
    Connectivity,
    CplStatus,
    DeviceStatus,
    DeviceType,
    SmetsVersion,
)
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from harness.errors import BenchError
from harness.formats.migration_files.parties import identity_of
from harness.migration.commissioning_world import CommissioningWorld
from harness.migration.custody import Custody
from harness.migration.office import Office
from harness.migration.site import Site, sites_of
from harness.migration.terms import Terms
from harness.parties.dco import MASTER
from harness.parties.import_supplier import EIS, GIS, ImportSupplier
from harness.parties.post import Record
from harness.parties.s1sp import NAME as S1SP
from harness.parties.s1sp_desk_records import (
    CRITICAL_SUPPLIER,
    NON_CRITICAL_SUPPLIER,
    DeskRecord,
)
from harness.ports import Bench, Clock
from harness.rules.inventory import InventoryRecord
from harness.rules.roles import UserRole

_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})
_DAY_MS: Final = 86_400_000
#: First day of rows that are assumed to be on the list. Source: invented.
_FIRST_DAY: Final = date(2014, 1, 1)
#: How long a hub may take to be heard on the S1SP's network. Source: invented.
_FIRST_CONTACT_DAYS: Final = 7


class NotTakenOverError(BenchError):
    """A home could not be taken over from its SMSO."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a market is opened with.

    Attributes:
        bench: The bench; the homes stand on it, in this order.
        clock: Its time.
        chance: The parties' chance.
        cohort: The cohort of the homes, in the mode that is played.
        homes: The homes.
        folders: Overlays, weakest first.
        record: What is told of each message, or None.
        start: First moment of the parties' calendar; None: the bench's present one.
        without: Devices that stand in the homes and that nobody has announced yet.
    """

    bench: Bench = field(repr=False)
    clock: Clock = field(repr=False)
    chance: Chance = field(repr=False)
    cohort: Cohort
    homes: tuple[Installation, ...]
    folders: Folders = ()
    record: Record | None = field(default=None, repr=False)
    start: UtcMs | None = None
    without: frozenset[Eui64] = frozenset()


class Smets1Market:
    """DSP, S1SP, SMSO and suppliers of commissioned SMETS1 homes of one cohort.

    The homes are taken over by key changes and a move of the SIM, in octets, as in a migration;
    the records of commissioning are filled in by hand, without its files and requests.

    Attributes:
        opening: What it was opened with.
        office: What the parties share.
        world: DSP, the S1SP's desk, suppliers.
        sites: The homes.
        listed: Rows that were added to the CPL in force.
        kept: JSON values of single steps that must survive a kill.
    """

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        clock = opening.clock
        start = clock.now() if opening.start is None else opening.start
        terms = Terms(overlays=tuple(opening.folders), start=start)
        homes = opening.homes
        self.office = Office.open(
            clock, opening.chance, opening.cohort, homes, terms, opening.record
        )
        self.world = CommissioningWorld(self.office)
        self.sites: tuple[Site, ...] = sites_of(opening.bench, opening.cohort, homes)
        self.listed: list[CplEntry] = []
        self.kept: dict[str, Any] = {}
        for site in self.sites:
            self._commission(site)

    # -- looking -------------------------------------------------------------------------------

    @property
    def site(self) -> Site:
        """The first home."""
        return self.sites[0]

    def device(self, role: DeviceType, home: int = 0) -> Eui64:
        """Return a device of a home."""
        return self.sites[home].eui64(role)

    def profile(self, role: DeviceType, home: int = 0) -> DeviceProfile:
        """Return the model of a device of a home."""
        return load_profile(self.sites[home].model(role), self.opening.folders)

    def supplier(self, name: str = EIS) -> ImportSupplier:
        """Return the electricity (``EIS``) or gas (``GIS``) supplier of the homes.

        Raises:
            LookupError: No home has one.
        """
        role = UserRole.GAS_SUPPLIER if name == GIS else UserRole.IMPORT_SUPPLIER
        for one in self.world.suppliers.values():
            if role in one.roles:
                return one
        raise LookupError(f"no home has a supplier in the role {name}")

    def signing_scalar(self, supplier: Eui64) -> int:
        """Return the key with which a supplier authorises images.

        Raises:
            LookupError: It is not held.
        """
        entry = self.office.keys.store.find(supplier, KeyUsage.DS)
        if entry is None or entry.private_scalar is None:
            raise LookupError(f"no signing key of {supplier} is held")
        return entry.private_scalar

    def record(self, device: Eui64) -> InventoryRecord:
        """Return what the inventory has of a device.

        Raises:
            LookupError: Nothing.
        """
        found = self.world.dsp.inventory.find(device)
        if found is None:
            raise LookupError(f"the inventory lacks {device}")
        return found

    # -- lists ---------------------------------------------------------------------------------

    def list_version(self, entry: CplEntry) -> None:
        """Add a row to the CPL in force, or replace the row of that identifier."""
        self.listed.append(entry)
        rows = [one for one in self.world.dsp.cpl.entries.values() if _key(one) != _key(entry)]
        others = [one for one in rows if one.cpl_entry_id != entry.cpl_entry_id]
        self.world.dsp.cpl = Cpl([*others, entry], self.world.dsp.cpl.file)

    def list_model(self, profile: DeviceProfile, versions: Mapping[SmetsVersion, str]) -> None:
        """Have a model on the CPL in force under these versions, and under no others.

        Raises:
            DataError: The list is refused.
        """
        self.kept["models"] = [
            *self.kept.get("models", []),
            [profile.name, {kind.value: version for kind, version in versions.items()}],
        ]
        self._list_model(profile, versions)

    def _list_model(self, profile: DeviceProfile, versions: Mapping[SmetsVersion, str]) -> None:
        identity = profile.identity
        model = (identity.manufacturer_hex, identity.model_hex)
        rows = [
            one
            for one in self.world.dsp.cpl.entries.values()
            if (one.manufacturer_id, one.model_hex) != model
        ]
        made = [
            _assumed(profile.device_type, *model, version, kind, identity.esme_variant)
            for kind, version in versions.items()
        ]
        self.world.dsp.cpl = Cpl([*rows, *made], self.world.dsp.cpl.file)

    # -- the way in ----------------------------------------------------------------------------

    async def take_over(self) -> None:
        """Have every home change hands: keys of each holder, then the SIM.

        Raises:
            NotTakenOverError: A device keeps the SMSO's keys, or the SIM does not move.
        """
        for site in self.sites:
            custody = Custody(self.office, site)
            for role in site.holders():
                change = await custody.rotate(role)
                if not change.done:
                    raise NotTakenOverError(f"{site.ref}, {role}: {change.says()}")
            moved = await site.hub().change_sim(S1SP)
            if not moved.done:
                raise NotTakenOverError(f"{site.ref}: {moved.why}")
        for site in self.sites:
            await self._heard(site)

    async def _heard(self, site: Site) -> None:
        """Wait for the hub's first contact."""
        clock = self.opening.clock
        until = UtcMs(clock.now() + _FIRST_CONTACT_DAYS * _DAY_MS)
        if await site.hub().notified(S1SP, until) is None:
            raise NotTakenOverError(f"{site.ref}: its hub was never heard on the S1SP's network")

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return everybody's memory as JSON values."""
        return {
            "office": self.office.dump(),
            "world": self.world.dump(),
            "listed": [one.model_dump(mode="json") for one in self.listed],
            "kept": self.kept,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.office.load(state["office"])
        self.world.load(state["world"])
        self.kept = state["kept"]
        for name, versions in self.kept.get("models", []):
            model = load_profile(name, self.opening.folders)
            self._list_model(model, {SmetsVersion(kind): one for kind, one in versions.items()})
        listed, self.listed = state["listed"], []
        for row in listed:
            self.list_version(CplEntry.model_validate(row))

    # -- building ------------------------------------------------------------------------------

    def _commission(self, site: Site) -> None:
        """Fill in what commissioning leaves behind, and whose keys the SMSO had."""
        self.world.reach.add(site)
        rows = [(site.eui64(role), site.credentials(role).keys) for role in site.holders()]
        known = [(eui64, keys) for eui64, keys in rows if keys is not None]
        self.office.smso.enrol(site.ref, known)
        for eui64, keys in known:
            self.office.dco.ring.put(eui64, MASTER, keys.master)
        for device in site.installation.devices:
            if Eui64.parse(device.eui64) in self.opening.without:
                continue
            self._seat(device)
            record = self._record(site, device)
            self.world.dsp.inventory.put(record)
            self._list_installed(record)
            if device.role is not DeviceType.GPF:
                self.world.desk.enrol([self._desk_record(site, device)])
            if device.role in _METERS:
                self._notify(device)

    def _list_installed(self, record: InventoryRecord) -> None:
        """Put what runs on a device on the CPL in force, where the list lacks it."""
        found = self.world.dsp.cpl.resolve(
            manufacturer=record.manufacturer,
            model=record.model,
            device_type=record.device_type,
            firmware_version=record.firmware_version,
            smets=record.smets,
        )
        if found.entry is not None or record.device_type is DeviceType.GPF:
            return
        self.list_version(
            _assumed(
                record.device_type,
                record.manufacturer,
                record.model,
                record.firmware_version,
                record.smets,
                record.esme_variant,
            )
        )

    def _seat(self, device: InstalledDevice) -> None:
        if device.role not in _METERS:
            return
        gas = device.role is DeviceType.GSME
        role, name = (UserRole.GAS_SUPPLIER, GIS) if gas else (UserRole.IMPORT_SUPPLIER, EIS)
        supplier = Eui64.parse(device.supplier)
        self.world.seat(supplier, [role], name)
        self.world.dsp.supplies[device.mpxn or ""] = supplier

    def _record(self, site: Site, device: InstalledDevice) -> InventoryRecord:
        profile = load_profile(device.profile, self.opening.folders)
        version, smets = announced_in_smets1(profile)
        facts, identity = self._cohort_of(site).cohort, profile.identity
        of_smets1 = smets is SmetsVersion.SMETS1
        is_hub = device.role is DeviceType.CHF
        now = self.office.clock.now()
        return InventoryRecord(
            device=Eui64.parse(device.eui64),
            device_type=device.role,
            status=DeviceStatus.COMMISSIONED,
            manufacturer=identity.manufacturer_hex,
            model=identity.model_hex,
            firmware_version=version,
            smets=smets,
            hub=site.eui64(DeviceType.CHF),
            supplier=Eui64.parse(device.supplier),
            smets_chts_version=None if of_smets1 else identity.smets_chts_version,
            esme_variant=identity.esme_variant,
            mpxn=device.mpxn or "",
            csp_region=facts.csp if is_hub else None,
            s1sp=self.opening.cohort.cohort.s1sp if of_smets1 else "",
            connectivity=Connectivity.CELLULAR if is_hub else None,
            coordinated=facts.coordinated_by_eis,
            history=((now, DeviceStatus.COMMISSIONED),),
        )

    def _cohort_of(self, site: Site) -> Cohort:
        """Return the cohort of a home: the opening's, but for a home of another one."""
        key = site.installation.cohort or ""
        if key == self.opening.cohort.key:
            return self.opening.cohort
        return load_cohort(key, self.opening.folders)

    def _desk_record(self, site: Site, device: InstalledDevice) -> DeskRecord:
        profile = load_profile(device.profile, self.opening.folders)
        hub = load_profile(site.model(DeviceType.CHF), self.opening.folders)
        version, _smets = announced_in_smets1(profile)
        return DeskRecord(
            Eui64.parse(device.eui64),
            device.role,
            site.eui64(DeviceType.CHF),
            declared=version,
            own_make=profile.identity.manufacturer_hex == hub.identity.manufacturer_hex,
        )

    def _notify(self, device: InstalledDevice) -> None:
        """Have a meter's supplier be the one whose certificates the S1SP is notified of."""
        supplier = Eui64.parse(device.supplier)
        held = self.world.desk.records[Eui64.parse(device.eui64)]
        names = ((CRITICAL_SUPPLIER, KeyUsage.DS), (NON_CRITICAL_SUPPLIER, KeyUsage.KA))
        for name, usage in names:
            entry = self.office.keys.store.find(supplier, usage)
            if entry is not None and entry.certificate is not None:
                held.notified[name] = identity_of(entry.certificate)


def _key(entry: CplEntry) -> tuple[str, str, str, str, str]:
    """Return what tells rows of the list apart, besides their identifiers."""
    model = (entry.manufacturer_id, entry.model_hex)
    return (entry.device_type.value, *model, entry.firmware_version, entry.smets.value)


def _assumed(  # noqa: PLR0913, PLR0917 -- what a row of the list is made of
    device_type: DeviceType,
    manufacturer: str,
    model: str,
    version: str,
    smets: SmetsVersion,
    variant: str | None,
) -> CplEntry:
    """Return a row that the list is assumed to have."""
    return CplEntry(
        cpl_entry_id=f"ASSUMED-{manufacturer}-{model}-{version}",
        device_type=device_type,
        smets=smets,
        manufacturer_name="assumed",
        manufacturer_id=manufacturer,
        model_id=model[:4],
        hardware_version=model[4:],
        firmware_version=version,
        esme_variant=variant or "",
        status=CplStatus.ACTIVE,
        effective_from=_FIRST_DAY,
        evidence="stand-in",
    )
