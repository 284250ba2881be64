"""Whatever order dates are set, replaced and taken back in, each is told of exactly once."""

from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from device_profiles.words import DeviceType
from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import AccessRequest
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs import alerts, gbz
from emulator.codecs.gbcs.dates import NEVER, decode_date_time, encode_date_time
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.envelope import Envelope
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.account import (
    ChangePaymentMode,
    EmergencyCreditSetup,
    SetLowCreditWarningLevel,
    SetMaximumCreditLimit,
    SetOverallDebtCap,
)
from emulator.codecs.zcl.price import PublishCalorificValue, PublishConversionFactor
from emulator.core.clock import UtcMs, to_zigbee_seconds
from tests.emulator.devices.esme.esme_kit import OBJECTS, item_of
from tests.emulator.devices.gas.gas_kit import CATALOGUE, answer_of
from tests.emulator.devices.machines.dates_machine import Dates, Order, Slot
from tests.sampling import examples

#: Slot -> type of its value.
_TAGS = {
    "low_credit_threshold_millipence": Tag.INT32,
    "max_credit_millipence": Tag.INT32,
    "debt_recovery_cap": Tag.UINT16,
    "load_limit_period_s": Tag.UINT32,
    "load_limit_restoration_s": Tag.UINT32,
}
NOT_AFTER_ALL = 0xFFFFFFFF
PRICE, MONEY = 0x0700, 0x0705
PREPAYMENT, CREDIT = 0x0C92, 0x0C94


class EsmeDates(Dates):
    """Each slot is a passive value and its date; two use cases."""

    kind = DeviceType.ESME
    slots: ClassVar = {
        name: Slot("ECS28a" if name.startswith("load") else "ECS08", name) for name in _TAGS
    }  # fmt: skip

    def payload(self, orders: list[Order], counter: int) -> bytes:
        items = []
        for one in orders:
            date = NEVER if one.at is None else encode_date_time(one.at)
            value = Data(_TAGS[one.slot], one.value)
            items.append(item_of(OBJECTS.named[f"passive_{one.slot}"], value))
            items.append(item_of(OBJECTS.named[f"{one.slot}_activation"], axdr.octets(date)))
        return access.encode_request(AccessRequest(invoke_id(counter), tuple(items)))

    def taken(self, answer: Envelope, orders: list[Order]) -> list[bool]:
        results = [one.result for one in access.decode_response(answer.payload).results]
        assert len(results) == 2 * len(orders)
        return [result == 0 for result in results[1::2]]

    def alert(self, payload: bytes) -> tuple[Any, UtcMs]:
        found = alerts.decode_dlms_alert(payload)
        return found, decode_date_time(found.at)[0]

    def break_slot(self, name: str) -> None:
        self.device.inject(f"object:{OBJECTS.named[f'{name}_activation'].where}")
        self.model.broken.add(name)


class GsmeDates(Dates):
    """Each slot is a component with its own date; three use cases; the last says no date."""

    kind = DeviceType.GSME
    slots: ClassVar = {
        "credit": Slot("GCS02", "payment_control", fixed=CREDIT),
        "prepay": Slot("GCS03", "payment_control", fixed=PREPAYMENT),
        "emergency": Slot("GCS05", "emergency_credit_limit_millipence"),
        "most": Slot("GCS05", "most_balance_millipence"),
        "cap": Slot("GCS05", "debt_cap_millipence"),
        "low": Slot("GCS05", "low_credit_warning_millipence", follows=True),
        "conversion": Slot("GCS23", "conversion_factor"),
        "calorific": Slot("GCS23", "calorific_value"),
    }

    def payload(self, orders: list[Order], counter: int) -> bytes:  # noqa: ARG002 - DLMS says it
        parts = [_component(place, one) for place, one in enumerate(orders)]
        return gbz.encode(GbzMessage(tuple(parts)))

    def taken(self, answer: Envelope, orders: list[Order]) -> list[bool]:
        components = gbz.decode(answer.payload).components
        assert len(components) == len(orders)
        found = [answer_of(one, one.payload) for one in components]
        return [status in (0, None) or not isinstance(status, int) for status in found]

    def alert(self, payload: bytes) -> tuple[Any, UtcMs]:
        found = gbz.decode_alert(payload)
        return found, found.at

    @rule(first=st.integers(1, 300), second=st.integers(1, 300))
    def date_rival_modes(self, first: int, second: int) -> None:
        """Two use cases date one value; both dates pass while the power is off."""
        for name, minutes in (("credit", first), ("prepay", second)):
            self.send(self.orders_of([(name, 0, minutes)]))
        self.lose_power(400)

    def break_slot(self, name: str) -> None:
        row = CATALOGUE.named[self.slots[name].value]
        self.device.inject(f"member:{row.where}")
        self.model.broken |= {n for n, slot in self.slots.items() if slot.value == row.name}


def _component(place: int, one: Order) -> GbzComponent:
    start_s = NOT_AFTER_ALL if one.at is None else to_zigbee_seconds(UtcMs(one.at))
    cluster, typed = _commands(one, start_s)
    head = gas.encode(cluster, typed, place, quiet=False)
    return GbzComponent(cluster, head[0], head[1], head[2], head[3:])


def _commands(one: Order, start_s: int) -> tuple[int, Any]:
    made = {
        "credit": (MONEY, ChangePaymentMode(0, 7, start_s, CREDIT, -1)),
        "prepay": (MONEY, ChangePaymentMode(0, 7, start_s, PREPAYMENT, -1)),
        "emergency": (MONEY, EmergencyCreditSetup(7, start_s, one.value, 100)),
        "most": (MONEY, SetMaximumCreditLimit(0, 7, start_s, one.value, 100)),
        "cap": (MONEY, SetOverallDebtCap(0, 7, start_s, one.value)),
        "low": (MONEY, SetLowCreditWarningLevel(one.value)),
        "conversion": (PRICE, PublishConversionFactor(7, start_s, one.value, 0)),
        "calorific": (PRICE, PublishCalorificValue(7, start_s, one.value, 1, 0)),
    }
    return made[one.slot]


def test_the_dates_of_an_esme_come_as_the_model_says() -> None:
    chosen = settings(max_examples=examples(60), stateful_step_count=25, deadline=None)
    run_state_machine_as_test(EsmeDates, settings=chosen)


def test_the_dates_of_a_gsme_come_as_the_model_says() -> None:
    chosen = settings(max_examples=examples(60), stateful_step_count=25, deadline=None)
    run_state_machine_as_test(GsmeDates, settings=chosen)
