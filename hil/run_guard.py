"""The guard of real devices in a DUST run, and ports that tell of what it refused."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from harness.errors import NotPermittedError
from harness.meter import (
    ActionAnswer,
    Association,
    Credentials,
    GetAnswer,
    SetAnswer,
    SignOnReport,
    Silence,
    Unanswered,
)
from harness.ports import MeterPort
from hil.arming import ArmedGuard, ArmingRefusedError, Reason
from hil.guard_port import MeterIdentity
from hil.verbs import Verb

_T = TypeVar("_T")
_NO_REHEARSAL: Final = (
    "a dry run is made of a scenario; of a DUST run there is none, so nothing is written to a real"
    " device in one"
)


class RunGuard:
    """Lets a DUST run read real devices, and says why nothing is written to them.

    Whatever hinders a scenario hinders a run: its bench unarmed, lapsed, of another operator, a
    device that is not allow-listed. On an armed bench a run still has no dry run.
    """

    def __init__(self, armed: ArmedGuard) -> None:
        """Take the guard of the bench."""
        self._armed = armed

    def permit(self, verb: Verb, target: Descriptor | None, identity: MeterIdentity) -> None:
        """Return when it may be done; reading always may.

        Raises:
            ArmingRefusedError: It may not, and why.
        """
        try:
            self._armed.permit(verb, target, identity)
        except ArmingRefusedError as refused:
            if refused.reason is not Reason.NO_DRY_RUN:
                raise
            raise ArmingRefusedError(
                refused.reason,
                verb,
                _NO_REHEARSAL,
                where=refused.where,
                then=f"smetsbench run MIG-150 --bench {self._armed.loaded.path}",
            ) from None


class SparedPort:
    """``MeterPort`` of a real device: what the guard refuses was not asked, and is told of.

    The party that asked sees a silence; whoever judges the run sees why.
    """

    def __init__(self, port: MeterPort, refused: Callable[[NotPermittedError], None]) -> None:
        """Take the port, and who is told."""
        self._port = port
        self._refused = refused

    async def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Say the sign-on."""
        return await self._port.sign_on(read_out=read_out)

    async def associate(self, credentials: Credentials) -> Association:
        """Associate."""
        found = await self._spared(self._port.associate(credentials))
        if isinstance(found, Unanswered):
            return Association(False, why=found.detail, silence=found.why)
        return found

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Read one attribute, or several with one GET-with-list."""
        return await self._spared(self._port.get(attributes))

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Write one attribute, or several with one SET-with-list."""
        return await self._spared(self._port.set(writes))

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Invoke one method."""
        return await self._spared(self._port.action(method, parameters))

    async def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Send an APDU as it stands."""
        return await self._spared(self._port.exchange(apdu))

    async def release(self) -> None:
        """End the association."""
        await self._port.release()

    async def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Say whether a write happened; None: nobody can tell."""
        return await self._port.has_taken(writes, method)

    async def _spared(self, asked: Awaitable[_T]) -> _T | Unanswered:
        try:
            return await asked
        except NotPermittedError as refused:
            self._refused(refused)
            return Unanswered(Silence.NO_ANSWER, refused.what)
