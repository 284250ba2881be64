"""Run definitions made up for tests."""

from pathlib import Path

from harness.dust.definition import Definition, load_definition

ME = "90-B3-D5-1F-30-01-00-00"
HEAD = """
[run]
id = "T-1"
title = "a test"
cohort = "{cohort}"
{run}
[participant]
name = "Example Supplier"
user_ids = ["90-B3-D5-1F-30-01-00-00"]
{participant}
"""
SETS = """
[[devices]]
name = "dual"
count = 3
[[devices]]
name = "split"
shape = "split supply"
ppmid = "third-party"
[[devices]]
name = "elec"
shape = "ESME-only"
ppmid = "none"
[[devices]]
name = "mixed"
class = "Mixed"
payment_mode = "prepayment"
"""


def text_of(
    more: str = "", *, cohort: str = "DA", run: str = "", participant: str = "", sets: str = SETS
) -> str:
    """Return a definition with three dual-fuel homes and one of each other shape."""
    return HEAD.format(cohort=cohort, run=run, participant=participant) + sets + more


def written(folder: Path, text: str) -> Path:
    """Write a definition."""
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def given(folder: Path, more: str = "", **parts: str) -> Definition:
    """Write and load a definition; ``parts`` are those of :func:`text_of`."""
    return load_definition(written(folder, text_of(more, **parts)))
