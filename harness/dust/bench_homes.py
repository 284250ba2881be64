"""The homes of a run that stand on benches: which, where, and what keeps some from being played."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from harness.bench_offer import Standing
from harness.benches import RUN_BENCHES
from harness.dust.chronicle import Chronicle
from harness.dust.definition import Definition
from harness.dust.definition_models import DeviceSet
from harness.dust.events import Level
from harness.dust.record import Header
from harness.errors import BenchError
from harness.migration.record import InstallationRecord
from harness.setting import named

#: How what is told of a home begins that cannot be played.
SKIPPED: Final = "SKIPPED"
#: What a run on benches leaves open, beside all that its homes do.
_NO_OCTETS: Final = (
    "Homes of this run stood on benches: it is not claimed that a second run with the same seed"
    " gives the same octets (captures of lines, and after a resume the device's own log, differ)."
)
_NOT_PUT_BACK: Final = (
    "What real devices remember is their own: nothing of it was put back, neither before the run"
    " nor by a resume."
)


@dataclass(frozen=True, slots=True)
class BenchHomes:
    """Where the homes of a run stand; those that are not named are emulated throughout.

    Attributes:
        standings: Home -> what of it stands on its bench.
    """

    standings: Mapping[str, Standing] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, Path]:
        """Home that is played on a bench -> bench file."""
        return {ref: one.file for ref, one in self.standings.items() if not one.lacks}

    @property
    def skipped(self) -> dict[str, str]:
        """Home that cannot be played -> why, and what to do."""
        return {ref: one.skipped for ref, one in self.standings.items() if one.lacks}

    def playable(self, homes: Iterable[Installation]) -> tuple[Installation, ...]:
        """Return the homes that can be played."""
        return tuple(one for one in homes if one.ref not in self.skipped)

    def told(self) -> dict[str, str]:
        """Return home -> what of it stands where, in words; skipped ones say why."""
        skipped = self.skipped
        return {
            ref: f"{SKIPPED}: {skipped[ref]}" if ref in skipped else str(one)
            for ref, one in self.standings.items()
        }

    def remarks(self) -> tuple[str, ...]:
        """Return sentences for a plan: what stands on benches, what is skipped."""
        return tuple(f"{ref}: {what}" for ref, what in self.told().items())

    def not_proven(self) -> tuple[str, ...]:
        """Return sentences on what a run with these homes leaves open."""
        if not self.standings:
            return ()
        skipped = [f"Home {ref} was not played: {why}." for ref, why in self.skipped.items()]
        beside = [
            f"Home {ref} stood on {one}." for ref, one in self.standings.items() if not one.lacks
        ]
        real = any(one.is_real and not one.lacks for one in self.standings.values())
        return (*beside, *skipped, _NO_OCTETS, *((_NOT_PUT_BACK,) if real else ()))

    def found(self, bench: Any) -> dict[str, str]:
        """Return home -> who its devices on lines say they are; skipped ones say why.

        Args:
            bench: The run's bench, opened.
        """
        said = getattr(bench, "found", {})
        return {
            ref: "; ".join(
                [what, *(f"{role} says {who}" for role, who in said.get(ref, {}).items())]
            )
            for ref, what in self.told().items()
        }

    def not_played(self, bench: Any) -> dict[str, str]:
        """Return home -> why it was not played: its bench lacks something, or a guard refused.

        Args:
            bench: The run's bench.
        """
        return {**self.skipped, **getattr(bench, "refused", {})}

    def triable(
        self, records: Mapping[str, InstallationRecord], bench: Any
    ) -> dict[str, InstallationRecord]:
        """Return the records of homes that may be tried again: nothing was refused there."""
        refused = self.not_played(bench)
        return {ref: one for ref, one in records.items() if ref not in refused}

    def watch(self, bench: Any, chronicle: Chronicle) -> None:
        """Have the chronicle told of whatever the guard of a real device refuses."""
        if self.files:
            bench.on_refused = lambda ref, why: chronicle.tell(
                "skipped", why, level=Level.WARNING, ref=ref
            )

    def refuse_empty(self, homes: Sequence[Installation]) -> None:
        """Refuse a run none of whose homes can be played.

        Raises:
            BenchError: That is so.
        """
        if homes and not self.playable(homes):
            first = next(iter(self.standings.values()))
            raise BenchError(
                f"no home of this run can be played: {first.ref} {first.skipped}",
                where=str(first.file),
                cause="every device set is bound to a bench that lacks something",
                next_command=first.next_command,
            )


def told_of(header: Header, not_played: Mapping[str, str]) -> Header:
    """Return the head of a run's reports with what was refused on its benches since it began."""
    fresh = {
        ref: f"{header.benches.get(ref, '')}; {SKIPPED}: {why}"
        for ref, why in not_played.items()
        if SKIPPED not in header.benches.get(ref, "")
    }
    return replace(header, benches={**header.benches, **fresh}) if fresh else header


def look_at(definition: Definition, homes: Sequence[Installation]) -> BenchHomes:
    """Return where the homes of a run stand; opens no port.

    Raises:
        UsageError: A bench file cannot be used.
    """
    found: dict[str, Standing] = {}
    for one in definition.devices:
        if one.bench:
            mine = [home for home in homes if home.ref in one.refs]
            ask = named(RUN_BENCHES["standing"])
            for standing in ask(definition.place(one.bench), mine, definition.overlays):
                found[standing.ref] = standing
    return BenchHomes(found)


def on_bench(definition: Definition, one: DeviceSet) -> Mapping[DeviceType, str]:
    """Return the EUI-64s of the devices on a set's bench that its file names.

    Raises:
        UsageError: The bench file cannot be used.
    """
    if not one.bench:
        return {}
    found: Mapping[DeviceType, str] = named(RUN_BENCHES["named"])(
        definition.place(one.bench), definition.overlays
    )
    return found
