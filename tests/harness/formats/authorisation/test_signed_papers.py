"""Signed papers: opened by whoever knows the signer, refused by name when anything is wrong."""

import pytest
from cryptography import x509
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from signxml.verifier import SignatureConfiguration, XMLVerifier

from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.dust.definition_words import Mistake
from harness.dust.papers_made import Paper
from harness.formats.authorisation import signed
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.parties import Directory
from tests.harness.formats.authorisation.papers_given import DAY, OTHER, Given
from tests.sampling import examples


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return Given(tmp_path_factory.mktemp("signed"))


def _paper(made: Given) -> Paper:
    return made.papers.write_demand({DAY: 7})


def test_a_signed_paper_gives_back_name_octets_and_signer(made: Given) -> None:
    name, octets = made.papers.signed(_paper(made))
    assert name.endswith(".csv.signed")
    assert signed.is_signed(octets)
    found = signed.open_signed(octets, Directory(made.keys), frozenset({made.me}))
    assert (found.name, found.octets, found.signer) == (*_paper(made), made.me)
    assert made.papers.signed(_paper(made))[1] == octets


@pytest.mark.parametrize(
    ("mistake", "code"), [(Mistake.ALTERED, "X-SIG-BAD"), (Mistake.WRONG_SIGNER, "X-SIG-SIGNER")]
)
def test_altered_and_wrongly_signed_papers_are_refused_by_name(
    made: Given, mistake: Mistake, code: str
) -> None:
    _, octets = made.papers.signed(_paper(made), [mistake])
    with pytest.raises(MigrationFileError, match=code):
        signed.open_signed(octets, Directory(made.keys), frozenset({made.me}))


def test_another_program_finds_the_signature_right(made: Given) -> None:
    entry = made.keys.find(made.me, KeyUsage.XML)
    assert entry is not None
    assert entry.certificate is not None
    certificate = x509.load_der_x509_certificate(entry.certificate)
    _, octets = made.papers.signed(_paper(made))
    wanted = SignatureConfiguration(require_x509=True, expect_references=1)
    found = XMLVerifier().verify(octets, x509_cert=certificate, expect_config=wanted)
    assert not isinstance(found, list)
    assert found.signed_data.startswith(b"<sp:SignedPaper ")


def test_an_unsigned_paper_stays_as_it_is_and_has_a_refusal_of_its_own(made: Given) -> None:
    paper = made.papers.signed(_paper(made), [Mistake.UNSIGNED])
    assert paper == _paper(made)
    assert not signed.is_signed(paper[1])
    assert signed.unsigned().finding.code == "X-SIG-NONE"


def test_a_paper_without_its_signature_element_is_unsigned(made: Given) -> None:
    _, octets = made.papers.signed(_paper(made))
    at, end = octets.index(b"<ds:Signature"), octets.index(b"</ds:Signature>")
    bare = octets[:at] + octets[end + len(b"</ds:Signature>") :]
    with pytest.raises(MigrationFileError, match="X-SIG-NONE"):
        signed.open_signed(bare, Directory(made.keys), frozenset())


def test_nobody_known_is_believed_and_anybody_known_when_nobody_is_expected(made: Given) -> None:
    _, octets = made.papers.signed(_paper(made), [Mistake.WRONG_SIGNER])
    assert signed.open_signed(octets, Directory(made.keys), frozenset()).signer == OTHER
    with pytest.raises(MigrationFileError, match="X-SIG-UNKNOWN"):
        signed.open_signed(octets, Directory(KeyStore()), frozenset())


@settings(max_examples=examples(150), deadline=None)
@drawn(data=st.data())
def test_any_changed_octet_is_found_or_changes_nothing(made: Given, data: st.DataObject) -> None:
    _, octets = made.papers.signed(_paper(made))
    at = data.draw(st.integers(0, len(octets) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda one: one != octets[at]))
    spoilt = octets[:at] + bytes((other,)) + octets[at + 1 :]
    try:
        found = signed.open_signed(spoilt, Directory(made.keys), frozenset({made.me}))
    except MigrationFileError:
        return
    assert (found.name, found.octets, found.signer) == (*_paper(made), made.me)


def test_what_is_no_xml_is_refused_and_not_taken_for_signed(made: Given) -> None:
    assert not signed.is_signed(b"PK\x03\x04")
    with pytest.raises(MigrationFileError):
        signed.open_signed(b"PK\x03\x04", Directory(made.keys), frozenset())
