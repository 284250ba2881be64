"""Which transform serves which service at which type of device, and how well it is known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device_profiles.words import DeviceType
from harness.formats.duis.transforms import (
    clock,
    configuration,
    credentials,
    gas_tariffs,
    joins,
    load_control,
    payment,
    prepayment,
    supply,
    tariffs,
)
from harness.formats.duis.transforms.account_bodies import (
    ResetBlockCounters,
    UpdateDebt,
    UpdateMeterBalance,
    UpdatePrepayment,
)
from harness.formats.duis.transforms.calendar_bodies import SetBillingCalendar
from harness.formats.duis.transforms.load_bodies import (
    ActivateLoad,
    ControllerLevel,
    DeactivateLoad,
    ResetLoad,
    SetControllerCalendar,
    SetDescriptions,
    SetOffsetLimit,
)
from harness.formats.duis.transforms.other_bodies import (
    IssueCredentials,
    Partner,
    ReadDeviceCertificate,
    ReplaceDeviceCertificate,
    SetConversion,
    SetDailyReset,
    SetGasFlow,
    SetLoadLimit,
    SetTamperState,
)
from harness.formats.duis.transforms.payloads import Asked, Payload
from harness.formats.duis.transforms.tariff_bodies import (
    UpdatePrices,
    UpdateSecondPrices,
    UpdateSecondTariff,
    UpdateTariff,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """How a service becomes a pre-command at one type of device.

    Attributes:
        use_cases: Use cases that it may become.
        build: Makes the payload.
        body: Declared body, or None where requests are read with a body of their own.
        mark: How well it is known.
    """

    use_cases: str
    build: Callable[[Asked], Payload]
    body: type | None
    mark: str


_ESME, _GSME, _HCALCS = DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS
_PPMID, _CHF, _GPF = DeviceType.PPMID, DeviceType.CHF, DeviceType.GPF
_RTDS: Final = "source:RTDS 4.5.0"
_TABLE: Final = "inferred:GBCS use-case tables; no pre-command at hand"
_PARTLY: Final = "inferred:in part by RTDS 4.5.0; the rest by GBCS use-case tables"
_AS_8_1_1: Final = "inferred:as 8.1.1, whose pre-command is at hand"
_STAND_IN: Final = "stand-in"

_ROWS: Final = (
    ("1.1.1", (_ESME,), "ECS01a", tariffs.set_tariff, UpdateTariff, _PARTLY),
    ("1.1.1", (_GSME,), "GCS01a", gas_tariffs.set_tariff, UpdateTariff, _TABLE),
    ("1.1.2", (_ESME,), "ECS01c", tariffs.set_second_tariff, UpdateSecondTariff, _RTDS),
    ("1.2.1", (_ESME,), "ECS01b", tariffs.set_prices, UpdatePrices, _RTDS),
    ("1.2.1", (_GSME,), "GCS01b", gas_tariffs.set_prices, UpdatePrices, _TABLE),
    ("1.2.2", (_ESME,), "ECS01d", tariffs.set_second_prices, UpdateSecondPrices, _TABLE),
    ("1.5", (_ESME,), "ECS04a ECS04b", payment.change_balance, UpdateMeterBalance, _PARTLY),
    (
        "1.5",
        (_GSME,),
        "GCS40a GCS40b GCS40c GCS40d",
        payment.change_gas_balance,
        UpdateMeterBalance,
        _PARTLY,
    ),
    ("1.6", (_ESME,), "ECS02 ECS03", payment.set_mode, None, _PARTLY),
    ("1.6", (_GSME,), "GCS02 GCS03", payment.set_gas_mode, None, _PARTLY),
    ("1.7", (_ESME,), "ECS05", payment.reset_blocks, ResetBlockCounters, _STAND_IN),
    ("2.1", (_ESME,), "ECS08 ECS08a", prepayment.configure, UpdatePrepayment, _PARTLY),
    ("2.1", (_GSME,), "GCS05", prepayment.configure_gas, UpdatePrepayment, _TABLE),
    ("2.3", (_ESME,), "ECS07", payment.change_debts, UpdateDebt, _TABLE),
    ("2.3", (_GSME,), "GCS04", payment.change_gas_debts, UpdateDebt, _RTDS),
    ("2.5", (_ESME,), "ECS09", supply.emergency_credit, None, _STAND_IN),
    ("2.5", (_GSME,), "GCS06", supply.gas_emergency_credit, None, _RTDS),
    ("6.4.1", (_ESME,), "ECS28a", configuration.set_load_limit, SetLoadLimit, _TABLE),
    ("6.6", (_GSME,), "GCS23", configuration.set_conversion, SetConversion, _TABLE),
    ("6.7", (_GSME,), "GCS24 GCS24a", configuration.set_gas_flow, SetGasFlow, _PARTLY),
    ("6.8", (_ESME,), "ECS30 ECS30a", configuration.set_billing, SetBillingCalendar, _PARTLY),
    ("6.8", (_GSME,), "GCS25 GCS25a", configuration.set_gas_billing, SetBillingCalendar, _PARTLY),
    ("6.11", (_ESME,), "ECS70", clock.set_clock, None, _RTDS),
    ("6.11", (_GSME,), "GCS28", clock.set_gas_clock, None, _AS_8_1_1),
    ("6.14.1", (_ESME,), "ECS46a", load_control.set_descriptions, SetDescriptions, _TABLE),
    ("6.14.3", (_ESME,), "ECS46d", load_control.set_calendar, SetControllerCalendar, _PARTLY),
    (
        "6.15.1",
        (_ESME, _GSME, _GPF, _HCALCS, _PPMID, _CHF),
        "CS02b CS02g",
        credentials.replace_party,
        None,
        _RTDS,
    ),
    (
        "6.15.2",
        (_ESME, _GSME, _GPF, _HCALCS, _PPMID, _CHF),
        "CS02d",
        credentials.replace_device,
        ReplaceDeviceCertificate,
        _RTDS,
    ),
    (
        "6.17",
        (_ESME, _GSME, _GPF, _HCALCS, _PPMID, _CHF),
        "CS02c",
        credentials.issue,
        IssueCredentials,
        _RTDS,
    ),
    (
        "6.24.2",
        (_ESME, _GSME, _GPF, _HCALCS, _PPMID, _CHF),
        "CS02e",
        credentials.read_device,
        ReadDeviceCertificate,
        _RTDS,
    ),
    ("6.25", (_ESME,), "ECS81", configuration.set_tamper_state, SetTamperState, _PARTLY),
    ("6.26", (_ESME,), "ECS48", configuration.set_daily_reset, SetDailyReset, _TABLE),
    ("7.1", (_ESME,), "ECS42", supply.close_switch, None, _RTDS),
    ("7.2", (_ESME,), "ECS43", supply.open_switch, None, _STAND_IN),
    ("7.2", (_GSME,), "GCS32", supply.close_valve, None, _RTDS),
    ("7.3", (_ESME,), "ECS44", supply.arm_switch, None, _STAND_IN),
    ("7.3", (_GSME,), "GCS39", supply.arm_valve, None, _TABLE),
    ("7.5", (_ESME,), "ECS47", load_control.activate, ActivateLoad, _RTDS),
    ("7.6", (_ESME,), "ECS47", load_control.deactivate, DeactivateLoad, _RTDS),
    ("7.8", (_ESME,), "ECS47", load_control.reset, ResetLoad, _STAND_IN),
    ("7.12", (_ESME,), "ECS38", load_control.set_offset_limit, SetOffsetLimit, _TABLE),
    ("7.13", (_ESME,), "ECS47a", load_control.set_level, ControllerLevel, _RTDS),
    ("7.16", (_ESME,), "ECS47e", load_control.limit_level, ControllerLevel, _RTDS),
    ("8.1.1", (_ESME,), "ECS70", clock.set_clock, None, _RTDS),
    ("8.1.1", (_GSME,), "GCS28", clock.set_gas_clock, None, _RTDS),
    ("8.7.1", (_ESME, _GSME, _HCALCS), "CS03A1 CS03A2 CS03C", joins.join, Partner, _RTDS),
    ("8.8.1", (_ESME, _GSME, _HCALCS), "CS04AC", joins.part, Partner, _RTDS),
    ("11.3", (_ESME, _GSME, _HCALCS), "CS06", clock.activate_firmware, None, _RTDS),
)

#: (service reference variant, type of the target) -> rule.
RULES: Final[Mapping[tuple[str, DeviceType], Rule]] = MappingProxyType(
    {
        (service, device): Rule(use_cases, build, body, mark)
        for service, devices, use_cases, build, body, mark in _ROWS
        for device in devices
    }
)
