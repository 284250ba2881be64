"""The hot frames are read alike by the driver, by bellows and by our own codec."""

import importlib
from typing import Any

import pytest

from emulator.codecs.ezsp import protocol
from emulator.codecs.ezsp.frames import Frame, callback
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values_messages import IncomingMessage, MessageSent
from emulator.core.ids import Eui64
from hil.zigbee.messages import read_incoming, read_sent

APS = ApsFrame(0x0109, 0x0704, 7, 123, 0x8160, 0x0305, 0xC8)
NODE = Eui64.parse("90-B3-D5-1F-00-00-00-11")


def _of_bellows(version: int, name: str, parameters: bytes) -> Any:
    module = importlib.import_module(f"bellows.ezsp.v{version}")
    schema = getattr(module, f"EZSPv{version}").COMMANDS[name][2]
    values: dict[str, Any] = {}
    for field, kind in schema.items():
        values[field], parameters = kind.deserialize(parameters)
    assert parameters == b""
    return values


@pytest.mark.parametrize("version", [8, 13, 14, 18, 19])
@pytest.mark.parametrize("kind", [0, 2, 4])
def test_a_message_is_read_as_it_was_written(version: int, kind: int) -> None:
    told = IncomingMessage(kind, APS, 0x1234, 200, -50, b"\x01\x02\x03", sender_eui64=NODE)
    octets = protocol.codec_of(version).encode(callback(Frame.INCOMING_MESSAGE_HANDLER, told, 9))[
        5:
    ]
    found = read_incoming(octets, version)
    assert found is not None
    assert (found.sender, found.payload, found.unicast) == (0x1234, told.message, kind == 0)
    assert (found.profile, found.cluster, found.source_endpoint, found.endpoint) == (
        *(0x0109, 0x0704),
        *(7, 123),
    )
    assert (found.options, found.group, found.sequence) == (0x8160, 0x0305, 0xC8)
    assert found.is_fragment
    assert found.sealed
    assert found.eui64 == (NODE.octets[::-1] if version >= 14 else b"")
    theirs = list(_of_bellows(version, "incomingMessageHandler", octets).values())
    assert theirs[1].sequence == found.sequence
    assert theirs[2 if version >= 14 else 4] == found.sender
    assert bytes(theirs[-1]) == found.payload
    for short in range(len(octets)):
        assert read_incoming(octets[:short], version) is None


@pytest.mark.parametrize("version", [8, 13, 14, 18, 19])
@pytest.mark.parametrize("status", [Status.OK, Status.DELIVERY_FAILED])
def test_the_fate_of_a_message_is_read_as_it_was_written(version: int, status: Status) -> None:
    told = MessageSent(0, 0x1234, APS, 77, status)
    octets = protocol.codec_of(version).encode(callback(Frame.MESSAGE_SENT_HANDLER, told, 9))[5:]
    found = read_sent(octets, version)
    assert found is not None
    assert (found.destination, found.tag) == (0x1234, 77)
    assert found.delivered == (status is Status.OK)
    assert read_sent(octets[:5], version) is None
