"""Orders to a served dongle from the program that started it: mishaps, one a line on a pipe."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, runtime_checkable

from emulator.codecs.ezsp.ash import ResetCode
from emulator.servers.order_lines import Answer, OrderLines

_ANSWER_CHARACTERS: Final = 80
_SWITCH: Final = {"on": True, "off": False}


class Mishaps(Protocol):
    """What can befall a dongle."""

    def restart(self, code: int) -> None:
        """Start anew by itself, and say why."""
        ...

    def fail(self, code: int) -> None:
        """Break the link: nothing but errors until the host resets it."""
        ...

    def fall_silent(self, *, silent: bool) -> None:
        """Hear and say nothing, or hear and speak again."""
        ...

    def unplug(self) -> None:
        """Lose the host."""
        ...

    def disturb(self, order: str) -> bool:
        """Put a fault of the line into force, or end those of a link; False: it means nothing."""
        ...

    def tell_home(self, word: str, rest: str) -> bool:
        """Give an order to what is around the dongle; False: it means nothing there."""
        ...


@runtime_checkable
class TakesOrders(Protocol):
    """What is around a dongle, where it takes orders: an emulated hub."""

    def order(self, word: str, rest: str, now: int) -> bool:
        """Carry out an order at a moment, in milliseconds of the NCP; False: it means nothing."""
        ...


class DongleOrders(OrderLines):
    """Reads orders, one a line; the end of the pipe stops the service.

    ``reset [CODE]``, ``fail [CODE]`` (numbers in hexadecimal), ``silence on|off``, ``unplug``,
    ``disturb FAULT`` and ``disturb clear@LINK``; around a dongle that is the hub's radio also
    ``power-cut EUI64 SECONDS`` (of a node, by the devices' clock); beside an emulated hub also
    ``gbcs HEX`` (a GBCS message comes to the hub from its WAN), ``permit SECONDS`` (joining; 0: no
    more) and ``image FILE EUI64...`` (a firmware image comes to the hub for these devices). Each is
    answered by its own line (its first 80 characters) once it is carried out; what is no order by
    ``refused LINE``. What the hub sends onto its WAN is a note ``wan_out octets=HEX``.

    Source:
        invented.
    """

    def __init__(self, dongle: Mishaps, stop: Callable[[], None], answer: Answer) -> None:
        """Take the dongle, what ends its service, and what takes answers."""
        super().__init__(stop)
        self._answer = answer
        self._dongle = dongle
        self._orders: Mapping[str, Callable[[str], bool]] = {
            "reset": lambda rest: _coded(dongle.restart, rest, ResetCode.WATCHDOG),
            "fail": lambda rest: _coded(dongle.fail, rest, ResetCode.ACK_TIMEOUTS),
            "silence": lambda rest: _switched(dongle, rest),
            "unplug": lambda rest: not rest and _done(dongle.unplug),
            "disturb": dongle.disturb,
        }

    def order(self, line: str) -> None:
        """Carry out one order, and answer it."""
        word, _, rest = line.partition(" ")
        act = self._orders.get(word)
        done = act(rest.strip()) if act is not None else self._dongle.tell_home(word, rest.strip())
        self._answer(line[:_ANSWER_CHARACTERS] if done else f"refused {line[:_ANSWER_CHARACTERS]}")


def _coded(act: Callable[[int], None], rest: str, usual: int) -> bool:
    try:
        code = int(rest, 16) if rest else int(usual)
    except ValueError:
        return False
    if not 0 <= code <= 0xFF:
        return False
    act(code)
    return True


def _switched(dongle: Mishaps, rest: str) -> bool:
    if rest not in _SWITCH:
        return False
    dongle.fall_silent(silent=_SWITCH[rest])
    return True


def _done(act: Callable[[], None]) -> bool:
    act()
    return True
