"""A display's own life in a SMETS1 home: re-joining, what it shows, its battery."""

from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from harness.formats.duis.smets1_bodies import Prepayment, UpdatePaymentMode
from harness.parties.import_supplier import EIS
from harness.run import Run
from harness.scenario import Scenario, Step, step
from harness.scenarios.clauses import exact, one_of
from harness.scenarios.smets1_firmware.attempt import (
    ACTIVATED,
    NOTHING_TOLD,
    TRANSFER_FAILED,
    Trial,
)
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import TRUTH, FirmwareRow, market, row
from harness.scenarios.smets1_firmware.steps import (
    DAY_S,
    EXPECTS,
    HOUR_S,
    OBSERVED,
    WHOLE_S,
    Try,
    expects,
    image_file,
    observe,
    tries,
)

PPMID: Final = DeviceType.PPMID
_SCREEN: Final = "smetsbench display"
_BATTERY: Final = "smetsbench battery"
_MS: Final = 1000
_LIVELY: Final = Home(cohort="IOC", ppmid="demo-s1-ppmid-lively")


async def wait(run: Run, seconds: float) -> None:
    """Let time pass on the bench."""
    clock = run.bench.clock
    await clock.sleep_until(UtcMs(clock.now() + round(seconds * _MS)))


def screen(run: Run) -> dict[str, str]:
    """Return what can be seen of the first home's PPMID, as a person in front of it would."""
    device = market(run).device(PPMID)
    shown = run.bench.describe()
    return dict(shown.get(f"PPMID {device}", {}))


async def sets_prepayment(run: Run) -> None:
    """Have the supplier set the meter to prepayment (1.6), and wait until a display may know."""
    parties = market(run)
    meter, user = parties.device(DeviceType.ESME), parties.supplier(EIS)
    asked = await parties.world.ask(user, UpdatePaymentMode(Prepayment()), meter)
    answer = user.answer_to(asked.request.request_id)
    run.check("1.6 is carried out", True, answer is not None and answer.success)
    await wait(run, 2 * HOUR_S)


def there_again(what: str) -> Step:
    """Step: hours after something started anew, the display is joined and follows its meter."""

    async def act(run: Run) -> None:
        """Wait, change something at the meter, then look at the screen and at the hub's log."""
        await wait(run, 12 * HOUR_S)
        await sets_prepayment(run)
        shown = screen(run)
        run.check("joined", "yes", shown.get("joined"))
        run.check("on the screen", "connected", shown.get("screen"))
        run.check("payment, changed since", "prepayment", shown.get("payment"))
        version = await Trial(market(run), PPMID).version()
        run.check("version told to the hub", shown.get("firmware"), version, clause=TRUTH)
        run.event("joined-again", screen=shown.get("screen", ""), firmware=version)

    title = f"After {what} the display is joined again and follows its meter"
    return Step(title, act, (_SCREEN, TRUTH), 2 * DAY_S)


def _rejoins(number: int, role: DeviceType, saboteur: str) -> Scenario:
    one = Try(role)
    return row(
        f"PPMID-{number:03}",
        f"A display joins again after an update of the {role.value}",
        FirmwareRow((_LIVELY,)),
        devices=("PPMID", role.value),
        steps=(
            expects(one),
            tries(one, _SCREEN),
            there_again(f"the {role.value} started its new firmware"),
        ),
        events=(*EXPECTS, *OBSERVED, "joined-again"),
        expectation=exact(ACTIVATED, _SCREEN),
        saboteur=saboteur,
        silent=("how a display of a SMETS1 home joins, and joins again: ours",),
    )


PPMID_021: Final = _rejoins(21, DeviceType.CHF, "s1-ppmid-never-rejoins")
PPMID_022: Final = _rejoins(22, DeviceType.ESME, "s1-ppmid-never-rejoins")


@step("The display shows how the meter is paid for", _SCREEN, timeout_s=2 * DAY_S)
async def shows_credit(run: Run) -> None:
    """Look at it as it stands."""
    await wait(run, 2 * HOUR_S)
    shown = screen(run)
    run.check("on the screen", "connected", shown.get("screen"))
    run.check("payment", "credit", shown.get("payment"))
    run.event("shown", payment=shown.get("payment", ""), balance=shown.get("balance", ""))


@step(
    "The supplier sets the meter to prepayment (1.6), and the display follows",
    _SCREEN,
    timeout_s=2 * DAY_S,
)
async def follows_the_meter(run: Run) -> None:
    """Ask through DSP and S1SP; then wait, and look again."""
    await sets_prepayment(run)
    shown = screen(run)
    run.outcome("SHOWN" if shown.get("payment") == "prepayment" else "STALE")
    run.check("payment", "prepayment", shown.get("payment"))
    run.check("balance is shown", True, "balance" in shown)
    run.event("shown", payment=shown.get("payment", ""), balance=shown.get("balance", ""))


PPMID_023: Final = row(
    "PPMID-023",
    "What a display shows follows its meter",
    FirmwareRow((_LIVELY,)),
    devices=("PPMID", "ESME"),
    steps=(shows_credit, follows_the_meter),
    events=("shown", "shown"),
    expectation=exact("SHOWN", _SCREEN),
    saboteur="s1-esme-forgets-payment-mode",
    silent=("how often a display asks its meter: a stand-in of its model",),
)

_POWERED: Final = Try(PPMID)


@step("With a low battery the display puts the download off", _BATTERY, timeout_s=WHOLE_S)
async def put_off(run: Run) -> None:
    """Ask for 11.1 as ever; nothing may be served, and its version stays."""
    await run.bench.disturb("battery-low:after_s=1@ppmid")
    await wait(run, HOUR_S)
    cell = _POWERED.cell(run)
    attempt = await _POWERED.trial(run).whole(image_file(run, cell, EIS))
    observe(run, _POWERED, attempt)
    run.outcome(attempt.word)
    served = await _POWERED.trial(run).row(image_file(run, cell, EIS))
    run.check("octets served", 0, -1 if served is None else served.served)
    run.check("its version", attempt.before, attempt.after)
    run.check("it says that it waits", True, bool(run.observations("download_postponed")))


PPMID_024: Final = row(
    "PPMID-024",
    "A low battery postpones a display's download",
    FirmwareRow((Home(cohort="EA", ppmid="demo-s1-ppmid-ended"),)),
    devices=("PPMID", "CHF"),
    steps=(put_off,),
    events=("observed",),
    expectation=one_of((TRANSFER_FAILED, NOTHING_TOLD), _BATTERY),
    saboteur="s1-ppmid-downloads-on-low-battery",
    silent=("below how many days of battery a display puts downloads off: a stand-in",),
)
