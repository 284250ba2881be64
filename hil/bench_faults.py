"""Which faults and defects of a run go to which loopback child; real lines take none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.core import faults as fault_orders
from emulator.core.faults import Fault, FaultError
from harness.errors import UsageError
from harness.run_options import RunOptions
from harness.setting import Setting
from hil.bench_file import LoadedBench
from hil.endpoints import EndpointKind

_LINE: Final = "line"


@dataclass(frozen=True, slots=True)
class Routes:
    """Where the faults of a run go.

    Attributes:
        children: Device type -> faults of its child, as they were ordered.
        nowhere: The scenario's own faults that nobody on this bench can make.
    """

    children: dict[DeviceType, tuple[str, ...]]
    nowhere: tuple[str, ...]


def routes(loaded: LoadedBench, options: RunOptions) -> Routes:
    """Return where the faults of a run go.

    Faults on ``line`` go to every loopback child, those on a device to its own. What a person
    ordered must go somewhere; what the scenario brings along may not, and is then its need.

    Raises:
        UsageError: A fault means nothing, or was ordered and can be made nowhere here; a defect
            was ordered and there is no loopback device.
    """
    children = loaded.of(EndpointKind.LOOPBACK)
    _refuse_defects(loaded, options)
    own = _own_faults(options)
    ordered = options.faults[: len(options.faults) - len(own)]
    found: dict[DeviceType, list[str]] = {role: [] for role in children}
    nowhere: list[str] = []
    for text in options.faults:
        roles = _roles(_parsed(text), list(children))
        for role in roles:
            found[role].append(text)
        if not roles:
            nowhere.append(text)
    stranded = [text for text in ordered if text in nowhere]
    if stranded:
        raise UsageError(
            f"nobody on this bench can make the fault {stranded[0]}",
            where=f"--fault, {loaded.path}",
            cause="faults are made by loopback children: on their line, or in the device itself",
            next_command="smetsbench faults",
        )
    return Routes({role: tuple(texts) for role, texts in found.items()}, tuple(nowhere))


def for_child(order: str, role: DeviceType, home: str) -> bool:
    """Say whether an order to disturb a bench concerns the child behind a role, or its line.

    Args:
        order: A fault, or ``clear@LINK``.
        role: The child's device type.
        home: Ref of the home it is in; empty where homes have none.

    Raises:
        UsageError: The order means nothing.
    """
    try:
        cleared = fault_orders.parse_clear(order)
    except FaultError as error:
        raise _meaningless(error) from error
    if cleared is not None:
        return _is_of(cleared, role)
    fault = _parsed(order)
    return _is_of(fault.link, role) and bool(fault_orders.in_home([fault], home))


def _is_of(link: str, role: DeviceType) -> bool:
    return link.partition("-")[0] == _LINE or link == role.lower()


def own_faults(options: RunOptions, role: DeviceType, home: str) -> tuple[str, ...]:
    """Return the faults of a run that go to the child behind a role, beside those of its home."""
    return tuple(text for text in options.faults if for_child(text, role, home))


def _own_faults(options: RunOptions) -> tuple[str, ...]:
    """Return the faults that the scenario brought along; they stand last among all."""
    if not options.scenario:
        return ()
    try:
        own = Setting().scenario(options.scenario).faults
    except UsageError:  # a scenario of somebody's own catalogue
        return ()
    return own if own and options.faults[-len(own) :] == own else ()


def _parsed(text: str) -> Fault:
    try:
        return fault_orders.parse(text)
    except FaultError as error:
        raise _meaningless(error) from error


def _meaningless(error: FaultError) -> UsageError:
    return UsageError(
        f"a fault means nothing: {error}",
        where="--fault",
        cause="a mistyped name, key or link",
        next_command="smetsbench faults",
    )


def _roles(fault: Fault, children: Sequence[DeviceType]) -> list[DeviceType]:
    if fault.link.partition("-")[0] == _LINE:
        return list(children)
    return [role for role in children if role.lower() == fault.link]


def _refuse_defects(loaded: LoadedBench, options: RunOptions) -> None:
    if options.defects and not loaded.of(EndpointKind.LOOPBACK):
        raise UsageError(
            f"nobody on this bench can have the defect {options.defects[0]}",
            where=f"--defect, {loaded.path}",
            cause="defects are built into emulated and loopback devices",
            next_command=f"smetsbench run {options.scenario or 'ID'} --defect NAME",
        )
