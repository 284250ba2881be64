"""The window in which nodes may join."""

from typing import Final

from emulator.codecs.ezsp.statuses import Status
from emulator.ncp.state import NcpState

#: Seconds that mean "until closed".
OPEN_FOR_GOOD: Final = 255
_ALARM: Final = "permit"


def permit(ncp: NcpState, duration_s: int) -> None:
    """Open or close joining; both are told to the host, the end of a window too."""
    ncp.stop_alarm(_ALARM)
    if duration_s == 0:
        close(ncp)
        return
    ncp.ram.permit = True
    ncp.tell_status(Status.NETWORK_OPENED)
    ncp.show_network()
    if duration_s != OPEN_FOR_GOOD:
        ncp.alarm(_ALARM, 1000 * duration_s, close)


def close(ncp: NcpState) -> None:
    """Close joining."""
    ncp.ram.permit = False
    ncp.tell_status(Status.NETWORK_CLOSED)
    ncp.show_network()
