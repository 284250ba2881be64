"""The emulated bench of one meter on a line: our client against the emulated meter, end to end."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_keys import KeyId
from harness.benches import emulated
from harness.benches.emulated_meter import EmulatedMeterBench, check, open_bench
from harness.benches.emulated_meter_build import MeterPlan
from harness.dlms import image, obis, reading, selection
from harness.dlms.image import ImagePlan, TransferStatus
from harness.dlms.profile import Row
from harness.dlms.settings import Framing
from harness.errors import BenchError, UsageError
from harness.meter import Credentials, Silence, Unanswered
from harness.ports import Bench, CapturedFrame, Listening, MeterPort
from harness.run_options import RunOptions

T = TypeVar("T")
MODELS = [
    ("smets1", Framing.OPTICAL),
    ("smets1", Framing.HDLC),
    ("smets1", Framing.WRAPPER),
    ("smets1-strict", Framing.HDLC),
    ("smets1-quirks", Framing.OPTICAL),
    ("smets1-wrapper", Framing.WRAPPER),
    ("smets1-wrapper", Framing.HDLC),
]
HALF_HOUR_MS = 1_800_000
SLOW_CLOCK = obis.attribute(8, "0-0:1.0.0", 3)


def play(bench: EmulatedMeterBench, story: Callable[[EmulatedMeterBench], Awaitable[T]]) -> T:
    async def whole() -> T:
        return await story(bench)

    with asyncio.Runner(loop_factory=emulated.new_event_loop) as runner:
        return runner.run(whole())


def with_form(credentials: Credentials, form: Form) -> Credentials:
    return Credentials(
        credentials.name,
        credentials.client,
        credentials.mechanism,
        credentials.secret,
        credentials.keys,
        credentials.title,
        credentials.suite,
        form,
        credentials.server,
    )


async def associated(bench: EmulatedMeterBench, name: str = "management") -> MeterPort:
    port = bench.meter("ESME")
    joined = await port.associate(bench.credentials("ESME", name))
    assert joined.accepted, joined
    return port


@pytest.mark.parametrize(("profile", "framing"), MODELS)
def test_every_client_of_every_model_reads_on_every_line(profile: str, framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        for name in ("public", "reader", "installer", "management"):
            await associated(bench, name)
            asked = (obis.SERIAL_NUMBER, *reading.clock(), obis.attribute(1, "0-0:1.2.3", 2))
            answer = await port.get(asked)
            assert isinstance(answer, tuple)
            assert answer[3] is DataAccessResult.OBJECT_UNDEFINED
            moment = reading.moment(answer[1:3])
            assert isinstance(moment, reading.ClockReading)
            assert moment.at is not None
            assert abs(moment.at - bench.clock.now()) < 5_000
            told = reading.fields(asked, answer)
            assert told[0].value.startswith("'14P")
        await port.release()

    play(open_bench(MeterPlan(profile, framing=framing)), story)


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("form", list(Form)[1:], ids=lambda form: form.value)
def test_management_speaks_every_ciphered_form(framing: Framing, form: Form) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        joined = await port.associate(with_form(bench.credentials("ESME", "management"), form))
        assert joined.accepted, joined
        total = reading.quantity(await port.get(reading.register(obis.IMPORT)))
        assert isinstance(total, reading.Quantity)
        assert total.unit.symbol == "Wh"
        views = reading.objects(await port.get([obis.OBJECT_LIST]))
        assert isinstance(views, tuple)
        assert len(views) > 50
        assert await port.set([(SLOW_CLOCK, Data(Tag.INT16, 0))]) == (DataAccessResult.SUCCESS,)
        shifted = await port.action(obis.CLOCK_SHIFT, Data(Tag.INT16, 1))
        assert shifted == MethodOutcome(ActionResult.SUCCESS)

    play(open_bench(MeterPlan(framing=framing)), story)


SIGNING_MODEL = """
device_type = "ESME"
title = "a meter whose manager signs"
extends = "smets1"
[dlms]
suite = 1
associations = [
    { client = 16, name = "public", authentication = "none", ciphered = false, rights = "public" },
    { client = 4, name = "signer", authentication = "hls-ecdsa", rights = "management", ciphered = C },
]
[evidence]
"dlms" = "stand-in"
"""


@pytest.mark.parametrize("ciphered", ["true", "false"])
def test_a_client_may_prove_itself_by_a_signature(ciphered: str, tmp_path: Path) -> None:
    model = tmp_path / "signing.toml"
    model.write_text(SIGNING_MODEL.replace("= C }", f"= {ciphered} }}"), encoding="utf-8")

    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "signer")
        assert not isinstance(await port.get([obis.SERIAL_NUMBER]), Unanswered)

    play(open_bench(MeterPlan(str(model), framing=Framing.HDLC)), story)


def test_a_load_profile_whole_by_range_by_entry_and_by_column() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "public")
        shape = reading.profile_shape(obis.LOAD_PROFILE)
        answer = await port.get(shape)
        bare = reading.columns(answer)
        assert isinstance(bare, tuple)
        holders = reading.units_of_columns(bare)
        units = reading.units(holders, await port.get(holders))
        assert isinstance(units, dict)
        columns = reading.columns(answer, units)
        assert isinstance(columns, tuple)

        async def rows(part: object = None) -> tuple[Row, ...]:
            wanted = selection.buffer(obis.LOAD_PROFILE, part)  # type: ignore[arg-type]  # or None
            found = reading.rows(await port.get([wanted]), columns)
            assert isinstance(found, tuple), found
            return found

        whole = await rows()
        assert len(whole) > 100
        times = [row.at for row in whole if row.at is not None]
        assert len(times) == len(whole)
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {HALF_HOUR_MS}
        assert await rows(selection.entries(1, 3)) == whole[:3]
        assert await rows(selection.between(times[5], times[9])) == whole[5:10]
        two = columns[:2]
        part = selection.entries(2, 4, 1, 2)
        some = reading.rows(await port.get([selection.buffer(obis.LOAD_PROFILE, part)]), two)
        assert isinstance(some, tuple)
        assert [row.cells for row in some] == [row.cells[:2] for row in whole[1:4]]
        counts = [cell for row in whole for cell in row.cells[1:2]]
        assert all(isinstance(cell, reading.Quantity) for cell in counts)
        raws = [cell.raw for cell in counts if isinstance(cell, reading.Quantity)]
        assert raws == sorted(raws)

    play(open_bench(MeterPlan(framing=Framing.HDLC)), story)


async def transfer(bench: EmulatedMeterBench, size: int) -> None:
    port = await associated(bench)
    answer = await port.get([image.attribute(2)])
    block = reading.number(answer)
    assert isinstance(block, int)
    new_version = b"10000002"
    content = new_version + Chance(1).stream("image").octets(size)
    plan = ImagePlan(b"image-1", content, block)
    done = MethodOutcome(ActionResult.SUCCESS)
    call = plan.initiate()
    assert await port.action(call.method, call.parameters) == done
    for call in plan.blocks():
        assert await port.action(call.method, call.parameters) == done
    missing = reading.number(await port.get([image.attribute(4)]))
    assert missing == plan.count
    for _ in range(10):
        call = plan.verify()
        outcome = await port.action(call.method, call.parameters)
        assert isinstance(outcome, MethodOutcome)
        if outcome.result is not ActionResult.TEMPORARY_FAILURE:
            break
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + 10_000))
    status = reading.read(
        await port.get([image.attribute(6)]), lambda found: image.status_of(found[0])
    )
    assert status in {TransferStatus.VERIFIED, TransferStatus.VERIFY_FAILED}
    infos = reading.read(
        await port.get([image.attribute(7)]), lambda found: image.images_of(found[0])
    )
    assert isinstance(infos, tuple)


@pytest.mark.parametrize(("profile", "framing"), [MODELS[1], MODELS[3], MODELS[5]])
def test_an_image_goes_over_block_by_block_and_is_verified(profile: str, framing: Framing) -> None:
    play(
        open_bench(MeterPlan(profile, framing=framing)),
        lambda bench: transfer(bench, 3_000),
    )


def test_new_keys_are_used_the_old_are_refused_and_a_rollback_restores_them() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench)
        old = bench.credentials("ESME", "management")
        assert old.keys is not None
        new = {KeyId.UNICAST: bytes(range(16)), KeyId.AUTHENTICATION: bytes(range(16, 32))}
        call = reading.key_transfer(old.keys.master, new)
        done = MethodOutcome(ActionResult.SUCCESS)
        assert await port.action(call.method, call.parameters) == done
        await port.release()
        refused = await port.associate(old)
        assert not refused.accepted
        rotated = Credentials(
            "management",
            old.client,
            Mechanism.HLS_GMAC,
            None,
            reading.with_keys(old.keys, new),
            old.title,
            old.suite,
            Form.SERVICE_GLOBAL,
        )
        assert (await port.associate(rotated)).accepted
        back = reading.key_transfer(
            old.keys.master,
            {KeyId.UNICAST: old.keys.unicast, KeyId.AUTHENTICATION: old.keys.authentication},
        )
        assert await port.action(back.method, back.parameters) == done
        assert not (await port.associate(rotated)).accepted
        assert (await port.associate(old)).accepted

    play(open_bench(MeterPlan(framing=Framing.HDLC)), story)


@pytest.mark.parametrize("framing", list(Framing))
def test_wrong_credentials_are_refusals_with_numbers(framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        good = bench.credentials("ESME", "reader")
        bad = Credentials("reader", good.client, Mechanism.LLS, b"00000000")
        refused = await port.associate(bad)
        assert (refused.accepted, refused.result, refused.diagnostic) == (False, 1, 13)
        stranger = await port.associate(Credentials("stranger", 99))
        assert (stranger.accepted, stranger.result) == (False, 1)
        assert (await port.associate(good)).accepted
        with pytest.raises(BenchError, match="secret"):
            await port.associate(Credentials("reader", 2, Mechanism.LLS))
        answer = await port.get([obis.SERIAL_NUMBER])
        assert not isinstance(answer, Unanswered)

    play(open_bench(MeterPlan(framing=framing)), story)


@pytest.mark.parametrize("framing", list(Framing))
def test_a_power_loss_ends_the_link_and_the_next_association_opens_anew(framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench)
        await bench.power.cycle(bench.role("ESME"), 5)
        answer = await port.get([obis.SERIAL_NUMBER])
        assert isinstance(answer, Unanswered)
        assert answer.why in {Silence.LINK_LOST, Silence.NO_ANSWER}
        port = await associated(bench)
        assert not isinstance(await port.get([obis.SERIAL_NUMBER]), Unanswered)

    play(open_bench(MeterPlan(framing=framing)), story)


def test_a_power_loss_in_the_middle_of_an_answer_is_told_and_nothing_hangs() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "public")
        begun = bench.clock.now()
        cycle = asyncio.ensure_future(bench.power.cycle(bench.role("ESME"), 30))
        answer = await port.get([selection.buffer(obis.LOAD_PROFILE)])
        assert isinstance(answer, Unanswered)
        assert bench.clock.now() - begun < 60_000
        await cycle
        await associated(bench, "public")

    play(open_bench(MeterPlan()), story)


FAULTS = ("drop:p=0.08@line", "corrupt:p=0.08@line", "duplicate:p=0.08@line")


async def busy(bench: EmulatedMeterBench) -> list[CapturedFrame]:
    """A little of everything on a bad line."""
    port = bench.meter("ESME")
    await port.sign_on(read_out=True)
    for name in ("public", "management"):
        await port.associate(bench.credentials("ESME", name))
        await port.get((*reading.identity(), *reading.register(obis.IMPORT)))
        await port.get([selection.buffer(obis.LOAD_PROFILE, selection.entries(1, 20))])
    await port.set([(SLOW_CLOCK, Data(Tag.INT16, 60))])
    await port.action(obis.CLOCK_SHIFT, Data(Tag.INT16, 1))
    await port.release()
    return list(bench.take_frames())


def test_two_runs_of_one_seed_capture_the_same_octets() -> None:
    first, again, other = (
        play(open_bench(MeterPlan(seed=seed, faults=FAULTS)), busy) for seed in (1, 1, 2)
    )
    assert len(first) > 60
    assert first == again
    assert [frame.frame for frame in first] != [frame.frame for frame in other]
    assert {frame.link for frame in first} == {"line-in", "line-out"}
    assert any(frame.comment.startswith("fault") for frame in first)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("framing", [Framing.OPTICAL, Framing.HDLC])
def test_on_a_noisy_line_every_answer_is_true_or_none(seed: int, framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        begun = bench.clock.now()
        truth = None
        for _ in range(12):
            joined = await port.associate(bench.credentials("ESME", "public"))
            answer = await port.get([obis.SERIAL_NUMBER])
            if joined.accepted and not isinstance(answer, Unanswered):
                truth = truth or answer
                assert answer == truth
        assert truth is not None
        assert bench.clock.now() - begun < 12 * 120_000

    faults = ("drop:p=0.1@line", "corrupt:p=0.1@line", "noise:p=0.1@line")
    play(open_bench(MeterPlan(seed=seed, faults=faults, framing=framing)), story)


Step = Callable[[MeterPort, EmulatedMeterBench], Awaitable[object]]
STORY: list[Step] = [
    lambda port, bench: port.associate(bench.credentials("ESME", "management")),
    lambda port, _bench: port.get(reading.register(obis.IMPORT)),
    lambda port, _bench: port.set([(SLOW_CLOCK, Data(Tag.INT16, 60))]),
    lambda port, _bench: port.get([selection.buffer(obis.LOAD_PROFILE, selection.entries(1, 9))]),
    lambda _port, bench: bench.clock.sleep_until(UtcMs(bench.clock.now() + 61_000)),
    lambda port, _bench: port.get([obis.CLOCK_TIME]),
    lambda port, bench: port.associate(bench.credentials("ESME", "reader")),
    lambda port, _bench: port.get(reading.identity()),
    lambda port, _bench: port.release(),
    lambda port, _bench: port.sign_on(read_out=True),
]


@pytest.mark.parametrize("framing", list(Framing))
def test_a_bench_restored_in_the_middle_goes_on_with_the_same_octets(framing: Framing) -> None:
    plan = MeterPlan(framing=framing, faults=("drop:p=0.02@line", "duplicate:p=0.05@line"))
    if framing is Framing.WRAPPER:
        plan = MeterPlan(framing=framing)

    def whole() -> tuple[list[object], list[CapturedFrame]]:
        async def story(bench: EmulatedMeterBench) -> list[object]:
            return [await step(bench.meter("ESME"), bench) for step in STORY]

        bench = open_bench(plan)
        return play(bench, story), list(bench.take_frames())

    def pieces() -> tuple[list[object], list[CapturedFrame]]:
        answers: list[object] = []
        bench = open_bench(plan)
        for step in STORY:
            state = bench.dump()
            bench = open_bench(plan)
            bench.restore(state)

            async def act(bench: EmulatedMeterBench, step: Step = step) -> object:
                return await step(bench.meter("ESME"), bench)

            answers.append(play(bench, act))
        return answers, list(bench.take_frames())

    assert whole() == pieces()


def test_a_step_whose_time_is_up_leaves_a_line_that_works() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "public")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await port.get([selection.buffer(obis.LOAD_PROFILE)])
        bench.restore(bench.dump())
        answer = await port.get([obis.SERIAL_NUMBER])
        assert isinstance(answer, Unanswered)
        port = await associated(bench, "public")
        assert not isinstance(await port.get([obis.SERIAL_NUMBER]), Unanswered)

    play(open_bench(MeterPlan()), story)


def test_whether_a_write_happened_is_read_back_and_of_a_method_nobody_can_tell() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        sixty = [(SLOW_CLOCK, Data(Tag.INT16, 60))]
        assert await port.has_taken(sixty, None) is None
        port = await associated(bench)
        assert await port.has_taken(sixty, None) is False
        await port.set(sixty)
        assert await port.has_taken(sixty, None) is True
        assert await port.has_taken((), obis.CLOCK_SHIFT) is None
        secret = [(obis.ASSOCIATION_SECRET, axdr.octets(b"12345678"))]
        assert await port.has_taken(secret, None) is None

    play(open_bench(MeterPlan(framing=Framing.HDLC)), story)


def test_a_raw_apdu_gets_the_answer_of_the_meter_as_it_is() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        assert isinstance(await port.exchange(b"\x00"), Unanswered)
        port = await associated(bench)
        answer = await port.exchange(bytes.fromhex("c001c1000100002a0000ff0200"))
        assert isinstance(answer, bytes)
        assert answer[0] == 0xD8
        assert not isinstance(await port.get([obis.SERIAL_NUMBER]), Unanswered)

    play(open_bench(MeterPlan(framing=Framing.HDLC)), story)


def test_what_the_bench_is_and_tells() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        whole: Bench = bench
        assert isinstance(whole, Listening)
        assert whole.kind == "emulated"
        await associated(bench)
        told = bench.describe()
        (meter,) = (name for name in told if name.startswith("ESME "))
        assert told[meter]["power"] == "on"
        assert told["line"]["framing"] == "optical"
        assert "association stands" in told["line"]["reader"]
        assert bench.traffic()["ESME"]["hdlc.i.aarq"] == "1"
        kinds = {fact.kind for fact in bench.take_observations()}
        assert "power" in kinds
        assert bench.take_observations() == []
        for frame in bench.take_frames():
            assert frame.link in {"line-in", "line-out"}
        await bench.close()

    play(open_bench(MeterPlan()), story)


def test_what_the_bench_has_not_is_said_in_words() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        with pytest.raises(BenchError, match="no hub"):
            await bench.hub.send(b"")
        with pytest.raises(BenchError, match="no hub"):
            await bench.hub.received(UtcMs(0))
        with pytest.raises(BenchError, match="no hub"):
            _ = bench.hub.eui64
        with pytest.raises(BenchError, match="no GSME") as caught:
            bench.meter("GSME")
        assert "one device" in caught.value.cause
        with pytest.raises(BenchError, match="no DLMS wan"):
            bench.meter("ESME", "wan")
        with pytest.raises(BenchError, match="no DLMS client 'king'") as caught:
            bench.credentials("ESME", "king")
        assert "management" in caught.value.cause
        with pytest.raises(BenchError, match="no device"):
            await bench.power.cycle(Eui64(bytes(8)), 1)
        with pytest.raises(UsageError, match="0 seconds"):
            await bench.power.cycle(bench.role("ESME"), 0)
        with pytest.raises(BenchError, match="stored state"):
            bench.restore(b"nothing")
        with pytest.raises(BenchError, match="stored state"):
            bench.restore(open_bench(MeterPlan(seed=2)).dump())

    play(open_bench(MeterPlan()), story)


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (MeterPlan("demo-esme"), "no \\[dlms\\] section"),
        (MeterPlan("nobody-knows-this"), "no device profile of this name"),
        (MeterPlan(faults=("explode@line",)), "a fault means nothing"),
        (MeterPlan(defects=("no-such-defect",)), "no-such-defect"),
    ],
)
def test_choices_that_mean_nothing_are_refused_in_words(plan: MeterPlan, word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        open_bench(plan)
    assert caught.value.where
    assert caught.value.next_command


def test_a_run_says_what_it_plays_on() -> None:
    options = RunOptions(seed=7, settings={"profile": "smets1-strict", "framing": "wrapper"})
    check(options)
    bench = open_bench(options)
    assert bench.describe()["line"]["framing"] == "wrapper"
    assert bench.role("ESME") == open_bench(MeterPlan("smets1-strict", seed=7)).role("ESME")
    assert open_bench(RunOptions()).describe()["line"]["framing"] == "optical"


def test_a_meter_of_the_users_installation_is_the_one_on_the_line(tmp_path: Path) -> None:
    home = tmp_path / "home.toml"
    home.write_text(
        'ref = "home"\nclass = "Active"\nshape = "single"\ncsp = "central"\n', encoding="utf-8"
    )
    with pytest.raises(UsageError):
        open_bench(RunOptions(installation=home))


def test_keys_and_secrets_show_nowhere() -> None:
    bench = open_bench(MeterPlan())
    shown = repr(bench.credentials("ESME", "reader")) + repr(
        bench.credentials("ESME", "management")
    )
    shown += repr(bench._meter) + str(bench.describe())
    keys = bench._meter.keys
    assert keys.secrets["reader"].decode() not in shown
    for key in (keys.keys.unicast, keys.keys.master):
        assert key.hex() not in shown
        assert repr(key)[2:-1] not in shown
