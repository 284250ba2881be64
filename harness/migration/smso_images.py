"""An SMSO's head end brings images to devices of a home that is still its own."""

from dataclasses import dataclass, field
from typing import Final

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket, Stage
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.migration.office import Office
from harness.migration.site import Site
from harness.parties import s1sp_desk_answers as answers
from harness.parties.s1sp_image_way import CARRIED
from harness.parties.smso import NAME as SMSO
from harness.smets1.arguments import Arguments, Image
from harness.smets1.steps import Account, Done, HeadEnd

_MS: Final = 1000
#: How long an SMSO waits between two looks, for an image, and for a start. Source: invented.
_FIRST_LOOK_S: Final = 30
_LONGEST_LOOK_S: Final = 7_200
_PATIENCE_S: Final = 3 * 86_400
_START_S: Final = 6 * 3_600


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of an image.

    Attributes:
        row: What the hub's own log says of it at the end; None: nothing.
        started: What the device answered to the order to start it; None: it was not ordered.
        before: Version that the device told before.
        after: Version that it told afterwards.
    """

    row: DistributionRow | None
    started: Done | None
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SmsoImages:
    """Reaches one home over the SMSO's own network, with its own keys.

    Attributes:
        office: What the parties share.
        site: The home.
    """

    office: Office = field(repr=False)
    site: Site = field(repr=False)

    async def carry(self, role: DeviceType, service: str, given: Arguments) -> Account:
        """Take the equivalent steps of a service at a device, or at its hub for a display."""
        at = DeviceType.CHF if role is DeviceType.PPMID else role
        credentials = self.site.credentials(at)
        head_end = HeadEnd(self.site.port(at, SMSO), self.office.clock, lambda _c: credentials)
        equivalent = self.office.equivalent(self.site.model(role), role, service)
        return await head_end.carry_out(equivalent, given)

    async def version(self, role: DeviceType, device: Eui64) -> str:
        """Return the version that a device itself tells; empty where it is not reached."""
        account = await self.carry(role, "11.2", Arguments())
        if role is DeviceType.PPMID:
            found = answers.row_of(account, device)
            return "" if found is None else found.firmware.decode("ascii", "replace")
        values = [item.value.value for item in account.taken if item.value is not None]
        last = values[-1] if values else b""
        return last.decode("ascii", "replace") if isinstance(last, bytes) else ""

    async def bring(self, role: DeviceType, device: Eui64, version: str, octets: bytes) -> Brought:
        """Bring an image to a device by its hub, have it started, and look at the device.

        Args:
            role: What the device is.
            device: The device.
            version: Version in the image's header, eight hex digits.
            octets: The image.
        """
        ticket = ImageTicket(device, int(version, 16))
        before = await self.version(role, device)
        row = await self._handed_over(ticket, octets)
        if row is None or row.stage is not Stage.DONE:
            return Brought(row, None, before, await self.version(role, device))
        order = Arguments(ticket=hub_image.encode_ticket(ticket))
        started = (await self.carry(role, "11.3", order)).done
        if started is not Done.DONE:
            return Brought(row, started, before, await self.version(role, device))
        return Brought(row, started, before, await self._after(role, device, before))

    async def _handed_over(self, ticket: ImageTicket, octets: bytes) -> DistributionRow | None:
        hub = load_profile(self.site.model(DeviceType.CHF), self.office.overlays)
        block = hub.dlms.image.block_bytes if hub.dlms is not None and hub.dlms.image else 0
        named = Image(hub_image.encode_ticket(ticket), octets, block)
        account = await self.carry(DeviceType.CHF, "11.1", Arguments(image=named))
        if account.done is not Done.DONE:
            return await self._look(ticket)
        clock = self.office.clock
        until, pause = clock.now() + _PATIENCE_S * _MS, _FIRST_LOOK_S * _MS
        while clock.now() < until:
            row = await self._look(ticket)
            if row is not None and row.stage in CARRIED:
                return row
            await clock.sleep_until(UtcMs(clock.now() + pause))
            pause = min(2 * pause, _LONGEST_LOOK_S * _MS)
        return None

    async def _look(self, ticket: ImageTicket) -> DistributionRow | None:
        account = await self.carry(DeviceType.CHF, "image-log", Arguments())
        data = account.value(hub_image.LOG_OBIS, 2)
        try:
            rows = () if data is None else hub_image.decode_log(data)
        except MalformedFrameError:
            return None
        return next((one for one in reversed(rows) if one.ticket.names_same(ticket)), None)

    async def _after(self, role: DeviceType, device: Eui64, before: str) -> str:
        """Return the version of a device once it has changed, or after some hours."""
        clock, pause = self.office.clock, _FIRST_LOOK_S * _MS
        until = clock.now() + _START_S * _MS
        version = before
        while version in {before, ""} and clock.now() < until:
            await clock.sleep_until(UtcMs(clock.now() + pause))
            version = await self.version(role, device) or version
            pause *= 2
        return version
