"""Every cluster-specific command of GBCS on gas devices, by cluster."""

from typing import Any, Final

from emulator.codecs.zcl import account, calendar, device_management, price, snapshots
from emulator.codecs.zcl.cluster import ClusterCommands, Command
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.errors import MalformedFrameError

#: Cluster -> its commands.
CLUSTERS: Final[dict[int, ClusterCommands]] = {
    table.cluster: table
    for table in (
        price.COMMANDS,
        snapshots.COMMANDS,
        device_management.MESSAGING_COMMANDS,
        account.COMMANDS,
        calendar.COMMANDS,
        device_management.COMMANDS,
        device_management.EVENT_COMMANDS,
    )
}


def knows(cluster: int, frame: ZclFrame) -> bool:
    """Say whether a frame names a command of the table."""
    return cluster in CLUSTERS and CLUSTERS[cluster].knows(frame)


def decode(cluster: int, frame: ZclFrame) -> Any:
    """Read a command.

    Raises:
        MalformedFrameError: It is none of the table, or damaged.
    """
    if cluster not in CLUSTERS:
        raise MalformedFrameError("zcl.gas", frame.payload, f"cluster {cluster:04x}")
    return CLUSTERS[cluster].decode(frame)


def encode(cluster: int, command: Command, sequence: int, *, quiet: bool) -> bytes:
    """Write a command as a whole ZCL frame, in the only direction it has.

    Raises:
        ValueError: It does not belong to the cluster, or a value does not fit.
    """
    return CLUSTERS[cluster].encode(command, sequence, disable_default_response=quiet)
