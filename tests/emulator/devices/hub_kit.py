"""The CSP's side of the image transfer, and short ways to look at a bench, for the tests."""

import hashlib

from emulator.codecs import csp_transfer
from emulator.codecs.csp_transfer import (
    Chunk,
    ChunkAnswer,
    Close,
    Closed,
    Offer,
    OfferAnswer,
    Reason,
)
from emulator.codecs.gbcs.payload import PayloadValue, decode_payload
from emulator.core.effects import DeviceEvent
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted, open_message
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.firmware_device import FirmwareDevice
from tests.emulator.devices.kit import (
    ACB,
    CHF,
    Bench,
    cs06,
    everyone,
    image_hash,
)


def send(bench: Bench, frame: csp_transfer.Frame) -> csp_transfer.Frame:
    """Give the hub a frame of the image transfer; return its answer."""
    del bench.csp[:]
    bench.event(CHF, DeviceEvent.CSP, csp_transfer.encode(frame))
    [answer] = bench.csp
    return csp_transfer.decode(answer)


def stage(bench: Bench, octets: bytes, *targets: Eui64, number: int = 1) -> Reason:
    """Transfer an image to the hub the way the CSP does; return how it ended."""
    offer = Offer(
        number, f"request-{number}", len(octets), hashlib.sha256(octets).digest(), targets
    )
    answer = send(bench, offer)
    assert isinstance(answer, OfferAnswer)
    if answer.reason is not Reason.ACCEPTED:
        return answer.reason
    offset = 0
    while offset < len(octets):
        taken = send(bench, Chunk(number, offset, octets[offset : offset + 200]))
        if isinstance(taken, Closed):
            return taken.reason
        assert isinstance(taken, ChunkAnswer)
        assert taken.next_offset > offset
        offset = taken.next_offset
    closed = send(bench, Close(number, Reason.COMPLETE))
    assert isinstance(closed, Closed)
    return closed.reason


def bench_of(*devices: Device) -> Bench:
    bench = Bench(*devices)
    bench.power_on()
    return bench


def sent_values(bench: Bench) -> list[tuple[int, PayloadValue]]:
    found = []
    for message in bench.wan:
        result = open_message(message, everyone(), acb=ACB)
        assert isinstance(result, Accepted)
        header = result.envelope.header
        value = decode_payload(result.row, header.cra, result.envelope.payload)
        found.append((header.other.message_code, value))
    return found


def firmware(bench: Bench, eui64: Eui64) -> FirmwareDevice:
    device = bench.devices[eui64]
    assert isinstance(device, FirmwareDevice)
    return device


def hub(bench: Bench) -> Chf:
    device = bench.devices[CHF]
    assert isinstance(device, Chf)
    return device


def activate(bench: Bench, target: Eui64, *, counter: int = 1000) -> None:
    bench.event(CHF, DeviceEvent.WAN, cs06(target, image_hash(), counter=counter))
    bench.run(120)
