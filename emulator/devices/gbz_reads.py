"""Attribute reads in GBZ messages, answered from the attributes a device serves."""

from collections.abc import Callable, Mapping

from emulator.codecs.common import MAX_LENGTH
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.metering import frame_of, message_of
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    AttributeValue,
    DefaultResponse,
    FoundationCommand,
    ReadAttributes,
    ReadAttributesResponse,
    Status,
)
from emulator.codecs.zcl.frame import HEADER_BYTES, ZclFrame
from emulator.core.errors import MalformedFrameError
from emulator.devices.checks import Command, CommandRefusedError, Complaint


def gbz_message(command: Command) -> GbzMessage:
    """Return a command's payload as GBZ.

    Raises:
        CommandRefusedError: It is none.
    """
    if not isinstance(command.value, GbzMessage):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "not a GBZ message")
    return command.value


def answer_reads(
    command: Command, served: Callable[[int], Mapping[int, AttributeValue]]
) -> GbzMessage:
    """Answer a GBZ command whose components read attributes, component by component.

    Args:
        command: The command.
        served: Cluster -> attributes the device serves there.

    Raises:
        CommandRefusedError: Not GBZ, a read is damaged, or its answer would fit no message.

    Source:
        reference gbcs.md section 8; checked on the RTDS GCS38 response.
    """
    try:
        answers = [_answer(part, served(part.cluster)) for part in gbz_message(command).components]
    except MalformedFrameError as error:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, str(error)) from None
    components = tuple(component for answer in answers for component in answer.components)
    longest = max(len(component.payload) for component in components)
    if longest > MAX_LENGTH - HEADER_BYTES:
        why = f"asks for an answer of {longest} octets"
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, why)
    return GbzMessage(components)


def _answer(component: GbzComponent, have: Mapping[int, AttributeValue]) -> GbzMessage:
    frame = frame_of(component)
    if frame.cluster_specific or frame.command != FoundationCommand.READ_ATTRIBUTES:
        refusal = DefaultResponse(frame.command, Status.UNSUP_CLUSTER_COMMAND).encode()
        return _reply(component, frame, FoundationCommand.DEFAULT_RESPONSE, refusal)
    readings = tuple(
        AttributeReading(key, Status.SUCCESS, have[key])
        if key in have
        else AttributeReading(key, Status.UNSUPPORTED_ATTRIBUTE)
        for key in ReadAttributes.decode(frame.payload).attributes
    )
    payload = ReadAttributesResponse(readings).encode()
    return _reply(component, frame, FoundationCommand.READ_ATTRIBUTES_RESPONSE, payload)


def _reply(
    component: GbzComponent, frame: ZclFrame, command: FoundationCommand, payload: bytes
) -> GbzMessage:
    server_to_client = not frame.server_to_client
    reply = ZclFrame(False, server_to_client, False, frame.sequence, command, payload)
    return message_of(component.cluster, reply)
