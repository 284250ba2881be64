"""SMETS1 homes of firmware rows as installation files have them; their numbers cannot be live."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from device_profiles.announced import resolve_in_smets1
from device_profiles.cohort import load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.files import Folders
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import (
    GBCS_DEVICE_NUMBER,
    DeviceStatus,
    DeviceType,
    Dormancy,
    InstallationClass,
    PaymentMode,
    SupplyShape,
)
from harness.new_installations import EIS, EUI64_PREFIX, GIS, mpan_check_digit

#: Cohort -> the hub its firmware rows play with, where they name no other.
HUBS: Final = {
    "IOC": "demo-s1-chf-ioc",
    "MDS": "demo-s1-chf-mds",
    "DA": "demo-s1-chf-sec",
    "EA": "demo-s1-chf-foct",
    "EB": "demo-s1-chf-focl",
}
_NOBODYS: Final = "99"
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})


@dataclass(frozen=True, slots=True)
class Home:
    """One SMETS1 home of a row.

    Attributes:
        ref: What it is called.
        cohort: Its cohort key.
        hub: Profile of its hub; empty: the cohort's of ``HUBS``.
        ppmid: Profile of its PPMID; empty: it has none.
        esme: Profile of its ESME.
        gsme: Profile of its GSME; empty: it has none.
        of_class: Active, Dormant or Mixed (then the gas meter is dormant).
        split: Whether another supplier supplies gas.
        number: Its place among the homes of a bench.
    """

    ref: str = "HOME"
    cohort: str = "IOC"
    hub: str = ""
    ppmid: str = "demo-s1-ppmid"
    esme: str = "demo-s1-esme"
    gsme: str = "demo-s1-gsme"
    of_class: InstallationClass = InstallationClass.ACTIVE
    split: bool = True
    number: int = 1

    @property
    def hub_profile(self) -> str:
        """Profile of its hub."""
        return self.hub or HUBS[self.cohort]

    def installation(self, row: str, folders: Folders = ()) -> Installation:
        """Return it as an installation file would have it.

        Args:
            row: The scenario; its digits go into the numbers.
            folders: Overlays, weakest first.
        """
        cohort = load_cohort(self.cohort, folders).cohort
        gas = self.split and bool(self.gsme)
        shape = SupplyShape.SPLIT_SUPPLY if gas else SupplyShape.DUAL_FUEL
        return Installation(
            ref=self.ref,
            cohort=self.cohort,
            installation_class=self.of_class,
            shape=shape if self.gsme else SupplyShape.ELECTRICITY_ONLY,
            csp=cohort.csp,
            devices=tuple(self._devices(row, folders)),
        )

    def _devices(self, row: str, folders: Folders) -> list[InstalledDevice]:
        hub = self.hub_profile
        models = {DeviceType.CHF: hub, DeviceType.ESME: self.esme}
        if self.gsme:
            models |= {DeviceType.GPF: hub, DeviceType.GSME: self.gsme}
        if self.ppmid:
            models[DeviceType.PPMID] = self.ppmid
        return [self._device(role, profile, row, folders) for role, profile in models.items()]

    def _device(
        self, role: DeviceType, profile: str, row: str, folders: Folders
    ) -> InstalledDevice:
        return InstalledDevice(
            role=role,
            profile=profile,
            eui64=_eui64(role, row, self.number),
            mpxn=_mpxn(role, row, self.number),
            supplier=GIS if role is DeviceType.GSME and self.split else EIS,
            payment_mode=PaymentMode.CREDIT if role in _METERS else None,
            status=DeviceStatus.COMMISSIONED,
            cpl_entry=_cpl_entry(profile, role, folders),
            dormancy=self._dormancy(role),
        )

    def _dormancy(self, role: DeviceType) -> Dormancy | None:
        """Return why a meter is dormant; of a Mixed home the gas meter is."""
        dormant = self.of_class is InstallationClass.DORMANT or (
            self.of_class is InstallationClass.MIXED and role is DeviceType.GSME
        )
        return Dormancy("change-of-supplier") if dormant and role in _METERS else None


@cache
def _cpl_entry(profile: str, role: DeviceType, folders: Folders) -> str | None:
    found = resolve_in_smets1(load_cpl(folders), load_profile(profile, folders), role).entry
    return None if found is None else found.cpl_entry_id


def _digits(row: str) -> int:
    """Return a number that tells rows apart: FM-30 and PPMID-030 have two."""
    name, _dash, number = row.rpartition("-")
    return int(number) % 1000 + (1000 if name == "PPMID" else 0)


def _eui64(role: DeviceType, row: str, number: int) -> str:
    kind = bytes((GBCS_DEVICE_NUMBER[role],))
    tail = (0x4000 + _digits(row)).to_bytes(2, "big") + number.to_bytes(3, "big")
    return (EUI64_PREFIX + kind + tail).hex("-").upper()


def _mpxn(role: DeviceType, row: str, number: int) -> str | None:
    own = _digits(row)
    if role is DeviceType.ESME:
        core = f"{_NOBODYS}{own:04d}{number:06d}"
        return core + str(mpan_check_digit(core))
    if role is DeviceType.GSME:
        return f"{_NOBODYS}{own:04d}{number:04d}"
    return None
