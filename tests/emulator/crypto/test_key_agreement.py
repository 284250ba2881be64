import hashlib
from dataclasses import replace

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.key_agreement import ENCRYPTION, KeyAgreement, derive_key
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.signature import point_of

ALICE = Eui64.parse("02-53-42-00-00-00-00-01")
BOB = Eui64.parse("02-53-42-00-00-00-00-02")
STRANGER = Eui64.parse("02-53-42-00-00-00-00-03")
# RFC 5903, 8.1: the 256-bit random ECP group.
ALICE_SCALAR = 0xC88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433
BOB_SCALAR = 0xC6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53
SECRET = bytes.fromhex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de")


def entry(eui64: Eui64, scalar: int, *, private: bool, prepayment: bool = False) -> KeyEntry:
    full = KeyEntry(eui64, KeyUsage.KA, prepayment, point_of(scalar), scalar)
    return full if private else full.public()


@pytest.mark.parametrize(("alice", "bob"), [(True, False), (False, True), (True, True)])
def test_either_private_key_gives_the_same_secret_in_either_order(alice: bool, bob: bool) -> None:
    store = KeyStore(
        [entry(ALICE, ALICE_SCALAR, private=alice), entry(BOB, BOB_SCALAR, private=bob)]
    )
    agreement = KeyAgreement(store)
    assert agreement.shared_secret(ALICE, BOB) == SECRET
    assert agreement.shared_secret(BOB, ALICE) == SECRET


def test_without_a_private_key_or_a_party_there_is_no_secret() -> None:
    store = KeyStore(
        [entry(ALICE, ALICE_SCALAR, private=False), entry(BOB, BOB_SCALAR, private=False)]
    )
    agreement = KeyAgreement(store)
    assert agreement.shared_secret(ALICE, BOB) is None
    assert agreement.shared_secret(ALICE, STRANGER) is None
    assert agreement.knows(ALICE)
    assert not agreement.knows(STRANGER)
    store.add(entry(BOB, BOB_SCALAR, private=True))
    assert agreement.shared_secret(ALICE, BOB) == SECRET


def test_a_replaced_key_never_meets_the_old_secret() -> None:
    store = KeyStore(
        [entry(ALICE, ALICE_SCALAR, private=True), entry(BOB, BOB_SCALAR, private=False)]
    )
    agreement = KeyAgreement(store)
    assert agreement.shared_secret(ALICE, BOB) == SECRET
    store.add(entry(BOB, BOB_SCALAR + 1, private=False))
    assert agreement.shared_secret(ALICE, BOB) not in {SECRET, None}
    store.add(entry(BOB, BOB_SCALAR, private=False))
    assert agreement.shared_secret(ALICE, BOB) == SECRET


def test_a_prepayment_secret_needs_a_prepayment_key() -> None:
    store = KeyStore(
        [entry(ALICE, ALICE_SCALAR, private=True), entry(BOB, BOB_SCALAR, private=False)]
    )
    agreement = KeyAgreement(store)
    assert agreement.shared_secret(ALICE, BOB, prepayment=True) is None
    store.add(entry(ALICE, ALICE_SCALAR + 1, private=True, prepayment=True))
    special = agreement.shared_secret(ALICE, BOB, prepayment=True)
    assert special not in {SECRET, None}
    assert agreement.shared_secret(BOB, ALICE, prepayment=True) == special
    assert agreement.shared_secret(ALICE, BOB) == SECRET


def test_the_derived_key_is_the_first_half_of_one_hash() -> None:
    info = bytes.fromhex("00000001") + SECRET + bytes.fromhex("60857406080300") + ALICE.octets
    info += bytes.fromhex("090100000000000003e8") + BOB.octets
    assert derive_key(SECRET, ALICE, BOB, 1000, 1) == hashlib.sha256(info).digest()[:16]


def test_everything_that_goes_into_the_key_changes_it() -> None:
    usual = (SECRET, ALICE, BOB, 1000, 1)
    others = [
        (bytes(32), ALICE, BOB, 1000, 1),
        (SECRET, BOB, ALICE, 1000, 1),
        (SECRET, ALICE, STRANGER, 1000, 1),
        (SECRET, ALICE, BOB, 1001, 1),
        *((SECRET, ALICE, BOB, 1000, octet) for octet in (2, 3, ENCRYPTION)),
    ]
    keys = {derive_key(*arguments) for arguments in (usual, *others)}
    assert len(keys) == 8
    assert all(len(key) == 16 for key in keys)


def test_a_public_entry_replaced_by_itself_keeps_what_is_known() -> None:
    store = KeyStore([entry(ALICE, ALICE_SCALAR, private=True)])
    store.add(replace(entry(ALICE, ALICE_SCALAR, private=False)))
    held = store.find(ALICE, KeyUsage.KA)
    assert held is not None
    assert held.private_scalar == ALICE_SCALAR
