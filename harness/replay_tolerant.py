"""Answers a client out of a recorded conversation by what is asked, whatever the frames around it.

Links are our own station's: addresses, numbers, segments and windows may differ from the
recording. A request is answered with what the meter answered to the same request, the next one
first where it was asked several times; invoke ids may differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import apdu_exception, wrapper
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.hdlc import Frame
from emulator.codecs.dlms.hdlc_link import ApduReceived, LinkSettings, Send
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_station import LinkOutput, Station
from emulator.codecs.dlms.mode_e import with_substitutes
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.errors import MalformedFrameError
from harness.dlms.settings import Framing
from harness.dlms_view.apdu import tell
from harness.dlms_view.conversation import ExchangeKind
from harness.dlms_view.line import parameters_of
from harness.dlms_view.readings import subject_of
from harness.dlms_view.scan import Piece, Scanner
from harness.dlms_view.texts import is_whole, tell_text
from harness.line_secrets import masked
from harness.replay_client import recorded_exchanges
from harness.replay_player import MAX_KEPT, Answer, Mismatch
from harness.transcript import Transcript

#: What is answered to a request that was never recorded. Not the meter's answer: it says so by
#: being one no meter gives to a well-formed request.
_NOT_RECORDED: Final = apdu_exception.encode(
    ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.OTHER_REASON)
)
#: Tags of GET, SET and ACTION, whose third octet is the invoke id.
_WITH_INVOKE_ID: Final = frozenset({0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7})


@dataclass(slots=True)
class _Recorded:
    """One request with its answer."""

    request: bytes
    answer: bytes
    used: bool = False


class TolerantPlayer:
    """Answers what was asked in the recording, in any order and framing.

    Attributes:
        mismatches: What was never asked in the recording.
        count: Their number.
    """

    def __init__(self, transcript: Transcript, channel: int = 0) -> None:
        """Play one channel of a recording."""
        self.mismatches: list[Mismatch] = []
        self.count = 0
        self._framing = transcript.about.framing
        exchanges = recorded_exchanges(transcript, channel)
        self._texts = [
            _Recorded(with_substitutes(one.request), b"".join(one.answers))
            for one in exchanges
            if one.kind is ExchangeKind.TEXT
        ]
        self._apdus = [
            _Recorded(_plain(request), answer)
            for one in exchanges
            if one.kind is ExchangeKind.SERVICE
            for request, answer in zip(one.requests, one.answers, strict=False)
        ]
        agreed = [
            one.answers[-1] for one in exchanges if one.kind is ExchangeKind.CONNECT and one.answers
        ]
        self._settings = LinkSettings(_limits(agreed))
        self._servers = frozenset(one.server for one in exchanges if one.server is not None)
        self._begin()

    @property
    def left(self) -> int:
        """How many recorded requests have not come."""
        return sum(not one.used for one in (*self._texts, *self._apdus))

    def _begin(self) -> None:
        self._scanner = Scanner(self._framing)
        self._station = Station(self._settings, self._servers)
        self._text = b""

    def connected(self) -> list[Answer]:
        """Note that a client is there."""
        self._begin()
        return []

    def receive(self, octets: bytes) -> list[Answer]:
        """Take octets of the client."""
        return self._take(self._scanner.feed(octets))

    def silence(self) -> list[Answer]:
        """Note that nothing came for a while."""
        answers = self._take(self._scanner.end())
        if self._text:
            self._refuse(tell_text(self._text).label, self._text)
            self._text = b""
        self._scanner = Scanner(self._framing)
        return answers

    def _take(self, pieces: Iterable[Piece]) -> list[Answer]:
        answers: list[Answer] = []
        for piece in pieces:
            if isinstance(piece.frame, WrapperFrame):
                answers.append(self._wrapper(piece.frame))
            elif isinstance(piece.frame, Frame):
                answers += self._hdlc(self._station.feed(piece.octets, 0))
            elif self._framing is not Framing.WRAPPER:
                answers += self._said(piece.octets)
        return answers

    def _said(self, octets: bytes) -> list[Answer]:
        self._text += octets
        if not is_whole(self._text):
            return []
        text, self._text = self._text, b""
        found = _next(self._texts, with_substitutes(text))
        if found is None:
            self._refuse(tell_text(text).label, text)
            return []
        return [Answer(found.answer)] if found.answer else []

    def _hdlc(self, outputs: Sequence[LinkOutput]) -> list[Answer]:
        answers: list[Answer] = []
        for told in outputs:
            output = told.output
            if isinstance(output, Send):
                answers.append(Answer(output.octets))
            elif isinstance(output, ApduReceived) and told.key in self._station.links:
                link = self._station.links[told.key]
                more = link.answer(self._answer(output.apdu), 0)
                answers += self._hdlc([LinkOutput(told.key, one) for one in more])
        return answers

    def _wrapper(self, frame: WrapperFrame) -> Answer:
        apdu = self._answer(frame.apdu)
        return Answer(wrapper.encode(WrapperFrame(frame.destination, frame.source, apdu)))

    def _answer(self, apdu: bytes) -> bytes:
        found = _next(self._apdus, _plain(apdu))
        if found is None:
            self._refuse(subject_of(apdu), masked(apdu))
            return _NOT_RECORDED
        if apdu[0] in _WITH_INVOKE_ID and found.answer[:1] and found.answer[0] in _WITH_INVOKE_ID:
            return found.answer[:2] + apdu[2:3] + found.answer[3:]
        return found.answer

    def _refuse(self, got: str, octets: bytes) -> None:
        self.count += 1
        if self.count <= MAX_KEPT:
            number = sum(one.used for one in (*self._texts, *self._apdus)) + 1
            due = next((one for one in self._apdus if not one.used), None)
            expected = "nothing more" if due is None else tell(due.request).label
            self.mismatches.append(Mismatch(number, expected, got, octets))


def _limits(agreed: Sequence[bytes]) -> Parameters:
    """Return the limits of the recorded meter; the defaults where no link was recorded."""
    try:
        return parameters_of(agreed[0]) if agreed else Parameters()
    except MalformedFrameError:
        return Parameters()


def _plain(apdu: bytes) -> bytes:
    """Return a request without what may differ: secrets masked, invoke id zero."""
    hidden = masked(apdu)
    if hidden[:1] and hidden[0] in _WITH_INVOKE_ID:
        return hidden[:2] + b"\0" + hidden[3:]
    return hidden


def _next(recorded: Sequence[_Recorded], request: bytes) -> _Recorded | None:
    """Return the next recording of a request, or its last one when all were used."""
    same = [one for one in recorded if one.request == request]
    found = next((one for one in same if not one.used), same[-1] if same else None)
    if found is not None:
        found.used = True
    return found
