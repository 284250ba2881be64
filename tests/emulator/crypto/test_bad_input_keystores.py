"""Key stores as an enemy writes them: refused by file, row and field; no key is repeated."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.crypto import key_files
from emulator.crypto.keystore import KeyStore, KeyStoreError
from emulator.crypto.signature import point_of

SCALAR = 0x1234567890ABCDEF1234567890ABCDEF
ROW: dict[str, Any] = {
    "eui64": "0253420000000001",
    "usage": "DS",
    "prepayment": False,
    "public_point": point_of(SCALAR).hex(),
    "private_scalar": f"{SCALAR:064x}",
}


def refusal(path: Path, content: object) -> str:
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(KeyStoreError) as refused:
        KeyStore.load(path)
    assert f"{SCALAR:x}" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("content", ["[" * 200_000, '[{"eui64":' * 50_000, "", "{", "\x00"])
def test_what_is_no_json_is_refused(tmp_path: Path, content: str) -> None:
    assert "not JSON" in refusal(tmp_path / "keys.json", content)


@pytest.mark.parametrize("content", [{}, None, '"x"', 5, {"keys": []}])
def test_another_shape_than_a_list_is_refused(tmp_path: Path, content: object) -> None:
    assert "a list of keys" in refusal(tmp_path / "keys.json", content)


@pytest.mark.parametrize("row", [5, None, "x", []])
def test_a_row_that_is_no_object_is_refused(tmp_path: Path, row: object) -> None:
    assert "row 1: not a key (a JSON object)" in refusal(tmp_path / "keys.json", [ROW, row])


@pytest.mark.parametrize("field", ["eui64", "usage", "public_point"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    row = {name: value for name, value in ROW.items() if name != field}
    assert f"{field} is missing" in refusal(tmp_path / "keys.json", [row])


@pytest.mark.parametrize("field", [*ROW, "certificate"])
@pytest.mark.parametrize("value", [5, [], {}, "\N{ARABIC-INDIC DIGIT ONE}", 1.5])
def test_a_field_of_the_wrong_type_is_named(tmp_path: Path, field: str, value: object) -> None:
    told = refusal(tmp_path / "keys.json", [{**ROW, field: value}])
    assert "row 0" in told
    if field != "private_scalar" or not isinstance(value, str):
        assert f"{field} is not right" in told


def test_the_word_false_is_no_prepayment_flag(tmp_path: Path) -> None:
    told = refusal(tmp_path / "keys.json", [{**ROW, "prepayment": "false"}])
    assert "prepayment is not right" in told


def test_two_keys_for_one_use_are_refused_and_none_is_dropped(tmp_path: Path) -> None:
    other = {**ROW, "public_point": point_of(SCALAR + 1).hex(), "private_scalar": None}
    assert "row 1: another key" in refusal(tmp_path / "keys.json", [ROW, other])


def test_the_same_key_twice_keeps_its_private_part(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([{**ROW, "private_scalar": None}, ROW]), "utf-8")
    (entry,) = KeyStore.load(path).entries()
    assert entry.private_scalar == SCALAR


def test_an_endless_key_file_is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(1 << 30)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "huge.pem").symlink_to(huge)
    for path in (huge, Path("/dev/zero"), tmp_path / "folder"):
        with pytest.raises(KeyStoreError, match=f"longer than {key_files.MAX_FILE_BYTES}"):
            KeyStore.load(path)
