"""How an ESME answers commands on the HAN."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.zcl import foundation
from emulator.codecs.zcl.cluster import ClusterCommands, Command
from emulator.codecs.zcl.foundation import AttributeValue, DefaultResponse, Status, ZclType
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.clock import UtcMs
from emulator.core.effects import SendZcl, ZclIndication

#: A provider that is not named. Source: inferred from RTDS GCS21f (0).
NO_PROVIDER: Final = 0
MOST_U32: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Request:
    """A command of the HAN, and what answers it.

    Attributes:
        indication: How it came.
        frame: Its frame.
        table: Commands of its cluster.
        now: The present moment.
    """

    indication: ZclIndication
    frame: ZclFrame
    table: ClusterCommands
    now: UtcMs

    def answer(self, command: Command) -> SendZcl:
        """Return a command of the cluster as answer."""
        octets = self.table.encode(command, self.frame.sequence)
        return SendZcl(self.indication.source, self.indication.cluster, octets)

    def default(self, status: Status) -> SendZcl:
        """Return the default response."""
        octets = foundation.encode(
            DefaultResponse(self.frame.command, status), self.frame.sequence, server_to_client=True
        )
        return SendZcl(self.indication.source, self.indication.cluster, octets)

    def outcome(self, *, done: bool) -> SendZcl:
        """Return the default response: success or failure."""
        return self.default(Status.SUCCESS if done else Status.FAILURE)


def unsigned(number: int) -> AttributeValue:
    """Return 32 bits without a sign; what is below stands at 0."""
    return AttributeValue(ZclType.UINT32, max(0, min(number, MOST_U32)))
