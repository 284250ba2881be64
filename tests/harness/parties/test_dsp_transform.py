"""Commands of the table of transforms, octet for octet as others made them; who speaks."""

from collections.abc import Iterator
from typing import Any

import pytest

from device_profiles.duis_services import Transform, load_duis_services, load_transforms
from device_profiles.words import DeviceType
from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.dates import decode_date_time
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs, from_zigbee_seconds
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.formats.duis.smets1_bodies import LogPeriod
from harness.parties import dsp_contents
from harness.parties.dsp_contents import Reader
from harness.parties.speakers import SIGNED, Speaker, speaker_of
from tests.given import needs_rtds, rtds_messages

ROWS = [row for rows in load_transforms().values() for row in rows]
#: Use cases of which RTDS 4.5.0 holds no command.
WITHOUT = {"ECS61E", "GCS33", "ECS26C", "ECS26E", "ECS26F", "ECS25R1", "ECS35A", "ECS35E"}
WITHOUT |= {"ECS35C", "CS10A", "ECS61A", "ECS61C"}
USER, DEVICE = Eui64.parse("90-B3-D5-1F-30-01-00-00"), Eui64.parse("00-DB-12-34-56-78-90-A0")
DAY = LogPeriod(UtcMs(1_419_984_000_000), UtcMs(1_420_070_400_000))
#: Gas use case -> begin and end that each of its commands at hand names, seconds since 2000.
GAS: dict[str, list[tuple[int, int]]] = {
    "GCS15B": [(0x1C0E6C00, 0x1DC81280)],
    "GCS15C": [(0x1C374A81, 0x1E187E01)],
    "GCS15D": [(0x1C35F900, 0x1C36F620), (0x1C0E6C00, 0x277FD100)],
    "GCS15E": [(0x1C0E6C00, 0xFFFFFFFE)],
    "GCS16A": [(0x1C34A784, 0x1E187E03)],
    "GCS16B": [(0x1C349970, 0x1C374A80)],
    "GCS17": [(0x1C34A780, 0x1C374A80)],
    "GCS61": [(0x1C2A1B80, 0x1C374A80)],
    "CS10B": [(0x1C35F900, 0x1C374A80), (0x25BF9300, 0x25BFF570)],
}


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


def periods(row: Transform, env: Envelope) -> list[LogPeriod]:
    """The periods of a command: what it names, or what its use case is known to be asked for."""
    if row.message in GAS:
        return [
            LogPeriod(from_zigbee_seconds(first), from_zigbee_seconds(last))
            for first, last in GAS[row.message]
        ]
    if "log " in row.content or "range " in row.content:
        items = access.decode_request(env.payload).items
        return [found for found in map(period_in, items) if found is not None]
    return [DAY]


def period_in(item: AccessItem) -> LogPeriod | None:
    if item.selection is not None:
        said: Any = item.selection.parameters.value
        _clock, first, last, _columns = said
        return LogPeriod(from_zigbee_seconds(first.value), from_zigbee_seconds(last.value))
    wanted: Any = item.data.value
    if isinstance(wanted, tuple):
        ends = wanted[0].value[0].value[4].value[1].value
        begin, end = [decode_date_time(one.value)[0] for one in ends]
        return LogPeriod(begin, end)
    return None


@needs_rtds
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.service} {row.message}")
def test_a_command_is_that_of_the_vectors_octet_for_octet(row: Transform) -> None:
    found = list(commands(row))
    assert bool(found) != (row.message in WITHOUT)
    for env in found:
        header, other = env.header, env.header.other
        user, counter = other.supplementary_party, other.supplementary_counter or 0
        reader = Reader(header.originator, header.counter, header.target, user, counter)
        made = [dsp_contents.payload(row.content, reader, one) for one in periods(row, env)]
        assert env.payload in made


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.service} {row.message}")
def test_every_command_can_be_read_and_is_of_no_critical_service(row: Transform) -> None:
    assert not load_duis_services()[row.service].critical
    octets = dsp_contents.payload(row.content, Reader(USER, 1000, DEVICE), DAY)
    assert decode_payload(MESSAGES[int(MessageCode[row.message])], Cra.COMMAND, octets) is not None


def test_a_log_is_not_read_without_a_period() -> None:
    row = Transform.found(load_transforms(), "4.8.1", DeviceType.ESME)
    assert row is not None
    with pytest.raises(ValueError, match="no part"):
        dsp_contents.payload(row.content, Reader(USER, 1000, DEVICE))


def test_the_word_of_a_request_chooses_among_transforms() -> None:
    rows = load_transforms()
    chosen = {
        word: getattr(Transform.found(rows, "6.13", DeviceType.ESME, word), "message", None)
        for word in ("Event", "Security", "GSMEEvent", "")
    }
    assert chosen == {"Event": "ECS35A", "Security": "ECS35B", "GSMEEvent": None, "": None}
    assert Transform.found(rows, "4.18", DeviceType.PPMID) is None


def test_the_dcc_speaks_in_its_own_name_where_the_place_is_its_own() -> None:
    assert speaker_of("4.8.1") is Speaker.USER
    assert speaker_of("6.21") is Speaker.BROKER
    assert speaker_of("6.23") is Speaker.TRANSITIONAL_COS
    assert {"6.21", "6.23"} == SIGNED
