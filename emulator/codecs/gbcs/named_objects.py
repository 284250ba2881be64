"""Names and shapes of the COSEM members that GBCS reaches: the catalogue's, and the hub's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from device_profiles.gbcs_objects import load_gbcs_objects
from emulator.codecs.dlms.access import parse_obis

#: Class, logical name, whether a method, index.
MemberKey = tuple[int, bytes, bool, int]

#: Shape of a hub's device log with the moment of its backup (CCS07, CS14).
DEVICE_LOG: Final = (
    "struct(at:date_time,extended_pan_id:octets,"
    "devices:array(struct(device:octets8,hashed_tc_link_key:octets)))"
)
#: Shape of the sub-GHz settings (DBCH03, DBCH04, alert 8F2A).
SUB_GHZ: Final = (
    "struct("
    "channel_mask_1:bits,channel_mask_2:bits,channel_mask_3:bits,channel_mask_4:bits,"
    "setting_5:u16,setting_6:u16,setting_7:u8,setting_8:u16,setting_9:u8,"
    "setting_10:u8,setting_11:u16,setting_12:u8,setting_13:u16,setting_14:u16,"
    "setting_15:u16"
    ")"
)
#: Members that are no ESME's: class, logical name, member, name, shape.
#: Source: values in the RTDS 4.5.0 messages at hand (CCS01 to CCS07, DBCH02 to DBCH04, CS01a);
#: names of class 104 from the Blue Book's ZigBee network control [known]; of the sub-GHz settings
#: only the channel masks are [inferred], the others' meanings are not established.
_OTHERS: Final = """
1 0-0:94.44.10.0 a2 sub_ghz_configuration SUB_GHZ
1 0-0:94.44.10.1 a2 sub_ghz_channel_scan u8
1 0-0:94.44.10.2 a2 sub_ghz_channel bits
7 0-0:94.44.10.3 a2 sub_ghz_channel_log compact(struct(at:utc,code:u16,channel_data:octets))
104 0-0:30.3.0.255 a2 joining_enabled bool
104 0-0:30.3.0.255 a3 joining_timeout_s u16
104 0-0:30.3.0.255 a4 active_devices array(struct(device:octets8,status:bits,max_rssi_dbm:i8,average_rssi_dbm:i8,min_rssi_dbm:i8,max_lqi:u8,average_lqi:u8,min_lqi:u8,last_communication:date_time,hops:u8,transmission_failures:u8,transmission_successes:u8,application_version:u8,stack_version:u8))
104 0-0:30.3.0.255 m1 register_device struct(device:octets8,key_type:enum,install_code_key:octets,further:enum)
104 0-0:30.3.0.255 m2 unregister_device octets8
104 0-0:30.3.0.255 m4 backup_device_log DEVICE_LOG
104 0-0:30.3.0.255 m5 restore_device_log struct(extended_pan_id:octets,devices:array(struct(device:octets8,hashed_tc_link_key:octets)))
104 0-0:30.3.1.255 m4 backup_historic_device_log DEVICE_LOG
115 0-0:19.40.0.255 m1 enter_token visible|text
"""  # noqa: E501 - one line a member is what makes the table readable


_SHAPES: Final = {"SUB_GHZ": SUB_GHZ, "DEVICE_LOG": DEVICE_LOG}


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute or method.

    Attributes:
        name: Its name, with its unit where it has one.
        shape: Shape word of its value or argument.
    """

    name: str
    shape: str


@lru_cache(maxsize=1)
def members() -> Mapping[MemberKey, Member]:
    """Return every member known, by class, logical name, kind and index."""
    found = {
        key: Member(row.name, row.type) for key, row in load_gbcs_objects("esme").members.items()
    }
    for line in _OTHERS.strip().splitlines():
        class_id, obis, member, name, shape = line.split(" ")
        key = int(class_id), parse_obis(obis), member[0] == "m", int(member[1:])
        found.setdefault(key, Member(name, _SHAPES.get(shape, shape)))
    return found


#: What alerts carry encrypted, by use case. Source: RTDS 4.5.0 (ECS68 has the shape of the billing
#: log's registers).
_IN_ALERTS: Final = {"ECS68": ("billing_log_registers",)}


@lru_cache(maxsize=256)
def read_under_protection(use_case: str) -> tuple[Member, ...]:
    """Return the attributes that a protected read of this use case asks for, in their order."""
    catalogue = load_gbcs_objects("esme")
    rows = catalogue.rows
    if use_case in _IN_ALERTS:
        rows = tuple([catalogue.named[name] for name in _IN_ALERTS[use_case]])
        return tuple([Member(row.name, row.type) for row in rows])
    return tuple(
        Member(row.name, row.type) for row in rows if use_case in row.read and not row.is_method
    )
