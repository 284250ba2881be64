"""Joins are kept, refused by their codes, and restored; the log is a mapping, whatever comes."""

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.joins import JoinCode, JoinDevice, LoggedDevice, join_details
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from tests.emulator.devices.credentials.own_home import Home, octets_of, rows
from tests.emulator.devices.kit import messages, notes
from tests.sampling import examples

C, D, J, R = MessageCode, DeviceType, JoinCode, RemoteParty
PEER = Eui64(bytes.fromhex("00db123456780001"))
#: Type of device -> message and number of a method that it takes.
TAKEN = {
    D.ESME: (C.CS03A1, 0), D.GSME: (C.CS03B, 2), D.GPF: (C.CS03B, 2), D.HCALCS: (C.CS03A2, 1),
    D.PPMID: (C.CS03A2, 1),
}  # fmt: skip


def role_of(kind: DeviceType) -> RemoteParty:
    return R.ACCESS_CONTROL_BROKER if kind is D.PPMID else R.SUPPLIER


def certificate_of(home: Home, who: Eui64, usage: KeyUsage = KeyUsage.KA) -> bytes:
    return home.pki.device_entry(who, usage).certificate or b""


@pytest.mark.parametrize("kind", TAKEN)
def test_a_device_is_joined_read_kept_over_power_and_parted(kind: DeviceType) -> None:
    home = Home(kind)
    code, method = TAKEN[kind]
    role = role_of(kind)
    assert home.ask(code, JoinDevice(method, PEER, 4).node(), role) == der.integer(0)
    assert home.ask(code, JoinDevice(method, PEER, 4).node(), role) == der.integer(0)
    assert home.ask(code, JoinDevice(method, PEER, 5).node(), role) == der.integer(
        J.INCOMPATIBLE_ENTRY
    )
    home.power_cycle()
    read = home.ask(C.CS07, der.NULL, role)
    assert read == join_details((LoggedDevice(PEER, 4),))
    ways = (C.CS04B, C.CS04AC) if method != 2 else (C.CS04AC, C.CS04B)
    who = der.octet_string(PEER.octets)
    assert home.ask(ways[0], who, role) == der.integer(2)
    assert home.ask(ways[1], who, role) == der.integer(0)
    assert home.ask(ways[1], who, role) == der.integer(1)
    codes = [entry.code for entry in home.device.security_log]
    assert codes == [0x8F49, 0x8F49, 0x8F48, 0x8F4A, 0x8F4B, 0x8F4A]


def test_a_method_that_does_not_fit_its_message_is_answered_with_its_code() -> None:
    home = Home(D.GSME)

    def code(message: MessageCode, method: int) -> Node:
        return home.ask(message, JoinDevice(method, PEER, 5).node(), R.SUPPLIER)

    assert code(C.CS03B, 3) == der.integer(J.WRONG_MESSAGE_FOR_METHOD)
    assert code(C.CS03C, 2) == der.integer(J.WRONG_MESSAGE_FOR_METHOD)
    assert code(C.CS03C, 4) == der.integer(J.INVALID_METHOD)
    assert code(C.CS03C, 3) == der.integer(J.INVALID_CERTIFICATE)


@pytest.mark.parametrize("what", ["usage", "device", "octets"])
def test_a_certificate_that_will_not_do_is_answered_with_its_code(what: str) -> None:
    home = Home(D.PPMID)
    octets = {
        "usage": certificate_of(home, PEER, KeyUsage.DS),
        "device": certificate_of(home, Eui64(bytes(8))),
        "octets": der.encode(der.sequence(der.integer(1))),
    }[what]
    asked = JoinDevice(3, PEER, 0, octets).node()
    answer = home.ask(C.CS03C, asked, R.ACCESS_CONTROL_BROKER)
    assert answer == der.integer(J.INVALID_CERTIFICATE)
    assert home.device.joins.entries == {}


def test_a_joined_devices_key_is_held_until_it_is_parted() -> None:
    home = Home(D.PPMID)
    before = home.device.ring.agreement.knows(PEER)
    octets = certificate_of(home, PEER)
    home.ask(C.CS03C, JoinDevice(3, PEER, 0, octets).node(), R.ACCESS_CONTROL_BROKER)
    secret = home.device.ring.agreement.shared_secret(home.eui64, PEER)
    home.power_cycle()
    assert home.device.ring.agreement.shared_secret(home.eui64, PEER) == secret
    home.ask(C.CS04AC, der.octet_string(PEER.octets), R.ACCESS_CONTROL_BROKER)
    assert (before, home.device.ring.agreement.knows(PEER)) == (False, False)
    assert secret is not None


def test_a_full_log_takes_no_more() -> None:
    home = Home(D.ESME)
    answers = [
        octets_of(home.ask(C.CS03A1, JoinDevice(0, _numbered(n), 5).node(), R.SUPPLIER))[0]
        for n in range(20)
    ]
    limit = home.device.profile.limits.type1_devices
    assert answers == [0] * (limit or 0) + [J.LOG_FULL] * (20 - (limit or 0))


def _numbered(number: int) -> Eui64:
    return Eui64(bytes(7) + bytes((number,)))


@pytest.mark.parametrize(
    "payload",
    [der.NULL, der.sequence(der.integer(2)), der.octet_string(bytes(7)),
     der.sequence(der.integer(2), der.octet_string(bytes(8)), der.integer(7))],
)  # fmt: skip
def test_another_layout_is_refused_and_changes_nothing(payload: Node) -> None:
    home = Home(D.GSME)
    before = home.device.dump()
    for code in (C.CS03B, C.CS04B):
        assert home.refusal(code, payload, home.parties[R.SUPPLIER]) == "malformed_payload"
    assert home.device.dump() == before


# -- the GPF ---------------------------------------------------------------------------------------


def alerts_of(home: Home, code: MessageCode, payload: Node, role: int) -> list[Node]:
    effects = home.give(home.sealed(code, payload, home.parties[role]))
    sent = [envelope.decode(message) for message in messages(effects)]
    found = [env for env in sent if env.header.other.message_code == C.GCS62]
    assert all(env.header.target == home.parties[R.ACCESS_CONTROL_BROKER] for env in found)
    return [der.decode(env.payload) for env in found]


def test_a_gpf_log_goes_to_the_acb_at_every_change_and_comes_back() -> None:
    home = Home(D.GPF)
    backups = []
    for number in range(3):
        asked = JoinDevice(2, _numbered(number), 5).node()
        [told] = alerts_of(home, C.CS03B, asked, R.SUPPLIER)
        backups.append(told)
    other = Home(D.GPF, seed=2)
    code, at, entries = rows(backups[-1])
    assert (code, at.tag) == (der.integer(0x8071), Tag.GENERALIZED_TIME)
    restore = der.sequence(entries)
    acb = R.ACCESS_CONTROL_BROKER
    [told] = alerts_of(other, C.GCS59, restore, acb)
    assert rows(told)[2] == entries
    assert other.device.joins.listed() == home.device.joins.listed()
    assert alerts_of(other, C.GCS59, restore, acb) == []
    outcome = other.ask(C.GCS59, restore, acb)
    assert [rows(row)[1] for row in rows(rows(outcome)[0])] == [der.integer(0)] * 3


def test_a_backup_that_contradicts_the_log_is_told_so_entry_by_entry() -> None:
    home = Home(D.GPF)
    home.ask(C.CS03B, JoinDevice(2, PEER, 5).node(), R.SUPPLIER)
    entries = der.sequence(LoggedDevice(PEER, 6).node(), LoggedDevice(_numbered(1), 6).node())
    outcome = home.ask(C.GCS59, der.sequence(entries), R.ACCESS_CONTROL_BROKER)
    assert [rows(row)[1] for row in rows(rows(outcome)[0])] == [der.integer(3), der.integer(0)]
    assert home.device.joins.entries[PEER].device_type == 5


# -- any order -------------------------------------------------------------------------------------


class LogMachine(RuleBasedStateMachine):
    """A gas meter's log of devices; the model is a mapping."""

    @initialize()
    def build(self) -> None:
        self.home = Home(D.GSME)
        self.model: dict[Eui64, tuple[int, str]] = {}

    @rule(first=st.integers(0, 12), method=st.sampled_from("BC"))
    def fill(self, first: int, method: str) -> None:
        for number in range(first, first + 8):
            self.join(number, 5, method)

    @rule(number=st.integers(0, 20), kind=st.integers(0, 6), method=st.sampled_from("BC"))
    def join(self, number: int, kind: int, method: str) -> None:
        who = _numbered(number)
        code = {"B": C.CS03B, "C": C.CS03C}[method]
        octets = certificate_of(self.home, who) if method == "C" else None
        asked = JoinDevice("..BC".index(method), who, kind, octets).node()
        answer = octets_of(self.home.ask(code, asked, R.SUPPLIER))[0]
        held = self.model.get(who)
        if held is not None and held != (kind, method):
            assert answer == J.INCOMPATIBLE_ENTRY
        elif held is None and len(self.model) >= 16:
            assert answer == J.LOG_FULL
        else:
            assert answer == J.SUCCESS
            self.model[who] = (kind, method)

    @rule(number=st.integers(0, 20), code=st.sampled_from([C.CS04AC, C.CS04B]))
    def part(self, number: int, code: MessageCode) -> None:
        who = _numbered(number)
        answer = octets_of(self.home.ask(code, der.octet_string(who.octets), R.SUPPLIER))[0]
        held = self.model.get(who)
        if held is None:
            assert answer == 1
        elif (held[1] == "B") != (code is C.CS04B):
            assert answer == 2
        else:
            assert answer == 0
            del self.model[who]

    @rule(place=st.one_of(st.just(-1), st.integers(0, 40)))
    def replay(self, place: int) -> None:
        if self.home.given:
            self.home.replay(place)

    @rule()
    def cycle_power(self) -> None:
        self.home.power_cycle()
        self.replay(-1)

    @rule()
    def copy(self) -> None:
        state: Any = json.loads(json.dumps(self.home.device.dump()))
        self.home.device.load(state)

    @invariant()
    def the_log_is_read_as_the_model_has_it(self) -> None:
        entries = tuple(LoggedDevice(who, kind) for who, (kind, _) in self.model.items())
        assert self.home.ask(C.CS07, der.NULL, R.SUPPLIER) == join_details(entries)

    @invariant()
    def keys_are_held_of_who_brought_one(self) -> None:
        for number in range(21):
            who = _numbered(number)
            brought = self.model.get(who, (0, ""))[1] == "C"
            assert self.home.device.ring.agreement.knows(who) is brought


def test_a_log_of_devices_is_a_mapping() -> None:
    run_state_machine_as_test(
        LogMachine,
        settings=settings(max_examples=examples(60), stateful_step_count=14, deadline=None),
    )


def test_a_stranger_cannot_join_anybody() -> None:
    home = Home(D.GSME)
    asked = JoinDevice(2, PEER, 5).node()
    operator = home.parties[R.NETWORK_OPERATOR]
    effects = home.give(home.sealed(C.CS03B, asked, operator))
    assert notes(effects, "message_refused")[0]["reason"] == "originator_role"
