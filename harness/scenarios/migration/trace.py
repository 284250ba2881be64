"""What of histories is told as events, and in which words a row expects it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from device_profiles.cohort import Cohort, HandoverOrder
from device_profiles.words import DeviceType
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import Owner, State, StrandedCause
from harness.scenarios.migration.homes import cohort_of, holders, order_of, shipped_cohort
from harness.scenarios.migration.phases import (
    AUTHORISE,
    CHECK,
    COMMISSION,
    COMMON,
    CONTACT,
    GROUP,
    HAND_OVER,
    PHASES,
    PLAN,
    TEST,
    VALIDATE,
    Phase,
    chosen,
)
from harness.scenarios.migration.row import End, Home, Kind, MigrationRow, Stage
from harness.scenarios.migration.shapes import GSME

#: Result of a history line -> what its word ends in.
_MARKS: Final = {"ok": "", "skipped": "~", "warned": "^", "failed": "!"}
_STATE: Final = "state"
_SKIPPED: Final = ("H1~", "H2~", "H3~")
_SMSO: Final = Owner.SMSO
#: Step -> device it is taken on.
_TAKEN_ON: Final = {"T1": DeviceType.CHF, "T3": DeviceType.ESME, "T4": GSME, "C3": DeviceType.CHF}
#: What the MCC does before the new file of a resubmission.
LISTED: Final = Phase("list", "", ("M1", "M2", "M3"), frozenset(), ())


def words_of(record: InstallationRecord, entries: Sequence[Entry]) -> Iterator[str]:
    """Return the words of history lines.

    A state is its name; a step is its id, with the device it was taken on and its code where it
    has one: ``H2 CHF``, ``V4! X-5.9.10/01``, ``H2~`` (skipped), ``T4^ GSME GT01`` (warned).
    """
    types = {str(one.eui64): one.device_type.value for one in record.devices}
    for entry in entries:
        if entry.result == _STATE:
            yield entry.state
            continue
        word = f"{entry.step}{_MARKS[entry.result]}"
        device = types.get(entry.device, "")
        code = f"{entry.code}/{entry.sub_code}".rstrip("/") if entry.code else ""
        yield " ".join(part for part in (word, device, code) if part)


def expected_events(row: MigrationRow) -> tuple[str, ...]:
    """Return the event words that the stages of a row lead to, by the order of its cohort."""
    told: list[str] = []
    several = len(row.homes) > 1
    for number, stage in enumerate(row.stages):
        refs = stage.refs or tuple(home.ref for home in row.homes)
        paths = {ref: Path(row, row.home(ref), number) for ref in refs if ref in stage.ends}
        for stretch in _stretches(row, number):
            for ref in (home.ref for home in row.homes if home.ref in paths):
                path = paths[ref]
                words = [
                    word for phase in stretch or PHASES[path.order] for word in path.take(phase)
                ]
                told += [f"{ref} {word}" if several else word for word in words]
        if stage.kind is Kind.REFUSED:
            pairs = [(ref, word) for ref in refs for word in stage.refusal]
            told += [f"{ref} {word}" if several else word for ref, word in pairs]
        told += stage.events
    return tuple(told)


def phases_of(row: MigrationRow, number: int) -> tuple[Phase, ...]:
    """Return the phases of a stage up to the last in which any installation is still on its way."""
    stage, order = row.stages[number], order_of(row)
    if order is None:
        return ()
    refs = [ref for ref in stage.refs or tuple(home.ref for home in row.homes) if ref in stage.ends]
    paths = [Path(row, row.home(ref), number) for ref in refs]
    phases = chosen(PHASES[order], stage)
    told = [[path.take(phase) for path in paths] for phase in phases]
    used = [any(words) for words in told]
    return phases[: len(used) - used[::-1].index(True)] if True in used else phases


def _stretches(row: MigrationRow, number: int) -> list[tuple[Phase, ...]]:
    """Return the phases of a stage, those together after which events are told together."""
    stage = row.stages[number]
    if stage.kind is Kind.RESUBMIT:
        return [(LISTED, COMMON, VALIDATE, GROUP, CHECK, CONTACT, TEST, COMMISSION)]
    if stage.kind is not Kind.MIGRATE:
        return []
    order = order_of(row)
    if order is None:
        return [()]  # each in the order of its own cohort
    return [(phase,) for phase in phases_of(row, number)]


@dataclass(slots=True)
class Path:
    """The way of one installation through one stage.

    Attributes:
        row: The row.
        home: The home.
        number: Number of the stage.
        left: Whether it has left the way.
        taken_back: Whether it is to be taken back as soon as its hub answers.
    """

    row: MigrationRow
    home: Home
    number: int
    left: bool = False
    taken_back: bool = False

    @property
    def stage(self) -> Stage:
        """The stage."""
        return self.row.stages[self.number]

    @property
    def end(self) -> End:
        """What it must come to."""
        return self.stage.ends[self.home.ref]

    @property
    def cohort(self) -> Cohort:
        """Its cohort."""
        return shipped_cohort(cohort_of(self.row, self.home))

    @property
    def order(self) -> HandoverOrder:
        """Where the hand-over stands."""
        own = self.cohort.handover.order
        return own if own is HandoverOrder.FOLDED else self.row.order or own

    @property
    def completes(self) -> bool:
        """Whether the stage is a resubmission: hand-over is skipped."""
        return self.stage.kind is Kind.RESUBMIT

    def take(self, phase: Phase) -> list[str]:
        """Return the words of one phase, and remember where it left the way."""
        if self.left:
            return []
        if self.taken_back:
            return self._returns() if phase is CONTACT else []
        words = self._words(phase)
        return self._cut(phase, words) if self._leaves_in(phase) else words

    def _returns(self) -> list[str]:
        self.left = True
        return [*self._contact(), *self._rolled_back()]

    # -- leaving the way -----------------------------------------------------------------------

    def _leaves_in(self, phase: Phase) -> bool:
        step = self.end.step
        if not step or self.end.state is State.MIGRATED:
            return False
        if self.end.state is State.REJECTED:
            return phase is VALIDATE  # only what the MCC finds before the hand-over rejects
        if step in GROUP.steps:
            return phase is CHECK  # what V3 lacks is found there
        return step in phase.steps

    def _cut(self, phase: Phase, words: list[str]) -> list[str]:
        """Return the words up to the failing step, the failure, and what follows from it."""
        end = self.end
        kept = []
        for word in words:
            if word.split()[0].rstrip("~^") == end.step and self._is_there(word):
                break
            kept.append(word)
        if end.step not in phase.steps and end.step <= "V3":
            kept = []
        device = end.at or _TAKEN_ON.get(end.step)
        code = f"{end.code}/{end.sub_code}".rstrip("/")
        failed = " ".join(part for part in (f"{end.step}!", device and device.value, code) if part)
        return [*kept, failed, *self._after(phase)]

    def _is_there(self, word: str) -> bool:
        return self.end.at is None or word.endswith(self.end.at.value)

    def _after(self, phase: Phase) -> list[str]:
        end = self.end
        back = end.cause is StrandedCause.ROLLBACK_FAILED or end.state is State.ROLLED_BACK
        if back and phase in {VALIDATE, CHECK}:
            self.taken_back = True
            return []
        self.left = True
        if back:
            return self._rolled_back()
        if end.state is State.EXCLUDED:
            return [State.STRANDED.value, State.EXCLUDED.value]
        return [end.state.value]

    def _rolled_back(self) -> list[str]:
        end, here = self.end, set(self._holders())
        words = [State.ROLLING_BACK.value]
        by_smso = end.step in {"H2", "H3"}
        if by_smso:
            held = self._holders()
            taken = held if end.at is None else held[: held.index(end.at)]
            order = tuple(reversed(taken))
        else:
            order = tuple(one for one in self.cohort.rollback.order if one in here)
        step, sub_code = end.back
        for device in order:
            if step == "R1" and end.owner(device) is not Owner.SMSO:
                return [*words, f"R1! {device.value} X-R1/{sub_code}", State.STRANDED.value]
            words.append(f"R1 {device.value}")
        if step == "R2":
            return [*words, f"R2! X-R2/{sub_code}", State.STRANDED.value]
        words.append("R2~" if by_smso else "R2")
        if step == "R3":
            return [*words, f"R3! X-R3/{sub_code}", State.STRANDED.value]
        return [*words, "R3", State.ROLLED_BACK.value]

    def _holders(self) -> tuple[DeviceType, ...]:
        there = holders(self.row, self.home)
        return tuple(one for one in there if not (self.home.deregistered and one is GSME))

    # -- the way -------------------------------------------------------------------------------

    def _words(self, phase: Phase) -> list[str]:
        return {
            LISTED.name: self._listed,
            PLAN.name: self._plan,
            AUTHORISE.name: self._authorise,
            COMMON.name: self._common,
            HAND_OVER.name: self._hand_over,
            VALIDATE.name: self._validate,
            GROUP.name: self._group,
            CHECK.name: lambda: ["V4", "V5", "V6"],
            CONTACT.name: self._contact,
            TEST.name: self._test,
            COMMISSION.name: self._commission,
        }[phase.name]()

    def _listed(self) -> list[str]:
        words = ["M1"]
        if self.stage.predicts:
            words.append("M1^ X-5.8A-MIXED/01")
        words.append("M2")
        if self.stage.roll_forward:
            before = self.row.stages[self.number - 1].ends[self.home.ref]
            words += [f"M2 {one.value}" for one in self._holders() if before.owner(one) is _SMSO]
        return [*words, State.IN_VALIDATION.value]

    def _plan(self) -> list[str]:
        words = [self.stage.warns.get(step, step) for step in ("P1", "P2", "P3", "P4")]
        return [*words, "P5", "P6", State.AUTHORISED.value] if self._again() else words

    def _again(self) -> bool:
        earlier = self.row.stages[: self.number]
        return any(self.home.ref in stage.ends for stage in earlier)

    def _authorise(self) -> list[str]:
        return [] if self._again() else ["P5", "P6", State.AUTHORISED.value]

    def _common(self) -> list[str]:
        moves = self.order is not HandoverOrder.BEFORE_FILE_PROCESSING and not self.completes
        return ["V1", State.IN_VALIDATION.value] if moves else ["V1"]

    def _hand_over(self) -> list[str]:
        rotated = [f"H2 {one.value}" for one in self._holders()]
        return ["H1", State.HANDED_OVER.value, *rotated, "H3"]

    def _validate(self) -> list[str]:
        return [State.IN_VALIDATION.value, "V2"] if self._moves_at(VALIDATE) else ["V2"]

    def _group(self) -> list[str]:
        return [State.IN_VALIDATION.value, "V3"] if self._moves_at(GROUP) else ["V3"]

    def _moves_at(self, phase: Phase) -> bool:
        """Say whether the phase comes straight after the hand-over."""
        names = PHASES[self.order]
        if self.completes or HAND_OVER not in names:
            return False
        return names[names.index(HAND_OVER) + 1] is phase

    def _contact(self) -> list[str]:
        words = [State.AWAITING_CHF.value, "H4"]
        if self.completes:
            return [*_SKIPPED, *words]
        return [*_SKIPPED, "T1", *words] if self.order is HandoverOrder.FOLDED else words

    def _test(self) -> list[str]:
        secured: list[str] = []
        if self.order is HandoverOrder.FOLDED and not self.completes:
            secured = [f"T1 {one.value}" for one in self._holders()]
        gas = "T4 GSME" if GSME in self._holders() else "T4~"
        if self.end.excluded_gas:
            gas = "T4^ GSME GT01"
        ppmid = "T5 PPMID" if self.home.ppmid else "T5~"
        tests = ["T1 CHF", "T2", "T3 ESME", gas, ppmid, "T6", "T7"]
        return [State.TESTING.value, *secured, *tests, State.VIABLE.value]

    def _commission(self) -> list[str]:
        known = "C2~ CHF" if self.stage.since == COMMISSION.name else "C2 CHF"
        words = [State.COMMISSIONING.value, "C1", known, "C3 CHF", "C5 CHF"]
        for device in (DeviceType.ESME, GSME):
            if device in self._holders() and not (device is GSME and self.end.excluded_gas):
                words += [f"{step} {device.value}" for step in ("C2", "C3", "C3", "C4", "C5")]
        if self.home.ppmid and self.cohort.ppmid.third_party_migrated:
            words += [f"{step} PPMID" for step in ("C2", "C3", "C3", "C5")]
        return [*words, "C6", "C7", State.MIGRATED.value]
