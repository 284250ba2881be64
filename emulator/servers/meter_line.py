"""One meter on one line, without I/O and clock: octets in, octets and effects out."""

from collections.abc import Sequence
from typing import Any, Final

from emulator.codecs.dlms.dumped import Dumped
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, Effect, SendDlms
from emulator.servers.defective_application import door_of
from emulator.servers.hdlc_port import HdlcPort
from emulator.servers.line_parts import Framing, LineOutput, LinePort, MeterDevice, block_of
from emulator.servers.optical_port import OpticalPort
from emulator.servers.wrapper_port import WrapperPort

_DUMPED: Final = frozenset({"framing", "port"})


class MeterLine:
    """Octets of one line (an optical head, a TCP connection) and one device.

    All times are milliseconds of one clock that never goes back; the device is handed the same.
    What the device does besides answering is passed on among the outputs, in order, for the owner
    to do; orders that concern this line (``SendDlms``, ``CloseDlms``) are carried out here, and an
    order to close every client is passed on as well, because the owner may have other lines.

    Attributes:
        name: What the device knows the line by, e.g. ``optical`` or ``tcp:3``.
        framing: How APDUs travel on it.
    """

    def __init__(self, device: MeterDevice, name: str, *, framing: Framing) -> None:
        """Make a line; call ``begin`` when it is there.

        Raises:
            IllegalEventError: The device's profile has no DLMS section.
        """
        self.name = name
        self.framing = framing
        self._port = _port(device, name, framing)

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, or None."""
        return self._port.deadline_ms

    @property
    def baud(self) -> int | None:
        """Speed it listens at; None where the line has none."""
        return self._port.baud

    @property
    def kept_bytes(self) -> int:
        """Octets of an unfinished frame; where there are none, silence means nothing."""
        return self._port.kept_bytes

    def begin(self, now: UtcMs) -> None:
        """Note that the line is there: a connection was made, or the device has power."""
        self._port.begin(now)

    def receive(self, octets: bytes, now: UtcMs) -> list[LineOutput]:
        """Take octets of the line."""
        return self._settled(self._port.receive(octets, now), now)

    def silence(self, now: UtcMs) -> list[LineOutput]:
        """Note that the line was silent for an inter-octet time-out (25 ms or more)."""
        return self._settled(self._port.silence(now), now)

    def expire(self, now: UtcMs) -> list[LineOutput]:
        """Note that time has passed."""
        return self._settled(self._port.expire(now), now)

    def lost(self, now: UtcMs) -> list[LineOutput]:
        """Note that the connection is gone; the device is told of every link on it."""
        return self._settled(self._port.lost(now), now)

    def perform(self, effects: Sequence[Effect], now: UtcMs) -> list[LineOutput]:
        """Do what the device ordered on another occasion (a timer, another line).

        Orders that are not for this line, and other effects, are left to the owner.
        """
        out: list[LineOutput] = []
        for effect in effects:
            if isinstance(effect, SendDlms) and effect.channel.line == self.name:
                out += self._port.tell(effect)
            elif isinstance(effect, CloseDlms) and self._concerns(effect):
                out += self._port.close(effect, now)
        return out

    def reset(self) -> None:
        """Forget everything, as a power loss does; the device is not told."""
        self._port.reset()

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {"framing": self.framing.value, "port": self._port.dump()}

    def load(self, state: Any, path: str = "line") -> None:
        """Take over a ``dump`` of a line with the same profile and framing.

        Raises:
            DumpedStateError: A value is missing, mistyped or beyond its limits, or the framing is
                another.
        """
        dumped = Dumped(state, path, _DUMPED)
        if dumped.text("framing") != self.framing.value:
            dumped.refuse("framing", f"this line's is {self.framing.value}")
        self._port.load(dumped.raw("port"), f"{path}.port")

    def _settled(self, outputs: list[LineOutput], now: UtcMs) -> list[LineOutput]:
        """Carry out what the device ordered of this line; leave the rest, in order."""
        if not any(isinstance(output, SendDlms | CloseDlms) for output in outputs):
            return outputs
        out: list[LineOutput] = []
        for output in outputs:
            mine = isinstance(output, SendDlms) and output.channel.line == self.name
            if isinstance(output, CloseDlms) and self._concerns(output):
                out += self._port.close(output, now)
                mine = output.channel is not None
            elif isinstance(output, SendDlms) and mine:
                out += self._port.tell(output)
            if not mine:
                out.append(output)
        return out

    def _concerns(self, order: CloseDlms) -> bool:
        return order.channel is None or order.channel.line == self.name


def _port(device: MeterDevice, name: str, framing: Framing) -> LinePort:
    application = door_of(device)(device, name)
    match framing:
        case Framing.OPTICAL:
            return OpticalPort(application, lambda now: block_of(device, now))
        case Framing.HDLC:
            return HdlcPort(application)
        case Framing.WRAPPER:
            return WrapperPort(application)
