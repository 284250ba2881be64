"""How a SMETS1 home on the emulated bench is built, by the choices of a run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from device_profiles.errors import DataError
from device_profiles.installation import Installation
from device_profiles.metadata_layout import MetadataMode
from emulator.core.faults import FaultError
from emulator.runtime.installation import InstallationError, Plan
from harness import installed
from harness.benches.emulated_plan import DEFAULT_START
from harness.benches.refusals import fault_error
from harness.data_files import usage_error
from harness.errors import UsageError
from harness.run_options import RunOptions

#: Between a role, or a defect, and the ref of the home that is meant.
OF: Final = "@"
#: Homes that are switched on one after the other are all on by then: sleeping meters wake so
#: often. Source: F-084.
_ROUND_MS: Final = 1_800_000


@contextmanager
def building(where: str) -> Iterator[None]:
    """Say in words what keeps homes from being built.

    Args:
        where: What they are called.

    Raises:
        UsageError: An installation, a profile, a fault or a defect cannot be used.
    """
    try:
        yield
    except FaultError as error:
        raise fault_error(error, "--fault") from error
    except DataError as error:
        raise usage_error(error) from error
    except (InstallationError, ValueError) as error:
        raise UsageError(
            f"the installation cannot be emulated: {error}",
            where=where,
            cause="a device model or device type that does not fit",
            next_command="smetsbench profiles",
        ) from error


def plan_of(
    home: Installation, options: RunOptions, defects: Sequence[str], number: int = 0
) -> Plan:
    """Return how one home is built.

    Args:
        home: The home.
        options: Choices of the run; settings ``metadata_mode``, ``start_at`` and ``gap_ms`` (from
            one home switched on to the next, over half an hour) are read.
        defects: Names of device defects; ``NAME@REF`` is one of one home.
        number: Place of the home among those of the bench.

    Raises:
        UsageError: There is no such metadata mode.
    """
    meant = [name.partition(OF) for name in defects]
    return Plan(
        home,
        options.seed,
        options.settings.get("start_at") or DEFAULT_START,
        options.faults,
        tuple(name for name, _of, ref in meant if ref in {"", home.ref}),
        installed.overlays(options),
        metadata_mode=_mode(options),
        on_after_ms=number * options.settings.get("gap_ms", 0) % _ROUND_MS,
    )


def _mode(options: RunOptions) -> MetadataMode:
    """Return where the hubs of a run find the metadata of images (setting ``metadata_mode``).

    Raises:
        UsageError: There is no such mode.
    """
    wanted = options.settings.get("metadata_mode", MetadataMode.TACTICAL.value)
    try:
        return MetadataMode(wanted)
    except ValueError:
        raise UsageError(
            f"there is no metadata mode {wanted!r}",
            where="setting metadata_mode",
            cause=f"modes are: {', '.join(MetadataMode)}",
            next_command="smetsbench firmware matrix --help",
        ) from None
