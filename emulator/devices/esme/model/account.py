"""The money side of an ESME: balance, emergency credit, debts, and what is charged to them."""

from typing import Final, Self

from emulator.devices.esme.model.store import Store
from emulator.devices.saved import Saved, State

#: Value of payment_mode's first element. Source: inferred from RTDS ECS02 (1) and ECS26j (2).
CREDIT_MODE: Final = 1
PREPAYMENT_MODE: Final = 2
#: Part of an account -> name of the value that says where it begins.
_BEGINNINGS: Final = {
    "balance": "meter_balance_millipence",
    "emergency_credit": "emergency_credit_millipence",
    "debt1": "debt1_millipence",
    "debt2": "debt2_millipence",
    "payment_debt": "payment_debt_millipence",
    "accumulated_debt": "",
}
_DAY_S: Final = 86_400
_MOST: Final = (1 << 31) - 1


class Account:
    """What the customer has and owes, in thousandths of a penny.

    Balances fall by what is consumed in either payment mode; debts are collected daily, in
    prepayment mode alone.

    Attributes:
        parts: Part -> amount.
        remainder: What was consumed and not yet charged, in 10^-9 of a thousandth of a penny.

    Source:
        inferred (SMETS2 in outline); no vector shows an account move.
    """

    def __init__(self, parts: dict[str, int]) -> None:
        self.parts = parts
        self.remainder = 0

    @classmethod
    def of(cls, store: Store) -> Self:
        """Return the account as the profile says it begins."""
        return cls({part: store.number(name) for part, name in _BEGINNINGS.items()})

    def shown(self) -> tuple[int, ...]:
        """Return balance, emergency credit, three debts and their sum."""
        debts = [self.parts[name] for name in ("debt1", "debt2", "payment_debt")]
        owed = _fitting(sum(debts))
        return self.parts["balance"], self.parts["emergency_credit"], *debts, owed

    def put(self, part: str, amount: int) -> None:
        """Set a part; one that does not fit stays at the end of its range."""
        self.parts[part] = _fitting(amount)

    def add(self, part: str, amount: int) -> None:
        """Add to a part."""
        self.put(part, self.parts[part] + amount)

    def charge(self, amount: int, places: int) -> None:
        """Take what was consumed off the balance.

        Args:
            amount: Energy times price.
            places: Decimal places by which that is too large for thousandths of a penny.
        """
        self.remainder += amount * 10 ** (9 - places) if places <= 9 else 0
        whole, self.remainder = divmod(self.remainder, 10**9)
        self.add("balance", -whole)

    def end_day(self, store: Store, standing_charge: int) -> None:
        """Charge a day's standing charge, and collect debts from a prepayment customer."""
        self.add("balance", -standing_charge)
        if mode_of(store) != PREPAYMENT_MODE:
            return
        for number in (1, 2):
            part = f"debt{number}"
            rate, period = (
                rate_of(store, f"debt_rate_{number}"),
                store.number(f"debt_rate_{number}_period_s"),
            )
            due = min(self.parts[part], rate * _DAY_S // max(period, 1))
            if due > 0:
                self.add(part, -due)
                self.add("balance", -due)

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "parts": {**self.parts},
            "remainder": self.remainder,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.parts = saved.numbers("parts")
        self.remainder = saved.number("remainder")


def _fitting(amount: int) -> int:
    """Return an amount, or the end of the 32-bit range that it is beyond."""
    return max(-_MOST - 1, min(_MOST, amount))


def mode_of(store: Store) -> int:
    """Return the payment mode."""
    found = store.find("payment_mode")
    first = found.value[0].value if found and isinstance(found.value, tuple) else CREDIT_MODE
    return first if isinstance(first, int) else CREDIT_MODE


def rate_of(store: Store, name: str) -> int:
    """Return the only price of a charge."""
    found = store.find(name)
    if found is None or not isinstance(found.value, tuple):
        return 0
    rows = found.value[2].value
    if not isinstance(rows, tuple) or not rows or not isinstance(rows[0].value, tuple):
        return 0
    price = rows[0].value[1].value
    return price if isinstance(price, int) else 0
