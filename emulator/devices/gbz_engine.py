"""GBZ commands carried out component by component on a model of ZCL clusters."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from emulator.codecs.common import MAX_LENGTH
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.metering import HARDWARE_FAILURE, frame_of
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.cluster import Command as ClusterCommand
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    DefaultResponse,
    FoundationCommand,
    ReadAttributes,
    ReadAttributesResponse,
    Status,
)
from emulator.codecs.zcl.frame import HEADER_BYTES, ZclFrame
from emulator.codecs.zcl.frame import encode as encode_frame
from emulator.core.errors import MalformedFrameError
from emulator.devices.access_engine import AccessFailedError, Turn
from emulator.devices.checks import CommandRefusedError, Complaint

#: What later components answer after the first failure: command FF, status 01.
_ANY_COMMAND: Final = 0xFF
#: Octets that a component adds to an encrypted payload.
_SEALING: Final = 4
#: Statuses after which the next component is still carried out.
_GO_ON: Final = frozenset({int(Status.SUCCESS), int(Status.NOT_FOUND)})


class ComponentFailedError(Exception):
    """A component cannot be carried out; caught by the engine, never seen outside.

    Attributes:
        status: ZCL status of the default response.
    """

    def __init__(self, status: int = HARDWARE_FAILURE) -> None:
        super().__init__(f"status {status:02x}")
        self.status = int(status)


class NotThereError(ComponentFailedError):
    """What a component asks for is not there; components after it are still carried out."""

    def __init__(self) -> None:
        super().__init__(Status.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class GbzTurn(Turn):
    """What the components of one command share.

    Attributes:
        sealed: Clusters whose answers are encrypted.
        quiet: Clusters whose answers carry the flag "disable default response".
        dates: Dates that components said so far, in seconds since 2000.
    """

    sealed: frozenset[int]
    quiet: frozenset[int]
    dates: list[int] = field(default_factory=list, kw_only=True)


class ClusterServer(Protocol):
    """What answers components."""

    def reading(self, cluster: int, attribute: int, turn: GbzTurn) -> AttributeReading:
        """Read one attribute."""

    def command(
        self, component: GbzComponent, command: ClusterCommand, turn: GbzTurn
    ) -> list[ClusterCommand]:
        """Carry out a cluster command and return what answers it; nothing: success.

        Raises:
            ComponentFailedError: It cannot be carried out.
        """

    def finish(self, turn: GbzTurn) -> None:
        """Let take effect what the whole message said."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A component, its frame, and the command in it where it is a known one."""

    component: GbzComponent
    frame: ZclFrame
    command: ClusterCommand | ReadAttributes | None


@dataclass(slots=True)
class _Answers:
    """The answers so far."""

    components: list[GbzComponent] = field(default_factory=list)
    encrypted: int = 0
    failed: bool = False


def carry_out(message: GbzMessage, server: ClusterServer, turn: GbzTurn) -> GbzMessage:
    """Carry out a command in order; what was done before a failure stays done.

    A component that fails answers its status; every one after it answers ``ff 01``. One whose data
    is not there (8B) fails, and the next is carried out all the same.

    Raises:
        CommandRefusedError: A component is damaged, or an answer would fit no message.

    Source:
        reference gbcs.md section 8; the 79 GSME and GPF pairs of RTDS 4.5.0 at hand. What an
        unsupported command or attribute does to later components: inferred.
    """
    answers = _Answers()
    try:
        asked = [_read_component(component) for component in message.components]
        for one in asked:
            _answer(one, server, turn, answers)
        server.finish(turn)
    except MalformedFrameError as error:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, str(error)) from None
    except AccessFailedError:
        why = "no key of the reader is held"
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, why) from None
    if len(answers.components) > 255:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "asks for too many answers")
    return GbzMessage(tuple(answers.components))


def _read_component(component: GbzComponent) -> _Asked:
    """Decode a component before any of its message is carried out."""
    if component.frame_counter is not None:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "an encrypted command")
    frame = frame_of(component)
    if not frame.cluster_specific and frame.command == FoundationCommand.READ_ATTRIBUTES:
        return _Asked(component, frame, ReadAttributes.decode(frame.payload))
    if not gas.knows(component.cluster, frame):
        return _Asked(component, frame, None)
    return _Asked(component, frame, gas.decode(component.cluster, frame))


def _answer(asked: _Asked, server: ClusterServer, turn: GbzTurn, answers: _Answers) -> None:
    if answers.failed:
        _default(asked, answers, Status.FAILURE, _ANY_COMMAND)
    elif asked.command is None:
        _default(asked, answers, Status.UNSUP_CLUSTER_COMMAND)
    elif isinstance(asked.command, ReadAttributes):
        _read(asked, asked.command, server, turn, answers)
    else:
        _command(asked, asked.command, server, turn, answers)


def _read(
    asked: _Asked, wanted: ReadAttributes, server: ClusterServer, turn: GbzTurn, answers: _Answers
) -> None:
    cluster = asked.component.cluster
    readings = tuple([server.reading(cluster, each, turn) for each in wanted.attributes])
    payload = ReadAttributesResponse(readings).encode()
    _checked_length(payload)
    number, back = FoundationCommand.READ_ATTRIBUTES_RESPONSE, not asked.frame.server_to_client
    quiet = cluster in turn.quiet
    frame = ZclFrame(False, back, quiet, asked.frame.sequence, number, payload)
    _reply(asked, encode_frame(frame), turn, answers)
    answers.failed = any(one.status not in _GO_ON for one in readings)


def _command(
    asked: _Asked, command: ClusterCommand, server: ClusterServer, turn: GbzTurn, answers: _Answers
) -> None:
    cluster = asked.component.cluster
    try:
        found = server.command(asked.component, command, turn)
    except ComponentFailedError as failure:
        _default(asked, answers, failure.status)
        return
    if not found:
        _default(asked, answers, Status.SUCCESS)
    quiet = cluster in turn.quiet
    for one in found:
        octets = gas.encode(cluster, one, asked.frame.sequence, quiet=quiet)
        _reply(asked, octets, turn, answers)


def _reply(asked: _Asked, octets: bytes, turn: GbzTurn, answers: _Answers) -> None:
    cluster, payload, counter = asked.component.cluster, octets[3:], None
    if cluster in turn.sealed:
        payload, counter = turn.protect(payload), answers.encrypted
        answers.encrypted += 1
    _checked_length(payload)
    answers.components.append(
        GbzComponent(cluster, octets[0], octets[1], octets[2], payload, counter)
    )


def _checked_length(payload: bytes) -> None:
    if len(payload) > MAX_LENGTH - HEADER_BYTES - _SEALING:
        why = f"asks for an answer of {len(payload)} octets"
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, why)


def _default(asked: _Asked, answers: _Answers, status: int, command: int | None = None) -> None:
    frame = asked.frame
    payload = DefaultResponse(frame.command if command is None else command, status).encode()
    number, back = FoundationCommand.DEFAULT_RESPONSE, not frame.server_to_client
    octets = encode_frame(ZclFrame(False, back, False, frame.sequence, number, payload))
    cluster = asked.component.cluster
    answers.components.append(GbzComponent(cluster, octets[0], octets[1], octets[2], octets[3:]))
    answers.failed = answers.failed or status not in _GO_ON
