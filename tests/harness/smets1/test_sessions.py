"""A head end that keeps an association open over the instructions of a phase."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from device_profiles.dmves import Equivalent, load_dmves
from device_profiles.words import DeviceType
from harness.benches import emulated
from harness.run_options import RunOptions
from harness.smets1.arguments import Arguments
from harness.smets1.sessions import Sessions
from harness.smets1.steps import Done, HeadEnd

TABLE = load_dmves()
Story = Callable[[Any], Coroutine[Any, Any, None]]


def play(story: Story, *faults: str) -> Any:
    options = RunOptions(
        world="SMETS1", devices=("ESME",), settings={"installation": "smets1"}, faults=faults
    )
    bench = emulated.open_bench(options)
    with asyncio.Runner(loop_factory=emulated.new_event_loop) as loop:
        loop.run(story(bench))
    return bench


def steps(bench: Any, role: str, service: str) -> Equivalent:
    return TABLE.find(bench.profiles[bench.role(role)].name, DeviceType(role), service)


def head_end(bench: Any, sessions: Sessions, role: str = "ESME", **more: Any) -> HeadEnd:
    kept = sessions.of(bench.role(role))
    known = partial(bench.credentials, role)
    return HeadEnd(bench.meter(role, "wan"), bench.clock, known, kept, **more)


def opened(bench: Any) -> int:
    """Associations that devices let a client prove in so far."""
    bench.take_frames()
    return sum(
        fact.kind == "dlms_association" and dict(fact.fields).get("state") != "pending"
        for fact in bench.take_observations()
    )


async def read(bench: Any, sessions: Sessions, role: str = "ESME") -> None:
    account = await head_end(bench, sessions, role).carry_out(
        steps(bench, role, "11.2"), Arguments()
    )
    assert account.done is Done.DONE, account.says
    assert account.opened


def test_three_instructions_of_a_phase_need_one_association() -> None:
    async def story(bench: Any) -> None:
        sessions = Sessions()
        sessions.begin()
        for _number in range(3):
            await read(bench, sessions)
        await sessions.end()
        assert opened(bench) == 1
        await read(bench, sessions)
        await read(bench, sessions)
        assert opened(bench) == 2

    play(story)


def test_a_phase_inside_another_leaves_what_it_opened_until_the_end() -> None:
    async def story(bench: Any) -> None:
        sessions = Sessions()
        sessions.begin()
        sessions.begin()
        await read(bench, sessions)
        await sessions.end()
        await read(bench, sessions)
        await sessions.end()
        assert opened(bench) == 1

    play(story)


def test_the_end_of_a_phase_of_one_device_leaves_another_device_in_its_own() -> None:
    async def story(bench: Any) -> None:
        sessions = Sessions()
        meter, hub = [bench.role("ESME")], [bench.role("CHF")]
        sessions.begin(meter)
        sessions.begin(hub)
        await read(bench, sessions)
        await sessions.end(hub)
        await sessions.release(hub)
        await read(bench, sessions)
        await sessions.end(meter)
        assert opened(bench) == 1
        await read(bench, sessions)
        assert opened(bench) == 1

    play(story)


@pytest.mark.parametrize("role", ["ESME", "GSME"])
def test_a_device_that_lost_its_power_is_associated_with_once_more(role: str) -> None:
    async def story(bench: Any) -> None:
        sessions = Sessions()
        sessions.begin()
        await read(bench, sessions, role)
        await bench.power.cycle(bench.role(role), 30)
        await bench.clock.sleep_until(bench.clock.now() + 4_000_000)
        opened(bench)
        await read(bench, sessions, role)
        assert opened(bench) == 1
        await sessions.end()

    play(story)


def test_other_credentials_are_another_association() -> None:
    async def story(bench: Any) -> None:
        sessions = Sessions()
        kept = sessions.of(bench.role("ESME"))
        own = bench.credentials("ESME", "management")
        sessions.begin()
        await read(bench, sessions)
        assert kept.stands(own)
        assert not kept.stands(replace(own, title=bytes(8)))
        await sessions.end()
        assert not kept.stands(own)

    play(story)


def test_a_device_that_is_gone_is_told_as_not_opened() -> None:
    async def story(bench: Any) -> None:
        sessions = Sessions()
        sessions.begin()
        await read(bench, sessions)
        await bench.disturb("mute@han")
        account = await head_end(bench, sessions).carry_out(
            steps(bench, "ESME", "11.2"), Arguments()
        )
        assert (account.done, account.opened) == (Done.SILENT, False)
        assert not sessions.of(bench.role("ESME")).stands(bench.credentials("ESME", "management"))
        await sessions.end()

    play(story)


def test_what_is_read_in_one_request_is_what_is_read_step_by_step() -> None:
    async def story(bench: Any) -> None:
        sessions, asked = Sessions(), steps(bench, "ESME", "interrogate")
        one = await head_end(bench, sessions).carry_out(asked, Arguments())
        frames = len(bench.take_frames())
        all_at_once = await head_end(bench, sessions, together=True).carry_out(asked, Arguments())
        assert len(bench.take_frames()) < frames
        clocks = {step.step for step in asked.steps if step.class_id == 8}
        pairs = zip(one.taken, all_at_once.taken, strict=True)
        assert [left for left, right in pairs if left != right] == [
            taken for taken in one.taken if taken.step.step in clocks
        ]

    play(story)
