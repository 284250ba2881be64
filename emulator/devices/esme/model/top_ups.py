"""Top-ups of an ESME: tokens judged, remembered, and paid in."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device_profiles.words import RemoteParty
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.crypto import prepayment_token
from emulator.crypto.keystore import KeyStore
from emulator.crypto.prepayment_token import COUNTER_MASK
from emulator.crypto.protection import KeyRing
from emulator.devices.credentials.holders import key_in, places_of
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.model.account import PREPAYMENT_MODE, mode_of
from emulator.devices.saved import Saved, State

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

#: Tokens remembered as used; an older one than all of them is out of date. Source: known (SMETS2:
#: at least 100).
REMEMBERED: Final = 100
#: Tokens refused in a row after which entry by hand waits, and how long. Source: invented.
_MOST_FAILURES: Final = 5
_LOCKED_MS: Final = 300_000
_SHIFT: Final = 32
_SPAN: Final = COUNTER_MASK + 1


class TopUpOutcome(enum.StrEnum):
    """What became of a token."""

    ACCEPTED = "accepted"
    NOT_AUTHENTIC = "not authentic"
    DUPLICATE = "duplicate"
    OUT_OF_DATE = "out of date"
    TOO_LARGE = "above the largest top-up"
    BALANCE_FULL = "balance would exceed its limit"
    LOCKED_OUT = "entry suspended"
    CREDIT_MODE = "not in prepayment mode"
    BROKEN = "hardware fault"


#: Outcome -> event; others are only noted.
_EVENTS: Final = {
    TopUpOutcome.NOT_AUTHENTIC: EventCode.TOKEN_NOT_AUTHENTIC,
    TopUpOutcome.DUPLICATE: EventCode.DUPLICATE_TOKEN,
    TopUpOutcome.TOO_LARGE: EventCode.CREDIT_TOO_LARGE,
    TopUpOutcome.BALANCE_FULL: EventCode.BALANCE_WOULD_EXCEED,
    TopUpOutcome.LOCKED_OUT: EventCode.ENTRY_LOCKED_OUT,
}


@dataclass(frozen=True, slots=True)
class TopUp:
    """What became of a token.

    Attributes:
        outcome: Whether it was taken.
        amount: Its value in thousandths of a penny; 0 where it was not taken.
    """

    outcome: TopUpOutcome
    amount: int = 0


class TopUps:
    """Tokens one meter took.

    Attributes:
        used: Counters of the tokens taken, in rising order; their lower 32 bits are 0.
        codes: Digits of the last tokens, for the top-up log: (when, digits, amount).
        failures: Tokens refused since the last one that was taken.
        locked_until: Until when entry by hand is suspended.
    """

    __slots__ = ("codes", "failures", "locked_until", "used")

    def __init__(self) -> None:
        self.used: list[int] = []
        self.codes: list[tuple[int, str, int]] = []
        self.failures = 0
        self.locked_until = UtcMs(0)

    def remember(self, counter: int) -> None:
        """Note that a token was used."""
        self.used = sorted({*self.used, counter})[-REMEMBERED:]

    def judge(self, counter: int, floor: int) -> TopUpOutcome:
        """Say whether a token's counter is new."""
        if counter in self.used:
            return TopUpOutcome.DUPLICATE
        oldest = self.used[0] if len(self.used) == REMEMBERED else 0
        if counter <= max(floor, oldest):
            return TopUpOutcome.OUT_OF_DATE
        return TopUpOutcome.ACCEPTED

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "used": [*self.used],
            "codes": [{"at": at, "code": code, "amount": n} for at, code, n in self.codes],
            "failures": self.failures,
            "locked_until": self.locked_until,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.used = saved.number_list("used")
        self.codes = [
            (row.number("at"), row.text("code"), row.number("amount"))
            for row in saved.rows("codes")
        ]
        self.failures = saved.number("failures")
        self.locked_until = saved.moment("locked_until")


def take(
    device: "Esme", digits: str, now: UtcMs, *, counter: int | None = None
) -> tuple[TopUp, list[Effect]]:
    """Take a token: from a command that names its counter, or from the keypad or a PPMID.

    Returns:
        What became of it, and what the meter does about it.
    """
    local = counter is None
    top_up, used = _judged(device, digits, now, counter)
    note = Note("top_up", (("outcome", top_up.outcome.value), ("millipence", top_up.amount)))
    if top_up.outcome is not TopUpOutcome.ACCEPTED:
        return top_up, [note, *_refused(device, top_up.outcome, now, local=local)]
    memory, account = device.model.top_ups, device.model.ledger.account
    memory.remember(used)
    memory.failures = 0
    at = device.local_time(now)
    device.model.ledger.paid_off += account.pay_in(top_up.amount, device.model.store, at)
    memory.codes = [*memory.codes, (at, digits, top_up.amount)][-REMEMBERED:]
    effects: list[Effect] = [note]
    if local:
        effects += happened(device, EventCode.CREDIT_ADDED_LOCALLY, "", now)
    return top_up, effects


def _judged(device: "Esme", digits: str, now: UtcMs, counter: int | None) -> tuple[TopUp, int]:
    memory, model, store = device.model.top_ups, device.model, device.model.store
    if counter is None and now < memory.locked_until:
        return TopUp(TopUpOutcome.LOCKED_OUT), 0
    floor = device.trust.top_up_floors.get(RemoteParty.SUPPLIER, 0)
    near = max([floor, *memory.used[-1:]])
    token = _read(device, digits, near, counter)
    if token is None:
        return TopUp(TopUpOutcome.NOT_AUTHENTIC), 0
    value, used = token
    outcome = memory.judge(used, floor)
    model.ledger.settle(now)
    if outcome is TopUpOutcome.ACCEPTED and mode_of(store) != PREPAYMENT_MODE:
        outcome = TopUpOutcome.CREDIT_MODE
    if outcome is TopUpOutcome.ACCEPTED and value > store.number("max_credit_millipence"):
        outcome = TopUpOutcome.TOO_LARGE
    balance = model.ledger.account.parts["balance"]
    if outcome is TopUpOutcome.ACCEPTED and balance + value > store.number(
        "max_balance_millipence"
    ):
        outcome = TopUpOutcome.BALANCE_FULL
    return TopUp(outcome, value if outcome is TopUpOutcome.ACCEPTED else 0), used


def _read(device: "Esme", digits: str, near: int, counter: int | None) -> tuple[int, int] | None:
    """Return value and counter of a token; None where it is not authentic.

    A token holds ten bits of its counter; the others are those of the nearest counter (inferred).
    """
    bits = prepayment_token.read_token(digits)
    if bits is None:
        return None
    if counter is None:
        high = near >> _SHIFT
        base = high - high % _SPAN + bits.counter_low
        around = [one for one in (base - _SPAN, base, base + _SPAN) if one >= 0]
        counter = min(around, key=lambda one: abs(one - high)) << _SHIFT
    supplier = device.network.supplier(device.eui64)
    ring = prepayment_ring(device)
    if not prepayment_token.is_authentic(bits, counter, supplier, device.eui64, ring):
        return None
    return bits.millipence, counter


def prepayment_ring(device: "Esme") -> KeyRing:
    """Return the keys a token is held against, the supplier's as they are by now."""
    prepays = (cell for cell in places_of(device) if cell.is_prepayment)
    entry = next((key_in(device, cell) for cell in prepays), None)
    if entry is None:
        return device.ring
    held = device.ring.keystore.find(entry.eui64, entry.usage, prepayment=True)
    if held is not None and held.public_point == entry.public_point:
        return device.ring
    return KeyRing(device.ring.keystore.merged(KeyStore([entry])))


def _refused(device: "Esme", outcome: TopUpOutcome, now: UtcMs, *, local: bool) -> list[Effect]:
    code = _EVENTS.get(outcome)
    effects = [] if code is None else happened(device, code, "", now)
    memory = device.model.top_ups
    if not local or outcome is TopUpOutcome.LOCKED_OUT:
        return effects
    memory.failures += 1
    if memory.failures < _MOST_FAILURES:
        return effects
    memory.failures, memory.locked_until = 0, UtcMs(now + _LOCKED_MS)
    return [*effects, *happened(device, EventCode.ENTRY_SUSPENDED, "", now)]
