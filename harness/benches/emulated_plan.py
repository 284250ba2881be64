"""What an emulated home is built of: choices, plan, and what is said when they cannot be used."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from device_profiles import installation as installations
from device_profiles.errors import DataError
from device_profiles.installation import Installation
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.faults import FaultError
from emulator.crypto.keystore import KeyStore
from emulator.devices.defects import DEFECTS
from emulator.runtime.installation import Emulation, InstallationError, Plan, build
from emulator.runtime.outlet import Outlet
from harness import installed
from harness.benches.refusals import fault_error
from harness.data_files import usage_error
from harness.errors import UsageError
from harness.parties import defects as party_defects
from harness.parties import firmware_defects, migration_defects
from harness.run_keys import keys_of_run
from harness.run_options import RunOptions

#: Name of the shipped installation that is used where none is named.
DEFAULT_INSTALLATION: Final = installed.DEFAULT
#: First moment of an emulated bench unless told otherwise. Source: invented.
DEFAULT_START: Final = from_datetime(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class EmulatedOptions:
    """What to emulate.

    Attributes:
        installation: The home: a loaded one, or the name or path of an installation file.
        seed: Seed of every octet of chance.
        faults: Faults as given with ``--fault``.
        defects: Names of device defects (those of parties are for the parties).
        data_dirs: Overlay folders for device profiles, the strongest last.
        start_at: First moment of the bench.
        keystore: Keys to use where their private part is there; the others are made.
    """

    installation: Installation | str | Path = DEFAULT_INSTALLATION
    seed: int = 1
    faults: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    data_dirs: tuple[Path, ...] = ()
    start_at: UtcMs = DEFAULT_START
    keystore: KeyStore | None = field(default=None, repr=False)


def plan_of(options: EmulatedOptions | RunOptions) -> Plan:
    """Return what is to be built.

    Raises:
        UsageError: The installation or a defect cannot be used.
    """
    if isinstance(options, RunOptions):
        options = _of_run(options)
    refuse_unknown_defects(options.defects)
    return Plan(
        _loaded(options),
        options.seed,
        options.start_at,
        options.faults,
        tuple(name for name in options.defects if name in DEFECTS),
        options.data_dirs,
        options.keystore,
    )


def built(plan: Plan, outlet: Outlet | None = None) -> Emulation:
    """Build a home.

    Args:
        plan: What to build.
        outlet: What carries frames to its devices that are elsewhere.

    Raises:
        UsageError: A profile, a fault or a defect cannot be used.
    """
    try:
        return build(plan, outlet)
    except FaultError as error:
        raise fault_error(error, "--fault") from error
    except DataError as error:
        raise usage_error(error) from error
    except InstallationError as error:
        raise UsageError(
            f"the installation cannot be emulated: {error}",
            where=plan.installation.ref,
            cause="a device model or device type that does not fit",
            next_command="smetsbench profiles",
        ) from error


def _of_run(options: RunOptions) -> EmulatedOptions:
    home = installed.chosen(options)
    return EmulatedOptions(
        home,
        options.seed,
        options.faults,
        options.defects,
        installed.overlays(options),
        keystore=keys_of_run(options, home),
    )


def _loaded(options: EmulatedOptions) -> Installation:
    if isinstance(options.installation, Installation):
        return options.installation
    try:
        return installations.load(options.installation, options.data_dirs)
    except DataError as error:
        raise UsageError(
            f"the installation cannot be used: {error}",
            where=str(options.installation),
            cause="a wrong or missing value, or a name nobody knows",
            next_command="smetsbench installations new --out home.toml",
        ) from error


def refuse_unknown_defects(names: Sequence[str]) -> None:
    """Refuse a defect that no device and no party can have.

    Raises:
        UsageError: There is one.
    """
    known = (DEFECTS, party_defects.DEFECTS, migration_defects.DEFECTS)
    for name in names:
        if not any(name in table for table in known) and name not in firmware_defects.table():
            names = [one for table in (*known, firmware_defects.table()) for one in table]
            near = difflib.get_close_matches(name, names, n=3)
            raise UsageError(
                f"there is no defect {name}",
                where="--defect",
                cause=f"near it: {', '.join(near)}" if near else "a mistyped name",
                next_command="smetsbench faults --defects",
            )
