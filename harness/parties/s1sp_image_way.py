"""The way of an image from an S1SP to a hub, and what the hub tells of it afterwards.

Stand-in: hub first, then the target, is S003 §3; tickets, metadata channel and distribution log
are ours.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from device_profiles.dmves import Support
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket, MetadataRecord, Stage
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.parties.s1sp import S1sp
from harness.parties.s1sp_desk_faults import GATE, DeskError, DeskFault
from harness.parties.s1sp_gate import GateRefusal
from harness.parties.s1sp_image import OfferedImage
from harness.parties.s1sp_image_settings import ImageSettings
from harness.parties.s1sp_reach import Reach
from harness.ports import Clock
from harness.smets1.arguments import Arguments, Image
from harness.smets1.steps import Account, Done

#: Names of the steps in the table of equivalent steps.
UPDATE: Final = "11.1"
METADATA: Final = "11.1-metadata"
LOG: Final = "image-log"
_LOG_OBJECT: Final = (hub_image.LOG_OBIS, 2)
#: Stages after which a transfer is over.
CARRIED: Final = frozenset({Stage.DONE, Stage.ABORTED, Stage.DISCARDED, Stage.VERIFY_FAILED})
#: Stages after which an activation is over.
STARTED: Final = frozenset({Stage.ACTIVATED, Stage.ACTIVATION_FAILED})


@dataclass(slots=True)
class ImageWay:
    """Hands images to hubs, and waits for what becomes of them.

    Attributes:
        s1sp: Whose head end it is.
        reach: The way to devices.
        clock: The bench's time.
        settings: How patient it is.
    """

    s1sp: S1sp
    reach: Reach
    clock: Clock
    settings: ImageSettings

    async def hand_over(self, hub: Eui64, image: OfferedImage, metadata: bytes) -> Account:
        """Hand an image to a hub, metadata first where it takes them beside the image.

        Args:
            hub: The hub.
            image: The image.
            metadata: What the S1SP made for it; no octets: nothing goes beside the image.

        Raises:
            DeskError: The hub takes no images, is silent, or the gate lets it not pass.
        """
        ticket = image.ticket
        if metadata:
            record = hub_image.encode_metadata(MetadataRecord(ticket, metadata))
            account = await self.carry(hub, METADATA, Arguments(metadata=record))
            if account.done is not Done.DONE:
                return account
        block_bytes = self.reach.block_bytes(hub)
        if not block_bytes:
            raise DeskError(DeskFault.IMAGE_NOT_SUPPORTED, f"hub {hub} takes no images")
        named = Image(hub_image.encode_ticket(ticket), image.octets, block_bytes)
        return await self.carry(hub, UPDATE, Arguments(image=named))

    async def outcome(
        self, hub: Eui64, ticket: ImageTicket, wanted: Collection[Stage], patience_s: int
    ) -> DistributionRow | None:
        """Wait until a hub's log tells the outcome of an image; None: it never did.

        A hub that is not reached is asked again: only patience ends the waiting.

        Raises:
            DeskError: The hub keeps no such log, or the gate lets the reading not pass.
        """
        until = UtcMs(self.clock.now() + 1000 * patience_s)
        pause = 1000 * self.settings.first_look_s
        while True:
            row = await self.look(hub, ticket)
            if row is not None and row.stage in wanted:
                return row
            if self.clock.now() >= until:
                return None
            await self.clock.sleep_until(UtcMs(min(self.clock.now() + pause, until)))
            pause = min(2 * pause, 1000 * self.settings.longest_look_s)

    async def look(self, hub: Eui64, ticket: ImageTicket) -> DistributionRow | None:
        """Return the last row of a hub's log about an image; None: none, or it did not answer.

        Raises:
            DeskError: The hub keeps no such log, or the gate lets the reading not pass.
        """
        account = await self.carry(hub, LOG, Arguments(), patient=True)
        data = account.value(*_LOG_OBJECT)
        if data is None:
            return None
        try:
            rows = hub_image.decode_log(data)
        except MalformedFrameError:
            return None
        return next((row for row in reversed(rows) if row.ticket.names_same(ticket)), None)

    async def carry(
        self, device: Eui64, service: str, given: Arguments, *, patient: bool = False
    ) -> Account:
        """Carry steps out at a device, or at its hub where it has no credentials.

        Args:
            device: The device.
            service: Name of the steps.
            given: What they need.
            patient: Whether silence is an answer like any other.

        Raises:
            DeskError: There is no way, the device is silent, or the gate lets it not pass.
        """
        errand = self.reach.errand(device, service, given)
        if errand is None:
            raise DeskError(DeskFault.UNKNOWN_DEVICE, f"there is no way to {device}")
        if errand.equivalent.support is Support.NOT_SUPPORTED:
            raise DeskError(DeskFault.IMAGE_NOT_SUPPORTED, errand.equivalent.says)
        account = await self.s1sp.carry_out(errand)
        if isinstance(account, GateRefusal):
            raise DeskError(GATE[account], f"the gate let {service} not pass")
        if is_silent(account) and not patient:
            raise DeskError(DeskFault.SILENT, f"{service} at {device}: {account.says}")
        return account


def is_silent(account: Account) -> bool:
    """Say whether a device did not answer, or let nobody in."""
    last = account.taken[-1].result if account.taken else ""
    return account.done is Done.SILENT or last.startswith("no association")
