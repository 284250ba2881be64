"""Nodes that lose their supply, and sleepy ones that have just joined."""

from emulator.core.ids import Eui64
from emulator.han.tunnel_client import TunnelState
from emulator.ncp.member_plan import Stage
from emulator.ncp.radio_frames import DataFrame
from tests.emulator.ncp.host_as_hub import Around
from tests.emulator.ncp.test_member_keys import _agreed


def _order(around: Around, role: str, seconds: str, now: int) -> bool:
    device = around.member(role).plan.eui64
    return around.bridge.order("power-cut", f"{device} {seconds}", now)


def test_a_node_without_power_is_off_the_network_and_comes_back_by_itself() -> None:
    around = _agreed()
    member, bridge = around.member("esme"), around.bridge
    short = member.short
    assert short is not None
    assert bridge.eui64_of(short) == member.plan.eui64
    assert _order(around, "esme", "30", 20_000)
    assert member.short is None
    assert bridge.eui64_of(short) is None
    assert bridge.place_of(member.plan.eui64) is None
    bridge.take(49_000)
    assert member.short is None
    assert bridge.deadline is not None
    assert bridge.deadline <= 50_000
    frames = bridge.take(50_000)
    assert member.stage is Stage.IN
    assert any(isinstance(one, DataFrame) for one in frames)  # it says that it is here
    bridge.take(60_000)
    assert around.noted("power", "esme")[-1] == {"on": True}
    assert len(around.noted("key_established", "esme")) == 1  # the key is kept


def test_what_reaches_a_node_without_power_no_radio_takes() -> None:
    around = _agreed()
    member = around.member("esme")
    assert member.short is not None
    leave = DataFrame(0, member.short, None, b"")  # type: ignore[arg-type] # never looked into
    _order(around, "esme", "30", 20_000)
    assert not around.bridge.send(leave, 20_100)


def test_orders_that_mean_nothing_are_refused() -> None:
    around = _agreed()
    assert not _order(around, "esme", "0", 20_000)
    assert not _order(around, "esme", "soon", 20_000)
    assert not around.bridge.order("power-cut", f"{Eui64(bytes(8))} 5", 20_000)
    assert not around.bridge.order("permit", f"{around.member('esme').plan.eui64} 5", 20_000)


def test_a_sleepy_node_that_has_just_joined_opens_its_tunnel_at_once() -> None:
    around = _agreed(3)
    member = around.member("gsme")
    tunnel = member.plan.tunnel
    assert member.sleepy
    assert member.awake
    assert tunnel is not None
    assert tunnel.state is not TunnelState.CLOSED
