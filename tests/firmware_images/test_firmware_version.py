"""Firmware versions: DUIS, CPL and the ways makers print them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.loader import load_profile
from device_profiles.version_codec import VersionCodec
from device_profiles.words import OctetCoding, VersionCodecKind
from firmware_images.version import FirmwareVersion, VersionError

HEX = VersionCodec(kind=VersionCodecKind.HEX)
BCD = VersionCodec(kind=VersionCodecKind.BCD)
MIXED = VersionCodec(
    kind=VersionCodecKind.MIXED,
    template="r{b}-{a}({d}.{c})",
    codings=(OctetCoding.BCD, OctetCoding.BINARY, OctetCoding.BINARY, OctetCoding.BCD),
)
BCD_OCTET = st.integers(0, 99).map(lambda n: n // 10 << 4 | n % 10)


@pytest.mark.parametrize(
    ("profile", "display", "octets"),
    [
        ("flonidan-g4szv-1", "04.2400.09 + 3.10.7", "09030A07"),
        ("flonidan-g4szv-1", "04.2400.10 + 3.10.8", "10030A08"),
        ("flonidan-g4szv-2", "04.2400.01 + 6.5.2", "01040605"),
    ],
)
def test_the_three_published_versions_read_both_ways(
    profile: str, display: str, octets: str
) -> None:
    codec = load_profile(profile).firmware.version_codec
    version = FirmwareVersion.from_display(display, codec)
    assert version.cpl() == octets
    assert version.display(codec) == display
    assert FirmwareVersion.from_cpl(octets) == version


def test_bcd_and_hexadecimal_ten_are_told_apart() -> None:
    codec = load_profile("flonidan-g4szv-1").firmware.version_codec
    version = FirmwareVersion.from_display("04.2400.10 + 10.10.10", codec)
    assert version.octets == b"\x10\x0a\x0a\x0a"


def test_duis_fills_short_versions_with_zeros() -> None:
    assert FirmwareVersion.from_duis("9001").cpl() == "00009001"
    assert FirmwareVersion.from_duis("abcdef01").duis() == "ABCDEF01"
    assert FirmwareVersion.from_duis("0123ABCD").number == 0x0123ABCD


@pytest.mark.parametrize("text", ["", "123456789", "V1", "12 4", "0x12"])
def test_what_is_no_duis_version_is_refused(text: str) -> None:
    with pytest.raises(VersionError, match="1 to 8 hex digits"):
        FirmwareVersion.from_duis(text)


def test_a_cpl_version_has_eight_digits() -> None:
    with pytest.raises(VersionError, match="8 hex digits"):
        FirmwareVersion.from_cpl("9001")
    with pytest.raises(VersionError, match="4 octets"):
        FirmwareVersion(b"\1\2\3")


def test_an_octet_that_is_no_bcd_cannot_be_printed_as_bcd() -> None:
    with pytest.raises(VersionError, match="0A is no BCD octet"):
        FirmwareVersion.from_cpl("0A000000").display(BCD)


@pytest.mark.parametrize("text", ["1.2.3", "1.2.3.100", "a.b.c.d", "01.02.03.04 ", ""])
def test_a_text_that_does_not_fit_the_codec_is_refused(text: str) -> None:
    with pytest.raises(VersionError, match=r"form|fit"):
        FirmwareVersion.from_display(text, BCD)


@settings(derandomize=True, deadline=None)
@given(st.binary(min_size=4, max_size=4))
def test_any_version_survives_duis_cpl_and_hexadecimal(octets: bytes) -> None:
    version = FirmwareVersion(octets)
    assert FirmwareVersion.from_duis(version.duis()) == version
    assert FirmwareVersion.from_cpl(version.cpl()) == version
    assert FirmwareVersion.from_number(version.number) == version
    assert FirmwareVersion.from_display(version.display(HEX), HEX) == version


@settings(derandomize=True, deadline=None)
@given(st.tuples(BCD_OCTET, BCD_OCTET, BCD_OCTET, BCD_OCTET), st.binary(min_size=2, max_size=2))
def test_any_version_a_codec_can_print_survives_it(
    bcd: tuple[int, int, int, int], binary: bytes
) -> None:
    plain = FirmwareVersion(bytes(bcd))
    assert FirmwareVersion.from_display(plain.display(BCD), BCD) == plain
    mixed = FirmwareVersion(bytes((bcd[0], *binary, bcd[3])))
    assert FirmwareVersion.from_display(mixed.display(MIXED), MIXED) == mixed
