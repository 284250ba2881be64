"""Names of ZCL clusters, commands and attributes that GBZ payloads use."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CLUSTERS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x0000: "Basic",
        0x0700: "Price",
        0x0702: "Metering",
        0x0703: "Messaging",
        0x0705: "Prepayment",
        0x0707: "Calendar",
        0x0708: "Device Management",
        0x0709: "Events",
    }
)

GENERAL_COMMANDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x00: "Read Attributes",
        0x01: "Read Attributes Response",
        0x02: "Write Attributes",
        0x04: "Write Attributes Response",
        0x0B: "Default Response",
    }
)

#: Cluster, direction (> to the server, < to the client), command, name.
#: Source: reference gbcs-zcl-accesses.tsv; what two tables name differently is [known] from Smart
#: Energy 1.2.
_COMMANDS: Final = """
0700 > 00 Get Current Price
0700 > 0b Get Billing Period
0700 < 00 Publish Price
0700 < 01 Publish Block Period
0700 < 02 Publish Conversion Factor
0700 < 03 Publish Calorific Value
0700 < 04 Publish Tariff Information
0700 < 05 Publish Price Matrix
0700 < 06 Publish Block Thresholds
0700 < 09 Publish Billing Period
0702 > 06 Get Snapshot
0702 > 07 Start Sampling
0702 > 08 Get Sampled Data
0702 > 0b Change Supply
0702 > 0d Set Supply Status
0702 > 0e Set Uncontrolled Flow Threshold
0702 < 06 Publish Snapshot
0702 < 07 Get Sampled Data Response
0702 < 0c Supply Status Response
0702 < 0d Start Sampling Response
0703 < 00 Display Message
0705 > 00 Select Available Emergency Credit
0705 > 02 Change Debt
0705 > 03 Emergency Credit Setup
0705 > 04 Consumer Top Up
0705 > 05 Credit Adjustment
0705 > 06 Change Payment Mode
0705 > 07 Get Prepay Snapshot
0705 > 08 Get Top Up Log
0705 > 0a Get Debt Repayment Log
0705 > 0b Set Maximum Credit Limit
0705 > 0c Set Overall Debt Cap
0705 < 01 Publish Prepay Snapshot
0705 < 02 Change Payment Mode Response
0705 < 03 Consumer Top Up Response
0705 < 05 Publish Top Up Log
0705 < 06 Publish Debt Log
0707 > 01 Get Day Profiles
0707 > 02 Get Week Profiles
0707 > 03 Get Seasons
0707 > 04 Get Special Days
0707 < 00 Publish Calendar
0707 < 01 Publish Day Profile
0707 < 02 Publish Week Profile
0707 < 03 Publish Seasons
0707 < 04 Publish Special Days
0708 > 04 Report Event Configuration
0708 < 00 Publish Change of Tenancy
0708 < 01 Publish Change of Supplier
0708 < 02 Request New Password Response
0708 < 03 Update SiteID
0708 < 04 Set Event Configuration
0708 < 05 Get Event Configuration
0708 < 06 Update CIN
0709 > 00 Get Event Log
0709 > 01 Clear Event Log Request
0709 < 01 Publish Event Log
0709 < 02 Clear Event Log Response
"""

#: (cluster, True towards the client, command) -> name of a cluster-specific command.
COMMANDS: Final[Mapping[tuple[int, bool, int], str]] = MappingProxyType(
    {
        (int(cluster, 16), direction == "<", int(command, 16)): name
        for cluster, direction, command, name in (
            row.split(" ", 3) for row in _COMMANDS.strip().splitlines()
        )
    }
)

#: Cluster, attribute, name with its unit. ``_counts`` are units of measure times divisor over
#: multiplier; money is in thousandths of a penny as the RTDS values show (a top-up of 1,250 pence
#: is 1250000).
#: Source: reference gbcs-zcl-accesses.tsv; names without one there [known] from Smart Energy 1.2;
#: 0x0206 is where GBCS keeps the firmware version.
_ATTRIBUTES: Final = """
0000 0003 hardware_version
0000 0004 manufacturer_name
0000 0005 model_identifier
0700 0100 block_1_threshold_counts
0700 0101 block_2_threshold_counts
0700 0102 block_3_threshold_counts
0700 0202 threshold_multiplier
0700 0203 threshold_divisor
0700 0301 standing_charge
0700 0302 conversion_factor
0700 0303 conversion_factor_trailing_digit
0700 0304 calorific_value
0700 0305 calorific_value_unit
0700 0306 calorific_value_trailing_digit
0700 0400 no_tier_block_1_price
0700 0401 no_tier_block_2_price
0700 0402 no_tier_block_3_price
0700 0403 no_tier_block_4_price
0700 0410 tier_1_block_1_price
0700 0420 tier_2_block_1_price
0700 0430 tier_3_block_1_price
0700 0440 tier_4_block_1_price
0700 0615 tariff_unit_of_measure
0700 0616 currency
0700 0617 price_trailing_digit
0702 0000 current_summation_delivered_counts
0702 0014 supply_status
0702 0100 tier_1_summation_delivered_counts
0702 0102 tier_2_summation_delivered_counts
0702 0104 tier_3_summation_delivered_counts
0702 0106 tier_4_summation_delivered_counts
0702 0205 remaining_battery_life_days
0702 0206 current_meter_id_firmware_version
0702 0300 unit_of_measure
0702 0301 multiplier
0702 0302 divisor
0702 0307 site_id
0702 0607 supply_tamper_state
0702 0608 supply_depletion_state
0702 0700 no_tier_block_1_summation_delivered_counts
0702 0701 no_tier_block_2_summation_delivered_counts
0702 0702 no_tier_block_3_summation_delivered_counts
0702 0703 no_tier_block_4_summation_delivered_counts
0702 0a00 bill_to_date_delivered_millipence
0702 0b10 uncontrolled_flow_threshold
0702 0b11 uncontrolled_flow_threshold_unit
0702 0b12 uncontrolled_flow_multiplier
0702 0b13 uncontrolled_flow_divisor
0702 0b14 flow_stabilisation_period_ds
0702 0b15 flow_measurement_period_s
0705 0000 payment_control_configuration
0705 0001 credit_remaining_millipence
0705 0002 emergency_credit_remaining_millipence
0705 0005 accumulated_debt_millipence
0705 0006 overall_debt_cap_millipence
0705 0010 emergency_credit_limit_millipence
0705 0011 emergency_credit_threshold_millipence
0705 0021 max_credit_limit_millipence
0705 0022 max_credit_per_top_up_millipence
0705 0031 low_credit_warning_millipence
0705 0040 cut_off_value_millipence
0705 0211 debt_amount_1_millipence
0705 0216 debt_recovery_frequency_1
0705 0217 debt_recovery_amount_1_millipence
0705 0221 debt_amount_2_millipence
0705 0226 debt_recovery_frequency_2
0705 0227 debt_recovery_amount_2_millipence
0705 0231 debt_amount_3_millipence
0705 0239 debt_recovery_top_up_percentage_3
"""

#: (cluster, attribute) -> name.
ATTRIBUTES: Final[Mapping[tuple[int, int], str]] = MappingProxyType(
    {
        (int(cluster, 16), int(attribute, 16)): name
        for cluster, attribute, name in (row.split(" ") for row in _ATTRIBUTES.strip().splitlines())
    }
)


def attribute_name(cluster: int, attribute: int) -> str:
    """Return the name of an attribute, or its number."""
    return ATTRIBUTES.get((cluster, attribute)) or f"attribute_{attribute:04x}"


def command_name(cluster: int, *, to_client: bool, specific: bool, command: int) -> str:
    """Return the name of a command, or its number."""
    if specific:
        known = COMMANDS.get((cluster, to_client, command))
    else:
        known = GENERAL_COMMANDS.get(command)
    return known or f"command 0x{command:02X}"
