"""Builds a world out of an installation, its device models, keys, chance, faults and defects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device_profiles.cpl import load_cpl
from device_profiles.installation import Installation, InstalledDevice, check_profiles
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core import faults as fault_orders
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.errors import EmulatorError
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.keystore import KeyStore
from emulator.crypto.pki import TestPki
from emulator.crypto.protection import KeyRing
from emulator.devices import defects as saboteurs
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.network import Network
from emulator.devices.ppmid.ppmid import Ppmid
from emulator.devices.registry import CLASSES
from emulator.han.address_book import AddressBook, Place
from emulator.han.node import RadioNode
from emulator.han.tunnel_client import TunnelClient
from emulator.han.tunnel_line import Line
from emulator.han.tunnel_server import TunnelServer
from emulator.runtime.box import Box
from emulator.runtime.outlet import Outlet
from emulator.runtime.parties import KeyRoom, Parties, parties_of
from emulator.runtime.world import World

#: Short address of the hub. Source: known (a Zigbee coordinator has 0).
_HUB_SHORT: Final = 0x0000
#: Short addresses of devices are drawn below this one. Source: known (reserved from 0xFFF8 on).
_SHORT_LIMIT: Final = 0xFFF8
#: PAN identifiers are drawn below this one. Source: known (0xFFFF is broadcast).
_PAN_LIMIT: Final = 0xFFFF


class InstallationError(EmulatorError):
    """The installation cannot be emulated as it is."""


@quick
@dataclass(frozen=True, slots=True)
class Plan:
    """What to build.

    Attributes:
        installation: The home.
        seed: Seed of every octet of chance.
        start: First moment of the world.
        faults: Faults as ordered, ``NAME[:key=value,...]@LINK``.
        defects: Names of device defects.
        overlays: Folders whose profile values win, weakest first.
        keystore: Keys to use where their private part is there; the others are made.
        metadata_mode: Where SMETS1 hubs find the metadata of images.
        elsewhere: Devices of the home that are not in its world; an outlet leads to them.
        on_after_ms: From the first moment of the world to its first box switched on.
        pki: Makes the keys that are not given, for several homes; None: one of this home alone.
    """

    installation: Installation
    seed: int
    start: UtcMs
    faults: Sequence[str] = ()
    defects: Sequence[str] = ()
    overlays: tuple[Path, ...] = ()
    keystore: KeyStore | None = None
    metadata_mode: MetadataMode = MetadataMode.TACTICAL
    elsewhere: frozenset[Eui64] = frozenset()
    on_after_ms: int = 0
    pki: TestPki | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Emulation:
    """A world, and what those outside may know of it.

    Attributes:
        world: The world, started and not moved.
        roles: Device type -> EUI-64 of the first device of it.
        parties: The remote parties.
        keys: All keys, by owner.
        profiles: Device -> its model.
    """

    world: World
    roles: Mapping[DeviceType, Eui64]
    parties: Parties
    keys: KeyRoom = field(repr=False)
    profiles: Mapping[Eui64, DeviceProfile] = field(repr=False)


def build(plan: Plan, outlet: Outlet | None = None) -> Emulation:
    """Build a world; its devices are joined, and nothing has happened yet.

    Args:
        plan: What to build.
        outlet: What carries frames to the devices that are elsewhere.

    Raises:
        DataError: A profile is missing, wrong, or of another device type.
        InstallationError: A device that is not emulated, or a hub whose device log is too small.
        FaultError: A fault means nothing.
        ValueError: No such device defect, or no device that could have it.
    """
    check_profiles(plan.installation, plan.overlays)
    chance = Chance(plan.seed)
    ordered = [fault_orders.parse(text) for text in plan.faults]
    faults = fault_orders.in_home(ordered, plan.installation.ref)
    schedule = FaultSchedule(faults, chance)
    workshop = _Workshop(plan, chance)
    boxes = [box for box in workshop.boxes() if box.eui64 not in plan.elsewhere]
    world = World(boxes, schedule, chance, plan.start, outlet=outlet)
    world.start()
    return Emulation(world, workshop.roles, workshop.parties, workshop.keys, workshop.profiles)


class _Workshop:
    """Makes the boxes of one installation."""

    def __init__(self, plan: Plan, chance: Chance) -> None:
        self.parties = parties_of(plan.installation)
        self._devices = _emulated(plan.installation)
        self._euis = {device.role: Eui64.parse(device.eui64) for device in reversed(self._devices)}
        self._chf = self._euis[DeviceType.CHF]
        self._gpf = self._euis.get(DeviceType.GPF) or _unlisted_gpf(self._chf)
        self.roles = {**self._euis, DeviceType.GPF: self._gpf}
        self.profiles = {
            Eui64.parse(device.eui64): load_profile(device.profile, plan.overlays)
            for device in self._devices
        }
        self._classes = _with_defects(plan.defects)
        self._cpl = load_cpl(plan.overlays)
        self.keys = KeyRoom(plan.keystore, chance, plan.start, plan.pki)
        self.keys.add_parties(self.parties)
        self.keys.add_devices(dict.fromkeys([*self.profiles, self._gpf]))
        self._network = self._who_is_who()
        self._book = self._addresses(chance)

    def boxes(self) -> list[Box]:
        """Return the boxes, hub first."""
        others = [
            device
            for device in self._devices
            if device.role not in {DeviceType.CHF, DeviceType.GPF}
        ]
        return [self._hub(others), *(self._box(device) for device in others)]

    def _who_is_who(self) -> Network:
        suppliers = {
            Eui64.parse(device.eui64): Eui64.parse(device.supplier) for device in self._devices
        }
        suppliers.setdefault(self._gpf, suppliers[self._chf])
        meters = (DeviceType.ESME, DeviceType.GSME)
        operators = {
            Eui64.parse(device.eui64): self.parties.network_operator
            for device in self._devices
            if device.role in meters
        }
        return Network(
            chf=self._chf,
            gpf=self._gpf,
            acb=self.parties.acb,
            wan_provider=self.parties.wan_provider,
            suppliers=suppliers,
            network_operators=operators,
            transitional_cos=self.parties.transitional_cos,
            recovery=self.parties.recovery,
        )

    def _addresses(self, chance: Chance) -> AddressBook:
        draw = chance.stream("han/addresses")
        pan_id = draw.below(_PAN_LIMIT)
        radio = self.profiles[self._chf].radio
        places = [
            Place(self._chf, _HUB_SHORT, radio.endpoint),
            Place(self._gpf, _HUB_SHORT, radio.gpf_endpoint or 0),
        ]
        taken = {_HUB_SHORT}
        for eui64, profile in self.profiles.items():
            if eui64 in {self._chf, self._gpf}:
                continue
            short = _HUB_SHORT
            while short in taken:
                short = draw.below(_SHORT_LIMIT)
            taken.add(short)
            places.append(Place(eui64, short, profile.radio.endpoint))
        return AddressBook(pan_id, places)

    def _hub(self, others: Sequence[InstalledDevice]) -> Box:
        profile = self.profiles[self._chf]
        keys = self.keys.ring_store(self._chf, self._gpf)
        device = self._make(DeviceType.CHF, self._chf, keys)
        if not isinstance(device, Chf):
            raise InstallationError("the hub's class is no CHF")
        joined = {Eui64.parse(other.eui64): other.role for other in others}
        log_entries = profile.hub.device_log_entries if profile.hub else 0
        if len(joined) > log_entries:
            raise InstallationError(
                f"{len(joined)} devices stand behind {self._chf}, whose device log ({profile.name},"
                f" hub.device_log_entries) holds {log_entries}"
            )
        device.commission(joined)
        lines = [self._line(other) for other in others]
        node = RadioNode(_HUB_SHORT, self._book, profile.radio.max_apdu_bytes)
        return Box("chf", (self._chf, self._gpf), device, node, TunnelServer(lines))

    def _line(self, other: InstalledDevice) -> Line:
        eui64 = Eui64.parse(other.eui64)
        radio = self.profiles[eui64].radio
        return Line(eui64, _polls(other.role, self.profiles[eui64]), radio.tunnel_max_bytes)

    def _box(self, installed: InstalledDevice) -> Box:
        eui64 = Eui64.parse(installed.eui64)
        profile = self.profiles[eui64]
        device = self._make(installed.role, eui64, self.keys.ring_store(eui64))
        place = self._book.find(eui64)
        if place is None:
            raise InstallationError(f"{eui64} has no address on the HAN")
        tunnel = TunnelClient(
            self._chf,
            polls=_polls(installed.role, profile),
            sleepy=profile.radio.sleepy,
            max_message_bytes=profile.radio.tunnel_max_bytes,
        )
        node = RadioNode(place.short, self._book, profile.radio.max_apdu_bytes)
        role = installed.role.value.lower()
        return Box(role, (eui64,), device, node, tunnel, sleepy=profile.radio.sleepy)

    def _make(self, role: DeviceType, eui64: Eui64, keys: KeyStore) -> Device:
        profile = self.profiles[eui64]
        device = self._classes[role](eui64, profile, KeyRing(keys), self._network)
        if isinstance(device, Ppmid):
            device.know_meters(self._euis.get(DeviceType.ESME), self._euis.get(DeviceType.GSME))
        if isinstance(device, FirmwareDevice):
            for version, stones in self._pathways(profile).items():
                device.know_pathway(version, stones)
        return device

    def _pathways(self, profile: DeviceProfile) -> Mapping[bytes, frozenset[bytes]]:
        """Return each listed version of a model with the versions it may be installed over.

        A maker knows its own order of versions; here it is read off the Central Products List
        (MP231 puts it there), which is the only place that says it.
        """
        identity = profile.identity
        resolved = self._cpl.resolve(
            manufacturer=identity.manufacturer_hex,
            model=identity.model_hex,
            device_type=profile.device_type,
            firmware_version=identity.firmware_version,
            smets=identity.smets,
        )
        listed = [] if resolved.entry is None else self._cpl.versions_of(resolved.entry)
        return {
            entry.version_octets: frozenset(
                self._cpl.entry(before).version_octets for before in entry.upgrade_from
            )
            for entry in listed
            if entry.upgrade_from
        }


def _emulated(installation: Installation) -> tuple[InstalledDevice, ...]:
    for device in installation.devices:
        if device.role is not DeviceType.GPF and device.role not in CLASSES:
            raise InstallationError(
                f"{installation.ref}: no {device.role} is emulated ({device.eui64}); emulated are:"
                f" {', '.join(CLASSES)}, GPF"
            )
    return installation.devices


def _unlisted_gpf(chf: Eui64) -> Eui64:
    """Return an EUI-64 for the GPF of a hub whose installation names none (no gas there).

    Source:
        invented: the CHF's with the highest bit of its last octet flipped.
    """
    return Eui64(chf.octets[:-1] + bytes([chf.octets[-1] ^ 0x80]))


def _polls(role: DeviceType, profile: DeviceProfile) -> bool:
    """Say whether a device fetches its messages: a GSME (GBCS), and whatever sleeps."""
    return role is DeviceType.GSME or profile.radio.sleepy


def _with_defects(names: Iterable[str]) -> dict[DeviceType, type[Device]]:
    classes = dict(CLASSES)
    for name in names:
        defect = saboteurs.DEFECTS.get(name)
        if defect is None:
            known = ", ".join(sorted(saboteurs.DEFECTS))
            raise InstallationError(f"no device defect {name!r}; there are: {known}")
        classes[defect.device_type] = saboteurs.apply(classes[defect.device_type], name)
    return classes
