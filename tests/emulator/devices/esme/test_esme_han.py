"""What an ESME serves on the HAN comes out of its model, and a PPMID shows what it serves."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.zcl import (
    account,
    calendar,
    device_management,
    foundation,
    frame,
    metering,
    prepayment,
    price,
)
from emulator.codecs.zcl.account import ConsumerTopUpResponse
from emulator.codecs.zcl.foundation import (
    DefaultResponse,
    ReadAttributes,
    ReadAttributesResponse,
    Status,
)
from emulator.codecs.zcl.prepayment import PrepaymentAttribute
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import SendZcl, ZclIndication
from emulator.devices.consumption import HALF_HOUR_MS
from emulator.devices.esme.events import EventCode
from emulator.devices.esme.han.answers import Request
from emulator.devices.joins.log import JoinedDevice
from emulator.devices.served_clusters import served_clusters
from tests.emulator.devices.esme.esme_kit import Meter, number
from tests.emulator.devices.esme.prepayment_kit import POUND, prepaying, to_meter, token
from tests.emulator.devices.kit import ESME, HCALCS, PPMID
from tests.sampling import examples

QUICK = settings(max_examples=examples(15), deadline=None)
TABLES = {
    table.cluster: table
    for table in (
        account.COMMANDS, price.COMMANDS, calendar.COMMANDS, metering.COMMANDS,
        device_management.COMMANDS, device_management.MESSAGING_COMMANDS,
    )
}  # fmt: skip


def ask(meter: Meter, cluster: int, command: Any) -> list[Any]:
    """Send a command and return the answers to the asker."""
    effects = to_meter(meter, cluster, TABLES[cluster].encode(command, 7, server_to_client=False))
    answers = []
    for one in effects:
        if isinstance(one, SendZcl) and one.to == PPMID:
            read = frame.decode(one.frame)
            assert read.sequence == 7
            table = TABLES[one.cluster]
            answers.append(table.decode(read) if read.cluster_specific else foundation.decode(read))
    return answers


def read(meter: Meter, cluster: int, attribute: int) -> Any:
    octets = foundation.encode(ReadAttributes((attribute,)), 7, server_to_client=False)
    [sent] = [e for e in to_meter(meter, cluster, octets) if isinstance(e, SendZcl)]
    answer = foundation.decode(frame.decode(sent.frame))
    assert isinstance(answer, ReadAttributesResponse)
    [reading] = answer.readings
    assert reading.value is not None, reading
    return reading.value.value


def test_every_attribute_of_every_cluster_can_be_written_as_it_is_served() -> None:
    meter = prepaying()
    for cluster in served_clusters(meter.device):
        for attribute in meter.device.attributes(cluster, meter.now):
            read(meter, cluster, attribute)
    assert set(TABLES) <= set(served_clusters(meter.device))


@QUICK
@given(st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_what_a_supplier_sets_the_han_serves(balance: int, limit: int) -> None:
    meter = Meter()
    meter.set("ECS04b", meter_balance_set=Data(Tag.INT32, balance))
    meter.device.model.put("emergency_credit_limit_millipence", limit)
    meter.set("ECS04b", meter_balance_set=Data(Tag.INT32, balance))
    assert read(meter, prepayment.CLUSTER, PrepaymentAttribute.CREDIT_REMAINING) == balance
    assert read(meter, prepayment.CLUSTER, 0x0010) == limit


def test_the_price_on_the_han_is_the_one_that_dlms_reads() -> None:
    meter = Meter()
    for _ in range(4):
        [now] = ask(meter, price.CLUSTER, price.GetCurrentPrice(1))
        assert now.price == number(meter.read("ECS24", "active_price"))
        assert now.start_s <= to_zigbee_seconds(meter.now)
        assert to_zigbee_seconds(meter.now) < now.start_s + 60 * now.duration_min
        meter.wait(7 * HALF_HOUR_MS)
    coming = ask(meter, price.CLUSTER, price.GetScheduledPrices(0, 0))
    assert [one.start_s for one in coming] == sorted({one.start_s for one in coming})
    prices = [
        pair for one in ask(meter, price.CLUSTER, price.GetPriceMatrix(1)) for pair in one.prices
    ]
    assert prices[:2] == [(1, 20_000), (2, 25_000)]
    assert len(prices) == 48
    assert len(ask(meter, price.CLUSTER, price.GetBlockThresholds(1))) == 8
    [tariff] = ask(meter, price.CLUSTER, price.GetTariffInformation(0, 0, 1, 0))
    assert tariff.standing_charge == 25_000
    [billing] = ask(meter, price.CLUSTER, price.GetBillingPeriod(0, 0, 1, 0))
    assert (billing.duration, billing.duration_type) == (1, 3)


def test_calendars_are_the_tariffs_and_the_non_disablement_ones() -> None:
    rows = [
        [1, True, "0-0:10.0.106.255", 32, "00:00:00", 65535, "0000011", "", "*-*-*", "*-*-*"],
        [2, True, "0-0:10.0.106.255", 33, "08:00:00", 65535, "1111100", "", "*-*-*", "*-*-*"],
    ]
    meter = Meter(
        non_disablement_calendar=rows,
        non_disablement_special_days=[[1, "*-12-25", 1]],
        tariff_special_days=[[1, "2024-12-25", 1]],
    )
    both = ask(meter, calendar.CLUSTER, calendar.GetCalendar(0, 0, 0, 0xFF, 0xFFFFFFFF))
    assert [one.calendar_type for one in both] == [0, 3]
    tariff = calendar.TARIFF_CALENDAR
    [day] = ask(meter, calendar.CLUSTER, calendar.GetDayProfiles(0, tariff, 1, 0))
    assert day.entries == ((0, 1), (420, 2))
    [week] = ask(meter, calendar.CLUSTER, calendar.GetWeekProfiles(0, tariff, 1, 0))
    assert week.days == (1,) * 7
    [seasons] = ask(meter, calendar.CLUSTER, calendar.GetSeasons(0, tariff))
    assert len(seasons.seasons) == 1
    [special] = ask(meter, calendar.CLUSTER, calendar.GetSpecialDays(0, 0, 0, 0, tariff))
    assert special.days[0][1] == 1
    friendly = calendar.FRIENDLY_CREDIT_CALENDAR
    days = ask(meter, calendar.CLUSTER, calendar.GetDayProfiles(0, friendly, 1, 0))
    assert [one.entries for one in days] == [((480, 0),), ((0, 1),)]
    [week] = ask(meter, calendar.CLUSTER, calendar.GetWeekProfiles(0, friendly, 1, 0))
    assert week.days == (1, 1, 1, 1, 1, 2, 2)
    [unknown] = ask(meter, calendar.CLUSTER, calendar.GetSeasons(0, 5))
    assert unknown == DefaultResponse(0x03, Status.NOT_FOUND)


@QUICK
@given(st.text(max_size=40))
def test_a_message_is_shown_as_sent_and_confirmed(text: str) -> None:
    meter = Meter()
    octets = text.encode()
    meter.set("ECS10", supplier_message=axdr.octets(octets))
    [shown] = ask(meter, device_management.MESSAGING, device_management.GetLastMessage())
    if not octets:
        assert shown == DefaultResponse(0x00, Status.NOT_FOUND)
        return
    assert shown.text == octets
    confirmed = device_management.MessageConfirmation(shown.message_id, 0, b"")
    [done] = ask(meter, device_management.MESSAGING, confirmed)
    assert done.status == Status.SUCCESS
    assert meter.device.event_log[-1].code == EventCode.MESSAGE_ACKNOWLEDGED


def test_device_management_tells_site_contact_number_and_tenancy() -> None:
    meter = Meter(
        contact_name=b"GB Supply".hex(), contact_telephone=b"0800 0000".hex(),
        customer_identification_number=b"1234".hex(), restrict_data_from="2024-05-01T00:00:00",
    )  # fmt: skip
    cluster = device_management.CLUSTER
    [site] = ask(meter, cluster, device_management.GetSiteId())
    assert site.site_id == b"9999999999990"
    [supplier] = ask(meter, cluster, device_management.GetChangeOfSupplier())
    assert (supplier.name, supplier.contact) == (b"GB Supply", b"0800 0000")
    [cin] = ask(meter, cluster, device_management.GetCin())
    assert cin.cin == b"1234"
    [tenancy] = ask(meter, cluster, device_management.GetChangeOfTenancy())
    assert tenancy.start_s == read(meter, cluster, 0x0200) > 0


def test_a_token_by_the_han_is_taken_once_and_logged() -> None:
    meter = prepaying()
    entered = account.ConsumerTopUp(2, token(3, 1500).encode())
    assert ask(meter, account.CLUSTER, entered) == [
        ConsumerTopUpResponse(0, 15 * POUND, 2, 20 * POUND)
    ]
    assert ask(meter, account.CLUSTER, entered) == [ConsumerTopUpResponse(1, -1, 2, -1)]
    now_s = to_zigbee_seconds(meter.now)
    [log] = ask(meter, account.CLUSTER, account.GetTopUpLog(now_s, 0))
    assert log.top_ups == ((token(3, 1500).encode(), 15 * POUND, now_s),)
    [none] = ask(meter, account.CLUSTER, account.GetDebtRepaymentLog(now_s, 0, 2))
    assert none.status == Status.NOT_FOUND


def test_a_stranger_may_not_top_up_once_devices_were_joined() -> None:
    meter = prepaying()
    meter.device.joins.entries[HCALCS] = JoinedDevice(HCALCS, 4)
    entered = account.ConsumerTopUp(2, token(3, 1500).encode())
    [refused] = ask(meter, account.CLUSTER, entered)
    assert refused == DefaultResponse(0x04, Status.NOT_AUTHORIZED)


@pytest.mark.parametrize("cluster", sorted(TABLES))
def test_an_unknown_command_is_answered_so(cluster: int) -> None:
    octets = frame.encode(frame.ZclFrame(True, False, True, 7, 0xEE, b""))
    [sent] = [e for e in to_meter(Meter(), cluster, octets) if isinstance(e, SendZcl)]
    answer = foundation.decode(frame.decode(sent.frame))
    assert answer == DefaultResponse(0xEE, Status.UNSUP_CLUSTER_COMMAND)


def test_a_request_holds_what_it_answers() -> None:
    indication = ZclIndication(PPMID, ESME, price.CLUSTER, b"")
    request = Request(indication, frame.ZclFrame(True, False, True, 1, 0, b""), price.COMMANDS,
                      UtcMs(0))  # fmt: skip
    assert request.outcome(done=True).to == PPMID
