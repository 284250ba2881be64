"""Devices that establish keys with each other: endpoints, frames between them, and their timers."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.key_establishment import (
    InitiateRequest,
    KeyEstablishmentCommand,
    KeySuite,
    TerminateStatus,
)
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.cbke import SoftwareEngine
from emulator.devices.key_establishment import (
    TIMERS,
    KeyEstablishment,
    KeyEstablishmentSettings,
)
from tests.emulator.crypto.cbke_kit import HUB, METER, STRANGER, credentials

SUITE = KeySuite.CBKE_163
START = UtcMs(1_700_000_000_000)
SLOW = KeyEstablishmentSettings(ephemeral_ms=4_500, confirm_ms=9_000, attempts=2)
Filter = Callable[[SendZcl], list[SendZcl]]


class Home:
    """Endpoints by address, frames between them, and the timers they asked for."""

    def __init__(self, seed: int = 1, settings: KeyEstablishmentSettings | None = None) -> None:
        self.now = START
        self.notes: list[Note] = []
        self.frames: list[SendZcl] = []
        self.timers: dict[tuple[Eui64, str], UtcMs] = {}
        self.pass_on: Filter = lambda sent: [sent]
        self.refused: dict[Eui64, TerminateStatus] = {}
        self.ends = {
            device: self.endpoint(device, seed, settings) for device in (METER, HUB, STRANGER)
        }

    def endpoint(
        self, device: Eui64, seed: int, settings: KeyEstablishmentSettings | None
    ) -> KeyEstablishment:
        engine = SoftwareEngine(credentials(SUITE, device, seed), Stream(seed, str(device)))
        numbers = count(1)
        return KeyEstablishment(
            device,
            {SUITE: engine},
            admit=self.refused.get,
            next_sequence=lambda: next(numbers) % 256,
            settings=settings,
        )

    def begin(self, device: Eui64, partner: Eui64) -> None:
        self.perform(device, self.ends[device].begin(partner, SUITE, self.now))

    def say(self, source: Eui64, target: Eui64, octets: bytes) -> list[Effect]:
        """Let ``target`` hear octets as if ``source`` had sent them."""
        indication = ZclIndication(source, target, cluster.CLUSTER, octets)
        frame = zcl_frame.decode(octets)
        effects = self.ends[target].on_frame(indication, frame, self.now)
        self.perform(target, effects)
        return effects

    def perform(self, device: Eui64, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendZcl():
                    self.frames.append(effect)
                    for sent in self.pass_on(effect):
                        self.say(device, sent.to, sent.frame)
                case SetTimer():
                    assert effect.name in TIMERS
                    self.timers[device, effect.name] = effect.at
                case CancelTimer():
                    self.timers.pop((device, effect.name), None)
                case Note():
                    self.notes.append(effect)
                case _:
                    pytest.fail(f"unexpected effect {effect}")

    def run(self, seconds: float = 600) -> None:
        """Let time pass until no timer is left, at most so long."""
        end = self.now + 1000 * seconds
        while self.timers:
            (device, name), at = min(self.timers.items(), key=lambda item: (item[1], item[0][1]))
            if at > end:
                break
            del self.timers[device, name]
            self.now = max(self.now, at)
            self.perform(device, self.ends[device].on_timer(name, self.now))

    def kinds(self) -> list[str]:
        return [note.kind.removeprefix("key_establishment_") for note in self.notes]

    def commands(self) -> list[KeyEstablishmentCommand]:
        return [cluster.decode(zcl_frame.decode(sent.frame)) for sent in self.frames]

    def agreed(self) -> bool:
        ours = self.ends[METER].link_keys.get(HUB)
        return ours is not None and ours == self.ends[HUB].link_keys.get(METER)


def field(note: Note, name: str) -> Any:
    return dict(note.fields)[name]


def offer(device: Eui64 = STRANGER) -> bytes:
    return cluster.encode(InitiateRequest(SUITE, 3, 6, credentials(SUITE, device).certificate), 9)
