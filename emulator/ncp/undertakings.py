"""What an NCP is in the middle of: joining a network, polling, a key establishment, listening."""

from dataclasses import dataclass, field

from emulator.codecs.ezsp.structures import NetworkParameters
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.ids import Eui64
from emulator.crypto.cbke import Agreement, EphemeralKey

_NOBODY = Eui64(bytes(8))


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to join, or to come back to, a network.

    Attributes:
        node_type: As what.
        parameters: The network; what it leaves open is filled in from the beacon.
        channels: Where it is looked for.
        rejoin: By a rejoin instead of an association.
        network_key: Key the NCP has already, for a secured rejoin.
        parent: Short address of the node that is asked.
        short: The NCP's short address: the one it had (a rejoin), then the one it was given.
        sequence: Number of the network key.
        trust_center: EUI-64 of the trust centre, once its key has come.
        link_key: Link key of the NCP's own, once it has asked for one and it has come.
        clear_beacons: Forget the beacons of the scan once joined.
    """

    node_type: int
    parameters: NetworkParameters
    channels: tuple[int, ...] = ()
    rejoin: bool = False
    network_key: bytes | None = field(default=None, repr=False)
    parent: int = 0x0000
    short: int = 0xFFFE
    sequence: int = 0
    trust_center: Eui64 = _NOBODY
    link_key: bytes | None = field(default=None, repr=False)
    clear_beacons: bool = False


@dataclass(slots=True)
class Polls:
    """How an end device asks its parent.

    Attributes:
        interval_ms: How often; None: once.
        failure_limit: Failures in a row after which the host is told; 0: of every poll.
        failures: In a row, so far.
        waiting: A poll is not answered yet.
        data: Something has come since that poll.
    """

    interval_ms: int | None
    failure_limit: int
    failures: int = 0
    waiting: bool = False
    data: bool = False


@dataclass(slots=True)
class Exchange:
    """A key establishment: the NCP has one at a time, as its temporary data has room for one.

    Attributes:
        suite: Which.
        ephemeral: The NCP's ephemeral key; None: being computed.
        agreement: Proofs and link key; None: not computed.
        partner: Who the partner's certificate is for.
        busy: Something is being computed.
    """

    suite: KeySuite
    ephemeral: EphemeralKey | None = None
    agreement: Agreement | None = None
    partner: Eui64 = _NOBODY
    busy: bool = False


@dataclass(slots=True)
class MfgLibrary:
    """The manufacturing library while it has the radio.

    Attributes:
        tells: The host is told of what is heard.
        channel: 11 to 26.
        power: dBm.
        sending: A tone or a stream is on the air.
    """

    tells: bool
    channel: int = 11
    power: int = 0
    sending: bool = False
