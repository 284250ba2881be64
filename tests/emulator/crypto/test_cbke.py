import pytest

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.binary_curve import InvalidPointError
from emulator.crypto.cbke import (
    Agreement,
    EphemeralKey,
    Party,
    SoftwareEngine,
    agree,
    associated_value,
    derive_keys,
    implicit_signature,
    keyed_hashes,
    shared_secret,
)
from emulator.crypto.ecqv import SUITES, Authority
from tests.emulator.crypto.smart_energy_annex_c import EXAMPLES, Example, Side

EXAMPLE = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.suite.name)
SUITE = pytest.mark.parametrize("suite", list(KeySuite), ids=lambda suite: suite.name)
SHORT = KeySuite.CBKE_163  # where the suite does not matter: the quicker one
ONE, OTHER = Eui64.parse("00-DB-12-34-56-78-90-A0"), Eui64.parse("00-DB-12-34-56-78-90-A1")


@EXAMPLE
def test_the_ephemeral_keys_of_annex_c_belong_together(example: Example) -> None:
    for side in (example.u, example.v):
        curve = SUITES[example.suite].curve
        scalar = int(side.ephemeral_private, 16) % curve.order
        assert EphemeralKey.of(example.suite, scalar).public.hex() == side.ephemeral_public


@EXAMPLE
def test_both_sides_reach_the_shared_secret_of_annex_c(example: Example) -> None:
    curve = SUITES[example.suite].curve
    for we, they in ((example.u, example.v), (example.v, example.u)):
        z = shared_secret(
            example.suite,
            int(we.private, 16),
            example.ephemeral(we),
            curve.decode(bytes.fromhex(they.public)),
            curve.decode(bytes.fromhex(they.ephemeral_public)),
        )
        assert z.hex() == example.z


@EXAMPLE
def test_keys_and_keyed_hashes_are_those_of_annex_c(example: Example) -> None:
    mac_key, link_key = derive_keys(bytes.fromhex(example.z))
    assert (mac_key.hex(), link_key.hex()) == (example.mac_key, example.link_key)

    def party(side: Side) -> Party:
        subject = example.credentials(side).subject
        return Party(subject, bytes.fromhex(side.ephemeral_public))

    mac_u, mac_v = keyed_hashes(mac_key, party(example.u), party(example.v))
    assert (mac_u.hex(), mac_v.hex()) == (example.mac_u, example.mac_v)


@EXAMPLE
def test_from_certificate_to_link_key_annex_c_comes_out(example: Example) -> None:
    wanted = Agreement(
        *(bytes.fromhex(text) for text in (example.mac_u, example.mac_v, example.link_key))
    )
    for we, they, initiator in ((example.u, example.v, True), (example.v, example.u, False)):
        found = agree(
            example.credentials(we),
            example.ephemeral(we),
            bytes.fromhex(they.certificate),
            bytes.fromhex(they.ephemeral_public),
            initiator=initiator,
        )
        assert found == wanted


def engines(suite: KeySuite, seed: int = 1) -> tuple[SoftwareEngine, SoftwareEngine]:
    authority = Authority.draw(suite, Stream(seed, "authority"))
    one, other = (
        SoftwareEngine(
            authority.issue(device, Stream(seed, f"{device} issued")), Stream(seed, str(device))
        )
        for device in (ONE, OTHER)
    )
    return one, other


@SUITE
@pytest.mark.parametrize("seed", [1, 20])
def test_two_devices_of_one_authority_agree_on_everything(suite: KeySuite, seed: int) -> None:
    one, other = engines(suite, seed)
    key_one, key_other = one.make_key(), other.make_key()
    ours = one.agree(other.credentials.certificate, key_other, initiator=True)
    theirs = other.agree(one.credentials.certificate, key_one, initiator=False)
    assert ours == theirs
    assert len({ours.mac_u, ours.mac_v, ours.link_key}) == 3
    assert one.take_link_key() == other.take_link_key() == ours.link_key


def test_fresh_ephemeral_keys_give_a_fresh_link_key() -> None:
    one, other = engines(SHORT)
    keys = set()
    for _ in range(3):
        one.make_key()
        key = other.make_key()
        keys.add(one.agree(other.credentials.certificate, key, initiator=True).link_key)
    assert len(keys) == 3


@SUITE
def test_the_roles_are_part_of_what_is_hashed(suite: KeySuite) -> None:
    one, other = engines(suite)
    one.make_key()
    key = other.make_key()
    certificate = other.credentials.certificate
    right, wrong = (one.agree(certificate, key, initiator=first) for first in (True, False))
    assert right.link_key == wrong.link_key
    assert not {right.mac_u, right.mac_v} & {wrong.mac_u, wrong.mac_v}


@SUITE
def test_the_signature_equation_holds(suite: KeySuite) -> None:
    """s·G is Q_e + avf(Q_e)·Q_s: what a partner computes from public keys alone."""
    curve = SUITES[suite].curve
    chance = Stream(4, "mqv")
    static = curve.draw_scalar(chance)
    ephemeral = EphemeralKey.draw(suite, chance)
    point = curve.decode(ephemeral.public)
    weight = associated_value(curve, point.x)
    assert weight.bit_length() == (curve.order.bit_length() + 1) // 2 + 1
    signature = implicit_signature(curve, static, ephemeral)
    public = curve.add(point, curve.multiply(weight, curve.public(static)))
    assert curve.multiply(signature, curve.base) == public


@SUITE
def test_a_partners_key_that_cancels_its_certificate_is_refused(suite: KeySuite) -> None:
    curve = SUITES[suite].curve
    partner_key = curve.public(5)
    weight = associated_value(curve, partner_key.x)
    partner = curve.multiply(-5 * pow(weight, -1, curve.order), curve.base)
    assert partner is not None
    with pytest.raises(InvalidPointError, match="infinity"):
        shared_secret(suite, 3, EphemeralKey.of(suite, 7), partner, partner_key)


@SUITE
def test_what_a_partner_sends_wrongly_is_refused(suite: KeySuite) -> None:
    one, other = engines(suite)
    one.make_key()
    good = other.make_key()
    curve = SUITES[suite].curve
    for key in (b"", good[:-1], b"\x02" + bytes(curve.field.octets), b"\x04" + good[1:]):
        with pytest.raises(InvalidPointError):
            one.agree(other.credentials.certificate, key, initiator=True)
    with pytest.raises(MalformedFrameError):
        one.agree(other.credentials.certificate[:-1], good, initiator=True)


def test_an_engine_asked_out_of_order_is_our_own_error() -> None:
    one, other = engines(SHORT)
    with pytest.raises(IllegalEventError, match="before an ephemeral key"):
        one.agree(other.credentials.certificate, other.make_key(), initiator=True)
    with pytest.raises(IllegalEventError, match="no link key"):
        one.take_link_key()
    one.make_key()
    one.agree(other.credentials.certificate, other.make_key(), initiator=True)
    one.take_link_key()
    with pytest.raises(IllegalEventError, match="no link key"):
        one.take_link_key()
    one.make_key()
    one.agree(other.credentials.certificate, other.make_key(), initiator=True)
    one.make_key()
    with pytest.raises(IllegalEventError, match="no link key"):
        one.take_link_key()
    one.make_key()
    one.forget()
    with pytest.raises(IllegalEventError, match="before an ephemeral key"):
        one.agree(other.credentials.certificate, other.make_key(), initiator=True)


def test_a_restored_engine_goes_on_where_it_stood() -> None:
    one, other = engines(SHORT)
    one.make_key()
    key, certificate = other.make_key(), other.credentials.certificate
    restored = SoftwareEngine(one.credentials, Stream(9, "else"))
    restored.load(one.dump())
    wanted = one.agree(certificate, key, initiator=True)
    assert restored.agree(certificate, key, initiator=True) == wanted
    again = SoftwareEngine(one.credentials, Stream(9, "else"))
    again.load(restored.dump())
    assert again.take_link_key() == wanted.link_key
    again.load(again.dump())
    with pytest.raises(IllegalEventError):
        again.take_link_key()


def test_no_text_holds_an_ephemeral_or_a_link_key() -> None:
    one, other = engines(SHORT)
    one.make_key()
    agreed = one.agree(other.credentials.certificate, other.make_key(), initiator=True)
    ephemeral = EphemeralKey.draw(SHORT, Stream(8, "e"))
    assert str(ephemeral.scalar) not in repr(ephemeral)
    assert repr(agreed.link_key) not in repr(agreed)
    assert agreed.link_key.hex() not in repr(agreed)
    assert "link_key" not in repr(agreed)
