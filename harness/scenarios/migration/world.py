"""The parties and courses of a row, as one participant of the run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final, cast

from device_profiles.cohort import Cohort, load_cohort
from device_profiles.installation import Installation
from device_profiles.words import DeviceType, SupplyShape
from emulator.core.clock import UtcMs, from_datetime
from harness import installed
from harness.formats.migration_files.building import BuiltFile, SetBuilder
from harness.formats.migration_files.common_file import CommonInstallation
from harness.migration.calendar import first_moment
from harness.migration.collaborators import Files
from harness.migration.commissioning import Commissioning
from harness.migration.commissioning_world import CommissioningWorld
from harness.migration.course import Course
from harness.migration.file_work import FileWork
from harness.migration.invariants import Invariants
from harness.migration.misconduct import part_of, with_values
from harness.migration.office import Office
from harness.migration.planning import Arrangements, Planning
from harness.migration.record import InstallationRecord
from harness.migration.script import AFTER, BEFORE, Script, When
from harness.migration.script import Act as SiteAct
from harness.migration.site import Site
from harness.migration.terms import Terms
from harness.new_installations import EIS
from harness.parties.migration_defects import DEFECTS, MigrationDefect
from harness.parties.requesting_party import RequestingParty
from harness.rules.migration_prepayment import PrepaymentRule, load_prepayment_rule
from harness.rules.migration_rulebook import Switches, load_rule_book
from harness.rules.split_supply import party_of
from harness.run import NOT_PROVEN, Run
from harness.scenarios.migration import second_party
from harness.scenarios.migration.acts import ACTS, Act
from harness.scenarios.migration.homes import cohort_of
from harness.scenarios.migration.row import Disturbance, Home, MigrationRow, Stage
from harness.scenarios.migration.supplier_data import given
from harness.scenarios.migration.tampering import BY_ITS_MAKER, Forger, way

if TYPE_CHECKING:
    from harness.ports import Bench

NAME: Final = "migration"
_ENCRYPTED: Final = "MEF"
#: How long one of several hubs is waited for at a time: nothing of a row hangs on it.
_POLL_S: Final = 43_200
#: Counter of a row's first set: no number that a text about a clause could hold.
_FIRST_COUNTER: Final = 7041
_SIX: Final = time(6, tzinfo=UTC)
_LEFT_OPEN: Final = (
    (
        "stand-in",
        (
            "Files, steps, checks and codes of the migration are our reading of what DCC"
            " published; the TMAD itself and its schema were not available."
        ),
    ),
    (
        "stand-in",
        (
            "Which devices hold head-end credentials, how they are rotated and how a SIM moves: no"
            " source says; here devices really change keys, by DLMS key transfer."
        ),
    ),
)
_EMULATED: Final = ("emulated", "Devices and networks are emulated: no installation was touched.")


class World:
    """Everybody who takes part in a row's migrations.

    Attributes:
        row: The row.
        courses: Cohort key and batch -> the course of these installations.
        invariants: The same keys -> what looks on after every step.
        told: Ref -> lines of its history that were stated as events.
        kept: JSON values of single steps that must survive a kill.
    """

    def __init__(self, run: Run, row: MigrationRow, homes: Sequence[Installation]) -> None:
        self.row = row
        self.invariants: dict[str, Invariants] = {}
        self.told: dict[str, int] = {}
        self.kept: dict[str, Any] = {}
        self._defects = [DEFECTS[name] for name in run.options.defects if name in DEFECTS]
        self._overlays = installed.overlays(run.options)
        self._undo: list[tuple[object, str, object]] = []
        self.courses = dict(self._courses(run, list(_sites(run, row, homes))))
        for defect in self._defects:
            self._put_wrong(defect)
        self._standing = len(self._undo)

    # -- looking -------------------------------------------------------------------------------

    def course(self, ref: str) -> Course:
        """Return the course of an installation."""
        home = self.row.home(ref)
        return self.courses[batch_of(self.row, home)]

    def courses_of(self, refs: Sequence[str]) -> list[Course]:
        """Return the courses that take installations, each once, in order."""
        keys = dict.fromkeys(batch_of(self.row, self.row.home(ref)) for ref in refs)
        return [self.courses[key] for key in keys]

    def record(self, ref: str) -> InstallationRecord:
        """Return what is kept of an installation."""
        return self.course(ref).records[ref]

    def site(self, ref: str) -> Site:
        """Return where an installation stands."""
        return self.course(ref).cases[ref].site

    # -- stages --------------------------------------------------------------------------------

    def after(self, ref: str) -> CommissioningWorld:
        """Return the parties of commissioning, and of the time after it.

        Raises:
            LookupError: Somebody else commissions.
        """
        found = self.course(ref).commissioning
        if isinstance(found, Commissioning):
            return found.world
        raise LookupError(f"nobody of ours commissions {ref}")

    def broken(self) -> list[str]:
        """Return what the invariants found so far, whichever step it was after."""
        return [row for one in self.invariants.values() for row in one.broken]

    def prepayment_rule(self) -> PrepaymentRule:
        """Return the rule of 4.49(e), as the defects of the run take it to be."""
        rule = load_prepayment_rule(self._overlays)
        for defect in self._defects:
            rule = replace(rule, **defect.prepayment)
        return rule

    def begin(self, run: Run, stage: Stage) -> None:
        """Put into force what goes wrong in a stage, and nothing of the stage before."""
        self._put_right()
        for name in stage.misconduct:
            self._put_wrong(DEFECTS[name])
        omits = frozenset(step for one in self._defects for step in one.omits)
        for key, course in self.courses.items():
            draw = run.chance.stream(f"forger/{key}").octets
            forger = Forger(course.office.keys, course.office.schema, draw)
            ways = {name: way(how, forger) for name, how in stage.tampering.items()}
            made = {name for name, how in stage.tampering.items() if how in BY_ITS_MAKER}
            sent = {name: one for name, one in ways.items() if name not in made}
            course.script = Script(
                _orders(stage), sent, _acts(stage, course.office, self.kept), omits
            )
            self._give_data(course, stage)
            for name in made:
                self._make_wrongly(course, name, ways[name])
            self._arrange(course)

    def _give_data(self, course: Course, stage: Stage) -> None:
        """Have the Requesting Party write what suppliers gave it, right or wrong."""
        files = course.files
        if not isinstance(files, FileWork):
            return
        right, store = files.rp.common, course.office.keys.store

        def common(builder: SetBuilder, installations: Sequence[CommonInstallation]) -> BuiltFile:
            rows = []
            for one in installations:
                home = self.row.home(one.ref)
                ids = stage.supplier_ids.get(one.ref, home.supplier_ids)
                lacking = home.without_operator
                rows.append(given(one, ids, store, without_operator=lacking))
            files.hands[-1].installations = {row.ref: row for row in rows}
            return right(builder, rows)

        self._replace(files.rp, "common", common)

    def _make_wrongly(self, course: Course, name: str, change: Callable[[bytes], bytes]) -> None:
        """Have the Requesting Party itself make a group file wrongly."""
        files = course.files
        if not isinstance(files, FileWork):
            return
        right = files.rp.group_files

        def group_files(*args: Any, **named: Any) -> tuple[BuiltFile, BuiltFile]:
            group, encrypted = right(*args, **named)
            if name == _ENCRYPTED:
                return group, replace(encrypted, octets=change(encrypted.octets))
            return replace(group, octets=change(group.octets)), encrypted

        self._replace(files.rp, "group_files", group_files)

    def _arrange(self, course: Course) -> None:
        planning, row = course.planning, self.row
        if not isinstance(planning, Planning):
            return
        homes = [row.home(ref) for ref in course.records]
        unwilling = [home for home in homes if not home.authorised]
        settings = course.office.book.settings
        planning.arrangements = Arrangements(
            exclusions={home.ref: home.exclusions for home in homes if home.exclusions},
            withheld=frozenset(party_of(EIS, settings) for _home in unwilling),
            capacity=row.capacity or None,
        )

    def _put_wrong(self, defect: MigrationDefect) -> None:
        for course in self.courses.values():
            for path, override in defect.wrong.items():
                part, method = part_of(course, path)
                self._replace(part, method, override(course, getattr(part, method)))

    def _replace(self, part: object, method: str, other: object) -> None:
        self._undo.append((part, method, part.__dict__.get(method)))
        setattr(part, method, other)

    def _put_right(self) -> None:
        for part, method, before in reversed(self._undo[self._standing :]):
            if before is None:
                delattr(part, method)
            else:
                setattr(part, method, before)
        del self._undo[self._standing :]

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return everybody's memory as JSON values."""
        return {
            "courses": {key: course.dump() for key, course in self.courses.items()},
            "invariants": {key: one.dump() for key, one in self.invariants.items()},
            "told": self.told,
            "kept": self.kept,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        for key, course in self.courses.items():
            course.load(state["courses"][key])
        for key, one in self.invariants.items():
            one.load(state["invariants"][key])
        self.told = state["told"]
        self.kept = state["kept"]

    # -- building ------------------------------------------------------------------------------

    def _courses(self, run: Run, sites: Sequence[Site]) -> Iterator[tuple[str, Course]]:
        offices: dict[str, Course] = {}
        for key in dict.fromkeys(batch_of(self.row, home) for home in self.row.homes):
            refs = {home.ref for home in self.row.homes if batch_of(self.row, home) == key}
            here = [site for site in sites if site.ref in refs]
            cohort = here[0].cohort.key
            first = offices.get(cohort)
            course = self._first(run, sites, cohort, refs) if first is None else None
            if course is None and first is not None:
                course = Course(first.office, here, files=self._files(run, first, here))
            if course is not None:
                self.invariants[key] = Invariants(course.office, here)
                course.watch = self.invariants[key].watch
                offices.setdefault(cohort, course)
                yield key, course

    def _first(self, run: Run, sites: Sequence[Site], cohort: str, refs: set[str]) -> Course:
        all_of_it = [site for site in sites if site.cohort.key == cohort]
        homes = [site.installation for site in all_of_it]
        terms = self._terms()
        if any(home.twin_of for home in self.row.homes):
            start = terms.start or first_moment(all_of_it[0].cohort)
            store = second_party.keys_of_two(run.options.seed, start, homes)
            terms = replace(terms, keystore=store)
        clock, chance = run.bench.clock, run.chance
        office = Office.open(clock, chance, all_of_it[0].cohort, homes, terms, run.message)
        if len(homes) > 1:
            # One after the other: the journal of a scenario knows calls by their order.
            office.settings = replace(office.settings, poll_s=_POLL_S, lanes=1)
        return Course(office, [site for site in all_of_it if site.ref in refs])

    def _files(self, run: Run, first: Course, here: Sequence[Site]) -> Files:
        """Return who works on the files of a later batch, perhaps another Requesting Party."""
        if not any(self.row.home(site.ref).twin_of for site in here):
            return first.files
        office = first.office
        draw = run.chance.stream("rp 2/envelope").octets
        keys = second_party.keys_of(office.keys)
        rp = RequestingParty(keys, office.schema, draw, first=second_party.FIRST_COUNTER)
        return FileWork(office, mcc=first.files.mcc, rp=rp)

    def _terms(self) -> Terms:
        off = frozenset(rule for one in self._defects for rule in one.rules_off)
        heeded = not any(one.forgets_overrides for one in self._defects)
        book = load_rule_book(self._overlays)
        for defect in self._defects:
            book = replace(book, settings=replace(book.settings, **defect.settings))
        return Terms(
            overlays=self._overlays,
            first_counter=_FIRST_COUNTER,
            book=book,
            switches=Switches(off, overridden=self.row.overrides if heeded else frozenset()),
            order=self.row.order,
            start=_moment(self.row.day),
        )


def batch_of(row: MigrationRow, home: Home) -> str:
    """Return the key of the course that takes a home."""
    return f"{cohort_of(row, home)}/{home.batch}"


def _orders(stage: Stage) -> dict[When, tuple[str, ...]]:
    orders: dict[When, tuple[str, ...]] = {}
    for one in stage.script:
        if one.orders:
            orders[_when(one)] = (*orders.get(_when(one), ()), *one.orders)
    return orders


def _acts(stage: Stage, office: Office, notes: dict[str, Any]) -> dict[When, SiteAct]:
    def bound(act: Act) -> SiteAct:
        async def at_site(site: Site) -> None:
            await act(office, site, notes)

        return at_site

    return {_when(one): bound(ACTS[one.act]) for one in stage.script if one.act}


def _when(one: Disturbance) -> When:
    device = "" if one.device is None else one.device.value
    place = f"{device}@{one.ref}" if one.ref else device
    return AFTER if one.after else BEFORE, one.step, place


def _moment(day: str) -> UtcMs | None:
    """Return six in the morning of a day; None where none is named."""
    return from_datetime(datetime.combine(date.fromisoformat(day), _SIX)) if day else None


def _sites(run: Run, row: MigrationRow, homes: Sequence[Installation]) -> Iterator[Site]:
    known = {one.ref: (number, one) for number, one in enumerate(homes)}
    for home in row.homes:
        number, installation = known[home.twin_of or home.ref]
        named = without_gas(installation) if home.deregistered else installation
        suffix = "" if number == 0 else f"@{installation.ref}"
        called = named.model_copy(update={"ref": home.ref})
        bench = cast("Bench", run.bench)  # journalled: what it cannot do it asks of the bench
        yield Site(called, bench, _cohort(run, row, cohort_of(row, home)), suffix)


def _cohort(run: Run, row: MigrationRow, key: str) -> Cohort:
    """Return a cohort as the row, and the defects of the run, take it to be."""
    cohort = load_cohort(key, installed.overlays(run.options))
    changes: dict[str, object] = dict(row.cohort_data)
    if row.closed:
        changes["dates.requesting_party_closed"] = date.fromisoformat(row.closed)
    for name in run.options.defects:
        changes |= DEFECTS[name].cohort if name in DEFECTS else {}
    return with_values(cohort, changes)


def without_gas(home: Installation) -> Installation:
    """Return a home as the SMSO's inventory has it after it de-registered the gas meter."""
    gas = {DeviceType.GSME, DeviceType.GPF}
    left = tuple(one for one in home.devices if one.role not in gas)
    return home.model_copy(update={"shape": SupplyShape.ELECTRICITY_ONLY, "devices": left})


def open_world(run: Run) -> None:
    """Set up the parties of a row (``Scenario.setup``)."""
    row: MigrationRow = run.scenario.settings["row"]
    run.participants[NAME] = World(run, row, run.scenario.settings["homes"])
    rows = [*_LEFT_OPEN, *([_EMULATED] if run.bench.kind == "emulated" else [])]
    run.facts[NOT_PROVEN] = [list(one) for one in rows]


def world(run: Run) -> World:
    """Return the parties of the run."""
    return run.participant(NAME, World)
