"""Parameters of the frames about the network, its scans, its addresses and its radio."""

from dataclasses import dataclass

from emulator.codecs.ezsp.statuses import AnyStatus, Status
from emulator.codecs.ezsp.structures import (
    Beacon,
    BindingEntry,
    ChildData,
    FoundNetwork,
    MulticastEntry,
    NetworkParameters,
)
from emulator.core.ids import Eui64

#: "No node" where a short address is wanted.
UNKNOWN_NODE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Concentrator:
    """Route requests of a concentrator.

    Attributes:
        on: Send them.
        concentrator_type: 0xFFF8 low RAM, 0xFFF9 high RAM.
        min_time_s: Least time between two.
        max_time_s: Most time between two.
        route_error_threshold: Errors that bring the next one forward.
        delivery_failure_threshold: Likewise.
        max_hops: 0: the stack's own limit.
    """

    on: bool
    concentrator_type: int
    min_time_s: int
    max_time_s: int
    route_error_threshold: int
    delivery_failure_threshold: int
    max_hops: int


@dataclass(frozen=True, slots=True)
class ManyToOneRequest:
    """A concentrator's route request; radius 0: as far as the network goes."""

    concentrator_type: int
    radius: int


@dataclass(frozen=True, slots=True)
class RemoveDevice:
    """Tell a router that a node has to go.

    Attributes:
        node_id: The router, or the node itself.
        eui64: Its EUI-64.
        target: The node that has to go.
    """

    node_id: int
    eui64: Eui64
    target: Eui64


@dataclass(frozen=True, slots=True)
class NetworkInit:
    """How to resume the stored network (bits)."""

    bitmask: int


@dataclass(frozen=True, slots=True)
class NetworkStateAnswer:
    """`identifiers.NetworkState`."""

    state: int


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan to start.

    Attributes:
        scan_type: 0 energy, 1 active.
        channel_mask: Bit n stands for channel n.
        duration: Exponent: 2^n + 1 periods of 15.36 ms.
    """

    scan_type: int
    channel_mask: int
    duration: int


@dataclass(frozen=True, slots=True)
class NetworkFound:
    """A network, and how well its beacon was heard (dBm)."""

    network: FoundNetwork
    lqi: int
    rssi: int


@dataclass(frozen=True, slots=True)
class ScanComplete:
    """A scan ended; with another status than OK: failed on that channel."""

    channel: int
    status: AnyStatus


@dataclass(frozen=True, slots=True)
class EnergyResult:
    """The most energy heard on a channel, in dBm."""

    channel: int
    rssi: int


@dataclass(frozen=True, slots=True)
class BeaconAnswer:
    """The next beacon of a scan."""

    status: AnyStatus
    beacon: Beacon


@dataclass(frozen=True, slots=True)
class FormNetwork:
    """A network to form."""

    parameters: NetworkParameters


@dataclass(frozen=True, slots=True)
class JoinNetwork:
    """A network to join, and as what."""

    node_type: int
    parameters: NetworkParameters


@dataclass(frozen=True, slots=True)
class JoinDirectly:
    """A network to join without another scan.

    Attributes:
        node_type: As what.
        beacon: Heard earlier.
        tx_power: dBm.
        clear_beacons: Forget the beacons once joined.
    """

    node_type: int
    beacon: Beacon
    tx_power: int
    clear_beacons: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave the network (options since v14)."""

    options: int = 0


@dataclass(frozen=True, slots=True)
class Rejoin:
    """Find the network again.

    Attributes:
        have_key: The network key is the present one.
        channel_mask: Where to look; 0: everywhere.
        reason: Since v14.
        node_type: Since v14.
    """

    have_key: bool
    channel_mask: int
    reason: int = 0
    node_type: int = 0


@dataclass(frozen=True, slots=True)
class PermitJoining:
    """Seconds; 0 closes, 255 leaves open."""

    duration_s: int


@dataclass(frozen=True, slots=True)
class ChildJoined:
    """A child came or went."""

    index: int
    joining: bool
    node_id: int
    eui64: Eui64
    node_type: int


@dataclass(frozen=True, slots=True)
class TrustCenterJoin:
    """A node asks, or leaves.

    Attributes:
        node_id: Its short address.
        eui64: Its EUI-64.
        update: `identifiers.DeviceUpdate`.
        decision: `identifiers.JoinDecision`.
        parent: Short address of its parent.
    """

    node_id: int
    eui64: Eui64
    update: int
    decision: int
    parent: int


@dataclass(frozen=True, slots=True)
class NetworkParametersAnswer:
    """The present network and the NCP's part in it."""

    status: AnyStatus
    node_type: int
    parameters: NetworkParameters


@dataclass(frozen=True, slots=True)
class ParentChild:
    """How many children there are, and whose child the NCP is."""

    child_count: int
    parent_eui64: Eui64
    parent: int


@dataclass(frozen=True, slots=True)
class ChildAnswer:
    """A child of the NCP."""

    status: AnyStatus
    child: ChildData


@dataclass(frozen=True, slots=True)
class ChildSetting:
    """A row of the child table to be written."""

    index: int
    child: ChildData


@dataclass(frozen=True, slots=True)
class SourceRouteMode:
    """0 off, 1 on, 2 reschedule."""

    mode: int


@dataclass(frozen=True, slots=True)
class RemainingTime:
    """Milliseconds until the next route request."""

    remaining_ms: int


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """The way a message came.

    Attributes:
        source: Short address of its sender.
        source_eui64: EUI-64 of its sender.
        lqi: Link quality of the last hop.
        rssi: dBm of the last hop.
        relays: Short addresses, nearest to the sender first.
    """

    source: int
    source_eui64: Eui64
    lqi: int
    rssi: int
    relays: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RouteError:
    """A route to a node failed."""

    status: AnyStatus
    target: int


@dataclass(frozen=True, slots=True)
class CcaMode:
    """How the radio decides that a channel is clear."""

    mode: int


@dataclass(frozen=True, slots=True)
class EnergyScanRequest:
    """Ask a node to scan (ZDO)."""

    target: int
    channel_mask: int
    duration: int
    count: int


@dataclass(frozen=True, slots=True)
class AddressEntry:
    """A row of the address table (v14 and later)."""

    status: AnyStatus
    node_id: int
    eui64: Eui64


@dataclass(frozen=True, slots=True)
class LookedUpNodeId:
    """A short address; up to v13 0xFFFF alone says that there is none."""

    node_id: int
    status: AnyStatus = Status.OK


@dataclass(frozen=True, slots=True)
class LookedUpEui64:
    """An EUI-64."""

    status: AnyStatus
    eui64: Eui64


@dataclass(frozen=True, slots=True)
class MulticastAnswer:
    """A row of the multicast table."""

    status: AnyStatus
    entry: MulticastEntry


@dataclass(frozen=True, slots=True)
class MulticastSetting:
    """A row of the multicast table to be written."""

    index: int
    entry: MulticastEntry


@dataclass(frozen=True, slots=True)
class BindingAnswer:
    """A row of the binding table."""

    status: AnyStatus
    entry: BindingEntry


@dataclass(frozen=True, slots=True)
class BindingSetting:
    """A row of the binding table to be written."""

    index: int
    entry: BindingEntry


@dataclass(frozen=True, slots=True)
class ExtendedTimeoutSetting:
    """Wait longer for a (sleepy) node's acknowledgements."""

    eui64: Eui64
    extended: bool


@dataclass(frozen=True, slots=True)
class AddressReplacement:
    """A row of the address table to be written."""

    index: int
    eui64: Eui64
    node_id: int
    extended: bool


@dataclass(frozen=True, slots=True)
class ReplacedAddress:
    """What a row of the address table held before."""

    status: AnyStatus
    eui64: Eui64
    node_id: int
    extended: bool
