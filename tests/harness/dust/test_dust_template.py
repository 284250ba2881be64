"""What ``dust new`` writes runs as it is, and passes, in every cohort that migrated."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import build_app
from harness.dust import verify

#: Generous: the machine may be busy.
pytestmark = pytest.mark.timeout(600)


def passes(cohort: str, tmp_path: Path) -> None:
    """Write a definition of a cohort, run it, and look at its verdict and its pack."""
    file, out = tmp_path / "new.toml", tmp_path / "run"
    made = CliRunner().invoke(build_app("dust"), ["dust", "new", str(file), "--cohort", cohort])
    assert made.exit_code == 0, made.output
    done = CliRunner().invoke(
        build_app("dust"), ["dust", "run", str(file), "--out", str(out), "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["verdict"] == "PASS"
    found = verify.verify(out / "evidence.zip")
    assert found.intact, found


def test_the_definition_that_a_user_begins_with_passes(tmp_path: Path) -> None:
    passes("EB", tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("cohort", ["EA", "DA", "IOC", "MDS"])
def test_so_does_that_of_every_other_cohort(cohort: str, tmp_path: Path) -> None:
    passes(cohort, tmp_path)
