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
from tests.emulator.devices.esme.rtds_pairs import NOW, compare, device_of, pairs, rtds_ring
from tests.emulator.devices.kit import ACB, messages
from tests.given import RTDS_DIR, needs_rtds, rtds_messages

pytestmark = needs_rtds
#: Octets in a row that no value of a profile may share with a message.
RUN = 24
PROFILE = rtds_pairs.HERE / "rtds-esme.toml"


def test_the_pairs_are_answered_as_the_list_says() -> None:
    outcomes = [compare(pair) for pair in pairs()]
    assert rtds_pairs.as_csv(outcomes) == rtds_pairs.LIST.read_text("utf-8")


def test_reads_and_settings_are_equal_in_every_family() -> None:
    """The mission families; CS02* has its own count."""
    by_family = rtds_pairs.summary([compare(pair) for pair in pairs()])
    for family in ("1.x", "2.x", "3.x", "4.x", "6.x", "7.x", "11.x"):
        equal, total = by_family[family]
        assert equal == total > 0, family


def plain_values() -> Iterator[tuple[str, Any]]:
    for name, plain in tomllib.loads(PROFILE.read_text("utf-8"))["attributes"].items():
        yield name, plain
    for story, told in rtds_pairs.stories().items():
        for name, plain in told.get("attributes", {}).items():
            yield f"{story} {name}", plain


def written(plain: Any) -> Iterator[bytes]:
    """Every run of octets that a plain value could hide."""
    if isinstance(plain, str):
        yield plain.encode()
        digits = "".join(plain.split())
        if len(digits) % 2 == 0 and all(c in "0123456789abcdefABCDEF" for c in digits):
            yield bytes.fromhex(digits)
    elif isinstance(plain, bool):
        return
    elif isinstance(plain, int):
        yield abs(plain).to_bytes((abs(plain).bit_length() + 7) // 8, "big")
    elif isinstance(plain, dict):
        for part in plain.values():
            yield from written(part)
    else:
        numbers = [part for part in plain if isinstance(part, int) and not isinstance(part, bool)]
        if len(numbers) == len(plain) and all(0 <= number < 256 for number in numbers):
            yield bytes(numbers)
        for part in plain:
            yield from written(part)


def test_no_value_is_or_hides_a_part_of_a_message() -> None:
    runs: set[bytes] = set()
    payloads: set[bytes] = set()
    for _, octets in rtds_messages():
        payloads.add(envelope.decode(octets).payload)
        runs.update(octets[at : at + RUN] for at in range(len(octets) - RUN + 1))
    for name, plain in plain_values():
        for octets in written(plain):
            assert octets not in payloads, name
            assert not any(octets[at : at + RUN] in runs for at in range(len(octets) - RUN + 1)), (
                name
            )


def test_the_values_are_typed() -> None:
    for name, plain in plain_values():
        axdr.encode(made_of(name.rsplit(" ", maxsplit=1)[-1], plain))


#: Story of a future-dated command -> its alerts, in order, and the counter of the first.
DATED = {
    "ECS01c_1.1.2_FUTURE_DATED_SUCCESS": (
        2003,
        "ECS01c_1.1.2_8F66_FUTURE_DATED_SUCCESS_ALERT_SWITCHING_TABLE_GBCS",
        "ECS01c_1.1.2_8F66_FUTURE_DATED_SUCCESS_ALERT_PRICE_MATRIX_GBCS",
        "ECS01c_1.1.2_8F66_FUTURE_DATED_SUCCESS_ALERT_SPECIAL_DAYS_GBCS",
    ),
    "ECS01b_1.2.1_FUTURE_DATED_TOU_BLOCK_SUCCESS": (
        2002,
        "ECS01b_1.2.1_8F66_FUTURE_DATED_TOU_BLOCK_SUCCESS_ALERT_STANDING_CHARGE_GBCS",
        "ECS01b_1.2.1_8F66_FUTURE_DATED_TOU_BLOCK_SUCCESS_ALERT_PRICE_MATRIX_GBCS",
    ),
    "ECS02_1.6_FUTURE_DATED_TWIN_SUCCESS": (
        2002,
        "ECS02_1.6_8F66_FUTURE_DATED_TWIN_SUCCESS_ALERT_PAYMENT_MODE_GBCS",
    ),
    "ECS08_2.1_FUTURE_DATED_SUCCESS": (
        2009,
        *(
            f"ECS08_2.1_8F66_FUTURE_DATED_SUCCESS_ALERT_{what}_GBCS"
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
        "ECS46c_6.14.2_8F66_FUTURE_DATED_ALL_OPTIONALS_SUCCESS_ALERT_CALENDAR_GBCS",
        "ECS46c_6.14.2_8F66_FUTURE_DATED_ALL_OPTIONALS_SUCCESS_ALERT_SPECIAL_DAYS_GBCS",
    ),
}  # fmt: skip


def given(name: str) -> bytes:
    found = sorted(RTDS_DIR.glob(f"RTDS-*/*/{name}.HEX"))
    if not found:
        pytest.skip(f"{name} is not among the vectors at hand")
    return bytes.fromhex(found[0].read_text("ascii"))


@pytest.mark.parametrize("story", DATED)
def test_future_dated_outcomes_are_told_as_given(story: str) -> None:
    counter, *names = DATED[story]
    made = device_of(story)
    made.next_counter = counter  # type: ignore[assignment] # the first of a row is the counter
    made.handle(DeviceEvent.GBCS, given(f"{story}_COMMAND_GBCS"), NOW)
    at = UtcMs(made.timers["model.activation"])
    told = messages(made.handle(DeviceEvent.TIMER, "model.activation", at))
    sent = [one for one in told if envelope.decode(one).header.other.message_code == 0x00CC]
    assert len(sent) == len(names)
    for ours, name in zip(sent, names, strict=True):
        theirs = envelope.decode(given(str(name)))
        assert envelope.signed_part(envelope.decode(ours)) == envelope.signed_part(theirs), name
        assert isinstance(open_message(ours, rtds_ring(), acb=ACB), Accepted)
