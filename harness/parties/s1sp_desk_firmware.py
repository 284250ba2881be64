"""Firmware at an S1SP's desk: images to devices, and what a cohort makes of PPMIDs.

Source:
    S003 §4 (non-Secure PPMIDs on Secure: update and read fail), S003 §2 (FOC reads raw versions).
"""

from dataclasses import dataclass
from typing import Final

from device_profiles.cohort import CohortPpmid, PpmidFirmwareReading
from device_profiles.dmves import Support
from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.codecs.ota_file import ImageError
from emulator.core.errors import MalformedFrameError
from harness.formats.duis.bodies import UpdateFirmware
from harness.formats.duis.smets1_response import Node, Result, Smets1Status
from harness.parties.s1sp import S1sp
from harness.parties.s1sp_desk_records import DeskRecord
from harness.parties.s1sp_gate import GateRefusal
from harness.parties.s1sp_reach import Reach
from harness.smets1.arguments import Arguments, Image
from harness.smets1.steps import Done

_SERVICE: Final = "11.1"
_NOT_HELD: Final = ("noImageHeld", 1)
_OTHER_HASH: Final = ("hashMismatch", 2)


@dataclass(frozen=True, slots=True)
class MakeRules:
    """What a cohort makes of PPMIDs.

    Attributes:
        ppmid: The cohort's table.
    """

    ppmid: CohortPpmid

    def bars_reading(self, record: DeskRecord) -> bool:
        """Say whether the version of a device is not read: a PPMID of a maker not known here."""
        own_only = self.ppmid.read_firmware is PpmidFirmwareReading.OWN_MAKE_ONLY
        return record.device_type is DeviceType.PPMID and own_only and not record.own_make

    def bars_update(self, record: DeskRecord) -> bool:
        """Say whether a device is not updated: the same PPMIDs."""
        return self.bars_reading(record)

    def told(self, record: DeskRecord, version: str) -> str:
        """Return the version a user is told of a PPMID that tells this one."""
        transformed = self.ppmid.read_firmware is PpmidFirmwareReading.TRANSFORMED
        return (record.declared or version) if transformed and version else version


async def bring(
    s1sp: S1sp, reach: Reach, record: DeskRecord, body: UpdateFirmware, rules: MakeRules
) -> str:
    """Bring an image to a device; returns why it was not verified there, or nothing.

    Args:
        s1sp: Whose head end it is.
        reach: The way to the device.
        record: What is kept of the device; an image that was verified is noted here.
        body: The request.
        rules: What the cohort makes of PPMIDs.
    """
    if rules.bars_update(record):
        return "not of this S1SP's make"
    try:
        image = ota_file.decode(body.firmware_image, ImageKind.SUPPLIER_SIGNED)
    except (ImageError, MalformedFrameError) as error:
        return f"the image cannot be read: {error.why}"
    blocks = reach.block_bytes(record.device)
    given = Arguments(image=Image(body.firmware_version.encode(), body.firmware_image, blocks or 1))
    errand = reach.errand(record.device, _SERVICE, given)
    if errand is None or not blocks or errand.equivalent.support is Support.NOT_SUPPORTED:
        return "the device takes no image this way"
    account = await s1sp.carry_out(errand)
    if isinstance(account, GateRefusal):
        return "the gate let it not pass"
    if account.done is not Done.DONE:
        return account.says
    record.image_hash = ota_file.manufacturer_image_hash(image).hex()
    return ""


def not_held(element: str, record: DeskRecord) -> Result:
    """Return the answer to an activation whose hash is not that of the image verified last."""
    word, number = _OTHER_HASH if record.image_hash else _NOT_HELD
    status = Node("ASN1Status", word)
    code = Node("ActivateImageResponseCode", "", (status,), (("ResponseCode", str(number)),))
    return Result(element, False, (code,), (Smets1Status(number, word, 1),))
