"""The smaller parts of a bench: who presents itself how, which faults go where, what is lacking."""

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from harness.bench_offer import lacks
from harness.errors import BenchError, UsageError
from harness.ports import Bench
from harness.run_options import RunOptions
from harness.setting import Setting
from hil import bench as benches
from hil import credentials
from hil.bench_check import shortcomings
from hil.bench_faults import routes
from hil.bench_file import LoadedBench, load_bench
from hil.bench_parts import BenchClock, Ears
from hil.line_settings import first_baud, line_settings, lock_name, loopback_eui64, port_of
from hil.offers import lacking, words_of
from tests.hil.bench_texts import HEAD, METER, REAL, write_bench

ESME = DeviceType.ESME
LOOPBACK = HEAD + '\n[roles.ESME]\nendpoint = "loopback:./model.toml"\n'
EMULATED = HEAD + '\n[roles.ESME]\nendpoint = "emulated:smets1"\n'
REPLAY = HEAD + '\n[roles.ESME]\nendpoint = "replay:read"\nprofile = "./model.toml"\n'
NOW = UtcMs(1_795_000_000_000)


def load(folder: Path, text: str) -> LoadedBench:
    return load_bench(write_bench(folder, text))


# -- who presents itself how ----------------------------------------------------------------------


def test_clients_of_a_loopback_device_have_its_factory_s_keys(tmp_path: Path) -> None:
    loaded = load(tmp_path, LOOPBACK)
    keys = factory_keys(3, Eui64.parse(METER))
    public, reader, management = (
        credentials.of_factory(loaded, ESME, name, keys)
        for name in ("public", "reader", "management")
    )
    assert (public.client, public.mechanism, public.secret) == (16, Mechanism.NONE, None)
    assert (reader.mechanism, reader.secret) == (Mechanism.LLS, keys.secrets["reader"])
    assert (management.mechanism, management.form) == (Mechanism.HLS_GMAC, Form.SERVICE_GLOBAL)
    assert (management.keys, management.title) == (keys.keys, keys.client_title)
    with pytest.raises(BenchError, match="no DLMS client 'burglar'") as caught:
        credentials.of_factory(loaded, ESME, "burglar", keys)
    assert "public, reader, management" in caught.value.cause


CLIENTS = """
[roles.ESME.credentials.reader]
secret = "file:keys.toml#reader"
client = 9
[roles.ESME.credentials.management]
keys = "file:keys.toml#keys"
title = "5342434C49454E54"
[roles.ESME.credentials.engineer]
client = 33
authentication = "lls"
secret = "file:keys.toml#engineer"
[roles.ESME.credentials.stranger]
secret = "file:keys.toml#reader"
[roles.ESME.credentials.plain]
client = 34
[roles.ESME.credentials.forgotten]
client = 35
authentication = "hls-gmac"
"""


def test_clients_of_a_real_device_are_the_profile_s_with_the_file_s_words(tmp_path: Path) -> None:
    loaded = load(tmp_path, REAL + CLIENTS)
    (tmp_path / "keys.toml").write_text(
        f'reader = "11111111"\nengineer = "hex:0001"\nkeys = "{bytes(range(48)).hex()}"\n'
    )
    reader = credentials.of_file(loaded, ESME, "reader")
    assert (reader.client, reader.secret) == (9, b"11111111")
    management = credentials.of_file(loaded, ESME, "management")
    assert (management.client, management.form) == (1, Form.SERVICE_GLOBAL)
    assert management.title == b"SBCLIENT"
    assert management.keys is not None
    assert management.keys.unicast == bytes(range(16))
    engineer = credentials.of_file(loaded, ESME, "engineer")
    assert (engineer.client, engineer.mechanism) == (33, Mechanism.LLS)
    assert engineer.secret == b"\x00\x01"
    assert credentials.of_file(loaded, ESME, "plain").mechanism is Mechanism.NONE
    assert credentials.of_file(loaded, ESME, "public").client == 16  # needs no section


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("burglar", "no DLMS client"),
        ("stranger", "no DLMS client"),  # not the profile's, and the file gives it no number
        ("forgotten", "does not say where the keys"),
        ("reader", "No such file"),
    ],
)
def test_a_client_that_cannot_present_itself_says_what_is_missing(
    tmp_path: Path, name: str, why: str
) -> None:
    loaded = load(tmp_path, REAL + CLIENTS)
    with pytest.raises(BenchError, match=why) as caught:
        credentials.of_file(loaded, ESME, name)
    assert caught.value.where
    assert caught.value.next_command


# -- how a line is spoken to ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address", "framing"),
    [
        (LOOPBACK, "/dev/pts/3", "optical"),
        (LOOPBACK, "rfc2217://127.0.0.1:7", "optical"),
        (LOOPBACK, "tcp://127.0.0.1:7", "hdlc"),
        (LOOPBACK, "wrapper://127.0.0.1:7", "wrapper"),
        (REAL, "/dev/serial/by-id/usb-head-0", "optical"),
        (REAL + 'framing = "hdlc"\n', "/dev/serial/by-id/usb-head-0", "hdlc"),
    ],
)
def test_the_framing_follows_from_file_address_and_profile(
    tmp_path: Path, text: str, address: str, framing: str
) -> None:
    loaded = load(tmp_path, text)
    section = loaded.content.roles[ESME]
    settings = line_settings(section, loaded.profiles[ESME], address)
    assert settings.framing.value == framing
    assert first_baud(section, settings) == (300 if framing == "optical" else 9600)


def test_the_file_s_addresses_and_speeds_win(tmp_path: Path) -> None:
    more = "address_bytes = 1\nstart_baud = 600\nbaud = 19200\n"
    loaded = load(tmp_path, REAL + more)
    section = loaded.content.roles[ESME]
    settings = line_settings(section, loaded.profiles[ESME], section.where.target)
    assert (settings.address_bytes, settings.physical_address) == (1, None)
    assert (settings.sign_on_baud, settings.baud) == (600, 19200)
    loaded = load(tmp_path, REAL + "address_bytes = 2\nphysical_address = 5\n")
    section = loaded.content.roles[ESME]
    settings = line_settings(section, loaded.profiles[ESME], section.where.target)
    assert (settings.address_bytes, settings.physical_address) == (2, 5)


def test_one_port_has_one_lock_however_it_is_written(tmp_path: Path) -> None:
    node = tmp_path / "ttyX"
    node.touch()
    (tmp_path / "by-id").symlink_to(node)
    by_link = REAL.replace("/dev/serial/by-id/usb-head-0", str(tmp_path / "by-id"))
    by_name = REAL.replace("/dev/serial/by-id/usb-head-0", str(node))
    names = {lock_name(load(tmp_path, text).content.roles[ESME]) for text in (by_link, by_name)}
    assert names == {str(node.resolve())}


def test_a_port_by_usb_that_is_not_there_is_a_bench_fault(tmp_path: Path) -> None:
    text = REAL.replace("serial:/dev/serial/by-id/usb-head-0", "serial:usb")
    loaded = load(tmp_path, text + 'usb = { serial = "no such adapter" }\n')
    with pytest.raises(BenchError, match="no such adapter"):
        port_of(loaded.content.roles[ESME])


def test_a_loopback_device_is_who_the_file_says_or_made_up_and_never_live(tmp_path: Path) -> None:
    loaded = load(tmp_path, LOOPBACK)
    section, profile = loaded.content.roles[ESME], loaded.profiles[ESME]
    made_up = loopback_eui64(section, profile, 1)
    assert made_up.octets[0] & 0x02  # locally administered
    assert made_up == loopback_eui64(section, profile, 1) != loopback_eui64(section, profile, 2)
    named = section.model_copy(update={"eui64": METER})
    assert loopback_eui64(named, profile, 1) == Eui64.parse(METER)


# -- faults ---------------------------------------------------------------------------------------


def test_faults_go_to_the_line_or_to_their_own_device(tmp_path: Path) -> None:
    loaded = load(tmp_path, LOOPBACK)
    faults = ("drop:p=0.1@line", "corrupt:p=0.1@line-in", "power-loss:after_s=5,off_s=3@esme")
    found = routes(loaded, RunOptions(faults=faults))
    assert found.children == {ESME: faults}
    assert found.nowhere == ()


@pytest.mark.parametrize("fault", ["drop:p=0.1@han", "battery-low:days=3,after_s=1@gsme"])
def test_a_fault_nobody_here_can_make_is_refused(tmp_path: Path, fault: str) -> None:
    with pytest.raises(UsageError, match="nobody on this bench can make"):
        routes(load(tmp_path, LOOPBACK), RunOptions(faults=(fault,)))


@pytest.mark.parametrize("text", [REAL, REPLAY])
def test_real_and_recorded_lines_take_no_fault_and_no_defect(tmp_path: Path, text: str) -> None:
    path = write_bench(tmp_path, text)
    with pytest.raises(UsageError, match="nobody on this bench can make"):
        benches.check(RunOptions(bench=path, faults=("drop:p=0.1@line",)))
    with pytest.raises(UsageError, match="nobody on this bench can have"):
        benches.check(RunOptions(bench=path, defects=("esme-ignores-hash",)))


def test_a_fault_that_means_nothing_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    path = write_bench(tmp_path, LOOPBACK)
    with pytest.raises(UsageError, match="means nothing"):
        benches.check(RunOptions(bench=path, faults=("nonsense@line",)))


def test_what_a_scenario_brings_along_is_its_need_and_no_mistake_of_the_person(
    tmp_path: Path,
) -> None:
    noisy = Setting().scenario("SER-010")
    loaded = load(tmp_path, REAL)
    chosen = RunOptions(scenario="SER-010", faults=noisy.faults)
    assert routes(loaded, chosen).nowhere == noisy.faults
    ordered = replace(chosen, faults=("drop:p=0.5@line", *noisy.faults))
    with pytest.raises(UsageError, match="nobody on this bench can make"):
        routes(loaded, ordered)


# -- offers ---------------------------------------------------------------------------------------


def needs_of(loaded: LoadedBench, *needs: str) -> list[str]:
    return [lack.need for lack in lacking(loaded, needs, ("ESME",))]


def test_each_kind_of_bench_offers_what_it_can(tmp_path: Path) -> None:
    every = ("ESME", "GSME", "CHF", "meter-line", "meter-wan", "observations", "power", "noise")
    assert needs_of(load(tmp_path, EMULATED), *every) == []
    assert needs_of(load(tmp_path, LOOPBACK), *every) == [
        "CHF", "GSME", "meter-wan", "observations",
    ]  # fmt: skip
    assert needs_of(load(tmp_path, REAL), *every) == [
        "CHF", "GSME", "meter-wan", "noise", "observations", "power",
    ]  # fmt: skip
    relay = REAL + '\n[power]\nendpoint = "serial:/dev/ttyS1"\non = "1"\noff = "0"\n'
    assert words_of(load(tmp_path, relay)) == {"power"}
    unknown = REAL.replace(f'eui64 = "{METER}"\n', "")
    assert needs_of(load(tmp_path, unknown), "ESME", "meter-line") == ["ESME", "meter-line"]


def test_every_lack_says_what_would_unlock_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, REAL.replace(f'eui64 = "{METER}"\n', ""))
    found = lacking(loaded, ("ESME", "GSME", "CHF", "power", "noise", "magic"), ("ESME",))
    told = {lack.need: lack.unlock for lack in found}
    assert "bench probe" in told["ESME"]
    assert "[roles.GSME]" in told["GSME"]
    assert "no DLMS line" in told["CHF"]
    assert "[power]" in told["power"]
    assert all(told.values())


def test_the_harness_asks_the_bench_s_own_module_and_the_emulated_one_offers_all(
    tmp_path: Path,
) -> None:
    scenarios = [Setting().scenario(name) for name in ("FM-01", "SER-001")]
    options = RunOptions(bench=write_bench(tmp_path, REAL))
    (firmware, serial) = lacks(options, scenarios)
    assert {lack.need for lack in firmware} == {"CHF", "observations"}
    assert serial == ()
    assert lacks(RunOptions(), scenarios) == [(), ()]


# -- time and ears --------------------------------------------------------------------------------


def test_a_bench_s_clock_runs_on_and_as_fast_as_it_is_told() -> None:
    clock = BenchClock(factor=100)
    begun = clock.now()
    asyncio.run(clock.sleep_until(UtcMs(begun + 3000)))
    assert 3000 <= clock.now() - begun < 60_000
    clock.begin(UtcMs(1_000_000))
    assert 1_000_000 <= clock.now() < 1_060_000


def test_ears_keep_what_crosses_in_order_from_any_thread_and_once() -> None:
    ears = Ears(BenchClock())
    ears.event("speed", {"baud": 9600}, time.monotonic_ns())
    ears.event("timeout", {"waited_ms": 3}, time.monotonic_ns())
    ears.chunk("in", b"\x7e", time.monotonic_ns())
    other = threading.Thread(target=ears.chunk, args=("out", b"\x7e\x7e", time.monotonic_ns()))
    other.start()
    other.join()
    frames = ears.take()
    assert [(one.link, one.frame, one.comment) for one in frames] == [
        ("line-in", b"\x7e", "speed: baud 9600"),
        ("line-out", b"\x7e\x7e", ""),
    ]
    assert ears.take() == []


# -- what can be said without opening anything ----------------------------------------------------


def test_a_bench_in_order_lacks_nothing(tmp_path: Path) -> None:
    assert shortcomings(load(tmp_path, LOOPBACK), NOW) == []
    assert shortcomings(load(tmp_path, REAL), NOW) == []


def test_what_is_missing_in_a_right_file_is_found(tmp_path: Path) -> None:
    text = REAL.replace(f'eui64 = "{METER}"\n', "").replace("allow", "expires = 2020-01-01\nallow")
    text += '[roles.ESME.credentials.reader]\nsecret = "env:SURELY_NOT_SET"\n'
    text += '[roles.ESME.credentials.management]\nkeys = "file:keys.toml#keys"\n'
    keys = tmp_path / "keys.toml"
    keys.write_text(f'keys = "{bytes(48).hex()}"\n')
    keys.chmod(0o644)
    found = shortcomings(load(tmp_path, text), NOW)
    assert [one.code for one in found] == [
        "bench-expired",
        "no-identity",
        "secret-missing",
        "secret-readable",
    ]
    assert all(one.remedy and one.next_command for one in found)
    assert "0" * 16 not in "".join(line for one in found for line in one.lines())
    keys.chmod(0o600)
    assert "secret-readable" not in {one.code for one in shortcomings(load(tmp_path, text), NOW)}


def test_a_recording_that_is_not_there_is_found(tmp_path: Path) -> None:
    found = shortcomings(load(tmp_path, REPLAY), NOW)
    assert [one.code for one in found] == ["recording-missing"]
    (tmp_path / "read.pcapng").touch()
    assert shortcomings(load(tmp_path, REPLAY), NOW) == []


# -- emulated -------------------------------------------------------------------------------------


def test_an_emulated_endpoint_is_the_emulated_bench_with_that_model_in_virtual_time(
    tmp_path: Path,
) -> None:
    path = write_bench(tmp_path, EMULATED.replace("smets1", "smets1-strict"))
    options = RunOptions(bench=path, world="meter", devices=("ESME",), scenario="SER-001")
    benches.check(options)

    async def story() -> None:
        bench: Bench = await benches.open_bench(options)
        assert bench.kind == "emulated"
        begun = bench.clock.now()
        await bench.clock.sleep_until(UtcMs(begun + 86_400_000))
        association = await bench.meter("ESME").associate(bench.credentials("ESME", "public"))
        assert association.accepted
        assert any(row.get("profile", "smets1-strict") for row in bench.describe().values())
        await bench.close()

    started = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: benches.new_event_loop(options)) as loop:
        loop.run(story())
    assert time.monotonic() - started < 20


def test_a_bench_in_real_time_gets_an_ordinary_loop(tmp_path: Path) -> None:
    options = RunOptions(bench=write_bench(tmp_path, LOOPBACK))
    for loop in (benches.new_event_loop(), benches.new_event_loop(options)):
        begun = loop.time()
        loop.run_until_complete(asyncio.sleep(0.02))
        assert loop.time() - begun < 5
        loop.close()
