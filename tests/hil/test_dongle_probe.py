"""What asking a dongle comes to, and what is said of its uses."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.ids import Eui64
from emulator.ncp.identity import Identity
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService
from harness.cli import main as command_line
from hil.dongle_probe import ProbedDongle, Told, probed, uses_of
from hil.dongle_sections import DongleSection
from hil.zigbee.guard import Role
from tests.emulator.ncp.home_given import START
from tests.emulator.ncp.ncp_given import DONGLE
from tests.hil.dongle_bench_given import HEAD, STICK, bench_file

TEST_ISSUER, OTHER_ISSUER = b"SMETSTST", b"REALROOT"
OBSERVER = DongleSection(endpoint="zigbee:tcp://127.0.0.1:1", role=Role.OBSERVER)


def a_dongle(suites: tuple[KeySuite, ...] = (), issuer: bytes = b"") -> Told:
    issuers = dict.fromkeys(suites, issuer) if issuer else {}
    return Told(DONGLE, 13, "7.4.5.0 build 0", "", suites, issuers, "on none")


def asked(section: DongleSection, version: int = 13) -> ProbedDongle:
    """Serve a stock dongle (its image carries stubs) and ask it."""

    async def scene() -> ProbedDongle:
        place = listen.parse("tcp://127.0.0.1:0")
        plan = DonglePlan(Identity(DONGLE, version), (), 1, place, START)
        service = DongleService(plan, lambda _at, _note: None)
        path = await service.open()
        try:
            return await probed("stick", section, path)
        finally:
            await service.close()

    return asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_stock_dongle_observes_and_does_not_join() -> None:
    found = asked(OBSERVER)
    assert found.error is None
    assert found.facts["EUI-64"] == str(DONGLE)
    assert found.facts["EZSP"] == "v13"
    assert found.facts["CBKE"] == "ECC stubs"
    assert found.facts["certificate"] == "none"
    assert found.uses["observe"] == "yes"
    assert found.uses["join"] == "no, because the image carries ECC stubs"


def test_another_dongle_or_firmware_than_the_file_says_is_a_difference() -> None:
    other = str(Eui64(bytes(8)))
    section = OBSERVER.model_copy(update={"eui64": other, "firmware": "8.", "ezsp": (8, 13)})
    found = asked(section)
    assert {one.what for one in found.differences} == {"EUI-64", "firmware"}
    assert not found.is_clean


def test_a_version_that_the_file_does_not_take_is_an_error() -> None:
    found = asked(OBSERVER.model_copy(update={"ezsp": (14,)}))
    assert found.error is not None
    assert "v13" in found.error.what


@pytest.mark.parametrize(
    ("told", "cbke", "word"),
    [
        (a_dongle((KeySuite.CBKE_283,)), "ncp", "no, because no certificate was written into it"),
        (a_dongle((KeySuite.CBKE_283,), TEST_ISSUER), "ncp", "yes"),
        (a_dongle(), "ncp", "no, because the image carries ECC stubs"),
        (a_dongle(), "host", "yes, keys made by this computer"),
        (a_dongle((KeySuite.CBKE_283,), OTHER_ISSUER), "ncp", "may only observe"),
        (a_dongle((KeySuite.CBKE_283,), OTHER_ISSUER), "host", "may only observe"),
    ],
)
def test_what_a_dongle_can_be_used_as_follows_from_library_certificate_and_setting(
    told: Told, cbke: str, word: str
) -> None:
    section = DongleSection.model_validate(
        {"endpoint": "zigbee:tcp://127.0.0.1:1", "role": "hub", "cbke": cbke}
    )
    assert word in uses_of(told, section)["join"]
    assert uses_of(told, section)["observe"] == "yes"


@pytest.mark.soak
def test_bench_probe_asks_a_loopback_dongle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bench_file(tmp_path, HEAD + STICK).path
    monkeypatch.setattr(sys, "argv", ["smetsbench", "bench", "probe", str(path), "--json"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 0
    (row,) = json.loads(capsys.readouterr().out)["dongles"]
    assert row["dongle"] == "stick"
    assert row["uses"]["observe"] == "yes"
    assert row["facts"]["certificate"] == "163k1 of SMETSTST, 283k1 of SMETSTST"
