"""Builds a world of SMETS1 devices: a hub that is a gateway, and DLMS meters behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_profiles.installation import InstalledDevice, check_profiles
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core import faults as fault_orders
from emulator.core.chance import Chance
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from emulator.devices.defects import of_smets1
from emulator.devices.smets1 import registry
from emulator.devices.smets1.behind_hub import BehindHub
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.hub import Smets1Hub
from emulator.han.address_book import AddressBook, Place
from emulator.han.node import RadioNode
from emulator.han.tunnel_client import TunnelClient
from emulator.han.tunnel_server import Line, TunnelServer
from emulator.runtime.box import Box
from emulator.runtime.installation import InstallationError, Plan
from emulator.runtime.world import World

#: Device types with a DLMS server; others of an installation are left out, and named.
#: Source: stand-in (serial-dlms.md section 7; migration.md).
EMULATED: Final = (DeviceType.CHF, DeviceType.ESME, DeviceType.GSME)
_HUB_SHORT: Final = 0x0000
_SHORT_LIMIT: Final = 0xFFF8
_PAN_LIMIT: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Smets1Emulation:
    """A world, and what those outside may know of it.

    Attributes:
        world: The world, started and not moved.
        roles: Device type -> EUI-64.
        profiles: Device -> its model.
        keys: Device -> the keys it left the factory with.
        left_out: Devices of the installation that are not emulated: EUI-64 -> type.
    """

    world: World
    roles: Mapping[DeviceType, Eui64]
    profiles: Mapping[Eui64, DeviceProfile] = field(repr=False)
    keys: Mapping[Eui64, FactoryKeys] = field(repr=False)
    left_out: Mapping[Eui64, DeviceType]


def build_home(plan: Plan) -> Smets1Emulation:
    """Build a world of SMETS1 devices; they are joined, and nothing has happened yet.

    Raises:
        DataError: A profile is missing, wrong, or of another device type.
        InstallationError: No hub, a model without [dlms], or two devices on one wrapper port.
        FaultError: A fault means nothing.
    """
    check_profiles(plan.installation, plan.overlays)
    chance = Chance(plan.seed)
    schedule = FaultSchedule([fault_orders.parse(text) for text in plan.faults], chance)
    workshop = _Workshop(plan, chance)
    world = World(workshop.boxes(), schedule, chance, plan.start)
    world.start()
    left_out = {
        Eui64.parse(item.eui64): item.role
        for item in plan.installation.devices
        if item.role not in {*EMULATED, DeviceType.GPF}  # the GPF is in the hub's box
    }
    return Smets1Emulation(world, workshop.roles, workshop.profiles, workshop.keys, left_out)


class _Workshop:
    """Makes the boxes of one home."""

    def __init__(self, plan: Plan, chance: Chance) -> None:
        self._plan = plan
        self._devices = _emulated(plan)
        self.roles = {item.role: Eui64.parse(item.eui64) for item in self._devices}
        self._hub = self.roles[DeviceType.CHF]
        self.profiles = {
            Eui64.parse(item.eui64): load_profile(item.profile, plan.overlays)
            for item in self._devices
        }
        self.keys = {eui64: factory_keys(plan.seed, eui64) for eui64 in self.profiles}
        self._book = self._addresses(chance)

    def boxes(self) -> list[Box]:
        """Return the boxes, hub first."""
        meters = [item for item in self._devices if item.role is not DeviceType.CHF]
        return [self._hub_box(meters), *(self._box(item) for item in meters)]

    def _addresses(self, chance: Chance) -> AddressBook:
        draw = chance.stream("han/addresses")
        pan_id = draw.below(_PAN_LIMIT)
        taken = {_HUB_SHORT}
        places = [Place(self._hub, _HUB_SHORT, self.profiles[self._hub].radio.endpoint)]
        for eui64, profile in self.profiles.items():
            if eui64 == self._hub:
                continue
            short = _HUB_SHORT
            while short in taken:
                short = draw.below(_SHORT_LIMIT)
            taken.add(short)
            places.append(Place(eui64, short, profile.radio.endpoint))
        return AddressBook(pan_id, places)

    def _server(self, eui64: Eui64) -> Smets1Device:
        profile = self.profiles[eui64]
        if profile.dlms is None:
            raise InstallationError(
                f"{self._plan.installation.ref}: the model {profile.name} of {eui64} has no [dlms]"
                " section: it cannot be reached as a SMETS1 device"
            )
        return registry.build(
            profile.device_type,
            eui64,
            profile,
            self._plan.seed,
            self._plan.start,
            self.keys[eui64],
            overlays=self._plan.overlays,
            defects=of_smets1(profile.device_type, self._plan.defects),
        )

    def _hub_box(self, meters: Sequence[InstalledDevice]) -> Box:
        own = self._server(self._hub)
        routes: dict[int, Eui64] = {}
        for item in meters:
            eui64 = Eui64.parse(item.eui64)
            dlms = self.profiles[eui64].dlms
            port = 0 if dlms is None else dlms.wan_port
            if port in {own.settings.wan_port, *routes}:
                raise InstallationError(
                    f"{self._plan.installation.ref}: two devices answer to wrapper port {port}"
                )
            routes[port] = eui64
        radio = self.profiles[self._hub].radio
        node = RadioNode(_HUB_SHORT, self._book, radio.max_apdu_bytes)
        tunnels = TunnelServer([self._line(Eui64.parse(item.eui64)) for item in meters])
        hub = Smets1Hub(own, routes)
        return Box("chf", (self._hub,), hub, node, tunnels)

    def _line(self, eui64: Eui64) -> Line:
        radio = self.profiles[eui64].radio
        return Line(eui64, radio.sleepy, radio.tunnel_max_bytes)

    def _box(self, item: InstalledDevice) -> Box:
        eui64 = Eui64.parse(item.eui64)
        radio = self.profiles[eui64].radio
        place = self._book.find(eui64)
        if place is None:
            raise InstallationError(f"{eui64} has no address on the HAN")
        device = BehindHub(self._server(eui64), self._hub)
        tunnel = TunnelClient(
            self._hub,
            polls=radio.sleepy,
            sleepy=radio.sleepy,
            max_message_bytes=radio.tunnel_max_bytes,
        )
        node = RadioNode(place.short, self._book, radio.max_apdu_bytes)
        role = item.role.value.lower()
        return Box(role, (eui64,), device, node, tunnel, sleepy=radio.sleepy)


def _emulated(plan: Plan) -> tuple[InstalledDevice, ...]:
    found = tuple(item for item in plan.installation.devices if item.role in EMULATED)
    if DeviceType.CHF not in {item.role for item in found}:
        raise InstallationError(f"{plan.installation.ref}: a SMETS1 home needs a CHF")
    return found
