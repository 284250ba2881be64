import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee_certificate import (
    FOR_EVER_S,
    USAGE_KEY_AGREEMENT,
    USAGE_SIGNATURE,
    Certificate163,
    Certificate283,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.sampling import examples

# reference/zigbee-dongle.md 4.3
SHORT = bytes.fromhex(
    "02020882b1d7df05538f37cdd09a4f6b15368998642b 0022080000000001 5445535453454341"
    "0109108301234567890a"
)
LONG = bytes.fromhex(
    "00 0b3ad5a312ab75d6 0d 08 1112131415161718 005b7ed230 ffffffff 0022080000000001 08"
    "0205bb3d1d1576197ff9ab6563915019a130437adb0ee7915432dc4a09c97dc595c5856800"
)
octets8 = st.binary(min_size=8, max_size=8)


def test_a_certificate_of_48_octets_has_its_fields() -> None:
    read = Certificate163.decode(SHORT)
    assert read.point == SHORT[:22]
    assert str(read.subject) == "00-22-08-00-00-00-00-01"
    assert read.issuer == b"TESTSECA"
    assert read.attributes == SHORT[38:]
    assert read.agrees_keys()
    assert read.encode() == SHORT


def test_a_certificate_of_74_octets_has_its_fields() -> None:
    read = Certificate283.decode(LONG)
    assert read.serial == 0x0B3AD5A312AB75D6
    assert read.issuer == bytes(range(0x11, 0x19))
    assert read.valid_from_s == 0x5B7ED230
    assert read.valid_for_s == FOR_EVER_S
    assert str(read.subject) == "00-22-08-00-00-00-00-01"
    assert read.key_usage == USAGE_KEY_AGREEMENT
    assert read.point == LONG[37:]
    assert read.agrees_keys()
    assert read.encode() == LONG


@settings(max_examples=examples(100))
@given(st.binary(min_size=22, max_size=22), octets8, octets8, st.binary(min_size=10, max_size=10))
def test_short_certificates_read_back(
    point: bytes, subject: bytes, issuer: bytes, attributes: bytes
) -> None:
    certificate = Certificate163(point, Eui64(subject), issuer, attributes)
    assert len(certificate.encode()) == 48
    assert Certificate163.decode(certificate.encode()) == certificate


@settings(max_examples=examples(100))
@given(st.data())
def test_long_certificates_read_back(data: st.DataObject) -> None:
    certificate = Certificate283(
        data.draw(st.integers(0, 2**64 - 1)),
        data.draw(octets8),
        data.draw(st.integers(0, 2**40 - 1)),
        data.draw(st.integers(0, 2**32 - 1)),
        Eui64(data.draw(octets8)),
        data.draw(st.integers(0, 255)),
        data.draw(st.binary(min_size=37, max_size=37)),
    )
    assert len(certificate.encode()) == 74
    assert Certificate283.decode(certificate.encode()) == certificate


@pytest.mark.parametrize(("kind", "octets"), [(Certificate163, SHORT), (Certificate283, LONG)])
def test_every_other_length_is_refused(
    kind: type[Certificate163] | type[Certificate283], octets: bytes
) -> None:
    damaged = [octets[:length] for length in range(len(octets))]
    for data in [*damaged, octets + b"\0", octets * 2]:
        with pytest.raises(MalformedFrameError, match="certificate"):
            kind.decode(data)


@pytest.mark.parametrize(("offset", "value"), [(0, 1), (9, 0x0C), (9, 0), (10, 4), (10, 0)])
def test_another_type_curve_or_hash_is_refused(offset: int, value: int) -> None:
    spoilt = bytearray(LONG)
    spoilt[offset] = value
    with pytest.raises(MalformedFrameError) as refused:
        Certificate283.decode(bytes(spoilt))
    assert refused.value.offset == offset + 1


@pytest.mark.parametrize(("usage", "may"), [(0x08, True), (0x88, True), (0x80, False), (0, False)])
def test_key_usage_says_whether_keys_may_be_agreed(usage: int, may: bool) -> None:
    spoilt = bytearray(LONG)
    spoilt[36] = usage
    assert Certificate283.decode(bytes(spoilt)).agrees_keys() is may
    assert USAGE_SIGNATURE == 0x80


def test_a_field_of_a_wrong_length_is_our_own_error() -> None:
    device = Eui64(bytes(8))
    with pytest.raises(ValueError, match="certificate163"):
        Certificate163(b"short", device, bytes(8), bytes(10)).encode()
    with pytest.raises(ValueError, match="certificate283"):
        Certificate283(1, bytes(8), 2**40, 0, device, 8, bytes(37)).encode()
