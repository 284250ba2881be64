"""The census as a value: the hub found by its extended PAN id, energy, tables and JSON."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from emulator.core.ids import Eui64
from harness.han_ports import HanNetwork
from hil.zigbee_observation.census import Census, beacon_of, most_energy, strongest
from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.observation import Observation
from hil.zigbee_observation.sights import sight_of
from hil.zigbee_observation.tables import (
    census_parts,
    energy_bar,
    hub_lines,
    transfers_parts,
    wakes_parts,
)
from tests.hil.zigbee_observation.air_given import (
    HUB,
    METER,
    PAN,
    SECOND,
    beacon,
    block,
    enciphered,
    poll,
)
from tests.sampling import examples

OTHER = Eui64.parse("00-DB-12-34-56-78-90-A1")
NEAR = HanNetwork(HUB, PAN, 15, permits=True, lqi=200, rssi_dbm=-50)
FAR = HanNetwork(OTHER, 0x2222, 20, permits=False, lqi=60, rssi_dbm=-88)
CENSUS = Census((15, 20), (NEAR, FAR), {15: -40, 20: -95}, HUB)
networks = st.builds(
    HanNetwork,
    st.sampled_from([HUB, OTHER]),
    st.sampled_from([PAN, 0x2222]),
    st.sampled_from([15, 20]),
    st.booleans(),
    st.integers(0, 255),
    st.integers(-100, -20),
)


def shown(parts: list[object]) -> str:
    screen = Console(file=io.StringIO(), width=120)
    for part in parts:
        screen.print(part)
    file = screen.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def network_in(frame: Heard) -> HanNetwork | None:
    sight = sight_of(frame)
    assert sight is not None
    return beacon_of(sight, frame.channel, frame.lqi, frame.rssi_dbm)


def test_the_hub_is_found_by_its_extended_pan_id() -> None:
    assert CENSUS.found == (NEAR,)
    assert hub_lines(CENSUS) == [f"hub {HUB}: channel 15, PAN 0x1A62, joining is open"]
    told = CENSUS.row()
    assert told["hub_found"] is True
    assert told["networks"][0] == {
        "extended_pan_id": str(HUB),
        "pan_id": "0x1A62",
        "channel": 15,
        "permit_join": True,
        "lqi": 200,
        "rssi_dbm": -50,
        "is_hub": True,
    }
    assert json.loads(json.dumps(told)) == told


def test_a_hub_that_is_not_there_is_told_and_one_that_is_claimed_twice_too() -> None:
    alone = Census((15,), (FAR,), {}, HUB)
    (line,) = hub_lines(alone)
    assert "not found" in line
    assert "answered" in line
    (quiet,) = hub_lines(Census((15,), (), {}, HUB, scanned=False))
    assert "was heard" in quiet
    assert alone.row()["hub_found"] is False
    twice = Census((15, 20), (NEAR, HanNetwork(HUB, 0x2222, 20)), {}, HUB)
    assert "more than one" in hub_lines(twice)[-1]
    assert Census((15,), (NEAR,)).row()["hub_found"] is None


def test_people_see_permission_strength_and_energy_bars() -> None:
    text = shown(list(census_parts(CENSUS)))
    assert str(HUB) in text
    assert "open" in text
    assert "closed" in text
    assert "the hub asked for" in text
    assert "███████████████·····" in text
    assert shown(list(census_parts(Census((15,), ())))).strip() == "no beacon was heard"


def test_a_bar_grows_with_the_energy_and_never_leaves_its_frame() -> None:
    bars = [energy_bar(dbm) for dbm in range(-128, 21)]
    assert all(len(bar) == 20 for bar in bars)
    lengths = [bar.count("█") for bar in bars]
    assert lengths == sorted(lengths)
    assert (lengths[0], lengths[-1]) == (0, 20)


@pytest.mark.parametrize("permits", [True, False])
@pytest.mark.parametrize("gts", [b"\x00", b"\x82\x01" + bytes(6)], ids=["no slots", "slots"])
def test_a_beacon_overheard_tells_what_a_scan_would(gts: bytes, *, permits: bool) -> None:
    found = network_in(beacon(permits=permits, gts=gts))
    assert found == HanNetwork(HUB, PAN, 15, permits, 200, -50)


def test_a_beacon_of_another_protocol_and_other_frames_tell_of_no_network() -> None:
    other = beacon()
    assert network_in(poll(0)) is None
    foreign = bytearray(other.octets)
    foreign[11] = 3  # protocol id
    assert network_in(Heard(0, 15, bytes(foreign))) is None
    assert network_in(Heard(0, 15, other.octets[:14])) is None


@given(st.lists(networks, max_size=12))
@settings(max_examples=examples(150), derandomize=True)
def test_of_several_beacons_the_strongest_counts_and_one_open_router_opens_the_network(
    beacons: list[HanNetwork],
) -> None:
    kept = strongest(beacons)
    keys = [(one.extended_pan_id, one.pan_id, one.channel) for one in kept]
    assert len(keys) == len(set(keys))
    for one, key in zip(kept, keys, strict=True):
        mine = [b for b in beacons if (b.extended_pan_id, b.pan_id, b.channel) == key]
        assert one.rssi_dbm == max(b.rssi_dbm for b in mine)
        assert one.permits == any(b.permits for b in mine)
    assert strongest(reversed(beacons)) == kept or len(beacons) > len(kept)


@given(st.lists(st.tuples(st.integers(11, 26), st.integers(-100, 0)), max_size=40))
@settings(max_examples=examples(100), derandomize=True)
def test_the_most_energy_of_each_channel_counts(results: list[tuple[int, int]]) -> None:
    found = most_energy(results)
    assert list(found) == sorted({channel for channel, _ in results})
    assert all(found[channel] >= dbm for channel, dbm in results)
    assert all((channel, dbm) in results for channel, dbm in found.items())


def test_an_observation_tells_all_of_a_capture_and_is_json() -> None:
    frames = [
        beacon(),
        *(poll(n * 60 * SECOND) for n in range(4)),
        *(block(n * SECOND, n * 40, bytes(40), n) for n in range(3)),
        Heard(9, 15, b"\x07"),
    ]
    seen = Observation.of(frames)
    assert (seen.frames, seen.unreadable, seen.channels) == (9, 1, (15,))
    assert seen.networks == (HanNetwork(HUB, PAN, 15, True, 200, -50),)
    told = seen.row()
    assert told["kinds"] == {"beacon": 1, "data": 3, "command": 4}
    assert json.loads(json.dumps(told)) == told
    text = shown([*wakes_parts(seen.wakes), *transfers_parts(seen.transfers)])
    assert f"0x{METER:04X}" in text
    assert "60 s" in text
    assert "10F2-0010-02000001" in text


def test_an_inferred_transfer_says_so_to_people() -> None:
    seen = Observation.of(enciphered(100, pause_at=9))
    text = shown(list(transfers_parts(seen.transfers)))
    assert "110 octets *" in text
    assert "nothing was deciphered" in text
    assert "1 stall, the longest 30.1 s" in text
    assert shown(list(transfers_parts(()))).strip() == "no firmware transfer was seen"
