"""Which clusters a device serves as it stands: those whose attributes or logs it can tell."""

from emulator.codecs.zcl import basic, events, metering, prepayment, price
from emulator.devices.base import Device
from emulator.devices.esme.esme import Esme
from emulator.devices.esme.han import server
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.smets1.behind_hub import BehindHub
from emulator.devices.smets1.display import Smets1Display
from emulator.devices.smets1.meter import Meter


def _of_meter_behind_hub(device: BehindHub) -> tuple[int, ...]:
    screen = (metering.CLUSTER, prepayment.CLUSTER) if isinstance(device.server, Meter) else ()
    return (basic.CLUSTER, *screen)


def served_clusters(device: object) -> tuple[int, ...]:
    """Return the clusters of which a device is the server, Key Establishment aside.

    Time, OTA and Tunneling are missing on purpose: of those the hub is the server, and devices are
    its clients.
    """
    if isinstance(device, Esme):
        return (basic.CLUSTER, *server.CLUSTERS, events.CLUSTER)
    if isinstance(device, Gsme):
        gas = (price.CLUSTER, metering.CLUSTER, prepayment.CLUSTER)
        return (basic.CLUSTER, *gas, events.CLUSTER)
    if isinstance(device, Device):
        return (basic.CLUSTER, events.CLUSTER)
    if isinstance(device, BehindHub):
        return _of_meter_behind_hub(device)
    return (basic.CLUSTER,) if isinstance(device, Smets1Display) else ()
