"""An SMSO's head end brings images to devices of a home that is still its own, in a row."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import hub_image
from harness.migration.smso_images import SmsoImages
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
from harness.smets1.steps import Done

_WORDS: Final = {
    hub_image.Stage.ABORTED: TRANSFER_FAILED,
    hub_image.Stage.DISCARDED: DISCARDED,
    hub_image.Stage.VERIFY_FAILED: VERIFY_FAILED,
}


@dataclass(frozen=True, slots=True)
class SmsoTrial(Trial):
    """Brings images to one device of a home over the SMSO's own network, with its own keys."""

    @property
    def images(self) -> SmsoImages:
        """The SMSO's head end."""
        return SmsoImages(self.market.office, self.market.sites[self.home])

    async def version(self) -> str:
        """Return the version that the device itself tells; empty where it is not reached."""
        return await self.images.version(self.role, self.device)

    async def bring(self, file: ImageFile) -> Attempt:
        """Bring an image to the device by its hub, have it started, and look at the device."""
        brought = await self.images.bring(self.role, self.device, file.file_version, file.octets)
        row, before, after = brought.row, brought.before, brought.after
        text = "" if row is None else told_row(row)
        word = NOTHING_TOLD if row is None else _WORDS.get(row.stage, "")
        if word or brought.started is None:
            return Attempt(word or NOTHING_TOLD, text, "CHF", (), text, before, after)
        claimed = brought.started is Done.DONE
        runs = after in self.shown(file.file_version)
        told = (f"{self.role.value} takes the order: {brought.started}",)
        word = ACTIVATED if claimed and runs else ACT_FAILED
        return Attempt(word, "", "", told, text, before, after, claimed, runs)
