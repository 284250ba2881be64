"""Decisions of SMETS1 homes as scenarios of a test's own: each in every cohort and mode."""

from dataclasses import replace
from typing import Final

from device_profiles.bilingual_table import Listed, NotifiedAs
from device_profiles.cohort import load_cohort
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import SmetsVersion
from harness.rules.bilingual import BilingualCase
from harness.scenario import Scenario
from harness.scenarios.ppmid import decisions
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import FirmwareRow, row

COHORTS: Final = ("IOC", "MDS", "DA", "EA", "EB")
_S1: Final = SmetsVersion.SMETS1
#: Row of the table -> how the model is listed, how it is announced, which model.
CASES: Final = {
    "D1": (Listed.SMETS1, NotifiedAs.SMETS1, "demo-s1-ppmid"),
    "D3": (Listed.BOTH, NotifiedAs.SMETS1, "demo-bilingual-ppmid"),
    "D6": (Listed.BOTH, NotifiedAs.SMETS2, "demo-bilingual-ppmid"),
    "D8": (Listed.SMETS2, NotifiedAs.SMETS2, "demo-bilingual-ppmid"),
    "D9": (Listed.SMETS1, NotifiedAs.EXECUTING_VERSION, "demo-bilingual-ppmid"),
    "D10": (Listed.BOTH, NotifiedAs.NONE, "demo-bilingual-ppmid"),
}


def _scenario(number: int, decision: str, cohort: str, mode: MetadataMode) -> Scenario:
    listed, notified, model = CASES[decision]
    hub = load_profile(load_cohort(cohort).models.chf).identity
    other = load_profile(model).identity.manufacturer_code != hub.manufacturer_code
    strange = other and not load_cohort(cohort).ppmid.third_party_firmware
    case = replace(BilingualCase(mode, listed, notified, _S1), third_party=strange)
    of = FirmwareRow((Home(cohort=cohort, ppmid=model),), mode, without_ppmid=True)
    return row(
        f"PPMID-{number:03}",
        f"{decision} in {cohort}, {mode}",
        of,
        devices=("PPMID", "CHF"),
        steps=(decisions.table_says(case), decisions.joins_smets1(case)),
        events=("table-says", "observed"),
        oracle=decisions.table_oracle(case, of),
        saboteur="dsp-routes-by-association",
        silent=decisions.SILENT,
    )


#: Name -> scenario.
SCENARIOS: Final = {
    f"{decision}-{cohort}-{mode}": _scenario(500 + number, decision, cohort, mode)
    for number, (decision, cohort, mode) in enumerate(
        (decision, cohort, mode)
        for decision in CASES
        for cohort in COHORTS
        for mode in MetadataMode
    )
}
globals().update(SCENARIOS)
