"""Frames as a listener hears them, written out by hand from the standards."""

import struct

from emulator.codecs.zcl import frame as zcl
from emulator.codecs.zcl import ota
from emulator.codecs.zigbee import aps, nwk
from emulator.core.ids import Eui64
from hil.zigbee_observation.heard import Heard

HUB = Eui64.parse("00-DB-12-34-56-78-90-A0")
METER, DISPLAY, COORDINATOR = 0x1A2B, 0x3C4D, 0x0000
PAN = 0x1A62
SECOND = 1_000_000
TENTH = SECOND // 10


def heard(at_us: int, octets: bytes, channel: int = 15) -> Heard:
    return Heard(at_us, channel, octets, 200, -50)


def poll(at_us: int, node: int = METER, sequence: int = 1) -> Heard:
    """A data request: command, acknowledged, PAN compressed, short addresses."""
    return heard(at_us, struct.pack("<HBHHHB", 0x8863, sequence, PAN, COORDINATOR, node, 4))


def secured(at_us: int, source: int, destination: int, size: int, sequence: int) -> Heard:
    """A data frame of ``size`` octets on the air whose NWK payload is enciphered."""
    head = struct.pack("<HBHHH", 0x8861, sequence, PAN, destination, source)
    network = struct.pack("<HHHBB", 0x0208, destination, source, 30, sequence)
    rest = bytes(size - 2 - len(head) - len(network))
    return heard(at_us, head + network + rest)


def ack(at_us: int, sequence: int) -> Heard:
    return heard(at_us, struct.pack("<HB", 0x0002, sequence))


def beacon(
    at_us: int = 0, *, permits: bool = True, extended: Eui64 = HUB, gts: bytes = b"\x00"
) -> Heard:
    superframe = 0x4FFF | (0x8000 if permits else 0)
    payload = struct.pack("<BH8s", 0, 0x8422, extended.octets[::-1]) + b"\xff\xff\xff\x00"
    head = struct.pack("<HBHH", 0x8000, 7, PAN, COORDINATOR)
    return heard(at_us, head + struct.pack("<H", superframe) + gts + b"\x00" + payload)


def block(at_us: int, offset: int, data: bytes, sequence: int) -> Heard:
    """An Image Block Response in the clear."""
    command = ota.ImageBlockResponse(0x10F2, 0x0010, 0x02000001, offset, data)
    application = aps.ApsFrame(
        1, 1, ota.CLUSTER, sequence, ota.encode(command, sequence), ack_request=True
    )
    network = nwk.NwkFrame(METER, COORDINATOR, 30, sequence, aps.encode(application))
    head = struct.pack("<HBHHH", 0x8861, sequence, PAN, METER, COORDINATOR)
    assert zcl.decode(application.payload).command == ota.OtaCommand.IMAGE_BLOCK_RESPONSE
    return heard(at_us, head + nwk.encode(network))


def enciphered(count: int, pause_at: int = -1) -> list[Heard]:
    """Requests of 60 octets, blocks of 110, one pair each tenth of a second."""
    frames, now = [], 0
    for number in range(count):
        now += TENTH + (30 * SECOND if number == pause_at else 0)
        frames += [
            secured(now, METER, COORDINATOR, 60, number % 256),
            secured(now + 20_000, COORDINATOR, METER, 110, number % 256),
        ]
    return frames
