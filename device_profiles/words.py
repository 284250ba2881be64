"""The words of the field as enumerations; every other package takes them from here."""

import enum
from typing import Final


class DeviceType(enum.StrEnum):
    """Device types as DUIS spells them."""

    ESME = "ESME"
    GSME = "GSME"
    CHF = "CHF"
    GPF = "GPF"
    HCALCS = "HCALCS"
    PPMID = "PPMID"
    IHD = "IHD"
    CAD = "CAD"


#: Device type -> number in GBCS ASN.1 (IHD and CAD are both Type 2 devices).
GBCS_DEVICE_NUMBER: Final[dict[DeviceType, int]] = {
    DeviceType.GSME: 0,
    DeviceType.ESME: 1,
    DeviceType.CHF: 2,
    DeviceType.GPF: 3,
    DeviceType.HCALCS: 4,
    DeviceType.PPMID: 5,
    DeviceType.IHD: 6,
    DeviceType.CAD: 6,
}


class SmetsVersion(enum.StrEnum):
    """The two generations of smart metering equipment."""

    SMETS1 = "SMETS1"
    SMETS2 = "SMETS2+"


class ImageKind(enum.StrEnum):
    """What a firmware image's tail looks like; never guessed from its content (F-004)."""

    SUPPLIER_SIGNED = "supplier-signed"
    UNSIGNED = "unsigned"
    WAN_PROVIDER = "wan-provider"


class DowngradePolicy(enum.StrEnum):
    """What a device does with an image whose version is lower than the running one (F-044)."""

    ALLOW = "allow"
    REFUSE_AT_QUERY = "refuse-at-query"
    REFUSE_AT_ACTIVATION = "refuse-at-activation"


class ResumePolicy(enum.StrEnum):
    """What a device does with a half-received image after power returns (F-042)."""

    RESUME_FROM_OFFSET = "resume-from-offset"
    RESTART = "restart"


class PathwayPolicy(enum.StrEnum):
    """What a device does with an image its running version is no stepping stone to (FM-65)."""

    OK = "ok"
    REFUSE = "refuse"
    BRICK = "brick"


class FirmwareSupport(enum.StrEnum):
    """Whether a device's maker still makes firmware for it."""

    SUPPORTED = "supported"
    ENDED = "ended"


class ImageAcceptance(enum.StrEnum):
    """Whether a device takes images."""

    ALWAYS = "always"
    NEVER = "never"
    BY_SEED = "by-seed"  # the run's seed decides once for each device


class CplStatus(enum.StrEnum):
    """Status of a Central Products List entry, as DUIS spells it."""

    ACTIVE = "Active"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"


class DeviceStatus(enum.StrEnum):
    """Inventory status of a device, as DUIS spells it."""

    PENDING = "Pending"
    WHITELISTED = "Whitelisted"
    INSTALLED_NOT_COMMISSIONED = "InstalledNotCommissioned"
    COMMISSIONED = "Commissioned"
    DECOMMISSIONED = "Decommissioned"
    WITHDRAWN = "Withdrawn"
    SUSPENDED = "Suspended"
    RECOVERY = "Recovery"
    RECOVERED = "Recovered"


class PaymentMode(enum.StrEnum):
    """How the energy consumer pays."""

    CREDIT = "Credit"
    PREPAYMENT = "Prepayment"


class InstallationClass(enum.StrEnum):
    """Whether an installation's meters are operated by their supplier today."""

    ACTIVE = "Active"
    DORMANT = "Dormant"
    MIXED = "Mixed"


class Dormancy(enum.StrEnum):
    """Why a meter is not operated by its supplier today.

    Source:
        S002 §2, S004 (change of supplier); DCC-a2d (end of the supplier's SMSO contract).
    """

    CHANGE_OF_SUPPLIER = "change-of-supplier"
    CONTRACT_END = "contract-end"


class RemoteParty(enum.IntEnum):
    """Remote party roles as GBCS numbers them (also the OU of organisation certificates)."""

    ROOT = 0
    RECOVERY = 1
    SUPPLIER = 2
    NETWORK_OPERATOR = 3
    ACCESS_CONTROL_BROKER = 4
    TRANSITIONAL_COS = 5
    WAN_PROVIDER = 6
    ISSUING_AUTHORITY = 7
    LOAD_CONTROLLER = 8
    OTHER = 127


class SupplyState(enum.StrEnum):
    """Whether energy flows; armed means that the consumer may restore it by hand."""

    OFF = "off"
    ARMED = "armed"
    ON = "on"


#: Supply state -> ZCL Metering attribute SupplyStatus (0x0014).
ZSE_SUPPLY_STATUS: Final[dict[SupplyState, int]] = {
    SupplyState.OFF: 0,
    SupplyState.ARMED: 1,
    SupplyState.ON: 2,
}


class VersionCodecKind(enum.StrEnum):
    """How a maker writes the four octets of a firmware version (F-008, F-073)."""

    HEX = "hex"
    BCD = "bcd"
    MIXED = "mixed"
    TEXT = "text"  # an ASCII text of the maker's own, both in the device and on its display
    OCTETS_7 = "octets-7"  # seven octets in the device, printed as major.minor.build


class OctetCoding(enum.StrEnum):
    """How one octet of a firmware version holds a decimal number."""

    BCD = "bcd"
    BINARY = "binary"


class CspRegion(enum.StrEnum):
    """Communications service provider regions as DUIS spells them."""

    NORTH = "North"
    CENTRAL = "Central"
    SOUTH = "South"
    NORTH_4G = "4G North"
    CENTRAL_4G = "4G Central"
    SOUTH_4G = "4G South"
    UNKNOWN = "Unknown"
    SMETS1 = "SMETS1"


class Connectivity(enum.StrEnum):
    """How a communications hub is connected, as DUIS spells it."""

    CELLULAR = "Cellular"
    VIRTUAL = "Virtual"


class SupplyShape(enum.StrEnum):
    """Which fuels an installation meters, and whether one supplier serves both."""

    ELECTRICITY_ONLY = "electricity-only"
    DUAL_FUEL = "dual-fuel"
    SPLIT_SUPPLY = "split-supply"
    HUB_ONLY = "hub-only"


class ImageHashScope(enum.StrEnum):
    """What the hash of a Central Products List entry is taken over (F-053)."""

    IMAGE = "image"
    METADATA_AND_IMAGE = "metadata+image"


class MeaningStatus(enum.StrEnum):
    """Whether the meaning of a code was read in a source or is the project's guess (F-023)."""

    SOURCED = "sourced"
    PROVISIONAL = "provisional"
