from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs import der
from emulator.codecs.common import MAX_DEPTH, encode_length
from emulator.codecs.der import LengthForm, Node, Tag
from emulator.codecs.gbcs import envelope
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from tests.given import needs_rtds, rtds_messages
from tests.sampling import examples

PRIMITIVES = st.one_of(
    st.binary(max_size=300).map(der.octet_string),
    st.integers(-(1 << 70), 1 << 70).map(der.integer),
    st.just(der.NULL),
    st.binary(max_size=40).map(lambda b: Node(Tag.BIT_STRING, b"\x00" + b)),
    st.binary(max_size=200).map(lambda b: Node(0x80, b)),
)
NODES = st.recursive(
    PRIMITIVES,
    lambda inner: st.lists(inner, max_size=5).map(lambda parts: der.sequence(*parts)),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (0x8F66, "0203008f66"),
        (1 << 64, "0209010000000000000000"),
    ],
)
def test_integers_are_written_in_their_shortest_form(value: int, octets: str) -> None:
    assert der.encode(der.integer(value)).hex() == octets
    assert der.decode(bytes.fromhex(octets)) == der.integer(value)


def test_a_tree_decodes_to_its_parts() -> None:
    node = der.decode(bytes.fromhex("300904040123abce020100"))
    assert node == der.sequence(der.octet_string(bytes.fromhex("0123abce")), der.integer(0))


@settings(max_examples=examples(150), deadline=None)
@given(node=NODES, form=st.sampled_from(LengthForm))
def test_any_tree_survives_both_ways_in_either_form_of_length(node: Node, form: LengthForm) -> None:
    octets = der.encode(node, form)
    again = der.decode(octets)
    assert again == node
    assert der.encode(again) == octets
    assert der.encode(again, LengthForm.RTDS) == octets  # what was read is written as it was read


def test_lengths_the_rtds_way_are_taken_and_kept() -> None:
    octets = b"\x30\x82\x00\x83\x04\x81\x80" + bytes(128)
    node = der.decode(octets)
    assert node.length_form is LengthForm.RTDS
    assert der.encode(node) == octets
    assert der.encode(Node(node.tag, node.content)) == b"\x30\x81\x83" + octets[4:]
    assert der.encode(Node(node.tag, node.content), LengthForm.RTDS) == octets


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "wanted"),
        ("30", "wanted"),
        ("3080", "length octet 80"),
        ("30820001", "shortest"),
        ("3082007f", "shortest"),
        ("300102", "wanted"),
        ("04820080", "wanted"),
        ("0500ff", "too many"),
        ("050100", "NULL"),
        ("0200", "shortest"),
        ("02020001", "shortest"),
        ("0202ff80", "shortest"),
        ("0a020001", "shortest"),
        ("0300", "unused"),
        ("030108", "unused"),
        ("1f8100", "above 30"),
        ("300304020102", "wanted"),
        ("300302010000", "too many"),
        ("3004040301", "wanted"),
        ("0484ffffffff", "length octet 84"),
    ],
)
def test_what_der_forbids_is_refused(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why) as caught:
        der.decode(bytes.fromhex(octets))
    assert caught.value.layer == "der"


def test_a_tree_nested_too_deep_is_refused_and_not_a_crash() -> None:
    node = der.NULL
    for _ in range(MAX_DEPTH):
        node = der.sequence(node)
    assert der.decode(der.encode(node)) == node
    hostile = b""
    while len(hostile) < 60_000:
        hostile = b"\x30" + encode_length(len(hostile)) + hostile
    with pytest.raises(MalformedFrameError, match="deep"):
        der.decode(der.encode(der.sequence(node)))
    with pytest.raises(MalformedFrameError, match="deep"):
        der.decode(hostile)


@pytest.mark.parametrize(
    "node",
    [
        Node(0x1F, b""),
        Node(0x130, ()),
        Node(Tag.SEQUENCE, b""),
        Node(Tag.NULL, ()),
        der.octet_string(bytes(65_536)),
    ],
)
def test_a_node_that_cannot_be_written_is_our_own_fault(node: Node) -> None:
    with pytest.raises(ValueError, match=r"."):
        der.encode(node)


@settings(max_examples=examples(100), deadline=None)
@given(node=NODES, tail=st.binary(min_size=1, max_size=3), data=st.data())
def test_no_truncation_and_no_extension_decodes(
    node: Node, tail: bytes, data: st.DataObject
) -> None:
    octets = der.encode(node)
    cut = data.draw(st.integers(0, len(octets) - 1))
    for damaged in (octets[:cut], octets + tail):
        with pytest.raises(MalformedFrameError):
            der.decode(damaged)


@settings(max_examples=examples(300), deadline=None)
@given(data=st.binary(max_size=60))
def test_what_decodes_is_written_identically_and_all_else_is_refused(data: bytes) -> None:
    try:
        node = der.decode(data)
    except MalformedFrameError:
        return
    assert der.encode(node) == data


def refused_or(read: Callable[[bytes], Node], octets: bytes) -> tuple[Node | None, str]:
    try:
        return read(octets), ""
    except MalformedFrameError as error:
        return None, f"{error.why} at {error.offset}"


@settings(max_examples=examples(400))
@given(node=NODES, at=st.integers(0, 400), octet=st.integers(0, 255), cut=st.integers(0, 40))
def test_the_fast_path_agrees_with_the_slow_one_on_damaged_values(
    node: Node, at: int, octet: int, cut: int
) -> None:
    octets = bytearray(der.encode(node))
    octets[at % len(octets)] = octet
    damaged = bytes(octets[: len(octets) - cut] if cut < len(octets) else octets)
    assert refused_or(der.decode, damaged) == refused_or(der.decode_slowly, damaged)


@needs_rtds
def test_the_fast_path_agrees_with_the_slow_one_on_the_given_payloads() -> None:
    stream, seen = Chance(5).stream("der"), 0
    for _, data in rtds_messages():
        payload = envelope.decode(data).payload
        if payload[:1] in {b"\xd9", b"\xda", b"\x0f", b"\x01"}:
            continue
        seen += 1
        assert der.decode(payload) == der.decode_slowly(payload)
        for _ in range(examples(20)):
            octets = bytearray(payload)
            octets[stream.below(len(octets))] ^= 1 << stream.below(8)
            cut = bytes(octets[: len(octets) - stream.below(3)])
            assert refused_or(der.decode, cut) == refused_or(der.decode_slowly, cut)
    assert seen == 97
