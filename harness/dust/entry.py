"""The entry criteria of a run: what must be so before it begins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_profiles.errors import DataError
from device_profiles.installation import check_profiles
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from emulator.crypto import certificate as certificates
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.dust.bench_homes import SKIPPED
from harness.dust.definition import Definition
from harness.dust.definition_words import EntryCheck
from harness.dust.record import Criterion
from harness.formats.migration_files.parties import Role
from harness.migration.course import Course
from harness.migration.opening_records import record_of
from harness.migration.planning import Planning
from harness.verdict import Verdict
from harness.words import counted

_ENTRY: Final = "entry"
_TEXTS: Final[Mapping[EntryCheck, str]] = {
    EntryCheck.EPCL: "every combination is on the EPCL of its cohort",
    EntryCheck.PROFILES: "every device profile loads",
    EntryCheck.TEST_PKI: "the test PKI has every party's certificates",
    EntryCheck.CERTIFICATES: "the participant's certificates are there and hold",
    EntryCheck.INTERFACE: "the participant's file interface answers",
    EntryCheck.BENCH: "the devices of the bench are found",
}
#: Code of a combination that is not on the EPCL. Source: DCC-mehrs22.
_NOT_ON_EPCL: Final = "MA110"
_SIGNING: Final = (Role.REQUESTING_PARTY, Role.MCC, Role.S1SP, Role.COMMISSIONING_PARTY, Role.DSP)

Told = tuple[Verdict, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """Judges entry criteria.

    Attributes:
        definition: The definition.
        course: The course of all homes, before anything happened.
        participants: The participant's keys.
        now: Present moment of the run.
        on_bench: Home -> device on a line -> who it says it is; homes that cannot be played.
    """

    definition: Definition
    course: Course = field(repr=False)
    participants: KeyStore = field(repr=False)
    now: UtcMs
    on_bench: Mapping[str, str] = field(default_factory=dict)

    def judge(self) -> tuple[Criterion, ...]:
        """Judge every criterion; that of the interface is open until the participant answered."""
        asked: dict[EntryCheck, Callable[[], Told]] = {
            EntryCheck.EPCL: self._epcl,
            EntryCheck.PROFILES: self._profiles,
            EntryCheck.TEST_PKI: self._pki,
            EntryCheck.CERTIFICATES: self._certificates,
            EntryCheck.INTERFACE: self._interface,
            EntryCheck.BENCH: self._bench,
        }
        found = []
        for one in self.definition.entry:
            verdict, reason = asked[one.check]()
            found.append(
                Criterion(one.id, _ENTRY, str(one.check), _TEXTS[one.check], verdict, reason)
            )
        return tuple(found)

    def _epcl(self) -> Told:
        office = self.course.office
        records = [record_of(office, site) for site in self.course.sites.values()]
        verdicts = Planning(office).plan(records)
        lacking = [ref for ref, one in verdicts.items() if one.code == _NOT_ON_EPCL]
        if lacking:
            return Verdict.FAIL, f"not on the EPCL: {', '.join(lacking[:10])}"
        return Verdict.PASS, counted(len(records), "home")

    def _profiles(self) -> Told:
        try:
            for site in self.course.sites.values():
                check_profiles(site.installation, self.definition.overlays)
        except DataError as error:
            return Verdict.FAIL, str(error)
        return Verdict.PASS, "all of them load"

    def _pki(self) -> Told:
        keys = self.course.office.keys
        lacking = [
            role.name
            for role in _SIGNING
            if keys.store.find(keys.parties[role], KeyUsage.XML) is None
        ]
        if lacking:
            return Verdict.FAIL, f"no XML-signing certificate: {', '.join(lacking)}"
        return Verdict.PASS, "parties' certificates are there"

    def _certificates(self) -> Told:
        for user in self.definition.participant.user_ids:
            found = self.participants.find(Eui64.parse(user), KeyUsage.XML)
            if found is None or found.certificate is None:
                return Verdict.FAIL, f"{user} has no XML-signing certificate"
            held = certificates.read(found.certificate)
            if not held.not_before <= self.now <= held.not_after:
                return Verdict.FAIL, f"that of {user} does not hold at {iso(self.now)}"
        return Verdict.PASS, ", ".join(self.definition.participant.user_ids)

    def _interface(self) -> Told:
        return Verdict.INCONCLUSIVE, "the participant did not answer yet"

    def _bench(self) -> Told:
        if not self.on_bench:
            return Verdict.SKIPPED, "no home is bound to a bench"
        told = "; ".join(f"{ref}: {what}" for ref, what in self.on_bench.items())
        skipped = any(what.startswith(SKIPPED) for what in self.on_bench.values())
        return Verdict.SKIPPED if skipped else Verdict.PASS, told


def answered(criteria: Sequence[Criterion], *, by_silence: bool) -> tuple[Criterion, ...]:
    """Judge the participant's interface: it answered the first turn, or was silent."""
    reason = "it was silent in the first turn" if by_silence else "it answered the first turn"
    verdict = Verdict.FAIL if by_silence else Verdict.PASS
    return tuple(
        Criterion(one.id, one.kind, one.check, one.text, verdict, reason)
        if one.check == EntryCheck.INTERFACE and one.verdict is Verdict.INCONCLUSIVE
        else one
        for one in criteria
    )


def not_met(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """Return the criteria that keep a run from beginning."""
    return tuple(one for one in criteria if one.verdict >= Verdict.FAIL)
