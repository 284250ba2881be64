"""A SMETS2+ display's buttons: what is entered at it reaches the meters, and is answered."""

from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.protection import KeyRing
from harness.run import Run
from harness.scenario import Scenario, step
from harness.scenarios.clauses import exact
from harness.scenarios.firmware.actions import HOUR_S
from harness.scenarios.firmware.market import market
from harness.scenarios.firmware.row import row

_CLAUSE: Final = "GBCS PCS01"
_PPMID: Final = DeviceType.PPMID.value
_PENCE: Final = 1250
_COUNTER: Final = 3 << 32
#: Long enough for a sleepy gas meter to have woken. Source: the demo's wake period, twice.
_HEARD_S: Final = HOUR_S


def _code(run: Run) -> str:
    """Return a top-up code of the gas meter's supplier."""
    meter = run.bench.role(DeviceType.GSME.value)
    parties = market(run)
    supplier = parties.supplier_of(meter).eui64
    ring = KeyRing(parties.keys_of(supplier))
    made = make_token(_COUNTER, _PENCE, supplier, meter, ring)
    if made is None:
        raise LookupError(f"the bench holds no prepayment key of {supplier}")
    return made


async def _screen(run: Run) -> dict[str, str]:
    """Wait until meters have answered; return what the display shows."""
    clock = run.bench.clock
    await clock.sleep_until(UtcMs(clock.now() + round(_HEARD_S * 1000)))
    display = run.bench.role(_PPMID)
    return dict(run.bench.describe().get(f"{_PPMID} {display}", {}))


@step("A code entered at the display is taken by the gas meter", _CLAUSE, timeout_s=4 * HOUR_S)
async def topped_up(run: Run) -> None:
    """Let the home come up; enter a code of the supplier's; look at the screen."""
    await _screen(run)
    pressed = await run.bench.key_in(_PPMID, f"gas-top-up={_code(run)}")
    run.check("the display asks the meter", True, pressed.taken)
    shown = (await _screen(run)).get("gas top-up", "")
    run.check("on the screen", f"{_PENCE:.2f} p accepted", shown)
    run.event("topped-up", screen=shown)


@step("The same code is taken once only", _CLAUSE, timeout_s=4 * HOUR_S)
async def not_twice(run: Run) -> None:
    """Enter the same code again; the meter knows it."""
    await run.bench.key_in(_PPMID, f"gas-top-up={_code(run)}")
    shown = (await _screen(run)).get("gas top-up", "")
    run.outcome("ONCE" if shown == "rejected" else "TWICE")
    run.check("on the screen", "rejected", shown)
    run.event("topped-up", screen=shown)


@step("Meters in credit mode grant no emergency credit", _CLAUSE, timeout_s=4 * HOUR_S)
async def no_emergency_credit(run: Run) -> None:
    """Press both buttons: each meter answers, and grants nothing."""
    for button in ("emergency-credit", "gas-emergency-credit"):
        pressed = await run.bench.key_in(_PPMID, button)
        run.check(f"{button}: the display asks the meter", True, pressed.taken)
    shown = await _screen(run)
    for fuel in ("electricity", "gas"):
        said = shown.get(f"{fuel} button", "")
        run.check(f"{fuel}: on the screen", "emergency credit: refused", said)
    run.event("answered", electricity=shown.get("electricity supply", ""))


PPMID_031: Final[Scenario] = row(
    id="PPMID-031",
    title="A display's buttons reach both meters, and a code is taken once",
    devices=("PPMID", "GSME", "ESME", "CHF"),
    expectation=exact("ONCE", _CLAUSE),
    steps=(topped_up, not_twice, no_emergency_credit),
    needs=frozenset({"CHF", "GSME", "ESME", "PPMID"}),
    saboteur="gsme-forgets-tokens",
    expected_events=("topped-up", "topped-up", "answered"),
    silent=("what a display shows of an answer: ours",),
)
