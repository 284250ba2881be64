"""The home around an emulated dongle: an installation's devices as nodes that may join it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.zcl import basic, metering, ota, time, tunneling
from emulator.codecs.zigbee.aps import PROFILE_SMART_ENERGY
from emulator.codecs.zigbee.zdo import Capability, SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY, InstallCode, draw
from emulator.han.tunnel_client import TunnelClient
from emulator.ncp.member_plan import MemberPlan
from emulator.runtime.box import Box
from emulator.runtime.installation import Emulation

#: From permission to the first node's attempt to join, and between two nodes' attempts: four
#: nodes have joined within the second.
FIRST_JOIN_MS: Final = 100
JOIN_GAP_MS: Final = 100
#: Device identifiers. Source: Smart Energy 1.2 (known): metering device, in-home display, load
#: control device.
_DEVICE_IDS: Final = {
    DeviceType.ESME: 0x0501,
    DeviceType.GSME: 0x0501,
    DeviceType.PPMID: 0x0502,
    DeviceType.HCALCS: 0x0503,
}
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})
_USED: Final = (time.CLUSTER, ota.CLUSTER, tunneling.CLUSTER)
_MAINS: Final = (
    Capability.FULL_FUNCTION
    | Capability.MAINS_POWER
    | Capability.RECEIVER_ON_WHEN_IDLE
    | Capability.ALLOCATE_ADDRESS
)


@dataclass(frozen=True, slots=True)
class Home:
    """Devices that may join a dongle.

    Attributes:
        hub: EUI-64 the devices know their CHF by: the dongle's.
        plans: The nodes.
        codes: Their install codes.
    """

    hub: Eui64
    plans: tuple[MemberPlan, ...]
    codes: Mapping[Eui64, InstallCode] = field(repr=False)


def home_of(emulation: Emulation, seed: int, *, well_known: bool) -> Home:
    """Return the devices of an installation, taken out of its world.

    Args:
        emulation: A world just built; its devices are used up, its hub is not used.
        seed: Seed of the install codes.
        well_known: Let every node join under the well-known key instead of its install code.
    """
    hub = emulation.roles[DeviceType.CHF]
    gpf = emulation.roles[DeviceType.GPF]
    radio = emulation.profiles[hub].radio
    places = (hub, gpf, radio.endpoint, radio.gpf_endpoint)
    boxes = [box for box in emulation.world.boxes if box.eui64 != hub]
    codes = {box.eui64: draw(Stream(seed, f"install-code/{box.eui64.hex}")) for box in boxes}
    plans = tuple(
        _plan(
            box,
            emulation.profiles[box.eui64],
            WELL_KNOWN_LINK_KEY if well_known else codes[box.eui64].link_key(),
            places,
            FIRST_JOIN_MS + number * JOIN_GAP_MS,
        )
        for number, box in enumerate(boxes)
    )
    return Home(hub, plans, codes)


def _plan(
    box: Box,
    profile: DeviceProfile,
    link_key: bytes,
    places: tuple[Eui64, Eui64, int, int | None],
    join_ms: int,
) -> MemberPlan:
    hub, gpf, hub_endpoint, gpf_endpoint = places
    kind = profile.device_type
    served = (basic.CLUSTER, metering.CLUSTER) if kind in _METERS else (basic.CLUSTER,)
    device_id = _DEVICE_IDS[kind]
    endpoint = SimpleDescriptor(
        profile.radio.endpoint, PROFILE_SMART_ENERGY, device_id, 0, served, _USED
    )
    tunnel = box.tunnel
    return MemberPlan(
        eui64=box.eui64,
        name=f"{box.role} {box.eui64}",
        application=box.device,
        link_key=link_key,
        endpoint=endpoint,
        capability=int(Capability.ALLOCATE_ADDRESS if profile.radio.sleepy else _MAINS),
        hub=hub,
        gpf=None if gpf_endpoint is None else (gpf, gpf_endpoint),
        hub_endpoint=hub_endpoint,
        tunnel=tunnel if isinstance(tunnel, TunnelClient) else None,
        manufacturer=profile.identity.manufacturer_code,
        join_ms=join_ms,
    )
