"""A recorded dongle played again: what differs is named, and what may differ does not matter."""

import asyncio
from pathlib import Path

import pytest

from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import DataFrame
from harness.dlms_view.line import Way
from harness.errors import UsageError
from harness.transcript import Chunk, EventKind, LineEvent
from harness.transcript_about import About
from harness.transcript_file import load, pcapng_of, toml_of
from hil.cli_replay_dongle import replay_dongle
from hil.drivers.zigbee_observer import ZigbeeObserver
from hil.zigbee.errors import DongleError
from hil.zigbee.ezsp import DongleEzsp
from hil.zigbee.guard import Guard, Role
from hil.zigbee.replay import exchanges
from hil.zigbee.replay_place import ReplayedDongleEndpoint
from hil.zigbee.settings import DongleSettings
from hil.zigbee.transcript import DongleTranscript, load_dongle
from tests.hil.drivers.hub_given import served

LIMIT_S = 60


async def _census(address: str, tap: DongleTranscript | None = None) -> list[object]:
    observer = ZigbeeObserver(DongleSettings(address), tap)
    try:
        told = await observer.open()
        return [told, await observer.energy([15, 16]), await observer.networks([15])]
    finally:
        await observer.close()


def recorded(folder: Path, about: About | None = None) -> tuple[Path, list[object]]:
    """Look around with a dongle, and keep what was said."""
    name = folder / "dongle"

    async def scene() -> list[object]:
        tap = DongleTranscript(name, about)
        tap.session()
        try:
            async with served() as dongle:
                return await _census(dongle.address, tap)
        finally:
            tap.finish()

    return name, asyncio.run(asyncio.wait_for(scene(), LIMIT_S))


@pytest.mark.parametrize("place", ["pty", "tcp://127.0.0.1:0"])
def test_bellows_hears_of_a_recorded_dongle_what_it_heard_then(place: str, tmp_path: Path) -> None:
    name, before = recorded(tmp_path)
    endpoint = ReplayedDongleEndpoint(name)
    try:
        again = asyncio.run(asyncio.wait_for(_census(endpoint.start(place)), LIMIT_S))
    finally:
        endpoint.stop()
    assert again == before
    assert endpoint.dongle.differences == []
    assert endpoint.dongle.left == 0


def test_the_first_command_that_differs_is_named(tmp_path: Path) -> None:
    name, _before = recorded(tmp_path)
    told: list[str] = []
    endpoint = ReplayedDongleEndpoint(name, tell=lambda one: told.append(str(one)))

    async def scene(address: str) -> None:
        ezsp = DongleEzsp(DongleSettings(address), Guard(Role.OBSERVER))
        await ezsp.connect()
        try:
            await ezsp.read_eui64()
            with pytest.raises(DongleError):
                await ezsp.checked("getRandomNumber")
        finally:
            await ezsp.disconnect()

    try:
        asyncio.run(asyncio.wait_for(scene(endpoint.start()), LIMIT_S))
    finally:
        endpoint.stop()
    (found,) = endpoint.dongle.differences
    assert "getRandomNumber" in found.asked
    assert "not recorded" in found.recorded
    assert told == [str(found)]
    assert str(found).startswith(f"command {found.number}, getRandomNumber")


def _said(way: Way, payload: bytes) -> Chunk:
    return Chunk(0, way, ash.encode(DataFrame(0, 0, payload)))


def test_what_came_behind_a_sign_of_life_belongs_to_the_command_before() -> None:
    nop, callback = b"\x02\x00\x01\x05\x00", b"\x02\x90\x01\x45\x00rest"
    records: list[Chunk | LineEvent] = [
        _said(Way.IN, b"\x01\x00\x01\x26\x00"),
        _said(Way.OUT, b"\x01\x80\x01\x26\x00" + bytes(8)),
        _said(Way.IN, nop),
        LineEvent(0, EventKind.TIMEOUT),
        _said(Way.OUT, b"\x02\x80\x01\x05\x00"),
        _said(Way.OUT, callback),
    ]
    (only,) = exchanges(records, 13)
    assert only.command[3] == 0x26
    assert [said[3] for said in only.said] == [0x26, 0x45]


@pytest.mark.parametrize(("version", "tag"), [(13, b"\x09"), (14, b"\x09\x00")])
def test_the_time_of_day_may_be_another(version: int, tag: bytes) -> None:
    def answer(cluster: int, seconds: bytes) -> Chunk:
        aps = b"\x09\x01" + cluster.to_bytes(2, "little") + bytes(7)
        zcl = b"\x18\x01\x01" + b"\x00\x00\x00\xe2" + seconds
        parameters = b"\x00\x34\x12" + aps + tag + bytes((len(zcl),)) + zcl
        return _said(Way.IN, b"\x01\x00\x01\x34\x00" + parameters)

    for cluster, alike in ((0x000A, True), (0x0702, False)):
        one, other = exchanges([answer(cluster, b"abcd"), answer(cluster, b"efgh")], version)
        assert (one.command == other.command) is alike


def test_a_transcript_goes_on_where_it_was_even_behind_half_a_record(tmp_path: Path) -> None:
    name, _before = recorded(tmp_path, About(seed=3))
    first = load(name)
    with pcapng_of(name).open("ab") as file:
        file.write(b"\x06\x00\x00\x00\x40\x00")  # a writer that was killed
    toml_of(name).write_text(
        toml_of(name).read_text().replace("complete = true", "complete = false")
    )
    again = DongleTranscript(name)
    again.session()
    again.finish()
    both = load_dongle(name)
    assert both.records[: len(first.records)] == first.records
    assert isinstance(both.records[-1], LineEvent)
    assert both.about.started_at == first.about.started_at
    assert both.about.ezsp == 13
    assert both.about.complete


def test_keys_are_kept_in_clear_only_where_that_is_asked(tmp_path: Path) -> None:
    key = bytes(range(1, 17))
    frame = ash.encode(DataFrame(0, 0, b"\x01\x00\x01\x11\x01" + bytes(8) + key + b"\x00"))
    for clear in (False, True):
        tap = DongleTranscript(tmp_path / f"{clear}", clear=clear)
        tap.chunk("in", frame, 0)
        about = tap.finish()
        found = load_dongle(tmp_path / f"{clear}").octets(Way.IN)
        assert (found == frame) is clear
        assert about.keys_in_clear is clear
        assert pcapng_of(tmp_path / f"{clear}").stat().st_mode & 0o777 == 0o600


def test_a_dongles_line_is_played_as_the_dongle_alone(tmp_path: Path) -> None:
    name, _before = recorded(tmp_path)
    with pytest.raises(UsageError, match="as the dongle, not as its host"):
        replay_dongle(load(name), "pty", "client", as_json=False)
    with pytest.raises(UsageError):
        ReplayedDongleEndpoint(name).start("serial:/dev/null")
