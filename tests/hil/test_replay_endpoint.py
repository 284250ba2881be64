import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.core.chance import Stream
from harness.dlms.settings import Framing
from harness.errors import BenchError, UsageError
from harness.replay_player import Mismatch, StrictPlayer
from hil.drivers.serial_meter import SerialMeter
from hil.guard_port import Unguarded
from hil.reopen import Reopener
from hil.replay_device import ReplayEndpoint
from hil.serial_port import SerialPort
from tests.harness.recorded import CHANCE, CLOCK, IMPORT, SEED, Recorded, save
from tests.hil.lines import SOON_S


@contextmanager
def meter_on(told: Recorded, address: str) -> Iterator[SerialMeter]:
    """Our own driver on the address of a player."""
    settings = told.line._settings
    reopener = Reopener(address, lambda: SerialPort.open(address, 9600), 2.0, print)
    draw = Stream(SEED, CHANCE).octets
    meter = SerialMeter(reopener.once(), settings, guard=Unguarded(), reopener=reopener, draw=draw)
    try:
        yield meter
    finally:
        meter.close()


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("framing", "listen"),
    [
        (Framing.OPTICAL, "pty"),
        (Framing.HDLC, "tcp://127.0.0.1:0"),
        (Framing.WRAPPER, "wrapper://127.0.0.1:0"),
    ],
)
def test_our_driver_reads_a_recorded_meter_over_a_real_line(
    tmp_path: Path, framing: Framing, listen: str, strict: bool
) -> None:
    told = Recorded(framing=framing)
    values = told.read("reader", CLOCK, IMPORT)
    save(tmp_path / "one", told.transcript(), {"s": told.wire.keys.secrets["reader"]})
    with ReplayEndpoint(tmp_path / "one", strict=strict) as endpoint:
        with meter_on(told, endpoint.start(listen)) as meter:
            assert meter.associate(told.credentials("reader")) == values[0]
            assert [meter.get([CLOCK]), meter.get([IMPORT])] == values[1:3]
            meter.release()
        assert endpoint.mismatches == []
        assert endpoint.player.left == 0


def test_recorded_waits_pass_as_fast_as_asked() -> None:
    told = Recorded(framing=Framing.WRAPPER)
    told.read("public", CLOCK)
    spread = [
        replace(one, at_ns=one.at_ns + number * 40_000_000_000)
        for number, one in enumerate(told.records)
    ]
    transcript = replace(told.transcript(), records=tuple(spread))
    began = time.monotonic()
    with (
        ReplayEndpoint(transcript, speed=800) as endpoint,
        meter_on(told, endpoint.start("wrapper://127.0.0.1:0")) as meter,
    ):
        assert meter.associate(told.credentials("public")).accepted
    assert 0.03 < time.monotonic() - began < SOON_S  # as recorded it takes minutes


def test_a_client_that_goes_away_makes_room_for_the_next() -> None:
    told = Recorded(framing=Framing.WRAPPER)
    told.read("public", CLOCK)
    with ReplayEndpoint(told.transcript(), strict=False) as endpoint:
        host, port = endpoint.start("wrapper://127.0.0.1:0")[10:].split(":")
        for _ in range(3):
            socket.create_connection((host, int(port))).close()
        with meter_on(told, endpoint.address) as meter:
            assert meter.associate(told.credentials("public")).accepted


def test_mismatches_are_told_when_they_happen() -> None:
    told = Recorded(framing=Framing.WRAPPER)
    heard: list[Mismatch] = []
    told.read("public", CLOCK)
    with ReplayEndpoint(told.transcript(), strict=False, tell=heard.append) as endpoint:
        with meter_on(told, endpoint.start("wrapper://127.0.0.1:0")) as meter:
            meter.associate(told.credentials("public"))
            meter.get([IMPORT])
        give_up = time.monotonic() + SOON_S  # it is told after the answer was sent
        while not heard and time.monotonic() < give_up:
            time.sleep(0.01)
        assert [one.got for one in heard] == ["GET Active import, value (3 / 1-0:1.8.0.255 a2)"]


@pytest.mark.parametrize(
    ("framing", "listen"),
    [
        (Framing.WRAPPER, "pty"),
        (Framing.WRAPPER, "tcp://127.0.0.1:0"),
        (Framing.HDLC, "wrapper://127.0.0.1:0"),
        (Framing.HDLC, "tcp://127.0.0.1"),
        (Framing.HDLC, "tcp://127.0.0.1:x"),
        (Framing.HDLC, "rfc2217://127.0.0.1:0"),
    ],
)
def test_a_place_that_does_not_fit_the_recording_is_refused(framing: Framing, listen: str) -> None:
    told = Recorded(framing=framing)
    told.read("public", CLOCK)
    endpoint = ReplayEndpoint(told.transcript())
    with pytest.raises(UsageError, match="no place for this recording"):
        endpoint.start(listen)
    endpoint.stop()


def test_a_place_in_use_is_the_benchs_fault() -> None:
    told = Recorded()
    told.read("public", CLOCK)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = ReplayEndpoint(told.transcript())
        with pytest.raises(BenchError, match="nobody can be listened to"):
            endpoint.start(f"tcp://127.0.0.1:{taken.getsockname()[1]}")
        endpoint.stop()
    assert isinstance(endpoint.player, StrictPlayer)
