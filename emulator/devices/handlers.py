"""Tables of use cases: message code -> the function that carries it out, and who may ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.gbcs.payload import PayloadValue
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.checks import Command
from emulator.devices.replies import ReplyTo

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a use case gives back.

    Attributes:
        payload: Payload of the response; None where it follows later.
        before: Effects that come before the response.
        after: Effects that come after it.
        reply_to: What the response repeats, where that is more than what the command says.
    """

    payload: PayloadValue | None = None
    before: tuple[Effect, ...] = ()
    after: tuple[Effect, ...] = ()
    reply_to: ReplyTo | None = None


Function: TypeAlias = Callable[[D, Command, UtcMs], Answer]


@dataclass(frozen=True, slots=True)
class Handling(Generic[D]):
    """One row of a table.

    Attributes:
        function: Carries the use case out.
        roles: Remote parties that may ask for it.
    """

    function: Function[D]
    roles: frozenset[RemoteParty]


class HandlerTable(Generic[D]):
    """The use cases of one device type."""

    def __init__(self, device_type: DeviceType) -> None:
        self.device_type = device_type
        self._rows: dict[int, Handling[D]] = {}

    def handles(
        self, *codes: MessageCode, by: frozenset[RemoteParty]
    ) -> Callable[[Function[D]], Function[D]]:
        """Enter the decorated function under ``codes``, for the parties in ``by``.

        Raises:
            ValueError: One of the codes is taken already.
        """

        def enter(function: Function[D]) -> Function[D]:
            for code in codes:
                if int(code) in self._rows:
                    raise ValueError(f"{self.device_type} handles {code.name} already")
                self._rows[int(code)] = Handling(function, by)
            return function

        return enter

    @property
    def rows(self) -> Mapping[int, Handling[D]]:
        """Message code -> row."""
        return self._rows


SUPPLIER = frozenset({RemoteParty.SUPPLIER})
ACB = frozenset({RemoteParty.ACCESS_CONTROL_BROKER})
#: Any party whose certificate the device holds; those it does not know come through the ACB.
READERS = frozenset(
    {
        RemoteParty.SUPPLIER,
        RemoteParty.NETWORK_OPERATOR,
        RemoteParty.ACCESS_CONTROL_BROKER,
    }
)
