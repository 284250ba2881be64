"""What both ends of a HAN tunnel share: limits, waits, and how a command is read and written."""

from typing import Any, Final

from emulator.codecs.zcl import tunneling
from emulator.codecs.zcl.cluster import Command
from emulator.core.effects import Note, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.han.outputs import Micros, SendFrame

CLUSTER: Final = tunneling.CLUSTER

#: Largest transfer either end announces. Source: GBCS 0.8.1 page 109 (transfer size 1500).
MAX_TRANSFER_BYTES: Final = 1500
#: Messages one end keeps for the other. Source: invented.
QUEUE_MESSAGES: Final = 32
#: How long a client waits for the answer to a request or a GET. Source: invented.
ANSWER_WAIT_US: Final = 10_000_000
#: From an empty GET-RESPONSE to the next GET, while the client is awake. Source: invented.
POLL_US: Final = 10_000_000
#: First pause before an attempt that failed is repeated; it doubles up to the last.
#: Source: invented.
FIRST_PAUSE_US: Final = 5_000_000
LAST_PAUSE_US: Final = 1_800_000_000
#: Repeats of the CHF towards a device that does not answer, before it waits for the device.
#: Source: invented.
MAX_ATTEMPTS: Final = 8


def longest_message(max_message_bytes: int, wrapper_bytes: int) -> int:
    """Return the longest message that one Transfer Data can bring to an end.

    Args:
        max_message_bytes: Longest message the device takes or gives.
        wrapper_bytes: Octets that GET-RESPONSE or PUT puts before it; 0 where nothing wraps it.
    """
    return min(max_message_bytes, MAX_TRANSFER_BYTES - wrapper_bytes)


def pause_us(failures: int) -> Micros:
    """Return the pause after this many failures in a row (at least one)."""
    return min(FIRST_PAUSE_US << min(failures - 1, 16), LAST_PAUSE_US)


class TunnelWriter:
    """Writes commands of the Tunneling cluster for one end, with its transaction numbers."""

    def __init__(self, sequence: int = 0) -> None:
        self.sequence = sequence

    def order(
        self,
        to: Eui64,
        command: Command,
        *,
        server: bool,
        answers: int | None = None,
        handle: int = 0,
    ) -> SendFrame:
        """Return the order to send ``command``.

        Args:
            to: EUI-64 of the other end.
            command: The command.
            server: Whether this end is the server.
            answers: Transaction number of the request it answers; None takes a new one.
            handle: Number to give back when the transfer ends.
        """
        if answers is None:
            self.sequence = (self.sequence + 1) & 0xFF
        number = self.sequence if answers is None else answers
        return SendFrame(to, tunneling.encode(command, number, server_to_client=server), handle)


def read(arrived: ZclIndication) -> tuple[int, Any] | Note:
    """Return transaction number and command of a Tunneling frame, or why it is thrown away."""
    try:
        return tunneling.read(arrived.frame)
    except MalformedFrameError as error:
        return Note(
            "tunnel_frame_discarded",
            (("from", str(arrived.source)), ("layer", error.layer), ("why", error.why)),
        )


def refused(reason: str, message: bytes, **details: int | str) -> Note:
    """Return the note that a message was not taken into the tunnel.

    Args:
        reason: ``too-long``, ``queue-full``, ``unknown-device`` or ``data-overflow``.
        message: The message.
        details: More names and values.
    """
    return Note(
        "tunnel_message_refused",
        (("reason", reason), ("octets", len(message)), *details.items()),
    )


def unsure(message: bytes, peer: Eui64) -> Note:
    """Return the note that a message may or may not have arrived and is not sent again."""
    return Note("tunnel_message_unsure", (("to", str(peer)), ("octets", len(message))))


def lost(count: int, why: str) -> Note:
    """Return the note that messages waiting for a tunnel are gone."""
    return Note("tunnel_queue_lost", (("messages", count), ("why", why)))
