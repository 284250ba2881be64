"""Nodes agree with their hub on a link key, and take Smart Energy under it alone."""

from typing import Any

import pytest

from device_profiles import installation as installations
from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ConfigId
from emulator.codecs.ezsp.values import ConfigSetting
from emulator.codecs.ezsp.values_network import RemoveDevice
from emulator.codecs.zcl import basic, foundation, key_establishment, metering, time
from emulator.codecs.zcl.foundation import ReadAttributes, ReportAttributes
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.ncp.member_plan import Stage
from emulator.ncp.trust_centre import ANYBODY
from emulator.runtime.dongle_home import Home, Joining, home_of_plan
from emulator.runtime.installation import Plan
from tests.emulator.ncp.home_given import START, import_key
from tests.emulator.ncp.host_as_hub import BOTH, Around, hub_beside

REGISTER = 0x0000
ROLES = ("esme", "gsme", "ppmid", "hcalcs")
S283, S163 = KeySuite.CBKE_283, KeySuite.CBKE_163


def _home(nodes: int = 1, **joining: Any) -> Home:
    home = home_of_plan(Plan(installations.load("demo"), 1, START), Joining(**joining))
    return Home(home.hub, home.plans[:nodes], home.codes)


def _agreed(nodes: int = 1, **joining: Any) -> Around:
    around = hub_beside(_home(nodes, **joining))
    if joining.get("secure", True):
        return around.agree()
    around.hub.permit()
    around.hub.wait(2_000)
    return around


def _esme(around: Around) -> Eui64:
    return around.member("esme").plan.eui64


def _value(around: Around, cluster: int, attribute: int, *, sealed: bool) -> object:
    told = around.hub.read(_esme(around), cluster, attribute, sealed=sealed)
    return None if told is None or told[0].value is None else told[0].value.value


# -- agreeing ------------------------------------------------------------------------------------


def test_every_node_agrees_on_a_key_of_its_own_before_its_life_begins() -> None:
    around = _agreed(len(ROLES))
    kinds = [(note.kind, who.split()[0]) for who, note in around.notes]
    for role in ROLES:
        at = {kind: kinds.index((kind, role)) for kind in ("han_joined", "key_established")}
        assert at["han_joined"] < at["key_established"]
        if role != "ppmid":
            assert at["key_established"] < kinds.index(("power", role))
    keys = {member.keys.agreed for member in around.bridge.members}
    assert len(keys) == len(ROLES)
    assert keys == set(around.hub.keys.link_keys.values())
    assert {n["suite"] for n in around.noted("key_established")} == {"CBKE_283"}


def test_devices_that_run_fast_do_not_hurry_key_establishment() -> None:
    around = hub_beside(_home(len(ROLES)), factor=100).agree()
    assert len(around.noted("key_established")) == len(ROLES)


def test_what_devices_send_is_sealed_but_for_the_time_they_ask_for() -> None:
    around = hub_beside(_home())
    around.hub.permit()
    around.hub.wait(8_000)
    sealed = {
        (message.aps.cluster, bool(message.aps.options & 0x0020)) for message in around.hub.heard
    }
    assert (time.CLUSTER, False) in sealed
    assert (0x0704, True) in sealed
    assert (0x0019, True) in sealed
    assert {cluster for cluster, is_sealed in sealed if not is_sealed} == {time.CLUSTER}


@pytest.mark.parametrize(
    ("device", "hub", "established"),
    [
        ((S283,), BOTH, "CBKE_283"),
        ((S163,), BOTH, "CBKE_163"),
        ((S283, S163), BOTH, "CBKE_283"),
        ((S283, S163), (S163,), "CBKE_163"),
        ((S163, S283), (S283,), "CBKE_283"),
        ((S283,), (S163,), None),
    ],
)
def test_suites_are_tried_in_order_until_the_hub_has_one(
    device: tuple[KeySuite, ...], hub: tuple[KeySuite, ...], established: str | None
) -> None:
    around = hub_beside(_home(suites=device), suites=hub)
    around.hub.permit()
    around.hub.wait(200_000)
    suites = [note["suite"] for note in around.noted("key_established")]
    assert suites == ([] if established is None else [established])
    assert (around.member("esme").stage is Stage.IN) == (established is not None)


# -- the rule ------------------------------------------------------------------------------------


def test_smart_energy_is_read_under_the_link_key_alone() -> None:
    around = _agreed()
    assert isinstance(_value(around, metering.CLUSTER, REGISTER, sealed=True), int)
    around.notes.clear()
    assert _value(around, metering.CLUSTER, REGISTER, sealed=False) is None
    assert {"why": "not secured", "cluster": "0702"} in around.noted("han_frame_discarded", "esme")
    assert around.hub.heard == []


def test_basic_and_key_establishment_are_read_either_way() -> None:
    around = _agreed()
    for sealed in (False, True):
        assert _value(around, basic.CLUSTER, 5, sealed=sealed) == "Lumen"
        assert _value(around, key_establishment.CLUSTER, 0, sealed=sealed) == S283


def test_time_is_told_either_way_and_set_only_under_the_key() -> None:
    around = _agreed()
    told = foundation.AttributeReading(
        0,
        foundation.Status.SUCCESS,
        foundation.AttributeValue(foundation.ZclType.UTC_TIME, 800_000_000),
    )
    answer = foundation.encode(foundation.ReadAttributesResponse((told,)), 7, server_to_client=True)
    around.hub.send(_esme(around), time.CLUSTER, answer)
    around.hub.wait(100)
    assert around.noted("clock_set", "esme")
    report = foundation.encode(
        ReportAttributes(((0, foundation.AttributeValue(foundation.ZclType.UTC_TIME, 1)),)),
        8,
        server_to_client=True,
    )
    around.hub.send(_esme(around), time.CLUSTER, report)
    around.hub.wait(100)
    assert around.noted("han_frame_discarded", "esme")[-1]["cluster"] == "000a"


def test_a_frame_under_another_key_is_not_understood() -> None:
    around = _agreed()
    keys = around.hub.desk.dongle.ncp.state.nv.link_keys
    row = next(row for row, held in keys.items() if held[0] == _esme(around))
    keys[row] = (_esme(around), bytes(16))
    assert _value(around, metering.CLUSTER, REGISTER, sealed=True) is None
    assert around.noted("han_frame_discarded", "esme")[-1]["why"] == "another link key"


def test_before_the_key_nothing_but_the_open_clusters_is_answered() -> None:
    around = hub_beside(_home(), suites=(S163,))  # nothing comes of it
    around.hub.permit()
    around.hub.wait(2_000)
    assert around.member("esme").stage is Stage.IN
    assert _value(around, metering.CLUSTER, REGISTER, sealed=True) is None
    assert _value(around, metering.CLUSTER, REGISTER, sealed=False) is None
    assert not around.noted("power", "esme")
    assert _value(around, key_establishment.CLUSTER, 0, sealed=False) == S283


def test_lenient_nodes_take_everything_and_answer_as_they_are_asked() -> None:
    around = _agreed(secure=False)
    assert not around.noted("key_established")
    assert isinstance(_value(around, metering.CLUSTER, REGISTER, sealed=False), int)
    assert isinstance(_value(around, metering.CLUSTER, REGISTER, sealed=True), int)


def test_a_hub_may_begin_and_lenient_nodes_take_the_key() -> None:
    around = _agreed(secure=False)
    hub = around.hub
    hub._perform(hub.keys.begin(_esme(around), S283, UtcMs(hub.desk.now)))
    hub.wait(1_000)
    member = around.member("esme")
    assert member.keys.agreed == hub.keys.link_keys[_esme(around)]
    assert isinstance(_value(around, metering.CLUSTER, REGISTER, sealed=True), int)


def test_open_joining_is_lenient_unless_told_otherwise() -> None:
    assert not Joining(well_known=True).strict
    assert Joining(well_known=True, secure=True).strict
    assert not Joining(secure=False).strict
    around = hub_beside(_home(2, well_known=True, secure=True), codes=False)
    hub = around.hub
    for eui64 in (member.plan.eui64 for member in around.bridge.members):
        import_key(hub.desk, eui64, WELL_KNOWN_LINK_KEY)
    import_key(hub.desk, ANYBODY, WELL_KNOWN_LINK_KEY)
    around.agree()
    assert len(around.noted("key_established")) == 2


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authority", "status"), [("other", "UNKNOWN_ISSUER"), ("impostor", "BAD_KEY_CONFIRM")]
)
def test_another_authority_is_refused_and_the_node_leaves(authority: str, status: str) -> None:
    around = hub_beside(_home(authority=authority))
    around.hub.permit()
    around.hub.wait(300_000)
    assert {note["status"] for note in around.noted("key_establishment_ended")} == {status}
    assert around.noted("han_left") == [{"why": "no link key was agreed on"}]
    assert around.member("esme").stage is Stage.OUT
    assert around.hub.desk.dongle.ncp.state.nv.nodes == {}
    assert not around.noted("power")


def _why_not_joined(around: Around, role: str = "esme") -> set[object]:
    return {note["why"] for note in around.noted("han_join_failed", role)}


def test_a_wrong_install_code_is_told_from_a_missing_one() -> None:
    wrong, missing = hub_beside(_home(), codes=False), hub_beside(_home(), codes=False)
    for member in wrong.bridge.members:
        import_key(wrong.hub.desk, member.plan.eui64, bytes(16))
    for around in (wrong, missing):
        around.hub.permit()
        around.hub.wait(4_000)
    reason = "the network key came under another link key than the install code's"
    assert _why_not_joined(wrong) == {reason}
    assert _why_not_joined(missing) == {"turned away"}


def test_a_window_that_has_closed_is_noticed() -> None:
    around = hub_beside(_home(), codes=False)
    around.hub.permit(1)
    around.hub.wait(10_000)
    assert "joining is not permitted any more" in _why_not_joined(around)


def test_a_hub_without_room_says_so() -> None:
    around = hub_beside(_home(2))
    state = around.hub.desk.dongle.ncp.state
    around.hub.desk.ask(
        Frame.SET_CONFIGURATION_VALUE, ConfigSetting(int(ConfigId.MAX_END_DEVICE_CHILDREN), 0)
    )
    assert state.ram.configuration[ConfigId.MAX_END_DEVICE_CHILDREN] == 0
    around.hub.permit()
    around.hub.wait(5_000)
    assert _why_not_joined(around, "gsme") == {"no room"}
    assert around.member("esme").stage is Stage.IN


def test_a_known_device_that_has_lost_its_key_stays_outside_and_its_place_is_kept() -> None:
    around = _agreed()
    hub, member = around.hub, around.member("esme")
    state = hub.desk.dongle.ncp.state
    before, key = state.nv.nodes[member.plan.eui64], member.keys.agreed
    around.notes.clear()
    member.reset(hub.desk.now)
    hub.permit()
    hub.wait(15_000)
    assert member.stage is Stage.OUT
    assert _why_not_joined(around) == {
        "the network key came under another link key than the install code's"
    }
    hub.wait(60_000)
    assert state.nv.nodes[member.plan.eui64] == before
    assert (member.plan.eui64, key) in state.nv.link_keys.values()


def test_a_known_device_whose_key_was_erased_joins_anew() -> None:
    home = _home()
    around = hub_beside(home)
    around.hub.permit()
    around.hub.wait(5_000)
    hub, member = around.hub, around.member("esme")
    state = hub.desk.dongle.ncp.state
    first = member.keys.agreed
    row = next(r for r, held in state.nv.link_keys.items() if held[0] == member.plan.eui64)
    del state.nv.link_keys[row]
    import_key(hub.desk, member.plan.eui64, home.codes[member.plan.eui64].link_key())
    member.reset(hub.desk.now)
    hub.permit()
    hub.wait(5_000)
    assert member.stage is Stage.IN
    assert member.keys.agreed not in {None, first}


def test_a_device_that_was_dismissed_joins_anew_by_its_install_code() -> None:
    home = _home()
    around = hub_beside(home)
    hub, member = around.hub, around.member("esme")
    hub.permit()
    hub.wait(3_000)
    first = member.keys.agreed
    short = hub.desk.dongle.ncp.state.nv.nodes[member.plan.eui64].short
    hub.desk.ask(Frame.REMOVE_DEVICE, RemoveDevice(short, member.plan.eui64, member.plan.eui64))
    hub.wait(100)
    assert around.noted("han_left") == [{"why": "told to"}]
    assert member.keys.agreed is None
    import_key(hub.desk, member.plan.eui64, home.codes[member.plan.eui64].link_key())
    hub.permit()
    hub.wait(3_000)
    assert member.keys.agreed not in {None, first}


# -- memory --------------------------------------------------------------------------------------


def test_the_key_outlives_a_loss_of_power() -> None:
    around = _agreed()
    stored = around.bridge.dump()
    fresh = hub_beside(_home())
    fresh.bridge.load(stored, 0)
    member = fresh.member("esme")
    assert member.keys.agreed == around.member("esme").keys.agreed
    network = around.bridge._network
    fresh.bridge.announce(network, 0)
    assert member.stage is Stage.IN
    member.tick(10_000)
    assert not fresh.noted("key_established")
    assert fresh.noted("power", "esme")[-1] == {"on": True}
    assert member.keys.objection(
        metering.CLUSTER, member.keys.agreed, b"", part=False
    ) == member.keys.objection(basic.CLUSTER, None, b"", part=False)


def test_two_reads_of_one_moment_are_two_questions() -> None:
    around = _agreed()
    question = foundation.encode(ReadAttributes((5,)), 3, server_to_client=False)
    around.hub.heard.clear()
    for _ in range(300):
        around.hub.send(_esme(around), basic.CLUSTER, question)
        around.hub.wait(10)
    answers = [one for one in around.hub.heard if one.aps.cluster == basic.CLUSTER]
    assert len(answers) == 300
