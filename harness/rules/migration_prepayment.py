"""The supplier's duty to change migrated prepayment meters to credit (TMAD 4.49(e)), as data.

Source:
    S000 §3.1; where the duty stands among the steps: ``catalogues/migration-prepayment.csv``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device_profiles.csv_rows import CsvTable
from device_profiles.errors import InvalidValueError
from device_profiles.files import Folders, layers
from device_profiles.sections import MarkText, Section
from device_profiles.words import DeviceType, PaymentMode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64

FILE: Final = "migration-prepayment.csv"
_KEYS: Final = frozenset({"duty_from", "duty_by", "applies_to", "fuels", "duty_days"})
#: Moments from which the duty may bite.
MOMENTS: Final = frozenset({"before-hand-over", "testing", "commissioning"})
_DAY_MS: Final = 86_400_000


class _Setting(Section):
    """One line of the table; the rule is made of all of them."""

    key: str
    value: str
    says: str
    evidence: MarkText


_TABLE: Final = CsvTable(FILE, _Setting, "key", lambda row: row.key)


@dataclass(frozen=True, slots=True)
class PrepaymentRule:
    """Where 4.49(e) stands.

    Attributes:
        duty_from: From which moment it bites: one of ``MOMENTS``.
        duty_by: Service by which a supplier fulfils it.
        applies_to: Payment mode of the meters concerned.
        fuels: Types of the meters concerned.
        duty_days: Days within which it has to be fulfilled.
        evidence: Mark of ``duty_from``.
    """

    duty_from: str
    duty_by: str
    applies_to: PaymentMode
    fuels: frozenset[DeviceType]
    duty_days: int
    evidence: str

    def concerns(self, kind: DeviceType, mode: PaymentMode | None) -> bool:
        """Say whether a meter of that type and mode falls under the duty (R-080)."""
        return kind in self.fuels and mode is self.applies_to


@dataclass(frozen=True, slots=True)
class Duty:
    """The duty of one supplier for one meter.

    Attributes:
        supplier: Whose it is.
        meter: The meter.
        since: When it began.
    """

    supplier: Eui64
    meter: Eui64
    since: UtcMs


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """A change to credit that a supplier had carried out.

    Attributes:
        supplier: Who asked.
        meter: The meter.
        service: Service by which.
        at: When.
    """

    supplier: Eui64
    meter: Eui64
    service: str
    at: UtcMs


def unmet(
    duties: Iterable[Duty], done: Iterable[Fulfilment], rule: PrepaymentRule, now: UtcMs
) -> tuple[Duty, ...]:
    """Return the duties that are overdue: failures of participants, not of devices (R-081).

    One change to credit in time fulfils a duty, whatever the supplier does to the meter after it.
    """
    kept: dict[tuple[Eui64, Eui64], list[UtcMs]] = {}
    for one in done:
        if one.service == rule.duty_by:
            kept.setdefault((one.supplier, one.meter), []).append(one.at)
    late = []
    for duty in duties:
        end = duty.since + rule.duty_days * _DAY_MS
        fulfilled = kept.get((duty.supplier, duty.meter), ())
        if now > end and not any(duty.since <= at <= end for at in fulfilled):
            late.append(duty)
    return tuple(late)


def load_prepayment_rule(overlays: Folders = ()) -> PrepaymentRule:
    """Load the rule; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a value is wrong or missing.
    """
    rows = _TABLE.load(overlays)
    path = layers("catalogues", FILE, overlays)[-1]
    if set(rows) != _KEYS or rows["duty_from"].value not in MOMENTS:
        keys, moments = ", ".join(sorted(_KEYS)), ", ".join(sorted(MOMENTS))
        raise InvalidValueError(f"it has the keys {keys}, duty_from one of {moments}", file=path)
    return _rule(rows, path)


def _rule(rows: Mapping[str, _Setting], path: Path) -> PrepaymentRule:
    try:
        return PrepaymentRule(
            rows["duty_from"].value,
            rows["duty_by"].value,
            PaymentMode(rows["applies_to"].value),
            frozenset(map(DeviceType, rows["fuels"].value.split())),
            int(rows["duty_days"].value),
            rows["duty_from"].evidence,
        )
    except ValueError as error:
        raise InvalidValueError(str(error), file=path) from error
