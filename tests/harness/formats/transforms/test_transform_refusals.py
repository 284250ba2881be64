"""Requests that become no pre-command, each refused by name."""

from typing import Any

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import date_time
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request
from harness.formats.duis.smets1_bodies import (
    CertificatePath,
    Credit,
    KrpCertificates,
    PartyRole,
    ReadSupplyStatus,
    ReplacementCertificates,
    SynchroniseClock,
    UpdateCredentialsKrp,
    UpdatePaymentMode,
)
from harness.formats.duis.transforms import account_bodies as account
from harness.formats.duis.transforms import load_bodies as load
from harness.formats.duis.transforms import other_bodies as other
from harness.formats.duis.transforms import partial_dates as partial
from harness.formats.duis.transforms import tariff_bodies as tariff
from harness.formats.duis.transforms.outcome import (
    SENTENCES,
    Context,
    Device,
    PreCommand,
    Refusal,
    Refused,
)
from harness.formats.duis.transforms.transform import transform
from tests.harness.formats.transforms import transforms_given as given

ESME = RequestId(given.SUPPLIER, given.ESME, 9)
GSME = RequestId(given.SUPPLIER, given.GSME, 9)
UNKNOWN = RequestId(given.SUPPLIER, Eui64(bytes(8)), 9)
HUB = RequestId(given.SUPPLIER, Eui64.parse("00-DB-12-34-56-78-90-A2"), 9)
HALF_SECOND = UtcMs(given.NOW + 500)
SECOND_PRICES = tariff.UpdateSecondPrices(
    prices=tariff.SecondPrices(scale=0, tiers=(tariff.SecondPrice(index=1, price=1),))
)
RECOVERY = account.GasRecovery(rate=-1, period="DAILY")
GAS_DEBT = account.UpdateDebt(
    time_debt_1=0, time_debt_2=0, payment_debt=0, per_payment=0, gas_1=RECOVERY, gas_2=RECOVERY
)
LEVEL = load.ControllerLevel(controller=1, begin=given.NOW, end=given.NOW, level=1)
PATH = CertificatePath((bytes.fromhex("3000"),))


def krp(role: PartyRole, **fields: Any) -> UpdateCredentialsKrp:
    certificates = KrpCertificates(ReplacementCertificates(**fields))
    return UpdateCredentialsKrp(role, certificates, PATH, floor=0)


CASES = {
    "a device nobody knows": (
        "7.12",
        load.SetOffsetLimit(limit_s=1),
        UNKNOWN,
        Refusal.UNKNOWN_DEVICE,
    ),
    "a hub": ("7.12", load.SetOffsetLimit(limit_s=1), HUB, Refusal.NO_TRANSFORM),
    "gas debts for an ESME": ("2.3", GAS_DEBT, ESME, Refusal.DEVICE_TYPE),
    "a negative rate": ("2.3", GAS_DEBT, GSME, Refusal.OUT_OF_RANGE),
    "a second element that is not there": ("1.2.2", SECOND_PRICES, ESME, Refusal.DEVICE_TYPE),
    "an empty span": ("7.13", LEVEL, ESME, Refusal.OUT_OF_RANGE),
    "a fraction of a second": (
        "1.6",
        UpdatePaymentMode(Credit(), HALF_SECOND),
        GSME,
        Refusal.OUT_OF_RANGE,
    ),
    "a clock between two seconds": (
        "6.11",
        SynchroniseClock(HALF_SECOND, 1),
        GSME,
        Refusal.OUT_OF_RANGE,
    ),
    "a time before Zigbee's": (
        "1.6",
        UpdatePaymentMode(Credit(), UtcMs(0)),
        GSME,
        Refusal.OUT_OF_RANGE,
    ),
    "a time after Zigbee's": (
        "1.6",
        UpdatePaymentMode(Credit(), UtcMs(date_time.CANCEL - 1000)),
        GSME,
        Refusal.OUT_OF_RANGE,
    ),
    "no certificate": (
        "6.15.1",
        krp(PartyRole.SUPPLIER, signing=None),
        ESME,
        Refusal.MISSING_CERTIFICATE,
    ),
    "a certificate that is none": (
        "6.15.1",
        krp(PartyRole.SUPPLIER, signing=b"\x04\x00"),
        ESME,
        Refusal.MALFORMED,
    ),
    "a certificate cut short": (
        "6.15.2",
        other.ReplaceDeviceCertificate(certificate=b"\x30\x05\x02"),
        ESME,
        Refusal.MALFORMED,
    ),
    "the root": (
        "6.15.1",
        krp(PartyRole.ROOT, signing=b"\x30\x00"),
        ESME,
        Refusal.NO_TRANSFORM,
    ),
    "a partner nobody knows": (
        "8.7.1",
        other.Partner(other=UNKNOWN.target),
        ESME,
        Refusal.UNKNOWN_DEVICE,
    ),
    "two meters": ("8.7.1", other.Partner(other=given.GSME), ESME, Refusal.DEVICE_TYPE),
}


@pytest.mark.parametrize("case", CASES)
def test_a_request_that_cannot_be_said_is_refused_by_name(case: str) -> None:
    service, body, identity, reason = CASES[case]
    made = transform(given.written(service, body, identity), given.context())
    assert isinstance(made, Refused), made
    assert (made.reason, bool(made.detail)) == (reason, True)


def test_a_partner_without_certificate_is_refused() -> None:
    asked = given.written("8.7.1", other.Partner(other=given.PPMID), GSME)
    bare = Device(DeviceType.PPMID)
    devices = {given.GSME: Device(DeviceType.GSME), given.PPMID: bare}
    made = transform(asked, Context(devices, given.NOW))
    assert isinstance(made, Refused)
    assert made.reason is Refusal.MISSING_CERTIFICATE


def test_a_request_that_is_not_critical_is_refused() -> None:
    made = transform(request(ReadSupplyStatus(), ESME), given.context())
    assert isinstance(made, Refused)
    assert made.reason is Refusal.NOT_CRITICAL


def test_every_refusal_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Refusal)


LIMIT = b"<sr:RandomisedOffsetLimit>1</sr:RandomisedOffsetLimit>"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">1<", b">1800<"),
        (b">1<", b">-1<"),
        (b">1<", b">one<"),
        (b">1<", b"><"),
        (LIMIT, b""),
        (LIMIT, LIMIT * 2),
        (LIMIT, LIMIT + b"<sr:Other/>"),
        (LIMIT, b"text" + LIMIT),
        (b"<sr:RandomisedOffsetLimit>", b'<sr:RandomisedOffsetLimit unit="s">'),
        (b"SetRandomisedOffsetLimit>", b"ResetRandomisedOffset>"),
        (b"</sr:Request>", b""),
    ],
)
def test_a_document_that_breaks_the_schema_is_refused_as_malformed(old: bytes, new: bytes) -> None:
    right = given.written("7.12", load.SetOffsetLimit(limit_s=1), ESME)
    assert isinstance(transform(right, given.context()), PreCommand)
    assert old in right
    made = transform(right.replace(old, new), given.context())
    assert isinstance(made, Refused)
    assert made.reason is Refusal.MALFORMED


@pytest.mark.parametrize(
    "mark", [b'index="0"', b'index="6"', b'index=""', b"", b'index="1" other="1"', b'Index="1"']
)
def test_an_attribute_that_breaks_the_schema_is_refused_as_malformed(mark: bytes) -> None:
    right = given.written("7.8", load.ResetLoad(load=load.NamedLoad(index=1)), ESME)
    assert b'index="1"' in right
    made = transform(right.replace(b'index="1"', mark), given.context())
    assert isinstance(made, Refused)
    assert made.reason is Refusal.MALFORMED


@pytest.mark.parametrize("written", ["1.00001", "1e3", "-1", "NaN", "", "4294967295"])
def test_a_decimal_out_of_its_range_is_refused(written: str) -> None:
    body = other.SetConversion(calorific=10, conversion=100_000)
    document = given.written("6.6", body, GSME).replace(b">1.0<", f">{written}<".encode())
    made = transform(document, given.context())
    assert isinstance(made, Refused)
    assert made.reason is Refusal.MALFORMED


@pytest.mark.parametrize("written", ["24:00:01", "7:00", "07:00:00.5", "07:00:00+01:00", "noon"])
def test_a_time_of_day_that_is_no_whole_second_of_utc_is_refused(written: str) -> None:
    with pytest.raises(DuisError) as caught:
        partial.TIME.read(written)
    assert caught.value.name is DuisFault.BAD_DATE_TIME


def test_too_few_and_too_many_of_an_element_are_refused() -> None:
    one = load.Description(index=1, name="x")
    with pytest.raises(DuisError):
        load.SetDescriptions(descriptions=())
    with pytest.raises(DuisError):
        load.SetDescriptions(descriptions=(one, one))
    with pytest.raises(DuisError):
        load.SetDescriptions(
            descriptions=tuple(load.Description(index=1, name="x") for _ in range(6))
        )


def test_a_special_day_that_is_not_defined_is_refused() -> None:
    row = load.Row(
        action=load.Action(controller=1, level=1),
        special_days=(load.SpecialDayNumber(number=1),),
        span=load.Span(at="00:00:00", begin=_any_day(), end=_any_day()),
    )
    body = load.SetControllerCalendar(rows=(row,), special_days=load.SpecialDays())
    made = transform(given.written("6.14.3", body, ESME), given.context())
    assert isinstance(made, Refused)
    assert made.reason is Refusal.OUT_OF_RANGE


def _any_day() -> partial.PartialDate:
    unsaid = partial.Unsaid()
    return partial.PartialDate(
        year=partial.Year(said=unsaid),
        month=partial.Month(said=unsaid),
        day=partial.Day(said=unsaid),
        weekday=partial.DayOfWeek(said=unsaid),
    )
