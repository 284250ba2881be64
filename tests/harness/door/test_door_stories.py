"""Whole stories through the door: both generations, PPMID, future dates, what comes unasked."""

import pytest

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from firmware_images import recipe as recipes
from harness.door import example
from harness.formats.duis.bodies import (
    ReadFirmwareVersion,
    ReadInventory,
    UpdateFirmware,
    UpdatePpmidFirmware,
)
from harness.formats.duis.responses import read_response
from harness.formats.duis.smets1_contents import Result
from harness.parties.received import Kind
from tests.given import needs_duis
from tests.harness.door.door_kit import EIS, ESME, GSME, OTHER, PPMID, Served
from tests.harness.formats.duis_given import is_valid


def test_an_esme_of_each_generation_is_updated_over_either_way(served: Served) -> None:
    said: list[str] = []
    homes = served.door.options.homes
    system = served.system("http")
    played = example.Example(system, served.trust, said.append)
    played.announce()
    played.play(homes.smets2, smets1=False)
    system.way = served.way("drop")
    system.way.alerts()
    played.play(homes.smets1, smets1=True)
    assert said[1].endswith("runs 01000000")
    assert "N60" in said[2]
    assert "8F72" in said[2]
    assert said[3].endswith(f"{ESME} runs 01000001")
    assert len(said) == 7 or "nothing to activate" in said[-1]


def image(recipe: str, profile: str, scalar: int | None = None) -> tuple[bytes, str, bytes]:
    made = recipes.build(recipes.load_recipe(recipe), load_profile(profile), scalar)
    version = made.header.version_octets.hex().upper()
    return ota_file.encode(made), version, ota_file.manufacturer_image_hash(made)


def test_a_ppmid_takes_its_image_by_11_4_and_the_result_comes_as_an_alert(served: Served) -> None:
    octets, version, _hash = image("demo-ppmid-2", "demo-ppmid")
    system = served.system("http")
    got = system.ask(UpdatePpmidFirmware(octets, version, (PPMID,)))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    served.settle()
    codes = [one.response.body.code for one in system.alerts()]  # type: ignore[union-attr]  # DCC alerts
    assert codes[0] == "N60"
    assert "N39" in codes
    shown = system.ask(ReadInventory(PPMID)).octets.decode()
    assert version in shown


def test_a_future_dated_activation_is_answered_now_and_its_outcome_later(served: Served) -> None:
    entry = served.keys.find(EIS, KeyUsage.DS)
    assert entry is not None
    octets, version, its_hash = image("demo-gsme-2", "demo-gsme", entry.private_scalar)
    system = served.system("http")
    system.ask(UpdateFirmware(octets, version, (GSME,)))
    served.settle()
    system.alerts()
    at = UtcMs((served.door.intake.now() // 1000 + 2 * 86_400) * 1000)
    first = system.activate(GSME, its_hash, at)
    assert first.accepted
    served.settle()
    assert served.door.intake.now() > at
    (outcome,) = [one for one in system.alerts() if one.kind is Kind.FUTURE_DATED_OUTCOME]
    assert outcome.request_id == first.request_id
    number = served.door.exchange.of_request_id(outcome.request_id)  # type: ignore[arg-type]  # it has one
    status, second = served.http().ask("GET", f"/duis/{number}?answer=2")
    assert (status, second) == (200, outcome.octets)
    assert served.http().ask("GET", f"/duis/{number}?answer=3")[0] == 204


def test_alerts_are_numbered_and_each_user_sees_its_own(served: Served) -> None:
    system, other = served.system("http"), served.system("http", OTHER)
    entry = served.keys.find(EIS, KeyUsage.DS)
    assert entry is not None
    octets, version, _hash = image("demo-esme-3", "demo-esme", entry.private_scalar)
    system.ask(UpdateFirmware(octets, version, (ESME,)))
    served.settle()
    assert [one for one in system.alerts() if one.kind is Kind.DEVICE_ALERT]
    assert other.way.alerts() == []
    found = served.door.exchange.alerts(0)
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert any(one.code == f"{AlertCode.FIRMWARE_VERIFIED:04X}" for one in found)


def test_a_role_without_a_right_is_told_by_the_dsp_in_the_services_own_words(
    served: Served,
) -> None:
    octets, version, _hash = image("demo-ppmid-2", "demo-ppmid")
    got = served.system("http").ask(UpdatePpmidFirmware(octets, version, (ESME,)))
    assert got.kind is Kind.REFUSAL
    assert got.code.startswith("E")


@needs_duis
def test_every_document_that_ever_left_the_door_is_valid(served: Served) -> None:
    served.system("http").ask(ReadFirmwareVersion(), ESME)
    served.settle()
    for number in range(1, served.door.exchange.counts()["requests"] + 1):
        answer = served.door.exchange.answer(number)
        assert answer is None or is_valid(answer.document), read_response(answer.document)
    assert all(is_valid(one.document) for one in served.door.exchange.alerts(0, most=1000))


@pytest.mark.parametrize("kind", [DeviceType.ESME, DeviceType.GSME])
def test_a_smets1_meter_tells_its_version_through_its_s1sp(
    served: Served, kind: DeviceType
) -> None:
    meter = served.door.options.homes.smets1[0].of(kind)[0]
    system = served.system("http")
    got = system.ask(ReadFirmwareVersion(), Eui64.parse(meter.eui64))
    answer = system.of_s1sp(got)
    assert answer is not None
    assert isinstance(answer.body, Result)
    assert answer.body.success
