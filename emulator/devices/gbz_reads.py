"""A command's payload as GBZ."""

from emulator.codecs.gbcs.gbz import GbzMessage
from emulator.devices.checks import Command, CommandRefusedError, Complaint


def gbz_message(command: Command) -> GbzMessage:
    """Return a command's payload as GBZ.

    Raises:
        CommandRefusedError: It is none.
    """
    if not isinstance(command.value, GbzMessage):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "not a GBZ message")
    return command.value
