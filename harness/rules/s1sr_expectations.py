"""What the S1SR's clauses lead one to expect of a firmware request, with the clauses' names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from device_profiles.metadata_layout import MetadataMode
from device_profiles.s1sr import (
    ClauseDevice,
    ClauseEffect,
    FirmwareService,
    S1srClauses,
    load_s1sr,
)
from harness.verdict import Expectation, ExpectationKind

#: Word of a read that brought a version, and of one that brought another than the CPL lists.
READ: Final = "READ"
VERSION_MISMATCH: Final = "VERSION_MISMATCH"
_ACTIVATED: Final = "ACTIVATED"
_NOT_SUPPORTED: Final = "NOT_SUPPORTED"
_SUCCESS: Final[Mapping[FirmwareService, str]] = {
    FirmwareService.UPDATE: _ACTIVATED,
    FirmwareService.ACTIVATE: _ACTIVATED,
    FirmwareService.READ: READ,
}
_SILENT: Final = "inferred:no clause of the S1SR speaks of it"


@dataclass(frozen=True, slots=True)
class ClauseSays:
    """What the clauses say of one request.

    Attributes:
        expectation: What they lead one to expect; success where none speaks.
        effect: The gravest effect, or None where no clause speaks.
        clauses: The clauses that speak, each once, gravest first.
    """

    expectation: Expectation
    effect: ClauseEffect | None
    clauses: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One line: ``unlikely (S1SR 18.63(d))``, or ``silent``."""
        if self.effect is None:
            return "silent"
        return f"{self.effect} ({', '.join(self.clauses)})"


def expectation_for(  # noqa: PLR0913, PLR0917 -- the five things a clause asks of a request
    device: ClauseDevice,
    cohort: str,
    service: FirmwareService,
    mode: MetadataMode,
    day: date,
    clauses: S1srClauses | None = None,
) -> ClauseSays:
    """Return what the clauses say of a firmware request (F-099).

    Args:
        device: The device, as the clauses tell devices apart.
        cohort: Key of its cohort.
        service: Update, activate or read.
        mode: Where the cohort's hubs find metadata.
        day: The day of the request, UTC.
        clauses: The effects; the shipped ones when left out.

    Source:
        S003 §2.1 to §6; each row of ``clauses/s1sr_clauses.toml`` has its own.
    """
    table = load_s1sr() if clauses is None else clauses
    speaking = table.speaking(device, cohort, service, mode, day)
    names = tuple(dict.fromkeys(effect.clause for effect in speaking))
    if not speaking:
        success = frozenset({_SUCCESS[service]})
        return ClauseSays(Expectation(ExpectationKind.EXACT, success, _SILENT), None)
    gravest = speaking[0]
    expected = _expected(gravest.effect, service, gravest.evidence)
    return ClauseSays(expected, gravest.effect, names)


def _expected(effect: ClauseEffect, service: FirmwareService, evidence: str) -> Expectation:
    success = _SUCCESS[service]
    match effect:
        case ClauseEffect.FAILS:
            return Expectation(ExpectationKind.EXACT, frozenset({_NOT_SUPPORTED}), evidence)
        case ClauseEffect.UNCERTAIN:
            return Expectation(ExpectationKind.UNCERTAIN, frozenset({success}), evidence)
        case ClauseEffect.UNLIKELY:
            return Expectation(ExpectationKind.UNLIKELY, frozenset({success}), evidence)
        case ClauseEffect.MISMATCH:
            either = frozenset({success, VERSION_MISMATCH})
            return Expectation(ExpectationKind.ONE_OF, either, evidence)
