"""One emulated device that answers GBCS messages by itself, without a home around it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.zcl import foundation, time
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    AttributeValue,
    ReadAttributesResponse,
    ZclType,
)
from emulator.codecs.zcl.time import TimeAttribute
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import (
    DeviceEvent,
    Effect,
    Note,
    SendGbcs,
    SendWan,
    SendZcl,
    ZclIndication,
)
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki
from emulator.crypto.protection import KeyRing
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.network import Network
from emulator.devices.registry import CLASSES

#: Word that begins every state file of this kind.
STATE_FORMAT: Final = "smetsbench answering device 1"
#: Longest run of timers while time passes; a device that sets one for now again and again stops.
_MOST_TIMERS: Final = 100_000
#: Bits of a time status: synchronised. Source: Zigbee Cluster Library, Time cluster [known].
_SYNCHRONISED: Final = 0x02


@dataclass(frozen=True, slots=True)
class Standing:
    """What is emulated, and whom it knows.

    Attributes:
        profile: Its model.
        role: What it is; a GPF has its hub's model.
        eui64: Its identifier.
        parties: Role -> remote party that it knows in that role.
        neighbours: Devices of its hub's log, for a CHF or GPF.
        seed: Seed of the keys that the key store does not hold.
        start: First moment.
    """

    profile: DeviceProfile
    role: DeviceType
    eui64: Eui64
    parties: Mapping[RemoteParty, Eui64]
    neighbours: Mapping[Eui64, DeviceType]
    seed: int
    start: UtcMs


@dataclass(frozen=True, slots=True)
class Reaction:
    """Something a device did.

    Attributes:
        kind: ``response``, ``alert``, ``forwarded`` (a hub passes a message on) or ``refused``.
        at: When, by the bench's time.
        message: The message sent; empty for a refusal.
        reason: Why a message was refused, in a word.
        detail: The same in a sentence.
    """

    kind: str
    at: UtcMs
    message: bytes = field(default=b"", repr=False)
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an answering device.

    Attributes:
        store: Everything it may use.
        missing: What the given key store does not hold, a sentence each.
    """

    store: KeyStore = field(repr=False)
    missing: tuple[str, ...]


def keys_for(given: KeyStore, standing: Standing) -> Keys:
    """Return a key store with which the device can check and answer, and say what was made up.

    A device without its private key-agreement key still agrees on secrets where the key store
    holds the other side's; one without its private signing key signs with a key made for it.
    """
    pki = TestPki.new(Chance(standing.seed).stream("pki").octets, standing.start)
    made: list[KeyEntry] = []
    missing: list[str] = []
    eui64 = standing.eui64
    signing = given.find(eui64, KeyUsage.DS)
    if signing is None or signing.private_scalar is None:
        made.append(pki.device_entry(eui64, KeyUsage.DS))
        missing.append(
            f"no private signing key of {eui64}: it signs with one made for it (seed "
            f"{standing.seed}); its signatures do not verify under a certificate of the key store"
        )
    agreeing = given.find(eui64, KeyUsage.KA)
    if agreeing is None:
        made.append(pki.device_entry(eui64, KeyUsage.KA))
        missing.append(
            f"no key-agreement key of {eui64} at all: one was made, so commands made for the "
            "device's real key are refused"
        )
    elif agreeing.private_scalar is None:
        missing.append(
            f"no private key-agreement key of {eui64}: MACs and encryption work with parties whose "
            "private key the key store holds, and with no others"
        )
    return Keys(given.merged(KeyStore(made)), tuple(missing))


def emulated_roles() -> tuple[DeviceType, ...]:
    """Return the device types that can answer."""
    return (*CLASSES, DeviceType.GPF)


class AnsweringDevice:
    """A device that is on and has the time; messages go in, and what it does comes out.

    Attributes:
        standing: What it is.
        now: The present moment; moves when it is told to.
    """

    def __init__(self, standing: Standing, keys: KeyStore) -> None:
        """Build the device and switch it on."""
        self.standing = standing
        self.now = standing.start
        self._device = _built(standing, keys)
        self._perform(self._device.handle(DeviceEvent.POWER_ON, None, self.now))

    @property
    def _link(self) -> DeviceEvent:
        return DeviceEvent.WAN if isinstance(self._device, Chf) else DeviceEvent.GBCS

    def answer(self, message: bytes) -> list[Reaction]:
        """Hand the device a message and return what it does at once."""
        return self._perform(self._device.handle(self._link, message, self.now))

    def pass_time(self, until: UtcMs) -> list[Reaction]:
        """Let time pass; what the device does of itself meanwhile is returned.

        Raises:
            IllegalEventError: It never comes to rest.
        """
        reactions: list[Reaction] = []
        for _ in range(_MOST_TIMERS):
            due = [(at, name) for name, at in self._device.timers.items() if at <= until]
            if not due:
                self.now = max(self.now, until)
                return reactions
            at, name = min(due)
            self.now = max(self.now, at)
            reactions += self._perform(self._device.handle(DeviceEvent.TIMER, name, self.now))
        raise IllegalEventError(f"{self.standing.role} does not come to rest before {until}")

    def _perform(self, effects: Iterable[Effect]) -> list[Reaction]:
        """Return what effects come to; the time it asks its hub for is told at once."""
        reactions: list[Reaction] = []
        for effect in effects:
            if isinstance(effect, SendGbcs | SendWan):
                reactions.append(self._sent(effect.message))
            elif isinstance(effect, SendZcl):
                reactions += self._tell_time(effect)
            elif isinstance(effect, Note) and effect.kind == "message_refused":
                said = dict(effect.fields)
                reason, detail = str(said.get("reason", "")), str(said.get("detail", ""))
                reactions.append(Reaction("refused", self.now, b"", reason, detail))
        return reactions

    def _sent(self, message: bytes) -> Reaction:
        header = envelope.decode(message).header
        kind = "response" if header.cra is Cra.RESPONSE else "alert"
        return Reaction("forwarded" if header.cra is Cra.COMMAND else kind, self.now, message)

    def _tell_time(self, sent: SendZcl) -> list[Reaction]:
        network = self._device.network
        if sent.cluster != time.CLUSTER or sent.to != network.chf:
            return []
        asked = zcl_frame.decode(sent.frame)
        seconds = AttributeValue(ZclType.UTC_TIME, to_zigbee_seconds(self.now))
        status = AttributeValue(ZclType.BITMAP8, _SYNCHRONISED)
        told = ReadAttributesResponse(
            (
                AttributeReading(TimeAttribute.TIME, 0, seconds),
                AttributeReading(TimeAttribute.TIME_STATUS, 0, status),
            )
        )
        frame = foundation.encode(told, asked.sequence, server_to_client=True)
        heard = ZclIndication(network.chf, self.standing.eui64, time.CLUSTER, frame)
        return self._perform(self._device.handle(DeviceEvent.ZCL, heard, self.now))

    def dump(self) -> dict[str, Any]:
        """Return its state as JSON values."""
        return {
            "format": STATE_FORMAT,
            "profile": self.standing.profile.name,
            "role": self.standing.role.value,
            "eui64": self.standing.eui64.hex,
            "seed": self.standing.seed,
            "now": int(self.now),
            "device": self._device.dump(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: It is of another format, profile, role or device.
        """
        mine = self.dump()
        for key in ("format", "profile", "role", "eui64", "seed"):
            if state.get(key) != mine[key]:
                raise IllegalEventError(
                    f"{key} of the state is {json.dumps(state.get(key))}, not {mine[key]!r}"
                )
        now, device = state.get("now"), state.get("device")
        if not isinstance(now, int) or not isinstance(device, dict):
            raise IllegalEventError("the state has no moment or no device")
        self._device.load(device)
        self.now = UtcMs(now)

    def rows(self) -> dict[str, str]:
        """Return its state for a reader: name -> value."""
        return self._device.rows()


def _built(standing: Standing, keys: KeyStore) -> Device:
    eui64, parties = standing.eui64, standing.parties
    in_hub = standing.role in {DeviceType.CHF, DeviceType.GPF}
    other = Eui64(eui64.octets[:-1] + bytes([eui64.octets[-1] ^ 0x80]))
    chf = eui64 if standing.role is DeviceType.CHF else other
    gpf = eui64 if standing.role is DeviceType.GPF else other
    for neighbour, kind in standing.neighbours.items():
        chf = neighbour if kind is DeviceType.CHF and not in_hub else chf
    network = _network(standing, chf, gpf, parties)
    role = DeviceType.CHF if in_hub else standing.role
    device = CLASSES[role](chf if in_hub else eui64, standing.profile, KeyRing(keys), network)
    if isinstance(device, Chf):
        device.commission(
            {
                neighbour: kind
                for neighbour, kind in standing.neighbours.items()
                if kind not in {DeviceType.CHF, DeviceType.GPF}
            }
        )
    return device


def _network(
    standing: Standing, chf: Eui64, gpf: Eui64, parties: Mapping[RemoteParty, Eui64]
) -> Network:
    everyone = (standing.eui64, chf, gpf, *standing.neighbours)
    acb = parties[RemoteParty.ACCESS_CONTROL_BROKER]

    def of(role: RemoteParty) -> dict[Eui64, Eui64]:
        party = parties.get(role)
        return {} if party is None else dict.fromkeys(everyone, party)

    made = Network(
        chf=chf,
        gpf=gpf,
        acb=acb,
        wan_provider=parties.get(RemoteParty.WAN_PROVIDER, acb),
        suppliers=of(RemoteParty.SUPPLIER),
        network_operators=of(RemoteParty.NETWORK_OPERATOR),
    )
    return replace(
        made,
        load_controllers=of(RemoteParty.LOAD_CONTROLLER),
        transitional_cos=parties.get(RemoteParty.TRANSITIONAL_COS),
        recovery=parties.get(RemoteParty.RECOVERY),
    )
