"""Permission to join, the network key for one node, and sending nodes away."""

from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import StatusOnly
from emulator.codecs.ezsp.values_network import PermitJoining, RemoveDevice
from emulator.codecs.ezsp.values_security import NetworkKeyUnicast
from emulator.ncp import permission, trust_centre
from emulator.ncp.radio_frames import LeaveOrder
from emulator.ncp.sending import put
from emulator.ncp.state import HandlerTable, NcpState

JOINING: Final = HandlerTable()


@JOINING.handles(Frame.PERMIT_JOINING)
def permit_joining(ncp: NcpState, asked: PermitJoining) -> StatusOnly:
    """Open or close joining; both are told, the end of a window too.

    A router's hub decides all the same; an end device is nobody's parent.
    """
    stored = ncp.nv.network
    if not ncp.ram.joined or stored is None:
        return StatusOnly(Status.NOT_JOINED)
    if stored.is_end_device:
        return StatusOnly(Status.INVALID_STATE)
    permission.permit(ncp, asked.duration_s)
    return StatusOnly()


@JOINING.handles(Frame.UNICAST_CURRENT_NETWORK_KEY)
def unicast_network_key(ncp: NcpState, asked: NetworkKeyUnicast) -> StatusOnly:
    """Send the network key to a node whose join was left to the host."""
    if not ncp.ram.joined:
        return StatusOnly(Status.NOT_JOINED)
    if ncp.is_node:
        return StatusOnly(Status.INVALID_STATE)
    node = ncp.nv.nodes.get(asked.eui64)
    key = trust_centre.key_of_requester(ncp, asked.eui64)
    if node is None or node.short != asked.node_id or key is None:
        return StatusOnly(Status.INVALID_STATE)
    trust_centre.send_network_key(ncp, node, key)
    return StatusOnly()


@JOINING.handles(Frame.REMOVE_DEVICE)
def remove_device(ncp: NcpState, asked: RemoveDevice) -> StatusOnly:
    """Tell a node to go; that it has gone is told when it says so."""
    node = ncp.nv.nodes.get(asked.target)
    if not ncp.ram.joined or ncp.is_node or node is None:
        return StatusOnly(Status.INVALID_STATE)
    put(ncp, LeaveOrder(node.eui64, via=node.parent or None), node.short)
    return StatusOnly()
