"""Migration files written as text are those that trees give, octet for octet."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from harness.formats.duis.signing import XmlKey
from harness.formats.migration_files import opening, schema
from harness.formats.migration_files.common_file import CommonFile
from harness.formats.migration_files.document import MigrationFile, octets, to_tree, written
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.group_information import STRUCTURES
from harness.formats.migration_files.schema import SHIPPED, load_schema
from harness.formats.migration_files.signing import sign
from harness.formats.migration_files.words import FileType
from tests.harness.formats.migration_files.migration_given import SCHEMA, built, home
from tests.harness.formats.migration_files.migration_values import files, of
from tests.sampling import examples

SLOW = settings(
    max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
KEY = XmlKey(12_345, "CN=A,OU=07", 7)
ODD_KEY = XmlKey(12_345, 'CN=A & B <"quoted"> \N{LATIN SMALL LETTER E WITH ACUTE}', 7)


def by_tree(file: MigrationFile, key: XmlKey) -> bytes:
    root = to_tree(file, SCHEMA)
    sign(root, key)
    return octets(root, SCHEMA)


@pytest.mark.parametrize("key", [KEY, ODD_KEY], ids=["plain", "odd"])
@pytest.mark.parametrize("file", built(), ids=lambda one: one.file.header.file_type)
def test_the_files_of_a_set_are_written_as_text(file: object, key: XmlKey) -> None:
    value: MigrationFile = file.file  # type: ignore[attr-defined]  # a BuiltFile
    assert written(value, SCHEMA, key) == by_tree(value, key)


@pytest.mark.parametrize("kind", FileType)
@SLOW
@given(data=st.data())
def test_any_file_is_written_as_its_tree_is_or_left_to_it(
    kind: FileType, data: st.DataObject
) -> None:
    file = data.draw(files(kind))
    quick = written(file, SCHEMA, KEY)
    assert quick is None or quick == by_tree(file, KEY)


@pytest.mark.parametrize("name", list(STRUCTURES))
@SLOW
@given(data=st.data())
def test_any_group_information_is_written_as_its_tree_is(name: str, data: st.DataObject) -> None:
    information = data.draw(of(STRUCTURES[name]))
    quick = opening._written(name, information, SCHEMA)
    assert quick is None or quick == opening._by_tree(name, information, SCHEMA)


@pytest.mark.parametrize("ref", ["a&b", "a<b", 'a"b', "a>b", "a'b", "a b"])
def test_characters_with_a_meaning_are_written_as_a_tree_writes_them(ref: str) -> None:
    common = built()[0].file
    file = replace(common, content=CommonFile((replace(home(1), ref=ref),)))
    quick = written(file, SCHEMA, KEY)
    assert (quick is None) == bool(set(ref) & set('&<>"'))
    assert quick is None or quick == by_tree(file, KEY)


def test_a_value_that_has_no_text_is_left_to_the_tree_which_refuses_it() -> None:
    common = built()[0].file
    file = replace(common, content=CommonFile((replace(home(1), ref=""),)))
    assert written(file, SCHEMA, KEY) is None
    with pytest.raises(MigrationFileError, match="X-VALUE"):
        to_tree(file, SCHEMA)


def test_what_another_schema_refuses_is_not_written(tmp_path: Path) -> None:
    text = SHIPPED.read_text("utf-8").replace("[A-Z]{2}", "[A-B]{2}")
    (tmp_path / schema.OVERLAY_FOLDER).mkdir()
    (tmp_path / schema.OVERLAY_FOLDER / schema.OVERLAY_FILE).write_text(text, "utf-8")
    other = load_schema([tmp_path])
    common = built()[0].file
    assert common.header.group_id == "EA"
    assert written(common, other, KEY) is None
    with pytest.raises(MigrationFileError, match="X-XSD 01"):
        to_tree(common, other)
    assert etree.QName(to_tree(common, SCHEMA)).localname == "MigrationCommonFile"
