import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee_certificate import (
    USAGE_KEY_AGREEMENT,
    USAGE_SIGNATURE,
    Certificate283,
)
from emulator.core.chance import Stream
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.binary_curve import InvalidPointError, PointFault
from emulator.crypto.ecqv import SUITES, TEST_ISSUER, Authority, Credentials, public_key
from tests.emulator.crypto.smart_energy_annex_c import EXAMPLES, Example
from tests.sampling import examples

SUITE = pytest.mark.parametrize("suite", list(KeySuite), ids=lambda suite: suite.name)
DEVICE = Eui64.parse("00-DB-12-34-56-78-90-A0")

# reference/zigbee-dongle.md 4.3 and the private keys beside them in CerticomCbkeCertificateTest
CERTICOM = [
    (
        KeySuite.CBKE_163,
        "0200fde8a7f3d1084224962a4e7c54e69ac3f04da6b8",
        (
            "02020882b1d7df05538f37cdd09a4f6b15368998642b"
            "0022080000000001 5445535453454341 0109108301234567890a"
        ),
        "0392ba4afc2453a49eebe9bca8de73210f02479a4a",
        "0207d1ca014786b5e552cfd5f04339a2e856f00eaaef",
    ),
    (
        KeySuite.CBKE_283,
        "0207a445022d9f39f49bdc38380026a27a9e0a1799313ab28c5c1a1c6b605154db1dff6752",
        (
            "000b3ad5a312ab75d60d081112131415161718005b7ed230ffffffff002208000000000108"
            "0205bb3d1d1576197ff9ab6563915019a130437adb0ee7915432dc4a09c97dc595c5856800"
        ),
        "00997097b87684f62f555173c47be89935fbf6440ae292492b54c5829a0d541f4d26e254",
        "02012f082ee7db1bd3f89f16eabbf5d6221a5dcd077fc0c9d37b329eee8e2cdaee03439de0",
    ),
]


@pytest.mark.parametrize(("suite", "authority", "certificate", "private", "public"), CERTICOM)
def test_certicoms_test_certificates_give_their_published_keys(
    suite: KeySuite, authority: str, certificate: str, private: str, public: str
) -> None:
    curve = SUITES[suite].curve
    found = public_key(suite, bytes.fromhex(certificate), bytes.fromhex(authority))
    assert curve.encode(found) == bytes.fromhex(public)
    assert curve.public(int(private, 16)) == found
    credentials = Credentials(
        suite, bytes.fromhex(certificate), int(private, 16), bytes.fromhex(authority)
    )
    assert credentials.fit()
    assert credentials.subject == Eui64.parse("0022080000000001")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.suite.name)
def test_the_certificates_of_annex_c_give_their_keys(example: Example) -> None:
    curve = SUITES[example.suite].curve
    for side in (example.u, example.v):
        credentials = example.credentials(side)
        assert credentials.fit()
        assert curve.encode(curve.public(int(side.private, 16))).hex() == side.public


@SUITE
def test_our_authority_issues_certificates_that_fit_their_keys(suite: KeySuite) -> None:
    authority = Authority.draw(suite, Stream(1, "authority"))
    chance = Stream(1, "device")
    one, other = authority.issue(DEVICE, chance), authority.issue(DEVICE, chance)
    assert one.fit()
    assert other.fit()
    assert one.subject == DEVICE
    assert one.private_scalar != other.private_scalar
    assert one.certificate != other.certificate
    assert SUITES[suite].read_certificate(one.certificate).issuer == TEST_ISSUER
    assert one == authority.issue(DEVICE, Stream(1, "device")), "the seed decides"


@SUITE
def test_another_authority_or_another_octet_gives_another_key(suite: KeySuite) -> None:
    authority, stranger = (Authority.draw(suite, Stream(seed, "authority")) for seed in (1, 2))
    credentials = authority.issue(DEVICE, Stream(1, "device"))
    assert not dataclasses.replace(credentials, authority_key=stranger.public).fit()
    assert not dataclasses.replace(credentials, private_scalar=7).fit()
    place = credentials.certificate.index(DEVICE.octets)
    spoilt = bytearray(credentials.certificate)
    spoilt[place] ^= 1
    assert not dataclasses.replace(credentials, certificate=bytes(spoilt)).fit()


@settings(max_examples=examples(60), deadline=None)
@given(st.sampled_from(list(KeySuite)), st.data())
def test_a_flipped_bit_never_leaves_the_key_as_it_was(suite: KeySuite, data: st.DataObject) -> None:
    credentials = Authority.draw(suite, Stream(1, "a")).issue(DEVICE, Stream(1, "device"))
    bit = data.draw(st.integers(0, 8 * len(credentials.certificate) - 1))
    spoilt = bytearray(credentials.certificate)
    spoilt[bit // 8] ^= 1 << bit % 8
    try:
        found = public_key(suite, bytes(spoilt), credentials.authority_key)
    except (InvalidPointError, MalformedFrameError):
        return
    assert found != SUITES[suite].curve.public(credentials.private_scalar)


@SUITE
def test_a_certificate_whose_sum_is_infinity_is_refused(suite: KeySuite) -> None:
    curve = SUITES[suite].curve
    credentials = Authority.draw(suite, Stream(1, "a")).issue(DEVICE, Stream(1, "device"))
    found = public_key(suite, credentials.certificate, credentials.authority_key)
    against = curve.add(curve.decode(credentials.authority_key), curve.negate(found))
    assert against is not None  # minus e·P: an authority that cancels the certificate's point
    with pytest.raises(InvalidPointError) as refused:
        public_key(suite, credentials.certificate, curve.encode(against))
    assert refused.value.fault is PointFault.INFINITY


@SUITE
def test_a_certificate_of_another_length_is_no_certificate(suite: KeySuite) -> None:
    credentials = Authority.draw(suite, Stream(1, "a")).issue(DEVICE, Stream(1, "device"))
    for octets in (b"", credentials.certificate[:-1], credentials.certificate + b"\0"):
        with pytest.raises(MalformedFrameError):
            public_key(suite, octets, credentials.authority_key)


def test_the_key_usage_asked_for_stands_in_the_certificate() -> None:
    authority = Authority.draw(KeySuite.CBKE_283, Stream(1, "a"))
    for usage in (USAGE_KEY_AGREEMENT, USAGE_SIGNATURE, USAGE_KEY_AGREEMENT | USAGE_SIGNATURE):
        issued = authority.issue(DEVICE, Stream(1, "device"), key_usage=usage)
        assert Certificate283.decode(issued.certificate).key_usage == usage
        assert issued.fit()


@SUITE
def test_no_text_holds_a_private_key(suite: KeySuite) -> None:
    authority = Authority.draw(suite, Stream(1, "authority"))
    credentials = authority.issue(DEVICE, Stream(1, "device"))
    for secret, text in (
        (authority.private_scalar, repr(authority)),
        (credentials.private_scalar, repr(credentials)),
    ):
        assert str(secret) not in text
        assert f"{secret:x}" not in text


@SUITE
def test_an_authority_without_a_key_is_our_own_error(suite: KeySuite) -> None:
    with pytest.raises(ValueError, match="private key"):
        Authority(suite, 0)
