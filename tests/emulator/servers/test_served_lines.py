"""Served lines in real time: every place gives the same answers, and none can be hung."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.core.chance import Chance
from emulator.core.effects import DlmsChannel
from emulator.servers.errors import ListenError
from emulator.servers.live_line import LineTiming
from emulator.servers.pty import MAX_KEPT_BYTES
from tests.emulator.servers.line_kit import (
    ANSWER,
    CLOSE_ALL,
    GET,
    IDENTIFICATION,
    OPTION_E,
    PUBLIC,
    REQUEST,
    SERVER,
    SIGN_ON,
    TELL_LATER,
    HdlcClient,
    apdus,
    wrapped,
)
from tests.emulator.servers.serving import PATIENCE_S, Client, Served, dial, served, until

Story = Callable[[], Awaitable[None]]


def run(story: Callable[[], Any]) -> None:
    asyncio.run(story())


async def connected(address: str, client: HdlcClient) -> Client:
    line = await dial(address)
    line.write(client.snrm())
    assert (await line.frame()).control.kind is Kind.UA
    return line


async def asked(line: Client, client: HdlcClient, apdu: bytes = GET) -> bytes:
    line.write(client.ask(apdu))
    return (await line.frame()).information[3:]


@pytest.mark.parametrize("place", ["pty", "tcp://:0", "wrapper://:0"])
def test_every_place_gives_the_same_answer(place: str) -> None:
    async def story() -> None:
        async with served(place) as home:
            if place.startswith("wrapper"):
                line = await dial(home.addresses[0])
                line.write(wrapped())
                answer = (await line.octets(8 + len(ANSWER)))[8:]
            else:
                client = HdlcClient()
                line = await connected(home.addresses[0], client)
                answer = await asked(line, client)
            assert answer == ANSWER
            line.close()

    run(story)


def test_addresses_come_in_the_order_of_the_places(tmp_path: Path) -> None:
    async def story() -> None:
        link = tmp_path / "head"
        async with served("tcp://:0", f"pty:{link}", "wrapper://:0", "rfc2217://[::1]:0") as home:
            tcp, pty, wrapper_, rfc = home.addresses
            assert tcp.startswith("tcp://127.0.0.1:")
            assert pty.startswith("/dev/pts/")
            assert str(link.readlink()) == pty
            assert wrapper_.startswith("wrapper://127.0.0.1:")
            assert rfc.startswith("rfc2217://[::1]:")
        assert not link.is_symlink()

    run(story)


def test_a_terminal_is_raw_before_anyone_opens_it() -> None:
    async def story() -> None:
        async with served("pty") as home:
            client = HdlcClient()
            line = await connected(home.addresses[0], client)
            odd = bytes(range(256))
            answer = await asked(line, client, odd[:120])
            assert answer == odd[:120]
            line.close()
            line = await dial(home.addresses[0])
            assert await asked(line, client, odd[120:240]) == odd[120:240]
            line.close()

    run(story)


def test_a_link_that_is_there_is_not_taken_and_a_dead_one_is(tmp_path: Path) -> None:
    async def story() -> None:
        link = tmp_path / "head"
        link.write_text("mine")
        with pytest.raises(ListenError, match="link cannot be made"):
            async with served(f"pty:{link}"):
                raise AssertionError("it was taken")
        assert link.read_text() == "mine"
        link.unlink()
        link.symlink_to("/dev/pts/99999")
        async with served(f"pty:{link}") as home:
            assert str(link.readlink()) == home.addresses[0]

    run(story)


def test_a_port_in_use_is_told_and_nothing_stays_open() -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
            with pytest.raises(ListenError, match="in use"):
                async with served("tcp://:0", f"wrapper://127.0.0.1:{port}"):
                    raise AssertionError("it was taken")

    run(story)


def test_two_connections_do_not_meet() -> None:
    async def story() -> None:
        async with served("tcp://:0", "wrapper://:0") as home:
            first, second = HdlcClient(), HdlcClient()
            one = await connected(home.addresses[0], first)
            two = await connected(home.addresses[0], second)
            third = await dial(home.addresses[1])
            assert await asked(one, first) == ANSWER
            one.close()
            assert await asked(two, second) == ANSWER
            third.write(wrapped())
            assert (await third.octets(8 + len(ANSWER)))[8:] == ANSWER
            await until(lambda: home.device.gone == [DlmsChannel("tcp:1", PUBLIC, SERVER)])
            for line in (two, third):
                line.close()

    run(story)


def test_closing_every_client_reaches_the_other_lines() -> None:
    async def story() -> None:
        async with served("tcp://:0", "wrapper://:0") as home:
            client, other = HdlcClient(), HdlcClient()
            first = await connected(home.addresses[0], client)
            second = await connected(home.addresses[0], other)
            third = await dial(home.addresses[1])
            third.write(wrapped())
            await third.octets(8 + len(ANSWER))
            assert await asked(first, client, CLOSE_ALL) == CLOSE_ALL
            second.write(other.ask())
            assert (await second.frame()).control.kind is Kind.DM
            assert await third.ended()
            for line in (first, second, third):
                line.close()

    run(story)


def test_what_the_device_says_on_a_timer_reaches_the_line_it_is_for() -> None:
    async def story() -> None:
        async with served("wrapper://:0", factor=50) as home:
            line = await dial(home.addresses[0])
            line.write(wrapped(TELL_LATER))
            assert await line.octets(9) == wrapped(b"\xff", SERVER, PUBLIC)
            assert await line.octets(8 + 5) == wrapped(b"\x0fnews", SERVER, PUBLIC)
            line.close()

    run(story)


def test_a_silent_client_is_cut() -> None:
    async def story() -> None:
        places = ("tcp://:0", "wrapper://:0", "rfc2217://:0")
        async with served(*places, hdlc_={"inactivity_s": 1}) as home:
            lines = [await dial(address) for address in home.addresses]
            assert all(await asyncio.gather(*(line.ended() for line in lines)))
            assert len(home.fields("line_hung_up")) == len(places)
            for line in lines:
                line.close()

    run(story)


def test_a_connection_that_ends_in_the_middle_of_a_frame_leaves_nothing() -> None:
    async def story() -> None:
        async with served("tcp://:0", "wrapper://:0") as home:
            client = HdlcClient()
            line = await connected(home.addresses[0], client)
            line.write(client.ask()[:9])
            line.close()
            other = await dial(home.addresses[1])
            other.write(wrapped()[:9])
            other.close()
            await until(lambda: home.kinds().count("line_disconnected") == 2)
            assert home.device.heard == []

    run(story)


def test_a_reset_connection_is_as_good_as_a_closed_one() -> None:
    async def story() -> None:
        async with served("wrapper://:0") as home:
            host, port = home.addresses[0].partition("://")[2].split(":")
            held = socket.create_connection((host, int(port)))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            held.sendall(wrapped())
            await until(lambda: home.device.heard == [GET])
            held.close()
            await until(lambda: bool(home.device.gone))

    run(story)


def test_a_client_that_never_reads_is_made_to_wait_and_memory_stays_bounded() -> None:
    async def story() -> None:
        async with served("wrapper://:0") as home:
            host, port = home.addresses[0].partition("://")[2].split(":")
            held = socket.create_connection((host, int(port)))
            held.setblocking(False)
            loop = asyncio.get_running_loop()
            flood = wrapped(b"\xff" * 500) * 100_000
            with pytest.raises(TimeoutError):  # the server stops reading
                await asyncio.wait_for(loop.sock_sendall(held, flood), 0.4)
            answered = sum(len(apdu) + 8 for apdu in home.device.heard)
            assert answered < 32 * 1024 * 1024
            held.close()

    run(story)


async def _written(line: Client, octets: bytes) -> None:
    """Write to a terminal that takes no more until its other end has read."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                line.write(octets)
            except BlockingIOError:
                await asyncio.sleep(0.005)
            else:
                await asyncio.sleep(0)
                return


def test_a_terminal_nobody_reads_loses_octets_and_stays_alive() -> None:
    async def story() -> None:
        async with served("pty", hdlc_={"max_information_bytes": 2000}) as home:
            client = HdlcClient()
            line = await connected(home.addresses[0], client)
            for _question in range(400):
                await _written(line, client.tell(b"\xff" * 100) + client.snrm())
            assert len(home.service._listeners[0]._kept) <= MAX_KEPT_BYTES  # type: ignore[attr-defined]  # what the port keeps is nobody's business but this test's
            line.close()
            drained = await dial(home.addresses[0])
            while not await drained.silent():
                drained.kept.clear()
            assert await asked(drained, client) == ANSWER
            drained.close()

    run(story)


def test_frames_in_pieces_are_put_together_and_a_false_header_is_given_up() -> None:
    async def story() -> None:
        async with served("pty") as home:
            client = HdlcClient()
            line = await connected(home.addresses[0], client)
            question = client.ask()
            line.write(question[:10])
            await asyncio.sleep(0.005)
            line.write(question[10:])
            assert (await line.frame()).information[3:] == ANSWER
            line.write(b"\x7e\xa7\xff\x03\x21")
            await asyncio.sleep(0.12)
            assert await asked(line, client) == ANSWER
            line.close()

    run(story)


def test_sign_on_and_mode_e_over_a_terminal() -> None:
    async def story() -> None:
        async with served("pty", sign_on=SIGN_ON) as home:
            line = await dial(home.addresses[0])
            line.write(REQUEST)
            assert await line.octets(len(IDENTIFICATION)) == IDENTIFICATION
            line.write(OPTION_E)
            assert await line.octets(len(OPTION_E)) == OPTION_E
            client = HdlcClient()
            line.write(client.snrm())
            assert (await line.frame()).control.kind is Kind.UA
            assert await asked(line, client) == ANSWER
            line.close()

    run(story)


# -- faults and power ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        ("drop:kind=hdlc.i*,n=1@line-in", 1),
        ("drop:kind=hdlc.i*,n=1@line-out", 1),
        ("corrupt:kind=hdlc.i*,n=1@line-in", 1),
        ("truncate:kind=hdlc.i*,n=1@line-out", 1),
        ("noise:octets=5,n=2@line-in", 2),
        ("duplicate:kind=hdlc.i*,n=1@line-in", 2),
        ("delay:ms=80,kind=hdlc.i*,n=1@line", 1),
    ],
)
def test_faults_touch_one_frame_of_the_line(fault: str, answers: int) -> None:
    async def story() -> None:
        async with served("tcp://:0", faults=[fault]) as home:
            client = HdlcClient()
            line = await connected(home.addresses[0], client)
            question = client.ask()
            line.write(question)
            got: list[bytes] = []
            while len(got) < answers:
                if await line.silent(0.25):
                    line.kept.clear()
                    line.write(question)  # as a client repeats itself
                got += apdus(bytes(line.kept))
            assert got[:answers] == [ANSWER] * answers
            assert home.device.heard == [GET]
            assert home.fields("fault")[0]["fault"] == fault
            line.close()

    run(story)


def test_power_loss_resets_connections_and_the_terminal_stays() -> None:
    async def story() -> None:
        order = "power-loss:note=asked,off_s=0.8@esme"
        async with served("tcp://:0", "pty", faults=[order]) as home:
            client, other = HdlcClient(), HdlcClient()
            tcp = await connected(home.addresses[0], client)
            pty = await connected(home.addresses[1], other)
            await asked(tcp, client)
            await until(lambda: home.device.power == [True, False])
            pty.write(other.ask())
            assert await pty.silent(0.1)
            await until(lambda: home.device.power == [True, False, True])
            assert await tcp.ended()
            pty.write(other.ask())
            assert (await pty.frame()).control.kind is Kind.DM
            for line in (tcp, pty):
                line.close()

    run(story)


def test_a_fault_at_a_time_follows_the_device_s_clock() -> None:
    async def story() -> None:
        order = "power-loss:after_s=30,off_s=10@esme"
        async with served("pty", faults=[order], factor=200) as home:
            await until(lambda: home.device.power == [True, False, True])
            assert home.device.at[-1] - home.device.at[0] >= 40_000

    run(story)


def test_a_fault_without_effect_says_so() -> None:
    async def story() -> None:
        async with served("pty", faults=["battery-low:after_s=0@esme"]) as home:
            await until(lambda: "fault_without_effect" in home.kinds())

    run(story)


# -- pace --------------------------------------------------------------------------------------


def test_a_paced_line_takes_the_time_its_octets_take() -> None:
    async def story() -> None:
        async with served("pty", timing=LineTiming(pace=9600)) as home:
            client = HdlcClient()
            loop = asyncio.get_running_loop()
            line = await connected(home.addresses[0], client)
            began, octets = loop.time(), 0
            for _question in range(4):
                question = client.ask(b"\xff" * 100)
                line.write(question)
                frame = await line.frame()
                octets += len(question) + len(hdlc.encode(frame))
            ratio = (loop.time() - began) / (octets * 10 / 9600)
            assert 1 <= ratio < 20  # its octets set the pace; a busy machine may add to it
            line.close()

    run(story)


def test_a_paced_sign_on_is_as_slow_as_its_speed() -> None:
    async def story() -> None:
        async with served("pty", sign_on=SIGN_ON, timing=LineTiming(pace=9600)) as home:
            loop = asyncio.get_running_loop()
            line = await dial(home.addresses[0])
            began = loop.time()
            line.write(REQUEST)
            await line.octets(len(IDENTIFICATION))
            limit = (len(REQUEST) + len(IDENTIFICATION)) * 10 / 300
            assert limit <= loop.time() - began < limit * 20
            line.close()

    run(story)


def test_a_flood_on_a_paced_line_is_held_back() -> None:
    async def story() -> None:
        async with served("tcp://:0", timing=LineTiming(pace=2400)) as home:
            line = await dial(home.addresses[0])
            loop = asyncio.get_running_loop()
            host, port = home.addresses[0].partition("://")[2].split(":")
            held = socket.create_connection((host, int(port)))
            held.setblocking(False)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_sendall(held, bytes(1 << 25)), 0.5)
            held.close()
            line.close()

    run(story)


def test_the_turn_round_is_kept() -> None:
    async def story() -> None:
        async with served("tcp://:0", timing=LineTiming(turn_round_s=0.1)) as home:
            loop = asyncio.get_running_loop()
            line = await dial(home.addresses[0])
            began = loop.time()
            line.write(HdlcClient().snrm())
            await line.frame()
            assert 0.1 <= loop.time() - began < PATIENCE_S
            line.close()

    run(story)


def test_stopping_closes_what_is_open() -> None:
    async def story() -> None:
        async with served("tcp://:0", "wrapper://:0", "rfc2217://:0") as home:
            lines = [await dial(address) for address in home.addresses]
            await until(lambda: home.kinds().count("line_connected") == 3)
        for line in lines:
            assert await line.ended()
            line.close()

    run(story)


def test_a_second_client_of_a_serial_server_is_turned_away() -> None:
    async def story() -> None:
        async with served("rfc2217://:0") as home:
            first = await dial(home.addresses[0])
            await first.octets(3)
            second = await dial(home.addresses[0])
            assert await second.ended()
            first.close()
            await until(lambda: "line_disconnected" in home.kinds())
            third = await dial(home.addresses[0])
            assert len(await third.octets(3)) == 3
            for line in (second, third):
                line.close()

    run(story)


def _quiet(home: Served) -> bool:
    return "malformed_frame" not in home.kinds()


def test_random_octets_on_every_place_break_nothing() -> None:
    async def story() -> None:
        async with served("tcp://:0", "wrapper://:0", "rfc2217://:0", "pty") as home:
            for address in home.addresses:
                line = await dial(address)
                line.write(Chance(1).stream(address).octets(3000))
                await asyncio.sleep(0.02)
                line.close()
            client = HdlcClient()
            line = await connected(home.addresses[0], client)
            assert await asked(line, client) == ANSWER
            assert _quiet(home)
            line.close()

    run(story)
