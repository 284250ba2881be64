"""Credentials change hands under fresh keys: in every device and mode, with every fault named."""

import json
from typing import Any

import pytest

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.credentials import Cell
from emulator.codecs.gbcs.dates import CANCEL_TIME
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.pki import TestPki as Pki
from emulator.devices.credentials.holders import key_identifier
from emulator.devices.credentials.places import MODES, PLACES, CellStatus
from tests.emulator.devices.credentials.own_home import (
    ROLES,
    TYPES,
    Home,
    answered,
    octets_of,
    rows,
    statuses,
)
from tests.emulator.devices.kit import START, messages, notes

C, D, R, S = MessageCode, DeviceType, RemoteParty, CellStatus
NEW = Eui64(bytes.fromhex("90b3d51f30aa0001"))
STRANGER = Pki.new(Stream(99, "stranger").octets, START)
SIGNED = Cell(R.SUPPLIER, wire.DIGITAL_SIGNATURE)
#: Every way to replace in every type of device that has places for it.
WAYS = [
    (kind, C(code))
    for kind in TYPES
    for code, mode in MODES.items()
    if mode.authoriser is not None
    and mode.authoriser in {cell.role for cell in PLACES[kind]}
    and mode.replaced & {cell.role for cell in PLACES[kind]} - {R.ROOT}
]


def replaced_role(kind: DeviceType, code: MessageCode) -> int:
    """A role that a way of replacing may give away."""
    held = {cell.role for cell in PLACES[kind]}
    return min(role for role in MODES[code].replaced if role in held and role != R.ROOT)


@pytest.mark.parametrize(("kind", "code"), WAYS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_new_party_takes_every_place_and_the_old_one_is_refused(
    kind: DeviceType, code: MessageCode, seed: int
) -> None:
    home = Home(kind, seed)
    role = replaced_role(kind, code)
    old, new = home.parties[role], home.rows_for(role, NEW)
    response = answered(home.replace(code, new, floors={role: 7}))
    assert statuses(response) == [S.SUCCESS] * len(new)
    home.moved_to(role, NEW, new)
    for restart in (False, True):
        if restart:
            home.power_cycle()
        told = home.shown(role, role)
        if not restart:
            assert octets_of(rows(told)[2]) == b"\7"
        subjects = [octets_of(rows(row)[-2]) for row in rows(rows(told)[3])]
        assert subjects == [NEW.octets] * len(new)
        identifiers = [octets_of(rows(row)[-1]) for row in rows(rows(told)[3])]
        assert identifiers == [key_identifier(entry) for entry, _ in new]
        asked = der.sequence(der.sequence(*Cell(role, wire.KEY_AGREEMENT).nodes), der.sequence())
        reason = home.refusal(C.CS02F, asked, old)
        expected = {"originator_role", "unknown_signer", "bad_mac", "no_mac_key"}
        assert reason in expected, reason


def test_the_new_holder_begins_at_its_floor() -> None:
    home = Home(D.GSME)
    new = home.rows_for(R.SUPPLIER, NEW)
    home.replace(C.CS02B_SUPPLIER_BY_TCOS, new, floors={R.SUPPLIER: 5000})
    home.moved_to(R.SUPPLIER, NEW, new)
    home.counters[NEW] = 4998
    asked = der.sequence(der.sequence(*SIGNED.nodes), der.sequence(der.integer(2)))
    assert home.refusal(C.CS02F, asked, NEW) == "replayed_counter"
    home.counters[NEW] = 5000
    assert rows(home.ask(C.CS02F, asked, R.SUPPLIER))


def test_a_party_that_stays_is_not_taken_back() -> None:
    home = Home(D.GSME)
    supplier = home.parties[R.SUPPLIER]
    asked = der.sequence(der.sequence(*SIGNED.nodes), der.sequence())
    old = home.sealed(C.CS02F, asked, supplier)
    home.give(old)
    new = home.rows_for(R.SUPPLIER, supplier)
    home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, new, floors={R.SUPPLIER: 0})
    home.moved_to(R.SUPPLIER, supplier, new)
    assert notes(home.give(old), "message_refused")
    assert rows(home.ask(C.CS02F, asked, R.SUPPLIER)) == ()


def faulty(home: Home, what: str) -> tuple[list[Any], dict[str, Any], list[int]]:
    """The rows of a spoilt command, what it tells beside them, and the statuses that are due."""
    good = home.rows_for(R.SUPPLIER, NEW)
    rest = [S.OTHER] * (len(good) - 1)
    entry, cell = good[0]
    theirs = STRANGER.organisation_entry(NEW, 2, entry.usage)
    operators = home.pki.organisation_entry(NEW, 3, entry.usage)
    agreeing = home.pki.organisation_entry(NEW, 2, KeyUsage.KA)
    third = home.pki.organisation_entry(Eui64(bytes(8)), 2, entry.usage)
    all_theirs = [
        (STRANGER.organisation_entry(NEW, 2, e.usage, prepayment=e.prepayment), c) for e, c in good
    ]
    of_hub = Cell(R.WAN_PROVIDER, wire.DIGITAL_SIGNATURE)
    operator_place = Cell(R.NETWORK_OPERATOR, wire.DIGITAL_SIGNATURE)
    if what == "expired":
        home.now = UtcMs(START + 4000 * 86_400_000)
    told = {"issuer": STRANGER.issuing.certificate} if what == "issuer not believed" else {}
    entries, due = {
        "issuer not believed": (all_theirs, [S.NO_TRUST_ANCHOR] * len(good)),
        "issuer missing": ([(theirs, cell), *good[1:]], [S.NO_TRUST_ANCHOR, *rest]),
        "role": ([(operators, cell), *good[1:]], [S.BAD_CERTIFICATE, *rest]),
        "usage": ([(agreeing, cell), *good[1:]], [S.BAD_CERTIFICATE, *rest]),
        "two parties": ([(third, cell), *good[1:]], [S.BAD_CERTIFICATE] * len(good)),
        "half a change": (good[:1], [S.BAD_CERTIFICATE]),
        "a place twice": ([*good, good[0]], [S.BAD_CERTIFICATE, *rest, S.BAD_CERTIFICATE]),
        "no such place": (
            [*good, (entry, of_hub)], [S.OTHER, *rest, S.TRUST_ANCHOR_NOT_FOUND],
        ),
        "a place of another mode": (
            [*good, (entry, operator_place)], [S.OTHER, *rest, S.TRUST_ANCHOR_NOT_FOUND],
        ),
        "expired": (good, [S.BAD_CERTIFICATE] * len(good)),
    }[what]  # fmt: skip
    return entries, told, [int(status) for status in due]


FAULTS = [
    "issuer not believed", "issuer missing", "role", "usage", "two parties", "half a change",
    "a place twice", "no such place", "a place of another mode", "expired",
]  # fmt: skip


def without_traces(state: Any) -> Any:
    """A state without what an accepted command leaves, or one that is told of (8F30)."""
    traces = ("accepted", "security_log", "next_counter")
    return {name: value for name, value in state.items() if name not in traces}


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("kind", [D.ESME, D.GSME, D.GPF])
def test_a_fault_is_named_for_its_place_and_nothing_changes(kind: DeviceType, what: str) -> None:
    home = Home(kind)
    entries, told, due = faulty(home, what)
    before = without_traces(home.device.dump())
    effects = home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, entries, **told)
    assert statuses(answered(effects)) == due
    assert without_traces(home.device.dump()) == before
    assert home.device.security_log[-1].code == 0x8F70


def test_time_does_not_count_where_the_command_says_so() -> None:
    home = Home(D.GSME)
    home.now = UtcMs(START + 4000 * 86_400_000)
    new = home.rows_for(R.SUPPLIER, NEW)
    effects = home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, new, timeless=True)
    assert statuses(answered(effects)) == [0] * len(new)


@pytest.mark.parametrize(("kind", "code"), WAYS)
def test_only_who_a_mode_names_may_use_it(kind: DeviceType, code: MessageCode) -> None:
    home = Home(kind)
    role = replaced_role(kind, code)
    new = home.rows_for(role, NEW)
    node, counter = home.replacement(code, new)
    before = without_traces(home.device.dump())
    for other in ROLES:
        if other == MODES[code].authoriser:
            continue
        message = home.sealed(code, node, home.parties[other], counter)
        [refused] = notes(home.give(message), "message_refused")
        assert refused["reason"] == "originator_role", other
    assert without_traces(home.device.dump()) == before


@pytest.mark.parametrize("what", ["mode", "counter", "place"])
def test_a_command_that_contradicts_itself_is_refused(what: str) -> None:
    home = Home(D.ESME)
    new = home.rows_for(R.SUPPLIER, NEW)
    node, counter = home.replacement(C.CS02B_SUPPLIER_BY_SUPPLIER, new)
    control, *rest = rows(node)
    mode, place, number = rows(control)
    changed = {
        "mode": (der.integer(3), place, number),
        "counter": (mode, place, Node(0x83, der.integer(counter + 1).content)),
        "place": (mode, Node(0xA2, Cell(3, wire.DIGITAL_SIGNATURE).nodes), number),
    }[what]
    spoilt = der.sequence(der.sequence(*changed), *rest)
    before = home.device.dump()
    supplier = home.parties[R.SUPPLIER]
    message = home.sealed(C.CS02B_SUPPLIER_BY_SUPPLIER, spoilt, supplier, counter)
    [refused] = notes(home.give(message), "message_refused")
    assert refused["reason"] == "malformed_payload"
    assert home.device.dump() == before


# -- dates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [D.ESME, D.GSME, D.GPF])
def test_a_dated_replacement_waits_over_a_power_cycle_and_is_told(kind: DeviceType) -> None:
    home = Home(kind)
    at = UtcMs(START + 3_600_000)
    new = home.rows_for(R.SUPPLIER, NEW)
    supplier = home.parties[R.SUPPLIER]
    effects = home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, new, at=at)
    assert answered(effects) == der.sequence(der.NULL)
    home.power_cycle()
    assert home.device.network.supplier(home.eui64) == supplier
    assert home.made.timers[home.device.trust_timer] == at
    home.now = at
    [told] = messages(home.made.handle(DeviceEvent.TIMER, home.device.trust_timer, at))
    assert rows(der.decode(wire_payload(told)))[0] == der.integer(0x8F66)
    assert home.device.network.supplier(home.eui64) == NEW
    assert home.device.trust_timer not in home.made.timers


def wire_payload(message: bytes) -> bytes:
    return envelope.decode(message).payload


def test_a_failing_dated_replacement_is_told_as_a_failure() -> None:
    home = Home(D.GSME)
    at = UtcMs(START + 3_600_000)
    home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, home.rows_for(R.SUPPLIER, NEW)[:1], at=at)
    home.now = at
    [told] = messages(home.made.handle(DeviceEvent.TIMER, home.device.trust_timer, at))
    assert rows(der.decode(wire_payload(told)))[0] == der.integer(0x8F67)


def test_a_cancelled_replacement_does_not_come() -> None:
    home = Home(D.GSME)
    new = home.rows_for(R.SUPPLIER, NEW)
    at = UtcMs(START + 3_600_000)
    home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, new, at=at)
    effects = home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, new, at=CANCEL_TIME)
    assert answered(effects) == der.sequence(der.NULL)
    assert home.device.trust.waiting == []
    assert home.device.trust_timer not in home.made.timers


def test_what_a_party_ordered_ends_with_its_role() -> None:
    home = Home(D.GSME)
    at = UtcMs(START + 3_600_000)
    home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, home.rows_for(R.SUPPLIER, Eui64(bytes(8))), at=at)
    new = home.rows_for(R.SUPPLIER, NEW)
    home.replace(C.CS02B_SUPPLIER_BY_TCOS, new)
    home.now = at
    effects = home.made.handle(DeviceEvent.TIMER, home.device.trust_timer, at)
    assert not messages(effects)
    assert "has lost its role" in home.device.security_log[-1].detail
    assert home.device.network.supplier(home.eui64) == NEW


# -- one party, two roles --------------------------------------------------------------------------


def test_a_supplier_that_controls_loads_signs_with_a_key_for_each_role() -> None:
    home = Home(D.ESME)
    supplier = home.parties[R.SUPPLIER]
    cells = [cell for cell in PLACES[D.ESME] if cell.role == R.LOAD_CONTROLLER]
    entries = [home.pki.organisation_entry(supplier, 2, KeyUsage.DS),
               home.pki.organisation_entry(supplier, 2, KeyUsage.KA)]  # fmt: skip
    new = list(zip(entries, cells, strict=True))
    effects = home.replace(C.CS02G_LC_BY_SUPPLIER, new)
    assert statuses(answered(effects)) == [0, 0]
    assert rows(home.shown(R.SUPPLIER, R.SUPPLIER))[1] == Node(Tag.ENUMERATED, b"\0")
    back = home.rows_for(R.LOAD_CONTROLLER, NEW)
    node, counter = home.replacement(C.CS02G_LC_BY_LC, back)
    home.parties[R.LOAD_CONTROLLER] = supplier
    node, counter = home.replacement(C.CS02G_LC_BY_LC, back)
    with_supplier_key = home.sealed(C.CS02G_LC_BY_LC, node, supplier, counter)
    [refused] = notes(home.give(with_supplier_key), "message_refused")
    assert refused["reason"] == "bad_signature"
    home.keys = home.keys.merged(KeyStore(entries[:1]))
    effects = home.give(home.sealed(C.CS02G_LC_BY_LC, node, supplier, counter))
    assert statuses(answered(effects)) == [0, 0]


# -- the device's own keys -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [D.ESME, D.GSME, D.GPF, D.HCALCS])
@pytest.mark.parametrize("usage", [KeyUsage.DS, KeyUsage.KA])
def test_a_device_makes_a_key_takes_its_certificate_and_uses_it(
    kind: DeviceType, usage: KeyUsage
) -> None:
    home = Home(kind)
    bits = wire.DIGITAL_SIGNATURE if usage is KeyUsage.DS else wire.KEY_AGREEMENT
    asked = der.sequence(Node(Tag.BIT_STRING, bits))
    request = home.ask(C.CS02C, asked, R.SUPPLIER)
    point = octets_of(rows(rows(rows(request)[0])[2])[1])[1:]
    home.power_cycle()
    octets = home.pki.device_certificate(home.eui64, usage, point)
    assert home.ask(C.CS02D, octets, R.SUPPLIER) == der.integer(0)
    held = home.device.ring.keystore.find(home.eui64, usage)
    assert held is not None
    assert held.public_point == point
    home.keys = home.keys.merged(KeyStore([held]))
    home.power_cycle()
    assert der.encode(home.ask(C.CS02E, asked, R.SUPPLIER)) == octets
    good = 0x8F4D if usage is KeyUsage.DS else 0x8F4F
    assert good in [entry.code for entry in home.device.security_log]


def test_certificates_that_are_not_the_devices_are_refused_by_their_code() -> None:
    home = Home(D.GSME)
    ask = home.ask

    def code(octets: bytes) -> Node:
        return ask(C.CS02D, octets, R.SUPPLIER)

    stranger = home.pki.device_entry(Eui64(bytes(8)), KeyUsage.DS).certificate or b""
    mine = home.pki.device_entry(home.eui64, KeyUsage.DS).certificate or b""
    assert code(der.encode(der.sequence(der.integer(1)))) == der.integer(1)
    assert code(stranger) == der.integer(2)
    assert code(mine) == der.integer(4)
    ask(C.CS02C, der.sequence(Node(Tag.BIT_STRING, wire.DIGITAL_SIGNATURE)), R.SUPPLIER)
    assert code(mine) == der.integer(5)
    assert code(home.pki.issuing.certificate) == der.integer(2)
    odd = der.sequence(Node(Tag.BIT_STRING, wire.KEY_CERT_SIGN))
    assert ask(C.CS02C, odd, R.SUPPLIER) == der.integer(1)
    assert ask(C.CS02E, odd, R.SUPPLIER) == der.integer(1)


def test_no_dump_is_lost_on_the_way() -> None:
    home = Home(D.ESME)
    new = home.rows_for(R.SUPPLIER, NEW)
    home.replace(C.CS02B_SUPPLIER_BY_SUPPLIER, new, at=UtcMs(START + 60_000))
    home.replace(C.CS02B_SUPPLIER_BY_TCOS, home.rows_for(R.SUPPLIER, Eui64(bytes(8))))
    state = json.loads(json.dumps(home.device.dump()))
    home.power_cycle()
    again = json.loads(json.dumps(home.device.dump()))
    assert again["trust"] == state["trust"]
    assert again["accepted"] == state["accepted"]
