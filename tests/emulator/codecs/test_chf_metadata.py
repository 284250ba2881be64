"""Metadata of hub makers: octets, the hash, and who takes which image."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.metadata_layout import NO_LAYOUT, MetadataMode
from device_profiles.metadata_makers import load_makers
from emulator.codecs.chf_metadata import MetadataCodec, MetadataError, codec_of, image_hash
from emulator.codecs.chf_metadata_check import (
    Accepted,
    MetadataRefusal,
    OfferedImage,
    Refused,
    check_image,
)
from emulator.core.errors import MalformedFrameError
from tests.emulator.codecs.metadata_given import (
    CODECS,
    HEADER,
    IDS,
    IMAGE,
    OTHER_TARGET,
    TARGET,
    content,
    enduring,
    layout,
    sixth_maker,
    tactical,
)

BARE = MetadataCodec(NO_LAYOUT, 0)

#: Metadata of the first 256 octets 00 … FF, by hand from the table of firmware.md 5.2.
COUNTED = bytes(range(256))
CRC32 = "29058c73"
SHA256 = hashlib.sha256(COUNTED).hexdigest()
BY_HAND = {
    "L-IOC-1": "494f43310105fff4303133303031303001001000000200000100" + CRC32 + "00" + "00" * 9,
    "L-MDS-1": "0102f5ff020830313330303130300304100000020404000100000520" + SHA256 + "ff",
    "L-SEC-1": "5034583247303500000042322d303100000100003c3000" + "00" * 37 + "53454355",
    "L-FOC-T1": "463143543400f3ff0584000001ff01020000100100010000" + SHA256[:40] + "00" * 8,
    "L-FOC-L1": "4c47010501300100100000020000010001000001" + CRC32,
}


def test_there_are_five_stand_in_makers() -> None:
    assert sorted(IDS) == ["L-FOC-L1", "L-FOC-T1", "L-IOC-1", "L-MDS-1", "L-SEC-1"]


@pytest.mark.parametrize("layout_id", IDS)
def test_metadata_are_the_octets_worked_out_by_hand(layout_id: str) -> None:
    image_type = int.from_bytes(bytes.fromhex("8400"), "little")
    header = replace(HEADER, image_type=image_type)
    made = CODECS[layout_id].build(header, COUNTED, TARGET)
    assert made.hex() == BY_HAND[layout_id]


@pytest.mark.parametrize("layout_id", IDS)
def test_parse_then_rebuild_gives_the_same_octets(layout_id: str) -> None:
    codec = CODECS[layout_id]
    whole = content(layout_id)
    metadata, image = codec.split(whole)
    assert (image, len(metadata)) == (IMAGE, codec.layout.size_bytes)
    assert codec.format.rewrite(codec.format.read(metadata)) == metadata
    assert codec.join(metadata, image) == whole


@given(data=st.data())
def test_whatever_has_the_size_of_a_layout_is_rebuilt_octet_for_octet(data: st.DataObject) -> None:
    codec = CODECS[data.draw(st.sampled_from(IDS))]
    size = codec.layout.size_bytes or 0
    octets = data.draw(st.binary(min_size=size, max_size=size))
    assert codec.format.rewrite(codec.format.read(octets)) == octets


@pytest.mark.parametrize("layout_id", IDS)
def test_metadata_that_end_too_early_are_malformed(layout_id: str) -> None:
    codec = CODECS[layout_id]
    whole = codec.build(HEADER, IMAGE, TARGET)
    for size in range(len(whole)):
        with pytest.raises(MalformedFrameError):
            codec.split(whole[:size])


def test_of_five_layouts_at_five_hubs_exactly_five_are_accepted() -> None:
    taken = {
        (made, hub)
        for made in IDS
        for hub in IDS
        if isinstance(tactical(CODECS[hub], content(made)), Accepted)
    }
    assert taken == {(name, name) for name in IDS}


@pytest.mark.parametrize("target", [TARGET, None])
@pytest.mark.parametrize("hub", IDS)
def test_a_bare_image_is_refused_by_every_maker_in_tactical_mode(hub: str, target: object) -> None:
    assert isinstance(tactical(CODECS[hub], IMAGE, TARGET if target else None), Refused)


def test_hubs_that_ask_for_no_metadata_take_whatever_comes() -> None:
    for octets in (IMAGE, content("L-IOC-1")):
        for mode in MetadataMode:
            found = check_image(BARE, mode, OfferedImage(HEADER, octets))
            assert isinstance(found, Accepted)
            assert found.image_hash == hashlib.sha256(octets).digest()


def test_one_manufacturer_image_has_five_hashes_in_tactical_mode_and_one_in_enduring() -> None:
    five = {image_hash(CODECS[name], MetadataMode.TACTICAL, content(name)) for name in IDS}
    assert len(five) == 5
    assert hashlib.sha256(IMAGE).digest() not in five
    assert {image_hash(CODECS[name], MetadataMode.ENDURING, IMAGE) for name in IDS} == {
        hashlib.sha256(IMAGE).digest()
    }


def test_the_tactical_hash_is_over_metadata_and_image_as_they_stand() -> None:
    for name in IDS:
        whole = content(name)
        found = tactical(CODECS[name], whole)
        assert isinstance(found, Accepted)
        assert found.image == IMAGE
        assert found.image_hash == hashlib.sha256(whole).digest()


@pytest.mark.parametrize("hub", IDS)
def test_enduring_metadata_come_from_the_s1sp_and_the_image_stays_bare(hub: str) -> None:
    supplied = CODECS[hub].build(HEADER, IMAGE, TARGET)
    found = enduring(CODECS[hub], IMAGE, supplied)
    assert isinstance(found, Accepted)
    assert found.image_hash == hashlib.sha256(IMAGE).digest()
    nothing = enduring(CODECS[hub], IMAGE, None)
    assert isinstance(nothing, Refused)
    assert nothing.reason is MetadataRefusal.NOT_SUPPLIED


def test_another_makers_metadata_supplied_by_the_s1sp_are_refused() -> None:
    for hub in IDS:
        for made in IDS:
            found = enduring(CODECS[hub], IMAGE, CODECS[made].build(HEADER, IMAGE, TARGET))
            assert isinstance(found, Accepted) == (made == hub), (made, hub)


def test_a_value_nobody_knows_cannot_be_made_up() -> None:
    with pytest.raises(MetadataError, match="nobody said which device"):
        CODECS["L-IOC-1"].build(HEADER, IMAGE, None)
    without = replace(HEADER, minimum_hardware=None, maximum_hardware=None)
    with pytest.raises(MetadataError, match=r"hw_min.*header does not say"):
        CODECS["L-FOC-T1"].build(without, IMAGE, TARGET)
    assert CODECS["L-SEC-1"].build(HEADER, IMAGE, None)


def test_defaults_alone_may_be_given() -> None:
    octets = content("L-IOC-1", activation_mode=2)
    found = tactical(CODECS["L-IOC-1"], octets)
    assert isinstance(found, Accepted)
    assert {read.field.name: read.value for read in found.fields}["activation_mode"] == 2
    others: dict[str, Any] = {"magic": "IOC2", "fw": 1, "colour": 1}
    for name, value in others.items():
        with pytest.raises(MetadataError, match=name):
            content("L-IOC-1", **{name: value})
    with pytest.raises(MetadataError, match=r"activation_mode.*does not fit"):
        content("L-IOC-1", activation_mode=256)


def test_a_count_that_does_not_fit_its_field_is_told() -> None:
    codec = MetadataCodec(
        layout(
            size_bytes=5,
            field=[
                {"name": "magic", "type": "ascii4", "const": "TEST"},
                {"name": "size", "type": "u8", "value_from": "image.length"},
            ],
        ),
        1,
    )
    assert codec.build(HEADER, b"a" * 255, None)
    with pytest.raises(MetadataError, match=r"size.*does not fit"):
        codec.build(HEADER, b"a" * 256, None)
    found = tactical(codec, b"TEST\x00" + b"a" * 256)
    assert isinstance(found, Refused)
    assert found.reason is MetadataRefusal.LENGTH


def test_a_sixth_maker_is_one_file_and_may_have_open_ended_items(tmp_path: Path) -> None:
    makers = load_makers((sixth_maker(tmp_path),))
    codec = codec_of(makers.find("L-SIX-1"))
    metadata = codec.build(HEADER, IMAGE, None, {"name": "seven", "blob": b"\x01" * 9})
    assert metadata[:9].hex() == "36360905" + b"seven".hex()
    assert codec.format.rewrite(codec.format.read(metadata)) == metadata
    found = tactical(codec, metadata + IMAGE)
    assert isinstance(found, Accepted)
    assert found.image_hash == hashlib.sha256(IMAGE).digest()  # its hash is over the image alone
    for name, other in CODECS.items():
        assert isinstance(tactical(other, metadata + IMAGE), Refused)
        assert isinstance(tactical(codec, content(name)), Refused)


def test_the_target_counts_where_the_hub_knows_it() -> None:
    for name in ("L-IOC-1", "L-MDS-1", "L-FOC-T1", "L-FOC-L1"):
        found = tactical(CODECS[name], content(name), OTHER_TARGET)
        assert isinstance(found, Refused)
        assert found.reason is MetadataRefusal.TARGET
        assert isinstance(tactical(CODECS[name], content(name), None), Accepted)
