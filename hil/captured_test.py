"""Writes a pytest case that replays a capture."""

import os
import re
from pathlib import Path
from typing import Final

from harness.errors import UsageError
from harness.files import write_octets
from harness.replay_client import recorded_exchanges
from harness.transcript_file import load, pcapng_of
from hil.captured_case import CapturedCase

_TEXT: Final = '''\
"""A captured conversation, replayed: written by ``smetsbench capture to-test``.

Capture: {name}
Profile: {profile} ({endpoint}), {started_at}
"""

from pathlib import Path

import pytest

from hil.captured_case import CapturedCase

NAME = {place}
PROFILE = "{profile}"


@pytest.fixture(scope="module")
def case() -> CapturedCase:
    return CapturedCase.of(NAME, PROFILE)


def test_our_client_asks_what_it_asked_when_this_was_captured(case: CapturedCase) -> None:
    assert case.mismatches() == []


def test_the_emulated_meter_answers_as_the_captured_one_did(case: CapturedCase) -> None:
    assert case.differences() == []
'''


def write_test(name: Path, out: Path | None = None) -> Path:
    """Write a pytest case for a capture, after trying it.

    Args:
        name: The capture.
        out: Where to; ``test_NAME.py`` beside the capture when None.

    Raises:
        UsageError: There is no such capture, it is of a real device, or a test of it would fail.
    """
    path = pcapng_of(name)
    transcript = load(name)
    about, case = transcript.about, CapturedCase(transcript)
    failures = ["nothing was said"]
    if recorded_exchanges(transcript):
        failures = case.mismatches() + case.differences()
    if failures:
        raise UsageError(
            f"a test of this capture would fail: {failures[0]}",
            where=f"{path} ({len(failures)} in all)",
            cause="something else than our client spoke to the meter, a fault touched the line, "
            "or the emulated meter is not the captured one",
            next_command=f"smetsbench replay {path.with_suffix('')} --as client",
        )
    word = re.sub(r"\W+", "_", path.stem).strip("_").lower()
    target = out or path.with_name(f"test_{word}.py")
    content = _TEXT.format(
        name=path.stem,
        endpoint=about.endpoint,
        started_at=about.started_at,
        place=_place(target, path),
        profile=about.profile,
    )
    write_octets(target, content.encode(), made_from=[path])
    return target


def _place(test: Path, capture: Path) -> str:
    """Return how the test finds its capture: by its own place."""
    relative = os.path.relpath(capture.with_suffix("").resolve(), test.parent.resolve())
    parts = Path(relative).parts
    if len(parts) == 1:
        return f'Path(__file__).with_name("{parts[0]}")'
    return "Path(__file__).parent" + "".join(f' / "{part}"' for part in parts)
