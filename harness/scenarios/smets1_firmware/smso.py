"""An SMSO's head end brings images to devices of a home that is still its own."""

from dataclasses import dataclass
from typing import Final

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket
from emulator.core.clock import UtcMs
from harness.parties import s1sp_desk_answers as answers
from harness.parties.s1sp_image_way import CARRIED
from harness.parties.smso import NAME as SMSO
from harness.scenarios.smets1_firmware.attempt import (
    ACT_FAILED,
    ACTIVATED,
    DISCARDED,
    NOTHING_TOLD,
    TRANSFER_FAILED,
    VERIFY_FAILED,
    Attempt,
    ImageFile,
    Trial,
    told_row,
)
from harness.smets1.arguments import Arguments, Image
from harness.smets1.steps import Account, Done, HeadEnd

_MS: Final = 1000
#: How long an SMSO waits between two looks, and for an image. Source: invented.
_FIRST_LOOK_S: Final = 30
_LONGEST_LOOK_S: Final = 7_200
_PATIENCE_S: Final = 3 * 86_400
_WORDS: Final = {
    hub_image.Stage.ABORTED: TRANSFER_FAILED,
    hub_image.Stage.DISCARDED: DISCARDED,
    hub_image.Stage.VERIFY_FAILED: VERIFY_FAILED,
}


@dataclass(frozen=True, slots=True)
class SmsoTrial(Trial):
    """Brings images to one device of a home over the SMSO's own network, with its own keys."""

    async def carry(self, role: DeviceType, service: str, given: Arguments) -> Account:
        """Take the equivalent steps of a service at a device, or at its hub for a display."""
        site = self.market.sites[self.home]
        at = DeviceType.CHF if role is DeviceType.PPMID else role
        credentials = site.credentials(at)
        head_end = HeadEnd(site.port(at, SMSO), self.market.office.clock, lambda _c: credentials)
        equivalent = self.market.office.equivalent(site.model(role), role, service)
        return await head_end.carry_out(equivalent, given)

    async def version(self) -> str:
        """Return the version that the device itself tells; empty where it is not reached."""
        account = await self.carry(self.role, "11.2", Arguments())
        if self.role is DeviceType.PPMID:
            found = answers.row_of(account, self.device)
            return "" if found is None else found.firmware.decode("ascii", "replace")
        values = [item.value.value for item in account.taken if item.value is not None]
        last = values[-1] if values else b""
        return last.decode("ascii", "replace") if isinstance(last, bytes) else ""

    async def bring(self, file: ImageFile) -> Attempt:
        """Bring an image to the device by its hub, have it started, and look at the device."""
        ticket = ImageTicket(self.device, int(file.file_version, 16))
        before = await self.version()
        row = await self._handed_over(ticket, file)
        text = "" if row is None else told_row(row)
        word = NOTHING_TOLD if row is None else _WORDS.get(row.stage, "")
        if word:
            after = await self.version()
            return Attempt(word, text, "CHF", (), text, before, after)
        order = Arguments(ticket=hub_image.encode_ticket(ticket))
        started = await self.carry(self.role, "11.3", order)
        claimed = started.done is Done.DONE
        after = await self._after(before) if claimed else await self.version()
        runs = after in self.shown(file.file_version)
        told = (f"{self.role.value} takes the order: {started.done}",)
        word = ACTIVATED if claimed and runs else ACT_FAILED
        return Attempt(word, "", "", told, text, before, after, claimed, runs)

    async def _handed_over(self, ticket: ImageTicket, file: ImageFile) -> DistributionRow | None:
        hub = load_profile(
            self.market.sites[self.home].model(DeviceType.CHF), self.market.opening.folders
        )
        block = hub.dlms.image.block_bytes if hub.dlms is not None and hub.dlms.image else 0
        named = Image(hub_image.encode_ticket(ticket), file.octets, block)
        account = await self.carry(DeviceType.CHF, "11.1", Arguments(image=named))
        if account.done is not Done.DONE:
            return await self._look(ticket)
        clock = self.market.office.clock
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
        rows = () if data is None else hub_image.decode_log(data)
        return next((one for one in reversed(rows) if one.ticket.names_same(ticket)), None)

    async def _after(self, before: str) -> str:
        """Return the version of the device once it has changed, or after an hour."""
        clock, pause = self.market.office.clock, _FIRST_LOOK_S * _MS
        until = clock.now() + 6 * 3_600 * _MS
        version = before
        while version in {before, ""} and clock.now() < until:
            await clock.sleep_until(UtcMs(clock.now() + pause))
            version = await self.version() or version
            pause *= 2
        return version
