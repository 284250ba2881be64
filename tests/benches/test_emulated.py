"""The emulated bench: options, keys, memory, determinism, speed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from device_profiles import installation as installations
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from harness.benches import emulated
from harness.benches.emulated import EmulatedBench
from harness.benches.emulated import open_home as open_bench
from harness.benches.emulated_plan import EmulatedOptions
from harness.errors import BenchError, UsageError
from harness.ports import CapturedFrame, StageOrder
from harness.run_options import RunOptions
from tests.contract.adapters import image_for, version_request

T = TypeVar("T")


def play(bench: EmulatedBench, story: Callable[[EmulatedBench], Awaitable[T]]) -> T:
    async def whole() -> T:
        return await story(bench)

    with asyncio.Runner(loop_factory=emulated.new_event_loop) as runner:
        return runner.run(whole())


def after(bench: EmulatedBench, seconds: float) -> UtcMs:
    return UtcMs(bench.clock.now() + round(seconds * 1000))


async def busy(bench: EmulatedBench) -> list[CapturedFrame]:
    """A little of everything: messages, an image, time passing."""
    device = bench.role("ESME")
    await bench.hub.send(version_request(bench, device, 1))
    await bench.hub.received(after(bench, 60))
    await bench.hub.stage(StageOrder("r", image_for(bench, device, 600), (device,)))
    await bench.hub.received(after(bench, 600))
    return list(bench.take_frames())


def test_two_runs_of_one_seed_capture_the_same_octets() -> None:
    faults = ("drop:p=0.1@han", "duplicate:p=0.1@han", "corrupt:p=0.05@han")
    first, again, other = (
        play(open_bench(EmulatedOptions(seed=seed, faults=faults)), busy) for seed in (1, 1, 2)
    )
    assert len(first) > 50
    assert first == again
    assert [frame.frame for frame in first] != [frame.frame for frame in other]


def test_another_seed_gives_other_keys_and_no_two_share_one() -> None:
    benches = [open_bench(EmulatedOptions(seed=seed)) for seed in (1, 2)]
    points = [{entry.public_point for entry in bench.public_keys.entries()} for bench in benches]
    assert points[0].isdisjoint(points[1])
    assert len(points[0]) == len(benches[0].public_keys.entries())


def test_public_keys_hold_no_private_ones_and_cover_everybody() -> None:
    bench = open_bench()
    keys = bench.public_keys
    assert all(entry.private_scalar is None for entry in keys.entries())
    assert all(entry.certificate for entry in keys.entries())
    for device_type in ("CHF", "GPF", "ESME", "GSME", "PPMID", "HCALCS"):
        for usage in (KeyUsage.DS, KeyUsage.KA):
            assert keys.find(bench.role(device_type), usage) is not None
    supplier = bench.parties.suppliers[0]
    assert keys.find(supplier, KeyUsage.KA, prepayment=True) is not None
    assert keys.find(supplier, KeyUsage.XML) is not None


def test_a_party_gets_its_own_private_keys_and_no_others() -> None:
    bench = open_bench()
    for party, _role in bench.parties.roles():
        entries = bench.party_keys(party).entries()
        assert {entry.eui64 for entry in entries} == {party}
        assert all(entry.private_scalar is not None for entry in entries)
    for stranger in (bench.role("ESME"), Eui64(bytes(8))):
        with pytest.raises(BenchError, match="no remote party"):
            bench.party_keys(stranger)


def test_a_device_holds_its_own_private_keys_and_no_others() -> None:
    bench = open_bench()
    for box in bench.world.boxes:
        ring = box.device.ring  # type: ignore[attr-defined] # the demo home's devices have one
        holders = {
            entry.eui64 for entry in ring.keystore.entries() if entry.private_scalar is not None
        }
        assert holders == set(box.eui64s)


def test_given_keys_are_used_where_their_private_part_is_there() -> None:
    first = open_bench(EmulatedOptions(seed=1))
    supplier = first.parties.suppliers[0]
    given = first.public_keys.merged(first.party_keys(supplier))
    bench = open_bench(EmulatedOptions(seed=2, keystore=given))

    def point(of: EmulatedBench, eui64: Eui64) -> bytes:
        entry = of.public_keys.find(eui64, KeyUsage.DS)
        assert entry is not None
        return entry.public_point

    assert point(bench, supplier) == point(first, supplier)
    assert point(bench, bench.acb) != point(first, bench.acb)


@pytest.mark.parametrize("name", ["demo", "gfi"])
def test_shipped_installations_can_be_emulated(name: str) -> None:
    bench = open_bench(EmulatedOptions(installation=name))
    assert play(bench, busy)
    assert bench.kind == "emulated"


def test_the_parties_of_published_vectors_have_their_published_names() -> None:
    bench = open_bench(EmulatedOptions(installation="gfi"))
    assert str(bench.acb) == "90-B3-D5-1F-30-00-00-02"
    assert str(bench.wan_provider) == "90-B3-D5-1F-30-00-00-07"


def test_the_choices_of_a_run_will_do() -> None:
    bench = open_bench(RunOptions(seed=7, faults=("drop:n=1@han",), defects=("acb-no-mac",)))
    assert bench.role("ESME") == open_bench().role("ESME")


def test_a_home_without_gas_has_a_hub_with_a_gpf_all_the_same() -> None:
    demo = installations.load("demo")
    devices = [one for one in demo.devices if one.role in {"CHF", "ESME"}]
    table = demo.model_dump(by_alias=True) | {"shape": "electricity-only"}
    table["device"] = [device.model_dump() for device in devices]
    bench = open_bench(EmulatedOptions(installation=type(demo).model_validate(table)))
    assert bench.role("GPF") != bench.role("CHF")
    assert play(bench, busy)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (EmulatedOptions(installation="nowhere"), "no installation of this name"),
        (EmulatedOptions(installation=Path("/nonexistent/home.toml")), "cannot be used"),
        (EmulatedOptions(faults=("drip@han",)), "no fault 'drip'"),
        (EmulatedOptions(faults=("drop:q=1@han",)), "no key 'q'"),
        (EmulatedOptions(defects=("lazy",)), "no defect lazy"),
    ],
)
def test_what_cannot_be_opened_is_an_error_for_people(options: EmulatedOptions, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_bench(options)
    assert words in caught.value.what
    assert caught.value.next_command.startswith("smetsbench")


def test_a_hub_whose_device_log_is_too_small_is_an_error_for_people(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "demo-chf.toml").write_text("[hub]\ndevice_log_entries = 1\n", "utf-8")
    with pytest.raises(UsageError, match="whose device log"):
        open_bench(EmulatedOptions(data_dirs=(tmp_path,)))


@pytest.mark.parametrize("state", [b"", b"nonsense", b"smetsbench world 1\nx"])
def test_a_state_that_is_none_is_an_error_for_people(state: bytes) -> None:
    with pytest.raises(BenchError, match="cannot be used"):
        open_bench().restore(state)


def test_a_state_of_another_seed_is_an_error_for_people() -> None:
    state = open_bench(EmulatedOptions(seed=1)).dump()
    with pytest.raises(BenchError, match="another installation, seed or faults"):
        open_bench(EmulatedOptions(seed=2)).restore(state)


def test_power_is_lost_at_half_of_the_download_and_the_image_still_comes() -> None:
    fault = "power-loss:state=DOWNLOADING,percent=50,off_s=120@esme"

    async def story(bench: EmulatedBench) -> None:
        device = bench.role("ESME")
        await bench.hub.stage(StageOrder("r", image_for(bench, device, 4400), (device,)))
        assert await bench.hub.received(after(bench, 3600)) is not None

    bench = open_bench(EmulatedOptions(faults=(fault,)))
    play(bench, story)
    facts = bench.take_observations()
    progress = [dict(fact.fields).get("percent") for fact in facts if fact.kind == "ota_progress"]
    strikes = [fact for fact in facts if fact.kind == "fault"]
    assert [dict(fact.fields)["effect"] for fact in strikes] == ["power off for 120 s"]
    assert 50 in progress
    assert 90 in progress


@pytest.mark.parametrize("stop_s", [1, 8, 20, 33, 40, 1810, 1830])
def test_an_installation_restored_at_any_moment_goes_on_with_the_same_octets(stop_s: int) -> None:
    options = EmulatedOptions(faults=("drop:p=0.05@han", "corrupt:p=0.05@han"))

    async def begin(bench: EmulatedBench) -> None:
        devices = (bench.role("ESME"), bench.role("GSME"))
        for device in devices:
            image = image_for(bench, device, 1500)
            await bench.hub.stage(StageOrder(str(device), image, (device,)))
        await bench.clock.sleep_until(UtcMs(options.start_at + stop_s * 1000))

    async def go_on(bench: EmulatedBench) -> list[CapturedFrame]:
        await bench.clock.sleep_until(UtcMs(options.start_at + 3700_000))
        return list(bench.take_frames())

    first = open_bench(options)
    play(first, begin)
    state = first.dump()
    second = open_bench(options)
    second.restore(state)
    assert play(first, go_on) == play(second, go_on)
    assert first.dump() == second.dump()


def test_256_kib_reach_an_esme_in_a_few_seconds() -> None:
    async def story(bench: EmulatedBench) -> int:
        device = bench.role("ESME")
        await bench.hub.stage(StageOrder("r", image_for(bench, device, 262_144), (device,)))
        assert await bench.hub.received(after(bench, 7200)) is not None
        return len(bench.take_frames())

    assert play(open_bench(), story) > 12_000


def damage(seed: int) -> tuple[str, ...]:
    """Faults that damage octets everywhere, most of them unseen by any check sequence."""
    places = [(seed * 7 + step * 11) % 60 for step in range(4)]
    unseen = tuple(f"corrupt-payload:p=0.15,octet={9 + place}@han" for place in places)
    return (
        *unseen,
        "truncate:p=0.05@han",
        "duplicate:p=0.1,gap_ms=40@han",
        f"corrupt-payload:p=0.2,octet={places[0]}@wan",
        "truncate:p=0.1@wan",
        f"corrupt-payload:p=0.1,octet={places[1]}@csp",
        "truncate:p=0.1@csp",
        "power-cycle:note=ota_state,times=2@esme",
    )


@pytest.mark.parametrize("seed", range(12))
def test_no_damage_on_any_link_crashes_anything(seed: int) -> None:
    async def story(bench: EmulatedBench) -> int:
        for number, role in enumerate(("ESME", "GSME", "PPMID", "HCALCS")):
            device = bench.role(role)
            image = image_for(bench, device, 800)
            await bench.hub.stage(StageOrder(f"r{number}", image, (device,)))
            for counter in range(3):
                await bench.hub.send(version_request(bench, device, 10 * number + counter + 1))
        await bench.clock.sleep_until(after(bench, 7200))
        return sum(fact.kind == "fault" for fact in bench.take_observations())

    bench = open_bench(EmulatedOptions(seed=seed, faults=damage(seed)))
    assert play(bench, story) > 20


@pytest.mark.parametrize(
    ("state", "role"),
    [
        *((state, "esme") for state in ("QUERIED", "DOWNLOADING", "COMPLETE_UNVERIFIED")),
        ("VERIFIED_PENDING", "esme"),
        *((state, "chf") for state in ("STAGING", "STAGED", "NOTIFIED", "SERVING", "DONE")),
    ],
)
def test_power_may_fail_in_any_state_and_the_device_still_answers(state: str, role: str) -> None:
    async def story(bench: EmulatedBench) -> bool:
        device = bench.role("ESME")
        await bench.clock.sleep_until(after(bench, 10))
        await bench.hub.stage(StageOrder("r", image_for(bench, device, 1500), (device,)))
        await bench.clock.sleep_until(after(bench, 4 * 3600))
        while await bench.hub.received(after(bench, 1)) is not None:
            continue
        await bench.hub.send(version_request(bench, device, 77))
        return await bench.hub.received(after(bench, 600)) is not None

    fault = f"power-loss:state={state},off_s=90@{role}"
    bench = open_bench(EmulatedOptions(faults=(fault,)))
    assert play(bench, story)
    kinds = [fact.kind for fact in bench.take_observations()]
    assert kinds.count("fault") == 1
