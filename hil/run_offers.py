"""What of the homes of a run can stand on a bench file's bench, said without opening anything."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from harness.bench_offer import Lack, Standing
from harness.migration.site import MANAGEMENT
from hil.bench_file import LoadedBench, load_bench
from hil.endpoints import EndpointKind
from hil.home import foreign

_LINE: Final = 'a line of its own: endpoint = "loopback:PROFILE" or "serial:PORT"'
#: Source: docs/bench.md section 9 (how long the wall waits for a day of devices behind a dongle).
_DONGLE: Final = (
    "a scenario: behind a dongle devices take their time, and a run of days would take hours"
)
_RECORDING: Final = "a device: a recording answers what was asked when it was made"


def named(file: Path, data: Sequence[Path] = ()) -> Mapping[DeviceType, str]:
    """Return the EUI-64s that a bench file names: its device of that type is this one.

    Raises:
        UsageError: The bench file cannot be used.
    """
    roles = load_bench(file, data).content.roles
    return {role: one.eui64 for role, one in roles.items() if one.eui64 is not None}


def standing(
    file: Path, homes: Sequence[Installation], data: Sequence[Path] = ()
) -> tuple[Standing, ...]:
    """Return what of each home stands on a bench, and what keeps it from being played there.

    Raises:
        UsageError: The bench file cannot be used.
    """
    loaded = load_bench(file, data)
    return tuple(_of(loaded, home) for home in homes)


def _of(loaded: LoadedBench, home: Installation) -> Standing:
    roles, here = loaded.content.roles, {one.role for one in home.devices}
    lacks = tuple(_lacks(loaded, home))
    return Standing(
        home.ref,
        loaded.path,
        loaded.content.bench.name,
        {role: str(roles[role].where) for role in loaded.on_lines() if role in here},
        is_real=bool(loaded.of(EndpointKind.SERIAL)),
        lacks=lacks,
        next_command=_next(loaded) if lacks else "",
    )


def _lacks(loaded: LoadedBench, home: Installation) -> Iterator[Lack]:
    if loaded.content.dongles:
        yield Lack("dongle", _DONGLE)
        return
    if not loaded.on_lines():
        yield Lack("line", _LINE)
        return
    for role in loaded.of(EndpointKind.REPLAY):
        yield Lack(role.value, _RECORDING)
    for role, section in loaded.of(EndpointKind.SERIAL).items():
        if section.eui64 is None:
            yield Lack(role.value, f"roles.{role}.eui64, which smetsbench bench probe reads")
        if MANAGEMENT not in section.credentials:
            yield Lack(role.value, f"[roles.{role}.credentials.{MANAGEMENT}]: the SMSO's keys")
    yield from foreign(loaded, {"homes": (home,)})


def _next(loaded: LoadedBench) -> str:
    if loaded.content.dongles:
        return f"smetsbench run MIG-001 --bench {loaded.path}"
    if any(one.eui64 is None for one in loaded.of(EndpointKind.SERIAL).values()):
        return f"smetsbench bench probe {loaded.path}"
    return f"smetsbench bench check {loaded.path}, and the set's count and models"
