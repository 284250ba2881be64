"""What a run says while it goes: one line a step."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from emulator.core.clock import UtcMs
from harness.judging import Finding
from harness.report.sequence import span
from harness.scenario import Scenario
from harness.verdict import Verdict

_LOOKS: Final = {
    Verdict.PASS: ("✓", "green"),
    Verdict.FAIL: ("✕", "bold red"),
    Verdict.INCONCLUSIVE: ("?", "yellow"),
    Verdict.ERROR: ("!", "bold magenta"),
    Verdict.SKIPPED: ("-", "dim"),
}


def styled(verdict: Verdict) -> Text:
    """Return a verdict as terminals show it; its word alone where there is no colour."""
    symbol, style = _LOOKS[verdict]
    return Text(f"{symbol} {verdict.name}", style=style)


class ProgressLines:
    """A watcher that prints one line a step, coloured on a terminal, plain elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: UtcMs | None = None

    def scenario_begins(self, number: int, total: int, scenario: Scenario) -> None:
        """Print which scenario begins."""
        self._last = None
        count = f"[{number + 1}/{total}] " if total > 1 else ""
        self._console.print(Text(f"{count}{scenario.id}  {scenario.title}", style="bold"))

    def step_ended(self, scenario: Scenario, number: int, finding: Finding, at: UtcMs) -> None:
        """Print a step's verdict and the bench time it took."""
        took = "" if self._last is None else f"  (+{span((at - self._last) * 1000)})"
        self._last = at
        line = Text(f"  {number + 1}/{len(scenario.steps)} ")
        line.append_text(styled(finding.verdict))
        line.append(f"  {scenario.steps[number].title}{took}")
        self._console.print(line)
        if finding.verdict is not Verdict.PASS and finding.reason:
            self._console.print(Text(f"      {finding.reason}"))

    def scenario_ended(self, scenario: Scenario, result: Mapping[str, Any]) -> None:
        """Print a scenario's verdict."""
        line = Text(f"  {scenario.id} ")
        line.append_text(styled(Verdict[result["verdict"]]))
        line.append(f"  {result['reason']}")
        self._console.print(line)
