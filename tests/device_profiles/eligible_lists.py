"""Small CPLs and EPCLs of made-up SMETS1 models, for tests of eligibility."""

from datetime import date
from typing import Any, Final

from device_profiles.combination_diff import Installed
from device_profiles.cpl import Cpl, CplEntry
from device_profiles.dmc import Combination
from device_profiles.epcl import Epcl, EpclEntry

DAY: Final = date(2021, 3, 1)
_MODELS: Final = {"CHF": "0001", "ESME": "0002", "GSME": "0003", "PPMID": "0004"}


def entry(kind: str, version: int, *before: int, **more: Any) -> CplEntry:
    """The row of a model of this kind at a version, with the versions it is a step from."""
    return CplEntry.model_validate(
        {
            "cpl_entry_id": f"{kind}-{version}",
            "device_type": kind,
            "smets": "SMETS1",
            "manufacturer_name": "Acme",
            "manufacturer_id": "FFF2",
            "model_id": _MODELS[kind],
            "hardware_version": "0100",
            "firmware_version": f"{version:08X}",
            "status": "Active",
            "effective_from": date(2014, 1, 1),
            "upgrade_from": tuple(f"{kind}-{one}" for one in before),
            "evidence": "stand-in",
            **more,
        }
    )


def listed(name: str, *models: str, **more: Any) -> EpclEntry:
    """An EPCL row of these CPL entries: hub, ESME, then GSME and PPMIDs where named."""
    gsme = next((one for one in models if one.startswith("GSME")), None)
    return EpclEntry.model_validate(
        {
            "epcl_id": name,
            "group_id": "EA",
            "chf": models[0],
            "esme": models[1],
            "gsme": gsme,
            "ppmid": tuple(one for one in models if one.startswith("PPMID")),
            "csp": "SMETS1",
            "basis": "tested",
            "route": "sit-mt",
            "added_on": date(2020, 12, 13),
            "evidence": "stand-in",
            **more,
        }
    )


def home(*models: str, group: str = "EA", csp: str = "SMETS1") -> Installed:
    """An installation of these CPL entries."""
    gsme = next((one for one in models if one.startswith("GSME")), None)
    shown = tuple(one for one in models if one.startswith("PPMID"))
    return Installed(Combination(models[0], models[1], gsme, shown), group, csp)


#: ESME 1 -> 2 -> 3 and 1 -> 4 -> 5 -> 3, CHF 1 -> 2, GSME 1 and 2 without a step between them.
ROWS: Final = [
    entry("CHF", 1),
    entry("CHF", 2, 1),
    entry("ESME", 1),
    entry("ESME", 2, 1),
    entry("ESME", 3, 2, 5),
    entry("ESME", 4, 1),
    entry("ESME", 5, 4),
    entry("GSME", 1),
    entry("GSME", 2),
    entry("PPMID", 1),
    entry("PPMID", 2, 1),
]


def lists(*rows: EpclEntry, cpl: Cpl | None = None) -> tuple[Cpl, Epcl]:
    held = Cpl(ROWS) if cpl is None else cpl
    return held, Epcl(rows, held)
