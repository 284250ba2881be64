"""zigpy and bellows as published, with the one mapping that Smart Energy needs."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import bellows.zigbee.application
import zigpy.config as conf
import zigpy.types as t

SMART_ENERGY = 0x0109
HOME_AUTOMATION = 0x0104
#: The CHF's endpoint on the dongle: not 1, which zigpy takes for itself.
CHF_ENDPOINT = 123
#: The GPF's: a gas meter reports to its mirror there, and waits for an acknowledgement.
GPF_ENDPOINT = 124


class SmartEnergyApplication(
    bellows.zigbee.application.ControllerApplication  # type: ignore[misc] # it has no types
):
    """zigpy reads ZCL on two profiles only: Smart Energy is relabelled on its way up."""

    def packet_received(self, packet: t.ZigbeePacket) -> None:
        """Take a packet of the radio."""
        if packet.profile_id == SMART_ENERGY:
            packet = packet.replace(profile_id=HOME_AUTOMATION)
        super().packet_received(packet)


def _endpoint(number: int, device_type: int, inputs: list[int]) -> dict[str, Any]:
    """Return an endpoint of the hub's: what devices send there is acknowledged."""
    return {
        "endpoint": number,
        "profile": SMART_ENERGY,
        "device_type": device_type,
        "device_version": 0,
        "input_clusters": inputs,
        "output_clusters": [0x0702],
    }


def configuration(path: str, database: Path | None = None) -> dict[str, Any]:
    """Return what the reference found to work without a network of one's own."""
    return {
        conf.CONF_DEVICE: {conf.CONF_DEVICE_PATH: path},
        conf.CONF_DATABASE: None if database is None else str(database),
        "use_thread": False,
        conf.CONF_NWK_BACKUP_ENABLED: False,
        conf.CONF_TOPO_SCAN_ENABLED: False,
        conf.CONF_STARTUP_ENERGY_SCAN: False,
        conf.CONF_OTA: {"enabled": False},
        conf.CONF_NWK: {conf.CONF_NWK_CHANNEL: 15},
        conf.CONF_ADDITIONAL_ENDPOINTS: [
            _endpoint(CHF_ENDPOINT, 0x0500, inputs=[0x000A, 0x0019, 0x0704]),
            _endpoint(GPF_ENDPOINT, 0x0501, inputs=[]),
        ],
    }


@contextlib.asynccontextmanager
async def started(path: str, database: Path | None = None) -> AsyncIterator[SmartEnergyApplication]:
    """Start the application, forming a network where there is none."""
    app = await SmartEnergyApplication.new(
        configuration(path, database), auto_form=True, start_radio=False
    )
    try:
        await app.startup(auto_form=True)
        yield app
    finally:
        await app.shutdown()
