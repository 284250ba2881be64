"""Two devices that establish a key by handing each other octets."""

import copy
from dataclasses import dataclass, field
from functools import cache

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.key_establishment import (
    KeyEstablishmentCommand,
    KeySuite,
    Terminate,
    TerminateStatus,
)
from emulator.core.chance import Stream
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.binary_curve import InvalidPointError
from emulator.crypto.cbke import SoftwareEngine
from emulator.crypto.cbke_outputs import (
    Agree,
    CbkeIdentity,
    CbkeOutput,
    Ended,
    Established,
    MakeKey,
    Refusal,
    Send,
)
from emulator.crypto.cbke_session import CbkeSession
from emulator.crypto.cbke_table import CbkeRole, CbkeState
from emulator.crypto.ecqv import TEST_ISSUER, Authority, Credentials

METER = Eui64.parse("00-DB-12-34-56-78-90-A0")
HUB = Eui64.parse("00-DB-12-34-56-78-90-A1")
STRANGER = Eui64.parse("00-DB-12-34-56-78-90-A2")


@cache
def authority(suite: KeySuite, seed: int = 1, issuer: bytes = TEST_ISSUER) -> Authority:
    return Authority.draw(suite, Stream(seed, f"authority {suite}"), issuer)


@cache
def credentials(suite: KeySuite, device: Eui64, seed: int = 1) -> Credentials:
    return authority(suite, seed).issue(device, Stream(seed, f"issued {suite} {device}"))


@dataclass
class Player:
    """One device: its session, its arithmetic, and what came of it."""

    session: CbkeSession
    engine: SoftwareEngine
    link_key: bytes | None = None
    ended: Ended | None = None
    sequence: int = 0
    log: list[CbkeOutput] = field(default_factory=list)

    def start(self) -> list[bytes]:
        return self._perform(self.session.start())

    def hear(self, octets: bytes) -> list[bytes]:
        """Take one frame; return the frames it leads to."""
        try:
            frame = zcl_frame.decode(octets)
            command = cluster.decode(frame)
        except MalformedFrameError as error:
            return self._perform(self.session.unreadable(str(error)))
        self.sequence = frame.sequence
        return self._perform(self.session.receive(command))

    def _perform(self, outputs: list[CbkeOutput]) -> list[bytes]:
        frames: list[bytes] = []
        for output in outputs:
            self.log.append(output)
            match output:
                case Send():
                    answers = self.session.role is CbkeRole.RESPONDER
                    if not answers:
                        self.sequence += 1
                    frames.append(
                        cluster.encode(output.command, self.sequence, server_to_client=answers)
                    )
                case MakeKey():
                    frames += self._perform(self.session.key_made(self.engine.make_key()))
                case Agree():
                    frames += self._agree(output)
                case Established():
                    self.link_key = self.engine.take_link_key()
                case Ended():
                    self.ended = output
        return frames

    def _agree(self, wanted: Agree) -> list[bytes]:
        try:
            agreed = self.engine.agree(wanted.certificate, wanted.key, initiator=wanted.initiator)
        except InvalidPointError as error:
            refusal = Refusal(TerminateStatus.BAD_MESSAGE, str(error))
            return self._perform(self.session.cannot(refusal))
        return self._perform(self.session.agreed(agreed.mac_u, agreed.mac_v))


def player(role: CbkeRole, ours: Credentials, partner: Eui64, name: str = "") -> Player:
    identity = CbkeIdentity(ours.subject, {ours.suite: ours.certificate})
    suite = ours.suite if role is CbkeRole.INITIATOR else None
    session = CbkeSession(role, identity, partner, suite)
    return Player(session, SoftwareEngine(ours, Stream(1, f"{name}{role}")))


def pair(suite: KeySuite, name: str = "") -> tuple[Player, Player]:
    """A meter that begins and a hub that answers, both of one authority."""
    return (
        player(CbkeRole.INITIATOR, credentials(suite, METER), HUB, name),
        player(CbkeRole.RESPONDER, credentials(suite, HUB), METER, name),
    )


def play(meter: Player, hub: Player, frames: list[bytes] | None = None) -> list[bytes]:
    """Carry frames to and fro until both are silent; return all of them."""
    carried: list[bytes] = []
    waiting = meter.start() if frames is None else frames
    listener, talker = hub, meter
    while waiting:
        carried += waiting
        waiting = [answer for frame in waiting for answer in listener.hear(frame)]
        listener, talker = talker, listener
    return carried


@dataclass(frozen=True)
class Moment:
    """An honest exchange just before one of its six frames arrives."""

    frame: bytes
    listener: Player
    talker: Player

    def copies(self) -> tuple[Player, Player]:
        listener, talker = copy.deepcopy((self.listener, self.talker))
        return listener, talker


@cache
def moments(suite: KeySuite) -> tuple[Moment, ...]:
    """All six moments of one honest exchange."""
    meter, hub = pair(suite)
    (frame,) = meter.start()
    listener, talker = hub, meter
    found = []
    while frame:
        found.append(Moment(frame, *copy.deepcopy((listener, talker))))
        answers = listener.hear(frame)
        frame = answers[0] if answers else b""
        listener, talker = talker, listener
    return tuple(found)


def carry_on(listener: Player, talker: Player, frame: bytes) -> None:
    """Let ``listener`` hear this frame, and both go on as they like."""
    waiting = [frame]
    while waiting:
        waiting = [answer for heard in waiting for answer in listener.hear(heard)]
        listener, talker = talker, listener


def read(octets: bytes) -> KeyEstablishmentCommand:
    return cluster.decode(zcl_frame.decode(octets))


def last_status(frames: list[bytes]) -> TerminateStatus:
    command = read(frames[-1])
    assert isinstance(command, Terminate)
    return command.status


def nobody_has_a_key(*players: Player) -> bool:
    return all(
        player.link_key is None and player.session.state is not CbkeState.ESTABLISHED
        for player in players
    )
