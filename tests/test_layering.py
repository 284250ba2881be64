"""The import contracts of pyproject.toml hold, read with nothing but the standard library."""

import ast
import itertools
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
    "tool"
]["importlinter"]["contracts"]
PACKAGES = ("device_profiles", "emulator", "firmware_images", "harness", "hil")


#: Where a statement holds further statements.
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement below a node; expressions, which hold no import, are passed over."""
    for block in BLOCKS:
        for one in getattr(node, block, ()):
            yield one
            yield from statements(one)


@cache
def imports() -> list[tuple[str, str]]:
    """Every (importing module, imported name) of our packages; read when first asked for."""
    found: list[tuple[str, str]] = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            for node in statements(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found += [(module, alias.name) for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found += [(module, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def broken_by(contract: dict[str, Any]) -> list[str]:
    if contract["type"] == "layers":
        prefix = contract.get("containers", [""])[0]
        rows = [[part.strip() for part in row.split("|")] for row in contract["layers"]]
        named = [[f"{prefix}.{part}" if prefix else part for part in row] for row in rows]
        forbidden = [
            (low, high)
            for index, row in enumerate(named)
            for low in row
            for high in [
                *(other for other in row if other != low),
                *itertools.chain(*named[:index]),
            ]
        ]
        return [
            f"{module} imports {name}"
            for module, name in imports()
            for low, high in forbidden
            if inside(module, low) and inside(name, high)
        ]
    if contract["type"] == "forbidden":
        return [
            f"{module} imports {name}"
            for module, name in imports()
            if any(inside(module, source) for source in contract["source_modules"])
            and any(inside(name, target) for target in contract["forbidden_modules"])
        ]
    allowed = contract["allowed_importers"] + contract["protected_modules"]
    return [
        f"{module} imports {name}"
        for module, name in imports()
        if any(inside(name, target) for target in contract["protected_modules"])
        and not any(inside(module, importer) for importer in allowed)
    ]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["name"])
def test_the_import_contract_holds(contract: dict[str, Any]) -> None:
    assert broken_by(contract) == []


def test_a_deliberate_violation_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = next(c for c in CONTRACTS if c["name"] == "Packages, top to bottom")
    found = [("emulator.core.ids", "harness.verdict")]
    monkeypatch.setitem(globals(), "imports", lambda: found)
    assert broken_by(layers) == ["emulator.core.ids imports harness.verdict"]


def test_only_the_table_of_benches_names_hil() -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "harness").rglob("*.py"))
        if '"hil.' in path.read_text("utf-8")
    ]
    assert [path for path in named if path != "harness/benches/__init__.py"] == []


def test_nothing_outside_hil_reads_the_wall_clock_or_chance_of_the_system() -> None:
    banned = {"time", "random", "secrets", "uuid"}
    guilty = [
        f"{module} imports {name}"
        for module, name in imports()
        if name.split(".")[0] in banned and not inside(module, "hil")
    ]
    assert guilty == []
