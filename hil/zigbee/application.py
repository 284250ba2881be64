"""zigpy's application for a dongle that is a GB hub: bellows' own, with what Smart Energy needs.

What differs from bellows as published, none of it patched in: the EZSP object has guard, tap and a
direct way for our messages; Smart Energy is relabelled on its way up, because zigpy reads ZCL on
two profiles only; the hub's endpoints are its own; nobody is interviewed unless told.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bellows.zigbee.application
import zigpy.config as conf
import zigpy.profiles.zha
import zigpy.types as zt
import zigpy.zdo.types as zdo_t
from bellows.config import CONF_EZSP_CONFIG

from harness.han_ports import SMART_ENERGY
from hil.zigbee.ezsp import DongleEzsp
from hil.zigbee.guard import Guard
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.settings import DongleSettings

_HOME_AUTOMATION: Final = 0x0104
#: The endpoint that zigpy takes for itself.
ZIGPY_ENDPOINT: Final = 1
#: Rows for link keys. Source: reference zigbee-dongle.md 5.2 B (the prior art's 16).
KEY_ROWS: Final = 16


def configuration(settings: DongleSettings, database: Path | None = None) -> dict[str, Any]:
    """Return zigpy's configuration: no network of one's own, no remote firmware, no thread.

    Source:
        reference zigbee-dongle.md 1.4.
    """
    return {
        conf.CONF_DEVICE: settings.device(),
        conf.CONF_DATABASE: None if database is None else str(database),
        "use_thread": False,
        conf.CONF_NWK_BACKUP_ENABLED: False,
        conf.CONF_TOPO_SCAN_ENABLED: False,
        conf.CONF_STARTUP_ENERGY_SCAN: False,
        conf.CONF_WATCHDOG_ENABLED: False,
        conf.CONF_OTA: {"enabled": False},
        CONF_EZSP_CONFIG: {"CONFIG_KEY_TABLE_SIZE": KEY_ROWS},
    }


class HubApplication(bellows.zigbee.application.ControllerApplication):  # type: ignore[misc] # bellows has no types
    """The owner of a hub's radio.

    Attributes:
        lost: Called when the dongle is lost, with what bellows tells.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        """Make it as zigpy does; people call ``made``."""
        super().__init__(config)
        self.lost: Callable[[BaseException | None], None] | None = None
        self._hub: tuple[HubSettings, Guard] | None = None

    @classmethod
    async def made(
        cls,
        settings: HubSettings,
        guard: Guard,
    ) -> "HubApplication":
        """Make one, its devices loaded from the database; nothing is opened.

        Args:
            settings: The hub.
            guard: What its dongle may be told.

        Raises:
            ValueError: An endpoint is zigpy's own.
        """
        if any(one.endpoint == ZIGPY_ENDPOINT for one in settings.endpoints):
            raise ValueError(f"endpoint {ZIGPY_ENDPOINT} is zigpy's own")
        told = configuration(settings.dongle, settings.database)
        app: HubApplication = await cls.new(told, auto_form=False, start_radio=False)
        app._hub = (settings, guard)
        return app

    @property
    def ezsp(self) -> DongleEzsp:
        """The dongle, while it is connected."""
        found: DongleEzsp | None = self._ezsp
        if found is None:
            raise RuntimeError("the dongle is not connected")
        return found

    def _made(self) -> tuple[HubSettings, Guard]:
        if self._hub is None:
            raise RuntimeError("an application without a dongle: use made()")
        return self._hub

    async def connect(self) -> None:
        """Open the line, configure the dongle, register the hub's endpoints."""
        settings, guard = self._made()
        ezsp = DongleEzsp(settings.dongle, guard, settings.tap, self)
        self._ezsp: DongleEzsp | None = ezsp
        try:
            await ezsp.connect()
            await ezsp.write_config(self.config[CONF_EZSP_CONFIG])
            self._created_device_endpoints.clear()
            await self.register_endpoints()
        except BaseException:
            self._ezsp = None
            await ezsp.disconnect()
            raise

    async def register_endpoints(self) -> None:
        """Register the hub's endpoints; zigpy's own are on the air only where it interviews."""
        settings, _guard = self._made()
        if settings.interviews:
            await super().register_endpoints()
        else:  # zigpy insists that there is one; the radio need not know
            descriptor = zdo_t.SimpleDescriptor(
                endpoint=ZIGPY_ENDPOINT,
                profile=zigpy.profiles.zha.PROFILE_ID,
                device_type=zigpy.profiles.zha.DeviceType.IAS_CONTROL,
                device_version=0,
                input_clusters=[],
                output_clusters=[],
            )
            self._created_device_endpoints.append(descriptor)
        for one in settings.endpoints:
            await self.add_endpoint(
                zdo_t.SimpleDescriptor(
                    endpoint=one.endpoint,
                    profile=one.profile,
                    device_type=one.device,
                    device_version=one.version,
                    input_clusters=list(one.inputs),
                    output_clusters=list(one.outputs),
                )
            )

    def packet_received(self, packet: zt.ZigbeePacket) -> None:
        """Take a packet that is not for the hub's own endpoints.

        Where nobody is interviewed zigpy hears the dongle's own device objects alone.
        """
        own = packet.src is not None and packet.src.address == self.state.node_info.nwk
        if not own and not self._made()[0].interviews:
            return
        if packet.profile_id == SMART_ENERGY:
            packet = packet.replace(profile_id=_HOME_AUTOMATION)
        super().packet_received(packet)

    def handle_join(self, *arguments: Any, **named: Any) -> None:
        """Take notice that a node joins: zigpy begins its interview, where it may."""
        if self._made()[0].interviews:
            super().handle_join(*arguments, **named)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take notice that the dongle is lost."""
        super().connection_lost(exc)
        if self.lost is not None:
            lost, self.lost = self.lost, None
            lost(exc)
