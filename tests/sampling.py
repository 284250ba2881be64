"""Which cases and how many examples run every day (``make test``); the rest is ``make soak``.

Both say so in ``SMETSBENCH_SAMPLE``; a test run by hand runs whole. A test function with many cases
keeps a few of them, always the same; a function without cases is always run, unless it is marked
``soak`` itself. Property tests draw a share of their examples every day, and run again, whole, in
the soak.
"""

import os
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

#: What ``make test`` and ``make soak`` say in ``SMETSBENCH_SAMPLE``.
DAILY: Final = "1"
SOAK: Final = "soak"
_SHARE: Final = 25
_LEAST: Final = 6

#: Cases of one test function that run every day, unless a line of ``CASES_OF`` says otherwise.
CASES: Final = 1
#: Beginning of a test's id -> cases of each function below it; the longest that fits counts.
CASES_OF: Final[Mapping[str, int]] = {
    "tests/scenarios/test_kill_and_resume.py": 0,
    "tests/scenarios/test_rows.py::test_a_row_passes": 3,
    "tests/scenarios/test_rows.py::test_a_row_fails": 3,
    "tests/scenarios/test_bilingual_cohorts.py": 2,
    "tests/scenarios/test_serial_benches.py::test_a_sample": 0,
    "tests/hil/drivers/test_zigbee_hub_loss.py::test_a_lost_dongle": 0,
    "tests/harness/test_side_by_side.py::test_emulated_devices": 0,
    "tests/harness/test_resume_emulated.py::test_a_background_job": 0,
    "tests/hil/test_observe_command.py::test_ctrl_c": 0,
    "tests/benches/": 2,
    "tests/emulator/codecs/ezsp/": 2,
    "tests/hil/test_dongle_bench_mishaps.py": 0,
    "tests/emulator/devices/test_device_defects.py": 4,
}


def sample() -> str:
    """Return which part of the tests runs: ``DAILY``, ``SOAK``, or "" for all."""
    return os.environ.get("SMETSBENCH_SAMPLE", "")


def examples(whole: int) -> int:
    """Return how many of ``whole`` examples are drawn in this run."""
    if sample() == DAILY:
        return min(whole, max(_LEAST, whole // _SHARE))
    return whole


def cases_of(function: str) -> int:
    """Return how many cases of a test function run every day."""
    heads = [head for head in CASES_OF if function.startswith(head)]
    return CASES_OF[max(heads, key=len)] if heads else CASES


def left_out(nodeids: Iterable[str]) -> set[str]:
    """Return the tests that wait for ``make soak``: the same ones every day."""
    rows: dict[str, list[str]] = defaultdict(list)
    for nodeid in nodeids:
        rows[nodeid.partition("[")[0]].append(nodeid)
    waiting: set[str] = set()
    for function, cases in rows.items():
        drawn = sorted(cases, key=lambda nodeid: (zlib.crc32(nodeid.encode()), nodeid))
        waiting.update(drawn[cases_of(function) :])
    return waiting
