"""``smetsbench firmware matrix``: cells, figures, table, files, observation, overlays."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from device_profiles.cpl import render
from device_profiles.metadata_layout import MetadataMode
from harness import firmware_observation
from harness.cli import firmware
from harness.errors import UsageError
from harness.firmware_cells import MatrixCell
from harness.firmware_observation import observer
from tests.harness.cli.command_line import run
from tests.harness.matrix_given import HUBS, cells_of, overlay, words, world_of

LAYOUTS = ["L-IOC-1", "L-MDS-1", "L-SEC-1", "L-FOC-T1", "L-FOC-L1"]
DISAGREEING = "HANG"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return overlay(tmp_path_factory.mktemp("five") / "data")


def command(*arguments: object) -> tuple[int, str]:
    return run(firmware.register, "firmware", "matrix", *map(str, arguments))


def figures(*arguments: object) -> Any:
    code, output = command(*arguments, "--json")
    assert code == 0, output
    return json.loads(output)


def fitting_words(data: Path, target: str, mode: MetadataMode) -> dict[tuple[str, str], str]:
    found = words(cells_of(data), lambda cell: cell.target_name == target and cell.mode is mode)
    return {(layout, home): word for (_, layout, home, _), word in found.items()}


@pytest.mark.parametrize("target", ["electricity meter", "gas meter", "hub itself"])
def test_five_layouts_on_five_hubs_make_five_and_twenty(data: Path, target: str) -> None:
    found = fitting_words(data, target, MetadataMode.TACTICAL)
    by_layout = {pair: word for pair, word in found.items() if pair[0] in LAYOUTS}
    assert Counter(by_layout.values()) == {"ACTIVATED": 5, "DISCARDED": 20}
    accepted = {pair for pair, word in by_layout.items() if word == "ACTIVATED"}
    assert accepted == set(zip(LAYOUTS, HUBS, strict=True))
    bare = [word for (layout, _), word in found.items() if layout == "L-NONE"]
    assert bare == ["DISCARDED"] * 5


def test_one_bare_image_works_everywhere_in_enduring_mode(data: Path) -> None:
    found = fitting_words(data, "PPMID, bilingual", MetadataMode.ENDURING)
    fitting = {home: word for (layout, home), word in found.items() if layout == "L-NONE"}
    secure = fitting.pop("DA")
    assert set(fitting) == {*HUBS, "SMETS2+"} - {"DA"}
    assert set(fitting.values()) == {"ACTIVATED"}
    assert secure == "NOT_SUPPORTED"
    too_large = {word for (layout, _), word in found.items() if layout == "too large"}
    assert too_large == {"DISCARDED", "NOT_SUPPORTED"}


def test_on_secure_only_its_own_make_is_updated(data: Path) -> None:
    own = fitting_words(data, "PPMID of Secure's make", MetadataMode.TACTICAL)
    other = fitting_words(data, "PPMID", MetadataMode.TACTICAL)
    assert own["L-SEC-1", "DA"] == "ACTIVATED"
    assert other["L-SEC-1", "DA"] == "NOT_SUPPORTED"


def test_json_has_what_was_promised(data: Path) -> None:
    found = figures("--data", data, "--mode", "tactical", "--cohort", "IOC")
    assert {"stand_ins", "inputs", "cells"} <= set(found)
    promised = "image layout hub target cohort mode clause_says implied basis observed agrees"
    for cell in found["cells"]:
        assert set(promised.split()) <= set(cell)
        assert (cell["observed"], cell["agrees"]) == (None, None)
        assert all(item["evidence"] for item in cell["basis"])
    items = {i["item"]: i["evidence"] for cell in found["cells"] for i in cell["basis"]}
    assert found["inputs"] == len(items)
    assert found["stand_ins"] == sum(mark == "stand-in" for mark in items.values())
    assert found["headline"].startswith(f"{found['stand_ins']} of {found['inputs']} inputs")
    assert "real layouts not public" in found["note"]


def test_clauses_are_shown_beside_and_decide_nothing(data: Path, tmp_path: Path) -> None:
    every = "".join(
        f'[[effect]]\nid = "S1SR 18.63({letter}) {name}"\nstatus = "withdrawn"\n'
        for letter, name in (
            ("c", "third-party"),
            ("d", "bilingual"),
            ("d", "metadata"),
            ("d", "size"),
            ("d", "unsupported"),
        )
    )
    silent = overlay(tmp_path / "silent", clauses__mine_toml=every)
    with_them, without = cells_of(data), cells_of(silent)
    assert [one.implied.word for one in with_them] == [one.implied.word for one in without]
    assert {one.clause_says.text for one in without} == {"silent"}
    assert any(one.clause_says.text.startswith("uncertain") for one in with_them)


def test_the_table_stays_within_100_columns_and_breaks_no_word(data: Path) -> None:
    code, output = command("--data", data)
    assert code == 0
    assert max(map(len, output.splitlines())) <= 100
    assert "of" in output.splitlines()[0]
    assert "inputs are stand-ins" in output.splitlines()[0]
    for word in ("NOT_SUPPORTED", "ACTIVATED", "DISCARDED", "uncertain", "clauses say"):
        assert word in output


def test_files_hold_the_same_cells(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, _ = command("--data", data, "--cohort", "EA", "--out", out)
    assert code == 0
    told = json.loads((out / "matrix.json").read_text("utf-8"))
    rows = list(csv.DictReader(io.StringIO((out / "matrix.csv").read_text("utf-8"))))
    assert len(rows) == len(told["cells"])
    for row, cell in zip(rows, told["cells"], strict=True):
        for key in ("image", "layout", "hub", "target", "cohort", "mode", "implied", "reason"):
            assert row[key] == cell[key]
    assert (out / "matrix.html").read_text("utf-8").startswith("<!DOCTYPE html>")


LAYOUT = """
[hub]
image_store_bytes = 2_230

[metadata]
layout_id = "L-MINE"
position = "prefix"
byte_order = "big"
size_bytes = 8
hash_scope = "metadata+image"
required_fields = ["magic"]
field = [
    { name = "magic", type = "ascii4", const = "MINE" },
    { name = "image_len", type = "u32", value_from = "image.length" },
]
"""


def test_an_overlay_with_layout_limit_and_clause_changes_outcomes_and_the_count(
    data: Path, tmp_path: Path
) -> None:
    """Another layout, another limit, another status: no code."""
    withdrawn = '[[effect]]\nid = "S1SR 18.63(d) metadata"\nstatus = "withdrawn"\n'
    mine = overlay(
        tmp_path / "mine", **{"models__demo-s1-chf-ioc_toml": LAYOUT, "clauses__x_toml": withdrawn}
    )
    asked = ("--cohort", "IOC", "--mode", "tactical")
    before, after = figures("--data", data, *asked), figures("--data", mine, *asked)

    def meters(found: Any) -> dict[str, tuple[str, str]]:
        return {
            cell["layout"]: (cell["implied"], cell["reason"])
            for cell in found["cells"]
            if cell["target"] == "demo-s1-esme" and not cell["image"].endswith("large")
        }

    assert meters(before)["L-IOC-1"] == ("ACTIVATED", "nothing objects")
    assert meters(after)["L-MINE"] == ("ACTIVATED", "nothing objects")
    assert "L-IOC-1" not in meters(after)
    assert after["stand_ins"] < before["stand_ins"]
    assert "real layouts not public" not in after["note"]
    display = next(c for c in after["cells"] if c["target"] == "demo-s1-ppmid")
    assert display["clause_says"] == "unlikely (S1SR 18.63(d))"  # size alone speaks now
    hubs = {c["layout"]: c["reason"] for c in after["cells"] if c["target"] == "demo-s1-esme"}
    assert hubs["L-MINE"] == "size"  # the last of them is the one that is too large


def test_a_lower_limit_discards_what_fitted(data: Path, tmp_path: Path) -> None:
    small = overlay(
        tmp_path / "small", **{"models__demo-s1-chf-ioc_toml": "[hub]\nimage_store_bytes = 500\n"}
    )
    found = fitting_words(small, "electricity meter", MetadataMode.TACTICAL)
    assert {word for (_, home), word in found.items() if home == "IOC"} == {"DISCARDED"}
    assert fitting_words(data, "electricity meter", MetadataMode.TACTICAL)["L-IOC-1", "IOC"] == (
        "ACTIVATED"
    )


def test_a_row_of_the_list_decides_before_the_hub(data: Path, tmp_path: Path) -> None:
    """F-054: the hash listed is that of one maker's image; all others are refused by the DCC."""
    cells = [cell for cell in cells_of(data) if cell.target_name == "electricity meter"]
    one = next(cell for cell in cells if cell.image.facts.layout_id == "L-MDS-1")
    listed = one.cpl.model_copy(
        update={"manufacturer_image_hash": one.image.facts.content_hash.hex()}
    )
    world = world_of(data)
    rows = {**world.cpl.entries, "MINE": listed.model_copy(update={"cpl_entry_id": "MINE"})}

    path = tmp_path / "cpl.csv"
    path.write_text(render(rows.values()), "utf-8")
    found = figures("--data", data, "--mode", "tactical", "--cpl", path)
    meters = [
        (cell["layout"], cell["cohort"], cell["implied"])
        for cell in found["cells"]
        if cell["target"] == "demo-s1-esme" and not cell["image"].endswith("large")
    ]
    assert [cell for cell in meters if cell[2] == "ACTIVATED"] == [("L-MDS-1", "MDS", "ACTIVATED")]
    assert {word for layout, _, word in meters if layout != "L-MDS-1"} == {"REJECTED"}


def test_an_image_file_is_judged_for_the_device_it_is_for(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.zigbee"
    cell = next(
        cell
        for cell in cells_of(data)
        if cell.target_name == "gas meter" and cell.image.facts.layout_id == "L-FOC-T1"
    )
    path.write_bytes(cell.image.octets)
    found = figures("--data", data, "--mode", "tactical", "--image", path)
    mine = [one for one in found["cells"] if one["target"] == "demo-s1-gsme"]
    assert {one["layout"] for one in mine} == {"L-FOC-T1"}
    assert {one["cohort"] for one in mine if one["implied"] == "ACTIVATED"} == {"EA"}
    path.write_bytes(cell.image.octets[:70] + b"\xff" + cell.image.octets[71:])
    spoiled = figures("--data", data, "--mode", "tactical", "--image", path)
    mine = [one for one in spoiled["cells"] if one["target"] == "demo-s1-gsme"]
    assert {(one["layout"], one["implied"]) for one in mine} == {("damaged", "DISCARDED")}


def test_a_recipe_is_wrapped_for_every_maker(data: Path) -> None:
    found = figures("--data", data, "--image", "demo-ppmid-2")
    assert {cell["cohort"] for cell in found["cells"]} == {"SMETS2+"}
    assert {cell["layout"] for cell in found["cells"]} == {*LAYOUTS, "L-NONE"}
    assert {cell["target"] for cell in found["cells"]} == {"demo-ppmid"}


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x1e\xf1\xee\x0b" + bytes(80)])
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zigbee"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"no image|empty"):
        command("--image", path)


def test_where_no_device_stands_there_is_no_cell() -> None:
    with pytest.raises(UsageError, match="no cell"):
        command("--image", "demo-ppmid-2", "--cohort", "IOC")


def observe(cell: MatrixCell, seed: int) -> str:
    """Agrees everywhere, but for one home where it hangs; uncertain cells go by the seed."""
    if cell.home.name == "EB" and cell.implied.outcomes == {"ACTIVATED"}:
        return DISAGREEING
    outcomes = sorted(cell.implied.outcomes)
    return outcomes[seed % len(outcomes)]


def playing(monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"{observe.__module__}:observe"
    monkeypatch.setattr(firmware_observation, "OBSERVERS", {"emulated": here})
    monkeypatch.setitem(__import__("sys").modules, observe.__module__, _Here)


class _Here:
    observe = staticmethod(observe)


def test_what_is_observed_is_compared_with_what_is_implied(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing(monkeypatch)
    asked = ("--data", data, "--mode", "enduring", "--verify")
    code, output = command(*asked, "--json")
    assert code == 1
    cells = json.loads(output)["cells"]
    for cell in cells:
        expected = cell["observed"] in cell["outcomes"]
        assert cell["agrees"] is expected
        assert expected == (cell["cohort"] != "EB" or cell["implied"] != "ACTIVATED")
    code, output = command(*asked, "--cohort", "EB")
    assert code == 1
    assert "differs: " in output
    assert "observed HANG" in output
    code, _ = command(*asked, "--cohort", "IOC")
    assert code == 0


def test_uncertain_cells_agree_whatever_the_seed_makes_of_them(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing(monkeypatch)
    seen = set()
    for seed in range(5):
        asked = ("--data", data, "--mode", "enduring", "--cohort", "IOC", "--seed", seed)
        code, output = command(*asked, "--verify", "--json")
        assert code == 0
        open_ones = [c for c in json.loads(output)["cells"] if c["implied"] == "uncertain"]
        assert open_ones
        assert all(cell["agrees"] for cell in open_ones)
        seen |= {cell["observed"] for cell in open_ones}
    assert {"ACTIVATED", "TRANSFER_FAILED"} <= seen


def test_a_bench_without_observer_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no cell can be played"):
        observer("moon")
    with pytest.raises(UsageError, match="no cell can be played"):
        observer("emulated", {"emulated": "harness.nowhere:observe"})
