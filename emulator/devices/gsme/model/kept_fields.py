"""Commands whose fields a gas device keeps as they are: at once, or from a date on.

A GSME is told; its GPF overhears what the GSME accepted and keeps the same.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.zcl.account import (
    EmergencyCreditSetup,
    SetMaximumCreditLimit,
    SetOverallDebtCap,
)
from emulator.codecs.zcl.device_management import (
    DisplayMessage,
    PublishChangeOfSupplier,
    PublishChangeOfTenancy,
    UpdateCin,
    UpdateSiteId,
)
from emulator.codecs.zcl.price import (
    PublishBillingPeriod,
    PublishBlockPeriod,
    PublishCalorificValue,
    PublishConversionFactor,
    PublishTariffInformation,
)
from emulator.codecs.zcl.snapshots import SetSupplyStatus, SetUncontrolledFlowThreshold
from emulator.devices.gbz_engine import GbzTurn
from emulator.devices.gsme.model.clusters import ClusterModel, Work


class KeptFields:
    """Carries out a command by keeping its fields.

    Attributes:
        fields: Name of the value -> field of the command.
        dated: Whether they come into force at the command's ``start_s``; else at once.
    """

    __slots__ = ("dated", "fields")

    def __init__(self, command: type[Any], *, dated: bool, **fields: str) -> None:
        """Take the command's type and its fields by the names of the values.

        Raises:
            ValueError: The command has no such field.
        """
        wanted = {*fields.values(), *(("start_s",) if dated else ())}
        there = {field.name for field in dataclasses.fields(command)}
        if not wanted <= there:
            raise ValueError(f"{command.__name__} has no {', '.join(sorted(wanted - there))}")
        self.fields = MappingProxyType(fields)
        self.dated = dated

    def __call__(
        self, model: ClusterModel, component: GbzComponent, told: Any, turn: GbzTurn
    ) -> None:
        """Keep what a command says.

        Raises:
            ComponentFailedError: A value is broken; none is kept.
        """
        values = {name: getattr(told, field) for name, field in self.fields.items()}
        if self.dated:
            model.dated(component, turn, told.start_s, values)
        else:
            model.set(**values)


#: Binding word -> what carries it out.
KEPT_FIELDS: Final[Mapping[str, Work]] = {
    # tariffs, periods, conversion
    "publish-tariff": KeptFields(
        PublishTariffInformation,
        dated=True,
        tariff_provider="provider_id",
        tariff_issued="issuer_event_id",
        tariff_id="tariff_id",
        tariff_scheme="scheme",
        tariff_label="label",
        tiers_in_use="tiers_in_use",
        thresholds_in_use="thresholds_in_use",
        tariff_unit="unit_of_measure",
        currency="currency",
        price_digits="trailing_digit",
        standing_charge_millipence="standing_charge",
        tier_block_mode="tier_block_mode",
        threshold_multiplier="threshold_multiplier",
        threshold_divisor="threshold_divisor",
    ),
    "publish-block-period": KeptFields(
        PublishBlockPeriod,
        dated=False,
        block_provider="provider_id",
        block_issued="issuer_event_id",
        block_start="start_s",
        block_duration="duration",
        block_control="control",
        block_duration_type="duration_type",
        block_tariff_type="tariff_type",
        block_resolution="resolution",
    ),
    "publish-billing": KeptFields(
        PublishBillingPeriod,
        dated=False,
        billing_provider="provider_id",
        billing_issued="issuer_event_id",
        billing_start="start_s",
        billing_duration="duration",
        billing_duration_type="duration_type",
        billing_tariff_type="tariff_type",
    ),
    "publish-conversion": KeptFields(
        PublishConversionFactor,
        dated=True,
        conversion_factor="conversion_factor",
        conversion_factor_digits="trailing_digit",
    ),
    "publish-calorific": KeptFields(
        PublishCalorificValue,
        dated=True,
        calorific_value="calorific_value",
        calorific_value_unit="unit",
        calorific_value_digits="trailing_digit",
    ),
    # prepayment settings
    "set-emergency-credit": KeptFields(
        EmergencyCreditSetup,
        dated=True,
        emergency_credit_limit_millipence="limit",
        emergency_credit_threshold_millipence="threshold",
    ),
    "set-most-credit": KeptFields(
        SetMaximumCreditLimit,
        dated=True,
        most_balance_millipence="most_balance",
        most_top_up_millipence="most_top_up",
    ),
    "set-debt-cap": KeptFields(SetOverallDebtCap, dated=True, debt_cap_millipence="cap"),
    # supply
    "set-supply-status": KeptFields(
        SetSupplyStatus,
        dated=False,
        tamper_state="tamper",
        depletion_state="depletion",
        uncontrolled_flow_state="uncontrolled_flow",
        load_limit_state="load_limit",
    ),
    "set-flow-threshold": KeptFields(
        SetUncontrolledFlowThreshold,
        dated=False,
        flow_threshold="threshold",
        flow_unit="unit",
        flow_multiplier="multiplier",
        flow_divisor="divisor",
        flow_stabilisation_ds="stabilisation",
        flow_measurement_s="measurement_s",
    ),
    # people and messages
    "publish-tenancy": KeptFields(PublishChangeOfTenancy, dated=False, tenancy_from="start_s"),
    "publish-supplier": KeptFields(
        PublishChangeOfSupplier, dated=True, supplier_name="name", supplier_contact="contact"
    ),
    "update-site-id": KeptFields(UpdateSiteId, dated=True, mprn="site_id"),
    "update-cin": KeptFields(UpdateCin, dated=True, cin="cin"),
    "display-message": KeptFields(
        DisplayMessage,
        dated=False,
        message_id="message_id",
        message_text="text",
        message_start="start_s",
        message_duration_min="duration_min",
        message_control="control",
    ),
}
