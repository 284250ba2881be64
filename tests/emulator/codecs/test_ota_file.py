"""OTA image files: layout, the six named contradictions, round trips, truncations and flips."""

import base64
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.ota_file import ImageError, ImageErrorName, OtaHeader, OtaImage
from emulator.core.ids import Eui64
from tests.given import DUIS_DIR, needs_duis
from tests.sampling import examples

CONTENT = bytes(range(50))
SAMPLE_CONTENT_SHA256 = "7542f475e3f12eae887d81e32c46d313741d67076b13caec2f82e00ba5e1bb36"


def header_of(kind: ImageKind, content: bytes = CONTENT, **fields: object) -> OtaHeader:
    plain = OtaHeader(0xFFF2, 0x0001, 0x01020304, b"made up".ljust(32, b"\0"), 0)
    if "minimum_hardware" not in fields:
        fields |= {"minimum_hardware": 0x0100, "maximum_hardware": 0x01FF}
    header = replace(plain, **fields)  # type: ignore[arg-type]  # fields come as keywords
    return replace(header, total_image_size=ota_file.size_of(kind, header, content))


def signed_file() -> bytes:
    kind = ImageKind.SUPPLIER_SIGNED
    return ota_file.encode(OtaImage(kind, header_of(kind), CONTENT, 0, bytes(range(64))))


def unsigned_file() -> bytes:
    kind = ImageKind.UNSIGNED
    return ota_file.encode(OtaImage(kind, header_of(kind), CONTENT))


def sample(name: str) -> bytes:
    path = next((DUIS_DIR / "requests").glob(f"{name}*"))
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.parse(str(path), parser).getroot()
    found = root.find(".//{*}FirmwareImage")
    assert found is not None
    return base64.b64decode(found.text or "")


def test_every_field_stands_where_the_layout_says() -> None:
    octets = signed_file()
    assert octets[:12] == bytes.fromhex("1ef1ee0b 0001 3c00 0400 f2ff")
    assert octets[12:20] == bytes.fromhex("0100 04030201 0200")
    assert octets[20:52] == b"made up".ljust(32, b"\0")
    assert octets[52:60] == (60 + 50 + 66).to_bytes(4, "little") + bytes.fromhex("0001 ff01")
    assert octets[60:110] == CONTENT
    assert octets[110:112] == b"\x00\x40"
    assert octets[112:] == bytes(range(64))


def test_an_unsigned_image_ends_with_its_content() -> None:
    assert unsigned_file()[60:] == CONTENT
    assert ota_file.decode(unsigned_file(), ImageKind.UNSIGNED).manufacturer_image == CONTENT


def test_a_hub_image_keeps_all_after_the_header() -> None:
    image = ota_file.decode(signed_file(), ImageKind.WAN_PROVIDER)
    assert image.manufacturer_image == signed_file()[60:]
    assert image.signature is None


def test_the_hash_covers_neither_header_nor_trailer() -> None:
    image = ota_file.decode(signed_file(), ImageKind.SUPPLIER_SIGNED)
    assert ota_file.manufacturer_image_hash(image) == hashlib.sha256(CONTENT).digest()
    assert ota_file.manufacturer_image_hash(image) != hashlib.sha256(signed_file()).digest()
    assert ota_file.manufacturer_image_hash(image) != hashlib.sha256(signed_file()[60:]).digest()


@needs_duis
def test_the_published_esme_sample_reads_with_its_known_figures() -> None:
    octets = sample("11.1_")
    image = ota_file.decode(octets, ImageKind.SUPPLIER_SIGNED)
    assert len(octets) == 361
    assert image.header.total_image_size == 361
    assert len(image.manufacturer_image) == 235
    assert image.force_replace == 0
    assert ota_file.manufacturer_image_hash(image).hex() == SAMPLE_CONTENT_SHA256
    whole = "c47fb1a43bf0765f74c42c857a22fc52e63512f977c661be14d4cb2f582901f0"
    assert hashlib.sha256(octets).hexdigest() == whole
    assert (image.header.manufacturer_code, image.header.image_type) == (0x121D, 0x0000)
    assert image.header.version_octets.hex() == "acdcacdc"
    assert (image.header.minimum_hardware, image.header.maximum_hardware) == (0x1111, 0x1211)
    assert image.header.header_string == b"I am a GFI ESME[] firmware image"
    assert ota_file.encode(image) == octets


@needs_duis
def test_the_published_ppmid_sample_has_no_trailer_and_the_same_content() -> None:
    octets = sample("11.4_")
    image = ota_file.decode(octets, ImageKind.UNSIGNED)
    assert len(octets) == image.header.total_image_size == 295
    assert image.header.image_type == 0x0084
    assert ota_file.manufacturer_image_hash(image).hex() == SAMPLE_CONTENT_SHA256
    assert ota_file.encode(image) == octets


def spoilt(at: int, value: bytes) -> bytes:
    octets = signed_file()
    return octets[:at] + value + octets[at + len(value) :]


def too_short_for_a_trailer() -> bytes:
    kind = ImageKind.UNSIGNED
    content = bytes(65)
    return ota_file.encode(OtaImage(kind, header_of(kind, content), content))


@pytest.mark.parametrize(
    ("octets", "name", "offset"),
    [
        (spoilt(0, b"\x1f"), ImageErrorName.BAD_MAGIC, 0),
        (b"", ImageErrorName.BAD_MAGIC, 0),
        (signed_file()[:30], ImageErrorName.BAD_HEADER_LENGTH, 30),
        (signed_file()[:58], ImageErrorName.BAD_HEADER_LENGTH, 58),
        (spoilt(6, b"\x3d"), ImageErrorName.BAD_HEADER_LENGTH, 6),
        (spoilt(8, b"\x00"), ImageErrorName.BAD_HEADER_LENGTH, 6),
        (spoilt(8, b"\x0c"), ImageErrorName.RESERVED_FIELD_CONTROL, 8),
        (spoilt(9, b"\x80"), ImageErrorName.RESERVED_FIELD_CONTROL, 8),
        (spoilt(52, b"\x00"), ImageErrorName.SIZE_MISMATCH, 52),
        (signed_file()[:-1], ImageErrorName.SIZE_MISMATCH, 52),
        (signed_file() + b"\0", ImageErrorName.SIZE_MISMATCH, 52),
        (too_short_for_a_trailer(), ImageErrorName.TRUNCATED_TRAILER, 60),
        (spoilt(111, b"\x41"), ImageErrorName.BAD_SIG_LENGTH, 111),
    ],
)
def test_each_contradiction_has_its_name_and_place(
    octets: bytes, name: ImageErrorName, offset: int
) -> None:
    with pytest.raises(ImageError, match=name.value) as caught:
        ota_file.decode(octets, ImageKind.SUPPLIER_SIGNED)
    assert caught.value.name is name
    assert caught.value.offset == offset
    assert caught.value.data == octets


def test_the_kind_is_never_guessed() -> None:
    with pytest.raises(ImageError, match=r"trailer|bad-sig-length"):
        ota_file.decode(unsigned_file(), ImageKind.SUPPLIER_SIGNED)
    as_unsigned = ota_file.decode(signed_file(), ImageKind.UNSIGNED)
    assert as_unsigned.manufacturer_image == signed_file()[60:]


@pytest.mark.parametrize(
    "read",
    [lambda octets: ota_file.decode(octets, ImageKind.SUPPLIER_SIGNED), ota_file.decode_header],
)
def test_no_truncated_header_is_read(read: object) -> None:
    assert callable(read)
    for length in range(60):
        with pytest.raises(ImageError):
            read(signed_file()[:length])


def test_no_truncation_or_extension_of_a_file_is_accepted() -> None:
    octets = signed_file()
    for kind in ImageKind:
        for length in range(len(octets)):
            with pytest.raises(ImageError):
                ota_file.decode(octets[:length], kind)
        with pytest.raises(ImageError):
            ota_file.decode(octets + b"\0", kind)


def test_a_flipped_bit_is_refused_or_shows_in_the_value() -> None:
    octets = signed_file()
    sound = ota_file.decode(octets, ImageKind.SUPPLIER_SIGNED)
    for position in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[position // 8] ^= 1 << position % 8
        try:
            read = ota_file.decode(bytes(flipped), ImageKind.SUPPLIER_SIGNED)
        except ImageError:
            continue
        assert read != sound
        assert ota_file.encode(read) == bytes(flipped)


U8, U16, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
HEADERS = st.builds(
    lambda hardware, **fields: OtaHeader(
        minimum_hardware=hardware and hardware[0],
        maximum_hardware=hardware and hardware[1],
        **fields,
    ),
    hardware=st.none() | st.tuples(U16, U16),
    manufacturer_code=U16,
    image_type=U16,
    file_version=U32,
    header_string=st.binary(min_size=32, max_size=32),
    total_image_size=U32,
    credential_version=st.none() | U8,
    destination=st.none() | st.builds(Eui64, st.binary(min_size=8, max_size=8)),
    stack_version=U16,
    header_version=U16,
)


@settings(derandomize=True, deadline=None, max_examples=examples(200))
@given(HEADERS, st.binary(max_size=40))
def test_any_header_with_any_optional_fields_comes_back(header: OtaHeader, tail: bytes) -> None:
    octets = ota_file.encode_header(header)
    assert len(octets) == header.header_length
    assert ota_file.decode_header(octets + tail) == header


@settings(derandomize=True, deadline=None, max_examples=examples(200))
@given(HEADERS, st.sampled_from(ImageKind), st.binary(max_size=200), U8, st.binary(min_size=64))
def test_any_image_of_any_kind_comes_back(
    header: OtaHeader, kind: ImageKind, content: bytes, force: int, octets: bytes
) -> None:
    header = replace(header, total_image_size=ota_file.size_of(kind, header, content))
    if kind is ImageKind.SUPPLIER_SIGNED:
        image = OtaImage(kind, header, content, force, octets[:64])
    else:
        image = OtaImage(kind, header, content)
    assert ota_file.decode(ota_file.encode(image), kind) == image


@settings(derandomize=True, deadline=None, max_examples=examples(300))
@given(st.binary(max_size=200))
def test_octets_of_any_sort_are_refused_by_name(octets: bytes) -> None:
    for start in (b"", b"\x1e\xf1\xee\x0b"):
        for kind in ImageKind:
            with pytest.raises(ImageError) as caught:
                ota_file.decode(start + octets, kind)
            assert caught.value.name in ImageErrorName


def test_the_optional_fields_stand_in_their_order_before_the_content() -> None:
    kind = ImageKind.UNSIGNED
    header = header_of(
        kind, credential_version=3, destination=Eui64.parse("00-DB-12-34-56-78-90-A0")
    )
    octets = ota_file.encode(OtaImage(kind, header, CONTENT))
    assert octets[6:10] == bytes.fromhex("4500 0700")
    assert octets[56:69] == bytes.fromhex("03 a09078563412db00 0001 ff01")
    assert ota_file.decode(octets, kind).header == header


def test_values_that_no_file_can_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="come together"):
        OtaHeader(1, 2, 3, bytes(32), 4, minimum_hardware=5)
    with pytest.raises(ValueError, match="32 octets"):
        OtaHeader(1, 2, 3, b"short", 4)
    header = header_of(ImageKind.UNSIGNED)
    with pytest.raises(ValueError, match="supplier-signed"):
        OtaImage(ImageKind.SUPPLIER_SIGNED, header, CONTENT)
    with pytest.raises(ValueError, match="supplier-signed"):
        OtaImage(ImageKind.UNSIGNED, header, CONTENT, 0, bytes(64))
    with pytest.raises(ValueError, match="64 octets"):
        OtaImage(ImageKind.SUPPLIER_SIGNED, header, CONTENT, 0, bytes(63))
