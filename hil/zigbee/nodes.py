"""Who is on the hub's network: addresses, sleep, and with whom a link key was established."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.codecs.zcl import key_establishment
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from hil.zigbee.messages import Incoming

#: Clusters that may always come and go unsealed. Source: contract of issue 6 (Smart Energy 5.4.6).
BASIC, TIME = 0x0000, 0x000A
_NEVER_SEALED: Final = frozenset({key_establishment.CLUSTER})
_IN_KIND: Final = frozenset({BASIC, TIME})
#: Device objects: device announce. Source: known.
DEVICE_ANNOUNCE: Final = 0x0013
_ANNOUNCE_OCTETS: Final = 12
_RECEIVER_ON: Final = 0x08


@dataclass(slots=True)
class HubNode:
    """One node.

    Attributes:
        eui64: Who.
        short: Its short address.
        joined: Whether it was heard on the network.
        sleepy: Whether its receiver is off when idle.
        sealed: Whether a link key was established with it.
    """

    eui64: Eui64
    short: int
    joined: bool = False
    sleepy: bool = False
    sealed: bool = False


class NodeBook:
    """The nodes of one network."""

    def __init__(self) -> None:
        self._nodes: dict[Eui64, HubNode] = {}
        self._shorts: dict[int, HubNode] = {}
        self._asked_sealed: dict[tuple[Eui64, int], bool] = {}

    def __iter__(self) -> Iterator[HubNode]:
        return iter(tuple(self._nodes.values()))

    def find(self, eui64: Eui64) -> HubNode | None:
        """Return the node with this address."""
        return self._nodes.get(eui64)

    def at(self, short: int) -> HubNode | None:
        """Return the node with this short address."""
        return self._shorts.get(short)

    def put(self, eui64: Eui64, short: int) -> HubNode:
        """Return the node, made where it is new, at this short address."""
        node = self._nodes.get(eui64)
        if node is None:
            node = self._nodes[eui64] = HubNode(eui64, short)
        elif node.short != short:
            if self._shorts.get(node.short) is node:
                del self._shorts[node.short]
            node.short = short
        self._shorts[short] = node
        return node

    def drop(self, eui64: Eui64) -> None:
        """Forget a node."""
        node = self._nodes.pop(eui64, None)
        if node is not None and self._shorts.get(node.short) is node:
            del self._shorts[node.short]

    # -- seals ---------------------------------------------------------------------------------

    def accepts(self, node: HubNode, message: Incoming) -> bool:
        """Say whether a message has the seal it needs; learn from it how to answer.

        A sealed message proves a link key: that is how a hub that starts anew knows.
        """
        cluster = message.cluster
        if message.sealed and cluster not in _NEVER_SEALED:
            node.sealed = True
        self._asked_sealed[node.eui64, cluster] = message.sealed
        return message.sealed or not node.sealed or cluster in _NEVER_SEALED | _IN_KIND

    def seals(self, node: HubNode, cluster: int) -> bool:
        """Say whether a message to a node goes sealed."""
        if not node.sealed or cluster in _NEVER_SEALED:
            return False
        return cluster not in _IN_KIND or self._asked_sealed.get((node.eui64, cluster), False)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> list[dict[str, Any]]:
        """Return everything as plain data; there are no keys in it."""
        return [
            {
                "eui64": node.eui64.hex,
                "short": node.short,
                "joined": node.joined,
                "sleepy": node.sleepy,
                "sealed": node.sealed,
            }
            for node in self._nodes.values()
        ]

    def load(self, rows: list[Mapping[str, Any]]) -> None:
        """Put everything back."""
        self._nodes.clear()
        self._shorts.clear()
        for row in rows:
            node = self.put(Eui64(bytes.fromhex(row["eui64"])), row["short"])
            node.joined, node.sleepy, node.sealed = row["joined"], row["sleepy"], row["sealed"]


def announced(payload: bytes) -> tuple[int, Eui64, bool]:
    """Read a device announce: short address, address, whether the node sleeps.

    Raises:
        MalformedFrameError: It is too short.
    """
    if len(payload) < _ANNOUNCE_OCTETS:
        raise MalformedFrameError("zdo.device_announce", payload, "it is too short")
    short = int.from_bytes(payload[1:3], "little")
    return short, Eui64(payload[3:11][::-1]), not payload[11] & _RECEIVER_ON
