import os
import time
import tracemalloc
from pathlib import Path

import pytest

from harness.formats.migration_files import xml_input
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.reading import check_path
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import (
    MAX_DEPTH,
    MAX_DOCUMENT_BYTES,
    MAX_ELEMENTS,
    octets_of,
    parse,
)
from harness.rules.migration_rulebook import Switches
from tests.harness.formats.migration_files.migration_given import SCHEMA, context, one

NS = SCHEMA.namespace
OPEN, CLOSE = f'<m:r xmlns:m="{NS}">'.encode(), b"</m:r>"
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><r>&a11;</r>"
)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "billion laughs": (LAUGHS, "X-ENTITY 01"),
    "quadratic blow-up": (
        b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 50_000 + b'">]><r>' + b"&a;" * 50_000 + b"</r>",
        "X-ENTITY 01",
    ),
    "external entity": (
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
        "X-ENTITY 02",
    ),
    "parameter entity": (
        b'<!DOCTYPE r [<!ENTITY % p PUBLIC "x" "http://127.0.0.1:9/e.dtd"> %p;]><r/>',
        "X-ENTITY 02",
    ),
    "external document type": (b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/r"><r/>', "X-DTD 02"),
    "document type": (b"<!-- before it -->\n<!DOCTYPE r []>" + OPEN + CLOSE, "X-DTD 01"),
    "document type after a byte order mark": (b"\xef\xbb\xbf<!DOCTYPE r><r/>", "X-DTD 01"),
    "document type behind an instruction": (b"<?a b?><!DOCTYPE r><r/>", "X-DTD 01"),
    "unknown entity": (OPEN + b"&nothing;" + CLOSE, "X-XML 02"),
    "document type inside": (OPEN + b"<!DOCTYPE r>" + CLOSE, "X-XML 02"),
    "processing instruction": (OPEN + b"<?php x?>" + CLOSE, "X-XML 03"),
    "deep": (OPEN + b"<m:a>" * 40 + b"</m:a>" * 40 + CLOSE, "X-SIZE 02"),
    "very deep": (OPEN + b"<m:a>" * 400_000, "X-SIZE 02"),
    "many elements": (OPEN + b"<m:a/>" * 5_000_000 + CLOSE, "X-SIZE 03"),
    "many attributes": (
        OPEN + b"<m:a " + b" ".join(b'a%d=""' % n for n in range(200_000)) + b"/>" + CLOSE,
        "X-SIZE 04",
    ),
    "UTF-16": ("<r/>".encode("utf-16"), "X-XML 01"),
    "UTF-7 to hide a document type": (
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE r [+ADw-!ENTITY a "b"+AD4-]+AD4-',
        "X-DTD 01",
    ),
    "Latin-1": (
        b'<?xml version="1.0" encoding="ISO-8859-1"?>' + OPEN + CLOSE,
        "X-XML 01",
    ),
    "not XML": (b"\x1e\xf1\xee\x0b", "X-XML 01"),
    "empty": (b"", "X-XML 02"),
    "cut off": (OPEN + b"<m:a>", "X-XML 02"),
    "two roots": (OPEN + CLOSE + OPEN + CLOSE, "X-XML 02"),
    "no namespace": (b"<r/>", "X-NS 01"),
    "another namespace": (b'<r xmlns="urn:other"/>', "X-NS 01"),
    "a strange namespace beside": (
        OPEN.replace(b">", b' xmlns:x="urn:x">') + CLOSE,
        "X-NS 02",
    ),
    "schema instance": (
        OPEN.replace(b">", b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">') + CLOSE,
        "X-NS 02",
    ),
    "a strange namespace inside": (OPEN + b'<a xmlns="urn:x"/>' + CLOSE, "X-NS 02"),
    "one namespace under two prefixes": (
        OPEN.replace(b">", f' xmlns="{NS}">'.encode()) + CLOSE,
        "X-NS-TWICE 01",
    ),
    "two prefixes at two places": (
        OPEN + f'<n:a xmlns:n="{NS}"/>'.encode() + CLOSE,
        "X-NS-TWICE 01",
    ),
    "one prefix for two namespaces": (
        OPEN + b'<a xmlns:m="http://www.w3.org/2000/09/xmldsig#"/>' + CLOSE,
        "X-NS-TWICE 02",
    ),
}


def refusal(data: bytes) -> str:
    with pytest.raises(MigrationFileError) as caught:
        parse(data, NS)
    return f"{caught.value.check.code} {caught.value.sub_code}"


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_document_is_refused_by_code_and_early(name: str) -> None:
    data, code = HOSTILE[name]
    began = time.process_time()
    assert refusal(data) == code
    assert time.process_time() - began < 5


def test_a_document_just_inside_the_bounds_is_parsed() -> None:
    deep = OPEN + b"<m:a>" * (MAX_DEPTH - 1) + b"</m:a>" * (MAX_DEPTH - 1) + CLOSE
    assert len(parse(deep, NS)) == 1
    wide = OPEN + b"<m:a/>" * 5000 + CLOSE
    assert len(parse(wide, NS)) == 5000


def test_the_number_of_elements_is_bounded_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_input, "MAX_ELEMENTS", 10)
    assert len(parse(OPEN + b"<m:a/>" * 9 + CLOSE, NS)) == 9
    assert refusal(OPEN + b"<m:a/>" * 10 + CLOSE) == "X-SIZE 03"
    assert MAX_ELEMENTS == 1_500_000


def test_the_same_binding_twice_is_no_second_one() -> None:
    assert len(parse(OPEN + f'<m:a xmlns:m="{NS}"/>'.encode() + CLOSE, NS)) == 1


def test_a_comment_does_not_split_a_text() -> None:
    root = parse(OPEN + b"90-B3<!-- , -->-D5" + CLOSE, NS)
    assert root.text == "90-B3-D5"
    assert len(root) == 0


@pytest.mark.parametrize("cut", range(0, len(LAUGHS), 37))
def test_a_cut_off_document_with_entities_is_never_parsed(cut: int) -> None:
    with pytest.raises(MigrationFileError):
        parse(LAUGHS[:cut], NS)


def test_no_file_is_read_and_no_address_asked_even_behind_the_first_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # With the search for DOCTYPE taken away, the parser itself must still refuse.
    monkeypatch.setattr(xml_input, "_refuse_document_type", lambda _text, _gate: None)
    for name in ("external entity", "parameter entity", "external document type", "billion laughs"):
        assert refusal(HOSTILE[name][0]) == "X-DTD 01"


@pytest.mark.parametrize("name", ["billion laughs", "quadratic blow-up", "external entity"])
def test_entities_stay_unexpanded_even_where_their_checks_are_switched_off(name: str) -> None:
    off = Gate(switches=Switches(disabled=frozenset({"DTD", "ENTITY", "NS"})))

    def read() -> None:
        SCHEMA.validate(parse(HOSTILE[name][0], NS, gate=off))

    tracemalloc.start()
    try:
        with pytest.raises(MigrationFileError):
            read()
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_file_of_one_gibibyte_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / one(FileType.MCF).name
    with path.open("wb") as file:
        file.truncate(1 << 30)  # a hole: nothing is written
    context()  # loads keys and rule tables, which is no part of the file's cost
    tracemalloc.start()
    began = time.process_time()
    row = check_path(path, context())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert row.error is not None
    assert (row.error.check.code, row.error.sub_code) == ("X-SIZE", "01")
    assert (row.sha256, row.size_bytes, row.file_type) == ("", 1 << 30, FileType.MCF)
    assert peak < 1 << 20
    assert time.process_time() - began < 3


def test_an_endless_pipe_is_read_no_further_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xml_input, "MAX_DOCUMENT_BYTES", 1000)
    if not os.path.exists("/dev/zero"):  # noqa: PTH110 -- a device, not a file
        pytest.skip("no /dev/zero on this system")
    with pytest.raises(MigrationFileError, match="X-SIZE 01"):
        octets_of(Path("/dev/zero"))


def test_a_document_in_memory_is_bounded_too() -> None:
    data = b" " * (MAX_DOCUMENT_BYTES + 1)
    assert refusal(data) == "X-SIZE 01"
    with pytest.raises(MigrationFileError, match="X-SIZE 01"):
        parse(OPEN + CLOSE, NS, limit_bytes=3)
