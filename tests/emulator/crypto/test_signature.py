import shutil
import subprocess
from pathlib import Path

import pytest

from emulator.codecs.gbcs import envelope
from emulator.crypto.certificate import point_of_key_info
from emulator.crypto.hashes import sha256, skid
from emulator.crypto.key_files import key_pem, pem
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.signature import ORDER, point_of, private_key, public_key, sign, verify
from tests.given import RTDS_KEYS, needs_rtds, rtds_messages

# RFC 6979, A.2.5: P-256 with SHA-256, message "sample".
SCALAR = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
POINT = bytes.fromhex(
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
SAMPLE = bytes.fromhex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)


def test_the_signature_is_the_one_rfc_6979_gives() -> None:
    assert point_of(SCALAR) == POINT
    assert sign(SCALAR, b"sample") == SAMPLE
    assert sign(SCALAR, b"sample") == sign(SCALAR, b"sample")


def test_a_signature_verifies_over_its_own_octets_and_key_alone() -> None:
    assert verify(POINT, b"sample", SAMPLE)
    assert not verify(POINT, b"sampl", SAMPLE)
    assert not verify(point_of(SCALAR + 1), b"sample", SAMPLE)


@pytest.mark.parametrize("signature", [b"", SAMPLE[:-1], SAMPLE + b"\0", bytes(64), b"\xff" * 64])
def test_what_is_no_signature_verifies_nothing(signature: bytes) -> None:
    assert not verify(POINT, b"sample", signature)


@pytest.mark.parametrize(
    "point", [b"", POINT[:-1], b"\x02" + POINT[1:33], POINT[:-1] + b"\0", b"\0" * 65]
)
def test_what_is_no_point_is_refused_and_verifies_nothing(point: bytes) -> None:
    assert not verify(point, b"sample", SAMPLE)
    with pytest.raises(ValueError, match=r"(?i)point|ec key"):
        public_key(point)


@pytest.mark.parametrize("scalar", [-1, 0, ORDER, ORDER + 1])
def test_a_scalar_out_of_range_is_refused_without_telling_it(scalar: int) -> None:
    with pytest.raises(ValueError, match="between 1 and the order") as caught:
        private_key(scalar)
    assert str(ORDER) not in str(caught.value)


def test_the_digest_and_the_key_identifier_are_the_standard_ones() -> None:
    assert sha256(b"abc").hex().startswith("ba7816bf8f01cfea414140de5dae2223")
    assert len(skid(POINT)) == 8
    assert skid(POINT)[0] & 0xF0 == 0x40


@needs_rtds
def test_all_219_signatures_of_the_rtds_hold_and_none_over_another_message() -> None:
    store = KeyStore.load(RTDS_KEYS)
    signed = [envelope.split(data) for _, data in rtds_messages()]
    signed = [parts for parts in signed if parts.envelope.signature]
    assert len(signed) == 219
    for parts, other in zip(signed, signed[1:] + signed[:1], strict=True):
        signer = store.find(parts.envelope.header.originator, KeyUsage.DS)
        assert signer is not None
        signature = parts.envelope.signature or b""
        assert verify(signer.public_point, parts.signed, signature)
        assert not verify(signer.public_point, other.signed, signature)


@needs_rtds
def test_own_signatures_of_remote_parties_verify_over_the_rtds_messages() -> None:
    store, resigned = KeyStore.load(RTDS_KEYS), 0
    for _, data in rtds_messages():
        parts = envelope.split(data)
        entry = store.find(parts.envelope.header.originator, KeyUsage.DS)
        if parts.envelope.signature and entry and entry.private_scalar:
            resigned += 1
            assert verify(
                entry.public_point, parts.signed, sign(entry.private_scalar, parts.signed)
            )
    assert resigned == 98


def der_signature(raw: bytes) -> bytes:
    def integer(octets: bytes) -> bytes:
        short = octets.lstrip(b"\0")
        padded = b"\0" + short if short[0] & 0x80 else short
        return b"\x02" + bytes([len(padded)]) + padded

    body = integer(raw[:32]) + integer(raw[32:])
    return b"\x30" + bytes([len(body)]) + body


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl binary")
def test_openssl_verifies_our_signature_with_our_key_file(tmp_path: Path) -> None:
    message = b"what a supplier signs"
    (tmp_path / "message").write_bytes(message)
    (tmp_path / "key.pem").write_bytes(key_pem(SCALAR))
    (tmp_path / "signature").write_bytes(der_signature(sign(SCALAR, message)))
    public = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key.pem", "-pubout", "-outform", "DER"],
        check=True,
        capture_output=True,
    ).stdout
    assert point_of_key_info(public) == POINT
    (tmp_path / "public.pem").write_bytes(pem("PUBLIC KEY", public))
    command = ["openssl", "dgst", "-sha256", "-verify", str(tmp_path / "public.pem")]
    command += ["-signature", str(tmp_path / "signature"), str(tmp_path / "message")]
    assert b"Verified OK" in subprocess.run(command, check=True, capture_output=True).stdout
    (tmp_path / "message").write_bytes(message + b".")
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
