"""DCC alerts: values and the tables that read and write them."""

import enum
from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import kinds
from harness.formats.duis.credential_alerts import (
    CertificateKind,
    NewCertificate,
    SecurityCredentialsUpdated,
)
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.shape import Choice, Embedded, Field, Shape
from harness.formats.duis.smets1_bodies import PartyRole


class TransferStatus(enum.StrEnum):
    """Whether an image reached the communications hub."""

    SUCCESS = "Success"
    FAILURE = "Failure"


class TransferResponse(enum.StrEnum):
    """How a hub's transfer of an image to a device ended (CCS08)."""

    SUCCESS = "FileTransferSuccess"
    DISCARDED = "FirmwareImageDiscarded"
    HARDWARE_MISMATCH = "HardwareVersionMismatch"
    FAILURE = "FileTransferFailure"


class ActivationResult(enum.StrEnum):
    """How a PPMID's activation ended (CS09)."""

    SUCCESS = "ActivationSuccess"
    FAILURE = "ActivationFailure"


class ChUpdateStatus(enum.StrEnum):
    """Progress of a SMETS1 communications hub update."""

    REQUESTED = "UpdateRequested"
    ACTIVATED = "ActivationSuccessful"


@dataclass(frozen=True, slots=True)
class FirmwareDistributionFailure:
    """Devices that an image was not distributed to.

    Attributes:
        request_id: The update request.
        meters: The devices.
    """

    request_id: RequestId
    meters: tuple[Eui64, ...]


@dataclass(frozen=True, slots=True)
class CommandFailure:
    """A command that a device did not answer.

    Attributes:
        request_id: The request.
        device: The device.
        schedule_id: DSP schedule that asked, or None.
    """

    request_id: RequestId
    device: Eui64
    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class CspFirmwareDeliveryStatus:
    """Whether an image is held by the hub of a target device (N60, N61).

    Attributes:
        request_id: The update request.
        hub: The CHF.
        target: The device the image is for.
        firmware_version: 1 to 8 characters.
        at: When the hub said so.
        status: Success or failure.
    """

    request_id: RequestId
    hub: Eui64
    target: Eui64
    firmware_version: str
    at: UtcMs
    status: TransferStatus


@dataclass(frozen=True, slots=True)
class FirmwareTransferAlert:
    """How the hub's transfer to a device ended.

    Attributes:
        request_id: The update request, where it is known.
        device: The target.
        firmware_version: 1 to 8 characters.
        response: Outcome.
    """

    request_id: RequestId | None
    device: Eui64
    firmware_version: str
    response: TransferResponse


@dataclass(frozen=True, slots=True)
class CommsHubAlert:
    """An alert of a CHF, passed on.

    Attributes:
        hub: The CHF.
        alert_code: GBCS alert code.
        at: When it was raised.
        transfer: For 8F8A and 8F89.
    """

    hub: Eui64
    alert_code: int
    at: UtcMs | None
    transfer: FirmwareTransferAlert | None


@dataclass(frozen=True, slots=True)
class PpmidFirmwareUpgradeAlert:
    """How a PPMID's activation ended.

    Attributes:
        firmware_version: The version that runs now.
        result: Outcome.
    """

    firmware_version: str
    result: ActivationResult


@dataclass(frozen=True, slots=True)
class PpmidAlert:
    """An alert of a PPMID, passed on.

    Attributes:
        device: The PPMID.
        alert_code: GBCS alert code.
        at: When it was raised.
        upgrade: For 8F8B.
    """

    device: Eui64
    alert_code: int
    at: UtcMs | None
    upgrade: PpmidFirmwareUpgradeAlert | None


@dataclass(frozen=True, slots=True)
class FirmwareUpgradeRequested:
    """Another supplier of the installation started an update.

    Attributes:
        device_type: Type of the devices.
        firmware_version: The version asked for.
        devices: The devices.
    """

    device_type: DeviceType
    firmware_version: str
    devices: tuple[Eui64, ...]


@dataclass(frozen=True, slots=True)
class FirmwareVersionMismatch:
    """A device answers another version than the inventory holds.

    Attributes:
        device: The device.
        device_type: Its type.
        inventory_version: What the Smart Metering Inventory says.
        device_version: What the device says.
    """

    device: Eui64
    device_type: DeviceType
    inventory_version: str
    device_version: str


@dataclass(frozen=True, slots=True)
class Smets1ChFirmwareNotification:
    """Progress of a SMETS1 communications hub update.

    Attributes:
        device: The CHF.
        firmware_version: The version.
        status: How far it is.
    """

    device: Eui64
    firmware_version: str
    status: ChUpdateStatus


@dataclass(frozen=True, slots=True)
class CommsHubFirmwareActivation:
    """A communications hub runs a new version.

    Attributes:
        device: The CHF.
        firmware_version: The version that runs now.
    """

    device: Eui64
    firmware_version: str


@dataclass(frozen=True, slots=True)
class S1spAlertPassed:
    """An alert of an S1SP, passed on.

    Attributes:
        alert: The S1SP's signed alert (``S1SPAlert``), canonical.
        schedule_id: DSP schedule it belongs to, or None.
    """

    alert: bytes
    schedule_id: int | None = None


DccAlert = (
    CommandFailure
    | FirmwareDistributionFailure
    | PpmidAlert
    | FirmwareVersionMismatch
    | Smets1ChFirmwareNotification
    | FirmwareUpgradeRequested
    | CspFirmwareDeliveryStatus
    | CommsHubAlert
    | CommsHubFirmwareActivation
    | S1spAlertPassed
    | SecurityCredentialsUpdated
)

_VERSION: Final = Field("FirmwareVersion", "firmware_version", kinds.FIRMWARE_VERSION)
_REQUEST: Final = Field("UpdateFirmwareRequestID", "request_id", kinds.REQUEST_ID)
_DEVICE: Final = Field("DeviceID", "device", kinds.EUI)
_HUB: Final = Field("CommsHubDeviceID", "hub", kinds.EUI)
_TYPE: Final = Field("DeviceType", "device_type", kinds.words(DeviceType))

_PPMID_UPGRADE: Final = Shape(
    PpmidFirmwareUpgradeAlert,
    (_VERSION, Field("ActivateImageResultCode", "result", kinds.words(ActivationResult))),
)
_PPMID: Final = Shape(
    PpmidAlert,
    (
        _DEVICE,
        Field("DeviceAlertCode", "alert_code", kinds.ALERT_CODE),
        Field("Timestamp", "at", kinds.DATE_TIME, optional=True),
        Field("PPMIDFirmwareUpgradeAlert", "upgrade", _PPMID_UPGRADE, optional=True),
    ),
)
_TRANSFER: Final = Shape(
    FirmwareTransferAlert,
    (
        Field("UpdateFirmwareRequestID", "request_id", kinds.REQUEST_ID, optional=True),
        Field("OtherDeviceID", "device", kinds.EUI),
        _VERSION,
        Field("TransferResponseCode", "response", kinds.words(TransferResponse)),
    ),
)
_COMMS_HUB: Final = Shape(
    CommsHubAlert,
    (
        _HUB,
        Field("AlertCode", "alert_code", kinds.ALERT_CODE),
        Field("TimeStamp", "at", kinds.DATE_TIME, optional=True),
        Field("FirmwareTransferAlert", "transfer", _TRANSFER, optional=True),
    ),
)
_DELIVERY: Final = Shape(
    CspFirmwareDeliveryStatus,
    (
        _REQUEST,
        _HUB,
        Field("TargetDeviceID", "target", kinds.EUI),
        _VERSION,
        Field("TimeStamp", "at", kinds.DATE_TIME),
        Field("CommsHubTransferStatus", "status", kinds.words(TransferStatus)),
    ),
)
_MISMATCH: Final = Shape(
    FirmwareVersionMismatch,
    (
        _DEVICE,
        _TYPE,
        Field("FirmwareVersionSMI", "inventory_version", kinds.FIRMWARE_VERSION),
        Field("FirmwareVersionDevice", "device_version", kinds.FIRMWARE_VERSION),
    ),
)
_SCHEDULE: Final = Field(
    "DSPScheduleID", "schedule_id", kinds.whole_number(0, 10**12), optional=True
)
_FAILURE: Final = Shape(
    CommandFailure,
    (Field("CommandRequestID", "request_id", kinds.REQUEST_ID), _SCHEDULE, _DEVICE),
)
_DISTRIBUTION: Final = Shape(
    FirmwareDistributionFailure, (_REQUEST, Field("MeterIDs", "meters", kinds.DEVICE_LIST))
)
_SMETS1: Final = Shape(
    Smets1ChFirmwareNotification,
    (
        _DEVICE,
        _VERSION,
        Field("FirmwareVersionUpdateStatus", "status", kinds.words(ChUpdateStatus)),
    ),
)
_REQUESTED: Final = Shape(
    FirmwareUpgradeRequested,
    (_TYPE, _VERSION, Field("DeviceList", "devices", kinds.DEVICE_LIST)),
)
_ACTIVATION: Final = Shape(CommsHubFirmwareActivation, (_DEVICE, _VERSION))

_S1SP: Final = Shape(
    S1spAlertPassed,
    (
        Field("S1SPAlert", "alert", Embedded()),
        _SCHEDULE,
    ),
)
_CREDENTIALS: Final = Shape(
    SecurityCredentialsUpdated,
    (
        _DEVICE,
        Field("RemotePartyRole", "role", kinds.words(PartyRole)),
        Field(
            "Certificates",
            "certificates",
            Shape(
                NewCertificate,
                (
                    Field("CertificateType", "kind", kinds.words(CertificateKind)),
                    Field("CertificateHash", "sha1", kinds.BASE64),
                ),
            ),
            most=3,
        ),
    ),
)

#: Content of the DCCAlert element.
DCC_ALERT: Final = Choice(
    (
        ("CommandFailure", _FAILURE, CommandFailure),
        ("FirmwareDistributionFailure", _DISTRIBUTION, FirmwareDistributionFailure),
        ("PPMIDAlert", _PPMID, PpmidAlert),
        ("FirmwareVersionMismatch", _MISMATCH, FirmwareVersionMismatch),
        ("SMETS1CHFirmwareNotification", _SMETS1, Smets1ChFirmwareNotification),
        ("FirmwareUpgradeRequested", _REQUESTED, FirmwareUpgradeRequested),
        ("CSPFirmwareDeliveryStatus", _DELIVERY, CspFirmwareDeliveryStatus),
        ("CommsHubAlert", _COMMS_HUB, CommsHubAlert),
        ("CommsHubFirmwareActivation", _ACTIVATION, CommsHubFirmwareActivation),
        ("S1SPAlertDSP", _S1SP, S1spAlertPassed),
        ("SecurityCredentialsUpdated", _CREDENTIALS, SecurityCredentialsUpdated),
    )
)
