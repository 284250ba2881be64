"""Top-ups of an ESME: tokens judged, remembered, and paid in."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device_profiles.words import RemoteParty
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.crypto import utrn
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from emulator.crypto.token_memory import KEPT, TokenAge, TokenMemory
from emulator.crypto.utrn import Authentic
from emulator.devices.credentials.holders import key_in, places_of
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.model.account import PREPAYMENT_MODE, mode_of
from emulator.devices.saved import Saved, State

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

#: Tokens refused in a row after which entry by hand waits, and how long. Source: invented.
_MOST_FAILURES: Final = 5
_LOCKED_MS: Final = 300_000


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
        memory: Counters of the tokens taken.
        codes: Digits of the last tokens, for the top-up log: (when, digits, amount).
        failures: Tokens refused since the last one that was taken.
        locked_until: Until when entry by hand is suspended.
    """

    __slots__ = ("codes", "failures", "locked_until", "memory")

    def __init__(self) -> None:
        self.memory = TokenMemory()
        self.codes: list[tuple[int, str, int]] = []
        self.failures = 0
        self.locked_until = UtcMs(0)

    def judge(self, counter: int, floor: int) -> TopUpOutcome:
        """Say whether a token's counter is new, and above the floor of its supplier."""
        age = self.memory.age(counter)
        if age is TokenAge.DUPLICATE:
            return TopUpOutcome.DUPLICATE
        if age is TokenAge.OUT_OF_DATE or counter <= floor:
            return TopUpOutcome.OUT_OF_DATE
        return TopUpOutcome.ACCEPTED

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "used": [*self.memory.kept],
            "codes": [{"at": at, "code": code, "amount": n} for at, code, n in self.codes],
            "failures": self.failures,
            "locked_until": self.locked_until,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.memory = TokenMemory(saved.number_list("used"))
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
    memory.memory.take(used)
    memory.failures = 0
    at = device.local_time(now)
    device.model.ledger.paid_off += account.pay_in(top_up.amount, device.model.store, at)
    memory.codes = [*memory.codes, (at, digits, top_up.amount)][-KEPT:]
    effects: list[Effect] = [note]
    if local:
        effects += happened(device, EventCode.CREDIT_ADDED_LOCALLY, "", now)
    return top_up, effects


def _judged(device: "Esme", digits: str, now: UtcMs, counter: int | None) -> tuple[TopUp, int]:
    memory, model, store = device.model.top_ups, device.model, device.model.store
    if counter is None and now < memory.locked_until:
        return TopUp(TopUpOutcome.LOCKED_OUT), 0
    floor = device.trust.top_up_floors.get(RemoteParty.SUPPLIER, 0)
    near = max([floor, *memory.memory.kept[-1:]])
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

    A token holds ten bits of its counter; the others are those near the highest one (inferred).
    """
    supplier = device.network.supplier(device.eui64)
    ring = prepayment_ring(device)
    said = near if counter is None else counter
    token = utrn.judge(digits, supplier, device.eui64, ring, near=said)
    if not isinstance(token, Authentic) or counter not in {None, token.counter}:
        return None
    return token.bits.millipence, token.counter


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
