"""The frames of EZSP v13, the version from which the others are told as differences.

Source:
    UG100 (EZSP reference guide); reference zigbee-dongle.md sections 2.5, 2.8, 2.9 and 5.1. Every
    row is compared with bellows 1.2.1 as an independent reader and writer in the tests.
"""

from typing import Final

from emulator.codecs.ezsp import values as v
from emulator.codecs.ezsp import values_messages as m
from emulator.codecs.ezsp import values_network as n
from emulator.codecs.ezsp import values_security as s
from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.tables import Row, call, told

_NOTHING: Final = (v.Nothing, "")
_ST: Final = (v.StatusOnly, "status:st")
_EZST: Final = (v.StatusOnly, "status:ezst")
_SL: Final = (v.StatusOnly, "status:sl")
_INDEX: Final = (v.ByIndex, "index:u8")
_EUI: Final = (v.ByEui64, "eui64:eui")
_SENT: Final = (m.SendAnswer, "status:st sequence:u8")
_VALUE: Final = (v.StatusOctets, "status:ezst octets:lv")
_COUNTERS: Final = (v.Counters, "values:words")
_CONTEXT: Final = (s.ByKeyContext, "context:context")
_TRANSIENT: Final = (s.ExportedLinkKey, "context:context key:key metadata:metadata status:sl")

_CONFIGURATION: Final = (
    call(
        0x00,
        Frame.VERSION,
        (v.VersionRequest, "desired:u8"),
        (v.VersionAnswer, "protocol:u8 stack_type:u8 stack_version:u16"),
    ),
    call(
        0x01,
        Frame.GET_LIBRARY_STATUS,
        (v.LibraryId, "library:u8"),
        (v.LibraryStatus, "status:u8"),
    ),
    call(
        0x02,
        Frame.ADD_ENDPOINT,
        (v.Endpoint, "endpoint:u8 profile:u16 device:u16 device_version:u8 clusters:clusters"),
        _EZST,
    ),
    call(
        0x03,
        Frame.GET_EXTENDED_VALUE,
        (v.ExtendedValueId, "value_id:u8 characteristics:u32"),
        _VALUE,
    ),
    call(0x05, Frame.NOP, _NOTHING, _NOTHING),
    call(0x06, Frame.CALLBACK, _NOTHING, _NOTHING),
    told(0x07, Frame.NO_CALLBACKS, v.Nothing),
    call(0x0B, Frame.GET_MFG_TOKEN, (v.MfgTokenId, "token:u8"), (v.Octets, "octets:lv")),
    call(0x0C, Frame.SET_MFG_TOKEN, (v.MfgTokenSetting, "token:u8 octets:lv"), _ST),
    call(0x15, Frame.SET_MANUFACTURER_CODE, (v.ManufacturerCode, "code:u16"), (v.StatusOnly, "")),
    call(
        0x47, Frame.CUSTOM_FRAME, (v.Octets, "octets:lv"), (v.StatusOctets, "status:st octets:lv")
    ),
    call(
        0x49,
        Frame.GET_RANDOM_NUMBER,
        _NOTHING,
        (v.RandomNumber, "status:st value:u16"),
    ),
    call(
        0x52,
        Frame.GET_CONFIGURATION_VALUE,
        (v.ConfigId, "config_id:u8"),
        (v.ConfigAnswer, "status:ezst value:u16"),
    ),
    call(0x53, Frame.SET_CONFIGURATION_VALUE, (v.ConfigSetting, "config_id:u8 value:u16"), _EZST),
    call(0x55, Frame.SET_POLICY, (v.PolicySetting, "policy_id:u8 decision:u8"), _EZST),
    call(
        0x56,
        Frame.GET_POLICY,
        (v.PolicyId, "policy_id:u8"),
        (v.PolicyAnswer, "status:ezst decision:u8"),
    ),
    told(0x58, Frame.INVALID_COMMAND, v.StatusOnly, "status:ezst"),
    call(0x65, Frame.READ_AND_CLEAR_COUNTERS, _NOTHING, _COUNTERS),
    call(
        0x77,
        Frame.TOKEN_FACTORY_RESET,
        (v.TokenFactoryReset, "exclude_outgoing_counter:bool exclude_boot_counter:bool"),
        _NOTHING,
    ),
    call(0x81, Frame.ECHO, (v.Octets, "octets:lv"), (v.Octets, "octets:lv")),
    call(0x8F, Frame.LAUNCH_STANDALONE_BOOTLOADER, (v.BootloaderMode, "mode:u8"), _ST),
    call(0x9D, Frame.DELAY_TEST, (v.Delay, "delay_ms:u16"), _NOTHING),
    call(0xAA, Frame.GET_VALUE, (v.ValueId, "value_id:u8"), _VALUE),
    call(0xAB, Frame.SET_VALUE, (v.ValueSetting, "value_id:u8 octets:lv"), _EZST),
    call(0xF1, Frame.READ_COUNTERS, _NOTHING, _COUNTERS),
    call(
        0x102,
        Frame.GET_TOKEN_DATA,
        (v.TokenAt, "token:u32 index:u32"),
        (v.StatusOctets, "status:st octets:lv32"),
    ),
    call(0x103, Frame.SET_TOKEN_DATA, (v.TokenSetting, "token:u32 index:u32 octets:lv32"), _ST),
)

_NETWORK: Final = (
    call(
        0x04,
        Frame.GET_NEXT_BEACON,
        _NOTHING,
        (n.BeaconAnswer, "status:st beacon:beacon"),
    ),
    call(
        0x10,
        Frame.SET_CONCENTRATOR,
        (
            n.Concentrator,
            (
                "on:bool concentrator_type:u16 min_time_s:u16 max_time_s:u16"
                " route_error_threshold:u8 delivery_failure_threshold:u8 max_hops:u8"
            ),
        ),
        _ST,
    ),
    call(0x17, Frame.NETWORK_INIT, (n.NetworkInit, "bitmask:u16"), _ST),
    call(0x18, Frame.NETWORK_STATE, _NOTHING, (n.NetworkStateAnswer, "state:u8")),
    told(0x19, Frame.STACK_STATUS_HANDLER, v.StatusOnly, "status:st"),
    call(0x1A, Frame.START_SCAN, (n.Scan, "scan_type:u8 channel_mask:u32 duration:u8"), _ST),
    told(0x1B, Frame.NETWORK_FOUND_HANDLER, n.NetworkFound, "network:found lqi:u8 rssi:i8"),
    told(0x1C, Frame.SCAN_COMPLETE_HANDLER, n.ScanComplete, "channel:u8 status:st"),
    call(0x1D, Frame.STOP_SCAN, _NOTHING, _ST),
    call(0x1E, Frame.FORM_NETWORK, (n.FormNetwork, "parameters:network"), _ST),
    call(0x1F, Frame.JOIN_NETWORK, (n.JoinNetwork, "node_type:u8 parameters:network"), _ST),
    call(0x20, Frame.LEAVE_NETWORK, (n.Leave, ""), _ST),
    call(
        0x21,
        Frame.FIND_AND_REJOIN_NETWORK,
        (n.Rejoin, "have_key:bool channel_mask:u32"),
        _ST,
    ),
    call(0x22, Frame.PERMIT_JOINING, (n.PermitJoining, "duration_s:u8"), _ST),
    told(
        0x23,
        Frame.CHILD_JOIN_HANDLER,
        n.ChildJoined,
        "index:u8 joining:bool node_id:u16 eui64:eui node_type:u8",
    ),
    told(
        0x24,
        Frame.TRUST_CENTER_JOIN_HANDLER,
        n.TrustCenterJoin,
        "node_id:u16 eui64:eui update:u8 decision:u8 parent:u16",
    ),
    call(0x26, Frame.GET_EUI64, _NOTHING, _EUI),
    call(0x27, Frame.GET_NODE_ID, _NOTHING, (v.ByNodeId, "node_id:u16")),
    call(
        0x28,
        Frame.GET_NETWORK_PARAMETERS,
        _NOTHING,
        (n.NetworkParametersAnswer, "status:st node_type:u8 parameters:network"),
    ),
    call(
        0x29,
        Frame.GET_PARENT_CHILD_PARAMETERS,
        _NOTHING,
        (n.ParentChild, "child_count:u8 parent_eui64:eui parent:u16"),
    ),
    call(
        0x3B,
        Frame.JOIN_NETWORK_DIRECTLY,
        (n.JoinDirectly, "node_type:u8 beacon:beacon tx_power:i8 clear_beacons:bool"),
        _ST,
    ),
    call(
        0x41,
        Frame.SEND_MANY_TO_ONE_ROUTE_REQUEST,
        (n.ManyToOneRequest, "concentrator_type:u16 radius:u8"),
        _ST,
    ),
    told(0x48, Frame.ENERGY_SCAN_RESULT_HANDLER, n.EnergyResult, "channel:u8 rssi:i8"),
    call(0x4A, Frame.GET_CHILD_DATA, _INDEX, (n.ChildAnswer, "status:st child:child")),
    call(
        0x5A,
        Frame.SET_SOURCE_ROUTE_DISCOVERY_MODE,
        (n.SourceRouteMode, "mode:u8"),
        (n.RemainingTime, "remaining_ms:u32"),
    ),
    told(
        0x59,
        Frame.INCOMING_ROUTE_RECORD_HANDLER,
        n.RouteRecord,
        "source:u16 source_eui64:eui lqi:u8 rssi:i8 relays:counted_words",
    ),
    told(0x80, Frame.INCOMING_ROUTE_ERROR_HANDLER, n.RouteError, "status:st target:u16"),
    call(0x95, Frame.SET_RADIO_IEEE802154_CCA_MODE, (n.CcaMode, "mode:u8"), _ST),
    call(0x99, Frame.SET_RADIO_POWER, (v.Power, "power:i8"), _ST),
    call(0x9A, Frame.SET_RADIO_CHANNEL, (v.Channel, "channel:u8"), _ST),
    call(
        0x9C,
        Frame.ENERGY_SCAN_REQUEST,
        (n.EnergyScanRequest, "target:u16 channel_mask:u32 duration:u8 count:u16"),
        _ST,
    ),
    call(
        0xA8,
        Frame.REMOVE_DEVICE,
        (n.RemoveDevice, "node_id:u16 eui64:eui target:eui"),
        _ST,
    ),
    call(0xAC, Frame.SET_CHILD_DATA, (n.ChildSetting, "index:u8 child:child"), _ST),
    call(0xE2, Frame.GP_SINK_TABLE_CLEAR_ALL, _NOTHING, _NOTHING),
)

_ADDRESSES: Final = (
    call(0x2B, Frame.SET_BINDING, (n.BindingSetting, "index:u8 entry:binding"), _ST),
    call(0x2C, Frame.GET_BINDING, _INDEX, (n.BindingAnswer, "status:st entry:binding")),
    call(0x5E, Frame.GET_ADDRESS_TABLE_REMOTE_EUI64, _INDEX, _EUI),
    call(0x5F, Frame.GET_ADDRESS_TABLE_REMOTE_NODE_ID, _INDEX, (v.ByNodeId, "node_id:u16")),
    call(0x60, Frame.LOOKUP_NODE_ID_BY_EUI64, _EUI, (n.LookedUpNodeId, "node_id:u16")),
    call(
        0x61,
        Frame.LOOKUP_EUI64_BY_NODE_ID,
        (v.ByNodeId, "node_id:u16"),
        (n.LookedUpEui64, "status:st eui64:eui"),
    ),
    call(
        0x63,
        Frame.GET_MULTICAST_TABLE_ENTRY,
        _INDEX,
        (n.MulticastAnswer, "status:st entry:multicast"),
    ),
    call(
        0x64, Frame.SET_MULTICAST_TABLE_ENTRY, (n.MulticastSetting, "index:u8 entry:multicast"), _ST
    ),
    call(
        0x7E,
        Frame.SET_EXTENDED_TIMEOUT,
        (n.ExtendedTimeoutSetting, "eui64:eui extended:bool"),
        (v.StatusOnly, ""),
    ),
    call(0x7F, Frame.GET_EXTENDED_TIMEOUT, _EUI, (v.StatusOnly, "status:yes")),
    call(
        0x82,
        Frame.REPLACE_ADDRESS_TABLE_ENTRY,
        (n.AddressReplacement, "index:u8 eui64:eui node_id:u16 extended:bool"),
        (n.ReplacedAddress, "status:st eui64:eui node_id:u16 extended:bool"),
    ),
)

_MESSAGES: Final = (
    call(0x33, Frame.MAXIMUM_PAYLOAD_LENGTH, _NOTHING, (v.PayloadLength, "length:u8")),
    call(
        0x34,
        Frame.SEND_UNICAST,
        (m.SendUnicast, "message_type:u8 destination:u16 aps:aps tag:u8 message:lv"),
        _SENT,
    ),
    call(
        0x36,
        Frame.SEND_BROADCAST,
        (m.SendBroadcast, "destination:u16 aps:aps radius:u8 tag:u8 message:lv"),
        _SENT,
    ),
    call(
        0x38,
        Frame.SEND_MULTICAST,
        (m.SendMulticast, "aps:aps hops:u8 nonmember_radius:u8 tag:u8 message:lv"),
        _SENT,
    ),
    call(0x39, Frame.SEND_REPLY, (m.Reply, "sender:u16 aps:aps message:lv"), _ST),
    told(
        0x3F,
        Frame.MESSAGE_SENT_HANDLER,
        m.MessageSent,
        "message_type:u8 destination:u16 aps:aps tag:u8 status:st message:lv",
    ),
    call(
        0x42,
        Frame.POLL_FOR_DATA,
        (m.PollForData, "interval:u16 units:u8 failure_limit:u8"),
        _ST,
    ),
    told(0x43, Frame.POLL_COMPLETE_HANDLER, v.StatusOnly, "status:st"),
    told(0x44, Frame.POLL_HANDLER, m.Polled, "node_id:u16 transmit_expected:bool"),
    told(
        0x45,
        Frame.INCOMING_MESSAGE_HANDLER,
        m.IncomingMessage,
        (
            "message_type:u8 aps:aps lqi:u8 rssi:i8 sender:u16 binding_index:u8"
            " address_index:u8 message:lv"
        ),
    ),
    told(
        0x97,
        Frame.MAC_PASSTHROUGH_MESSAGE_HANDLER,
        m.MacPassthrough,
        "message_type:u8 lqi:u8 rssi:i8 message:lv",
    ),
    call(0x96, Frame.SEND_RAW_MESSAGE, (m.RawMessage, "message:lv"), _ST),
    call(
        0x51,
        Frame.SEND_RAW_MESSAGE_EXTENDED,
        (m.RawMessage, "message:lv priority:u8 use_cca:bool"),
        _ST,
    ),
    call(0x83, Frame.MFGLIB_START, (m.MfglibStart, "rx_callback:bool"), _ST),
    call(0x84, Frame.MFGLIB_END, _NOTHING, _ST),
    call(0x85, Frame.MFGLIB_START_TONE, _NOTHING, _ST),
    call(0x86, Frame.MFGLIB_STOP_TONE, _NOTHING, _ST),
    call(0x87, Frame.MFGLIB_START_STREAM, _NOTHING, _ST),
    call(0x88, Frame.MFGLIB_STOP_STREAM, _NOTHING, _ST),
    call(0x89, Frame.MFGLIB_SEND_PACKET, (v.Octets, "octets:lv"), _ST),
    call(0x8A, Frame.MFGLIB_SET_CHANNEL, (v.Channel, "channel:u8"), _ST),
    call(0x8B, Frame.MFGLIB_GET_CHANNEL, _NOTHING, (v.Channel, "channel:u8")),
    call(0x8C, Frame.MFGLIB_SET_POWER, (m.MfglibPower, "mode:u16 power:i8"), _ST),
    call(0x8D, Frame.MFGLIB_GET_POWER, _NOTHING, (v.Power, "power:i8")),
    told(0x8E, Frame.MFGLIB_RX_HANDLER, m.MfglibReceived, "lqi:u8 rssi:i8 packet:lv"),
)

_SECURITY: Final = (
    call(
        0x50,
        Frame.UNICAST_CURRENT_NETWORK_KEY,
        (s.NetworkKeyUnicast, "node_id:u16 eui64:eui parent:u16"),
        _ST,
    ),
    call(
        0x68,
        Frame.SET_INITIAL_SECURITY_STATE,
        (s.InitialSecurity, "state:initial_security"),
        _ST,
    ),
    call(
        0x69,
        Frame.GET_CURRENT_SECURITY_STATE,
        _NOTHING,
        (s.CurrentSecurity, "status:st state:current_security"),
    ),
    call(0x6B, Frame.CLEAR_TRANSIENT_LINK_KEYS, _NOTHING, _NOTHING),
    call(
        0x75,
        Frame.FIND_KEY_TABLE_ENTRY,
        (s.FindKey, "eui64:eui link_key:bool"),
        (s.FoundKey, "index:u8"),
    ),
    call(0x76, Frame.ERASE_KEY_TABLE_ENTRY, _INDEX, _ST),
    told(
        0x9B,
        Frame.ZIGBEE_KEY_ESTABLISHMENT_HANDLER,
        s.KeyEstablished,
        "partner:eui key_status:u8",
    ),
    call(0xB1, Frame.CLEAR_KEY_TABLE, _NOTHING, _ST),
    call(
        0x10C,
        Frame.GET_APS_KEY_INFO,
        _CONTEXT,
        (s.ApsKeyInfo, "eui64:eui metadata:metadata status:sl"),
    ),
    call(
        0x10D,
        Frame.EXPORT_LINK_KEY_BY_EUI,
        _EUI,
        (s.ExportedLinkKey, "key:key index:u8 metadata:metadata status:sl"),
    ),
    call(0x10E, Frame.IMPORT_LINK_KEY, (s.LinkKeyImport, "index:u8 eui64:eui key:key"), _SL),
    call(
        0x10F,
        Frame.EXPORT_LINK_KEY_BY_INDEX,
        _INDEX,
        (s.ExportedLinkKey, "eui64:eui key:key metadata:metadata status:sl"),
    ),
    call(0x110, Frame.CHECK_KEY_CONTEXT, _CONTEXT, _SL),
    call(0x111, Frame.IMPORT_TRANSIENT_KEY, (s.TransientKey, "eui64:eui key:key flags:u8"), _SL),
    call(0x112, Frame.EXPORT_TRANSIENT_KEY_BY_INDEX, _INDEX, _TRANSIENT),
    call(0x113, Frame.EXPORT_TRANSIENT_KEY_BY_EUI, _EUI, _TRANSIENT),
    call(0x114, Frame.EXPORT_KEY, _CONTEXT, (s.ExportedKey, "key:key status:sl")),
    call(
        0x115,
        Frame.IMPORT_KEY,
        (s.KeyImport, "context:context key:key"),
        (s.KeyImported, "status:sl"),
    ),
    call(
        0x116,
        Frame.GET_NETWORK_KEY_INFO,
        _NOTHING,
        (s.NetworkKeyInfoAnswer, "status:sl info:key_info"),
    ),
)

_CBKE: Final = (
    told(0x9E, Frame.GENERATE_CBKE_KEYS_HANDLER, s.EphemeralKey, "status:st public_key:public_163"),
    call(
        0x9F,
        Frame.CALCULATE_SMACS,
        (s.CalculateSmacs, "initiator:bool certificate:certificate_163 public_key:public_163"),
        _ST,
    ),
    told(0xA0, Frame.CALCULATE_SMACS_HANDLER, s.Smacs, "status:st initiator:smac responder:smac"),
    call(
        0xA1,
        Frame.CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY,
        (s.StoreLinkKey, "store:bool"),
        _ST,
    ),
    call(
        0xA2,
        Frame.SET_PREINSTALLED_CBKE_DATA,
        (
            s.PreinstalledCbkeData,
            "ca_public:public_163 certificate:certificate_163 private_key:private_163",
        ),
        _ST,
    ),
    call(0xA4, Frame.GENERATE_CBKE_KEYS, _NOTHING, _ST),
    call(
        0xA5,
        Frame.GET_CERTIFICATE,
        _NOTHING,
        (s.Certificate, "status:st certificate:certificate_163"),
    ),
    call(0xA6, Frame.DSA_SIGN, (v.Octets, "octets:lv"), _ST),
    told(0xA7, Frame.DSA_SIGN_HANDLER, v.StatusOctets, "status:st octets:lv"),
    call(0xE8, Frame.GENERATE_CBKE_KEYS_283K1, _NOTHING, _ST),
    told(
        0xE9,
        Frame.GENERATE_CBKE_KEYS_HANDLER_283K1,
        s.EphemeralKey,
        "status:st public_key:public_283",
    ),
    call(
        0xEA,
        Frame.CALCULATE_SMACS_283K1,
        (s.CalculateSmacs, "initiator:bool certificate:certificate_283 public_key:public_283"),
        _ST,
    ),
    told(
        0xEB,
        Frame.CALCULATE_SMACS_HANDLER_283K1,
        s.Smacs,
        "status:st initiator:smac responder:smac",
    ),
    call(
        0xEC,
        Frame.GET_CERTIFICATE_283K1,
        _NOTHING,
        (s.Certificate, "status:st certificate:certificate_283"),
    ),
    call(0xED, Frame.SAVE_PREINSTALLED_CBKE_DATA_283K1, _NOTHING, _ST),
    call(
        0xEE,
        Frame.CLEAR_TEMPORARY_DATA_MAYBE_STORE_LINK_KEY_283K1,
        (s.StoreLinkKey, "store:bool"),
        _ST,
    ),
)

#: All frames of v13.
V13: Final[tuple[Row, ...]] = (
    *_CONFIGURATION,
    *_NETWORK,
    *_ADDRESSES,
    *_MESSAGES,
    *_SECURITY,
    *_CBKE,
)
