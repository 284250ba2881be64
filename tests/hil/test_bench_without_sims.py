"""What a bench in real time says when it is asked for what only emulated homes have."""

import asyncio
from pathlib import Path

import pytest

from emulator.codecs.dlms.acse import Mechanism
from harness.errors import BenchError, UsageError
from harness.meter import Credentials
from harness.run_options import RunOptions
from hil.bench_file import load_bench
from hil.line_bench import HilBench
from tests.hil.bench_texts import HEAD, write_bench


@pytest.fixture
def bench(tmp_path: Path) -> HilBench:
    """A bench of one loopback meter; nothing of it is opened."""
    path = write_bench(tmp_path, HEAD + '[roles.ESME]\nendpoint = "loopback:smets1"\n')
    return HilBench(load_bench(path), RunOptions(bench=path))


def test_no_sim_of_a_real_bench_can_be_moved(bench: HilBench) -> None:
    with pytest.raises(BenchError, match="no CHF whose SIM could be moved") as raised:
        bench.hub_wan()
    assert "not by a program" in str(raised.value.cause)
    assert "smetsbench scenarios" in str(raised.value.next_command)


def test_a_fault_at_run_time_cannot_be_made_here_and_nonsense_is_told_apart(
    bench: HilBench,
) -> None:
    for order in ("mute@line", "clear@line"):
        with pytest.raises(BenchError, match="cannot be disturbed"):
            asyncio.run(bench.disturb(order))
    for order in ("mut@line", "clear@sky"):
        with pytest.raises(UsageError, match="means nothing"):
            asyncio.run(bench.disturb(order))


def test_a_device_the_bench_has_not_is_an_error_whatever_is_asked(bench: HilBench) -> None:
    who = Credentials("public", 16, Mechanism.NONE)
    with pytest.raises(BenchError, match="no GSME"):
        bench.opens_to("GSME", who)
    with pytest.raises(BenchError, match="no GSME"):
        bench.memory("GSME")
