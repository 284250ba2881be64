"""The end of a network: what is forgotten, and what the host is told."""

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.statuses import Status
from emulator.ncp.state import NcpState


def forget_network(ncp: NcpState) -> None:
    """Forget the network, stored or not, and tell the host that it is down."""
    ncp.ram.joined = ncp.ram.permit = False
    ncp.ram.attempt = ncp.ram.polls = None
    ncp.nv.network = ncp.nv.security = None
    ncp.nv.nodes.clear()
    ncp.drop_traffic()
    ncp.forget(Frame.STACK_STATUS_HANDLER)
    ncp.show_network()
    ncp.tell_status(Status.NETWORK_DOWN)
