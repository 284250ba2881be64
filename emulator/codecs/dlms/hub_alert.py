"""What a SMETS1 hub tells its head end of trouble with its network, as a data notification.

Stand-in: which messages hubs sent on 26 February 2023 is not public (migration.md 4.4).
"""

from dataclasses import dataclass
from typing import Final, Self

from emulator.codecs.dlms import axdr, data_notification
from emulator.codecs.dlms.data_notification import Notification
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.core.values import quick

_EUI_BYTES: Final = 8
_NUMBER_BYTES: Final = 4
_PARTS: Final = 3
_INVOKE_IDS: Final = 1 << 24


@quick
@dataclass(frozen=True, slots=True)
class HubAlert:
    """One alert of a hub.

    Attributes:
        hub: Which hub.
        event: Code under which it stands in the hub's event log, 16 bits.
        number: How many it has told so far, this one included.
    """

    hub: Eui64
    event: int
    number: int

    def encode(self, moment: bytes) -> bytes:
        """Return the data notification.

        Args:
            moment: COSEM date-time of the hub's clock, 12 octets.

        Source:
            stand-in: a structure of EUI-64, event code and number.
        """
        number = axdr.octets(self.number.to_bytes(_NUMBER_BYTES))
        body = axdr.structure(axdr.octets(self.hub.octets), axdr.uint16(self.event), number)
        return data_notification.encode(Notification(self.number % _INVOKE_IDS, body, moment))

    @classmethod
    def read(cls, apdu: bytes) -> Self | None:
        """Return the alert that a data notification is, or None for any other."""
        try:
            body = data_notification.decode(apdu).body
        except MalformedFrameError:
            return None
        parts = body.value if isinstance(body.value, tuple) else ()
        values = [one.value for one in parts]
        if len(values) != _PARTS:
            return None
        hub, event, number = values
        if not (isinstance(hub, bytes) and isinstance(event, int) and isinstance(number, bytes)):
            return None
        if len(hub) != _EUI_BYTES or len(number) != _NUMBER_BYTES:
            return None
        return cls(Eui64(hub), event, int.from_bytes(number))
