"""The radio by itself: the manufacturing library, raw messages, a channel by hand.

Nothing is sent unless the dongle's `Identity` allows it: the commands that would are answered
with TRANSMIT_BLOCKED.
"""

from typing import Final

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import Channel, Nothing, Octets, Power, StatusOnly
from emulator.codecs.ezsp.values_messages import MfglibPower, MfglibStart, RawMessage
from emulator.codecs.zigbee import mac
from emulator.ncp.air import CHANNELS
from emulator.ncp.state import HandlerTable, NcpState
from emulator.ncp.undertakings import MfgLibrary

RAW: Final = HandlerTable()
#: Longest frame of IEEE 802.15.4, check included; and the shortest with one.
_MAX_PACKET, _MIN_PACKET = 127, 5
_CHECK_OCTETS: Final = 2
#: What the radio can send with, in dBm; what counts as none.
_POWERS: Final = range(-30, 21)
#: What is told where the library has not the radio.
_NO_CHANNEL: Final = 0


# The library


@RAW.handles(Frame.MFGLIB_START)
def start(ncp: NcpState, asked: MfglibStart) -> StatusOnly:
    """Give the radio to the library: it listens; only while it is nobody else's."""
    if not ncp.is_free or ncp.ram.scanning:
        return StatusOnly(Status.INVALID_STATE)
    ncp.ram.library = MfgLibrary(asked.rx_callback)
    _listen(ncp, ncp.ram.library)
    return StatusOnly()


@RAW.handles(Frame.MFGLIB_END)
def end(ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """Take the radio back."""
    if ncp.ram.library is None:
        return StatusOnly(Status.INVALID_STATE)
    ncp.ram.library = None
    ncp.ram.listening = False
    ncp.air.listen(None, ncp.now)
    return StatusOnly()


def _listen(ncp: NcpState, library: MfgLibrary) -> None:
    ncp.ram.listening = True
    ncp.air.listen(library.channel, ncp.now)


@RAW.handles(Frame.MFGLIB_SET_CHANNEL)
def set_channel(ncp: NcpState, asked: Channel) -> StatusOnly:
    """Listen on another channel."""
    library = ncp.ram.library
    if library is None:
        return StatusOnly(Status.INVALID_STATE)
    if asked.channel not in CHANNELS:
        return StatusOnly(Status.TRANSMIT_INVALID_CHANNEL)
    library.channel = asked.channel
    _listen(ncp, library)
    return StatusOnly()


@RAW.handles(Frame.MFGLIB_GET_CHANNEL)
def channel(ncp: NcpState, _asked: Nothing) -> Channel:
    """Tell the channel; 0 while the library has not the radio."""
    library = ncp.ram.library
    return Channel(_NO_CHANNEL if library is None else library.channel)


@RAW.handles(Frame.MFGLIB_SET_POWER)
def set_power(ncp: NcpState, asked: MfglibPower) -> StatusOnly:
    """Take a power for what the library sends."""
    library = ncp.ram.library
    if library is None:
        return StatusOnly(Status.INVALID_STATE)
    if asked.power not in _POWERS:
        return StatusOnly(Status.TRANSMIT_INVALID_POWER)
    library.power = asked.power
    return StatusOnly()


@RAW.handles(Frame.MFGLIB_GET_POWER)
def power(ncp: NcpState, _asked: Nothing) -> Power:
    """Tell the power; 0 while the library has not the radio."""
    library = ncp.ram.library
    return Power(0 if library is None else library.power)


@RAW.handles(Frame.MFGLIB_START_TONE, Frame.MFGLIB_START_STREAM)
def start_sending(ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """Send without end, which nobody around understands."""
    library = ncp.ram.library
    if library is None or library.sending:
        return StatusOnly(Status.INVALID_STATE)
    if not ncp.identity.transmits:
        return StatusOnly(Status.TRANSMIT_BLOCKED)
    library.sending = True
    return StatusOnly()


@RAW.handles(Frame.MFGLIB_STOP_TONE, Frame.MFGLIB_STOP_STREAM)
def stop_sending(ncp: NcpState, _asked: Nothing) -> StatusOnly:
    """Be silent again."""
    library = ncp.ram.library
    if library is None or not library.sending:
        return StatusOnly(Status.INVALID_STATE)
    library.sending = False
    return StatusOnly()


@RAW.handles(Frame.MFGLIB_SEND_PACKET)
def send_packet(ncp: NcpState, asked: Octets) -> StatusOnly:
    """Send a packet as it is, but for its check, which the radio writes over its last octets."""
    library = ncp.ram.library
    if library is None or library.sending:
        return StatusOnly(Status.INVALID_STATE)
    return _send(ncp, asked.octets[:-_CHECK_OCTETS], library.channel)


# Raw messages, and a channel by hand


@RAW.handles(Frame.SEND_RAW_MESSAGE, Frame.SEND_RAW_MESSAGE_EXTENDED)
def send_raw(ncp: NcpState, asked: RawMessage) -> StatusOnly:
    """Send a MAC frame that the host composed, on the channel of the network."""
    stored = ncp.nv.network
    if not ncp.ram.joined or stored is None:
        return StatusOnly(Status.NETWORK_DOWN)
    return _send(ncp, asked.message, stored.parameters.channel)


def _send(ncp: NcpState, frame: bytes, on: int) -> StatusOnly:
    packet = frame + mac.fcs(frame).to_bytes(_CHECK_OCTETS, "little")
    if len(packet) > _MAX_PACKET:
        return StatusOnly(Status.MESSAGE_TOO_LONG)
    if len(packet) < _MIN_PACKET:
        return StatusOnly(Status.INVALID_PARAMETER)
    if not ncp.identity.transmits:
        return StatusOnly(Status.TRANSMIT_BLOCKED)
    ncp.air.transmit(packet, on, ncp.now)
    return StatusOnly()


@RAW.handles(Frame.SET_RADIO_CHANNEL)
def set_radio_channel(ncp: NcpState, asked: Channel) -> StatusOnly:
    """Refuse to move the network: nobody would follow."""
    if asked.channel not in CHANNELS:
        return StatusOnly(Status.TRANSMIT_INVALID_CHANNEL)
    stored = ncp.nv.network
    if not ncp.ram.joined or stored is None:
        return StatusOnly(Status.NOT_JOINED)
    stays = stored.parameters.channel == asked.channel
    return StatusOnly(Status.OK if stays else Status.NOT_SUPPORTED)
