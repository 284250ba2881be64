"""Faults of the air where a world ends: what is late, and whom a fault names by its role."""

from dataclasses import dataclass

import pytest

from emulator.codecs.zcl.tunneling import RequestTunnel
from emulator.core.ids import Eui64
from emulator.han.outputs import Settled
from emulator.runtime import snapshot
from emulator.runtime.world import World
from tests.emulator.runtime.small_world import (
    CHF,
    ESME,
    SECOND_US,
    message_for,
)
from tests.emulator.runtime.test_outlet import Carrier, from_esme, lonely_hub


@dataclass
class Knowing(Carrier):
    """An outlet that knows who is an ESME."""

    def role_of(self, device: Eui64) -> str:
        return "esme" if device == ESME else ""


def disturbed(*faults: str, outlet: Carrier | None = None) -> tuple[World, Carrier]:
    """A hub whose ESME has opened its tunnel from elsewhere; then the faults come."""
    carrier = outlet or Knowing()
    world = lonely_hub(carrier, *faults)
    world.run_until(world.now_us + SECOND_US)
    return world, carrier


def test_a_late_frame_goes_out_when_its_delay_is_over_and_settles_then() -> None:
    world, carrier = disturbed("delay:ms=20000@han")
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500)))
    assert carrier.sent == []  # the request itself is late
    world.run_until(world.now_us + 19 * SECOND_US)
    assert carrier.sent == []
    world.run_until(world.now_us + 2 * SECOND_US)
    assert carrier.sent == []  # and so is the answer
    world.run_until(world.now_us + 20 * SECOND_US)
    assert len(carrier.sent) == 1
    world.send_wan(message_for(ESME, 300))
    world.run_until(world.now_us + 10 * SECOND_US)
    assert len(carrier.sent) == 1
    world.run_until(world.now_us + 15 * SECOND_US)
    (_first, _none), (_message, handle) = carrier.sent
    assert handle
    world.settled(CHF, Settled(handle, True, 1))
    assert world.boxes[0].tunnel.lines[ESME].sending is None  # type: ignore[union-attr] # the hub's


def test_a_late_frame_survives_a_stored_state() -> None:
    world, _carrier = disturbed("delay:ms=20000@han")
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500)))
    again, carrier = disturbed("delay:ms=20000@han")
    again.load(snapshot.pack(snapshot.unpack(world.dump())))
    again.run_until(again.now_us + 45 * SECOND_US)
    assert len(carrier.sent) == 1


def test_a_hub_without_power_sends_nothing_late() -> None:
    world, carrier = disturbed("delay:ms=20000@han")
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500)))
    world.run_until(world.now_us + 30 * SECOND_US)
    world.cut_power(CHF, 60)
    world.run_until(world.now_us + 30 * SECOND_US)
    assert carrier.sent == []


@pytest.mark.parametrize(("role", "answers"), [("esme", 0), ("gsme", 1)])
def test_a_fault_may_name_a_node_elsewhere_by_its_role(role: str, answers: int) -> None:
    world, carrier = disturbed(f"mute:role={role}@han")
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500)))
    world.run_until(world.now_us + SECOND_US)
    assert len(carrier.sent) == answers


def test_an_outlet_that_knows_no_roles_will_do() -> None:
    world, carrier = disturbed("mute:role=esme@han", outlet=Carrier())
    world.heard(from_esme(RequestTunnel(max_incoming_bytes=1500)))
    world.run_until(world.now_us + SECOND_US)
    assert len(carrier.sent) == 1
