"""What a dongle in the node role is, and which networks it may be let into."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import bellows.types as bt

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import SUITES, Credentials
from emulator.crypto.test_certificates import ISSUERS
from harness.errors import NotPermittedError
from harness.han_ports import HanNetwork
from hil.tap import Tap
from hil.zigbee.hub_settings import Cbke
from hil.zigbee.settings import DongleSettings


class NodeKind(enum.Enum):
    """What the node is on the network."""

    ROUTER = bt.EmberNodeType.ROUTER
    END_DEVICE = bt.EmberNodeType.END_DEVICE
    SLEEPY = bt.EmberNodeType.SLEEPY_END_DEVICE


def _nothing(_eui64: Eui64) -> Mapping[KeySuite, Credentials]:
    return {}


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """A dongle as a node.

    Attributes:
        dongle: Its line.
        allowed: Extended PAN identifiers it may join: the bench's own hubs, by their EUI-64.
        endpoints: What it shows; the first one carries Key Establishment.
        kind: What it is on the network.
        cbke: Who computes key establishment: the dongle, this computer, or nobody.
        credentials: Gives what the dongle's address proves itself with (for ``host``), by suite;
            of a test authority.
        seed: Seed of the run: ephemeral keys come from it.
        sealed: Whether Smart Energy is sealed from the establishment of a key on; else never.
        issuers: Issuers of certificates that are known to be for tests.
        poll_s: How often a sleepy node asks its parent for what waits, seconds.
        power_dbm: Transmit power.
        tap: Who hears every octet of the line.
        reopen_s: How long a lost dongle may be away, seconds.
    """

    dongle: DongleSettings
    allowed: frozenset[Eui64]
    endpoints: tuple[SimpleDescriptor, ...]
    kind: NodeKind = NodeKind.ROUTER
    cbke: Cbke = None
    credentials: Callable[[Eui64], Mapping[KeySuite, Credentials]] = field(
        default=_nothing, repr=False
    )
    seed: int = 1
    sealed: bool = True
    issuers: frozenset[bytes] = frozenset(ISSUERS.values())
    poll_s: float = 1.0
    power_dbm: int = 8
    tap: Tap | None = None
    reopen_s: float = 600.0

    def chance(self, eui64: Eui64) -> Stream:
        """Return the source of ephemeral keys."""
        return Stream(self.seed, f"zigbee-node/cbke/{eui64.hex}")


def refuse_foreign(network: HanNetwork, settings: NodeSettings) -> None:
    """Refuse a network that is not one of the bench's (safety guard 6); nothing is sent before.

    Raises:
        NotPermittedError: Its extended PAN identifier is not on the list.
    """
    if network.extended_pan_id in settings.allowed:
        return
    listed = ", ".join(map(str, sorted(settings.allowed))) or "none"
    raise NotPermittedError(
        f"the network {network.extended_pan_id} is not one this bench may join",
        where=f"channel {network.channel}, PAN 0x{network.pan_id:04X}",
        cause=f"it is somebody else's, or its hub is not on the bench's list ({listed})",
        next_command="smetsbench bench check FILE",
    )


def refuse_production(
    certificates: Mapping[KeySuite, bytes], settings: NodeSettings, eui64: Eui64
) -> None:
    """Refuse to prove itself with a certificate that no test authority issued (guard 9).

    Raises:
        NotPermittedError: It may be a production certificate: such a dongle only observes.
    """
    for suite, certificate in certificates.items():
        issuer = SUITES[suite].read_certificate(certificate).issuer
        if issuer not in settings.issuers:
            raise NotPermittedError(
                f"the certificate of {eui64} was not issued by a test authority",
                where=f"issuer {issuer.hex()}",
                cause="a dongle with a production certificate may observe and no more",
                next_command="smetsbench bench observe FILE",
            )


def parameters_of(network: HanNetwork, settings: NodeSettings) -> Any:
    """Return a network as bellows wants it to join."""
    return bt.EmberNetworkParameters(
        extendedPanId=bt.EUI64.deserialize(network.extended_pan_id.octets[::-1])[0],
        panId=bt.EmberPanId(network.pan_id),
        radioTxPower=bt.uint8_t(settings.power_dbm),
        radioChannel=bt.uint8_t(network.channel),
        joinMethod=bt.EmberJoinMethod.USE_MAC_ASSOCIATION,
        nwkManagerId=bt.EmberNodeId(0),
        nwkUpdateId=bt.uint8_t(0),
        channels=bt.Channels.from_channel_list([network.channel]),
    )


def security_of(link_key: bytes) -> Any:
    """Return the initial security of a node that joins under the key of its install code."""
    return bt.EmberInitialSecurityState(
        bitmask=bt.EmberInitialSecurityBitmask.HAVE_PRECONFIGURED_KEY
        | bt.EmberInitialSecurityBitmask.REQUIRE_ENCRYPTED_KEY,
        preconfiguredKey=bt.KeyData(link_key),
        networkKey=bt.KeyData(bytes(16)),
        networkKeySequenceNumber=0,
        preconfiguredTrustCenterEui64=bt.EUI64.deserialize(bytes(8))[0],
    )
