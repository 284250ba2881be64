"""Commands of the dongle, one by one and in every version, with a host of ours."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.codecs.dlms.dumped import DumpedStateError
from emulator.codecs.ezsp.ash import ResetCode
from emulator.codecs.ezsp.frames import EzspFrame, Frame, command
from emulator.codecs.ezsp.identifiers import ConfigId, InitialSecurityBit, PolicyId, ValueId
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.protocol import VERSIONS, codec_of
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import InitialSecurityState, KeyContext, NetworkParameters
from emulator.codecs.ezsp.values import (
    ByEui64,
    ByIndex,
    ConfigAnswer,
    ConfigSetting,
    Endpoint,
    ExtendedValueId,
    MfgTokenSetting,
    Nothing,
    Octets,
    PolicyAnswer,
    PolicySetting,
    StatusOctets,
    StatusOnly,
    TokenAt,
    TokenSetting,
    ValueSetting,
)
from emulator.codecs.ezsp.values import ConfigId as ConfigRequest
from emulator.codecs.ezsp.values import PolicyId as PolicyRequest
from emulator.codecs.ezsp.values import ValueId as ValueRequest
from emulator.codecs.ezsp.values_network import (
    EnergyResult,
    FormNetwork,
    Leave,
    NetworkInit,
    PermitJoining,
    Scan,
    ScanComplete,
)
from emulator.codecs.ezsp.values_security import (
    ByKeyContext,
    FindKey,
    FoundKey,
    InitialSecurity,
    LinkKeyImport,
)
from emulator.core.chance import Stream
from tests.emulator.codecs.ezsp.ezsp_given import value_of
from tests.emulator.ncp.ncp_given import DONGLE, FORM, HUB, NOBODY, SECURITY, Desk, a_dongle, formed


def _desk(version: int = 13) -> Desk:
    return Desk(a_dongle(version)).connect()


def _told(desk: Desk) -> list[Any]:
    told = [frame.values for frame in desk.callbacks]
    desk.callbacks.clear()
    return told


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_with_any_values_gets_one_answer_of_its_own_or_a_refusal(
    version: int,
) -> None:
    codec = codec_of(version)
    chance = Stream(1, f"any/{version}")
    asked = refused = 0
    for make in (_desk, formed):
        for name in codec.frames:
            layout = codec.layout(name, answer=False)
            if layout is None or name is Frame.VERSION:
                continue
            desk = make(version)
            for _ in range(3):
                octets = codec.encode(command(name, value_of(layout, chance), 0x55))
                answer = desk.exchange(octets)
                assert answer.sequence == 0x55
                assert answer.name in {name, Frame.INVALID_COMMAND, Frame.NO_CALLBACKS}
                asked += 1
                refused += answer.name is Frame.INVALID_COMMAND
    assert 0 < refused < asked / 2


def test_nothing_but_version_is_answered_before_the_version_is_agreed() -> None:
    desk = _desk()
    desk.dongle.ncp.state.ram.version_set = False
    refusal = desk.exchange(bytes.fromhex("0700010500"))
    assert refusal == EzspFrame(Frame.INVALID_COMMAND, StatusOnly(Status.VERSION_NOT_SET), 7, 0x80)
    desk.exchange(bytes.fromhex("08000100000E"))  # v14 is not what it speaks
    assert desk.exchange(bytes.fromhex("0900010500")).name is Frame.INVALID_COMMAND
    desk.exchange(bytes.fromhex("0A000100000D"))
    assert desk.exchange(bytes.fromhex("0B00010500")).name is Frame.NOP


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("01000168FF", Status.INVALID_FRAME_ID),
        ("0100011900", Status.WRONG_DIRECTION),
        ("0180010500", Status.WRONG_DIRECTION),
        ("0100012200", Status.TRUNCATED),
        ("01000122000102", Status.OVERFLOW),
        ("0100810500", Status.UNSUPPORTED_CONTROL),
        ("0100019D000000", Status.INVALID_FRAME_ID),
    ],
)
def test_what_is_no_command_is_answered_with_the_reason(octets: str, reason: Status) -> None:
    answer = _desk().exchange(bytes.fromhex(octets))
    assert answer.name is Frame.INVALID_COMMAND
    assert answer.sequence == 1
    assert answer.values == StatusOnly(reason)


def test_configuration_keeps_to_its_limits() -> None:
    desk = _desk()
    ask: Callable[[int, int], Any] = lambda key, value: desk.ask(  # noqa: E731 - a shorter name
        Frame.SET_CONFIGURATION_VALUE, ConfigSetting(key, value)
    )
    assert ask(ConfigId.KEY_TABLE_SIZE, 12) == StatusOnly()
    assert desk.ask(
        Frame.GET_CONFIGURATION_VALUE, ConfigRequest(ConfigId.KEY_TABLE_SIZE)
    ) == ConfigAnswer(Status.OK, 12)
    assert ask(ConfigId.KEY_TABLE_SIZE, 500) == StatusOnly(Status.INVALID_PARAMETER)
    assert ask(0xEE, 1) == StatusOnly(Status.INVALID_ID)
    assert ask(ConfigId.PACKET_BUFFER_COUNT, 255) == StatusOnly()
    assert desk.ask(Frame.GET_CONFIGURATION_VALUE, ConfigRequest(0xEE)) == ConfigAnswer(
        Status.INVALID_ID, 0
    )


def test_policies_are_kept_until_the_next_reset() -> None:
    desk = _desk()
    policy = PolicyId.TC_KEY_REQUEST_POLICY
    assert desk.ask(Frame.SET_POLICY, PolicySetting(policy, 0x50)) == StatusOnly()
    assert desk.ask(Frame.GET_POLICY, PolicyRequest(policy)) == PolicyAnswer(Status.OK, 0x50)
    assert desk.ask(Frame.SET_POLICY, PolicySetting(99, 0)) == StatusOnly(Status.INVALID_ID)
    desk.connect()
    assert desk.ask(Frame.GET_POLICY, PolicyRequest(policy)) == PolicyAnswer(Status.OK, 0x51)


@pytest.mark.parametrize("version", VERSIONS)
def test_values_that_strict_hosts_need_are_there(version: int) -> None:
    desk = _desk(version)
    info = desk.ask(Frame.GET_VALUE, ValueRequest(ValueId.VERSION_INFO))
    assert len(info.octets) == 7
    assert info.octets[6] == 0xAA
    for value in (
        ValueId.STACK_TOKEN_WRITING,
        ValueId.EXTENDED_SECURITY_BITMASK,
        ValueId.CCA_THRESHOLD,
        ValueId.TRANSIENT_DEVICE_TIMEOUT,
    ):
        held = desk.ask(Frame.GET_VALUE, ValueRequest(value)).octets
        assert desk.ask(Frame.SET_VALUE, ValueSetting(value, held)) == StatusOnly()
        wrong = desk.ask(Frame.SET_VALUE, ValueSetting(value, held + b"\x00"))
        assert wrong.status is not Status.OK
    flags = desk.ask(Frame.GET_EXTENDED_VALUE, ExtendedValueId(0, 77))
    assert flags.status is not Status.OK
    assert len(flags.octets) == 2
    endpoint = Endpoint(77, 0x0109, 0x0500, 0, ClusterLists((0,), ()))
    assert desk.ask(Frame.ADD_ENDPOINT, endpoint) == StatusOnly()
    flags = desk.ask(Frame.GET_EXTENDED_VALUE, ExtendedValueId(0, 77))
    assert flags == StatusOctets(Status.OK, b"\x01\x00")


def test_frame_counters_can_be_set_only_while_there_is_no_network() -> None:
    desk = _desk()
    setting = ValueSetting(ValueId.NWK_FRAME_COUNTER, (1000).to_bytes(4, "little"))
    assert desk.ask(Frame.SET_VALUE, setting) == StatusOnly()
    kept = SECURITY.state.bitmask | InitialSecurityBit.NO_FRAME_COUNTER_RESET
    state = InitialSecurityState(int(kept), bytes(16), bytes(16), 0, NOBODY)
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, InitialSecurity(state))
    desk.ask(Frame.FORM_NETWORK, FORM)
    assert desk.ask(Frame.GET_NETWORK_KEY_INFO, Nothing()).info.frame_counter == 1000
    assert desk.ask(Frame.SET_VALUE, setting).status is Status.INVALID_STATE


def test_the_network_comes_up_after_the_answer_with_its_sequence() -> None:
    desk = formed()
    (up,) = desk.callbacks
    assert up.values == StatusOnly(Status.NETWORK_UP)
    assert up.sequence == 3  # the forming command's, the third in the present form
    assert desk.ask(Frame.FORM_NETWORK, FORM) == StatusOnly(Status.INVALID_STATE)


def test_a_network_needs_security_and_a_channel() -> None:
    desk = _desk()
    assert desk.ask(Frame.FORM_NETWORK, FORM) == StatusOnly(Status.SECURITY_STATE_NOT_SET)
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(0)) == StatusOnly(Status.NOT_JOINED)
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY)
    wrong = FormNetwork(NetworkParameters(DONGLE, 0x1234, 8, 27))
    assert desk.ask(Frame.FORM_NETWORK, wrong) == StatusOnly(Status.TRANSMIT_INVALID_CHANNEL)


def test_what_is_not_given_for_a_network_is_drawn_from_the_runs_chance() -> None:
    desks = [_desk(), _desk()]
    keys = []
    for desk in desks:
        bare = InitialSecurity(InitialSecurityState(0, bytes(16), bytes(16), 0, NOBODY))
        desk.ask(Frame.SET_INITIAL_SECURITY_STATE, bare)
        desk.ask(Frame.FORM_NETWORK, FormNetwork(NetworkParameters(NOBODY, 0xFFFF, 8, 15)))
        answer = desk.ask(Frame.GET_NETWORK_PARAMETERS, Nothing())
        assert answer.parameters.extended_pan_id == DONGLE
        assert answer.parameters.pan_id not in {0, 0xFFFF}
        context = ByKeyContext(KeyContext(1, 0, 0, NOBODY, 0, 0, 0))
        keys.append(desk.ask(Frame.EXPORT_KEY, context).key)
    assert keys[0] == keys[1] != bytes(16)


def test_joining_opens_and_closes_by_itself_or_at_once() -> None:
    desk = formed()
    _told(desk)
    assert desk.ask(Frame.PERMIT_JOINING, PermitJoining(60)) == StatusOnly()
    assert _told(desk) == [StatusOnly(Status.NETWORK_OPENED)]
    desk.wait(59_000)
    assert _told(desk) == []
    desk.wait(2_000)
    assert _told(desk) == [StatusOnly(Status.NETWORK_CLOSED)]
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(60))
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(0))
    _told(desk)
    desk.wait(100_000)
    assert _told(desk) == []
    assert _desk().ask(Frame.PERMIT_JOINING, PermitJoining(60)) == StatusOnly(Status.NOT_JOINED)


def test_an_active_scan_finds_the_hub_in_its_time() -> None:
    desk = _desk()
    scan = Scan(1, 0x07FFF800, 3)
    assert desk.ask(Frame.START_SCAN, scan) == StatusOnly()
    assert desk.ask(Frame.START_SCAN, scan) == StatusOnly(Status.MAC_SCANNING)
    desk.wait(100)
    assert _told(desk) == []
    desk.wait(3_000)
    found, complete = _told(desk)
    assert found.network.extended_pan_id == HUB
    assert complete == ScanComplete(26, Status.OK)
    assert desk.ask(Frame.START_SCAN, scan) == StatusOnly()
    assert desk.ask(Frame.STOP_SCAN, Nothing()) == StatusOnly()
    assert [type(told) for told in _told(desk)] == [ScanComplete]


def test_an_energy_scan_tells_every_channel() -> None:
    desk = _desk()
    desk.ask(Frame.START_SCAN, Scan(0, 1 << 15 | 1 << 20, 0))
    desk.wait(1_000)
    assert _told(desk)[:2] == [EnergyResult(15, -40), EnergyResult(20, -100)]


@pytest.mark.parametrize(
    ("scan", "status"),
    [
        (Scan(1, 0x7FF, 3), Status.INVALID_CHANNEL_MASK),
        (Scan(1, 1 << 11, 15), Status.BAD_SCAN_DURATION),
        (Scan(2, 1 << 11, 3), Status.MAC_INCORRECT_SCAN_TYPE),
    ],
)
def test_a_scan_that_cannot_be_is_refused(scan: Scan, status: Status) -> None:
    assert _desk().ask(Frame.START_SCAN, scan) == StatusOnly(status)


def test_what_can_be_written_once_and_the_bootloader_are_refused() -> None:
    desk = _desk()
    token = MfgTokenSetting(0x0C, bytes(8))
    assert desk.ask(Frame.SET_MFG_TOKEN, token) == StatusOnly(Status.INVALID_STATE)
    answer = desk.exchange(bytes.fromhex("01 00 01 8F 00 00".replace(" ", "")))
    assert answer.values == StatusOnly(Status.INVALID_STATE)


def test_link_keys_stand_in_rows_and_survive_a_loss_of_power() -> None:
    desk = formed()
    assert desk.ask(Frame.FIND_KEY_TABLE_ENTRY, FindKey(NOBODY, True)) == FoundKey(0)
    key = LinkKeyImport(1, HUB, bytes(range(16)))
    assert desk.ask(Frame.IMPORT_LINK_KEY, key) == StatusOnly()
    assert desk.ask(Frame.FIND_KEY_TABLE_ENTRY, FindKey(HUB, True)) == FoundKey(1)
    assert desk.ask(Frame.EXPORT_LINK_KEY_BY_INDEX, ByIndex(1)).key == key.key
    assert desk.ask(Frame.EXPORT_LINK_KEY_BY_EUI, ByEui64(HUB)).index == 1
    later = a_dongle()
    later.load(json.loads(json.dumps(desk.dongle.dump())))
    later.power_on(0)
    again = Desk(later).connect()
    assert again.ask(Frame.EXPORT_LINK_KEY_BY_INDEX, ByIndex(1)).key == key.key
    assert again.ask(Frame.ERASE_KEY_TABLE_ENTRY, ByIndex(1)) == StatusOnly()
    assert again.ask(Frame.EXPORT_LINK_KEY_BY_INDEX, ByIndex(1)).status is Status.NOT_FOUND
    assert again.ask(Frame.EXPORT_LINK_KEY_BY_INDEX, ByIndex(9)).status is Status.INVALID_INDEX


def test_a_reset_forgets_the_network_state_and_a_leave_the_network() -> None:
    desk = formed()
    desk.ask(Frame.SET_TOKEN_DATA, TokenSetting(0x10, 0, b"kept"))
    desk.connect()
    _told(desk)
    assert desk.ask(Frame.NETWORK_STATE, Nothing()).state == 0
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(0)) == StatusOnly()
    assert _told(desk) == [StatusOnly(Status.NETWORK_UP)]
    assert desk.ask(Frame.GET_TOKEN_DATA, TokenAt(0x10, 0)) == StatusOctets(Status.OK, b"kept")
    assert desk.ask(Frame.LEAVE_NETWORK, Leave()) == StatusOnly()
    assert _told(desk) == [StatusOnly(Status.NETWORK_DOWN)]
    desk.connect()
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(0)) == StatusOnly(Status.NOT_JOINED)


def test_an_announced_start_and_a_failure_are_told_on_the_line() -> None:
    dongle = a_dongle()
    assert dongle.power_on(0, announce=True) == bytes.fromhex("1AC102029B7B7E")
    assert dongle.fail(ResetCode.ACK_TIMEOUTS, 0) == bytes.fromhex("1AC20251A8BD7E")
    assert dongle.receive(bytes.fromhex("004221A850ED2C7E"), 1) == bytes.fromhex("C20251A8BD7E")
    assert dongle.deadline is None


@pytest.mark.parametrize("path", [("network", "pan_id"), ("security", "tc_key"), ("tokens",)])
def test_a_damaged_dump_is_refused_by_its_place(path: tuple[str, ...]) -> None:
    state: Any = json.loads(json.dumps(formed().dongle.dump()))
    inner = state["ncp"]["nv"]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = "zz"
    with pytest.raises(DumpedStateError, match=path[-1]):
        a_dongle().load(state)


def test_an_echo_comes_back() -> None:
    assert _desk().ask(Frame.ECHO, Octets(b"abc")) == Octets(b"abc")
