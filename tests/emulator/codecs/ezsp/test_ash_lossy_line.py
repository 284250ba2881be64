"""Two ends over a bad line deliver every payload once and in order."""

from collections.abc import Callable
from functools import partial

import pytest

from emulator.codecs.ezsp.ash_actions import LinkState
from emulator.codecs.ezsp.ash_receiver import MAX_KEPT_BYTES
from emulator.core.chance import Stream
from tests.emulator.codecs.ezsp.ash_given import FAULTS, Line, connected, spoil
from tests.sampling import examples

_PAYLOADS = 10_000


def _one_of(share: float, chance: Stream) -> Callable[[bytes], list[bytes]]:
    """Spoil a share of the frames, each in one way."""

    def happen(octets: bytes) -> list[bytes]:
        if not chance.happens(share):
            return [octets]
        return spoil(FAULTS[chance.below(len(FAULTS))], octets, chance)

    return happen


def _each(share: float, chance: Stream) -> Callable[[bytes], list[bytes]]:
    """Let every fault happen to that share of the frames; several may meet."""

    def happen(octets: bytes) -> list[bytes]:
        pieces = [octets]
        for kind in FAULTS:
            if chance.happens(share):
                pieces = [part for piece in pieces if piece for part in spoil(kind, piece, chance)]
        return pieces

    return happen


def _numbered(count: int) -> list[bytes]:
    return [number.to_bytes(4, "big") + bytes(number % 60) for number in range(count)]


def _commands(line: Line, wanted: list[bytes], on: Callable[[int], None]) -> None:
    """Send commands one by one, each answered by the NCP with its own octets and a callback."""

    def answer(payload: bytes) -> None:
        line.act("ncp", line.ncp.send(payload, line.now))
        line.act("ncp", line.ncp.send(b"cb" + payload, line.now, callback=True))

    def answered(payload: bytes) -> bool:
        return payload in line.at_host[-2:]

    line.on_ncp = answer
    for number, payload in enumerate(wanted):
        on(number)
        line.act("host", line.host.send(payload, line.now))
        line.run(partial(answered, payload))
        assert not line.failures, line.failures
    line.run(lambda: line.host.idle and line.ncp.idle)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_commands_on_a_line_that_spoils_one_frame_in_twenty_are_carried_out_once(
    seed: int,
) -> None:
    wanted = _numbered(examples(_PAYLOADS) // 5)
    line = connected(_one_of(0.05, Stream(seed, "line")))
    _commands(line, wanted, lambda _number: None)
    assert line.at_ncp == wanted
    assert [payload for payload in line.at_host if payload[:2] != b"cb"] == wanted
    assert [payload[2:] for payload in line.at_host if payload[:2] == b"cb"] == wanted
    assert line.host.counts["retransmitted"] > 0
    assert line.ncp.counts["retransmitted"] > 0
    assert line.kept_most <= MAX_KEPT_BYTES


@pytest.mark.parametrize("direction", ["host", "ncp"])
def test_payloads_cross_a_line_of_all_faults_with_resets_once_and_in_order(direction: str) -> None:
    wanted = _numbered(examples(_PAYLOADS))
    chance = Stream(7, f"line/{direction}")
    line = connected(_each(0.05, chance))
    got = line.at_ncp if direction == "host" else line.at_host
    end = line.host if direction == "host" else line.ncp
    resets = given = 0
    while len(got) < len(wanted):
        broken = line.host.state is not LinkState.CONNECTED or line.ncp.state is LinkState.FAILED
        if broken or chance.happens(0.002):  # else somebody pulls the reset
            line.connect()
            resets += 1
            given = len(got)  # what the reset has lost is sent anew
            continue
        for payload in wanted[given : given + end.room // 32]:
            line.act(direction, end.send(payload, line.now))
            given += 1
        if not line.step():
            raise AssertionError("nothing moves any more")
        assert end.unacknowledged <= 256 + 7
    assert got == wanted
    assert resets > 0
    assert line.kept_most <= MAX_KEPT_BYTES


def test_ends_that_are_dumped_and_loaded_all_the_time_lose_nothing() -> None:
    wanted = _numbered(200)
    line = connected(_one_of(0.05, Stream(5, "line")))

    def swap(_number: int) -> None:
        host, ncp = type(line.host)(), type(line.ncp)()
        host.load(line.host.dump())
        ncp.load(line.ncp.dump())
        line.host, line.ncp = host, ncp

    _commands(line, wanted, swap)
    assert line.at_ncp == wanted
