"""The words of a run definition: environments, classes, shapes, families of cases, entry checks."""

import enum
from typing import Final

from device_profiles.words import DeviceType, SupplyShape

#: Services that a simulated supplier may ask of homes that have migrated, in its order.
ASKED: Final = (
    *("6.21", "6.23", "4.1.1", "8.2", "11.2", "1.1.1", "1.6", "2.2", "4.8.1", "4.18", "5.1"),
    *("6.13", "7.2", "7.4", "7.1", "8.9"),
)


#: Largest seed of a run.
MAX_SEED: Final = 10_000_000


class Environment(enum.StrEnum):
    """Where a run takes place."""

    EMULATED = "UIT-emulated"
    HIL = "HIL"


class Mode(enum.StrEnum):
    """Who the participant is."""

    SIMULATED = "simulated"
    DROP = "drop"


class SetShape(enum.StrEnum):
    """Which fuels a set of homes meters, and what of them migrates (R-008)."""

    DUAL_FUEL = "dual fuel"
    SPLIT_SUPPLY = "split supply"
    ESME_ONLY = "ESME-only"
    GSME_EXCLUDED = "GSME excluded"


#: Shape of a set -> what its installation files say. A home whose GSME is left out is dual fuel.
SHAPES: Final = {
    SetShape.DUAL_FUEL: SupplyShape.DUAL_FUEL,
    SetShape.SPLIT_SUPPLY: SupplyShape.SPLIT_SUPPLY,
    SetShape.ESME_ONLY: SupplyShape.ELECTRICITY_ONLY,
    SetShape.GSME_EXCLUDED: SupplyShape.DUAL_FUEL,
}
#: What leaves a GSME behind with GT01: it cannot be heard while it is tested.
#: Source: known code (DCC-var1); which failures it stands for: invented.
GAS_SILENT: Final = "before:T4/mute:role=gsme@han"


class Payment(enum.StrEnum):
    """How a set's homes pay."""

    CREDIT = "credit"
    PREPAYMENT = "prepayment"


class SetPpmid(enum.StrEnum):
    """Which PPMID a set's homes have."""

    OWN = "own"
    THIRD_PARTY = "third-party"
    NONE = "none"


class Family(enum.StrEnum):
    """Families of cases. Source: migration.md section 9; their spelling: invented."""

    HAPPY_PATH = "happy-path"
    FILE_FAULT = "ma-file-fault"
    WINDOW = "authorisation-window"
    SPLIT = "5.9.10"
    COUNTERS = "counters"
    ENVELOPE = "envelope"
    CHF_SILENT = "chf-silent"
    ROLLBACK = "rollback"
    RESUBMISSION = "5.8A"
    PREPAY = "prepay"
    MIXED = "mixed-notification"
    AFTER = "post-migration"
    PPMID = "ppmid"
    BILINGUAL = "bilingual-ppmid"
    FIRMWARE = "firmware-matrix"
    CHANGE_OF_SUPPLIER = "change-of-supplier"
    ELIGIBILITY = "eligibility"
    OTHER = "other"


class Shown(enum.StrEnum):
    """What a device that has migrated shows to its S1SP, and a case may look at."""

    SERIAL = "serial"  # its serial number is that on its label
    EUI64 = "eui64"  # it tells the EUI-64 that its papers name
    CLOCK = "clock"  # its clock is right
    PAYMENT_MODE = "payment-mode"  # it is in the mode that its papers name
    DEVICES = "devices"  # the hub's device log lists the devices of the papers, no other
    FIRMWARE = "firmware"  # it runs the version that its papers name; a PPMID: as it told its hub
    KEYS = "keys"  # it lets in its S1SP alone: not the SMSO, and nobody with a wrong proof


_SHOWN: Final = (Shown.SERIAL, Shown.EUI64, Shown.CLOCK, Shown.FIRMWARE, Shown.KEYS)
#: Device type -> what of it a case may look at.
SHOWN_BY: Final = {
    DeviceType.CHF: (*_SHOWN, Shown.DEVICES),
    DeviceType.ESME: (*_SHOWN, Shown.PAYMENT_MODE),
    DeviceType.GSME: (*_SHOWN, Shown.PAYMENT_MODE),
    DeviceType.PPMID: (Shown.FIRMWARE,),
}


class EntryCheck(enum.StrEnum):
    """What an entry criterion looks at."""

    EPCL = "epcl"
    PROFILES = "profiles"
    TEST_PKI = "test-pki"
    CERTIFICATES = "participant-certificates"
    INTERFACE = "participant-interface"
    BENCH = "bench"


class ChangeMoment(enum.StrEnum):
    """When a supplier changes: after its authorisation, or after the hand-over of the home."""

    AUTHORISATION = "authorisation"
    HANDOVER = "handover"


class Mistake(enum.StrEnum):
    """What a simulated supplier does wrong in a paper; it mends it when it is told (turn correct).

    Source: S000 §5 and S001 for 5.9.10, windows and repairs; which to offer: invented.
    """

    NOT_NULL = "not-null"  # split supply with supplier Certificate IDs that are not Null
    BAD_MPAN = "bad-mpan"  # a check digit that is wrong: refused
    SPACED_EUI64 = "spaced-eui64"  # supplier-style spelling: repaired
    CLOSED_WINDOW = "closed-window"  # the window of days is over
    NO_OPERATOR = "no-operator"  # the Network Operator's Certificate IDs are missing
    LEFT_OUT = "left-out"  # the installation stands in no authorisation
    UNSIGNED = "unsigned"  # the paper's signature is missing
    ALTERED = "altered"  # an octet was changed after signing
    WRONG_SIGNER = "wrong-signer"  # signed by another supplier
    REPLAYED = "replayed-request"  # a request that was taken is sent again
    UNSIGNED_REQUEST = "unsigned-request"  # a request is sent again without its signature
    NO_PASSWORD = "no-password"  # noqa: S105 - sealed, and its MAPASSWORD file is not handed in


def named_models(text: str) -> dict[str, str]:
    """Read ``ROLE=profile, ROLE=profile``.

    Raises:
        ValueError: It is of another form.
    """
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        role, equals, profile = (one.strip() for one in part.partition("="))
        if not equals or role in found:
            raise ValueError("models: write ROLE=profile, ROLE=profile, each role once")
        found[role] = profile
    return found
