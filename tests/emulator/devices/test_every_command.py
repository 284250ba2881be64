"""Every command of the message table is answered rightly under fresh keys, EUI-64s and counters."""

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import AccessResponse
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.gbz import GbzMessage
from emulator.codecs.gbcs.payload import decode_payload, encode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageRow
from emulator.crypto.protection import Accepted, KeyRing, open_message
from harness.gbcs_blocks import whole_messages
from tests.emulator.devices.every_command import Asking, pairs
from tests.emulator.devices.kit import messages, notes

PAIRS = [pytest.param(row, kind, id=f"{row.code:04x}-{row.use_case}-{kind}")
         for row, kind in pairs()]  # fmt: skip

#: Use cases of which a part fails at a device that was only just made: no such row or log yet,
#: no device to remove, no credit below a threshold, credit mode, or a value of zeros that is none.
NEED_MORE = {
    "CCS02", "CS01a", "CS10a", "CS10b", "ECS09", "ECS47", "ECS47a", "ECS47e", "GCS06", "GCS15b",
    "GCS15c", "GCS15d", "GCS15e", "GCS16a", "GCS16b", "GCS17", "GCS20", "GCS20r", "GCS21b",
    "GCS21d", "GCS21f", "GCS21k", "GCS31", "GCS61", "PCS02",
}  # fmt: skip


def test_every_command_of_the_table_is_asked_of_somebody() -> None:
    commands = {row.code for row in MESSAGES.values() if row.command}
    assert len(commands) == 207
    assert {row.code for row, _ in pairs()} == commands


@pytest.mark.parametrize(("row", "kind"), PAIRS)
def test_a_command_is_answered_under_fresh_keys_and_once(row: MessageRow, kind: DeviceType) -> None:
    asking = Asking(row, kind, seed=1000 + row.code)
    home, message = asking.home, asking.message()
    asked = envelope.decode(message).header
    effects = home.give(message)
    assert not notes(effects, "message_refused"), notes(effects, "message_refused")
    whole = whole_messages(messages(effects))
    sent = [envelope.decode(one) for one in whole]
    [answer] = [one for one in sent if one.header.cra is Cra.RESPONSE]
    head = answer.header
    assert (head.counter, head.other.message_code) == (asked.counter, row.code)
    assert (head.originator, head.target) == (asked.target, asked.originator)
    assert bool(head.date_time) is row.response_date_time
    everybody = KeyRing(home.keys)
    for octets in whole:
        if row.use_case != "CS02b":  # the ACB's keys may just have changed
            opened = open_message(octets, everybody, acb=home.device.network.acb)
            assert isinstance(opened, Accepted), opened
    check_payload(asking, answer)
    again = home.give(message)
    assert notes(again, "message_refused")
    assert not messages(again)


def check_payload(asking: Asking, answer: Envelope) -> None:
    """An answer is of its language, and says something of every part of the command."""
    value = decode_payload(asking.row, Cra.RESPONSE, answer.payload)
    assert encode_payload(value) == answer.payload
    if isinstance(value, AccessResponse):
        assert len(value.results) == asking.items
    if isinstance(value, GbzMessage):
        assert len(value.components) >= asking.items


def succeeded(row: MessageRow, kind: DeviceType) -> bool:
    """Whether all of a command was carried out."""
    asking = Asking(row, kind, 1)
    sent = [envelope.decode(one) for one in asking.answers()]
    value = decode_payload(row, Cra.RESPONSE, sent[0].payload)
    if isinstance(value, AccessResponse):
        return all(one.result == 0 for one in value.results)
    if isinstance(value, GbzMessage):
        return not any(one.command == 0x0B and one.payload[1] for one in value.components)
    return True


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_most_commands_are_carried_out_to_the_end() -> None:
    """So the answers above are not all refusals: what is left needs something that went before."""
    failed = {row.use_case for row, kind in pairs() if not succeeded(row, kind)}
    assert failed == NEED_MORE
