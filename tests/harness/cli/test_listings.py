"""Listings at 80 and at 120 columns: no line too long, no name broken, nothing left out."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import typer
from rich.console import Console

from harness.cli import faults, profiles, scenarios
from harness.cli.tables import print_hanging, print_listing
from tests.harness.cli.command_line import run, run_json

Register = Callable[[typer.Typer], None]


def printed(width: int, headings: tuple[str, ...], rows: list[tuple[str, ...]], beside: int) -> str:
    out = io.StringIO()
    print_listing(Console(file=out, width=width), headings, rows, beside=beside)
    return out.getvalue()


@pytest.mark.parametrize("width", ["80", "120"])
@pytest.mark.parametrize(
    ("register", "words", "key"),
    [
        (profiles.register, ("profiles",), "profiles"),
        (scenarios.register, ("scenarios",), "scenarios"),
        (faults.register, ("faults", "--defects"), "defects"),
        (faults.register, ("faults",), "faults"),
    ],
)
def test_a_listing_keeps_its_width_and_its_names(
    monkeypatch: pytest.MonkeyPatch,
    register: Register,
    words: tuple[str, ...],
    key: str,
    width: str,
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    rows: list[dict[str, Any]] = run_json(register, *words)[key]
    _, output = run(register, *words)
    assert max(len(line.rstrip()) for line in output.splitlines()) <= int(width)
    lines = [line.split() for line in output.splitlines()]
    for row in rows:
        name = row.get("id") or row["name"]
        (at,) = [number for number, line in enumerate(lines) if line[:1] == [name]]
        said = row.get("title") or row["does"]
        behind = " ".join(word for line in lines[at : at + 7] for word in line)
        missing = [word for word in said.split() if word not in behind]
        assert not missing, (name, missing)


def test_outcomes_are_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, output = run(scenarios.register, "scenarios")
    for word in ("HASH_MISMATCH", "NOTIFICATION_REFUSED", "MIGRATED+STRANDED", "SMETS1+SMETS2+"):
        assert word in output


def test_rows_that_fit_stand_beside_each_other() -> None:
    assert printed(40, ("a", "b"), [("one", "two words")], 1) == "a    b        \none  two words\n"


def test_what_does_not_fit_stands_under_its_row_with_its_headings() -> None:
    rows: list[tuple[str, ...]] = [
        ("a-very-long-name", "v" * 20, "some words " * 6),
        ("b", "v", ""),
    ]
    assert printed(50, ("name", "value", "why"), rows, 1).splitlines() == [
        "name",
        "a-very-long-name",
        "    value: vvvvvvvvvvvvvvvvvvvv",
        "    why: some words some words some words some",
        "    words some words some words",
        "b",
        "    value: v",
    ]


def test_nothing_is_cut_where_a_word_is_wider_than_the_terminal() -> None:
    out = io.StringIO()
    print_hanging(Console(file=out, width=40, soft_wrap=True), "name  ", "x" * 90)
    assert out.getvalue() == "name  " + "x" * 90 + "\n"


def test_an_empty_list_prints_its_headings() -> None:
    assert printed(80, ("a", "b"), [], 1).split() == ["a", "b"]
