"""Supply and emergency credit: 7.1, 7.2, 7.3, 2.5.

Source:
    Scripts: RTDS 4.5.0 ECS42; those of ECS43, ECS44 and ECS09 are stand-ins of the emulator's.
    Gas: RTDS 4.5.0 GCS32, GCS06; GCS39 by the layout of GCS32.
"""

from typing import Final

from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import account, metering
from emulator.codecs.zcl.metering import ChangeSupply, SupplyStatus
from harness.formats.duis.transforms.payloads import Asked, Payload, commanded, written

_CLOSE: Final = 51
_OPEN: Final = 49
_ARM: Final = 50
#: Bit 0 of the supply control: an acknowledgement is wanted. Source: RTDS GCS32.
_ACKNOWLEDGED: Final = 1


def close_switch(asked: Asked) -> Payload:
    """Return ECS42."""
    return written(asked, MessageCode.ECS42, {"switch_script": _CLOSE})


def open_switch(asked: Asked) -> Payload:
    """Return ECS43."""
    return written(asked, MessageCode.ECS43, {"switch_script": _OPEN})


def arm_switch(asked: Asked) -> Payload:
    """Return ECS44."""
    return written(asked, MessageCode.ECS44, {"switch_script": _ARM})


def close_valve(asked: Asked) -> Payload:
    """Return GCS32."""
    return _supply(asked, MessageCode.GCS32, SupplyStatus.OFF)


def arm_valve(asked: Asked) -> Payload:
    """Return GCS39."""
    return _supply(asked, MessageCode.GCS39, SupplyStatus.OFF_ARMED)


def _supply(asked: Asked, code: MessageCode, status: SupplyStatus) -> Payload:
    command = ChangeSupply(0, asked.issuer_event, 0, 0, status, _ACKNOWLEDGED)
    return commanded(code, [(metering.COMMANDS, command)])


def emergency_credit(asked: Asked) -> Payload:
    """Return ECS09."""
    return written(asked, MessageCode.ECS09, {"emergency_credit_invoke": 0})


def gas_emergency_credit(_asked: Asked) -> Payload:
    """Return GCS06."""
    command = account.SelectAvailableEmergencyCredit(0, 0)
    return commanded(MessageCode.GCS06, [(account.COMMANDS, command)])
