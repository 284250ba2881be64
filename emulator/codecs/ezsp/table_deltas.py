"""What the other versions of EZSP change: v8 backwards from v13, then v14, v18 and v19 onwards.

Source:
    reference zigbee-dongle.md sections 2.3 and 2.8; every row is compared with bellows 1.2.1 in
    the tests. That v19 changes no row used here: from bellows, its changes touch other frames.
"""

from typing import Final

from emulator.codecs.ezsp import values as v
from emulator.codecs.ezsp import values_messages as m
from emulator.codecs.ezsp import values_network as n
from emulator.codecs.ezsp import values_security as s
from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.table_v13 import V13
from emulator.codecs.ezsp.tables import Delta, Row, call, told

_NOTHING: Final = (v.Nothing, "")
_ST: Final = (v.StatusOnly, "status:st")
_INDEX: Final = (v.ByIndex, "index:u8")
_EUI: Final = (v.ByEui64, "eui64:eui")
_SENT: Final = (m.SendAnswer, "status:st sequence:u8")
_KEY: Final = (s.KeyAnswer, "status:st key:key_structure")
_CONTEXT: Final = (s.ByKeyContext, "context:context")
_LINK_KEY: Final = (s.ExportedLinkKey, "status:sl context:context key:key metadata:metadata")

#: v8: keys are told as structures, children without their remaining time, no token access.
TO_V8: Final = Delta(
    rows=(
        call(0x4A, Frame.GET_CHILD_DATA, _INDEX, (n.ChildAnswer, "status:st child:child_v7")),
        call(0x6A, Frame.GET_KEY, (s.KeyTypeRequest, "key_type:u8"), _KEY),
        call(0x71, Frame.GET_KEY_TABLE_ENTRY, _INDEX, _KEY),
        call(
            0x72,
            Frame.SET_KEY_TABLE_ENTRY,
            (s.KeyTableSetting, "index:u8 eui64:eui link_key:bool key:key"),
            _ST,
        ),
        told(0x44, Frame.POLL_HANDLER, m.Polled, "node_id:u16"),
        call(0xAF, Frame.ADD_TRANSIENT_LINK_KEY, (s.TransientKey, "eui64:eui key:key"), _ST),
    ),
    gone=frozenset(
        {
            Frame.TOKEN_FACTORY_RESET,
            Frame.SET_RADIO_IEEE802154_CCA_MODE,
            Frame.SET_CHILD_DATA,
            Frame.GET_TOKEN_DATA,
            Frame.SET_TOKEN_DATA,
            Frame.GET_APS_KEY_INFO,
            Frame.EXPORT_LINK_KEY_BY_EUI,
            Frame.IMPORT_LINK_KEY,
            Frame.EXPORT_LINK_KEY_BY_INDEX,
            Frame.CHECK_KEY_CONTEXT,
            Frame.IMPORT_TRANSIENT_KEY,
            Frame.EXPORT_TRANSIENT_KEY_BY_INDEX,
            Frame.EXPORT_TRANSIENT_KEY_BY_EUI,
            Frame.EXPORT_KEY,
            Frame.IMPORT_KEY,
            Frame.GET_NETWORK_KEY_INFO,
        }
    ),
)

_V14_NETWORK: Final = (
    call(0x15, Frame.SET_MANUFACTURER_CODE, (v.ManufacturerCode, "code:u16"), _ST),
    call(0x20, Frame.LEAVE_NETWORK, (n.Leave, "options:u8"), _ST),
    call(
        0x21,
        Frame.FIND_AND_REJOIN_NETWORK,
        (n.Rejoin, "have_key:bool channel_mask:u32 reason:u8 node_type:u8"),
        _ST,
    ),
    call(
        0x5E,
        Frame.GET_ADDRESS_TABLE_INFO,
        _INDEX,
        (n.AddressEntry, "status:st node_id:u16 eui64:eui"),
    ),
    call(0x60, Frame.LOOKUP_NODE_ID_BY_EUI64, _EUI, (n.LookedUpNodeId, "status:st node_id:u16")),
    call(
        0x7E,
        Frame.SET_EXTENDED_TIMEOUT,
        (n.ExtendedTimeoutSetting, "eui64:eui extended:bool"),
        _ST,
    ),
    call(0x7F, Frame.GET_EXTENDED_TIMEOUT, _EUI, _ST),
    call(
        0x102,
        Frame.GET_TOKEN_DATA,
        (v.TokenAt, "token:u32 index:u32"),
        (v.StatusOctets, "status:st octets:lv32_if_ok"),
    ),
)
_V14_MESSAGES: Final = (
    call(
        0x34,
        Frame.SEND_UNICAST,
        (m.SendUnicast, "message_type:u8 destination:u16 aps:aps tag:u16 message:lv"),
        _SENT,
    ),
    call(
        0x36,
        Frame.SEND_BROADCAST,
        (
            m.SendBroadcast,
            "alias:u16 destination:u16 sequence:u8 aps:aps radius:u8 tag:u16 message:lv",
        ),
        _SENT,
    ),
    call(
        0x38,
        Frame.SEND_MULTICAST,
        (
            m.SendMulticast,
            "aps:aps hops:u8 broadcast_address:u16 alias:u16 sequence:u8 tag:u16 message:lv",
        ),
        _SENT,
    ),
    told(
        0x3F,
        Frame.MESSAGE_SENT_HANDLER,
        m.MessageSent,
        "status:st message_type:u8 destination:u16 aps:aps tag:u16 message:lv",
    ),
    told(
        0x45,
        Frame.INCOMING_MESSAGE_HANDLER,
        m.IncomingMessage,
        (
            "message_type:u8 aps:aps sender:u16 sender_eui64:eui binding_index:u8"
            " address_index:u8 lqi:u8 rssi:i8 timestamp:u32 message:lv"
        ),
    ),
    told(
        0x97,
        Frame.MAC_PASSTHROUGH_MESSAGE_HANDLER,
        m.MacPassthroughPacket,
        "message_type:u8 packet:packet message:lv",
    ),
)
_V14_SECURITY: Final = (
    call(
        0x10C,
        Frame.GET_APS_KEY_INFO,
        _CONTEXT,
        (s.ApsKeyInfo, "status:sl metadata:metadata context:context"),
    ),
    call(0x10D, Frame.EXPORT_LINK_KEY_BY_EUI, _EUI, _LINK_KEY),
    call(0x10F, Frame.EXPORT_LINK_KEY_BY_INDEX, _INDEX, _LINK_KEY),
    call(0x112, Frame.EXPORT_TRANSIENT_KEY_BY_INDEX, _INDEX, _LINK_KEY),
    call(0x113, Frame.EXPORT_TRANSIENT_KEY_BY_EUI, _EUI, _LINK_KEY),
    call(0x114, Frame.EXPORT_KEY, _CONTEXT, (s.ExportedKey, "status:sl key:key context:context")),
    call(
        0x115,
        Frame.IMPORT_KEY,
        (s.KeyImport, "context:context key:key"),
        (s.KeyImported, "status:sl context:context"),
    ),
)
#: v14: every status is an sl_Status and comes first; tags have two octets.
TO_V14: Final = Delta(
    rows=(*_V14_NETWORK, *_V14_MESSAGES, *_V14_SECURITY),
    gone=frozenset(
        {
            Frame.GET_NEXT_BEACON,
            Frame.GET_ADDRESS_TABLE_REMOTE_EUI64,
            Frame.GET_ADDRESS_TABLE_REMOTE_NODE_ID,
            Frame.SEND_RAW_MESSAGE,
        }
    ),
)
#: v18 (from v17 on): the proxy table of Green Power can be cleared.
TO_V18: Final = Delta(rows=(call(0x5F, Frame.GP_CLEAR_PROXY_TABLE, _NOTHING, _NOTHING),))
#: v19: nothing that is used here.
TO_V19: Final = Delta()

_V14: Final = TO_V14.on(V13)
_V18: Final = TO_V18.on(_V14)
#: The table of each version.
TABLES: Final[dict[int, tuple[Row, ...]]] = {
    8: TO_V8.on(V13),
    13: Delta().on(V13),
    14: _V14,
    18: _V18,
    19: TO_V19.on(_V18),
}
