"""Data notification in its general form, with or without a date-time.

``access.DataNotification`` is the GBCS form, which never carries one.
"""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data
from emulator.core.values import quick

TAG: Final = 0x0F
_LAYER: Final = "dlms.data_notification"
_DATE_TIME_BYTES: Final = 12
_CONFIRMED: Final = 1 << 30


@quick
@dataclass(frozen=True, slots=True)
class Notification:
    """What a server says unasked.

    Attributes:
        invoke_id: Long invoke id and priority, 32 bits: 0-23 id, 30 service class, 31 priority.
        body: What is said.
        date_time: COSEM date-time of the sending, 12 octets, or empty.
    """

    invoke_id: int
    body: Data
    date_time: bytes = b""

    @property
    def confirmed(self) -> bool:
        """Whether the sender awaits a confirmation."""
        return bool(self.invoke_id & _CONFIRMED)


def decode(data: bytes) -> Notification:
    """Decode a data notification, tag 0x0F first.

    Raises:
        MalformedFrameError: Layer ``dlms.data_notification``; a date-time that is neither empty
            nor 12 octets, malformed data, truncation, trailing octets.

    Source:
        IEC 62056-5-3 Data-Notification; without a date-time checked by agreement with
        ``access.decode_notification``.
    """
    reader = Reader(_LAYER, data)
    reader.expect(bytes((TAG,)), "APDU tag")
    invoke_id = reader.unsigned(4)
    length = reader.u8()
    if length not in {0, _DATE_TIME_BYTES}:
        reader.fail("date-time is neither empty nor 12 octets", reader.at - 1)
    date_time = reader.take(length)
    body = axdr.read(reader)
    reader.finish()
    return Notification(invoke_id, body, date_time)


def encode(notification: Notification) -> bytes:
    """Encode a data notification.

    Raises:
        ValueError: A field does not fit.
    """
    if not 0 <= notification.invoke_id < 1 << 32:
        raise ValueError(f"invoke id {notification.invoke_id} does not fit 32 bits")
    if len(notification.date_time) not in {0, _DATE_TIME_BYTES}:
        raise ValueError("a date-time is empty or 12 octets")
    out = bytearray((TAG,)) + notification.invoke_id.to_bytes(4, "big")
    out.append(len(notification.date_time))
    out += notification.date_time
    axdr.write(out, notification.body)
    return bytes(out)
