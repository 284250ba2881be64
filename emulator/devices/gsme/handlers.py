"""Use cases of a GSME: firmware, clock, and those of the catalogue on its clusters."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs.dates import decode_generalized_time, encode_generalized_time
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.errors import MalformedFrameError
from emulator.devices import gas_use_cases
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.cs06 import activate_firmware
from emulator.devices.handlers import SUPPLIER, Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.gsme.gsme import Gsme

GSME_HANDLERS: Final["HandlerTable[Gsme]"] = HandlerTable(DeviceType.GSME)
GSME_HANDLERS.handles(MessageCode.CS06, by=SUPPLIER)(activate_firmware)
_RELIABLE, _UNRELIABLE = 0, 2


@GSME_HANDLERS.handles(MessageCode.GCS28, by=SUPPLIER)
def set_clock(device: "Gsme", command: Command, now: UtcMs) -> Answer:
    """GCS28: take the clock as right when it shows a time within the interval of the command.

    Source:
        RTDS GCS28Commission; the rule as for the ESME's ECS70 (inferred): the command says no
        time but an interval around it, and the time itself comes over the HAN.
    """
    try:
        first, last = [_moment(part) for part in _parts(command)]
    except MalformedFrameError as error:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, str(error)) from None
    shown = device.local_time(now)
    device.clock_reliable = first <= shown <= last
    shown_node = Node(der.Tag.GENERALIZED_TIME, encode_generalized_time(shown))
    code = _RELIABLE if device.clock_reliable else _UNRELIABLE
    note = Note("clock_confirmed", (("reliable", device.clock_reliable),))
    return Answer(der.sequence(shown_node, der.integer(code)), after=(note,))


def _parts(command: Command) -> tuple[Node, Node]:
    value = command.value
    parts = value.content if isinstance(value, Node) else b""
    if not isinstance(parts, tuple) or len(parts) != 2:
        raise MalformedFrameError("gbcs.gcs28", b"", "two times are wanted")
    return parts[0], parts[1]


def _moment(node: Node) -> UtcMs:
    if not isinstance(node.content, bytes):
        raise MalformedFrameError("gbcs.gcs28", b"", "a time is wanted")
    return decode_generalized_time(node.content)


gas_use_cases.enter(GSME_HANDLERS, "gsme")
