"""``bench join``: an emulated ESME on an emulated hub, through bellows and a dongle's process."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import typer

from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.devices.esme.esme import Esme
from harness.errors import NotPermittedError, UsageError
from harness.run_options import RunOptions
from harness.transcript_file import load
from hil import dongle_offers
from hil.bench_file import LoadedBench
from hil.cli_join import register
from hil.joined import JoinedDevice, joined
from hil.loopback_wan import LoopbackWan
from hil.node_plan import Wanted
from hil.paced_loop import wall_seconds
from tests.harness.cli.command_line import run
from tests.hil.dongle_bench_given import HEAD, bench_file
from tests.hil.tunnelled_reads import Told, opened, registers_request, version_request

NODE = (
    '[dongles.stick]\nendpoint = "loopback:dongle"\nrole = "node"\nchannels = [15]\n'
    '[roles.ESME]\nendpoint = "emulated:demo-esme"\n[roles.CHF]\nendpoint = "dongle:stick"\n'
)
PATIENCE_S = 60.0
#: The contract gives a bench 15 s to notice; a machine that is not ours alone gets more.
NOTICE_S = 40.0


def on_hub(
    loaded: LoadedBench,
    scene: Callable[[JoinedDevice], Awaitable[None]],
    told: list[str],
    state: Path | None = None,
) -> None:
    """Join, stay while a scene is played, and leave."""

    async def played() -> None:
        wanted = Wanted(loaded, RunOptions(bench=loaded.path), state)
        device = await joined(wanted, told.append)
        stopped = asyncio.Event()
        stands = asyncio.ensure_future(device.stand(stopped, told.append, None))
        try:
            await scene(device)
            stopped.set()
            await stands
        finally:
            stands.cancel()
            await asyncio.gather(stands, return_exceptions=True)
            await device.close()

    with asyncio.Runner(loop_factory=lambda: dongle_offers.new_event_loop(loaded)) as runner:
        runner.run(played())


async def asked(device: JoinedDevice, wan: LoopbackWan, message: bytes) -> Told:
    """Send a command to the hub, and open the answer."""
    await wan.send(message)
    answer = await wan.next_answer(PATIENCE_S * device.bench.wall)
    assert answer is not None
    return opened(answer)


def energy(device: JoinedDevice) -> int:
    """Return the import register of the device at this moment."""
    meter = device.bench.world.box(device.eui64).device
    assert isinstance(meter, Esme)
    return meter.model.import_wh(UtcMs(device.bench.clock.now()))


def test_our_meter_answers_reads_through_the_hub_as_its_own_state_is(tmp_path: Path) -> None:
    told: list[str] = []

    async def scene(device: JoinedDevice) -> None:
        assert device.sealed
        wan = device.wan
        version = await asked(device, wan, version_request(1_000))
        held = device.bench.profiles[device.eui64].identity.version_number.to_bytes(4, "big")
        assert (version.use_case, version.counter, version.results) == ("ECS52", 1_000, [0])
        assert version.values == [Data(Tag.OCTETS, held)]
        before = energy(device)
        registers = await asked(device, wan, registers_request(1_001))
        after = energy(device)
        assert (registers.use_case, registers.counter) == ("ECS17b", 1_001)
        (values,) = registers.values
        assert isinstance(values.value, tuple)
        (row,) = values.value
        assert isinstance(row.value, tuple)
        active, unit, _reactive, reactive_unit = row.value
        assert active.tag is Tag.UINT32
        assert before <= int(str(active.value)) <= after
        watt_hours, var_hours = 30, 32
        for one, of in ((unit, watt_hours), (reactive_unit, var_hours)):
            assert one.value == (Data(Tag.INT8, 0), Data(Tag.ENUM, of))

    on_hub(bench_file(tmp_path, HEAD + NODE), scene, told)
    steps = " ".join(told)
    for word in ("scanning", "heard", "joining", "joined", "link key agreed", "tunnel_opened"):
        assert word in steps
    assert "message_accepted use_case=ECS17b" in steps


@pytest.mark.soak
def test_with_its_state_kept_it_goes_on_where_it_was_and_knows_old_counters(
    tmp_path: Path,
) -> None:
    loaded, state = bench_file(tmp_path, HEAD + NODE), tmp_path / "meter.json"
    told: list[str] = []

    async def first(device: JoinedDevice) -> None:
        assert not device.resumed
        await asked(device, device.wan, version_request(1_000))

    async def again(device: JoinedDevice) -> None:
        assert device.resumed
        assert device.sealed
        wan = device.wan
        await wan.send(version_request(1_000))  # a replay: no answer
        assert (await asked(device, wan, version_request(1_001))).counter == 1_001

    on_hub(loaded, first, [], state)
    assert state.stat().st_mode & 0o777 == 0o600
    on_hub(loaded, again, told, state)
    assert "as before" in " ".join(told)
    other = RunOptions(bench=loaded.path, seed=2)
    with pytest.raises(UsageError, match="another device or seed"):
        asyncio.run(joined(Wanted(loaded, other, state), told.append))


@pytest.mark.soak
def test_a_dongle_that_is_unplugged_is_waited_for_and_the_meter_answers_again(
    tmp_path: Path,
) -> None:
    told: list[str] = []

    async def until(word: str) -> None:
        async with asyncio.timeout(wall_seconds(NOTICE_S)):
            while word not in " ".join(told):  # noqa: ASYNC110 -- a list tells nobody that it grew
                await asyncio.sleep(wall_seconds(0.1))

    async def scene(device: JoinedDevice) -> None:
        child = device.place.child
        assert child is not None
        await asyncio.to_thread(child.child.tell, "unplug")
        await until("waiting for it")
        await until("the dongle is back")
        assert (await asked(device, device.wan, version_request(1_000))).results == [0]

    on_hub(bench_file(tmp_path, HEAD + NODE), scene, told)


@pytest.mark.soak
def test_the_command_prints_one_document_and_its_transcript_plays_the_dongle(
    tmp_path: Path,
) -> None:
    def nouns(app: typer.Typer) -> None:
        bench = typer.Typer()
        register(bench)
        app.add_typer(bench, name="bench")

    loaded = bench_file(tmp_path, HEAD + NODE)
    kept = tmp_path / "kept"
    words = ("--command", version_request(1_000).hex(), "--transcript", str(kept), "--json")
    code, text = run(nouns, "bench", "join", str(loaded.path), *words)
    assert code == 0, text
    row = json.loads(text)
    assert (row["role"], row["sealed"], row["resumed"]) == ("ESME", True, False)
    assert [opened(bytes.fromhex(one)).use_case for one in row["answers"]] == ["ECS52"]
    about = load(kept).about
    assert (about.line, about.complete, about.role) == ("dongle", True, "node stick")
    replay = NODE.replace("loopback:dongle", "replay:kept")
    played = bench_file(tmp_path, HEAD + replay)
    code, text = run(nouns, "bench", "join", str(played.path), "--seconds", "0", "--json")
    assert code == 0, text
    assert json.loads(text)["sealed"] is True


def test_a_bench_without_a_node_joins_nobody(tmp_path: Path) -> None:
    hub = '[dongles.stick]\nendpoint = "loopback:dongle"\nrole = "hub"\n'
    loaded = bench_file(tmp_path, HEAD + hub)
    with pytest.raises(UsageError, match="no dongle that is a node"):
        asyncio.run(joined(Wanted(loaded, RunOptions(bench=loaded.path)), print))


def test_a_real_hub_is_joined_on_an_armed_bench_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESME_CODE", "83FED3407A939723A5C639B26916D505C3B5")
    real = NODE.replace("loopback:dongle", "zigbee:tcp://127.0.0.1:9").replace(
        'demo-esme"\n', 'demo-esme"\ninstall_code = "env:ESME_CODE"\n'
    )
    loaded = bench_file(tmp_path, HEAD + real)
    with pytest.raises(NotPermittedError, match="unarmed"):
        asyncio.run(joined(Wanted(loaded, RunOptions(bench=loaded.path)), print))
