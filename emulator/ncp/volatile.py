"""What an NCP forgets at a reset: everything its host has to say again."""

from dataclasses import dataclass, field

from emulator.codecs.ezsp.identifiers import Counter
from emulator.codecs.ezsp.structures import (
    Beacon,
    BindingEntry,
    InitialSecurityState,
    MulticastEntry,
)
from emulator.codecs.ezsp.values import Endpoint
from emulator.codecs.ezsp.values_network import Concentrator
from emulator.core.ids import Eui64
from emulator.ncp.join_table import JoinStage
from emulator.ncp.settings import CONFIGURATION, POLICIES, VALUES
from emulator.ncp.undertakings import Attempt, Exchange, MfgLibrary, Polls


@dataclass(slots=True)
class Volatile:
    """What a reset forgets.

    Attributes:
        version_set: The host has named our version; before that nothing else is answered.
        joined: On the stored network.
        configuration: Number to value.
        policies: Number to decision.
        values: Number to octets.
        endpoints: Number to description.
        security: For the next network.
        transient_keys: Node to key and when it is forgotten, in milliseconds.
        bindings: Row to entry.
        spoke_from: Endpoints and profiles the host has sent from.
        permit: Nodes may join.
        concentrator: As the host has set it.
        route_told: Nodes whose way has been told since the last route request.
        multicast: Row to entry.
        addresses: Row to EUI-64, short address and extended time-out.
        extended_timeouts: Nodes whose acknowledgements are waited for longer.
        counters: In the order of `identifiers.Counter`.
        manufacturer_code: For the node descriptor.
        scanning: A scan runs.
        beacons: Those of the last active scan, that the host has not fetched yet.
        stage: Where the NCP stands with somebody else's network.
        attempt: What it is trying there.
        polls: How an end device asks its parent.
        exchange: Establishment of a key that runs.
        library: The manufacturing library, while it has the radio.
        listening: The air has been told to let the NCP hear everything on a channel.
    """

    version_set: bool = False
    joined: bool = False
    configuration: dict[int, int] = field(
        default_factory=lambda: {int(key): known.default for key, known in CONFIGURATION.items()}
    )
    policies: dict[int, int] = field(
        default_factory=lambda: {int(key): decision for key, decision in POLICIES.items()}
    )
    values: dict[int, bytes] = field(
        default_factory=lambda: {int(key): octets for key, octets in VALUES.items()}
    )
    endpoints: dict[int, Endpoint] = field(default_factory=dict)
    security: InitialSecurityState | None = None
    transient_keys: dict[Eui64, tuple[bytes, int]] = field(default_factory=dict)
    bindings: dict[int, BindingEntry] = field(default_factory=dict)
    spoke_from: set[tuple[int, int]] = field(default_factory=set)
    permit: bool = False
    concentrator: Concentrator | None = None
    route_told: set[int] = field(default_factory=set)
    multicast: dict[int, MulticastEntry] = field(default_factory=dict)
    addresses: dict[int, tuple[Eui64, int, bool]] = field(default_factory=dict)
    extended_timeouts: set[Eui64] = field(default_factory=set)
    counters: list[int] = field(default_factory=lambda: [0] * len(Counter))
    manufacturer_code: int = 0
    scanning: bool = False
    beacons: list[Beacon] = field(default_factory=list)
    stage: JoinStage = JoinStage.OUT
    attempt: Attempt | None = None
    polls: Polls | None = None
    exchange: Exchange | None = None
    library: MfgLibrary | None = None
    listening: bool = False
