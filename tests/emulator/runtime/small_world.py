"""A small installation of scripted devices, for tests of the world below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    DeviceEvent,
    Effect,
    Note,
    Payload,
    Radio,
    SendGbcs,
    SendWan,
    SetTimer,
)
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.core.ids import Eui64
from emulator.han.address_book import AddressBook, Place
from emulator.han.node import RadioNode
from emulator.han.tunnel_client import TunnelClient
from emulator.han.tunnel_line import Line
from emulator.han.tunnel_server import TunnelServer
from emulator.runtime.box import Box
from emulator.runtime.world import World

START = UtcMs(1_767_603_600_000)  # 2026-01-05T09:00Z
CHF = Eui64(bytes.fromhex("00db0000000000c1"))
GPF = Eui64(bytes.fromhex("00db0000000000c2"))
ESME = Eui64(bytes.fromhex("00db0000000000e1"))
GSME = Eui64(bytes.fromhex("00db0000000000a1"))
SECOND_US = 1_000_000


class ScriptedHub:
    """Passes messages on: the first eight octets of one from the WAN name the device."""

    def __init__(self) -> None:
        self.eui64 = CHF
        self.heard: list[str] = []

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        if event is DeviceEvent.WAN and isinstance(payload, bytes):
            return [SendGbcs(payload, Eui64(payload[:8]))]
        if event is DeviceEvent.GBCS and isinstance(payload, bytes):
            self.heard.append(payload.hex())
            return [SendWan(payload), Note("passed", (("at", now),))]
        return [Note("event", (("event", event.value),))]

    def dump(self) -> dict[str, Any]:
        return {"heard": list(self.heard)}

    def load(self, state: Any) -> None:
        self.heard = list(state["heard"])

    def rows(self) -> dict[str, str]:
        return {"heard": str(len(self.heard))}


class ScriptedMeter:
    """Answers each message with its own octets reversed; may sleep; may speak by itself."""

    def __init__(self, eui64: Eui64, *, wake_s: int = 0, window_s: int = 0, chatty_s: int = 0):
        self.eui64 = eui64
        self.wake_s, self.window_s, self.chatty_s = wake_s, window_s, chatty_s
        self.heard: list[str] = []
        self.heard_at: list[int] = []
        self.battery_days = 1000

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        if event is DeviceEvent.POWER_ON:
            effects: list[Effect] = [self._wake(now)] if self.wake_s else []
            return effects + ([self._speak_at(now)] if self.chatty_s else [])
        if event is DeviceEvent.GBCS and isinstance(payload, bytes):
            self.heard.append(payload.hex())
            self.heard_at.append(now)
            return [SendGbcs(payload[::-1], CHF)]
        if event is DeviceEvent.TIMER:
            return self._timer(str(payload), now)
        return []

    def _timer(self, name: str, now: UtcMs) -> list[Effect]:
        if name == "wake":
            asleep = SetTimer("sleep", UtcMs(now + self.window_s * 1000))
            return [Radio(awake=True), asleep, self._wake(now)]
        if name == "sleep":
            return [Radio(awake=False)]
        own = self.eui64.octets + now.to_bytes(8, "big") * 20
        return [SendGbcs(own, CHF), self._speak_at(now)]

    def _wake(self, now: UtcMs) -> Effect:
        return SetTimer("wake", UtcMs(now + self.wake_s * 1000))

    def _speak_at(self, now: UtcMs) -> Effect:
        return SetTimer("speak", UtcMs(now + self.chatty_s * 1000))

    def dump(self) -> dict[str, Any]:
        return {
            "heard": list(self.heard),
            "heard_at": list(self.heard_at),
            "battery_days": self.battery_days,
        }

    def load(self, state: Any) -> None:
        self.heard = list(state["heard"])
        self.heard_at = list(state["heard_at"])
        self.battery_days = state["battery_days"]

    def rows(self) -> dict[str, str]:
        return {"heard": str(len(self.heard))}


@dataclass(frozen=True)
class Shape:
    """Sizes and times of a small world."""

    max_apdu_bytes: int = 61
    limit_bytes: int = 1200
    chatty_s: int = 0
    wake_s: int = 300
    window_s: int = 20


USUAL = Shape()


def small_world(shape: Shape = USUAL, *, faults: Sequence[str] = (), seed: int = 1) -> World:
    """A hub, an ESME and a sleepy GSME, started and not moved."""
    chance = Chance(seed)
    schedule = FaultSchedule([parse(text) for text in faults], chance)
    book = AddressBook(
        0x1A2B,
        [Place(CHF, 0, 10), Place(GPF, 0, 11), Place(ESME, 0x2001, 3), Place(GSME, 0x2002, 4)],
    )
    lines = [Line(ESME, False, shape.limit_bytes), Line(GSME, True, shape.limit_bytes)]
    hub = Box("chf", (CHF, GPF), ScriptedHub(), node(book, 0, shape), TunnelServer(lines))
    esme = Box(
        "esme",
        (ESME,),
        ScriptedMeter(ESME, chatty_s=shape.chatty_s),
        node(book, 0x2001, shape),
        TunnelClient(CHF, polls=False, sleepy=False, max_message_bytes=shape.limit_bytes),
    )
    gsme = Box(
        "gsme",
        (GSME,),
        ScriptedMeter(GSME, wake_s=shape.wake_s, window_s=shape.window_s),
        node(book, 0x2002, shape),
        TunnelClient(CHF, polls=True, sleepy=True, max_message_bytes=shape.limit_bytes),
        sleepy=True,
    )
    world = World([hub, esme, gsme], schedule, chance, START)
    world.start()
    return world


def node(book: AddressBook, short: int, shape: Shape) -> RadioNode:
    return RadioNode(short, book, shape.max_apdu_bytes)


def message_for(device: Eui64, size: int, mark: int = 0) -> bytes:
    """A message of ``size`` octets for a device, different for every mark."""
    body = (mark.to_bytes(4, "big") + bytes(range(256))) * (size // 256 + 1)
    return (device.octets + body)[:size]


def meter(world: World, eui64: Eui64) -> ScriptedMeter:
    device = world.box(eui64).device
    assert isinstance(device, ScriptedMeter)
    return device
