"""A device with keys, parties and certificates of its own PKI, all drawn from a seed."""

import json
from collections.abc import Iterable
from typing import Any, Final

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.asn1_parts import time_node
from emulator.codecs.gbcs.credentials import Cell
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.chance import Stream
from emulator.core.effects import DeviceEvent, Effect
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki as Pki
from emulator.crypto.protection import KeyRing, seal
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.credentials.places import MODES, PLACES, USAGES
from emulator.devices.network import Network
from emulator.devices.registry import CLASSES
from tests.emulator.devices.kit import START, messages, notes, profile_of

R, C = RemoteParty, MessageCode
ROLES: Final = (
    R.RECOVERY, R.SUPPLIER, R.NETWORK_OPERATOR, R.ACCESS_CONTROL_BROKER, R.TRANSITIONAL_COS,
    R.WAN_PROVIDER, R.LOAD_CONTROLLER,
)  # fmt: skip
#: Types of device with shared use cases.
TYPES: Final = (
    DeviceType.ESME, DeviceType.GSME, DeviceType.GPF, DeviceType.CHF, DeviceType.PPMID,
    DeviceType.HCALCS,
)  # fmt: skip


class Home:
    """One device, everybody it knows, and what they send it.

    Attributes:
        device: The device.
        parties: Role -> who is in it.
        keys: Everybody's keys, private ones too.
        now: The moment.
        given: Messages that the device was given.
    """

    def __init__(self, device_type: DeviceType, seed: int = 1) -> None:
        self.chance = Stream(seed, f"home/{device_type}")
        self.pki = Pki.new(self.chance.octets, START)
        self.device_type = device_type
        self.eui64, self.hub, self.gpf = [self._eui64() for _ in range(3)]
        if device_type is DeviceType.CHF:
            self.hub = self.eui64
        if device_type is DeviceType.GPF:
            self.gpf = self.eui64
        self.parties: dict[int, Eui64] = {role: self._eui64() for role in ROLES}
        self.keys = KeyStore()
        for eui64 in {self.eui64, self.hub, self.gpf}:
            self._hold(self.pki.device_entries(eui64))
        for role, party in self.parties.items():
            self._hold(self.certified(role, party))
        self.counters: dict[Eui64, int] = {}
        self.given: list[bytes] = []
        self.now = START
        self.first_network = self._network()
        self.first_keys = self.keys
        self.made = self._build()
        self.start()

    def _eui64(self) -> Eui64:
        return Eui64(self.chance.octets(8))

    def _hold(self, entries: Iterable[KeyEntry]) -> None:
        self.keys = self.keys.merged(KeyStore(entries))

    def certified(self, role: int, party: Eui64, signed_for: int | None = None) -> list[KeyEntry]:
        """Keys and certificates for all places of a role."""
        cells = {cell for places in PLACES.values() for cell in places if cell.role == role}
        return [
            self.pki.organisation_entry(
                party,
                role if signed_for is None else signed_for,
                USAGES[cell.usage],
                prepayment=cell.is_prepayment,
            )
            for cell in sorted(cells, key=lambda cell: (cell.usage.hex(), cell.is_prepayment))
        ]

    def _network(self) -> Network:
        who, p = self.eui64, self.parties
        return Network(
            self.hub, self.gpf, p[R.ACCESS_CONTROL_BROKER], p[R.WAN_PROVIDER],
            suppliers={who: p[R.SUPPLIER]}, network_operators={who: p[R.NETWORK_OPERATOR]},
            load_controllers={who: p[R.LOAD_CONTROLLER]},
            transitional_cos=p[R.TRANSITIONAL_COS], recovery=p[R.RECOVERY],
        )  # fmt: skip

    def _build(self) -> Device:
        own = [e for e in self.first_keys.entries() if e.eui64 in {self.eui64, self.hub, self.gpf}]
        ring = KeyRing(self.first_keys.public().merged(KeyStore(own)))
        kind = self.device_type
        profile = profile_of(DeviceType.CHF if kind is DeviceType.GPF else kind)
        if kind in {DeviceType.CHF, DeviceType.GPF}:
            return Chf(self.hub, profile, ring, self.first_network)
        return CLASSES[kind](self.eui64, profile, ring, self.first_network)

    def start(self) -> None:
        """Switch the device on."""
        self.made.handle(DeviceEvent.POWER_ON, None, self.now)
        if self.device.trust.root is None:
            self.device.trust.root = self.pki.root.certificate
            self.device.clock_reliable = True

    @property
    def device(self) -> Device:
        """The device: of a hub's box its GPF, where that is asked for."""
        if self.device_type is DeviceType.GPF and isinstance(self.made, Chf):
            return self.made.gpf
        return self.made

    def power_cycle(self) -> None:
        """Take the power away and give it back, the memory written to a file meanwhile."""
        self.made.handle(DeviceEvent.POWER_OFF, None, self.now)
        state = json.loads(json.dumps(self.made.dump()))
        self.made = self._build()
        self.made.load(state)
        self.made.handle(DeviceEvent.POWER_ON, None, self.now)
        self.device.clock_reliable = True

    # -- messages ----------------------------------------------------------------------------------

    def counter(self, party: Eui64) -> int:
        """The party's next counter."""
        self.counters[party] = self.counters.get(party, 1000) + 1
        return self.counters[party]

    def sealed(
        self,
        code: MessageCode,
        payload: Node | bytes,
        party: Eui64,
        counter: int | None = None,
    ) -> bytes:
        """A command with every protection its code demands."""
        number = self.counter(party) if counter is None else counter
        header = GroupingHeader(Cra.COMMAND, number, party, self.eui64, OtherInformation(int(code)))
        octets = payload if isinstance(payload, bytes) else der.encode(payload)
        sets = MESSAGES[int(code)].command
        agrees = self.keys.find(party, KeyUsage.KA) is not None
        protection = sets[0] if agrees else sets[-1]
        acb = self.device.network.acb
        return seal(Envelope(header, octets), KeyRing(self.keys), protection=protection, acb=acb)

    def give(self, message: bytes) -> list[Effect]:
        """Hand a message to the device; to a GPF through its hub, from the WAN."""
        event = DeviceEvent.WAN if isinstance(self.made, Chf) else DeviceEvent.GBCS
        self.given.append(message)
        return self.made.handle(event, message, self.now)

    def replay(self, place: int) -> None:
        """Give a message again; it must be refused, and change nothing that is remembered."""
        before = self.device.dump()
        effects = self.give(self.given[place % len(self.given)])
        assert notes(effects, "message_refused")
        assert not messages(effects)
        assert self.device.dump() == before

    def ask(self, code: MessageCode, payload: Node | bytes, role: int) -> Node:
        """Send a command in a role and return the payload of the response."""
        effects = self.give(self.sealed(code, payload, self.parties[role]))
        sent = messages(effects)
        assert sent, notes(effects, "message_refused")
        return der.decode(envelope.decode(sent[0]).payload)

    def refusal(self, code: MessageCode, payload: Node | bytes, party: Eui64) -> str:
        """Send a command and return why it was refused."""
        effects = self.give(self.sealed(code, payload, party))
        [refused] = notes(effects, "message_refused")
        return str(refused["reason"])

    def replacement(
        self,
        code: MessageCode,
        rows: Iterable[tuple[KeyEntry, Cell]],
        **told: Any,
    ) -> tuple[Node, int]:
        """A command that replaces credentials, and the counter it must be sent with."""
        mode = MODES[code]
        authoriser = R(mode.authoriser or 0)
        counter = self.counter(self.parties[authoriser])
        issuer = told.get("issuer", self.pki.issuing.certificate)
        marked = [Node(0x81, b"\1")] if told.get("timeless") else []
        if authoriser is not R.ACCESS_CONTROL_BROKER:
            marked.append(Node(0xA2, Cell(authoriser, wire.DIGITAL_SIGNATURE).nodes))
        marked.append(Node(0x83, der.integer(counter).content))
        floors = [
            der.sequence(der.integer(role), der.integer(floor))
            for role, floor in told.get("floors", {}).items()
        ]
        if floors:
            marked.append(Node(0xA6, tuple(floors)))
        listed = [
            der.sequence(der.decode(entry.certificate or b""), der.sequence(*cell.nodes))
            for entry, cell in rows
        ]
        parts = [
            der.sequence(der.integer(mode.number), *marked),
            der.sequence(*listed),
            der.sequence(der.decode(issuer)),
        ]
        if told.get("at") is not None:
            parts.append(time_node(told["at"]))
        return der.sequence(*parts), counter

    def replace(self, code: MessageCode, rows: Any, **told: Any) -> list[Effect]:
        """Send a replacement in the role its code asks for."""
        node, counter = self.replacement(code, rows, **told)
        party = self.parties[MODES[code].authoriser or 0]
        return self.give(self.sealed(code, node, party, counter))

    def rows_for(self, role: int, party: Eui64) -> list[tuple[KeyEntry, Cell]]:
        """New keys of a party for all places that the device has of a role."""
        entries = {(e.usage, e.prepayment): e for e in self.certified(role, party)}
        cells = [cell for cell in PLACES[self.device_type] if cell.role == role]
        return [(entries[USAGES[cell.usage], cell.is_prepayment], cell) for cell in cells]

    def moved_to(self, role: int, party: Eui64, rows: list[tuple[KeyEntry, Cell]]) -> None:
        """Let everybody know that a party has a role with new keys."""
        self._hold([entry for entry, _ in rows])
        self.parties[role] = party

    def shown(self, role: int, by: int) -> Node:
        """What the device says of a role to whoever is in another."""
        asking = Cell(by, wire.DIGITAL_SIGNATURE)
        payload = der.sequence(der.sequence(*asking.nodes), der.sequence(der.integer(role)))
        [answer] = rows(self.ask(C.CS02F, payload, by))
        return answer


def rows(node: Node) -> tuple[Node, ...]:
    """The parts of a SEQUENCE."""
    assert isinstance(node.content, tuple)
    return node.content


def octets_of(node: Node) -> bytes:
    """The octets of a primitive value."""
    assert isinstance(node.content, bytes)
    return node.content


def statuses(response: Node) -> list[int]:
    """Status of every place of an immediate replacement's response."""
    return [octets_of(rows(row)[1])[0] for row in rows(rows(rows(response)[1])[3])]


def answered(effects: list[Effect]) -> Node:
    """The payload of the first message sent."""
    sent = messages(effects)
    assert sent, notes(effects, "message_refused")
    return der.decode(envelope.decode(sent[0]).payload)
