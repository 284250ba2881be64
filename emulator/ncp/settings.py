"""Configuration values, policies and values of an NCP: what there is, its defaults and limits.

Source:
    numbers from UG100; defaults and limits: stand-in, near those of stock coordinator images;
    what hosts write and read: reference zigbee-dongle.md sections 2.6 and 2.9.
"""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.ezsp.identifiers import ConfigId, PolicyId, ValueId


@dataclass(frozen=True, slots=True)
class Limits:
    """A configuration value: what it is at first, at least and at most."""

    default: int
    least: int
    most: int


#: Configuration values.
CONFIGURATION: Final[dict[ConfigId, Limits]] = {
    ConfigId.PACKET_BUFFER_COUNT: Limits(80, 1, 255),
    ConfigId.NEIGHBOR_TABLE_SIZE: Limits(26, 16, 26),
    ConfigId.APS_UNICAST_MESSAGE_COUNT: Limits(10, 0, 255),
    ConfigId.BINDING_TABLE_SIZE: Limits(32, 0, 127),
    ConfigId.ADDRESS_TABLE_SIZE: Limits(16, 0, 116),
    ConfigId.MULTICAST_TABLE_SIZE: Limits(8, 0, 16),
    ConfigId.ROUTE_TABLE_SIZE: Limits(16, 0, 254),
    ConfigId.DISCOVERY_TABLE_SIZE: Limits(8, 0, 63),
    ConfigId.STACK_PROFILE: Limits(0, 0, 2),
    ConfigId.SECURITY_LEVEL: Limits(5, 0, 5),
    ConfigId.MAX_HOPS: Limits(30, 0, 30),
    ConfigId.MAX_END_DEVICE_CHILDREN: Limits(32, 0, 64),
    ConfigId.INDIRECT_TRANSMISSION_TIMEOUT: Limits(3000, 0, 30000),
    ConfigId.END_DEVICE_POLL_TIMEOUT: Limits(8, 0, 14),
    ConfigId.TX_POWER_MODE: Limits(0, 0, 3),
    ConfigId.DISABLE_RELAY: Limits(0, 0, 1),
    ConfigId.TRUST_CENTER_ADDRESS_CACHE_SIZE: Limits(2, 0, 255),
    ConfigId.SOURCE_ROUTE_TABLE_SIZE: Limits(32, 0, 254),
    ConfigId.FRAGMENT_WINDOW_SIZE: Limits(1, 0, 8),
    ConfigId.FRAGMENT_DELAY_MS: Limits(0, 0, 65535),
    ConfigId.KEY_TABLE_SIZE: Limits(4, 0, 127),
    ConfigId.APS_ACK_TIMEOUT: Limits(1600, 0, 65535),
    ConfigId.ACTIVE_SCAN_DURATION: Limits(3, 0, 6),
    ConfigId.END_DEVICE_BIND_TIMEOUT: Limits(60, 1, 255),
    ConfigId.PAN_ID_CONFLICT_REPORT_THRESHOLD: Limits(2, 1, 63),
    ConfigId.REQUEST_KEY_TIMEOUT: Limits(0, 0, 10),
    ConfigId.CERTIFICATE_TABLE_SIZE: Limits(0, 0, 1),
    ConfigId.APPLICATION_ZDO_FLAGS: Limits(0, 0, 255),
    ConfigId.BROADCAST_TABLE_SIZE: Limits(15, 15, 254),
    ConfigId.MAC_FILTER_TABLE_SIZE: Limits(0, 0, 254),
    ConfigId.SUPPORTED_NETWORKS: Limits(1, 1, 2),
    ConfigId.SEND_MULTICASTS_TO_SLEEPY_ADDRESS: Limits(0, 0, 1),
    ConfigId.ZLL_GROUP_ADDRESSES: Limits(0, 0, 255),
    ConfigId.ZLL_RSSI_THRESHOLD: Limits(65408, 0, 65535),
    ConfigId.MTORR_FLOW_CONTROL: Limits(1, 0, 1),
    ConfigId.RETRY_QUEUE_SIZE: Limits(16, 0, 255),
    ConfigId.NEW_BROADCAST_ENTRY_THRESHOLD: Limits(8, 0, 254),
    ConfigId.TRANSIENT_KEY_TIMEOUT_S: Limits(300, 0, 65535),
    ConfigId.BROADCAST_MIN_ACKS_NEEDED: Limits(255, 0, 255),
    ConfigId.TC_REJOINS_USING_WELL_KNOWN_KEY_TIMEOUT_S: Limits(300, 0, 65535),
    ConfigId.CTUNE_VALUE: Limits(0, 0, 65535),
    ConfigId.ASSUME_TC_CONCENTRATOR_TYPE: Limits(0, 0, 2),
    ConfigId.GP_PROXY_TABLE_SIZE: Limits(5, 0, 50),
    ConfigId.GP_SINK_TABLE_SIZE: Limits(0, 0, 50),
}
#: Policies and their decisions at first.
POLICIES: Final[dict[PolicyId, int]] = {
    PolicyId.TRUST_CENTER_POLICY: 0x00,
    PolicyId.BINDING_MODIFICATION_POLICY: 0x10,
    PolicyId.UNICAST_REPLIES_POLICY: 0x20,
    PolicyId.POLL_HANDLER_POLICY: 0x30,
    PolicyId.MESSAGE_CONTENTS_IN_CALLBACK_POLICY: 0x40,
    PolicyId.TC_KEY_REQUEST_POLICY: 0x51,
    PolicyId.APP_KEY_REQUEST_POLICY: 0x60,
    PolicyId.PACKET_VALIDATE_LIBRARY_POLICY: 0x63,
    PolicyId.ZLL_POLICY: 0x00,
    PolicyId.TC_REJOINS_USING_WELL_KNOWN_KEY_POLICY: 0x00,
}
#: Values that are kept as they are written: octets at first, and so their length.
VALUES: Final[dict[ValueId, bytes]] = {
    ValueId.MAC_PASSTHROUGH_FLAGS: bytes(1),
    ValueId.UART_SYNCH_CALLBACKS: bytes(1),
    ValueId.MAXIMUM_INCOMING_TRANSFER_SIZE: (82).to_bytes(2, "little"),
    ValueId.MAXIMUM_OUTGOING_TRANSFER_SIZE: (82).to_bytes(2, "little"),
    ValueId.STACK_TOKEN_WRITING: b"\x01",
    ValueId.EXTENDED_SECURITY_BITMASK: bytes(2),
    ValueId.DESCRIPTOR_CAPABILITY: bytes(1),
    ValueId.RADIO_HOLD_OFF: bytes(1),
    ValueId.NEXT_HOST_REJOIN_REASON: bytes(1),
    ValueId.CCA_THRESHOLD: b"\xb5",
    ValueId.NWK_FRAME_COUNTER: bytes(4),
    ValueId.APS_FRAME_COUNTER: bytes(4),
    ValueId.RETRY_DEVICE_TYPE: bytes(1),
    ValueId.ENABLE_R21_BEHAVIOR: b"\x01",
    ValueId.ANTENNA_MODE: bytes(1),
    ValueId.ENABLE_PTA: bytes(1),
    ValueId.PTA_OPTIONS: bytes(4),
    ValueId.MFGLIB_OPTIONS: bytes(1),
    ValueId.USE_NEGOTIATED_POWER_BY_LPD: bytes(1),
    ValueId.NWK_KEY_TIMEOUT: bytes(2),
    ValueId.FORCE_TX_AFTER_FAILED_CCA_ATTEMPTS: bytes(1),
    ValueId.TRANSIENT_KEY_TIMEOUT_S: (300).to_bytes(4, "little"),
    ValueId.MAX_BEACONS_TO_STORE: bytes(1),
    ValueId.END_DEVICE_TIMEOUT_OPTIONS_MASK: bytes(1),
    ValueId.END_DEVICE_KEEP_ALIVE_SUPPORT_MODE: b"\x03",
    ValueId.ACTIVE_RADIO_CONFIG: bytes(1),
    ValueId.TRANSIENT_DEVICE_TIMEOUT: (10000).to_bytes(2, "little"),
    ValueId.DELAYED_JOIN_ACTIVATION: bytes(1),
    ValueId.MAX_NWK_RETRIES: b"\x03",
    ValueId.REJOIN_MODE: bytes(1),
}
#: Packet buffers that are free, as FREE_BUFFERS tells.
FREE_BUFFERS: Final = 64
