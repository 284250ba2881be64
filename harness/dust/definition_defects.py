"""Defects that a run can build in, of devices and parties: known, of one home or of all."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from harness.dust.definition_refusals import wrong
from harness.dust.definition_words import SetPpmid, SetShape
from harness.dust.new_cases import hands_over
from harness.migration.misconduct import is_for_all, is_without_effect
from harness.migration.steps import FOLDED_STEPS
from harness.parties import defects as smets2_parties
from harness.parties import firmware_defects
from harness.parties.migration_defects import DEFECTS as OF_PARTIES

if TYPE_CHECKING:
    from harness.dust.definition import Definition
    from harness.dust.definition_models import DeviceSet

#: Imported when asked for: it loads every device.
_EMULATED: Final = "harness.benches.emulated_plan"
#: What the names of defects begin with that the devices of a migration can have.
_SMETS1: Final = "s1-"
#: Lists what can be built in.
LIST: Final = "smetsbench faults --defects"


def of_devices() -> dict[str, str]:
    """Return the defects that SMETS1 devices can have: name -> what they do."""
    table = import_module(_EMULATED).DEFECTS
    return {name: one.sentence for name, one in table.items() if name.startswith(_SMETS1)}


def of_parties() -> dict[str, str]:
    """Return the defects of parties that a run can show: name -> what they do."""
    return {name: one.sentence for name, one in OF_PARTIES.items() if not is_without_effect(name)}


def can_be_of_one_home(name: str) -> bool:
    """Say whether a defect may stand in ``[[fault]]``."""
    return name not in OF_PARTIES or not is_for_all(name)


def check_defects(definition: "Definition") -> None:
    """Refuse defects that nothing has, and those that would be built into nothing.

    Raises:
        DataError: There is one; says the key.
    """
    for key, names, refs, is_everywhere in _told(definition):
        for name in names:
            why = (
                _objection(name, everywhere=is_everywhere)
                or _no_step(definition, name)
                or _no_device(definition, name, refs)
            )
            if why:
                raise wrong(definition, key, f"{name}: {why}")


def _told(
    definition: "Definition",
) -> Iterator[tuple[str, Sequence[str], Sequence[str], bool]]:
    yield "faults.defects", definition.faults.defects, definition.refs, True
    for number, table in enumerate(definition.home_faults):
        yield f"fault.{number}.defects", table.defects, definition.refs_of(table), False


def _objection(name: str, *, everywhere: bool) -> str:
    if name in OF_PARTIES:
        why = is_without_effect(name)
        for_all = "" if everywhere or why else is_for_all(name)
        return why or (f"{for_all}; it stands in [faults] defects" if for_all else "")
    if name.startswith(_SMETS1) and name in of_devices():
        return ""
    return _unknown(name)


def _unknown(name: str) -> str:
    whole = import_module(_EMULATED).DEFECTS
    if name in smets2_parties.DEFECTS or name in whole:
        return f"a defect of SMETS2+ homes; a run's homes are SMETS1 ({LIST} lists what it knows)"
    if name in firmware_defects.DEFECTS:
        return f"a defect of the firmware rows, which no run asks ({LIST} lists what it knows)"
    known: Mapping[str, str] = of_devices() | of_parties()
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"near it: {', '.join(near)}; " if near else ""
    kinds = f"{_SMETS1}ROLE-… of devices, omits-STEP, rule-off-RULE and others of parties"
    return f"there is no such defect ({meant}known: {kinds}; {LIST} lists them)"


def _no_step(definition: "Definition", name: str) -> str:
    """Return why no home of the cohort takes the step that a defect omits; empty: it may."""
    omits = OF_PARTIES[name].omits if name in OF_PARTIES else frozenset()
    skipped = () if hands_over(definition.cohort) else FOLDED_STEPS
    if not omits or not all(step.startswith(skipped) for step in omits):
        return ""
    return f"cohort {definition.cohort.key} has no hand-over steps: nothing would be omitted"


def _no_device(definition: "Definition", name: str, refs: Sequence[str]) -> str:
    """Return why no home that is meant has the device of a defect; empty: one has, or may have."""
    if not name.startswith(_SMETS1):
        return ""
    role = name.removeprefix(_SMETS1).partition("-")[0].upper()
    sets = {one.name: one for one in map(definition.set_of, refs)}.values()
    return "" if any(may_have(one, role) for one in sets) else f"none of its homes has a {role}"


def may_have(one: "DeviceSet", role: str) -> bool:
    """Say whether a home of a set may have a device of a type."""
    if one.installations or one.from_stock:
        return True
    if role == DeviceType.GSME.value:
        return one.shape is not SetShape.ESME_ONLY
    return role != DeviceType.PPMID.value or one.ppmid is not SetPpmid.NONE
