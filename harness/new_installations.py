"""Installations out of nothing: made-up homes whose numbers cannot be live."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device_profiles.announced import resolve_in_smets1
from device_profiles.cohort import Cohort, load_cohort
from device_profiles.cpl import Cpl, load_cpl
from device_profiles.files import Folders
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import (
    GBCS_DEVICE_NUMBER,
    CspRegion,
    DeviceStatus,
    DeviceType,
    InstallationClass,
    PaymentMode,
    SupplyShape,
)
from emulator.core.chance import Chance, Stream
from harness.errors import UsageError

MAX_COUNT: Final = 100_000
#: First octets of every generated EUI-64. Bit 2 of the first one marks it as locally
#: administered, so no maker was ever given it.
EUI64_PREFIX: Final = bytes((0x02, 0x53))
#: The electricity and gas suppliers: those that ``pki new`` makes keys for.
EIS: Final = "02-53-42-00-00-01-00-00"
GIS: Final = "02-53-42-00-00-03-00-00"
#: MPANs begin with a distributor, 10 to about 40; no distributor is 99.
_MPAN_PREFIX: Final = "99"
#: MPRNs in use begin with lower figures; none begins 99.
_MPRN_PREFIX: Final = "99"
_MPAN_WEIGHTS: Final = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)
_WITH_GAS: Final = {SupplyShape.DUAL_FUEL, SupplyShape.SPLIT_SUPPLY}
#: Share of homes that prepay (stand-in).
_PREPAYMENT_SHARE: Final = 0.15
_SMETS2_REGIONS: Final = (CspRegion.NORTH, CspRegion.CENTRAL, CspRegion.SOUTH)

#: Profiles of generated SMETS2+ installations.
SMETS2_MODELS: Final = {
    DeviceType.CHF: "demo-chf",
    DeviceType.GPF: "demo-chf",
    DeviceType.ESME: "demo-esme",
    DeviceType.GSME: "demo-gsme",
    DeviceType.PPMID: "demo-ppmid",
    DeviceType.HCALCS: "demo-hcalcs",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What to generate.

    Attributes:
        count: How many installations, 1 to 100,000.
        seed: Seed of the draw: the same order gives the same installations.
        cohort: Cohort key or path, or None for installations that were always SMETS2+.
        shape: Which fuels.
        installation_class: Active, Dormant or Mixed.
        first: Number of the first one: orders of one seed whose numbers do not meet share no
            device.
    """

    count: int
    seed: int
    cohort: str | None = None
    shape: SupplyShape = SupplyShape.DUAL_FUEL
    installation_class: InstallationClass = InstallationClass.ACTIVE
    first: int = 1


def generate(order: Order, overlays: Folders = ()) -> tuple[Installation, ...]:
    """Generate installations.

    Raises:
        UsageError: The count is out of range.
        DataError: The cohort or one of its profiles cannot be loaded.
    """
    if not 1 <= order.count <= MAX_COUNT:
        raise UsageError(
            f"{order.count} installations are not possible",
            where="--count",
            cause=f"the count lies between 1 and {MAX_COUNT:,}",
        )
    cohort = None if order.cohort is None else load_cohort(order.cohort, overlays)
    models = SMETS2_MODELS if cohort is None else _cohort_models(cohort)
    entries = _cpl_entries(models, load_cpl(overlays), overlays)
    draw = Chance(order.seed).stream("installations")
    plan = _Plan(order, cohort, models, entries, draw.octets(2))
    numbers = range(order.first, order.first + order.count)
    return tuple(_installation(plan, draw, number) for number in numbers)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all installations of one order share; ``tag`` is drawn once and sits in every number."""

    order: Order
    cohort: Cohort | None
    models: dict[DeviceType, str]
    entries: dict[DeviceType, str]
    tag: bytes


def _cohort_models(cohort: Cohort) -> dict[DeviceType, str]:
    models = cohort.models
    return {
        DeviceType.CHF: models.chf,
        DeviceType.GPF: models.chf,
        DeviceType.ESME: models.esme,
        DeviceType.GSME: models.gsme,
        DeviceType.PPMID: models.ppmid,
    }


def _cpl_entries(
    models: dict[DeviceType, str], cpl: Cpl, overlays: Folders
) -> dict[DeviceType, str]:
    """Return the CPL row of each model at its factory version, where there is exactly one."""
    found: dict[DeviceType, str] = {}
    for role, name in models.items():
        entry = resolve_in_smets1(cpl, load_profile(name, overlays), role).entry
        if entry is not None:
            found[role] = entry.cpl_entry_id
    return found


def _roles(plan: _Plan) -> Iterator[DeviceType]:
    shape = plan.order.shape
    left_out = set() if shape in _WITH_GAS else {DeviceType.GSME}
    if shape is SupplyShape.HUB_ONLY:
        left_out = set(plan.models) - {DeviceType.CHF, DeviceType.GPF}
    yield from (role for role in plan.models if role not in left_out)


def _installation(plan: _Plan, draw: Stream, number: int) -> Installation:
    order, cohort = plan.order, plan.cohort
    mode = PaymentMode.PREPAYMENT if draw.happens(_PREPAYMENT_SHARE) else PaymentMode.CREDIT
    region = _SMETS2_REGIONS[draw.below(3)] if cohort is None else cohort.cohort.csp
    return Installation(
        ref=f"{'smets2' if cohort is None else cohort.key}-{order.seed}-{number:06d}",
        cohort=None if cohort is None else cohort.key,
        installation_class=order.installation_class,
        shape=order.shape,
        csp=region,
        devices=tuple(_device(plan, role, mode, number) for role in _roles(plan)),
    )


def _device(plan: _Plan, role: DeviceType, mode: PaymentMode, number: int) -> InstalledDevice:
    eui64 = _eui64(GBCS_DEVICE_NUMBER[role], plan.tag, number)
    gas_apart = plan.order.shape is SupplyShape.SPLIT_SUPPLY and role is DeviceType.GSME
    return InstalledDevice(
        role=role,
        profile=plan.models[role],
        eui64=eui64,
        mpxn=_mpxn(role, plan.tag, number),
        supplier=GIS if gas_apart else EIS,
        payment_mode=mode if role in {DeviceType.ESME, DeviceType.GSME} else None,
        status=DeviceStatus.COMMISSIONED,
        cpl_entry=plan.entries.get(role),
        install_code=f"made-up:{eui64}",
    )


def _eui64(kind: int, tag: bytes, number: int) -> str:
    return (EUI64_PREFIX + bytes((kind,)) + tag + number.to_bytes(3, "big")).hex("-").upper()


def _mpxn(role: DeviceType, tag: bytes, number: int) -> str | None:
    drawn = int.from_bytes(tag, "big")
    if role is DeviceType.ESME:
        core = f"{_MPAN_PREFIX}{drawn % 10_000:04d}{number:06d}"
        return core + str(mpan_check_digit(core))
    if role is DeviceType.GSME:
        return f"{_MPRN_PREFIX}{drawn % 100:02d}{number:06d}"
    return None


def mpan_check_digit(core: str) -> int:
    """Return the check digit of an MPAN's first twelve digits.

    Source:
        known: weights of the first twelve odd primes from 3 but 11, modulo 11, modulo 10.
    """
    total = sum(int(digit) * weight for digit, weight in zip(core, _MPAN_WEIGHTS, strict=True))
    return total % 11 % 10
