"""Rows of the decision table that are about lists: D7 and D13 (PPMID-007, PPMID-013)."""

from typing import Final

from device_profiles.bilingual_table import BilingualOutcome, Listed, NotifiedAs
from device_profiles.dmc import Combination
from device_profiles.errors import DataError
from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.rules.bilingual import BilingualCase
from harness.run import Run
from harness.scenario import Step
from harness.scenarios.ppmid import probe
from harness.scenarios.ppmid.decisions import SILENT, table_oracle, table_says, versions
from harness.scenarios.ppmid.probe import Seen
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import FirmwareRow, market, row
from harness.scenarios.smets1_firmware.steps import DAY_S

PPMID: Final = DeviceType.PPMID
_S1: Final = SmetsVersion.SMETS1
_S2: Final = SmetsVersion.SMETS2
_TACTICAL: Final = MetadataMode.TACTICAL
_KIND: Final = "S003 §2"
_BILINGUAL: Final = "demo-bilingual-ppmid"

_SAME: Final = BilingualCase(_TACTICAL, Listed.BOTH_SAME_VERSION, NotifiedAs.SMETS1, _S1)


async def _refused_list(run: Run) -> None:
    """Have the list know both generations under one version."""
    _nominal, executing = versions(run)
    profile = market(run).profile(PPMID)
    try:
        market(run).list_model(profile, {_S1: executing, _S2: executing})
    except DataError as error:
        seen = Seen(BilingualOutcome.LIST_ERROR.value, says=str(error)[:120])
    else:
        seen = Seen("LISTED")
    run.event("observed", of="D7", outcome=seen.outcome, says=seen.says or "nothing")
    run.outcome(seen.outcome)
    run.check("outcome, beside the table's", BilingualOutcome.LIST_ERROR.value, seen.outcome)


_D7_ROW: Final = FirmwareRow((Home(cohort="EA", ppmid=_BILINGUAL),), taken_over=False)
PPMID_007: Final = row(
    "PPMID-007",
    "D7: both entries under one version: the list is refused",
    _D7_ROW,
    devices=("PPMID", "CHF"),
    steps=(
        table_says(_SAME),
        Step("The list is given both entries under one version", _refused_list, (_KIND,), DAY_S),
    ),
    events=("table-says", "observed"),
    oracle=table_oracle(_SAME, _D7_ROW),
    saboteur="decision-off-d7",
    silent=SILENT,
)

_NO_DMC: Final = BilingualCase(_TACTICAL, Listed.BOTH, NotifiedAs.SMETS1, _S1, in_dmc=False)


async def _no_combination(run: Run) -> None:
    """Look the home's combination up on the EPCL, with this PPMID and without any."""
    parties = market(run)
    nominal, executing = versions(run)
    parties.list_model(parties.profile(PPMID), {_S1: nominal, _S2: executing})
    devices = {one.role: one.cpl_entry or "" for one in parties.site.installation.devices}
    record = parties.record(Eui64.parse(probe.installed(run).eui64))
    own = parties.world.dsp.cpl.resolve(
        manufacturer=record.manufacturer,
        model=record.model,
        device_type=PPMID,
        firmware_version=nominal,
        smets=_S1,
    )
    entry = "" if own.entry is None else own.entry.cpl_entry_id
    facts, lists = parties.opening.cohort.cohort, parties.office.lists
    found = []
    for ppmids in ((entry,), ()):
        combination = Combination(
            devices[DeviceType.CHF],
            devices[DeviceType.ESME],
            devices[DeviceType.GSME],
            ppmids,
        )
        aligned = lists.epcl.align(
            combination,
            group_id=facts.group_id,
            csp=facts.csp.value,
            day=parties.office.clock.today(),
        )
        found.append(aligned.entry is not None)
    word = BilingualOutcome.TARGETABLE if found[0] else BilingualOutcome.NOT_MIGRATABLE
    run.event(
        "observed",
        of="D13",
        outcome=word.value,
        without_ppmid="listed" if found[1] else "not listed",
    )
    run.outcome(word.value)
    run.check("with the PPMID the combination is on the EPCL", False, found[0])
    run.check("without it, it is", True, found[1])


_D13_ROW: Final = FirmwareRow((Home(cohort="EA", ppmid=_BILINGUAL),), taken_over=False)
PPMID_013: Final = row(
    "PPMID-013",
    "D13: its SMETS1 entry is in no combination of the EPCL: it does not migrate",
    _D13_ROW,
    devices=("PPMID", "CHF"),
    steps=(
        table_says(_NO_DMC),
        Step("The combination is looked up on the EPCL", _no_combination, ("SEC EPCL",), DAY_S),
    ),
    events=("table-says", "observed"),
    oracle=table_oracle(_NO_DMC, _D13_ROW),
    saboteur="decision-off-d13",
    silent=SILENT,
)
