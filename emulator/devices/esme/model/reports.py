"""Alerts of an ESME that carry more than a code: billing data, outages, limits, updates."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from emulator.codecs.dlms import axdr, protected
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.protected import ProtectionParameters
from emulator.codecs.gbcs.alerts import AlertCode, dlms_alert, encode_dlms_alert
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.codecs.gbcs.envelope import Cra, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import CancelTimer, Effect, SetTimer
from emulator.core.errors import KeyNotHeldError
from emulator.crypto.protection import encrypt_block
from emulator.devices.consumption import DAY_MS
from emulator.devices.esme.events import EventCode, tell
from emulator.devices.esme.model.ledger import calendar_dates
from emulator.devices.esme.model.logs import read_log

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

#: Timers of the next billing date, and of the alert of an outage that has ended.
BILLING_TIMER: Final = "model.billing"
OUTAGE_TIMER: Final = "model.outage"
#: An outage is told of this long after it ended. Source: RTDS NA_ECS80 (restored at 23:59, told
#: of at midnight).
OUTAGE_TOLD_MS: Final = 60_000
#: Outages shorter than this are only logged. Source: name of alert 8F36 (NP).
LONG_OUTAGE_MS: Final = 180_000
#: A billing date is looked for this many days ahead. Source: known (yearly at most).
_MOST_DAYS: Final = 400
#: Why a limit is no more. Source: RTDS NA_ECS102 (10); 11 is a stand-in.
LIMIT_ENDED, LIMIT_CANCELLED = 10, 11


# -- billing -----------------------------------------------------------------------------------


def wait_for_billing(device: "Esme", now: UtcMs) -> list[Effect]:
    """Set the timer to the next billing date."""
    at = next_billing(device, now)
    if at is None:
        return [CancelTimer(BILLING_TIMER)] if BILLING_TIMER in device.timers else []
    return [] if device.timers.get(BILLING_TIMER) == at else [SetTimer(BILLING_TIMER, at)]


def next_billing(device: "Esme", now: UtcMs) -> UtcMs | None:
    """Return the next date of the billing calendar, or None where it names none."""
    store = device.model.store
    if not store.items("billing_calendar"):
        return None
    for day in range(_MOST_DAYS):
        start = UtcMs(now - now % DAY_MS + day * DAY_MS)
        later = [at for at in calendar_dates(store, "billing_calendar", start) if at > now]
        if later:
            return min(later)
    return None


def billing_date(device: "Esme", now: UtcMs) -> list[Effect]:
    """Note registers and account, and tell the supplier (ECS68)."""
    device.model.ledger.settle(now)
    return [*tell_billing(device, now), *wait_for_billing(device, now)]


def tell_billing(device: "Esme", now: UtcMs) -> list[Effect]:
    """Send ECS68 (8F0A): the registers of the billing date, encrypted for the supplier.

    Source:
        RTDS NA_ECS68: protection parameters and block as in a protected read; the plain text is
        a structure of the log's newest row.
    """
    row = device.model.objects.named["billing_log_registers"]
    second = to_zigbee_seconds(now)
    plain = axdr.encode(axdr.structure(read_log(device.model, row, (second, second), now)))
    supplier = device.network.supplier(device.eui64)

    def body(counter: int) -> bytes:
        other = OtherInformation(int(MessageCode.ECS68))
        header = GroupingHeader(Cra.ALERT, counter, device.eui64, supplier, other)
        block = encrypt_block(plain, header, device.ring)
        shown = protected.answer_data(ProtectionParameters(counter, device.eui64, supplier), block)
        parts = shown.value if isinstance(shown.value, tuple) else ()
        at = device.local_time(now)
        return encode_dlms_alert(dlms_alert(counter, AlertCode.BILLING_DATA_LOG, at, *parts))

    try:
        return device.alert(MessageCode.ECS68, supplier, body)
    except KeyNotHeldError:
        return []


# -- outages -------------------------------------------------------------------------------------


def tell_outage(device: "Esme", began: UtcMs, ended: UtcMs, now: UtcMs) -> list[Effect]:
    """Send ECS80 (8F36) to the network operator: when the outage began, and when it ended."""
    operator = device.network.network_operators.get(device.eui64)
    if operator is None:
        return []
    times = [axdr.octets(encode_date_time(at)) for at in (began, ended)]
    return tell(
        device, MessageCode.ECS80, AlertCode.SUPPLY_OUTAGE_RESTORED, now, *times, target=operator
    )


# -- auxiliary controllers -----------------------------------------------------------------------


def tell_limit(
    device: "Esme", controller: int, dates: Iterable[bytes], level: int, now: UtcMs
) -> list[Effect]:
    """Send ECS101 (8F86): a Limit APC Level command was processed.

    Args:
        device: Who tells.
        controller: Kind in the high nibble, number in the low one.
        dates: When the limit begins and when it ends.
        level: Per cent.
        now: The present moment.
    """
    content = (_u8(controller), *map(axdr.octets, dates), _u8(level))
    return tell(device, MessageCode.ECS101, AlertCode.APC_LIMIT_PROCESSED, now, *content)


def tell_limit_end(device: "Esme", controller: int, cause: int, now: UtcMs) -> list[Effect]:
    """Send ECS102 (8F87): a limit has ended or was cancelled."""
    content = (_u8(controller), _u8(cause))
    return tell(device, MessageCode.ECS102, AlertCode.APC_LIMIT_ENDED, now, *content)


def tell_update(device: "Esme", controller: int, report: bytes, now: UtcMs) -> list[Effect]:
    """Send ECS200 (8F88) for the load controller, through the ACB: what a controller does now.

    Source:
        stand-in: no vector is at hand; that it names a supplementary party: reference gbcs.md
        section 17. The report is the one ECS61e reads.
    """
    reader = device.network.load_controllers.get(device.eui64)
    if reader is None:
        return []
    content = (_u8(controller), Data(Tag.UTF8, report))
    code = EventCode.OPERATIONAL_UPDATE
    acb = device.network.acb
    return tell(device, MessageCode.ECS200, code, now, *content, target=acb, about=reader)


def tell_integrity(device: "Esme", issue: int, now: UtcMs) -> list[Effect]:
    """Log and send 81A0, a meter integrity issue, with its code."""
    code = EventCode.INTEGRITY_ISSUE
    content = axdr.octets(issue.to_bytes(2, "big"))
    logged = device.log(code, f"{issue:04x}", now, security=True)
    return [logged, *tell(device, MessageCode.MIIWA_DLMS, code, now, content)]


def _u8(number: int) -> Data:
    return Data(Tag.UINT8, number)
