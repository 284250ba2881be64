"""What service requests ask for: values and the tables that read and write them."""

import enum
from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis import dcc_bodies, kinds, smets1_bodies, smets1_shapes
from harness.formats.duis.dcc_bodies import DccBody, OtherBody
from harness.formats.duis.shape import Choice, Field, Shape
from harness.formats.duis.smets1_bodies import Smets1Body

#: ESME variants as DUIS spells them.
ESME_VARIANTS: Final = frozenset(
    {
        *("A", "B", "C", "AD", "BD", "CD", "ADE", "BDE", "CDE", "ADF", "BDF", "CDF"),
        *("ADEF", "BDEF", "CDEF", "ADG", "ADEG", "AF", "BF", "CF", "AEF", "BEF", "CEF"),
        *("AG", "AEG"),
    }
)


class ServiceReference(enum.StrEnum):
    """Service reference variants that are known here; ``reference`` is the service they are of."""

    UPDATE_IMPORT_TARIFF = "1.1.1"
    UPDATE_PAYMENT_MODE = "1.6"
    TOP_UP_DEVICE = "2.2"
    ACTIVATE_EMERGENCY_CREDIT = "2.5"
    READ_IMPORT_REGISTERS = "4.1.1"
    READ_EXPORT_REGISTERS = "4.2"
    READ_IMPORT_PROFILE = "4.8.1"
    READ_METER_BALANCE = "4.18"
    CREATE_SCHEDULE = "5.1"
    READ_SCHEDULE = "5.2"
    DELETE_SCHEDULE = "5.3"
    SYNCHRONISE_CLOCK = "6.11"
    READ_EVENT_LOG = "6.13"
    UPDATE_CREDENTIALS_KRP = "6.15.1"
    REQUEST_HANDOVER = "6.21"
    UPDATE_CREDENTIALS_COS = "6.23"
    ENABLE_SUPPLY = "7.1"
    DISABLE_SUPPLY = "7.2"
    ARM_SUPPLY = "7.3"
    READ_SUPPLY_STATUS = "7.4"
    COMMISSION_DEVICE = "8.1.1"
    JOIN_NON_CRITICAL = "8.7.2"
    READ_DEVICE_LOG = "8.9"
    UPDATE_DEVICE_LOG = "8.11"
    READ_INVENTORY = "8.2"
    DECOMMISSION_DEVICE = "8.3"
    UPDATE_INVENTORY = "8.4"
    UPDATE_FIRMWARE = "11.1"
    READ_FIRMWARE_VERSION = "11.2"
    ACTIVATE_FIRMWARE = "11.3"
    UPDATE_PPMID_FIRMWARE = "11.4"
    DEVICE_PRENOTIFICATION = "12.2"

    @property
    def reference(self) -> str:
        """The service reference that the variant belongs to."""
        return ".".join(self.value.split(".")[:2])


@dataclass(frozen=True, slots=True)
class UpdateFirmware:
    """11.1: distribute an image to meters or HCALCS.

    Attributes:
        firmware_image: The OTA Upgrade Image, at most 10 240 000 octets.
        firmware_version: 1 to 8 characters.
        devices: Targets in the order given, at most 50 000; may name one twice.
    """

    firmware_image: bytes
    firmware_version: str
    devices: tuple[Eui64, ...]

    def duplicates(self) -> tuple[Eui64, ...]:
        """Return each device that stands in the list more than once, in order."""
        seen: set[Eui64] = set()
        twice: dict[Eui64, None] = {}
        for device in self.devices:
            if device in seen:
                twice[device] = None
            seen.add(device)
        return tuple(twice)


@dataclass(frozen=True, slots=True)
class UpdatePpmidFirmware(UpdateFirmware):
    """11.4: distribute an image to PPMIDs, which activate it themselves."""


@dataclass(frozen=True, slots=True)
class ReadFirmwareVersion:
    """11.2: read the version a device executes.

    Attributes:
        execution_time: When the DSP is to send it; None for now.
    """

    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class ActivateFirmware:
    """11.3: run the image with this hash.

    Attributes:
        firmware_hash: SHA-256 of the Manufacturer Image, 32 octets.
        execution_time: None for now; ``date_time.CANCEL`` takes an earlier one back.
    """

    firmware_hash: bytes
    execution_time: UtcMs | None = None


@quick
@dataclass(frozen=True, slots=True)
class DevicePrenotification:
    """12.2: announce a device to the inventory.

    Attributes:
        device: EUI-64 of the device.
        manufacturer: At most 30 characters; four hex digits for devices of the CPL.
        model: At most 30 characters; eight hex digits for devices of the CPL.
        device_type: As DUIS spells it.
        smets_chts_version: For example ``SMETS V1.58``, or None.
        firmware_version: 1 to 8 characters, or None.
        esme_variant: One of ``ESME_VARIANTS`` for ESMEs, or None.
        associated_gpf: EUI-64 of the GPF of a CHF, or None.
    """

    device: Eui64
    manufacturer: str
    model: str
    device_type: DeviceType
    smets_chts_version: str | None = None
    firmware_version: str | None = None
    esme_variant: str | None = None
    associated_gpf: Eui64 | None = None


@dataclass(frozen=True, slots=True)
class ReadInventory:
    """8.2 by device.

    Attributes:
        device: Any device of the installation to list.
    """

    device: Eui64


@dataclass(frozen=True, slots=True)
class DeleteDevice:
    """The act of 8.4 that removes a device."""


@dataclass(frozen=True, slots=True)
class UpdateDeviceDetails:
    """The act of 8.4 that corrects what was pre-notified; None leaves a value as it is."""

    manufacturer: str | None = None
    model: str | None = None
    smets_chts_version: str | None = None
    firmware_version: str | None = None
    esme_variant: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateInventory:
    """8.4: delete a device or correct its details.

    Attributes:
        device: The device.
        change: What to do with it.
    """

    device: Eui64
    change: DeleteDevice | UpdateDeviceDetails


@dataclass(frozen=True, slots=True)
class SignedPreCommand:
    """A critical command its originator has signed (command variants 5, 6, 7).

    Attributes:
        gbcs_payload: The pre-command with signature field, without MAC envelope.
        execution_time: When the DSP is to send it; None for now (device future dating stands
            inside the payload instead).
    """

    gbcs_payload: bytes
    execution_time: UtcMs | None = None


RequestBody = (
    UpdateFirmware
    | UpdatePpmidFirmware
    | ReadFirmwareVersion
    | ActivateFirmware
    | DevicePrenotification
    | ReadInventory
    | UpdateInventory
    | SignedPreCommand
    | Smets1Body
    | DccBody
    | OtherBody
)

EXECUTION: Final = Field("ExecutionDateTime", "execution_time", kinds.DATE_TIME, optional=True)
NAME_30: Final = kinds.text("name", 0, 30)
ESME_VARIANT: Final = kinds.one_of("ESMEVariant", ESME_VARIANTS)
SMETS_VERSION: Final = kinds.text("SMETSCHTSVersion", 1, 20)
_IMAGE_FIELDS: Final = (
    Field("FirmwareImage", "firmware_image", kinds.IMAGE),
    Field("FirmwareVersion", "firmware_version", kinds.FIRMWARE_VERSION),
    Field("DeviceIDList", "devices", kinds.DEVICE_LIST),
)
_PRENOTIFICATION: Final = Shape(
    DevicePrenotification,
    (
        Field("DeviceID", "device", kinds.EUI),
        Field("DeviceManufacturer", "manufacturer", NAME_30),
        Field("DeviceModel", "model", NAME_30),
        Field("DeviceType", "device_type", kinds.words(DeviceType)),
        Field("SMETSCHTSVersion", "smets_chts_version", SMETS_VERSION, optional=True),
        Field("FirmwareVersion", "firmware_version", kinds.FIRMWARE_VERSION, optional=True),
        Field("ESMEVariant", "esme_variant", ESME_VARIANT, optional=True),
        Field("AssociatedGPFDeviceID", "associated_gpf", kinds.EUI, optional=True),
    ),
)
_DETAILS: Final = Shape(
    UpdateDeviceDetails,
    (
        Field("DeviceManufacturer", "manufacturer", NAME_30, optional=True),
        Field("DeviceModel", "model", NAME_30, optional=True),
        Field("SMETSCHTSVersion", "smets_chts_version", SMETS_VERSION, optional=True),
        Field("FirmwareVersion", "firmware_version", kinds.FIRMWARE_VERSION, optional=True),
        Field("ESMEVariant", "esme_variant", ESME_VARIANT, optional=True),
    ),
)
_CHANGE: Final = Choice(
    (
        ("UpdateDeviceDetails", _DETAILS, UpdateDeviceDetails),
        ("DeleteDevice", Shape(DeleteDevice), DeleteDevice),
    )
)
_SIGNED: Final = Shape(
    SignedPreCommand, (EXECUTION, Field("GBCSPayload", "gbcs_payload", kinds.BASE64))
)
_ACTIVATE: Final = Shape(
    ActivateFirmware, (EXECUTION, Field("FirmwareHash", "firmware_hash", kinds.HASH))
)

#: Content of the Body element of a request.
REQUEST_BODY: Final = Choice(
    (
        ("UpdateFirmware", Shape(UpdateFirmware, _IMAGE_FIELDS), UpdateFirmware),
        ("ReadFirmwareVersion", Shape(ReadFirmwareVersion, (EXECUTION,)), ReadFirmwareVersion),
        ("ActivateFirmware", _ACTIVATE, ActivateFirmware),
        ("UpdatePPMIDFirmware", Shape(UpdatePpmidFirmware, _IMAGE_FIELDS), UpdatePpmidFirmware),
        ("DevicePrenotification", _PRENOTIFICATION, DevicePrenotification),
        (
            "ReadInventory",
            Shape(ReadInventory, (Field("DeviceID", "device", kinds.EUI),)),
            ReadInventory,
        ),
        (
            "UpdateInventory",
            Shape(
                UpdateInventory,
                (Field("DeviceID", "device", kinds.EUI), Field("", "change", _CHANGE)),
            ),
            UpdateInventory,
        ),
        ("SignedPreCommand", _SIGNED, SignedPreCommand),
        *smets1_shapes.ROWS,
        *dcc_bodies.ROWS,
    )
)

_S = ServiceReference
#: Command variants -> bodies that may travel under them, with their service.
_SMETS1_SERVICES: Final[dict[frozenset[int], dict[type, ServiceReference]]] = {
    frozenset({1, 2, 3}): {
        smets1_bodies.TopUpDevice: _S.TOP_UP_DEVICE,
        smets1_bodies.ReadInstantaneousImportRegisters: _S.READ_IMPORT_REGISTERS,
        smets1_bodies.ReadInstantaneousExportRegisters: _S.READ_EXPORT_REGISTERS,
        smets1_bodies.ReadActiveImportProfileData: _S.READ_IMPORT_PROFILE,
        smets1_bodies.ReadMeterBalance: _S.READ_METER_BALANCE,
        smets1_bodies.ReadEventOrSecurityLog: _S.READ_EVENT_LOG,
        smets1_bodies.RequestHandover: _S.REQUEST_HANDOVER,
        smets1_bodies.UpdateCredentialsCos: _S.UPDATE_CREDENTIALS_COS,
        smets1_bodies.ReadSupplyStatus: _S.READ_SUPPLY_STATUS,
        smets1_bodies.JoinNonCritical: _S.JOIN_NON_CRITICAL,
        smets1_bodies.ReadDeviceLog: _S.READ_DEVICE_LOG,
        smets1_bodies.UpdateHanDeviceLog: _S.UPDATE_DEVICE_LOG,
    },
    frozenset({4}): {
        smets1_bodies.UpdateImportTariff: _S.UPDATE_IMPORT_TARIFF,
        smets1_bodies.UpdatePaymentMode: _S.UPDATE_PAYMENT_MODE,
        smets1_bodies.ActivateEmergencyCredit: _S.ACTIVATE_EMERGENCY_CREDIT,
        smets1_bodies.SynchroniseClock: _S.SYNCHRONISE_CLOCK,
        smets1_bodies.UpdateCredentialsKrp: _S.UPDATE_CREDENTIALS_KRP,
        smets1_bodies.EnableSupply: _S.ENABLE_SUPPLY,
        smets1_bodies.DisableSupply: _S.DISABLE_SUPPLY,
        smets1_bodies.ArmSupply: _S.ARM_SUPPLY,
        smets1_bodies.CommissionDevice: _S.COMMISSION_DEVICE,
    },
}

#: Service and command variants each body may travel under.
#: Source: DUIS 5.4 XSD comments at CommandVariant and ServiceReferenceVariant.
SERVICES: Final[dict[type, tuple[frozenset[ServiceReference], frozenset[int]]]] = {
    UpdateFirmware: (frozenset({ServiceReference.UPDATE_FIRMWARE}), frozenset({8})),
    ReadFirmwareVersion: (
        frozenset({ServiceReference.READ_FIRMWARE_VERSION}),
        frozenset({1, 2, 3}),
    ),
    ActivateFirmware: (frozenset({ServiceReference.ACTIVATE_FIRMWARE}), frozenset({4})),
    UpdatePpmidFirmware: (frozenset({ServiceReference.UPDATE_PPMID_FIRMWARE}), frozenset({8})),
    DevicePrenotification: (frozenset({ServiceReference.DEVICE_PRENOTIFICATION}), frozenset({8})),
    ReadInventory: (frozenset({ServiceReference.READ_INVENTORY}), frozenset({8})),
    UpdateInventory: (frozenset({ServiceReference.UPDATE_INVENTORY}), frozenset({8})),
    SignedPreCommand: (
        frozenset(
            {
                _S.ACTIVATE_FIRMWARE,
                _S.ACTIVATE_EMERGENCY_CREDIT,
                _S.ENABLE_SUPPLY,
                _S.DISABLE_SUPPLY,
                _S.ARM_SUPPLY,
            }
        ),
        frozenset({5, 6, 7}),
    ),
    dcc_bodies.CreateSchedule: (frozenset({_S.CREATE_SCHEDULE}), frozenset({8})),
    dcc_bodies.ReadSchedule: (frozenset({_S.READ_SCHEDULE}), frozenset({8})),
    dcc_bodies.DeleteSchedule: (frozenset({_S.DELETE_SCHEDULE}), frozenset({8})),
    dcc_bodies.DecommissionDevice: (frozenset({_S.DECOMMISSION_DEVICE}), frozenset({8})),
    **{
        make: (frozenset({service}), variants)
        for variants, makes in _SMETS1_SERVICES.items()
        for make, service in makes.items()
    },
}
