"""What the bench of one meter is, tells, lacks and refuses."""

from pathlib import Path

import pytest

import device_profiles
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.benches.emulated_meter import EmulatedMeterBench, check, open_bench
from harness.benches.emulated_meter_build import MeterPlan
from harness.cli.emulate import _eui64 as served_eui64
from harness.dlms import obis
from harness.dlms.settings import Framing
from harness.errors import BenchError, UsageError
from harness.meter import Credentials, Silence, Unanswered
from harness.ports import Bench, Listening
from harness.run_options import RunOptions
from tests.benches.meter_stories import SLOW_CLOCK, associated, play


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


def test_a_meter_of_the_users_installation_is_the_one_on_the_line() -> None:
    shipped = Path(device_profiles.__file__).parent / "catalogues"
    home = shipped / "installation-smets1.toml"
    bench = open_bench(RunOptions(installation=home))
    assert str(bench.role("ESME")) == "02-53-01-00-00-00-00-31"
    with pytest.raises(UsageError, match="no electricity meter with a serial line"):
        open_bench(RunOptions(installation=shipped / "installation-demo.toml"))


def test_a_meter_without_identity_is_the_one_that_emulate_serves() -> None:
    bench = open_bench(MeterPlan("smets1-strict", seed=5))
    assert bench.role("ESME") == served_eui64(None, 5, "smets1-strict")


def test_a_defect_of_the_meter_is_built_in() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        wrong = Credentials("reader", 2, Mechanism.LLS, b"00000000")
        assert (await port.associate(wrong)).accepted

    play(open_bench(MeterPlan(defects=("s1-esme-any-password",), framing=Framing.HDLC)), story)


def test_our_client_notices_an_answer_that_leaves_something_out() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench)
        answer = await port.get((obis.SERIAL_NUMBER, obis.attribute(1, "0-0:1.2.3", 2)))
        assert isinstance(answer, Unanswered)
        assert answer.why is Silence.BROKEN
        assert "1 results where 2" in answer.detail

    defects = ("s1-esme-list-drops-undefined",)
    play(open_bench(MeterPlan(defects=defects, framing=Framing.HDLC)), story)


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
