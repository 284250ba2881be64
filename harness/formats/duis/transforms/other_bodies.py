"""Bodies of critical requests of no larger family: limits, gas, credentials, joins."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.kinds import Simple
from harness.formats.duis.smets1_shapes import CERTIFICATE
from harness.formats.duis.transforms.declared import (
    UNSIGNED_INT,
    UNSIGNED_SHORT,
    Body,
    element,
    one_of,
    text,
)

_LOCKED: Final = kinds.one_of("SupplyTamperState", frozenset({"Unchanged", "Locked"}))
_CREDENTIAL: Final = kinds.one_of(
    "CredentialType", frozenset({"Digital Signature", "Key Agreement"})
)


_DECIMAL: Final = frozenset("0123456789.+-")


def _decimal(places: int, most: int) -> Simple:
    """Return an xs:decimal, its value a whole number of its last allowed place."""

    def read(written: str) -> int:
        token = " ".join(written.split())
        if set(token) - _DECIMAL:
            raise DuisError(DuisFault.BAD_NUMBER, f"{token[:40]!r} is no number")
        try:
            number = Decimal(token).scaleb(places)
            whole = int(number)
        except (InvalidOperation, ValueError, OverflowError) as error:
            why = f"{written[:40]!r} is no number"
            raise DuisError(DuisFault.BAD_NUMBER, why) from error
        if number != whole or not 0 <= whole <= most:
            why = f"{written[:40]!r} has more than {places} places, or is out of its range"
            raise DuisError(DuisFault.BAD_NUMBER, why)
        return whole

    return Simple("decimal", read, lambda value: str(Decimal(value).scaleb(-places)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLoadLimit(Body):
    """6.4.1: load limiting."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    period_s: Annotated[int, element("LoadLimitPeriod", UNSIGNED_INT)]
    threshold_w: Annotated[int, element("LoadLimitPowerThreshold", UNSIGNED_INT)]
    restoration_s: Annotated[int, element("LoadLimitRestorationPeriod", UNSIGNED_INT)]
    supply: Annotated[
        str,
        element(
            "LoadLimitSupplyState",
            kinds.one_of("LoadLimitSupplyState", frozenset({"Disable", "Unchanged"})),
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetConversion(Body):
    """6.6: calorific value in tenths of MJ/m3, conversion factor in hundred-thousandths."""

    calorific: Annotated[int, element("CalorificValue", _decimal(1, 2**32 - 1))]
    conversion: Annotated[int, element("ConversionFactor", _decimal(5, 2**32 - 1))]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFlow(Body):
    """A flow in m3/h."""

    rate: Annotated[int, text(UNSIGNED_SHORT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecimalFlow(Body):
    """A flow in ten-thousandths of a m3/h."""

    rate: Annotated[int, text(_decimal(4, 2**16 - 1))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGasFlow(Body):
    """6.7: from what flow on gas counts as uncontrolled, and what the valve does then."""

    flow: Annotated[
        WholeFlow | DecimalFlow,
        one_of(
            ("UncontrolledGasFlowRate", WholeFlow), ("UncontrolledGasFlowRateDecimal", DecimalFlow)
        ),
    ]
    depletion: Annotated[str, element("SupplyDepletionState", _LOCKED)]
    tamper: Annotated[str, element("SupplyTamperState", _LOCKED)]
    stabilisation: Annotated[int, element("StabilisationPeriod", kinds.whole_number(1, 255))]
    measurement_s: Annotated[int, element("MeasurementPeriod", kinds.whole_number(1, 65_535))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTamperState(Body):
    """6.25: what an ESME does after tampering."""

    state: Annotated[str, element("SupplyTamperState", _LOCKED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDailyReset(Body):
    """6.26: whether block counters begin anew each day."""

    daily: Annotated[bool, element("DailyTariffBlockCounterMatrixReset", kinds.BOOLEAN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceDeviceCertificate(Body):
    """6.15.2."""

    certificate: Annotated[bytes, element("DeviceCertificate", CERTIFICATE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCredentials(Body):
    """6.17: have a device ask for a certificate."""

    credential: Annotated[str, element("CredentialType", _CREDENTIAL)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDeviceCertificate(Body):
    """6.24.2."""

    credential: Annotated[str, element("CredentialType", _CREDENTIAL)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner(Body):
    """8.7.1 and 8.8.1: the device to join with, or to part from."""

    other: Annotated[Eui64, element("OtherDeviceID", kinds.EUI)]
