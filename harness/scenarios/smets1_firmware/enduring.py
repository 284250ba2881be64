"""Enduring mode: one bare image for every maker's hubs, and whose fault wrong metadata are."""

from typing import Final

from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import DeviceType, SmetsVersion
from harness.parties.s1sp_desk_faults import DeskFault
from harness.run import Run
from harness.scenario import step
from harness.scenarios.clauses import exact
from harness.scenarios.smets1_firmware import both
from harness.scenarios.smets1_firmware.attempt import ACTIVATED, DISCARDED
from harness.scenarios.smets1_firmware.data import BARE, Wanted
from harness.scenarios.smets1_firmware.homes import HUBS, Home
from harness.scenarios.smets1_firmware.row import IMPLIED, FirmwareRow, market, row
from harness.scenarios.smets1_firmware.steps import (
    DAY_S,
    EXPECTS,
    OBSERVED,
    Try,
    expects,
    tries,
)

PPMID: Final = DeviceType.PPMID
_METADATA: Final = "S003 §5"
_WHO: Final = "smetsbench who made the metadata"
_ENDURING: Final = MetadataMode.ENDURING
_MODEL: Final = "demo-bilingual-ppmid"
_BARE: Final = Wanted(layout=BARE)
_HOMES: Final = tuple(
    Home(ref=hub.rpartition("-")[2].upper(), hub=hub, ppmid=_MODEL, gsme="", number=number)
    for number, hub in enumerate(HUBS.values(), start=1)
)
_TRIES: Final = tuple(Try(PPMID, _BARE, number, home.ref) for number, home in enumerate(_HOMES))


@step(
    "The same octets reach a PPMID behind a SMETS2+ hub (11.4)",
    _METADATA,
    IMPLIED,
    timeout_s=3 * DAY_S,
)
async def same_in_smets2(run: Run) -> None:
    """One file for six hubs: ask in the SMETS2+ world with what the SMETS1 homes got."""
    cells = [one.cell(run) for one in _TRIES]
    files = {cell.image.octets for cell in cells}
    run.check("different files", 1, len(files))
    run.check("different hashes", 1, len({cell.case.hash for cell in cells}))
    image = cells[0].image
    own = cells[0].cpl.model_copy(
        update={
            "cpl_entry_id": "ASSUMED-SMETS2",
            "smets": SmetsVersion.SMETS2,
            "firmware_version": image.facts.version,
        }
    )
    both.smets2(run).list_version(own)
    attempt = await both.ppmid_updated(run, image.octets, image.facts.version)
    run.event("observed", of="SMETS2+", outcome=attempt.text, told="; ".join(attempt.told))
    run.outcome(attempt.word)
    run.check("behind the SMETS2+ hub", ACTIVATED, attempt.word)


FM_43: Final = row(
    "FM-43",
    "Enduring mode: one bare image on five makers' hubs, and behind a SMETS2+ hub",
    FirmwareRow(_HOMES, _ENDURING, cohort_data={"handover.holders": (DeviceType.CHF,)}),
    devices=("PPMID", "CHF"),
    steps=(
        expects(*_TRIES, clauses=(_METADATA,)),
        *(tries(one, _METADATA) for one in _TRIES),
        same_in_smets2,
    ),
    events=(*EXPECTS * len(_TRIES), *OBSERVED * len(_TRIES), "observed"),
    expectation=exact(ACTIVATED, _METADATA),
    saboteur="s1sp-sends-another-makers-metadata",
    world=both.WORLD,
    settings=both.settings(PPMID=_MODEL),
    setup=both.open_both,
    silent=(
        "by which other route the S1SP hands metadata over: a channel of ours",
        "five makers' hubs stand in homes of one S1SP here: the row is about hubs",
    ),
)

_WRONG: Final = Try(PPMID, _BARE)


@step("The S1SP, which made the metadata, says that the fault is its own", _WHO, timeout_s=DAY_S)
async def own_fault(run: Run) -> None:
    """The alert names who made what the hub refused."""
    told = [one.value for one in market(run).supplier().answered]
    says = " ".join(getattr(one, "information", None) or "" for one in told)
    run.check("who made the metadata", True, "the S1SP made the metadata" in says)
    run.event("blamed", on="S1SP", says=says[:200])


FM_44: Final = row(
    "FM-44",
    "Enduring mode: the S1SP hands over another maker's metadata, and takes the blame",
    FirmwareRow(
        (Home(cohort="MDS"),), _ENDURING, misconduct=("s1sp-sends-another-makers-metadata",)
    ),
    devices=("PPMID", "CHF"),
    steps=(
        expects(_WRONG, clauses=(_WHO,)),
        tries(_WRONG, _METADATA, code=DeskFault.OWN_METADATA_REFUSED, compares=False),
        own_fault,
    ),
    events=(*EXPECTS, "observed", "blamed"),
    expectation=exact(DISCARDED, _METADATA),
    saboteur="s1-chf-skips-metadata-check",
    silent=("what an S1SP says when it made metadata wrongly: ours",),
)
