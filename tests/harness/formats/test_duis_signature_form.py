"""Signatures written from one form are those that canonical XML would give, octet for octet."""

import base64
import hashlib

import pytest
from lxml import etree

from harness.formats.duis import document, signature_form, signing
from harness.formats.duis.shape import SIGNATURE_NAMESPACE, canonical
from harness.formats.duis.signing import XmlKey

ISSUERS = ["CN=Test CA,O=smetsbench", 'CN=A & B <"quoted"> \N{LATIN SMALL LETTER E WITH ACUTE}']


def root(text: str = "") -> etree._Element:
    made = document.new("Request")
    made.text = text
    return made


def slowly_signed(key: XmlKey) -> etree._Element:
    """A signature made element by element, its SignedInfo put into canonical form."""
    made = root("x")
    digest = base64.b64encode(hashlib.sha256(canonical(made)).digest()).decode("ascii")
    signing._append(made, key, digest)
    return made


@pytest.mark.parametrize("issuer", ISSUERS)
def test_the_form_gives_what_elements_and_canonical_xml_give(issuer: str) -> None:
    key = XmlKey(12_345, issuer, 987_654_321)
    quickly, slowly = root("x"), slowly_signed(key)
    assert signature_form.is_usual(quickly)
    signing.sign(quickly, key)
    assert document.octets(quickly) == document.octets(slowly)
    assert canonical(quickly) == canonical(slowly)


@pytest.mark.parametrize("issuer", ISSUERS)
def test_what_a_signature_says_is_read_out_of_its_canonical_form(issuer: str) -> None:
    signed = slowly_signed(XmlKey(12_345, issuer, 7))
    texts = signature_form.texts_of(signed[-1])
    assert texts is not None
    assert (texts.issuer, texts.serial) == (signature_form.escaped(issuer), b"7")
    info = signed[-1][0]
    assert signature_form.signed_info(texts.digest) == canonical(info)


@pytest.mark.parametrize(
    "spoilt",
    [b"<!-- -->", b"<?a b?>", b" ", b"<ds:Object></ds:Object>"],
    ids=["comment", "instruction", "space", "element"],
)
def test_anything_more_between_its_elements_is_another_form(spoilt: bytes) -> None:
    octets = canonical(slowly_signed(XmlKey(12_345, ISSUERS[0], 7))[-1])
    assert signature_form.texts_of(etree.fromstring(octets)) is not None
    for mark in (b"<ds:KeyInfo>", b"<ds:Transforms>", b"</ds:SignedInfo>"):
        other = octets.replace(mark, spoilt + mark)
        assert signature_form.texts_of(etree.fromstring(other)) is None


def test_a_document_without_the_usual_prefix_is_signed_element_by_element() -> None:
    key, made = XmlKey(12_345, ISSUERS[0], 7), etree.Element("a")
    assert not signature_form.is_usual(made)
    signing.sign(made, key)
    twice = etree.Element("a", nsmap={"ds": SIGNATURE_NAMESPACE, "other": SIGNATURE_NAMESPACE})
    assert not signature_form.is_usual(twice)
    assert len(made[-1]) == 3
