"""A hub's console: lines in, octets out, known by the patterns of a bench file alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hil.drivers.patterns import Found, PatternError, PatternReader, compiled
from hil.errors import LineSilentError
from hil.guard_port import Guard, MeterIdentity
from hil.serial_port import SerialPort
from hil.verbs import STRICTEST

#: Name under which the prompt is waited for.
PROMPT: Final = "prompt"


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """What a bench file says of a console. No protocol is assumed.

    Attributes:
        prompt: Pattern of what it shows when it waits for a line.
        replies: Name -> pattern of what else is looked for.
        timeout_s: Longest wait where no other is asked for.
        line_end: What ends a line that is sent.
        harmless: Lines that change nothing, word for word; every other line is asked of the guard
            as the gravest there is, because nobody here knows what it does.
    """

    prompt: str
    replies: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 5.0
    line_end: str = "\r\n"
    harmless: frozenset[str] = frozenset()


class Console:
    """One console on one port. All that crosses it goes to the port's tap, found or not.

    It never sends anything of its own accord: ``listen`` and ``expect`` only read.
    """

    def __init__(
        self, port: SerialPort, settings: ConsoleSettings, guard: Guard, identity: MeterIdentity
    ) -> None:
        """Take over an open port.

        Args:
            port: The line.
            settings: Patterns and times.
            guard: Who is asked before a line is sent that may change something.
            identity: Whose console this is, as the bench file says: no console can be asked.

        Raises:
            PatternError: A pattern cannot be used, or a reply has the prompt's name.
        """
        self._port = port
        self._settings = settings
        self._guard = guard
        self._identity = identity
        self._patterns = _patterns(settings)
        self._reader = PatternReader(port)

    def listen(self, duration_s: float) -> bytes:
        """Return everything the console says in a time; sends nothing.

        Raises:
            PortLostError: The port went away.
        """
        return self._reader.listen(duration_s)

    def send(self, line: str) -> None:
        """Send one line; what came before it and was not looked at is no answer to it.

        Args:
            line: The line without its end, in ASCII.

        Raises:
            UsageError: The guard refuses it; nothing was sent.
            ValueError: It is not one line of ASCII.
            PortLostError: The port went away.
        """
        if not line.isascii() or any(ord(character) < 32 for character in line):
            raise ValueError("a line is ASCII and holds no control characters")
        if line not in self._settings.harmless:
            self._guard.permit(STRICTEST, None, self._identity)
        self._reader.forget()
        self._port.write((line + self._settings.line_end).encode("ascii"))

    def expect(self, name: str = PROMPT, timeout_s: float | None = None) -> Found:
        """Wait for the prompt, or for a reply by its name; sends nothing.

        Args:
            name: ``prompt``, or a name of the bench file's replies.
            timeout_s: Longest wait; None: the bench file's.

        Raises:
            LineSilentError: It did not come in time.
            PatternError: There is no reply of that name.
            PortLostError: The port went away.
        """
        if name not in self._patterns:
            raise PatternError(
                name, f"the bench file has none (it has {', '.join(self._patterns)})"
            )
        wait_s = self._settings.timeout_s if timeout_s is None else timeout_s
        found = self._reader.wait({name: self._patterns[name]}, wait_s)
        if isinstance(found, Found):
            return found
        raise LineSilentError(
            f"the console did not show {name} within {wait_s:g} s ({found} octets came)",
            where=self._port.identity,
            cause="wrong speed, a hub that is starting, or a pattern that does not fit: what came"
            " is in the capture"
            if found
            else "no hub at this port, a wrong lead, or a console that is switched off",
            next_command="smetsbench capture --bench FILE --out NAME",
        )

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()


def _patterns(settings: ConsoleSettings) -> dict[str, re.Pattern[bytes]]:
    if PROMPT in settings.replies:
        raise PatternError(PROMPT, "a reply cannot have the prompt's name")
    texts = {PROMPT: settings.prompt, **settings.replies}
    return {name: compiled(name, text) for name, text in texts.items()}
