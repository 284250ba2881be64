"""What a gas meter tells of what happened to it: events, and its billing log."""

from functools import partial
from typing import TYPE_CHECKING, Final

from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.envelope import Cra, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent, GbzMessage
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import snapshots
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.core.errors import KeyNotHeldError
from emulator.crypto.protection import encrypt_block
from emulator.devices.gsme import mirror

if TYPE_CHECKING:
    from emulator.devices.gsme.gsme import Gsme

#: First code of critical alerts. Source: RTDS GCA (8F30), GNCA (810E); the range is known.
_CRITICAL: Final = 0x8F00
#: Octets of a GBZ payload before its first component: profile and count.
_BEFORE_COMPONENTS: Final = 3


def tell_event(device: "Gsme", code: int, now: UtcMs, information: bytes = b"") -> list[Effect]:
    """Send the generic alert of an event, or the warning of an integrity issue.

    Source:
        RTDS GCA, GNCA and MIIWA of a GSME.
    """
    message = MessageCode.GCA if code >= _CRITICAL else MessageCode.GNCA
    if code == AlertCode.INTEGRITY_ISSUE:
        message = MessageCode.MIIWA_GBZ
    body = gbz.encode_alert(GbzAlert(code, device.local_time(now), information))
    return device.alert(message, device.network.supplier(device.eui64), lambda _: body)


def push_billing(device: "Gsme", since: UtcMs, now: UtcMs) -> list[Effect]:
    """Send the billing entries since the last time as alerts (GCS53).

    Source:
        reference gbcs-usecases.tsv: one encrypted Publish Snapshot under 8F0A; no vector at hand.
    """
    supplier = device.network.supplier(device.eui64)
    effects: list[Effect] = []
    try:
        for command in mirror.registers(device, "billing", since, now):
            frame = snapshots.encode(command, 0)
            effects += device.alert(MessageCode.GCS53, supplier, partial(_body, device, frame, now))
    except KeyNotHeldError:
        return [Note("alert_not_sent", (("why", "no key of the supplier is held"),))]
    return effects


def _body(device: "Gsme", frame: bytes, now: UtcMs, counter: int) -> bytes:
    supplier = device.network.supplier(device.eui64)
    other = OtherInformation(int(MessageCode.GCS53))
    header = GroupingHeader(Cra.ALERT, counter, device.eui64, supplier, other)
    block = encrypt_block(frame[3:], header, device.ring)
    component = GbzComponent(snapshots.CLUSTER, frame[0], frame[1], frame[2], block, 0)
    content = gbz.encode(GbzMessage((component,)))[_BEFORE_COMPONENTS:]
    at = device.local_time(now)
    return gbz.encode_alert(GbzAlert(AlertCode.BILLING_DATA_LOG, at, content))
