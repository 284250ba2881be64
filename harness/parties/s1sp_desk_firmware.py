"""Firmware at an S1SP's desk: what a cohort makes of PPMIDs, and how 11.3 is answered.

Source:
    S003 §4 (non-Secure PPMIDs on Secure: update and read fail), S003 §2 (FOC reads raw versions).
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from device_profiles.cohort import CohortPpmid, PpmidFirmwareReading
from device_profiles.words import DeviceType
from emulator.codecs.gbcs.asn1 import ActivationCode
from harness.formats.duis.smets1_contents import Node, Result, Smets1Status
from harness.parties import s1sp_desk_answers as answers
from harness.parties.s1sp_desk_records import DeskRecord
from harness.smets1.steps import Account

#: What a user is told of a PPMID that the S1SP does not know.
OTHER_MAKE: Final = "not of this S1SP's make"
_ERROR_CHARS: Final = 250
_VERSION: Final = "FirmwareVersion"
_WORDS: Final = {
    ActivationCode.SUCCESS: "success",
    ActivationCode.NO_IMAGE_HELD: "noImageHeld",
    ActivationCode.HASH_MISMATCH: "hashMismatch",
    ActivationCode.ACTIVATION_FAILURE: "activationFailure",
}
_HEX_VERSION: Final = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True)
class MakeRules:
    """What a cohort makes of PPMIDs.

    Attributes:
        ppmid: The cohort's table.
    """

    ppmid: CohortPpmid

    def bars_reading(self, record: DeskRecord) -> bool:
        """Say whether the version of a device is not read: a PPMID of a maker not known here."""
        is_other = record.device_type is DeviceType.PPMID and not record.own_make
        return is_other and not self.ppmid.third_party_firmware

    def bars_update(self, record: DeskRecord) -> bool:
        """Say whether a device is not updated: the same PPMIDs."""
        return self.bars_reading(record)

    def told(self, record: DeskRecord, version: str) -> str:
        """Return the version a user is told of a device that tells this one.

        A raw cohort passes on what the device says. Elsewhere a PPMID's version is that of its
        CPL entry, and so is the version of a device that tells none of eight hex digits.
        """
        if self.ppmid.read_firmware is PpmidFirmwareReading.RAW or not version:
            return version
        is_ppmid = record.device_type is DeviceType.PPMID
        if is_ppmid or _HEX_VERSION.fullmatch(version) is None:
            return record.declared or version
        return version


def as_told(rules: MakeRules, record: DeskRecord, result: Result) -> Result:
    """Return an answer to 11.2 with the version that a user of the cohort is told."""
    values = tuple(
        replace(one, text=rules.told(record, one.text)) if one.name == _VERSION else one
        for one in result.values
    )
    return replace(result, values=values)


def ppmid_version(rules: MakeRules, record: DeskRecord, element: str, account: Account) -> Result:
    """Return the answer to 11.2 for a PPMID, from the hub's log that was read."""
    found = answers.row_of(account, record.device)
    version = "" if found is None else found.firmware.decode("ascii", "replace")
    version = rules.told(record, version)
    if not version:
        return answers.failed(element, "the hub does not know it", record.device_type)
    return Result(element, True, (Node(_VERSION, version),))


def not_held(element: str, record: DeskRecord) -> Result:
    """Return the answer to an activation whose hash is not that of the image verified last."""
    code = ActivationCode.HASH_MISMATCH if record.image_hash else ActivationCode.NO_IMAGE_HELD
    return activation(element, code)


def activation(element: str, code: ActivationCode, version: str = "", why: str = "") -> Result:
    """Return the answer to an activation.

    Args:
        element: Name of the response's element.
        code: What became of it.
        version: Version the device runs now; empty: it is not told.
        why: One sentence more about a failure.
    """
    word = _WORDS[code]
    success = code is ActivationCode.SUCCESS
    status = Node("ASN1Status", word)
    told = Node("ActivateImageResponseCode", "", (status,), (("ResponseCode", str(int(code))),))
    running = (Node(_VERSION, version),) if version else ()
    error = f"{word}: {why}" if why else word
    statuses = () if success else (Smets1Status(int(code), error[:_ERROR_CHARS], 1),)
    return Result(element, success, (told, *running), statuses)
