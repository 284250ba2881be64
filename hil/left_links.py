"""Closes the links that a run which was killed left open on an optical port."""

from typing import Final

from device_profiles.dlms import DlmsSection
from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind, control
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.codecs.dlms.mode_e import Identification
from harness.dlms.settings import LineSettings
from hil.serial_port import SerialPort

#: Longest wait for the answer to one DISC, in seconds. Source: invented; a meter answers in 0.2 s.
_ANSWER_S: Final = 0.5


def close_left_links(port: SerialPort, settings: LineSettings, section: DlmsSection) -> int:
    """Say DISC as every client the model knows, at the speed HDLC was opened with.

    A meter that has an HDLC link open answers no sign-on until its inactivity time-out, two
    minutes as a rule. DISC changes nothing else: who is not connected is told so.

    Args:
        port: The line, open at the speed of the sign-on; left at that speed.
        settings: How the meter is spoken to.
        section: Its clients, and the speed it proposes.

    Returns:
        How many were answered; 0: the meter has no HDLC open, or is not there.

    Raises:
        PortLostError: The port went away.
    """
    begun_at = port.baud
    port.set_baud(_hdlc_baud(settings, section))
    answered = 0
    for client in section.associations:
        port.write(_disc(settings, section, client.client))
        answered += _hears_a_frame(port)
    port.set_baud(begun_at)
    return answered


def _hdlc_baud(settings: LineSettings, section: DlmsSection) -> int:
    sign_on = section.sign_on
    if settings.baud is not None or sign_on is None:
        return settings.baud or settings.sign_on_baud
    proposed = Identification(sign_on.manufacturer, sign_on.baud_character, sign_on.name).baud
    return proposed or settings.sign_on_baud


def _disc(settings: LineSettings, section: DlmsSection, client: int) -> bytes:
    meter = Address(section.logical_device, settings.physical_address, settings.address_bytes)
    return hdlc.encode(Frame(meter, Address(client), control(Kind.DISC)))


def _hears_a_frame(port: SerialPort) -> bool:
    splitter = FrameSplitter()
    while octets := port.read(_ANSWER_S):
        if splitter.feed(octets):
            return True
    return False
