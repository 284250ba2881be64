"""A short document that is built at once is one in which a walk finds nothing to refuse."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.xml_input import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    SIGNATURE_NAMESPACE,
    _built,
    _tree,
    _walk,
    parse,
)
from tests.harness.formats.migration_files.migration_given import SCHEMA
from tests.sampling import examples

NS = SCHEMA.namespace
GOOD = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<m:r xmlns:m="{NS}" xmlns:d="{SIGNATURE_NAMESPACE}">'
    '<m:a b="1">x &amp; y</m:a><m:c/><d:S/></m:r>'
).encode()
#: As files are written here: what they are stands in a comment before them.
SAID = GOOD.replace(b"\n", b"\n<!-- a file - made up -->\n", 1)
PIECES = [b"<!-- -->", b"<?a b?>", b"<![CDATA[x]]>", b' xmlns="urn:a"', b' xmlns:m="urn:a"', b"&x;"]


def walked(data: bytes) -> bytes:
    """What the walk lets pass, as canonical octets."""
    _walk(data, NS, Gate())
    return etree.tostring(_tree(data, Gate()), method="c14n")


def test_a_plain_document_is_built_at_once_and_is_the_same() -> None:
    for data in (GOOD, SAID):
        root = _built(data, NS)
        assert root is not None
        assert root.getprevious() is None  # comments are dropped
        assert etree.tostring(root, method="c14n") == walked(data)
        assert etree.tostring(parse(data, NS), method="c14n") == walked(data)


@pytest.mark.parametrize(
    "before",
    [b"<!-- -- -->", b"<!--a--->", b"<?a b?>", b"<!DOCTYPE m:r>", b"<!-- a", b"x", b"\x0c"],
    ids=repr,
)
def test_whatever_else_stands_before_a_document_is_left_to_the_walk(before: bytes) -> None:
    assert _built(GOOD.replace(b"\n", b"\n" + before, 1), NS) is None
    assert _built(SAID.replace(b"\n", b"\n" + before, 1), NS) is None


@pytest.mark.parametrize("piece", PIECES, ids=repr)
@pytest.mark.parametrize("mark", [b"<m:a", b"<m:c", b"<d:S", b" b="])
def test_whatever_is_out_of_the_ordinary_is_left_to_the_walk(piece: bytes, mark: bytes) -> None:
    at = GOOD.index(mark) + (len(mark) if piece.startswith(b" ") else 0)
    assert _built(GOOD[:at] + piece + GOOD[at:], NS) is None


def test_what_is_over_a_bound_is_left_to_the_walk() -> None:
    deep = f'<m:r xmlns:m="{NS}">'.encode() + b"<m:a>" * MAX_DEPTH + b"</m:a>" * MAX_DEPTH
    wide = " ".join(f'a{number}="1"' for number in range(MAX_ATTRIBUTES + 1))
    assert _built(deep + b"</m:r>", NS) is None
    assert _built(f'<m:r xmlns:m="{NS}"><m:a {wide}/></m:r>'.encode(), NS) is None
    assert _built(GOOD.replace(b"<m:r", b"<d:r").replace(b"</m:r", b"</d:r"), NS) is None


@settings(max_examples=examples(800))
@given(
    st.sampled_from([GOOD, SAID]),
    st.integers(0, len(GOOD) - 1),
    st.integers(0, 255),
    st.sampled_from([b"", *PIECES]),
)
def test_no_damaged_copy_passes_that_the_walk_refuses(
    good: bytes, at: int, octet: int, piece: bytes
) -> None:
    data = good[:at] + piece + bytes((octet,)) + good[at + 1 :]
    root = _built(data, NS)
    if root is not None:
        assert etree.tostring(root, method="c14n") == walked(data)
