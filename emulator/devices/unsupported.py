"""ECS100: a device tells whoever sent it a command that it does not support."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms import axdr
from emulator.codecs.gbcs.alerts import AlertCode, dlms_alert, encode_dlms_alert
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.checks import CommandRefusedError, CommandUnsupportedError

if TYPE_CHECKING:
    from emulator.devices.base import Device

#: Types of device that send it.
_TELLERS: Final = frozenset({DeviceType.ESME, DeviceType.HCALCS})


def tell(device: "Device", refusal: CommandRefusedError, now: UtcMs) -> list[Effect]:
    """Send ECS100 (8F85) where an authentic, fresh command was refused for want of its use case.

    The command's counter is used up, else its replay would be told of again and again. A command
    whose message code is in no table is not told of: its protection cannot be judged.

    Source:
        RTDS 4.5.0 NA_ECS100 (content: message code and counter; target: the originator). Which
        devices send it: inferred from its name (electricity) and vectors (SAPC).
    """
    if not isinstance(refusal, CommandUnsupportedError) or device.device_type not in _TELLERS:
        return []
    header = refusal.header
    device.use_up(header)
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
