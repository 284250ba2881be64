"""A whole installation, thrown back to a stored moment with faults still to come, goes on alike."""

import pytest

from device_profiles.installation import load
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.core.clock import UtcMs
from emulator.crypto.keystore import KeyUsage
from emulator.runtime.installation import Emulation, Plan, build
from firmware_images.image import Signing, Target
from firmware_images.image import build as build_image
from firmware_images.version import FirmwareVersion

START = UtcMs(1_767_603_600_000)  # 2026-01-05T09:00Z
SECOND_US = 1_000_000
END_S = 400
#: By chance, by count, by state and percent, by note, and by a time long after the stored moment.
FAULTS = (
    "drop:p=0.03@han",
    "corrupt:p=0.02@han",
    "duplicate:every=2,copies=2,gap_ms=700@csp",
    "delay:ms=3000,n=1@wan-out",
    "power-loss:state=DOWNLOADING,percent=60,off_s=20@esme",
    "power-cycle:note=image_held,off_s=15@chf",
    "power-cycle:after_s=300,off_s=5@gsme",
    "self-test-fails:after_s=350@esme",
)


def begun() -> Emulation:
    """An installation whose hub is being sent an image for the ESME."""
    emulation = build(Plan(load("demo"), 7, START, FAULTS))
    esme = emulation.roles[DeviceType.ESME]
    [supplier] = emulation.parties.suppliers[:1]
    key = emulation.keys.private(supplier).find(supplier, KeyUsage.DS)
    assert key is not None
    assert key.private_scalar is not None
    made = build_image(
        Target.of(emulation.profiles[esme]),
        FirmwareVersion(bytes.fromhex("7fffff01")),
        bytes(range(256)) * 12,
        signing=Signing(key.private_scalar),
    )
    world = emulation.world
    world.run_until(world.now_us + 20 * SECOND_US)
    world.begin_transfer("request", ota_file.encode(made), (esme,))
    return emulation


def run_to(emulation: Emulation, second: float) -> None:
    emulation.world.run_until(START * 1000 + round(second * SECOND_US))


@pytest.mark.parametrize("stop_s", [20.3, 22, 26, 31.5, 38, 47, 60, 90, 310])
def test_a_restored_installation_goes_on_with_the_same_octets(stop_s: float) -> None:
    first = begun()
    run_to(first, stop_s)
    state = first.world.dump()
    run_to(first, END_S)
    second = begun()
    second.world.load(state)
    assert second.world.dump() == state
    run_to(second, END_S)
    assert second.world.dump() == first.world.dump()


def test_every_fault_of_these_runs_strikes() -> None:
    emulation = begun()
    run_to(emulation, END_S)
    struck = {
        dict(fact.fields)["fault"]
        for fact in emulation.world.records.take_facts()
        if fact.kind == "fault"
    }
    assert struck == set(FAULTS)
