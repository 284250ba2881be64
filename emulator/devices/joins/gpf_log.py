"""The GPF's log: backed up by GCS62 at every change, restored by GCS59."""

from typing import TYPE_CHECKING, Any

from emulator.codecs import der
from emulator.codecs.gbcs import joins as wire
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.joins import JoinCode
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.asn1_commands import read_payload
from emulator.devices.checks import Command
from emulator.devices.handlers import ACB, Answer, HandlerTable
from emulator.devices.joins.log import JoinedDevice

if TYPE_CHECKING:
    from emulator.devices.base import Device


def enter(table: "HandlerTable[Any]") -> None:
    """Enter the use case that only a GPF has."""
    table.handles(MessageCode.GCS59, by=ACB)(restore_log)


def restore_log(device: "Device", command: Command, now: UtcMs) -> Answer:
    """GCS59: enter the devices of a backup, each with an outcome of its own.

    What the log holds already stays (inferred). A log that changed is backed up again.

    Raises:
        CommandRefusedError: The payload has another layout.
    """
    entries = read_payload(command, wire.restored_log)
    before = device.joins.listed()
    outcomes = []
    for entry in entries:
        joined = JoinedDevice(entry.device, entry.device_type)
        held = device.joins.entries.get(entry.device)
        if held is not None and held.logged == entry:
            outcomes.append((entry, JoinCode.SUCCESS))
        else:
            outcomes.append((entry, device.joins.add(joined, device.profile.limits)))
    changed = device.joins.listed() != before
    after = tuple(back_up(device, now)) if changed else ()
    return Answer(wire.restore_outcomes(tuple(outcomes)), after=after)


def back_up(device: "Device", now: UtcMs) -> list[Effect]:
    """GCS62: send the whole log to the ACB."""
    at, entries = device.local_time(now), device.joins.listed()
    octets = der.encode(wire.log_backup(AlertCode.GPF_DEVICE_LOG_BACKUP, at, entries))
    return device.alert(MessageCode.GCS62, device.network.acb, lambda _: octets)
