"""Cluster -> what an ESME serves in it: attributes, and answers to commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from emulator.codecs.zcl import account, calendar, device_management, metering, price
from emulator.codecs.zcl.cluster import ClusterCommands
from emulator.codecs.zcl.foundation import AttributeValue, Status
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.metering import LocalChangeSupply, SupplyStatus
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, ZclIndication
from emulator.devices.esme.han import calendars, credit, notices, tariffs
from emulator.devices.esme.han.answers import Request
from emulator.devices.esme.life import Button

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel

Attributes = Callable[["EsmeModel", UtcMs], Mapping[int, AttributeValue]]
Take = Callable[["Esme", Request, Any], list[Effect]]


@dataclass(frozen=True, slots=True)
class Served:
    """One cluster.

    Attributes:
        table: Its commands.
        attributes: Its attributes; None where another module has them.
        take: Takes a command.
    """

    table: ClusterCommands
    attributes: Attributes | None
    take: Take


def _of_model(take: Callable[["EsmeModel", Request, Any], list[Effect]]) -> Take:
    return lambda device, request, command: take(device.model, request, command)


def _take_metering(device: "Esme", request: Request, command: Any) -> list[Effect]:
    """PECS: a person asks at a PPMID for an armed supply to be enabled; no other change is local.

    Source:
        Smart Energy 1.2 (Local Change Supply); that only "on" is taken: inferred.
    """
    is_change = isinstance(command, LocalChangeSupply)
    if not is_change or command.proposed_status is not SupplyStatus.ON:
        return [request.default(Status.UNSUP_CLUSTER_COMMAND)]
    return credit.act(device, request, Button.ENABLE_SUPPLY)


#: Cluster -> what is served.
SERVED: Final[Mapping[int, Served]] = {
    one.table.cluster: one
    for one in (
        Served(metering.COMMANDS, None, _take_metering),
        Served(account.COMMANDS, credit.attributes, credit.take),
        Served(price.COMMANDS, tariffs.attributes, _of_model(tariffs.take)),
        Served(calendar.COMMANDS, calendars.attributes, _of_model(calendars.take)),
        Served(device_management.MESSAGING_COMMANDS, notices.no_attributes, notices.take_message),
        Served(device_management.COMMANDS, notices.attributes, _of_model(notices.take)),
    )
}
#: Clusters that an ESME serves beside those of every device.
CLUSTERS: Final = tuple(SERVED)


def take(
    device: "Esme", indication: ZclIndication, frame: ZclFrame, now: UtcMs
) -> list[Effect] | None:
    """Take a command of a cluster; None where it is not one that an ESME serves.

    Raises:
        MalformedFrameError: It cannot be read.
    """
    served = SERVED.get(indication.cluster)
    if served is None or frame.server_to_client or device.consumption is None:
        return None
    request = Request(indication, frame, served.table, now)
    if not served.table.knows(frame):
        return [request.default(Status.UNSUP_CLUSTER_COMMAND)]
    command = served.table.decode(frame)
    if not _may_ask(device, indication):
        return [request.default(Status.NOT_AUTHORIZED)]
    return served.take(device, request, command)


def _may_ask(device: "Esme", indication: ZclIndication) -> bool:
    """Say whether a device is known: joined by command, or of a home joined when it was built."""
    known = device.joins.entries
    return not known or indication.source in known or indication.source == device.network.chf


def attributes(device: "Esme", cluster: int, now: UtcMs) -> Mapping[int, AttributeValue] | None:
    """Return the attributes of a cluster; None where another part of the device has them."""
    served = SERVED.get(cluster)
    if served is None or served.attributes is None or device.consumption is None:
        return None
    return served.attributes(device.model, now)
