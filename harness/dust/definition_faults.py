"""What goes wrong in a run by its definition: in all homes, in some, in the files of one day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.door import flood
from harness.dust.definition import Definition
from harness.dust.definition_words import GAS_SILENT, SetShape
from harness.migration import volume_faults
from harness.migration.misconduct import AT, Misconduct
from harness.migration.script import Script, Tamper, When
from harness.migration.volume_faults import Trouble
from harness.migration.volume_shared import refuse_unknown

_HOME: Final = "home"
#: Stands for the home at a step of which something happens (``Script.play``).
_THIS_ONE: Final = "{ref}"


@dataclass(frozen=True, slots=True)
class DayTrouble:
    """What goes wrong on one migration day.

    Attributes:
        trouble: Orders on links in force from the beginning, and the day's script; a home that is
            meant stands in the place (``GSME@REF``, ``@REF``) and in the order (``home=REF``).
    """

    trouble: Trouble


def defects_of(definition: Definition) -> tuple[str, ...]:
    """Return the defects of a run: ``NAME``, or ``NAME@REF`` where one home alone is meant."""
    found = [*definition.faults.defects]
    for table in definition.home_faults:
        for name in table.defects:
            if name not in definition.faults.defects:
                found += [f"{name}{AT}{ref}" for ref in definition.refs_of(table)]
    return tuple(dict.fromkeys(found))


def put_in(definition: Definition) -> tuple[str, ...]:
    """Return a sentence on the defects of a run, for what it does not prove; none without."""
    names = defects_of(definition)
    return (f"Defects put in on purpose: {', '.join(names)}.",) if names else ()


def is_flood(order: str) -> bool:
    """Say whether an order of a definition is a flood of alerts, and no fault of ``--fault``."""
    return order.partition(":")[0] == flood.NAME


def floods_of(definition: Definition, day: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the floods that begin when a migration day has been played: order and homes.

    Args:
        definition: The definition.
        day: Migration day, from 1.
    """
    everywhere = [(order, definition.refs) for order in definition.faults.faults if is_flood(order)]
    some = [
        (order, definition.refs_of(table))
        for table in definition.home_faults
        if table.day in {None, day}
        for order in table.faults
        if is_flood(order)
    ]
    return (*everywhere, *some)


def _on_devices(orders: Sequence[str]) -> list[str]:
    return [order for order in orders if not is_flood(order)]


def trouble_of(definition: Definition, day: int, refs: tuple[str, ...]) -> DayTrouble:
    """Return what goes wrong on a migration day.

    Args:
        definition: The definition.
        day: Migration day, from 1.
        refs: The homes that migrate on it; faults of others are left out.

    Raises:
        UsageError: A fault means nothing.
    """
    on_links: list[str] = []
    orders: dict[When, tuple[str, ...]] = {}
    files: dict[str, Tamper] = {}
    whole = volume_faults.parse(_on_devices(definition.faults.faults), known=refuse_unknown)
    on_links += whole.on_links
    _add(orders, whole.script, "")
    files.update(whole.script.files)
    for table in definition.home_faults:
        if table.day not in {None, day}:
            continue
        found = volume_faults.parse(_on_devices(table.faults), known=refuse_unknown)
        meant = [ref for ref in definition.refs_of(table) if ref in refs]
        if meant:
            files.update(found.script.files)
        for ref in meant:
            on_links += [in_home(order, ref) for order in found.on_links]
            _add(orders, found.script, ref)
    for ref in _left_gas(definition, refs):
        _add(orders, volume_faults.parse([GAS_SILENT], known=refuse_unknown).script, ref)
    omits = Misconduct.of(defects_of(definition)).omits
    return DayTrouble(Trouble(tuple(on_links), Script(orders, files, omits=omits)))


def _left_gas(definition: Definition, refs: tuple[str, ...]) -> list[str]:
    """Return the homes whose GSME is left out, as their set's shape says."""
    sets = [one for one in definition.devices if one.shape is SetShape.GSME_EXCLUDED]
    return [ref for one in sets for ref in one.refs if ref in refs]


def _add(orders: dict[When, tuple[str, ...]], script: Script, ref: str) -> None:
    """Add a script's orders, for one home where a ref is given; else for each at its own steps.

    Homes are worked at side by side: what happens at a step of one is not for the others.
    """
    for (moment, step, device), told in script.orders.items():
        place = f"{device}@{ref}" if ref else device
        when = (moment, step, place)
        mine = tuple(in_home(order, ref or _THIS_ONE) for order in told)
        orders[when] = (*orders.get(when, ()), *mine)


def in_home(order: str, ref: str) -> str:
    """Return an order of ``--fault`` for one home only."""
    head, at, link = order.rpartition("@")
    name, colon, keys = head.partition(":")
    named = [key.partition("=")[0] for key in keys.split(",") if key]
    if _HOME in named:
        return order
    return f"{name}:{f'{keys},' if colon and keys else ''}{_HOME}={ref}{at}{link}"
