"""Given commands are answered out of device state, and the state holds no message."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.gbcs import envelope
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.crypto.protection import Accepted, open_message
from emulator.devices.esme.model.store import made_of
from tests.emulator.devices.esme import rtds_pairs
from tests.emulator.devices.esme.rtds_pairs import compare, device_of, pairs
from tests.emulator.devices.kit import ACB, messages
from tests.emulator.devices.rtds_kit import (
    NOW,
    as_csv,
    assert_holds_no_message,
    given,
    rtds_ring,
    summary,
)
from tests.given import needs_rtds

pytestmark = needs_rtds
PROFILE = rtds_pairs.HERE / "rtds-esme.toml"


def test_the_pairs_are_answered_as_the_list_says() -> None:
    outcomes = [compare(pair) for pair in pairs()]
    assert as_csv(outcomes) == rtds_pairs.LIST.read_text("utf-8")


def test_reads_and_settings_are_equal_in_every_family() -> None:
    """The mission families; CS02* has its own count."""
    by_family = summary([compare(pair) for pair in pairs()])
    for family in ("1.x", "2.x", "3.x", "4.x", "6.x", "7.x", "11.x"):
        equal, total = by_family[family]
        assert equal == total > 0, family


def plain_values() -> Iterator[tuple[str, Any]]:
    for name, plain in tomllib.loads(PROFILE.read_text("utf-8"))["attributes"].items():
        yield name, plain
    for story, told in rtds_pairs.stories().items():
        for name, plain in told.get("attributes", {}).items():
            yield f"{story} {name}", plain


def test_no_value_is_or_hides_a_part_of_a_message() -> None:
    assert_holds_no_message(plain_values())


def test_the_values_are_typed() -> None:
    for name, plain in plain_values():
        axdr.encode(made_of(name.rsplit(" ", maxsplit=1)[-1], plain))


#: Story of a future-dated command -> its alerts, in order, and the counter of the first.
DATED = {
    "ECS01c_1.1.2_FUTURE_DATED_SUCCESS": (
        2003,
        "ECS01c_1.1.2_8F66_FUTURE_DATED_SUCCESS_ALERT_SWITCHING_TABLE",
        "ECS01c_1.1.2_8F66_FUTURE_DATED_SUCCESS_ALERT_PRICE_MATRIX",
        "ECS01c_1.1.2_8F66_FUTURE_DATED_SUCCESS_ALERT_SPECIAL_DAYS",
    ),
    "ECS01b_1.2.1_FUTURE_DATED_TOU_BLOCK_SUCCESS": (
        2002,
        "ECS01b_1.2.1_8F66_FUTURE_DATED_TOU_BLOCK_SUCCESS_ALERT_STANDING_CHARGE",
        "ECS01b_1.2.1_8F66_FUTURE_DATED_TOU_BLOCK_SUCCESS_ALERT_PRICE_MATRIX",
    ),
    "ECS02_1.6_FUTURE_DATED_TWIN_SUCCESS": (
        2002,
        "ECS02_1.6_8F66_FUTURE_DATED_TWIN_SUCCESS_ALERT_PAYMENT_MODE",
    ),
    "ECS08_2.1_FUTURE_DATED_SUCCESS": (
        2009,
        *(
            f"ECS08_2.1_8F66_FUTURE_DATED_SUCCESS_ALERT_{what}"
            for what in (
                "SPECIAL_DAYS", "MAX_METER_BALANCE", "MAX_CREDIT_THRESHOLD",
                "DEBT_RECOVERY_RATE_CAP_AMOUNT", "DEBT_RECOVERY_RATE_CAP_PERIOD",
                "LOW_CREDIT_THRESHOLD", "EMERGENCY_CREDIT_LIMIT", "EMERGENCY_CREDIT_THRESHOLD",
                "CALENDAR",
            )
        ),
    ),
    "ECS46c_6.14.2_FUTURE_DATED_ALL_OPTIONALS_SUCCESS": (
        2004,
        "ECS46c_6.14.2_8F66_FUTURE_DATED_ALL_OPTIONALS_SUCCESS_ALERT_CALENDAR",
        "ECS46c_6.14.2_8F66_FUTURE_DATED_ALL_OPTIONALS_SUCCESS_ALERT_SPECIAL_DAYS",
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", DATED)
def test_future_dated_outcomes_are_told_as_given(story: str) -> None:
    counter, *names = DATED[story]
    made = device_of(story)
    made.next_counter = counter  # type: ignore[assignment] # the first of a row is the counter
    made.handle(DeviceEvent.GBCS, given(f"{story}_COMMAND"), NOW)
    at = UtcMs(made.timers["model.activation"])
    told = messages(made.handle(DeviceEvent.TIMER, "model.activation", at))
    sent = [one for one in told if envelope.decode(one).header.other.message_code == 0x00CC]
    assert len(sent) == len(names)
    for ours, name in zip(sent, names, strict=True):
        theirs = envelope.decode(given(str(name)))
        assert envelope.signed_part(envelope.decode(ours)) == envelope.signed_part(theirs), name
        assert isinstance(open_message(ours, rtds_ring(), acb=ACB), Accepted)
