"""What the numbers in GBCS payloads mean, and in which units they are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.gbcs.asn1 import ActivationCode

#: Type of a leaf -> value -> word. Source: reference gbcs.md sections 7 to 9; ZCL statuses [known].
BY_TYPE: Final[Mapping[str, Mapping[int, str]]] = MappingProxyType(
    {
        "access_result": {0: "success", 1: "hardware fault", 2: "temporary failure",
                          3: "read-write denied", 4: "object undefined",
                          11: "object unavailable", 12: "type unmatched",
                          250: "other reason"},
        "zcl_status": {0x00: "success", 0x01: "failure", 0x7E: "not authorised",
                       0x80: "malformed command", 0x81: "unsupported cluster command",
                       0x82: "unsupported general command", 0x85: "invalid field",
                       0x86: "unsupported attribute", 0x87: "invalid value", 0x88: "read only",
                       0x89: "insufficient space", 0x8B: "not found",
                       0x8D: "invalid data type", 0xC0: "hardware failure"},
        "role": {0: "root", 1: "recovery", 2: "supplier", 3: "network operator",
                 4: "access control broker", 5: "transitional CoS", 6: "WAN provider",
                 7: "issuing authority", 8: "load controller", 127: "other"},
        "device_type": {0: "GSME", 1: "ESME", 2: "CHF", 3: "GPF", 4: "HCALCS", 5: "PPMID",
                        6: "type 2"},
        "join_method": {0: "method A, initiator", 1: "method A, responder", 2: "method B",
                        3: "method C"},
        "replace_mode": {0: "root by recovery", 1: "recovery by recovery",
                         2: "supplier by supplier", 3: "network operator by network operator",
                         4: "ACB by ACB", 5: "WAN provider by WAN provider",
                         6: "transitional CoS by transitional CoS",
                         7: "supplier by transitional CoS",
                         8: "any but abnormal root by recovery", 9: "any by contingency",
                         10: "load controller by load controller",
                         11: "load controller by supplier"},
        "result": {0: "success", 1: "not in the log", 3: "incompatible with an existing entry",
                   4: "log full", 11: "invalid or missing certificate"},
        "code": {int(code): code.name.lower().replace("_", " ") for code in ActivationCode},
    }
)  # fmt: skip

_SUPPLY: Final = {0: "off", 1: "off, armed", 2: "on"}
_TAMPER: Final = {0: "unchanged", 1: "supply off, armed", 2: "supply off", 3: "unchanged"}
_SAMPLES: Final = {0: "consumption delivered"}
_ORIGIN: Final = {0: "energy service interface", 1: "meter", 2: "in-home display"}
_CALENDAR: Final = {0: "delivered calendar", 1: "received calendar",
                    2: "delivered and received calendar", 3: "friendly credit calendar",
                    4: "auxiliary load switch calendar"}  # fmt: skip
#: Name of a leaf -> value -> word. Source: Smart Energy 1.2 [known].
BY_NAME: Final[Mapping[str, Mapping[int, str]]] = MappingProxyType(
    {
        "proposed_supply_status": _SUPPLY,
        "supply_status": _SUPPLY,
        "sample_type": _SAMPLES,
        "originating_device": _ORIGIN,
        "source_of_top_up": _ORIGIN,
        "calendar_type": _CALENDAR,
        "unit_of_measure": {0: "kWh", 1: "m³", 2: "ft³"},
        "uncontrolled_flow_threshold_unit": {0: "kWh", 1: "m³", 2: "ft³"},
        "tariff_unit_of_measure": {0: "kWh", 1: "m³", 2: "ft³"},
        "calorific_value_unit": {1: "MJ/m³", 2: "MJ/kg"},
        "currency": {826: "GBP"},
        "result_type": {0: "accepted", 1: "rejected: invalid", 2: "rejected: duplicate",
                        3: "error", 4: "rejected: maximum credit reached",
                        5: "rejected: keypad lock", 6: "rejected: too large",
                        0x10: "accepted: supply enabled", 0x11: "accepted: supply disabled",
                        0x12: "accepted: supply armed"},
        "credit_adjustment_type": {0: "incremental", 1: "absolute",
                                   2: "incremental, credit mode", 3: "absolute, credit mode"},
        "debt_recovery_method": {0: "by time", 1: "by percentage of top-ups",
                                 2: "catch-up"},
        "debt_recovery_frequency": {0: "hourly", 1: "daily", 2: "weekly", 3: "monthly",
                                    4: "quarterly"},
        "debt_amount_type": {0: "type 1 absolute", 1: "type 1 incremental",
                             2: "type 2 absolute", 3: "type 2 incremental",
                             4: "type 3 absolute", 5: "type 3 incremental"},
        "debt_type": {0: "debt 1", 1: "debt 2", 2: "debt 3", 0xFF: "all debts"},
        "snapshot_payload_type": {0: "registers by tier, or debt and credit",
                                  4: "registers by tier, no billing",
                                  6: "registers by block and tier, no billing",
                                  128: "no data"},
        "password_type": {1: "service menu", 2: "consumer menu"},
        "configuration_control": {0: "by list", 1: "by event group", 2: "by log",
                                  3: "by matching configuration"},
        "log_id": {0: "all logs", 1: "tamper log", 2: "fault log", 3: "general event log",
                   4: "security event log", 5: "network event log"},
        "switch_state": {0: "disconnected", 1: "connected", 2: "ready for reconnection"},
        "mode": {1: "credit", 2: "prepayment"},
        "unit": {0: "none", 7: "s", 10: "currency", 27: "W", 28: "VA", 29: "var", 30: "Wh",
                 32: "varh", 33: "A", 35: "V", 255: "count"},
    }
)  # fmt: skip

#: Last part of a name -> unit.
_SUFFIXES: Final = {
    "wh": "Wh",
    "varh": "varh",
    "w": "W",
    "v": "V",
    "s": "s",
    "ds": "tenths of a second",
    "minutes": "min",
    "minute": "min",
    "days": "days",
    "millipence": "millipence",
    "dbm": "dBm",
    "percent": "%",
    "counts": "counts (of multiplier / divisor units of measure)",
}
_MILLIPENCE: Final = (
    "balance", "emergency_credit", "debt1", "debt2", "payment_debt", "debts", "amount",
    "debt_amount", "debt_recovery_amount", "credit_adjustment_value", "emergency_credit_limit",
    "emergency_credit_threshold", "cut_off_value", "maximum_credit_level",
    "maximum_credit_per_top_up", "overall_debt_cap", "top_up_value", "credit_remaining",
    "top_up_amount", "amount_collected", "outstanding_debt", "accumulated_debt",
    "debt_1_remaining", "debt_2_remaining", "debt_3_remaining", "emergency_credit_remaining",
)  # fmt: skip
_COUNTS: Final = ("current_summation_delivered", "summation", "sample", "threshold")
#: Name of a leaf -> unit, where its name does not end in it. Source: SMETS units of the objects
#: [known]; money in thousandths of a penny (RTDS 4.5.0: a token of 1,250 pence adds 1250000).
_NAMED: Final = {
    **dict.fromkeys(_MILLIPENCE, "millipence"),
    **dict.fromkeys(_COUNTS, _SUFFIXES["counts"]),
    **dict.fromkeys(
        ("import", "export", "second", "active", "tou", "second_tou", "block1", "block2", "block3",
         "block4"),
        "Wh",
    ),
    "reactive": "varh",
    "power": "W",
    "voltage": "V",
    "validity": "min",
}  # fmt: skip


def unit_of(name: str, parent: str = "") -> str:
    """Return the unit of a value, or an empty text; of a nameless ``value`` that of its parent."""
    if name == "value" or name.startswith("value_"):
        name = parent
    known = _NAMED.get(name)
    if known is not None:
        return known
    return _SUFFIXES.get(name.rpartition("_")[2], "") if "_" in name else ""
