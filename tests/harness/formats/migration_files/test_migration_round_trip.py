import io
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from emulator.core.clock import UtcMs
from harness.formats.migration_files import kinds
from harness.formats.migration_files.devices import NULL_CERTIFICATE_ID, CertificateId
from harness.formats.migration_files.document import (
    FORMS,
    MigrationFile,
    canonical,
    from_tree,
    octets,
    to_tree,
)
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.group_information import STRUCTURES
from harness.formats.migration_files.kinds import Kind
from harness.formats.migration_files.opening import to_xml
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import parse
from harness.formats.migration_files.xml_table import read
from tests.harness.formats.migration_files.migration_given import SCHEMA, built
from tests.harness.formats.migration_files.migration_values import files, of
from tests.sampling import examples

SLOW = settings(
    max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("kind", FileType)
@SLOW
@given(data=st.data())
def test_any_file_is_read_as_it_was_written(kind: FileType, data: st.DataObject) -> None:
    file = data.draw(files(kind))
    document = octets(to_tree(file, SCHEMA), SCHEMA)
    root = parse(document, SCHEMA.namespace)
    SCHEMA.validate(root)
    assert from_tree(root, SCHEMA) == file
    again = octets(to_tree(from_tree(root, SCHEMA), SCHEMA), SCHEMA)
    assert again == document


@pytest.mark.parametrize("name", list(STRUCTURES))
@SLOW
@given(data=st.data())
def test_any_group_information_is_read_as_it_was_written(name: str, data: st.DataObject) -> None:
    information = data.draw(of(STRUCTURES[name]))
    document = to_xml(information, SCHEMA)
    root = parse(document, SCHEMA.namespace)
    assert read(STRUCTURES[name], root) == information
    assert canonical(root) == document


@SLOW
@given(files(FileType.MCF))
def test_two_independent_canonicalisers_agree(file: MigrationFile) -> None:
    root = to_tree(file, SCHEMA)
    out = io.StringIO()
    ET.canonicalize(octets(root, SCHEMA).decode(), out=out)
    assert out.getvalue().encode() == canonical(root)


@pytest.mark.parametrize("kind", FileType)
def test_every_document_says_that_it_is_a_stand_in(kind: FileType) -> None:
    root = to_tree(_least(kind), SCHEMA)
    document = octets(root, SCHEMA).decode()
    assert "<!-- smetsbench stand-in:" in document
    assert 'xmlns:mig="urn:x-bench:smets1-migration:1"' in document
    assert etree.QName(root).localname == FORMS[kind].root


def _least(kind: FileType) -> MigrationFile:
    found: list[MigrationFile] = []

    @settings(max_examples=examples(1), database=None)
    @given(files(kind))
    def take(file: MigrationFile) -> None:
        found.append(file)

    take()
    return found[0]


@pytest.mark.parametrize("file", built(), ids=lambda file: file.file.header.file_type)
def test_the_files_of_a_set_are_the_same_octets_for_the_same_seed(file: Any) -> None:
    built.cache_clear()
    assert file in built()


def test_a_content_of_another_type_cannot_be_written() -> None:
    mcf, mvf = built()[0].file, built()[1].file
    with pytest.raises(TypeError):
        to_tree(MigrationFile(mcf.header, mvf.content), SCHEMA)


def test_the_null_certificate_id_is_one_and_half_of_it_is_told_apart() -> None:
    """Rule NULL refuses the installation that has one (tests of its rules)."""
    assert NULL_CERTIFICATE_ID.is_null
    assert not CertificateId("7", "someone").is_null
    for serial, issuer in (("0", "someone"), ("7", "")):
        assert CertificateId(serial, issuer).is_half
        assert not CertificateId(serial, issuer).is_null


NOT_CANONICAL: list[tuple[Kind, str]] = [
    (kinds.COUNTER, "041"),
    (kinds.COUNTER, "+41"),
    (kinds.COUNTER, "4\uff11"),
    (kinds.COUNTER, "10000000000"),
    (kinds.EUI64, "70-b3-d5-1f-30-00-a0-08"),
    (kinds.EUI64, "70B3D51F3000A008"),
    (kinds.EUI64, " 70-B3-D5-1F-30-00-A0-08"),
    (kinds.MOMENT, "2026-03-02T06:00:00"),
    (kinds.MOMENT, "2026-03-02T06:00:00.000Z"),
    (kinds.MOMENT, "2026-3-2T06:00:00Z"),
    (kinds.MOMENT, "2026-02-30T06:00:00Z"),
    (kinds.WEEK, "2026-W54"),
    (kinds.WEEK, "2026-W00"),
    (kinds.GROUP, "ea"),
    (kinds.NAME, " a"),
    (kinds.NAME, ""),
    (kinds.MPAN, "123"),
    (kinds.CODE, "5.9.10"),
    (kinds.SUB_CODE, "1"),
    (kinds.TEXT, "two\nlines"),
]


@pytest.mark.parametrize(("kind", "text"), NOT_CANONICAL)
def test_a_text_that_is_not_the_one_form_of_its_value_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(MigrationFileError, match="X-VALUE 01"):
        kind.read(text)


BASE64 = kinds.octets("a secret", 1, 16)


@pytest.mark.parametrize(
    "text", ["QR==", "QUJ=", "QQ", "Q Q==", "QQ==\n", "", "Q===", "QQ=="[::-1]]
)
def test_base64_that_is_not_canonical_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(MigrationFileError, match="X-B64 01") as caught:
        BASE64.read(text)
    assert repr(text) not in caught.value.why or not text


def test_a_value_without_a_text_of_its_kind_cannot_be_written() -> None:
    for kind, value in (
        (kinds.COUNTER, -1),
        (kinds.MOMENT, UtcMs(1)),
        (kinds.NAME, "a\x00b"),
        (kinds.EUI64, None),
        (BASE64, b""),
        (BASE64, None),
    ):
        with pytest.raises(MigrationFileError, match="X-VALUE 01"):
            kind.write(value)


def test_the_migration_week_is_an_iso_week_of_utc() -> None:
    monday = 1_614_556_800_000  # 2021-03-01T00:00:00Z
    assert kinds.week_of(UtcMs(monday)) == "2021-W09"
    assert kinds.week_of(UtcMs(monday - 1)) == "2021-W08"
