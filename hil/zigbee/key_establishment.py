"""Key establishment (cluster 0x0800) at one end of a HAN, as responder and as initiator.

    end = KeyEstablishment(identity, engine, send, admit, ended)   # in the radio's thread
    end.heard(peer, octets)                  # every frame of the cluster; answers by itself
    outcome = await end.establish(hub, KeySuite.CBKE_283)          # as initiator
    end.close()

The machine is `emulator.crypto.cbke_session`; this gives it time, frames and arithmetic. A node's
question for the cluster's one attribute is answered here, too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from emulator.codecs.zcl import foundation, frame
from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.foundation import AttributeReading, AttributeValue
from emulator.codecs.zcl.key_establishment import (
    TYPES,
    ConfirmRequest,
    EphemeralRequest,
    InitiateRequest,
    KeyEstablishmentAttribute,
    KeySuite,
    Terminate,
    TerminateStatus,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
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
from emulator.crypto.cbke_session import BACK_OFF_S, CbkeSession
from emulator.crypto.cbke_table import CbkeRole
from harness.errors import HarnessError
from harness.han_ports import JoinOutcome
from hil.zigbee.cbke_engines import CbkeEngine

#: What the end of an exchange is called in a `JoinOutcome`.
WORDS: Final = {
    TerminateStatus.UNKNOWN_ISSUER: "bad-certificate",
    TerminateStatus.INVALID_CERTIFICATE: "bad-certificate",
    TerminateStatus.BAD_KEY_CONFIRM: "wrong-key",
    TerminateStatus.BAD_MESSAGE: "bad-message",
    TerminateStatus.NO_RESOURCES: "no-resources",
    TerminateStatus.UNSUPPORTED_SUITE: "unsupported",
    None: "no-answer",
}
_UNSUPPORTED_ATTRIBUTE: Final = 0x86


@dataclass(slots=True)
class _Exchange:
    """One exchange under way."""

    session: CbkeSession
    sequence: int
    latest: bytes = b""
    alarm: asyncio.TimerHandle | None = None


SendFrame = Callable[[Eui64, bytes], Awaitable[object]]
Admit = Callable[[Eui64], TerminateStatus | None]
Tell = Callable[[Eui64, JoinOutcome], None]


class KeyEstablishment:
    """The cluster at our end, one exchange at a time. Lives in the radio's thread."""

    def __init__(
        self,
        identity: CbkeIdentity,
        engine: CbkeEngine,
        send: SendFrame,
        admit: Admit,
        ended: Tell,
    ) -> None:
        """Take who we are and who computes.

        Args:
            identity: Certificates and times.
            engine: The arithmetic.
            send: Sends a ZCL frame of the cluster to a node.
            admit: Says why no key is established with a node that asks, or None.
            ended: Told how each exchange ended.
        """
        self._identity = identity
        self._engine = engine
        self._send = send
        self._admit = admit
        self._ended = ended
        self._exchange: _Exchange | None = None
        self._waiter: asyncio.Future[JoinOutcome] | None = None
        self._number = 0
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._worker = asyncio.get_running_loop().create_task(self._work())

    def close(self) -> None:
        """Stop, without a word to anybody."""
        self._worker.cancel()
        if self._exchange is not None and self._exchange.alarm is not None:
            self._exchange.alarm.cancel()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.cancel()

    # -- events --------------------------------------------------------------------------------

    def heard(self, peer: Eui64, octets: bytes) -> None:
        """Take a frame of the cluster."""
        self._jobs.put_nowait(lambda: self._take(peer, octets))

    async def establish(self, partner: Eui64, suite: KeySuite) -> JoinOutcome:
        """Agree with a node on a link key, as the initiator."""
        if suite not in self._identity.certificates:
            return JoinOutcome(False, "unsupported", "there is no certificate of that suite here")
        if self._live() is not None or self._waiter is not None:
            return JoinOutcome(False, "no-resources", "another exchange is under way")
        self._waiter = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait(lambda: self._begin(partner, suite))
        try:
            return await self._waiter
        finally:
            self._waiter = None

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await job()
            except HarnessError as error:
                self._broken(error)

    def _broken(self, error: HarnessError) -> None:
        exchange = self._live()
        self._exchange = None
        if exchange is not None:
            outcome = JoinOutcome(False, "no-resources", error.what)
            self._tell(exchange.session.partner, outcome)

    def _live(self) -> _Exchange | None:
        exchange = self._exchange
        return exchange if exchange is not None and exchange.session.live else None

    # -- frames --------------------------------------------------------------------------------

    async def _begin(self, partner: Eui64, suite: KeySuite) -> None:
        self._number = self._number % 0xFF + 1
        session = CbkeSession(CbkeRole.INITIATOR, self._identity, partner, suite)
        self._exchange = _Exchange(session, self._number)
        await self._perform(self._exchange, session.start())

    async def _take(self, peer: Eui64, octets: bytes) -> None:
        try:
            zcl = frame.decode(octets)
        except MalformedFrameError:
            return
        if not zcl.cluster_specific:
            await self._foundation(peer, zcl)
            return
        exchange = self._live()
        if exchange is not None and exchange.session.partner == peer:
            await self._from_partner(exchange, octets, zcl)
        else:
            await self._from_other(peer, octets, zcl)

    async def _from_partner(self, exchange: _Exchange, octets: bytes, zcl: frame.ZclFrame) -> None:
        session = exchange.session
        if octets == exchange.latest:
            return
        exchange.latest = octets
        responder = session.role is CbkeRole.RESPONDER
        if responder:
            exchange.sequence = zcl.sequence
        try:
            command = cluster.decode(zcl)
        except MalformedFrameError as error:
            await self._perform(exchange, session.unreadable(str(error)))
            return
        if isinstance(command, Terminate) and zcl.server_to_client == responder:
            return
        await self._perform(exchange, session.receive(command))

    async def _from_other(self, peer: Eui64, octets: bytes, zcl: frame.ZclFrame) -> None:
        try:
            command = cluster.decode(zcl)
        except MalformedFrameError:
            return
        if isinstance(command, EphemeralRequest | ConfirmRequest):
            await self._turn_away(peer, zcl, TerminateStatus.BAD_MESSAGE)
        elif isinstance(command, InitiateRequest):
            busy = TerminateStatus.NO_RESOURCES if self._live() is not None else None
            status = busy or self._admit(peer)
            if status is not None:
                await self._turn_away(peer, zcl, status)
                why = f"it asked for a key and was turned away ({status.name})"
                self._ended(peer, JoinOutcome(False, WORDS[status], why))
                return
            session = CbkeSession(CbkeRole.RESPONDER, self._identity, peer)
            self._exchange = _Exchange(session, zcl.sequence, octets)
            await self._perform(self._exchange, session.receive(command))

    async def _turn_away(self, peer: Eui64, zcl: frame.ZclFrame, status: TerminateStatus) -> None:
        terminate = Terminate(status, BACK_OFF_S, self._identity.suites)
        await self._send(peer, cluster.encode(terminate, zcl.sequence, server_to_client=True))

    async def _foundation(self, peer: Eui64, zcl: frame.ZclFrame) -> None:
        """Answer a read of the cluster's attribute; nothing else of the kind is answered."""
        if zcl.command != foundation.FoundationCommand.READ_ATTRIBUTES:
            return
        suite = KeyEstablishmentAttribute.KEY_ESTABLISHMENT_SUITE
        value = AttributeValue(TYPES[suite], self._identity.suites)
        try:
            asked = foundation.ReadAttributes.decode(zcl.payload)
        except MalformedFrameError:
            return
        readings = tuple(
            AttributeReading(one, 0, value)
            if one == suite
            else AttributeReading(one, _UNSUPPORTED_ATTRIBUTE)
            for one in asked.attributes
        )
        answer = foundation.ReadAttributesResponse(readings)
        towards_client = not zcl.server_to_client
        octets = foundation.encode(answer, zcl.sequence, server_to_client=towards_client)
        await self._send(peer, octets)

    # -- what the session asks for -------------------------------------------------------------

    async def _perform(self, exchange: _Exchange, outputs: list[CbkeOutput]) -> None:
        """Do what the session asks for; a key agreed upon is in use before the last frame goes."""
        self._watch(exchange)
        for output in sorted(outputs, key=lambda one: not isinstance(one, Established)):
            if isinstance(output, Established):
                if not await self._keep(exchange, output):
                    return
            elif isinstance(output, Send):
                await self._put(exchange, output.command)
            elif isinstance(output, Ended):
                await self._end(exchange, output)
            elif isinstance(output, MakeKey | Agree):
                self._compute(exchange, output)
        if any(isinstance(output, Established) for output in outputs):
            self._tell(exchange.session.partner, JoinOutcome(True))

    async def _put(self, exchange: _Exchange, command: Any) -> None:
        session = exchange.session
        responder = session.role is CbkeRole.RESPONDER
        octets = cluster.encode(command, exchange.sequence, server_to_client=responder)
        if not responder:
            exchange.sequence = exchange.sequence % 0xFF + 1
            self._number = exchange.sequence
        await self._send(session.partner, octets)

    def _compute(self, exchange: _Exchange, asked: MakeKey | Agree) -> None:
        """Have something computed, as the next job but one: frames may come in between."""
        session = exchange.session

        async def compute() -> None:
            result: Any
            if isinstance(asked, MakeKey):
                result = await self._engine.make_key(asked.suite)
            else:
                result = await self._engine.agree(asked)
            if self._live() is not exchange:
                return
            if isinstance(result, Refusal):
                await self._perform(exchange, session.cannot(result))
            elif isinstance(asked, MakeKey):
                await self._perform(exchange, session.key_made(result))
            else:
                await self._perform(exchange, session.agreed(*result))

        self._jobs.put_nowait(compute)

    async def _keep(self, exchange: _Exchange, output: Established) -> bool:
        try:
            await self._engine.keep(output.partner, output.suite)
        except HarnessError as error:
            terminate = Terminate(TerminateStatus.NO_RESOURCES, BACK_OFF_S, self._identity.suites)
            await self._put(exchange, terminate)
            self._tell(output.partner, JoinOutcome(False, "no-resources", error.what))
            return False
        return True

    async def _end(self, exchange: _Exchange, output: Ended) -> None:
        session = exchange.session
        if session.suite is not None:
            await self._engine.forget(session.suite)
        who = "the other side ended it" if output.by_partner else output.why
        name = "it fell silent" if output.status is None else output.status.name
        self._tell(session.partner, JoinOutcome(False, WORDS[output.status], f"{name}: {who}"))

    def _tell(self, partner: Eui64, outcome: JoinOutcome) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(outcome)
        self._ended(partner, outcome)

    def _watch(self, exchange: _Exchange) -> None:
        """Set the time that the session's present state may last."""
        if exchange.alarm is not None:
            exchange.alarm.cancel()
        if exchange.session.live and exchange.session.wait_s:
            loop = asyncio.get_running_loop()
            due = exchange.session.wait_s
            exchange.alarm = loop.call_later(due, self._time_out, exchange, exchange.session.state)

    def _time_out(self, exchange: _Exchange, state: object) -> None:
        async def expire() -> None:
            if self._live() is exchange and exchange.session.state == state:
                await self._perform(exchange, exchange.session.time_out())

        self._jobs.put_nowait(expire)
