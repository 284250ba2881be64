"""What befalls a dongle while zigpy uses it: the host notices, and can begin again."""

import asyncio
import os
import time

import pytest

from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.ncp.identity import Identity
from emulator.servers import listen
from emulator.servers.dongle_control import DongleOrders
from emulator.servers.dongle_service import DonglePlan, DongleService, serve_dongle
from tests.emulator.ncp.home_given import METER, START, a_plan
from tests.emulator.ncp.ncp_given import DONGLE
from tests.hil.test_zigpy_on_dongle import PLACES, interviewed, play, reads, until
from tests.hil.zigpy_host import started


def _unheard(_at: UtcMs, _note: Note) -> None:
    """Take a note."""


def _plan(place: str) -> DonglePlan:
    return DonglePlan(Identity(DONGLE, 13), (a_plan(),), 1, listen.parse(place), START)


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ("reset", "pty"),
        ("reset 6", "tcp"),
        ("fail", "pty"),
        ("unplug", "tcp"),
        ("unplug", "pty"),
        pytest.param("silence on", "pty", marks=pytest.mark.soak),
    ],
)
def test_the_host_notices_a_mishap_and_begins_again(order: str, place: str) -> None:
    answers: list[str] = []

    async def scene() -> None:
        service = DongleService(_plan(PLACES[place]), _unheard)
        address = await service.open()
        orders = DongleOrders(service, lambda: None, answers.append)
        try:
            async with started(address) as app:
                await app.permit(60)
                await until(lambda: interviewed(app, METER))
                lost = asyncio.Event()
                app.connection_lost = lambda _error: lost.set()
                began = time.monotonic()
                orders.data_received(f"{order}\n".encode())
                await asyncio.wait_for(lost.wait(), 30)
                assert time.monotonic() - began < 15
            orders.data_received(b"silence off\n")
            async with started(service.address) as app:
                assert (await app._ezsp.nop()) == []
        finally:
            await service.close()

    play(scene())
    assert answers == [order, "silence off"]


def test_what_is_no_order_is_refused_and_the_end_of_the_pipe_ends_the_service() -> None:
    answers: list[str] = []
    lines = ("reset 300", "fail x", "silence", "unplug now", "disturb drop@wan", "disturb", "nop")

    async def scene() -> None:
        read, write = os.pipe()
        with os.fdopen(read, "rb") as pipe:

            def ready(line: str) -> None:
                answers.append(line)
                if len(answers) == 1:
                    os.write(write, ("\n".join((*lines, "")) + "disturb drop@line\n").encode())
                if len(answers) == 2 + len(lines):
                    os.close(write)

            await serve_dongle(_plan("pty"), ready, _unheard, pipe)

    play(scene())
    assert answers[1:] == [*(f"refused {line}" for line in lines), "disturb drop@line"]


def test_a_disturbance_ends_when_its_link_is_cleared() -> None:
    async def scene() -> None:
        service = DongleService(_plan("pty"), _unheard)
        address = await service.open()
        try:
            async with started(address) as app:
                await app.permit(60)
                await until(lambda: interviewed(app, METER))
                assert service.disturb("duplicate@line-out")
                for _ in range(3):
                    assert await reads(app, METER) >= 0
                assert service.disturb("clear@line-out")
                assert await reads(app, METER) >= 0
        finally:
            await service.close()

    play(scene())
