"""Clocks and firmware: 6.11, 8.1.1, 11.3. Source: RTDS 4.5.0 ECS70, GCS28, CS06."""

from typing import Final

from emulator.codecs import der
from emulator.codecs.dlms.shapes import make, shape_of
from emulator.codecs.gbcs import asn1
from emulator.codecs.gbcs.asn1_parts import time_node
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from harness.formats.duis.smets1_bodies import SynchroniseClock
from harness.formats.duis.transforms.dlms_data import structure
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import (
    Asked,
    Payload,
    date_time_data,
    tree,
    written,
)

#: What an ESME's clock goes by. Source: RTDS ECS70 (5).
_CLOCK_BASE: Final = 5
_NEVER: Final = make(shape_of("date_time"), "never")
_SECOND_MS: Final = 1_000


def set_clock(asked: Asked) -> Payload:
    """Return ECS70."""
    first, last = _interval(asked.body)
    values = {
        "clock_base": _CLOCK_BASE,
        "clock_preset": structure(_NEVER, date_time_data(first), date_time_data(last)),
        "clock_adjust": 0,
    }
    return written(asked, MessageCode.ECS70, values)


def set_gas_clock(asked: Asked) -> Payload:
    """Return GCS28."""
    first, last = _interval(asked.body)
    if first % _SECOND_MS:
        raise TransformError(Refusal.OUT_OF_RANGE, "GBCS knows whole seconds only")
    return tree(MessageCode.GCS28, der.sequence(time_node(first), time_node(last)))


def _interval(body: SynchroniseClock) -> tuple[UtcMs, UtcMs]:
    return body.now, UtcMs(body.now + body.tolerance_s * _SECOND_MS)


def activate_firmware(asked: Asked) -> Payload:
    """Return CS06."""
    counter = asked.identity.counter
    command = asn1.ActivateFirmware(asked.body.firmware_hash, counter, asked.generalized)
    return Payload(MessageCode.CS06, command.encode())
