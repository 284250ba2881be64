"""Credentials change hands under their certificates, and joins are kept, under fresh keys."""

import json
from functools import cache
from typing import Any

import pytest

from device_profiles.words import GBCS_DEVICE_NUMBER, DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.dlms import access
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.asn1_parts import time_node
from emulator.codecs.gbcs.credentials import Cell, Replacement
from emulator.codecs.gbcs.dates import CANCEL_TIME
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki as Pki
from emulator.crypto.protection import KeyRing, seal
from emulator.devices.base import Device
from emulator.devices.credentials import holders
from emulator.devices.credentials.own_keys import CertificateCode
from emulator.devices.credentials.places import CellStatus
from emulator.devices.esme.esme import Esme
from tests.emulator.devices.esme.esme_kit import CODES, OBJECTS, item_of
from tests.emulator.devices.kit import (
    ACB,
    ESME,
    HCALCS,
    NETWORK_OPERATOR,
    OTHER_SUPPLIER,
    START,
    SUPPLIER,
    all_keys,
    messages,
    notes,
    powered,
)

DS, KA = KeyUsage.DS, KeyUsage.KA
BAD, OTHER = CellStatus.BAD_CERTIFICATE, CellStatus.OTHER
SUPPLIER_CELLS = (
    (Cell(2, wire.DIGITAL_SIGNATURE), DS, False),
    (Cell(2, wire.KEY_AGREEMENT), KA, False),
    (Cell(2, wire.KEY_AGREEMENT, is_prepayment=True), KA, True),
)


@cache
def pki() -> Pki:
    return Pki.new(Stream(7, "test").octets, START)


@cache
def new_supplier() -> tuple[KeyEntry, ...]:
    return tuple(
        pki().organisation_entry(OTHER_SUPPLIER, 2, usage, prepayment=prepayment)
        for _, usage, prepayment in SUPPLIER_CELLS
    )


def everyone_now() -> KeyRing:
    """The old keys, those of the new supplier in place of its old ones."""
    return KeyRing(all_keys().merged(KeyStore(new_supplier())))


def give(  # noqa: PLR0913 - a message has that many parts
    device: Device,
    code: MessageCode,
    payload: Node | bytes,
    *,
    counter: int,
    originator: Eui64 = SUPPLIER,
    now: UtcMs = START,
) -> list[Effect]:
    header = GroupingHeader(Cra.COMMAND, counter, originator, ESME, OtherInformation(int(code)))
    octets = payload if isinstance(payload, bytes) else der.encode(payload)
    protection = MESSAGES[int(code)].command[0]
    message = seal(Envelope(header, octets), everyone_now(), protection=protection, acb=ACB)
    return device.handle(DeviceEvent.GBCS, message, now)


def answer_of(effects: list[Effect]) -> Node:
    [sent] = messages(effects)
    return der.decode(envelope.decode(sent).payload)


def replacement(
    counter: int, entries: tuple[KeyEntry, ...], *, at: UtcMs | None = None, floor: int = 5000
) -> Node:
    """A supplier's command to put the given certificates into its places."""
    cells = [
        Replacement(entry.certificate or b"", cell)
        for entry, (cell, _, _) in zip(entries, SUPPLIER_CELLS, strict=True)
    ]
    rows = [
        der.sequence(der.decode(one.certificate), der.sequence(*one.cell.nodes)) for one in cells
    ]
    issuing = pki().issuing.certificate
    control = der.sequence(
        der.integer(2),
        Node(0xA2, Cell(2, wire.DIGITAL_SIGNATURE).nodes),
        Node(0x83, der.integer(counter).content),
        Node(0x84, der.integer(floor).content),
        Node(0xA5, (der.sequence(der.integer(0), der.integer(floor)),)),
    )
    parts = [control, der.sequence(*rows), der.sequence(der.decode(issuing))]
    if at is not None:
        parts.append(time_node(at))
    return der.sequence(*parts)


def part(node: Node, *places: int) -> Node:
    for place in places:
        assert isinstance(node.content, tuple)
        node = node.content[place]
    return node


def octets_of(node: Node) -> bytes:
    assert isinstance(node.content, bytes)
    return node.content


def statuses(outcome: Node) -> list[int]:
    cells = part(outcome, 3).content
    assert isinstance(cells, tuple)
    return [octets_of(part(row, 1))[0] for row in cells]


def meter() -> Esme:
    made = powered(DeviceType.ESME)
    assert isinstance(made, Esme)
    made.trust.root = pki().root.certificate
    return made


def read_version(device: Esme, originator: Eui64, counter: int) -> list[Effect]:
    item = item_of(OBJECTS.named["firmware_version"])
    payload = access.encode_request(access.AccessRequest(0x20000000 | counter, (item,)))
    return give(device, CODES["ECS52"], payload, counter=counter, originator=originator)


def test_a_new_supplier_is_obeyed_and_the_old_one_is_not() -> None:
    device = meter()
    code = MessageCode.CS02B_SUPPLIER_BY_SUPPLIER
    response = answer_of(give(device, code, replacement(9, new_supplier()), counter=9))
    assert isinstance(response.content, tuple)
    assert statuses(response.content[1]) == [0, 0, 0]
    for restart in (False, True):
        if restart:
            state: Any = json.loads(json.dumps(device.dump()))
            device = meter()
            device.load(state)
        assert notes(read_version(device, SUPPLIER, 7000), "message_refused")
        assert not notes(read_version(device, OTHER_SUPPLIER, 7000 + restart), "message_refused")
    refused = notes(read_version(device, OTHER_SUPPLIER, 4999), "message_refused")
    assert refused[0]["reason"] == "replayed_counter"


def test_the_places_show_their_new_holders() -> None:
    device = meter()
    code = MessageCode.CS02B_SUPPLIER_BY_SUPPLIER
    give(device, code, replacement(9, new_supplier()), counter=9)
    asked = der.sequence(
        der.sequence(*Cell(2, wire.KEY_AGREEMENT).nodes),
        der.sequence(der.integer(2), der.integer(5)),
    )
    shown = answer_of(
        give(device, MessageCode.CS02F, asked, counter=6000, originator=OTHER_SUPPLIER)
    )
    assert isinstance(shown.content, tuple)
    expected = [
        (cell, wire.Holder(OTHER_SUPPLIER, holders.key_identifier(entry)))
        for (cell, _, _), entry in zip(SUPPLIER_CELLS, new_supplier(), strict=True)
    ]
    assert shown.content[0] == wire.held_node(2, 5000, tuple(expected))
    assert shown.content[1] == wire.held_node(5, 0, ())


def test_a_dated_replacement_waits_for_its_date_and_is_told() -> None:
    device = meter()
    code, at = MessageCode.CS02B_SUPPLIER_BY_SUPPLIER, UtcMs(START + 3_600_000)
    response = answer_of(give(device, code, replacement(9, new_supplier(), at=at), counter=9))
    assert response == der.sequence(der.NULL)
    assert device.network.supplier(ESME) == SUPPLIER
    device.load(json.loads(json.dumps(device.dump())))
    effects = device.handle(DeviceEvent.TIMER, "trust.replace", at)
    told = answer_of(effects)
    assert isinstance(told.content, tuple)
    assert told.content[0] == der.integer(0x8F66)
    assert device.network.supplier(ESME) == OTHER_SUPPLIER


def test_a_cancelled_replacement_does_not_come() -> None:
    device = meter()
    code, at = MessageCode.CS02B_SUPPLIER_BY_SUPPLIER, UtcMs(START + 3_600_000)
    give(device, code, replacement(9, new_supplier(), at=at), counter=9)
    give(device, code, replacement(10, new_supplier(), at=CANCEL_TIME), counter=10)
    assert "trust.replace" not in device.timers
    assert device.network.supplier(ESME) == SUPPLIER


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("role", [BAD, OTHER, OTHER]),
        ("usage", [BAD, OTHER, OTHER]),
        ("issuer", [CellStatus.NO_TRUST_ANCHOR, OTHER, OTHER]),
        ("order", [BAD, BAD, OTHER]),
    ],
)
def test_certificates_that_do_not_hold_replace_nobody(what: str, expected: list[int]) -> None:
    signing, agreement, prepayment = new_supplier()
    entries = {
        "role": (pki().organisation_entry(OTHER_SUPPLIER, 3, DS), agreement, prepayment),
        "usage": (pki().organisation_entry(OTHER_SUPPLIER, 2, KA), agreement, prepayment),
        "issuer": (
            Pki.new(Stream(8, "other").octets, START).organisation_entry(OTHER_SUPPLIER, 2, DS),
            agreement,
            prepayment,
        ),
        "order": (agreement, signing, prepayment),
    }[what]
    device = meter()
    code = MessageCode.CS02B_SUPPLIER_BY_SUPPLIER
    response = answer_of(give(device, code, replacement(9, entries), counter=9))
    assert isinstance(response.content, tuple)
    assert statuses(response.content[1]) == expected
    assert device.network.supplier(ESME) == SUPPLIER
    assert not notes(read_version(device, SUPPLIER, 20), "message_refused")


def test_only_who_a_mode_names_may_use_it() -> None:
    device = meter()
    code = MessageCode.CS02B_SUPPLIER_BY_SUPPLIER
    effects = give(
        device, code, replacement(9, new_supplier()), counter=9, originator=NETWORK_OPERATOR
    )
    assert notes(effects, "message_refused")[0]["reason"] == "originator_role"
    wrong = give(device, code, replacement(8, new_supplier()), counter=9)
    assert notes(wrong, "message_refused")[0]["reason"] == "malformed_payload"


def test_a_device_makes_a_key_takes_its_certificate_and_signs_with_it() -> None:
    device = meter()
    usage = der.sequence(Node(Tag.BIT_STRING, wire.DIGITAL_SIGNATURE))
    request = answer_of(give(device, MessageCode.CS02C, usage, counter=9))
    point = octets_of(part(request, 0, 2, 1))[1:]
    device.load(json.loads(json.dumps(device.dump())))
    octets = pki().device_certificate(ESME, DS, point)
    taken = give(device, MessageCode.CS02D, octets, counter=10)
    assert answer_of(taken) == der.integer(0)
    shown = answer_of(give(device, MessageCode.CS02E, usage, counter=11))
    assert der.encode(shown) == octets
    held = device.ring.keystore.find(ESME, DS)
    assert held is not None
    assert held.public_point == point
    strange = pki().device_entry(ESME, DS).certificate or b""
    refused = answer_of(give(device, MessageCode.CS02D, strange, counter=12))
    assert refused == der.integer(CertificateCode.NO_KEY_PAIR)


def test_a_joined_device_can_be_unjoined_once() -> None:
    device = meter()
    joined = der.sequence(der.integer(0), der.octet_string(HCALCS.octets), der.integer(4))
    who = der.octet_string(HCALCS.octets)
    codes = [
        (MessageCode.CS04AC, who, 1), (MessageCode.CS03A1, joined, 0),
        (MessageCode.CS03A1, joined, 0), (MessageCode.CS04AC, who, 0),
        (MessageCode.CS04AC, who, 1),
    ]  # fmt: skip
    for counter, (code, payload, expected) in enumerate(codes, 9):
        assert answer_of(give(device, code, payload, counter=counter)) == der.integer(expected)


def test_a_full_log_takes_no_more_devices() -> None:
    device = meter()
    limits = device.profile.limits
    switches, most = limits.hcalcs_devices or 0, limits.type1_devices or 0
    switch, display = (GBCS_DEVICE_NUMBER[kind] for kind in (DeviceType.HCALCS, DeviceType.PPMID))
    kinds = [*[switch] * (switches + 1), *[display] * (most - switches + 1)]
    codes = []
    for number, kind in enumerate(kinds):
        who = der.octet_string(bytes(7) + bytes((number,)))
        payload = der.sequence(der.integer(0), who, der.integer(kind))
        codes.append(answer_of(give(device, MessageCode.CS03A1, payload, counter=9 + number)))
    room = [*[0] * switches, 4, *[0] * (most - switches), 4]
    assert codes == [der.integer(code) for code in room]


def test_parties_are_in_the_roles_that_a_network_says() -> None:
    device = meter()
    assert device.network.roles(SUPPLIER, ESME) == {RemoteParty.SUPPLIER}
    assert device.network.roles(Eui64(bytes(8)), ESME) == frozenset()
