"""The emulated home around devices on lines: what of a bench file and a scenario makes it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from harness.bench_offer import Lack
from harness.run_options import RunOptions
from harness.setting import named
from hil.bench_file import LoadedBench
from hil.endpoints import EndpointKind

#: What sorts out which defects a device can have; devices themselves are not for us to see.
_OWN_DEFECTS: Final = "harness.cli.emulate:own_defects"
#: World of scenarios whose homes can have devices on lines.
HOME_WORLD: Final = "SMETS1"
#: A home without such a device leaves that role of a bench file alone.
_MAY_BE_LACKING: Final = frozenset({EndpointKind.EMULATED, EndpointKind.DONGLE})
_HOMES: Final = "homes"
_DEFECTS: Final = "defects"
_ANY_DEVICE: Final = "any_device"


def in_home(loaded: LoadedBench, options: RunOptions) -> RunOptions:
    """Return the options of the emulated home: the scenario's, with the models of the bench file.

    A home that the scenario itself describes stays as it is: ``foreign`` says where the bench has
    other devices. The faults of lines are for children; the home has no line.
    """
    faults = tuple(text for text in options.faults if not _on_line(text))
    told = dict(options.settings)
    homes = _homes(told.get(_HOMES))
    if homes:
        told[_HOMES] = (_with_eui64s(homes[0], loaded), *homes[1:])
    else:
        models = {role.value: loaded.model(role) for role in loaded.content.roles}
        told["profiles"] = {**told.get("profiles", {}), **models}
    return replace(options, bench=None, faults=faults, settings=told)


def ref_of(options: RunOptions) -> str:
    """Return what the home is called in which devices stand on lines; empty: it has no name."""
    homes = _homes(options.settings.get(_HOMES))
    return homes[0].ref if homes and options.installation is None else ""


def defects_of(options: RunOptions, role: DeviceType) -> tuple[str, ...]:
    """Return the defects of a run and of its scenario that a device on a line is to have."""
    ref = ref_of(options)
    asked = [*options.defects, *options.settings.get(_DEFECTS, ())]
    meant = [name.partition("@") for name in asked]
    here = tuple(name for name, _of, home in meant if home in {"", ref})
    own: tuple[str, ...] = named(_OWN_DEFECTS)(role, here)
    return own


def foreign(loaded: LoadedBench, settings: Mapping[str, Any]) -> list[Lack]:
    """Return what keeps a scenario's home from standing on a bench: other models, other devices.

    A scenario that takes any device (setting ``any_device``) asks the bench who is there.

    Args:
        loaded: The bench file.
        settings: The scenario's.
    """
    homes = _homes(settings.get(_HOMES))
    if not homes or settings.get(_ANY_DEVICE):
        return []
    return list(_differences(loaded, homes[0]))


def _differences(loaded: LoadedBench, home: Installation) -> Iterator[Lack]:
    for role, section in loaded.content.roles.items():
        here = next(iter(home.of(role)), None)
        if here is None:
            if section.where.kind not in _MAY_BE_LACKING:
                yield Lack(role.value, f"a scenario whose home {home.ref} has a {role}")
            continue
        if section.model_name not in {"", here.profile}:
            yield Lack(
                role.value,
                f"a {role} of the model {here.profile}: the bench's is a {section.model_name}",
            )
        elif section.eui64 is not None and section.eui64 != here.eui64:
            yield Lack(
                role.value, f"a home that has this {role}: {section.eui64}, not {here.eui64}"
            )


def _homes(value: object) -> tuple[Installation, ...]:
    if not isinstance(value, tuple | list):
        return ()
    return tuple(one for one in value if isinstance(one, Installation))


def _with_eui64s(home: Installation, loaded: LoadedBench) -> Installation:
    """Return a home with the devices that the bench file names in the place of its own."""
    named_here = {
        role: section.eui64
        for role, section in loaded.content.roles.items()
        if section.eui64 is not None
    }
    devices = tuple(
        one.model_copy(update={"eui64": named_here[one.role]}) if one.role in named_here else one
        for one in home.devices
    )
    return home.model_copy(update={"devices": devices})


def _on_line(fault: str) -> bool:
    return fault.rpartition("@")[2].partition("-")[0] == "line"
