"""Homes, orders and ends that several rows share."""

from collections.abc import Mapping
from typing import Final

from device_profiles.cohort import HandoverOrder
from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from harness.migration.states import Owner, State, StrandedCause
from harness.scenarios.migration.row import (
    Disturbance,
    End,
    GasSupplier,
    Home,
    Owns,
    SupplierIds,
)

A: Final = HandoverOrder.BEFORE_FILE_PROCESSING
B: Final = HandoverOrder.AFTER_COMMON_FILE
ACTIVE: Final = InstallationClass.ACTIVE
DORMANT: Final = InstallationClass.DORMANT
MIXED: Final = InstallationClass.MIXED
CHF: Final = DeviceType.CHF
ESME: Final = DeviceType.ESME
GSME: Final = DeviceType.GSME

DUAL: Final = Home()
SPLIT: Final = Home(
    shape=SupplyShape.SPLIT_SUPPLY,
    gas_supplier=GasSupplier.OTHER_PARTY,
    supplier_ids=SupplierIds.NULL,
)
ELECTRICITY: Final = Home(shape=SupplyShape.ELECTRICITY_ONLY)

#: The ESME is not heard while it is tested: T3 fails, and only T3.
FAIL_T3: Final = (
    Disturbance("T3", ("mute:role=esme,home={ref}@han",)),
    Disturbance("T3", ("clear@han",), after=True),
)
#: Step, code and sub-code with which it fails.
T3: Final = ("T3", "X-16.10.2", "01")
#: The hub never attaches to the new network.
UNHEARD: Final = (Disturbance("H3", ("mute:home={ref}@sim",)),)
#: Holder -> what keeps it from hearing anything.
SILENCE: Final = {
    GSME: "mute:role=gsme@han",
    ESME: "mute:role=esme@han",
    CHF: "mute@wan",
}
#: Ends what ``SILENCE`` and the faults of the SIM put into force.
CLEAR: Final = ("clear@han", "clear@wan", "clear@sim")
#: Devices in the order a rollback restores them.
RESTORED: Final = (GSME, ESME, CHF)

#: What the MCC writes where a row has nothing else to say.
LIKELY: Final = "the cause is gone; success is considered likely"
DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S


def rejected(step: str, code: str, sub_code: str = "", told: str = "") -> End:
    """Refused before the hand-over: nothing changed on site."""
    return End(State.REJECTED, step, code, sub_code, owns=Owns.SMSO, told=told)


def not_planned(step: str, code: str, sub_code: str = "") -> End:
    """Not eligible, or excluded: no file names it."""
    return End(State.NOT_PLANNED, step, code, sub_code, owns=Owns.SMSO)


def file_error(step: str, code: str, sub_code: str = "", told: str = "") -> End:
    """A file error found after the hand-over."""
    return End(State.STRANDED, step, code, sub_code, cause=StrandedCause.FILE_ERROR, told=told)


def silent_hub() -> End:
    """The hub was not heard in time."""
    return End(State.STRANDED, "H4", "X-H4-7D", "01", cause=StrandedCause.NO_CHF_COMMS)


def rolled_back(step: str, code: str, sub_code: str = "") -> End:
    """Device testing failed, and everything is the SMSO's again."""
    return End(State.ROLLED_BACK, step, code, sub_code, owns=Owns.SMSO)


def half_back(
    why: tuple[str, str, str],
    *,
    restored: tuple[DeviceType, ...] = (),
    back: tuple[str, str] = ("R1", "02"),
    but: Mapping[DeviceType, Owner] | None = None,
) -> End:
    """Device testing failed, and the rollback stopped after ``restored``.

    Args:
        why: Step, code and sub-code of the test.
        restored: Holders that are the SMSO's again.
        back: Step and sub-code at which the rollback stopped.
        but: Holders that are somebody else's.
    """
    smso = dict.fromkeys(restored, Owner.SMSO)
    return End(
        State.STRANDED,
        *why,
        cause=StrandedCause.ROLLBACK_FAILED,
        back=back,
        but={**smso, **(but or {})},
        sim=Owns.S1SP,
    )
