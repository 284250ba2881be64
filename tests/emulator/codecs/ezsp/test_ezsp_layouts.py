"""The fast way and the declaration agree on every frame of every version, also on spoilt ones."""

from dataclasses import MISSING, fields

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.kinds import KINDS
from emulator.codecs.ezsp.layout import Layout, RefusedEzspError
from emulator.codecs.ezsp.protocol import VERSIONS, codec_of
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.table_deltas import TABLES, TO_V8
from emulator.codecs.ezsp.table_v13 import V13
from emulator.codecs.ezsp.tables import Delta, call
from emulator.codecs.ezsp.values import ByIndex, Nothing, StatusOnly
from emulator.core.chance import Stream
from tests.emulator.codecs.ezsp.ezsp_given import EVERY, value_of
from tests.sampling import examples


def _layouts(version: int) -> list[tuple[str, Layout]]:
    codec = codec_of(version)
    found = []
    for _version, _frame_id, name, answer in [row for row in EVERY if row[0] == version]:
        layout = codec.layout(name, answer=answer)
        assert layout is not None
        found.append((f"v{version} {name.value} {answer}", layout))
    return found


def _outcome(layout: Layout, octets: bytes, *, declared: bool) -> object:
    try:
        return layout.decode_declared(octets) if declared else layout.decode(octets)
    except RefusedEzspError as error:
        return error.reason


@pytest.mark.parametrize("version", VERSIONS)
def test_the_fast_way_and_the_declaration_agree(version: int) -> None:
    for said, layout in _layouts(version):
        chance = Stream(2, said)
        for _ in range(examples(10) // 4):
            value = value_of(layout, chance)
            octets = layout.encode(value)
            assert octets == layout.encode_declared(value), said
            assert layout.decode(octets) == value == layout.decode_declared(octets), said


@pytest.mark.parametrize("version", [8, 13, 14])
def test_truncated_and_extended_parameters_are_refused_or_another_value_both_ways(
    version: int,
) -> None:
    for said, layout in _layouts(version):
        chance = Stream(3, said)
        octets = layout.encode(value_of(layout, chance))
        cut = chance.below(max(1, len(octets)))
        for spoilt in (octets[:cut], octets + chance.octets(1)):
            found = _outcome(layout, spoilt, declared=False)
            assert found == _outcome(layout, spoilt, declared=True), said
            if not isinstance(found, Status):
                assert layout.encode(found) == spoilt, said


def test_fields_that_a_version_leaves_out_have_a_value_of_their_own() -> None:
    for version in VERSIONS:
        for said, layout in _layouts(version):
            for field in fields(layout.cls):
                if field.name not in layout.names:
                    assert field.default is not MISSING, f"{said}: {field.name}"


def test_every_name_stands_in_some_table_and_no_table_has_two_frames_of_one_number() -> None:
    known = {row.name for rows in TABLES.values() for row in rows}
    assert known == set(Frame)
    for rows in TABLES.values():
        assert len({row.frame_id for row in rows}) == len(rows)


def test_a_delta_cannot_take_away_what_is_not_there_nor_use_a_number_twice() -> None:
    with pytest.raises(ValueError, match="older table"):
        Delta(gone=frozenset({Frame.GET_KEY})).on(V13)
    with pytest.raises(ValueError, match="share a number"):
        Delta(rows=(call(0x05, Frame.GET_KEY, (Nothing, ""), (Nothing, "")),)).on(V13)
    assert Frame.EXPORT_KEY not in {row.name for row in TO_V8.on(V13)}


@pytest.mark.parametrize(
    ("cls", "spec"), [(ByIndex, "row:u8"), (ByIndex, "index:lv index:lv"), (StatusOnly, "x:u8")]
)
def test_a_row_that_does_not_suit_its_class_is_refused(cls: type[object], spec: str) -> None:
    with pytest.raises(TypeError):
        Layout(cls, spec, KINDS)
