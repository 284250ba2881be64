"""What a PPMID shows of its meters: what they serve, and nothing it works out itself."""

from dataclasses import dataclass, field
from typing import Final, Self

from emulator.codecs.zcl import metering, prepayment
from emulator.codecs.zcl.foundation import ReadAttributesResponse
from emulator.codecs.zcl.metering import MeteringAttribute, SupplyStatus
from emulator.codecs.zcl.prepayment import PREPAYMENT, CreditFlag, PrepaymentAttribute
from emulator.devices.saved import Saved, State

_PENCE: Final = 1000
_KILO: Final = 1000
#: Attributes that a PPMID asks a meter for, by cluster.
WANTED: Final[dict[int, tuple[int, ...]]] = {
    prepayment.CLUSTER: tuple(PrepaymentAttribute),
    metering.CLUSTER: (
        MeteringAttribute.CURRENT_SUMMATION_DELIVERED,
        MeteringAttribute.SUPPLY_STATUS,
    ),
}
_P: Final = PrepaymentAttribute


@dataclass(slots=True)
class MeterView:
    """What one meter last said.

    Attributes:
        values: (cluster, attribute) as ``cccc/aaaa`` -> number.
        price: Price in thousandths of a penny; None before it was told.
        message: Message to the customer.
        message_id: Its number.
        top_up: What became of the last top-up, in words; empty for none.
        action: What became of the last button, in words; empty for none.
    """

    values: dict[str, int] = field(default_factory=dict)
    price: int | None = None
    message: str = ""
    message_id: int = 0
    top_up: str = ""
    action: str = ""

    def take(self, cluster: int, answer: ReadAttributesResponse) -> None:
        """Take attributes that a meter answered with."""
        for reading in answer.readings:
            value = None if reading.value is None else reading.value.value
            if isinstance(value, int):
                self.values[f"{cluster:04x}/{reading.attribute:04x}"] = value

    def _value(self, cluster: int, attribute: int) -> int | None:
        return self.values.get(f"{cluster:04x}/{attribute:04x}")

    @property
    def balance(self) -> int | None:
        """Balance in thousandths of a penny; None before it was told."""
        return self._value(prepayment.CLUSTER, _P.CREDIT_REMAINING)

    @property
    def emergency_credit(self) -> int | None:
        """Emergency credit left, likewise."""
        return self._value(prepayment.CLUSTER, _P.EMERGENCY_CREDIT_REMAINING)

    @property
    def credit(self) -> CreditFlag:
        """State of credit and emergency credit."""
        return CreditFlag(self._value(prepayment.CLUSTER, _P.CREDIT_STATUS) or 0)

    @property
    def prepays(self) -> bool:
        """Whether the meter is in prepayment mode."""
        return bool((self._value(prepayment.CLUSTER, _P.PAYMENT_CONTROL) or 0) & PREPAYMENT)

    @property
    def supply(self) -> SupplyStatus | None:
        """State of the supply; None before it was told."""
        found = self._value(metering.CLUSTER, MeteringAttribute.SUPPLY_STATUS)
        return SupplyStatus(found) if found in set(SupplyStatus) else None

    @property
    def register(self) -> int | None:
        """The import register, in Wh or dm³; None before it was told."""
        return self._value(metering.CLUSTER, MeteringAttribute.CURRENT_SUMMATION_DELIVERED)

    def rows(self, fuel: str) -> dict[str, str]:
        """Return what can be seen of it."""
        shown: dict[str, str] = {}
        if self.register is not None:
            shown[f"{fuel} register"] = f"{self.register // _KILO}.{self.register % _KILO:03}"
        if self.balance is not None:
            shown[f"{fuel} balance"] = f"{self.balance / _PENCE:.2f} p"
            shown[f"{fuel} payment"] = "prepayment" if self.prepays else "credit"
        if self.prepays and self.emergency_credit is not None:
            shown[f"{fuel} emergency credit"] = f"{self.emergency_credit / _PENCE:.2f} p"
        if self.supply is not None:
            shown[f"{fuel} supply"] = self.supply.name.lower().replace("_", " ")
        if self.price is not None:
            shown[f"{fuel} price"] = f"{self.price / _PENCE:.2f} p"
        words = (("message", self.message), ("top-up", self.top_up), ("button", self.action))
        return shown | {f"{fuel} {name}": text for name, text in words if text}

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "values": {**self.values},
            "price": self.price,
            "message": self.message,
            "message_id": self.message_id,
            "top_up": self.top_up,
            "action": self.action,
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the view a dump describes."""
        return cls(
            saved.numbers("values"),
            saved.optional_number("price"),
            saved.text("message"),
            saved.number("message_id"),
            saved.text("top_up"),
            saved.text("action"),
        )
