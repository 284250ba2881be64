"""No flip of any bit of a file set is accepted with other content."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from emulator.core.chance import Stream
from harness.formats.migration_files.building import BuiltFile
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.document import canonical
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.reading import believed
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import parse
from tests.harness.formats.migration_files.migration_given import (
    SCHEMA,
    SEED,
    Wanted,
    built,
    codes,
    context,
    delivered,
    one,
    resigned,
)
from tests.sampling import examples

FILES = list(built(Wanted(homes=2)))


def by_type(file: BuiltFile) -> str:
    return str(file.file.header.file_type)


def flips(octets: bytes, first: int, step: int) -> Iterator[tuple[int, bytes]]:
    for bit in range(first, len(octets) * 8, step):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bit, bytes(flipped)


def harmless(file: BuiltFile, octets: bytes) -> bool:
    """Say whether changed octets are the same document, with the same values and signature."""
    same = canonical(parse(octets, SCHEMA.namespace)) == canonical(
        parse(file.octets, SCHEMA.namespace)
    )
    return same and believed(file.name, octets, context()) == file.file


def survivors(file: BuiltFile, first: int, step: int) -> list[int]:
    """Return the bits whose flip is accepted, after checking that nothing changed with them."""
    accepted = []
    for bit, octets in flips(file.octets, first, step):
        try:
            value = believed(file.name, octets, context())
        except MigrationFileError:
            continue
        assert value == file.file, f"bit {bit}: another value was accepted"
        assert harmless(file, octets), f"bit {bit}: another canonical form was accepted"
        accepted.append(bit)
    return accepted


@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_a_flipped_bit_is_refused_or_changes_nothing(file: BuiltFile) -> None:
    # A prime step: every bit position, all over the file; where it begins follows from the seed.
    accepted = survivors(file, Stream(SEED, f"flips/{by_type(file)}").below(211), 211)
    # What is accepted stands in the comment or the XML declaration: in no part that counts.
    end = file.octets.index(b"<mig:") * 8
    assert all(bit < end for bit in accepted), accepted


#: Every structure stands in the files of one home; more of them would only take longer.
WHOLE = list(built(Wanted(gas=False)))


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("file", WHOLE, ids=by_type)
def test_no_flip_of_any_bit_is_accepted_with_other_content(file: BuiltFile) -> None:
    accepted = survivors(file, 0, 1)
    end = file.octets.index(b"<mig:") * 8
    assert all(bit < end for bit in accepted), accepted


@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_every_bit_of_the_signature_and_of_the_header_counts(file: BuiltFile) -> None:
    for part in (b"<ds:KeyInfo>", b"<mig:MigrationCounter>", b"<ds:SignatureValue>"):
        start = file.octets.index(part)
        piece = file.octets[start : start + 34]
        for bit, octets in flips(piece, 0, 1):
            changed = file.octets[:start] + octets + file.octets[start + len(piece) :]
            with pytest.raises(MigrationFileError):
                believed(file.name, changed, context())
            assert bit < 272


@settings(max_examples=examples(80), deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_cut_inserted_doubled_or_replaced_octets_are_refused_or_change_nothing(
    file: BuiltFile, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(file.octets)))
    until = data.draw(st.integers(at, min(at + 200, len(file.octets))))
    put = data.draw(st.sampled_from([b"", b" ", b"x", file.octets[at:until] * 2, b"<!--x-->"]))
    octets = file.octets[:at] + put + file.octets[until:]
    try:
        value = believed(file.name, octets, context())
    except MigrationFileError:
        return
    assert value == file.file
    assert harmless(file, octets)


@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_truncation_and_extension_are_refused(file: BuiltFile) -> None:
    for octets in (
        *(file.octets[:cut] for cut in range(0, len(file.octets) - 1, 97)),
        file.octets[:-2],
        file.octets + b"x",
        file.octets + b"<a/>",
        file.octets + b"\0",
        file.octets * 2,
    ):
        with pytest.raises(MigrationFileError):
            believed(file.name, octets, context())


def test_white_space_behind_the_document_changes_nothing() -> None:
    for octets in (FILES[0].octets + b"\n", FILES[0].octets.rstrip()):
        assert harmless(FILES[0], octets)


@pytest.mark.parametrize(
    "pair",
    [
        ("EphemeralPublicKey", "IV", "CipherText"),
        ("CipherText",),
        ("IV",),
        ("EphemeralPublicKey",),
    ],
)
def test_blobs_swapped_by_the_requesting_party_itself_are_refused_where_they_stand(
    pair: tuple[str, ...],
) -> None:
    """The signature is right: it is the binding inside the cipher text that refuses."""

    def swap(root: etree._Element) -> None:
        for name in pair:
            first, second = root.iterfind(f".//{{*}}EncryptedS1SPGroupInformation/{{*}}{name}")
            first.text, second.text = second.text, first.text

    files = [
        resigned(file, swap) if file.file.header.file_type is FileType.MEF else file
        for file in FILES
        if file.file.header.file_type is not FileType.RFS
    ]
    report = delivered(*files)
    assert codes(report) == [""] * 4, "the file itself is in order"
    assert [row.result for row in report.installations] == [Result.REFUSED] * 2
    assert {row.findings[0].code for row in report.installations} == {"X-5.23A"}


def test_a_file_of_another_set_does_not_fit_and_the_other_set_is_untouched() -> None:
    later = list(built(Wanted(counter=42)))
    mixed = [one(FileType.MEF, Wanted(counter=42)), *(f for f in built() if by_type(f) != "MEF")]
    assert "X-5.9.7 01" in codes(delivered(*mixed))
    report = delivered(*later)
    assert report.is_clean
    assert codes(report) == [""] * 5


def test_a_renamed_file_is_refused() -> None:
    file = one(FileType.MCF)
    for old, new in (("EA_BG", "EB_BG"), ("_060000_", "_060001_"), ("0041.xml", "0042.xml")):
        name = file.name.replace(old, new)
        assert name != file.name
        assert codes(delivered(replace(file, name=name))) == ["X-NAME 02"]
