"""The account: credit, what consumption and time cost, debts, emergency credit, top-ups.

Amounts are in millipence (10^-3 pence), prices in millipence a kWh; integers only. The balance at
any instant is what was paid in less what consumption cost at the prices in force, to the
millipence, less standing charge and debts collected.
"""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto import top_up_code
from emulator.crypto.top_up_code import CodeRefusal, TopUp
from emulator.devices.consumption import DAY_MS
from emulator.devices.saved import Saved, State
from emulator.devices.smets1.rates import Rates

_WH_PER_KWH: Final = 1000
_MILLIPENCE: Final = 1000
#: Numbers below the highest one seen whose use the meter still remembers. Source: invented.
REMEMBERED_CODES: Final = 32
#: Price index that stands for every rate without a price of its own.
ANY_RATE: Final = 0
_PROPORTIONS: Final = 10_000


class PaymentMode(enum.IntEnum):
    """Payment mode of class 111.

    Source:
        IEC 62056-6-2 Account (known).
    """

    CREDIT = 1
    PREPAYMENT = 2


class TopUpRefusal(enum.StrEnum):
    """Why a top-up code is not taken, beside what its digits say."""

    DUPLICATE = "duplicate"
    TOO_OLD = "too_old"


class ConsumptionCharge:
    """What consumption costs.

    Attributes:
        prices: Rate -> millipence a kWh; ``ANY_RATE`` for those not named.
        passive: Prices that wait to be activated.
    """

    def __init__(self, rates: Rates, now: UtcMs, price: int) -> None:
        self._rates = rates
        self.prices: dict[int, int] = {ANY_RATE: price}
        self.passive: dict[int, int] = dict(self.prices)
        self._settled = 0  # thousandths of a millipence
        self._since = now

    def price(self, rate: int) -> int:
        """Return the price of a rate, millipence a kWh."""
        return self.prices.get(rate, self.prices.get(ANY_RATE, 0))

    def _cost(self, at: UtcMs) -> int:
        used = self._rates.used_wh(self._since, at)
        return self._settled + sum(wh * self.price(rate) for rate, wh in used.items())

    def cost(self, at: UtcMs) -> int:
        """Return the cost since the account was opened, in millipence, rounded down."""
        return self._cost(at) // _WH_PER_KWH

    def activate(self, at: UtcMs) -> None:
        """Put the passive prices into force."""
        self._settled, self._since = self._cost(at), at
        self.prices = dict(self.passive)

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "prices": {str(rate): price for rate, price in self.prices.items()},
            "passive": {str(rate): price for rate, price in self.passive.items()},
            "settled": self._settled,
            "since": self._since,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.prices = {int(rate): price for rate, price in saved.numbers("prices").items()}
        self.passive = {int(rate): price for rate, price in saved.numbers("passive").items()}
        self._settled = saved.number("settled")
        self._since = saved.moment("since")


@dataclass(slots=True)
class TimeCharge:
    """What each midnight costs: a standing charge, or a debt until it is paid.

    Attributes:
        since: When its amounts last changed.
        per_day: Millipence a day.
        remaining: What was left to collect at ``since``; None for a charge without end.
        settled: What was collected before ``since``.
        per_payment: Ten-thousandths of each top-up that go to it.
        passive: Millipence a day that wait to be activated.
    """

    since: UtcMs
    per_day: int
    remaining: int | None = None
    settled: int = 0
    per_payment: int = 0
    passive: int = 0

    def _collected_since(self, at: UtcMs) -> int:
        midnights = max(at // DAY_MS - self.since // DAY_MS, 0)
        due = midnights * self.per_day
        return due if self.remaining is None else min(due, self.remaining)

    def collected(self, at: UtcMs) -> int:
        """Return what was collected since the account was opened."""
        return self.settled + self._collected_since(at)

    def left(self, at: UtcMs) -> int:
        """Return what is still to be collected; 0 for a charge without end."""
        return 0 if self.remaining is None else self.remaining - self._collected_since(at)

    def settle(self, at: UtcMs) -> None:
        """Book what was collected, so that amounts may change."""
        taken = self._collected_since(at)
        self.settled += taken
        if self.remaining is not None:
            self.remaining -= taken
        self.since = at

    def take(self, amount: int, at: UtcMs) -> None:
        """Collect an amount at once."""
        self.settle(at)
        self.settled += amount
        if self.remaining is not None:
            self.remaining -= amount

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "since": self.since,
            "per_day": self.per_day,
            "remaining": self.remaining,
            "settled": self.settled,
            "per_payment": self.per_payment,
            "passive": self.passive,
        }

    @classmethod
    def of(cls, saved: Saved) -> "TimeCharge":
        """Return a charge out of its dump."""
        return cls(
            saved.moment("since"),
            saved.number("per_day"),
            saved.optional_number("remaining"),
            saved.number("settled"),
            saved.number("per_payment"),
            saved.number("passive"),
        )


@quick
@dataclass(frozen=True, slots=True)
class Opening:
    """An account as the meter leaves the factory. Source: invented, stand-in.

    Attributes:
        credit: Millipence paid in.
        price: Millipence a kWh.
        standing: Millipence a day.
        emergency: Emergency credit, in millipence.
        emergency_below: Balance up to which emergency credit may be selected.
        low: Balance at which credit counts as low.
    """

    credit: int = 10_000_000
    price: int = 28_500
    standing: int = 0
    emergency: int = 5_000_000
    emergency_below: int = 1_000_000
    low: int = 2_000_000


class Account:
    """One customer's account in the meter.

    Attributes:
        mode: Credit or prepayment.
        paid: What was paid in, adjustments included.
        energy: The charge for consumption.
        charges: Charges by time, by name: ``standing``, ``debt1``, ``debt2``, ``debt3``.
        emergency_limit: Emergency credit.
        emergency_below: Balance up to which it may be selected.
        emergency_selected: Whether it is.
        low: Balance at which credit counts as low.
    """

    def __init__(self, rates: Rates, now: UtcMs, key: bytes, opening: Opening) -> None:
        self._key = key
        self.mode = PaymentMode.CREDIT
        self.paid = opening.credit
        self.energy = ConsumptionCharge(rates, now, opening.price)
        self.charges = {
            "standing": TimeCharge(now, opening.standing, passive=opening.standing),
            **{f"debt{n}": TimeCharge(now, 0, remaining=0) for n in (1, 2, 3)},
        }
        self.emergency_limit = opening.emergency
        self.emergency_below = opening.emergency_below
        self.emergency_selected = False
        self.low = opening.low
        self._numbers: list[int] = []

    # -- amounts -------------------------------------------------------------------------------

    def balance(self, at: UtcMs) -> int:
        """Return the balance in millipence; below 0 something is owed."""
        taken = sum(charge.collected(at) for charge in self.charges.values())
        return self.paid - self.energy.cost(at) - taken

    def debt(self, at: UtcMs) -> int:
        """Return what all debts come to."""
        return sum(charge.left(at) for charge in self.charges.values())

    def emergency_used(self, at: UtcMs) -> int:
        """Return how much of a selected emergency credit is used up."""
        if not self.emergency_selected:
            return 0
        return min(max(-self.balance(at), 0), self.emergency_limit)

    def available(self, at: UtcMs) -> int:
        """Return the credit that is left: the balance, and emergency credit where selected."""
        extra = self.emergency_limit if self.emergency_selected else 0
        return self.balance(at) + extra

    def exhausted(self, at: UtcMs) -> bool:
        """Say whether a meter in prepayment mode must open its switch."""
        return self.mode is PaymentMode.PREPAYMENT and self.available(at) <= 0

    # -- what changes it -----------------------------------------------------------------------

    def adjust(self, amount: int) -> None:
        """Add to the balance, or take from it."""
        self.paid += amount

    def may_select_emergency(self, at: UtcMs) -> bool:
        """Say whether emergency credit may be selected now."""
        return not self.emergency_selected and self.balance(at) <= self.emergency_below

    def activate(self, key: bytes) -> None:
        """Take codes of the owner of this top-up key from now on, and of nobody else."""
        self._key = key

    def enter(
        self, code: str, eui64: Eui64, at: UtcMs, present: bytes | None = None
    ) -> TopUp | CodeRefusal | TopUpRefusal:
        """Take a top-up code, or say why not; a refused one changes nothing.

        Args:
            code: Its digits.
            eui64: The meter's EUI-64.
            at: The present moment.
            present: Top-up key of whoever owns the meter's keys now; while the account was not
                activated for that owner, no code is taken. None: the one it was activated for.
        """
        top_up = top_up_code.decode(code, self._key, eui64)
        if present not in {None, self._key} and isinstance(top_up, TopUp):
            return CodeRefusal.NOT_AUTHENTIC
        if isinstance(top_up, CodeRefusal):
            return top_up
        if self.knows(top_up.number):
            return TopUpRefusal.DUPLICATE
        if self._numbers and top_up.number <= max(self._numbers) - REMEMBERED_CODES:
            return TopUpRefusal.TOO_OLD
        self._numbers = sorted([*self._numbers, top_up.number])[-REMEMBERED_CODES:]
        amount = top_up.pence * _MILLIPENCE
        self.paid += amount
        for charge in self.charges.values():
            part = min(charge.left(at), amount * charge.per_payment // _PROPORTIONS)
            if part:
                charge.take(part, at)
        if self.balance(at) >= 0:
            self.emergency_selected = False
        return top_up

    def knows(self, number: int) -> bool:
        """Say whether a code of that number was taken before."""
        return number in self._numbers

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values; the top-up key is in it."""
        return {
            "key": self._key.hex(),
            "mode": int(self.mode),
            "paid": self.paid,
            "energy": self.energy.dump(),
            "charges": {name: charge.dump() for name, charge in self.charges.items()},
            "emergency_limit": self.emergency_limit,
            "emergency_below": self.emergency_below,
            "emergency_selected": self.emergency_selected,
            "low": self.low,
            "numbers": list(self._numbers),
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self._key = saved.octets("key")
        self.mode = PaymentMode(saved.number("mode"))
        self.paid = saved.number("paid")
        self.energy.load(saved.part("energy"))
        charges = saved.part("charges")
        self.charges = {name: TimeCharge.of(charges.part(name)) for name in self.charges}
        self.emergency_limit = saved.number("emergency_limit")
        self.emergency_below = saved.number("emergency_below")
        self.emergency_selected = saved.flag("emergency_selected")
        self.low = saved.number("low")
        self._numbers = saved.number_list("numbers")
