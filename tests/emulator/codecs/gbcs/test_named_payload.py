from collections.abc import Iterator
from typing import Any

import pytest

from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    Operation,
    Selection,
    parse_obis,
)
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.axdr import Tag as DataTag
from emulator.codecs.gbcs import access_items, asn1_layouts, envelope
from emulator.codecs.gbcs.alerts import DlmsAlert
from emulator.codecs.gbcs.blocks import encrypted_blocks
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent, GbzMessage
from emulator.codecs.gbcs.named import Named, is_group, is_rows, leaves
from emulator.codecs.gbcs.named_data import named_data
from emulator.codecs.gbcs.named_objects import members
from emulator.codecs.gbcs.named_payload import named_payload, named_plain_texts
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode, PayloadKind
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing, decrypt_block
from tests.given import RTDS_KEYS, needs_rtds, rtds_messages

ECS17B, GCS38 = int(MessageCode.ECS17B), int(MessageCode.GCS38)
IMPORT = parse_obis("1-0:2.8.0.255")
NOON = UtcMs(1_420_113_600_000)


def plain(named: Named) -> dict[str, Any]:
    return {path: value for path, _, value in leaves(named)}


def whole(named: Named) -> Iterator[Any]:
    """Every value of a tree, to see that its parts and values fit each other."""
    for part, value in named:
        if is_rows(part):
            assert isinstance(value, tuple)
            for row in value:
                yield from whole(row)
        elif is_group(part):
            yield from whole(value)
        else:
            assert part.name
            assert not isinstance(value, tuple) or part.name == "object"
            yield value


def test_a_read_is_named_by_the_catalogue_and_its_answer_by_the_command() -> None:
    item = AccessItem(Operation.GET, 3, IMPORT, 2)
    asked = AccessRequest(1, (item,))
    assert "get active_export_wh/object" in plain(named_payload(asked, 0x7777, Cra.COMMAND))
    answer = AccessResponse(1, (AccessResult(Operation.GET, 0, Data(DataTag.UINT32, 42)),))
    alone = plain(named_payload(answer, 0x7777, Cra.RESPONSE))
    assert alone["get/value"] == 42
    told = plain(named_payload(answer, 0x7777, Cra.RESPONSE, asked))
    assert told["get active_export_wh/active_export_wh"] == 42
    assert told["get active_export_wh/result"] == 0


def test_a_value_of_another_shape_than_its_catalogue_s_is_told_by_its_types() -> None:
    odd = axdr.structure(Data(DataTag.UINT8, 1), Data(DataTag.ARRAY, (axdr.octets(b"\x01"),)))
    found = (named_data("active_export_wh", "u32", odd),)
    assert plain(found) == {
        "active_export_wh/part_1": 1,
        "active_export_wh/part_2/value": b"\x01",
    }


def test_selections_by_range_and_by_entry_are_named() -> None:
    obis = parse_obis("0-0:99.98.0.255")
    by = axdr.structure(
        axdr.uint16(8), axdr.octets(parse_obis("0-0:1.0.0.255")), Data(DataTag.INT8, 2),
        axdr.uint16(0),
    )  # fmt: skip
    stamp = axdr.octets(encode_date_time(NOON))
    by_range = axdr.structure(by, stamp, stamp, Data(DataTag.ARRAY, ()))
    u32, u16 = Data(DataTag.UINT32, 1), axdr.uint16(0)
    by_entry = axdr.structure(u32, u32, u16, u16)
    for selector, parameters, wanted in (
        (1, by_range, "selected_by_range/from"),
        (2, by_entry, "selected_by_entry/to_entry"),
        (9, by_entry, "selection/selector"),
    ):
        selection = Selection(selector, parameters)
        item = AccessItem(Operation.GET_SELECTED, 7, obis, 2, axdr.NULL, selection)
        found = plain(named_payload(AccessRequest(1, (item,)), 1, Cra.COMMAND))
        assert f"get event_log/{wanted}" in found


@pytest.mark.parametrize(
    ("code", "content", "wanted"),
    [
        (0x8F85, (axdr.octets(b"\x00\x12" + bytes(7) + b"\x05"),),
         {"command_message_code": 0x12, "command_counter": 5}),
        (0x8F87, (Data(DataTag.UINT8, 3), Data(DataTag.UINT8, 1)), {"controller": 3, "cause": 1}),
        (0x8F72, (axdr.octets(bytes(32)),), {"manufacturer_image_hash": bytes(32)}),
        (0x9999, (Data(DataTag.UINT8, 3),), {"content_1": 3}),
    ],
)  # fmt: skip
def test_what_a_dlms_alert_adds_is_named(
    code: int, content: tuple[Data, ...], wanted: dict[str, Any]
) -> None:
    alert = DlmsAlert(7, code, encode_date_time(NOON), content)
    found = plain(named_payload(alert, 0x1000, Cra.ALERT))
    assert found["alert_code"] == code
    assert found.items() >= wanted.items()


@pytest.mark.parametrize(
    ("code", "content", "wanted"),
    [
        (0x8F85, b"\x00\x84" + bytes(7) + b"\x05", {"command_message_code": 0x84}),
        (0x81A0, b"\x01\x02", {"integrity_issue": b"\x01\x02"}),
        (0x9999, b"\x01", {"content": b"\x01"}),
        (0x9999, b"", {}),
    ],
)
def test_what_a_gbz_alert_adds_is_named(code: int, content: bytes, wanted: dict[str, Any]) -> None:
    found = plain(named_payload(GbzAlert(code, NOON, content), 0x1001, Cra.ALERT))
    assert found.items() >= {"alert_code": code, "at": NOON, **wanted}.items()


def test_a_zcl_payload_of_another_layout_is_refused_and_of_no_layout_shown() -> None:
    short = GbzMessage((GbzComponent(0x0705, 0x01, 0, 0x05, b"\x01"),))
    with pytest.raises(MalformedFrameError, match=r"gbcs\.zcl"):
        named_payload(short, GCS38, Cra.COMMAND)
    unknown = GbzMessage((GbzComponent(0x0705, 0x01, 0, 0x66, b"\x01"),))
    found = plain(named_payload(unknown, GCS38, Cra.COMMAND))
    assert found["Prepayment: command 0x66/payload_of_unknown_command"] == b"\x01"


def asn1_codes() -> list[tuple[int, Cra]]:
    return [
        (row.code, cra)
        for row in MESSAGES.values()
        if PayloadKind.ASN1 in row.payload
        for cra, allowed in zip(Cra, (row.command, row.response, row.alert), strict=True)
        if allowed
    ]


TYPED = {"CS06", "CS06_ALERT", "CS08", "CS09", "CCS08"}


@pytest.mark.parametrize(("code", "cra"), asn1_codes())
def test_every_asn1_message_has_a_layout_or_a_type(code: int, cra: Cra) -> None:
    assert (code, cra) in asn1_layouts.LAYOUTS or MessageCode(code).name in TYPED


def test_a_tree_beside_its_layout_is_shown_by_its_types() -> None:
    tree = der.sequence(der.integer(5), Node(Tag.UTF8_STRING, b"x"), Node(0x9E, b"\x01"))
    found = plain(named_payload(tree, 0x7777, Cra.COMMAND))
    assert found == {"sequence/integer": 5, "sequence/utf8_string": b"x", "sequence/context_30": 1}


def test_every_dlms_code_with_a_response_has_its_items_and_every_item_a_name() -> None:
    codes = {
        row.code
        for row in MESSAGES.values()
        if row.payload == (PayloadKind.DLMS,) and row.response and row.command
    }
    forms = {code: access_items.forms_of(code) for code in codes}
    without = {MESSAGES[code].use_case for code, found in forms.items() if not found}
    assert not without
    unnamed = [
        (MESSAGES[code].use_case, item)
        for code, found in forms.items()
        for form in found
        for item in form
        if (item.class_id, item.obis, item.operation is Operation.ACTION, item.index)
        not in members()
    ]
    assert not unnamed


@needs_rtds
def test_every_given_payload_and_plain_text_is_named_whole() -> None:
    ring, values = KeyRing(KeyStore.load(RTDS_KEYS)), 0
    for name, data in rtds_messages():
        env = envelope.decode(data)
        code, cra = env.header.other.message_code, env.header.cra
        value = decode_payload(MESSAGES[code], cra, env.payload)
        sealed = tuple([decrypt_block(b, env.header, ring) for b in encrypted_blocks(value)])
        trees = (named_payload(value, code, cra), *named_plain_texts(value, code, sealed))
        for tree in trees:
            assert tree, name
            values += sum(1 for _ in whole(tree))
    assert values > 15_000
