"""The homes of a row as installation files have them; their numbers cannot be live."""

from functools import cache
from typing import Final

from device_profiles.announced import resolve_in_smets1
from device_profiles.cohort import Cohort, HandoverOrder, load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import (
    GBCS_DEVICE_NUMBER,
    CspRegion,
    DeviceStatus,
    DeviceType,
    Dormancy,
    InstallationClass,
    SupplyShape,
)
from harness.new_installations import EIS, EUI64_PREFIX, GIS, mpan_check_digit
from harness.scenarios.migration.row import GasSupplier, Home, MigrationRow

#: Another User ID of the electricity supplier: only its last octet differs.
SECOND_USER_ID: Final = f"{EIS[:-2]}01"
_GAS: Final = {
    GasSupplier.SAME: EIS,
    GasSupplier.OTHER_PARTY: GIS,
    GasSupplier.OTHER_USER_ID: SECOND_USER_ID,
}
#: MPANs and MPRNs that begin so are nobody's.
_NOBODYS: Final = "99"
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})


def installations(row: MigrationRow) -> tuple[Installation, ...]:
    """Return the homes of a row as they stand, each with numbers of its own."""
    own = [home for home in row.homes if not home.twin_of]
    return tuple(_installation(row, home, n) for n, home in enumerate(own, start=1))


def cohort_of(row: MigrationRow, home: Home) -> str:
    """Return the cohort key of a home."""
    return home.cohort or row.cohort


def has_gas(home: Home) -> bool:
    """Say whether a home has a gas meter."""
    return home.shape is not SupplyShape.ELECTRICITY_ONLY


def holders(row: MigrationRow, home: Home) -> tuple[DeviceType, ...]:
    """Return the devices of a home that hold head-end credentials, in the cohort's order."""
    there = {DeviceType.CHF, DeviceType.ESME} | ({DeviceType.GSME} if has_gas(home) else set())
    cohort = shipped_cohort(cohort_of(row, home))
    return tuple(role for role in cohort.handover.holders if role in there)


def order_of(row: MigrationRow) -> HandoverOrder | None:
    """Return where the hand-over stands; None where the cohorts of the row differ in it."""
    own = {shipped_cohort(cohort_of(row, home)).handover.order for home in row.homes}
    if len(own) > 1:
        return None
    return row.order or own.pop()


@cache
def shipped_cohort(key: str) -> Cohort:
    """Return a shipped cohort."""
    return load_cohort(key)


def _installation(row: MigrationRow, home: Home, number: int) -> Installation:
    cohort = shipped_cohort(cohort_of(row, home))
    roles = [DeviceType.CHF, DeviceType.GPF, DeviceType.ESME]
    roles += [DeviceType.GSME] if has_gas(home) else []
    roles += [DeviceType.PPMID] if home.ppmid else []
    if not has_gas(home):
        roles.remove(DeviceType.GPF)
    tag = (int(row.id.rpartition("-")[2]), number)
    return Installation(
        ref=home.ref,
        cohort=cohort.key,
        installation_class=home.of_class,
        shape=home.shape,
        csp=CspRegion.NORTH if home.unlisted else cohort.cohort.csp,
        devices=tuple(_device(cohort, home, role, tag) for role in roles),
    )


def _device(cohort: Cohort, home: Home, role: DeviceType, tag: tuple[int, int]) -> InstalledDevice:
    profile = _profile(cohort, role)
    return InstalledDevice(
        role=role,
        profile=profile,
        eui64=_eui64(role, tag),
        mpxn=_mpxn(role, tag),
        supplier=_GAS[home.gas_supplier] if role is DeviceType.GSME else EIS,
        payment_mode=home.payment_mode(role) if role in _METERS else None,
        status=DeviceStatus.COMMISSIONED,
        cpl_entry=_cpl_entry(profile, role),
        dormancy=_dormancy(home, role),
    )


def _dormancy(home: Home, role: DeviceType) -> Dormancy | None:
    """Return why a meter is dormant; of a Mixed home the gas meter is."""
    dormant = home.of_class is InstallationClass.DORMANT or (
        home.of_class is InstallationClass.MIXED and role is DeviceType.GSME
    )
    return Dormancy(home.dormancy) if dormant and role in _METERS and home.dormancy else None


def _profile(cohort: Cohort, role: DeviceType) -> str:
    models = cohort.models
    return {
        DeviceType.ESME: models.esme,
        DeviceType.GSME: models.gsme,
        DeviceType.PPMID: models.ppmid,
    }.get(role, models.chf)


@cache
def _cpl_entry(profile: str, role: DeviceType) -> str | None:
    found = resolve_in_smets1(load_cpl(), load_profile(profile), role).entry
    return None if found is None else found.cpl_entry_id


def _eui64(role: DeviceType, tag: tuple[int, int]) -> str:
    row, number = tag
    kind = bytes((GBCS_DEVICE_NUMBER[role],))
    octets = EUI64_PREFIX + kind + row.to_bytes(2, "big") + number.to_bytes(3, "big")
    return octets.hex("-").upper()


def _mpxn(role: DeviceType, tag: tuple[int, int]) -> str | None:
    row, number = tag
    if role is DeviceType.ESME:
        core = f"{_NOBODYS}{row:04d}{number:06d}"
        return core + str(mpan_check_digit(core))
    if role is DeviceType.GSME:
        return f"{_NOBODYS}{row:04d}{number:04d}"
    return None
