"""Firmware after migration: a real image through the S1SP's desk, its hash, third-party PPMIDs."""

from typing import Any

import pytest

from device_profiles.cpl import Cpl
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from emulator.codecs import ota_file
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.clock import UtcMs
from firmware_images.image import Signing, Target, build
from firmware_images.recipe import made_up_scalar
from firmware_images.version import FirmwareVersion
from harness.formats.duis.bodies import ActivateFirmware, ReadFirmwareVersion, UpdateFirmware
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_response import DeviceAlert, Result, Smets1Response
from harness.migration.course import Course
from harness.parties.s1sp_desk_faults import DeskFault
from harness.parties.s1sp_desk_records import CRITICAL_SUPPLIER
from harness.rules.migration_certificates import NULL_CERTIFICATE_ID
from tests.harness.migration.after_kit import asked, device, home, played, world_of

SECURE = home("DA", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY)
ESME, PPMID = device(SECURE, DeviceType.ESME), device(SECURE, DeviceType.PPMID)
VERSION = "10000002"


def image_of(kind: DeviceType) -> tuple[bytes, bytes]:
    """An image of the next version for a device of the home, and its hash."""
    profile = load_profile(SECURE.of(kind)[0].profile)
    target, version = Target.of(profile), FirmwareVersion.from_number(int(VERSION, 16))
    signing = Signing(made_up_scalar()) if kind is DeviceType.ESME else None
    image = build(target, version, bytes(range(256)) * 2, signing=signing)
    return ota_file.encode(image), ota_file.manufacturer_image_hash(image)


def listed(course: Course, kind: DeviceType, image_hash: bytes) -> None:
    """Have the Central Products List hold the next version of a model."""
    dsp = world_of(course).dsp
    old = next(
        one
        for one in dsp.cpl.entries.values()
        if one.device_type is kind and one.smets == "SMETS1" and one.firmware_version == "10000001"
    )
    change = {
        "cpl_entry_id": f"NEXT-{kind}",
        "firmware_version": VERSION,
        "manufacturer_image_hash": image_hash.hex(),
        "upgrade_from": (),
    }
    dsp.cpl = Cpl([*dsp.cpl.entries.values(), old.model_copy(update=change)], checked=True)


async def updated(course: Course, image: bytes, at: Any) -> tuple[str, Any]:
    """Ask for 11.1; returns the DSP's code and what the S1SP told last."""
    world = world_of(course)
    (user,) = world.suppliers.values()
    before = len(user.answered)
    sent = await world.ask(user, UpdateFirmware(image, VERSION, (at,)))
    told = user.answered[before:]
    return sent.code, told[-1].value if told else None


def test_an_image_goes_through_the_desk_and_only_its_own_hash_starts_it() -> None:
    image, its_hash = image_of(DeviceType.ESME)

    async def story(course: Course, bench: Any) -> None:
        world = world_of(course)
        listed(course, DeviceType.ESME, its_hash)
        early = await asked(course, ActivateFirmware(its_hash), ESME)
        assert not early.success
        assert early.value.body.statuses[0].error == "noImageHeld"

        sent = len(course.office.post.between("S1SP", str(ESME)))
        code, told = await updated(course, image, ESME)
        assert code == "I99"
        assert isinstance(told, Smets1Response)
        assert isinstance(told.body, DeviceAlert)
        assert told.body.code == AlertCode.FIRMWARE_VERIFIED
        assert len(course.office.post.between("S1SP", str(ESME))) == sent + 1
        assert world.desk.records[ESME].image_hash == its_hash.hex()
        assert ESME not in world.dsp.transfers

        wrong = await asked(course, ActivateFirmware(bytes(32)), ESME)
        assert not wrong.success
        assert wrong.value.body.statuses[0].error == "hashMismatch"
        later = ActivateFirmware(its_hash, UtcMs(bench.clock.now() + 7_200_000))
        assert (await asked(course, later, ESME)).value.code == DeskFault.FUTURE_DATED
        assert await version(course) == "10000001"

        assert (await asked(course, ActivateFirmware(its_hash), ESME)).success
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + 120_000))
        assert await version(course) == VERSION
        record = world.dsp.inventory.find(ESME)
        assert record is not None
        assert record.firmware_version == VERSION

    played(SECURE, story)


async def version(course: Course) -> str:
    answer = await asked(course, ReadFirmwareVersion(), ESME)
    assert isinstance(answer.value.body, Result)
    return next(one.text for one in answer.value.body.values if one.name == "FirmwareVersion")


@pytest.mark.soak
def test_a_supplier_whose_certificate_is_not_notified_updates_nothing() -> None:
    image, its_hash = image_of(DeviceType.ESME)

    async def story(course: Course, bench: Any) -> None:
        _ = bench
        world = world_of(course)
        listed(course, DeviceType.ESME, its_hash)
        world.desk.records[ESME].notified[CRITICAL_SUPPLIER] = NULL_CERTIFICATE_ID
        sent = len(course.office.post.between("S1SP", str(ESME)))
        code, told = await updated(course, image, ESME)
        assert code == "I99"
        assert isinstance(told, S1spAlert)
        assert (told.code, told.device) == (DeskFault.NULL_CERTIFICATE, ESME)
        assert len(course.office.post.between("S1SP", str(ESME))) == sent
        assert ESME not in world.dsp.transfers  # it may be asked for again

    played(SECURE, story)


def test_a_third_party_ppmid_added_back_on_secure_is_neither_updated_nor_read() -> None:
    image, its_hash = image_of(DeviceType.PPMID)

    async def story(course: Course, bench: Any) -> None:
        world = world_of(course)
        (user,) = world.suppliers.values()
        listed(course, DeviceType.PPMID, its_hash)
        added = await world.add_ppmid(user, SECURE.of(DeviceType.PPMID)[0], ESME)
        assert [one.code for one in added] == ["I99", "I99", "I99"]
        bench.take_frames()
        code, told = await updated(course, signed(image), PPMID)
        assert code == "I99"
        assert isinstance(told, Smets1Response)
        assert isinstance(told.body, DeviceAlert)
        assert told.body.code == AlertCode.FIRMWARE_VERIFICATION_FAILED
        assert "make" in told.body.description
        read = await asked(course, ReadFirmwareVersion(), PPMID)
        assert not read.success
        assert "make" in read.value.body.statuses[0].error
        assert not [one for one in bench.take_frames() if one.link == "wan-in"]  # no octet went out
        assert PPMID not in world.dsp.transfers

    played(SECURE, story)


def signed(image: bytes) -> bytes:
    """The same image as 11.1 carries it."""
    profile = load_profile(SECURE.of(DeviceType.PPMID)[0].profile)
    version = FirmwareVersion.from_number(int(VERSION, 16))
    _ = image
    made = build(
        Target.of(load_profile(SECURE.of(DeviceType.ESME)[0].profile)),
        version,
        ota_file.decode(image, profile.firmware.image_kind).manufacturer_image,
        signing=Signing(made_up_scalar()),
    )
    return ota_file.encode(made)
