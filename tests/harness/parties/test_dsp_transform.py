"""Commands of the table of transforms, octet for octet as others made them."""

from collections.abc import Iterator

import pytest

from device_profiles.duis_services import Transform, load_duis_services, load_transforms
from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.parties.dsp_transform import Reader, command, pre_command
from tests.given import needs_rtds, rtds_messages

ROWS = [row for rows in load_transforms().values() for row in rows]
#: Use cases of which RTDS 4.5.0 holds no command.
WITHOUT = {"ECS09", "ECS43", "ECS44", "GCS39", "ECS61E", "GCS33"}
USER, DEVICE = Eui64.parse("90-B3-D5-1F-30-01-00-00"), Eui64.parse("00-DB-12-34-56-78-90-A0")


def commands(row: Transform) -> Iterator[Envelope]:
    """The commands of a use case among the vectors."""
    for name, octets in rtds_messages():
        if "PRECOMMAND" in name or "COMMAND" not in name:
            continue
        try:
            env = envelope.decode(octets)
        except MalformedFrameError:
            continue
        code = env.header.other.message_code
        if env.header.cra is Cra.COMMAND and code == MessageCode[row.message]:
            yield env


@needs_rtds
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.message)
def test_a_command_is_that_of_the_vectors_octet_for_octet(row: Transform) -> None:
    critical = load_duis_services()[row.service].critical
    found = list(commands(row))
    assert bool(found) != (row.message in WITHOUT)
    for env in found:
        header, other = env.header, env.header.other
        user, counter = other.supplementary_party, other.supplementary_counter or 0
        reader = Reader(header.originator, header.counter, header.target, user, counter)
        made = command(row, reader, critical=critical)
        assert (made.header, made.payload) == (header, env.payload)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.message)
def test_every_command_can_be_read_and_names_its_message_code(row: Transform) -> None:
    critical = load_duis_services()[row.service].critical
    reader = Reader(USER, 1000, DEVICE)
    octets = pre_command(row, reader) if critical else None
    env = envelope.decode(octets) if octets else command(row, reader, critical=False)
    table = MESSAGES[int(MessageCode[row.message])]
    assert decode_payload(table, Cra.COMMAND, env.payload) is not None
    assert (env.signature is None) == critical


def test_a_command_in_a_users_place_names_the_user() -> None:
    row = Transform.found(load_transforms(), "4.18", DeviceType.ESME)
    assert row is not None
    env = command(row, Reader(DEVICE, 5, DEVICE, USER, 77), critical=False)
    assert env.header.other.supplementary_party == USER
    assert env.header.other.supplementary_counter == 77
    assert Transform.found(load_transforms(), "4.18", DeviceType.PPMID) is None
