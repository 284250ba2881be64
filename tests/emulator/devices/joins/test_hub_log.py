"""The hub's device log: who may join, until when and under which key; what is kept and told."""

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
from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import AccessItem, AccessRequest, AccessResponse, Operation
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs import alerts, envelope
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import foundation
from emulator.codecs.zcl import time as zcl_time
from emulator.codecs.zcl.foundation import ReadAttributes
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.aes_mmo import aes_mmo
from emulator.crypto.install_code import InstallCode
from emulator.devices.chf.chf import Chf
from tests.emulator.devices.credentials.own_home import Home
from tests.emulator.devices.kit import messages, notes
from tests.sampling import examples

C, D, R = MessageCode, DeviceType, RemoteParty
ACT, GET, SET = Operation.ACTION, Operation.GET, Operation.SET
LOG, HISTORIC = bytes((0, 0, 30, 3, 0, 255)), bytes((0, 0, 30, 3, 1, 255))
CODE = b"0123456789ABCDEF"
PEER = Eui64(bytes.fromhex("00db123456780001"))
TRUE, FALSE = Data(Tag.BOOLEAN, 0xFF), Data(Tag.BOOLEAN, 0)
TIMEOUT_S = 90


class Hub:
    """A hub of its own PKI, and what the ACB asks of it."""

    def __init__(self) -> None:
        self.home = Home(D.CHF)

    @property
    def chf(self) -> Chf:
        assert isinstance(self.home.device, Chf)
        return self.home.device

    def order(self, code: MessageCode, *items: AccessItem) -> tuple[AccessResponse, list[Effect]]:
        acb = self.home.parties[R.ACCESS_CONTROL_BROKER]
        counter = self.home.counter(acb)
        payload = access.encode_request(AccessRequest(0x20000000 | counter, items))
        effects = self.home.give(self.home.sealed(code, payload, acb, counter))
        sent = messages(effects)
        assert sent, notes(effects, "message_refused")
        return access.decode_response(envelope.decode(sent[0]).payload), effects

    def add(self, who: Eui64, timeout_s: int = TIMEOUT_S) -> tuple[list[int], list[Effect]]:
        named = axdr.structure(
            axdr.octets(who.octets), Data(Tag.ENUM, 1), axdr.octets(CODE), Data(Tag.ENUM, 0)
        )
        response, effects = self.order(
            C.CCS01,
            AccessItem(ACT, 104, LOG, 1, named),
            AccessItem(SET, 104, LOG, 3, axdr.uint16(timeout_s)),
            AccessItem(SET, 104, LOG, 2, TRUE),
        )
        return [one.result for one in response.results], effects

    def remove(self, who: Eui64) -> tuple[int, list[Effect]]:
        item = AccessItem(ACT, 104, LOG, 2, axdr.octets(who.octets))
        response, effects = self.order(C.CCS02, item)
        return response.results[0].result, effects

    def backup(self, obis: bytes = LOG) -> dict[bytes, bytes]:
        response, _ = self.order(C.CCS07, AccessItem(ACT, 104, obis, 4))
        return listed(response.results[0].data)

    def active(self) -> list[bytes]:
        response, _ = self.order(C.CCS05_CCS04, AccessItem(GET, 104, LOG, 4))
        rows = parts(response.results[0].data)
        return [octets(parts(row)[0]) for row in rows]

    def hear(self, who: Eui64) -> list[Effect]:
        """The device asks the hub for the time."""
        asked = foundation.encode(ReadAttributes((0,)), 1, server_to_client=False)
        frame = ZclIndication(who, self.chf.eui64, zcl_time.CLUSTER, asked)
        return self.chf.handle(DeviceEvent.ZCL, frame, self.home.now)

    def wait(self, seconds: float) -> None:
        self.home.now = UtcMs(self.home.now + round(seconds * 1000))


def parts(data: Data) -> tuple[Data, ...]:
    assert isinstance(data.value, tuple)
    return data.value


def octets(data: Data) -> bytes:
    assert isinstance(data.value, bytes)
    return data.value


def listed(backup: Data) -> dict[bytes, bytes]:
    return {octets(parts(row)[0]): octets(parts(row)[1]) for row in parts(parts(backup)[2])}


def told(effects: list[Effect]) -> list[dict[bytes, bytes]]:
    """The logs that CS14 alerts among the effects carry."""
    found = [envelope.decode(message) for message in messages(effects)]
    return [
        listed(alerts.decode_dlms_alert(env.payload).content[0])
        for env in found
        if env.header.other.message_code == C.CS14
    ]


def refused(effects: list[Effect]) -> bool:
    return bool(notes(effects, "frame_refused"))


def test_a_registered_device_joins_within_its_window_and_is_told_of() -> None:
    hub = Hub()
    results, effects = hub.add(PEER)
    assert results == [0, 0, 0]
    assert told(effects) == [{PEER.octets: b""}]
    assert hub.active() == []
    hub.wait(TIMEOUT_S - 1)
    effects = hub.hear(PEER)
    assert not refused(effects)
    hashed = aes_mmo(InstallCode(CODE).link_key())
    assert told(effects) == [{PEER.octets: hashed}]
    assert hub.active() == [PEER.octets]
    assert hub.backup() == {PEER.octets: hashed}
    hub.wait(10_000)
    assert not refused(hub.hear(PEER))


@pytest.mark.parametrize("restart", [False, True])
def test_after_its_window_a_device_stays_outside(restart: bool) -> None:
    hub = Hub()
    hub.add(PEER)
    hub.wait(TIMEOUT_S)
    if restart:
        hub.home.power_cycle()
    assert refused(hub.hear(PEER))
    assert hub.active() == []
    assert hub.add(PEER)[0] == [0, 0, 0]
    assert not refused(hub.hear(PEER))


def test_a_window_can_be_closed_and_a_stranger_never_joins() -> None:
    hub = Hub()
    hub.add(PEER)
    assert refused(hub.hear(Eui64(bytes(8))))
    response, _ = hub.order(C.CCS01, AccessItem(SET, 104, LOG, 2, FALSE))
    assert response.results[0].result == 0
    assert refused(hub.hear(PEER))


def test_a_device_of_the_log_needs_no_code() -> None:
    hub = Hub()
    hub.add(PEER)
    hub.hear(PEER)
    before = hub.backup()
    results, effects = hub.add(PEER)
    assert (results, told(effects)) == ([0, 0, 0], [])
    assert hub.backup() == before


def test_a_device_of_the_historic_log_tries_its_old_key_for_the_first_half() -> None:
    hub = Hub()
    hub.add(PEER)
    hub.hear(PEER)
    old = hub.backup()[PEER.octets]
    result, effects = hub.remove(PEER)
    assert (result, told(effects)) == (0, [{}])
    assert refused(hub.hear(PEER))
    assert hub.backup(HISTORIC) == {PEER.octets: old}
    hub.add(PEER)
    joining, begin = hub.chf.joining, hub.home.now
    half = UtcMs(begin + TIMEOUT_S * 500)
    keys = [joining.key_to_try(PEER, UtcMs(at)) for at in (begin, half - 1, half)]
    assert keys == [old, old, InstallCode(CODE).link_key()]
    end = UtcMs(begin + TIMEOUT_S * 1000)
    last = [joining.key_to_try(PEER, UtcMs(at)) for at in (end - 1, end, begin - 1)]
    assert last == [InstallCode(CODE).link_key(), None, None]
    hub.home.power_cycle()
    assert hub.chf.joining.key_to_try(PEER, begin) == old
    hub.hear(PEER)
    assert hub.backup() == {PEER.octets: aes_mmo(old)}
    assert hub.backup(HISTORIC) == {}


def test_a_device_never_removed_tries_its_code_all_the_time() -> None:
    hub = Hub()
    hub.add(PEER)
    key = InstallCode(CODE).link_key()
    begin = hub.home.now
    assert {hub.chf.joining.key_to_try(PEER, UtcMs(begin + s * 1000)) for s in range(90)} == {key}


def test_a_device_that_never_joined_leaves_no_history() -> None:
    hub = Hub()
    hub.add(PEER)
    assert hub.remove(PEER)[0] == 0
    assert hub.backup(HISTORIC) == {}
    assert hub.remove(PEER)[0] == 1


def test_a_backup_restores_another_hub() -> None:
    hub = Hub()
    for number in range(1, 4):
        who = Eui64(bytes(7) + bytes((number,)))
        hub.add(who)
        hub.hear(who)
    kept = hub.backup()
    other = Hub()
    rows = [axdr.structure(axdr.octets(who), axdr.octets(key)) for who, key in kept.items()]
    pan_id = bytes.fromhex("0001020304050607")
    data = axdr.structure(axdr.octets(pan_id), Data(Tag.ARRAY, tuple(rows)))
    response, effects = other.order(C.CCS03, AccessItem(ACT, 104, LOG, 5, data))
    assert response.results[0].result == 0
    assert told(effects) == [kept]
    assert other.backup() == kept
    assert other.chf.joining.extended_pan_id == Eui64(pan_id)
    assert not refused(other.hear(Eui64(bytes(7) + b"\1")))


@pytest.mark.parametrize("index", range(5))
def test_what_makes_no_sense_fails_and_what_follows_it_too(index: int) -> None:
    hub = Hub()
    wrong = [
        AccessItem(ACT, 104, LOG, 1, axdr.octets(PEER.octets)),
        AccessItem(ACT, 104, LOG, 2, axdr.octets(bytes(7))),
        AccessItem(ACT, 104, LOG, 5, axdr.structure(axdr.octets(bytes(8)), TRUE)),
        AccessItem(SET, 104, LOG, 2, axdr.uint16(1)),
        AccessItem(ACT, 104, LOG, 9),
    ][index]
    before = hub.chf.dump()
    response, effects = hub.order(C.CCS01, wrong, AccessItem(SET, 104, LOG, 3, axdr.uint16(5)))
    assert [one.result for one in response.results] == [1, 250]
    assert told(effects) == []
    after = hub.chf.dump()
    assert {name for name in after if after[name] != before[name]} == {"accepted"}


def test_the_hubs_own_functions_cannot_be_registered() -> None:
    hub = Hub()
    assert hub.add(hub.chf.gpf.eui64)[0][0] == 1
    assert hub.add(hub.chf.eui64)[0][0] == 1


def test_a_full_log_takes_no_more() -> None:
    hub = Hub()
    size = hub.chf.hub.device_log_entries
    results = [hub.add(Eui64(bytes(7) + bytes((n,))))[0][0] for n in range(size + 2)]
    assert results == [0] * size + [1, 1]


def test_only_the_acb_keeps_the_log() -> None:
    hub = Hub()
    supplier = hub.home.parties[R.SUPPLIER]
    payload = access.encode_request(AccessRequest(1, (AccessItem(GET, 104, LOG, 4),)))
    assert hub.home.refusal(C.CCS06, payload, supplier) == "originator_role"


# -- any order -------------------------------------------------------------------------------------


class HubMachine(RuleBasedStateMachine):
    """A hub's log against a model: who is in it, who may come, who was there."""

    @initialize()
    def build(self) -> None:
        self.hub = Hub()
        self.joined: dict[Eui64, bytes] = {}
        self.expected: dict[Eui64, tuple[int, int]] = {}
        self.historic: dict[Eui64, bytes] = {}

    numbers = st.one_of(st.integers(0, 2), st.integers(0, 18)).map(
        lambda number: Eui64(bytes(7) + bytes((number,)))
    )

    @rule(who=numbers, timeout_s=st.integers(1, 100))
    def add(self, who: Eui64, timeout_s: int) -> None:
        results, _ = self.hub.add(who, timeout_s)
        room = len(self.joined) + len(self.expected) < self.hub.chf.hub.device_log_entries
        if who not in self.joined and who not in self.expected and not room:
            assert results == [1, 250, 250]
            return
        assert results == [0, 0, 0]
        if who not in self.joined:
            self.expected[who] = (0, 0)
        begin = self.hub.home.now
        until = begin + timeout_s * 1000
        self.expected = dict.fromkeys(self.expected, (begin, until))

    @rule(who=numbers)
    def remove(self, who: Eui64) -> None:
        result, _ = self.hub.remove(who)
        known = who in self.joined or who in self.expected
        assert result == (0 if known else 1)
        if who in self.joined:
            self.historic.pop(who, None)
            self.historic[who] = self.joined.pop(who)
            while len(self.historic) > self.hub.chf.hub.historic_log_entries:
                self.historic.pop(next(iter(self.historic)))
        self.expected.pop(who, None)

    @rule(who=numbers)
    def hear(self, who: Eui64) -> None:
        effects = self.hub.hear(who)
        begin, until = self.expected.get(who, (0, 0))
        now = self.hub.home.now
        if who in self.expected and begin <= now < until:
            old = self.historic.get(who)
            first_half = now < begin + (until - begin) // 2
            key = old if old and first_half else InstallCode(CODE).link_key()
            self.joined[who] = aes_mmo(key)
            self.historic.pop(who, None)
            del self.expected[who]
        assert refused(effects) is (who not in self.joined)

    @rule(who=numbers, timeout_s=st.integers(2, 100), late=st.sampled_from([0, 40, 50, 100]))
    def join(self, who: Eui64, timeout_s: int, late: int) -> None:
        """Add a device and hear it: at once, before or at half its time, or when it has ended."""
        self.add(who, timeout_s)
        self.hub.wait(timeout_s * late / 100)
        self.hear(who)

    @rule(who=numbers, late=st.sampled_from([0, 40, 50, 100]))
    def come_again(self, who: Eui64, late: int) -> None:
        """A device that was there is removed and joins again, under its old key or its code."""
        self.join(who, 10, 0)
        self.remove(who)
        self.join(who, 60, late)

    @rule(first=st.integers(0, 9))
    def fill(self, first: int) -> None:
        for number in range(first, first + 9):
            self.add(Eui64(bytes(7) + bytes((number,))), 10)

    @rule(first=st.integers(0, 9))
    def pass_through(self, first: int) -> None:
        """More devices come and go than the Historic Log has room for."""
        for number in range(first, first + 9):
            who = Eui64(bytes(7) + bytes((number,)))
            self.join(who, 10, 0)
            self.remove(who)

    @rule(seconds=st.integers(1, 60))
    def wait(self, seconds: int) -> None:
        self.hub.wait(seconds)

    @rule(place=st.one_of(st.just(-1), st.integers(0, 40)))
    def replay(self, place: int) -> None:
        if self.hub.home.given:
            self.hub.home.replay(place)

    @rule()
    def cycle_power(self) -> None:
        self.hub.home.power_cycle()
        self.replay(-1)

    @rule()
    def copy(self) -> None:
        state: Any = json.loads(json.dumps(self.hub.chf.dump()))
        self.hub.chf.load(state)

    @invariant()
    def the_logs_are_those_of_the_model(self) -> None:
        log = {who.octets: key for who, key in self.joined.items()}
        waiting = {who.octets: b"" for who in self.expected}
        assert self.hub.backup() == log | waiting
        assert self.hub.backup(HISTORIC) == {w.octets: key for w, key in self.historic.items()}
        assert set(self.hub.active()) == set(log)


def test_a_hubs_log_goes_as_the_model_says() -> None:
    run_state_machine_as_test(
        HubMachine,
        settings=settings(max_examples=examples(60), stateful_step_count=14, deadline=None),
    )
