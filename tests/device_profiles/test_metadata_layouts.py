"""Metadata layouts as data: each way to be wrong has its name, and makers stay apart."""

from pathlib import Path
from typing import Any

import pytest

from device_profiles.cohort import cohort_names, load_cohort
from device_profiles.errors import DataError, UnknownNameError
from device_profiles.evidence import EvidenceKind
from device_profiles.loader import load_profile
from device_profiles.metadata_checks import (
    LayoutError,
    LayoutFault,
    check_layout,
    computed_size,
    fixed_octets,
)
from device_profiles.metadata_layout import (
    NO_LAYOUT,
    STAND_IN_NOTE,
    MetadataLayout,
    MetadataMode,
    MetadataPosition,
)
from device_profiles.metadata_makers import HubMaker, HubMakers, load_makers
from device_profiles.overlay import open_overlay

SIX = """
device_type = "CHF"
title = "a sixth maker"
extends = "demo-s1-chf"
[identity]
manufacturer_name = "Sixth"
[metadata]
layout_id = "L-SIX"
position = "suffix"
size_bytes = 6
field = [
    { name = "size", type = "u32", value_from = "image.length" },
    { name = "magic", type = "u16", const = 0x3636 },
]
"""


def field(name: str = "one", kind: str = "u8", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **(more or {"const": 1})}


def tlv(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "group", "type": "tlv", "item": items, **more}


def layout(*fields: dict[str, Any], **more: Any) -> MetadataLayout:
    table = {"layout_id": "L-X", "position": "prefix", "field": fields, **more}
    return MetadataLayout.model_validate(table)


TAGGED = field(tag=1)
FAULTS: list[tuple[LayoutFault, MetadataLayout]] = [
    (LayoutFault.POSITION, layout(field(), position="none")),
    (LayoutFault.POSITION, layout(size_bytes=1)),
    (LayoutFault.DUPLICATE_FIELD, layout(field(), field())),
    (LayoutFault.DUPLICATE_FIELD, layout(field(), tlv(TAGGED))),
    (LayoutFault.MISSING_FIELD, layout(field(), required_fields=["magic"])),
    (LayoutFault.UNKNOWN_TYPE, layout(field(kind="u24"))),
    (LayoutFault.UNKNOWN_TYPE, layout(field(kind="u8le"))),
    (LayoutFault.UNKNOWN_TYPE, layout(field(kind="bytes0", const="00"))),
    (LayoutFault.UNKNOWN_TYPE, layout(field(kind="ascii", const="A"))),
    (LayoutFault.UNKNOWN_TYPE, layout(tlv(field(kind="u64", tag=1)))),
    (LayoutFault.TLV, layout(tlv())),
    (LayoutFault.TLV, layout(tlv(field()))),
    (LayoutFault.TLV, layout(tlv(TAGGED, field("two", tag=1)))),
    (LayoutFault.TLV, layout(tlv(TAGGED, end_tag=1))),
    (LayoutFault.TLV, layout(tlv(tlv(TAGGED) | {"name": "inner", "tag": 2}))),
    (LayoutFault.TLV, layout(tlv(field(kind="bytes256", const="00" * 256, tag=1)))),
    (LayoutFault.TLV, layout(TAGGED)),
    (LayoutFault.TLV, layout(field(const=1, end_tag=3))),
    (LayoutFault.VALUE_COUNT, layout(field(unit="octets"))),
    (LayoutFault.VALUE_COUNT, layout(field(const=1, default=1))),
    (LayoutFault.VALUE_COUNT, layout(tlv(TAGGED, default=1))),
    (LayoutFault.VALUE_FIT, layout(field(const=256))),
    (LayoutFault.VALUE_FIT, layout(field(const="A"))),
    (LayoutFault.VALUE_FIT, layout(field(kind="ascii3", const="ABCD"))),
    (LayoutFault.VALUE_FIT, layout(field(kind="ascii3", default="A\n"))),
    (LayoutFault.VALUE_FIT, layout(field(kind="ascii3", default=1))),
    (LayoutFault.VALUE_FIT, layout(field(kind="bytes2", const="0g"))),
    (LayoutFault.VALUE_FIT, layout(field(kind="bytes2", const="00"))),
    (LayoutFault.UNKNOWN_SOURCE, layout(field(value_from="moon.phase"))),
    (LayoutFault.UNKNOWN_SOURCE, layout(field(kind="bytes33", value_from="image.sha256[:33]"))),
    (LayoutFault.SOURCE_FIT, layout(field(value_from="ota.file_version"))),
    (LayoutFault.SOURCE_FIT, layout(field(kind="bytes20", value_from="image.sha256"))),
    (LayoutFault.SOURCE_FIT, layout(field(kind="ascii8", value_from="image.crc32"))),
    (LayoutFault.SOURCE_FIT, layout(field(kind="ascii7", value_from="target.model"))),
    (LayoutFault.SOURCE_FIT, layout(field(kind="bytes8", value_from="target.model"))),
    (LayoutFault.SEGMENT, layout(field(value_from="segment.size"), size_bytes=1)),
    (LayoutFault.SEGMENT, layout(field(), size_bytes=1, segment_bytes=256)),
    (
        LayoutFault.OPEN_SUFFIX,
        layout(tlv(field(kind="ascii", default="A", tag=1)), position="suffix"),
    ),
    (LayoutFault.SIZE, layout(field(), size_bytes=2)),
    (LayoutFault.SIZE, layout(field())),
    (LayoutFault.SIZE, layout(tlv(field(kind="ascii", default="A", tag=1)), size_bytes=3)),
]


@pytest.mark.parametrize(("fault", "wrong"), FAULTS)
def test_each_wrong_layout_is_told_by_its_own_name(
    fault: LayoutFault, wrong: MetadataLayout
) -> None:
    with pytest.raises(LayoutError) as caught:
        check_layout(wrong, "file.toml")
    assert (caught.value.fault, caught.value.code) == (fault, str(fault))
    assert str(caught.value).startswith(f"{fault}: file.toml at metadata")


def test_every_fault_has_a_witness() -> None:
    of_makers = {LayoutFault.ID_CLASH, LayoutFault.COLLISION}
    assert {fault for fault, _ in FAULTS} | of_makers == set(LayoutFault)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"position": "middle"}, "invalid-value"),
        ({"byte_order": "middle"}, "invalid-value"),
        ({"size_bytes": 0}, "invalid-value"),
        ({"colour": 1}, "invalid-value"),
        ({"field": [{"name": "Magic", "type": "u8", "const": 1}]}, "invalid-value"),
        ({"field": [{"name": "magic", "type": "u8", "const": -1}]}, "invalid-value"),
        ({"field": [{"name": "magic", "type": "u8", "const": True}]}, "invalid-value"),
    ],
)
def test_values_of_the_wrong_kind_are_refused_with_the_file(
    tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    table = "\n".join(f"{key} = {_toml(value)}" for key, value in change.items())
    path = tmp_path / "own.toml"
    head = SIX[: SIX.index("[metadata]")]
    rest = 'layout_id = "L"\nposition = "none"\n'
    kept = "".join(line for line in rest.splitlines(True) if line.split(" ")[0] not in change)
    marks = '[evidence]\n"metadata" = "known"\n"identity" = "known"\n'
    path.write_text(f"{head}[metadata]\n{kept}{table}\n{marks}", "utf-8")
    with pytest.raises(DataError) as caught:
        load_profile(path)
    assert caught.value.code == code
    assert caught.value.file == str(path)


def _toml(value: object) -> str:
    if isinstance(value, list):
        rows = (
            "{" + ", ".join(f"{key} = {_toml(held)}" for key, held in row.items()) + "}"
            for row in value
        )
        return f"[{', '.join(rows)}]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def test_a_layout_wrong_in_a_file_is_told_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "sixth.toml"
    path.write_text(SIX.replace("size_bytes = 6", "size_bytes = 7"), "utf-8")
    with pytest.raises(LayoutError) as caught:
        load_profile("sixth", (open_overlay(tmp_path),))
    assert caught.value.code == "metadata-size-mismatch"
    assert caught.value.file == str(path)


def test_metadata_belong_to_smets1_hubs_alone(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    table = '[metadata]\nlayout_id = "L"\nposition = "none"\n'
    for name in ("demo-chf", "demo-s1-ppmid"):
        (tmp_path / "models" / f"{name}.toml").write_text(table, "utf-8")
        with pytest.raises(DataError, match="belongs to SMETS1 hubs"):
            load_profile(name, (tmp_path,))


def test_five_makers_and_none_are_shipped_all_stand_ins() -> None:
    makers = load_makers()
    assert {one.layout.layout_id: one.layout.size_bytes for one in makers.asking()} == {
        "L-IOC-1": 40,
        "L-MDS-1": 61,
        "L-SEC-1": 64,
        "L-FOC-T1": 52,
        "L-FOC-L1": 24,
    }
    assert [
        one.layout.layout_id
        for one in makers.asking()
        if one.layout.position is MetadataPosition.SUFFIX
    ] == ["L-SEC-1"]
    for one in makers.asking():
        assert one.is_stand_in
        assert one.note == STAND_IN_NOTE == "stand-in layout (real layout not public)"
        assert STAND_IN_NOTE in load_profile(one.profile).title
        assert computed_size(one.layout) == one.layout.size_bytes
    assert len({one.manufacturer_code for one in makers.asking()}) == 5
    assert makers.find("demo-chf").layout is NO_LAYOUT


@pytest.mark.parametrize("name", ["L-IOC-1", "l-ioc-1", "ioc-1", "demo-s1-chf-ioc"])
def test_a_maker_is_found_by_layout_or_profile(name: str) -> None:
    assert load_makers().find(name).profile == "demo-s1-chf-ioc"


def test_none_is_a_maker_and_what_nobody_knows_is_told_with_what_is_known() -> None:
    makers = load_makers()
    assert makers.find("none").layout.is_none
    assert makers.find("L-NONE").layout.is_none
    with pytest.raises(UnknownNameError, match="L-FOC-T1, L-IOC-1"):
        makers.find("L-MOON-1")


def test_fixed_octets_count_tags_and_lengths_and_from_the_end_of_a_suffix() -> None:
    makers = load_makers()
    mds = fixed_octets(makers.find("L-MDS-1").layout)
    assert (mds[0], mds[1], mds[4], mds[5], mds[60]) == (1, 2, 2, 8, 0xFF)
    assert 2 not in mds
    sec = fixed_octets(makers.find("L-SEC-1").layout)
    assert bytes(sec[at] for at in (-4, -3, -2, -1)) == b"SECU"
    assert min(sec) == -41
    opened = layout(
        field(kind="ascii2", const="AB"),
        tlv(field("two", kind="ascii", default="x", tag=7), end_tag=9),
    )
    assert fixed_octets(opened) == {0: 65, 1: 66, 2: 7}


def sixth(folder: Path, text: str = SIX) -> tuple[Path, ...]:
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "sixth.toml").write_text(text, "utf-8")
    return (open_overlay(folder),)


def test_a_sixth_maker_is_one_file_and_is_marked_the_users(tmp_path: Path) -> None:
    makers = load_makers(sixth(tmp_path))
    assert len(makers.asking()) == 6
    assert not makers.find("L-SIX").is_stand_in
    assert makers.find("L-SIX").note.startswith("user:")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"0x3636": "0x4355"}, LayoutFault.COLLISION),  # "CU", the end of SECU
        (
            {
                '"suffix"': '"prefix"',
                '"u32", value_from = "image.length"': '"ascii4", const = "IOC1"',
                "const = 0x3636": "default = 1",
            },
            LayoutFault.COLLISION,
        ),
        ({"L-SIX": "L-IOC-1"}, LayoutFault.ID_CLASH),
    ],
)
def test_a_maker_that_cannot_be_told_from_another_does_not_load(
    tmp_path: Path, changes: dict[str, str], fault: LayoutFault
) -> None:
    text = SIX
    for old, new in changes.items():
        text = text.replace(old, new)
    with pytest.raises(LayoutError) as caught:
        load_makers(sixth(tmp_path, text))
    assert caught.value.fault is fault


def test_two_models_of_one_maker_may_share_a_layout() -> None:
    shipped = load_makers()
    one = shipped.find("L-IOC-1")
    twin = HubMaker("twin", one.manufacturer_code, "Twin", one.layout, one.marks)
    makers = HubMakers([*shipped.by_profile.values(), twin])
    assert len(makers.asking()) == 5
    assert makers.find("twin").layout == one.layout


def test_shared_filling_alone_is_no_collision() -> None:
    alike = layout(
        field("size", kind="u32", value_from="image.length"),
        field("pad", kind="bytes9", const="00" * 9),
        size_bytes=13,
    )
    other = layout(
        field("crc", kind="u32", value_from="image.crc32"),
        field("pad", kind="bytes4", const="00" * 4),
        size_bytes=8,
        layout_id="L-Y",
    )
    both = HubMakers([HubMaker("x", 1, "", alike, {}), HubMaker("y", 2, "", other, {})])
    assert len(both.asking()) == 2


@pytest.mark.parametrize("key", cohort_names())
def test_every_cohort_is_tactical_until_a_day_is_known(key: str, tmp_path: Path) -> None:
    cohort = load_cohort(key)
    assert cohort.metadata.mode is MetadataMode.TACTICAL
    assert cohort.metadata.enduring_from is None
    mark = cohort.mark("metadata.mode")
    assert mark is not None
    assert mark.kind is EvidenceKind.SOURCE
    (tmp_path / "cohorts").mkdir()
    patch = tmp_path / "cohorts" / f"{key}.toml"
    patch.write_text("[metadata]\nenduring_from = 2022-11-03\n", "utf-8")
    changed = load_cohort(key, (open_overlay(tmp_path),)).metadata
    assert changed.enduring_from is not None
    assert changed.mode_on(changed.enduring_from) is MetadataMode.ENDURING
    day_before = changed.enduring_from.replace(day=2)
    assert changed.mode_on(day_before) is MetadataMode.TACTICAL
