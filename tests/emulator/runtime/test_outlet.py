"""A world some of whose nodes are elsewhere: what goes out, what comes in, what becomes of it."""

from dataclasses import dataclass, field

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import tunneling
from emulator.codecs.zcl.tunneling import RequestTunnel, RequestTunnelResponse, TransferData
from emulator.core.chance import Chance
from emulator.core.effects import SendZcl, ZclIndication
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.han.address_book import AddressBook, Place
from emulator.han.outputs import Settled
from emulator.han.tunnel_line import Line
from emulator.han.tunnel_server import TunnelServer
from emulator.runtime.box import Box
from emulator.runtime.world import World
from tests.emulator.runtime.small_world import (
    CHF,
    ESME,
    GPF,
    GSME,
    SECOND_US,
    START,
    USUAL,
    ScriptedHub,
    message_for,
    node,
)


@dataclass
class Carrier:
    """An outlet that remembers."""

    sent: list[tuple[SendZcl, int]] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)

    def send(self, order: SendZcl, handle: int) -> None:
        self.sent.append((order, handle))

    def cancel(self, handle: int) -> None:
        self.cancelled.append(handle)

    def last(self) -> object:
        return tunneling.decode(zcl_frame.decode(self.sent[-1][0].frame))


def lonely_hub(outlet: Carrier | None, *faults: str) -> World:
    """A hub whose devices are elsewhere, in an air that has these faults."""
    book = AddressBook(0x1A2B, [Place(CHF, 0, 10), Place(GPF, 0, 11)])
    lines = [Line(ESME, False, 1200), Line(GSME, True, 1200)]
    hub = Box("chf", (CHF, GPF), ScriptedHub(), node(book, 0, USUAL), TunnelServer(lines))
    chance = Chance(1)
    schedule = FaultSchedule([parse(text) for text in faults], chance)
    world = World([hub], schedule, chance, START, outlet=outlet)
    world.start()
    return world


def from_esme(command: tunneling.RequestTunnel | TransferData, number: int = 1) -> ZclIndication:
    octets = tunneling.encode(command, number, server_to_client=False)
    return ZclIndication(ESME, CHF, tunneling.CLUSTER, octets)


def with_tunnel() -> tuple[World, Carrier]:
    """A world whose ESME has opened its tunnel from elsewhere."""
    carrier = Carrier()
    world = lonely_hub(carrier)
    world.run_until(world.now_us + SECOND_US)
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500)))
    return world, carrier


def sends_a_message(world: World) -> None:
    world.send_wan(message_for(ESME, 300))
    world.run_until(world.now_us + 60 * SECOND_US)


def kinds(world: World) -> list[str]:
    return [fact.kind for fact in world.records.take_facts()]


def test_a_frame_for_a_node_that_is_elsewhere_goes_out_with_its_source() -> None:
    _world, carrier = with_tunnel()
    order, handle = carrier.sent[-1]
    assert isinstance(carrier.last(), RequestTunnelResponse)
    assert (order.to, order.source, handle) == (ESME, CHF, 0)


def test_a_message_goes_out_whole_with_a_handle_and_nothing_follows_until_it_settles() -> None:
    world, carrier = with_tunnel()
    sends_a_message(world)
    order, handle = carrier.sent[-1]
    assert isinstance(carrier.last(), TransferData)
    assert handle > 0
    assert len(order.frame) > 300
    sends_a_message(world)
    assert carrier.sent[-1] == (order, handle)
    world.settled(CHF, Settled(handle, True, 1))
    assert carrier.sent[-1][1] == handle + 1


def test_what_was_not_delivered_is_sent_again_after_a_pause() -> None:
    world, carrier = with_tunnel()
    sends_a_message(world)
    _order, handle = carrier.sent[-1]
    world.settled(CHF, Settled(handle, False, 0))
    assert carrier.sent[-1][1] == handle
    world.run_until(world.now_us + 60 * SECOND_US)
    assert carrier.sent[-1][1] == handle + 1


def test_the_second_word_on_a_transfer_is_ignored() -> None:
    world, carrier = with_tunnel()
    sends_a_message(world)
    handle = carrier.sent[-1][1]
    world.settled(CHF, Settled(handle, True, 1))
    told = len(carrier.sent)
    world.settled(CHF, Settled(handle, False, 0))
    world.run_until(world.now_us + 60 * SECOND_US)
    assert len(carrier.sent) == told


def test_a_new_tunnel_under_a_running_transfer_cancels_it_at_the_outlet() -> None:
    world, carrier = with_tunnel()
    sends_a_message(world)
    handle = carrier.sent[-1][1]
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500), number=2))
    assert carrier.cancelled == [handle]


def test_a_message_from_elsewhere_reaches_the_hub_and_the_wan() -> None:
    world, carrier = with_tunnel()
    answer = carrier.last()
    assert isinstance(answer, RequestTunnelResponse)
    world.heard(from_esme(TransferData(answer.tunnel_id, b"grid"), number=2))
    world.run_until(world.now_us + 60 * SECOND_US)
    assert world.to_dsp.popleft() == b"grid"


def test_a_hub_without_power_misses_frames_and_forgets_what_was_on_its_way() -> None:
    world, carrier = with_tunnel()
    sends_a_message(world)
    handle = carrier.sent[-1][1]
    world.cut_power(CHF, 60)
    world.run_until(world.now_us)
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500), number=2))
    assert "han_frame_missed" in kinds(world)
    world.settled(CHF, Settled(handle, True, 1))
    assert len(carrier.sent) == 2


def test_a_frame_for_nobody_here_is_dropped_with_a_note() -> None:
    world, _carrier = with_tunnel()
    world.heard(ZclIndication(ESME, GSME, tunneling.CLUSTER, b"\x01\x01\x00"))
    assert "han_frame_discarded" in kinds(world)


def test_a_world_put_back_takes_what_was_on_its_way_out_for_unsure() -> None:
    world, _carrier = with_tunnel()
    sends_a_message(world)
    after = lonely_hub(Carrier())
    after.load(world.dump())
    after.run_until(after.now_us + SECOND_US)
    assert "tunnel_message_unsure" in kinds(after)


def test_without_an_outlet_a_node_that_is_elsewhere_does_not_exist() -> None:
    world = lonely_hub(None)
    sends_a_message(world)
    assert "han_no_such_node" in kinds(world)
