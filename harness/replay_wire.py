"""Says recorded requests on a line, exchange by exchange, and returns what the meter answers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

from emulator.codecs.dlms import hdlc_parameters
from emulator.codecs.dlms.apdu_get import (
    GetBlockResponse,
    GetListRequest,
    GetNextRequest,
    GetRequest,
    encode_request,
)
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.codecs.dlms.hdlc_link import LinkSettings
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.mode_e import BAUD_RATES, OptionSelect, with_substitutes
from emulator.core.errors import MalformedFrameError
from harness.dlms.carrier import Carrier, CarrierOutput, Gone, Heard, Stands
from harness.dlms.carrier_hdlc import HdlcCarrier
from harness.dlms.carrier_wrapper import WrapperCarrier
from harness.dlms.jobs import Write
from harness.dlms.settings import Framing, LineSettings
from harness.dlms_view.conversation import Exchange, ExchangeKind
from harness.dlms_view.line import Way
from harness.dlms_view.scan import pieces_of
from harness.dlms_view.texts import is_whole
from harness.dlms_view.told import value_of
from harness.line_secrets import unmasked
from harness.meter import Credentials, Silence
from harness.transcript import Transcript

#: How long a text may take to come, and a pause that ends one.
_TEXT_S: Final = 3.0
_PAUSE_S: Final = 0.3
#: A line without a deadline of its own is asked this often.
_IDLE_S: Final = 1.0
#: An option select that opens HDLC.
_MODE_E: Final = re.compile(rb"\x062.2\r\n")
_NO_LINK: Final = Gone(Silence.LINK_LOST, "there is no link")


class Wire(Protocol):
    """A meter's line, as whoever reads it holds it; every call blocks."""

    @property
    def now_ms(self) -> int:
        """The present moment of the line's clock, milliseconds."""
        ...

    def write(self, octets: bytes) -> None:
        """Put octets on the line."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """Return what came, at least one octet; nothing when the time is up."""
        ...

    def set_baud(self, baud: int) -> None:
        """Send and receive at this speed from now on."""
        ...

    def pass_until(self, at_ms: int) -> None:
        """Let time pass until a moment of the recording, where time can be let pass."""
        ...


def settings_of(transcript: Transcript) -> LineSettings:
    """Return how the recorded client spoke to the meter: addresses and limits."""
    framing, sent = transcript.about.framing, transcript.octets(Way.IN)
    address, offered = Address(1), Parameters()
    for piece in pieces_of(sent, framing):
        if isinstance(piece.frame, Frame):
            address = piece.frame.destination
            offered = _offered(piece.frame)
            break
    return LineSettings(
        framing=framing,
        address_bytes=address.size,
        physical_address=address.lower,
        link=LinkSettings(offered),
        mode_e=framing is not Framing.OPTICAL or _MODE_E.search(with_substitutes(sent)) is not None,
    )


def _offered(frame: Frame) -> Parameters:
    if frame.control.kind is not Kind.SNRM or not frame.information:
        return Parameters()
    try:
        return hdlc_parameters.decode(frame.information)
    except MalformedFrameError:
        return Parameters()


class Asker:
    """Says recorded requests on a line, one exchange after another."""

    def __init__(self, wire: Wire, settings: LineSettings, secrets: Mapping[int, bytes]) -> None:
        """Take over a line.

        Args:
            wire: The line.
            settings: How the meter is spoken to.
            secrets: Client's service access point -> low-level secret, put back where masked.
        """
        self._wire = wire
        self._settings = settings
        self._secrets = secrets
        self._carriers: dict[int, Carrier] = {}
        self._heard = bytearray()

    def ask(self, then: Exchange) -> Exchange:
        """Return an exchange as it goes this time."""
        match then.kind:
            case ExchangeKind.TEXT:
                return replace(then, answers=tuple(self._texts(then)))
            case ExchangeKind.CONNECT:
                return self._connect(then)
            case ExchangeKind.DISCONNECT:
                return self._disconnect(then)
            case ExchangeKind.SERVICE:
                return self._service(then)
            case ExchangeKind.UNASKED:
                return then  # a meter cannot be asked to speak by itself

    # Texts.

    def _texts(self, then: Exchange) -> Iterator[bytes]:
        self._wire.write(then.request)
        for _ in then.answers:
            text, patience_s = b"", _TEXT_S
            while not is_whole(text):
                octets = self._wire.read(patience_s)
                if not octets:
                    break
                text, patience_s = text + octets, _PAUSE_S
            if text:
                yield text
        self._follow(then.request)

    def _follow(self, request: bytes) -> None:
        """Change the speed as an option select agrees."""
        try:
            chosen = OptionSelect.decode(with_substitutes(request))
        except MalformedFrameError:
            return
        self._wire.set_baud(BAUD_RATES.get(chosen.speed, 300))

    # Links.

    def _connect(self, then: Exchange) -> Exchange:
        carrier = self._new_carrier(then)
        told = self._settled(carrier, carrier.open(self._wire.now_ms))
        information = _of_agreement(bytes(self._heard))
        if isinstance(told, Stands):
            self._carriers[then.client or 0] = carrier
            return replace(then, answers=(information or b"",), refused=False)
        refused = information is not None
        return replace(then, answers=(b"",) if refused else (), refused=refused)

    def _disconnect(self, then: Exchange) -> Exchange:
        carrier = self._carriers.pop(then.client or 0, None)
        if carrier is None:
            return replace(then, answers=())
        told = self._settled(carrier, carrier.close(self._wire.now_ms))
        orderly = isinstance(told, Gone) and told.orderly
        return then if orderly else replace(then, answers=())

    def _new_carrier(self, then: Exchange) -> Carrier:
        who = Credentials("replayed", then.client or 0, server=then.server or 0, max_pdu_bytes=0)
        if self._settings.framing is Framing.WRAPPER:
            return WrapperCarrier(self._settings, who)
        return HdlcCarrier(self._settings, who, None)

    # Services.

    def _service(self, then: Exchange) -> Exchange:
        client = then.client or 0
        carrier = self._carriers.get(client)
        if carrier is None and self._settings.framing is Framing.WRAPPER:
            carrier = self._carriers[client] = self._new_carrier(then)
        asked: list[bytes] = []
        answers: list[bytes] = []
        request = then.request
        while request and carrier is not None:
            asked.append(request)
            octets = unmasked(request, self._secrets.get(client, b""))
            told = self._settled(carrier, carrier.send(octets, self._wire.now_ms))
            if not isinstance(told, Heard):
                del self._carriers[client]
                break
            answers.append(told.apdu)
            request = _next_request(then, asked, told.apdu)
        return replace(then, requests=tuple(asked), answers=tuple(answers))

    def _settled(self, carrier: Carrier, outputs: list[CarrierOutput]) -> CarrierOutput:
        """Do what a carrier asks for until it has told something."""
        self._heard.clear()
        while True:
            for output in outputs:
                if isinstance(output, Write):
                    self._wire.write(output.octets)
                else:
                    return output
            outputs = self._listen(carrier)

    def _listen(self, carrier: Carrier) -> list[CarrierOutput]:
        due_ms = carrier.deadline_ms
        if due_ms is None:
            return [_NO_LINK]
        octets = self._wire.read(max(0.0, (due_ms - self._wire.now_ms) / 1000))
        if octets:
            self._heard += octets
            return carrier.receive(octets, self._wire.now_ms)
        return carrier.expire(self._wire.now_ms)


def _of_agreement(octets: bytes) -> bytes | None:
    """Return the information field of the UA, or of the DM, that was heard; None for neither."""
    for piece in pieces_of(octets):
        frame = piece.frame
        if isinstance(frame, Frame) and frame.control.kind in {Kind.UA, Kind.DM, Kind.FRMR}:
            return frame.information
    return None


def _next_request(then: Exchange, asked: list[bytes], answer: bytes) -> bytes:
    """Return what is to be said next in a service; nothing when it has ended.

    A long answer may be as long as it likes, whatever was recorded; blocks of a request are the
    recorded ones.
    """
    try:
        first, last = value_of(asked[0]), value_of(answer)
    except MalformedFrameError:
        return b""
    if isinstance(first, GetRequest | GetListRequest):
        if isinstance(last, GetBlockResponse) and not last.block.last:
            return encode_request(GetNextRequest(first.invoke, last.block.number))
        return b""
    return then.requests[len(asked)] if len(asked) < len(then.requests) else b""
