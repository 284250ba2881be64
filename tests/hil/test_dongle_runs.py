"""Runs with a dongle: their transcript, its replay, mishaps in the middle, and going on after."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.core.clock import UtcMs
from harness.dlms_view.line import Way
from harness.judging import Finding
from harness.resume import resume
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import Silent, start
from harness.scenario import Scenario
from harness.transcript import Chunk, EventKind, LineEvent
from harness.transcript_file import load
from harness.verdict import Verdict
from hil.dongle_bench import DongleBench
from hil.dongle_child import DongleChild
from hil.zigbee.replay import exchanges
from tests.hil.dongle_bench_given import ESME, HEAD, STICK, bench_file, on_bench
from tests.hil.tunnelled_reads import Told, opened, registers_request, version_request

#: What the contract gives a bench to notice, by the moments in the run's own files, and what the
#: whole may take, closing included, on a machine that is not ours alone.
LIMIT_S = 15.0
NOTICE_S = 120.0
READ_S = 600
_FORM = 0x1E
_NO_ACKS = "has reset or failed (error exceeded maximum ack timeout count)"


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_run_keeps_the_whole_line_of_its_dongle_and_plays_again_from_it(tmp_path: Path) -> None:
    bench = bench_file(tmp_path, HEAD + STICK + ESME)
    folder, record = start(["FM-05"], RunOptions(bench=bench.path), out=tmp_path / "first")
    assert record.verdict is Verdict.PASS
    assert record.files["dongle"] == "dongle.pcapng"
    found = load(folder.file("dongle"))
    assert (found.about.line, found.about.role, found.about.complete) == (
        "dongle",
        "hub stick",
        True,
    )
    kinds = [one.kind for one in found.records if isinstance(one, LineEvent)]
    assert kinds[:2] == [EventKind.SESSION, EventKind.OPEN]
    assert kinds[-1] is EventKind.CLOSE
    assert len(found.octets(Way.IN)) > 5_000
    assert found.about.masked
    commands = [one.command[3] for one in exchanges(found.records, 13)]
    assert _FORM in commands

    replay = STICK.replace("loopback:dongle", "replay:first/dongle")
    again = bench_file(tmp_path, HEAD + replay + ESME)
    _folder, record = start(["FM-05"], RunOptions(bench=again.path), out=tmp_path / "second")
    assert record.verdict is Verdict.PASS, record.scenarios[0].reason
    _folder, record = start(["FM-05"], RunOptions(bench=again.path, seed=2), out=tmp_path / "other")
    assert record.verdict is Verdict.ERROR
    assert "the recorded dongle was asked something else: command" in record.scenarios[0].reason


class Mishap(Silent):
    """Somebody who lets something befall the dongle when a step has ended."""

    def __init__(self, order: str, children: list[DongleChild]) -> None:
        self.order = order
        self.at = 0.0
        self._children = children

    def step_ended(self, scenario: Scenario, number: int, finding: Finding, at: UtcMs) -> None:
        """Strike once, in the middle of the transfer that follows."""
        del scenario, finding, at
        if number == 1 and not self.at:
            self.at = time.monotonic()
            self._children[-1].child.tell(self.order)

    def scenario_ended(self, scenario: Scenario, result: Mapping[str, Any]) -> None:
        """Measure how long the bench took."""
        del scenario, result
        if self.at:
            self.at = time.monotonic() - self.at


def noticed_s(folder: RunFolder) -> float:
    """Return the time between the last octets of the dongle and the end of the bench's line."""
    heard_ns = 0
    for one in load(folder.file("dongle")).records:
        if isinstance(one, Chunk):
            heard_ns = one.at_ns if one.way is Way.OUT else heard_ns
        elif one.kind in {EventKind.CLOSE, EventKind.ERROR}:
            return (one.at_ns - heard_ns) / 1e9
    raise AssertionError("the line was never closed")


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("order", "words"),
    [
        # bellows or the watch gives up first: whichever has asked first
        ("silence on", ("has not answered for", _NO_ACKS)),
        ("fail", (_NO_ACKS,)),
        ("reset", ("has reset or failed (reset watchdog)",)),
        ("unplug", ("went away while it was in use",)),
    ],
)
def test_a_mishap_ends_the_scenario_as_an_error_and_resume_plays_it_to_its_end(
    order: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[DongleChild] = []
    begun = DongleChild.start

    def started(*arguments: Any, **more: Any) -> DongleChild:
        children.append(begun(*arguments, **more))
        return children[-1]

    monkeypatch.setattr(DongleChild, "start", started)
    bench = bench_file(tmp_path, HEAD + STICK + ESME)
    mishap = Mishap(order, children)
    options = RunOptions(bench=bench.path)
    folder, record = start(["FM-01"], options, out=tmp_path / "run", watcher=mishap)
    assert record.verdict is Verdict.ERROR, record.scenarios[0].reason
    assert "the dongle at tcp://127.0.0.1:" in record.scenarios[0].reason
    assert any(word in record.scenarios[0].reason for word in words), record.scenarios[0].reason
    assert noticed_s(folder) < LIMIT_S
    assert mishap.at < NOTICE_S
    before = load(folder.file("dongle")).about.sha256
    _folder, record = resume(folder.path)
    assert record.verdict is Verdict.PASS, record.scenarios[0].reason
    found = load(folder.file("dongle"))
    assert found.about.sha256 != before
    sessions = [one for one in found.records if isinstance(one, LineEvent)]
    assert sum(one.kind is EventKind.SESSION for one in sessions) == 2


@pytest.mark.soak
@pytest.mark.timeout(200)
@pytest.mark.parametrize("version", [8, 13, 14, 18, 19])
def test_tunnelled_reads_are_answered_on_every_version_of_ezsp(
    version: int, tmp_path: Path
) -> None:
    async def scene(bench: DongleBench) -> list[Told]:
        found = []
        for message in (version_request(1_000), registers_request(1_001)):
            await bench.hub.send(message)
            answer = await bench.hub.received(UtcMs(bench.clock.now() + READ_S * 1000))
            assert answer is not None
            found.append(opened(answer))
        return found

    text = HEAD + STICK + f"ezsp = [{version}]\n" + ESME
    one, other = on_bench(bench_file(tmp_path, text), scene)
    assert (one.use_case, one.counter, one.results) == ("ECS52", 1_000, [0])
    assert one.values[0].value == b"\x01\0\0\0"
    assert (other.use_case, other.counter, other.results) == ("ECS17b", 1_001, [0])
