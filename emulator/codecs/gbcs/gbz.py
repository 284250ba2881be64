"""GBZ payloads: ZCL commands and answers in numbered components, and alerts.

The wrapping is big-endian, the ZCL inside little-endian. This is the fast path;
``gbz_declaration`` says the same format in construct, and a test holds the two to agreement.
"""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import MAX_LENGTH, Reader
from emulator.core.clock import UtcMs, from_zigbee_seconds, to_zigbee_seconds
from emulator.core.values import quick

LAYER: Final = "gbcs.gbz"
ALERT_LAYER: Final = "gbcs.gbz_alert"
#: Profile identifier of Smart Energy, first in every GBZ payload.
PROFILE: Final = b"\x01\x09"
#: Security header of an encrypted block: control octet 0x31, invocation counter 0.
BLOCK_HEADER: Final = b"\x31\0\0\0\0"
#: Security header and tag: an encrypted block is at least this long.
BLOCK_OVERHEAD: Final = len(BLOCK_HEADER) + 12
_ADDITIONAL_HEADER: Final = b"\x00"
_MANUFACTURER_SPECIFIC: Final = 0x04


class Control(enum.IntFlag):
    """Bits of a component's control octet."""

    LAST = 0x01
    ENCRYPTED = 0x02
    FROM_TIME = 0x10


_KNOWN_BITS: Final = int(Control.LAST | Control.ENCRYPTED | Control.FROM_TIME)


@quick
@dataclass(frozen=True, slots=True)
class GbzComponent:
    """One ZCL frame with what GBZ adds to it.

    Attributes:
        cluster: Cluster identifier.
        frame_control: ZCL frame control octet.
        sequence: ZCL transaction sequence number, in most messages the component's ordinal.
        command: ZCL command identifier.
        payload: ZCL payload, little-endian; where encrypted, the block 31 00000000 || cipher
            text || tag instead.
        frame_counter: For an encrypted component its ordinal among the encrypted ones, else None.
        from_time: From-date-time of a read, whole seconds; None where absent.
    """

    cluster: int
    frame_control: int
    sequence: int
    command: int
    payload: bytes = b""
    frame_counter: int | None = None
    from_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class GbzMessage:
    """A GBZ command or response.

    Attributes:
        components: One to 255 of them, in order.
    """

    components: tuple[GbzComponent, ...]


@dataclass(frozen=True, slots=True)
class GbzAlert:
    """A GBZ alert.

    Attributes:
        alert_code: 16-bit alert code.
        at: When, whole seconds.
        content: What the alert code adds, undecoded; empty for the generic alerts.
    """

    alert_code: int
    at: UtcMs
    content: bytes = b""


def decode(data: bytes) -> GbzMessage:
    """Decode a command's or response's payload.

    Raises:
        MalformedFrameError: Layer ``gbcs.gbz``: another profile, no component, an unknown control
            bit, a last-component bit out of place, a length that does not fit, a
            manufacturer-specific frame, a malformed encrypted block, truncation, trailing octets.

    Source:
        GBCS GBZ payload as of reference gbcs.md section 8; checked on the 175 GBZ payloads of the
        RTDS 4.5.0 messages at hand.
    """
    reader = Reader(LAYER, data)
    reader.expect(PROFILE, "profile")
    count = reader.u8()
    if not count:
        reader.fail("no component", 2)
    components = tuple([_read(reader, last=n == count) for n in range(1, count + 1)])
    reader.finish()
    return GbzMessage(components)


def _read(reader: Reader, *, last: bool) -> GbzComponent:
    start = reader.at
    control = reader.u8()
    if control & ~_KNOWN_BITS:
        reader.fail(f"unknown bits in component control {control:02x}", start)
    if bool(control & Control.LAST) is not last:
        reader.fail("the last-component bit is out of place", start)
    cluster, length = reader.unsigned(2), reader.unsigned(2)
    body = Reader(LAYER, reader.data, reader.at, reader.at + length)
    if body.end > reader.end:
        reader.fail(f"component of {length} octets, {reader.end - reader.at} left", start + 3)
    reader.at = body.end
    frame_counter = None
    if control & Control.ENCRYPTED:
        body.expect(_ADDITIONAL_HEADER, "additional header control")
        frame_counter = body.u8()
    seconds = body.unsigned(4) if control & Control.FROM_TIME else None
    frame_control, sequence, command = body.take(3)
    if frame_control & _MANUFACTURER_SPECIFIC:
        body.fail("manufacturer-specific frame", body.at - 3)
    if frame_counter is not None:
        _check_block(body)
    return GbzComponent(
        cluster,
        frame_control,
        sequence,
        command,
        body.take(body.end - body.at),
        frame_counter,
        None if seconds is None else from_zigbee_seconds(seconds),
    )


def _check_block(body: Reader) -> None:
    """Read the length of an encrypted block and look at its first octets."""
    length = body.unsigned(2)
    start = body.at
    if length != body.end - start or length < BLOCK_OVERHEAD:
        body.fail(f"encrypted block of {length} octets, {body.end - start} left", start - 2)
    body.expect(BLOCK_HEADER, "security header")
    body.at = start


def encode(message: GbzMessage) -> bytes:
    """Encode a command's or response's payload.

    Raises:
        ValueError: A field does not fit, or there is no component or more than 255.
    """
    count = len(message.components)
    if not 0 < count < 256:
        raise ValueError(f"a GBZ message has 1 to 255 components, not {count}")
    out = bytearray(PROFILE)
    out.append(count)
    for number, component in enumerate(message.components, 1):
        _write(out, component, last=number == count)
    return bytes(out)


def _write(out: bytearray, component: GbzComponent, *, last: bool) -> None:
    control = Control.LAST if last else Control(0)
    body = bytearray()
    if component.frame_counter is not None:
        control |= Control.ENCRYPTED
        body += _ADDITIONAL_HEADER
        body.append(component.frame_counter)
    if component.from_time is not None:
        control |= Control.FROM_TIME
        body += _seconds(component.from_time)
    if component.frame_control & _MANUFACTURER_SPECIFIC:
        raise ValueError("GBZ carries no manufacturer-specific frames")
    body += bytes((component.frame_control, component.sequence, component.command))
    if component.frame_counter is not None:
        block = component.payload
        if not block.startswith(BLOCK_HEADER) or len(block) < BLOCK_OVERHEAD:
            raise ValueError("an encrypted block begins with its security header")
        body += _u16(len(block))
    body += component.payload
    out.append(control)
    out += _u16(component.cluster) + _u16(len(body)) + body


def _u16(value: int) -> bytes:
    if not 0 <= value <= MAX_LENGTH:
        raise ValueError(f"{value} does not fit 16 bits")
    return value.to_bytes(2, "big")


def _seconds(at: UtcMs) -> bytes:
    seconds = to_zigbee_seconds(at)
    if not 0 <= seconds < 1 << 32:
        raise ValueError(f"{at} ms is no Zigbee time")
    return seconds.to_bytes(4, "big")


def decode_alert(data: bytes) -> GbzAlert:
    """Decode an alert's payload.

    Raises:
        MalformedFrameError: Layer ``gbcs.gbz_alert``: another profile, a count that is neither 0
            nor 1 or contradicts the content, truncation.

    Source:
        As ``decode``; checked on the alerts GCS02 8F66, GNCA and MIIWA of the messages at hand.
    """
    reader = Reader(ALERT_LAYER, data)
    reader.expect(PROFILE, "profile")
    count = reader.u8()
    code, seconds = reader.unsigned(2), reader.unsigned(4)
    content = reader.take(reader.end - reader.at)
    if count != (1 if content else 0):
        reader.fail(f"component count {count} with {len(content)} octets of content", 2)
    return GbzAlert(code, from_zigbee_seconds(seconds), content)


def encode_alert(alert: GbzAlert) -> bytes:
    """Encode an alert's payload.

    Raises:
        ValueError: A field does not fit.
    """
    count = b"\x01" if alert.content else b"\x00"
    return b"".join((PROFILE, count, _u16(alert.alert_code), _seconds(alert.at), alert.content))


def component_of(alert: GbzAlert) -> GbzMessage:
    """Return the one component that a billing alert (GCS53) holds, as a message.

    Raises:
        MalformedFrameError: Layer ``gbcs.gbz``: its content is no component.
    """
    return decode(PROFILE + b"\x01" + alert.content)
