"""Prepayment meters for tests: tokens for them, and what they show."""

from dataclasses import replace
from functools import cache
from typing import Any

from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, ZclIndication
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.protection import KeyRing
from emulator.devices.consumption import HALF_HOUR_MS
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter, item_of, number
from tests.emulator.devices.kit import (
    ESME,
    OTHER_SUPPLIER,
    PPMID,
    SUPPLIER,
    everyone,
    key,
    opened,
)

POUND = 100_000


def token(counter: int, pence: int, supplier: Any = SUPPLIER, meter: Any = ESME) -> str:
    made = make_token(counter << 32, pence, supplier, meter, ring_with_prepayment())
    assert made is not None
    return made


@cache
def prepayment_keys() -> KeyStore:
    """A prepayment key of each supplier."""
    return KeyStore(
        replace(key(owner, KeyUsage.KA), prepayment=True) for owner in (SUPPLIER, OTHER_SUPPLIER)
    )


@cache
def ring_with_prepayment() -> KeyRing:
    return KeyRing(everyone().keystore.merged(prepayment_keys()))


def prepaying(**attributes: Any) -> Meter:
    said = {
        "values_at": "2024-06-01T12:00:00",
        "payment_mode": [2, 2],
        "meter_balance_millipence": 5 * POUND,
        **attributes,
    }
    meter = Meter(**said)
    device = meter.device
    device.take_ring(KeyRing(device.ring.keystore.merged(prepayment_keys().public())))
    device.follow_up(meter.now)
    return meter


def top_up(meter: Meter, counter: int, pence: int, digits: str | None = None) -> list[Effect]:
    """CS01a, whose counter is the token's."""
    meter.counter, kept = (counter << 32) - 1, meter.counter
    value = axdr.octets((digits or token(counter, pence)).encode())
    effects = meter.send("CS01a", [item_of(OBJECTS.named["top_up_token"], value)])
    meter.counter = kept
    return effects


def result_of(effects: list[Effect]) -> int:
    payload = opened(effects)[0].envelope.payload
    return payload[-1]


def balance(meter: Meter) -> int:
    return number(meter.read("ECS82", "meter_balance_millipence"))


def shown(meter: Meter) -> list[int]:
    value = meter.read("ECS19", "prepayment_balances").value
    assert isinstance(value, tuple)
    return [number(part) for part in value]


def switch_of(meter: Meter) -> SupplyState:
    return meter.device.switch


def events(meter: Meter) -> list[int]:
    device = meter.device
    return [entry.code for entry in [*device.event_log, *device.security_log]]


def run(meter: Meter, hours: int) -> list[Effect]:
    """Let hours pass."""
    return run_half_hours(meter, 2 * hours)


def run_half_hours(meter: Meter, half_hours: int) -> list[Effect]:
    """Let time pass, each timer of the model at its moment."""
    end = meter.now + half_hours * HALF_HOUR_MS
    effects: list[Effect] = []
    while True:
        timers = meter.device.timers
        due = [(at, name) for name, at in timers.items() if name.startswith("model.") and at <= end]
        if not due:
            meter.now = UtcMs(end)
            return effects
        at, name = min(due)
        meter.now = UtcMs(max(at, meter.now))
        effects += meter.device.handle(DeviceEvent.TIMER, name, meter.now)


def to_meter(meter: Meter, cluster: int, octets: bytes) -> list[Effect]:
    indication = ZclIndication(PPMID, ESME, cluster, octets)
    return meter.device.handle(DeviceEvent.ZCL, indication, meter.now)
