"""A running GSME and its GPF, and commands to them of typed ZCL commands."""

from typing import Any

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.metering import frame_of
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.foundation import (
    AttributeValue,
    DefaultResponse,
    ReadAttributes,
    ReadAttributesResponse,
)
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.frame import encode as encode_frame
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, SendGbcs, SendWan, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto import signature
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing, decrypt_block
from emulator.devices.chf.chf import Chf
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.gsme.model.store import gas_clusters
from tests.emulator.devices.kit import (
    ACB,
    GPF,
    GSME,
    NETWORK_OPERATOR,
    START,
    SUPPLIER,
    command,
    everyone,
    key,
    opened,
    powered,
)

CATALOGUE = gas_clusters()
CODES = {row.use_case: MessageCode(row.code) for row in MESSAGES.values() if row.command}
SENDERS = {"supplier": SUPPLIER, "network-operator": NETWORK_OPERATOR, "acb": ACB}


def _top_up_key() -> KeyEntry:
    made = key(SUPPLIER, KeyUsage.KA)
    scalar = (made.private_scalar or 0) // 2 + 1
    return KeyEntry(SUPPLIER, KeyUsage.KA, True, signature.point_of(scalar), scalar)


#: The supplier's prepayment key.
TOP_UP_KEY = _top_up_key()


def supplier_ring() -> KeyRing:
    """The keys that make tokens."""
    return KeyRing(everyone().keystore.merged(KeyStore([TOP_UP_KEY])))


class Home:
    """A hub with its GPF and a gas meter, between which everything passes at once."""

    def __init__(self, **attributes: Any) -> None:
        meter, hub = powered(DeviceType.GSME), powered(DeviceType.CHF)
        assert isinstance(meter, Gsme)
        assert isinstance(hub, Chf)
        self.meter, self.hub = meter, hub
        meter.take_ring(KeyRing(meter.ring.keystore.merged(KeyStore([TOP_UP_KEY.public()]))))
        self.now, self.counter = START, 1000
        meter.clock_reliable = True
        for name, plain in attributes.items():
            meter.model.put(name, plain)
        self.perform(meter.tell_mirror(START))

    def perform(self, effects: list[Effect]) -> list[Effect]:
        """Bring what the meter sends to the hub."""
        for effect in effects:
            if isinstance(effect, SendZcl) and effect.to == GPF:
                heard = ZclIndication(GSME, GPF, effect.cluster, effect.frame)
                self.hub.handle(DeviceEvent.ZCL, heard, self.now)
        return effects

    def wait(self, milliseconds: int, *, wakes: bool = True) -> list[Effect]:
        """Let time pass; due values come into force, and the meter wakes at the end."""
        self.now = UtcMs(self.now + milliseconds)
        effects: list[Effect] = []
        for device in (self.meter, self.hub):
            if device.timers.get("model.activation", self.now) < self.now:
                effects += device.handle(DeviceEvent.TIMER, "model.activation", self.now)
        if wakes:
            effects += self.perform(self.meter.wake_up(self.now))
        return effects

    def ask(self, use_case: str, *parts: Any, to: Eui64 = GSME) -> list[Any]:
        """Send commands in one message and return what answers them, decoded and decrypted.

        A part is a (cluster, typed command) or a name or names of attributes to read.
        """
        self.counter += 1
        components = tuple(_component(number, part) for number, part in enumerate(parts))
        roles = CATALOGUE.use_cases[use_case].roles
        originator = next(eui64 for role, eui64 in SENDERS.items() if role in roles)
        sent = command(
            CODES[use_case],
            to,
            gbz.encode(GbzMessage(components)),
            counter=self.counter,
            originator=originator,
        )
        effects = self.through(sent, to)
        [answer] = [one for one in opened(effects) if one.row.use_case == use_case]
        found = []
        for each in gbz.decode(answer.envelope.payload).components:
            payload: bytes | None = each.payload
            if each.frame_counter is not None:
                payload = decrypt_block(each.payload, answer.envelope.header, everyone())
                assert payload is not None
            found.append(answer_of(each, payload or b""))
        return found

    def through(self, sent: bytes, to: Eui64) -> list[Effect]:
        """Pass a command in over the WAN and the answer back."""
        out = self.hub.handle(DeviceEvent.WAN, sent, self.now)
        if to == GPF:
            return out
        found: list[Effect] = []
        for effect in out:
            if isinstance(effect, SendGbcs):
                found += self.meter.handle(DeviceEvent.GBCS, effect.message, self.now)
        back = [e.message for e in found if isinstance(e, SendGbcs)]
        passed: list[Effect] = []
        for message in back:
            passed += self.hub.handle(DeviceEvent.GBCS, message, self.now)
        return [e for e in passed if isinstance(e, SendWan)]

    def read(self, use_case: str, *names: str, to: Eui64 = GSME) -> list[Any]:
        """Read attributes by name; None where the answer has none."""
        by_cluster: dict[int, list[str]] = {}
        for name in names:
            cluster = CATALOGUE.named[name].cluster
            assert cluster is not None
            by_cluster.setdefault(cluster, []).append(name)
        answers = self.ask(use_case, *by_cluster.values(), to=to)
        values = {
            (cluster, one.attribute): one.value
            for cluster, answer in zip(by_cluster, answers, strict=True)
            for one in answer.readings
        }
        rows = [CATALOGUE.named[name] for name in names]
        found = [values[row.cluster or 0, row.number] for row in rows]
        return [None if one is None else one.value for one in found]

    def seen(self, name: str) -> AttributeValue | None:
        """What a HAN device reads of an attribute at the GPF."""
        row = CATALOGUE.named[name]
        return self.hub.gpf.attributes(row.cluster or 0, self.now).get(row.number)


def _component(number: int, part: Any) -> GbzComponent:
    if isinstance(part, str | list):
        names = [part] if isinstance(part, str) else part
        rows = [CATALOGUE.named[name] for name in names]
        octets = ReadAttributes(tuple(row.number for row in rows)).encode()
        cluster = rows[0].cluster
        assert cluster is not None
        head = encode_frame(ZclFrame(False, False, False, number, 0, octets))
    else:
        cluster, typed = part
        head = gas.encode(cluster, typed, number, quiet=False)
    return GbzComponent(cluster, head[0], head[1], head[2], head[3:])


def answer_of(component: GbzComponent, payload: bytes) -> Any:
    frame = frame_of(
        GbzComponent(
            component.cluster,
            component.frame_control,
            component.sequence,
            component.command,
            payload,
        )
    )
    if frame.cluster_specific:
        return gas.decode(component.cluster, frame)
    if frame.command == 0x0B:
        return DefaultResponse.decode(frame.payload).status
    return ReadAttributesResponse.decode(frame.payload)
