"""The money side of a gas meter: credit, emergency credit, debts, and what the period costs."""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.zcl.prepayment import PREPAYMENT
from emulator.devices.gsme.model.store import Store
from emulator.devices.saved import Saved, State

#: Part of an account -> value that says where it begins.
PARTS: Final[Mapping[str, str]] = {
    "credit": "credit_millipence",
    "emergency": "emergency_credit_millipence",
    "accumulated": "accumulated_debt_millipence",
    "debt1": "debt_1_millipence",
    "debt2": "debt_2_millipence",
    "debt3": "debt_3_millipence",
    "bill": "bill_to_date_millipence",
}
DEBTS: Final = ("debt1", "debt2", "debt3")
_SIGNED: Final = frozenset({"credit", "emergency", "accumulated"})
_MOST: Final = (1 << 31) - 1
#: What is charged is kept to this part of a thousandth of a penny.
_PARTS_OF_MILLIPENNY: Final = 10**9


class Account:
    """What the customer has, owes, and is charged, in thousandths of a penny.

    What is consumed goes onto the bill of the period in either payment mode, and off the credit in
    prepayment mode: first what is above the cut-off, then emergency credit where it was granted,
    then the credit again. Emergency credit that was used is owed back (accumulated debt).

    Attributes:
        parts: Part -> amount.
        remainder: What was consumed and not yet charged, in 10^-9 of a thousandth of a penny.

    Source:
        inferred (SMETS2 in outline); no vector shows an account move but by a top-up (CS01b).
    """

    __slots__ = ("parts", "remainder")

    def __init__(self, store: Store) -> None:
        self.parts = {part: store.number(name) for part, name in PARTS.items()}
        self.remainder = 0

    def shown(self) -> tuple[int, ...]:
        """Return accumulated debt, debts 1 to 3, emergency credit and credit, as logs do."""
        p = self.parts
        return (p["accumulated"], *[p[debt] for debt in DEBTS], p["emergency"], p["credit"])

    def put(self, part: str, amount: int) -> None:
        """Set a part; one that does not fit stays at the end of its range."""
        low = -_MOST - 1 if part in _SIGNED else 0
        self.parts[part] = max(low, min(_MOST, amount))

    def add(self, part: str, amount: int) -> None:
        """Add to a part."""
        self.put(part, self.parts[part] + amount)

    def consume(self, store: Store, millipence_by_1e9: int) -> None:
        """Charge what was consumed, given in 10^-9 of a thousandth of a penny."""
        self.remainder += millipence_by_1e9
        whole, self.remainder = divmod(self.remainder, _PARTS_OF_MILLIPENNY)
        self.charge(store, whole)

    def charge(self, store: Store, amount: int) -> None:
        """Charge an amount."""
        self.add("bill", amount)
        if not is_prepayment(store):
            return
        own = min(amount, max(self.parts["credit"] - store.number("cut_off_millipence"), 0))
        lent = min(amount - own, max(self.parts["emergency"], 0))
        self.add("credit", lent - amount)
        self.add("emergency", -lent)
        self.add("accumulated", lent)

    def recover(self, debt: str, amount: int) -> int:
        """Take an instalment of a debt off the credit; return what was taken."""
        taken = max(0, min(self.parts[debt], amount))
        self.add(debt, -taken)
        self.add("credit", -taken)
        return taken

    def take(self, value: int) -> None:
        """Take a top-up: what was lent is paid back first."""
        back = min(max(self.parts["accumulated"], 0), value)
        self.add("accumulated", -back)
        self.add("credit", value - back)

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {"parts": {**self.parts}, "remainder": self.remainder}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.parts = saved.numbers("parts")
        self.remainder = saved.number("remainder")


def is_prepayment(store: Store) -> bool:
    """Say whether the payment mode is prepayment."""
    return bool(store.number("payment_control") & PREPAYMENT)
