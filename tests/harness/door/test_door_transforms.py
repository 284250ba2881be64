"""Meters are set through the door: request, pre-command, signature, response, and read back."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, find, settings

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import AccessResponse
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.gbcs.gbz import GbzMessage
from emulator.crypto import prepayment_token
from emulator.crypto.protection import KeyRing
from harness.door.homes import Homes
from harness.door.participant import ParticipantSystem
from harness.formats.duis import smets1_bodies
from harness.formats.duis.bodies import ReadInventory, RequestBody
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.transforms.tariff_bodies import (
    ElectricityPrices,
    ElectricityTariff,
    PrimaryPrices,
    Threshold,
    ThresholdMatrix,
    Thresholds,
    UpdateTariff,
)
from harness.parties.correlation import Mismatch, NotCorrelated
from harness.parties.received import Kind, Received
from tests.harness.door.door_kit import CHF, DEMO, EIS, ESME, GSME, Served, opened
from tests.harness.door.test_door_services import other
from tests.harness.formats.transforms import transforms_given as given
from tests.harness.formats.transforms.made_bodies import BODIES

STANDING = 23_456
#: The first body of a strategy, without looking for a smaller one.
JUST_ONE = settings(phases=(Phase.generate,), derandomize=True, database=None, max_examples=1)
SUPPLIER_COUNTER = 1 << 32


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with opened(Homes((DEMO,), ()), tmp_path_factory.mktemp("transforms")) as here:
        yield here


@pytest.fixture(scope="module")
def system(home: Served) -> ParticipantSystem:
    made = home.system("http")
    for device in (ESME, GSME, CHF):
        made.ask(ReadInventory(device))
    return made


def asked(system: ParticipantSystem, service: str, body: Any, target: Any) -> ServiceRequest:
    system.supplier.counter += 1
    return given.asked(service, body, RequestId(EIS, target, system.supplier.counter))


def carried_out(system: ParticipantSystem, request: ServiceRequest) -> Received:
    """Ask, correlate and sign, send, and take the meter's answer."""
    returned = system.send(request)
    assert returned.kind is Kind.PRE_COMMAND, returned.code
    signed = system.supplier.sign(returned)
    assert isinstance(signed, ServiceRequest), signed
    done = system.send(signed)
    assert (done.kind, done.accepted, done.trouble) == (Kind.RESPONSE, True, "")
    return done


def results(got: Received) -> set[int]:
    assert isinstance(got.value, AccessResponse)
    return {one.result for one in got.value.results}


def read(system: ParticipantSystem, body: RequestBody, target: Any = ESME) -> list[Any]:
    got = system.ask(body, target)
    assert got.accepted, got.trouble
    assert isinstance(got.value, AccessResponse)
    return [plain(one.data) for one in got.value.results]


def plain(data: Data) -> Any:
    return [plain(one) for one in data.value] if isinstance(data.value, tuple) else data.value


@pytest.mark.soak
def test_a_tariff_is_set_and_read_back_with_the_values_of_the_request(
    system: ParticipantSystem,
) -> None:
    body = tariff_body()
    done = carried_out(system, asked(system, "1.1.1", body, ESME))
    assert results(done) == {0}
    shown = read(system, other("4.11.1"))
    for wanted in ([one * 1000 + block for block in (1, 2, 3)] for one in range(1, 9)):
        assert wanted in shown
    assert STANDING in numbers(shown)


def tariff_body() -> UpdateTariff:
    """A tariff as the schema allows it, with thresholds and a standing charge of our own."""
    drawn: UpdateTariff = find(
        BODIES["1.1.1", DeviceType.ESME], lambda _body: True, settings=JUST_ONE
    )
    thresholds = ThresholdMatrix(
        sets=tuple(
            Thresholds(
                index=one,
                blocks=tuple(Threshold(index=block, wh=one * 1000 + block) for block in (1, 2, 3)),
            )
            for one in range(1, 9)
        )
    )
    assert isinstance(drawn.tariff, ElectricityTariff)
    assert isinstance(drawn.prices.prices, ElectricityPrices)
    tariff = replace(drawn.tariff, thresholds=thresholds)
    prices = PrimaryPrices(prices=replace(drawn.prices.prices, standing=STANDING))
    return UpdateTariff(execution_time=None, tariff=tariff, prices=prices)


def numbers(value: Any) -> set[Any]:
    if isinstance(value, list):
        return {number for one in value for number in numbers(one)}
    return {value}


def test_a_meter_becomes_a_prepayment_meter_and_takes_a_top_up(
    home: Served, system: ParticipantSystem
) -> None:
    before = read(system, other("6.2.9"))
    mode = smets1_bodies.UpdatePaymentMode(smets1_bodies.Prepayment())
    assert results(carried_out(system, asked(system, "1.6", mode, ESME))) == {0}
    assert read(system, other("6.2.9")) != before
    [balance] = read(system, smets1_bodies.ReadMeterBalance())
    counter = SUPPLIER_COUNTER
    ring = KeyRing(home.door.world.public_keys().merged(home.keys))
    utrn = prepayment_token.make_token(counter, 500, EIS, ESME, ring)
    assert utrn is not None
    system.supplier.counter = counter - 1
    got = system.ask(smets1_bodies.TopUpDevice(utrn), ESME)
    assert (got.accepted, results(got)) == (True, {0})
    [after] = read(system, smets1_bodies.ReadMeterBalance())
    assert after - balance == 500_000


def test_a_gas_meter_is_set_by_a_stamped_pre_command(system: ParticipantSystem) -> None:
    mode = smets1_bodies.UpdatePaymentMode(smets1_bodies.Credit())
    done = carried_out(system, asked(system, "1.6", mode, GSME))
    assert isinstance(done.value, GbzMessage)


def test_a_pre_command_of_a_device_that_the_supplier_never_heard_of_is_not_signed(
    home: Served,
) -> None:
    stranger = home.system("http")
    stranger.supplier.counter += 10 * SUPPLIER_COUNTER
    returned = stranger.send(asked(stranger, "7.1", smets1_bodies.EnableSupply(), ESME))
    assert returned.kind is Kind.PRE_COMMAND
    verdict = stranger.supplier.sign(returned)
    assert isinstance(verdict, NotCorrelated)
    assert verdict.field is Mismatch.REQUEST
