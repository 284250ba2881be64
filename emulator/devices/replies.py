"""What a device must remember of a command until it has answered it."""

from dataclasses import dataclass
from typing import Self

from emulator.codecs.gbcs.envelope import Cra, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageRow, Protection
from emulator.core.ids import Eui64
from emulator.devices.checks import Command
from emulator.devices.saved_row import SavedRow


@dataclass(frozen=True, slots=True)
class ReplyTo(SavedRow):
    """The parts of a command that its response repeats.

    Attributes:
        message_code: Message code.
        counter: Originator counter of the command.
        originator: Who sent it.
        signed: Whether it was signed; the response then is, too.
        supplementary_party: Supplementary remote party, or None.
        supplementary_counter: Supplementary remote party counter, or None.
        originator_counter: Counter of the device's own that encrypts for a party that it does not
            know, or None.

    Source:
        reference gbcs.md section 5, "response from command"; checked on the RTDS 4.5.0 pairs.
    """

    message_code: int
    counter: int
    originator: Eui64
    signed: bool
    supplementary_party: Eui64 | None = None
    supplementary_counter: int | None = None
    originator_counter: int | None = None

    @classmethod
    def of(cls, command: Command) -> Self:
        """Return what the response to ``command`` repeats."""
        header, other = command.header, command.header.other
        return cls(
            other.message_code,
            header.counter,
            header.originator,
            command.signed,
            other.supplementary_party,
            other.supplementary_counter,
        )

    @property
    def row(self) -> MessageRow:
        """The row of the message code."""
        return MESSAGES[self.message_code]

    @property
    def protection(self) -> Protection:
        """How the response is protected: signed when the command was, else by a MAC."""
        sets = self.row.response
        fitting = (s for s in sets if bool(s & Protection.SIGNATURE) == self.signed)
        return next(fitting, sets[0])

    def header(self, responder: Eui64, date_time: bytes) -> GroupingHeader:
        """Return the response's grouping header."""
        other = OtherInformation(
            self.message_code,
            self.supplementary_party,
            self.supplementary_counter,
            self.originator_counter,
        )
        return GroupingHeader(
            Cra.RESPONSE, self.counter, responder, self.originator, other, date_time
        )
