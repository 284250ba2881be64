"""Dongles in a bench file: what is taken, what is refused and why, what ``check`` says."""

from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.crypto.install_code import InstallCode
from hil.bench_check import shortcomings
from hil.bench_file import BenchFileError, LoadedBench, load_bench
from hil.doctor import Doctor, ports_of
from hil.dongle_codes import code_of
from hil.dongle_sections import CHANNELS, EZSP_SPOKEN, DongleKind
from hil.references import SecretMissingError
from hil.zigbee import settings
from hil.zigbee.guard import Role
from tests.hil.dongle_bench_given import HEAD, STICK

BY_ID = "zigbee:/dev/serial/by-id/usb-Silicon_Labs_stick-if00-port0"
REAL = HEAD + f'\n[dongles.stick]\nendpoint = "{BY_ID}"\nrole = "hub"\n'
ESME = '\n[roles.ESME]\nendpoint = "dongle:stick"\n'
CODE = InstallCode(bytes.fromhex("83FED3407A939723A5C639B26916D505"))
NOW = UtcMs(1_767_603_600_000)


def loaded(folder: Path, text: str) -> LoadedBench:
    path = folder / "bench.toml"
    path.write_text(text, "utf-8")
    return load_bench(path)


def codes(bench: LoadedBench) -> list[str]:
    return [finding.code for finding in shortcomings(bench, NOW)]


def test_a_dongle_alone_is_a_bench_whose_whole_home_stands_behind_it(tmp_path: Path) -> None:
    bench = loaded(tmp_path, HEAD + STICK)
    assert bench.dongle is not None
    name, section = bench.dongle
    assert (name, section.role, section.where.kind) == ("stick", Role.HUB, DongleKind.LOOPBACK)
    assert section.factor > 1
    assert section.channels == CHANNELS
    assert not bench.is_emulated
    assert not bench.is_mixed


def test_a_real_dongle_keeps_the_walls_time(tmp_path: Path) -> None:
    bench = loaded(tmp_path, REAL)
    assert bench.dongle is not None
    assert bench.dongle[1].factor == 1


def test_an_observer_is_no_end_of_a_bench(tmp_path: Path) -> None:
    bench = loaded(tmp_path, REAL.replace('"hub"', '"observer"'))
    assert bench.dongle is None


def test_the_versions_a_bench_file_may_name_are_those_that_are_spoken() -> None:
    assert settings.EZSP_SPOKEN == EZSP_SPOKEN


NODE = HEAD + STICK.replace('"hub"', '"node"')
WRONG = {
    "a numbered port": ("numbered-port", REAL.replace(BY_ID, "zigbee:/dev/ttyUSB0")),
    "no port": ("unknown-endpoint", REAL.replace(BY_ID, "zigbee:stick")),
    "another scheme": ("unknown-endpoint", REAL.replace(BY_ID, "serial:/dev/ttyS0")),
    "a password": ("inline-secret", REAL.replace(BY_ID, "zigbee:tcp://me:pw@host:1")),
    "a channel beyond the band": ("invalid-value", REAL + "channels = [27]\n"),
    "a channel twice": ("invalid-value", REAL + "channels = [15, 15]\n"),
    "no channel": ("invalid-value", REAL + "channels = []\n"),
    "a version nobody speaks": ("invalid-value", REAL + "ezsp = [7]\n"),
    "a clock factor of the real world": ("inconsistent", REAL + "clock_factor = 10\n"),
    "networks of a hub": ("inconsistent", REAL + 'networks = ["02-53-00-00-00-00-00-01"]\n'),
    "an observer that agrees on keys": (
        "inconsistent",
        REAL.replace('"hub"', '"observer"') + 'cbke = "host"\n',
    ),
    "a role behind a dongle that is not there": (
        "inconsistent",
        HEAD + STICK + ESME.replace("stick", "stack"),
    ),
    "a role behind an observer": ("inconsistent", REAL.replace('"hub"', '"observer"') + ESME),
    "a hub behind the hub": ("inconsistent", REAL + ESME.replace("ESME", "CHF")),
    "a meter behind a node": ("inconsistent", NODE + ESME),
    "a node that is nobody": ("missing-key", NODE + ESME.replace("ESME", "CHF")),
    "a line beside a dongle": (
        "inconsistent",
        HEAD + STICK + '\n[roles.ESME]\nendpoint = "loopback:smets1"\n',
    ),
    "framing behind a dongle": ("inconsistent", HEAD + STICK + ESME + 'framing = "hdlc"\n'),
    "an install code in the file": (
        "inline-secret",
        HEAD + STICK + ESME + f'install_code = "{CODE.octets.hex()}"\n',
    ),
    "two hubs": ("inconsistent", HEAD + STICK + STICK.replace("stick", "other")),
    "one port twice": (
        "inconsistent",
        REAL + f'\n[dongles.ears]\nendpoint = "{BY_ID}"\nrole = "observer"\n',
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_file_has_its_error(name: str, tmp_path: Path) -> None:
    code, text = WRONG[name]
    with pytest.raises(BenchFileError) as caught:
        loaded(tmp_path, text)
    assert caught.value.code == code, caught.value.what
    assert CODE.octets.hex() not in "".join(caught.value.lines())


def test_an_install_code_is_followed_to_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESME_CODE", CODE.octets.hex().upper())
    bench = loaded(tmp_path, REAL + ESME + 'install_code = "env:ESME_CODE"\n')
    text = bench.content.roles[DeviceType.ESME].install_code
    assert text is not None
    assert code_of(bench, text) == CODE
    assert codes(bench) == []


def test_a_mistyped_install_code_is_a_finding_and_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = CODE.octets.hex().upper().replace("83", "84")
    monkeypatch.setenv("ESME_CODE", wrong)
    bench = loaded(tmp_path, REAL + ESME + 'install_code = "env:ESME_CODE"\n')
    found = shortcomings(bench, NOW)
    assert [one.code for one in found] == ["secret-missing"]
    assert wrong not in "".join(found[0].lines())
    with pytest.raises(SecretMissingError) as caught:
        code_of(bench, "env:ESME_CODE")
    assert wrong not in "".join(caught.value.lines())


def test_check_asks_for_install_codes_and_for_the_allow_list_of_real_devices(
    tmp_path: Path,
) -> None:
    bench = loaded(tmp_path, REAL + ESME + 'eui64 = "02-53-00-00-00-00-00-01"\n')
    assert codes(bench) == ["no-install-code", "not-allowed"]
    assert codes(loaded(tmp_path, HEAD + STICK + ESME)) == []


def test_the_doctor_looks_at_the_port_of_a_dongle_and_asks_for_its_flow_control(
    tmp_path: Path,
) -> None:
    bench = loaded(tmp_path, REAL)
    assert [port.where for port in ports_of(bench)] == ["dongles.stick"]
    found = {finding.code for finding in Doctor().of_bench(bench)}
    assert {"missing-device", "flow-control"} <= found
    told = loaded(tmp_path, REAL + 'flow_control = "hardware"\n')
    assert "flow-control" not in {finding.code for finding in Doctor().of_bench(told)}
