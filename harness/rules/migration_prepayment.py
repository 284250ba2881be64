"""The supplier's duty to change migrated prepayment meters to credit (TMAD 4.49(e)), as data.

Source:
    S000 §3.1; where the duty stands among the steps: ``catalogues/migration-prepayment.csv``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.errors import InvalidValueError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, layers, read_csv
from device_profiles.words import DeviceType, PaymentMode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64

FILE: Final = "migration-prepayment.csv"
_KEYS: Final = frozenset({"duty_from", "duty_by", "applies_to", "fuels", "duty_days"})
#: Moments from which the duty may bite.
MOMENTS: Final = frozenset({"before-hand-over", "testing", "commissioning"})
_DAY_MS: Final = 86_400_000


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
    """Return the duties that are overdue: failures of participants, not of devices (R-081)."""
    kept = {(one.supplier, one.meter): one for one in done if one.service == rule.duty_by}
    late = []
    for duty in duties:
        end = duty.since + rule.duty_days * _DAY_MS
        fulfilled = kept.get((duty.supplier, duty.meter))
        in_time = fulfilled is not None and duty.since <= fulfilled.at <= end
        if not in_time and (now > end or fulfilled is not None):
            late.append(duty)
    return tuple(late)


def load_prepayment_rule(overlays: Folders = ()) -> PrepaymentRule:
    """Load the rule; rows of an overlay win.

    Raises:
        DataError: A file cannot be read, or a value is wrong or missing.
    """
    values: dict[str, str] = {}
    marks: dict[str, str] = {}
    path = None
    for path in layers("catalogues", FILE, overlays):
        _headings, rows = read_csv(path)
        for row in rows:
            key = str(row.get("key") or "")
            values[key] = str(row.get("value") or "")
            marks[key] = str(Mark.parse(str(row.get("evidence") or "")))
    if set(values) != _KEYS or values["duty_from"] not in MOMENTS:
        raise InvalidValueError(
            f"it has the keys {', '.join(sorted(_KEYS))}, duty_from one of {', '.join(MOMENTS)}",
            file=path or FILE,
        )
    return _rule(values, marks, str(path))


def _rule(values: Mapping[str, str], marks: Mapping[str, str], path: str) -> PrepaymentRule:
    try:
        return PrepaymentRule(
            values["duty_from"],
            values["duty_by"],
            PaymentMode(values["applies_to"]),
            frozenset(map(DeviceType, values["fuels"].split())),
            int(values["duty_days"]),
            marks["duty_from"],
        )
    except ValueError as error:
        raise InvalidValueError(str(error), file=path) from error
