import time

import pytest

from harness.formats.duis import xml_input
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.requests import read_request
from harness.formats.duis.xml_input import MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_ELEMENTS, parse

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><r>&a11;</r>"
)
HOSTILE: dict[str, tuple[bytes, DuisFault]] = {
    "billion laughs": (LAUGHS, DuisFault.ENTITY),
    "quadratic blow-up": (
        b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 50_000 + b'">]><r>' + b"&a;" * 50_000 + b"</r>",
        DuisFault.ENTITY,
    ),
    "external entity": (
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
        DuisFault.EXTERNAL_ENTITY,
    ),
    "parameter entity": (
        b'<!DOCTYPE r [<!ENTITY % p PUBLIC "x" "http://127.0.0.1:9/e.dtd"> %p;]><r/>',
        DuisFault.EXTERNAL_ENTITY,
    ),
    "external document type": (
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/r.dtd"><r/>',
        DuisFault.EXTERNAL_DTD,
    ),
    "document type": (b"<!-- before it --> <?pi here?>\n<!DOCTYPE r []><r/>", DuisFault.DTD),
    "document type after a byte order mark": (b"\xef\xbb\xbf<!DOCTYPE r><r/>", DuisFault.DTD),
    "unknown entity": (b"<r>&nothing;</r>", DuisFault.NOT_WELL_FORMED),
    "document type inside": (b"<r><!DOCTYPE r></r>", DuisFault.NOT_WELL_FORMED),
    "deep": (b"<a>" * 40 + b"</a>" * 40, DuisFault.TOO_DEEP),
    "very deep": (b"<a>" * 400_000, DuisFault.TOO_DEEP),
    "many elements": (b"<r>" + b"<a/>" * 4_000_000 + b"</r>", DuisFault.TOO_MANY_ELEMENTS),
    "many attributes": (
        b"<r " + b" ".join(b'a%d=""' % n for n in range(200_000)) + b"/>",
        DuisFault.TOO_MANY_ATTRIBUTES,
    ),
    "too large": (b" " * (MAX_DOCUMENT_BYTES + 1), DuisFault.TOO_LARGE),
    "UTF-16": ("<r/>".encode("utf-16"), DuisFault.NOT_UTF8),
    "UTF-7 to hide a document type": (
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE r [+ADw-!ENTITY a "b"+AD4-]+AD4-',
        DuisFault.DTD,  # the search for it misses it, the parser does not
    ),
    "Latin-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?><r>x</r>', DuisFault.NOT_UTF8),
    "not XML": (b"\x1e\xf1\xee\x0b", DuisFault.NOT_UTF8),
    "empty": (b"", DuisFault.NOT_WELL_FORMED),
    "cut off": (b"<r><a>", DuisFault.NOT_WELL_FORMED),
    "two roots": (b"<r/><r/>", DuisFault.NOT_WELL_FORMED),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_document_is_refused_by_name_and_early(name: str) -> None:
    data, fault = HOSTILE[name]
    began = time.process_time()
    with pytest.raises(DuisError) as caught:
        read_request(data)
    assert caught.value.name is fault
    assert time.process_time() - began < 5


def test_the_kinds_of_hostility_have_names_of_their_own() -> None:
    names = {HOSTILE[name][1] for name in HOSTILE}
    assert len(names) == 10


def test_a_document_type_is_refused_in_the_line_it_stands_in() -> None:
    with pytest.raises(DuisError) as caught:
        parse(b"<!-- one\ntwo -->\n<!DOCTYPE r><r/>")
    assert caught.value.line == 3


def test_a_document_just_inside_the_bounds_is_parsed() -> None:
    deep = b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH
    assert parse(deep).tag == "a"
    wide = b"<r>" + b"<a/>" * (MAX_ELEMENTS - 1) + b"</r>"
    assert len(parse(wide)) == MAX_ELEMENTS - 1


def test_a_text_longer_than_libxml2_allows_by_default_is_parsed() -> None:
    text = b"A" * 13_653_336  # base64 of the largest image
    assert len(parse(b"<r>" + text + b"</r>").text or "") == len(text)


def test_a_comment_does_not_split_a_text() -> None:
    # Where it did, a signed value and the value acted on could differ.
    assert parse(b"<r>90-B3<!-- , -->-D5</r>").text == "90-B3-D5"
    assert parse(b"<r>90<?pi?>-B3</r>").text == "90-B3"


def test_a_predefined_entity_is_no_entity_declaration() -> None:
    assert parse(b"<r>&lt;&amp;&#65;</r>").text == "<&A"


@pytest.mark.parametrize("cut", range(0, len(LAUGHS), 37))
def test_a_cut_off_document_with_entities_is_never_parsed(cut: int) -> None:
    with pytest.raises(DuisError):
        parse(LAUGHS[:cut])


def test_no_file_is_read_and_no_address_asked_even_behind_the_first_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # With the search for DOCTYPE taken away, the parser itself must still refuse.
    monkeypatch.setattr(xml_input, "_refuse_document_type", lambda _text: None)
    for name in ("external entity", "parameter entity", "external document type", "billion laughs"):
        with pytest.raises(DuisError) as caught:
            parse(HOSTILE[name][0])
        assert caught.value.name is DuisFault.DTD
