"""Every scenario by its id: where it stands. Ids are never reused."""

from collections.abc import Mapping
from typing import Final

_FIRMWARE: Final = "harness.scenarios.firmware"
_SERIAL: Final = "harness.scenarios.serial"

#: Scenario id -> ``module:NAME``.
CATALOGUE: Final[Mapping[str, str]] = {
    "FM-01": f"{_FIRMWARE}.esme:FM_01",
    "FM-02": f"{_FIRMWARE}.esme:FM_02",
    "FM-03": f"{_FIRMWARE}.esme:FM_03",
    "FM-04": f"{_FIRMWARE}.esme:FM_04",
    "FM-05": f"{_FIRMWARE}.esme:FM_05",
    "FM-06": f"{_FIRMWARE}.esme:FM_06",
    "FM-07": f"{_FIRMWARE}.esme_transfer:FM_07",
    "FM-08": f"{_FIRMWARE}.esme_transfer:FM_08",
    "FM-09": f"{_FIRMWARE}.esme_transfer:FM_09",
    "FM-10": f"{_FIRMWARE}.esme_transfer:FM_10",
    "FM-11": f"{_FIRMWARE}.esme_transfer:FM_11",
    "FM-12": f"{_FIRMWARE}.esme:FM_12",
    "FM-13": f"{_FIRMWARE}.esme_transfer:FM_13",
    "FM-14": f"{_FIRMWARE}.esme:FM_14",
    "FM-15": f"{_FIRMWARE}.gsme:FM_15",
    "FM-16": f"{_FIRMWARE}.gsme:FM_16",
    "FM-17": f"{_FIRMWARE}.gsme:FM_17",
    "FM-18": f"{_FIRMWARE}.ppmid:FM_18",
    "FM-19": f"{_FIRMWARE}.ppmid:FM_19",
    "FM-20": f"{_FIRMWARE}.ppmid:FM_20",
    "FM-21": f"{_FIRMWARE}.ppmid:FM_21",
    "FM-22": f"{_FIRMWARE}.ppmid:FM_22",
    "FM-23": f"{_FIRMWARE}.ppmid:FM_23",
    "FM-60": f"{_FIRMWARE}.lists:FM_60",
    "FM-61": f"{_FIRMWARE}.lists:FM_61",
    "FM-62": f"{_FIRMWARE}.lists:FM_62",
    "FM-64": f"{_FIRMWARE}.lists:FM_64",
    "FM-65": f"{_FIRMWARE}.esme_transfer:FM_65",
    "FM-66": f"{_FIRMWARE}.esme_transfer:FM_66",
    "FM-67": f"{_FIRMWARE}.gsme:FM_67",
    "SER-001": f"{_SERIAL}.identify:SER_001",
    "SER-002": f"{_SERIAL}.identify:SER_002",
    "SER-003": f"{_SERIAL}.registers:SER_003",
    "SER-004": f"{_SERIAL}.registers:SER_004",
    "SER-005": f"{_SERIAL}.registers:SER_005",
    "SER-006": f"{_SERIAL}.registers:SER_006",
    "SER-007": f"{_SERIAL}.image:SER_007",
    "SER-008": f"{_SERIAL}.image:SER_008",
    "SER-009": f"{_SERIAL}.security:SER_009",
    "SER-010": f"{_SERIAL}.line:SER_010",
    "SER-011": f"{_SERIAL}.security:SER_011",
    "SER-012": f"{_SERIAL}.security:SER_012",
    "SER-013": f"{_SERIAL}.registers:SER_013",
    "SER-014": f"{_SERIAL}.control:SER_014",
    "SER-015": f"{_SERIAL}.control:SER_015",
    "SER-016": f"{_SERIAL}.security:SER_016",
    "SER-018": f"{_SERIAL}.line:SER_018",
    "SER-019": f"{_SERIAL}.identify:SER_019",
}
