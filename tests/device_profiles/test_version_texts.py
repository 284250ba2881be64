"""How makers write versions: in the device and on the display, and back (F-008, F-073)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.loader import load_profile
from device_profiles.version_codec import VersionCodec, VersionTextError
from device_profiles.words import OctetCoding, VersionCodecKind
from tests.sampling import examples

BCD = OctetCoding.BCD
SEVEN = VersionCodec(kind=VersionCodecKind.OCTETS_7)
TEXT = VersionCodec(
    kind=VersionCodecKind.TEXT,
    template="P4X2G{d}",
    codings=(BCD, BCD, BCD, BCD),
    rest="04020000",
)


@pytest.mark.parametrize(
    ("profile", "version", "text", "native"),
    [
        ("secure-liberty100", "04020004", "P4X2G04", b"P4X2G04"),
        ("secure-eg4v12", "04020012", "P4X2G12", b"P4X2G12"),
        ("aclara-sgm1415-b", "01020304", "1.2.772", bytes.fromhex("01020304000000")),
        ("flonidan-g4szv-1-s1", "10030A08", "04.2400.10 + 3.10.8", bytes.fromhex("10030A08")),
        ("demo-s1-esme", "10000001", "10000001", bytes.fromhex("10000001")),
    ],
)
def test_a_model_writes_its_version_as_its_maker_does(
    profile: str, version: str, text: str, native: bytes
) -> None:
    codec, octets = load_profile(profile).firmware.version_codec, bytes.fromhex(version)
    assert codec.display(octets) == text
    assert codec.parse(text) == octets
    assert codec.native(octets) == native
    assert codec.from_native(native) == octets


@settings(max_examples=examples(200))
@given(st.binary(min_size=4, max_size=4))
def test_seven_octets_keep_any_version(octets: bytes) -> None:
    assert SEVEN.parse(SEVEN.display(octets)) == octets
    assert SEVEN.from_native(SEVEN.native(octets)) == octets
    assert len(SEVEN.native(octets)) == 7


def test_a_text_stands_for_no_version_that_another_has() -> None:
    with pytest.raises(VersionTextError, match="has no text"):
        TEXT.display(bytes.fromhex("04030004"))


@pytest.mark.parametrize("text", ["P4X2G", "P4X3G04", "p4x2g04", "P4X2G04 ", "P4X2G204"])
def test_another_text_is_no_version(text: str) -> None:
    with pytest.raises(VersionTextError):
        TEXT.parse(text)


@pytest.mark.parametrize("text", ["1.2", "1.2.65536", "256.0.0", "1.2.3.4", "a.b.c"])
def test_another_release_is_no_version(text: str) -> None:
    with pytest.raises(VersionTextError):
        SEVEN.parse(text)


def test_octets_of_another_length_are_no_version() -> None:
    with pytest.raises(VersionTextError, match="7 octets"):
        SEVEN.from_native(bytes(4))
    with pytest.raises(VersionTextError):
        TEXT.from_native(b"\xff" * 7)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"template": "no octet"}, "one of"),
        ({"template": "{d}{d}"}, "each once"),
        ({"template": "{e}"}, "one of"),
        ({"template": "Ü{d}"}, "ASCII"),
        ({"rest": None}, "rest belongs"),
        ({"codings": None}, "codings belong"),
    ],
)
def test_a_wrong_codec_is_refused(values: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        VersionCodec.model_validate({**TEXT.model_dump(), **values})
