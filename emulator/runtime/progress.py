"""How far OTA downloads are, read off the frames that pass."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import ota
from emulator.codecs.zcl.ota import (
    ImageBlockRequest,
    OtaCommand,
    QueryNextImageResponse,
)
from emulator.core.effects import Note, SendZcl, Value
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

#: Percent from one note to the next.
STEP_PERCENT: Final = 10
_WATCHED: Final = (OtaCommand.QUERY_NEXT_IMAGE_RESPONSE, OtaCommand.IMAGE_BLOCK_REQUEST)
_COMMAND_AT: Final = 2


class OtaProgress:
    """Remembers size and offset of each device's download.

    Attributes:
        percents: Device -> whole percent of its image that it holds, by its last request.
    """

    def __init__(self) -> None:
        self.percents: dict[Eui64, int] = {}
        self._sizes: dict[Eui64, int] = {}

    def passed(self, sender: Eui64, order: SendZcl) -> tuple[Eui64, Note] | None:
        """Look at an OTA frame on its way; return a note when a device has come further.

        Returns:
            The downloading device and its note, once for each percent; None otherwise.
        """
        if order.frame[_COMMAND_AT : _COMMAND_AT + 1] not in _OCTETS:
            return None
        try:
            command = ota.decode(zcl_frame.decode(order.frame))
        except MalformedFrameError:
            return None
        if isinstance(command, QueryNextImageResponse):
            self._sizes[order.to] = command.image_size
            self.percents.pop(order.to, None)
        if isinstance(command, ImageBlockRequest):
            return self._requested(sender, command.offset)
        return None

    def _requested(self, device: Eui64, offset: int) -> tuple[Eui64, Note] | None:
        size = self._sizes.get(device, 0)
        percent = 100 * offset // size if size else 0
        if not size or self.percents.get(device) == percent:
            return None
        self.percents[device] = percent
        fields: tuple[tuple[str, Value], ...] = (
            ("percent", percent),
            ("offset", offset),
            ("size", size),
        )
        return device, Note("ota_progress", fields)

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "percents": {device.hex: percent for device, percent in self.percents.items()},
            "sizes": {device.hex: size for device, size in self._sizes.items()},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self.percents = {Eui64.parse(key): value for key, value in state["percents"].items()}
        self._sizes = {Eui64.parse(key): value for key, value in state["sizes"].items()}


_OCTETS: Final = frozenset(bytes([command]) for command in _WATCHED)
