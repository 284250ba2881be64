"""HDLC ends brought into any state, and frames for them."""

from emulator.codecs.dlms import hdlc, hdlc_parameters
from emulator.codecs.dlms.hdlc import LLC_COMMAND, Address, Frame
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_control import (
    CONTROLS,
    Kind,
    i_control,
)
from emulator.codecs.dlms.hdlc_link import (
    LinkSettings,
    Output,
    Send,
)
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_server import ServerLink, ServerState

SERVER, CLIENT = Address(1), Address(16)
SETTINGS = LinkSettings()
WIDE = LinkSettings(Parameters(16, 16, 3, 3))


def command(control_octet: int, information: bytes = b"", *, segmented: bool = False) -> Frame:
    return Frame(SERVER, CLIENT, CONTROLS[control_octet], information, segmented)


def response(control_octet: int, information: bytes = b"", *, segmented: bool = False) -> Frame:
    return Frame(CLIENT, SERVER, CONTROLS[control_octet], information, segmented)


def request(send: int, receive: int, text: bytes, *, poll: bool = True) -> Frame:
    return Frame(SERVER, CLIENT, i_control(send, receive, poll=poll), LLC_COMMAND + text)


def deadline(link: ServerLink) -> int | None:
    return link.deadline_ms  # a call, so that mypy does not think it fixed


def sent(outputs: list[Output]) -> list[Frame]:
    return [hdlc.decode(output.octets) for output in outputs if isinstance(output, Send)]


def kinds(outputs: list[Output]) -> list[Kind]:
    return [frame.control.kind for frame in sent(outputs)]


def reached_server(state: ServerState, link_settings: LinkSettings = SETTINGS) -> ServerLink:
    """A server brought into ``state`` by frames, at time 0."""
    link = ServerLink(link_settings, SERVER, CLIENT)
    if state is ServerState.DISCONNECTED:
        return link
    offered = hdlc_parameters.encode(link_settings.parameters)
    link.receive(command(0x93, offered), 0)
    if state is ServerState.REJECTED:
        link.receive(command(0x19), 0)
    elif state is not ServerState.READY:
        link.receive(request(0, 0, b"question"), 0)
        if state is ServerState.SENDING:
            link.answer(b"answer", 0)
    assert link.state is state
    return link


def reached_client(state: ClientState, link_settings: LinkSettings = SETTINGS) -> ClientLink:
    """A client brought into ``state``, at time 0."""
    link = ClientLink(link_settings, CLIENT, SERVER)
    if state is ClientState.DISCONNECTED:
        return link
    link.connect(0)
    if state is ClientState.CONNECTING:
        return link
    link.receive(response(0x73, hdlc_parameters.encode(link_settings.parameters)), 0)
    if state in {ClientState.WAITING, ClientState.PAUSED}:
        link.send(b"question", 0)
    if state is ClientState.PAUSED:
        link.receive(response(0x31), 0)
    if state is ClientState.DISCONNECTING:
        link.disconnect(0)
    assert link.state is state
    return link
