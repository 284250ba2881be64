"""Where a dongle is, and how its line is set."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import zigpy.config as conf

#: EZSP versions that are spoken to: those bellows knows from v8 on.
EZSP_SPOKEN: Final = (8, 19)

FlowControl = Literal["hardware", "software"] | None


@dataclass(frozen=True, slots=True)
class DongleSettings:
    """One dongle of a bench.

    Attributes:
        path: ``/dev/serial/by-id/…``, a pty's path or ``tcp://HOST:PORT``; never ``socket://``,
            which costs two seconds at each reset.
        name: What people call it.
        baud: Speed of its line, bits a second.
        flow_control: ``hardware`` (RTS/CTS), ``software`` (XON/XOFF), or None: as bellows sees fit.
        versions: First and last EZSP version the bench takes.
    """

    path: str
    name: str = "dongle"
    baud: int = 115_200
    flow_control: FlowControl = None
    versions: tuple[int, int] = EZSP_SPOKEN

    def device(self) -> dict[str, Any]:
        """Return the part of zigpy's configuration that is about the line."""
        told = {
            conf.CONF_DEVICE_PATH: self.path,
            conf.CONF_DEVICE_BAUDRATE: self.baud,
            conf.CONF_DEVICE_FLOW_CONTROL: self.flow_control,
        }
        checked: dict[str, Any] = conf.SCHEMA_DEVICE(told)
        return checked
