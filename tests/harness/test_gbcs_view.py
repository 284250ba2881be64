import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from emulator.codecs.gbcs import zcl_names
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from harness.gbcs_view import names
from harness.gbcs_view.field import Field, lines, numbered, plain_fields, to_json
from harness.gbcs_view.message import Reader, fields_of
from harness.gbcs_view.opaque import OPAQUE
from tests.given import RTDS_KEYS, needs_rtds, rtds_files, rtds_messages
from tests.vectors.gbcs import generate

OURS = sorted(Path(generate.__file__).parent.glob("*.hex"))


def shown(stem: str) -> list[str]:
    path = next(path for path in OURS if path.stem == stem)
    message = bytes.fromhex(path.read_text("ascii"))
    return [line.strip() for line in lines(fields_of(message))]


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        (
            "CS06_11.3_FUTURE-DATED_COMMAND",
            ["execution time: 2026-01-02T00:00:00.000Z", "originator counter: 2001"],
        ),
        (
            "CS06_11.3_CANCELLATION_PRECOMMAND",
            [
                "message: 0x0012 CS06 pre-command: Activate Firmware",
                "execution time: 9999-12-31T23:59:59.000Z (cancels)",
                "signature: absent (pre-command)",
            ],
        ),
        ("CS06_11.3_IMMEDIATE_COMMAND", ["execution time: at once"]),
        ("CS06_11.3_FUTURE-DATED_RESPONSE", ["outcome: none"]),
        ("CS06_11.3_IMMEDIATE-2_RESPONSE", ["code: 2 hash mismatch", "firmware version: 00010203"]),
        (
            "CS06_11.3_8F66_ALERT",
            ["message: 0x00CA CS06 alert: Future Dated Firmware Activation Alert",
             "alert code: 0x8F66 future-dated command executed"],
        ),
        ("CS08_11.2_SUCCESS_COMMAND", ["ReadFirmwareVersion: none"]),
        (
            "CCS08_NA_0_ALERT",
            ["device: 02-53-42-01-00-00-00-A4", "code: 0 success"],
        ),
        ("ECS52_11.2_ESME_COMMAND", ["1 get firmware version",
             "object: Firmware Version (class 1, 0-0:0.2.1.255, attribute 2)"]),
        ("ECS52_11.2_CHF_RESPONSE", ["result: 1 hardware fault"]),
        ("FDRA-DLMS_NA_8F72_ALERT", [f"manufacturer image hash: {generate.IMAGE_HASH.hex()}"]),
        (
            "FDRA-GBZ_NA_8F1C_ALERT",
            ["alert code: 0x8F1C firmware image verification failed, image discarded",
             "at: 2026-01-01T00:00:00.000Z"],
        ),
        ("GCS32_7.2_SUCCESS_COMMAND", ["1 Metering: Change Supply",
                                       "proposed supply status: 0 off"]),
        ("GCS32_7.2_ERROR_RESPONSE", ["1 Metering: Default Response",
                                      "status: 192 hardware failure"]),
        (
            "GCS33_7.4_SUCCESS_RESPONSE",
            ["remaining battery life days: 3000 days",
             "supply status: 2 on"],
        ),
        ("GCS33_7.4_SUCCESS_COMMAND", ["remaining battery life days: 0x0205"]),
        ("GCS14_4.3_ENCRYPTED_RESPONSE", ["additional frame counter: 1",
                                          "from: 2026-01-01T00:00:00.000Z"]),
        ("GCS59_8.12.2_RTDS_COMMAND", ["restore device log"]),
    ],
)  # fmt: skip
def test_a_message_is_shown_with_names(stem: str, expected: list[str]) -> None:
    text = shown(stem)
    for line in expected:
        assert line in text


def leaves(fields: Iterable[Field]) -> Iterable[tuple[str, str]]:
    for name, value in fields:
        if isinstance(value, str):
            yield name, value
        else:
            yield from leaves(value)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_field_of_our_messages_is_empty_or_unnamed(path: Path) -> None:
    found = list(leaves(fields_of(bytes.fromhex(path.read_text("ascii")))))
    assert len(found) > 8
    assert all(name and value for name, value in found)
    assert "refused" not in dict(found)


def test_a_payload_that_does_not_decode_is_shown_with_the_reason() -> None:
    path = next(path for path in OURS if path.stem == "FDRA-DLMS_NA_8F72_ALERT")
    message = bytes.fromhex(path.read_text("ascii")).replace(b"\x12\x8f\x72", b"\x07\x8f\x72")
    found = dict(leaves(fields_of(message)))
    assert found["refused"] == "dlms.data_notification: unknown data type"
    assert found["octets"].startswith("0f")


def test_a_message_of_an_unknown_code_is_shown_too() -> None:
    path = next(path for path in OURS if path.stem == "FDRA-DLMS_NA_8F72_ALERT")
    message = bytes.fromhex(path.read_text("ascii")).replace(b"\x02\x00\xce", b"\x02\x0f\xff")
    text = list(lines(fields_of(message)))
    assert text[0] == "message: 0x0FFF (unknown) alert"
    assert any("0x8F72" in line for line in text)


def test_an_envelope_that_does_not_decode_is_refused() -> None:
    with pytest.raises(MalformedFrameError):
        fields_of(b"\xdf\x09")


def test_a_tree_prints_indented_and_as_json() -> None:
    tree: list[Field] = [("a", "1"), ("b", numbered([("c", "2"), ("d", [])]))]
    assert list(lines(tree)) == ["a: 1", "b", "  1 c: 2", "  2 d"]
    assert to_json(tree) == [
        {"name": "a", "value": "1"},
        {
            "name": "b",
            "fields": [{"name": "1 c", "value": "2"}, {"name": "2 d", "fields": []}],
        },
    ]
    assert plain_fields("no record") == []


def test_the_tables_of_names_are_read_whole() -> None:
    assert names.OBJECTS[1, "0-0:0.2.1.255"] == "Firmware Version"
    assert len(names.OBJECTS) > 200
    assert zcl_names.COMMANDS[0x0702, False, 0x0B] == "Change Supply"
    assert zcl_names.COMMANDS[0x0702, True, 0x0C] == "Supply Status Response"


@needs_rtds
def test_every_given_message_is_shown_whole() -> None:
    for name, data in rtds_messages():
        found = list(leaves(fields_of(data)))
        assert "refused" not in dict(found), name
        assert all(field for field, _ in found), name


HEX_RUN = re.compile(r"(?:[0-9a-f]{2}){3,}")
UNNAMED = re.compile(
    r"(part|content|attribute|context) [0-9a-f]{1,4}|value|plain text|octet string|integer"
    r"|payload of unknown command|get|set|action|(get|set|action) object"
)
#: Answers of the controllers' commands fit several of them; nothing but results is in them.
NO_NAMES = frozenset({"get", "set", "action"})


def with_keys() -> Reader:
    ring = KeyRing(KeyStore.load(RTDS_KEYS))
    return Reader(ring, Eui64.parse("90-B3-D5-1F-30-00-00-02"))


@needs_rtds
def test_no_given_message_holds_octets_without_a_name_and_a_reason() -> None:
    reader, shown, reasons = with_keys(), 0, set()
    for name, data in rtds_messages():
        for field, text in leaves(fields_of(data, reader)):
            shown += 1
            last = re.sub(r"^\d+ ", "", field)
            if HEX_RUN.fullmatch(text.removesuffix(" (encrypted)")) and not text.isdigit():
                assert last in OPAQUE, (name, field, text)
                reasons.add(last)
            assert not UNNAMED.fullmatch(last), (name, field)
    assert shown > 15_000
    assert {"signature", "MAC", "DER octets", "key identifier"} <= reasons


@needs_rtds
def test_no_given_message_holds_a_group_named_by_its_type_alone() -> None:
    def groups(fields: Iterable[Field]) -> Iterable[str]:
        for field, value in fields:
            if not isinstance(value, str):
                yield re.sub(r"^\d+ ", "", field)
                yield from groups(value)

    for name, data in rtds_messages():
        for found in groups(fields_of(data, with_keys_once())):
            plain = UNNAMED.fullmatch(found)
            assert plain is None or (found in NO_NAMES and "ECS47" in name), (name, found)


@cache
def with_keys_once() -> Reader:
    return with_keys()


@needs_rtds
def test_every_encrypted_block_of_the_given_messages_is_shown_in_the_clear_too() -> None:
    blocks = 0
    for name, data in rtds_messages():
        found = fields_of(data, with_keys_once())[2][1]
        assert isinstance(found, list), name
        opened = [value for field, value in found if field.endswith("decrypted block")]
        assert all(isinstance(value, list) and value for value in opened), name
        blocks += len(opened)
    assert blocks == 39


@needs_rtds
def test_the_command_names_the_items_of_an_answer_that_several_commands_have() -> None:
    files = {path.stem: path for path in rtds_files()}
    stem = "ECS47a_7.13_ALCS_ACTIVATE_SUCCESS_{}_GBCS"
    command, answer = (
        bytes.fromhex(files[stem.format(kind)].read_text("ascii"))
        for kind in ("COMMAND", "RESPONSE")
    )
    alone, named = fields_of(answer)[2][1], fields_of(answer, Reader(command=command))[2][1]
    assert isinstance(alone, list)
    assert isinstance(named, list)
    assert [field for field, _ in alone][1:] == ["1 set", "2 set", "3 action"]
    assert [field for field, _ in named][1:] == [
        "1 set aux controller 5 begin",
        "2 set aux controller 5 end",
        "3 action controller script",
    ]
