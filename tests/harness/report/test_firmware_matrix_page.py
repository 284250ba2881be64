"""The heat map: one offline page with every cell in it; nothing is fetched."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from harness.report.firmware_matrix_model import MatrixReport, MatrixRow, grids
from harness.report.firmware_matrix_page import LOOKS, look_of, render
from tests.harness.matrix_given import cells_of, overlay


def parsed(page: str) -> Any:
    return html.fromstring(page)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> MatrixReport:
    data = overlay(tmp_path_factory.mktemp("page") / "data")
    return MatrixReport(tuple(MatrixRow(cell) for cell in cells_of(data)))


@pytest.fixture(scope="module")
def page(report: MatrixReport) -> str:
    return render(report, "1.2.3")


def test_the_page_is_offline_and_has_no_script(page: str) -> None:
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "<script" not in page
    assert "http" not in page
    assert len(page) < 2_000_000


def test_every_cell_stands_on_the_map_once_and_leads_to_what_it_rests_on(
    page: str, report: MatrixReport
) -> None:
    tree = parsed(page)
    links = tree.xpath("//table[@class='heat']//td/a/@href")
    assert sorted(links) == sorted(f"#c{n}" for n in range(1, len(report.rows) + 1))
    assert {f"#{name}" for name in tree.xpath("//table[@class='cells']//tr/@id")} == set(links)


def test_the_head_says_how_far_it_can_be_believed(page: str, report: MatrixReport) -> None:
    head = parsed(page).xpath("string(//header)")
    assert report.headline in head
    assert "stand-in layouts (real layouts not public)" in head
    assert "compared with nothing" in head


def test_every_input_is_listed_with_its_mark_and_how_much_rests_on_it(
    page: str, report: MatrixReport
) -> None:
    rows = parsed(page).xpath("//table[@class='inputs']//tbody/tr")
    assert len(rows) == len(report.inputs)
    for row, one in zip(rows, report.inputs, strict=True):
        cells = [cell.text_content() for cell in row]
        assert cells[0] == one.item
        assert cells[3] == str(report.resting_on()[one.item])


def test_the_look_is_that_of_what_is_implied_whatever_the_clauses_say(
    report: MatrixReport,
) -> None:
    for row in report.rows:
        words = LOOKS[look_of(row)][1]
        assert row.cell.implied.outcomes <= words or look_of(row) == "open"
    looks = {look_of(row) for row in report.rows}
    assert {"works", "hub", "dcc", "open"} <= looks


def test_what_differs_is_marked_and_can_be_shown_alone(report: MatrixReport) -> None:
    rows = list(report.rows)
    rows[0] = replace(rows[0], observed="HANG")
    rows[1] = replace(rows[1], observed=next(iter(rows[1].cell.implied.outcomes)))
    seen = MatrixReport(tuple(rows), "emulated")
    tree = parsed(render(seen, "1.2.3"))
    assert tree.xpath("//td[contains(@class, 'differs')]/a/@href") == ["#c1"]
    assert tree.xpath("//input[@id='only-differing']")
    assert "observed hang" in tree.xpath("string(//td[contains(@class, 'differs')])")
    assert "1 of 2 agree" in tree.xpath("string(//header)")


def test_a_grid_holds_each_cell_of_its_device_and_mode(report: MatrixReport) -> None:
    found = list(grids(report))
    count = sum(row is not None for grid in found for line in grid.rows for row in line.cells)
    assert count == len(report.rows)
    for grid in found:
        for line in grid.rows:
            for row, home in zip(line.cells, grid.homes, strict=True):
                assert row is None or row.cell.home.name == home


def test_names_cannot_break_the_page(report: MatrixReport, tmp_path: Path) -> None:
    assert tmp_path.exists()
    first = report.rows[0]
    facts = replace(first.cell.image.facts, name="<b>&\"'</b>")
    cell = replace(first.cell, image=replace(first.cell.image, facts=facts))
    page = render(MatrixReport((MatrixRow(cell),)), "1.2.3")
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
