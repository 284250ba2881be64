"""The DSP's desk for device messages: to whom they go, and which DCC alerts they cause."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import AccessResponse
from emulator.codecs.gbcs import asn1, dlms, envelope, metering
from emulator.codecs.gbcs.alerts import AlertCode, DlmsAlert
from emulator.codecs.gbcs.asn1 import ActivationCode, ResultCode, TransferCode
from emulator.codecs.gbcs.credentials import read_alert
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.gbz import GbzAlert, GbzMessage
from emulator.codecs.gbcs.payload import PayloadValue, decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted
from harness.formats.duis.alerts import (
    ActivationResult,
    CommandFailure,
    CommsHubAlert,
    CommsHubFirmwareActivation,
    FirmwareTransferAlert,
    PpmidAlert,
    PpmidFirmwareUpgradeAlert,
    TransferResponse,
)
from harness.formats.duis.bodies import ServiceReference
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.responses import (
    Content,
    DeviceAlertMessage,
    FutureDatedDeviceAlert,
    GbcsPayload,
    ResponseMessage,
)
from harness.formats.duis.schedule_contents import ScheduledMessage
from harness.formats.duis.smets1_bodies import PartyRole
from harness.parties import dsp_credentials, dsp_smets1_inventory
from harness.parties.dsp_base import DspBase
from harness.parties.dsp_credentials import Changed
from harness.parties.dsp_work import reference_of
from harness.parties.post import GBCS
from harness.rules.inventory import InventoryRecord
from harness.rules.roles import coordinator

_TRANSFER: Final[Mapping[TransferCode, TransferResponse]] = {
    TransferCode.SUCCESS: TransferResponse.SUCCESS,
    TransferCode.IMAGE_DISCARDED: TransferResponse.DISCARDED,
    TransferCode.HARDWARE_VERSION_MISMATCH: TransferResponse.HARDWARE_MISMATCH,
    TransferCode.TRANSFER_FAILED: TransferResponse.FAILURE,
}
#: Alerts that tell of a replacement of credentials, and the service with which a user asks itself.
_OF_CREDENTIALS: Final = frozenset({MessageCode.CS02B_ALERT, MessageCode.CS02G_ALERT})
_BY_USER: Final = "6.15.1"
_RECEIPTS: Final = frozenset({AlertCode.FIRMWARE_VERIFIED, AlertCode.FIRMWARE_VERIFICATION_FAILED})


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of one message from a hub.

    Attributes:
        kind: ``response``, ``device-alert``, ``future-dated-outcome``, ``comms-hub-alert``,
            ``ppmid-alert``, ``comms-hub-activation``; or why it went nowhere: ``malformed``,
            ``unknown-device``, ``refused``, ``unasked``, ``undeliverable``.
        receiver: EUI-64 of whom it was delivered to, or None.
        message: The GBCS message.
        value: Its payload, or None where it was not read.
        detail: One line for a reader.
    """

    kind: str
    receiver: Eui64 | None
    message: bytes
    value: PayloadValue | None = None
    detail: str = ""


class MessageDesk(DspBase):
    """Takes what hubs send."""

    def take(self, message: bytes) -> Routed:
        """Deliver one message from a hub and raise the alerts it causes."""
        try:
            opened = self.acb.open(message)
            env = envelope.decode(message)
            row = MESSAGES.get(env.header.other.message_code)
            value = None if row is None else decode_payload(row, env.header.cra, env.payload)
        except MalformedFrameError as error:
            return self._traced(Routed("malformed", None, message, detail=str(error)), "CHF")
        record = self.inventory.find(env.header.originator)
        if record is None or value is None:
            kind = "unknown-device" if record is None else "refused"
            detail = f"{env.header.originator}, code {env.header.other.message_code:04X}"
            return self._traced(Routed(kind, None, message, value, detail), "CHF")
        if env.header.target in self.acb.own and not isinstance(opened, Accepted):
            detail = str(getattr(opened, "reason", getattr(opened, "why", "")))
            return self._traced(Routed("refused", None, message, value, detail), "CHF")
        self._traced(Routed("received", None, message, value), "CHF", record)
        handle = self._response if env.header.cra is Cra.RESPONSE else self._alert
        return handle(record, env, message, value)

    def _traced(self, routed: Routed, sender: str, record: InventoryRecord | None = None) -> Routed:
        what = routed.kind if record is None else f"from {record.device_type} {record.device}"
        summary = f"{what} {routed.detail}".strip()
        self.post.hand_over(sender, self.name, GBCS, routed.message, summary)
        return routed

    def give_up(self, request_id: RequestId) -> bool:
        """Tell the asker that a device did not answer (N13); False where nobody waits for it.

        Source:
            That the DCC tells it: known (DUIS CommandFailure). How long it waits is the bench's.
        """
        found = [key for key, one in self._awaited.items() if one.request_id == request_id]
        for device, sender, counter in found:
            awaited = self._awaited.pop((device, sender, counter))
            failure = CommandFailure(request_id, device, awaited.schedule)
            self.raise_alert([awaited.user], failure)
        return bool(found)

    # --- responses --------------------------------------------------------------------------

    def _response(
        self, record: InventoryRecord, env: Envelope, message: bytes, value: PayloadValue
    ) -> Routed:
        awaited = self._awaited.pop((record.device, env.header.target, env.header.counter), None)
        if awaited is None:
            detail = f"nobody waits for {record.device} counter {env.header.counter}"
            return Routed("unasked", None, message, value, detail)
        content: Content = GbcsPayload(message)
        if awaited.schedule is not None:
            content = ScheduledMessage(message, awaited.schedule)
        body = ResponseMessage(reference_of(awaited.service), awaited.service, content)
        answer_id = RequestId(record.device, awaited.user, env.header.counter)
        summary = f"{awaited.service} response of {record.device_type}"
        request_id = awaited.request_id if awaited.schedule is None else None
        self.deliver(awaited.user, body, summary, request_id, answer_id)
        if isinstance(value, asn1.ActivateFirmwareResponse):
            self._note_activation(record, value.outcome)
        elif awaited.service == ServiceReference.READ_FIRMWARE_VERSION:
            version = version_of(value)
            if version is not None:
                self.note_version(record, version.hex().upper())
        elif dsp_credentials.is_of_dcc(awaited.service):
            self._note_change(record, self.changes.answered(record.device, env.payload))
        return Routed("response", awaited.user, message, value, summary)

    def _note_activation(
        self, record: InventoryRecord, outcome: asn1.ActivationOutcome | None
    ) -> None:
        if outcome is not None and outcome.code is ActivationCode.SUCCESS:
            self.inventory.set_version(record.device, outcome.firmware_version.hex().upper())

    # --- alerts -----------------------------------------------------------------------------

    def _alert(
        self, record: InventoryRecord, env: Envelope, message: bytes, value: PayloadValue
    ) -> Routed:
        if env.header.other.message_code in _OF_CREDENTIALS:
            return self._credentials_alert(record, env, message, value)
        handle = self.ALERTS.get(type(value), MessageDesk._device_alert)
        return handle(self, record, env, message, value)

    def _credentials_alert(
        self, record: InventoryRecord, env: Envelope, message: bytes, value: PayloadValue
    ) -> Routed:
        """What became of a future-dated replacement: told to whom it was ordered for."""
        told = read_alert(env.payload)
        change = self.changes.alerted(record.device, env.payload)
        summary = f"{told.alert_code:04X} outcome of a future-dated replacement"
        if change is None:
            user = env.header.target
            asked, service = RequestId(user, record.device, told.counter), _BY_USER
        else:
            asked, service = change.asked.request_id, change.asked.header.variant
            user = asked.originator
            self._note_change(record, change)
        content = FutureDatedDeviceAlert(told.alert_code, message)
        body = ResponseMessage(reference_of(service), service, content)
        sent = self.deliver(user, body, summary, asked)
        return _delivered("future-dated-outcome", user, sent, message, value, summary)

    def _note_change(self, record: InventoryRecord, change: Changed | None) -> None:
        """A supplier's certificates stand at a device: it is the responsible one from now on."""
        if change is None or not change.success:
            return
        alert = dsp_smets1_inventory.credentials_alert(change.asked)
        if alert is None or alert.role is not PartyRole.SUPPLIER:
            return
        gaining = change.asked.request_id.originator
        self.inventory.put(replace(record, supplier=gaining))
        if record.supplier != gaining:
            self.raise_alert([record.supplier], alert)

    def _future_dated(
        self, record: InventoryRecord, env: Envelope, message: bytes, value: PayloadValue
    ) -> Routed:
        if not isinstance(value, asn1.FutureDatedFirmwareAlert):
            raise TypeError(type(value).__name__)
        self._note_activation(record, value.outcome)
        asked = RequestId(env.header.target, record.device, value.originator_counter)
        content = FutureDatedDeviceAlert(value.alert_code, message)
        service = ServiceReference.ACTIVATE_FIRMWARE.value
        summary = f"{value.alert_code:04X} outcome of a future-dated activation"
        body = ResponseMessage(service, service, content)
        sent = self.deliver(env.header.target, body, summary, asked)
        return _delivered("future-dated-outcome", env.header.target, sent, message, value, summary)

    def _transfer_alert(
        self, record: InventoryRecord, _env: Envelope, message: bytes, value: PayloadValue
    ) -> Routed:
        """CCS08: the hub's last word on a transfer."""
        if not isinstance(value, asn1.FirmwareTransferAlert):
            raise TypeError(type(value).__name__)
        transfer = self.transfers.pop(value.device, None)
        request_id = None if transfer is None else transfer.request_id
        target = self.inventory.find(value.device) or record
        user = (
            coordinator(target, self.inventory)
            if transfer is None
            else (transfer.request_id.originator)
        )
        inner = FirmwareTransferAlert(
            request_id, value.device, value.firmware_version.hex().upper(), _TRANSFER[value.code]
        )
        self.raise_alert([user], CommsHubAlert(record.device, value.alert_code, value.at, inner))
        return Routed("comms-hub-alert", user, message, value, f"{value.code.name}")

    def _ppmid_alert(
        self, record: InventoryRecord, _env: Envelope, message: bytes, value: PayloadValue
    ) -> Routed:
        """CS09: how a PPMID's activation ended."""
        if not isinstance(value, asn1.PpmidActivationAlert):
            raise TypeError(type(value).__name__)
        version = value.firmware_version.hex().upper()
        succeeded = value.code is ResultCode.SUCCESS
        if succeeded:
            self.inventory.set_version(record.device, version)
        result = ActivationResult.SUCCESS if succeeded else ActivationResult.FAILURE
        upgrade = PpmidFirmwareUpgradeAlert(version, result)
        user = coordinator(record, self.inventory)
        self.transfers.pop(record.device, None)
        self.raise_alert([user], PpmidAlert(record.device, value.alert_code, value.at, upgrade))
        return Routed("ppmid-alert", user, message, value, f"{result}")

    def _device_alert(
        self, record: InventoryRecord, env: Envelope, message: bytes, value: PayloadValue
    ) -> Routed:
        """Any other alert: a firmware receipt ends a transfer; a hub's new version is told."""
        code = value.alert_code if isinstance(value, DlmsAlert | GbzAlert) else 0
        if code in _RECEIPTS:
            self.transfers.pop(record.device, None)
        is_hub = record.device_type is DeviceType.CHF
        if is_hub and code == AlertCode.FIRMWARE_VERSION_CHANGED:
            return self.hub_activated(record, message, value)
        if is_hub and env.header.target == self.acb.eui64:
            users = self.inventory.suppliers_of(record.device)
            self.raise_alert(users, CommsHubAlert(record.device, code, self.now, None))
            return Routed("comms-hub-alert", None, message, value, f"{code:04X}")
        body = DeviceAlertMessage(code, message)
        summary = f"alert {code:04X} of {record.device_type}"
        sent = self.deliver(env.header.target, body, summary)
        return _delivered("device-alert", env.header.target, sent, message, value, summary)

    def hub_activated(self, record: InventoryRecord, message: bytes, value: PayloadValue) -> Routed:
        """A hub runs a new version: tell the suppliers of its installation."""
        version = self._hub_versions.pop(record.device, record.firmware_version)
        for other in self.inventory.of_hub(record.device):
            if other.device_type in {DeviceType.CHF, DeviceType.GPF}:
                self.inventory.set_version(other.device, version)
        users = self.inventory.suppliers_of(record.device)
        self.raise_alert(users, CommsHubFirmwareActivation(record.device, version))
        return Routed("comms-hub-activation", None, message, value, version)

    ALERTS: ClassVar[
        Mapping[
            type,
            Callable[["MessageDesk", InventoryRecord, Envelope, bytes, PayloadValue], Routed],
        ]
    ] = {
        asn1.FutureDatedFirmwareAlert: _future_dated,
        asn1.FirmwareTransferAlert: _transfer_alert,
        asn1.PpmidActivationAlert: _ppmid_alert,
    }


def version_of(value: PayloadValue | None) -> bytes | None:
    """Return the firmware version that the answer to an 11.2 request tells, or None."""
    if isinstance(value, AccessResponse):
        return dlms.firmware_version_of(value)
    if isinstance(value, GbzMessage):
        return metering.firmware_version_of(value)
    if isinstance(value, asn1.FirmwareVersionResponse) and value.code is ResultCode.SUCCESS:
        return value.firmware_version
    return None


def _delivered(  # noqa: PLR0913, PLR0917 - the fields of a Routed and what became of the delivery
    kind: str,
    receiver: Eui64,
    sent: bytes | None,
    message: bytes,
    value: PayloadValue,
    detail: str,
) -> Routed:
    if sent is None:
        return Routed("undeliverable", None, message, value, f"{receiver} is not registered")
    return Routed(kind, receiver, message, value, detail)
