"""Views of a recorded conversation that stock Wireshark shows decoded, as pcapng.

``rtac``: RTAC serial (link type 250), with TX and RX and the state of the lines: for a serial line.
``tcp4059``: made-up Ethernet, IP and TCP around wrapper frames, to and from port 4059, where
Wireshark from 4.6 on finds DLMS.

Source:
    RTAC header: as Wireshark's packet-rtacser prints it, checked with tshark 4.0.17. IPv4 and TCP
    headers: RFC 791, RFC 9293; addresses of RFC 5737 (documentation).
"""

import enum
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from emulator.codecs.dlms.wrapper import PORT
from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.errors import UsageError
from harness.report import pcapng_blocks as blocks
from harness.report.pcapng import RTAC, RTAC_RX, RTAC_TX
from harness.report.pcapng_blocks import INBOUND, OUTBOUND, Packet
from harness.transcript import Chunk, EventKind, LineEvent, Transcript


class View(enum.StrEnum):
    """What a conversation can be shown as."""

    RTAC = "rtac"
    TCP4059 = "tcp4059"


_ETHERNET: Final = 1
_RTAC: Final = 250
_NANOSECONDS: Final = b"\x09"
_STATUS_CHANGE: Final = 0
_BREAK: Final = 9
_CTS, _DCD, _DSR, _RTS, _DTR, _RING = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_LINES: Final = {"cts": _CTS, "dcd": _DCD, "dsr": _DSR, "rts": _RTS, "dtr": _DTR, "ri": _RING}
_CLIENT_PORT: Final = 49_152
_CLIENT, _METER = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
_MACS: Final = b"\x02\0\0\0\0\x02" + b"\x02\0\0\0\0\x01" + b"\x08\x00"  # to the meter
#: Octets of a segment: an IP datagram has 65,535 in all.
_MOST_BYTES: Final = 60_000
_PUSH_ACK: Final = 0x18


def view_of(transcript: Transcript, view: View, channel: int = 0) -> bytes:
    """Return a pcapng file that shows one channel of a conversation.

    Raises:
        UsageError: ``tcp4059`` of a conversation without wrapper.
    """
    name = transcript.channels[channel]
    if view is View.RTAC:
        told = f"{transcript.about.role}'s line; TX is towards the meter"
        return _file(_RTAC, name, told, _rtac(transcript, channel))
    if transcript.about.framing is not Framing.WRAPPER:
        raise UsageError(
            "only a conversation in the TCP wrapper can be shown as TCP",
            where=f"framing {transcript.about.framing}",
            cause="HDLC has no port 4059; Wireshark shows it as a serial line",
            next_command="smetsbench capture view NAME --as rtac --out FILE",
        )
    told = "made-up TCP around the octets that crossed; only they are real"
    return _file(_ETHERNET, name, told, _tcp(transcript, channel))


def _file(link_type: int, name: str, told: str, packets: Iterator[Packet]) -> bytes:
    head = blocks.section("smetsbench")
    head += blocks.interface(link_type, name, told, resolution=_NANOSECONDS)
    return head + b"".join(map(blocks.packet, packets))


def _rtac(transcript: Transcript, channel: int) -> Iterator[Packet]:
    lines = _RTS | _DTR
    for record in transcript.of(channel):
        if isinstance(record, Chunk):
            sent = record.way is Way.IN
            event, flag = (RTAC_TX, INBOUND) if sent else (RTAC_RX, OUTBOUND)
            octets = _rtac_head(record.at_ns, event, lines) + record.octets
            yield Packet(0, record.at_ns, octets, (), flag)
            continue
        lines = _lines_after(record, lines)
        event = _BREAK if record.kind is EventKind.BREAK else _STATUS_CHANGE
        yield Packet(0, record.at_ns, _rtac_head(record.at_ns, event, lines), (_said(record),))


def _rtac_head(at_ns: int, event: int, lines: int) -> bytes:
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return RTAC.pack(seconds & 0xFFFFFFFF, rest // 1000, event, lines, 0)


def _lines_after(event: LineEvent, lines: int) -> int:
    """Return the state of the lines after an event; what it does not name stays."""
    if event.kind is EventKind.OPEN:
        lines = _RTS | _DTR
    elif event.kind is EventKind.CLOSE:
        lines = 0
    for name, bit in _LINES.items():
        if name in event.fields:
            lines = lines | bit if event.fields[name] else lines & ~bit
    return lines


def _said(event: LineEvent) -> str:
    rest = ", ".join(f"{name} {value}" for name, value in event.fields.items())
    return f"{event.kind}: {rest}" if rest else event.kind.value


def _tcp(transcript: Transcript, channel: int) -> Iterator[Packet]:
    sent = dict.fromkeys(Way, 1)
    for number, chunk in enumerate(_cut(transcript.chunks(channel)), 1):
        inward = chunk.way is Way.IN
        other = Way.OUT if inward else Way.IN
        ports = (_CLIENT_PORT, PORT) if inward else (PORT, _CLIENT_PORT)
        hosts = (_CLIENT, _METER) if inward else (_METER, _CLIENT)
        segment = _segment(ports, (sent[chunk.way], sent[other]), hosts, chunk.octets)
        macs = _MACS if inward else _MACS[6:12] + _MACS[:6] + _MACS[12:]
        octets = macs + _datagram(number, hosts, segment)
        sent[chunk.way] = (sent[chunk.way] + len(chunk.octets)) & 0xFFFFFFFF
        yield Packet(0, chunk.at_ns, octets, (), INBOUND if inward else OUTBOUND)


def _cut(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Yield chunks that one IP datagram can carry."""
    for chunk in chunks:
        for at in range(0, len(chunk.octets), _MOST_BYTES):
            yield replace(chunk, octets=chunk.octets[at : at + _MOST_BYTES])


def _segment(
    ports: tuple[int, int], numbers: tuple[int, int], hosts: tuple[bytes, bytes], octets: bytes
) -> bytes:
    head = struct.pack(">HHIIBBHHH", *ports, *numbers, 5 << 4, _PUSH_ACK, 0xFFFF, 0, 0)
    pseudo = b"".join(hosts) + struct.pack(">HH", 6, len(head) + len(octets))
    check = _internet_check(pseudo + head + octets)
    return head[:16] + check + head[18:] + octets


def _datagram(number: int, hosts: tuple[bytes, bytes], segment: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), number & 0xFFFF, 0x4000, 64, 6, 0)
    head += b"".join(hosts)
    return head[:10] + _internet_check(head) + head[12:] + segment


def _internet_check(octets: bytes) -> bytes:
    padded = octets + bytes(len(octets) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)
