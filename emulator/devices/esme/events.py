"""What happens to an ESME: codes of its events, and how it logs and tells them."""

import enum
from typing import TYPE_CHECKING, Final

from emulator.codecs.dlms.axdr import BitString, Data
from emulator.codecs.gbcs.alerts import dlms_alert, encode_dlms_alert
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.core.errors import KeyNotHeldError
from emulator.core.ids import Eui64

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme


class EventCode(enum.IntEnum):
    """Codes of events and alerts of an ESME.

    Source:
        NP (alert codes); those of phases follow their single-phase code by 1 to 3.
    """

    AVERAGE_OVER_VOLTAGE = 0x8002
    AVERAGE_UNDER_VOLTAGE = 0x8006
    EXTREME_OVER_VOLTAGE = 0x8020
    VOLTAGE_SWELL = 0x8024
    EXTREME_UNDER_VOLTAGE = 0x8028
    VOLTAGE_SAG = 0x802C
    AVERAGE_OVER_VOLTAGE_ENDED = 0x8085
    AVERAGE_UNDER_VOLTAGE_ENDED = 0x8089
    EXTREME_OVER_VOLTAGE_ENDED = 0x808D
    VOLTAGE_SWELL_ENDED = 0x8091
    EXTREME_UNDER_VOLTAGE_ENDED = 0x8095
    VOLTAGE_SAG_ENDED = 0x8099
    LOW_CREDIT = 0x810D
    CREDIT_ADDED_LOCALLY = 0x810E
    EMERGENCY_CREDIT_AVAILABLE = 0x8119
    HAN_COMMAND_ACTIONED = 0x8154
    HAN_COMMAND_NOT_ACTIONED = 0x8155
    USER_COMMAND_ACTIONED = 0x8161
    USER_COMMAND_NOT_ACTIONED = 0x8162
    INTEGRITY_ISSUE = 0x81A0
    MESSAGE_ACKNOWLEDGED = 0x81A6
    DEBT_1_COLLECTED = 0x81A7
    DEBT_2_COLLECTED = 0x81A8
    PAYMENT_DEBT_COLLECTED = 0x81A9
    EMERGENCY_CREDIT_EXHAUSTED = 0x81AA
    EMERGENCY_CREDIT_ACTIVATED = 0x81AB
    METER_COVER_CLOSED = 0x81B9
    MAGNETIC_FIELD_REMOVED = 0x81BC
    LOCKED_FOR_TAMPER = 0x81BE
    TERMINAL_COVER_CLOSED = 0x81C1
    ENTRY_SUSPENDED = 0x81C4
    ENTRY_LOCKED_OUT = 0x81C5
    LOAD_LIMIT_EXCEEDED = 0x8F01
    BILLING_DATA_LOG_UPDATED = 0x8F0A
    CREDIT_BELOW_DISABLEMENT = 0x8F0F
    SOURCE_WITHOUT_AUTHORITY = 0x8F30
    SUPPLY_ARMED = 0x8F32
    ARMED_FOR_LOAD_LIMIT = 0x8F33
    ENABLED_AFTER_LOAD_LIMIT = 0x8F34
    OUTAGE_RESTORED = 0x8F35
    LONG_OUTAGE_RESTORED = 0x8F36
    TAMPER_DETECTED = 0x8F3F
    BALANCE_WOULD_EXCEED = 0x8F47
    DUPLICATE_TOKEN = 0x8F51
    SUPPLY_INTERRUPTED = 0x8F57
    CREDIT_TOO_LARGE = 0x8F5B
    TOKEN_NOT_AUTHENTIC = 0x8F63
    TOKEN_NOT_FOR_DEVICE = 0x8F64
    METER_COVER_REMOVED = 0x8F74
    MAGNETIC_FIELD = 0x8F75
    TERMINAL_COVER_REMOVED = 0x8F76
    DISABLEMENT_SUSPENDED = 0x8F83
    OPERATIONAL_UPDATE = 0x8F88


#: Codes from here on are of critical alerts, which no party may switch off. Source: inferred from
#: RTDS NA_GCA (8F30, signed) and NA_GNCA (810E, MAC).
FIRST_CRITICAL: Final = 0x8F00
#: Events a supplier may switch off, in the order of their bits. Source: stand-in; GBCS has a table
#: of bits that is not at hand.
CONFIGURABLE: Final = tuple(sorted(int(code) for code in EventCode if code < FIRST_CRITICAL))
_SECURITY: Final = frozenset(
    {
        EventCode.DUPLICATE_TOKEN, EventCode.TOKEN_NOT_AUTHENTIC, EventCode.TOKEN_NOT_FOR_DEVICE,
        EventCode.TAMPER_DETECTED, EventCode.METER_COVER_REMOVED, EventCode.MAGNETIC_FIELD,
        EventCode.TERMINAL_COVER_REMOVED, EventCode.SOURCE_WITHOUT_AUTHORITY,
        EventCode.LOCKED_FOR_TAMPER, EventCode.METER_COVER_CLOSED, EventCode.ENTRY_SUSPENDED,
        EventCode.MAGNETIC_FIELD_REMOVED, EventCode.TERMINAL_COVER_CLOSED,
        EventCode.ENTRY_LOCKED_OUT,
    }
)  # fmt: skip


def happened(device: "Esme", code: int, detail: str, now: UtcMs) -> list[Effect]:
    """Log an event and tell the supplier of it, as its behaviours say."""
    effects: list[Effect] = []
    if _is_on(device, "supplier_logging", code):
        effects.append(device.log(code, detail, now, security=code in _SECURITY))
    if not _is_on(device, "supplier_alerts_wan", code):
        return effects
    critical = code >= FIRST_CRITICAL
    message = MessageCode.GCA if critical else MessageCode.GNCA
    return [*effects, *tell(device, message, code, now)]


def tell(  # noqa: PLR0913 - an alert has that many parts
    device: "Esme",
    message: MessageCode,
    code: int,
    now: UtcMs,
    *content: Data,
    target: Eui64 | None = None,
    about: Eui64 | None = None,
) -> list[Effect]:
    """Send an alert.

    Args:
        device: Who tells.
        message: Message code.
        code: Alert code.
        now: The present moment.
        content: What the alert code adds.
        target: Who is told; None for the supplier.
        about: Supplementary remote party, or None.
    """
    at = device.local_time(now)
    to = device.network.supplier(device.eui64) if target is None else target

    def body(counter: int) -> bytes:
        return encode_dlms_alert(dlms_alert(counter, code, at, *content))

    try:
        return device.alert(message, to, body, about)
    except KeyNotHeldError as error:
        return [Note("alert_not_sent", (("code", f"{code:04x}"), ("why", str(error))))]


def _is_on(device: "Esme", behaviour: str, code: int) -> bool:
    """Say whether a behaviour is on for an event; all are until a supplier says otherwise.

    Source:
        inferred: critical alerts cannot be switched off; the factory's settings are a stand-in.
    """
    said = device.model.store.published(behaviour)
    if code >= FIRST_CRITICAL or said is None or not isinstance(said.value, BitString):
        return True
    place = CONFIGURABLE.index(code) if code in CONFIGURABLE else 0
    octet, bit = divmod(place, 8)
    return bool(said.value.octets[octet] >> (7 - bit) & 1)
