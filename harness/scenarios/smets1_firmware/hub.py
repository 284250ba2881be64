"""SMETS1 hubs' own firmware, and who may update it: FM-40, FM-41."""

from dataclasses import replace
from typing import Final

from device_profiles.updaters import Others, Updaters, load_updaters
from device_profiles.words import DeviceType, SmetsVersion
from harness.formats.duis.alerts import ChUpdateStatus, Smets1ChFirmwareNotification
from harness.formats.duis.responses import DccAlertMessage
from harness.parties.firmware_defects import among
from harness.parties.import_supplier import GIS
from harness.rules.firmware_updaters import Permission
from harness.run import Run
from harness.run_options import RunOptions
from harness.scenario import Step, step
from harness.scenarios.clauses import exact
from harness.scenarios.smets1_firmware.attempt import ACTIVATED
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import (
    IMPLIED,
    TOLD,
    TRUTH,
    FirmwareRow,
    market,
    row,
)
from harness.scenarios.smets1_firmware.steps import (
    DAY_S,
    EXPECTS,
    OBSERVED,
    WHOLE_S,
    Try,
    expects,
    image_file,
    observe,
    told_truly,
    tries,
)
from harness.verdict import Expectation, ExpectationKind

CHF: Final = DeviceType.CHF
_NOTICE: Final = "DUIS SMETS1CHFirmwareNotification"
_EIS: Final = "S001 coordinating supplier"
_HUB: Final = Try(CHF)


def notified(*wanted: ChUpdateStatus) -> Step:
    """Step: every supplier of the home was told these things of its hub, in that order."""

    async def act(run: Run) -> None:
        """Look into the suppliers' post."""
        told = notices(run)
        words = [one.value for one in wanted]
        run.check("suppliers who were told", len(market(run).world.suppliers), len(told))
        for name, found in told.items():
            run.check(f"{name} is told", words, found)
        run.event("hub-notices", told=", ".join(words) or "nothing")

    return Step("The suppliers are told of the hub's update", act, (_NOTICE,), DAY_S)


def notices(run: Run) -> dict[str, list[str]]:
    """Return what each supplier was told of the hub's firmware, in order."""
    hub = market(run).device(CHF)
    told: dict[str, list[str]] = {}
    for user in market(run).world.suppliers.values():
        bodies = [one.response.body for one in user.alerts()]
        alerts = [one.alert for one in bodies if isinstance(one, DccAlertMessage)]
        told[user.name] = [
            one.status.value
            for one in alerts
            if isinstance(one, Smets1ChFirmwareNotification) and one.device == hub
        ]
    return told


FM_40: Final = row(
    "FM-40",
    "IOC: the electricity supplier updates the hub; every supplier is told twice",
    FirmwareRow((Home(cohort="IOC"),)),
    devices=("CHF",),
    steps=(
        expects(_HUB, clauses=(_EIS,)),
        tries(_HUB, _EIS),
        notified(ChUpdateStatus.REQUESTED, ChUpdateStatus.ACTIVATED),
    ),
    events=(*EXPECTS, *OBSERVED, "hub-notices"),
    expectation=exact(ACTIVATED, _EIS),
    saboteur="dsp-tells-nothing-of-hubs",
    silent=("what metadata a hub maker asks for: a stand-in layout (real layout not public)",),
)


def updaters(options: RunOptions) -> Updaters:
    """Return the table of updaters in force, as the defects of a run have it."""
    off = {one.row_off for one in among(tuple(options.defects))}
    return Updaters(one for one in load_updaters(options.data).rows if one.id not in off)


def other_supplier(options: RunOptions) -> Expectation:
    """Return what becomes of another supplier of a FOC home that updates its hub (F-100)."""
    found = updaters(options).find(CHF, SmetsVersion.SMETS1, coordinated=False)
    refused = frozenset({Permission.REFUSED.value})
    if found is None:
        return Expectation(ExpectationKind.EXACT, refused, "inferred:no row of the table")
    if found.others is Others.SILENT:
        both = frozenset(map(str, Permission))
        return Expectation(ExpectationKind.ONE_OF, both, found.evidence)
    return Expectation(ExpectationKind.EXACT, refused, found.evidence)


_BY_GAS: Final = replace(_HUB, label="by the gas supplier")


@step(
    "The gas supplier asks for an update of the hub", _EIS, IMPLIED, TRUTH, TOLD, timeout_s=WHOLE_S
)
async def gas_supplier_asks(run: Run) -> None:
    """Both outcomes are fine; each must be one all the way down to the hub."""
    cell = _BY_GAS.cell(run)
    trial = _BY_GAS.trial(run)
    file = image_file(run, cell, GIS)
    attempt = await trial.whole(file, market(run).supplier(GIS))
    observe(run, _BY_GAS, attempt)
    refused = attempt.by == "DSP"
    run.outcome(Permission.REFUSED.value if refused else Permission.ALLOWED.value)
    told_truly(run, attempt)
    if refused:
        run.check("refused for who it is", "not-eligible-role", attempt.code)
        run.check("what the hub's log says of it", "", attempt.row)
    else:
        run.check("it comes to", cell.implied.word, attempt.word, clause=IMPLIED)


@step("The suppliers are told of what was asked, and of nothing else", _NOTICE, timeout_s=DAY_S)
async def notices_fit(run: Run) -> None:
    """Compare the notices with what became of the request."""
    both = [ChUpdateStatus.REQUESTED.value, ChUpdateStatus.ACTIVATED.value]
    wanted = both if run.ended_in == Permission.ALLOWED.value else []
    for name, found in notices(run).items():
        run.check(f"{name} is told", wanted, found)
    run.event("hub-notices", told=", ".join(wanted) or "nothing")


FM_41: Final = row(
    "FM-41",
    "FOC: a supplier that is not the electricity supplier updates the hub",
    FirmwareRow((Home(cohort="EA"),), draws_coin=True),
    devices=("CHF",),
    steps=(expects(_BY_GAS, clauses=(_EIS,)), gas_supplier_asks, notices_fit),
    events=(*EXPECTS, "observed", "hub-notices"),
    oracle=other_supplier,
    saboteur="updater-off-upd-s1-foc",
    silent=(
        (
            "who may update hubs in EA, EB and EC besides the electricity supplier: S001 takes"
            " them out of the coordination and puts nothing in its place; our DSP draws from the"
            " seed"
        ),
    ),
)
