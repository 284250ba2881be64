"""What our client was asked to do in a recorded conversation: jobs that make it say the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from emulator.codecs.dlms import apdu_set, axdr
from emulator.codecs.dlms.acse import AssociationRequest, AssociationResponse
from emulator.codecs.dlms.acse_release import ReleaseRequest
from emulator.codecs.dlms.apdu_action import (
    ActionBlockRequest,
    ActionFirstBlockRequest,
    ActionRequest,
)
from emulator.codecs.dlms.apdu_get import GetListRequest, GetRequest
from emulator.codecs.dlms.apdu_set import (
    SetBlockRequest,
    SetFirstBlockRequest,
    SetListFirstBlockRequest,
    SetListRequest,
    SetRequest,
)
from emulator.codecs.dlms.mode_e import OptionSelect, SignOn, with_substitutes
from emulator.core.errors import MalformedFrameError
from harness.dlms.association import REPLY_TO_HLS, Draw
from harness.dlms.jobs import (
    ActionJob,
    AssociateJob,
    Done,
    GetJob,
    Job,
    Output,
    RawJob,
    ReleaseJob,
    SetJob,
    SignOnJob,
    Value,
    Write,
)
from harness.dlms.line import ReaderLine
from harness.dlms_view.conversation import Exchange, ExchangeKind
from harness.dlms_view.opened import ClientKeys, KeyRing, opened
from harness.dlms_view.told import value_of
from harness.errors import UsageError
from harness.meter import Credentials
from harness.replay_client import recorded_exchanges
from harness.replay_player import Player
from harness.replay_wire import settings_of
from harness.transcript import Transcript

#: Gives the credentials of a client by its service access point.
Whose = Mapping[int, Credentials]


def jobs_of(exchanges: Sequence[Exchange], clients: Whose) -> list[Job]:
    """Return the jobs that make our client say what a recorded client said.

    Args:
        exchanges: The recording.
        clients: Service access point -> credentials of the clients in it.

    Raises:
        UsageError: The recording has a client of whom nobody has the credentials.
    """
    ring = ring_of(exchanges, clients)
    return list(_Jobs(clients).of(opened(exchanges, ring)))


def ring_of(exchanges: Sequence[Exchange], clients: Whose) -> KeyRing:
    """Return the keys that open what was said; the meter's title is the one of its AAREs."""
    ring = {}
    for exchange in exchanges:
        who, title = clients.get(exchange.client or 0), _server_title(exchange)
        if who is not None and who.keys is not None and title:
            ring[who.client] = ClientKeys(who.keys, who.title, title)
    return ring


def _server_title(exchange: Exchange) -> bytes:
    for octets in exchange.answers if exchange.kind is ExchangeKind.SERVICE else ():
        try:
            value = value_of(octets)
        except MalformedFrameError:
            continue
        if isinstance(value, AssociationResponse):
            return value.title or b""
    return b""


class _Jobs:
    """Turns exchanges into jobs, one after another."""

    def __init__(self, clients: Whose) -> None:
        self._clients = clients
        self._released = False

    def of(self, exchanges: Sequence[Exchange]) -> Iterator[Job]:
        for number, exchange in enumerate(exchanges):
            if exchange.kind is ExchangeKind.TEXT:
                yield from _signed(exchange, exchanges[number + 1 : number + 2])
            elif exchange.kind is ExchangeKind.DISCONNECT:
                if not self._released:
                    yield ReleaseJob()
                self._released = False
            elif exchange.kind is ExchangeKind.SERVICE:
                yield from self._service(exchange)

    def _service(self, exchange: Exchange) -> Iterator[Job]:
        who = self._credentials(exchange)
        try:
            value: object = value_of(exchange.request)
        except MalformedFrameError:
            value = None
        if isinstance(value, AssociationRequest):
            yield AssociateJob(who)
        elif isinstance(value, ReleaseRequest):
            self._released = True
            yield ReleaseJob()
        elif isinstance(value, ActionRequest) and value.method == REPLY_TO_HLS:
            return  # a part of the association
        else:
            yield _job(value, exchange.requests) or RawJob(exchange.request)

    def _credentials(self, exchange: Exchange) -> Credentials:
        found = self._clients.get(exchange.client or 0)
        if found is None:
            raise UsageError(
                f"nobody has the credentials of client {exchange.client}, which the capture has",
                cause="a client of another profile, or of a bench file that is not at hand",
                next_command="smetsbench replay NAME --as device   (and your own client)",
            )
        return found


def _signed(exchange: Exchange, following: Sequence[Exchange]) -> Iterator[Job]:
    """Return the job of a sign-on that no association said; the option select is a part of it."""
    text = with_substitutes(exchange.request)
    try:
        SignOn.decode(text)
    except MalformedFrameError:
        return
    option = _option(following[0]) if following else None
    if option is None:
        yield SignOnJob()
    elif not option.opens_hdlc:
        yield SignOnJob(read_out=True)


def _option(exchange: Exchange) -> OptionSelect | None:
    if exchange.kind is not ExchangeKind.TEXT:
        return None
    try:
        return OptionSelect.decode(with_substitutes(exchange.request))
    except MalformedFrameError:
        return None


def _job(value: object, requests: Sequence[bytes]) -> Job | None:
    if isinstance(value, GetRequest):
        return GetJob((value.attribute,))
    if isinstance(value, GetListRequest):
        return GetJob(value.attributes)
    if isinstance(value, SetRequest):
        return SetJob(((value.attribute, value.value),))
    if isinstance(value, SetListRequest):
        return SetJob(tuple(zip(value.attributes, value.values, strict=True)))
    if isinstance(value, ActionRequest):
        return ActionJob(value.method, value.parameters)
    return _long_job(value, requests)


def _long_job(value: object, requests: Sequence[bytes]) -> Job | None:
    """Return the job of a request that went in blocks; None where it was cut short."""
    kinds = SetFirstBlockRequest | SetListFirstBlockRequest | ActionFirstBlockRequest
    if not isinstance(value, kinds):
        return None
    blocks = [value.block]
    for octets in requests[1:]:
        more = value_of(octets)
        if isinstance(more, SetBlockRequest | ActionBlockRequest):
            blocks.append(more.block)
    content = b"".join(block.octets for block in blocks)
    try:
        if isinstance(value, ActionFirstBlockRequest):
            return ActionJob(value.method, axdr.decode(content))
        if isinstance(value, SetFirstBlockRequest):
            return SetJob(((value.attribute, axdr.decode(content)),))
        values = apdu_set.decode_values(content)
        return SetJob(tuple(zip(value.attributes, values, strict=True)))
    except (MalformedFrameError, ValueError):
        return None


def play_client(
    transcript: Transcript,
    player: Player,
    clients: Whose,
    draw: Draw,
    *,
    step: Callable[[int], None] | None = None,
) -> list[Value]:
    """Have our client do again what it did in a recording, against a player; nothing waits.

    Args:
        transcript: The recording.
        player: Who answers in the meter's place.
        clients: Service access point -> credentials.
        draw: The client's chance, as it was.
        step: Called with 1 after each job.

    Returns:
        What each job came to.
    """
    line = ReaderLine(settings_of(transcript), draw)
    player.connected()
    values: list[Value] = []
    now_ms = 0
    for job in jobs_of(recorded_exchanges(transcript), clients):
        outputs, done = line.begin(job, now_ms), False
        while not done:
            octets = b"".join(one.octets for one in outputs if isinstance(one, Write))
            for one in outputs:
                if isinstance(one, Done):
                    values.append(one.value)
                    done = True
            if not done:
                now_ms, outputs = _turn(line, player, octets, now_ms)
        if step is not None:
            step(1)
    return values


def _turn(line: ReaderLine, player: Player, octets: bytes, now_ms: int) -> tuple[int, list[Output]]:
    """Hand octets over and the answers back; time passes only when nobody says anything."""
    answers = player.receive(octets) if octets else player.silence()
    if answers:
        return now_ms, line.receive(b"".join(one.octets for one in answers), now_ms)
    due_ms = line.deadline_ms
    now_ms = now_ms + 1 if due_ms is None else max(now_ms, due_ms)
    return now_ms, line.expire(now_ms)
