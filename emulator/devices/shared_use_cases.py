"""Use cases that go the same way in every type of device: credentials, own keys, joins."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.devices import clock_command
from emulator.devices.credentials import handlers as credential_handlers
from emulator.devices.handlers import SUPPLIER, HandlerTable, Handling
from emulator.devices.joins import gpf_log
from emulator.devices.joins import handlers as join_handlers


@cache
def shared_rows(device_type: DeviceType) -> Mapping[int, Handling[Any]]:
    """Return the shared use cases of a type of device; its own table goes before them."""
    table: HandlerTable[Any] = HandlerTable(device_type)
    credential_handlers.enter(table, device_type)
    join_handlers.enter(table, device_type)
    if device_type is DeviceType.GPF:
        gpf_log.enter(table)
    if device_type is DeviceType.GSME:
        table.handles(MessageCode.GCS28, by=SUPPLIER)(clock_command.set_clock)
    return table.rows
