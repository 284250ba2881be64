"""The mains of a bench behind a relay that understands a few strings."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from emulator.core.ids import Eui64
from hil.drivers.patterns import Found, PatternReader, compiled
from hil.errors import LineSilentError, PortError, RelayError
from hil.guard_port import Guard, MeterIdentity
from hil.reopen import Reopener
from hil.serial_port import SerialPort
from hil.verbs import Verb

_ON = "on"
_OFF = "off"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """What a bench file says of a relay.

    Attributes:
        on: What switches it on, line end included.
        off: What switches it off.
        query: What asks how it stands; empty: it cannot be asked, and is believed.
        is_on: Pattern of its answer when it is on.
        is_off: Pattern of its answer when it is off.
        settle_s: From the command to the mains having changed.
        reply_s: Longest wait for an answer.
    """

    on: str
    off: str
    query: str = ""
    is_on: str = ""
    is_off: str = ""
    settle_s: float = 0.5
    reply_s: float = 2.0


class Relay:
    """A relay on a port; blocks. Who calls it has asked whether it may be switched."""

    def __init__(self, port: SerialPort, settings: RelaySettings, reopener: Reopener) -> None:
        """Take over an open port.

        Args:
            port: The line.
            settings: Strings and patterns.
            reopener: How the port is opened again after it was lost.

        Raises:
            PatternError: A pattern cannot be used.
        """
        self._port = port
        self._settings = settings
        self._reopener = reopener
        self._answers = {}
        if settings.query:
            self._answers = {
                _ON: compiled("is_on", settings.is_on),
                _OFF: compiled("is_off", settings.is_off),
            }

    def is_on(self) -> bool | None:
        """Ask how the relay stands; None where it cannot be asked.

        Raises:
            LineSilentError: It does not answer, or nothing that a pattern fits.
            PortLostError: The port went away, or did not come back.
        """
        if not self._answers:
            return None
        reader = PatternReader(self._open())
        reader.forget()
        self._port.write(self._settings.query.encode("utf-8"))
        found = reader.wait(self._answers, self._settings.reply_s)
        if isinstance(found, Found):
            return found.name == _ON
        raise LineSilentError(
            f"the relay does not say how it stands ({found} octets came)",
            where=self._port.identity,
            cause="another device at this port, a wrong speed, or patterns that do not fit",
            next_command="smetsbench bench check FILE",
        )

    def switch(self, *, on: bool) -> None:
        """Switch, wait for the mains to follow, and verify where the relay can be asked.

        Raises:
            RelayError: It says that it stands otherwise.
            LineSilentError: It does not answer.
            PortLostError: The port went away, or did not come back.
        """
        command = self._settings.on if on else self._settings.off
        self._open().write(command.encode("utf-8"))
        time.sleep(self._settings.settle_s)
        if self.is_on() is (not on):
            wanted, found = (_ON, _OFF) if on else (_OFF, _ON)
            raise RelayError(
                f"the relay was told {wanted} and says {found}",
                where=self._port.identity,
                cause="the command is another for this relay, or it takes longer than settle_s",
                next_command="smetsbench bench check FILE",
            )

    def close(self) -> None:
        """Let go of the port; the relay stays as it stands."""
        self._port.close()

    def _open(self) -> SerialPort:
        if not self._port.is_open:
            self._port = self._reopener.reopen()
        return self._port


class RelayPower:
    """``Power`` over a relay: the mains come back whatever happens in between."""

    def __init__(self, relay: Relay, guard: Guard) -> None:
        self._relay = relay
        self._guard = guard
        self._turn = asyncio.Lock()

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds.

        The device cannot be asked who it is without its supply: the guard is given the EUI-64
        that the bench file says hangs on this relay.

        Raises:
            UsageError: The guard refuses; nothing was switched.
            RelayError: The relay does not do it; where it matters, says that the mains may be off.
            BenchError: Its port is lost, or silent.
        """
        self._guard.permit(Verb.SUPPLY, None, MeterIdentity(device))
        async with self._turn:
            try:
                await _to_the_end(lambda: self._relay.switch(on=False))
                await asyncio.sleep(off_s)
            finally:
                await self._restore(device)

    async def _restore(self, device: Eui64) -> None:
        try:
            await _to_the_end(lambda: self._relay.switch(on=True))
        except PortError as error:
            raise RelayError(
                f"the mains of {device} may still be off: {error.what}",
                where=error.where,
                cause=error.cause,
                next_command="switch the relay on by hand, then smetsbench bench check FILE",
            ) from error


async def _to_the_end(act: Callable[[], None]) -> None:
    """Do something in a thread, and see its end even when cancelled meanwhile."""
    ending = asyncio.get_running_loop().run_in_executor(None, act)
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        while not ending.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([ending])
        ending.result()
        raise
