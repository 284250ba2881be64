import pytest

from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.mac import BLOCK_HEADER, decrypt, encrypt, gmac, matches

KEY = bytes(16)
ORIGINATOR = Eui64(bytes(8))


def test_the_tag_is_the_one_of_the_gcm_specification_cut_to_twelve_octets() -> None:
    # McGrew and Viega, test case 1: zero key, zero IV, nothing else.
    assert gmac(KEY, ORIGINATOR, b"").hex() == "58e2fccefa7e3061367f1d57"


def test_a_tag_matches_its_key_originator_and_octets_alone() -> None:
    tag = gmac(KEY, ORIGINATOR, b"octets")
    assert matches(KEY, ORIGINATOR, b"octets", tag)
    assert not matches(b"\1" + KEY[1:], ORIGINATOR, b"octets", tag)
    assert not matches(KEY, Eui64(b"\1" * 8), b"octets", tag)
    assert not matches(KEY, ORIGINATOR, b"octet", tag)
    assert not matches(KEY, ORIGINATOR, b"octets", tag[:-1])
    assert not matches(KEY, ORIGINATOR, b"octets", b"")


@pytest.mark.parametrize("plaintext", [b"", b"a", bytes(16), bytes(range(200))])
def test_a_block_decrypts_to_what_was_encrypted(plaintext: bytes) -> None:
    block = encrypt(KEY, ORIGINATOR, plaintext)
    assert block.startswith(BLOCK_HEADER)
    assert len(block) == 5 + len(plaintext) + 12
    assert decrypt(KEY, ORIGINATOR, block) == plaintext


def test_every_flipped_bit_of_a_block_is_noticed() -> None:
    block = encrypt(KEY, ORIGINATOR, b"sensitive")
    for bit in range(8 * len(BLOCK_HEADER), 8 * len(block)):
        flipped = bytearray(block)
        flipped[bit // 8] ^= 1 << bit % 8
        assert decrypt(KEY, ORIGINATOR, bytes(flipped)) is None
    assert decrypt(b"\1" * 16, ORIGINATOR, block) is None
    assert decrypt(KEY, Eui64(b"\1" * 8), block) is None


@pytest.mark.parametrize(
    ("block", "why", "offset"),
    [
        (b"", "begins with 31", 0),
        (b"\x11" + bytes(20), "begins with 31", 0),
        (b"\x31\0\0\0\1" + bytes(20), "begins with 31", 0),
        (BLOCK_HEADER + bytes(11), "truncated", 16),
    ],
)
def test_what_is_no_block_is_malformed(block: bytes, why: str, offset: int) -> None:
    with pytest.raises(MalformedFrameError, match=why) as caught:
        decrypt(KEY, ORIGINATOR, block)
    assert (caught.value.layer, caught.value.offset) == ("gbcs.encrypted_block", offset)
