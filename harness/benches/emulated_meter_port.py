"""The port of a DLMS meter on an emulated line: our own client, in virtual time."""

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeVar

from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.crypto.dlms_factory import FactoryKeys
from emulator.runtime.driver import Driver
from harness.dlms import from_profile
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
from harness.errors import BenchError
from harness.meter import (
    ActionAnswer,
    Association,
    Credentials,
    GetAnswer,
    SetAnswer,
    SignOnReport,
    Unanswered,
)

_T = TypeVar("_T")
_WHERE: Final = "emulated line"


class Wire(Protocol):
    """What leads to the meter: an emulated line, or a hub's WAN."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection at all."""
        ...

    def connect(self) -> bool:
        """Make a connection; returns whether it stands."""
        ...

    def disconnect(self) -> None:
        """End the connection."""
        ...

    def send(self, octets: bytes) -> None:
        """Send octets to the meter."""
        ...

    def take_received(self) -> list[tuple[int, bytes]]:
        """Return what came since the last call, each with its moment in microseconds."""
        ...


class EmulatedMeterPort:
    """One meter on one emulated line; one verb at a time.

    Attributes:
        line: The reading end.
    """

    def __init__(
        self, driver: Driver[Any], world: Wire, line: ReaderLine, keys: FactoryKeys
    ) -> None:
        """Take what leads to the meter, and the reading end of it.

        Args:
            driver: Moves the world the meter is in.
            world: What leads to the meter.
            line: The reading end.
            keys: What the bench's own clients of the meter hold.
        """
        self.line = line
        self._driver = driver
        self._world = world
        self._keys = keys
        #: Part of the driver's world that it is about; None: all of it.
        self._of: object = None

    # -- the port ------------------------------------------------------------------------------

    async def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Say the IEC 62056-21 sign-on; ask for the mode C read-out where wanted."""
        return _of(SignOnReport, await self._perform(SignOnJob(read_out)))

    async def associate(self, credentials: Credentials) -> Association:
        """Open the link where it is closed, and associate; ends what association there was.

        Raises:
            BenchError: The credentials lack a secret, keys or a title that they need.
        """
        signing = from_profile.signing(self._keys, credentials)
        try:
            value = await self._perform(AssociateJob(credentials, signing))
        except ValueError as error:
            raise BenchError(
                f"nobody can associate as {credentials.name!r}: {error}",
                where=_WHERE,
                cause="credentials that were put together by hand",
            ) from error
        return _of(Association, value)

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Read one attribute, or several with one GET-with-list."""
        answer: GetAnswer = await self._perform(GetJob(tuple(attributes)))  # type: ignore[assignment]  # what a GetJob ends in
        return answer

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Write one attribute, or several with one SET-with-list."""
        answer: SetAnswer = await self._perform(SetJob(tuple(writes)))  # type: ignore[assignment]  # what a SetJob ends in
        return answer

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Invoke one method."""
        answer: ActionAnswer = await self._perform(ActionJob(method, parameters))  # type: ignore[assignment]  # what an ActionJob ends in
        return answer

    async def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Send an APDU as it stands, past the association's protection."""
        value = await self._perform(RawJob(apdu))
        return value if isinstance(value, bytes) else _of(Unanswered, value)

    async def release(self) -> None:
        """End the association and the link."""
        await self._perform(ReleaseJob())

    async def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Say whether a write happened, by reading it back; of a method nobody can tell."""
        if method is not None or not writes:
            return None
        answer = await self.get([attribute for attribute, _value in writes])
        if isinstance(answer, Unanswered) or not all(isinstance(one, Data) for one in answer):
            return None
        return all(
            read == written for read, (_attribute, written) in zip(answer, writes, strict=True)
        )

    # -- between line and world ----------------------------------------------------------------

    async def _perform(self, job: Job) -> Value:
        self._driver.catch_up()
        self._connect()
        try:
            outputs = self.line.begin(job, self._driver.now())
            while True:
                done = self._carry(outputs)
                if done is not None:
                    return done.value
                outputs = await self._next()
        except BaseException:  # the step's time is up, or the run ends: nobody waits any more
            self.line.abandon()
            raise

    def _connect(self) -> None:
        """Take what came since the last job; where the connection is gone, make another."""
        now = self._driver.now()
        for octets in self._heard() or ():
            self.line.receive(octets, now)
        if self.line.wants_reopening:
            self._world.disconnect()
        if not self._world.connected:
            self.line.lost(now)
            self._world.connect()

    def _carry(self, outputs: list[Output]) -> Done | None:
        """Put on the line what the reader says; speeds are the wire's, which knows them."""
        for output in outputs:
            if isinstance(output, Write):
                self._world.send(output.octets)
                self._driver.disturbed()
            elif isinstance(output, Done):
                return output
        return None

    async def _next(self) -> list[Output]:
        """Wait for octets, for the end of the connection, or for the reader's deadline."""
        due_ms = self.line.deadline_ms
        if due_ms is None:
            raise BenchError("a job waits for nothing", where=_WHERE)
        heard = await self._driver.wait_for(self._heard, due_ms * 1000, self._of)
        now = self._driver.now()
        if heard is None:
            return self.line.expire(now)
        outputs: list[Output] = []
        for octets in heard:
            outputs += self.line.receive(octets, now)
        if not heard or not self._world.connected:
            outputs += self.line.lost(now)
        return outputs

    def _heard(self) -> list[bytes] | None:
        """Return the octets that came; an empty list when the connection is gone, None for none."""
        received = self._world.take_received()
        if received:
            return [octets for _at_us, octets in received]
        return None if self._world.connected else []


def _of(kind: type[_T], value: object) -> _T:
    """Return a job's value, which is of the kind its job says."""
    if not isinstance(value, kind):
        raise BenchError(f"a job ended in {type(value).__name__}, not {kind.__name__}")
    return value
