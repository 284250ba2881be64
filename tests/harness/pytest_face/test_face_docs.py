"""The examples of docs/pytest.md: each is at most ten lines, and does what the page says."""

import re
from pathlib import Path

import pytest

from tests.given import ROOT
from tests.harness.pytest_face.face import elsewhere, played

pytest_plugins = ("pytester",)

PAGE = (ROOT / "docs" / "pytest.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_every_example_has_at_most_ten_lines_and_passes(pytester: pytest.Pytester) -> None:
    assert len(EXAMPLES) == 7
    assert all(len([line for line in one.splitlines() if line]) <= 10 for one in EXAMPLES)
    done = played(pytester, "\n\n".join(EXAMPLES))
    cohorts = 5
    assert f"{6 + cohorts} passed" in done.out, done.out
    assert "skipped" not in done.out


def test_the_ini_file_of_the_page_switches_the_plugin_on(pytester: pytest.Pytester) -> None:
    (ini,) = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
    pytester.makeini(ini)
    pytester.makepyfile(
        "import pytest\n\n@pytest.mark.known_issue('SB-1', until='2023-02-01')\n"
        "async def test_it(bench): raise AssertionError\n"
    )
    done = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    done.assert_outcomes(xfailed=1)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_the_example_for_every_bench_runs_on_the_bench_of_the_page(tmp_path: Path) -> None:
    (desk,) = re.findall(r"```toml\n# file: desk.toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "desk.toml").write_text(desk, "utf-8")
    done = elsewhere(tmp_path, EXAMPLES[-1], "--bench", "desk.toml")
    assert "1 passed" in done.out, done.out
    assert done.properties("test_a_meter_says_who_it_is")["bench"] == ["loopback"]


@pytest.mark.parametrize("table", ["Fixtures", "Markers"])
def test_the_page_names_everything_the_plugin_registers(
    pytester: pytest.Pytester, table: str
) -> None:
    section = PAGE.partition(f"## {table}")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)", section, re.MULTILINE))
    option = "--fixtures" if table == "Fixtures" else "--markers"
    done = pytester.runpytest_inprocess("-p", "harness.pytest_plugin", option)
    shown = done.stdout.str()
    if table == "Fixtures":
        found = set(re.findall(r"^(\w+) -- .*pytest_\w+\.py", shown, re.MULTILINE))
        assert named == {one for one in found if "pytest_face" not in one} & named
        assert {"installation", "bench", "parties", "clock", "wire", "cohort"} <= named
    else:
        assert all(f"@pytest.mark.{name}(" in shown for name in named)
        assert len(named) == 5
