"""A PPMID shows what its meters serve, and its orders reach them."""

import pytest

from device_profiles.words import DeviceType, SupplyState
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.shapes import make, shape_of
from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.dates import NOW
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.codecs.zcl import account
from emulator.codecs.zcl.account import ConsumerTopUpResponse
from emulator.codecs.zcl.metering import SupplyStatus
from emulator.codecs.zcl.prepayment import CreditFlag
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, SendGbcs, SendZcl, ZclIndication
from emulator.crypto.protection import Accepted, KeyRing, open_message, seal
from emulator.devices.esme import life
from emulator.devices.esme.events import EventCode
from emulator.devices.hands import by_hand
from emulator.devices.ppmid.ppmid import Ppmid
from tests.emulator.devices.esme.esme_kit import Meter
from tests.emulator.devices.esme.prepayment_kit import POUND, prepaying, to_meter, token
from tests.emulator.devices.kit import ACB, ESME, GSME, PPMID, everyone, powered


class Home:
    """A meter and its PPMID; frames reach each other at once."""

    def __init__(self, meter: Meter) -> None:
        made = powered(DeviceType.PPMID)
        assert isinstance(made, Ppmid)
        self.meter, self.ppmid = meter, made
        made.know_meters(ESME, GSME)

    def perform(self, effects: list[Effect]) -> None:
        for one in effects:
            if isinstance(one, SendZcl) and one.to == ESME:
                self._answered(to_meter(self.meter, one.cluster, one.frame))

    def _answered(self, effects: list[Effect]) -> None:
        for one in effects:
            if isinstance(one, SendZcl) and one.to == PPMID:
                indication = ZclIndication(ESME, PPMID, one.cluster, one.frame)
                self.ppmid.handle(DeviceEvent.ZCL, indication, self.meter.now)

    def supply(self) -> SupplyStatus | None:
        return self.ppmid.electricity.supply

    def switch(self) -> SupplyState:
        return self.meter.device.switch

    def look(self) -> dict[str, str]:
        self.perform(self.ppmid.refresh())
        return self.ppmid.rows()


def test_a_ppmid_shows_what_the_meter_serves() -> None:
    home = Home(prepaying(supplier_message=b"Hello".hex()))
    shown = home.look()
    assert shown["electricity balance"] == "500.00 p"
    assert shown["electricity payment"] == "prepayment"
    assert shown["electricity price"] == "25.00 p"
    assert shown["electricity message"] == "Hello"
    assert shown["electricity supply"] == "on"
    home.meter.set("ECS04a", meter_balance_adjust=Data(Tag.INT32, -1000))
    assert home.look()["electricity balance"] == "499.00 p"
    home.perform(home.ppmid.confirm_message(home.meter.now))
    assert home.meter.device.event_log[-1].code == EventCode.MESSAGE_ACKNOWLEDGED
    home.ppmid.load(home.ppmid.dump())
    assert home.ppmid.rows()["electricity balance"] == "499.00 p"


def test_what_a_ppmid_asks_waits_for_the_pin_that_is_entered_at_the_meter() -> None:
    home = Home(prepaying(meter_balance_millipence=0, emergency_credit_limit_millipence=2 * POUND))
    meter, ppmid = home.meter, home.ppmid
    by_hand(meter.device, "set-pin=2468", meter.now)
    home.perform(ppmid.activate_emergency_credit(meter.now))
    assert ppmid.electricity.action == "emergency credit: refused"
    assert meter.device.model.ledger.account.granted == 0
    home.perform(ppmid.top_up(token(2, 10)))
    assert "accepted" in ppmid.electricity.top_up
    home.perform(ppmid.enable_supply())
    assert (ppmid.electricity.action, home.switch()) == (
        "enable supply: refused", SupplyState.ARMED
    )  # fmt: skip
    by_hand(meter.device, "pin=2468", meter.now)
    home.perform(ppmid.enable_supply())
    assert (ppmid.electricity.action, home.switch()) == ("enable supply: done", SupplyState.ON)


def test_mode_change_by_command_is_seen_at_the_ppmid() -> None:
    home = Home(prepaying())
    mode = make(shape_of("payment_mode"), [1, 1])
    at_once = axdr.octets(NOW)
    home.meter.set("ECS02", passive_payment_mode=mode, account_activation=at_once)
    assert home.look()["electricity payment"] == "credit"


def test_a_life_without_credit_at_the_ppmid() -> None:
    """Emergency credit, a token, and supply back on, all from the PPMID."""
    home = Home(prepaying(meter_balance_millipence=0, emergency_credit_limit_millipence=2 * POUND))
    meter, ppmid = home.meter, home.ppmid
    assert home.switch() is SupplyState.OFF
    home.look()
    assert CreditFlag.EMERGENCY_AVAILABLE in ppmid.electricity.credit
    assert home.supply() is SupplyStatus.OFF
    home.perform(ppmid.enable_supply())
    assert ppmid.rows()["electricity button"] == "enable supply: refused"
    home.perform(ppmid.activate_emergency_credit(meter.now))
    assert ppmid.rows()["electricity button"] == "emergency credit: done"
    home.look()
    assert home.supply() is SupplyStatus.OFF_ARMED
    assert ppmid.electricity.emergency_credit == 2 * POUND
    home.perform(ppmid.enable_supply())
    home.look()
    assert home.supply() is SupplyStatus.ON
    home.perform(ppmid.top_up(token(3, 1500)))
    assert ppmid.rows()["electricity top-up"] == "1500.00 p accepted"
    home.perform(ppmid.top_up(token(3, 1500)))
    assert ppmid.rows()["electricity top-up"] == "rejected"
    codes = [entry.code for entry in meter.device.event_log]
    assert EventCode.HAN_COMMAND_ACTIONED in codes
    assert EventCode.HAN_COMMAND_NOT_ACTIONED in codes
    assert life.Button.ENABLE_SUPPLY.value == "enable supply"


@pytest.mark.parametrize(
    ("code", "answer", "row", "shown"),
    [
        (MessageCode.PCS01, (3, ConsumerTopUpResponse(0, 5 * POUND, 2, 6 * POUND).encode()),
         "gas top-up", "500.00 p accepted"),
        (MessageCode.PCS01, (3, ConsumerTopUpResponse(1, -1, 2, -1).encode()),
         "gas top-up", "rejected"),
        (MessageCode.PCS02, (0x0B, b"\0\0"), "gas button", "emergency credit: done"),
        (MessageCode.PCS02, (0x0B, b"\0\x01"), "gas button", "emergency credit: refused"),
    ],
)  # fmt: skip
def test_gas_orders_go_to_the_gsme_and_its_answers_are_shown(
    code: MessageCode, answer: tuple[int, bytes], row: str, shown: str
) -> None:
    ppmid = Home(Meter()).ppmid
    if code is MessageCode.PCS01:
        effects = ppmid.top_up("1" * 20, gas=True)
    else:
        effects = ppmid.activate_emergency_credit(UtcMs(0), gas=True)
    [sent] = [e.message for e in effects if isinstance(e, SendGbcs)]
    opened = open_message(sent, everyone(), acb=ACB)
    assert isinstance(opened, Accepted)
    header = opened.envelope.header
    assert (header.target, header.other.message_code) == (GSME, code)
    back = GroupingHeader(Cra.RESPONSE, header.counter, GSME, PPMID, OtherInformation(int(code)))
    control = 9 if code is MessageCode.PCS01 else 8
    body = gbz.encode(GbzMessage((GbzComponent(account.CLUSTER, control, 0, *answer),)))
    protection = MESSAGES[int(code)].response[0]
    message = seal(Envelope(back, body), everyone(), protection=protection, acb=ACB)
    ppmid.handle(DeviceEvent.GBCS, message, UtcMs(1))
    assert ppmid.rows()[row] == shown
    spoilt = message[:-1] + bytes([message[-1] ^ 1])
    before = ppmid.dump()
    ppmid.handle(DeviceEvent.GBCS, spoilt, UtcMs(1))
    assert ppmid.dump() == before


def test_a_ppmid_without_keys_or_meters_asks_nobody() -> None:
    made = powered(DeviceType.PPMID)
    assert isinstance(made, Ppmid)
    assert made.refresh() == made.top_up("1") == made.enable_supply() == []
    made.know_meters(None, GSME)
    made.take_ring(KeyRing(everyone().keystore.public()))
    assert not [e for e in made.top_up("1", gas=True) if isinstance(e, SendGbcs)]
