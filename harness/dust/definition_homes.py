"""The homes of a run definition: device sets become installations whose numbers cannot be live."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from device_profiles.announced import resolve_in_smets1
from device_profiles.cpl import load_cpl
from device_profiles.files import Folders
from device_profiles.installation import Installation, InstalledDevice, check_profiles, load_many
from device_profiles.loader import load_profile, profile_names
from device_profiles.words import DeviceType, InstallationClass, PaymentMode, SmetsVersion
from harness.data_files import reading_data
from harness.dust.bench_homes import on_bench
from harness.dust.definition import Definition
from harness.dust.definition_models import DeviceSet, SupplierChange
from harness.dust.definition_words import SHAPES, ChangeMoment, Payment, SetPpmid, SetShape
from harness.dust.early_updates import with_updates
from harness.dust.stock_file import Stock, load_stock
from harness.errors import UsageError
from harness.new_installations import EIS, GIS, Order, generate
from harness.rules.migration_rulebook import load_rule_book
from harness.rules.roles import UserRole
from harness.rules.split_supply import party_of
from harness.words import counted

_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})
_GAS: Final = frozenset({DeviceType.GSME, DeviceType.GPF})
_MODES: Final = {
    Payment.CREDIT: PaymentMode.CREDIT,
    Payment.PREPAYMENT: PaymentMode.PREPAYMENT,
}
#: Other suppliers, made up; one of another party than the participant is taken.
OTHER_SUPPLIERS: Final = (GIS, EIS, "02-53-42-00-00-05-00-00", "02-53-42-00-00-06-00-00")


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Who supplies the homes of a run.

    Attributes:
        electricity: User ID of the electricity supplier.
        gas: User ID of the gas supplier where there are two.
        next: User ID of whoever takes a home over.
    """

    electricity: str
    gas: str
    next: str


def homes(definition: Definition) -> tuple[Installation, ...]:
    """Return the homes of a run, set after set: the same definition gives the same homes.

    Raises:
        UsageError: Profiles, an installation file or the stock cannot be used.
    """
    with reading_data():
        people = suppliers(definition)
        stock = stock_of(definition)
        found: list[Installation] = []
        for one in definition.devices:
            found += _of_set(definition, one, people, len(found), stock)
        found = [*with_updates(definition, found)]
        for home in found:
            check_profiles(home, definition.overlays)
    _refuse_shared(definition, found)
    return tuple(found)


def suppliers(definition: Definition) -> Suppliers:
    """Return who supplies the homes: the participant what its roles say, others the rest."""
    named = definition.participant
    mine = named.user_ids[0]
    settings = load_rule_book(definition.overlays).settings
    own = {party_of(one, settings) for one in named.user_ids}
    others = [one for one in OTHER_SUPPLIERS if party_of(one, settings) not in own]
    electricity = mine if UserRole.IMPORT_SUPPLIER in named.roles else others[0]
    gas = others[0] if electricity == mine else mine
    return Suppliers(electricity, gas, others[1])


@dataclass(frozen=True, slots=True)
class Change:
    """One home that changes its supplier before it is commissioned.

    Attributes:
        ref: The home.
        after: After its authorisation, or after the hand-over.
        to: User ID of the new supplier.
    """

    ref: str
    after: ChangeMoment
    to: str


def changes(definition: Definition) -> tuple[Change, ...]:
    """Return every change of supplier, home by home, in the order of the definition."""
    people = suppliers(definition)
    return tuple(
        Change(ref, one.after, one.to or people.next)
        for one in definition.changes
        for ref in _changing(definition, one)
    )


def changed(home: Installation, to: str) -> Installation:
    """Return a home after its electricity supplier (of both fuels: its one supplier) changed."""
    old = next(one.supplier for one in home.devices if one.role is DeviceType.ESME)
    return _with(home, lambda one: {"supplier": to} if one.supplier == old else {})


def _changing(definition: Definition, one: SupplierChange) -> tuple[str, ...]:
    return one.refs or definition.refs_of(one)[: one.count]


def stock_of(definition: Definition) -> Stock | None:
    """Return the stock that a set takes its homes from; None where none does.

    Raises:
        UsageError, DataError: The stock file cannot be used.
    """
    if not any(one.from_stock for one in definition.devices):
        return None
    return load_stock(definition.place(definition.run.stock))


def _of_set(
    definition: Definition, one: DeviceSet, people: Suppliers, before: int, stock: Stock | None
) -> Iterator[Installation]:
    """Yield the homes of one set; ``before``: how many homes come before it."""
    if one.from_stock and stock is not None:
        yield from stock.taken(definition, one)
        return
    if one.installations:
        made = _of_file(definition, one)
    else:
        made = generate(_order(definition, one, before), definition.overlays)
    models, there = _models(definition, one), on_bench(definition, one)
    for ref, home in zip(one.refs, made, strict=True):
        if one.installations:
            yield home.model_copy(update={"ref": ref})
        else:
            settled = _settled(home, ref, one, people, models)
            yield _with(settled, partial(_device_of, there)) if ref == one.refs[0] else settled


def _order(definition: Definition, one: DeviceSet, before: int) -> Order:
    return Order(
        count=one.count,
        seed=definition.run.seed,
        cohort=_cohort_name(definition),
        shape=SHAPES[one.shape],
        installation_class=one.installation_class,
        first=before + 1,
    )


def _cohort_name(definition: Definition) -> str:
    named = definition.run.cohort
    return str(definition.place(named)) if named.endswith(".toml") else named


def _of_file(definition: Definition, one: DeviceSet) -> tuple[Installation, ...]:
    path = definition.place(one.installations)
    found = load_many(path, definition.overlays)
    if len(found) != one.count:
        raise UsageError(
            f"set {one.name} has {counted(one.count, 'home')}, its file {len(found)}",
            where=f"{definition.path}: devices {one.name}",
            cause="another count, or another file",
            next_command=f"smetsbench installations check {path}",
        )
    return found


@dataclass(frozen=True, slots=True)
class _Model:
    """A profile and its row of the Central Products List."""

    profile: str
    cpl_entry: str | None


def _models(definition: Definition, one: DeviceSet) -> dict[DeviceType, _Model]:
    """Return the models of a set that are others than the cohort's."""
    named = dict(one.models)
    if DeviceType.PPMID not in named and one.ppmid is not SetPpmid.NONE:
        named[DeviceType.PPMID] = _ppmid(definition, one)
    if DeviceType.CHF in named:
        named[DeviceType.GPF] = named[DeviceType.CHF]
    cpl, folders = load_cpl(definition.overlays), definition.overlays
    found = {}
    for role, name in named.items():
        entry = resolve_in_smets1(cpl, load_profile(name, folders), role).entry
        found[role] = _Model(name, None if entry is None else entry.cpl_entry_id)
    return found


def _ppmid(definition: Definition, one: DeviceSet) -> str:
    """Return the profile of a set's PPMID.

    Where the cohort leaves PPMIDs of other makers than the hub's behind, its own one is of the
    hub's maker; everywhere else the cohort's file names it.

    Source:
        S003 §4 (Secure); that the hub's maker tells own from third-party: invented.
    """
    cohort, folders = definition.cohort, definition.overlays
    hub = load_profile(one.models.get(DeviceType.CHF, cohort.models.chf), folders)
    maker = hub.identity.manufacturer_code
    wants_own = one.ppmid is SetPpmid.OWN
    named = cohort.models.ppmid
    is_own = load_profile(named, folders).identity.manufacturer_code == maker
    if is_own == wants_own or (wants_own and cohort.ppmid.third_party_migrated):
        return named
    return next(
        (name for name in _ppmids(folders) if _is_of(name, maker, folders) is wants_own), named
    )


def _ppmids(folders: Folders) -> Iterator[str]:
    for name in profile_names(folders):
        profile = load_profile(name, folders)
        is_ppmid = profile.device_type is DeviceType.PPMID and not name.startswith("template-")
        if is_ppmid and profile.identity.smets is SmetsVersion.SMETS1:
            yield name


def _is_of(name: str, maker: int, folders: Folders) -> bool:
    return load_profile(name, folders).identity.manufacturer_code == maker


def _settled(
    home: Installation,
    ref: str,
    one: DeviceSet,
    people: Suppliers,
    models: dict[DeviceType, _Model],
) -> Installation:
    """Return a generated home as its set wants it."""
    split = one.shape is SetShape.SPLIT_SUPPLY
    mixed = one.installation_class is InstallationClass.MIXED
    all_dormant = one.installation_class is InstallationClass.DORMANT

    def values(device: InstalledDevice) -> dict[str, Any]:
        gas = device.role in _GAS
        told: dict[str, Any] = {"supplier": people.gas if split and gas else people.electricity}
        if device.role in _METERS:
            told["payment_mode"] = _MODES[one.payment_mode]
            dormant = all_dormant or (mixed and gas)
            told["dormancy"] = one.dormancy if dormant else None
        if device.role in models:
            model = models[device.role]
            told |= {"profile": model.profile, "cpl_entry": model.cpl_entry}
        return told

    kept = _with(home, values)
    left = tuple(
        device
        for device in kept.devices
        if one.ppmid is not SetPpmid.NONE or device.role is not DeviceType.PPMID
    )
    return _checked(kept, ref=ref, devices=left)


def _device_of(there: Mapping[DeviceType, str], device: InstalledDevice) -> dict[str, Any]:
    """Return what the device on a bench is called, where its bench file says so."""
    return {"eui64": there[device.role]} if device.role in there else {}


def _with(home: Installation, values: Any) -> Installation:
    return _checked(home, devices=tuple(one.model_copy(update=values(one)) for one in home.devices))


def _checked(home: Installation, **values: Any) -> Installation:
    """Return a home with other values, looked at as a file's would be."""
    told = {name: getattr(home, name) for name in Installation.model_fields} | values
    return Installation(**told)


def _refuse_shared(definition: Definition, found: Iterable[Installation]) -> None:
    """Refuse two homes with one device: a file that was named twice, or a stock home beside it."""
    owner: dict[str, str] = {}
    for home in found:
        for device in home.devices:
            other = owner.setdefault(device.eui64, home.ref)
            if other != home.ref:
                raise UsageError(
                    f"{device.eui64} stands in {other} and in {home.ref}",
                    where=str(definition.path),
                    cause="one installation file for two sets, or homes of the stock made with"
                    " this seed",
                    next_command="another run.seed, or other files",
                )
