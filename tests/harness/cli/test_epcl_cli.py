"""``smetsbench epcl``: eligible or not, the nearest entry, and what to upgrade first."""

import json
from pathlib import Path
from typing import Any

import pytest

from device_profiles import epcl as epcl_lists
from device_profiles.cpl import render as render_cpl
from device_profiles.dmc import render
from device_profiles.epcl import EpclEntry
from device_profiles.words import CplStatus
from harness.cli import epcl
from harness.errors import UsageError
from tests.device_profiles.eligible_lists import ROWS, entry, listed
from tests.harness.cli.command_line import run

HOME = """
ref = "{ref}"
cohort = "{cohort}"
class = "Dormant"
shape = "dual-fuel"
csp = "SMETS1"
"""
DEVICE = """
[[device]]
role = "{role}"
profile = "demo-s1-{profile}"
eui64 = "02-53-00-00-00-00-{n:02X}-{last:02X}"
supplier = "02-53-42-00-00-01-00-00"
status = "Commissioned"
{more}
"""
METERS = {
    "ESME": 'mpxn = "9900000000024"\npayment_mode = "Credit"\n',
    "GSME": 'mpxn = "9900000002"\npayment_mode = "Credit"\n',
}


def home(
    folder: Path, *entries: str, ref: str = "home", cohort: str = "EA", number: int = 1
) -> Path:
    """An installation file of one home with these CPL entries; a GPF goes with it."""
    text = HOME.format(ref=ref, cohort=cohort)
    for last, name in enumerate((*entries, "GPF-0")):
        role = name.split("-")[0]
        profile = {"GPF": "chf"}.get(role, role.lower())
        more = METERS.get(role, "") + ("" if role == "GPF" else f'cpl_entry = "{name}"\n')
        text += DEVICE.format(role=role, profile=profile, n=number, last=last, more=more)
    path = folder / f"{ref}.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def cpl(tmp_path: Path) -> Path:
    path = tmp_path / "products.csv"
    path.write_text(render_cpl(ROWS), "utf-8")
    return path


def combinations(folder: Path, *rows: EpclEntry) -> Path:
    path = folder / "combinations.csv"
    path.write_text(render(rows, epcl_lists.COLUMNS), "utf-8")
    return path


def command(*arguments: object) -> tuple[int, str]:
    return run(epcl.register, "epcl", *map(str, arguments))


def figures(*arguments: object) -> tuple[int, Any]:
    code, output = command(*arguments, "--json")
    return code, json.loads(output)


DUAL = ("CHF-1", "ESME-1", "GSME-1")


def test_an_installation_on_the_list_is_eligible(tmp_path: Path, cpl: Path) -> None:
    lists = ("--cpl", cpl, "--epcl", combinations(tmp_path, listed("E1", *DUAL)))
    code, found = figures("eligible", "--installation", home(tmp_path, *DUAL), *lists)
    assert code == 0
    assert (found["on"], found["totals"]) == ("2020-12-13", {"eligible": 1, "not_eligible": 0})
    one = found["installations"][0]
    assert (one["ref"], one["eligible"], one["epcl_entry"]) == ("home", True, "E1")
    assert (one["group_id"], one["csp"], one["plan"]) == ("EA", "SMETS1", None)
    assert all(model["on_epcl"] for model in one["models"])
    code, text = command("eligible", "--installation", home(tmp_path, *DUAL), *lists)
    assert code == 0
    assert "home: eligible (E1) (EA, GroupID EA, provider SMETS1)" in text


def test_the_nearest_entry_and_the_upgrades_are_told(tmp_path: Path, cpl: Path) -> None:
    rows = (listed("E1", "CHF-2", "ESME-3", "GSME-1"), listed("E2", "CHF-1", "ESME-1", "GSME-2"))
    lists = ("--cpl", cpl, "--epcl", combinations(tmp_path, *rows))
    code, found = figures("eligible", "--installation", home(tmp_path, *DUAL), *lists)
    assert code == 1
    one = found["installations"][0]
    assert (one["eligible"], one["why"]) == (False, "no-entry")
    assert one["nearest"]["epcl_entry"] == "E2"
    assert one["nearest"]["differing"] == [
        {
            "component": "GSME",
            "kind": "firmware-version",
            "installed": "GSME-1",
            "listed": "GSME-2",
            "installed_version": "00000001",
            "listed_version": "00000002",
        }
    ]
    assert (one["plan"]["epcl_entry"], one["plan"]["images"]) == ("E1", 3)
    chains = {
        update["component"]: [step["cpl_entry"] for step in update["pathway"]]
        for update in one["plan"]["updates"]
    }
    assert chains == {"CHF": ["CHF-1", "CHF-2"], "ESME": ["ESME-1", "ESME-2", "ESME-3"]}
    assert [blocked["epcl_entry"] for blocked in one["blocked"]] == ["E2"]
    code, text = command("eligible", "--installation", home(tmp_path, *DUAL), *lists)
    assert code == 1
    assert "nearest: E2 (stand-in: no real list has this entry)" in text
    assert "GSME differs in firmware-version: GSME-1, not GSME-2" in text
    assert "upgrade first (3 images), for E1:" in text
    assert "ESME: 00000001 -> 00000002 -> 00000003 (ESME-3)" in text
    assert "E2 is out of reach: GSME: no pathway" in text


def test_what_firmware_cannot_mend_is_said(tmp_path: Path, cpl: Path) -> None:
    rows = combinations(tmp_path, listed("E1", *DUAL, csp="North"))
    where = ("--installation", home(tmp_path, *DUAL), "--cpl", cpl, "--epcl", rows)
    code, text = command("eligible", *where)
    assert code == 1
    assert "not eligible: other-group-or-provider" in text
    assert "no firmware upgrade alone makes it eligible" in text
    assert command("eligible", *where, "--csp", "North")[0] == 0
    assert command("eligible", *where, "--csp", "North", "--cohort", "EB")[0] == 1


def test_a_day_before_the_entry_is_too_early(tmp_path: Path, cpl: Path) -> None:
    rows = combinations(tmp_path, listed("E1", *DUAL))
    where = ("--installation", home(tmp_path, *DUAL), "--cpl", cpl, "--epcl", rows)
    _, found = figures("eligible", *where, "--on", "2020-12-12")
    one = found["installations"][0]
    assert (one["why"], one["nearest"]["in_force"]) == ("not-yet", False)
    with pytest.raises(UsageError, match="is no day"):
        command("eligible", *where, "--on", "soon")


def test_a_model_that_the_cpl_does_not_know_or_has_withdrawn_is_an_objection(
    tmp_path: Path, cpl: Path
) -> None:
    rows = combinations(tmp_path, listed("E1", *DUAL))
    where = ("--cpl", cpl, "--epcl", rows)
    _, found = figures(
        "eligible", "--installation", home(tmp_path, "CHF-1", "ESME-77", "GSME-1"), *where
    )
    one = found["installations"][0]
    assert one["objections"][0].endswith("ESME-77: unknown-device-model")
    assert one["models"][1]["on_cpl"] is False
    withdrawn = [
        row.model_copy(update={"status": CplStatus.WITHDRAWN})
        if row.cpl_entry_id == "ESME-1"
        else row
        for row in ROWS
    ]
    cpl.write_text(render_cpl(withdrawn), "utf-8")
    code, found = figures("eligible", "--installation", home(tmp_path, *DUAL), *where)
    one = found["installations"][0]
    assert (code, one["epcl_entry"], one["eligible"]) == (1, "E1", False)
    assert "ESME-1 is Withdrawn" in one["objections"][0]


def test_ppmids_that_a_cohort_leaves_behind_do_not_count(tmp_path: Path, cpl: Path) -> None:
    other = entry("PPMID", 9, manufacturer_id="FFF9")
    cpl.write_text(render_cpl([*ROWS, other]), "utf-8")
    rows = combinations(tmp_path, listed("E1", *DUAL, group_id="DA"), listed("E2", *DUAL))
    file = home(tmp_path, *DUAL, "PPMID-9")
    where = ("--installation", file, "--cpl", cpl, "--epcl", rows)
    code, found = figures("eligible", *where, "--cohort", "DA")
    assert code == 0
    assert found["installations"][0]["left_behind"] == ["PPMID-9"]
    code, found = figures("eligible", *where)
    assert code == 1
    assert found["installations"][0]["nearest"]["differing"][0]["kind"] == "not-in-the-entry"


def test_a_file_of_several_homes_is_counted(tmp_path: Path, cpl: Path) -> None:
    rows = combinations(tmp_path, listed("E1", *DUAL))
    texts = [
        home(tmp_path, *DUAL, ref="one", number=1).read_text("utf-8"),
        home(tmp_path, "CHF-1", "ESME-2", "GSME-1", ref="two", number=2).read_text("utf-8"),
    ]
    several = tmp_path / "several.toml"
    several.write_text(
        "".join(
            "[[installation]]\n" + text.replace("[[device]]", "[[installation.device]]")
            for text in texts
        ),
        "utf-8",
    )
    text = several.read_text("utf-8")
    text = text.replace("9900000000024", "9900000000033", 1).replace("9900000002", "9900000003", 1)
    several.write_text(text, "utf-8")
    code, found = figures("eligible", "--installation", several, "--cpl", cpl, "--epcl", rows)
    assert (code, found["totals"]) == (1, {"eligible": 1, "not_eligible": 1})


def test_the_shipped_lists_are_used_when_none_is_named() -> None:
    code, found = figures("eligible", "--installation", "smets1", "--csp", "SMETS1")
    assert (code, found["installations"][0]["epcl_entry"]) == (0, "SYN-EPCL-AA-DUAL")


def test_what_cannot_be_judged_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is of no cohort"):
        command("eligible", "--installation", "demo")
    empty = combinations(tmp_path)
    with pytest.raises(UsageError, match="names no day"):
        command("eligible", "--installation", "smets1", "--epcl", empty)
    with pytest.raises(UsageError, match="which is not given"):
        command("eligible", "--installation", "smets1", "--epcl-map", empty)
    code, found = figures(
        "eligible", "--installation", "smets1", "--epcl", empty, "--on", "2021-01-01"
    )
    assert (code, found["installations"][0]["nearest"]) == (1, None)
    assert (
        "the EPCL is empty"
        in command("eligible", "--installation", "smets1", "--epcl", empty, "--on", "2021-01-01")[1]
    )


def test_an_epcl_is_checked_against_the_cpl_with_line_and_column(tmp_path: Path, cpl: Path) -> None:
    rows = combinations(tmp_path, listed("E1", *DUAL), listed("E2", "CHF-9", "GSME-1", "GSME-1"))
    code, found = figures("check", rows, "--cpl", cpl)
    assert (code, found["clean"], found["rows"]) == (1, False, 2)
    assert [(one["code"], one["line"], one["heading"]) for one in found["faults"]] == [
        ("dangling-reference", 3, "chf"),
        ("inconsistent", 3, "esme"),
    ]
    code, text = command("check", combinations(tmp_path, listed("E1", *DUAL)), "--cpl", cpl)
    assert (code, "clean; 1 combinations" in text) == (0, True)
