"""An end device that asks its parent for what waits there."""

from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import StatusOnly
from emulator.ncp.join_table import JoinEvent, JoinStage
from emulator.ncp.joining import happen
from emulator.ncp.radio_frames import Poll
from emulator.ncp.state import NcpState
from emulator.ncp.undertakings import Polls

#: Until a parent that has acknowledged a poll has nothing for it. Source: invented.
ANSWER_MS: Final = 20
_NEXT, _ANSWER = "poll", "poll answer"


def begin(ncp: NcpState, polls: Polls) -> None:
    """Ask now, and from now on as often as the host wants it."""
    ncp.stop_alarm(_NEXT)
    ncp.stop_alarm(_ANSWER)
    ncp.ram.polls = polls
    _poll(ncp)


def _poll(ncp: NcpState) -> None:
    polls = ncp.ram.polls
    if polls is None:
        return
    if polls.interval_ms is not None:
        ncp.alarm(_NEXT, polls.interval_ms, _poll)
    if ncp.ram.stage is not JoinStage.UP:
        return
    polls.waiting, polls.data = True, False
    if ncp.air.emit(Poll(ncp.short), ncp.now):
        ncp.alarm(_ANSWER, ANSWER_MS, _answered)
    else:
        polls.waiting = False
        _unheard(ncp, polls)


def brought(ncp: NcpState) -> None:
    """Something has come: a poll that waits is answered with it."""
    if ncp.ram.polls is not None:
        ncp.ram.polls.data = True


def _answered(ncp: NcpState) -> None:
    polls = ncp.ram.polls
    if polls is None or not polls.waiting:
        return
    polls.waiting, polls.failures = False, 0
    if polls.failure_limit == 0 or polls.interval_ms is None:
        _tell(ncp, Status.OK if polls.data else Status.MAC_NO_DATA)


def _unheard(ncp: NcpState, polls: Polls) -> None:
    """The parent did not even acknowledge; too often, and it is lost."""
    polls.failures += 1
    if polls.failure_limit == 0 or polls.interval_ms is None:
        _tell(ncp, Status.MAC_NO_ACK_RECEIVED)
    elif polls.failures > polls.failure_limit:
        _tell(ncp, Status.MAC_NO_ACK_RECEIVED)
        ncp.stop_alarm(_NEXT)
        happen(ncp, JoinEvent.PARENT_LOST)


def _tell(ncp: NcpState, status: Status) -> None:
    ncp.later(Frame.POLL_COMPLETE_HANDLER, StatusOnly(status))
