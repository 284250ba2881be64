"""What a display of a SMETS1 home shows, and how it learns it: reads of the electricity meter."""

import enum
from dataclasses import dataclass
from typing import Final, Self

from emulator.codecs.zcl import foundation, prepayment
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import DefaultResponse, ReadAttributes, ReadAttributesResponse
from emulator.codecs.zcl.foundation import Status as ZclStatus
from emulator.codecs.zcl.prepayment import PREPAYMENT, CreditFlag, PrepaymentAttribute
from emulator.core.effects import SendZcl
from emulator.core.ids import Eui64
from emulator.devices.saved import Saved, State

_WANTED: Final = tuple(PrepaymentAttribute)
_PENCE: Final = 1000
_NO_CREDIT: Final = CreditFlag(0)


class Link(enum.StrEnum):
    """What a display knows of its connection."""

    GOOD = "connected"
    SEEKING = "seeking the hub"
    NO_METER = "no answer of the meter"


class EmergencyCredit(enum.StrEnum):
    """States of emergency credit as displays name them.

    Source:
        P450 manual (Available, Selected, In use, Exhausted, Unavailable).
    """

    AVAILABLE = "Available"
    SELECTED = "Selected"
    IN_USE = "In use"
    EXHAUSTED = "Exhausted"
    UNAVAILABLE = "Unavailable"


class Heard(enum.Enum):
    """What an answer of the meter came to."""

    VALUES = "values"
    NO_LINK = "no link"
    NOTHING = "nothing"


@dataclass(slots=True)
class Screen:
    """What is on the screen.

    Attributes:
        link: What it knows of its connection.
        lit: Whether anything can be seen.
        prepayment: Whether the meter prepays; None before it answered.
        balance: Balance in millipence.
        credit: State of credit and emergency credit.
        message: Text that a head end had it show, or empty.
    """

    link: Link = Link.SEEKING
    lit: bool = True
    prepayment: bool | None = None
    balance: int = 0
    credit: CreditFlag = _NO_CREDIT
    message: str = ""

    def take(self, octets: bytes) -> Heard:
        """Take an answer of the meter.

        Raises:
            MalformedFrameError: It cannot be read.
        """
        frame = zcl_frame.decode(octets)
        answer = None if frame.cluster_specific else foundation.decode(frame)
        if isinstance(answer, DefaultResponse) and answer.status == ZclStatus.NOT_AUTHORIZED:
            return Heard.NO_LINK
        if not isinstance(answer, ReadAttributesResponse):
            return Heard.NOTHING
        for reading in answer.readings:
            value = None if reading.value is None else reading.value.value
            if isinstance(value, int):
                self._show(reading.attribute, value)
        self.link = Link.GOOD
        return Heard.VALUES

    def _show(self, attribute: int, value: int) -> None:
        if attribute == PrepaymentAttribute.PAYMENT_CONTROL:
            self.prepayment = bool(value & PREPAYMENT)
        elif attribute == PrepaymentAttribute.CREDIT_REMAINING:
            self.balance = value
        elif attribute == PrepaymentAttribute.CREDIT_STATUS:
            self.credit = CreditFlag(value)

    @property
    def emergency(self) -> EmergencyCredit:
        """State of emergency credit; what is to be had is not exhausted, whatever is owed."""
        if CreditFlag.EMERGENCY_AVAILABLE in self.credit:
            return EmergencyCredit.AVAILABLE
        if CreditFlag.EXHAUSTED in self.credit:
            return EmergencyCredit.EXHAUSTED
        if CreditFlag.EMERGENCY_IN_USE in self.credit:
            return EmergencyCredit.IN_USE
        if CreditFlag.EMERGENCY_SELECTED in self.credit:
            return EmergencyCredit.SELECTED
        return EmergencyCredit.UNAVAILABLE

    def rows(self) -> dict[str, str]:
        """Return what can be seen on it."""
        if not self.lit:
            return {"screen": "dark"}
        shown = {"screen": self.link.value}
        if self.prepayment is not None:
            shown["balance"] = f"{self.balance / _PENCE:.2f} p"
            shown["payment"] = "prepayment" if self.prepayment else "credit"
            shown["low credit"] = "yes" if CreditFlag.LOW_CREDIT in self.credit else "no"
            shown["emergency credit"] = self.emergency.value
        if self.message:
            shown["message"] = self.message
        return shown

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "link": self.link.value,
            "lit": self.lit,
            "prepayment": self.prepayment,
            "balance": self.balance,
            "credit": int(self.credit),
            "message": self.message,
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the screen a dump describes."""
        return cls(
            Link(saved.text("link")),
            saved.flag("lit"),
            saved.flag("prepayment") if saved.has("prepayment") else None,
            saved.number("balance"),
            CreditFlag(saved.number("credit")),
            saved.text("message"),
        )


def question(meter: Eui64, sequence: int) -> SendZcl:
    """Return what a display asks the electricity meter."""
    frame = foundation.encode(ReadAttributes(_WANTED), sequence, server_to_client=False)
    return SendZcl(meter, prepayment.CLUSTER, frame)
