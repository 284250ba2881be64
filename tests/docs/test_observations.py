"""docs/observations.md names every kind of observation, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def kinds_in_code() -> set[str]:
    """First arguments of every ``Note(...)`` of the emulator, constants and conditionals alike."""
    found: set[str] = set()
    for path in (ROOT / "emulator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note" and node.args:
                found |= {
                    item.value
                    for item in ast.walk(node.args[0])
                    if isinstance(item, ast.Constant) and isinstance(item.value, str)
                }
    return found


def kinds_on_the_page() -> set[str]:
    page = (ROOT / "docs" / "observations.md").read_text("utf-8")
    return set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))


def test_the_page_names_every_kind_in_the_code() -> None:
    assert kinds_in_code() - kinds_on_the_page() == set()


def test_the_page_names_no_kind_that_is_gone() -> None:
    text = "\n".join(p.read_text("utf-8") for p in (ROOT / "emulator").rglob("*.py"))
    assert [kind for kind in sorted(kinds_on_the_page()) if f'"{kind}"' not in text] == []
