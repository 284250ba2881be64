"""What an NCP remembers over a reset and a loss of power."""

from dataclasses import dataclass, field, fields
from typing import Any, Final

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp.identifiers import NodeType
from emulator.codecs.ezsp.structures import NetworkParameters
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.ids import Eui64
from emulator.core.values import quick

#: As numbers: flags of `enum` are slow to combine.
_FULL_FUNCTION: Final = int(Capability.FULL_FUNCTION)
_LISTENS: Final = int(Capability.RECEIVER_ON_WHEN_IDLE)
_NV = frozenset({"network", "security", "link_keys", "link_counters", "tokens", "nodes"})
_NETWORK = frozenset(
    {field.name for field in fields(NetworkParameters)}
    | {"node_type", "node_id", "parent", "parent_eui64"}
)
_SECURITY = frozenset({"bitmask", "network_key", "sequence", "tc_key", "trust_center", "counter"})
_LINK_KEY = frozenset({"index", "eui64", "key"})
_LINK_COUNTER = frozenset({"eui64", "key", "outgoing", "incoming"})
_NODE = frozenset({"eui64", "short", "capability", "authenticated", "parent"})
_TOKEN = frozenset({"token", "index", "octets"})
_NOBODY = Eui64(bytes(8))


_AWAKE = Capability.MAINS_POWER | Capability.RECEIVER_ON_WHEN_IDLE
_CAPABILITIES = {
    NodeType.COORDINATOR: Capability.FULL_FUNCTION | _AWAKE | 0x01,
    NodeType.ROUTER: Capability.FULL_FUNCTION | _AWAKE,
    NodeType.END_DEVICE: _AWAKE,
    NodeType.SLEEPY_END_DEVICE: Capability(0),
}


def capability_of(node_type: int) -> int:
    """Return the `zdo.Capability` of a `NodeType`; a coordinator's says that it can be one."""
    return int(_CAPABILITIES[NodeType(node_type)] | Capability.ALLOCATE_ADDRESS)


@dataclass(frozen=True, slots=True)
class StoredNetwork:
    """The network that ``networkInit`` resumes.

    Attributes:
        parameters: Of the network.
        node_type: The NCP's part in it.
        node_id: The NCP's short address in it.
        parent: Short address of its parent; 0xFFFF: it has none.
        parent_eui64: The parent's own address; zeros: it has none, or it is not known.
    """

    parameters: NetworkParameters
    node_type: int = NodeType.COORDINATOR
    node_id: int = 0
    parent: int = 0xFFFF
    parent_eui64: Eui64 = _NOBODY

    @property
    def is_own(self) -> bool:
        """The NCP is its coordinator."""
        return self.node_type == NodeType.COORDINATOR

    @property
    def is_end_device(self) -> bool:
        """The NCP is the child of a parent in it."""
        return self.node_type in {NodeType.END_DEVICE, NodeType.SLEEPY_END_DEVICE}


@quick
@dataclass(frozen=True, slots=True)
class StoredSecurity:
    """Keys of the stored network.

    Attributes:
        bitmask: Bits of `identifiers.CurrentSecurityBit`.
        network_key: 16 octets.
        sequence: Its number.
        tc_key: Trust centre's link key, 16 octets; of a node: the one it joined with, or the one
            it has agreed on since.
        trust_center: Its EUI-64.
        counter: Outgoing network frames.
    """

    bitmask: int
    network_key: bytes = field(repr=False)
    sequence: int
    tc_key: bytes = field(repr=False)
    trust_center: Eui64
    counter: int = 0

    def counted(self) -> "StoredSecurity":
        """Return it with one more network frame sent."""
        keys = (self.bitmask, self.network_key, self.sequence, self.tc_key, self.trust_center)
        return StoredSecurity(*keys, (self.counter + 1) & 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the NCP's network.

    Attributes:
        eui64: Its own address.
        short: Its short address.
        capability: `zdo.Capability`.
        authenticated: Something secured with the network key has come from it.
        parent: Short address of the router it has joined through; 0: the NCP itself.
    """

    eui64: Eui64
    short: int
    capability: int
    authenticated: bool = False
    parent: int = 0x0000

    @property
    def is_child(self) -> bool:
        """It is an end device."""
        return not self.capability & _FULL_FUNCTION

    @property
    def sleepy(self) -> bool:
        """Frames wait for it until it asks."""
        return not self.capability & _LISTENS


@quick
@dataclass(frozen=True, slots=True)
class LinkCounters:
    """Frames sealed under one link key.

    Attributes:
        outgoing: Of the NCP, so far.
        incoming: Counter of the partner's last; None: none came.
    """

    outgoing: int = 0
    incoming: int | None = None


@dataclass(slots=True)
class NonVolatile:
    """What survives a reset.

    Attributes:
        network: None: never formed or joined one, or left it.
        security: Of that network.
        link_keys: Row of the key table to partner and key.
        link_counters: Partner and key to its counters: a new key starts anew.
        tokens: Key and index to octets.
        nodes: Nodes of the network. On a chip only children are kept; routers in reach are
            learnt anew at once, which here is the same.
    """

    network: StoredNetwork | None = None
    security: StoredSecurity | None = None
    link_keys: dict[int, tuple[Eui64, bytes]] = field(default_factory=dict, repr=False)
    link_counters: dict[tuple[Eui64, bytes], LinkCounters] = field(default_factory=dict, repr=False)
    tokens: dict[tuple[int, int], bytes] = field(default_factory=dict)
    nodes: dict[Eui64, Node] = field(default_factory=dict)

    @property
    def is_node(self) -> bool:
        """The network is somebody else's: the NCP is a router or an end device in it."""
        return self.network is not None and not self.network.is_own

    def by_short(self, short: int) -> Node | None:
        """Return the node with that short address."""
        for node in self.nodes.values():
            if node.short == short:
                return node
        return None

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
            "link_counters": [
                {
                    "eui64": eui64.hex,
                    "key": key.hex(),
                    "outgoing": counters.outgoing,
                    "incoming": -1 if counters.incoming is None else counters.incoming,
                }
                for (eui64, key), counters in self.link_counters.items()
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
                    "parent": node.parent,
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
        counters = {
            (_eui64(row, "eui64"), _key(row, "key")): _counters(row)
            for row in dumped.rows("link_counters", _LINK_COUNTER)
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
                row.number("parent", 0, 0xFFFF),
            )
            for row in dumped.rows("nodes", _NODE)
        ]
        self.network, self.security = network, security
        self.nodes = {node.eui64: node for node in nodes}
        self.link_keys, self.link_counters, self.tokens = link_keys, counters, tokens


def _network_state(stored: StoredNetwork) -> State:
    parameters: Any = stored.parameters
    values = {field.name: getattr(parameters, field.name) for field in fields(parameters)}
    values["extended_pan_id"] = stored.parameters.extended_pan_id.hex
    return {
        **values,
        "node_type": int(stored.node_type),
        "node_id": stored.node_id,
        "parent": stored.parent,
        "parent_eui64": stored.parent_eui64.hex,
    }


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
    return StoredNetwork(
        parameters,
        part.number("node_type", NodeType.COORDINATOR, NodeType.SLEEPY_END_DEVICE),
        part.number("node_id", 0, 0xFFFF),
        part.number("parent", 0, 0xFFFF),
        _eui64(part, "parent_eui64"),
    )


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


def _counters(row: Dumped) -> LinkCounters:
    incoming = row.number("incoming", -1, 0xFFFFFFFF)
    return LinkCounters(row.number("outgoing", 0, 0xFFFFFFFF), None if incoming < 0 else incoming)


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
