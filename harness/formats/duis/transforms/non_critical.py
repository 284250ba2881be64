"""Payloads of commands that the DCC sends by itself, where a critical transform serves them too.

The DSP adds the grouping header (its broker speaks for the user where the device demands it) and
the MAC. Reads, with a period or without, are rows of ``duis-transforms.csv``, not here.

Source:
    RTDS 4.5.0 CS03A2, CS03B, CS03C (non-critical), CS04AC, CS04B, CS01b, CS02a, CS02b, CS02f, CS07,
    ECS62, CCS01, CCS02.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs import der
from emulator.codecs.gbcs.credentials import KEY_AGREEMENT, Cell
from emulator.codecs.gbcs.joins import JoinMethod
from emulator.codecs.gbcs.use_cases import MessageCode
from harness.formats.duis.faults import DuisError
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.smets1_bodies import PartyRole
from harness.formats.duis.transforms import credentials, device_commands, joins
from harness.formats.duis.transforms.joins import Ways
from harness.formats.duis.transforms.non_critical_bodies import (
    AddBoost,
    OptOut,
    ReadCredentials,
    RemoveBoost,
)
from harness.formats.duis.transforms.other_bodies import Partner
from harness.formats.duis.transforms.outcome import Context, Refusal, Refused, TransformError
from harness.formats.duis.transforms.payloads import Asked, Payload, tree
from harness.formats.duis.transforms.table import Rule
from harness.formats.duis.transforms.transform import payload_by

_T = DeviceType
_WAYS: Final[Ways] = MappingProxyType(
    {
        (_T.PPMID, _T.ESME): (MessageCode.CS03A2, JoinMethod.A_RESPONDER),
        (_T.GSME, _T.GPF): (MessageCode.CS03B, JoinMethod.B),
        (_T.PPMID, _T.GSME): (MessageCode.CS03C, JoinMethod.C),
    }
)
#: The broker asks, with its key-agreement key. Source: RTDS CS02a, CS02f.
_ASKING: Final = Cell(4, KEY_AGREEMENT)
_ROLES: Final[Mapping[PartyRole, int]] = MappingProxyType(
    {
        PartyRole.ROOT: 0,
        PartyRole.RECOVERY: 1,
        PartyRole.SUPPLIER: 2,
        PartyRole.NETWORK_OPERATOR: 3,
        PartyRole.ACB: 4,
        PartyRole.TRANS_COS: 5,
        PartyRole.LOAD_CONTROLLER: 8,
    }
)


def _join(asked: Asked) -> Payload:
    return joins.join(asked, _WAYS)


def _part_gas(asked: Asked) -> Payload:
    return tree(MessageCode.CS04B, der.octet_string(asked.body.other.octets))


def _read_log(_asked: Asked) -> Payload:
    return tree(MessageCode.CS07, der.NULL)


def _read_credentials(asked: Asked) -> Payload:
    """Return CS02a, or CS02f where load controllers are asked about."""
    roles = [der.integer(_ROLES[role]) for role in asked.body.roles]
    later = PartyRole.LOAD_CONTROLLER in asked.body.roles
    code = MessageCode.CS02F if later else MessageCode.CS02A
    return tree(code, der.sequence(der.sequence(*_ASKING.nodes), der.sequence(*roles)))


_Row = tuple[str, tuple[DeviceType, ...], str, Callable[[Asked], Payload], type | None, str]
_ALL: Final = (_T.ESME, _T.GSME, _T.GPF, _T.HCALCS, _T.PPMID, _T.CHF)
_RTDS: Final = "source:RTDS 4.5.0"
_PLACES: Final = "inferred:the places these devices have; no command at hand"
_TABLE: Final = "inferred:GBCS use-case tables; no command at hand"
_ROWS: Final[tuple[_Row, ...]] = (
    ("2.2", (_T.ESME,), "CS01a", device_commands.top_up, None, _TABLE),
    ("2.2", (_T.GSME,), "CS01b", device_commands.gas_top_up, None, _RTDS),
    ("6.21", (_T.GPF, _T.CHF), "CS02b", credentials.hand_over, None, _RTDS),
    ("6.23", (_T.ESME, _T.GSME), "CS02b", credentials.change_supplier, None, _RTDS),
    ("6.23", (_T.GPF, _T.HCALCS), "CS02b", credentials.change_supplier, None, _PLACES),
    (
        "6.24.1",
        (_T.ESME, _T.GSME, _T.GPF),
        "CS02a CS02f",
        _read_credentials,
        ReadCredentials,
        _RTDS,
    ),
    ("7.9", (_T.ESME,), "ECS62", device_commands.add_boost, AddBoost, _RTDS),
    ("7.10", (_T.ESME,), "ECS62", device_commands.remove_boost, RemoveBoost, _RTDS),
    ("8.5", _ALL, "CS02b", credentials.change_broker, OptOut, _RTDS),
    ("8.7.2", (_T.GSME, _T.PPMID), "CS03A2 CS03B CS03C", _join, None, _RTDS),
    ("8.8.2", (_T.PPMID,), "CS04AC", joins.part, Partner, _RTDS),
    ("8.8.2", (_T.GSME,), "CS04B", _part_gas, Partner, _RTDS),
    ("8.9", (_T.ESME, _T.GSME, _T.PPMID, _T.HCALCS), "CS07", _read_log, None, _RTDS),
    ("8.11", (_T.CHF,), "CCS01 CCS02", device_commands.change_hub_log, None, _RTDS),
)
#: (service reference variant, type of the target) -> rule.
RULES: Final[Mapping[tuple[str, DeviceType], Rule]] = MappingProxyType(
    {
        (service, device): Rule(use_cases, build, body, mark)
        for service, devices, use_cases, build, body, mark in _ROWS
        for device in devices
    }
)
#: Command variants whose command the DCC sends by itself.
_VARIANTS: Final = frozenset({1, 2, 3})


def payload_of(request: bytes | ServiceRequest, context: Context) -> Payload | Refused:
    """Return use case and payload of a non-critical request, or why there is none.

    Args:
        request: The request as it was read, or a document.
        context: Devices it is about, and the time.
    """
    try:
        read = read_request(request) if isinstance(request, bytes) else request
        variant = read.header.command_variant
        if variant not in _VARIANTS:
            return Refused(Refusal.NO_TRANSFORM, f"command variant {variant} is not sent so")
        return payload_by(RULES, read, context)
    except TransformError as error:
        return error.refused
    except DuisError as error:
        return Refused(Refusal.MALFORMED, str(error))
    except ValueError as error:
        return Refused(Refusal.OUT_OF_RANGE, str(error))
