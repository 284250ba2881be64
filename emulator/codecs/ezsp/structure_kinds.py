"""How the structures of EZSP frames stand on the wire."""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.ezsp.kinds import KINDS, Kind, octets_kind, structure_kind
from emulator.codecs.ezsp.structures import (
    ApsFrame,
    Beacon,
    BindingEntry,
    ChildData,
    CurrentSecurityState,
    FoundNetwork,
    InitialSecurityState,
    KeyContext,
    KeyMetadata,
    KeyStructure,
    MulticastEntry,
    NetworkKeyInfo,
    NetworkParameters,
    PacketInfo,
)


def _structure(cls: type[object], spec: str, known: Mapping[str, Kind]) -> Kind:
    pairs = (word.partition(":") for word in spec.split())
    return structure_kind(cls, {name: known[kind] for name, _, kind in pairs})


_KEY: Final = octets_kind(16)
_BASE: Final = {**KINDS, "key": _KEY}
_CHILD: Final = "eui64:eui node_type:u8 node_id:u16 phy:u8 power:u8 timeout:u8"
#: Kinds of structures by the word that stands for them in the tables of frames.
STRUCTURES: Final[Mapping[str, Kind]] = {
    name: _structure(cls, spec, _BASE)
    for name, cls, spec in (
        (
            "aps",
            ApsFrame,
            (
                "profile:u16 cluster:u16 source_endpoint:u8 destination_endpoint:u8 options:u16"
                " group:u16 sequence:u8"
            ),
        ),
        (
            "network",
            NetworkParameters,
            (
                "extended_pan_id:eui pan_id:u16 tx_power:u8 channel:u8 join_method:u8"
                " network_manager:u16 update_id:u8 channel_mask:u32"
            ),
        ),
        (
            "found",
            FoundNetwork,
            (
                "channel:u8 pan_id:u16 extended_pan_id:eui allowing_join:bool stack_profile:u8"
                " update_id:u8"
            ),
        ),
        (
            "beacon",
            Beacon,
            (
                "channel:u8 lqi:u8 rssi:i8 depth:u8 update_id:u8 power:i8 parent_priority:i8"
                " pan_id:u16 extended_pan_id:eui sender:u16 enhanced:bool permit_join:bool"
                " has_capacity:bool"
            ),
        ),
        (
            "initial_security",
            InitialSecurityState,
            (
                "bitmask:u16 preconfigured_key:key network_key:key network_key_sequence:u8"
                " trust_center:eui"
            ),
        ),
        ("current_security", CurrentSecurityState, "bitmask:u16 trust_center:eui"),
        (
            "key_structure",
            KeyStructure,
            (
                "bitmask:u16 key_type:u8 key:key outgoing_counter:u32 incoming_counter:u32"
                " sequence:u8 partner:eui"
            ),
        ),
        (
            "context",
            KeyContext,
            (
                "core_type:u8 index:u8 derived_type:u16 eui64:eui network_index:u8 flags:u8"
                " permission:u32"
            ),
        ),
        (
            "metadata",
            KeyMetadata,
            "bitmask:u16 outgoing_counter:u32 incoming_counter:u32 time_to_live_s:u16",
        ),
        (
            "key_info",
            NetworkKeyInfo,
            (
                "network_key_set:bool alternate_key_set:bool sequence:u8 alternate_sequence:u8"
                " frame_counter:u32"
            ),
        ),
        ("multicast", MulticastEntry, "group:u16 endpoint:u8 network_index:u8"),
        ("child_v7", ChildData, _CHILD),
        ("child", ChildData, f"{_CHILD} remaining_ms:u32"),
        (
            "packet",
            PacketInfo,
            (
                "sender:u16 sender_eui64:eui binding_index:u8 address_index:u8 lqi:u8 rssi:i8"
                " timestamp:u32"
            ),
        ),
        (
            "binding",
            BindingEntry,
            "kind:u8 local:u8 cluster:u16 remote:u8 identifier:eui network_index:u8",
        ),
    )
}
#: Octets of exactly one length.
OCTETS: Final[Mapping[str, Kind]] = {
    "key": _KEY,
    "smac": octets_kind(16),
    "private_163": octets_kind(21),
    "public_163": octets_kind(22),
    "public_283": octets_kind(37),
    "certificate_163": octets_kind(48),
    "certificate_283": octets_kind(74),
}
