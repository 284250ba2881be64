"""One step of one installation: what goes wrong around it, what it came to, who looks on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.values import quick
from harness.migration.office import Office
from harness.migration.record import Entry, InstallationRecord
from harness.migration.script import AFTER, BEFORE, Script, Watch
from harness.migration.site import Site
from harness.migration.states import State, StrandedCause
from harness.rules.in_hand import in_hand
from harness.rules.migration_appendices import Value
from harness.rules.migration_rulebook import Judge
from harness.rules.outcomes import Outcome, Refusal

#: Steps that are passed over where hand-over is part of device testing.
FOLDED_STEPS: Final = ("H1", "H2", "H3")
OK = "ok"
FAILED = "failed"
SKIPPED = "skipped"
WARNED = "warned"
MOVED = "state"


@quick
@dataclass(frozen=True, slots=True)
class Told:
    """What a step came to.

    Attributes:
        result: ``ok``, ``failed``, ``skipped`` or ``warned``.
        text: One sentence; never a key, never a counter.
        code: Code of a failure, or empty.
        sub_code: Its sub-code, or empty.
        evidence: SHA-256 (hex) of octets that show it, or empty.
        silent: Whether it failed because nobody answered.
    """

    result: str
    text: str
    code: str = ""
    sub_code: str = ""
    evidence: str = ""
    silent: bool = False

    @property
    def failed(self) -> bool:
        """Whether the migration of the installation cannot go on as it is."""
        return self.result == FAILED


def ok(text: str, evidence: str = "") -> Told:
    """Return that a step was taken."""
    return Told(OK, text, evidence=evidence)


def skipped(text: str) -> Told:
    """Return that a step was not taken, and why."""
    return Told(SKIPPED, text)


def judged(outcome: Outcome, passed: str = "") -> Told:
    """Return what a rule's outcome means for a step."""
    text = passed if passed and not outcome.code else outcome.text
    if outcome.rejected:
        return Told(FAILED, text, outcome.code, outcome.sub_code)
    result = WARNED if outcome.code else OK
    return Told(result, text, outcome.code, outcome.sub_code)


def fault(judge: Judge, rule: str, sub_code: str, detail: str, *, silent: bool = False) -> Told:
    """Return that a step's rule is not met, in the words of its code.

    A rule that is switched off or overridden turns the failure into a warning or nothing.

    Args:
        judge: Who asks the rules.
        rule: Rule of the table; the step's id where it has one of its own.
        sub_code: Which way it is not met.
        detail: What was seen.
        silent: Whether nobody answered.
    """

    def check(_facts: None) -> Refusal | None:
        return Refusal(sub_code, detail)

    outcome = judge.ask(rule, check, None)
    told = judged(outcome)
    return Told(told.result, told.text, told.code, told.sub_code, silent=silent)


@dataclass(slots=True)
class Case:
    """One installation in hand.

    Attributes:
        site: Where it stands.
        record: What is kept of it.
        attempt: Number of the migration file that names it, from 1; 0 before the first.
        counts: Whether the present attempt was counted already.
        since: From when its hub is waited for; None while it is not.
        heard: When the hub was first heard; None before.
        reached: Whether the hub answered the S1SP in this attempt.
        opened: Whether the S1SP holds what the files conveyed of it.
        take_back: Why it is to be taken back as soon as its hub answers: step, code, sub-code,
            sentence; None: it is not.
        facts: What was seen of its devices in this attempt.
        left_out: Devices that are not migrated: EUI-64 (hex) -> why.
        access_unproved: Whether the SMSO could not prove its access after a rollback.
        hand: Number of its file set among all of the run; -1 before the first.
        done: Phases that the present attempt has been through.
    """

    site: Site
    record: InstallationRecord
    attempt: int = 0
    counts: bool = False
    since: UtcMs | None = None
    heard: UtcMs | None = None
    reached: bool = False
    opened: bool = False
    take_back: tuple[str, str, str, str] | None = None
    facts: dict[str, Value] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    access_unproved: bool = False
    hand: int = -1
    done: list[str] = field(default_factory=list)

    @property
    def ref(self) -> str:
        """What the user calls the installation."""
        return self.record.ref

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.record.state

    def holders(self) -> tuple[DeviceType, ...]:
        """Return the device types that hold head-end credentials and are being migrated."""
        left = self.left_out
        return tuple(one for one in self.site.holders() if self.site.eui64(one).hex not in left)

    def begin_attempt(self) -> None:
        """Forget what belongs to the attempt before."""
        self.attempt += 1
        self.counts = False
        self.since = self.heard = self.take_back = None
        self.reached = self.access_unproved = False
        self.facts = {}
        self.done = []

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values, without the site."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "site"}
        take_back = None if self.take_back is None else list(self.take_back)
        return {**fields, "record": self.record.dump(), "take_back": take_back}

    @classmethod
    def restore(cls, site: Site, state: dict[str, Any]) -> Self:
        """Return a dumped case at its site."""
        back = state["take_back"]
        words = {
            "record": InstallationRecord.restore(state["record"]),
            "take_back": None if back is None else (back[0], back[1], back[2], back[3]),
        }
        return cls(site=site, **{**state, **words})


Act = Callable[[], Awaitable[Told]]


@dataclass(slots=True)
class Steps:
    """Takes steps: disturbs the bench as scripted, notes the outcome, lets the watcher look.

    Attributes:
        office: What the parties share.
        script: What goes wrong, and when.
        watch: Called after every step; None: nobody looks.
    """

    office: Office
    script: Script = field(default_factory=Script)
    watch: Watch | None = None

    async def take(  # noqa: PLR0913 -- who, which step, what is done, of which device, by whom
        self,
        case: Case,
        step: str,
        act: Act,
        device_type: DeviceType | None = None,
        *,
        actor: str = "",
        begun: bool = False,
    ) -> Told:
        """Take one step of one installation.

        Args:
            case: The installation.
            step: The step's id.
            act: What it does.
            device_type: Device it is about; None: the installation.
            actor: Who takes it; empty: as the table of steps says.
            begun: Whether ``begin`` was called for it.
        """
        named = "" if device_type is None else device_type.value
        if not begun:
            await self.begin(case, step, named)
        if self.script.omits_step(step, named, case.ref):
            told = ok(self.office.steps[step].title)
        else:
            with in_hand(case.ref):
                told = await act()
        self.note(case, step, told, device_type, actor=actor)
        await self.script.play(AFTER, step, named, case.site, case.attempt)
        await self._look(case, step)
        return told

    async def begin(self, case: Case, step: str, device: str = "") -> None:
        """Do what is scripted before a step."""
        await self.script.play(BEFORE, step, device, case.site, case.attempt)

    async def pass_over(self, case: Case, step: str, why: str) -> None:
        """Note a step that is not taken, and let the watcher look."""
        self.note(case, step, skipped(why))
        await self._look(case, step)

    async def move(  # noqa: PLR0913 -- the move, its step and words, and what led to it
        self,
        case: Case,
        to: State,
        step: str,
        text: str,
        *,
        cause: StrandedCause | None = None,
        told: Told | None = None,
    ) -> None:
        """Let an installation go into another state, and let the watcher look.

        Args:
            case: The installation.
            to: The state.
            step: Step that led to it.
            text: Why.
            cause: Why it is stranded, with that state alone.
            told: The failure that led to it, for its code.
        """
        code, sub_code = ("", "") if told is None else (told.code, told.sub_code)
        actor = self.office.steps[step].actor
        now = self.office.clock.now()
        entry = Entry(now, actor, step, MOVED, text, code=code, sub_code=sub_code)
        case.record.move(to, entry, cause=cause)
        await self._look(case, step)

    def note(
        self,
        case: Case,
        step: str,
        told: Told,
        device_type: DeviceType | None = None,
        *,
        actor: str = "",
    ) -> None:
        """Write a step into the history."""
        row = self.office.steps[step]
        device = "" if device_type is None else str(case.site.eui64(device_type))
        case.record.note(
            Entry(
                at=self.office.clock.now(),
                actor=actor or row.actor,
                step=step,
                result=told.result,
                text=told.text,
                device=device,
                code=told.code,
                sub_code=told.sub_code,
                evidence=told.evidence,
            )
        )

    async def _look(self, case: Case, step: str) -> None:
        if self.watch is not None:
            await self.watch(step, case.record)
