"""The emulated serial server with real clients: speed and parity count, as on a real head."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import serial
import serialx

from emulator.codecs.dlms import hdlc, mode_e
from emulator.codecs.dlms.hdlc_control import Kind
from tests.emulator.servers.line_kit import (
    ANSWER,
    IDENTIFICATION,
    OPTION_E,
    REQUEST,
    SIGN_ON,
    HdlcClient,
)
from tests.emulator.servers.serving import PATIENCE_S, served

#: pyserial 3.5 starts its reading thread in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name)")
FAST_SIGN_ON = SIGN_ON | {"manufacturer": "SBc"}


def through(story: Callable[[str], Any], **changes: Any) -> Any:
    """Run a blocking client against a served meter."""

    async def run() -> Any:
        async with served("rfc2217://:0", **changes) as home:
            return await asyncio.to_thread(story, home.addresses[0])

    return asyncio.run(run())


def frame(port: Any) -> hdlc.Frame:
    head = port.read(3)
    return hdlc.decode(head + port.read(((head[1] & 7) << 8 | head[2]) - 1))


def ask_register(port: Any) -> bytes:
    client = HdlcClient()
    port.write(client.snrm())
    assert frame(port).control.kind is Kind.UA
    port.write(client.ask())
    return frame(port).information[3:]


def test_a_register_is_read_at_the_right_speed() -> None:
    def story(url: str) -> bytes:
        with serial.serial_for_url(url, baudrate=9600, timeout=PATIENCE_S) as port:
            return ask_register(port)

    assert through(story) == ANSWER


@pytest.mark.parametrize(
    "settings",
    [
        {"baudrate": 300},
        {"baudrate": 9600, "bytesize": 7, "parity": "E"},
    ],
)
def test_at_a_wrong_setting_the_meter_hears_garbage_and_says_nothing(
    settings: dict[str, Any],
) -> None:
    def story(url: str) -> bytes:
        with serial.serial_for_url(url, timeout=0.3, **settings) as port:
            port.write(HdlcClient().snrm())
            return bytes(port.read(9))

    assert through(story) == b""


@pytest.mark.parametrize("seven_even", [True, False])
def test_mode_e_with_parity_in_the_port_or_in_software(seven_even: bool) -> None:
    def story(url: str) -> bytes:
        setting: dict[str, Any] = {"bytesize": 7, "parity": "E"} if seven_even else {}
        with serial.serial_for_url(url, baudrate=300, timeout=PATIENCE_S, **setting) as port:
            strip = mode_e.without_parity if seven_even else bytes
            port.write(strip(REQUEST))
            assert port.read(len(IDENTIFICATION)) == strip(IDENTIFICATION)
            port.write(strip(OPTION_E))
            port.baudrate = 9600
            assert port.read(len(OPTION_E)) == strip(OPTION_E)
            if seven_even:
                port.bytesize, port.parity = 8, "N"
            return ask_register(port)

    assert through(story, sign_on=SIGN_ON) == ANSWER


def test_a_client_that_forgets_to_change_its_speed_hears_garbage() -> None:
    def story(url: str) -> bytes:
        with serial.serial_for_url(url, baudrate=300, timeout=PATIENCE_S) as port:
            port.write(REQUEST)
            assert port.read(len(IDENTIFICATION)).endswith(b"\x8d\x0a")
            port.write(OPTION_E)
            port.timeout = 0.6  # for what is not going to come
            return bytes(port.read(len(OPTION_E)))

    heard = through(story, sign_on=FAST_SIGN_ON)
    assert heard != OPTION_E
    assert len(heard) < len(OPTION_E)


def test_the_meter_takes_its_reaction_time() -> None:
    def story(url: str) -> float:
        with serial.serial_for_url(url, baudrate=300, timeout=PATIENCE_S) as port:
            began = time.monotonic()
            port.write(REQUEST)
            port.read(1)
            return time.monotonic() - began

    assert through(story, sign_on=SIGN_ON) >= 0.2


def test_the_meter_stays_as_it_is_when_clients_come_and_go() -> None:
    def story(url: str) -> bytes:
        with serial.serial_for_url(url, baudrate=9600, timeout=PATIENCE_S) as port:
            client = HdlcClient()
            port.write(client.snrm())
            assert frame(port).control.kind is Kind.UA
        with serial.serial_for_url(url, baudrate=9600, timeout=PATIENCE_S) as port:
            port.write(client.ask())
            return frame(port).information[3:]

    assert through(story) == ANSWER


def test_serialx_reads_a_register_too() -> None:
    async def run() -> bytes:
        async with served("rfc2217://:0") as home:
            reader, writer = await serialx.open_serial_connection(
                url=home.addresses[0], baudrate=9600
            )
            client = HdlcClient()
            writer.write(client.snrm())
            await _frame(reader)
            writer.write(client.ask())
            answer = (await _frame(reader)).information[3:]
            writer.close()
            await writer.wait_closed()
            return answer

    assert asyncio.run(run()) == ANSWER


async def _frame(reader: asyncio.StreamReader) -> hdlc.Frame:
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readexactly(3)
        return hdlc.decode(head + await reader.readexactly(((head[1] & 7) << 8 | head[2]) - 1))
