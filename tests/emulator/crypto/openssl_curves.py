"""OpenSSL's command as a second opinion on the binary curves, where it still knows them."""

import shutil
import subprocess
from pathlib import Path

OPENSSL = shutil.which("openssl")
OIDS = {"sect163k1": bytes.fromhex("06052b81040001"), "sect283k1": bytes.fromhex("06052b81040010")}
EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")


def tlv(tag: int, content: bytes) -> bytes:
    """One DER node of less than 128 octets."""
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def openssl(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *words], input=given, check=False, capture_output=True)


def knows(curve: str) -> bool:
    """Say whether OpenSSL is there and offers the curve."""
    if OPENSSL is None:
        return False
    return openssl("ecparam", "-name", curve, "-noout").returncode == 0


def private_der(curve: str, scalar: int, octets: int) -> bytes:
    """An EC private key without its public half, so that OpenSSL must compute it."""
    key = tlv(0x04, scalar.to_bytes(octets, "big"))
    return tlv(0x30, b"\x02\x01\x01" + key + tlv(0xA0, OIDS[curve]))


def public_der(curve: str, point: bytes) -> bytes:
    algorithm = tlv(0x30, EC_PUBLIC_KEY + OIDS[curve])
    return tlv(0x30, algorithm + tlv(0x03, b"\0" + point))


def public_point(curve: str, scalar: int, octets: int) -> bytes:
    """k·G, compressed, as OpenSSL has it."""
    told = openssl(
        "ec", "-inform", "DER", "-pubout", "-conv_form", "compressed", "-outform", "DER",
        given=private_der(curve, scalar, octets),
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return told.stdout[-(octets + 1) :]


def new_key(curve: str, octets: int) -> tuple[int, bytes]:
    """A key pair of OpenSSL's own making; the point as its two coordinates."""
    told = openssl("ecparam", "-name", curve, "-genkey", "-noout", "-outform", "DER")
    assert told.returncode == 0, told.stderr
    der = told.stdout
    start = der.index(b"\x02\x01\x01\x04") + 4
    length = der[start]
    scalar = int.from_bytes(der[start + 1 : start + 1 + length], "big")
    assert der[-2 * octets - 1] == 0x04
    return scalar, der[-2 * octets :]


def secret(curve: str, folder: Path, scalar: int, octets: int, point: bytes) -> bytes:
    """The x-coordinate of k·P."""
    mine, theirs = folder / "mine.der", folder / "theirs.der"
    mine.write_bytes(private_der(curve, scalar, octets))
    theirs.write_bytes(public_der(curve, point))
    told = openssl(
        "pkeyutl", "-derive", "-keyform", "DER", "-inkey", str(mine),
        "-peerform", "DER", "-peerkey", str(theirs),
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return told.stdout


def accepts(curve: str, point: bytes) -> bool:
    """Say whether OpenSSL finds the point on the curve and in the subgroup of its base point."""
    told = openssl(
        "pkey", "-pubin", "-inform", "DER", "-pubcheck", "-noout", given=public_der(curve, point)
    )
    return told.returncode == 0
