"""Builds a world of SMETS1 devices: a hub that is a gateway, meters and displays behind it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_profiles.installation import Installation, InstalledDevice, check_profiles
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, ImageAcceptance, PaymentMode
from emulator.codecs.dlms import wrapper
from emulator.codecs.dlms.han_log import LogRow
from emulator.core import faults as fault_orders
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from emulator.devices import defects as saboteurs
from emulator.devices.smets1 import registry
from emulator.devices.smets1.behind_hub import BehindHub
from emulator.devices.smets1.catalogue_device import CatalogueDevice
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.display import Smets1Display
from emulator.devices.smets1.esme import Smets1HubServer
from emulator.devices.smets1.hub import Smets1Hub
from emulator.devices.smets1.prepayment import PaymentMode as AccountMode
from emulator.han.address_book import AddressBook, Place
from emulator.han.node import RadioNode
from emulator.han.tunnel_client import TunnelClient
from emulator.han.tunnel_line import Line
from emulator.han.tunnel_server import TunnelServer
from emulator.runtime.box import Box
from emulator.runtime.installation import InstallationError, Plan
from emulator.runtime.outlet import Outlet
from emulator.runtime.world import World
from emulator.servers.line_frames import label_of
from emulator.servers.line_parts import Framing
from emulator.wan.sim_network import NETWORKS, SimNetwork
from emulator.wan.sm_wan import Reading

#: Device types with a DLMS server. Source: stand-in (serial-dlms.md section 7; migration.md).
SERVERS: Final = (DeviceType.CHF, DeviceType.ESME, DeviceType.GSME)
#: Device types that are emulated; others of an installation are left out, and named.
EMULATED: Final = (*SERVERS, DeviceType.PPMID)
_Behind = BehindHub | Smets1Display
_HUB_SHORT: Final = 0x0000
_SHORT_LIMIT: Final = 0xFFF8
_PAN_LIMIT: Final = 0xFFFF


@quick
@dataclass(frozen=True, slots=True)
class Smets1Emulation:
    """A world, and what those outside may know of it.

    Attributes:
        ref: What its installation is called.
        world: The world, started and not moved.
        roles: Device type -> EUI-64 of the first device of that type.
        profiles: Device -> its model.
        keys: Device with a DLMS server -> the keys it left the factory with.
        left_out: Devices of the installation that are not emulated: EUI-64 -> type.
        plan: What it was built from.
    """

    ref: str
    world: World
    roles: Mapping[DeviceType, Eui64]
    profiles: Mapping[Eui64, DeviceProfile] = field(repr=False)
    keys: Mapping[Eui64, FactoryKeys] = field(repr=False)
    left_out: Mapping[Eui64, DeviceType]
    plan: Plan = field(repr=False)

    def spare(self, eui64: Eui64) -> Smets1Device:
        """Return another device of the same making, which is off and in no world."""
        return server_of(self.plan, eui64, self.profiles[eui64], self.keys[eui64])


def build_home(plan: Plan, number: int = 0, outlet: Outlet | None = None) -> Smets1Emulation:
    """Build a world of SMETS1 devices; they are joined, and nothing has happened yet.

    Args:
        plan: What is wanted.
        number: Place among the homes of a bench; 0 draws its chance from the seed itself.
        outlet: What carries frames to the devices that are elsewhere.

    Raises:
        DataError: A profile is missing, wrong, or of another device type.
        InstallationError: No hub, a model without [dlms], or two devices on one wrapper port.
        FaultError: A fault means nothing.
    """
    check_profiles(plan.installation, plan.overlays)
    ref = plan.installation.ref
    chance = Chance(plan.seed if number == 0 else _own_seed(plan.seed, ref))
    faults = fault_orders.in_home([fault_orders.parse(text) for text in plan.faults], ref)
    schedule = FaultSchedule(faults, chance)
    workshop = _Workshop(plan, chance)
    boxes = [box for box in workshop.boxes() if box.eui64 not in plan.elsewhere]
    sim, reading = workshop.sim(schedule), workshop.reading()
    world = World(boxes, schedule, chance, plan.start, sim, reading, outlet)
    world.start(plan.on_after_ms * 1000)
    left_out = {
        Eui64.parse(item.eui64): item.role
        for item in plan.installation.devices
        if item.role not in {*EMULATED, DeviceType.GPF}  # the GPF is in the hub's box
    }
    return Smets1Emulation(
        ref, world, workshop.roles, workshop.profiles, workshop.keys, left_out, plan
    )


def _own_seed(seed: int, ref: str) -> int:
    digest = hashlib.sha256(f"{seed}/{ref}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def server_of(plan: Plan, eui64: Eui64, profile: DeviceProfile, keys: FactoryKeys) -> Smets1Device:
    """Return a device with a DLMS server as a plan wants it, off; a meter in its payment mode."""
    device = registry.build(
        profile.device_type,
        eui64,
        profile,
        plan.seed,
        plan.start,
        keys,
        overlays=plan.overlays,
        defects=saboteurs.of_smets1(profile.device_type, plan.defects),
    )
    prepays = any(
        item.payment_mode is PaymentMode.PREPAYMENT and Eui64.parse(item.eui64) == eui64
        for item in plan.installation.devices
    )
    if prepays and isinstance(device, CatalogueDevice):
        device.account.mode = AccountMode.PREPAYMENT
    if isinstance(device, Smets1HubServer):
        device.images.metadata.mode = plan.metadata_mode
    return device


class _Workshop:
    """Makes the boxes of one home."""

    def __init__(self, plan: Plan, chance: Chance) -> None:
        self._plan = plan
        self._chance = chance
        self._devices = _emulated(plan.installation)
        self.roles = {item.role: Eui64.parse(item.eui64) for item in reversed(self._devices)}
        self._hub = self.roles[DeviceType.CHF]
        self.profiles = {
            Eui64.parse(item.eui64): load_profile(item.profile, plan.overlays)
            for item in self._devices
        }
        self.keys = {
            Eui64.parse(item.eui64): factory_keys(plan.seed, Eui64.parse(item.eui64))
            for item in self._devices
            if item.role in SERVERS
        }
        self._ports: dict[int, str] = {}
        self._book = self._addresses(chance)

    def boxes(self) -> list[Box]:
        """Return the boxes, hub first."""
        others = [item for item in self._devices if item.role is not DeviceType.CHF]
        behind = {Eui64.parse(item.eui64): self._behind(item) for item in others}
        hub = self._hub_box(others, behind)
        return [hub, *(self._box(item, behind[Eui64.parse(item.eui64)]) for item in others)]

    def sim(self, schedule: FaultSchedule) -> SimNetwork | None:
        """Return the SIM of the hub, where its profile says how it comes onto a network."""
        dlms = self.profiles[self._hub].dlms
        if dlms is None or dlms.wan is None:
            return None
        return SimNetwork(dlms.wan, schedule, self._chance.stream(f"sim/{self._hub.hex}"))

    def reading(self) -> Reading:
        """Return how faults see what crosses the WAN: wrapper frames, by the device's port."""
        ports = self._ports

        def role_of(octets: bytes) -> str:
            try:
                frame = wrapper.decode(octets)
            except MalformedFrameError:
                return ""
            return ports.get(frame.destination) or ports.get(frame.source, "")

        return Reading(lambda octets: label_of(Framing.WRAPPER, octets), role_of)

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
        return server_of(self._plan, eui64, profile, self.keys[eui64])

    def _hub_box(self, others: Sequence[InstalledDevice], behind: Mapping[Eui64, _Behind]) -> Box:
        own = self._server(self._hub)
        if not isinstance(own, Smets1HubServer):
            raise InstallationError(f"{self._hub} is no hub")
        routes = self._routes(own, others)
        own.install(LogRow(Eui64.parse(item.eui64), item.role.value, True) for item in others)
        for device in behind.values():
            if isinstance(device, Smets1Display):
                device.install(joined=own.device_log.welcomes(device.said()))
        linked = frozenset(eui64 for eui64 in behind if eui64 in own.device_log.sessions)
        for device in behind.values():
            if isinstance(device, BehindHub):
                device.partners = linked
        profile = self.profiles[self._hub]
        node = RadioNode(_HUB_SHORT, self._book, profile.radio.max_apdu_bytes)
        tunnels = TunnelServer([self._line(Eui64.parse(item.eui64)) for item in others])
        sleepers = [one for one, model in self.profiles.items() if model.radio.sleepy]
        party = NETWORKS[0] if own.settings.wan is not None else ""
        hub = Smets1Hub(own, routes, party, sleepers)
        return Box("chf", (self._hub,), hub, node, tunnels)

    def _routes(self, own: Smets1HubServer, others: Sequence[InstalledDevice]) -> dict[int, Eui64]:
        routes: dict[int, Eui64] = {}
        self._ports[own.settings.wan_port] = "chf"
        for item in others:
            eui64 = Eui64.parse(item.eui64)
            dlms = self.profiles[eui64].dlms
            if item.role not in SERVERS or dlms is None:
                continue
            if dlms.wan_port in self._ports:
                raise InstallationError(
                    f"{self._plan.installation.ref}: two devices answer to wrapper port"
                    f" {dlms.wan_port}"
                )
            routes[dlms.wan_port] = eui64
            self._ports[dlms.wan_port] = item.role.value.lower()
        return routes

    def _line(self, eui64: Eui64) -> Line:
        radio, hub = self.profiles[eui64].radio, self.profiles[self._hub].dlms
        wan = None if hub is None else hub.wan
        limit_s = None if wan is None or not radio.sleepy else wan.queue_limit_s
        limit_us = None if limit_s is None else limit_s * 1_000_000
        return Line(eui64, radio.sleepy, radio.tunnel_max_bytes, limit_us)

    def _box(self, item: InstalledDevice, device: _Behind) -> Box:
        eui64 = Eui64.parse(item.eui64)
        radio = self.profiles[eui64].radio
        place = self._book.find(eui64)
        if place is None:
            raise InstallationError(f"{eui64} has no address on the HAN")
        tunnel = TunnelClient(
            self._hub,
            polls=radio.sleepy,
            sleepy=radio.sleepy,
            max_message_bytes=radio.tunnel_max_bytes,
        )
        node = RadioNode(place.short, self._book, radio.max_apdu_bytes)
        role = item.role.value.lower()
        return Box(role, (eui64,), device, node, tunnel, sleepy=radio.sleepy)

    def _behind(self, item: InstalledDevice) -> _Behind:
        eui64 = Eui64.parse(item.eui64)
        if item.role in SERVERS:
            return BehindHub(self._server(eui64), self._hub)
        made = saboteurs.apply(Smets1Display, saboteurs.of_smets1(item.role, self._plan.defects))
        profile = self.profiles[eui64]
        meter = self.roles.get(DeviceType.ESME)
        return made(eui64, profile, self._hub, meter, takes_images=self._takes(eui64, profile))

    def _takes(self, eui64: Eui64, profile: DeviceProfile) -> bool:
        """Say whether a display takes images; the seed says it where the profile leaves it open."""
        accepts = profile.firmware.takes_images
        if accepts is ImageAcceptance.BY_SEED:
            return self._chance.stream(f"display/{eui64.hex}").below(2) == 1
        return accepts is not ImageAcceptance.NEVER


def _emulated(installation: Installation) -> tuple[InstalledDevice, ...]:
    found = tuple(item for item in installation.devices if item.role in EMULATED)
    if DeviceType.CHF not in {item.role for item in found}:
        raise InstallationError(f"{installation.ref}: a SMETS1 home needs a CHF")
    return found
