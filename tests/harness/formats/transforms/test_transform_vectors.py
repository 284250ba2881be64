"""Pre-commands of which there is no sample: the request is made of the values they say."""

from typing import Any

import pytest

from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.smets1_bodies import ActivateEmergencyCredit, SynchroniseClock
from harness.formats.duis.transforms import account_bodies as account
from harness.formats.duis.transforms import calendar_bodies as calendar
from harness.formats.duis.transforms import other_bodies as other
from harness.formats.duis.transforms.outcome import PreCommand
from harness.formats.duis.transforms.transform import transform
from tests.given import needs_duis, needs_rtds
from tests.harness.formats.duis_given import is_valid
from tests.harness.formats.transforms import from_vectors
from tests.harness.formats.transforms import transforms_given as given

_GAS_DEBTS = account.UpdateDebt(
    time_debt_1=1_000_000,
    time_debt_2=500_000,
    payment_debt=1_000_000,
    per_payment=100,
    gas_1=account.GasRecovery(rate=50_000, period="DAILY"),
    gas_2=account.GasRecovery(rate=50_000, period="HOURLY"),
)
_PREPAYMENT, _CREDIT = account.PrepaymentBalance, account.CreditBalance
_FLOW = other.SetGasFlow(
    flow=other.WholeFlow(rate=0xF0F0),
    depletion="Unchanged",
    tamper="Unchanged",
    stabilisation=60,
    measurement_s=300,
)
_MONTHLY = calendar.ElectricityBilling(at="12:00:00", period=calendar.Monthly(day=1))
_QUARTERLY = calendar.ElectricityBilling(at="00:00:00", period=calendar.Quarterly(day=1, month=1))
_HALF_YEARLY = calendar.GasBilling(start=given.NOW, period="SixMonthly")
_MIDNIGHT = calendar.ElectricityBilling(at="00:00:00", period=calendar.Monthly(day=1))
_DAILY = calendar.ElectricityBilling(at="00:00:00", period=calendar.Daily())
_GAS_QUARTERLY = calendar.GasBilling(start=from_vectors.utc(2015, 2, 1), period="Quarterly")
#: Beginning of a vector's name -> service and body; the first that fits counts.
MADE: dict[str, tuple[str, Any]] = {
    "ECS30_6.8_ERROR": ("6.8", calendar.SetBillingCalendar(calendar=_MIDNIGHT)),
    "ECS30a_6.8_ERROR": ("6.8", calendar.SetBillingCalendar(calendar=_DAILY)),
    "GCS25a_6.8_ERROR": ("6.8", calendar.SetBillingCalendar(calendar=_GAS_QUARTERLY)),
    "ECS04b_1.5": (
        "1.5",
        account.UpdateMeterBalance(balance=_PREPAYMENT(change=account.Reset())),
    ),
    "GCS40a_1.5": ("1.5", account.UpdateMeterBalance(balance=_PREPAYMENT(change=23_130))),
    "GCS40b_1.5": (
        "1.5",
        account.UpdateMeterBalance(balance=_PREPAYMENT(change=account.Reset())),
    ),
    "GCS40d_1.5": ("1.5", account.UpdateMeterBalance(balance=_CREDIT(change=account.Reset()))),
    "GCS04_2.3": ("2.3", _GAS_DEBTS),
    "GCS06_2.5": ("2.5", ActivateEmergencyCredit()),
    "GCS24_6.7": ("6.7", _FLOW),
    "ECS30_6.8": ("6.8", calendar.SetBillingCalendar(calendar=_MONTHLY)),
    "ECS30a_6.8": ("6.8", calendar.SetBillingCalendar(calendar=_QUARTERLY)),
    "GCS25a_6.8": ("6.8", calendar.SetBillingCalendar(calendar=_HALF_YEARLY)),
    "ECS70_6.11": ("6.11", SynchroniseClock(from_vectors.utc(2014, 12, 31, 23, 59, 10), 60)),
    "CS02c_6.17": ("6.17", other.IssueCredentials(credential="Digital Signature")),
    "ECS81_6.25": ("6.25", other.SetTamperState(state="Locked")),
}
#: Vectors of failures whose success has a sample: name -> sample.
RENUMBERED = {
    "ECS02_1.6_IMMEDIATE_SINGLE_ERROR": "ECS02_1.6_IMMEDIATE_SINGLE_SUCCESS",
    "GCS02_1.6_IMMEDIATE_ERROR": "GCS02_1.6_IMMEDIATE_SUCCESS",
    "ECS42_7.1_ERROR": "ECS42_7.1_SUCCESS",
    "GCS32_7.2_ERROR": "GCS32_7.2_SUCCESS",
    "ECS47Activate_7.5_ERROR": "ECS47Activate_7.5_SUCCESS",
    "ECS47Deactivate_7.6_ERROR": "ECS47Deactivate_7.6_SUCCESS",
    "ECS47a_7.13_ALCS_DEACTIVATE_ERROR": "ECS47a_7.13_ALCS_DEACTIVATE_SUCCESS",
    "ECS47a_7.13_APC_INPUT_ERROR": "ECS47a_7.13_APC_INPUT_SUCCESS",
    "ECS47e_7.16_APC_INPUT_ERROR": "ECS47e_7.16_APC_INPUT_SUCCESS",
    "CS02gLoadControllerBySupplier_6.15.1_FUTURE_DATED_ERROR": (
        "CS02gLoadControllerBySupplier_6.15.1_FUTURE_DATED_SUCCESS"
    ),
}
#: Use case -> service, and what reads its values.
READ = {
    "ECS01c": ("1.1.2", from_vectors.second_tariff),
    "ECS01b": ("1.2.1", from_vectors.prices),
    "ECS08": ("2.1", from_vectors.prepayment),
}


def _names(beginnings: Any) -> list[str]:
    wanted = tuple(beginnings)
    return [
        name.removesuffix("_PRECOMMAND")
        for name in sorted(given.vectors())
        if name.endswith("_PRECOMMAND") and name.startswith(wanted)
    ]


@needs_duis
@needs_rtds
def test_every_pre_command_at_hand_is_compared_or_has_no_service_request() -> None:
    sampled = {row["sample"] for row in given.rows()}
    compared = {*_names(MADE), *RENUMBERED, *_names(f"{one}_" for one in READ)}
    without = set(_names(given.NO_SERVICE))
    everything = set(_names([""]))
    assert everything == (sampled & everything) | compared | without
    assert sorted(everything) == list(given.kept_pre_commands())
    assert len(everything) == 87
    assert len(compared) == 48
    assert len(without) == 6


@needs_duis
@needs_rtds
@pytest.mark.parametrize("name", _names(MADE))
def test_a_request_made_of_the_values_becomes_the_pre_command(name: str) -> None:
    service, body = next(row for key, row in MADE.items() if f"{name}_".startswith(f"{key}_"))
    wanted = given.vector(f"{name}_PRECOMMAND")
    document = given.written(service, body, given.identity_of(wanted))
    assert is_valid(document)
    made = transform(document, given.context(later="ECS30a" in name))
    assert isinstance(made, PreCommand), made
    assert made.octets.hex() == wanted.hex()


@needs_duis
@needs_rtds
@pytest.mark.parametrize("name", _names(f"{one}_" for one in READ))
def test_a_request_read_out_of_a_tariff_or_settings_becomes_the_pre_command(name: str) -> None:
    use_case = name.split("_", maxsplit=1)[0]
    service, read = READ[use_case]
    wanted = given.vector(f"{name}_PRECOMMAND")
    if use_case == "ECS08":
        wanted = from_vectors.closed(wanted)
    document = given.written(service, read(wanted), given.identity_of(wanted))
    assert is_valid(document)
    made = transform(document, given.context_of(name))
    assert isinstance(made, PreCommand), made
    assert made.octets.hex() == wanted.hex()


@needs_duis
@needs_rtds
@pytest.mark.parametrize("name", RENUMBERED)
def test_the_same_request_with_another_counter_becomes_the_failing_pre_command(name: str) -> None:
    wanted = given.vector(f"{name}_PRECOMMAND")
    document = given.document(RENUMBERED[name])
    if name.startswith("CS02"):
        document = given.with_certificates_of(wanted, document)
    asked: ServiceRequest = given.renumbered(document, given.identity_of(wanted).counter)
    made = transform(asked, given.context_of(name))
    assert isinstance(made, PreCommand), made
    assert made.octets.hex() == wanted.hex()
