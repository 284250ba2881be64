"""GBZ use cases of gas devices: one function for all of them, by the catalogue."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from device_profiles.words import RemoteParty
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode, PayloadKind
from emulator.core.clock import UtcMs
from emulator.devices.checks import Command
from emulator.devices.gbz_engine import GbzTurn, carry_out
from emulator.devices.gbz_reads import gbz_message
from emulator.devices.gsme.model.store import gas_clusters
from emulator.devices.handlers import Answer, HandlerTable
from emulator.devices.protected_reads import protector, reply_to_reader

if TYPE_CHECKING:
    from emulator.devices.gpf.gpf import Gpf
    from emulator.devices.gsme.gsme import Gsme

_ROLES: Final = {
    "supplier": RemoteParty.SUPPLIER,
    "network-operator": RemoteParty.NETWORK_OPERATOR,
    "acb": RemoteParty.ACCESS_CONTROL_BROKER,
    "ppmid": RemoteParty.OTHER,  # a device has no role of its own
}


def answer(device: "Gsme | Gpf", command: Command, now: UtcMs) -> Answer:
    """Carry out a GBZ command on the device's clusters.

    Source:
        reference gbcs.md sections 5 and 8. A reader that the device does not know gets its own
        counter back only where a DLMS or GBZ use case encrypts by it; GCS61 does not.
    """
    row = gas_clusters().use_cases[command.row.use_case]
    reply = reply_to_reader(command, device.next_counter)
    if reply.originator_counter is not None and command.row.code == MessageCode.GCS61:
        reply = type(reply).of(command)
    if reply.originator_counter is not None:
        device.next_counter += 1
    protect = protector(command, reply, device.eui64, device.ring)
    turn = GbzTurn(
        command.row.use_case,
        command.row.code,
        command.header,
        now,
        protect,
        row.sealed,
        row.quiet,
    )
    response = carry_out(gbz_message(command), device.model, turn)
    return Answer(response, after=tuple(turn.effects), reply_to=reply)


def rows_for(device: str) -> Iterator[tuple[MessageCode, frozenset[RemoteParty]]]:
    """Yield message code and remote parties of each GBZ use case of a ``gsme`` or ``gpf``."""
    table = gas_clusters().use_cases
    for row in MESSAGES.values():
        found = table.get(row.use_case)
        if found is None or not row.command or PayloadKind.GBZ not in row.payload:
            continue
        if device in found.devices:
            roles = frozenset(_ROLES[word] for word in found.roles)
            yield MessageCode(row.code), roles


def enter(table: "HandlerTable[Any]", device: str) -> None:
    """Enter the GBZ use cases of a device into its table."""
    for code, roles in rows_for(device):
        table.handles(code, by=roles)(answer)
