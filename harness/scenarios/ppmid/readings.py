"""Reading, updating and announcing bilingual and third-party PPMIDs: PPMID-015 to 020, 025."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from device_profiles.s1sr import ClauseEffect, FirmwareService
from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import FirmwareVersionMismatch
from harness.formats.duis.responses import DccAlertMessage
from harness.formats.migration_files.commissioning_file import CommissioningDevice
from harness.formats.migration_files.devices import DeviceModel
from harness.parties.firmware_defects import among
from harness.rules.s1sr_expectations import READ, VERSION_MISMATCH
from harness.run import Run
from harness.scenario import Scenario, Step, step
from harness.scenarios.clauses import exact, one_of
from harness.scenarios.ppmid import probe
from harness.scenarios.ppmid.decisions import versions
from harness.scenarios.smets1_firmware.attempt import ACTIVATED, UNTARGETABLE
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import (
    FirmwareRow,
    clause_oracle,
    firmware_row,
    known,
    market,
    row,
)
from harness.scenarios.smets1_firmware.steps import (
    DAY_S,
    EXPECTS,
    OBSERVED,
    Try,
    expects,
    reads,
    tries,
)

PPMID: Final = DeviceType.PPMID
_MODEL: Final = "demo-bilingual-ppmid"
_KIND: Final = "S003 §2"
_MISMATCH: Final = "DUIS FirmwareVersionMismatch"
_ENTRY: Final = ("under which versions a bilingual model stands on the list: a stand-in pair",)


def _nominal(run: Run) -> str:
    return versions(run)[0]


@step(
    "Nobody is told of a mismatch, and the inventory shows the SMETS1 entry's version",
    _MISMATCH,
    _KIND,
    timeout_s=DAY_S,
)
async def no_mismatch(run: Run) -> None:
    """Look for the DCC's alert, and at the inventory."""
    parties = market(run)
    bodies = [one.response.body for one in parties.supplier().alerts()]
    alerts = [one.alert for one in bodies if isinstance(one, DccAlertMessage)]
    found = [one for one in alerts if isinstance(one, FirmwareVersionMismatch)]
    run.outcome(VERSION_MISMATCH if found else READ)
    run.check("mismatches reported", 0, len(found))
    record = parties.record(parties.device(PPMID))
    run.check("version in the inventory", _nominal(run), record.firmware_version)
    run.event("mismatch", says="none; 18.64(c) is about FOC alone")


def _transformed(number: int, cohort: str) -> Scenario:
    return row(
        f"PPMID-{number:03}",
        f"{cohort}: reading a bilingual PPMID brings the SMETS1 entry's version, and no mismatch",
        FirmwareRow((Home(cohort=cohort, ppmid=_MODEL),)),
        devices=("PPMID", "CHF"),
        steps=(reads(PPMID, _nominal, _KIND), no_mismatch),
        events=("clause-says", "read", "mismatch"),
        expectation=exact(READ, _KIND),
        saboteur="s1sp-reads-raw",
        silent=(*_ENTRY, "that other cohorts than FOC transform the version: inferred (B6)"),
    )


PPMID_015: Final = _transformed(15, "IOC")
PPMID_016: Final = _transformed(16, "MDS")

_TRY: Final = Try(PPMID)
_D3: Final = FirmwareRow((Home(cohort="IOC", ppmid=_MODEL),))


@step(
    "A success that the clauses do not lead one to expect is flagged by itself",
    "S1SR 18.63(d)",
    timeout_s=DAY_S,
)
async def success_flagged(run: Run) -> None:
    """The flag stands beside the verdict; it is none."""
    says = known(run).says(firmware_row(run).homes[0], PPMID, FirmwareService.UPDATE)
    doubted = says.effect in {ClauseEffect.UNLIKELY, ClauseEffect.UNCERTAIN}
    flagged = doubted and run.ended_in == ACTIVATED
    run.event("unexpected-success" if flagged else "no-success", clauses=says.text)


PPMID_017: Final = row(
    "PPMID-017",
    "Updating a bilingual PPMID is uncertain: recorded, and a success flagged by itself",
    _D3,
    devices=("PPMID", "CHF"),
    steps=(
        expects(_TRY, clauses=("S1SR 18.63(d)",)),
        tries(_TRY, "S1SR 18.63(d)"),
        success_flagged,
    ),
    events=(*EXPECTS, *OBSERVED, "unexpected-success|no-success"),
    oracle=clause_oracle(_D3, PPMID),
    saboteur="layout-altered-l-ioc-1-crc32",
    silent=(
        *_ENTRY,
        "what metadata a hub maker asks for: a stand-in layout (real layout not public)",
    ),
)


@step(
    "The hub is exchanged on site for one of SMETS2+: A2.13 and the inventory disagree",
    "SEC A2.13",
    _KIND,
    timeout_s=DAY_S,
)
async def conflict_noted(run: Run) -> None:
    """Put another hub into the inventory and note the exchange, as CCS03 would."""
    parties = market(run)
    dsp, old = parties.world.dsp, parties.device(DeviceType.CHF)
    hub = parties.record(old)
    new = Eui64((0x0253_FFFF_0000_0010).to_bytes(8, "big"))
    dsp.inventory.put(replace(hub, device=new, hub=new, smets=SmetsVersion.SMETS2, s1sp=""))
    conflicts = dsp.note_hub_exchange(old, new)
    ppmid = parties.device(PPMID)
    mine = [one for one in conflicts if one.device == ppmid]
    run.outcome("CONFLICT" if mine else "UNNOTICED")
    run.check("conflicts about the PPMID", 1, len(mine))
    says = mine[0].says if mine else ""
    run.check("it names A2.13", True, "A2.13" in says)
    run.check("the inventory still says", SmetsVersion.SMETS1, parties.record(ppmid).smets)
    run.event("conflict", says=says or "nothing")


@step("No request reaches it meanwhile (B3)", _KIND, timeout_s=DAY_S)
async def out_of_reach(run: Run) -> None:
    """Ask for its version."""
    seen = await probe.targeted(run)
    run.check("11.2", UNTARGETABLE, seen.outcome)
    run.event("asked", outcome=seen.outcome, says=seen.says)


PPMID_018: Final = row(
    "PPMID-018",
    "A hub exchanged for one of SMETS2+: the conflict with the inventory is told",
    FirmwareRow((Home(cohort="EA", ppmid=_MODEL),)),
    devices=("PPMID", "CHF"),
    steps=(conflict_noted, out_of_reach),
    events=("conflict", "asked"),
    expectation=exact("CONFLICT", "SEC A2.13"),
    saboteur="dsp-sees-no-conflict",
    silent=("how the DCC learns of an exchange on site: it is noted here as it happens",),
)


def announces(which: Callable[[Run], str], title: str, wanted: str) -> Step:
    """Step: the Commissioning Party announces the PPMID with a version, and it is asked for it."""

    async def act(run: Run) -> None:
        """12.2 of the Commissioning Party, as at the end of a migration; then 11.2."""
        parties = market(run)
        nominal, executing = versions(run)
        profile = parties.profile(PPMID)
        rows = {SmetsVersion.SMETS1: nominal, SmetsVersion.SMETS2: executing}
        parties.list_model(profile, rows)
        device = Eui64.parse(probe.installed(run).eui64)
        wrong = any(one.announces_executing for one in among(tuple(run.options.defects)))
        version = executing if wrong else which(run)
        identity = profile.identity
        model = DeviceModel(
            identity.manufacturer_hex,
            f"{identity.model_id:04X}",
            f"{identity.hardware_version:04X}",
            version,
        )
        dsp = parties.world.dsp
        dsp.inventory.remove(device)
        body = parties.world.party.prenotification(
            CommissioningDevice(device, PPMID, model), dsp.cpl
        )
        _asked, octets = parties.world.party.ask(body)
        dsp.submit(octets, parties.world.party.eui64)
        record = dsp.inventory.find(device)
        if record is not None:
            dsp.inventory.put(replace(record, hub=parties.device(DeviceType.CHF)))
        kind = "nothing" if record is None else record.smets.value
        seen = await probe.targeted(run)
        run.event("announced", version=version, kind=kind, outcome=seen.outcome)
        run.outcome(seen.outcome)
        run.check(f"announced with {version}", wanted, seen.outcome)

    return Step(title, act, (_KIND,), DAY_S)


def _executing(run: Run) -> str:
    return versions(run)[1]


_B4: Final = (
    announces(_executing, "Announced with the SMETS2+ entry it is out of reach (D6)", UNTARGETABLE),
    announces(
        _nominal, "Announced with the SMETS1 entry, as it must be, it is targeted", "TARGETABLE"
    ),
)
PPMID_019: Final = row(
    "PPMID-019",
    "The Commissioning Party announces a migrated PPMID with its SMETS1 entry",
    FirmwareRow((Home(cohort="IOC", ppmid=_MODEL),)),
    devices=("PPMID", "CHF"),
    steps=_B4,
    events=("announced", "announced"),
    expectation=exact("TARGETABLE", _KIND),
    saboteur="cp-announces-executing-version",
    silent=_ENTRY,
)

_FLAGGED: Final = FirmwareRow(
    (Home(cohort="DA"),), cohort_data={"ppmid.third_party_firmware": True}
)
PPMID_020: Final = row(
    "PPMID-020",
    "Secure with the optional S1SP change: a third-party PPMID is updated and read",
    _FLAGGED,
    devices=("PPMID", "CHF"),
    steps=(
        expects(_TRY, clauses=("S003 §4",)),
        tries(_TRY, "S003 §4"),
    ),
    events=(*EXPECTS, *OBSERVED),
    expectation=one_of((ACTIVATED,), "S003 §4"),
    saboteur="s1-ppmid-ignores-upgrade-time",
    silent=("whether and when the S1SP changes: a flag of the cohort's data",),
)

_ENDED: Final = FirmwareRow((Home(cohort="EA", ppmid="demo-s1-ppmid-ended"),))
PPMID_025: Final = row(
    "PPMID-025",
    "FOC: a display on batteries whose firmware support has ended, any image",
    _ENDED,
    devices=("PPMID", "CHF"),
    steps=(expects(_TRY, clauses=("S003 §6",)), tries(_TRY, "S003 §6")),
    events=(*EXPECTS, *OBSERVED),
    oracle=clause_oracle(_ENDED, PPMID),
    saboteur="s1sp-tells-no-outcome",
    silent=("whether such a display takes an image: drawn from the seed",),
)
