"""Given commands to GSME and GPF are answered out of device state; the state holds no message."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.codecs.gbcs import envelope
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.crypto.protection import Accepted, open_message
from emulator.devices.gsme.model.store import made_of
from tests.emulator.devices.gas import gas_pairs
from tests.emulator.devices.gas.gas_pairs import compare, gsme_of, pairs
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
PROFILES = ("rtds-gsme.toml", "rtds-gpf.toml")


def test_the_pairs_are_answered_as_the_list_says() -> None:
    outcomes = [compare(pair) for pair in pairs()]
    assert as_csv(outcomes) == gas_pairs.LIST.read_text("utf-8")


def test_every_pair_with_a_key_is_equal_in_every_family() -> None:
    by_family = summary([compare(pair) for pair in pairs()])
    for family, (equal, total) in by_family.items():
        assert (equal, total) == (0, 1) if family == "NA.x" else equal == total > 0, family


def plain_values() -> Iterator[tuple[str, Any]]:
    for profile in PROFILES:
        read = tomllib.loads((gas_pairs.HERE / profile).read_text("utf-8"))
        yield from read["attributes"].items()
    for told in gas_pairs.stories().values():
        yield from {**told.get("attributes", {}), **told.get("gpf", {})}.items()


def test_no_value_is_or_hides_a_part_of_a_message() -> None:
    assert_holds_no_message(plain_values())


def test_the_values_are_typed() -> None:
    for name, plain in plain_values():
        made_of(name, plain)


def same(ours: bytes, theirs: bytes) -> None:
    """All octets, or all but the signature, which verifies."""
    one, other = envelope.decode(ours), envelope.decode(theirs)
    assert envelope.signed_part(one) == envelope.signed_part(other)
    assert isinstance(open_message(ours, rtds_ring(), acb=ACB), Accepted)
    assert other.signature or ours == theirs


def test_a_change_of_mode_is_told_at_its_date_as_given() -> None:
    story = "GCS02_1.6_FUTURE_DATED_SUCCESS"
    made = gsme_of(story)
    made.handle(DeviceEvent.GBCS, given(f"{story}_COMMAND"), NOW)
    at = UtcMs(made.timers["model.activation"])
    [sent] = messages(made.handle(DeviceEvent.TIMER, "model.activation", at))
    same(sent, given("GCS02_1.6_8F66_FUTURE_DATED_SUCCESS_ALERT_CHANGE_PAYMENT_MODE"))


def test_a_cancelled_change_of_mode_is_told_to_nobody() -> None:
    story = "GCS02_1.6_FUTURE_DATED_SUCCESS"
    made = gsme_of(story)
    made.handle(DeviceEvent.GBCS, given(f"{story}_COMMAND"), NOW)
    at = UtcMs(made.timers["model.activation"])
    made.handle(DeviceEvent.GBCS, given("GCS02_1.6_CANCELLATION_SUCCESS_COMMAND"), NOW)
    assert "model.activation" not in made.timers
    assert messages(made.handle(DeviceEvent.TIMER, "model.activation", at)) == []


@pytest.mark.parametrize(
    ("code", "information", "name"),
    [
        (0x810E, b"", "GNCA-ZigBee_NA_810E_ALERT"),
        (0x81A0, b"\x00\x05", "MIIWA-ZigBee_NA_81A0_ALERT"),
    ],
)
def test_events_are_told_as_given(code: int, information: bytes, name: str) -> None:
    made = gsme_of("alerts")
    made.next_counter = 3000
    [sent] = messages(made.tell_event(code, NOW, information))
    same(sent, given(name))
