"""Frames off the air that the stack does not handle: for the library, or passed through."""

from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ValueId
from emulator.codecs.ezsp.structures import PacketInfo
from emulator.codecs.ezsp.values_messages import (
    MacPassthrough,
    MacPassthroughPacket,
    MfglibReceived,
)
from emulator.core.ids import Eui64
from emulator.ncp.radio_frames import HeardPacket
from emulator.ncp.state import NcpState

#: Flag of a passthrough: inter-PAN frames of Smart Energy. Source: UG100 (known).
SE_INTERPAN: Final = 0x01
#: From this version on passed frames come with how they arrived.
_WITH_INFO: Final = 14
_NO_INDEX: Final = 0xFF
_UNKNOWN: Final = 0xFFFF
_CHECK_OCTETS: Final = 2
_DATA: Final = 1
_NWK_VERSION: Final = 2
_INTER_PAN: Final = 3
#: Octets of an address by its mode in the frame control field.
_ADDRESS_OCTETS: Final = {0: 0, 2: 2, 3: 8}


def overhear(ncp: NcpState, packet: HeardPacket) -> None:
    """Take a packet of the channel the NCP listens to, and tell the host where it wants it."""
    library = ncp.ram.library
    if library is not None:
        if library.tells and packet.channel == library.channel:
            told = MfglibReceived(packet.lqi, packet.rssi, packet.octets)
            ncp.later(Frame.MFGLIB_RX_HANDLER, told)
    elif _flags(ncp) & SE_INTERPAN and is_inter_pan(packet.octets):
        _pass(ncp, packet)


def follow_passthrough(ncp: NcpState) -> None:
    """Listen to the network's channel while the host wants frames passed through, and no longer."""
    stored = ncp.nv.network
    if ncp.ram.library is not None:
        return
    wanted = bool(_flags(ncp) & SE_INTERPAN) and ncp.ram.joined and stored is not None
    if wanted != ncp.ram.listening:
        ncp.ram.listening = wanted
        channel = stored.parameters.channel if wanted and stored is not None else None
        ncp.air.listen(channel, ncp.now)


def _flags(ncp: NcpState) -> int:
    return ncp.ram.values[ValueId.MAC_PASSTHROUGH_FLAGS][0]


def _pass(ncp: NcpState, packet: HeardPacket) -> None:
    frame = packet.octets[:-_CHECK_OCTETS]
    if ncp.identity.ezsp < _WITH_INFO:
        told = MacPassthrough(SE_INTERPAN, packet.lqi, packet.rssi, frame)
        ncp.later(Frame.MAC_PASSTHROUGH_MESSAGE_HANDLER, told)
        return
    info = PacketInfo(
        _UNKNOWN,
        Eui64(bytes(8)),
        _NO_INDEX,
        _NO_INDEX,
        packet.lqi,
        packet.rssi,
        ncp.now & 0xFFFFFFFF,
    )
    ncp.later(Frame.MAC_PASSTHROUGH_MESSAGE_HANDLER, MacPassthroughPacket(SE_INTERPAN, info, frame))


def is_inter_pan(octets: bytes) -> bool:
    """Say whether a packet is a MAC data frame with an inter-PAN frame of Zigbee in it.

    Source:
        Zigbee Smart Energy, annex B (known): NWK frame type 3, protocol version 2.
    """
    if len(octets) < 3:
        return False
    control = int.from_bytes(octets[:2], "little")
    to, source = _ADDRESS_OCTETS.get(control >> 10 & 3), _ADDRESS_OCTETS.get(control >> 14 & 3)
    if control & 7 != _DATA or to is None or source is None:
        return False
    one_pan = control >> 6 & 1
    at = 3 + (2 + to if to else 0) + source + (2 if source and not one_pan else 0)
    nwk = octets[at : at + 1]
    return bool(nwk) and nwk[0] & 3 == _INTER_PAN and nwk[0] >> 2 & 15 == _NWK_VERSION
