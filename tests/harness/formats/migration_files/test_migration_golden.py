import io
import xml.etree.ElementTree as ET

import pytest

from harness.formats.migration_files.document import canonical
from harness.formats.migration_files.reading import believed
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import parse
from tests.harness.formats.migration_files.make_golden import FOLDER, golden
from tests.harness.formats.migration_files.migration_given import SCHEMA, context

NAMES = sorted(path.name for path in FOLDER.iterdir())


def test_the_golden_files_are_what_their_generator_makes() -> None:
    made = golden()
    assert sorted(made) == NAMES
    for name, octets in made.items():
        assert (FOLDER / name).read_bytes() == octets, f"{name}: run make_golden.py, read the diff"


def test_there_is_a_golden_file_of_every_type() -> None:
    assert {name[:3] for name in NAMES} == set(FileType)


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_is_believed_and_canonicalised_alike_by_two_libraries(name: str) -> None:
    octets = (FOLDER / name).read_bytes()
    assert believed(name, octets, context()).header.file_type == name[:3]
    out = io.StringIO()
    ET.canonicalize(octets.decode(), out=out)
    assert out.getvalue().encode() == canonical(parse(octets, SCHEMA.namespace))
