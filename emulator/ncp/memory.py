"""What an NCP remembers: what survives a reset, and what does not."""

from dataclasses import dataclass, field, fields
from typing import Any

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp.identifiers import Counter, NodeType
from emulator.codecs.ezsp.structures import (
    BindingEntry,
    InitialSecurityState,
    MulticastEntry,
    NetworkParameters,
)
from emulator.codecs.ezsp.values import Endpoint
from emulator.codecs.ezsp.values_network import Concentrator
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.ids import Eui64
from emulator.ncp.settings import CONFIGURATION, POLICIES, VALUES

_NV = frozenset({"network", "security", "link_keys", "tokens", "nodes"})
_NETWORK = frozenset({field.name for field in fields(NetworkParameters)} | {"node_type", "node_id"})
_SECURITY = frozenset({"bitmask", "network_key", "sequence", "tc_key", "trust_center", "counter"})
_LINK_KEY = frozenset({"index", "eui64", "key"})
_NODE = frozenset({"eui64", "short", "capability", "authenticated"})
_TOKEN = frozenset({"token", "index", "octets"})


@dataclass(frozen=True, slots=True)
class StoredNetwork:
    """The network that ``networkInit`` resumes.

    Attributes:
        parameters: Of the network.
        node_type: The NCP's part in it.
        node_id: The NCP's short address in it.
    """

    parameters: NetworkParameters
    node_type: int = NodeType.COORDINATOR
    node_id: int = 0


@dataclass(frozen=True, slots=True)
class StoredSecurity:
    """Keys of the stored network.

    Attributes:
        bitmask: Bits of `identifiers.CurrentSecurityBit`.
        network_key: 16 octets.
        sequence: Its number.
        tc_key: Trust centre's link key, 16 octets.
        trust_center: Its EUI-64.
        counter: Outgoing network frames.
    """

    bitmask: int
    network_key: bytes
    sequence: int
    tc_key: bytes
    trust_center: Eui64
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the NCP's network.

    Attributes:
        eui64: Its own address.
        short: Its short address.
        capability: `zdo.Capability`.
        authenticated: Something secured with the network key has come from it.
    """

    eui64: Eui64
    short: int
    capability: int
    authenticated: bool = False

    @property
    def is_child(self) -> bool:
        """It is an end device."""
        return not self.capability & Capability.FULL_FUNCTION

    @property
    def sleepy(self) -> bool:
        """Frames wait for it until it asks."""
        return not self.capability & Capability.RECEIVER_ON_WHEN_IDLE


@dataclass(slots=True)
class NonVolatile:
    """What survives a reset.

    Attributes:
        network: None: never formed or joined one, or left it.
        security: Of that network.
        link_keys: Row of the key table to partner and key.
        tokens: Key and index to octets.
        nodes: Nodes of the network. On a chip only children are kept; routers in reach are
            learnt anew at once, which here is the same.
    """

    network: StoredNetwork | None = None
    security: StoredSecurity | None = None
    link_keys: dict[int, tuple[Eui64, bytes]] = field(default_factory=dict)
    tokens: dict[tuple[int, int], bytes] = field(default_factory=dict)
    nodes: dict[Eui64, Node] = field(default_factory=dict)

    def by_short(self, short: int) -> Node | None:
        """Return the node with that short address."""
        return next((node for node in self.nodes.values() if node.short == short), None)

    def children(self) -> list[Node]:
        """Return the end devices, in the order they joined."""
        return [node for node in self.nodes.values() if node.is_child]

    def dump(self) -> State:
        """Return everything as JSON-able data; keys stand in it in the clear."""
        return {
            "network": None if self.network is None else _network_state(self.network),
            "security": None if self.security is None else _security_state(self.security),
            "link_keys": [
                {"index": index, "eui64": eui64.hex, "key": key.hex()}
                for index, (eui64, key) in sorted(self.link_keys.items())
            ],
            "tokens": [
                {"token": token, "index": index, "octets": octets.hex()}
                for (token, index), octets in sorted(self.tokens.items())
            ],
            "nodes": [
                {
                    "eui64": node.eui64.hex,
                    "short": node.short,
                    "capability": int(node.capability),
                    "authenticated": node.authenticated,
                }
                for node in self.nodes.values()
            ],
        }

    def load(self, state: Json, path: str = "nv") -> None:
        """Take over a ``dump``.

        Raises:
            DumpedStateError: A value is missing or mistyped; nothing is taken.
        """
        dumped = Dumped(state, path, _NV)
        network = None if dumped.raw("network") is None else _network(dumped)
        security = None if dumped.raw("security") is None else _security(dumped)
        link_keys = {
            row.number("index"): (_eui64(row, "eui64"), _key(row, "key"))
            for row in dumped.rows("link_keys", _LINK_KEY)
        }
        tokens = {
            (row.number("token"), row.number("index")): row.octets("octets")
            for row in dumped.rows("tokens", _TOKEN)
        }
        nodes = [
            Node(
                _eui64(row, "eui64"),
                row.number("short", 0, 0xFFFF),
                row.number("capability", 0, 0xFF),
                row.flag("authenticated"),
            )
            for row in dumped.rows("nodes", _NODE)
        ]
        self.network, self.security = network, security
        self.nodes = {node.eui64: node for node in nodes}
        self.link_keys, self.tokens = link_keys, tokens


def _network_state(stored: StoredNetwork) -> State:
    parameters: Any = stored.parameters
    values = {field.name: getattr(parameters, field.name) for field in fields(parameters)}
    values["extended_pan_id"] = stored.parameters.extended_pan_id.hex
    return {**values, "node_type": int(stored.node_type), "node_id": stored.node_id}


def _security_state(stored: StoredSecurity) -> State:
    return {
        "bitmask": int(stored.bitmask),
        "network_key": stored.network_key.hex(),
        "sequence": stored.sequence,
        "tc_key": stored.tc_key.hex(),
        "trust_center": stored.trust_center.hex,
        "counter": stored.counter,
    }


def _network(dumped: Dumped) -> StoredNetwork:
    part = dumped.part("network", _NETWORK)
    numbers = {
        field.name: part.number(field.name)
        for field in fields(NetworkParameters)
        if field.name != "extended_pan_id"
    }
    parameters = NetworkParameters(extended_pan_id=_eui64(part, "extended_pan_id"), **numbers)
    return StoredNetwork(parameters, part.number("node_type"), part.number("node_id"))


def _security(dumped: Dumped) -> StoredSecurity:
    part = dumped.part("security", _SECURITY)
    return StoredSecurity(
        part.number("bitmask"),
        _key(part, "network_key"),
        part.number("sequence", 0, 0xFF),
        _key(part, "tc_key"),
        _eui64(part, "trust_center"),
        part.number("counter", 0, 0xFFFFFFFF),
    )


def _eui64(row: Dumped, name: str) -> Eui64:
    octets = row.octets(name, 8)
    if len(octets) != 8:
        row.refuse(name, "an EUI-64 has 8 octets")
    return Eui64(octets)


def _key(row: Dumped, name: str) -> bytes:
    octets = row.octets(name, 16)
    if len(octets) != 16:
        row.refuse(name, "a key has 16 octets")
    return octets


@dataclass(slots=True)
class Volatile:
    """What a reset forgets: everything the host has to say again.

    Attributes:
        version_set: The host has named our version; before that nothing else is answered.
        joined: On the stored network.
        configuration: Number to value.
        policies: Number to decision.
        values: Number to octets.
        endpoints: Number to description.
        security: For the next network.
        transient_keys: Node to key and when it is forgotten, in milliseconds.
        bindings: Row to entry.
        spoke_from: Endpoints and profiles the host has sent from.
        permit: Nodes may join.
        concentrator: As the host has set it.
        route_told: Nodes whose way has been told since the last route request.
        multicast: Row to entry.
        addresses: Row to EUI-64, short address and extended time-out.
        extended_timeouts: Nodes whose acknowledgements are waited for longer.
        counters: In the order of `identifiers.Counter`.
        manufacturer_code: For the node descriptor.
        scanning: A scan runs.
    """

    version_set: bool = False
    joined: bool = False
    configuration: dict[int, int] = field(
        default_factory=lambda: {int(key): known.default for key, known in CONFIGURATION.items()}
    )
    policies: dict[int, int] = field(
        default_factory=lambda: {int(key): decision for key, decision in POLICIES.items()}
    )
    values: dict[int, bytes] = field(
        default_factory=lambda: {int(key): octets for key, octets in VALUES.items()}
    )
    endpoints: dict[int, Endpoint] = field(default_factory=dict)
    security: InitialSecurityState | None = None
    transient_keys: dict[Eui64, tuple[bytes, int]] = field(default_factory=dict)
    bindings: dict[int, BindingEntry] = field(default_factory=dict)
    spoke_from: set[tuple[int, int]] = field(default_factory=set)
    permit: bool = False
    concentrator: Concentrator | None = None
    route_told: set[int] = field(default_factory=set)
    multicast: dict[int, MulticastEntry] = field(default_factory=dict)
    addresses: dict[int, tuple[Eui64, int, bool]] = field(default_factory=dict)
    extended_timeouts: set[Eui64] = field(default_factory=set)
    counters: list[int] = field(default_factory=lambda: [0] * len(Counter))
    manufacturer_code: int = 0
    scanning: bool = False
