"""Which tests run every day: of long rows of like tests a seeded sample, the rest in ``make soak``.

``make test`` and ``make soak`` set ``SMETSBENCH_SAMPLE``; a test run by hand runs whole. A test
function with many cases keeps a few of them, always the same; a function without cases is always
run, unless it is marked ``soak`` itself. Property tests draw a share of their examples every day
(``tests.sampling``) and run again, whole, in the soak.
"""

import os
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import pytest
from hypothesis import is_hypothesis_test, settings

from tests.sampling import SOAK, examples

#: No deadline: how long one example takes says how busy the machine is.
settings.register_profile("sampled", max_examples=examples(100), deadline=None)
settings.load_profile("sampled")

#: Cases of one test function that run every day, unless a line of ``CASES_OF`` says otherwise.
CASES: Final = 2
#: Beginning of a test's id -> cases of each function below it; the longest that fits counts.
CASES_OF: Final[Mapping[str, int]] = {
    "tests/scenarios/": 1,
    "tests/scenarios/test_kill_and_resume.py": 0,
    "tests/scenarios/test_kill_smets1_firmware.py": 1,
    "tests/scenarios/test_rows.py::test_a_row_passes": 3,
    "tests/scenarios/test_rows.py::test_a_row_fails": 3,
    "tests/scenarios/test_bilingual_cohorts.py": 2,
    "tests/scenarios/test_serial_benches.py::test_a_sample": 0,
    "tests/scenarios/test_serial_benches.py": 1,
    "tests/hil/drivers/test_zigbee_hub_loss.py::test_a_lost_dongle": 0,
    "tests/harness/test_side_by_side.py::test_emulated_devices": 0,
    "tests/harness/test_resume_emulated.py::test_a_background_job": 0,
    "tests/hil/test_observe_command.py::test_ctrl_c": 0,
    "tests/docs/test_recipes.py": 1,
    "tests/benches/": 2,
    "tests/device_profiles/": 1,
    "tests/emulator/": 1,
    "tests/hil/": 1,
    "tests/emulator/servers/": 1,
    "tests/harness/cli/": 1,
    "tests/emulator/codecs/ezsp/": 2,
    "tests/emulator/crypto/": 1,
    "tests/emulator/ncp/": 1,
    "tests/harness/door/": 1,
    "tests/harness/dust/": 1,
    "tests/harness/live/": 1,
    "tests/harness/pytest_face/": 1,
    "tests/harness/formats/": 1,
    "tests/harness/parties/": 1,
    "tests/harness/migration/": 1,
    "tests/emulator/devices/": 1,
    "tests/hil/test_dongle_bench_mishaps.py": 0,
    "tests/harness/test_resume_emulated.py": 1,
    "tests/emulator/devices/test_device_defects.py": 4,
    "tests/scenarios/test_rows.py::test_the_same_seed": 1,
}


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the rest of each sample to the soak."""
    sample = os.environ.get("SMETSBENCH_SAMPLE")
    if not sample:
        return
    waiting = left_out(item.nodeid for item in items if not item.get_closest_marker("soak"))
    for item in items:
        drawn = isinstance(item, pytest.Function) and is_hypothesis_test(item.function)
        if item.nodeid in waiting or (drawn and sample == SOAK):
            item.add_marker(pytest.mark.soak)
