"""A device joins an emulated hub through the air, agrees on a key and is reached from the WAN."""

import json
from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.aps import ApsFrame
from emulator.core.chance import Chance, Stream
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.crypto import test_certificates
from emulator.crypto.install_code import draw
from emulator.ncp.radio_bridge import HomeClock
from emulator.ncp.radio_frames import (
    NO_SHORT,
    AssociationRequest,
    AssociationResponse,
    DataFrame,
    LeaveOrder,
    Poll,
    TransportKey,
)
from emulator.runtime.dongle_home import Joining
from emulator.runtime.dongle_hub import CHANNEL, HubPlan, surround
from tests.emulator.runtime.hub_home_given import (
    SEED,
    START,
    Scene,
    a_plan,
    a_scene,
    ask_version,
    device_of,
)

MINUTE_MS = 60_000
ESME = device_of(DeviceType.ESME)
STRANGER = Eui64.parse("02-53-7F-00-00-00-00-77")
ROUTER = 0x8E


def _joined(**options: object) -> Scene:
    scene = a_scene(**options)  # type: ignore[arg-type]  # names of its arguments
    scene.run(20_000)
    assert scene.joined, scene.notes
    return scene


def _answers(scene: Scene) -> list[str]:
    return [str(envelope.decode(octets).header.originator) for octets in scene.from_wan()]


def test_a_device_joins_agrees_on_a_key_and_answers_a_command_from_the_wan() -> None:
    scene = _joined()
    assert "key_established" in scene.kinds("hub")
    assert "key_established" in scene.kinds("esme")
    assert not scene.hub.hub.permits
    assert scene.hub.order("gbcs", ask_version(ESME).hex(), scene.now)
    scene.run(scene.now + MINUTE_MS)
    assert _answers(scene) == [str(ESME)]


def test_suite_1_does_as_well() -> None:
    scene = _joined(theirs=Joining(suites=(KeySuite.CBKE_163,)))
    assert "key_established" in scene.kinds("hub")


def test_a_sleepy_device_is_reached_when_it_asks() -> None:
    scene = _joined(role=DeviceType.GSME)
    assert "key_established" in scene.kinds("hub")
    assert scene.hub.hub.joined[device_of(DeviceType.GSME)].sleepy


def test_a_home_without_security_takes_a_device_under_the_well_known_key() -> None:
    scene = _joined(joining=Joining(well_known=True))
    assert "key_established" not in scene.kinds()
    assert scene.hub.order("gbcs", ask_version(ESME).hex(), scene.now)
    scene.run(scene.now + MINUTE_MS)
    assert _answers(scene) == [str(ESME)]


# Refusals


def test_nobody_joins_while_joining_is_not_permitted() -> None:
    scene = a_scene(permit_s=0)
    scene.hub.emit(AssociationRequest(ESME, ROUTER), 5)
    assert scene.hub.take(5) == [AssociationResponse(ESME, NO_SHORT, 2)]
    assert scene.reasons("han_join_refused") == ["joining is not permitted"]


def test_permission_ends_when_its_time_is_over_and_opens_again_by_order() -> None:
    scene = a_scene(permit_s=30)
    assert scene.hub.networks(CHANNEL)[0].network.allowing_join
    scene.hub.take(30_001)
    assert not scene.hub.networks(CHANNEL)[0].network.allowing_join
    assert scene.hub.order("permit", "60", 31_000)
    assert scene.hub.networks(CHANNEL)[0].network.allowing_join
    assert scene.hub.order("permit", "0", 32_000)
    assert not scene.hub.networks(CHANNEL)[0].network.allowing_join


def test_a_wrong_install_code_never_leads_into_the_network() -> None:
    scene = a_scene(code=draw(Stream(9, "another")))
    scene.run(45_000)
    assert not scene.joined
    assert "han_joined" not in scene.kinds("hub")
    assert "han_join_given_up" in scene.kinds("hub")


def test_a_device_that_is_not_in_the_device_log_gets_no_key() -> None:
    scene = a_scene()
    scene.hub.emit(AssociationRequest(STRANGER, ROUTER), 5)
    told = scene.hub.take(5)
    assert [type(frame) for frame in told] == [AssociationResponse, LeaveOrder]
    assert scene.reasons("han_join_refused") == ["not in the device log"]
    assert STRANGER not in scene.hub.hub.joined


@pytest.mark.parametrize("name", [test_certificates.OTHER, test_certificates.IMPOSTOR])
def test_a_certificate_of_another_authority_leads_to_no_link_key(name: str) -> None:
    scene = a_scene(theirs=Joining(authority=name))
    scene.run(30_000)
    assert "key_established" not in scene.kinds()
    assert "key_establishment_ended" in scene.kinds()
    scene.hub.order("gbcs", ask_version(ESME).hex(), scene.now)
    scene.run(scene.now + MINUTE_MS)
    assert _answers(scene) == []


def test_smart_energy_is_taken_sealed_alone() -> None:
    scene = _joined()
    hub = scene.hub.hub
    node = hub.joined[ESME]
    metering = ApsFrame(node.endpoint, node.endpoint, 0x0702, 9, bytes.fromhex("0001000000"))
    metering = replace(metering, destination_endpoint=next(iter(hub.plan.nodes[0].places)))
    frame = DataFrame(node.short, 0, metering, hub.plan.network_key)
    scene.notes.clear()
    scene.hub.emit(frame, scene.now)
    assert scene.reasons("han_frame_discarded") == ["not secured"]
    scene.hub.emit(replace(frame, link_key=bytes(16)), scene.now)
    assert scene.reasons("han_frame_discarded")[1:] == ["another link key"]


def test_frames_under_another_network_key_are_not_understood() -> None:
    scene = _joined()
    node = scene.hub.hub.joined[ESME]
    frame = DataFrame(node.short, 0, ApsFrame(1, 1, 0, 1, b""), bytes(16))
    scene.notes.clear()
    assert scene.hub.emit(frame, scene.now)  # its radio has it, all the same
    assert scene.kinds("hub") == ["han_frame_discarded"]


# Coming back, going, joining again


def test_a_known_device_comes_back_with_the_network_key_and_under_its_old_address() -> None:
    scene = _joined()
    node, key = scene.hub.hub.joined[ESME], scene.hub.hub.plan.network_key
    scene.hub.emit(AssociationRequest(ESME, ROUTER, node.short, key), scene.now)
    assert scene.hub.take(scene.now) == [AssociationResponse(ESME, node.short, 0)]
    scene.hub.emit(AssociationRequest(ESME, ROUTER, node.short, bytes(16)), scene.now)
    assert scene.hub.take(scene.now) == [AssociationResponse(ESME, NO_SHORT, 2)]


def test_without_the_network_key_it_is_sent_it_under_the_key_agreed_on() -> None:
    scene = _joined()
    node = scene.hub.hub.joined[ESME]
    scene.hub.emit(AssociationRequest(ESME, ROUTER, node.short), scene.now)
    answer, sent = scene.hub.take(scene.now)
    assert answer == AssociationResponse(ESME, node.short, 0)
    assert isinstance(sent, TransportKey)
    assert sent.sealed_under == scene.hub.hub.keys.agreed(ESME)


def test_a_device_that_joins_again_needs_its_install_code_again() -> None:
    scene = _joined()
    scene.hub.order("permit", "60", scene.now)
    scene.hub.emit(AssociationRequest(ESME, ROUTER), scene.now)
    sent = scene.hub.take(scene.now)[1]
    assert isinstance(sent, TransportKey)
    assert sent.sealed_under == scene.hub.hub.keys.joining(ESME)
    assert scene.hub.hub.keys.agreed(ESME) is None


def test_what_waits_for_a_sleeping_device_is_sent_when_it_asks_and_lost_when_it_does_not() -> None:
    scene = a_scene(role=DeviceType.GSME)
    gsme = device_of(DeviceType.GSME)
    scene.hub.emit(AssociationRequest(gsme, 0x80), 5)
    answer = scene.hub.take(5)[0]
    assert isinstance(answer, AssociationResponse)
    assert scene.hub.take(4_000) == []
    scene.hub.emit(Poll(answer.short), 4_100)
    assert [type(frame) for frame in scene.hub.take(4_100)] == [TransportKey]
    scene.hub.emit(Poll(answer.short), 4_200)
    assert scene.hub.take(4_200) == []


def test_the_hub_goes_on_after_a_loss_of_power_where_it_was() -> None:
    scene = _joined()
    state = json.loads(json.dumps(scene.hub.dump()))
    again = a_scene()
    again.hub.load(state, scene.now)
    assert again.hub.hub.joined == scene.hub.hub.joined
    assert again.hub.hub.keys.agreed(ESME) == scene.hub.hub.keys.agreed(ESME)
    assert again.hub.world.now_us == scene.hub.world.now_us


def test_orders_that_mean_nothing_are_refused() -> None:
    hub = a_scene().hub
    orders = ("gbcs", ""), ("gbcs", "xyz"), ("permit", "soon"), ("image", "/nowhere"), ("jump", "")
    assert not any(hub.order(word, rest, 0) for word, rest in orders)


def test_nobody_is_found_on_another_channel() -> None:
    hub = a_scene().hub
    assert hub.networks(CHANNEL + 1) == ()
    assert hub.energy(CHANNEL) > hub.energy(CHANNEL + 1)
    assert not hub.emit(AssociationRequest(ESME, ROUTER, channel=CHANNEL + 1), 5)


def test_no_note_holds_a_key() -> None:
    scene = _joined()
    keys = scene.hub.hub.keys
    secrets = [scene.hub.hub.plan.network_key, keys.agreed(ESME), keys.joining(ESME)]
    told = repr(scene.notes) + repr(scene.hub.hub.plan)
    assert all(key and key.hex() not in told and repr(key)[2:-1] not in told for key in secrets)


def test_a_hub_whose_home_is_complete_does_not_permit_joining_until_told() -> None:
    notes: list[Note] = []
    home = HubPlan(a_plan(), STRANGER, False, Joining())
    clock = HomeClock(START)
    made = surround(home)(clock, lambda _who, note: notes.append(note), Chance(SEED), None)
    (network,) = made.networks(CHANNEL)
    assert not network.network.allowing_join
    assert [note.kind for note in notes][:1] == ["han_permit"]
