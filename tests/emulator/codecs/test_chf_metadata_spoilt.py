"""Spoilt metadata: every flipped bit, every lost or added octet is refused or shows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from device_profiles.metadata_checks import computed_size
from device_profiles.metadata_layout import MetadataField, MetadataLayout, MetadataPosition
from emulator.codecs.chf_metadata import MetadataCodec
from emulator.codecs.chf_metadata_check import Accepted, MetadataRefusal, Refused
from tests.emulator.codecs.metadata_given import (
    CODECS,
    HEADER,
    IDS,
    IMAGE,
    TARGET,
    content,
    enduring,
    tactical,
)


def figures(found: Accepted) -> dict[str, str]:
    return {read.field.name: read.octets.hex() for read in found.fields}


@pytest.mark.parametrize("known", [True, False], ids=["target known", "target not known"])
@pytest.mark.parametrize("layout_id", IDS)
def test_every_flipped_bit_is_refused_or_shows_in_one_named_field(
    layout_id: str, known: bool
) -> None:
    codec = CODECS[layout_id]
    target = TARGET if known else None
    metadata = codec.build(HEADER, IMAGE, TARGET)
    sound = tactical(codec, codec.join(metadata, IMAGE), target)
    assert isinstance(sound, Accepted)
    shown = set()
    for bit in range(8 * len(metadata)):
        flipped = bytearray(metadata)
        flipped[bit // 8] ^= 1 << bit % 8
        found = tactical(codec, codec.join(bytes(flipped), IMAGE), target)
        if isinstance(found, Refused):
            continue
        differing = {
            name for name, value in figures(found).items() if value != figures(sound)[name]
        }
        assert len(differing) == 1, bit
        assert found.image_hash != sound.image_hash
        shown |= differing
    free = {one.name for one in codec.layout.values() if one.default is not None}
    unknown = {
        one.name for one in codec.layout.values() if (one.value_from or "").startswith("target.")
    }
    assert shown == (free if known else free | unknown)


@pytest.mark.parametrize("layout_id", IDS)
def test_every_lost_and_added_octet_is_refused(layout_id: str) -> None:
    codec = CODECS[layout_id]
    whole = content(layout_id)
    spoilt = [whole[:size] for size in range(len(whole))]
    spoilt += [whole[size:] for size in range(1, len(whole))]
    spoilt += [whole + bytes(size) for size in (1, 2, 64, 256)]
    spoilt += [bytes(size) + whole for size in (1, 2, 64, 256)]
    spoilt += [whole[:at] + whole[at + 1 :] for at in range(0, len(whole), 7)]
    spoilt += [whole[:at] + b"\0" + whole[at:] for at in range(0, len(whole), 7)]
    for octets in spoilt:
        assert isinstance(tactical(codec, octets), Refused), len(octets)


@pytest.mark.parametrize("layout_id", IDS)
def test_supplied_metadata_have_exactly_their_octets(layout_id: str) -> None:
    codec = CODECS[layout_id]
    supplied = codec.build(HEADER, IMAGE, TARGET)
    for size in range(len(supplied)):
        assert isinstance(enduring(codec, IMAGE, supplied[:size]), Refused)
    for more in (b"\0", b"\xff", supplied, IMAGE):
        for octets in (supplied + more, more + supplied):
            assert isinstance(enduring(codec, IMAGE, octets), Refused)
    for image in (IMAGE[:-1], IMAGE + b"\0", b""):
        assert isinstance(enduring(codec, image, supplied), Refused)


@pytest.mark.parametrize("layout_id", [name for name in IDS if name != "L-FOC-L1"])
def test_an_empty_image_is_refused_however_sound_its_metadata(layout_id: str) -> None:
    found = tactical(CODECS[layout_id], content(layout_id, b""))
    assert isinstance(found, Refused)
    assert found.reason is MetadataRefusal.EMPTY


@pytest.mark.parametrize(
    ("layout_id", "at", "reason", "field"),
    [
        ("L-IOC-1", 0, MetadataRefusal.CONST, "magic"),
        ("L-IOC-1", 6, MetadataRefusal.OEM, "oem"),
        ("L-IOC-1", 9, MetadataRefusal.TEXT, "model"),
        ("L-IOC-1", 17, MetadataRefusal.TARGET, "hw"),
        ("L-IOC-1", 18, MetadataRefusal.HEADER, "fw"),
        ("L-IOC-1", 25, MetadataRefusal.LENGTH, "image_len"),
        ("L-IOC-1", 26, MetadataRefusal.DIGEST, "crc32"),
        ("L-IOC-1", 39, MetadataRefusal.CONST, "reserved"),
        ("L-MDS-1", 0, MetadataRefusal.TLV, "oem"),
        ("L-MDS-1", 1, MetadataRefusal.TLV, "oem"),
        ("L-MDS-1", 60, MetadataRefusal.TLV, "items"),
        ("L-SEC-1", 0, MetadataRefusal.TEXT, "program_name"),
        ("L-FOC-T1", 4, MetadataRefusal.LENGTH, "header_len"),
        ("L-FOC-L1", 17, MetadataRefusal.SEGMENT, "seg_size"),
        ("L-FOC-L1", 19, MetadataRefusal.SEGMENT, "seg_count"),
    ],
)
def test_a_refusal_names_reason_and_field(
    layout_id: str, at: int, reason: MetadataRefusal, field: str
) -> None:
    codec = CODECS[layout_id]
    metadata = bytearray(codec.build(HEADER, IMAGE, TARGET))
    metadata[at] ^= 0x80
    found = tactical(codec, codec.join(bytes(metadata), IMAGE))
    assert isinstance(found, Refused)
    assert (found.reason, found.objection.field) == (reason, field)


@pytest.mark.parametrize(
    "change",
    [
        {"manufacturer_code": 0x1234},
        {"image_type": 0x0001},
        {"file_version": 1},
        {"minimum_hardware": 1},
        {"maximum_hardware": 0xFFFF},
        {"minimum_hardware": None, "maximum_hardware": None},
    ],
)
def test_a_header_that_contradicts_the_metadata_is_refused(change: dict[str, Any]) -> None:
    whole = content("L-FOC-T1")
    found = tactical(CODECS["L-FOC-T1"], whole, header=replace(HEADER, **change))
    assert isinstance(found, Refused)
    assert found.reason is MetadataRefusal.HEADER


ALTERED = [
    (name, number)
    for name in IDS
    for number in range(len(CODECS[name].layout.field))
    if len(CODECS[name].layout.field) > 1
]


@pytest.mark.parametrize(("layout_id", "number"), ALTERED)
def test_a_hub_whose_layout_lost_any_one_field_refuses_its_makers_images(
    layout_id: str, number: int
) -> None:
    codec = CODECS[layout_id]
    left = [one for place, one in enumerate(codec.layout.field) if place != number]
    other = without(codec.layout, left)
    assert isinstance(tactical(MetadataCodec(other, codec.hub_code), content(layout_id)), Refused)


ITEMS = range(len(CODECS["L-MDS-1"].layout.field[0].item))


@pytest.mark.parametrize("number", ITEMS)
def test_a_hub_whose_layout_lost_any_one_item_refuses_its_makers_images(number: int) -> None:
    codec = CODECS["L-MDS-1"]
    group = codec.layout.field[0]
    items = tuple(one for place, one in enumerate(group.item) if place != number)
    other = without(codec.layout, [group.model_copy(update={"item": items})])
    assert isinstance(tactical(MetadataCodec(other, codec.hub_code), content("L-MDS-1")), Refused)


def without(whole: MetadataLayout, left: Sequence[MetadataField]) -> MetadataLayout:
    """The layout with these fields alone, of the size they make."""
    asks = any((one.value_from or "").startswith("segment.") for one in left)
    cut = whole.model_copy(
        update={
            "field": tuple(left),
            "required_fields": (),
            "segment_bytes": whole.segment_bytes if asks else None,
        }
    )
    return cut.model_copy(update={"size_bytes": computed_size(cut)})


@pytest.mark.parametrize("layout_id", ["L-IOC-1", "L-MDS-1"])
def test_a_hub_of_another_oem_refuses_the_layout_it_shares(layout_id: str) -> None:
    codec = CODECS[layout_id]
    found = tactical(MetadataCodec(codec.layout, codec.hub_code ^ 1), content(layout_id))
    assert isinstance(found, Refused)
    assert found.reason is MetadataRefusal.OEM


@pytest.mark.parametrize("layout_id", IDS)
def test_a_hub_that_looks_at_the_other_end_refuses_its_makers_images(layout_id: str) -> None:
    codec = CODECS[layout_id]
    here = codec.layout.position is MetadataPosition.PREFIX
    other = codec.layout.model_copy(
        update={"position": MetadataPosition.SUFFIX if here else MetadataPosition.PREFIX}
    )
    assert isinstance(tactical(MetadataCodec(other, codec.hub_code), content(layout_id)), Refused)
