"""What must fit together in a run definition: names that are used are there, once."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from harness.door import flood
from harness.door.flood import Flood
from harness.dust.definition_models import About, DeviceSet
from harness.dust.definition_refusals import wrong
from harness.dust.definition_words import Environment, Mode, SetShape
from harness.errors import UsageError
from harness.migration import volume_faults
from harness.migration.step_table import load_steps
from harness.migration.volume_faults import Trouble
from harness.migration.volume_shared import refuse_unknown
from harness.rules.migration_capacity import REMAINDERS
from harness.rules.migration_rulebook import load_rule_book
from harness.rules.roles import UserRole

if TYPE_CHECKING:
    from harness.dust.definition import Definition

#: Homes of one run: what the issue asks of the live view, with room to spare.
MAX_HOMES: Final = 5_000


def check(definition: "Definition") -> None:
    """Refuse what does not fit together.

    Raises:
        DataError: Something does not; says the key.
    """
    _names(definition)
    _cohort(definition)
    for key, about in _abouts(definition):
        _about(definition, key, about)
    _sets(definition)
    _capacity(definition)
    _faults(definition)
    _rules(definition)


def _names(definition: "Definition") -> None:
    """Names that must be there once, and waivers of cases that are there."""
    lists = {
        "devices.name": [one.name for one in definition.devices],
        "case.id": [one.id for one in definition.cases],
        "entry.id": [one.id for one in definition.entry],
        "waiver.case": [one.case for one in definition.waivers],
    }
    for key, names in lists.items():
        twice = _twice(names)
        if twice:
            raise wrong(definition, key, f"{twice} stands twice")
    cases = set(lists["case.id"])
    for number, waiver in enumerate(definition.waivers):
        if waiver.case not in cases:
            raise wrong(definition, f"waiver.{number}.case", f"there is no case {waiver.case}")
    if len(definition.refs) > MAX_HOMES:
        why = f"{len(definition.refs)} homes; a run has at most {MAX_HOMES:,}"
        raise wrong(definition, "devices.count", why)


def _cohort(definition: "Definition") -> None:
    """The cohort is one that is migrated (R-004)."""
    facts = definition.cohort.cohort
    if not facts.migratable:
        why = f"GroupID {facts.group_id} is not migrated: {facts.not_migrated_because}"
        raise wrong(definition, "run.cohort", why)


def _abouts(definition: "Definition") -> Iterator[tuple[str, About]]:
    lists: dict[str, Iterable[About]] = {
        "change_of_supplier": definition.changes,
        "early_firmware": definition.early_firmware,
        "fault": definition.home_faults,
        "mistake": definition.mistakes,
        "case": definition.cases,
    }
    for name, tables in lists.items():
        yield from ((f"{name}.{number}", about) for number, about in enumerate(tables))


def _about(definition: "Definition", key: str, about: About) -> None:
    """Sets and homes that a table names are there."""
    sets = {one.name: one for one in definition.devices}
    if about.set and about.set not in sets:
        why = f"there is no device set {about.set} (there are: {', '.join(sets)})"
        raise wrong(definition, f"{key}.set", why)
    known = set(sets[about.set].refs if about.set else definition.refs)
    for ref in about.refs:
        if ref not in known:
            of_set = f" in the set {about.set}" if about.set else ""
            raise wrong(definition, f"{key}.refs", f"there is no home {ref}{of_set}")
    if key.startswith("change_of_supplier") and not about.set and not about.refs:
        raise wrong(definition, f"{key}.set", "name the set, or refs")


def _sets(definition: "Definition") -> None:
    both = {UserRole.IMPORT_SUPPLIER, UserRole.GAS_SUPPLIER} <= set(definition.participant.roles)
    gas_only = UserRole.IMPORT_SUPPLIER not in definition.participant.roles
    for number, one in enumerate(definition.devices):
        key = f"devices.{number}"
        if one.shape is SetShape.ESME_ONLY and gas_only:
            raise wrong(definition, f"{key}.shape", "the participant does not supply electricity")
        if one.shape in {SetShape.DUAL_FUEL, SetShape.GSME_EXCLUDED} and not both:
            why = "one supplier of both fuels needs the roles IS and GS"
            raise wrong(definition, f"{key}.shape", why)
        if one.from_stock and not definition.run.stock:
            raise wrong(definition, f"{key}.from_stock", "run.stock names no stock file")
        _profiles(definition, key, one)
    _environment(definition)


def _profiles(definition: "Definition", key: str, one: DeviceSet) -> None:
    """Models of a set are there, and of their role."""
    for role, name in one.models.items():
        profile = load_profile(name, definition.overlays)
        if profile.device_type is not DeviceType(role):
            why = f"profile {name} is of a {profile.device_type}"
            raise wrong(definition, f"{key}.models.{role}", why)


def _environment(definition: "Definition") -> None:
    bound = [number for number, one in enumerate(definition.devices) if one.bench]
    if definition.run.environment is Environment.EMULATED and bound:
        why = 'a bench binding belongs to environment = "HIL"'
        raise wrong(definition, f"devices.{bound[0]}.bench", why)
    if definition.run.environment is Environment.HIL and not bound:
        why = "no device set has a bench binding: nothing would be on the bench"
        raise wrong(definition, "run.environment", why)
    if definition.participant.mode is Mode.DROP:
        named = definition.participant
        if not named.drop and named.listen == "off":
            why = "neither a file drop nor HTTP: the participant has no way in"
            raise wrong(definition, "participant.drop", why)
        if definition.mistakes:
            why = "mistakes are the simulated supplier's; yours makes its own"
            raise wrong(definition, "mistake", why)


def _faults(definition: "Definition") -> None:
    named = [("faults.faults", fault) for fault in definition.faults.faults]
    for number, table in enumerate(definition.home_faults):
        named += [(f"fault.{number}.faults", fault) for fault in table.faults]
    for key, fault in named:
        try:
            if fault.partition(":")[0] == flood.NAME:
                Flood.parse(fault)
            else:
                _steps(definition, key, volume_faults.parse([fault], known=refuse_unknown))
        except UsageError as error:
            raise wrong(definition, key, f"{fault}: {error.what}") from error
    for number, table in enumerate(definition.home_faults):
        _days(definition, f"fault.{number}.day", table.day)


def _steps(definition: "Definition", key: str, trouble: Trouble) -> None:
    """Steps at which something goes wrong are steps."""
    known = load_steps(definition.overlays)
    for _moment, step, _device in trouble.script.orders:
        if step not in known:
            why = f"there is no step {step} (there are: {', '.join(known)})"
            raise wrong(definition, key, why)


def _capacity(definition: "Definition") -> None:
    """The remainder rule is one, and nobody else has the participant's name."""
    named = definition.capacity
    if named.remainder not in REMAINDERS:
        why = f"there is no rule {named.remainder!r} (there are: {', '.join(REMAINDERS)})"
        raise wrong(definition, "capacity.remainder", why)
    if definition.participant.name in named.other_demand:
        why = "the participant's own demand follows from its homes"
        raise wrong(definition, f"capacity.other_demand.{definition.participant.name}", why)


def _days(definition: "Definition", key: str, day: int | None) -> None:
    if day is not None and day > definition.capacity.days:
        why = f"the run has {definition.capacity.days} migration days"
        raise wrong(definition, key, why)


def _rules(definition: "Definition") -> None:
    """Rules that are disabled or accepted are rules, or values of the cohort with a mark."""
    book = load_rule_book(definition.overlays)
    for number, row in enumerate(definition.disabled_checks):
        if row.id not in book.rules:
            why = f"there is no rule {row.id} (there are: {', '.join(book.rules)})"
            raise wrong(definition, f"disabled_checks.{number}.id", why)
    for rule in definition.rules_accepted:
        if rule not in book.rules and definition.cohort.mark(rule) is None:
            why = f"there is no rule {rule}, nor a value of the cohort's file of that name"
            raise wrong(definition, "rules_accepted", why)


def _twice(names: list[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")
