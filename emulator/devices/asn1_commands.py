"""Commands whose payload is ASN.1: read, or refused as malformed."""

from collections.abc import Callable
from typing import TypeVar

from emulator.codecs.der import Node
from emulator.core.errors import MalformedFrameError
from emulator.devices.checks import Command, CommandRefusedError, Complaint

Payload = TypeVar("Payload")


def read_payload(command: Command, read: Callable[[Node], Payload]) -> Payload:
    """Read the payload of a command.

    Raises:
        CommandRefusedError: It is not ASN.1, or has another layout.
    """
    try:
        return read(node_of(command))
    except MalformedFrameError as error:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, str(error)) from None


def node_of(command: Command) -> Node:
    """Return the payload of a command.

    Raises:
        CommandRefusedError: It is not ASN.1.
    """
    if not isinstance(command.value, Node):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "not ASN.1")
    return command.value
