"""A captured conversation, replayed: written by ``smetsbench capture to-test``.

Capture: smets1-reader-walk
Profile: smets1 (loopback), 2026-11-22T10:54:56.821Z
"""

from pathlib import Path

import pytest

from hil.captured_case import CapturedCase

NAME = Path(__file__).with_name("smets1-reader-walk")
PROFILE = "smets1"


@pytest.fixture(scope="module")
def case() -> CapturedCase:
    return CapturedCase.of(NAME, PROFILE)


def test_our_client_asks_what_it_asked_when_this_was_captured(case: CapturedCase) -> None:
    assert case.mismatches() == []


def test_the_emulated_meter_answers_as_the_captured_one_did(case: CapturedCase) -> None:
    assert case.differences() == []
