"""Alerts in DLMS and GBZ: codes and their meanings, firmware receipts, future-dated outcomes."""

import enum
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import (
    DataNotification,
    decode_notification,
    encode_notification,
    parse_obis,
    print_obis,
)
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs import dates, gbz
from emulator.codecs.gbcs.asn1 import HASH_LENGTH
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.gbz import GbzAlert
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError

_LAYER: Final = "gbcs.dlms_alert"
_DATE_TIME_LENGTH: Final = 12


class AlertCode(enum.IntEnum):
    """The 16-bit alert codes whose meaning is established.

    Source:
        RTDS 4.5.0 directory names, firmware.md sections 3.1 and 3.3, gbcs.md sections 7 to 10.
    """

    GPF_DEVICE_LOG_BACKUP = 0x8071
    INTEGRITY_ISSUE = 0x81A0
    METROLOGY_FIRMWARE_VERIFICATION_FAILURE = 0x81AD
    BILLING_DATA_LOG = 0x8F0A
    DEVICE_LOG_CHANGED = 0x8F12
    FIRMWARE_VERIFICATION_FAILED_AT_POWER_ON = 0x8F1B
    FIRMWARE_VERIFICATION_FAILED = 0x8F1C
    SUB_GHZ_LIMITED_DUTY_CYCLE_ACTION = 0x8F20
    SUB_GHZ_CHANNEL_CHANGED = 0x8F26
    SUB_GHZ_CHANNEL_SCAN_OUTCOME = 0x8F28
    SUB_GHZ_CONFIGURATION_CHANGED = 0x8F2A
    SUB_GHZ_MESSAGE_DISCARDED = 0x8F2C
    SUB_GHZ_NO_MORE_DEVICE_CAPACITY = 0x8F2D
    SUPPLY_OUTAGE_RESTORED = 0x8F36
    FIRMWARE_VERSION_CHANGED = 0x8F43
    FUTURE_DATED_SUCCESS = 0x8F66
    FUTURE_DATED_FAILURE = 0x8F67
    FIRMWARE_VERIFIED = 0x8F72
    SOURCE_WITHOUT_AUTHORITY = 0x8F30
    COMMAND_NOT_SUPPORTED = 0x8F85
    APC_LIMIT_PROCESSED = 0x8F86
    APC_LIMIT_ENDED = 0x8F87
    OPERATIONAL_UPDATE = 0x8F88
    FIRMWARE_TRANSFER_FAILED = 0x8F89
    FIRMWARE_TRANSFERRED = 0x8F8A
    PPMID_FIRMWARE_ACTIVATION = 0x8F8B


A = AlertCode

#: Alert code -> what it says, for people.
MEANINGS: Final[Mapping[int, str]] = MappingProxyType(
    {
        A.GPF_DEVICE_LOG_BACKUP: "backup of the GPF device log",
        A.INTEGRITY_ISSUE: "meter integrity issue warning",
        A.METROLOGY_FIRMWARE_VERIFICATION_FAILURE: "metrology firmware verification failure",
        A.BILLING_DATA_LOG: "billing data log updated",
        A.DEVICE_LOG_CHANGED: "device added to or removed from the CHF device log",
        A.FIRMWARE_VERIFICATION_FAILED_AT_POWER_ON: "firmware verification failed at power on",
        A.FIRMWARE_VERIFICATION_FAILED: "firmware image verification failed, image discarded",
        A.SOURCE_WITHOUT_AUTHORITY: "source without authority for the command",
        A.SUB_GHZ_LIMITED_DUTY_CYCLE_ACTION: "sub-GHz limited duty cycle action taken",
        A.SUB_GHZ_CHANNEL_CHANGED: "sub-GHz channel changed",
        A.SUB_GHZ_CHANNEL_SCAN_OUTCOME: "sub-GHz channel scan request outcome",
        A.SUB_GHZ_CONFIGURATION_CHANGED: "sub-GHz configuration changed",
        A.SUB_GHZ_MESSAGE_DISCARDED: "message discarded by sub-GHz duty cycle management",
        A.SUB_GHZ_NO_MORE_DEVICE_CAPACITY: "no more sub-GHz device capacity",
        A.SUPPLY_OUTAGE_RESTORED: "supply restored after an outage",
        A.FIRMWARE_VERSION_CHANGED: "executing firmware version changed",
        A.FUTURE_DATED_SUCCESS: "future-dated command executed",
        A.FUTURE_DATED_FAILURE: "future-dated command failed",
        A.FIRMWARE_VERIFIED: "firmware image received and verified",
        A.COMMAND_NOT_SUPPORTED: "command not supported by the device",
        A.APC_LIMIT_PROCESSED: "Limit APC Level command processed",
        A.APC_LIMIT_ENDED: "Limit APC Level ended or cancelled",
        A.OPERATIONAL_UPDATE: "operational update",
        A.FIRMWARE_TRANSFER_FAILED: "firmware transfer to a HAN device failed",
        A.FIRMWARE_TRANSFERRED: "firmware transferred to a HAN device",
        A.PPMID_FIRMWARE_ACTIVATION: "PPMID firmware activation outcome",
    }
)


@dataclass(frozen=True, slots=True)
class DlmsAlert:
    """An alert as a DLMS data-notification.

    Attributes:
        invoke_id: Long invoke id and priority, see ``dlms.invoke_id``.
        alert_code: 16-bit alert code.
        at: When: a DLMS date-time of 12 octets, see ``dates``.
        content: What the alert code adds; empty for the generic alerts.
    """

    invoke_id: int
    alert_code: int
    at: bytes
    content: tuple[Data, ...] = ()


def decode_dlms_alert(data: bytes) -> DlmsAlert:
    """Decode a data-notification that is an alert.

    Raises:
        MalformedFrameError: It is no data-notification, or its body does not begin with an alert
            code (long-unsigned) and a date-time (octet-string of 12).

    Source:
        Reference gbcs.md section 7; checked on the 28 such alerts of the RTDS 4.5.0 at hand.
    """
    notification = decode_notification(data)
    parts = notification.body.value
    if notification.body.tag is not Tag.STRUCTURE or not isinstance(parts, tuple):
        raise MalformedFrameError(_LAYER, data, "an alert is a structure")
    if len(parts) < 2 or parts[0].tag is not Tag.UINT16 or parts[1].tag is not Tag.OCTETS:
        raise MalformedFrameError(_LAYER, data, "an alert begins with code and date-time")
    code, at = parts[0].value, parts[1].value
    if not isinstance(code, int) or not isinstance(at, bytes) or len(at) != _DATE_TIME_LENGTH:
        raise MalformedFrameError(_LAYER, data, "an alert's date-time has 12 octets")
    return DlmsAlert(notification.invoke_id, code, at, parts[2:])


def encode_dlms_alert(alert: DlmsAlert) -> bytes:
    """Encode an alert as a data-notification.

    Raises:
        ValueError: A field does not fit.
    """
    if len(alert.at) != _DATE_TIME_LENGTH:
        raise ValueError(f"a DLMS date-time has 12 octets, not {len(alert.at)}")
    head = (axdr.uint16(alert.alert_code), axdr.octets(alert.at))
    body = axdr.structure(*head, *alert.content)
    return encode_notification(DataNotification(alert.invoke_id, body))


def dlms_alert(counter: int, alert_code: int, at: UtcMs, *content: Data) -> DlmsAlert:
    """Return a DLMS alert as a device makes it.

    Args:
        counter: The alert's originator counter.
        alert_code: 16-bit alert code.
        at: When (milliseconds since 1970, written in whole seconds).
        content: What the alert code adds.
    """
    return DlmsAlert(invoke_id(counter), alert_code, dates.encode_date_time(at), content)


def dlms_firmware_receipt(counter: int, alert_code: int, at: UtcMs, image_hash: bytes) -> DlmsAlert:
    """Return a Firmware Distribution Receipt Alert of an ESME (message code FDRA_DLMS).

    Args:
        counter: The alert's originator counter.
        alert_code: FIRMWARE_VERIFIED or FIRMWARE_VERIFICATION_FAILED.
        at: When.
        image_hash: SHA-256 of the manufacturer image as calculated by the device.

    Raises:
        ValueError: The hash has not 32 octets.
    """
    return dlms_alert(counter, alert_code, at, axdr.octets(_checked(image_hash)))


def gbz_firmware_receipt(alert_code: int, at: UtcMs, image_hash: bytes) -> GbzAlert:
    """Return a Firmware Distribution Receipt Alert of a GSME (message code FDRA_GBZ).

    The hash is written as a DLMS octet-string (09 20 …); ``dlms_firmware_receipt`` has the
    arguments.

    Raises:
        ValueError: The hash has not 32 octets.
    """
    return GbzAlert(alert_code, at, axdr.encode(axdr.octets(_checked(image_hash))))


def _checked(image_hash: bytes) -> bytes:
    if len(image_hash) != HASH_LENGTH:
        raise ValueError(f"a SHA-256 hash has {HASH_LENGTH} octets, not {len(image_hash)}")
    return image_hash


def image_hash_of(alert: DlmsAlert | GbzAlert) -> bytes | None:
    """Return the hash that a firmware receipt carries, or None where ``alert`` carries none."""
    if isinstance(alert, GbzAlert):
        prefix = bytes((Tag.OCTETS, HASH_LENGTH))
        whole = len(alert.content) == len(prefix) + HASH_LENGTH and alert.content.startswith(prefix)
        return alert.content[len(prefix) :] if whole else None
    if len(alert.content) != 1 or alert.content[0].tag is not Tag.OCTETS:
        return None
    value = alert.content[0].value
    return value if isinstance(value, bytes) and len(value) == HASH_LENGTH else None


_DLMS_REFERENCE: Final = struct.Struct(">HQH6sB")
_GBZ_REFERENCE: Final = struct.Struct(">BHQHBB")
_GBZ_REFERENCE_LENGTH: Final = _GBZ_REFERENCE.size - 1


@dataclass(frozen=True, slots=True)
class CommandReference:
    """What a future-dated outcome says of its command.

    Attributes:
        message_code: The command's message code.
        counter: Its originator counter.
        item: The thing set: ``class/OBIS/attribute`` in DLMS, ``cluster frame-control command`` in
            GBZ, in hex.
    """

    message_code: int
    counter: int
    item: str


def command_reference_of(alert: DlmsAlert | GbzAlert) -> CommandReference | None:
    """Return the command that a future-dated outcome names, or None where it names none.

    Source:
        Octet string of 19 (DLMS) or 14 (GBZ) octets: 18 alerts of the RTDS 4.5.0 at hand.
    """
    if isinstance(alert, GbzAlert):
        if len(alert.content) != _GBZ_REFERENCE.size or alert.content[0] != _GBZ_REFERENCE_LENGTH:
            return None
        _, code, counter, cluster, control, command = _GBZ_REFERENCE.unpack(alert.content)
        return CommandReference(code, counter, f"{cluster:04x} {control:02x} {command:02x}")
    value = alert.content[0].value if len(alert.content) == 1 else None
    if not isinstance(value, bytes) or len(value) != _DLMS_REFERENCE.size:
        return None
    code, counter, class_id, obis, attribute = _DLMS_REFERENCE.unpack(value)
    return CommandReference(code, counter, f"{class_id}/{print_obis(obis)}/{attribute}")


def encode_dlms_reference(reference: CommandReference) -> bytes:
    """Return the 19 octets by which a DLMS alert names a future-dated command.

    Raises:
        ValueError: ``item`` is not ``class/OBIS/attribute``, or a number does not fit.
    """
    try:
        class_id, obis, attribute = reference.item.split("/")
        return _DLMS_REFERENCE.pack(
            reference.message_code,
            reference.counter,
            int(class_id),
            parse_obis(obis),
            int(attribute),
        )
    except struct.error as error:
        raise ValueError(f"no reference to a command: {reference} ({error})") from None


def encode_gbz_reference(reference: CommandReference) -> bytes:
    """Return the 15 octets by which a GBZ alert names a future-dated command.

    Raises:
        ValueError: ``item`` is not ``cluster frame-control command`` in hex, or a number does not
            fit.
    """
    try:
        cluster, control, command = [int(part, 16) for part in reference.item.split(" ")]
        return _GBZ_REFERENCE.pack(
            _GBZ_REFERENCE_LENGTH,
            reference.message_code,
            reference.counter,
            cluster,
            control,
            command,
        )
    except struct.error as error:
        raise ValueError(f"no reference to a command: {reference} ({error})") from None


def _is_plain(alert: DlmsAlert | GbzAlert) -> bool:
    return not alert.content


def _holds_component(alert: DlmsAlert | GbzAlert) -> bool:
    return isinstance(alert, GbzAlert) and len(gbz.component_of(alert).components) == 1


#: Octets of further information in an integrity issue warning.
_INFORMATION_LENGTH: Final = 2
_C = MessageCode
#: Message code -> what the content of its alerts must be, in words and as a test.
_CONTENT: Final[Mapping[int, tuple[str, Callable[[DlmsAlert | GbzAlert], bool]]]] = (
    MappingProxyType(
        {
            _C.FDRA_DLMS: ("a hash", lambda alert: image_hash_of(alert) is not None),
            _C.FDRA_GBZ: ("a hash", lambda alert: image_hash_of(alert) is not None),
            _C.FUTURE_DATED_DLMS_ALERT: (
                "a command reference",
                lambda alert: command_reference_of(alert) is not None,
            ),
            _C.FUTURE_DATED_GBZ_ALERT: (
                "a command reference",
                lambda alert: command_reference_of(alert) is not None,
            ),
            _C.GCS53: ("one component", _holds_component),
            _C.MIIWA_GBZ: ("two octets", lambda alert: len(alert.content) == _INFORMATION_LENGTH),
            _C.GCA: ("nothing", _is_plain),
            _C.GNCA: ("nothing", _is_plain),
        }
    )
)


def check_content(message_code: int, alert: DlmsAlert | GbzAlert, data: bytes) -> None:
    """Check that an alert holds what its message code says; other codes' content is not known.

    Args:
        message_code: Message code of the alert.
        alert: The alert.
        data: Its payload, for the error.

    Raises:
        MalformedFrameError: Layer ``gbcs.alert``: it holds something else.

    Source:
        Reference gbcs.md sections 7 and 8; that generic alerts hold nothing is inferred from the
        four vectors known.
    """
    what, holds = _CONTENT.get(message_code, ("", lambda _alert: True))
    if not holds(alert):
        raise MalformedFrameError("gbcs.alert", data, f"the alert's content is not {what}")
