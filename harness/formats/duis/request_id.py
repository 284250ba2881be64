"""The identifier of a service request: who asks, of whom, and the originator counter."""

import re
from dataclasses import dataclass
from typing import Final, Self

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis.faults import DuisError, DuisFault

_EUI: Final = r"[A-Fa-f0-9]{2}(?:-[A-Fa-f0-9]{2}){7}"
_FORM: Final = re.compile(rf"({_EUI}):({_EUI}):(0|[1-9][0-9]{{0,19}})")
MAX_COUNTER: Final = 2**64 - 1


@quick
@dataclass(frozen=True, slots=True, order=True)
class RequestId:
    """``originator:target:counter``, as DUIS writes it.

    Attributes:
        originator: Business Originator: the service user.
        target: Business Target: the device, or the DCC's own identifier for requests to the DCC.
        counter: Originator counter, 0 to 2^64 - 1.

    Source:
        DUIS 5.4 XSD, RequestIDType; checked on the 131 sample requests at hand.
    """

    originator: Eui64
    target: Eui64
    counter: int

    def __post_init__(self) -> None:
        if not 0 <= self.counter <= MAX_COUNTER:
            raise DuisError(
                DuisFault.BAD_REQUEST_ID, f"counter {self.counter} does not fit 64 bits"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the printed form.

        Raises:
            DuisError: bad-request-id.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise DuisError(DuisFault.BAD_REQUEST_ID, f"{text[:80]!r} is not EUI:EUI:counter")
        return cls(Eui64.parse(match[1]), Eui64.parse(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{self.originator}:{self.target}:{self.counter}"
