"""The money side of an ESME: balance, emergency credit, debts, and what is charged to them."""

from typing import Final, Self

from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
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
#: Fifth octet of the logical name of a credit and of a charge, in the links between them.
_BALANCE, _EMERGENCY, _ACCUMULATED = range(3)
_TIME_DEBTS: Final = {1: "debt1", 2: "debt2"}
_STANDING: Final = 4
#: Debt recovered of a payment is in hundredths of a per cent. Source: known (SMETS2), RTDS ECS26a.
_SHARES: Final = 10_000
#: The cap of recovery is in pence: in thousandths of a penny its 16 bits would hold 65 p at most.
#: Source: inferred.
_CAP_UNIT: Final = 1000
#: Entries kept of each log. Source: known (SMETS2: 10 payments, 5 top-ups at least).
_MOST_ENTRIES: Final = 100

Entry = tuple[int, int]


class Account:
    """What the customer has and owes, in thousandths of a penny.

    Balances fall by what is consumed in either payment mode. In prepayment mode the balance is
    used down to the disablement threshold, then emergency credit where it was granted, then the
    balance again; debts are collected daily and from top-ups. What falls due while there is no
    credit waits in the accumulated debt where the links of credits and charges say so.

    Attributes:
        parts: Part -> amount.
        granted: Emergency credit that was granted and is not repaid.
        remainder: What was consumed and not yet charged, in 10^-9 of a thousandth of a penny.
        credits: (when, amount) of the last top-ups.
        payments: (when, amount) of the last recoveries of payment-based debt.

    Source:
        SMETS2 in outline (known); links and amounts as RTDS ECS26a shows them.
    """

    def __init__(self, parts: dict[str, int], limit: int) -> None:
        self.parts = parts
        self.granted = max(limit, parts["emergency_credit"]) if parts["emergency_credit"] else 0
        self.remainder = 0
        self.credits: list[Entry] = []
        self.payments: list[Entry] = []

    @classmethod
    def of(cls, store: Store) -> Self:
        """Return the account as the profile says it begins."""
        parts = {part: store.number(name) for part, name in _BEGINNINGS.items()}
        return cls(parts, store.number("emergency_credit_limit_millipence"))

    def shown(self) -> tuple[int, ...]:
        """Return balance, emergency credit, three debts and all that is owed."""
        debts = [self.parts[name] for name in ("debt1", "debt2", "payment_debt")]
        owed = _fitting(sum(debts) + self.parts["accumulated_debt"])
        return self.parts["balance"], self.parts["emergency_credit"], *debts, owed

    @property
    def owed_emergency(self) -> int:
        """Emergency credit used and not repaid."""
        return self.granted - self.parts["emergency_credit"]

    @property
    def credit(self) -> int:
        """Balance and emergency credit that was granted and is left."""
        return self.parts["balance"] + self.parts["emergency_credit"]

    def put(self, part: str, amount: int) -> None:
        """Set a part; one that does not fit stays at the end of its range."""
        self.parts[part] = _fitting(amount)
        if part == "emergency_credit":
            self.granted = max(self.parts[part], 0)

    def add(self, part: str, amount: int) -> None:
        """Add to a part."""
        self.parts[part] = _fitting(self.parts[part] + amount)

    def grant(self, limit: int) -> None:
        """Grant emergency credit."""
        self.granted = self.parts["emergency_credit"] = limit

    # -- what is used --------------------------------------------------------------------------

    def charge(self, amount: int, places: int, store: Store) -> None:
        """Take what was consumed off the credit.

        Args:
            amount: Energy times price.
            places: Decimal places by which that is too large for thousandths of a penny.
            store: The meter's settings.
        """
        self.remainder += amount * 10 ** (9 - places) if places <= 9 else 0
        whole, self.remainder = divmod(self.remainder, 10**9)
        if whole:
            self._spend(whole, store)

    def _spend(self, amount: int, store: Store) -> None:
        room = amount
        if mode_of(store) == PREPAYMENT_MODE and self.granted:
            room = max(self.parts["balance"] - disablement_threshold(store), 0)
        emergency = max(min(amount - min(amount, room), self.parts["emergency_credit"]), 0)
        self.add("emergency_credit", -emergency)
        self.add("balance", emergency - amount)

    def end_day(self, store: Store, standing_charge: int) -> list[str]:
        """Charge a day's standing charge, and collect debts from a prepayment customer.

        Returns:
            The debts that were paid off by it.
        """
        if mode_of(store) != PREPAYMENT_MODE:
            self.add("balance", -standing_charge)
            return []
        self._due(standing_charge, _STANDING, store)
        done = []
        for charge, part in _TIME_DEBTS.items():
            rate = rate_of(store, f"debt_rate_{charge}")
            period = store.number(f"debt_rate_{charge}_period_s")
            due = min(self.parts[part], rate * _DAY_S // max(period, 1))
            if due > 0:
                self.add(part, -due)
                self._due(due, charge, store)
                done += [part] if not self.parts[part] else []
        return done

    def _due(self, amount: int, charge: int, store: Store) -> None:
        if self._accumulates(charge, store):
            self.add("accumulated_debt", amount)
        else:
            self._spend(amount, store)

    def _accumulates(self, charge: int, store: Store) -> bool:
        """Say whether a charge waits: the credit in use is not linked to it, the debt is."""
        if self.parts["balance"] > disablement_threshold(store):
            return False
        links = _links(store)
        if (_ACCUMULATED, charge) not in links:
            return False
        in_use = self.granted and self.parts["emergency_credit"] > 0
        return not (in_use and (_EMERGENCY, charge) in links)

    # -- what is paid in -----------------------------------------------------------------------

    def pay_in(self, amount: int, store: Store, at: UtcMs) -> list[str]:
        """Take a top-up: debt by its share, what waited, emergency credit used, then the balance.

        Returns:
            The debts that were paid off by it.

        Source:
            Order known (SMETS2); share and cap as RTDS ECS26a shows them.
        """
        share = self._recovered(amount, store, at)
        had_debt = self.parts["payment_debt"] > 0
        if share:
            self.add("payment_debt", -share)
            _keep(self.payments, (at, share))
        left = amount - share
        waited = min(max(self.parts["accumulated_debt"], 0), left)
        self.add("accumulated_debt", -waited)
        left -= waited
        repaid = min(max(self.owed_emergency, 0), left)
        self.add("emergency_credit", repaid)
        if self.granted and not self.owed_emergency:
            self.granted = self.parts["emergency_credit"] = 0
        self.add("balance", left - repaid)
        _keep(self.credits, (at, amount))
        return ["payment_debt"] if had_debt and not self.parts["payment_debt"] else []

    def _recovered(self, amount: int, store: Store, at: UtcMs) -> int:
        share = amount * store.number("debt_per_payment") // _SHARES
        since = at - 1000 * store.number("debt_recovery_cap_period_s")
        so_far = sum(paid for when, paid in self.payments if when > since)
        room = store.number("debt_recovery_cap") * _CAP_UNIT - so_far
        return max(min(share, self.parts["payment_debt"], room, amount), 0)

    def leave_prepayment(self) -> None:
        """Settle emergency credit with the balance, as credit customers have none (inferred)."""
        self.add("balance", -self.owed_emergency)
        self.granted = self.parts["emergency_credit"] = 0

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "parts": {**self.parts},
            "granted": self.granted,
            "remainder": self.remainder,
            "credits": [[at, amount] for at, amount in self.credits],
            "payments": [[at, amount] for at, amount in self.payments],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.parts = saved.numbers("parts")
        self.granted = saved.number("granted")
        self.remainder = saved.number("remainder")
        self.credits = saved.pairs("credits")
        self.payments = saved.pairs("payments")


def _keep(entries: list[Entry], entry: Entry) -> None:
    entries.append(entry)
    del entries[:-_MOST_ENTRIES]


def _fitting(amount: int) -> int:
    """Return an amount, or the end of the 32-bit range that it is beyond."""
    return max(-_MOST - 1, min(_MOST, amount))


def _links(store: Store) -> set[tuple[int, int]]:
    """Return which credits (0 balance, 1 emergency, 2 accumulated) pay which charges."""
    return {_link(row) for row in store.items("credit_charges")}


def _link(row: Data) -> tuple[int, int]:
    cells = row.value if isinstance(row.value, tuple) else ()
    credit, charge = (cell.value for cell in cells[:2])
    if not isinstance(credit, bytes) or not isinstance(charge, bytes):
        return -1, -1
    return credit[4], charge[4]


def mode_of(store: Store) -> int:
    """Return the payment mode."""
    found = store.find("payment_mode")
    first = found.value[0].value if found and isinstance(found.value, tuple) else CREDIT_MODE
    return first if isinstance(first, int) else CREDIT_MODE


def disablement_threshold(store: Store) -> int:
    """Return the balance at which supply ends, in thousandths of a penny."""
    found = store.numbers("disablement_threshold_millipence", 1)
    return found[0] if found else 0


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
