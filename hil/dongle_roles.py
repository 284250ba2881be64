"""How dongles and roles of a bench file fit together: one rule after the other."""

from collections.abc import Mapping
from typing import Final

from device_profiles.words import DeviceType
from hil.bench_fields import refuse
from hil.dongle_sections import DongleSection
from hil.endpoints import Endpoint, EndpointKind
from hil.zigbee.guard import Role

_HUB: Final = frozenset({DeviceType.CHF.value, DeviceType.GPF.value})
#: What may stand beside a dongle in one bench.
_BESIDE: Final = frozenset({EndpointKind.DONGLE, EndpointKind.EMULATED})


def refuse_misfits(dongles: Mapping[str, DongleSection], roles: Mapping[str, str]) -> None:
    """Refuse roles and dongles that do not go together.

    Args:
        dongles: The dongles by name.
        roles: Role -> its endpoint as it is written.

    Raises:
        PydanticCustomError: They do not, and why.
    """
    read = {role: Endpoint.parse(text) for role, text in roles.items()}
    behind = {role: one.target for role, one in read.items() if one.kind is EndpointKind.DONGLE}
    for role, name in behind.items():
        if name not in dongles:
            known = ", ".join(dongles) or "none"
            raise refuse("inconsistent", f"roles.{role}: no [dongles.{name}]; there are: {known}")
        _refuse_role(role, name, dongles[name])
    ends = sorted(name for name, one in dongles.items() if one.role is not Role.OBSERVER)
    if len(ends) > 1:
        raise refuse("inconsistent", f"dongles {', '.join(ends)}: a bench has one hub or one node")
    if not ends:
        return
    _refuse_beside(ends[0], read)
    _refuse_shared(dongles)
    own = dongles[ends[0]]
    if own.role is Role.NODE:
        _refuse_node(ends[0], read)


def _refuse_role(role: str, name: str, dongle: DongleSection) -> None:
    is_hub = role in _HUB
    if dongle.role is Role.OBSERVER:
        raise refuse(
            "inconsistent", f"roles.{role}: nobody is reached through an observer ({name})"
        )
    if dongle.role is Role.HUB and is_hub:
        raise refuse(
            "inconsistent", f"roles.{role}: {name} is the hub itself; write emulated:PROFILE"
        )
    if dongle.role is Role.NODE and not is_hub:
        raise refuse("inconsistent", f"roles.{role}: {name} is a node; behind it is a CHF, its hub")


def _refuse_beside(name: str, roles: Mapping[str, Endpoint]) -> None:
    for role, one in roles.items():
        if one.kind not in _BESIDE:
            raise refuse("inconsistent", f"roles.{role}: {one.kind} cannot stand beside {name}")


def _refuse_shared(dongles: Mapping[str, DongleSection]) -> None:
    ports: dict[str, str] = {}
    for name, one in dongles.items():
        other = ports.setdefault(one.where.target, name) if one.is_real else name
        if other != name:
            raise refuse("inconsistent", f"dongles {other} and {name} have the same port")


def _refuse_node(name: str, roles: Mapping[str, Endpoint]) -> None:
    own = [role for role, one in roles.items() if one.kind is EndpointKind.EMULATED]
    if len(own) != 1:
        raise refuse(
            "missing-key",
            f"dongles.{name}: a node is one device: one role with emulated:PROFILE says which",
        )
