"""What devices show once their home has migrated: their S1SP asks, and papers are compared.

Every fact comes out of octets of the device, read over the S1SP's network with its keys.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType, PaymentMode
from emulator.core.errors import MalformedFrameError
from emulator.core.labels import serial_of
from harness.dlms.clock import clock_of
from harness.dust.chronicle import DEVICE, Chronicle
from harness.dust.definition import Definition
from harness.dust.definition_words import Shown
from harness.dust.events import Level, Phase
from harness.migration.course import Course
from harness.migration.custody import S1SP
from harness.migration.observing import INTERROGATE, SET_MODE, Observer, Seen, eui64_of
from harness.migration.site import Site

#: A device's clock is right within so many seconds. Source: invented.
CLOCK_S: Final = 60
#: Where a device says its serial number and its time. Source: stand-in (serial-dlms.md).
_SERIAL_OBIS: Final = "0-0:96.1.0.255"
_CLOCK_OBIS: Final = "0-0:1.0.0.255"
#: Devices that a hub's log lists.
_LISTED: Final = (DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID)
_NOTHING: Final = "nothing that can be read"
_ITS_OWN: Final = "the S1SP alone"

#: Expected and found, in words; they are equal where all is right.
Compared = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DeviceLooks:
    """Looks at the devices that cases ask about.

    Attributes:
        course: The parties, and where the homes stand.
        chronicle: Where it is told.
        wanted: Ref -> what is looked at, device by device.
    """

    course: Course = field(repr=False)
    chronicle: Chronicle = field(repr=False)
    wanted: Mapping[str, Sequence[tuple[DeviceType, Shown]]]

    async def look(self, ref: str) -> None:
        """Look at the devices of a home that has migrated."""
        sessions, site = self.course.office.s1sp.sessions, self.course.sites[ref]
        sessions.begin()
        for device_type, shows in self.wanted[ref]:
            if site.device(device_type) is not None:
                expected, found = await self._compared(site, device_type, shows)
                self._tell(site, device_type, shows, expected, found)
        await sessions.end()

    async def _compared(self, site: Site, device_type: DeviceType, shows: Shown) -> Compared:
        ways: dict[Shown, Callable[[Site, DeviceType], Awaitable[Compared]]] = {
            Shown.SERIAL: self._serial,
            Shown.EUI64: self._eui64,
            Shown.CLOCK: self._clock,
            Shown.PAYMENT_MODE: self._payment_mode,
            Shown.DEVICES: self._devices,
            Shown.FIRMWARE: self._firmware,
            Shown.KEYS: self._keys,
        }
        return await ways[shows](site, device_type)

    async def _serial(self, site: Site, device_type: DeviceType) -> Compared:
        value = (await self._read(site, device_type)).at(_SERIAL_OBIS)
        octets = None if value is None else value.value
        found = octets.decode("ascii", "replace") if isinstance(octets, bytes) else _NOTHING
        return serial_of(site.eui64(device_type)), found

    async def _eui64(self, site: Site, device_type: DeviceType) -> Compared:
        found = eui64_of(await self._read(site, device_type))
        return str(site.eui64(device_type)), _NOTHING if found is None else str(found)

    async def _clock(self, site: Site, device_type: DeviceType) -> Compared:
        value = (await self._read(site, device_type)).at(_CLOCK_OBIS)
        try:
            shown = None if value is None else clock_of(value).at
        except MalformedFrameError:
            shown = None
        right = f"within {CLOCK_S} s"
        if shown is None:
            return right, _NOTHING
        off_s = (shown - self.course.office.clock.now()) / 1000
        return right, right if abs(off_s) <= CLOCK_S else f"{off_s:+.0f} s"

    async def _payment_mode(self, site: Site, device_type: DeviceType) -> Compared:
        observer, known = Observer(self.course.office, site), site.device(device_type)
        seen = await observer.read(device_type, INTERROGATE, SET_MODE)
        mode = None if known is None else known.payment_mode
        found = observer.payment_mode(device_type, seen)
        return str(mode or PaymentMode.CREDIT), found or _NOTHING

    async def _devices(self, site: Site, _hub: DeviceType) -> Compared:
        named = {one.eui64: one.role for one in site.installation.devices if one.role in _LISTED}
        _seen, log = await Observer(self.course.office, site).hub()
        if log is None:
            return _said(named), _NOTHING
        return _said(named), _said({str(one.eui64): one.device_type for one in log})

    async def _firmware(self, site: Site, device_type: DeviceType) -> Compared:
        observer, office = Observer(self.course.office, site), self.course.office
        profile = load_profile(site.model(device_type), office.overlays)
        if device_type is not DeviceType.PPMID:
            known = site.device(device_type)
            named = None if known is None else office.lists.cpl.entries.get(known.cpl_entry or "")
            declared = (profile.identity if named is None else named).firmware_version.upper()
            return declared, await observer.firmware(device_type) or _NOTHING
        told = profile.firmware.version_codec.held_text(profile.identity.version_octets)
        _seen, log = await observer.hub()
        rows = [row for row in log or () if row.eui64 == site.eui64(device_type)]
        found = rows[0].firmware.decode("ascii", "replace") if rows else ""
        return told, found or _NOTHING

    async def _keys(self, site: Site, device_type: DeviceType) -> Compared:
        custody = Observer(self.course.office, site).custody
        door, own = custody.door(device_type, S1SP), custody.s1sp(device_type)
        smso = custody.conveyed(device_type) or site.credentials(device_type)
        tried = (
            ("the S1SP", own, True),
            ("the SMSO", smso, False),
            ("a wrong proof", replace(own, lies=True), False),
        )
        let_in = [
            name for name, who, due in tried if await door.opens_to(who, expected=due) is True
        ]
        return _ITS_OWN, _ITS_OWN if let_in == ["the S1SP"] else ", ".join(let_in) or "nobody"

    async def _read(self, site: Site, device_type: DeviceType) -> Seen:
        return await Observer(self.course.office, site).read(device_type, INTERROGATE)

    def _tell(
        self, site: Site, device_type: DeviceType, shows: Shown, expected: str, found: str
    ) -> None:
        right = expected == found
        said = f"as the papers say: {found}" if right else f"{found}, the papers say {expected}"
        self.chronicle.tell(
            DEVICE,
            f"{device_type} of {site.ref} shows its {shows} {said}",
            level=Level.INFO if right else Level.WARNING,
            phase=Phase.AFTER,
            party=S1SP,
            ref=site.ref,
            device=str(site.eui64(device_type)),
            told={
                "type": device_type.value,
                "shows": shows.value,
                "expected": expected,
                "found": found,
                "right": right,
            },
        )


def wanted_of(definition: Definition) -> dict[str, tuple[tuple[DeviceType, Shown], ...]]:
    """Return what cases look at: ref -> devices, each once, in the order of the cases."""
    found: dict[str, dict[tuple[DeviceType, Shown], None]] = {}
    for case in definition.cases:
        for one in case.expect:
            if one.device is None or one.shows is None:
                continue
            for ref in definition.refs_of(case):
                found.setdefault(ref, {})[one.device, one.shows] = None
    return {ref: tuple(looks) for ref, looks in found.items()}


def _said(devices: Mapping[str, str]) -> str:
    """Return devices by type and identifier, in one order."""
    return ", ".join(f"{role} {eui64}" for eui64, role in sorted(devices.items())) or "none"
