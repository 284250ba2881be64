"""Firmware clauses of the S1SR as data: which effect is drafted for which device, and in force."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from device_profiles.errors import DanglingReferenceError
from device_profiles.files import SHIPPED, DataFile, Folders, read_toml
from device_profiles.metadata_layout import MetadataMode
from device_profiles.rows import Sentence
from device_profiles.sections import Flag, MarkText, Section
from device_profiles.toml_rows import laid_over
from device_profiles.words import DeviceType

_EFFECT: Final = "effect"
_ANNEX: Final = "annex"


class FirmwareService(enum.StrEnum):
    """The firmware services the clauses speak of."""

    UPDATE = "update"
    READ = "read"
    ACTIVATE = "activate"


class ClauseEffect(enum.StrEnum):
    """What a clause says becomes of a request, gravest first."""

    FAILS = "fails"
    UNCERTAIN = "uncertain"
    UNLIKELY = "unlikely"
    MISMATCH = "mismatch"


class ClauseStatus(enum.StrEnum):
    """How far a clause has come."""

    PROPOSED = "proposed"
    DESIGNATED = "designated"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ClauseDevice:
    """A device as the clauses tell devices apart.

    Attributes:
        device_type: What it is.
        bilingual: Whether its model can be of both generations.
        third_party: Whether it is not of the SMSO's own make.
        supported: Whether its maker still supports its firmware.
    """

    device_type: DeviceType
    bilingual: bool = False
    third_party: bool = False
    supported: bool = True


class DeviceSet(Section):
    """The devices an effect is about; what is not named does not matter.

    Attributes:
        device_types: Their types.
        bilingual: Only models of both generations, or only others.
        third_party: Only those that are not of the SMSO's own make, or only others.
        supported: Only those whose maker supports their firmware, or only others.
    """

    device_types: Annotated[tuple[DeviceType, ...], Field(min_length=1)]
    bilingual: Flag | None = None
    third_party: Flag | None = None
    supported: Flag | None = None

    def holds(self, device: ClauseDevice) -> bool:
        """Say whether a device is one of them."""
        asked = (
            (self.bilingual, device.bilingual),
            (self.third_party, device.third_party),
            (self.supported, device.supported),
        )
        fits = all(wanted is None or wanted == value for wanted, value in asked)
        return fits and device.device_type in self.device_types


class Annex(Section):
    """An annex that lists devices.

    Attributes:
        id: Its letter.
        cohorts: Keys of the cohorts whose devices it lists.
        says: What it holds.
        evidence: Where we know that from.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z]$")]
    cohorts: tuple[str, ...]
    says: Sentence
    evidence: MarkText


class S1srEffect(Section):
    """What one passage says of one service at some devices.

    Attributes:
        id: Its name.
        clause: The clause, as ``[[clause]]`` has it.
        says: The devices and the reason, in our own words.
        service: The service.
        annexes: Annexes whose cohorts it is about.
        cohorts: Cohorts it is about besides.
        devices: The devices.
        modes: Where hubs find metadata while it holds.
        effect: What it says becomes of a request.
        status: How far it has come.
        valid_from: First day; None where no day is known.
        valid_to: Last day; None where none is known.
        evidence: Where it comes from.
    """

    id: Annotated[str, Field(min_length=3)]
    clause: str
    says: Sentence
    service: FirmwareService
    annexes: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    devices: DeviceSet
    modes: Annotated[tuple[MetadataMode, ...], Field(min_length=1)]
    effect: ClauseEffect
    status: ClauseStatus
    valid_from: date | None = None
    valid_to: date | None = None
    evidence: MarkText

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        first, last = self.valid_from, self.valid_to
        if first is not None and last is not None and last < first:
            raise ValueError("valid_to lies before valid_from")
        return self

    def in_force(self, day: date) -> bool:
        """Say whether it holds on a day; a proposed effect does, a withdrawn one does not."""
        begun = self.valid_from is None or self.valid_from <= day
        over = self.valid_to is not None and self.valid_to < day
        return self.status is not ClauseStatus.WITHDRAWN and begun and not over


@dataclass(frozen=True, slots=True)
class S1srClauses:
    """The effects, and the annexes they name.

    Attributes:
        effects: By identifier.
        annexes: By letter.
    """

    effects: Mapping[str, S1srEffect]
    annexes: Mapping[str, Annex]

    def cohorts_of(self, effect: S1srEffect) -> frozenset[str]:
        """Return the cohorts an effect is about: its own and those of its annexes."""
        listed = (cohort for name in effect.annexes for cohort in self.annexes[name].cohorts)
        return frozenset((*effect.cohorts, *listed))

    def speaking(
        self,
        device: ClauseDevice,
        cohort: str,
        service: FirmwareService,
        mode: MetadataMode,
        day: date,
    ) -> tuple[S1srEffect, ...]:
        """Return the effects in force for a request, gravest first."""
        order = list(ClauseEffect)
        found = [
            effect
            for effect in self.effects.values()
            if effect.service is service
            and mode in effect.modes
            and effect.in_force(day)
            and effect.devices.holds(device)
            and cohort in self.cohorts_of(effect)
        ]
        return tuple(sorted(found, key=lambda effect: order.index(effect.effect)))


def load_s1sr(overlays: Folders = ()) -> S1srClauses:
    """Load the effects and annexes of all clause files.

    A row of an overlay changes what it names of the row with its id, and is marked ``user:``
    where it carries no mark.

    Raises:
        DataError: A file cannot be read, or a row is wrong, unmarked, or names an unknown annex.
    """
    effects = laid_over(S1srEffect, _EFFECT, _layers(overlays))
    annexes = laid_over(Annex, _ANNEX, _layers(overlays))
    for effect in effects.values():
        for letter in effect.annexes:
            if letter not in annexes:
                raise DanglingReferenceError(
                    f"no annex {letter}", file="clauses", key=f"{_EFFECT} {effect.id}"
                )
    return S1srClauses(effects, annexes)


def _layers(overlays: Folders) -> Iterator[list[DataFile]]:
    """Yield the clause files of each folder, weakest folder first."""
    for folder in (SHIPPED, *overlays):
        paths = sorted((folder / "clauses").glob("*.toml"))
        yield [read_toml(path, is_overlay=folder in overlays) for path in paths]
