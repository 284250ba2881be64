"""Images with hub metadata: wrapped, recognised, converted, stripped, and judged by the CPL."""

import hashlib
from dataclasses import replace

import pytest

from device_profiles.cpl import Cpl, CplEntry, load_cpl
from device_profiles.loader import load_profile, profile_names
from device_profiles.metadata_layout import STAND_IN_NOTE, MetadataLayout
from device_profiles.metadata_makers import HubMaker, HubMakers, load_makers
from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.chf_metadata_check import MetadataRefusal
from emulator.codecs.ota_file import OtaImage, manufacturer_image_hash
from firmware_images.image import Target, build, resized, verify
from firmware_images.lint import lint
from firmware_images.metadata import (
    ConversionError,
    Likeness,
    accepting,
    convert,
    recognise,
    wrap,
)
from firmware_images.version import FirmwareVersion
from tests.firmware_images.forge import BOTH, SCALAR, image

MAKERS = load_makers()
ASKING = MAKERS.asking()
NONE = MAKERS.find("none")
#: Devices of each kind of image: supplier-signed, unsigned, a hub's own.
MODELS = ["demo-esme", "demo-gsme", "demo-ppmid", "demo-chf"]
RECIPES = {
    "demo-esme": "demo-esme-2",
    "demo-gsme": "demo-gsme-2",
    "demo-ppmid": "demo-ppmid-2",
    "demo-chf": "demo-chf-2",
}
HUBS = [p for p in map(load_profile, profile_names()) if p.device_type is DeviceType.CHF]


def target(model: str) -> MetadataTarget:
    return MetadataTarget.of(load_profile(model))


def bare(model: str) -> OtaImage:
    return image(RECIPES[model])


def wrapped(model: str, maker: HubMaker) -> OtaImage:
    return wrap(bare(model), maker, target(model), scalar=SCALAR)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("maker", ASKING, ids=lambda one: one.layout.layout_id)
def test_the_file_is_header_metadata_image_trailer(model: str, maker: HubMaker) -> None:
    plain, made = bare(model), wrapped(model, maker)
    octets = ota_file.encode(made)
    metadata = codec_of(maker).build(made.header, plain.manufacturer_image, target(model))
    content = codec_of(maker).join(metadata, plain.manufacturer_image)
    header = made.header.header_length
    assert octets[header : header + len(content)] == content
    assert len(octets) == made.header.total_image_size
    assert len(octets) == plain.header.total_image_size + len(metadata)
    assert ota_file.encode(ota_file.decode(octets, made.kind)) == octets
    if made.kind is ImageKind.SUPPLIER_SIGNED:
        assert verify(made, BOTH) == "ok"


@pytest.mark.parametrize("model", MODELS)
def test_each_layout_gets_through_its_own_makers_hubs_alone(model: str) -> None:
    hubs = [*ASKING, MAKERS.find("demo-chf")]
    for maker in ASKING:
        answers = accepting(wrapped(model, maker), hubs, target(model))
        taken = {name for name, objection in answers.items() if objection is None}
        assert taken == {maker.profile, "demo-chf"}
    refused = accepting(bare(model), hubs, target(model))
    assert {name for name, objection in refused.items() if objection is None} == {"demo-chf"}


@pytest.mark.parametrize("model", MODELS)
def test_every_layout_is_recognised_and_a_bare_image_is_bare(model: str) -> None:
    for maker in ASKING:
        for known in (target(model), None):
            found = recognise(wrapped(model, maker), MAKERS, known)
            assert found.maker == maker
            assert STAND_IN_NOTE in str(found)
    found = recognise(bare(model), MAKERS, target(model))
    assert (found.likeness, found.maker) == (Likeness.NONE, None)
    assert "5 of 5" in str(found)


@pytest.mark.parametrize("maker", ASKING, ids=lambda one: one.layout.layout_id)
def test_nearly_sound_metadata_are_called_damaged(maker: HubMaker) -> None:
    made = wrapped("demo-ppmid", maker)
    longer = resized(made, made.manufacturer_image[:-70] + bytes(70))
    if maker.layout.position == "suffix":
        longer = resized(made, bytes(70) + made.manufacturer_image[70:])
    found = recognise(longer, MAKERS)
    assert (found.likeness, found.maker) == (Likeness.DAMAGED, None)
    assert found.found[0].maker == maker
    assert "damaged" in str(found)


def test_an_image_that_two_layouts_fit_is_ambiguous() -> None:
    free = MetadataLayout.model_validate(
        {
            "layout_id": "L-FREE",
            "position": "prefix",
            "size_bytes": 4,
            "field": [{"name": "any", "type": "u32", "default": 0}],
        }
    )
    makers = HubMakers([MAKERS.find("L-SEC-1"), HubMaker("free", 1, "Free", free, {})])
    found = recognise(wrapped("demo-ppmid", MAKERS.find("L-SEC-1")), makers)
    assert (found.likeness, len(found.found), found.maker) == (Likeness.AMBIGUOUS, 2, None)


@pytest.mark.parametrize("wanted", [*ASKING, NONE], ids=lambda one: one.layout.layout_id)
@pytest.mark.parametrize("source", [*ASKING, NONE], ids=lambda one: one.layout.layout_id)
def test_conversion_goes_from_every_layout_to_every_other(
    source: HubMaker, wanted: HubMaker
) -> None:
    there = target("demo-esme")
    start = wrap(bare("demo-esme"), source, there, scalar=SCALAR)
    made = convert(start, source, wanted, there, scalar=SCALAR)
    assert made.image == wrap(bare("demo-esme"), wanted, there, scalar=SCALAR)
    assert made.hash_after == manufacturer_image_hash(made.image)
    assert bool(made.warning) == (source != wanted)
    assert ("CPL entry" in made.warning) == (source != wanted)


def test_an_image_without_the_metadata_it_should_have_is_not_converted() -> None:
    ioc, mds = MAKERS.find("L-IOC-1"), MAKERS.find("L-MDS-1")
    made = wrapped("demo-ppmid", ioc)
    with pytest.raises(ConversionError, match="no sound L-MDS-1: tlv-mismatch"):
        convert(made, mds, NONE, None)
    with pytest.raises(ConversionError, match="no sound L-IOC-1: target-mismatch in model"):
        convert(made, ioc, NONE, replace(target("demo-ppmid"), model_id=1))
    with pytest.raises(ConversionError, match="needs the key"):
        wrap(bare("demo-esme"), ioc, target("demo-esme"))


def test_one_cpl_entry_serves_the_hubs_of_one_maker_at_most() -> None:
    listed = load_cpl().entry("SYN-DEMO-S1-PPMID-10000001")
    profile = load_profile("demo-s1-ppmid")
    plain = build(Target.of(profile), FirmwareVersion.from_cpl("10000002"), b"S1 PPMID" * 40)
    images = {one.profile: wrap(plain, one, MetadataTarget.of(profile)) for one in ASKING}
    for maker, made in images.items():
        entry = CplEntry.model_validate(
            {
                **listed.model_dump(),
                "cpl_entry_id": "NEXT",
                "firmware_version": "10000002",
                "manufacturer_image_hash": manufacturer_image_hash(made).hex(),
                "image_hash_scope": "metadata+image",
                "upgrade_from": (listed.cpl_entry_id,),
            }
        )
        cpl = Cpl([listed, entry])
        served = set()
        for other, offered in images.items():
            found = cpl.check_update(
                listed, "10000002", manufacturer_image_hash(offered), entry.effective_from
            )
            answers = accepting(offered, ASKING)
            if not any(one.refuses for one in found):
                served |= {hub for hub, objection in answers.items() if objection is None}
            assert answers[other] is None
        assert served == {maker}


def test_the_linter_names_the_layout_and_the_hubs_that_take_it() -> None:
    profile = load_profile("demo-s1-ppmid")
    plain = build(Target.of(profile), FirmwareVersion.from_cpl("10000002"), b"S1 PPMID" * 40)
    made = wrap(plain, MAKERS.find("L-FOC-T1"), MetadataTarget.of(profile))
    report = lint(ota_file.encode(made), profile, HUBS)
    assert report.metadata_layout.startswith(f"L-FOC-T1, {STAND_IN_NOTE}")
    hubs = {hub.profile: hub.metadata for hub in report.hubs}
    assert hubs["demo-s1-chf-foct"] == "accepted"
    assert hubs["demo-s1-chf-ioc"] == MetadataRefusal.CONST
    accepted = report.figures()["hub_makers_accepting"]
    assert isinstance(accepted, list)
    assert "Greyhaven" in accepted
    assert "Dunmoor" not in accepted
    assert {o.word for o in report.objections} == set()
    words = {o.word for o in lint(ota_file.encode(plain), profile, HUBS).objections}
    assert words == {"no-metadata"}
    spoilt = resized(made, made.manufacturer_image[:-1] + b"\0")
    words = {o.word for o in lint(ota_file.encode(spoilt), profile, HUBS).objections}
    assert words == {"metadata-damaged"}


def test_metadata_in_a_smets2_image_are_a_warning() -> None:
    made = wrapped("demo-ppmid", MAKERS.find("L-MDS-1"))
    found = lint(ota_file.encode(made), load_profile("demo-ppmid"), HUBS).objections
    assert [o.word for o in found] == ["metadata-in-image"]


def test_the_hash_of_a_bare_image_is_not_that_of_any_wrapped_one() -> None:
    hashes = {manufacturer_image_hash(wrapped("demo-gsme", one)) for one in ASKING}
    plain = bare("demo-gsme").manufacturer_image
    assert len(hashes | {hashlib.sha256(plain).digest()}) == 6
