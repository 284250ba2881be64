"""Tables of addresses, groups and children."""

from typing import Any, Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ConfigId, NodeType
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ChildData, MulticastEntry
from emulator.codecs.ezsp.values import ByEui64, ByIndex, ByNodeId, StatusOnly
from emulator.codecs.ezsp.values_network import (
    UNKNOWN_NODE,
    AddressEntry,
    AddressReplacement,
    ChildAnswer,
    ExtendedTimeoutSetting,
    LookedUpEui64,
    LookedUpNodeId,
    MulticastAnswer,
    MulticastSetting,
    ReplacedAddress,
)
from emulator.core.ids import Eui64
from emulator.ncp.state import HandlerTable, NcpState

TABLES: Final = HandlerTable()
_NOBODY: Final = Eui64(bytes(8))
_NO_CHILD: Final = ChildData(_NOBODY, 0, UNKNOWN_NODE, 0, 0, 0)
_NO_GROUP: Final = MulticastEntry(0, 0, 0)
_EMPTY_ROW: Final = (_NOBODY, UNKNOWN_NODE, False)


def _within(ncp: NcpState, index: int, size: ConfigId) -> bool:
    return index < ncp.ram.configuration[size]


@TABLES.handles(Frame.GET_CHILD_DATA)
def child_data(ncp: NcpState, asked: ByIndex) -> ChildAnswer:
    """Tell a child; rows that do not exist are answered like empty ones."""
    children = ncp.nv.children()
    if asked.index >= len(children):
        return ChildAnswer(Status.NOT_JOINED, _NO_CHILD)
    child = children[asked.index]
    kind = NodeType.SLEEPY_END_DEVICE if child.sleepy else NodeType.END_DEVICE
    return ChildAnswer(Status.OK, ChildData(child.eui64, int(kind), child.short, 0, 0, 0))


@TABLES.handles(Frame.GET_MULTICAST_TABLE_ENTRY)
def multicast_entry(ncp: NcpState, asked: ByIndex) -> MulticastAnswer:
    """Tell a group the NCP listens to."""
    if not _within(ncp, asked.index, ConfigId.MULTICAST_TABLE_SIZE):
        return MulticastAnswer(Status.INVALID_INDEX, _NO_GROUP)
    return MulticastAnswer(Status.OK, ncp.ram.multicast.get(asked.index, _NO_GROUP))


@TABLES.handles(Frame.SET_MULTICAST_TABLE_ENTRY)
def set_multicast_entry(ncp: NcpState, asked: MulticastSetting) -> StatusOnly:
    """Listen to a group, or no longer."""
    if not _within(ncp, asked.index, ConfigId.MULTICAST_TABLE_SIZE):
        return StatusOnly(Status.INVALID_INDEX)
    ncp.ram.multicast[asked.index] = asked.entry
    return StatusOnly()


@TABLES.handles(Frame.GET_ADDRESS_TABLE_REMOTE_EUI64)
def address_eui64(ncp: NcpState, asked: ByIndex) -> ByEui64:
    """Tell the EUI-64 of a row; zeros when it is empty."""
    return ByEui64(ncp.ram.addresses.get(asked.index, _EMPTY_ROW)[0])


@TABLES.handles(Frame.GET_ADDRESS_TABLE_REMOTE_NODE_ID)
def address_node_id(ncp: NcpState, asked: ByIndex) -> ByNodeId:
    """Tell the short address of a row; 0xFFFF when it is empty."""
    return ByNodeId(ncp.ram.addresses.get(asked.index, _EMPTY_ROW)[1])


@TABLES.handles(Frame.GET_ADDRESS_TABLE_INFO)
def address_info(ncp: NcpState, asked: ByIndex) -> AddressEntry:
    """Tell a row."""
    if not _within(ncp, asked.index, ConfigId.ADDRESS_TABLE_SIZE):
        return AddressEntry(Status.INVALID_INDEX, UNKNOWN_NODE, _NOBODY)
    row = ncp.ram.addresses.get(asked.index)
    if row is None:
        return AddressEntry(Status.NOT_FOUND, UNKNOWN_NODE, _NOBODY)
    return AddressEntry(Status.OK, row[1], row[0])


@TABLES.handles(Frame.REPLACE_ADDRESS_TABLE_ENTRY)
def replace_address(ncp: NcpState, asked: AddressReplacement) -> ReplacedAddress:
    """Write a row and tell what it held."""
    before = ncp.ram.addresses.get(asked.index, _EMPTY_ROW)
    if not _within(ncp, asked.index, ConfigId.ADDRESS_TABLE_SIZE):
        return ReplacedAddress(Status.INVALID_INDEX, *_EMPTY_ROW)
    ncp.ram.addresses[asked.index] = (asked.eui64, asked.node_id, asked.extended)
    return ReplacedAddress(Status.OK, *before)


@TABLES.handles(Frame.LOOKUP_NODE_ID_BY_EUI64)
def lookup_node_id(ncp: NcpState, asked: ByEui64) -> LookedUpNodeId:
    """Find a short address: the NCP's own, or one of the address table."""
    for eui64, node_id in _known(ncp):
        if eui64 == asked.eui64:
            return LookedUpNodeId(node_id, Status.OK)
    return LookedUpNodeId(UNKNOWN_NODE, Status.NOT_FOUND)


@TABLES.handles(Frame.LOOKUP_EUI64_BY_NODE_ID)
def lookup_eui64(ncp: NcpState, asked: ByNodeId) -> LookedUpEui64:
    """Find an EUI-64: the NCP's own, or one of the address table."""
    for eui64, node_id in _known(ncp):
        if node_id == asked.node_id:
            return LookedUpEui64(Status.OK, eui64)
    return LookedUpEui64(Status.NOT_FOUND, _NOBODY)


def _known(ncp: NcpState) -> list[tuple[Eui64, int]]:
    stored = ncp.nv.network
    own = [(ncp.identity.eui64, stored.node_id)] if ncp.ram.joined and stored is not None else []
    nodes = [(node.eui64, node.short) for node in ncp.nv.nodes.values()]
    return [
        *own,
        *nodes,
        *((eui64, node_id) for eui64, node_id, _extended in ncp.ram.addresses.values()),
    ]


@TABLES.handles(Frame.SET_EXTENDED_TIMEOUT)
def set_extended_timeout(ncp: NcpState, asked: ExtendedTimeoutSetting) -> StatusOnly:
    """Wait longer for a node, or no longer so."""
    change: Any = ncp.ram.extended_timeouts.add
    if not asked.extended:
        change = ncp.ram.extended_timeouts.discard
    change(asked.eui64)
    return StatusOnly()


@TABLES.handles(Frame.GET_EXTENDED_TIMEOUT)
def extended_timeout(ncp: NcpState, asked: ByEui64) -> StatusOnly:
    """Say whether a node is waited for longer."""
    found = asked.eui64 in ncp.ram.extended_timeouts
    return StatusOnly(Status.OK if found else Status.FAIL)
