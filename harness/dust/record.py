"""What a DUST run came to: one value that every report, pack and page renders."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from harness.migration.record import InstallationRecord
from harness.verdict import Verdict


class RunState(enum.StrEnum):
    """How far a run is."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"  # resumable
    DONE = "done"


class Attribution(enum.StrEnum):
    """Whose defect it is.

    Source: stand-in (migration.md section 9).
    """

    PARTICIPANT = "participant"
    S1SP = "S1SP"
    DCO = "DCO"
    DEVICE = "device"
    HARNESS = "harness"
    OPEN = "open"  # the facts do not tell


@dataclass(frozen=True, slots=True)
class Criterion:
    """An entry or exit criterion as it was judged.

    Attributes:
        id: Its id in the definition.
        kind: ``entry`` or ``exit``.
        check: Which check.
        text: What it demands.
        verdict: What it came to.
        reason: Why.
        evidence: Mark of the rule.
    """

    id: str
    kind: str
    check: str
    text: str
    verdict: Verdict
    reason: str
    evidence: str = "stand-in"


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation of a case, as it was judged.

    Attributes:
        what: In words: ``state of dual-001``.
        expected: What was demanded.
        actual: What was found; empty where nothing was.
        verdict: What it came to.
        clause: Clause id; may be empty.
        evidence: Mark of the rule behind it.
        events: Numbers of the events that show it.
        files: Paths within the run folder that show it.
    """

    what: str
    expected: str
    actual: str
    verdict: Verdict
    clause: str = ""
    evidence: str = "stand-in"
    events: tuple[int, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One numbered case.

    Attributes:
        id: Id in the definition.
        title: Its title.
        family: Family of migration.md section 9.
        mandatory: Whether the exit needs it.
        refs: Installations it is about.
        expected: Its expectations, in order.
        verdict: Worst of them; SKIPPED with a reason where the bench cannot play it.
        reason: Why.
        waived_by: ``owner, review date: why``; empty for none.
        first_failing_step: Step id; empty where nothing failed.
    """

    id: str
    title: str
    family: str
    mandatory: bool
    refs: tuple[str, ...]
    expected: tuple[Expected, ...]
    verdict: Verdict
    reason: str
    waived_by: str = ""
    first_failing_step: str = ""


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that was not as it should be.

    Attributes:
        id: ``D-001``.
        severity: 1 (gravest) to 5.
        text: What was seen.
        attribution: Whose it is.
        case: Case it was found in; empty for one outside all cases.
        ref: Installation; may be empty.
        first_failing_step: Step id; may be empty.
        code: Code; may be empty.
        events: Numbers of events.
        files: Paths of files of the run folder.
    """

    id: str
    severity: int
    text: str
    attribution: Attribution
    case: str = ""
    ref: str = ""
    first_failing_step: str = ""
    code: str = ""
    events: tuple[int, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """One migration day.

    Attributes:
        day: The day.
        week: ISO week (``2023-W04``).
        capacity: Places of the day.
        demand: Supplier (or ``dormant``) -> installations asked for.
        allocated: Likewise -> places given.
        refs: Installations whose migration started that day.
        turn: Turn of the run that follows it.
    """

    day: date
    week: str
    capacity: int
    demand: Mapping[str, int]
    allocated: Mapping[str, int]
    refs: tuple[str, ...]
    turn: int = 0


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of the run: sent, received or written.

    Attributes:
        path: Within the run folder, ``/`` between parts.
        size_bytes: Octets.
        sha256: Lower-case hex.
        sender: Party.
        receiver: Party; empty for what the run wrote for its reader.
        kind: ``MA``, ``MCF``, ``DUIS request``, ``MRR``…
        at: ISO 8601, virtual.
        result: ``accepted``, a code, ``sent``; may be empty.
        signature: Canonical result of the signature check; may be empty.
        refs: Installations it names, where few.
    """

    path: str
    size_bytes: int
    sha256: str
    sender: str
    receiver: str
    kind: str
    at: str
    result: str = ""
    signature: str = ""
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """Who, what and as of when: the head of every report.

    Attributes:
        run_id: Id of the run.
        title: Its title.
        cohort: Cohort key.
        group_id: GroupID, as cohort data says.
        cohort_title: Title of the cohort.
        participant: Name.
        mode: ``simulated`` or ``drop``.
        environment: ``UIT-emulated`` or ``HIL``.
        as_of: Day whose rules hold.
        as_of_why: ``definition``, ``last open day of Table 17.6``…
        historical: Whether ``--historical`` was given.
        label: ``Migration DUST style`` or what else the run is (a Dormant-only one).
        seed: Seed of all chance.
        version: Version of smetsbench.
        definition_sha256: Fingerprint of the definition.
        versions: Component -> version, for the environment manifest.
        stand_ins: Ids of stand-ins in use -> what would replace each.
        rules_accepted: Ids of unproven rules that the definition accepts.
        requesting_party: Who asks for the migrations; empty: not told.
        not_proven: Further sentences on what this run leaves open (faults put in on purpose…).
        benches: Home -> what of it stood on which bench, or why it was not played; homes that are
            not named were emulated throughout.
    """

    run_id: str
    title: str
    cohort: str
    group_id: str
    cohort_title: str
    participant: str
    mode: str
    environment: str
    as_of: date
    as_of_why: str
    historical: bool
    label: str
    seed: int
    version: str
    definition_sha256: str
    versions: Mapping[str, str] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    rules_accepted: tuple[str, ...] = ()
    requesting_party: str = ""
    not_proven: tuple[str, ...] = ()
    benches: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DustRecord:
    """A whole run, as far as it is.

    Attributes:
        header: Its head.
        state: How far it is.
        turn: Number of the turn it is in.
        verdict: Of the run; None while it is open.
        reason: Why.
        criteria: Entry and exit criteria that were judged.
        cases: Cases in order of their definition.
        defects: Defects in order of their numbers.
        days: Migration days that were played.
        installations: Records with their histories, in order of refs.
        files: Every file, in order of paths.
        started_at: ISO 8601, virtual.
        ended_at: Likewise; empty while it runs.
        suppliers: Installation -> its supplier in the MRR; the participant's where it has none.
    """

    header: Header
    state: RunState
    turn: int
    verdict: Verdict | None
    reason: str
    criteria: tuple[Criterion, ...] = ()
    cases: tuple[CaseResult, ...] = ()
    defects: tuple[Defect, ...] = ()
    days: tuple[Day, ...] = ()
    installations: tuple[InstallationRecord, ...] = field(default=(), repr=False)
    files: tuple[KeptFile, ...] = field(default=(), repr=False)
    started_at: str = ""
    ended_at: str = ""
    suppliers: Mapping[str, str] = field(default_factory=dict, repr=False)
