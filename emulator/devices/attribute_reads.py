"""Reads of ZCL attributes, answered out of those that are served."""

from collections.abc import Mapping

from emulator.codecs.zcl import foundation
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    AttributeValue,
    ReadAttributes,
    ReadAttributesResponse,
    Status,
)
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.effects import Note, ZclIndication
from emulator.core.errors import MalformedFrameError


def readings_of(
    asked: ReadAttributes, served: Mapping[int, AttributeValue]
) -> ReadAttributesResponse:
    """Return each attribute that is asked for: its value, or that it is not served."""
    return ReadAttributesResponse(
        tuple(
            AttributeReading(one, Status.SUCCESS, served[one])
            if one in served
            else AttributeReading(one, Status.UNSUPPORTED_ATTRIBUTE)
            for one in asked.attributes
        )
    )


def answer_of(
    frame: ZclFrame, asked: ReadAttributes, served: Mapping[int, AttributeValue]
) -> bytes:
    """Return the frame that answers the read in ``frame``."""
    to_client = not frame.server_to_client
    return foundation.encode(readings_of(asked, served), frame.sequence, server_to_client=to_client)


def read_in(indication: ZclIndication) -> tuple[ZclFrame, ReadAttributes] | Note:
    """Return the frame and the read in it; where it is none, the note about it."""
    try:
        frame = zcl_frame.decode(indication.frame)
        asked = None if frame.cluster_specific else foundation.decode(frame)
    except MalformedFrameError as error:
        return Note("malformed_frame", (("layer", error.layer), ("why", error.why)))
    if not isinstance(asked, ReadAttributes):
        return Note("zcl_ignored", (("cluster", f"{indication.cluster:04x}"),))
    return frame, asked
