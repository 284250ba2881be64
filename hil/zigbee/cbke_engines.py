"""The arithmetic of key establishment, in the dongle or on this computer, and where the key goes.

``host``: our own arithmetic; the key agreed upon is written into the dongle's key table. Whether a
real dongle lets a host replace a trust centre link key that way is not established (reference
zigbee-dongle.md 10). ``ncp``: the commands of a Smart Energy image; the key never leaves it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

import bellows.types as bt

from emulator.codecs.zcl.key_establishment import KeySuite, TerminateStatus
from emulator.core.chance import Stream
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.binary_curve import InvalidPointError
from emulator.crypto.cbke import SoftwareEngine
from emulator.crypto.cbke_outputs import Agree, CbkeIdentity, Refusal
from emulator.crypto.ecqv import Credentials
from hil.zigbee.errors import refused, translated, unfit
from hil.zigbee.ezsp import DongleEzsp, ieee_of

#: What a real NCP may need for each step, seconds. Source: reference 4.5 (the prior art's times).
NCP_STEP_S: Final = 12.0
#: Libraries an image needs for a suite; bit 7 of their status says that they are no stubs.
#: Source: library.h (known).
_LIBRARIES: Final[Mapping[KeySuite, tuple[int, ...]]] = {
    KeySuite.CBKE_163: (0x06, 0x08),
    KeySuite.CBKE_283: (0x0D, 0x0E),
}
_PRESENT: Final = 0x80
_NO_ROW: Final = 0xFF
#: Ending of a suite's command names.
_ENDINGS: Final = {KeySuite.CBKE_163: "", KeySuite.CBKE_283: "283k1"}


class CbkeEngine(Protocol):
    """Who computes. Every method may take seconds."""

    async def make_key(self, suite: KeySuite) -> bytes | Refusal:
        """Make an ephemeral key; return its public half."""
        ...

    async def agree(self, asked: Agree) -> tuple[bytes, bytes] | Refusal:
        """Compute both keyed hashes, and the link key, which stays inside."""
        ...

    async def keep(self, partner: Eui64, suite: KeySuite) -> None:
        """Put the link key agreed upon to use.

        Raises:
            DongleError: The dongle does not take it.
        """
        ...

    async def forget(self, suite: KeySuite) -> None:
        """Forget what is under way."""
        ...


async def store_link_key(ezsp: DongleEzsp, partner: Eui64, key: bytes) -> None:
    """Write a link key into the dongle's key table, in the partner's row or a free one.

    Raises:
        DongleError: There is no row left, or the dongle is lost.
    """
    ieee = ieee_of(partner)
    with translated(ezsp.settings.path):
        (row,) = await ezsp.findKeyTableEntry(address=ieee, linkKey=True)
        if row == _NO_ROW:
            nobody = ieee_of(Eui64(bytes(8)))
            (row,) = await ezsp.findKeyTableEntry(address=nobody, linkKey=True)
    if row == _NO_ROW:
        raise refused(ezsp.settings.path, "another link key", "its key table is full")
    key_data = bt.KeyData(key)
    if ezsp.ezsp_version >= 13:
        await ezsp.checked("importLinkKey", index=row, address=ieee, key=key_data)
    else:
        parameters = {"index": row, "address": ieee, "linkKey": True, "keyData": key_data}
        await ezsp.checked("setKeyTableEntry", **parameters)


class HostEngine:
    """Our own arithmetic; the dongle is given the result."""

    def __init__(
        self, ezsp: DongleEzsp, credentials: Mapping[KeySuite, Credentials], chance: Stream
    ) -> None:
        """Take the credentials of the dongle's address.

        Args:
            ezsp: The dongle.
            credentials: What it proves itself with, by suite; of a test authority.
            chance: Where ephemeral keys come from.
        """
        self._ezsp = ezsp
        self._engines = {suite: SoftwareEngine(one, chance) for suite, one in credentials.items()}

    async def make_key(self, suite: KeySuite) -> bytes | Refusal:
        """Make an ephemeral key, beside the loop: it takes tens of milliseconds."""
        return await asyncio.to_thread(self._engines[suite].make_key)

    async def agree(self, asked: Agree) -> tuple[bytes, bytes] | Refusal:
        """Compute the keyed hashes, beside the loop."""
        engine = self._engines[asked.suite]
        try:
            agreed = await asyncio.to_thread(
                engine.agree, asked.certificate, asked.key, initiator=asked.initiator
            )
        except (InvalidPointError, MalformedFrameError) as error:
            return Refusal(TerminateStatus.BAD_MESSAGE, str(error))
        return agreed.mac_u, agreed.mac_v

    async def keep(self, partner: Eui64, suite: KeySuite) -> None:
        """Write the link key into the dongle's key table."""
        await store_link_key(self._ezsp, partner, self._engines[suite].take_link_key())

    async def forget(self, suite: KeySuite) -> None:
        """Forget ephemeral key and agreement."""
        if suite in self._engines:
            self._engines[suite].forget()


class NcpEngine:
    """The commands of a dongle whose image has the libraries and a certificate."""

    def __init__(self, ezsp: DongleEzsp) -> None:
        self._ezsp = ezsp

    async def make_key(self, suite: KeySuite) -> bytes | Refusal:
        """Have the dongle make an ephemeral key."""
        told = await self._told("generateCbkeKeys", "generateCbkeKeysHandler", suite, {})
        if isinstance(told, Refusal):
            return told
        return bytes(told[1].serialize())

    async def agree(self, asked: Agree) -> tuple[bytes, bytes] | Refusal:
        """Have the dongle compute the keyed hashes."""
        wide = asked.suite is KeySuite.CBKE_283
        certificate = bt.EmberCertificate283k1Data if wide else bt.EmberCertificateData
        public = bt.EmberPublicKey283k1Data if wide else bt.EmberPublicKeyData
        parameters = {
            "amInitiator": asked.initiator,
            "partnerCertificate": certificate(asked.certificate),
            "partnerEphemeralPublicKey": public(asked.key),
        }
        told = await self._told("calculateSmacs", "calculateSmacsHandler", asked.suite, parameters)
        if isinstance(told, Refusal):
            return told
        return bytes(told[1].serialize()), bytes(told[2].serialize())

    async def keep(self, partner: Eui64, suite: KeySuite) -> None:  # noqa: ARG002 - the dongle knows whose certificate it was shown
        """Have the dongle keep the link key."""
        await self._clear(suite, store=True)

    async def forget(self, suite: KeySuite) -> None:
        """Have the dongle forget what is under way."""
        await self._clear(suite, store=False)

    async def _clear(self, suite: KeySuite, *, store: bool) -> None:
        name = "clearTemporaryDataMaybeStoreLinkKey" + _ENDINGS[suite]
        await self._ezsp.checked(name, storeLinkKey=store)

    async def _told(
        self, command: str, handler: str, suite: KeySuite, parameters: Mapping[str, Any]
    ) -> list[Any] | Refusal:
        """Give a command whose result comes in a callback; return the callback's parameters."""
        ending = _ENDINGS[suite]
        done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

        def take(_name: str, told: list[Any]) -> None:
            if not done.done():
                done.set_result(told)

        path = self._ezsp.settings.path
        with self._ezsp.callback_for_commands({handler + ending}, take), translated(path):
            (status,) = await getattr(self._ezsp, command + ending)(**parameters)
            known = bt.sl_Status.from_ember_status(status)
            if known not in (bt.sl_Status.OK, bt.sl_Status.IN_PROGRESS):
                return Refusal(TerminateStatus.NO_RESOURCES, f"{command}{ending}: {status.name}")
            async with asyncio.timeout(NCP_STEP_S):
                told = await done
        result = bt.sl_Status.from_ember_status(told[0])
        if result != bt.sl_Status.OK:
            return Refusal(TerminateStatus.BAD_MESSAGE, f"{handler}{ending}: {told[0].name}")
        return told


async def ncp_suites(ezsp: DongleEzsp) -> tuple[KeySuite, ...]:
    """Return the suites for which the dongle's image has the libraries; stock images have none.

    Raises:
        DongleError: The dongle is lost.
    """
    found = []
    for suite, libraries in _LIBRARIES.items():
        with translated(ezsp.settings.path):
            answers = [(await ezsp.getLibraryStatus(libraryId=one))[0] for one in libraries]
        if all(int(answer) & _PRESENT for answer in answers):
            found.append(suite)
    return tuple(found)


async def ncp_identity(ezsp: DongleEzsp, eui64: Eui64) -> CbkeIdentity:
    """Return what a dongle with a certificate of its own shows of itself.

    Raises:
        DongleUnfitError: Its image carries stubs, or it has no certificate.
    """
    path, certificates = ezsp.settings.path, {}
    for suite in await ncp_suites(ezsp):
        with translated(path):
            status, certificate = await getattr(ezsp, "getCertificate" + _ENDINGS[suite])()
        if bt.sl_Status.from_ember_status(status) == bt.sl_Status.OK:
            certificates[suite] = bytes(certificate.serialize())
    if not certificates:
        raise unfit(
            path,
            "the dongle establishes no keys by itself",
            "a stock image (it carries stubs), or no certificate was ever written into it",
            'set cbke = "host" for this dongle in the bench file',
        )
    return CbkeIdentity(eui64, certificates, 6, 10)


def host_identity(eui64: Eui64, credentials: Mapping[KeySuite, Credentials]) -> CbkeIdentity:
    """Return what our own arithmetic shows of a dongle."""
    return CbkeIdentity(eui64, {suite: one.certificate for suite, one in credentials.items()})
