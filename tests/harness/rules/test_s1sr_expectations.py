"""What the clauses lead one to expect: kind, words of success, names, and what a day changes."""

from dataclasses import replace
from datetime import date

import pytest

from device_profiles.metadata_layout import MetadataMode
from device_profiles.s1sr import (
    ClauseDevice,
    ClauseEffect,
    ClauseStatus,
    FirmwareService,
    S1srClauses,
    load_s1sr,
)
from device_profiles.words import DeviceType
from harness.rules.s1sr_expectations import READ, VERSION_MISMATCH, ClauseSays, expectation_for
from harness.verdict import ExpectationKind, Verdict

DAY = date(2022, 1, 1)
TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING
PPMID = ClauseDevice(DeviceType.PPMID)
BILINGUAL = replace(PPMID, bilingual=True)
THIRD = replace(PPMID, third_party=True)
LEGACY = replace(PPMID, supported=False)
METER = ClauseDevice(DeviceType.ESME)


def says(
    device: ClauseDevice,
    cohort: str,
    service: str = "update",
    mode: MetadataMode = TACTICAL,
    clauses: S1srClauses | None = None,
) -> ClauseSays:
    return expectation_for(device, cohort, FirmwareService(service), mode, DAY, clauses)


@pytest.mark.parametrize(
    ("device", "cohort", "kind", "clauses"),
    [
        (PPMID, "IOC", ExpectationKind.UNLIKELY, ("S1SR 18.63(d)",)),
        (PPMID, "DA", ExpectationKind.UNLIKELY, ("S1SR 18.63(d)",)),
        (BILINGUAL, "IOC", ExpectationKind.UNCERTAIN, ("S1SR 18.63(d)",)),
        (BILINGUAL, "EA", ExpectationKind.UNCERTAIN, ("S1SR 18.63(d)",)),
        (THIRD, "DA", ExpectationKind.EXACT, ("S1SR 18.63(c)", "S1SR 18.63(d)")),
        (LEGACY, "EA", ExpectationKind.UNCERTAIN, ("S1SR 18.63(d)",)),
        (LEGACY, "IOC", ExpectationKind.UNLIKELY, ("S1SR 18.63(d)",)),
        (METER, "IOC", ExpectationKind.EXACT, ()),
    ],
)
def test_each_device_and_cohort_has_its_expectation(
    device: ClauseDevice, cohort: str, kind: ExpectationKind, clauses: tuple[str, ...]
) -> None:
    found = says(device, cohort)
    assert (found.expectation.kind, found.clauses) == (kind, clauses)
    activated = says(device, cohort, "activate")
    assert activated.clauses == tuple({"S1SR 18.65(e)"} if "S1SR 18.63(d)" in clauses else ())


def test_unlikely_takes_a_failure_and_tells_an_unexpected_success() -> None:
    expected = says(PPMID, "IOC").expectation
    assert expected.judge("DISCARDED") == (Verdict.PASS, False)
    assert expected.judge("ACTIVATED") == (Verdict.PASS, True)


def test_a_clause_that_says_it_fails_carries_a_fail() -> None:
    expected = says(THIRD, "DA").expectation
    assert expected.judge("NOT_SUPPORTED") == (Verdict.PASS, False)
    assert expected.judge("ACTIVATED") == (Verdict.FAIL, False)


def test_what_foc_reads_may_match_or_not() -> None:
    expected = says(BILINGUAL, "EA", "read").expectation
    assert expected.kind is ExpectationKind.ONE_OF
    assert expected.outcomes == {READ, VERSION_MISMATCH}
    assert says(BILINGUAL, "MDS", "read").expectation.outcomes == {READ}


def test_silence_expects_success_and_no_fail_rests_on_it() -> None:
    found = says(METER, "IOC")
    assert (found.effect, found.text) == (None, "silent")
    assert found.expectation.judge("ACTIVATED")[0] is Verdict.PASS
    assert found.expectation.judge("DISCARDED")[0] is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("name", load_s1sr().effects)
def test_turning_an_effect_off_changes_an_expectation(name: str) -> None:
    """A saboteur for every row: some request's expectation or clauses differ without it."""
    shipped = load_s1sr()
    off = shipped.effects[name].model_copy(update={"status": ClauseStatus.WITHDRAWN})
    without = S1srClauses({**shipped.effects, name: off}, shipped.annexes)
    devices = [PPMID, BILINGUAL, THIRD, LEGACY, METER]
    asked = [
        (device, cohort, service.value, mode)
        for device in devices
        for cohort in ("IOC", "MDS", "DA", "EA", "EB", "EC")
        for service in FirmwareService
        for mode in MetadataMode
    ]
    before = [says(*one, shipped) for one in asked]
    after = [says(*one, without) for one in asked]
    assert before != after


def test_the_enduring_metadata_leave_size_and_support() -> None:
    assert says(PPMID, "DA", mode=ENDURING).effect is None
    assert says(PPMID, "IOC", mode=ENDURING).effect is ClauseEffect.UNLIKELY
    assert says(LEGACY, "EA", mode=ENDURING).effect is ClauseEffect.UNCERTAIN
