"""Layouts of the cluster commands inside GBZ payloads, as data: one line a command.

A line is cluster, direction (``>`` to the server, ``<`` to the client), command, then fields
``name:type``. Types: ``u8`` … ``u48`` and ``i32`` (integers, little-endian), ``utc`` (seconds since
2000), ``date`` (year since 1900, month, day, weekday), ``text`` and ``octets`` (length first),
``map8`` … (bitmaps), ``enum8``. ``name[count]{…}`` repeats as often as the field ``count`` says
(``count%16``: as its lower four bits say), ``name*{…}`` to the end; ``name?kind=V{…}`` is
there where the field ``kind`` has the value V; a ``?`` after a type says that a command may end
before the field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

#: Source: Smart Energy 1.2/1.4 command layouts [known]; the commands in the 641 RTDS 4.5.0
#: messages at hand re-encode to the same octets by these (a test), and tshark names the same
#: fields where it has the command. Without a vector at hand: 0700< 02 03 04 05 06, 0702> 07, 0702<
#: 0d, 0703< 00, 0705> 03 0b 0c, 0707< 00, 0708< 01 04 05, 0708> 04.
_COMMANDS: Final = """
0700 > 00 command_options:map8
0700 > 0b earliest_start_time:utc min_issuer_event_id:u32 number_of_commands:u8 tariff_type:map8
0700 < 00 provider_id:u32 rate_label:text issuer_event_id:u32 current_time:utc unit_of_measure:enum8 currency:u16 price_trailing_digit_and_tier:map8 price_tiers_and_register_tier:map8 start_time:utc duration_minutes:u16 price:u32 price_ratio:u8? generation_price:u32? generation_price_ratio:u8? alternate_cost_delivered:u32? alternate_cost_unit:enum8? alternate_cost_trailing_digit:map8? number_of_block_thresholds:u8? price_control:map8? number_of_generation_tiers:u8? generation_tier:enum8? extended_number_of_price_tiers:u8? extended_price_tier:enum8? extended_register_tier:enum8?
0700 < 01 provider_id:u32 issuer_event_id:u32 block_period_start_time:utc block_period_duration:u24 block_period_control:map8 block_period_duration_type:map8 tariff_type:map8 tariff_resolution_period:enum8
0700 < 02 issuer_event_id:u32 start_time:utc conversion_factor:u32 conversion_factor_trailing_digit:map8
0700 < 03 issuer_event_id:u32 start_time:utc calorific_value:u32 calorific_value_unit:enum8 calorific_value_trailing_digit:map8
0700 < 04 provider_id:u32 issuer_event_id:u32 issuer_tariff_id:u32 start_time:utc tariff_type_and_charging_scheme:map8 tariff_label:text number_of_price_tiers:u8 number_of_block_thresholds:u8 unit_of_measure:enum8 currency:u16 price_trailing_digit:map8 standing_charge:u32 tier_block_mode:u8 block_threshold_multiplier:u24 block_threshold_divisor:u24
0700 < 05 provider_id:u32 issuer_event_id:u32 start_time:utc issuer_tariff_id:u32 command_index:u8 total_commands:u8 sub_payload_control:map8 prices*{tier_or_block:u8 price:u32}
0700 < 06 provider_id:u32 issuer_event_id:u32 start_time:utc issuer_tariff_id:u32 command_index:u8 total_commands:u8 sub_payload_control:map8 tiers*{tier_and_number_of_thresholds:u8 thresholds[tier_and_number_of_thresholds%16]{threshold:u48}}
0700 < 09 provider_id:u32 issuer_event_id:u32 billing_period_start_time:utc billing_period_duration:u24 billing_period_duration_type:map8 tariff_type:map8
0702 > 06 earliest_start_time:utc latest_end_time:utc snapshot_offset:u8 snapshot_cause:map32
0702 > 07 issuer_event_id:u32 start_sampling_time:utc sample_type:enum8 sample_request_interval_s:u16 max_number_of_samples:u16
0702 > 08 sample_id:u16 earliest_sample_time:utc sample_type:enum8 number_of_samples:u16
0702 > 0b provider_id:u32 issuer_event_id:u32 request_date_time:utc implementation_date_time:utc proposed_supply_status:enum8 supply_control_bits:map8
0702 > 0d issuer_event_id:u32 supply_tamper_state:enum8 supply_depletion_state:enum8 supply_uncontrolled_flow_state:enum8 load_limit_supply_state:enum8
0702 > 0e provider_id:u32 issuer_event_id:u32 uncontrolled_flow_threshold:u16 unit_of_measure:enum8 multiplier:u16 divisor:u16 stabilisation_period_ds:u8 measurement_period_s:u16
0702 < 06 snapshot_id:u32 snapshot_time:utc total_snapshots_found:u8 command_index:u8 total_commands:u8 snapshot_cause:map32 snapshot_payload_type:enum8 tou?snapshot_payload_type=0{current_summation_delivered:u48 bill_to_date_delivered:u32 bill_to_date_time:utc projected_bill_delivered:u32 projected_bill_time:utc bill_trailing_digit:map8 number_of_tiers:u8 tiers[number_of_tiers]{summation:u48}} blocks?snapshot_payload_type=2{current_summation_delivered:u48 bill_to_date_delivered:u32 bill_to_date_time:utc projected_bill_delivered:u32 projected_bill_time:utc bill_trailing_digit:map8 number_of_tiers:u8 tiers[number_of_tiers]{summation:u48} number_of_tiers_and_block_thresholds:map8 tier_blocks*{summation:u48}} tou_without_billing?snapshot_payload_type=4{current_summation_delivered:u48 number_of_tiers:u8 tiers[number_of_tiers]{summation:u48}} blocks_without_billing?snapshot_payload_type=6{current_summation_delivered:u48 number_of_tiers:u8 tiers[number_of_tiers]{summation:u48} number_of_tiers_and_block_thresholds:map8 tier_blocks*{summation:u48}}
0702 < 07 sample_id:u16 sample_start_time:utc sample_type:enum8 sample_request_interval_s:u16 number_of_samples:u16 samples[number_of_samples]{sample:u24}
0702 < 0c provider_id:u32 issuer_event_id:u32 implementation_date_time:utc supply_status:enum8
0702 < 0d sample_id:u16
0703 < 00 message_id:u32 message_control:map8 start_time:utc duration_minutes:u16 message:text extended_message_control:map8?
0705 > 00 command_issue_date_time:utc originating_device:enum8 site_id:octets? meter_serial_number:octets?
0705 > 02 issuer_event_id:u32 debt_label:text debt_amount:i32 debt_recovery_method:enum8 debt_amount_type:enum8 debt_recovery_start_time:utc debt_recovery_collection_time_minutes:u16 debt_recovery_frequency:enum8 debt_recovery_amount:i32 debt_recovery_balance_percentage:u16
0705 > 03 issuer_event_id:u32 start_time:utc emergency_credit_limit:u32 emergency_credit_threshold:u32
0705 > 04 originating_device:enum8 top_up_code:text
0705 > 05 issuer_event_id:u32 start_time:utc credit_adjustment_type:enum8 credit_adjustment_value:i32
0705 > 06 provider_id:u32 issuer_event_id:u32 implementation_date_time:utc proposed_payment_control_configuration:map16 cut_off_value:i32
0705 > 07 earliest_start_time:utc latest_end_time:utc snapshot_offset:u8 snapshot_cause:map32
0705 > 08 latest_end_time:utc number_of_records:u8
0705 > 0a latest_end_time:utc number_of_debts:u8 debt_type:enum8
0705 > 0b provider_id:u32 issuer_event_id:u32 implementation_date_time:utc maximum_credit_level:u32 maximum_credit_per_top_up:u32
0705 > 0c provider_id:u32 issuer_event_id:u32 implementation_date_time:utc overall_debt_cap:i32
0705 < 01 snapshot_id:u32 snapshot_time:utc total_snapshots_found:u8 command_index:u8 total_commands:u8 snapshot_cause:map32 snapshot_payload_type:enum8 debt_and_credit?snapshot_payload_type=0{accumulated_debt:i32 debt_1_remaining:u32 debt_2_remaining:u32 debt_3_remaining:u32 emergency_credit_remaining:i32 credit_remaining:i32}
0705 < 02 friendly_credit:map8 friendly_credit_calendar_id:u32 emergency_credit_limit:u32 emergency_credit_threshold:u32
0705 < 03 result_type:enum8 top_up_value:i32 source_of_top_up:enum8 credit_remaining:i32
0705 < 05 command_index:u8 total_commands:u8 top_ups*{top_up_code:text top_up_amount:i32 top_up_time:utc}
0705 < 06 command_index:u8 total_commands:u8 collections*{collection_time:utc amount_collected:u32 debt_type:enum8 outstanding_debt:u32}
0707 > 01 provider_id:u32 issuer_calendar_id:u32 start_day_id:u8 number_of_days:u8
0707 > 02 provider_id:u32 issuer_calendar_id:u32 start_week_id:u8 number_of_weeks:u8
0707 > 03 provider_id:u32 issuer_calendar_id:u32
0707 > 04 start_time:utc number_of_events:u8 calendar_type:enum8 provider_id:u32 issuer_calendar_id:u32
0707 < 00 provider_id:u32 issuer_event_id:u32 issuer_calendar_id:u32 start_time:utc calendar_type:enum8 calendar_time_reference:enum8 calendar_name:text number_of_seasons:u8 number_of_week_profiles:u8 number_of_day_profiles:u8
0707 < 01 provider_id:u32 issuer_event_id:u32 issuer_calendar_id:u32 day_id:u8 total_number_of_schedule_entries:u8 command_index:u8 total_number_of_commands:u8 calendar_type:enum8 schedule*{start_minute:u16 tier_or_switch:u8}
0707 < 02 provider_id:u32 issuer_event_id:u32 issuer_calendar_id:u32 week_id:u8 day_id_monday:u8 day_id_tuesday:u8 day_id_wednesday:u8 day_id_thursday:u8 day_id_friday:u8 day_id_saturday:u8 day_id_sunday:u8
0707 < 03 provider_id:u32 issuer_event_id:u32 issuer_calendar_id:u32 command_index:u8 total_number_of_commands:u8 seasons*{season_start_date:date week_id:u8}
0707 < 04 provider_id:u32 issuer_event_id:u32 issuer_calendar_id:u32 start_time:utc calendar_type:enum8 total_number_of_special_days:u8 command_index:u8 total_number_of_commands:u8 special_days*{special_day_date:date day_id:u8}
0708 > 04 command_index:u8 total_commands:u8 events*{event_id:u16 event_configuration:map8}
0708 < 00 provider_id:u32 issuer_event_id:u32 tariff_type:map8 implementation_date_time:utc proposed_tenancy_change_control:map32
0708 < 01 current_provider_id:u32 issuer_event_id:u32 tariff_type:map8 proposed_provider_id:u32 provider_change_implementation_time:utc provider_change_control:map32 proposed_provider_name:text proposed_provider_contact_details:text
0708 < 02 issuer_event_id:u32 implementation_date_time:utc duration_minutes:u16 password_type:enum8 password:octets
0708 < 03 issuer_event_id:u32 site_id_time:utc provider_id:u32 site_id:text
0708 < 04 issuer_event_id:u32 start_date_time:utc event_configuration:map8 configuration_control:enum8 by_list?configuration_control=0{number_of_events:u8 events[number_of_events]{event_id:u16}} by_group?configuration_control=1{event_group_id:u16} by_log?configuration_control=2{log_id:u8} by_match?configuration_control=3{configuration_value_match:map8}
0708 < 05 event_id:u16
0708 < 06 issuer_event_id:u32 implementation_time:utc provider_id:u32 customer_id_number:text
0709 > 00 log_id:map8 event_id:u16 start_time:utc end_time:utc number_of_events:u8 event_offset:u16
0709 > 01 log_id:map8
0709 < 01 total_number_of_matching_events:u16 command_index:u8 total_commands:u8 log_payload_control:map8 events*{log_id:u8 event_id:u16 event_time:utc event_data:octets}
0709 < 02 cleared_event_logs:map8
"""  # noqa: E501 - one line a command is what makes the table readable

_WORD: Final = re.compile(
    r"(?P<name>\w+)"
    r"(?::(?P<type>\w+)(?P<optional>\??)"
    r"|\[(?P<count>\w+)(?P<part>%16)?\]\{"
    r"|(?P<rest>\*)\{"
    r"|\?(?P<kind>\w+)=(?P<value>\d+)\{)"
    r"|(?P<close>\})"
)


@dataclass(frozen=True, slots=True)
class ZclField:
    """One field of a command.

    Attributes:
        name: What it is, with its unit where it has one.
        type: Word of its type.
        optional: Whether a command may end before it.
    """

    name: str
    type: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ZclRows:
    """Fields that repeat.

    Attributes:
        name: What the rows are.
        fields: One row.
        count: Field that says how many rows there are; empty for "to the end".
        part: ``/16`` or ``%16`` where only four bits of it say so.
    """

    name: str
    fields: tuple["ZclPart", ...]
    count: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class ZclCase:
    """Fields that are there for one value of another field.

    Attributes:
        name: What they are.
        fields: The fields.
        kind: The field that decides.
        value: Its value.
    """

    name: str
    fields: tuple["ZclPart", ...]
    kind: str
    value: int


ZclPart = ZclField | ZclRows | ZclCase
#: Cluster, whether towards the client, command.
CommandKey = tuple[int, bool, int]


def _parts(words: list[re.Match[str]]) -> tuple[ZclPart, ...]:
    """Read parts up to the closing brace, or the end; ``words`` stand in reverse."""
    parts: list[ZclPart] = []
    while words:
        word = words.pop()
        if word["close"]:
            break
        if word["type"]:
            parts.append(ZclField(word["name"], word["type"], bool(word["optional"])))
        elif word["kind"]:
            inner = _parts(words)
            parts.append(ZclCase(word["name"], inner, word["kind"], int(word["value"])))
        else:
            inner = _parts(words)
            parts.append(ZclRows(word["name"], inner, word["count"] or "", word["part"] or ""))
    return tuple(parts)


def _table(text: str) -> dict[CommandKey, tuple[ZclPart, ...]]:
    found: dict[CommandKey, tuple[ZclPart, ...]] = {}
    for line in text.strip().splitlines():
        cluster, direction, command, fields = line.split(" ", 3)
        key = int(cluster, 16), direction == "<", int(command, 16)
        found[key] = _parts(list(_WORD.finditer(fields))[::-1])
    return found


#: Every cluster command that GBCS uses -> its fields.
LAYOUTS: Final[Mapping[CommandKey, tuple[ZclPart, ...]]] = MappingProxyType(_table(_COMMANDS))
