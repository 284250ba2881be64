"""A measurement: declared first, with its unit and limits, then taken."""

from dataclasses import dataclass

from harness.verdict import Verdict, failed


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a step is to measure.

    Attributes:
        name: Lower-case name, e.g. ``transfer_time``.
        unit: Unit of the value and of both limits, e.g. ``s``.
        low: Smallest value that passes, or None.
        high: Largest value that passes, or None.
    """

    name: str
    unit: str
    low: float | None = None
    high: float | None = None

    def judge(self, value: float | None, evidence: str, *, accepted: bool = False) -> Verdict:
        """Judge a taken value; None means that it could not be taken.

        Args:
            value: The value in this measurement's unit, or None.
            evidence: Evidence mark of the limits.
            accepted: Whether the run accepts the rule behind the limits whatever its mark.
        """
        if value is None:
            return Verdict.INCONCLUSIVE
        too_low = self.low is not None and value < self.low
        too_high = self.high is not None and value > self.high
        return failed(evidence, accepted=accepted) if too_low or too_high else Verdict.PASS

    @property
    def limits(self) -> str:
        """The limits as a reader writes them, e.g. ``0 … 600 s``; empty when there are none."""
        if self.low is None and self.high is None:
            return ""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None:
            return f"≤ {self.high:g}{unit}"
        if self.high is None:
            return f"≥ {self.low:g}{unit}"
        return f"{self.low:g} … {self.high:g}{unit}"
