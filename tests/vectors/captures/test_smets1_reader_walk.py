"""The captured conversation smets1-reader-walk, replayed: written by ``smetsbench capture to-test``.

Profile smets1, loopback, 2026-11-22T06:55:24.587Z.
"""

from pathlib import Path

import pytest

from hil.captured_case import CapturedCase


@pytest.fixture(scope="module")
def case() -> CapturedCase:
    return CapturedCase.of(Path(__file__).with_name("smets1-reader-walk"), profile="smets1")


def test_our_client_says_what_it_said_when_smets1_reader_walk_was_captured(case: CapturedCase) -> None:
    assert case.mismatches() == []


def test_the_emulated_meter_answers_as_the_one_in_smets1_reader_walk_did(case: CapturedCase) -> None:
    assert case.differences() == []
