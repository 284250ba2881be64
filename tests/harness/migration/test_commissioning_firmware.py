"""Firmware after migration: images over octets to an emulated hub and on to the device."""

from dataclasses import replace
from typing import Any

import pytest

from device_profiles.cpl import Cpl, load_cpl
from device_profiles.dmc import DmcList, load_dmcs
from device_profiles.epcl import Epcl, load_epcl
from device_profiles.installation import Installation
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker
from device_profiles.words import DeviceType, InstallationClass, SmetsVersion, SupplyShape
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.ota_file import OtaImage
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from firmware_images.image import Signing, Target, build
from firmware_images.version import FirmwareVersion
from harness.formats.duis.alerts import FirmwareVersionMismatch
from harness.formats.duis.bodies import ActivateFirmware, ReadFirmwareVersion, UpdateFirmware
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_contents import DeviceAlert, Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.migration.course import Course
from harness.parties.s1sp_desk_faults import DeskFault
from harness.parties.s1sp_desk_records import CRITICAL_SUPPLIER
from harness.rules.eligibility import Lists
from harness.rules.migration_certificates import NULL_CERTIFICATE_ID
from tests.harness.migration.after_kit import World, asked, device, home, played, world_of
from tests.harness.parties.s1sp_image_world import wrong

VERSION, OLD = "10000002", "10000001"
CONTENT = bytes(range(256)) * 2
#: Displays of the shipped lists that a bilingual one stands in for; a row each.
ORDINARY = {(), ("SYN-DEMO-S1-PPMID-10000001",)}
HUB, OTHER_HUB = "demo-s1-chf-ioc", "demo-s1-chf-mds"
ESME, GSME, PPMID, CHF = DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID, DeviceType.CHF


SECURE = home("DA", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY)
HOME = home("IOC", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY)
DUAL = home("IOC", InstallationClass.ACTIVE, SupplyShape.DUAL_FUEL)


IOC = World()
BARE = World(MetadataMode.ENDURING)


def model(of: Installation, kind: DeviceType) -> str:
    return of.of(kind)[0].profile


def scalar(course: Course) -> int:
    """The signing key of the only supplier."""
    (party,) = world_of(course).suppliers
    entry = course.office.keys.store.find(party, KeyUsage.DS)
    assert entry is not None
    assert entry.private_scalar is not None
    return entry.private_scalar


def image_of(
    course: Course, of: Installation, kind: DeviceType, layout: str | None = "", size: int = 512
) -> OtaImage:
    """An image of the next version; with the metadata of its hub, of another one, or bare."""
    profile = load_profile(model(of, kind))
    target, version = Target.of(profile), FirmwareVersion.from_number(int(VERSION, 16))
    content = (CONTENT * (size // len(CONTENT) + 1))[:size]
    signing = Signing(scalar(course))
    made = build(target, version, content, signing=signing)
    if layout is None:
        return made
    maker = HubMaker.of(load_profile(layout or model(of, CHF)))
    if maker.layout.is_none:
        return made
    codec = codec_of(maker)
    metadata = codec.build(made.header, content, MetadataTarget.of(profile))
    return build(target, version, codec.join(metadata, content), signing=signing)


def listed(course: Course, of: Installation, kind: DeviceType, image: OtaImage) -> None:
    """Have the Central Products List hold the next version of a model."""
    dsp = world_of(course).dsp
    identity = load_profile(model(of, kind)).identity
    found = dsp.cpl.resolve(
        manufacturer=identity.manufacturer_hex,
        model=identity.model_hex,
        device_type=kind,
        firmware_version=OLD,
    )
    assert found.entry is not None
    change = {
        "cpl_entry_id": f"NEXT-{kind}",
        "firmware_version": VERSION,
        "manufacturer_image_hash": ota_file.manufacturer_image_hash(image).hex(),
        "upgrade_from": (),
    }
    rows = [one for one in dsp.cpl.entries.values() if one.cpl_entry_id != f"NEXT-{kind}"]
    dsp.cpl = Cpl([*rows, found.entry.model_copy(update=change)], checked=True)


async def updated(
    course: Course, image: OtaImage, at: Eui64, version: str = VERSION
) -> tuple[str, Any]:
    """Ask for 11.1; returns the DSP's code and what the S1SP told last."""
    world = world_of(course)
    (user,) = world.suppliers.values()
    before = len(user.answered)
    sent = await world.ask(user, UpdateFirmware(ota_file.encode(image), version, (at,)))
    told = user.answered[before:]
    return sent.code, told[-1].value if told else None


async def brought(course: Course, image: OtaImage, at: Eui64) -> None:
    """Ask for 11.1, which succeeds."""
    code, told = await updated(course, image, at)
    assert code == "I99"
    assert isinstance(told, Smets1Response), told
    assert isinstance(told.body, DeviceAlert)
    assert told.body.code == AlertCode.FIRMWARE_VERIFIED, told.body


async def version(course: Course, at: Eui64) -> str:
    answer = await asked(course, ReadFirmwareVersion(), at)
    assert isinstance(answer.value.body, Result)
    return next(one.text for one in answer.value.body.values if one.name == "FirmwareVersion")


def test_an_image_goes_over_the_hub_and_only_its_own_hash_starts_it() -> None:
    at, hub = device(HOME, ESME), device(HOME, CHF)

    async def story(course: Course, bench: Any) -> None:
        world = world_of(course)
        image = image_of(course, HOME, ESME)
        its_hash = ota_file.manufacturer_image_hash(image)
        listed(course, HOME, ESME, image)
        early = await asked(course, ActivateFirmware(its_hash), at)
        assert early.value.body.statuses[0].error == "noImageHeld"

        sent = len(course.office.post.between("S1SP", str(at)))
        await brought(course, image, at)
        assert len(course.office.post.between("S1SP", str(at))) == sent  # the hub brought it
        assert course.office.post.between("S1SP", str(hub))
        assert world.desk.records[at].image_hash == its_hash.hex()
        assert at not in world.dsp.transfers

        other = await asked(course, ActivateFirmware(bytes(32)), at)
        assert other.value.body.statuses[0].error == "hashMismatch"
        later = ActivateFirmware(its_hash, UtcMs(bench.clock.now() + 7_200_000))
        assert (await asked(course, later, at)).value.code == DeskFault.FUTURE_DATED
        assert await version(course, at) == OLD

        answer = await asked(course, ActivateFirmware(its_hash), at)
        assert answer.success, answer.value.body
        assert await version(course, at) == VERSION
        record = world.dsp.inventory.find(at)
        assert record is not None
        assert record.firmware_version == VERSION

    played(HOME, story, world=IOC)


@pytest.mark.parametrize("kind", [PPMID, CHF])
def test_ppmid_and_hub_take_their_images_and_start_them_by_hash(kind: DeviceType) -> None:
    at = device(HOME, kind)

    async def story(course: Course, _bench: Any) -> None:
        image = image_of(course, HOME, kind)
        listed(course, HOME, kind, image)
        await brought(course, image, at)
        assert await version(course, at) == OLD
        its_hash = ota_file.manufacturer_image_hash(image)
        answer = await asked(course, ActivateFirmware(its_hash), at)
        assert answer.success, answer.value.body
        assert await version(course, at) == VERSION

    played(HOME, story, world=IOC)


@pytest.mark.parametrize(
    "kind", [PPMID, *(pytest.param(one, marks=pytest.mark.soak) for one in (ESME, CHF))]
)
def test_in_enduring_mode_a_bare_image_and_the_s1sps_metadata_do(kind: DeviceType) -> None:
    at = device(HOME, kind)

    async def story(course: Course, _bench: Any) -> None:
        image = image_of(course, HOME, kind, None)
        listed(course, HOME, kind, image)
        await brought(course, image, at)
        its_hash = ota_file.manufacturer_image_hash(image)
        assert (await asked(course, ActivateFirmware(its_hash), at)).success

    played(HOME, story, world=BARE)


def test_metadata_of_another_maker_that_the_s1sp_hands_over_are_its_own_fault() -> None:
    async def story(course: Course, _bench: Any) -> None:
        image = image_of(course, HOME, PPMID, None)
        listed(course, HOME, PPMID, image)
        wrong(world_of(course), "s1sp-sends-another-makers-metadata")
        _code, told = await updated(course, image, device(HOME, PPMID))
        assert isinstance(told, S1spAlert)
        assert told.code == DeskFault.OWN_METADATA_REFUSED

    played(HOME, story, world=BARE)


@pytest.mark.parametrize("layout", [OTHER_HUB, pytest.param(None, marks=pytest.mark.soak)])
def test_an_image_for_another_makers_hubs_is_discarded_and_a_right_one_comes_through_after(
    layout: str | None,
) -> None:
    at = device(HOME, PPMID)

    async def story(course: Course, _bench: Any) -> None:
        foreign, right = image_of(course, HOME, PPMID, layout), image_of(course, HOME, PPMID)
        listed(course, HOME, PPMID, foreign)
        code, told = await updated(course, foreign, at)
        assert code == "I99"
        assert isinstance(told, S1spAlert)
        assert told.code == DeskFault.METADATA_REFUSED
        assert world_of(course).desk.records[at].image_hash == ""
        listed(course, HOME, PPMID, right)
        await brought(course, right, at)

    played(HOME, story, world=IOC)


def test_the_hub_refuses_what_its_store_does_not_hold_and_takes_what_fits_after() -> None:
    limit = load_profile(HUB).hub
    assert limit is not None
    at = device(HOME, ESME)

    async def story(course: Course, _bench: Any) -> None:
        large = image_of(course, HOME, ESME, size=limit.image_store_bytes)
        listed(course, HOME, ESME, large)
        _code, told = await updated(course, large, at)
        assert isinstance(told, S1spAlert)
        assert told.code == DeskFault.HUB_SIZE
        right = image_of(course, HOME, ESME)
        listed(course, HOME, ESME, right)
        await brought(course, right, at)

    played(HOME, story, world=IOC)


def test_a_signature_of_nobody_ends_at_the_s1sp_and_no_octet_goes_out() -> None:
    async def story(course: Course, bench: Any) -> None:
        image = replace(image_of(course, HOME, ESME), signature=bytes(64))
        listed(course, HOME, ESME, image)
        bench.take_frames()
        _code, told = await updated(course, image, device(HOME, ESME))
        assert told.code == DeskFault.IMAGE_SIGNATURE
        assert not [one for one in bench.take_frames() if one.link == "wan-in"]

    played(HOME, story, world=IOC)


@pytest.mark.soak
def test_a_sleepy_gas_meter_takes_its_image_over_many_wakes() -> None:
    at = device(DUAL, GSME)

    async def story(course: Course, bench: Any) -> None:
        began = bench.clock.now()
        image = image_of(course, DUAL, GSME, size=8192)
        listed(course, DUAL, GSME, image)
        await brought(course, image, at)
        assert bench.clock.now() > began + 1_800_000
        its_hash = ota_file.manufacturer_image_hash(image)
        answer = await asked(course, ActivateFirmware(its_hash), at)
        assert answer.success, answer.value.body

    played(DUAL, story, world=IOC)


@pytest.mark.soak
def test_a_supplier_whose_certificate_is_not_notified_updates_nothing() -> None:
    at = device(HOME, ESME)

    async def story(course: Course, _bench: Any) -> None:
        world = world_of(course)
        image = image_of(course, HOME, ESME)
        listed(course, HOME, ESME, image)
        world.desk.records[at].notified[CRITICAL_SUPPLIER] = NULL_CERTIFICATE_ID
        code, told = await updated(course, image, at)
        assert code == "I99"
        assert isinstance(told, S1spAlert)
        assert (told.code, told.device) == (DeskFault.NULL_CERTIFICATE, at)
        assert at not in world.dsp.transfers  # it may be asked for again

    played(HOME, story, world=IOC)


def test_a_third_party_ppmid_added_back_on_secure_is_neither_updated_nor_read() -> None:
    esme, at = device(SECURE, ESME), device(SECURE, PPMID)

    async def story(course: Course, bench: Any) -> None:
        world = world_of(course)
        (user,) = world.suppliers.values()
        image = image_of(course, SECURE, PPMID)
        listed(course, SECURE, PPMID, image)
        added = await world.add_ppmid(user, SECURE.of(PPMID)[0], esme)
        assert [one.code for one in added] == ["I99", "I99", "I99"]
        bench.take_frames()
        code, told = await updated(course, image, at)
        assert code == "I99"
        assert isinstance(told, S1spAlert)
        assert told.code == DeskFault.OTHER_MAKE
        read = await asked(course, ReadFirmwareVersion(), at)
        assert not read.success
        assert "make" in read.value.body.statuses[0].error
        assert not [one for one in bench.take_frames() if one.link == "wan-in"]  # no octet went out
        assert at not in world.dsp.transfers

    played(SECURE, story)


BILINGUAL = "demo-bilingual-ppmid"


def with_bilingual(of: Installation) -> Installation:
    """The same home with a PPMID that can be of both generations."""
    devices = [
        one.model_copy(update={"profile": BILINGUAL, "cpl_entry": None})
        if one.role is PPMID
        else one
        for one in of.devices
    ]
    return of.model_copy(update={"devices": tuple(devices)})


def lists_with_bilingual() -> Lists:
    """The lists in force, with both entries of the bilingual model, in all combinations."""
    shipped = load_cpl()
    profile = load_profile(BILINGUAL)
    like = next(one for one in shipped.entries.values() if one.device_type is PPMID)
    both = {}
    for smets in SmetsVersion:
        change = {
            "cpl_entry_id": f"BOTH-{smets}",
            "smets": smets,
            "manufacturer_id": profile.identity.manufacturer_hex,
            "model_id": profile.identity.model_hex[:4],
            "hardware_version": profile.identity.model_hex[4:],
            "firmware_version": profile.nominal_version(smets).upper(),
            "manufacturer_image_hash": "",
            "upgrade_from": (),
        }
        both[smets] = like.model_copy(update=change)
    known = {one.identity for one in shipped.entries.values()}
    added = [one for one in both.values() if one.identity not in known]
    cpl = Cpl([*shipped.entries.values(), *added])
    found = cpl.resolve(
        manufacturer=profile.identity.manufacturer_hex,
        model=profile.identity.model_hex,
        device_type=PPMID,
        firmware_version=profile.nominal_version(SmetsVersion.SMETS1),
    )
    assert found.entry is not None
    change = {"ppmid": (found.entry.cpl_entry_id,)}
    dmcs = [
        one.model_copy(update=change) if one.ppmid else one
        for one in load_dmcs(shipped).entries.values()
        if one.ppmid in ORDINARY
    ]
    rows = [
        one.model_copy(update=change) if one.ppmid else one
        for one in load_epcl(shipped, load_dmcs(shipped)).entries.values()
        if one.ppmid in ORDINARY
    ]
    others = DmcList(dmcs, cpl)
    return Lists(cpl, Epcl(rows, cpl, others), others)


@pytest.mark.parametrize("cohort", ["EA", pytest.param("IOC", marks=pytest.mark.soak)])
def test_what_is_read_of_a_bilingual_ppmid_is_raw_in_foc_and_the_lists_elsewhere(
    cohort: str,
) -> None:
    of = with_bilingual(home(cohort, InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY))
    at, profile = device(of, PPMID), load_profile(BILINGUAL)
    nominal = profile.nominal_version(SmetsVersion.SMETS1)
    executing = profile.identity.firmware_version

    async def story(course: Course, _bench: Any) -> None:
        world = world_of(course)
        record = world.dsp.inventory.find(at)
        assert record is not None
        assert (record.smets, record.firmware_version) == (SmetsVersion.SMETS1, nominal)
        assert await version(course, at) == (executing if cohort == "EA" else nominal)
        (user,) = world.suppliers.values()
        told = [
            one.response.body.alert  # type: ignore[union-attr]  # DCC alerts
            for one in user.alerts()
        ]
        found = [one for one in told if isinstance(one, FirmwareVersionMismatch)]
        wanted = [FirmwareVersionMismatch(at, PPMID, nominal, executing)]
        assert found == (wanted if cohort == "EA" else [])
        assert world.dsp.inventory.find(at) == record

    played(of, story, world=World(lists=lists_with_bilingual()))


def test_an_image_of_a_bilingual_ppmid_goes_by_the_version_of_the_list_not_by_its_own() -> None:
    of = with_bilingual(home("EA", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY))
    at, profile = device(of, PPMID), load_profile(BILINGUAL)
    nominal, executing = "12000009", "02000009"

    async def story(course: Course, _bench: Any) -> None:
        dsp = world_of(course).dsp
        target, number = Target.of(profile), FirmwareVersion.from_cpl(executing)
        codec = codec_of(HubMaker.of(load_profile(model(of, CHF))))
        bare = build(target, number, CONTENT)
        metadata = codec.build(bare.header, CONTENT, MetadataTarget.of(profile))
        image = build(target, number, codec.join(metadata, CONTENT))
        its_hash = ota_file.manufacturer_image_hash(image)
        held = dsp.cpl.resolve(
            manufacturer=profile.identity.manufacturer_hex,
            model=profile.identity.model_hex,
            device_type=PPMID,
            firmware_version=profile.nominal_version(SmetsVersion.SMETS1),
        ).entry
        assert held is not None
        change = {
            "cpl_entry_id": "NEXT-BOTH",
            "firmware_version": nominal,
            "manufacturer_image_hash": its_hash.hex(),
        }
        dsp.cpl = Cpl([*dsp.cpl.entries.values(), held.model_copy(update=change)])
        code, told = await updated(course, image, at, nominal)
        assert (code, told.body.code) == ("I99", AlertCode.FIRMWARE_VERIFIED)
        answer = await asked(course, ActivateFirmware(its_hash), at)
        names = {node.name: node.text for node in answer.value.body.values}
        assert names["FirmwareVersion"] == nominal
        record = dsp.inventory.find(at)
        assert record is not None
        assert record.firmware_version == nominal
        assert await version(course, at) == executing  # raw, in FOC

    played(of, story, world=World(lists=lists_with_bilingual()))
