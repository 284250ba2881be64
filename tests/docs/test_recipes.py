"""docs/recipes.md says what happens: every command in it is run, in order, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "docs" / "recipes.md"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One heading of the page with the commands below it."""

    title: str
    body: str

    def commands(self) -> list[tuple[str, int]]:
        """Commands with the exit code the page promises (0 unless it says ``# exit N``)."""
        found: list[tuple[str, int]] = []
        for block in re.findall(r"```console\n(.*?)```", self.body, re.DOTALL):
            for line in block.splitlines():
                if line.startswith("$ "):
                    code = re.search(r"#\s*exit (\d)", line)
                    command = line[2:].split("#")[0].strip()
                    found.append((command, int(code.group(1)) if code else 0))
        return found

    def files(self) -> list[tuple[str, str]]:
        """Files the page shows: a fenced block whose first line is ``# file: NAME``."""
        return re.findall(r"```\w+\n# file: (\S+)\n(.*?)```", self.body, re.DOTALL)


def recipes() -> list[Recipe]:
    parts = re.split(r"^## (.+)$", RECIPES.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return [Recipe(title, body) for title, body in zip(parts[::2], parts[1::2], strict=True)]


def test_the_page_has_recipes_and_each_has_a_command() -> None:
    assert len(recipes()) >= 5
    assert [recipe.title for recipe in recipes() if not recipe.commands()] == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.title)
def test_a_recipe_does_what_it_says(recipe: Recipe, tmp_path: Path) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "CI": "1", "PYTHONPATH": str(ROOT)}
    for name, text in recipe.files():
        (tmp_path / name).write_text(text, "utf-8")
    for command, code in recipe.commands():
        words = shlex.split(command)
        if words[0] == "smetsbench":
            words[:1] = [sys.executable, "-m", "harness.cli.main"]
        elif words[0] in {"python", "pytest"}:
            words[:1] = [sys.executable] + (["-m", "pytest"] if words[0] == "pytest" else [])
        ended = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code, f"$ {command}\n{ended.stdout}\n{ended.stderr}"
        assert "Traceback" not in ended.stderr
