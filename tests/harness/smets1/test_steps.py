"""Service requests carried out on emulated SMETS1 devices, down a line and through the hub."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from device_profiles.dmves import Equivalent, Support, load_dmves
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.dlms import axdr, date_time
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.selective import CaptureObject
from emulator.crypto.dlms_key_transfer import NewKey
from emulator.crypto.dlms_keys import KeyId
from emulator.crypto.top_up_code import TopUp, encode, top_up_key
from firmware_images.image import Signing, Target, build
from firmware_images.recipe import made_up_scalar
from firmware_images.version import FirmwareVersion
from harness.benches import emulated
from harness.errors import UsageError
from harness.meter import Credentials
from harness.run_options import RunOptions
from harness.smets1.arguments import Arguments, Image, Period
from harness.smets1.steps import Account, Done, HeadEnd, _word

TABLE = load_dmves()
CLOCK = bytes.fromhex("0000010000ff")
Story = Callable[[Any], Coroutine[Any, Any, None]]


def on_line(story: Story, **options: Any) -> None:
    play(RunOptions(world="meter", devices=("ESME",), **options), story)


def at_home(story: Story, **options: Any) -> None:
    settings = {"installation": "smets1"}
    play(RunOptions(world="SMETS1", devices=("ESME",), settings=settings, **options), story)


def play(options: RunOptions, story: Story) -> None:
    bench = emulated.open_bench(options)
    with asyncio.Runner(loop_factory=emulated.new_event_loop) as loop:
        loop.run(story(bench))


def head_end(
    bench: Any, role: str, way: str, credentials: Callable[[str], Credentials] | None = None
) -> HeadEnd:
    known = credentials or partial(bench.credentials, role)
    return HeadEnd(bench.meter(role, way), bench.clock, known)


def steps(bench: Any, role: str, service: str) -> Equivalent:
    model = bench.profiles[bench.role(role)].name
    return TABLE.find(model, DeviceType(role), service)


async def done(
    bench: Any, role: str, way: str, service: str, given: Arguments | None = None
) -> Account:
    account = await head_end(bench, role, way).carry_out(
        steps(bench, role, service), given or Arguments()
    )
    assert account.done is Done.DONE, account.says
    return account


def number(data: Data | None) -> int:
    assert data is not None
    assert isinstance(data.value, int)
    return data.value


@pytest.mark.parametrize("way", ["line", "wan"])
def test_registers_read_down_a_line_and_through_the_hub_are_the_same_kind_of_answer(
    way: str,
) -> None:
    async def story(bench: Any) -> None:
        account = await done(bench, "ESME", way, "4.1.1")
        total = number(account.value("1-0:1.8.0.255", 2))
        rates = [number(account.value(f"1-0:1.8.{n}.255", 2)) for n in (1, 2, 3, 4)]
        assert total > 0
        assert abs(total - sum(rates)) <= 2  # read one after the other, while energy flows

    (on_line if way == "line" else at_home)(story)


def test_what_the_table_calls_not_supported_touches_no_device() -> None:
    async def story(bench: Any) -> None:
        before = bench.dump()
        account = await head_end(bench, "ESME", "line").carry_out(
            steps(bench, "ESME", "7.3"), Arguments()
        )
        assert account.done is Done.NOT_SUPPORTED
        assert "armed" in account.says
        assert bench.dump() == before

    on_line(story)


def test_a_sleeping_gas_meter_answers_at_its_next_wake() -> None:
    async def story(bench: Any) -> None:
        await bench.clock.sleep_until(bench.clock.now() + 120_000)  # its first window is over
        before = bench.clock.now()
        account = await done(bench, "GSME", "wan", "4.1.1")
        assert number(account.value("7-0:3.0.0.255", 2)) > 0
        waited_s = (bench.clock.now() - before) / 1000
        period_s = bench.profiles[bench.role("GSME")].radio.wake_period_s
        assert 60 < waited_s <= period_s + 60

    at_home(story)


@pytest.mark.parametrize("role", ["CHF", "ESME", "GSME"])
def test_every_holder_behind_the_hub_takes_new_keys_and_gives_the_old_ones_up(role: str) -> None:
    async def story(bench: Any) -> None:
        old = bench.credentials(role, "management")
        new = [NewKey(KeyId.UNICAST, b"u" * 16), NewKey(KeyId.AUTHENTICATION, b"a" * 16)]
        rotation = Arguments(keys=(old.keys.master, new))
        await done(bench, role, "wan", "rotate-credentials", rotation)
        keys = old.keys.with_key(KeyId.UNICAST, b"u" * 16)
        other = replace(old, keys=keys.with_key(KeyId.AUTHENTICATION, b"a" * 16))
        port = bench.meter(role, "wan")
        assert not (await port.associate(old)).accepted
        assert (await port.associate(other)).accepted
        await port.release()
        back = [
            NewKey(KeyId.UNICAST, old.keys.unicast),
            NewKey(KeyId.AUTHENTICATION, old.keys.authentication),
        ]
        party = head_end(bench, role, "wan", lambda _name: other)
        given = Arguments(keys=(old.keys.master, back))
        account = await party.carry_out(steps(bench, role, "rollback-credentials"), given)
        assert account.done is Done.DONE, account.says
        assert (await port.associate(old)).accepted
        await port.release()
        assert not (await port.associate(other)).accepted

    at_home(story)


def test_the_supply_and_the_account_follow_requests() -> None:
    async def story(bench: Any) -> None:
        await done(bench, "ESME", "line", "7.2")
        off = await done(bench, "ESME", "line", "7.4")
        await done(bench, "ESME", "line", "7.1")
        on = await done(bench, "ESME", "line", "7.4")
        state = ("0-0:96.3.10.255", 2)
        assert (number(off.value(*state)), number(on.value(*state))) == (0, 1)
        mode = await done(bench, "ESME", "line", "1.6", Arguments(mode=2))
        assert mode.value("0-0:19.0.0.255", 2) is not None
        before = number((await done(bench, "ESME", "line", "4.18")).value("0-0:19.10.0.255", 2))
        eui64, keys = bench.role("ESME"), bench.credentials("ESME", "management").keys
        code = encode(TopUp(750, 12_345), top_up_key(keys.authentication, eui64), eui64)
        after = await done(bench, "ESME", "line", "2.2", Arguments(token=code))
        grown = number(after.value("0-0:19.10.0.255", 2)) - before
        assert 740_000 < grown <= 750_000

    on_line(story)


def test_a_refusal_of_the_device_ends_the_request_and_is_told() -> None:
    async def story(bench: Any) -> None:
        account = await head_end(bench, "ESME", "line").carry_out(
            steps(bench, "ESME", "2.2"), Arguments(token="0" * 20)
        )
        assert account.done is Done.REFUSED
        assert len(account.taken) == 1
        assert "enter the top-up code" in account.says

    on_line(story)


def test_an_image_is_loaded_verified_and_activated() -> None:
    async def story(bench: Any) -> None:
        model = bench.profiles[bench.role("ESME")]
        version = FirmwareVersion.from_number(model.identity.version_number + 3)
        image = build(
            Target.of(model), version, bytes(range(256)) * 4, signing=Signing(made_up_scalar())
        )
        given = Arguments(
            image=Image(b"three-up", ota_file.encode(image), model.dlms.image.block_bytes)
        )
        old = await done(bench, "ESME", "line", "11.2")
        await done(bench, "ESME", "line", "11.1", given)
        await done(bench, "ESME", "line", "11.3")
        wait_ms = (model.dlms.image.activation_s + 10) * 1000
        await bench.clock.sleep_until(bench.clock.now() + wait_ms)
        new = await done(bench, "ESME", "line", "11.2")
        obis = model.dlms.firmware_obis
        assert old.value(obis, 2) != new.value(obis, 2)

    on_line(story)


def test_a_load_profile_is_read_for_its_period() -> None:
    async def story(bench: Any) -> None:
        now = bench.clock.now()
        day_ms = 86_400_000
        ends = [
            axdr.octets(date_time.encode(date_time.of_moment(at))) for at in (now - day_ms, now)
        ]
        period = Period(ends[0], ends[1], CaptureObject(8, CLOCK, 2))
        account = await done(bench, "ESME", "line", "4.8.1", Arguments(period=period))
        rows = account.value("1-0:99.1.0.255", 2)
        assert rows is not None
        assert isinstance(rows.value, tuple)
        assert len(rows.value) in {48, 49}

    on_line(story)


def test_a_request_that_lacks_what_its_steps_need_is_our_own_fault() -> None:
    async def story(bench: Any) -> None:
        with pytest.raises(UsageError, match="token"):
            await head_end(bench, "ESME", "line").carry_out(
                steps(bench, "ESME", "2.2"), Arguments()
            )

    on_line(story)


def test_wrong_credentials_end_a_request_before_its_first_step() -> None:
    async def story(bench: Any) -> None:
        right = bench.credentials("ESME", "management")
        wrong = replace(right, keys=right.keys.with_key(KeyId.UNICAST, b"x" * 16))
        account = await head_end(bench, "ESME", "line", lambda _name: wrong).carry_out(
            steps(bench, "ESME", "4.1.1"), Arguments()
        )
        assert account.done is Done.REFUSED
        assert "no association" in account.taken[0].result

    on_line(story)


def test_arguments_show_no_secret() -> None:
    new = [NewKey(KeyId.UNICAST, b"u" * 16)]
    shown = repr(Arguments(keys=(b"m" * 16, new), token="1234567890" * 2))
    assert "uuuu" not in shown
    assert "mmmm" not in shown
    assert "1234567890" not in shown


def test_a_home_that_is_dumped_and_restored_goes_on_alike() -> None:
    """The same requests after a restore give the same answers at the same moments."""
    seen: list[list[tuple[str, int]]] = []

    async def story(bench: Any) -> None:
        await done(bench, "ESME", "wan", "interrogate")
        state = bench.dump()
        for _ in range(2):
            bench.restore(state)
            rows = []
            for role in ("GSME", "ESME"):
                account = await done(bench, role, "wan", "4.1.1")
                rows += [(repr(item.value), bench.clock.now()) for item in account.taken]
            seen.append(rows)

    at_home(story)
    assert seen[0] == seen[1]


def test_supported_is_not_said_of_a_device_without_the_object() -> None:
    """Every supported reading of the table is answered by the emulated models it names."""

    async def story(bench: Any) -> None:
        for role in ("CHF", "ESME", "GSME"):
            for service in ("11.2", "interrogate", "6.13"):
                assert steps(bench, role, service).support is Support.SUPPORTED
                await done(bench, role, "wan", service)

    at_home(story)


@pytest.mark.parametrize(
    "kinds", [(DataAccessResult, ActionResult), (ActionResult, DataAccessResult)]
)
def test_results_of_one_number_keep_their_own_words(kinds: tuple[Any, Any]) -> None:
    """15 is of a GET in one table and of an ACTION in the other."""
    for kind in kinds:
        for result in kind:
            assert _word(result) == result.name.lower().replace("_", "-")
