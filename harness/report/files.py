"""Writes every report of a run folder from its journal and capture."""

from collections.abc import Callable
from typing import Final

from harness.report import html, json_, junit
from harness.report.model import RunRecord, build
from harness.report.privacy import veiled
from harness.run_folder import RunFolder

#: Report, by its name in ``run --json`` -> what renders it.
RENDERERS: Final[dict[str, Callable[[RunRecord], str | bytes]]] = {
    "run": json_.render,
    "events": json_.render_events,
    "junit": junit.render,
    "report": html.render,
}


def write_reports(folder: RunFolder) -> RunRecord:
    """Write all reports; each replaces the one before it whole, or not at all.

    Raises:
        UsageError: The folder holds no readable run.
    """
    run = veiled(build(folder))
    for name, render in RENDERERS.items():
        rendered = render(run)
        octets = rendered if isinstance(rendered, bytes) else rendered.encode()
        path = folder.file(name)
        fresh = path.with_name(f"{path.name}.part")
        fresh.write_bytes(octets)
        fresh.replace(path)
    return run
