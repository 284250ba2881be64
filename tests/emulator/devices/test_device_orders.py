"""Random orders of staging, serving, activating, cancelling and power cuts, and what never happens.

The sequences are drawn from a seeded source, so every run of the test draws the same ones.
"""

import json
from collections.abc import Callable

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.csp_transfer import Reason
from emulator.codecs.gbcs.asn1 import CANCEL_TIME
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note
from emulator.devices.defects import apply
from emulator.devices.esme.esme import Esme
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.ota_table import OtaState
from tests.emulator.devices.hub_kit import stage
from tests.emulator.devices.kit import (
    CHF,
    EUI64_OF,
    OLD_VERSION,
    OTHER_SUPPLIER,
    Bench,
    build,
    cs06,
    image,
    image_hash,
    powered,
)

SEQUENCES = 1000
LENGTH = 6
CONTENT = b"c" * 100


def versions(number: int) -> bytes:
    return bytes((1, 2, 3, number))


class Play:
    """One bench, played on at random; images differ in version, some are not for the device."""

    def __init__(self, device_type: DeviceType, draw: Stream) -> None:
        self.draw = draw
        self.kind = device_type
        self.target = EUI64_OF[device_type]
        device = build(device_type, firmware__activation_s=5)
        assert isinstance(device, FirmwareDevice)
        self.device = device
        self.bench = Bench(build(DeviceType.CHF), device)
        self.bench.power_on()
        self.counter = 0
        self.number = 0
        self.good: set[bytes] = set()
        self.named: set[bytes] = set()
        self.on = True

    def stage(self) -> None:
        self.number += 1
        version = versions(self.number)
        spoiled = self.draw.below(4)
        changes: list[dict[str, object]] = [
            {},
            {"minimum_hardware": 0x2000, "maximum_hardware": 0x2100},
            {"image_type": 0x0099},
            {"signer": OTHER_SUPPLIER},
        ]
        if spoiled == 0 or (spoiled == 3 and self.kind is DeviceType.PPMID):
            self.good.add(version)
        content = CONTENT + version
        octets = image(self.kind, version=version, content=content, **changes[spoiled])  # type: ignore[arg-type]
        reason = stage(self.bench, octets, self.target, number=self.number)
        assert reason in {Reason.HELD, Reason.BUSY, Reason.STORE_FULL}

    def serve(self) -> None:
        self.bench.run(self.draw.below(20))

    def query(self) -> None:
        if self.on:
            self.bench.perform(self.target, self.device.ota.timer("ota.query", self.bench.now)
                               if self.device.ota.state in {OtaState.IDLE, OtaState.ACTIVE}
                               else [])  # fmt: skip

    def activate(self, at: UtcMs | None = None) -> None:
        self.counter += 1
        pending = self.device.slots.pending
        right = pending is not None and self.draw.below(3) > 0
        wanted = pending.manufacturer_image_hash if pending and right else image_hash()
        if pending and right:
            self.named.add(pending.version)
        message = cs06(self.target, wanted, counter=self.counter, at=at)
        self.bench.event(CHF, DeviceEvent.WAN, message)

    def schedule(self) -> None:
        self.activate(UtcMs(self.bench.now + 1000 * self.draw.below(30)))

    def cancel(self) -> None:
        self.activate(CANCEL_TIME)

    def power_cycle(self) -> None:
        self.bench.event(self.target, DeviceEvent.POWER_OFF)
        self.bench.event(self.target, DeviceEvent.POWER_ON)

    def bad_boot(self) -> None:
        self.device.inject("self-test-fails")

    def step(self) -> None:
        acts: list[Callable[[], None]] = [
            self.stage, self.serve, self.serve, self.query, self.activate, self.schedule,
            self.cancel, self.power_cycle, self.bad_boot,
        ]  # fmt: skip
        before = self.device.slots.running
        seen = len(self.bench.log)
        acts[self.draw.below(len(acts))]()
        self.check(before, [effect for _, effect in self.bench.log[seen:]])

    def check(self, before: bytes, effects: list[Effect]) -> None:
        """The invariants of F-114."""
        slots = self.device.slots
        held = [] if slots.pending is None else [slots.pending.version]
        assert set(held) <= self.good  # right type, hardware and signer; at most one by its type
        changes = [e for e in effects if isinstance(e, Note) and e.kind == "firmware_activated"]
        assert (slots.running != before) == bool(changes)
        assert slots.running in {OLD_VERSION, *(self.good & self.named)}
        discards = [e for e in effects if isinstance(e, Note) and e.kind == "image_discarded"]
        told = [dict(e.fields)["code"] for e in effects
                if isinstance(e, Note) and e.kind == "message_sent"]  # fmt: skip
        assert told.count("00ce") >= len(discards)


@pytest.mark.parametrize("part", range(4))
def test_no_order_of_events_breaks_the_invariants(part: int) -> None:
    draw = Stream(part, "orders")
    for number in range(SEQUENCES // 4):
        kind = DeviceType.ESME if number % 5 else DeviceType.HCALCS
        play = Play(kind, draw)
        for _ in range(LENGTH):
            play.step()


def test_a_saboteur_would_break_the_invariants() -> None:
    """The property can fail: a device that keeps any image breaks it."""
    draw = Stream(9, "orders")
    broken = 0
    for _ in range(40):
        play = Play(DeviceType.ESME, draw)
        wrong = apply(Esme, ["esme-accepts-damaged-image"])
        play.device.__class__ = wrong
        try:
            for _ in range(LENGTH):
                play.step()
        except AssertionError:
            broken += 1
    assert broken


# -- dump and load at any moment -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("device_type", "stop_s"),
    [
        (device_type, stop_s)
        for device_type in (DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID, DeviceType.HCALCS)
        for stop_s in (0, 1, 3, 4, 6, 20, 70, 1830)
    ],
)
def test_a_dump_at_any_moment_goes_on_the_same(device_type: DeviceType, stop_s: int) -> None:
    target = EUI64_OF[device_type]

    def play(*, reload: bool) -> list[str]:
        bench = Bench(build(DeviceType.CHF), build(device_type))
        bench.power_on()
        stage(bench, image(device_type), target)
        if device_type is not DeviceType.PPMID:
            message = cs06(target, image_hash(), at=UtcMs(bench.now + 2_000_000))
            bench.event(CHF, DeviceEvent.WAN, message)
        bench.run(stop_s)
        if reload:
            for eui64, device in list(bench.devices.items()):
                state = json.loads(json.dumps(device.dump()))
                fresh = build(device.device_type)
                fresh.load(state)
                assert fresh.dump() == device.dump()
                assert fresh.rows() == device.rows()
                bench.devices[eui64] = fresh
        bench.run(4000)
        states = [json.dumps(device.dump()) for device in bench.devices.values()]
        return [*states, *(message.hex() for message in bench.wan)]

    assert play(reload=True) == play(reload=False)


def test_a_state_of_another_device_is_refused() -> None:
    with pytest.raises(Exception, match="a state of ESME loaded into PPMID"):
        build(DeviceType.PPMID).load(powered(DeviceType.ESME).dump())
    state = powered(DeviceType.ESME).dump()
    del state["slots"]
    with pytest.raises(Exception, match="slots: missing"):
        build(DeviceType.ESME).load(state)
