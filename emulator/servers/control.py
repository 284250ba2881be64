"""Orders to a served device from the program that started it: lines of text on a pipe."""

from collections.abc import Callable
from functools import partial
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.faults import CLEAR, FaultError, parse
from emulator.servers.order_lines import Answer, OrderLines
from emulator.servers.served_meter import ServedMeter

#: The order that takes the supply, and after which a number of seconds follows (0: for good).
POWER_CUT: Final = "power-cut"
#: The order that puts the device's clock forward, and after which its new moment follows.
CLOCK: Final = "clock"
#: The order that puts a fault into force, and after which it follows as in ``--fault``;
#: ``disturb clear@LINK`` ends what lies on a link.
DISTURB: Final = "disturb"
#: The order that has the device's memory written to its file at once.
SAVE: Final = "save"
_MAX_OFF_S: Final = 1e9
_MAX_MS: Final = 1 << 53


class ControlPipe(OrderLines):
    """Reads orders, one a line; the end of the pipe stops the service.

    ``power-cut SECONDS`` takes the supply for so many seconds of the device's clock. ``clock MS``
    puts that clock forward to a moment (milliseconds since 1970); what falls due on the way
    happens on the way. ``disturb FAULT`` puts a fault into force. ``save`` writes the memory of a
    device that has a file for it. Each order is answered by its own line once it is carried out;
    what is no order is noted and answered by ``refused LINE``.

    Source:
        invented.
    """

    def __init__(
        self,
        meter: ServedMeter,
        stop: Callable[[], None],
        answer: Answer,
        saved: Callable[[], bool] = bool,
    ) -> None:
        """Take the meter, what ends its service, and what takes answers.

        Args:
            meter: The meter.
            stop: Ends its service.
            answer: Takes answers.
            saved: Writes its memory, and says whether that was done.
        """
        super().__init__(stop)
        self._meter = meter
        self._answer = answer
        self._saved = saved

    def order(self, line: str) -> None:
        """Carry out one order, and answer it; an empty line is none."""
        if not line:
            return
        act = self._act(*line.partition(" ")[::2])
        told = "control" if act is not None else "control_refused"
        self._meter.note(Note(told, (("line", line[:80]),)))
        if act is not None:
            act()
        self._answer(line if act is not None else f"refused {line[:80]}")

    def _act(self, word: str, rest: str) -> Callable[[], None] | None:
        """Return what an order has done; None for what is no order."""
        meter = self._meter
        if word == POWER_CUT and (off_s := _seconds(rest)) is not None:
            return partial(meter.cut_power, off_s)
        if word == CLOCK and (at := _moment(rest)) is not None:
            return partial(meter.put_forward, at)
        if word == SAVE and not rest and self._saved():
            return partial(unheard, word)
        return self._disturbing(rest) if word == DISTURB else None

    def _disturbing(self, what: str) -> Callable[[], None] | None:
        """Return what puts a fault into force or ends it; None for what is no fault."""
        order, _, link = what.partition("@")
        if order == CLEAR and link:
            return partial(_discard, self._meter.schedule.clear, link)
        try:
            return partial(self._meter.disturb, parse(what))
        except FaultError:
            return None


def unheard(line: str) -> None:
    """Take an answer that nobody wants."""
    del line


def _discard(act: Callable[[str], object], word: str) -> None:
    act(word)


def _moment(text: str) -> UtcMs | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 17
    return UtcMs(int(text)) if is_number and int(text) < _MAX_MS else None


def _seconds(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= _MAX_OFF_S else None
