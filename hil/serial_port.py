"""One serial line, whatever carries it: octets with deadlines, and a tap on everything."""

import threading
import time
from typing import Final, Self

from harness.closing import Closing
from hil import port_address
from hil.channels import Channel, open_channel
from hil.errors import (
    FOREIGN,
    PortError,
    PortLostError,
    PortSettingError,
    port_error,
    translated,
    translation,
)
from hil.port_address import PortAddress, Way
from hil.tap import Tap, Taps

#: How long a vanished device may stay unseen while a read waits.
WATCH_S: Final = 0.5
#: How long somebody who asks a read to stop may wait for it.
STOP_S: Final = 0.1
#: Time for octets to be taken, beyond what their transmission takes.
WRITE_S: Final = 5.0
#: Bits on the line for one octet: start, eight of data, stop.
_BITS: Final = 10


class SerialPort(Closing):
    """An open line. For one thread at a time.

    Always 8N1: even parity (IEC 62056-21) is set and stripped in software above, which works
    alike on USB adapters, ptys, sockets and terminal servers. Opening a device throws away what
    had arrived before it.

    Attributes:
        address: Where it leads.
        baud: Present speed; without meaning on TCP.
        is_open: Whether it can be used; False once closed or lost.
    """

    def __init__(self, address: PortAddress, channel: Channel, baud: int, tap: Tap) -> None:
        """Take over an open channel; people call ``open``."""
        self.address = address
        self.baud = baud
        self.is_open = True
        self._channel = channel
        self._tap = tap
        self._free_at = 0.0

    @classmethod
    def open(
        cls, url: str, baud: int = 9600, *, tap: Tap | None = None, exclusive: bool = True
    ) -> Self:
        """Open a line.

        Args:
            url: The port as ``port_address.parse`` takes it.
            baud: Speed in bits a second.
            tap: Who listens; several as ``tap.Taps``.
            exclusive: Lock a device against others (flock; an opener who does not ask for the lock
                gets in nevertheless).

        Raises:
            PortAddressError: ``url`` names no port (``SchemeUnknownError``: of no known kind).
            PortMissingError: Nothing is there.
            PortBusyError: Another program holds it.
            PortRefusedError: This user may not open it.
            NotSerialError: It is no serial line, or no RFC 2217 server.
            PortSettingError: It does not take the speed.
        """
        heard = tap if tap is not None else Taps(())
        address = port_address.parse(url)
        try:
            channel = open_channel(address, baud, exclusive=exclusive)
        except PortError as error:
            _tell(heard, error)
            raise
        heard.event("open", {"url": url, "baud": baud}, time.monotonic_ns())
        return cls(address, channel, baud, heard)

    @property
    def identity(self) -> str:
        """What to open again to have the same line: the port as it was written."""
        return self.address.url

    @property
    def transmitting_s(self) -> float:
        """How long the line needs yet for what was written, in seconds; 0 on TCP."""
        return max(0.0, self._free_at - time.monotonic())

    def read(self, deadline_s: float, stop: threading.Event | None = None) -> bytes:
        """Return the octets that are there, at least one, as soon as there is one.

        Args:
            deadline_s: Longest wait, in seconds from now.
            stop: Ends the wait within 0.1 s when another thread sets it.

        Returns:
            The octets; empty when the time is over, or when stopped.

        Raises:
            PortLostError: The line is gone (seen within a second), or was before.
        """
        self._demand_open()
        begun = time.monotonic()
        left_s = deadline_s
        slice_s = WATCH_S if stop is None else STOP_S
        while True:
            octets = self._listen(min(left_s, slice_s))
            if octets:
                self._tap.chunk("out", octets, time.monotonic_ns())
                return octets
            if stop is not None and stop.is_set():
                return b""
            left_s = begun + deadline_s - time.monotonic()
            if left_s <= 0:
                waited_ms = round((time.monotonic() - begun) * 1000)
                self._tap.event("timeout", {"waited_ms": waited_ms}, time.monotonic_ns())
                return b""

    def take(self) -> bytes:
        """Return what is there without waiting for anything, be it nothing.

        Raises:
            PortLostError: The line is gone, or was before.
        """
        self._demand_open()
        octets = self._listen(0)
        if octets:
            self._tap.chunk("out", octets, time.monotonic_ns())
        return octets

    def write(self, octets: bytes, deadline_s: float | None = None) -> None:
        """Hand all octets to the line; returns before they have left.

        Args:
            octets: What to send.
            deadline_s: Longest wait for room, in seconds; by default the time of their
                transmission and 5 s more.

        Raises:
            PortStalledError: The line does not take them in time.
            PortLostError: The line is gone, or was before.
        """
        self._demand_open()
        carried_s = self._carried_s(octets)
        at_ns = time.monotonic_ns()
        wait_s = carried_s + WRITE_S if deadline_s is None else deadline_s
        try:  # no ``with translated``: this and ``_listen`` are what a round trip consists of
            self._channel.write(octets, wait_s)
        except FOREIGN as error:
            raise self._failed(translation(self.address.url, error)) from error
        except PortError as error:
            self._failed(error)
            raise
        self._tap.chunk("in", octets, at_ns)
        self._free_at = max(self._free_at, time.monotonic()) + carried_s

    def set_baud(self, baud: int) -> None:
        """Change the speed after what was written has left; TCP has none and ignores it.

        Nothing happens when the line has that speed.

        Raises:
            PortSettingError: The device or the terminal server does not take it.
            PortLostError: The line is gone, or was before.
        """
        self._demand_open()
        if baud == self.baud:
            return
        if self.address.way is Way.RFC2217:  # the server's own buffer is out of sight
            time.sleep(self.transmitting_s)
        try:
            with translated(self.address.url):
                self._channel.set_baud(baud)
        except ValueError as error:
            refused = port_error(PortSettingError, self.address.url, str(error))
            raise self._failed(refused) from error
        except PortError as error:
            self._failed(error)
            raise
        self.baud = baud
        self._tap.event("speed", {"baud": baud}, time.monotonic_ns())

    def send_break(self, duration_s: float = 0.25) -> bool:
        """Hold the line in break; False where there is none (TCP).

        Raises:
            PortLostError: The line is gone, or was before.
        """
        self._demand_open()
        at_ns = time.monotonic_ns()
        try:
            with translated(self.address.url):
                sent = self._channel.send_break(duration_s)
        except PortError as error:
            self._failed(error)
            raise
        fields = {"duration_ms": round(duration_s * 1000), "sent": int(sent)}
        self._tap.event("break", fields, at_ns)
        return sent

    def close(self) -> None:
        """Let go of the line; nothing happens when that was done before."""
        if self.is_open:
            self._release()
            self._tap.event("close", {}, time.monotonic_ns())

    def _listen(self, wait_s: float) -> bytes:
        try:
            octets = self._channel.read(wait_s)
        except FOREIGN as error:
            raise self._failed(translation(self.address.url, error)) from error
        except PortError as error:
            self._failed(error)
            raise
        if not octets and not self._channel.present():
            raise self._failed(
                port_error(PortLostError, self.address.url, "its device node is gone")
            )
        return octets

    def _carried_s(self, octets: bytes) -> float:
        return 0.0 if self.address.is_network else len(octets) * _BITS / self.baud

    def _demand_open(self) -> None:
        if not self.is_open:
            raise port_error(PortLostError, self.address.url, "closed, or lost before")

    def _failed(self, error: PortError) -> PortError:
        """Tell the tap, let go of a lost line; returns the error to raise."""
        _tell(self._tap, error)
        if isinstance(error, PortLostError):
            self._release()
        return error

    def _release(self) -> None:
        self.is_open = False
        try:
            with translated(self.address.url):
                self._channel.close()
        except PortError as error:  # a lost device may fail even at closing
            _tell(self._tap, error)


def _tell(tap: Tap, error: PortError) -> None:
    fields = {"kind": type(error).__name__, "what": error.what}
    tap.event("error", fields, time.monotonic_ns())
