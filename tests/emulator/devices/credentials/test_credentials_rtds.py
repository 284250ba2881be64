"""Given commands on credentials, joins and device logs are answered out of device state."""

from dataclasses import replace
from typing import Any

import pytest

from device_profiles.words import DeviceType
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import AccessItem, AccessRequest, Operation
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.joins import JoinDevice
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted, open_message, seal
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.hcalcs.hcalcs import Hcalcs
from tests.emulator.devices.credentials.creds_pairs import (
    device_of,
    give,
    hub_row,
    made,
    play,
    stories,
)
from tests.emulator.devices.kit import ACB, ESME, GPF, PPMID, SUPPLIER, messages, notes, profile_of
from tests.emulator.devices.rtds_kit import (
    NETWORK_OF_RTDS,
    NOW,
    SAPC,
    assert_holds_no_message,
    compare_messages,
    rtds_ring,
    vector,
)
from tests.given import RTDS_DIR, needs_rtds

pytestmark = needs_rtds
#: Families of this part; ECS70 is the electricity meter's own matter.
FAMILIES = ("CS02", "CS03", "CS04", "CS07", "CCS", "GCS28", "GCS59")
LOG_104 = bytes((0, 0, 30, 3, 0, 255))


def is_ours(name: str) -> bool:
    return name.split("_", maxsplit=1)[0].startswith(FAMILIES)


@pytest.mark.parametrize("story", sorted(stories()) if RTDS_DIR.is_dir() else [])
def test_a_given_command_is_answered_as_given(story: str) -> None:
    compared = play(story)
    exception = "why" in stories()[story]
    assert compared.word == ("same shape" if exception else "equal"), compared


def test_every_given_pair_of_these_families_has_its_story() -> None:
    pairs = {
        path.stem.removesuffix("_COMMAND_GBCS")
        for path in RTDS_DIR.glob("RTDS-*/*/*_COMMAND_GBCS.HEX")
        if path.with_name(path.name.replace("_COMMAND_", "_RESPONSE_")).is_file()
    }
    assert {name for name in pairs if is_ours(name)} == set(stories())


@pytest.mark.parametrize("story", [name for name, told in stories().items() if "alerts" in told])
def test_a_dated_replacement_is_told_as_given(story: str) -> None:
    device = device_of(story)
    command = vector(f"{story}_COMMAND")
    assert command is not None
    give(device, command)
    device.load(device.dump())
    at = UtcMs(device.timers[device.trust_timer])
    sent = messages(device.handle(DeviceEvent.TIMER, device.trust_timer, at))
    for ours, name in zip(sent, stories()[story]["alerts"], strict=True):
        given = vector(name)
        assert given is not None, name
        assert compare_messages(ours, given).word == "equal", name


def _on_behalf_of_acb(device: str) -> Device:
    """A device in whose supplier's and operator's places the ACB stands in (6.21)."""
    stand_in = replace(
        NETWORK_OF_RTDS,
        suppliers={**NETWORK_OF_RTDS.suppliers, GPF: ACB},
        network_operators={**NETWORK_OF_RTDS.network_operators, GPF: ACB},
    )
    return made(device, stand_in)


#: Commands of which no response is at hand: their device, and how many places they replace.
ALONE = {
    "CS02bNOByNO_6.15.1_SUCCESS": ("ESME", 2),
    "CS02bACBByACB_8.5_SUCCESS": ("ESME", 1),
    "CS02bNOByNOHandover_6.21_SUCCESS": ("GPF", 2),
    "CS02bSupplierBySupplierHandover_6.21_SUCCESS": ("GPF", 3),
    "CS02bAnyExceptAbnormalRootByRecovery_NA_SUCCESS": ("ESME", 8),
    "CS02bTransCoSByTransCoS_NA_SUCCESS": ("ESME", 1),
    "CS02bWPByWP_NA_SUCCESS": ("CHF", 1),
    "CS03A2Critical_8.7.1_SUCCESS": ("HCALCS", None),
    "CS03CCritical_8.7.1_SUCCESS": ("GSME", None),
    "CS03A2NonCritical_8.7.2_SUCCESS": ("PPMID", None),
    "CS04ACNonCritical_8.8.2_SUCCESS": ("PPMID", None),
    "GCS59_8.12.2_SUCCESS": ("GPF", None),
}


@pytest.mark.parametrize("story", ALONE)
def test_a_command_without_a_given_response_succeeds(story: str) -> None:
    word, places = ALONE[story]
    device = _on_behalf_of_acb(word)
    if story.startswith("CS04"):
        state: Any = device.dump()
        who = {"device": "0102030405060708", "device_type": 1, "method": "A", "certificate": None}
        state["joins"]["entries"] = [who]
        device.load(state)
    command = vector(f"{story}_COMMAND")
    assert command is not None
    sent = messages(give(device, command))
    judged = open_message(sent[0], rtds_ring(), acb=ACB)
    assert isinstance(judged, Accepted), judged
    value = der.decode(envelope.decode(sent[0]).payload)
    if places is not None:
        assert isinstance(value.content, tuple)
        outcome = value.content[1]
        assert isinstance(outcome.content, tuple)
        assert [_status(row) for row in _rows(outcome.content[3])] == [0] * places
    elif story.startswith("GCS59"):
        assert [_rows(row)[1] for row in _rows(_rows(value)[0])] == [der.integer(0)] * 2
    else:
        assert value == der.integer(0)


def test_the_list_of_commands_without_a_response_is_whole() -> None:
    alone = {
        path.stem.removesuffix("_COMMAND_GBCS")
        for path in RTDS_DIR.glob("RTDS-*/*/*_COMMAND_GBCS.HEX")
        if not path.with_name(path.name.replace("_COMMAND_", "_RESPONSE_")).is_file()
    }
    assert {name for name in alone if is_ours(name)} == set(ALONE)


def _rows(node: Node) -> tuple[Node, ...]:
    assert isinstance(node.content, tuple)
    return node.content


def _status(row: Node) -> int:
    content = _rows(row)[1].content
    assert isinstance(content, bytes)
    return content[0]


# -- alerts ----------------------------------------------------------------------------------------


def order(
    code: MessageCode, target: Eui64, payload: bytes, *, counter: int, originator: Eui64 = ACB
) -> bytes:
    """A command under the published keys of its party and of the ACB."""
    header = GroupingHeader(Cra.COMMAND, counter, originator, target, OtherInformation(int(code)))
    protection = MESSAGES[int(code)].command[0]
    return seal(Envelope(header, payload), rtds_ring(), protection=protection, acb=ACB)


def test_a_changed_hub_log_is_told_as_given() -> None:
    hub = made("CHF")
    assert isinstance(hub, Chf)
    state: Any = hub.dump()
    entries = [hub_row(*row) for row in stories()["CCS07_8.9_SUCCESS"]["hub"]]
    state["device_log"]["entries"] = [*entries, hub_row(PPMID.hex, "PPMID", "")]
    state["joining"]["extended_pan_id"] = stories()["CCS07_8.9_SUCCESS"]["extended_pan_id"]
    state["next_counter"] = 4000
    hub.load(state)
    remove = AccessItem(Operation.ACTION, 104, LOG_104, 2, axdr.octets(PPMID.octets))
    payload = access.encode_request(AccessRequest(0x20000000 | 77, (remove,)))
    _, told = messages(give(hub, order(MessageCode.CCS02, hub.eui64, payload, counter=77)))
    given = vector("CS14_NA_8F12_ALERT")
    assert given is not None
    assert compare_messages(told, given).word == "equal"


def test_a_changed_gpf_log_is_backed_up_as_given() -> None:
    gpf = made("GPF")
    state: Any = gpf.dump()
    log = [
        ("0102030405060708", 6), ("00db123456789099", 5), ("00db123456789097", 5),
        ("00db123456789096", 5), ("00db123456789098", 5),
    ]  # fmt: skip
    state["joins"]["entries"] = [
        {"device": who, "device_type": kind, "method": "", "certificate": None} for who, kind in log
    ]
    state["next_counter"] = 0x3E9
    gpf.load(state)
    joined = JoinDevice(2, Eui64(bytes.fromhex("00db12345678909b")), 6)
    payload = der.encode(joined.node())
    _, told = messages(gpf.on_message(order(MessageCode.CS03B, GPF, payload, counter=9), NOW))
    given = vector("GCS62_NA_8071_ALERT")
    assert given is not None
    assert compare_messages(told, given).word == "equal"


class _WithoutActivation(Hcalcs):
    """A controller that activates no firmware by command, as the SAPC of the vector."""

    @property
    def use_cases(self) -> Any:
        return {code: row for code, row in super().use_cases.items() if code != MessageCode.CS06}


def test_a_command_that_is_not_supported_is_told_as_given() -> None:
    profile = profile_of(DeviceType.HCALCS)
    sapc = _WithoutActivation(SAPC, profile, rtds_ring(), NETWORK_OF_RTDS)
    sapc.handle(DeviceEvent.POWER_ON, None, NOW)
    sapc.next_counter = 2000
    command = order(MessageCode.CS06, SAPC, b"\x05\0", counter=0x186A0, originator=SUPPLIER)
    effects = give(sapc, command)
    [told] = messages(effects)
    given = vector("ECS100_NA_8F85_ALERT")
    assert given is not None
    assert compare_messages(told, given).word == "equal"
    assert notes(effects, "message_refused")[0]["reason"] == "unsupported_use_case"
    again = give(sapc, command)
    assert not messages(again)


# -- the state holds no message --------------------------------------------------------------------


def test_no_value_of_a_state_is_or_hides_a_part_of_a_message() -> None:
    assert_holds_no_message(stories().items())


def test_the_meter_of_these_tests_answers_with_the_shared_use_cases() -> None:
    row = made("ESME").handling(MessageCode.CS02A)
    assert row is not None
    assert row.function.__module__ == "emulator.devices.credentials.handlers"
    assert made("ESME").eui64 == ESME
