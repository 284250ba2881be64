"""Structures that EZSP frames carry."""

from dataclasses import dataclass

from emulator.core.ids import Eui64
from emulator.core.values import quick


@quick
@dataclass(frozen=True, slots=True)
class ApsFrame:
    """Addressing of an application message.

    Attributes:
        profile: Application profile, e.g. 0x0109.
        cluster: Cluster identifier.
        source_endpoint: 0 to 240.
        destination_endpoint: 0 to 240, or 255 for all.
        options: Bits of `identifiers.ApsOption`.
        group: Group; of a fragment: number of fragments in the high octet (first fragment) and
            index in the low one.
        sequence: APS counter.
    """

    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int
    options: int = 0
    group: int = 0
    sequence: int = 0

    def numbered(self, sequence: int) -> "ApsFrame":
        """Return it with another counter."""
        places = (self.profile, self.cluster, self.source_endpoint, self.destination_endpoint)
        return ApsFrame(*places, self.options, self.group, sequence)


@dataclass(frozen=True, slots=True)
class NetworkParameters:
    """A network to form or to join, or the one the NCP is on.

    Attributes:
        extended_pan_id: In a GB HAN the EUI-64 of the CHF.
        pan_id: Short form.
        tx_power: dBm, in two's complement.
        channel: 11 to 26.
        join_method: `identifiers.JoinMethod`.
        network_manager: Node that manages the network.
        update_id: Version of these parameters.
        channel_mask: Bit n stands for channel n.
    """

    extended_pan_id: Eui64
    pan_id: int
    tx_power: int
    channel: int
    join_method: int = 0
    network_manager: int = 0
    update_id: int = 0
    channel_mask: int = 0


@dataclass(frozen=True, slots=True)
class FoundNetwork:
    """A network that an active scan has found."""

    channel: int
    pan_id: int
    extended_pan_id: Eui64
    allowing_join: bool
    stack_profile: int
    update_id: int


@dataclass(frozen=True, slots=True)
class Beacon:
    """A beacon as an NCP keeps it.

    Attributes:
        power: dBm.
        rssi: dBm.
    """

    channel: int
    lqi: int
    rssi: int
    depth: int
    update_id: int
    power: int
    parent_priority: int
    pan_id: int
    extended_pan_id: Eui64
    sender: int
    enhanced: bool
    permit_join: bool
    has_capacity: bool


@dataclass(frozen=True, slots=True)
class InitialSecurityState:
    """Security of the next network to form or join.

    Attributes:
        bitmask: Bits of `identifiers.InitialSecurityBit`.
        preconfigured_key: Trust centre's link key, 16 octets.
        network_key: 16 octets.
        network_key_sequence: Number of the network key.
        trust_center: EUI-64 of the trust centre to insist on.
    """

    bitmask: int
    preconfigured_key: bytes
    network_key: bytes
    network_key_sequence: int
    trust_center: Eui64


@dataclass(frozen=True, slots=True)
class CurrentSecurityState:
    """Security of the present network.

    Attributes:
        bitmask: Bits of `identifiers.CurrentSecurityBit`.
        trust_center: EUI-64 of the trust centre.
    """

    bitmask: int
    trust_center: Eui64


@dataclass(frozen=True, slots=True)
class KeyStructure:
    """A key as v12 and older tell it.

    Attributes:
        bitmask: Which of the fields are valid.
        key_type: `identifiers.KeyType`.
        key: 16 octets.
        outgoing_counter: Frame counter.
        incoming_counter: Frame counter.
        sequence: Number of a network key.
        partner: EUI-64 of the other end.
    """

    bitmask: int
    key_type: int
    key: bytes
    outgoing_counter: int
    incoming_counter: int
    sequence: int
    partner: Eui64


@dataclass(frozen=True, slots=True)
class KeyContext:
    """Which key the security manager (v13 and later) is asked for.

    Attributes:
        core_type: `identifiers.CoreKeyType`.
        index: Row of a key table.
        derived_type: 0: the key itself.
        eui64: Partner.
        network_index: 0.
        flags: Bits of `identifiers.KeyContextFlag`.
        permission: PSA algorithm permission.
    """

    core_type: int
    index: int
    derived_type: int
    eui64: Eui64
    network_index: int
    flags: int
    permission: int


@dataclass(frozen=True, slots=True)
class KeyMetadata:
    """What goes with a link key (v13 and later).

    Attributes:
        bitmask: Which of the fields are valid.
        outgoing_counter: Frame counter.
        incoming_counter: Frame counter.
        time_to_live_s: Seconds a transient key still has.
    """

    bitmask: int
    outgoing_counter: int
    incoming_counter: int
    time_to_live_s: int


@dataclass(frozen=True, slots=True)
class NetworkKeyInfo:
    """What may be told of the network keys.

    Attributes:
        network_key_set: There is one.
        alternate_key_set: There is a next one.
        sequence: Its number.
        alternate_sequence: The next one's number.
        frame_counter: Outgoing frames so far.
    """

    network_key_set: bool
    alternate_key_set: bool
    sequence: int
    alternate_sequence: int
    frame_counter: int


@dataclass(frozen=True, slots=True)
class MulticastEntry:
    """A group the NCP listens to; endpoint 0 marks an empty row."""

    group: int
    endpoint: int
    network_index: int


@dataclass(frozen=True, slots=True)
class ChildData:
    """A child of the NCP.

    Attributes:
        eui64: Its EUI-64.
        node_type: `identifiers.NodeType`.
        node_id: Its short address.
        phy: 0.
        power: dBm.
        timeout: Code of its time-out.
        remaining_ms: Until it ages out (v10 and later).
    """

    eui64: Eui64
    node_type: int
    node_id: int
    phy: int
    power: int
    timeout: int
    remaining_ms: int = 0


@dataclass(frozen=True, slots=True)
class PacketInfo:
    """How a packet arrived (v14 and later).

    Attributes:
        sender: Short address.
        sender_eui64: EUI-64.
        binding_index: 255: none.
        address_index: 255: none.
        lqi: Link quality of the last hop.
        rssi: dBm of the last hop.
        timestamp: Milliseconds of the NCP's clock.
    """

    sender: int
    sender_eui64: Eui64
    binding_index: int
    address_index: int
    lqi: int
    rssi: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class BindingEntry:
    """A row of the binding table.

    Attributes:
        kind: 0 unused, 1 unicast, 2 many-to-one, 3 multicast.
        local: Endpoint here.
        cluster: Cluster identifier.
        remote: Endpoint there.
        identifier: EUI-64 of the other node, or a group.
        network_index: 0.
    """

    kind: int
    local: int
    cluster: int
    remote: int
    identifier: Eui64
    network_index: int
