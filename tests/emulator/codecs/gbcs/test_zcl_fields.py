from collections.abc import Callable
from typing import Any

import pytest

from emulator.codecs.gbcs import zcl_attributes, zcl_declaration, zcl_fields
from emulator.codecs.gbcs.zcl_fields import ZclValues
from emulator.codecs.gbcs.zcl_layouts import LAYOUTS, ZclField, ZclPart, ZclRows
from emulator.codecs.gbcs.zcl_names import COMMANDS
from emulator.codecs.zcl import foundation
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.chance import Chance, Stream
from emulator.core.errors import MalformedFrameError
from tests.emulator.codecs.gbcs.zcl_given import damaged, given_payloads
from tests.given import needs_rtds
from tests.sampling import examples

Key = tuple[int, bool, int]


def or_refusal(read: Callable[..., Any], *arguments: Any) -> Any:
    """What a parser gives, or None where it refuses in its own words."""
    try:
        return read(*arguments)
    except MalformedFrameError as error:
        return None if error.why else error


@needs_rtds
def test_every_given_cluster_command_is_read_to_fields_and_written_back() -> None:
    kinds = set()
    for cluster, specific, to_client, command, payload in given_payloads():
        if specific:
            key = cluster, to_client, command
            fields = zcl_fields.read(key, payload)
            assert fields is not None, key
            assert zcl_fields.write(fields) == payload
            assert zcl_declaration.read(key, payload) == fields
            kinds.add(key)
    assert len(kinds) > 40


@needs_rtds
def test_both_parsers_agree_on_damaged_copies_of_the_given_commands() -> None:
    stream = Chance(7).stream("zcl")
    refused = 0
    for _ in range(examples(6)):
        for cluster, specific, to_client, command, payload in given_payloads():
            if not specific:
                continue
            key, copy = (cluster, to_client, command), damaged(payload, stream)
            fast = or_refusal(zcl_fields.read, key, copy)
            slow = or_refusal(zcl_declaration.read, key, copy)
            assert fast == slow, (key, copy.hex())
            refused += fast is None
            assert fast is None or zcl_fields.write(fast) == copy
    assert refused > 50


def made(parts: tuple[ZclPart, ...], stream: Stream) -> ZclValues:
    """Values by chance for a layout, its counts and kinds told truly."""
    values: list[tuple[ZclPart, Any]] = []
    for part in parts:
        if isinstance(part, ZclField):
            values.append((part, one_of(part, stream)))
        elif isinstance(part, ZclRows):
            count = zcl_fields.count_of(part, values) if part.count else stream.below(4)
            values.append((part, tuple(made(part.fields, stream) for _ in range(count))))
        elif zcl_fields.number_of(part.kind, values) == part.value:
            values.append((part, made(part.fields, stream)))
    return tuple(values)


def one_of(part: ZclField, stream: Stream) -> Any:
    if part.type in {"text", "octets"}:
        return None if stream.below(5) == 0 else stream.octets(stream.below(20))
    if part.type == "date":
        return stream.octets(4)
    if part.name in {"snapshot_payload_type", "configuration_control"}:
        return stream.below(7)
    bits = int("".join(filter(str.isdigit, part.type)) or 32)
    number = stream.below(1 << min(bits, 7))
    return -number if part.type == "i32" and stream.below(2) else number


@pytest.mark.parametrize("key", sorted(LAYOUTS), ids=lambda key: f"{key[0]:04x}{key[2]:02x}")
def test_every_layout_reads_back_what_it_writes_in_both_parsers(key: Key) -> None:
    stream = Chance(3).stream(f"layout/{key}")
    for _ in range(examples(20)):
        values = made(LAYOUTS[key], stream)
        octets = zcl_fields.write(values)
        assert zcl_fields.read(key, octets) == values
        assert zcl_declaration.read(key, octets) == values
        cut = octets[: stream.below(len(octets))]
        fast = or_refusal(zcl_fields.read, key, cut)
        slow = or_refusal(zcl_declaration.read, key, cut)
        assert fast == slow


def test_every_named_cluster_command_has_a_layout_and_every_layout_a_name() -> None:
    assert set(COMMANDS) == set(LAYOUTS)


def test_a_command_in_no_table_is_no_error_and_has_no_fields() -> None:
    assert zcl_fields.read((0x0702, False, 0x77), b"\x01\x02") is None
    assert zcl_declaration.read((0x0702, False, 0x77), b"\x01\x02") is None


@pytest.mark.parametrize("octets", [b"", b"\x00" * 12, b"\x00" * 14])
def test_a_command_of_another_length_is_refused_with_its_place(octets: bytes) -> None:
    with pytest.raises(MalformedFrameError, match=r"gbcs\.zcl"):
        zcl_fields.read((0x0705, False, 0x05), octets)


def test_a_value_that_does_not_fit_its_field_is_not_written() -> None:
    with pytest.raises(ValueError, match="does not fit u8"):
        zcl_fields.write(((ZclField("n", "u8"), 256),))
    with pytest.raises(ValueError, match="do not fit"):
        zcl_fields.write(((ZclField("t", "text"), bytes(255)),))
    with pytest.raises(ValueError, match="4 octets"):
        zcl_fields.write(((ZclField("d", "date"), bytes(3)),))


def by_foundation(command: int, payload: bytes) -> Any:
    return foundation.decode(ZclFrame(False, False, False, 0, command, payload))


@needs_rtds
def test_attributes_are_read_by_hand_as_the_declaration_reads_them() -> None:
    seen = 0
    for _, specific, _, command, payload in given_payloads():
        if not specific:
            assert zcl_attributes.read(command, payload) == by_foundation(command, payload)
            seen += 1
    assert seen > 150


@needs_rtds
def test_both_readings_of_attributes_agree_on_damaged_copies() -> None:
    stream = Chance(9).stream("attributes")
    refused = 0
    for _ in range(examples(6)):
        for _, specific, _, command, payload in given_payloads():
            if specific:
                continue
            copy = damaged(payload, stream)
            fast = or_refusal(zcl_attributes.read, command, copy)
            slow = or_refusal(by_foundation, command, copy)
            assert fast == slow, (command, copy.hex())
            refused += fast is None
    assert refused > 50
