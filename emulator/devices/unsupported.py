"""What a device tells of commands that it turned away: ECS100 to their sender, 8F30 to its own."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms import axdr
from emulator.codecs.gbcs.alerts import AlertCode, dlms_alert, encode_dlms_alert
from emulator.codecs.gbcs.envelope import GroupingHeader
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.checks import CommandRefusedError, CommandTurnedAwayError, Complaint

if TYPE_CHECKING:
    from emulator.devices.base import Device

#: Types of device that send ECS100.
_TELLERS: Final = frozenset({DeviceType.ESME, DeviceType.HCALCS})


def tell(device: "Device", refusal: CommandRefusedError, now: UtcMs) -> list[Effect]:
    """Tell of an authentic, fresh command of a known party that was turned away.

    The command's counter is used up, else its replay would be told of again and again. A command
    whose message code is in no table is not told of: its protection cannot be judged. Nor are
    strangers', replayed and damaged ones: those cost their sender nothing.

    Source:
        RTDS 4.5.0 NA_ECS100 (content: message code and counter; target: the originator). Which
        devices send it: inferred from its name (electricity) and vectors (SAPC). 8F30 is "source
        does not have authority for command" (NP), told as RTDS NA_GCA; that it is told of a party
        which may not send this command: inferred.
    """
    if not isinstance(refusal, CommandTurnedAwayError):
        return []
    told: list[Effect] = []
    if refusal.reason == Complaint.ORIGINATOR_ROLE:
        told = device.without_authority(refusal.detail, now)
    elif device.device_type in _TELLERS:
        told = _unsupported(device, refusal.header, now)
    if told:
        device.use_up(refusal.header)
    return told


def _unsupported(device: "Device", header: GroupingHeader, now: UtcMs) -> list[Effect]:
    """Send ECS100 (8F85) where a command was refused for want of its use case."""
    code = header.other.message_code.to_bytes(2, "big")
    named = axdr.octets(code + header.counter.to_bytes(8, "big"))
    at = device.local_time(now)
    return device.alert(
        MessageCode.ECS100,
        header.originator,
        lambda counter: encode_dlms_alert(
            dlms_alert(counter, AlertCode.COMMAND_NOT_SUPPORTED, at, named)
        ),
        header.other.supplementary_party,
    )
