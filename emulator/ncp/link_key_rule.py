"""What both sides of a link key go by: which frames it seals, and how a key is agreed on."""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.zcl import basic, foundation, key_establishment, time
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import FoundationCommand, ReadAttributes
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SendZcl, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.crypto.cbke import SoftwareEngine
from emulator.crypto.ecqv import Credentials
from emulator.devices.attribute_reads import answer_of
from emulator.devices.key_establishment import KeyEstablishment

#: Clusters whose every frame may come unsealed. Source: Smart Energy 1.2, table of the security
#: of clusters (known).
OPEN: Final = frozenset({basic.CLUSTER, key_establishment.CLUSTER})
_TIME_READS: Final = frozenset(
    {
        FoundationCommand.READ_ATTRIBUTES,
        FoundationCommand.READ_ATTRIBUTES_RESPONSE,
        FoundationCommand.DEFAULT_RESPONSE,
    }
)


def goes_sealed(cluster: int) -> bool:
    """Say whether frames of a cluster go out sealed where Smart Energy is strict."""
    return cluster not in OPEN and cluster != time.CLUSTER


def may_come_unsealed(cluster: int, payload: bytes) -> bool:
    """Say whether a frame is taken without a seal where Smart Energy is strict.

    Args:
        cluster: Its cluster.
        payload: Its ZCL octets; a fragment's are no frame.
    """
    return cluster in OPEN or (cluster == time.CLUSTER and _reads(payload))


def _reads(payload: bytes) -> bool:
    """Say whether a ZCL frame reads attributes, or answers that."""
    try:
        frame = zcl_frame.decode(payload)
    except MalformedFrameError:
        return False
    return not frame.cluster_specific and frame.command in _TIME_READS


def engines_of(
    credentials: Mapping[KeySuite, Credentials], chance: Stream
) -> dict[KeySuite, SoftwareEngine]:
    """Return the arithmetic of each suite that credentials are held for."""
    return {suite: SoftwareEngine(held, chance) for suite, held in credentials.items()}


def hear(machine: KeyEstablishment, told: ZclIndication, now: int) -> list[Effect]:
    """Take a frame of the Key Establishment cluster; both sides serve its attributes."""
    try:
        frame = zcl_frame.decode(told.frame)
        if frame.cluster_specific:
            return machine.on_frame(told, frame, UtcMs(now))
        asked = foundation.decode(frame)
    except MalformedFrameError as error:
        return [Note("han_frame_discarded", (("why", error.why),))]
    if not isinstance(asked, ReadAttributes):
        return []
    return [SendZcl(told.source, told.cluster, answer_of(frame, asked, machine.attributes()))]
