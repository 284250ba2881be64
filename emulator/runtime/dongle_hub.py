"""An emulated hub in reach of a dongle: its home's world, with a place in it left to the dongle.

Stand-ins, because nothing public tells how a hub does it: joining is permitted from the start until
the dongle has agreed on a key (or as told by ``permit``), and the device log is the installation's.
"""

from dataclasses import dataclass
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.zcl import basic, key_establishment, metering, ota, time, tunneling
from emulator.codecs.zigbee.aps import PROFILE_SMART_ENERGY
from emulator.codecs.zigbee.zdo import Capability, NodeDescriptor, SimpleDescriptor
from emulator.core.chance import Chance, Stream
from emulator.core.ids import Eui64
from emulator.crypto import test_certificates
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.devices.served_clusters import served_clusters
from emulator.ncp.hub_joining import HubRadio
from emulator.ncp.hub_keys import HubSecurity
from emulator.ncp.hub_node import HomeNode
from emulator.ncp.member_plan import Log
from emulator.ncp.radio_bridge import HomeClock
from emulator.ncp.surroundings import Record, Surround, Surroundings
from emulator.ncp.zdo_server import Described
from emulator.runtime.box import Box
from emulator.runtime.dongle_home import Joining, install_codes
from emulator.runtime.hub_in_air import HubHome, HubInAir, Parting
from emulator.runtime.installation import Emulation, Plan, build

#: Channel of the hub. Source: invented (GB hubs choose among the 2.4 GHz channels).
CHANNEL: Final = 15
_HUB: Final = 0x0000
_ROUTER: Final = (
    Capability.FULL_FUNCTION
    | Capability.MAINS_POWER
    | Capability.RECEIVER_ON_WHEN_IDLE
    | Capability.ALLOCATE_ADDRESS
)
_COORDINATOR: Final = _ROUTER
#: Services of the hub: primary trust centre, revision 22 of the specification. Source: known.
_TRUST_CENTRE: Final = 0x2C01
_DEVICE_OF_HUB: Final = 0x0500
_OF_CHF: Final = (
    basic.CLUSTER,
    time.CLUSTER,
    ota.CLUSTER,
    tunneling.CLUSTER,
    key_establishment.CLUSTER,
)
_OF_GPF: Final = (basic.CLUSTER, metering.CLUSTER)


@dataclass(frozen=True, slots=True)
class HubPlan:
    """What stands around a dongle that is no hub.

    Attributes:
        plan: The home; the device whose place the dongle has is ``elsewhere``.
        dongle: EUI-64 of the dongle.
        has_place: Whether it has a place in the home; else it can only listen.
        joining: How it joins.
        channel: Where the hub is, 11 to 26.
        permit_s: For how long joining is permitted from the start; 0: not; None: as long as the
            place is free, where there is one.
    """

    plan: Plan
    dongle: Eui64
    has_place: bool
    joining: Joining
    channel: int = CHANNEL
    permit_s: int | None = None


def surround(hub: HubPlan) -> Surround:
    """Return what builds the surroundings: once, of the world that is built here.

    Raises:
        DataError: A profile is missing, wrong, or of another device type.
        InstallationError: A device that is not emulated, or a hub whose device log is too small.
    """
    border = Parting()
    emulation = build(hub.plan, border)

    def make(clock: HomeClock, log: Log, _chance: Chance, record: Record | None) -> Surroundings:
        workshop = _Workshop(hub, emulation)
        closed = hub.permit_s is None and not hub.has_place
        home = HubHome(
            emulation.world,
            border,
            workshop.radio(),
            hub.dongle,
            hub.plan.seed,
            0 if closed else hub.permit_s,
        )
        return HubInAir(home, clock, log, record)

    return make


class _Workshop:
    """Makes the radios of one home."""

    def __init__(self, hub: HubPlan, emulation: Emulation) -> None:
        self._hub = hub
        self._emulation = emulation
        self._chf = emulation.roles[DeviceType.CHF]
        self._gpf = emulation.roles[DeviceType.GPF]

    def radio(self) -> HubRadio:
        """Return the hub's radio, and those of the home's other devices."""
        hub, chf = self._hub, self._chf
        seed = hub.plan.seed
        boxes = self._emulation.world.boxes
        profiles = self._emulation.profiles
        return HubRadio(
            chf,
            boxes[0].node.book.pan_id,
            hub.channel,
            Stream(seed, "han/network-key").octets(16),
            self._security(),
            [self._node(box) for box in boxes],
            {eui64: profile.radio.endpoint for eui64, profile in profiles.items()},
            Stream(seed, "han/joiner-short"),
        )

    def _security(self) -> HubSecurity:
        joining, seed = self._hub.joining, self._hub.plan.seed
        devices = [
            eui64 for eui64 in self._emulation.profiles if eui64 not in {self._chf, self._gpf}
        ]
        codes = install_codes(seed, devices)
        log = {
            eui64: WELL_KNOWN_LINK_KEY if joining.well_known else code.link_key()
            for eui64, code in codes.items()
        }
        credentials = test_certificates.all_credentials(
            seed, self._chf, authority=joining.authority
        )
        chance = Stream(seed, f"cbke/ephemeral/{self._chf.hex}")
        return HubSecurity(log, credentials, chance, joining.strict)

    def _node(self, box: Box) -> HomeNode:
        profile = self._emulation.profiles[box.eui64]
        if box.eui64 == self._chf:
            return self._hub_node(profile)
        endpoint = profile.radio.endpoint
        served = (*served_clusters(box.inside), key_establishment.CLUSTER)
        told = SimpleDescriptor(endpoint, PROFILE_SMART_ENERGY, 0x0501, 0, served)
        capability = Capability.ALLOCATE_ADDRESS if box.sleepy else _ROUTER
        node = NodeDescriptor(
            2 if box.sleepy else 1, int(capability), profile.identity.manufacturer_code
        )
        described = Described(box.eui64, box.node.short, node, (told,), not box.sleepy)
        return HomeNode(described, {endpoint: box.eui64}, profile.radio.max_apdu_bytes)

    def _hub_node(self, profile: DeviceProfile) -> HomeNode:
        radio = profile.radio
        places = {radio.endpoint: self._chf}
        told = [SimpleDescriptor(radio.endpoint, PROFILE_SMART_ENERGY, _DEVICE_OF_HUB, 0, _OF_CHF)]
        if radio.gpf_endpoint is not None:
            places[radio.gpf_endpoint] = self._gpf
            gpf = (radio.gpf_endpoint, PROFILE_SMART_ENERGY, _DEVICE_OF_HUB, 0, _OF_GPF)
            told.append(SimpleDescriptor(*gpf))
        node = NodeDescriptor(
            0,
            int(_COORDINATOR),
            profile.identity.manufacturer_code,
            server_mask=_TRUST_CENTRE,
        )
        described = Described(self._chf, _HUB, node, tuple(told))
        return HomeNode(described, places, radio.max_apdu_bytes)
