"""What the other emulated benches say when they are asked for what SMETS1 homes have."""

from dataclasses import replace

import pytest

from harness.benches import emulated, emulated_meter
from harness.errors import BenchError, UsageError
from harness.meter import Silence
from harness.run_options import RunOptions
from tests.harness.smets1.homes import TRANSFER, play, transfer


def test_a_meter_on_a_line_says_whom_it_would_let_in_and_keeps_no_trace() -> None:
    made = emulated_meter.open_bench(RunOptions(world="meter"))
    own = made.credentials("ESME", "management")
    assert own.keys is not None
    other = replace(own, keys=replace(own.keys, unicast=bytes(16)))

    async def story() -> None:
        assert (await made.meter("ESME").associate(own)).accepted
        before = made.dump()
        assert made.opens_to("ESME", own)
        assert not made.opens_to("ESME", other)
        assert made.dump() == before
        assert made.memory("ESME") == made.memory("ESME")

    play(story)
    with pytest.raises(BenchError, match="no CHF whose SIM"):
        made.hub_wan()


def test_a_line_can_be_muted_and_cleared_while_a_run_goes_on() -> None:
    made = emulated_meter.open_bench(RunOptions(world="meter"))
    own = made.credentials("ESME", "management")

    async def story() -> list[Silence | None]:
        seen = []
        for order in ("", "mute@line", "clear@line"):
            if order:
                await made.disturb(order)
            seen.append((await made.meter("ESME").associate(own)).silence)
        return seen

    first, muted, cleared = play(story)
    assert (first, cleared) == (None, None)
    assert muted is not None


def test_a_meter_on_a_line_loses_power_over_a_key_write_too() -> None:
    made = emulated_meter.open_bench(RunOptions(world="meter", faults=("key-write-cut@esme",)))

    async def story() -> None:
        own = made.credentials("ESME", "management")
        assert own.keys is not None
        port = made.meter("ESME")
        assert (await port.associate(own)).accepted
        answer = await port.action(TRANSFER, transfer(own.keys.master, own.keys))
        assert not hasattr(answer, "result")
        assert made.opens_to("ESME", own)

    play(story)
    assert "key_write_cut" in {fact.kind for fact in made.take_observations()}


def test_a_home_of_smets2_devices_has_no_sims_and_its_links_can_be_disturbed() -> None:
    made = emulated.open_home()
    own = emulated_meter.open_bench(RunOptions(world="meter")).credentials("ESME", "management")
    with pytest.raises(BenchError, match="no CHF whose SIM") as raised:
        made.hub_wan()
    assert "SMETS2+" in str(raised.value.cause)
    assert made.opens_to("ESME", own) is None
    assert made.memory("ESME")

    async def story() -> None:
        await made.disturb("mute@wan")
        await made.hub.send(b"a message that is lost")
        assert not await made.hub.has_taken(b"a message that is lost")
        await made.disturb("clear@wan")
        await made.hub.send(b"a message that goes")
        assert await made.hub.has_taken(b"a message that goes")
        with pytest.raises(UsageError, match="means nothing"):
            await made.disturb("mute@nowhere")

    play(story)
