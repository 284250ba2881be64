"""What a SMETS1 hub puts into tunnels and onto its WAN unasked, as wrapper frames."""

from typing import Final

from emulator.codecs.dlms import hub_image, wrapper
from emulator.codecs.dlms.hub_image import MESSAGE_PORT, NOTICE_PORT, DistributionRow
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.effects import SendGbcs, SendWan
from emulator.core.ids import Eui64

#: Client of a head end that takes what the hub says unasked. Source: stand-in.
HEAD_END: Final = 1
_INVOKE_IDS: Final = 1 << 24


def image_notice(to: Eui64, frame: bytes) -> SendGbcs:
    """Return the effect that leaves an OTA command in a sleeping device's tunnel.

    Args:
        to: The device.
        frame: The ZCL frame of the command.
    """
    return SendGbcs(wrapper.encode(WrapperFrame(NOTICE_PORT, NOTICE_PORT, frame)), to)


def message(to: Eui64, text: bytes) -> SendGbcs:
    """Return the effect that leaves a text for a display in its tunnel."""
    return SendGbcs(wrapper.encode(WrapperFrame(MESSAGE_PORT, MESSAGE_PORT, text)), to)


def outcome_notice(port: int, row: DistributionRow, number: int) -> SendWan:
    """Return the effect that tells the head end what became of an image.

    Args:
        port: Wrapper port of the hub.
        row: The row of its distribution log.
        number: Counts its notices.
    """
    apdu = hub_image.encode_outcome(row, number % _INVOKE_IDS)
    return SendWan(wrapper.encode(WrapperFrame(port, HEAD_END, apdu)))
