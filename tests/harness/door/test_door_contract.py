"""Both ways in say the same: what is taken, what is refused and why, what comes back."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from emulator.core.chance import Chance
from emulator.core.clock import to_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.pki import TestPki
from harness.door.client import Sent, Way
from harness.door.trust import USER_ROLE, xml_key_of
from harness.formats.duis.bodies import ReadInventory
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.responses import read_response
from harness.formats.duis.signing import XmlKey
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from tests.given import needs_duis
from tests.harness.door.door_kit import CHF, EIS, ESME, OTHER, Served, resigned
from tests.harness.formats.duis_given import is_valid

WAYS = pytest.mark.parametrize("kind", ["http", "drop"])
STRANGER = Eui64.parse("02-53-42-00-00-77-00-00")


def strange_key(party: Eui64) -> XmlKey:
    """A key of another PKI."""
    pki = TestPki.new(Chance(99).stream("others").octets, 1_700_000_000_000)  # type: ignore[arg-type]  # a moment
    entry = pki.xml_signing_entry(party, USER_ROLE, "somebody else")
    assert entry.private_scalar is not None
    assert entry.certificate is not None
    return XmlKey.of(entry.private_scalar, entry.certificate)


def doctype(inner: str) -> Callable[[Served], bytes]:
    def make(served: Served) -> bytes:
        head, _, rest = served.signed().partition(b"?>")
        return head + b"?>" + inner.encode() + rest

    return make


def altered(served: Served) -> bytes:
    return served.read(ESME).replace(str(ESME).encode(), str(CHF).encode(), 1)


def of_role(served: Served, role: Role) -> bytes:
    party = TEST_PARTIES[role]
    identity = RequestId(party, served.door.world.trust.dsp, 1)
    return served.signed(identity=identity, key=served.key(party))


REFUSALS: dict[str, Callable[[Served], bytes]] = {
    "missing-signature": lambda s: write_request(request(ReadInventory(ESME), s.identity())),
    "bad-signature": altered,
    "unknown-certificate": lambda s: s.signed(key=strange_key(EIS)),
    "wrong-originator": lambda s: s.signed(key=s.key(OTHER)),
    "wrong-role": lambda s: of_role(s, Role.S1SP),
    "not-well-formed": lambda s: s.signed()[:-20],
    "not-utf-8": lambda s: s.signed().replace(b"<", b"\xff<", 1),
    "dtd": doctype("<!DOCTYPE Request>"),
    "external-dtd": doctype('<!DOCTYPE Request SYSTEM "http://127.0.0.1/x.dtd">'),
    "entity": doctype('<!DOCTYPE Request [<!ENTITY a "b">]>'),
    "external-entity": doctype('<!DOCTYPE Request [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
    "wrong-root": lambda _s: b"<Request/>",
    "schema-version": lambda s: s.signed().replace(b'"5.4"', b'"5.3"'),
    "unsupported-service": lambda s: resigned(
        s.signed(), s.key(), ServiceReference="99.1", ServiceReferenceVariant="99.1"
    ),
    "bad-request-id": lambda s: resigned(s.signed(), s.key(), RequestID="one:two:3"),
    "too-large": lambda s: s.signed() + b" " * MAX_DOCUMENT_BYTES,
}


def footprint(served: Served) -> list[Any]:
    """What a refused request must not change."""
    served.settle()
    dsp = served.door.world.dsp
    return [served.door.exchange.counts(), dsp.inventory.dump(), len(dsp.decisions)]


@WAYS
@pytest.mark.parametrize("code", REFUSALS)
def test_each_wrong_request_is_refused_by_its_own_name_and_leaves_no_trace(
    served: Served, kind: str, code: str
) -> None:
    octets, before = REFUSALS[code](served), footprint(served)
    sent = served.way(kind).send(octets)
    assert sent.refusal is not None, sent
    assert set(sent.refusal) == {"code", "what", "where", "cause", "next"}
    assert sent.refusal["code"] == code
    assert all(sent.refusal[name] for name in ("what", "next"))
    assert footprint(served) == before


@WAYS
def test_an_unknown_user_is_refused_even_without_naming_a_certificate(
    served: Served, kind: str
) -> None:
    identity = RequestId(STRANGER, served.door.world.trust.dsp, 5)
    octets = served.signed(identity=identity, key=strange_key(STRANGER))
    root = etree.fromstring(octets)
    info = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}KeyInfo"))
    parent = info.getparent()
    assert parent is not None
    parent.remove(info)
    refusal = served.way(kind).send(etree.tostring(root)).refusal
    assert refusal is not None
    assert refusal["code"] == "unknown-user"


@WAYS
def test_a_counter_is_taken_once_whichever_way_it_came_first(served: Served, kind: str) -> None:
    octets = served.signed()
    other = "drop" if kind == "http" else "http"
    assert served.way(kind).send(octets).document is not None
    before = footprint(served)
    for way in (kind, other):
        refusal = served.way(way).send(octets).refusal
        assert refusal is not None
        assert refusal["code"] == "replayed-counter"
    assert footprint(served) == before


def verified(served: Served, octets: bytes) -> None:
    """Check a reply's signature with a library of others, against the published certificate."""
    store = served.door.world.public_keys()
    entry = store.find(served.door.world.trust.dsp, KeyUsage.XML)
    assert entry is not None
    assert entry.certificate is not None
    certificate = x509.load_der_x509_certificate(entry.certificate)
    methods = frozenset({SignatureMethod.ECDSA_SHA256})
    at = to_datetime(served.door.intake.now())
    config = SignatureConfiguration(location="./", signature_methods=methods, verification_time=at)
    XMLVerifier().verify(etree.fromstring(octets), x509_cert=certificate, expect_config=config)


@WAYS
def test_a_non_device_request_is_answered_at_once_signed_by_the_dsp(
    served: Served, kind: str
) -> None:
    sent = served.way(kind).send(served.signed(ReadInventory(ESME)))
    assert sent.document is not None
    assert read_response(sent.document).header.code == "I0"
    verified(served, sent.document)


@WAYS
def test_a_device_request_is_acknowledged_with_an_id_and_answered_later(
    served: Served, kind: str
) -> None:
    way, octets = served.way(kind), served.read(ESME)
    sent = way.send(octets)
    assert sent.document is None
    assert sent.id is not None
    answer = awaited(way, sent)
    assert str(read_response(answer).header.request_id) in octets.decode()
    verified(served, answer)


def awaited(way: Way, sent: Sent) -> bytes:
    pause = threading.Event()
    for _try in range(400):
        found = way.answer(sent)
        if found is not None:
            return found
        pause.wait(0.05)
    raise AssertionError("no answer")


@WAYS
def test_a_request_the_dsp_refuses_is_taken_and_answered_with_its_code(
    served: Served, kind: str
) -> None:
    way = served.way(kind)
    sent = way.send(served.read(STRANGER))
    assert sent.id is not None
    answer = awaited(way, sent)
    assert read_response(answer).header.code.startswith("E")
    verified(served, answer)


@needs_duis
@WAYS
def test_replies_and_alerts_are_valid_against_the_schema(served: Served, kind: str) -> None:
    way = served.way(kind)
    shown = way.send(served.signed(ReadInventory(ESME))).document
    assert shown is not None
    assert is_valid(shown)
    sent = way.send(served.read(ESME))
    assert is_valid(awaited(way, sent))


def test_each_request_is_told_in_one_line_without_keys(served: Served) -> None:
    told = len(served.notes)
    served.way("http").send(served.signed())
    served.way("http").send(b"<a/>")
    taken, refused = (note.line() for note in served.notes[told:])
    assert f"{EIS} 8.2 -> {served.door.world.trust.dsp}: taken #" in taken
    assert refused.endswith("wrong-root -")
    secrets = [one.private_scalar for one in served.keys.entries() if one.private_scalar]
    text = json.dumps([note.line() for note in served.notes])
    assert not any(f"{scalar:x}" in text for scalar in secrets)


def test_the_users_key_is_what_the_trust_folder_holds(served: Served) -> None:
    assert xml_key_of(served.keys, EIS) == served.key()
