"""Joins of devices: 8.7.1, 8.8.1.

Source:
    RTDS 4.5.0 CS03A1, CS03A2, CS03C, CS04AC; which methods pairs join by: the use-case table.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device_profiles.words import GBCS_DEVICE_NUMBER, DeviceType
from emulator.codecs import der
from emulator.codecs.gbcs.joins import JoinDevice, JoinMethod
from emulator.codecs.gbcs.use_cases import MessageCode
from harness.formats.duis.transforms.credentials import certificate
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import Asked, Payload, tree

_T = DeviceType
#: (target, other) -> use case and method.
Ways = Mapping[tuple[DeviceType, DeviceType], tuple[MessageCode, JoinMethod]]
WAYS: Final[Ways] = MappingProxyType(
    {
        (_T.ESME, _T.HCALCS): (MessageCode.CS03A1, JoinMethod.A_INITIATOR),
        (_T.ESME, _T.PPMID): (MessageCode.CS03A1, JoinMethod.A_INITIATOR),
        (_T.HCALCS, _T.ESME): (MessageCode.CS03A2, JoinMethod.A_RESPONDER),
        (_T.GSME, _T.PPMID): (MessageCode.CS03C, JoinMethod.C),
    }
)


def join(asked: Asked, ways: Ways = WAYS) -> Payload:
    """Return the CS03 by which the pair of devices joins."""
    other_id = asked.body.other
    other = asked.context.devices.get(other_id)
    if other is None:
        raise TransformError(Refusal.UNKNOWN_DEVICE, f"nothing is known of {other_id}")
    pair = asked.device.device_type, other.device_type
    if pair not in ways:
        why = f"a {pair[0]} joins with a {pair[1]} by no such command"
        raise TransformError(Refusal.DEVICE_TYPE, why)
    code, method = ways[pair]
    carried = None
    if method is JoinMethod.C:
        if other.key_agreement is None:
            raise TransformError(
                Refusal.MISSING_CERTIFICATE, f"no key-agreement certificate of {other_id} is known"
            )
        certificate(other.key_agreement)
        carried = other.key_agreement
    number = GBCS_DEVICE_NUMBER[other.device_type]
    return tree(code, JoinDevice(method, other_id, number, carried).node())


def part(asked: Asked) -> Payload:
    """Return CS04AC."""
    return tree(MessageCode.CS04AC, der.octet_string(asked.body.other.octets))
