"""Early firmware of dormant homes: the DCC's gate, and what the SMSO then does: FM-50 to FM-55."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from device_profiles.dmc import Combination, Dmc, DmcList
from device_profiles.epcl import Epcl, EpclEntry
from device_profiles.words import DeviceType, InstallationClass
from emulator.core.ids import Eui64
from harness.parties.firmware_defects import among
from harness.parties.post import DUIS
from harness.parties.smso import NAME as SMSO
from harness.rules.early_firmware import GATES, EarlyCase, EarlyRefusal, EarlyRuling, judge_early
from harness.rules.eligibility import Instructor, Lists
from harness.run import Run
from harness.scenario import Scenario, Step
from harness.scenarios.clauses import exact
from harness.scenarios.smets1_firmware.attempt import ACTIVATED
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import FirmwareRow, firmware_row, market, row
from harness.scenarios.smets1_firmware.smso import SmsoTrial
from harness.scenarios.smets1_firmware.steps import (
    HOUR_S,
    WHOLE_S,
    Try,
    image_file,
    told_truly,
)

_CLAUSE: Final = "S004 §4.1.1"
_MIXED: Final = "smetsbench early mixed"
_TRUTH: Final = "smetsbench truth"
REFUSED: Final = "REFUSED"
ORDINARY: Final = "ORDINARY"
#: The meters whose firmware an early update is about here.
_METERS: Final = (DeviceType.ESME, DeviceType.GSME)
#: A day after clause 4.26 came into force. Source: stand-in.
_DAY: Final = "2020-11-02"
_HOME: Final = Home(cohort="IOC", of_class=InstallationClass.DORMANT, ppmid="")


@dataclass(frozen=True, slots=True)
class Early:
    """What is known when an early update is asked for.

    Attributes:
        tests_on: Day on which MT/SIT were complete, or empty.
        report_on: Day of a DMCT EPCL Report, or empty.
        listed_on: Day of the EPCL entry, or empty.
        instructor: Who asks.
    """

    tests_on: str = ""
    report_on: str = ""
    listed_on: str = ""
    instructor: Instructor = Instructor.DCC


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _case(run: Run, early: Early) -> EarlyCase:
    """Return the home as the DCC knows it."""
    of, parties = firmware_row(run).homes[0], market(run)
    esme_active = of.of_class is not InstallationClass.DORMANT
    gsme_active = of.of_class is InstallationClass.ACTIVE
    takes_active = any(one.takes_active for one in among(tuple(run.options.defects)))
    devices = {
        str(parties.device(DeviceType.ESME)): takes_active or not esme_active,
        str(parties.device(DeviceType.GSME)): takes_active or not gsme_active,
    }
    facts = parties.opening.cohort.cohort
    return EarlyCase(
        of.ref,
        of.of_class,
        devices,
        _combination(run),
        facts.group_id,
        facts.csp.value,
        parties.office.clock.today(),
        instructor=early.instructor,
    )


def _combination(run: Run) -> Combination:
    """Return the device models after the update: as installed, the meters at the next version."""
    parties = market(run)
    installed = {one.role: one.cpl_entry or "" for one in parties.site.installation.devices}
    after = {role: Try(role).cell(run).cpl.cpl_entry_id for role in _METERS}
    return Combination(_hub_entry(run, installed), after[_METERS[0]], after[_METERS[1]])


def _hub_entry(run: Run, installed: Mapping[DeviceType, str]) -> str:
    """Return the hub's row of the CPL in force: the list's own, or one assumed."""
    named = installed[DeviceType.CHF]
    assumed = [one for one in market(run).listed if one.device_type is DeviceType.CHF]
    return named or (assumed[0].cpl_entry_id if assumed else "")


def _lists(run: Run, early: Early, case: EarlyCase) -> Lists:
    """Return the DCC's lists, with the combination as far as its tests are."""
    parties = market(run)
    for role in _METERS:
        parties.list_version(Try(role).cell(run).cpl)
    cpl = parties.world.dsp.cpl
    combination = case.combination
    common = {
        "group_id": case.group_id,
        "chf": combination.chf,
        "esme": combination.esme,
        "gsme": combination.gsme,
        "csp": case.csp,
        "evidence": "stand-in",
    }
    dmc = Dmc.model_validate(
        {
            **common,
            "dmc_id": "ROW-DMC",
            "mt_complete_on": _day(early.tests_on),
            "dmct_report_on": _day(early.report_on),
        }
    )
    dmcs = DmcList([dmc], cpl)
    rows = []
    if early.listed_on:
        entry = {
            **common,
            "epcl_id": "ROW-EPCL",
            "basis": "tested",
            "relies_on": "ROW-DMC",
            "route": "sit-mt",
            "added_on": _day(early.listed_on),
        }
        rows.append(EpclEntry.model_validate(entry))
    return Lists(cpl, Epcl(rows, cpl), dmcs)


def decides(early: Early, refusal: EarlyRefusal | None, *clauses: str) -> Step:
    """Step: the DCC looks at its gates, and instructs the SMSO or does not."""

    async def act(run: Run) -> None:
        """Ask the gates one after another; the instruction is written down for whoever reads."""
        ruling = _ruling(run, early)
        word = "" if ruling.refusal is None else ruling.refusal.value
        run.event("gate", says=word or ruling.instructs, detail=ruling.detail)
        wanted = "" if refusal is None else refusal.value
        run.check("the gate that refuses", wanted, word)
        if not word:
            market(run).office.post.hand_over(
                Instructor.DCC.value, SMSO, DUIS, b"", f"update {', '.join(ruling.devices)}"
            )

    title = "The DCC looks at its gates and instructs the SMSO, or refuses"
    return Step(title, act, (_CLAUSE, *clauses), HOUR_S)


def _ruling(run: Run, early: Early) -> EarlyRuling:
    case = _case(run, early)
    off = {one.gate_off for one in among(tuple(run.options.defects))}
    gates = MappingProxyType({name: one for name, one in GATES.items() if name.value not in off})
    lists = _lists(run, early, case)
    return judge_early(case, lists, market(run).office.book, gates)


def executes(early: Early, wanted: frozenset[DeviceType], *clauses: str, word: str = "") -> Step:
    """Step: the SMSO carries out what it was instructed to, and nothing else.

    Args:
        early: What was known.
        wanted: Meters that must run the new version afterwards; any other the old one.
        clauses: Clauses that it shows.
        word: Outcome word where nothing is updated.
    """

    async def act(run: Run) -> None:
        """Bring images to the devices named; then ask every meter for its version."""
        ruling = _ruling(run, early)
        chosen = frozenset(Eui64.parse(one) for one in ruling.devices)
        words = []
        for role in _METERS:
            one = Try(role)
            trial = SmsoTrial(market(run), role)
            if trial.device in chosen:
                attempt = await trial.bring(image_file(run, one.cell(run), one.by))
                run.event("updated", of=role.value, outcome=attempt.word, runs=attempt.after)
                words.append(attempt.word)
                told_truly(run, attempt)
        new = {role for role in _METERS if await _is_new(run, role)}
        run.outcome("+".join(sorted(set(words))) or word)
        names = sorted(one.value for one in wanted)
        run.check("meters that run the new version", names, sorted(one.value for one in new))
        owner = await run.bench.hub_wan().sim_owner()
        run.check("the home is still its SMSO's", SMSO, owner)
        run.event("looked-at", new=", ".join(sorted(one.value for one in new)) or "none")

    title = "The SMSO does what it was instructed to, and every meter is asked"
    return Step(title, act, (_CLAUSE, _TRUTH, *clauses), WHOLE_S)


async def _is_new(run: Run, role: DeviceType) -> bool:
    """Say whether a meter runs the version of the image."""
    trial = SmsoTrial(market(run), role)
    version = Try(role).cell(run).image.facts.version
    return await trial.version() in trial.shown(version)


def _row(  # noqa: PLR0913 - what differs between the rows
    id_: str,
    title: str,
    early: Early,
    *,
    saboteur: str,
    wanted: frozenset[DeviceType] = frozenset(_METERS),
    refusal: EarlyRefusal | None = None,
    word: str = "",
    home: Home = _HOME,
    clauses: tuple[str, ...] = (),
) -> Scenario:
    expected = word or ACTIVATED
    return row(
        id_,
        title,
        FirmwareRow((home,), day=_DAY, taken_over=False),
        devices=("ESME", "GSME", "CHF"),
        steps=(
            decides(early, refusal, *clauses),
            executes(early, wanted, *clauses, word=word),
        ),
        events=("gate", *(["updated"] * len(wanted)), "looked-at"),
        expectation=exact(expected, clauses[0] if clauses else _CLAUSE),
        saboteur=saboteur,
        silent=(
            "how the DCC instructs an SMSO, and how that brings images: ours",
            "what metadata a hub maker asks for: a stand-in layout (real layout not public)",
        ),
    )


_TESTED: Final = Early(tests_on="2020-10-01")
FM_50: Final = _row(
    "FM-50",
    "Early firmware: dormant home, MT/SIT complete, before its EPCL entry",
    _TESTED,
    saboteur="s1-esme-keeps-old-version",
)
FM_51: Final = _row(
    "FM-51",
    "Early firmware: dormant home, a DMCT EPCL Report alone",
    Early(report_on="2020-11-01"),
    saboteur="s1-gsme-keeps-old-version",
)
_NOBODY: Final[frozenset[DeviceType]] = frozenset()
FM_52: Final = _row(
    "FM-52",
    "Early firmware: tests open and no report: refused",
    Early(),
    saboteur="gate-off-tests-not-complete",
    wanted=_NOBODY,
    refusal=EarlyRefusal.TESTS_NOT_COMPLETE,
    word=REFUSED,
)
FM_53: Final = _row(
    "FM-53",
    "Early firmware: active meters: refused",
    _TESTED,
    saboteur="gate-off-active-installation",
    wanted=_NOBODY,
    refusal=EarlyRefusal.ACTIVE_INSTALLATION,
    word=REFUSED,
    home=replace(_HOME, of_class=InstallationClass.ACTIVE),
)
FM_54: Final = _row(
    "FM-54",
    "Early firmware: a home with an active meter: the dormant one alone",
    _TESTED,
    saboteur="early-takes-active-devices",
    wanted=frozenset({DeviceType.GSME}),
    home=replace(_HOME, of_class=InstallationClass.MIXED),
    clauses=(_MIXED,),
)
FM_55: Final = _row(
    "FM-55",
    "Early firmware: after the EPCL entry the ordinary rules hold",
    replace(_TESTED, listed_on="2020-10-20"),
    saboteur="gate-off-already-eligible",
    wanted=_NOBODY,
    refusal=EarlyRefusal.ALREADY_ELIGIBLE,
    word=ORDINARY,
)
