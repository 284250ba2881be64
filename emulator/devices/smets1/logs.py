"""Event log and security log: what happened to the meter, with its clock's time."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.core.clock import UtcMs
from emulator.core.values import quick
from emulator.devices.saved import Json, Saved
from emulator.devices.smets1.binding import Binding
from emulator.devices.smets1.captures import Capture
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: Names of the two logs, as profiles and bindings call them.
EVENTS: Final = "events"
SECURITY: Final = "security"


class EventCode(enum.IntEnum):
    """Event codes, 16 bits.

    Source:
        invented, stand-in: every maker has a list of its own.
    """

    NONE = 0
    POWER_DOWN = 1
    POWER_UP = 2
    CLOCK_SET_FROM = 4
    CLOCK_SET_TO = 5
    BILLING_RESET = 8
    CALENDAR_ACTIVATED = 9
    PROFILE_CLEARED = 10
    SWITCH_OPENED = 20
    SWITCH_CLOSED = 21
    SWITCH_READY = 22
    LIMIT_EXCEEDED = 23
    CREDIT_EXHAUSTED = 30
    TOP_UP_ACCEPTED = 31
    TOP_UP_REFUSED = 32
    EMERGENCY_CREDIT_SELECTED = 33
    PAYMENT_MODE_CHANGED = 34
    PRICE_CHANGED = 35
    IMAGE_INITIATED = 40
    IMAGE_VERIFIED = 41
    IMAGE_VERIFY_FAILED = 42
    IMAGE_ACTIVATED = 43
    IMAGE_ACTIVATION_FAILED = 44
    IMAGE_DISCARDED = 45
    IMAGE_DELIVERED = 46
    IMAGE_NOT_DELIVERED = 47
    NETWORK_TROUBLE = 50
    ASSOCIATION_REFUSED = 60
    ASSOCIATION_OPENED = 61
    APDU_REFUSED = 62
    KEYS_CHANGED = 63
    KEY_CHANGE_REFUSED = 64
    SECRET_CHANGED = 65
    POLICY_RAISED = 66


#: Codes that belong into the security log.
SECURITY_CODES: Final = frozenset(
    code for code in EventCode if code >= EventCode.ASSOCIATION_REFUSED
)


@quick
@dataclass(frozen=True, slots=True)
class LogRow(Capture):
    """One event.

    Attributes:
        code: What happened.
    """

    code: int


class EventLog:
    """The latest events, oldest first.

    Attributes:
        limit: Events it holds.
        rows: The events.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.rows: list[LogRow] = []

    def enter(self, code: int, at: UtcMs, shown: UtcMs) -> None:
        """Add an event; the oldest goes when the log is full."""
        self.rows.append(LogRow(at, shown, code))
        del self.rows[: -self.limit]

    def last(self, at: UtcMs) -> int:
        """Return the latest event's code up to an instant; 0 for none."""
        codes = [row.code for row in self.rows if row.at <= at]
        return codes[-1] if codes else EventCode.NONE

    def dump(self) -> Json:
        """Return the events as JSON values."""
        return [{"at": row.at, "shown": row.shown, "code": row.code} for row in self.rows]

    def load(self, rows: list[Saved]) -> None:
        """Take over dumped events."""
        self.rows = [LogRow(r.moment("at"), r.moment("shown"), r.number("code")) for r in rows]


def _last_event(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    return meter.logs[row.value].last(at.now)


#: Binding word -> what it does; the row's value names the log.
BINDINGS: Final = {"log.last": Binding(_last_event)}
