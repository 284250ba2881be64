"""An emulated SMETS1 home whose electricity meter stands on a real line: octets over a pty."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device_profiles.dmves import load_dmves
from device_profiles.words import DeviceType
from emulator.codecs.dlms import date_time
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
from emulator.crypto.dlms_key_transfer import NewKey
from emulator.crypto.dlms_keys import KeyId
from harness.meter import Credentials, Silence, Unanswered
from harness.run_options import RunOptions
from harness.smets1.arguments import Arguments
from harness.smets1.steps import Done, HeadEnd
from hil import bench as benches
from hil.mixed_bench import MixedBench
from tests.hil.bench_texts import write_bench

#: Children start slowly on a busy machine.
pytestmark = pytest.mark.timeout(300)
CLOCK = Attribute(Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
DAY_MS = 86_400_000
MIXED = """\
[bench]
name = "serial migration"
operator = "A. Fitter"

[roles.ESME]
endpoint = "loopback:demo-s1-esme"
listen = "pty"

[roles.CHF]
endpoint = "emulated:demo-s1-chf-foct"

[roles.GSME]
endpoint = "emulated:demo-s1-gsme"
"""
Story = Callable[[MixedBench], Awaitable[None]]


def home_on(folder: Path, text: str = MIXED, **more: Any) -> RunOptions:
    settings = {"installation": "smets1"}
    return RunOptions(
        bench=write_bench(folder, text),
        world="SMETS1",
        devices=("ESME",),
        settings=settings,
        **more,
    )


def play(options: RunOptions, story: Story) -> None:
    async def whole() -> None:
        bench = await benches.open_bench(options)
        assert isinstance(bench, MixedBench)
        try:
            await story(bench)
        finally:
            await bench.close()

    with asyncio.Runner(loop_factory=lambda: benches.new_event_loop(options)) as loop:
        loop.run(whole())


def with_keys(who: Credentials, unicast: bytes, authentication: bytes) -> Credentials:
    assert who.keys is not None
    keys = who.keys.with_key(KeyId.UNICAST, unicast)
    return replace(who, keys=keys.with_key(KeyId.AUTHENTICATION, authentication))


def transfer(to: Credentials) -> Arguments:
    assert to.keys is not None
    new = [
        NewKey(KeyId.UNICAST, to.keys.unicast),
        NewKey(KeyId.AUTHENTICATION, to.keys.authentication),
    ]
    return Arguments(keys=(to.keys.master, new))


async def rotate(bench: MixedBench, way: str, by: Credentials, to: Credentials) -> None:
    model = bench.profiles[bench.role("ESME")].name
    equivalent = load_dmves().find(model, DeviceType.ESME, "rotate-credentials")
    head_end = HeadEnd(bench.meter("ESME", way), bench.clock, lambda _name: by)
    account = await head_end.carry_out(equivalent, transfer(to))
    assert account.done is Done.DONE, account.says


async def shown(bench: MixedBench, credentials: Credentials, way: str) -> int:
    """Return the moment the meter's clock shows, in milliseconds since 1970."""
    port = bench.meter("ESME", way)
    assert (await port.associate(credentials)).accepted
    found = await port.get([CLOCK])
    await port.release()
    assert not isinstance(found, Unanswered)
    assert isinstance(found[0], Data)
    assert isinstance(found[0].value, bytes)
    moment = date_time.decode(found[0].value).moment()
    assert moment is not None
    return moment


@pytest.mark.soak
def test_keys_change_hands_on_the_wire_and_back_in_virtual_days(tmp_path: Path) -> None:
    async def story(bench: MixedBench) -> None:
        begun, real = bench.clock.now(), time.monotonic()
        assert bench.kind == "loopback"
        old = bench.credentials("ESME", "management")
        new = with_keys(old, b"u" * 16, b"a" * 16)
        assert (bench.opens_to("ESME", old), bench.opens_to("ESME", new)) == (True, False)
        await rotate(bench, "wan", old, new)
        assert (bench.opens_to("ESME", old), bench.opens_to("ESME", new)) == (False, True)
        await bench.clock.sleep_until(UtcMs(begun + 7 * DAY_MS))
        assert bench.clock.now() == begun + 7 * DAY_MS
        await rotate(bench, "wan", new, old)
        assert (bench.opens_to("ESME", old), bench.opens_to("ESME", new)) == (True, False)
        assert time.monotonic() - real < 120
        lines = [frame for frame in bench.take_frames() if frame.link.startswith("line")]
        assert len(lines) > 40  # HDLC, beside the frames of the emulated home
        assert {frame.frame[:1] for frame in lines} == {b"\x7e"}

    play(home_on(tmp_path), story)


async def clock_goes_with_the_home(bench: MixedBench) -> None:
    public = bench.credentials("ESME", "public")
    for way in ("line", "wan@SMSO"):
        before = await shown(bench, public, way)
        assert abs(before - bench.clock.now()) < 1000
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + 3 * DAY_MS))
        assert abs(await shown(bench, public, way) - before - 3 * DAY_MS) < 60_000


async def party_reaches_it_while_the_sim_is_its_own(bench: MixedBench) -> None:
    public, hub = bench.credentials("ESME", "public"), bench.hub_wan()
    smso, s1sp = bench.meter("ESME", "wan@SMSO"), bench.meter("ESME", "wan@S1SP")
    assert (await smso.associate(public)).accepted
    silent = await s1sp.associate(public)
    assert not silent.accepted
    assert silent.silence is Silence.NO_ANSWER
    assert (await smso.get([CLOCK])) != ()
    begun = bench.clock.now()
    assert (await hub.change_sim("S1SP")).done
    lost = await smso.get([CLOCK])
    assert isinstance(lost, Unanswered)
    assert lost.why is Silence.NO_ANSWER
    assert await hub.notified("S1SP", UtcMs(begun + DAY_MS)) is not None
    assert (await s1sp.associate(public)).accepted
    assert not isinstance(await s1sp.get([CLOCK]), Unanswered)
    held = await smso.get([CLOCK])
    assert isinstance(held, Unanswered)


async def what_shuts_the_way_shuts_the_meter_off(bench: MixedBench) -> None:
    public, wan = bench.credentials("ESME", "public"), bench.meter("ESME", "wan@SMSO")
    assert (await wan.associate(public)).accepted
    await bench.disturb("mute@wan")
    begun = bench.clock.now()
    assert (await wan.associate(public)).silence is Silence.NO_ANSWER
    assert bench.clock.now() > begun  # a head end waits for an answer before it gives up
    line = bench.meter("ESME")
    assert (await line.associate(public)).accepted  # its own line is another way
    await bench.disturb("clear@wan")
    assert (await wan.associate(public)).accepted


async def ways_take_turns(bench: MixedBench) -> None:
    public = bench.credentials("ESME", "public")
    line, wan = bench.meter("ESME"), bench.meter("ESME", "wan@SMSO")
    unasked = await wan.get([CLOCK])
    assert isinstance(unasked, Unanswered)
    assert unasked.why is Silence.NOT_ASSOCIATED
    assert (await wan.associate(public)).accepted
    assert (await line.associate(public)).accepted
    taken = await wan.get([CLOCK])
    assert isinstance(taken, Unanswered)
    assert taken.why is Silence.LINK_LOST
    assert bench.opens_to("ESME", bench.credentials("ESME", "management")) is True
    assert not isinstance(await line.get([CLOCK]), Unanswered)  # it did not notice
    await wan.release()  # not its association: nothing happens
    assert not isinstance(await line.get([CLOCK]), Unanswered)
    await line.release()
    assert isinstance(await line.get([CLOCK]), Unanswered)
    assert not (await wan.sign_on()).answered


@pytest.mark.soak
def test_the_mains_of_the_home_and_of_the_meter_on_the_line(tmp_path: Path) -> None:
    async def story(bench: MixedBench) -> None:
        public, line = bench.credentials("ESME", "public"), bench.meter("ESME")
        for role in ("ESME", "GSME"):
            begun = bench.clock.now()
            await bench.power.cycle(bench.role(role), 30)
            assert bench.clock.now() == begun + 30_000
        assert (await line.associate(public)).accepted
        gsme = bench.meter("GSME", "wan@SMSO")
        assert (await gsme.associate(bench.credentials("GSME", "public"))).accepted
        rows = bench.describe()
        assert rows[f"ESME {bench.role('ESME')}"]["endpoint"] == "loopback:demo-s1-esme"
        assert bench.memory("ESME") is None
        assert bench.memory("GSME")
        assert bench.dump() is None
        assert bench.take_observations() is not None

    play(home_on(tmp_path), story)


@pytest.mark.soak
def test_a_fault_of_the_meter_is_the_child_s(tmp_path: Path) -> None:
    async def story(bench: MixedBench) -> None:
        old = bench.credentials("ESME", "management")
        new = with_keys(old, b"u" * 16, b"a" * 16)
        await bench.disturb("key-write-cut:effect=taken,off_s=60@esme")
        model = bench.profiles[bench.role("ESME")].name
        equivalent = load_dmves().find(model, DeviceType.ESME, "rotate-credentials")
        head_end = HeadEnd(bench.meter("ESME"), bench.clock, lambda _name: old)
        account = await head_end.carry_out(equivalent, transfer(new))
        assert account.done is not Done.DONE
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + 120_000))
        assert bench.opens_to("ESME", new) is True  # the keys were taken, the answer was lost

    play(home_on(tmp_path), story)


@pytest.mark.parametrize("listen", ["pty", pytest.param("rfc2217", marks=pytest.mark.soak)])
def test_a_meter_on_a_line_stands_in_its_home(tmp_path: Path, listen: str) -> None:
    """One child for all of it: starting one takes its time."""

    async def story(bench: MixedBench) -> None:
        await ways_take_turns(bench)
        await what_shuts_the_way_shuts_the_meter_off(bench)
        await clock_goes_with_the_home(bench)
        await party_reaches_it_while_the_sim_is_its_own(bench)

    play(home_on(tmp_path, MIXED.replace('"pty"', f'"{listen}"')), story)
