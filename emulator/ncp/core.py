"""The NCP: EZSP commands in, answers and callbacks out, without I/O and clock."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp.frames import (
    RESPONSE,
    EzspFrame,
    Frame,
    Header,
    decode_header,
    encode_header,
    response,
)
from emulator.codecs.ezsp.layout import RefusedEzspError
from emulator.codecs.ezsp.protocol import codec_of
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import Nothing, StatusOnly
from emulator.core.chance import Stream
from emulator.core.values import quick
from emulator.ncp.air import Air
from emulator.ncp.handlers_cbke import CBKE
from emulator.ncp.handlers_joiner import JOINER
from emulator.ncp.handlers_joining import JOINING
from emulator.ncp.handlers_key_contexts import KEY_CONTEXTS
from emulator.ncp.handlers_messages import MESSAGES
from emulator.ncp.handlers_network import NETWORK
from emulator.ncp.handlers_raw import RAW
from emulator.ncp.handlers_security import SECURITY
from emulator.ncp.handlers_system import SYSTEM
from emulator.ncp.handlers_tables import TABLES
from emulator.ncp.identity import Identity
from emulator.ncp.overhearing import follow_passthrough, overhear
from emulator.ncp.receiving import receive
from emulator.ncp.state import Handler, NcpState

_HANDLERS: Final[dict[Frame, Handler]] = {
    **SYSTEM.rows,
    **NETWORK.rows,
    **TABLES.rows,
    **SECURITY.rows,
    **JOINING.rows,
    **KEY_CONTEXTS.rows,
    **MESSAGES.rows,
    **JOINER.rows,
    **CBKE.rows,
    **RAW.rows,
}
_DUMPED: Final = frozenset({"nv"})
#: Rounds of frames and alarms that may bring about each other at one moment.
_MAX_ROUNDS: Final = 10_000


@quick
@dataclass(frozen=True, slots=True)
class Said:
    """An EZSP frame for the host.

    Attributes:
        octets: The frame.
        callback: Nobody asked for it.
    """

    octets: bytes
    callback: bool


class Ncp:
    """One dongle's firmware above its serial link.

    A command that is not carried out (unknown, malformed, before the version is agreed) is
    answered with ``invalidCommand`` and the reason. Callbacks bear the sequence of the last
    answered command, and those a command brings about follow its answer.

    Attributes:
        state: What it remembers.
    """

    def __init__(self, identity: Identity, air: Air, chance: Stream) -> None:
        """Take what the dongle is, what it hears and where its random numbers come from.

        Raises:
            ValueError: Its version of EZSP is not spoken.
        """
        self.state = NcpState(identity, air, chance)
        self._codec = codec_of(identity.ezsp)
        self._sequence = 0

    @property
    def deadline(self) -> int | None:
        """When ``tick`` has something to do; None: never."""
        first, at = self.state.next_due(), self.state.air.deadline
        return at if first is None or (at is not None and at < first) else first

    def reset(self) -> None:
        """Forget what a reset forgets."""
        self.state.start_anew()
        self._sequence = 0

    def handle(self, octets: bytes, now: int) -> list[Said]:
        """Carry out one command; return its answer and what follows it at once."""
        self.state.now = now
        try:
            command = self._codec.decode(octets)
        except RefusedEzspError as error:
            return [self._refusal(octets, error.reason)]
        if command.is_response:
            return [self._refusal(octets, Status.WRONG_DIRECTION)]
        if command.name is not Frame.VERSION and not self.state.ram.version_set:
            return [self._answer(_invalid(command, Status.VERSION_NOT_SET))]
        if command.name is Frame.CALLBACK:  # they are told unasked: none waits to be fetched
            return [self._answer(response(command, Nothing(), Frame.NO_CALLBACKS)), *self.tick(now)]
        handler = _HANDLERS.get(command.name)
        if handler is None:
            return [self._answer(_invalid(command, Status.INVALID_FRAME_ID))]
        values = handler(self.state, command.values)
        self._sequence = command.sequence
        said = Said(self._codec.encode_answer(command, values), callback=False)
        return [said, *self.tick(now)]

    def tick(self, now: int) -> list[Said]:
        """Hear what is on the air, do what time demands, and return the callbacks that are due."""
        self._run(now)
        said = []
        for due in self.state.take_due(now):
            if due.name is Frame.SCAN_COMPLETE_HANDLER:
                self.state.ram.scanning = False
            octets = self._codec.encode_callback(due.name, due.values, self._sequence)
            said.append(Said(octets, callback=True))
        return said

    def _run(self, now: int) -> None:
        state = self.state
        state.now = now
        for _ in range(_MAX_ROUNDS):
            frames = state.air.take(now)
            for frame in frames:
                receive(state, frame)
            packets = state.air.heard(now) if state.ram.listening else ()
            for packet in packets:
                overhear(state, packet)
            if not state.ring() and not frames and not packets:
                follow_passthrough(state)
                return

    def dump(self) -> State:
        """Return what survives a loss of power, as JSON-able data; keys are in the clear."""
        return {"nv": self.state.nv.dump()}

    def load(self, state: Json, path: str = "ncp") -> None:
        """Take over a ``dump``: the dongle stands as if its power had been off.

        Raises:
            DumpedStateError: A value is missing or mistyped; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        self.state.nv.load(dumped.raw("nv"), f"{path}.nv")
        self.reset()

    def _answer(self, frame: EzspFrame) -> Said:
        self._sequence = frame.sequence
        return Said(self._codec.encode(frame), callback=False)

    def _refusal(self, octets: bytes, reason: Status) -> Said:
        """Answer octets that are no command, in the form they came in as far as it can be told."""
        try:
            header, _at = decode_header(octets)
        except RefusedEzspError:
            header = Header(octets[0] if octets else 0, 0)
        frame_id = self._codec.frames[Frame.INVALID_COMMAND]
        told = Header(header.sequence, frame_id, RESPONSE, header.framing)
        layout = self._codec.layout(Frame.INVALID_COMMAND, answer=True)
        if layout is None:
            raise LookupError("no table is without invalidCommand")
        self._sequence = header.sequence
        return Said(encode_header(told) + layout.encode(StatusOnly(reason)), callback=False)


def _invalid(command: EzspFrame, reason: Status) -> EzspFrame:
    return response(command, StatusOnly(reason), Frame.INVALID_COMMAND)
