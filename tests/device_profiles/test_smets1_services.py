"""The table of services of SMETS1 devices."""

from pathlib import Path

import pytest

from device_profiles.errors import DataError
from device_profiles.smets1_services import Notified, Taker, load_smets1_services

HEAD = (
    "service,reference,body,answer,taker,critical,notified,roles,devices,"
    "before_commissioning,evidence\n"
)
ROW = "7.4,7.4,ReadSupplyStatus,,S1SP,yes,none,IS,ESME,no,stand-in\n"


def overlay(tmp_path: Path, text: str) -> tuple[Path, ...]:
    folder = tmp_path / "catalogues"
    folder.mkdir(exist_ok=True)
    (folder / "smets1-services.csv").write_text(text, "utf-8")
    return (tmp_path,)


def test_what_needs_the_dco_is_data() -> None:
    rows = load_smets1_services()
    critical = {name for name, row in rows.items() if row.critical}
    assert {"1.6", "2.2", "6.11", "7.1", "7.2", "11.3"} <= critical
    assert not critical & {"4.1.1", "6.21", "6.23", "8.9", "8.11", "11.2", "12.2"}
    assert {name for name, row in rows.items() if row.taker is Taker.DSP} == {"8.2", "8.4", "12.2"}


def test_only_critical_services_ask_for_a_suppliers_notified_certificate() -> None:
    for row in load_smets1_services().values():
        assert row.critical or row.notified is not Notified.SUPPLIER


def test_a_row_of_an_overlay_wins_and_the_others_stay(tmp_path: Path) -> None:
    rows = load_smets1_services(overlay(tmp_path, HEAD + ROW))
    assert rows["7.4"].critical
    assert rows["7.4"].roles == {"IS"}
    assert rows["1.6"] == load_smets1_services()["1.6"]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + ROW + ROW,
        HEAD + ROW.replace("yes", "maybe"),
        HEAD + ROW.replace("stand-in", "rumour"),
        HEAD + ROW.replace("ESME", "ESMF"),
        HEAD + ROW.replace("S1SP", "SMSO"),
        HEAD + ROW.replace("7.4,7.4", "seven,7.4"),
        HEAD.replace("critical,", "") + ROW,
        HEAD + "7.4,7.4\n",
    ],
)
def test_a_wrong_row_does_not_load(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError):
        load_smets1_services(overlay(tmp_path, text))
