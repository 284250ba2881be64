"""SMETS1 meters: an SMSO's update before migration, and versions on displays: FM-39, FM-42."""

from typing import Final

from device_profiles.words import DeviceType
from harness.parties.smso import NAME as SMSO
from harness.run import Run
from harness.scenario import step
from harness.scenarios.clauses import exact
from harness.scenarios.smets1_firmware.attempt import ACTIVATED, Trial
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import (
    IMPLIED,
    TRUTH,
    FirmwareRow,
    known,
    market,
    row,
)
from harness.scenarios.smets1_firmware.smso import SmsoTrial
from harness.scenarios.smets1_firmware.steps import (
    EXPECTS,
    HOUR_S,
    OBSERVED,
    WHOLE_S,
    Try,
    agrees,
    expects,
    image_file,
    observe,
    told_truly,
    tries,
)

ESME: Final = DeviceType.ESME
GSME: Final = DeviceType.GSME
_SMSO: Final = "S004 SMSO"
_GAS: Final = Try(GSME)


@step(
    "The SMSO brings the image to its gas meter over its own network",
    _SMSO,
    IMPLIED,
    TRUTH,
    timeout_s=WHOLE_S,
)
async def smso_updates(run: Run) -> None:
    """Hub first, then the meter; nobody asks the DCC for anything."""
    cell = _GAS.cell(run)
    trial = SmsoTrial(market(run), GSME)
    attempt = await trial.bring(image_file(run, cell, _GAS.by))
    observe(run, _GAS, attempt)
    run.outcome(attempt.word)
    told_truly(run, attempt)
    agrees(run, _GAS, cell, attempt)


@step("The DCC tells nobody anything of it", _SMSO, timeout_s=HOUR_S)
async def nothing_told(run: Run) -> None:
    """Look into every supplier's post, and at what the S1SP was asked."""
    parties = market(run)
    got = [one for user in parties.world.suppliers.values() for one in user.inbox]
    run.check("messages of the DCC to suppliers", 0, len(got))
    asked = [one for one in parties.office.post.letters if one.receiver == parties.office.s1sp.name]
    run.check("requests to the S1SP", 0, len(asked))
    owner = await run.bench.hub_wan().sim_owner()
    run.check("whose network the SIM is on", SMSO, owner)
    run.event("nothing-told")


FM_39: Final = row(
    "FM-39",
    "The SMSO updates a gas meter before migration: no DCC alert",
    FirmwareRow((Home(cohort="IOC"),), taken_over=False),
    devices=("GSME", "CHF"),
    steps=(expects(_GAS, clauses=(_SMSO,)), smso_updates, nothing_told),
    events=(*EXPECTS, *OBSERVED, "nothing-told"),
    expectation=exact(ACTIVATED, _SMSO),
    saboteur="s1-gsme-keeps-old-version",
    silent=(
        "how an SMSO's own head end brings images: as the S1SP's does here",
        "what metadata a hub maker asks for: a stand-in layout (real layout not public)",
    ),
)

_DISPLAY: Final = Try(ESME)


@step(
    "The meter tells its version as its display shows it; the list has other digits",
    "L100 display",
    timeout_s=HOUR_S,
)
async def shown_before(run: Run) -> None:
    """Ask the device itself, and look the list up."""
    await _shown(run, "before")


@step(
    "Afterwards the display shows the new version, and the supplier is told the list's",
    "L100 display",
    timeout_s=HOUR_S,
)
async def shown_after(run: Run) -> None:
    """Ask the device itself, then by 11.2."""
    await _shown(run, "after")
    told, _why = await Trial(market(run), ESME).read()
    run.check("the supplier is told the list's", _DISPLAY.cell(run).image.facts.version, told)


async def _shown(run: Run, when: str) -> None:
    parties, profile = market(run), known(run).profile(_home(run), ESME)
    version = parties.record(parties.device(ESME)).firmware_version
    shown = await Trial(parties, ESME).version()
    wanted = profile.firmware.version_codec.display(bytes.fromhex(version))
    run.check(f"on the display {when}", wanted, shown)
    run.check(f"the list says otherwise {when}", False, shown == version)
    run.event("display", when=when, shown=shown, listed=version)


def _home(run: Run) -> Home:
    homes: tuple[Home, ...] = run.scenario.settings["firmware_row"].homes
    return homes[0]


FM_42: Final = row(
    "FM-42",
    "Secure: an ESME's version on its display and on the list, before and after an update",
    FirmwareRow((Home(cohort="DA", esme="demo-s1-esme-text", ppmid="demo-sec-ppmid"),)),
    devices=("ESME", "CHF"),
    steps=(
        shown_before,
        expects(_DISPLAY, clauses=("L100 display",)),
        tries(_DISPLAY, "L100 display"),
        shown_after,
    ),
    events=("display", *EXPECTS, *OBSERVED, "display"),
    expectation=exact(ACTIVATED, "L100 display"),
    saboteur="s1-esme-other-firmware",
    silent=("which octets of the list's version a display's text stands for: made up",),
)
