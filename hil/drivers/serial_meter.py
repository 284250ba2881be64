"""A DLMS meter on a real line: our own client on an open port, guarded."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, ParamSpec, TypeVar, cast

from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor, GetResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.ids import Eui64
from emulator.crypto.dlms_keys import SecurityKeys
from harness.dlms.association import Draw
from harness.dlms.jobs import (
    ActionJob,
    AssociateJob,
    GetJob,
    RawJob,
    ReleaseJob,
    SetJob,
    SignOnJob,
)
from harness.dlms.proof import Signing
from harness.dlms.settings import LineSettings
from harness.meter import (
    ActionAnswer,
    Association,
    Credentials,
    GetAnswer,
    SetAnswer,
    SignOnReport,
    Unanswered,
)
from hil import verbs
from hil.drivers.conversation import Conversation
from hil.guard_port import Guard, MeterIdentity, Unguarded
from hil.reopen import Reopener
from hil.serial_port import SerialPort
from hil.verbs import Access, Service, Verb

_P = ParamSpec("_P")
_T = TypeVar("_T")
SigningOf = Callable[[Credentials], Signing | None]

#: Where a meter says who it is. Source: serial-dlms.md section 8.2 (illustrative profile).
EUI64: Final = Attribute(Descriptor(1, bytes((0, 0, 96, 1, 1, 255)), 2))
SERIAL_NUMBER: Final = Attribute(Descriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2))
#: The invocation counter that it has seen last.
COUNTER: Final = Attribute(Descriptor(1, bytes((0, 0, 43, 1, 0, 255)), 2))
#: The client that may ask for it. Source: serial-dlms.md section 8.2 (stand-in; varies per maker).
_PUBLIC: Final = Credentials("public", 16)
#: Reading these back never gives what was written: time goes on.
_MOVING: Final = frozenset({(8, 2)})


def _nobody_signs(_credentials: Credentials) -> None:
    return None


class SerialMeter:
    """One meter on one port; every verb blocks until it has its answer. For one thread at a time.

    A refusal by the meter, and its silence, are answers. A port that goes away is none: the verb
    under way raises, the next one opens the port again. Whatever is more than reading is asked
    of the guard first, with the identity read from the meter itself in this very association.

    Attributes:
        signing_of: Credentials -> signature keys, for clients that prove themselves by ECDSA; at
            first nobody has any.
    """

    def __init__(
        self,
        port: SerialPort,
        settings: LineSettings,
        *,
        guard: Guard,
        reopener: Reopener,
        draw: Draw,
    ) -> None:
        """Take over an open port.

        Args:
            port: The line.
            settings: How the meter is spoken to.
            guard: Who is asked before anything is changed.
            reopener: How the port is opened again, by what it is.
            draw: Count -> so many octets of chance, for challenges.
        """
        self.signing_of: SigningOf = _nobody_signs
        self._talk = Conversation(port, settings, reopener, draw)
        self._guard = guard
        self._counted: set[tuple[bytes, bytes]] = set()
        self._identity = MeterIdentity()
        self._identified_in = -1

    # -- verbs -------------------------------------------------------------------------------

    def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Say the IEC 62056-21 sign-on; with ``read_out`` ask for the mode C data block.

        It is its own conversation: a meter that refuses DLMS may still identify itself here.

        Raises:
            PortLostError: The port went away, or did not come back.
        """
        return cast("SignOnReport", self._talk.perform(SignOnJob(read_out)))

    def associate(self, credentials: Credentials) -> Association:
        """Open the link where it is closed, and associate; ends what association there was.

        A real meter has seen invocation counters of earlier runs, and takes only higher ones: the
        public client asks it how far they have come, once for each key.

        Raises:
            PortLostError: The port went away, or did not come back.
        """
        if credentials.keys is not None and not isinstance(self._guard, Unguarded):
            self._count_on(credentials.keys, credentials)
        job = AssociateJob(credentials, self.signing_of(credentials))
        return cast("Association", self._talk.perform(job))

    def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Read attributes.

        Raises:
            PortLostError: The port went away, or did not come back.
        """
        return cast("GetAnswer", self._talk.perform(GetJob(tuple(attributes))))

    def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Write attributes, when all of them may be written.

        Raises:
            UsageError: The guard refuses; nothing was written.
            PortLostError: The port went away, or did not come back.
        """
        targets = [attribute.descriptor for attribute, _ in writes]
        self._ask(_accesses(Service.SET, targets))
        return cast("SetAnswer", self._talk.perform(SetJob(tuple(writes))))

    def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Invoke a method.

        Raises:
            UsageError: The guard refuses; nothing was invoked.
            PortLostError: The port went away, or did not come back.
        """
        self._ask(_accesses(Service.ACTION, [method]))
        return cast("ActionAnswer", self._talk.perform(ActionJob(method, parameters)))

    def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Send an APDU as it stands; what cannot be decoded counts as the gravest there is.

        Raises:
            UsageError: The guard refuses; nothing was sent.
            PortLostError: The port went away, or did not come back.
        """
        self._ask(verbs.accesses_of(apdu))
        return cast("bytes | Unanswered", self._talk.perform(RawJob(apdu)))

    def release(self) -> None:
        """End the association and the link; nothing happens where there is none.

        Raises:
            PortLostError: The port went away meanwhile.
        """
        if self._talk.is_open:
            self._talk.perform(ReleaseJob())

    def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Say whether a write happened, by reading back; None: nobody can tell.

        A method leaves no general trace, and a clock has moved on: None.

        Raises:
            PortLostError: The port went away, or did not come back.
        """
        if method is not None or not writes:
            return None
        if any(_moves(attribute.descriptor) for attribute, _ in writes):
            return None
        found = self.get([attribute for attribute, _ in writes])
        if isinstance(found, Unanswered) or any(not isinstance(item, Data) for item in found):
            return None
        return all(item == value for item, (_, value) in zip(found, writes, strict=True))

    def identify(self) -> MeterIdentity:
        """Return who the meter says it is, read once in each association.

        Raises:
            PortLostError: The port went away, or did not come back.
        """
        if not self._identity.known or self._identified_in != self._talk.generation:
            self._identity = _identity(self.get((EUI64, SERIAL_NUMBER)))
            self._identified_in = self._talk.generation
        return self._identity

    def close(self) -> None:
        """Let go of the port, without a word to the meter."""
        self._talk.close()

    # -- from another thread -----------------------------------------------------------------

    def stop(self) -> None:
        """Have the verb under way end soon, in ``Cancelled``; may be called from any thread."""
        self._talk.stop()

    def resume(self) -> None:
        """Take back a ``stop``."""
        self._talk.resume()

    # -- inside ------------------------------------------------------------------------------

    def _count_on(self, keys: SecurityKeys, credentials: Credentials) -> None:
        key = (keys.unicast, credentials.title)
        if key in self._counted:
            return
        asker = replace(_PUBLIC, server=credentials.server)
        association = cast("Association", self._talk.perform(AssociateJob(asker)))
        if not association.accepted:  # then it is for the association itself to say what is wrong
            return
        found = self.get((COUNTER,))
        if not isinstance(found, Unanswered) and isinstance(found[0], Data):
            last = found[0].value
            if isinstance(last, int):
                self._talk.resume_counter(keys, credentials.title, last)
                self._counted.add(key)

    def _ask(self, accesses: Iterable[Access]) -> None:
        """Ask the guard about everything that is more than reading, before any of it is done."""
        graver = [access for access in accesses if access.verb is not Verb.READ]
        if not graver or isinstance(self._guard, Unguarded):
            return
        identity = self.identify()
        for access in graver:
            self._guard.permit(access.verb, access.target, identity)


class HilMeterPort:
    """``MeterPort`` over a ``SerialMeter``: each verb in a thread, one after the other.

    A cancelled verb is stopped and waited for, so that no thread is left with the port.
    """

    def __init__(self, meter: SerialMeter) -> None:
        self._meter = meter
        self._turn = asyncio.Lock()

    async def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Say the IEC 62056-21 sign-on; ask for the mode C read-out where wanted."""
        return await self._in_thread(lambda: self._meter.sign_on(read_out=read_out))

    async def associate(self, credentials: Credentials) -> Association:
        """Open the link where it is closed, and associate."""
        return await self._in_thread(self._meter.associate, credentials)

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Read attributes."""
        return await self._in_thread(self._meter.get, attributes)

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Write attributes, when the guard lets it."""
        return await self._in_thread(self._meter.set, writes)

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Invoke a method, when the guard lets it."""
        return await self._in_thread(self._meter.action, method, parameters)

    async def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Send an APDU as it stands, when the guard lets it."""
        return await self._in_thread(self._meter.exchange, apdu)

    async def release(self) -> None:
        """End the association and the link."""
        await self._in_thread(self._meter.release)

    async def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Say whether a write happened; None: nobody can tell."""
        return await self._in_thread(self._meter.has_taken, writes, method)

    async def _in_thread(
        self, verb: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs
    ) -> _T:
        async with self._turn:
            # A future and no task: a loop that shuts down cancels tasks, which stops no thread.
            loop = asyncio.get_running_loop()
            ending = loop.run_in_executor(None, partial(verb, *arguments, **named))
            try:
                return await asyncio.shield(ending)
            except asyncio.CancelledError:
                self._meter.stop()
                await _ended(ending)
                self._meter.resume()
                raise


async def _ended(ending: "asyncio.Future[_T]") -> None:
    """Wait for a thread to end, however often the wait itself is cancelled."""
    while not ending.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([ending])
    ending.exception()  # looked at: it is of no more use


def _accesses(service: Service, targets: Iterable[Descriptor]) -> list[Access]:
    return [Access(verbs.verb_of(service, target), target, service) for target in targets]


def _identity(found: GetAnswer) -> MeterIdentity:
    if isinstance(found, Unanswered):
        return MeterIdentity()
    eui64, serial_number = (_octets(item) for item in found)
    return MeterIdentity(
        Eui64(eui64) if eui64 is not None and len(eui64) == 8 else None,
        None if serial_number is None else serial_number.decode("ascii", "backslashreplace"),
    )


def _octets(found: GetResult) -> bytes | None:
    if isinstance(found, Data) and found.tag in {Tag.OCTETS, Tag.VISIBLE}:
        return found.value if isinstance(found.value, bytes) else None
    return None


def _moves(target: Descriptor) -> bool:
    return (target.class_id, target.index) in _MOVING
