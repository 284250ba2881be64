"""Checks of a device on a command that came to it: addressing, protection, role, replay."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.words import RemoteParty
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader
from emulator.codecs.gbcs.payload import PayloadValue, decode_payload
from emulator.codecs.gbcs.use_cases import MessageCode, MessageRow
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.protection import (
    KeyRing,
    Refusal,
    Refused,
    Unauthenticated,
    open_message,
)
from emulator.devices.network import Network


class Complaint(enum.StrEnum):
    """Why a device does not act on a message, beside the reasons of ``protection.Refusal``."""

    MALFORMED = "malformed"
    WRONG_TARGET = "wrong_target"
    NOT_A_COMMAND = "not_a_command"
    UNAUTHENTICATED = "unauthenticated"
    UNSUPPORTED_USE_CASE = "unsupported_use_case"
    ORIGINATOR_ROLE = "originator_role"
    REPLAYED_COUNTER = "replayed_counter"
    MALFORMED_PAYLOAD = "malformed_payload"


class CommandRefusedError(Exception):
    """A check failed; caught where the device notes the refusal, never seen outside.

    Attributes:
        reason: A ``Complaint`` or a ``Refusal``.
        detail: One sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class CommandTurnedAwayError(CommandRefusedError):
    """An authentic, fresh command of a known party is not for the device, or not that party's.

    Attributes:
        header: Its grouping header.
    """

    def __init__(self, complaint: Complaint, header: GroupingHeader, detail: str) -> None:
        super().__init__(complaint.value, detail)
        self.header = header


@dataclass(frozen=True, slots=True)
class Command:
    """A command that passed every check.

    Attributes:
        header: Its grouping header.
        row: What is known of its message code.
        value: Its decoded payload.
        signed: Whether it carried a signature.
    """

    header: GroupingHeader
    row: MessageRow
    value: PayloadValue
    signed: bool


@dataclass(frozen=True, slots=True)
class Checker:
    """What a device holds a command against.

    Attributes:
        eui64: The device.
        ring: Keys it holds.
        network: Parties it knows.
        roles_for: Message code -> roles that may send it; None where the device has no such use
            case.
        ring_for: Message and roles -> keys to hold a command against, where these are not always
            the ring's.
        roles_of: Party -> its roles, where these are not always the network's.
    """

    eui64: Eui64
    ring: KeyRing
    network: Network
    roles_for: Callable[[int], frozenset[RemoteParty] | None]
    ring_for: Callable[[Envelope, frozenset[RemoteParty]], KeyRing] | None = None
    roles_of: Callable[[Eui64], frozenset[RemoteParty]] | None = None

    def check(self, message: bytes, highest: Mapping[str, int]) -> Command:
        """Return the command in ``message``.

        Args:
            message: The whole GBCS message.
            highest: Highest accepted counter by ``counter_key``.

        Raises:
            CommandRefusedError: A check failed; nothing has changed.

        Source:
            Order of checks inferred (GBCS v0.8.1 p140 puts authentication first; a role or replay
            can only be judged of an authentic originator).
        """
        try:
            env = envelope.decode(message)
            header = env.header
            if header.target != self.eui64:
                raise _refused(Complaint.WRONG_TARGET, f"addressed to {header.target}")
            opened = open_message(message, self._ring_of(env), acb=self.network.acb)
        except MalformedFrameError as error:
            raise _refused(Complaint.MALFORMED, str(error)) from None
        if isinstance(opened, Refused):
            raise CommandRefusedError(opened.reason.value, opened.detail)
        if isinstance(opened, Unauthenticated):
            raise _refused(Complaint.UNAUTHENTICATED, opened.why)
        if header.cra is not Cra.COMMAND:
            raise _refused(Complaint.NOT_A_COMMAND, f"a {header.cra.name.lower()}")
        self._check_originator(header, opened.row, highest)
        self._check_answerable(opened.envelope)
        self.check_counter(header, highest)
        try:
            value = decode_payload(opened.row, header.cra, env.payload)
        except MalformedFrameError as error:
            raise _refused(Complaint.MALFORMED_PAYLOAD, str(error)) from None
        return Command(header, opened.row, value, bool(env.signature))

    def _ring_of(self, env: Envelope) -> KeyRing:
        roles = self.roles_for(env.header.other.message_code)
        if self.ring_for is None or roles is None:
            return self.ring
        return self.ring_for(env, roles)

    def _roles(self, party: Eui64) -> frozenset[RemoteParty]:
        known = self.roles_of
        return self.network.roles(party, self.eui64) if known is None else known(party)

    def _check_originator(
        self, header: GroupingHeader, row: MessageRow, highest: Mapping[str, int]
    ) -> None:
        allowed = self.roles_for(row.code)
        roles = self._roles(header.originator)
        fresh = bool(roles) and header.counter > highest.get(counter_key(header), -1)
        if allowed is None:
            raise _turned_away(
                Complaint.UNSUPPORTED_USE_CASE, header, f"{row.use_case} ({row.code:04x})", fresh
            )
        if not roles & allowed:
            known = ", ".join(sorted(role.name.lower() for role in roles)) or "a stranger"
            detail = f"{header.originator} is {known}; {row.use_case} is not for it"
            raise _turned_away(Complaint.ORIGINATOR_ROLE, header, detail, fresh)

    def _check_answerable(self, env: Envelope) -> None:
        """Refuse a command without a signature from a party with whom no MAC can be made."""
        originator = env.header.originator
        if not env.signature and not self.ring.agreement.knows(originator):
            detail = f"no key-agreement key of {originator} is held"
            raise CommandRefusedError(Refusal.NO_MAC_KEY.value, detail)

    def check_counter(self, header: GroupingHeader, highest: Mapping[str, int]) -> None:
        """Refuse a counter that is not above the highest accepted one.

        Raises:
            CommandRefusedError: It is equal or lower.

        Source:
            reference gbcs.md section 16 names the replay rules as not found; "strictly rising per
            originator and direction" is inferred from their names.
        """
        last = highest.get(counter_key(header))
        if last is not None and header.counter <= last:
            detail = f"counter {header.counter} of {header.originator} is not above {last}"
            raise _refused(Complaint.REPLAYED_COUNTER, detail)


#: Top-ups count for themselves: their counters end in 32 zero bits, far above all others.
#: Source: RTDS 4.5.0 CS01a and CS01b; the specialist floor "prepayment top up" of CS02b.
_TOP_UPS: Final = frozenset({MessageCode.CS01A, MessageCode.CS01B})


def counter_key(header: GroupingHeader) -> str:
    """Return the name under which a device keeps an originator's highest counter."""
    kind = "/top-up" if header.other.message_code in _TOP_UPS else ""
    return f"{header.originator.hex}/{header.cra.name.lower()}{kind}"


def _turned_away(
    complaint: Complaint, header: GroupingHeader, detail: str, fresh: bool
) -> CommandRefusedError:
    if fresh:
        return CommandTurnedAwayError(complaint, header, detail)
    return _refused(complaint, detail)


def _refused(reason: Complaint, detail: str) -> CommandRefusedError:
    return CommandRefusedError(reason.value, detail)
