import base64
import json
import stat
from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.certificate import read
from emulator.crypto.key_files import key_pem, pem
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyStoreError, KeyUsage
from emulator.crypto.pki import TestPki
from emulator.crypto.signature import point_of, sign, verify
from tests.emulator.crypto.own_messages import AT, ESME, STORE, SUPPLIER
from tests.given import RTDS_KEYS, needs_rtds

SCALAR = 0x1234567890ABCDEF1234567890ABCDEF
POINT = point_of(SCALAR)


def find(store: KeyStore, eui64: Eui64, usage: KeyUsage) -> KeyEntry:
    entry = store.find(eui64, usage)
    assert entry is not None
    return entry


def same(one: KeyStore, other: KeyStore) -> bool:
    return sorted(one.entries(), key=lambda e: e.name) == sorted(
        other.entries(), key=lambda e: e.name
    )


def test_a_private_key_is_never_printed() -> None:
    entry = KeyEntry(SUPPLIER, KeyUsage.DS, False, POINT, SCALAR)
    for text in (repr(entry), str(entry), f"{entry}", repr(KeyStore([entry])), str([entry])):
        assert str(SCALAR) not in text
        assert f"{SCALAR:x}" not in text.lower()
    assert repr(KeyStore([entry])) == "KeyStore(1 keys, 1 private)"


def test_a_key_is_found_by_party_use_and_prepayment() -> None:
    usual = KeyEntry(SUPPLIER, KeyUsage.KA, False, POINT)
    special = KeyEntry(SUPPLIER, KeyUsage.KA, True, point_of(SCALAR + 1))
    store = KeyStore([usual, special])
    assert store.find(SUPPLIER, KeyUsage.KA) == usual
    assert store.find(SUPPLIER, KeyUsage.KA, prepayment=True) == special
    assert store.find(SUPPLIER, KeyUsage.DS) is None
    assert store.find(ESME, KeyUsage.KA) is None


def test_a_public_store_holds_no_private_key_and_leaves_the_other_as_it_was() -> None:
    public = STORE.public()
    assert [e.public_point for e in public.entries()] == [e.public_point for e in STORE.entries()]
    assert all(entry.private_scalar is None for entry in public.entries())
    assert all(entry.private_scalar is not None for entry in STORE.entries())


def test_merged_stores_keep_private_keys_and_take_the_later_of_two_keys() -> None:
    merged = STORE.public().merged(STORE)
    assert same(merged, STORE)
    assert same(STORE.merged(STORE.public()), STORE)
    newer = KeyEntry(SUPPLIER, KeyUsage.DS, False, POINT)
    assert find(STORE.merged(KeyStore([newer])), SUPPLIER, KeyUsage.DS) == newer
    assert find(STORE, SUPPLIER, KeyUsage.DS) != newer


@pytest.mark.parametrize("name", ["keys.json", "keys"])
def test_a_store_is_the_same_after_it_was_written_and_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    (STORE.to_json if name.endswith("json") else STORE.to_folder)(path)
    assert same(KeyStore.load(path), STORE)


def test_private_key_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("[]")
    (tmp_path / "keys.json").chmod(0o644)
    STORE.to_json(tmp_path / "keys.json")
    STORE.to_folder(tmp_path / "keys")
    private = [tmp_path / "keys.json", *(tmp_path / "keys").glob("*.key")]
    assert len(private) == 1 + len(STORE.entries())
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    shown = b"".join(path.read_bytes() for path in (tmp_path / "keys").glob("*.pem"))
    assert b"PRIVATE" not in shown


def test_der_files_and_files_of_any_name_are_read(tmp_path: Path) -> None:
    supplier, esme = find(STORE, SUPPLIER, KeyUsage.DS), find(STORE, ESME, KeyUsage.KA)
    (tmp_path / "supplier.cer").write_bytes(supplier.certificate or b"")
    (tmp_path / "signing.pem").write_bytes(key_pem(supplier.private_scalar or 0))
    (tmp_path / f"{esme.eui64.hex.upper()}-KA.DER").write_bytes(esme.certificate or b"")
    (tmp_path / "read me.txt").write_text("not a key")
    store = KeyStore.from_folder(tmp_path)
    assert same(store, KeyStore([supplier, esme.public()]))


def test_a_private_key_alone_and_a_bare_public_key_are_read(tmp_path: Path) -> None:
    bare = KeyStore([KeyEntry(ESME, KeyUsage.KA, False, POINT)])
    bare.to_folder(tmp_path)
    assert b"PUBLIC KEY" in (tmp_path / f"{ESME.hex}-ka.pem").read_bytes()
    parameters = pem("EC PARAMETERS", bytes.fromhex("06082a8648ce3d030107"))
    (tmp_path / f"{SUPPLIER.hex}-pp-ka.key").write_bytes(parameters + key_pem(SCALAR))
    store = KeyStore.from_folder(tmp_path)
    entry = store.find(SUPPLIER, KeyUsage.KA, prepayment=True)
    assert entry == KeyEntry(SUPPLIER, KeyUsage.KA, True, POINT, SCALAR)
    assert find(store, ESME, KeyUsage.KA).public_point == POINT


def test_authorities_in_the_folder_are_passed_over(tmp_path: Path) -> None:
    pki = TestPki.new(lambda count: bytes(range(count)), AT)
    (tmp_path / "root.pem").write_bytes(pem("CERTIFICATE", pki.root.certificate))
    KeyStore(pki.organisation_entries(SUPPLIER, 2)).to_folder(tmp_path)
    assert len(KeyStore.from_folder(tmp_path).entries()) == 2


def spoiled_folder(path: Path, kind: str) -> None:
    supplier = find(STORE, SUPPLIER, KeyUsage.DS)
    path.mkdir(exist_ok=True)
    name = f"{SUPPLIER.hex}-ds"
    if kind == "no readable key":
        (path / f"{name}.pem").write_bytes(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
        )
    elif kind == "another key":
        (path / f"{name}.pem").write_bytes(pem("CERTIFICATE", supplier.certificate or b""))
        (path / f"{name}.key").write_bytes(key_pem(SCALAR))
    elif kind == "owner unknown":
        (path / "some.key").write_bytes(key_pem(SCALAR))
    elif kind == "not P-256":
        (path / f"{name}.key").write_bytes(pem("PRIVATE KEY", b"\x30\x03\x02\x01\x00"))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("empty", "no key in this folder"),
        ("no readable key", "that can be read"),
        ("another key", "another key than the one held"),
        ("owner unknown", "private key without a certificate"),
        ("not P-256", "that can be read"),
    ],
)
def test_a_folder_that_cannot_be_right_is_refused_by_file(
    tmp_path: Path, kind: str, why: str
) -> None:
    spoiled_folder(tmp_path / "keys", kind)
    with pytest.raises(KeyStoreError, match=why) as caught:
        KeyStore.load(tmp_path / "keys")
    assert str(tmp_path / "keys") in str(caught.value)
    assert str(SCALAR) not in str(caught.value)


def row(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "eui64": SUPPLIER.hex,
        "usage": "DS",
        "prepayment": False,
        "public_point": POINT.hex(),
        "private_scalar": f"{SCALAR:064x}",
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


CERTIFICATE = base64.b64encode(find(STORE, SUPPLIER, KeyUsage.DS).certificate or b"").decode()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "not JSON"),
        ("{}", "is a list of keys"),
        ("[1]", "row 0: not a key"),
        (json.dumps([row(), row(eui64="x")]), "row 1: not a key"),
        (json.dumps([row(eui64=None)]), "row 0: not a key"),
        (json.dumps([row(usage="ds")]), "row 0: not a key"),
        (json.dumps([row(public_point="04zz")]), "row 0: not a key"),
        (json.dumps([row(public_point="0400")]), "65 octets"),
        (json.dumps([row(public_point="04" + "00" * 64)]), "row 0: key"),
        (json.dumps([row(private_scalar=f"{SCALAR + 1:x}")]), "do not match"),
        (json.dumps([row(private_scalar="0")]), "between 1 and the order"),
        (json.dumps([row(certificate="!")]), "row 0: not a key"),
        (json.dumps([row(certificate="MAA=")]), "row 0: certificate: truncated"),
        (json.dumps([row(certificate=CERTIFICATE)]), "certificate is of another key"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_by_row(
    tmp_path: Path, content: str, why: str
) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(KeyStoreError, match=why) as caught:
        KeyStore.load(path)
    assert str(path) in str(caught.value)
    assert f"{SCALAR:x}" not in str(caught.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="No such file"):
        KeyStore.load(tmp_path / "keys.json")
    with pytest.raises(KeyStoreError, match="no such folder"):
        KeyStore.from_folder(tmp_path / "keys")


@needs_rtds
def test_the_rtds_key_store_is_read_whole(tmp_path: Path) -> None:
    store = KeyStore.load(RTDS_KEYS)
    entries = store.entries()
    assert len(entries) == 419
    private = [entry for entry in entries if entry.private_scalar is not None]
    assert len(private) == 18
    assert sum(entry.prepayment for entry in entries) == 2
    assert sum(entry.certificate is None for entry in entries) == 3
    for entry in private:
        assert verify(entry.public_point, b"x", sign(entry.private_scalar or 0, b"x"))
    store.to_folder(tmp_path / "keys")
    assert same(KeyStore.load(tmp_path / "keys"), store)


@needs_rtds
def test_the_rtds_certificates_name_their_owners_but_for_the_known_anomaly() -> None:
    others = set()
    for entry in KeyStore.load(RTDS_KEYS).entries():
        if entry.certificate is not None:
            fields = read(entry.certificate)
            assert fields.usage is entry.usage
            if fields.eui64 != entry.eui64:
                others.add((entry.name, str(fields.eui64)))
    assert others == {("90b3d51f30000007-ka", "90-B3-D5-1F-30-03-00-00")}


def test_a_store_on_another_holds_its_keys_as_they_were_and_changes_nothing_there() -> None:
    private = KeyEntry(SUPPLIER, KeyUsage.DS, False, POINT, SCALAR)
    base = KeyStore([private.public()])
    device, other = base.extended([private]), base.extended(())
    assert find(device, SUPPLIER, KeyUsage.DS) == private
    for store in (base, other, device.public()):
        assert find(store, SUPPLIER, KeyUsage.DS).private_scalar is None
    later = KeyEntry(ESME, KeyUsage.DS, False, point_of(SCALAR + 1))
    base.add(later)
    assert base.find(ESME, KeyUsage.DS) == later
    assert device.find(ESME, KeyUsage.DS) is other.find(ESME, KeyUsage.DS) is None
    assert [len(store.entries()) for store in (base, device, other)] == [2, 1, 1]
    assert find(base.extended([private]), ESME, KeyUsage.DS) is later
    assert same(device.merged(base), KeyStore([private, later]))
    assert repr(device) == "KeyStore(1 keys, 1 private)"
