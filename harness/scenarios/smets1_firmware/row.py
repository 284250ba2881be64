"""One SMETS1 firmware row as a scenario: homes, parties, what is known, and the first steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Any, Final, cast

from device_profiles.cohort import PpmidFirmwareReading
from device_profiles.metadata_layout import MetadataMode
from device_profiles.s1sr import FirmwareService
from device_profiles.words import DeviceType
from emulator.core.clock import from_datetime
from emulator.core.ids import Eui64
from harness.parties.firmware_defects import FirmwareDefect, among
from harness.parties.image_defects import DEFECTS as IMAGE_DEFECTS
from harness.parties.s1sp_desk_firmware import MakeRules
from harness.ports import Bench
from harness.rules.s1sr_expectations import ClauseSays
from harness.run import NOT_PROVEN, Run
from harness.run_options import RunOptions
from harness.scenario import Scenario, Step, step
from harness.scenarios.clauses import clauses
from harness.scenarios.smets1_firmware.data import Known
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.market import Opening, Smets1Market
from harness.verdict import Expectation

NAME: Final = "smets1 market"
TAKEN_OVER: Final = "smetsbench taken over"
IMPLIED: Final = "smetsbench implied"
TRUTH: Final = "smetsbench truth"
TOLD: Final = "smetsbench outcome told"
#: Hour at which a row's own day begins.
_SIX: Final = time(6, tzinfo=UTC)
_OPEN: Final = (
    (
        "stand-in",
        (
            "Metadata layouts of hub makers, limits of hubs and versions are ours: stand-in layouts"
            " (real layouts not public). An overlay replaces them."
        ),
    ),
    (
        "stand-in",
        (
            "How an S1SP hands images to a hub, and how the hub tells what became of them, is ours:"
            " image tickets, a metadata channel, a distribution log."
        ),
    ),
)
_EMULATED: Final = ("emulated", "Devices and networks are emulated: no installation was touched.")


@dataclass(frozen=True, slots=True)
class FirmwareRow:
    """What a row is played with.

    Attributes:
        homes: Its homes.
        mode: Where hubs find metadata, and what bilingual devices are taken for.
        day: Day of the parties' calendar (ISO 8601); empty: the bench's.
        misconduct: Party defects that belong to the row.
        taken_over: Whether the homes are the S1SP's; else they are their SMSO's.
        without_ppmid: Whether the PPMIDs stand there and nobody has announced them.
        cohort_data: Key paths of the cohort's data -> what the row takes instead.
        draws_coin: Whether the DSP draws what it makes of what the documents leave open; else it
            lets the other supplier ask.
    """

    homes: tuple[Home, ...] = (Home(),)
    mode: MetadataMode = MetadataMode.TACTICAL
    day: str = ""
    misconduct: tuple[str, ...] = ()
    taken_over: bool = True
    without_ppmid: bool = False
    cohort_data: Mapping[str, object] = field(default_factory=dict)
    draws_coin: bool = False


def clause_oracle(
    of: FirmwareRow, role: DeviceType, service: FirmwareService = FirmwareService.UPDATE
) -> Callable[[RunOptions], Expectation]:
    """Return what tells the expectation of a row from the S1SR's clauses in force (F-099)."""

    def oracle(options: RunOptions) -> Expectation:
        data = Known.of(options, of.mode, of.cohort_data)
        return data.says(of.homes[0], role, service).expectation

    return oracle


def row(  # noqa: PLR0913 - what differs between rows
    id_: str,
    title: str,
    of: FirmwareRow,
    *,
    devices: Sequence[str],
    steps: Sequence[Step],
    events: Sequence[str],
    saboteur: str,
    expectation: Expectation | None = None,
    oracle: Callable[[RunOptions], Expectation] | None = None,
    silent: Sequence[str] = (),
    world: str = "SMETS1",
    settings: Mapping[str, Any] | None = None,
    setup: Callable[[Run], None] | None = None,
    **more: Any,
) -> Scenario:
    """Return a SMETS1 firmware scenario; it claims the clauses of its steps and no others.

    Args:
        id_: Its id.
        title: One line for tables.
        of: Homes and mode.
        devices: Device types under test, the first one foremost.
        steps: Its steps after the take-over.
        events: Event words of these steps.
        saboteur: Defect under which it must not pass.
        expectation: What it may end in, where that is the row's own.
        oracle: What tells that from the data in force.
        silent: What the sources do not settle.
        world: World of its bench.
        settings: Further words for whoever builds the world.
        setup: Builds the participants; None: those of the SMETS1 homes.
        more: Other fields of ``Scenario``.
    """
    first = (taken_over,) if of.taken_over else ()
    every = (*first, *steps)
    shown = dict.fromkeys(clause for one in every for clause in one.clauses)
    told = expectation if oracle is None else oracle(RunOptions())
    if told is None:
        raise ValueError(f"{id_} expects nothing")
    homes = tuple(home.installation(id_) for home in of.homes)
    return Scenario(
        id=id_,
        title=title,
        devices=tuple(devices),
        world=world,
        clauses=clauses(*shown),
        expectation=told,
        steps=every,
        setup=setup or open_world,
        needs=frozenset({"CHF", "ESME", "virtual-time"}),
        saboteur=saboteur,
        expected_events=(*(("taken-over",) if of.taken_over else ()), *events),
        settings={
            "homes": homes,
            "metadata_mode": of.mode.value,
            "firmware_row": of,
            **(settings or {}),
        },
        silent=tuple(silent),
        oracle=oracle,
        **more,
    )


# -- setting up ----------------------------------------------------------------------------------


def firmware_row(run: Run) -> FirmwareRow:
    """Return what the row is played with."""
    found: FirmwareRow = run.scenario.settings["firmware_row"]
    return found


def known(run: Run) -> Known:
    """Return the data in force in the run."""
    of = firmware_row(run)
    return Known.of(run.options, of.mode, of.cohort_data)


def open_world(run: Run) -> None:
    """Set up everybody around the homes of a row (``Scenario.setup``)."""
    of = firmware_row(run)
    start = None if not of.day else datetime.combine(date.fromisoformat(of.day), _SIX)
    market = Smets1Market(
        Opening(
            bench=cast("Bench", run.bench),  # journalled: what it cannot do it asks of the bench
            clock=run.bench.clock,
            chance=run.chance,
            cohort=known(run).cohort(of.homes[0].cohort),
            homes=tuple(run.scenario.settings["homes"]),
            folders=run.options.data,
            record=run.message,
            start=None if start is None else from_datetime(start),
            without=_unannounced(run, of),
        )
    )
    run.participants[NAME] = market
    drawn = run.chance.stream("dsp/what is left open").below(2) if of.draws_coin else 1
    market.world.dsp.coin = bool(drawn)
    for name in (*of.misconduct, *run.options.defects):
        put_wrong(market, name)
    rows = [*_OPEN, *([_EMULATED] if run.bench.kind == "emulated" else [])]
    run.facts[NOT_PROVEN] = [list(one) for one in rows]


def _unannounced(run: Run, of: FirmwareRow) -> frozenset[Eui64]:
    if not of.without_ppmid:
        return frozenset()
    homes = run.scenario.settings["homes"]
    found = [one for home in homes for one in home.of(DeviceType.PPMID)]
    return frozenset(Eui64.parse(one.eui64) for one in found)


def market(run: Run) -> Smets1Market:
    """Return everybody around the row's homes."""
    return run.participant(NAME, Smets1Market)


def put_wrong(market: Smets1Market, name: str) -> None:
    """Have a party do what a defect says; nothing for a name of another table."""
    for one in among((name,)):
        _put_wrong(market, one)
    defect = IMAGE_DEFECTS.get(name)
    if defect is None:
        return
    for path, change in defect.wrong.items():
        *parts, method = path.split(".")
        part: object = market.world
        for attribute in parts:
            part = getattr(part, attribute)
        setattr(part, method, change(getattr(part, method)))


def _put_wrong(market: Smets1Market, defect: FirmwareDefect) -> None:
    dsp, desk = market.world.dsp, market.world.desk
    if defect.check_off:
        checks = {key: check for key, check in dsp.checks.items() if key != defect.check_off}
        vars(dsp)["checks"] = MappingProxyType(checks)
    if defect.sees_no_conflict:
        vars(dsp)["note_hub_exchange"] = lambda _old, _new: ()
    if defect.reads_raw:
        raw = {"read_firmware": PpmidFirmwareReading.RAW}
        desk.make_rules = MakeRules(desk.make_rules.ppmid.model_copy(update=raw))


@step("The homes change hands: the S1SP's keys, its network", TAKEN_OVER, timeout_s=8 * 86_400)
async def taken_over(run: Run) -> None:
    """Change keys and SIM as a migration does; the records of commissioning stand already."""
    await market(run).take_over()
    run.event("taken-over")


def says_text(says: ClauseSays) -> str:
    """Return what clauses say, in one line."""
    words = " or ".join(sorted(says.expectation.outcomes))
    return f"{says.text}; expected: {says.expectation.kind} {words}"
