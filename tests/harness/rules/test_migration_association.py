"""Which certificates are associated in commissioning, and the supplier's duty to set credit."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from device_profiles.errors import DataError
from device_profiles.words import DeviceType, PaymentMode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.rules.migration_association import AssociationFacts, associated, why_null
from harness.rules.migration_certificates import CertificateId
from harness.rules.migration_prepayment import (
    Duty,
    Fulfilment,
    load_prepayment_rule,
    unmet,
)

EIS = "02-53-42-00-00-01-00-00"
IDS = (CertificateId("1", "issuer"), CertificateId("2", "issuer"))
GOOD = AssociationFacts(True, True, EIS, (EIS, EIS), False)
RULE = load_prepayment_rule()
SUPPLIER, METER = Eui64.parse(EIS), Eui64.parse("02-53-01-00-00-00-00-31")
DAY = 86_400_000


def test_all_conditions_met_associates_the_named_certificates() -> None:
    assert why_null(GOOD) == ""
    assert associated(IDS, GOOD) == IDS


@pytest.mark.parametrize(
    "facts",
    [
        replace(GOOD, authorised=False),
        replace(GOOD, signed=False),
        replace(GOOD, holders=(EIS, None)),
        replace(GOOD, holders=()),
        replace(GOOD, holders=(EIS, "02-53-42-00-00-03-00-00")),
        replace(GOOD, split=True),
    ],
)
def test_one_condition_not_met_leaves_null_and_says_which(facts: AssociationFacts) -> None:
    assert why_null(facts)
    assert all(one.is_null for one in associated(IDS, facts))


def test_each_reason_is_told_apart() -> None:
    wrong = (
        replace(GOOD, authorised=False),
        replace(GOOD, signed=False),
        replace(GOOD, holders=(EIS, None)),
        replace(GOOD, holders=(EIS, "another")),
        replace(GOOD, split=True),
    )
    said = [why_null(one) for one in wrong]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    ("kind", "mode"), list(itertools.product([*DeviceType], [*PaymentMode, None]))
)
def test_the_duty_concerns_prepayment_meters_of_both_fuels_alone(
    kind: DeviceType, mode: PaymentMode | None
) -> None:
    meters = {DeviceType.ESME, DeviceType.GSME}
    assert RULE.concerns(kind, mode) == (kind in meters and mode is PaymentMode.PREPAYMENT)


@pytest.mark.parametrize(
    ("done", "now", "late"),
    [
        ([], RULE.duty_days * DAY, False),
        ([], RULE.duty_days * DAY + 1, True),
        ([("1.6", 0)], 100 * DAY, False),
        ([("1.6", RULE.duty_days * DAY)], 100 * DAY, False),
        ([("1.6", RULE.duty_days * DAY + 1)], 100 * DAY, True),
        ([("1.6", DAY), ("1.6", 20 * DAY)], 100 * DAY, False),  # to prepayment and back, later
        ([("1.6", -1)], DAY, False),  # before the duty began: there is time yet
        ([("1.6", -1)], 100 * DAY, True),  # before the duty began
        ([("2.2", 0)], 100 * DAY, True),
    ],
)
def test_a_duty_not_fulfilled_in_time_is_a_failure_of_the_participant(
    done: list[tuple[str, int]], now: int, *, late: bool
) -> None:
    duty = Duty(SUPPLIER, METER, UtcMs(0))
    kept = [Fulfilment(SUPPLIER, METER, service, UtcMs(at)) for service, at in done]
    assert unmet([duty], kept, RULE, UtcMs(now)) == ((duty,) if late else ())


def test_another_suppliers_change_does_not_fulfil_the_duty() -> None:
    duty = Duty(SUPPLIER, METER, UtcMs(0))
    other = Fulfilment(Eui64(bytes(8)), METER, "1.6", UtcMs(1))
    assert unmet([duty], [other], RULE, UtcMs(100 * DAY)) == (duty,)


def test_an_overlay_moves_the_duty_and_a_wrong_moment_does_not_load(tmp_path: Path) -> None:
    folder = tmp_path / "catalogues"
    folder.mkdir()
    file = folder / "migration-prepayment.csv"
    file.write_text("key,value,says,evidence\nduty_from,testing,mine,stand-in\n", "utf-8")
    assert load_prepayment_rule((tmp_path,)).duty_from == "testing"
    assert RULE.duty_from == "commissioning"
    file.write_text("key,value,says,evidence\nduty_from,whenever,mine,stand-in\n", "utf-8")
    with pytest.raises(DataError):
        load_prepayment_rule((tmp_path,))
