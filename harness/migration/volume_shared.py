"""What all installations of a migration run share in one process: choices, faults, data, chance."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.core import faults as fault_orders
from emulator.core.chance import Chance, Stream
from emulator.core.clock import UtcMs
from emulator.core.faults import FaultError
from emulator.crypto.keystore import KeyStore
from harness.errors import UsageError
from harness.formats.migration_files.words import FileType
from harness.migration import volume_faults
from harness.migration.file_set import Tamper
from harness.migration.office import Office
from harness.migration.script import Script
from harness.migration.terms import Terms
from harness.migration.volume_faults import Trouble
from harness.migration.volume_options import Batch, VolumeOptions, load_batch
from harness.setting import crash_fault


def refuse_unknown(order: str) -> None:
    """Refuse a fault that means nothing.

    Raises:
        UsageError: It is one.
    """
    name, _, link = order.partition("@")
    if name == fault_orders.CLEAR and link in fault_orders.PLACES:
        return
    try:
        fault_orders.parse(order)
    except FaultError as error:
        raise UsageError(
            f"a fault means nothing: {error}",
            where=f"--fault {order}",
            cause="a mistyped name, key or link",
            next_command="smetsbench faults",
        ) from error


class ScopedChance(Chance):
    """Chance of one chunk or home: streams of the same name elsewhere give other octets."""

    def __init__(self, seed: int, scope: str) -> None:
        super().__init__(seed)
        self._scope = scope

    def stream(self, name: str) -> Stream:
        """Return the stream of that name within the scope."""
        return super().stream(f"{self._scope}/{name}")

    def dump(self) -> dict[str, int]:
        """Return the position of every stream used so far, by its name within the scope."""
        cut = len(self._scope) + 1
        return {name[cut:]: position for name, position in super().dump().items()}


@dataclass(slots=True)
class StillClock:
    """A clock of a desk: nothing happens there but what is done at it."""

    at: UtcMs

    def now(self) -> UtcMs:
        """Return the moment."""
        return self.at

    async def sleep_until(self, at: UtcMs) -> None:
        """Move on to ``at``; never back."""
        self.at = max(self.at, at)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all chunks of a round have in common.

    Attributes:
        options: Choices of the run.
        batch: Cohort and installations.
        told: What was asked of the round, its number (``round``), and when it begins (``at``).
        trouble: What goes wrong.
        terms: Data read once: lists, rules, keys.
    """

    options: VolumeOptions
    batch: Batch
    told: Mapping[str, Any]
    trouble: Trouble
    terms: Terms = field(repr=False)

    @classmethod
    def load(cls, about: Mapping[str, Any]) -> "Shared":
        """Read it all.

        Args:
            about: ``options`` as the journal holds them, the ``batch`` that they name, and what was
                ``told`` of the round.
        """
        options = VolumeOptions.load(about["options"])
        batch, told = about["batch"], about["told"]
        faults = crash_fault(options.faults)[0]
        trouble = volume_faults.parse(faults, known=refuse_unknown)
        if told["round"]:
            trouble = replace(trouble, script=Script(trouble.script.orders))  # files: spoilt once
        terms = Terms(overlays=options.data, order=batch.cohort.handover.order)
        clock, chance = StillClock(UtcMs(0)), Chance(options.seed)
        office = Office.open(clock, chance, batch.cohort, batch.homes, terms)
        kept = replace(
            terms,
            lists=office.lists,
            book=office.book,
            keystore=office.keys.store,
            start=office.clock.now(),
        )
        return cls(options, batch, told, trouble, kept)

    @property
    def round(self) -> int:
        """Number of the round, from 0."""
        found: int = self.told["round"]
        return found

    def terms_of(self, counter: int) -> Terms:
        """Return the terms of an office whose first file set has this counter."""
        return replace(self.terms, first_counter=counter)

    def spoils(self) -> dict[FileType, Tamper]:
        """Return what happens to migration files on their way."""
        return {FileType(kind): spoil for kind, spoil in self.trouble.script.files.items()}


def certificates(options: VolumeOptions) -> KeyStore:
    """Return the public keys and certificates of all parties of a run; no private key is in it.

    Raises:
        UsageError: Cohort or installations cannot be read any more.
    """
    batch = load_batch(options)
    terms = Terms(overlays=options.data, order=batch.cohort.handover.order)
    clock, chance = StillClock(UtcMs(0)), Chance(options.seed)
    return Office.open(clock, chance, batch.cohort, batch.homes, terms).keys.store.public()
