import base64
from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from harness.errors import HarnessError, UsageError
from harness.gbcs_files import (
    Failure,
    Found,
    NotAMessageError,
    Tally,
    acb_of,
    message_files,
    read_file,
    read_messages,
    verify,
)
from tests.given import RTDS_DIR, RTDS_KEYS, needs_rtds, rtds_files
from tests.vectors.gbcs import generate

OURS = Path(generate.__file__).parent
ALERT = bytes.fromhex((OURS / "FDRA-DLMS_NA_8F72_ALERT.hex").read_text("ascii"))
RECEIPTED = (OURS / "ECS52_11.2_ESME_COMMAND.hex").read_text("ascii").strip()


def document(*payloads: str) -> bytes:
    inside = "".join(f"<sr:GBCSPayload>{p}</sr:GBCSPayload>" for p in payloads)
    return f'<?xml version="1.0"?>\n<sr:R xmlns:sr="urn:x"><sr:B>{inside}</sr:B></sr:R>'.encode()


B64 = base64.b64encode(ALERT).decode()


@pytest.mark.parametrize(
    "data",
    [
        ALERT,
        ALERT.hex().encode(),
        b"0x" + ALERT.hex().encode(),
        ALERT.hex(":").encode(),
        (ALERT.hex() + "\r\n").encode("utf-16"),
        ALERT.hex().upper().encode() + b"\r\n",
        b"\xef\xbb\xbf" + ALERT.hex(" ").encode(),
        b"\n\t" + ALERT.hex("\n", 16).encode(),
        B64.encode(),
        "\n".join(B64[n : n + 20] for n in range(0, len(B64), 20)).encode(),
        document(f"\n  {B64[:30]}\n  {B64[30:]}\n"),
        b"  \n" + document(B64)[22:],
    ],
)
def test_a_message_is_found_in_every_form_with_any_white_space(data: bytes) -> None:
    assert read_messages(data, "x") == [Found("x", ALERT)]


def test_every_payload_of_a_document_is_found_and_numbered() -> None:
    found = read_messages(document(B64, base64.b64encode(b"\xdf").decode()), "d.xml")
    assert found == [Found("d.xml#1", ALERT), Found("d.xml#2", b"\xdf")]
    assert read_messages(document(), "d.xml") == []


@pytest.mark.parametrize(
    ("data", "what", "cause"),
    [
        (b"", "nothing is there", "mistyped"),
        (b" \n", "nothing is there", "mistyped"),
        (b"df0", "neither hex nor base64", "odd number"),
        (b"df09010000000000o0", "neither hex nor base64", "'o'"),
        (b"no message!", "neither hex nor base64", "mistyped"),
        (b"AAA", "neither hex nor base64", "odd number"),
        (b"ZZZ", "neither hex nor base64", "another kind of file"),
        (b"\xff\xfe\x00", "neither hex nor base64", "another kind of file"),
    ],
)
def test_what_is_no_message_is_refused_with_a_likely_cause(
    data: bytes, what: str, cause: str
) -> None:
    with pytest.raises(NotAMessageError, match=what) as caught:
        read_messages(data, "here")
    assert caught.value.where == "here"
    assert cause in caught.value.cause
    assert caught.value.next_command


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<!DOCTYPE a><a/>", "dtd"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "dtd"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "entity"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "entity"),
        (b"<a>", "not-well-formed"),
        (b"<a>" * 40 + b"</a>" * 40, "too-deep"),
    ],
)
def test_hostile_xml_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(HarnessError, match=why):
        read_messages(data, "x.xml")


def test_a_folder_gives_its_message_files_in_order_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.HEX", "a.hex", "sub/c.XML", "sub/d.b64", "readme.md", "e.json"):
        (tmp_path / name).write_text("x")
    names = [path.name for path in message_files([tmp_path])]
    assert names == ["a.hex", "b.HEX", "c.XML", "d.b64"]
    assert message_files([tmp_path / "readme.md"]) == [tmp_path / "readme.md"]


def test_a_path_without_messages_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no GBCS messages there"):
        message_files([tmp_path])
    with pytest.raises(UsageError, match="no such file"):
        message_files([tmp_path / "absent"])
    with pytest.raises(UsageError, match="cannot be read"):
        read_file(tmp_path / "absent.hex")


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    big = tmp_path / "big.hex"
    with big.open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    with pytest.raises(UsageError, match="longer than"):
        read_file(big)


def test_the_broker_of_a_key_store_is_told_by_its_role() -> None:
    store = generate.new_store()
    assert acb_of(store) == generate.ACB
    without = KeyStore(e for e in store.entries() if e.eui64 != generate.ACB)
    with pytest.raises(UsageError, match="0 Access Control Brokers"):
        acb_of(without)


def spoil(message: bytes, at: int) -> bytes:
    spoiled = bytearray(message)
    spoiled[at] ^= 1
    return bytes(spoiled)


def tally_of(tmp_path: Path, *texts: str | bytes) -> Tally:
    files = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.hex"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        files.append(path)
    return verify(files, KeyRing(generate.new_store()), generate.ACB)


def reasons(tally: Tally) -> list[tuple[str, str]]:
    return [(Path(failure.file).name, failure.layer) for failure in tally.failures]


def test_our_own_messages_all_verify() -> None:
    steps: list[int] = []
    files = message_files([OURS])
    ring = KeyRing(generate.new_store())
    tally = verify(files, ring, generate.ACB, step=steps.append)
    assert sum(steps) == len(files) == tally.messages
    assert tally.messages == tally.parsed == tally.payload_typed == tally.reencoded_identical
    assert tally.signatures_present == tally.signatures_valid > 0
    assert tally.macs_present == tally.macs_valid > 0
    assert tally.encrypted_blocks == tally.decrypted == 3
    assert tally.failures == []


def test_a_key_that_is_not_held_makes_a_mac_uncheckable_and_no_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.hex"
    path.write_text(RECEIPTED)
    tally = verify([path], KeyRing(generate.new_store().public()), generate.ACB)
    assert (tally.macs_present, tally.macs_valid, tally.macs_unverifiable) == (1, 0, 1)
    assert tally.failures == []
    tally = verify([path], KeyRing(KeyStore()), generate.ACB)
    assert (tally.macs_present, tally.macs_valid, tally.macs_unverifiable) == (1, 0, 1)
    assert tally.failures == []


def test_every_kind_of_refusal_is_a_failure_with_its_layer(tmp_path: Path) -> None:
    maced = bytes.fromhex(RECEIPTED)
    tally = tally_of(
        tmp_path,
        spoil(maced, -1).hex(),
        spoil(ALERT, -1).hex(),
        maced[:-1].hex(),
        maced.hex() + "00",
        "no message!",
        b"\xff",
        "",
        ALERT.hex(),
    )
    assert reasons(tally) == [
        ("0.hex", "protection.bad_mac"),
        ("1.hex", "protection.bad_signature"),
        ("2.hex", "gbcs.mac"),
        ("3.hex", "gbcs.mac"),
        ("4.hex", "file"),
        ("5.hex", "file"),
        ("6.hex", "file"),
    ]
    assert (tally.messages, tally.parsed, tally.payload_typed) == (8, 3, 3)
    assert (tally.signatures_present, tally.signatures_valid) == (2, 1)
    assert (tally.macs_present, tally.macs_valid) == (1, 0)


def test_a_payload_that_does_not_decode_is_a_failure_of_its_own_layer(tmp_path: Path) -> None:
    broken = ALERT[:31] + ALERT[31:].replace(b"\x09\x20", b"\x08\x20", 1)
    assert broken != ALERT
    tally = tally_of(tmp_path, broken.hex())
    assert (tally.parsed, tally.payload_typed, tally.reencoded_identical) == (1, 0, 0)
    assert ("0.hex", "dlms.data_notification") in reasons(tally)


def test_an_unknown_message_code_is_a_failure_but_still_decoded(tmp_path: Path) -> None:
    assert ALERT[30:33] == b"\x02\x00\xce"
    tally = tally_of(tmp_path, (ALERT[:31] + b"\x0f\xff" + ALERT[33:]).hex())
    assert reasons(tally) == [("0.hex", "protection.unknown_message_code")]
    assert tally.payload_typed == tally.reencoded_identical == 1


def test_an_encrypted_block_with_a_wrong_tag_is_a_failure(tmp_path: Path) -> None:
    name = "ECS66_4.17_ENCRYPTED_RESPONSE.hex"
    message = bytes.fromhex((OURS / name).read_text("ascii"))
    at = message.index(b"\x31\0\0\0\0") + 6
    tally = tally_of(tmp_path, spoil(message, at).hex())
    assert (tally.encrypted_blocks, tally.decrypted) == (1, 0)
    assert ("0.hex", "encryption") in reasons(tally)


def test_a_failure_names_the_payload_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "d.xml"
    path.write_bytes(document(B64, B64[:-4]))
    tally = verify([path], KeyRing(generate.new_store()), generate.ACB)
    assert tally.messages == 2
    assert [failure.file for failure in tally.failures] == [f"{path}#2"]
    assert isinstance(tally.failures[0], Failure)


@needs_rtds
def test_the_given_messages_verify_with_the_expected_counts() -> None:
    files = message_files([RTDS_DIR / "RTDS-4.5.0"])
    assert len(files) == len(rtds_files())
    store = KeyStore.load(RTDS_KEYS)
    assert acb_of(store) == Eui64.parse("90-B3-D5-1F-30-00-00-02")
    tally = verify(files, KeyRing(store), acb_of(store))
    assert tally.failures == []
    assert tally.payload_typed == tally.reencoded_identical == tally.parsed == tally.messages
    if tally.messages == 641:
        counts = (tally.signatures_present, tally.signatures_valid, tally.macs_present)
        assert counts == (219, 219, 431)
        assert (tally.macs_valid, tally.macs_unverifiable) == (429, 2)
        assert (tally.encrypted_blocks, tally.decrypted) == (39, 39)
