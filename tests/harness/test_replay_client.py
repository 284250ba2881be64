from pathlib import Path

import pytest

from emulator.codecs.dlms.apdu_parts import Attribute
from harness.benches.emulated_replay import EmulatedMeter
from harness.dlms.settings import Framing
from harness.replay_client import Replayed, recorded_exchanges, replay_as_client
from harness.replay_moments import Offsets, offsets_of
from harness.transcript import Transcript
from tests.harness.recorded import (
    CLOCK,
    EUI64,
    IMPORT,
    IMPORT_UNIT,
    NOTHING,
    SEED,
    SERIAL,
    START,
    VIEW,
    Recorded,
    attribute,
)

NAME = attribute(1, "0-0:42.0.0.255", 2)
FIRMWARE = attribute(1, "1-0:0.2.0.255", 2)
EXPORT_UNIT = attribute(3, "1-0:2.8.0.255", 3)
ALTERED = """
device_type = "ESME"
title = "altered"
extends = "smets1"

[dlms]
deviation = [
{rows}
]

[evidence]
"dlms" = "stand-in"
"""
#: Class, logical name, attribute and another answer, with the attribute as it is asked for.
ALTERATIONS = [
    (
        '{ class_id = 3, obis = "1-0:1.8.0.255", attribute = 3, value = "02020f03161e" }',
        IMPORT_UNIT,
    ),
    ('{ class_id = 3, obis = "1-0:2.8.0.255", attribute = 3, result = 3 }', EXPORT_UNIT),
    ('{ class_id = 1, obis = "0-0:42.0.0.255", attribute = 2, value = "090441424344" }', NAME),
    ('{ class_id = 1, obis = "1-0:0.2.0.255", attribute = 2, value = "09020102" }', FIRMWARE),
]


def altered(folder: Path, count: int) -> str:
    path = folder / "altered.toml"
    rows = ",\n".join(row for row, _ in ALTERATIONS[:count])
    path.write_text(ALTERED.replace("{rows}", rows), "utf-8")
    return str(path)


def against(
    transcript: Transcript, profile: str = "smets1", overlays: tuple[Path, ...] = ()
) -> Replayed:
    meter = EmulatedMeter(profile, EUI64, SEED, overlays)
    wire = meter.open(transcript.about.framing, START)
    return replay_as_client(transcript, wire, held=meter.held())


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("client", ["public", "reader", "management"])
def test_the_meter_that_was_recorded_answers_the_same_again(framing: Framing, client: str) -> None:
    told = Recorded(framing=framing)
    told.read(client, VIEW, CLOCK, IMPORT, SERIAL, NOTHING)
    found = against(told.transcript())
    assert found.differences == ()
    assert found.exchanges > 5


@pytest.mark.parametrize("count", range(len(ALTERATIONS) + 1))
@pytest.mark.parametrize("client", ["reader", "management"])
def test_n_altered_fields_are_exactly_those_n_differences(
    tmp_path: Path, count: int, client: str
) -> None:
    told = Recorded(altered(tmp_path, count))
    wanted: list[Attribute] = [one for _, one in ALTERATIONS]
    told.read(client, CLOCK, IMPORT, *wanted, *wanted)
    found = against(told.transcript())
    assert {one.target for one in found.differences} == {one.descriptor for one in wanted[:count]}
    assert [one.times for one in found.differences] == [2] * count


def test_a_clock_that_differs_is_volatile() -> None:
    told = Recorded()
    told.read("public", CLOCK)
    transcript = told.transcript()
    meter = EmulatedMeter("smets1", EUI64, SEED)
    wire = meter.open(transcript.about.framing, START)
    found = replay_as_client(transcript, wire, offset_ms=5000)
    assert found.differences == ()
    assert [one.volatile for one in found.volatile] == ["clock"]


def test_another_models_differences_are_told_by_name() -> None:
    told = Recorded()
    told.read("reader", FIRMWARE, IMPORT, NAME)
    subjects = [one.subject for one in against(told.transcript(), "smets1-quirks").differences]
    assert "HDLC link of client 2" in subjects
    assert "association of client 2" in subjects
    assert "Firmware version, value (1 / 1-0:0.2.0.255 a2)" in subjects


def test_a_meter_that_says_nothing_is_a_difference_and_no_hang() -> None:
    class Dead:
        now_ms = 0

        def write(self, octets: bytes) -> None:
            del octets

        def read(self, timeout_s: float) -> bytes:
            self.now_ms += round(timeout_s * 1000) + 1
            return b""

        def set_baud(self, baud: int) -> None:
            del baud

        def pass_until(self, at_ms: int) -> None:
            self.now_ms = max(self.now_ms, at_ms)

    told = Recorded(framing=Framing.OPTICAL)
    told.read("public", CLOCK, IMPORT)
    found = replay_as_client(told.transcript(), Dead())
    silent = [one for one in found.differences if one.b == "answer: none"]
    assert len(silent) >= 3
    assert found.exchanges > 5


def test_the_offset_of_a_clock_is_narrowed_by_every_answer() -> None:
    told = Recorded()
    told.read("public", CLOCK, CLOCK, CLOCK)
    offsets = offsets_of(recorded_exchanges(told.transcript()))
    assert offsets.low_ms <= 0 <= offsets.high_ms
    assert offsets.high_ms - offsets.low_ms <= 1000
    assert offsets.candidates()[0] == 0


def test_offsets_to_try_lie_between_the_limits() -> None:
    offsets = Offsets(-2300, -1500)
    tried = offsets.candidates()
    assert tried[0] == -1900
    assert all(-2300 <= one <= -1500 for one in tried)
    assert len(set(tried)) == len(tried)
    assert Offsets(0, 0).candidates() == (0,)
