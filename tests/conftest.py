"""Which tests run every day: of long rows of like tests a seeded sample, the rest in ``make soak``.

``make test`` and ``make soak`` set ``SMETSBENCH_SAMPLE``; a test run by hand runs whole.
"""

import os
import zlib
from collections.abc import Mapping
from typing import Final

import pytest

#: Beginning of a test's path -> one in so many runs every day; the first that fits counts.
SAMPLED: Final[Mapping[str, int]] = {
    "tests/scenarios/test_rows.py": 2,
    "tests/scenarios/test_kill_and_resume.py": 2,
    "tests/emulator/codecs/dlms/": 3,
    "tests/emulator/devices/smets1/": 3,
    "tests/emulator/devices/test_device_defects.py": 2,
    "tests/harness/dlms/": 2,
    "tests/harness/rules/": 3,
    "tests/harness/formats/": 3,
    "tests/hil/test_capture.py": 2,
    "tests/hil/test_learn.py": 2,
    "tests/hil/test_replay": 2,
    "tests/emulator/servers/": 2,
}


def is_left_out(nodeid: str) -> bool:
    """Say whether a test waits for ``make soak``: the same ones every day."""
    share = next((one for head, one in SAMPLED.items() if nodeid.startswith(head)), 1)
    return zlib.crc32(nodeid.encode()) % share != 0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the rest of each sample to the soak."""
    if not os.environ.get("SMETSBENCH_SAMPLE"):
        return
    for item in items:
        if is_left_out(item.nodeid):
            item.add_marker(pytest.mark.soak)
