"""Commands that the DCC sends by itself: top-ups, boost buttons, the hub's device log.

Source:
    RTDS 4.5.0 CS01b, ECS62, CCS01, CCS02. CS01a: use-case table, inferred.
"""

from typing import Any, Final

from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem, AccessRequest, Operation
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import account
from emulator.core.ids import Eui64
from harness.formats.duis.smets1_bodies import LogChange, UpdateHanDeviceLog
from harness.formats.duis.transforms.dlms_data import structure
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import Asked, Payload, commanded, written

_SETUP: Final = 104
_DEVICE_LOG: Final = "0-0:30.3.0.255"
_ADD, _REMOVE = 1, 2
_JOIN_S, _JOIN = 3, 2
_TRUE: Final = 0xFF
#: What an added device is, and how it is let in. Source: RTDS CCS01 (1, 0), their meaning inferred.
_ALLOWED, _BY_CODE = 1, 0


def top_up(asked: Asked) -> Payload:
    """Return CS01a."""
    return written(asked, MessageCode.CS01A, {"top_up_token": asked.body.utrn})


def gas_top_up(asked: Asked) -> Payload:
    """Return CS01b."""
    command = account.ConsumerTopUp(0, asked.body.utrn.encode("ascii"))
    return commanded(MessageCode.CS01B, [(account.COMMANDS, command)])


def add_boost(asked: Asked) -> Payload:
    """Return ECS62 of 7.9."""
    return _boost(asked, on=True)


def remove_boost(asked: Asked) -> Payload:
    """Return ECS62 of 7.10."""
    return _boost(asked, on=False)


def _boost(asked: Asked, *, on: bool) -> Payload:
    values: dict[str, Any] = {f"boost_{one.number}": on for one in asked.body.buttons if one.meant}
    if not values:
        raise TransformError(Refusal.MALFORMED, "the request means no switch")
    return written(asked, MessageCode.ECS62, values)


def change_hub_log(asked: Asked) -> Payload:
    """Return CCS01 or CCS02."""
    body: UpdateHanDeviceLog = asked.body
    if body.change is LogChange.REMOVE:
        return _to_hub(asked, MessageCode.CCS02, [_method(_REMOVE, _eui(body.device))])
    let_in = body.whitelisting
    if let_in is None:
        raise TransformError(Refusal.MALFORMED, "the request does not say how it is let in")
    row = structure(
        _eui(body.device),
        Data(Tag.ENUM, _ALLOWED),
        Data(Tag.OCTETS, let_in.install_code),
        Data(Tag.ENUM, _BY_CODE),
    )
    items = [
        _method(_ADD, row),
        _setting(_JOIN_S, Data(Tag.UINT16, let_in.join_s)),
        _setting(_JOIN, Data(Tag.BOOLEAN, _TRUE)),
    ]
    return _to_hub(asked, MessageCode.CCS01, items)


def _to_hub(asked: Asked, code: MessageCode, items: list[AccessItem]) -> Payload:
    request = AccessRequest(invoke_id(asked.identity.counter), tuple(items))
    return Payload(code, access.encode_request(request))


def _method(index: int, data: Data) -> AccessItem:
    return AccessItem(Operation.ACTION, _SETUP, access.parse_obis(_DEVICE_LOG), index, data)


def _setting(index: int, data: Data) -> AccessItem:
    return AccessItem(Operation.SET, _SETUP, access.parse_obis(_DEVICE_LOG), index, data)


def _eui(device: Eui64) -> Data:
    return Data(Tag.OCTETS, device.octets)
