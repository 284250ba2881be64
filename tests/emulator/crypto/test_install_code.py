import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.chance import Stream
from emulator.crypto import install_code
from emulator.crypto.aes_mmo import MAX_OCTETS, aes_mmo, hmac_aes_mmo
from emulator.crypto.install_code import CODE_OCTETS, InstallCode, InstallCodeFault
from tests.sampling import examples

# reference/firmware.md 8.1: code, check as appended, link key
GOLDEN = [
    ("83FED3407A939723A5C639B26916D505", "C3B5", "66B6900981E1EE3CA4206B6B861C02BB"),
    (b"0123456789ABCDEF".hex(), "F596", "17E92CAAA342C367E8EDDC58EEBA69ED"),
]
codes = st.sampled_from(CODE_OCTETS).flatmap(lambda size: st.binary(min_size=size, max_size=size))


@pytest.mark.parametrize(("code", "check", "link_key"), GOLDEN)
def test_golden_codes_give_their_link_keys(code: str, check: str, link_key: str) -> None:
    read = install_code.parse(code + check)
    assert isinstance(read, InstallCode)
    assert read == InstallCode(bytes.fromhex(code))
    assert read.octets == bytes.fromhex(code + check)
    assert read.link_key() == bytes.fromhex(link_key)


def test_the_well_known_key_is_the_one_everybody_knows() -> None:
    assert install_code.WELL_KNOWN_LINK_KEY.hex() == "5a6967426565416c6c69616e63653039"


@pytest.mark.parametrize(
    "text",
    [
        "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5",
        "83:fe:d3:40:7a:93:97:23:a5:c6:39:b2:69:16:d5:05:c3:b5",
        "83FED340-7A939723-A5C639B2-6916D505-C3B5\n",
    ],
)
def test_a_code_reads_as_people_write_it(text: str) -> None:
    assert install_code.parse(text) == InstallCode(bytes.fromhex(GOLDEN[0][0]))


@settings(max_examples=examples(100), deadline=None)
@given(codes)
def test_a_code_of_every_length_reads_back(code: bytes) -> None:
    assert install_code.decode(InstallCode(code).octets) == InstallCode(code)
    assert len(InstallCode(code).link_key()) == 16


@settings(max_examples=examples(100), deadline=None)
@given(codes, st.data())
def test_one_wrong_octet_is_a_wrong_check(code: bytes, data: st.DataObject) -> None:
    octets = bytearray(InstallCode(code).octets)
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    assert install_code.decode(bytes(octets)) is InstallCodeFault.WRONG_CHECK


@pytest.mark.parametrize("length", [n for n in range(40) if n - 2 not in CODE_OCTETS])
def test_other_lengths_are_refused_by_name(length: int) -> None:
    assert install_code.decode(bytes(length)) is InstallCodeFault.WRONG_LENGTH


@pytest.mark.parametrize("text", ["83FED", "zz", "83FE.D340", "\uff18\uff13"])
def test_what_is_not_hexadecimal_is_refused_by_name(text: str) -> None:
    assert install_code.parse(text) is InstallCodeFault.NOT_HEX


def test_no_text_shows_a_code() -> None:
    code = InstallCode(bytes.fromhex(GOLDEN[0][0]))
    assert "83" not in repr(code)
    assert "\\x" not in repr(code)
    with pytest.raises(ValueError, match="not 5") as refused:
        InstallCode(b"abcde")
    assert "abcde" not in str(refused.value)


def test_codes_made_up_are_those_of_gb_devices_and_follow_the_seed() -> None:
    one, other = (install_code.draw(Stream(seed, "codes")) for seed in (1, 2))
    assert len(one.code) == 16
    assert one != other
    assert one == install_code.draw(Stream(1, "codes"))


# 05-3474 Annex C.5.1 and C.5.2: one octet, and a whole block before the padding
MMO = [
    ("c0", "ae3a102a28d43ee0d4a09e22788b206c"),
    (bytes(range(0xC0, 0xD0)).hex(), "a7977e88bc0b61e8210827109a228f2d"),
]


@pytest.mark.parametrize(("data", "digest"), MMO)
def test_the_hash_is_that_of_the_zigbee_specification(data: str, digest: str) -> None:
    assert aes_mmo(bytes.fromhex(data)).hex() == digest


def test_messages_of_all_lengths_around_a_block_differ() -> None:
    digests = {aes_mmo(bytes(length)) for length in range(70)}
    assert len(digests) == 70
    assert all(len(digest) == 16 for digest in digests)


def test_what_the_padding_cannot_tell_is_our_own_error() -> None:
    assert len(aes_mmo(bytes(MAX_OCTETS))) == 16
    with pytest.raises(ValueError, match="at most 8191"):
        aes_mmo(bytes(MAX_OCTETS + 1))
    with pytest.raises(ValueError, match="16 octets"):
        hmac_aes_mmo(b"short", b"")


def test_the_keyed_hash_is_that_of_the_zigbee_specification() -> None:
    key = bytes(range(0x40, 0x50))  # 05-3474 Annex C.6.1
    assert hmac_aes_mmo(key, b"\xc0").hex() == "4512807bf94cb3400f0e2c25fb76e999"
