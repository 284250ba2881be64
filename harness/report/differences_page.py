"""Two runs side by side as one offline page."""

from importlib import resources

import jinja2

from harness.differences_runs import Comparison
from harness.words import counted


def render(found: Comparison) -> str:
    """Return ``differences.html``."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    style = resources.files("harness.report").joinpath("static/report.css").read_text("utf-8")
    parts = [
        ("Differences", found.differences, "What the two devices told otherwise."),
        ("Volatile", found.volatile, "Expected to differ from run to run; they count for nothing."),
    ]
    return environment.get_template("differences.html.j2").render(
        found=found, style=style, parts=parts, headline=headline(found)
    )


def headline(found: Comparison) -> str:
    """Return what a comparison came to, in one line."""
    if found.same:
        return f"no differences in {counted(found.compared, 'answer')}"
    words = [
        (len(found.differences), "difference", "differences"),
        (len(found.unmatched), "answer of one device alone", "answers of one device alone"),
        (len(found.verdicts), "verdict differs", "verdicts differ"),
    ]
    told = [f"{count} {one if count == 1 else many}" for count, one, many in words if count]
    return f"{', '.join(told)} in {counted(found.compared, 'answer')}"
