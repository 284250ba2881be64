"""The decision table of bilingual PPMIDs, row by row: PPMID-001 to PPMID-014 are D1 to D14."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from device_profiles.bilingual_table import (
    InventoryVersion,
    Listed,
    NotifiedAs,
)
from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import DeviceType, SmetsVersion
from harness.rules.bilingual import BilingualCase, BilingualRuling, ReadBrings, judge
from harness.run import Run
from harness.run_options import RunOptions
from harness.scenario import Scenario, Step
from harness.scenarios.ppmid import probe
from harness.scenarios.ppmid.probe import Seen
from harness.scenarios.smets1_firmware import both
from harness.scenarios.smets1_firmware.data import Known
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import (
    IMPLIED,
    FirmwareRow,
    firmware_row,
    known,
    market,
    row,
)
from harness.scenarios.smets1_firmware.steps import DAY_S
from harness.verdict import Expectation, ExpectationKind

PPMID: Final = DeviceType.PPMID
_S1: Final = SmetsVersion.SMETS1
_S2: Final = SmetsVersion.SMETS2
_KIND: Final = "S003 §2"
_READ: Final = "DUIS 11.2"
_BILINGUAL: Final = "demo-bilingual-ppmid"
_TACTICAL: Final = MetadataMode.TACTICAL
_ENDURING: Final = MetadataMode.ENDURING
SILENT: Final = (
    "under which versions a bilingual model stands on the list: a stand-in pair of entries",
    "how a device that nobody can target still joins the HAN: it stands joined here",
    "which of its two versions inventory and reading show in enduring mode: not said",
)


def ruling_of(case: BilingualCase, of: Known, home: Home) -> BilingualRuling:
    """Return what the decision table in force says of a case in a home."""
    ppmid = of.cohort(home.cohort).ppmid if case.installation is _S1 else None
    return judge(case, ppmid, of.world(home).decisions)


def table_oracle(case: BilingualCase, row_: FirmwareRow) -> Callable[[RunOptions], Expectation]:
    """Return what tells the expectation of a row from the decision table in force."""

    def oracle(options: RunOptions) -> Expectation:
        ruling = ruling_of(case, Known.of(options, row_.mode), row_.homes[0])
        word = frozenset({ruling.outcome.value})
        return Expectation(ExpectationKind.EXACT, word, ruling.evidence)

    return oracle


def table_says(case: BilingualCase) -> Step:
    """Step: write down what the decision table says; nothing is tried yet."""

    async def act(run: Run) -> None:
        """Read the table in force."""
        ruling = ruling_of(case, known(run), firmware_row(run).homes[0])
        run.event(
            "table-says",
            of=ruling.row or "no row",
            outcome=ruling.outcome.value,
            route=ruling.route.value,
            inventory=ruling.inventory.value,
            read=ruling.read.value,
            conflict=ruling.conflict or "none",
            why=ruling.says,
            rule=ruling.why or "none",
            basis=f"{ruling.row} [{ruling.evidence}]",
        )

    title = "What the decision table says, before anything is tried"
    return Step(title, act, (_KIND, IMPLIED), DAY_S)


def compare(run: Run, case: BilingualCase, seen: Seen) -> None:
    """State what was observed, and compare it with the table: outcome, route, version, reading."""
    ruling = ruling_of(case, known(run), firmware_row(run).homes[0])
    run.event(
        "observed",
        of=ruling.row or "no row",
        outcome=seen.outcome,
        route=seen.route,
        inventory=seen.inventory or "nothing",
        read=seen.read or "nothing",
        executing=seen.executing,
        says=seen.says or "nothing",
    )
    run.outcome(seen.outcome)
    run.check("outcome, beside the table's", ruling.outcome.value, seen.outcome, clause=IMPLIED)
    run.check("who answers for it", ruling.route.value, seen.route, clause=IMPLIED)
    nominal, executing = versions(run)
    listed = {InventoryVersion.NOMINAL: nominal, InventoryVersion.ACTUAL: executing}
    wanted = listed.get(ruling.inventory)
    if wanted is not None and _settles(case):
        run.check("version in the inventory", wanted, seen.inventory, clause=IMPLIED)
    brought = {ReadBrings.EXECUTING: seen.executing, ReadBrings.NOMINAL: nominal}
    expected = brought.get(ruling.read, "")
    if not _settles(case) and seen.read in brought.values():
        expected = seen.read  # no source says which of both it is then
    run.check("what reading brings", expected, seen.read, clause=IMPLIED)


def _settles(case: BilingualCase) -> bool:
    """Say whether the table is about one version (in enduring mode the hub's kind decides)."""
    return case.mode is _TACTICAL


def versions(run: Run) -> tuple[str, str]:
    """Return the version of the SMETS1 entry, and the one that executes."""
    profile = known(run).profile(firmware_row(run).homes[0], PPMID)
    executing = profile.identity.firmware_version.upper()
    nominal = profile.nominal_version(_S1).upper() if profile.is_of(_S1) else executing
    return nominal, executing


# -- rows in SMETS1 homes --------------------------------------------------------------------------


def _listed(run: Run, listed: Listed) -> None:
    """Have the list know the model as a row has it."""
    nominal, executing = versions(run)
    profile = market(run).profile(PPMID)
    rows = {
        Listed.SMETS1: {_S1: nominal},
        Listed.SMETS2: {_S2: executing},
        Listed.BOTH: {_S1: nominal, _S2: executing},
    }[listed]
    market(run).list_model(profile, rows)


def joins_smets1(case: BilingualCase) -> Step:
    """Step: a supplier announces the PPMID of the SMETS1 home, and has it join."""

    async def act(run: Run) -> None:
        """12.2, 8.11, 8.7.2, and then 11.2 to see who can target it."""
        _listed(run, case.listed)
        nominal, executing = versions(run)
        announced = {
            NotifiedAs.SMETS1: nominal,
            NotifiedAs.SMETS2: executing,
            NotifiedAs.EXECUTING_VERSION: executing,
            NotifiedAs.NONE: "",
        }[case.notified]
        compare(run, case, await probe.in_smets1(run, announced))

    title = "The PPMID of a SMETS1 home is announced, joins, and is asked for its version"
    return Step(title, act, (_KIND, IMPLIED), DAY_S)


def _in_smets1(  # noqa: PLR0913, PLR0917 - what differs between the rows
    number: int, title: str, case: BilingualCase, saboteur: str, model: str, cohort: str = "EA"
) -> Scenario:
    of = FirmwareRow((Home(cohort=cohort, ppmid=model),), case.mode, without_ppmid=True)
    return row(
        f"PPMID-{number:03}",
        title,
        of,
        devices=("PPMID", "CHF"),
        steps=(table_says(case), joins_smets1(case)),
        events=("table-says", "observed"),
        oracle=table_oracle(case, of),
        saboteur=saboteur,
        silent=SILENT,
    )


def _case(
    listed: Listed, notified: NotifiedAs, at: SmetsVersion, mode: MetadataMode = _TACTICAL
) -> BilingualCase:
    return BilingualCase(mode, listed, notified, at)


PPMID_001: Final = _in_smets1(
    1,
    "D1: a SMETS1 model, announced so, in a SMETS1 home",
    _case(Listed.SMETS1, NotifiedAs.SMETS1, _S1),
    "decision-off-d1",
    "demo-s1-ppmid",
)
PPMID_003: Final = _in_smets1(
    3,
    "D3: a bilingual model, announced with its SMETS1 entry, in a SMETS1 home (FOC)",
    _case(Listed.BOTH, NotifiedAs.SMETS1, _S1),
    "s1sp-transforms-in-foc",
    _BILINGUAL,
)
PPMID_006: Final = _in_smets1(
    6,
    "D6: a bilingual model, announced with its SMETS2+ entry, in a SMETS1 home",
    _case(Listed.BOTH, NotifiedAs.SMETS2, _S1),
    "dsp-routes-by-association",
    _BILINGUAL,
)
PPMID_008: Final = _in_smets1(
    8,
    "D8: bilingual hardware listed for SMETS2+ alone, in a SMETS1 home",
    _case(Listed.SMETS2, NotifiedAs.SMETS2, _S1),
    "dsp-routes-by-association",
    _BILINGUAL,
)
PPMID_009: Final = _in_smets1(
    9,
    "D9: announced with the version that executes, where the list has the SMETS1 entry alone",
    _case(Listed.SMETS1, NotifiedAs.EXECUTING_VERSION, _S1),
    "decision-off-d9",
    _BILINGUAL,
)
PPMID_010: Final = _in_smets1(
    10,
    "D10: nobody has announced it: it may not join",
    _case(Listed.BOTH, NotifiedAs.NONE, _S1),
    "dsp-lets-strangers-join",
    _BILINGUAL,
)
PPMID_011: Final = _in_smets1(
    11,
    "D11: enduring mode, announced with its SMETS2+ entry, in a SMETS1 home",
    _case(Listed.BOTH, NotifiedAs.SMETS2, _S1, _ENDURING),
    "decision-off-d11",
    _BILINGUAL,
)
_D3: Final = _case(Listed.BOTH, NotifiedAs.SMETS1, _S1)
PPMID_026: Final = _in_smets1(
    26,
    "D3 on Secure: a bilingual model of another make is targeted, and not read",
    replace(_D3, third_party=True),
    "s1sp-knows-every-make",
    _BILINGUAL,
    "DA",
)
PPMID_027: Final = _in_smets1(
    27,
    "D3 in FOC's other group: what is read is what executes",
    _D3,
    "s1sp-transforms-in-foc",
    _BILINGUAL,
    "EB",
)
PPMID_028: Final = _in_smets1(
    28,
    "D3 in IOC: what is read is the SMETS1 entry's version",
    _D3,
    "s1sp-reads-raw",
    _BILINGUAL,
    "IOC",
)
PPMID_029: Final = _in_smets1(
    29,
    "D3 in MOC (MDS): what is read is the SMETS1 entry's version",
    _D3,
    "s1sp-reads-raw",
    _BILINGUAL,
    "MDS",
)
PPMID_030: Final = _in_smets1(
    30,
    "D11 in IOC: enduring mode, announced with its SMETS2+ entry, in a SMETS1 home",
    _case(Listed.BOTH, NotifiedAs.SMETS2, _S1, _ENDURING),
    "decision-off-d11",
    _BILINGUAL,
    "IOC",
)


# -- rows in SMETS2+ homes -------------------------------------------------------------------------


def joins_smets2(case: BilingualCase, *, moves: bool = False) -> Step:
    """Step: the PPMID of the SMETS2+ home is announced, and asked for its version.

    Args:
        case: The row.
        moves: Whether it is taken out and announced anew afterwards, with its SMETS2+ entry.
    """

    async def act(run: Run) -> None:
        """12.2, and then 11.2 to see who can target it."""
        nominal, executing = versions(run)
        both.smets2(run).dsp.bilingual = known(run).cohort("EA").bilingual
        announced = nominal if case.notified is NotifiedAs.SMETS1 else executing
        rows = {_S2: executing} if case.listed is Listed.SMETS2 else {_S1: nominal, _S2: executing}
        _device, why = probe.announce_in_smets2(run, announced, rows)
        run.check("12.2 is taken", "", why)
        compare(run, case, await probe.in_smets2(run))
        if moves:
            _device, why = probe.announce_in_smets2(run, executing, rows)
            run.check("12.2 with the SMETS2+ entry is taken", "", why)
            again = await probe.in_smets2(run)
            anew = _case(Listed.BOTH, NotifiedAs.SMETS2, _S2)
            last = run.ended_in
            compare(run, anew, again)
            run.outcome(last)

    title = "The PPMID of a SMETS2+ home is announced, and is asked for its version"
    return Step(title, act, (_KIND, IMPLIED, _READ), DAY_S)


def _in_smets2(  # noqa: PLR0913 - what differs between the rows
    number: int,
    title: str,
    case: BilingualCase,
    saboteur: str,
    model: str = _BILINGUAL,
    *,
    moves: bool = False,
) -> Scenario:
    of = FirmwareRow((Home(cohort="EA", ppmid=model, gsme=""),), case.mode, taken_over=False)
    return row(
        f"PPMID-{number:03}",
        title,
        of,
        devices=("PPMID", "CHF"),
        steps=(table_says(case), joins_smets2(case, moves=moves)),
        events=("table-says", "observed", *(("observed",) if moves else ())),
        oracle=table_oracle(case, of),
        saboteur=saboteur,
        world=both.WORLD,
        settings=both.settings(PPMID=model),
        setup=both.open_both,
        silent=SILENT,
    )


PPMID_002: Final = _in_smets2(
    2,
    "D2: a SMETS2+ model, announced so, in a SMETS2+ home",
    _case(Listed.SMETS2, NotifiedAs.SMETS2, _S2),
    "decision-off-d2",
    "demo-ppmid",
)
PPMID_004: Final = _in_smets2(
    4,
    "D4: a bilingual model, announced with its SMETS2+ entry, in a SMETS2+ home",
    _case(Listed.BOTH, NotifiedAs.SMETS2, _S2),
    "decision-off-d4",
)
PPMID_005: Final = _in_smets2(
    5,
    "D5: a bilingual model, announced with its SMETS1 entry, in a SMETS2+ home",
    _case(Listed.BOTH, NotifiedAs.SMETS1, _S2),
    "smets2-dsp-targets-strays",
)
PPMID_012: Final = _in_smets2(
    12,
    "D12: enduring mode, announced with its SMETS1 entry, in a SMETS2+ home",
    _case(Listed.BOTH, NotifiedAs.SMETS1, _S2, _ENDURING),
    "decision-off-d12",
)
_MOVED: Final = BilingualCase(_TACTICAL, Listed.BOTH, NotifiedAs.SMETS1, _S2, moved=True)
PPMID_014: Final = _in_smets2(
    14,
    "D14: moved to a SMETS2+ home: out of reach until it is taken out and announced anew",
    _MOVED,
    "smets2-dsp-targets-strays",
    moves=True,
)
