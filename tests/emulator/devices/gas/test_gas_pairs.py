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
from tests.emulator.devices.esme.rtds_pairs import NOW, as_csv, summary
from tests.emulator.devices.gas import gas_pairs
from tests.emulator.devices.gas.gas_pairs import compare, gas_ring, gsme_of, pairs
from tests.emulator.devices.kit import ACB, messages
from tests.given import RTDS_DIR, needs_rtds, rtds_messages

pytestmark = needs_rtds
#: Octets in a row that no value of a profile may share with a message.
RUN = 24
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


def written(plain: Any) -> Iterator[bytes]:
    """Every run of octets that a plain value could hide."""
    if isinstance(plain, str):
        yield plain.encode()
        digits = "".join(plain.split())
        if len(digits) % 2 == 0 and all(c in "0123456789abcdefABCDEF" for c in digits):
            yield bytes.fromhex(digits)
    elif isinstance(plain, int):
        octets = abs(plain).to_bytes((abs(plain).bit_length() + 7) // 8, "big")
        yield from (octets, octets[::-1])
    else:
        numbers = [part for part in plain if isinstance(part, int)]
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
            assert all(octets[at : at + RUN] not in runs for at in range(len(octets) - RUN + 1)), (
                name
            )


def test_the_values_are_typed() -> None:
    for name, plain in plain_values():
        made_of(name, plain)


def given(name: str) -> bytes:
    found = sorted(RTDS_DIR.glob(f"RTDS-*/*/{name}.HEX"))
    if not found:
        pytest.skip(f"{name} is not among the vectors at hand")
    return bytes.fromhex(found[0].read_text("ascii"))


def same(ours: bytes, theirs: bytes) -> None:
    """All octets, or all but the signature, which verifies."""
    one, other = envelope.decode(ours), envelope.decode(theirs)
    assert envelope.signed_part(one) == envelope.signed_part(other)
    assert isinstance(open_message(ours, gas_ring(), acb=ACB), Accepted)
    assert other.signature or ours == theirs


def test_a_change_of_mode_is_told_at_its_date_as_given() -> None:
    story = "GCS02_1.6_FUTURE_DATED_SUCCESS"
    made = gsme_of(story)
    made.handle(DeviceEvent.GBCS, given(f"{story}_COMMAND_GBCS"), NOW)
    at = UtcMs(made.timers["model.activation"])
    [sent] = messages(made.handle(DeviceEvent.TIMER, "model.activation", at))
    same(sent, given("GCS02_1.6_8F66_FUTURE_DATED_SUCCESS_ALERT_CHANGE_PAYMENT_MODE_GBCS"))


def test_a_cancelled_change_of_mode_is_told_to_nobody() -> None:
    story = "GCS02_1.6_FUTURE_DATED_SUCCESS"
    made = gsme_of(story)
    made.handle(DeviceEvent.GBCS, given(f"{story}_COMMAND_GBCS"), NOW)
    at = UtcMs(made.timers["model.activation"])
    made.handle(DeviceEvent.GBCS, given("GCS02_1.6_CANCELLATION_SUCCESS_COMMAND_GBCS"), NOW)
    assert "model.activation" not in made.timers
    assert messages(made.handle(DeviceEvent.TIMER, "model.activation", at)) == []


@pytest.mark.parametrize(
    ("code", "information", "name"),
    [
        (0x810E, b"", "GNCA-ZigBee_NA_810E_ALERT_GBCS"),
        (0x81A0, b"\x00\x05", "MIIWA-ZigBee_NA_81A0_ALERT_GBCS"),
    ],
)
def test_events_are_told_as_given(code: int, information: bytes, name: str) -> None:
    made = gsme_of("alerts")
    made.next_counter = 3000
    [sent] = messages(made.tell_event(code, NOW, information))
    same(sent, given(name))
