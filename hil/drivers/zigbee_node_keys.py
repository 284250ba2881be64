"""Key establishment of a node with its hub, as initiator: suite 2 first, then suite 1."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Self

from emulator.codecs.zcl import key_establishment as key_cluster
from emulator.codecs.zcl.key_establishment import KeySuite, TerminateStatus
from emulator.core.ids import Eui64
from emulator.crypto.cbke_outputs import CbkeIdentity
from harness.errors import HarnessError
from harness.han_ports import JoinOutcome
from hil.drivers.zigbee_node_objects import DeviceObjects
from hil.drivers.zigbee_node_settings import NodeSettings, refuse_production
from hil.zigbee.cbke_engines import (
    CbkeEngine,
    HostEngine,
    NcpEngine,
    host_identity,
    ncp_identity,
)
from hil.zigbee.ezsp import DongleEzsp
from hil.zigbee.key_establishment import KeyEstablishment

#: Suites in the order they are tried. Source: GBCS (suite 2); Smart Energy 1.x (suite 1).
SUITES: Final = (KeySuite.CBKE_283, KeySuite.CBKE_163)
_HUB_SHORT: Final = 0x0000

SendTo = Callable[[Eui64, int, bytes], Awaitable[object]]


class NodeKeys:
    """The Key Establishment cluster of one node on one network."""

    def __init__(self, identity: CbkeIdentity, engine: CbkeEngine, send: SendTo) -> None:
        """Take who we are, who computes and who sends; people call `made`."""
        self._suites = [suite for suite in SUITES if suite in identity.certificates]
        self._send = send
        self._endpoint = 0
        self._end = KeyEstablishment(identity, engine, self._put, _refuse, _told_elsewhere)
        self._under_way: asyncio.Task[JoinOutcome] | None = None
        self._error: HarnessError | None = None

    @classmethod
    async def made(
        cls, ezsp: DongleEzsp, eui64: Eui64, settings: NodeSettings, send: SendTo
    ) -> Self:
        """Make it as the settings say.

        Raises:
            NotPermittedError: A certificate may be a production one (guard 9).
            DongleError: The dongle establishes no keys, and the settings say that it does.
        """
        engine: CbkeEngine
        if settings.cbke == "ncp":
            identity = await ncp_identity(ezsp, eui64)
            engine = NcpEngine(ezsp)
        else:
            credentials = settings.credentials(eui64) if settings.cbke == "host" else {}
            identity = host_identity(eui64, credentials)
            engine = HostEngine(ezsp, credentials, settings.chance(eui64))
        refuse_production(identity.certificates, settings, eui64)
        return cls(identity, engine, send)

    async def establish(self, hub: Eui64, objects: DeviceObjects) -> JoinOutcome:
        """Agree with the hub on a link key, on the first suite both have.

        Raises:
            HarnessError: The dongle is lost.
        """
        if not self._suites:
            return JoinOutcome(False, "unsupported", "this node has no certificate")
        endpoint = await objects.match(_HUB_SHORT, key_cluster.CLUSTER)
        if endpoint is None:
            return JoinOutcome(False, "no-answer", "the hub shows no Key Establishment cluster")
        self._endpoint = endpoint
        self._under_way = asyncio.get_running_loop().create_task(self._first_common(hub))
        try:
            return await self._under_way
        except asyncio.CancelledError:
            if self._error is not None:
                raise self._error from None
            raise

    def heard(self, peer: Eui64, octets: bytes) -> None:
        """Take a frame of the cluster."""
        self._end.heard(peer, octets)

    def fail(self, error: HarnessError) -> None:
        """Tell whoever waits that the dongle is lost."""
        self._error = error
        self.close()

    def close(self) -> None:
        """Stop, without a word to anybody."""
        self._end.close()
        if self._under_way is not None:
            self._under_way.cancel()

    async def _first_common(self, hub: Eui64) -> JoinOutcome:
        outcome = JoinOutcome(False, "unsupported", "no suite is common")
        for suite in self._suites:
            outcome = await self._end.establish(hub, suite)
            if outcome.why != "unsupported":
                break
        return outcome

    async def _put(self, peer: Eui64, octets: bytes) -> object:
        return await self._send(peer, self._endpoint, octets)


def _refuse(_peer: Eui64) -> TerminateStatus | None:
    """A node establishes keys with whom it asks, and with nobody who asks it."""
    return TerminateStatus.NO_RESOURCES


def _told_elsewhere(_peer: Eui64, _outcome: JoinOutcome) -> None:
    """Whoever waits in `NodeKeys.establish` is told."""
