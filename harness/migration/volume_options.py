"""What was chosen for a migration run, as its journal keeps it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from device_profiles.cohort import Cohort, HandoverOrder, load_cohort
from device_profiles.files import reading_once
from device_profiles.installation import Installation, check_profiles, load_many
from harness.data_files import reading_data
from harness.errors import UsageError
from harness.files import read_octets

#: Key of the choices inside the run's options; its being there says what kind of run it is.
KEY: Final = "migration"
#: Installations whose frames go into the capture; see ``Capture`` in ``volume_capture``.
CAPTURED: Final = 10
#: Largest installation file read: 100,000 dual-fuel homes are 90 MiB of TOML.
_MAX_BYTES: Final = 256 * 1024 * 1024
#: ``--order`` -> where the cohort's hand-over stands.
ORDERS: Final = {
    "A": HandoverOrder.BEFORE_FILE_PROCESSING,
    "B": HandoverOrder.AFTER_COMMON_FILE,
}


@dataclass(frozen=True, slots=True)
class VolumeOptions:
    """Choices of a migration run.

    Attributes:
        cohort: Cohort key, or path of its file.
        installations: Installation file, or name of a shipped one.
        sha256: Of that file's octets; empty for a shipped one.
        seed: Seed of every octet of chance.
        faults: As given with ``--fault``.
        defects: Conditions of devices, as given with ``--defect``.
        order: ``A`` or ``B`` in the cohort's stead; empty: the cohort's own.
        data: Overlay folders, the strongest last.
        captured: Of how many installations frames are captured.
        with_identifiers: Whether reports may show EUI-64s and MPxNs.
        watched: Whether both parties' keys are tried on each device after every step.
    """

    cohort: str
    installations: str
    sha256: str = ""
    seed: int = 1
    faults: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    order: str = ""
    data: tuple[Path, ...] = ()
    captured: int = CAPTURED
    with_identifiers: bool = False
    watched: bool = False

    def dump(self) -> dict[str, Any]:
        """Return the choices as JSON values; paths are made whole, for a resume elsewhere."""
        return {
            KEY: {
                "cohort": _whole(self.cohort, ".toml"),
                "installations": _whole(self.installations, ".toml", ".csv"),
                "sha256": self.sha256,
                "order": self.order,
                "captured": self.captured,
                "watched": self.watched,
            },
            "seed": self.seed,
            "faults": list(self.faults),
            "defects": list(self.defects),
            "data": [str(folder.resolve()) for folder in self.data],
            "with_identifiers": self.with_identifiers,
        }

    @classmethod
    def load(cls, plain: dict[str, Any]) -> Self:
        """Return the choices a journal holds."""
        return cls(
            **plain[KEY],
            seed=plain["seed"],
            faults=tuple(plain["faults"]),
            defects=tuple(plain["defects"]),
            data=tuple(Path(folder) for folder in plain["data"]),
            with_identifiers=plain["with_identifiers"],
        )


def _whole(name: str, *suffixes: str) -> str:
    return str(Path(name).resolve()) if Path(name).suffix.lower() in suffixes else name


@dataclass(frozen=True, slots=True)
class Batch:
    """What a migration run is about, read once.

    Attributes:
        cohort: The cohort, its hand-over order as chosen.
        homes: The installations, in the order of their file.
    """

    cohort: Cohort
    homes: tuple[Installation, ...] = field(repr=False)


def settled(options: VolumeOptions) -> VolumeOptions:
    """Return the options with the fingerprint of their installation file.

    Raises:
        UsageError: The file cannot be read.
    """
    return replace(options, sha256=_fingerprint(options.installations))


def load_batch(options: VolumeOptions) -> Batch:
    """Read cohort and installations, and see to it that they belong together.

    Raises:
        UsageError: A file cannot be read or is wrong; there is no installation; one is of another
            cohort; the order is none, or the cohort has no hand-over to order; the installations
            are others than when the run began.
    """
    with reading_data(), reading_once():
        cohort = load_cohort(options.cohort, options.data)
        homes = load_many(options.installations, options.data)
        for home in homes:
            check_profiles(home, options.data)
    if options.sha256 and options.sha256 != _fingerprint(options.installations):
        raise UsageError(
            "the installation file is another one than when the run began",
            where=options.installations,
            cause="it was edited or replaced since",
            next_command="smetsbench migration run … --out NEW-FOLDER",
        )
    _refuse_strangers(cohort, homes)
    return Batch(_ordered(cohort, options.order), homes)


def _fingerprint(name: str) -> str:
    path = Path(name)
    if path.suffix.lower() not in {".toml", ".csv"}:
        return ""
    return hashlib.sha256(read_octets(path, _MAX_BYTES)).hexdigest()


def _refuse_strangers(cohort: Cohort, homes: Sequence[Installation]) -> None:
    if not homes:
        raise UsageError(
            "there is no installation to migrate",
            where="--installations",
            cause="an empty file",
            next_command=f"smetsbench installations new --cohort {cohort.key} --out FILE",
        )
    for home in homes:
        if home.cohort not in {None, cohort.key}:
            raise UsageError(
                f"the installation is of cohort {home.cohort}, not {cohort.key}",
                where=home.ref,
                cause="a file of another cohort",
                next_command=f"smetsbench installations new --cohort {cohort.key} --out FILE",
            )


def _ordered(cohort: Cohort, order: str) -> Cohort:
    if not order:
        return cohort
    wanted = ORDERS.get(order.upper())
    folded = cohort.handover.order is HandoverOrder.FOLDED
    if wanted is None or folded:
        raise UsageError(
            f"there is no order {order!r}"
            if wanted is None
            else f"cohort {cohort.key} has no hand-over of its own to put in order {order}",
            where="--order",
            cause="the orders are A (before the files are read) and B (after the MCF's checks)",
            next_command="smetsbench migration run --help",
        )
    handover = cohort.handover.model_copy(update={"order": wanted})
    return cohort.model_copy(update={"handover": handover})
