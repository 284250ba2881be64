"""SMETS1 PPMIDs and their hubs' metadata and stores: FM-30 to FM-38."""

from typing import Final

from device_profiles.s1sr import FirmwareService
from device_profiles.words import DeviceType
from harness.formats.duis.alerts import FirmwareVersionMismatch
from harness.formats.duis.responses import DccAlertMessage
from harness.parties.s1sp_desk_faults import DeskFault
from harness.rules.s1sr_expectations import READ, VERSION_MISMATCH
from harness.run import Run
from harness.scenario import Scenario, step
from harness.scenarios.clauses import exact
from harness.scenarios.smets1_firmware.attempt import ACTIVATED, DISCARDED
from harness.scenarios.smets1_firmware.data import Wanted
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import FirmwareRow, clause_oracle, market, row
from harness.scenarios.smets1_firmware.steps import (
    EXPECTS,
    OBSERVED,
    Try,
    expects,
    reads,
    tries,
)

PPMID: Final = DeviceType.PPMID
ESME: Final = DeviceType.ESME
_UPDATE: Final = "S1SR 18.63(d)"
_METADATA: Final = "S003 §5"
_SIZE: Final = "S003 §3"
_SILENT_LAYOUT: Final = (
    "what metadata a hub maker asks for: a stand-in layout (real layout not public)"
)
_SILENT_STORE: Final = "how much a hub's store holds: a stand-in limit"


def _one(  # noqa: PLR0913, PLR0917 - what differs between the rows
    id_: str, title: str, home: Home, one: Try, saboteur: str, silent: tuple[str, ...]
) -> Scenario:
    """Return a row of one attempt whose expectation is the clauses' own."""
    of = FirmwareRow((home,))
    return row(
        id_,
        title,
        of,
        devices=("PPMID", "CHF"),
        steps=(expects(one, clauses=(_UPDATE,)), tries(one, _UPDATE)),
        events=(*EXPECTS, *OBSERVED),
        oracle=clause_oracle(of, PPMID),
        saboteur=saboteur,
        silent=silent,
    )


FM_30: Final = _one(
    "FM-30",
    "IOC: a PPMID's image with the right metadata, which fits",
    Home(cohort="IOC"),
    Try(PPMID),
    "s1-ppmid-keeps-old-version",
    (_SILENT_LAYOUT,),
)

_OTHER: Final = Try(PPMID, Wanted(layout="demo-s1-chf-sec"))
FM_31: Final = row(
    "FM-31",
    "IOC: a PPMID's image with the metadata of another hub maker",
    FirmwareRow((Home(cohort="IOC"),)),
    devices=("PPMID", "CHF"),
    steps=(
        expects(_OTHER, clauses=(_METADATA,)),
        tries(_OTHER, _METADATA, code=DeskFault.METADATA_REFUSED),
    ),
    events=(*EXPECTS, *OBSERVED),
    expectation=exact(DISCARDED, _METADATA),
    saboteur="s1-chf-skips-metadata-check",
    silent=(_SILENT_LAYOUT,),
)


def _two(  # noqa: PLR0913, PLR0917 - what differs between the two rows
    id_: str, title: str, large: Try, fitting: Try, expected: str, saboteur: str
) -> Scenario:
    """Return a row of an image that is too large, and one that fits afterwards."""
    last = ACTIVATED if expected == ACTIVATED else DISCARDED
    return row(
        id_,
        title,
        FirmwareRow((Home(cohort="MDS"),)),
        devices=(large.role.value, "CHF"),
        steps=(
            expects(large, fitting, clauses=(_SIZE,)),
            tries(large, _SIZE, code=DeskFault.HUB_SIZE),
            tries(fitting, _SIZE, states=lambda one: last if one.word == ACTIVATED else one.word),
        ),
        events=(*EXPECTS, *EXPECTS, *OBSERVED, *OBSERVED),
        expectation=exact(expected, _SIZE),
        saboteur=saboteur,
        silent=(_SILENT_STORE, _SILENT_LAYOUT),
    )


FM_32: Final = _two(
    "FM-32",
    "MDS: a PPMID's image that is too large for the hub; one that fits goes to the gas meter",
    Try(PPMID, Wanted(oversize=True), label="one octet too large"),
    Try(DeviceType.GSME, label="fits"),
    DISCARDED,
    "store-taken-for-larger",
)
FM_33: Final = _two(
    "FM-33",
    "MDS: an ESME's image that is too large for the hub, then one that fits",
    Try(ESME, Wanted(oversize=True), label="one octet too large"),
    Try(ESME, label="fits"),
    ACTIVATED,
    "s1-chf-oversize-blocks-for-good",
)
FM_34: Final = _one(
    "FM-34",
    "Secure: a PPMID of Secure's own make, right metadata",
    Home(cohort="DA", ppmid="demo-sec-ppmid"),
    Try(PPMID),
    "layout-altered-l-sec-1-crc16x25",
    (_SILENT_LAYOUT,),
)

_THIRD: Final = Try(PPMID)
_THIRD_HOME: Final = FirmwareRow((Home(cohort="DA"),))
FM_35: Final = row(
    "FM-35",
    "Secure: a PPMID of another make is neither updated nor read",
    _THIRD_HOME,
    devices=("PPMID", "CHF"),
    steps=(
        expects(_THIRD, clauses=("S1SR 18.63(c)",)),
        tries(_THIRD, "S1SR 18.63(c)", code=DeskFault.OTHER_MAKE),
        reads(PPMID, lambda _run: "", "S1SR 18.64(b)"),
    ),
    events=(*EXPECTS, *OBSERVED, "clause-says", "read"),
    oracle=clause_oracle(_THIRD_HOME, PPMID),
    saboteur="s1sp-knows-every-make",
    silent=("what tells a PPMID's make from the SMSO's own: the maker of the hub here",),
)

_BILINGUAL: Final = Home(cohort="EA", ppmid="demo-bilingual-ppmid")
_SILENT_ENTRY: Final = (
    "under which versions a bilingual model stands on the list: a stand-in pair of entries"
)
FM_36: Final = _one(
    "FM-36",
    "FOC: a bilingual PPMID's image with the right metadata",
    _BILINGUAL,
    Try(PPMID),
    "s1-ppmid-ignores-upgrade-time",
    (_SILENT_LAYOUT, _SILENT_ENTRY),
)


def _executing(run: Run) -> str:
    """Return the version of the image that FM-36 brings, as the device itself tells it."""
    return Try(PPMID).cell(run).image.facts.version


@step(
    "What is read is not the SMETS1 entry: a mismatch is reported, and the inventory keeps it",
    "S1SR 18.64(c)",
    "DUIS FirmwareVersionMismatch",
)
async def mismatch_reported(run: Run) -> None:
    """Look for the DCC's alert, and at the inventory."""
    parties = market(run)
    device, user = parties.device(PPMID), parties.supplier()
    bodies = [one.response.body for one in user.alerts()]
    alerts = [one.alert for one in bodies if isinstance(one, DccAlertMessage)]
    found = [one for one in alerts if isinstance(one, FirmwareVersionMismatch)]
    mine = [(one.inventory_version, one.device_version) for one in found if one.device == device]
    nominal = Try(PPMID).cell(run).image.facts.listed_version
    run.outcome(VERSION_MISMATCH if mine else READ)
    wanted = [(nominal, _executing(run))]
    run.check("mismatches reported", wanted, mine, clause="DUIS FirmwareVersionMismatch")
    version = parties.record(device).firmware_version
    run.check("version in the inventory: the SMETS1 entry's", nominal, version)
    run.event("mismatch", says="expected under 18.64(c)" if mine else "none")


_READ_ROW: Final = FirmwareRow((_BILINGUAL,))
FM_37: Final = row(
    "FM-37",
    "FOC: reading a bilingual PPMID after its update brings the version that executes",
    _READ_ROW,
    devices=("PPMID", "CHF"),
    steps=(
        expects(Try(PPMID), clauses=(_UPDATE,)),
        tries(Try(PPMID), _UPDATE),
        reads(PPMID, _executing, "S1SR 18.64(c)"),
        mismatch_reported,
    ),
    events=(*EXPECTS, *OBSERVED, "clause-says", "read", "mismatch"),
    oracle=clause_oracle(_READ_ROW, PPMID, FirmwareService.READ),
    saboteur="s1sp-transforms-in-foc",
    silent=(_SILENT_LAYOUT, _SILENT_ENTRY),
)


@step("The model is one whose maker supports its firmware no longer", "S003 §6")
async def unsupported(run: Run) -> None:
    """Read it off the model's profile: an image for it is worth a warning."""
    profile = market(run).profile(PPMID)
    run.check("supported by its maker", False, profile.firmware.is_supported)
    run.event("unsupported-model", model=profile.identity.model_name)


_LEGACY: Final = FirmwareRow((Home(cohort="EB", ppmid="lg-p450-pebble"),))
FM_38: Final = row(
    "FM-38",
    "FOC: a legacy PPMID without support, any image",
    _LEGACY,
    devices=("PPMID", "CHF"),
    steps=(
        unsupported,
        expects(Try(PPMID), clauses=("S003 §6", _UPDATE)),
        tries(Try(PPMID), "S003 §6", _UPDATE),
    ),
    events=("unsupported-model", *EXPECTS, *OBSERVED),
    oracle=clause_oracle(_LEGACY, PPMID),
    saboteur="s1sp-tells-no-outcome",
    silent=("whether such a device takes an image: drawn from the seed", _SILENT_LAYOUT),
)
