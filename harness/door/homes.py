"""Which homes stand behind a door: their files read, sorted by generation, looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device_profiles import installation as installations
from device_profiles.errors import DataError
from device_profiles.installation import Installation
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.errors import UsageError
from harness.rules.migration_rulebook import Switches
from harness.rules.roles import SUPPLIERS, UserRole

_GAS: Final = frozenset({DeviceType.GSME, DeviceType.GPF})


@dataclass(frozen=True, slots=True)
class Homes:
    """The homes behind a door.

    Attributes:
        smets2: Homes whose devices speak GBCS.
        smets1: Homes behind an S1SP, all of one cohort.
        overlays: Folders whose data win, weakest first.
        seed: Seed of every octet of chance.
        disturbances: What happens to them from the beginning on, e.g. ``flood:alerts=10``.
        migrated: Whether the SMETS1 homes stand migrated when the door opens; otherwise under
            their SMSO, until somebody migrates them.
        start_at: First moment of the homes where they do not stand migrated; None: the bench's.
        users: Further suppliers that are service users, of both fuels: who gains a home later.
        switches: Migration rules that are switched off, forced or overridden.
        defects: Named conditions that are built into SMETS1 devices and parties; ``NAME@REF`` is
            that of one home.
        benches: SMETS1 home -> bench file it stands on; all others are emulated.
        folder: Run folder, for what benches themselves keep while it goes; None: there is none.
    """

    smets2: tuple[Installation, ...]
    smets1: tuple[Installation, ...]
    overlays: tuple[Path, ...] = ()
    seed: int = 1
    migrated: bool = True
    start_at: UtcMs | None = None
    disturbances: tuple[str, ...] = ()
    users: tuple[Eui64, ...] = ()
    switches: Switches = field(default_factory=Switches)
    defects: tuple[str, ...] = ()
    benches: Mapping[str, Path] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def all(self) -> tuple[Installation, ...]:
        """Every home."""
        return (*self.smets2, *self.smets1)

    @property
    def suppliers(self) -> dict[Eui64, frozenset[UserRole]]:
        """Every supplier with its roles, in the order the files name them."""
        found: dict[Eui64, set[UserRole]] = {}
        for home in self.all:
            for device in home.devices:
                role = UserRole.GAS_SUPPLIER if device.role in _GAS else UserRole.IMPORT_SUPPLIER
                found.setdefault(Eui64.parse(device.supplier), set()).add(role)
        for user in self.users:
            found.setdefault(user, set()).update(SUPPLIERS)
        return {supplier: frozenset(roles) for supplier, roles in found.items()}

    def setting(self) -> dict[str, object]:
        """Return what a stored state depends on, as JSON values."""
        return {
            "seed": self.seed,
            "homes": [one.model_dump(mode="json") for one in self.all],
            "data": [str(folder.resolve()) for folder in self.overlays],
            "migrated": self.migrated,
            "disturbances": list(self.disturbances),
            "start_at": self.start_at,
            "defects": list(self.defects),
            "benches": {ref: str(one.resolve()) for ref, one in self.benches.items()},
            "users": [str(one) for one in self.users],
            "switches": [
                sorted(one)
                for one in (
                    self.switches.disabled,
                    self.switches.forced,
                    self.switches.overridden,
                )
            ],
        }


def load_homes(names: Sequence[str], overlays: tuple[Path, ...] = (), seed: int = 1) -> Homes:
    """Load the homes of installation files (or shipped ones by name).

    Raises:
        UsageError: A file cannot be used, or the homes do not go together.
    """
    found: list[Installation] = []
    for name in names:
        try:
            loaded = installations.load_many(name, overlays)
            for one in loaded:
                installations.check_profiles(one, overlays)
        except DataError as error:
            raise _unusable(str(error), name, "a wrong or missing value, or a mistyped name") from (
                error
            )
        found += loaded
    _refuse_twice(found)
    of_smets1 = [one for one in found if _is_smets1(one, overlays)]
    cohorts = sorted({one.cohort or "" for one in of_smets1})
    if len(cohorts) > 1 or (cohorts and not cohorts[0]):
        raise _unusable(
            f"SMETS1 homes of the cohorts {', '.join(one or '(none)' for one in cohorts)}",
            "--installation",
            "one door has one S1SP: its SMETS1 homes are of one cohort, which their files name",
        )
    others = [one for one in found if one not in of_smets1]
    return Homes(tuple(others), tuple(of_smets1), overlays, seed)


def _is_smets1(home: Installation, overlays: tuple[Path, ...]) -> bool:
    hub = load_profile(home.of(DeviceType.CHF)[0].profile, overlays)
    return hub.identity.smets is SmetsVersion.SMETS1


def _refuse_twice(homes: Sequence[Installation]) -> None:
    seen: dict[str, str] = {}
    for home in homes:
        for name in (home.ref, *(device.eui64 for device in home.devices)):
            if name in seen:
                raise _unusable(
                    f"{name} stands in {seen[name]} and in {home.ref}",
                    "--installation",
                    "the same home twice, or two files made with the same seed",
                )
        seen |= dict.fromkeys((home.ref, *(device.eui64 for device in home.devices)), home.ref)
    if not homes:
        raise _unusable("no installation is named", "--installation", "an empty file")


def _unusable(why: str, where: str, cause: str) -> UsageError:
    return UsageError(
        f"the installation cannot be used: {why}",
        where=where,
        cause=cause,
        next_command="smetsbench installations new --out home.toml",
    )
