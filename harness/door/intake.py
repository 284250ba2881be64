"""The rules at the door: what is taken, what is refused; one implementation for every door."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.door.errors import DoorCode, Refusal, of_document
from harness.door.exchange import Exchange
from harness.door.kept import Arrival
from harness.door.refusals import Refusals
from harness.door.trust import USER_ROLES, Trust
from harness.formats.duis import document, signing
from harness.formats.duis.bodies import SERVICES, SignedPreCommand
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.requests import RequestHeader, ServiceRequest, peek, read_request
from harness.formats.duis.shape import SIGNATURE_NAMESPACE
from harness.formats.duis.xml_input import parse

_SERIAL: Final = f"{{{SIGNATURE_NAMESPACE}}}X509SerialNumber"
_SIGNATURE: Final = f"{{{SIGNATURE_NAMESPACE}}}Signature"
#: Faults of a body for which the DSP has response codes of its own.
_FOR_THE_DSP: Final = frozenset(
    {DuisFault.TOO_MANY_DEVICES, DuisFault.BAD_DEVICE_LIST, DuisFault.IMAGE_TOO_LARGE}
)
_TRANSFORM: Final = 4
_NON_DEVICE: Final = 8
_SIGNED: Final = min(SERVICES[SignedPreCommand][1])


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that was taken.

    Attributes:
        id: Its number at the door.
        request_id: Its RequestID.
        waits: Whether it is acknowledged now and answered later.
    """

    id: int
    request_id: str
    waits: bool

    def as_json(self) -> dict[str, object]:
        """Return it as the participant gets it, at either door."""
        return {"id": self.id, "request_id": self.request_id, "answer": f"/duis/{self.id}"}


@dataclass(frozen=True, slots=True)
class Note:
    """What one line of the log says of a request; never a key, never a document.

    Attributes:
        at: Bench time.
        user: Who asked, as far as known.
        service: Service reference variant, or ``-``.
        target: Business Target, or ``-``.
        outcome: ``taken``, or the code of the refusal.
        id: Number at the door; 0 for what was refused.
        door: ``http`` or ``drop``.
    """

    at: UtcMs
    user: str
    service: str
    target: str
    outcome: str
    id: int
    door: str

    def line(self) -> str:
        """Return it as a line."""
        number = f"#{self.id}" if self.id else "-"
        place = f"{self.user} {self.service} -> {self.target}"
        return f"{iso(self.at)} {self.door} {place}: {self.outcome} {number}"


@dataclass(slots=True)
class Intake:
    """Takes requests: verifies, journals, numbers; whatever it refuses leaves no trace.

    Attributes:
        exchange: Where requests are kept.
        trust: Whose signatures are believed.
        now: Bench time.
        is_smets1: Whether a device is reached through an S1SP.
        on_taken: Called when there is something to do.
        tell: Takes a note of every request.
        refusals: Keeps what is refused.
    """

    exchange: Exchange
    trust: Trust = field(repr=False)
    now: Callable[[], UtcMs]
    is_smets1: Callable[[Eui64], bool]
    on_taken: Callable[[], None]
    tell: Callable[[Note], None]
    refusals: Refusals

    def take(
        self, octets: bytes, *, door: str, name: str = "", again: str = ""
    ) -> Ticket | Refusal:
        """Take one request.

        Args:
            octets: The document.
            door: ``http`` or ``drop``.
            name: File name at the drop.
            again: What its sender says of a repeat after a restart (``refusals.SENT``…).
        """
        header: RequestHeader | None = None
        try:
            header = _header(octets)
            outcome = self._judged(octets, header) or self._kept(octets, header, door, name)
        except DuisError as error:
            outcome = of_document(error)
        self._note(header, outcome, door)
        if isinstance(outcome, Ticket):
            self.on_taken()
        else:
            who = "" if header is None else str(header.request_id.originator)
            self.refusals.keep(outcome, octets, door=door, name=name, who=who, again=again)
        return outcome

    # -- judging -------------------------------------------------------------------------------

    def _judged(self, octets: bytes, header: RequestHeader) -> Refusal | None:
        """Say why a request is not believed, or None.

        Raises:
            DuisError: The signature is missing or does not verify.
        """
        originator = header.request_id.originator
        serial = _serial(octets)
        owner = None if serial is None else self.trust.owner_of(serial)
        if serial is not None and owner is None:
            what = f"no certificate with serial number {serial[:50]} is known here"
            return _distrusted(DoorCode.UNKNOWN_CERTIFICATE, what, "a key of another test PKI")
        if owner is not None and owner[0] != originator:
            what = f"{owner[0]} signed a request of {originator}"
            return _distrusted(DoorCode.WRONG_ORIGINATOR, what, "a key of another user")
        if owner is not None and owner[1].role not in USER_ROLES:
            what = f"the certificate of {originator} is of role {owner[1].role}"
            return _distrusted(DoorCode.WRONG_ROLE, what, "no certificate of a service user")
        if originator not in self.trust.users:
            what = f"{originator} is no service user here"
            return _distrusted(DoorCode.UNKNOWN_USER, what, "a supplier of no installation here")
        now = self.now()
        if owner is not None and not owner[1].not_before <= now <= owner[1].not_after:
            what = f"the certificate of {originator} does not hold at {iso(now)}"
            return _distrusted(DoorCode.EXPIRED_CERTIFICATE, what, "a certificate of another time")
        signing.verify(octets, self.trust.signatories(now), originator, signed=_is_signed(octets))
        return None

    def _kept(self, octets: bytes, header: RequestHeader, door: str, name: str) -> Ticket | Refusal:
        """Journal a request that is believed.

        Raises:
            DuisError: Its body cannot be read, and the DSP has no response code for that.
        """
        asked = _body(octets)
        variant = header.command_variant
        later = self.is_smets1(header.request_id.target) if variant == _TRANSFORM else True
        waits = later and variant != _NON_DEVICE
        signed = asked is not None and isinstance(asked.body, SignedPreCommand)
        arrival = Arrival(door, name, header.request_id, header.variant, waits, signed, octets)
        number = self.exchange.take(arrival)
        if number is None:
            return Refusal(
                DoorCode.REPLAYED_COUNTER,
                f"{header.request_id.originator} used counter {header.request_id.counter} before",
                "RequestID",
                "a request sent twice; each needs a counter of its own (stand-in: higher is asked"
                " by devices, not by the door)",
                "send the request anew with the next counter",
            )
        return Ticket(number, str(header.request_id), waits)

    # -- telling -------------------------------------------------------------------------------

    def _note(self, header: RequestHeader | None, outcome: Ticket | Refusal, door: str) -> None:
        taken = isinstance(outcome, Ticket)
        user = service = target = "-"
        if header is not None:
            identity = header.request_id
            user, service, target = str(identity.originator), header.variant, str(identity.target)
        word = "taken" if isinstance(outcome, Ticket) else str(outcome.code)
        number = outcome.id if isinstance(outcome, Ticket) else 0
        claimed = user if taken or user == "-" else f"({user})"
        self.tell(Note(self.now(), claimed, service, target, word, number, door))


def _header(octets: bytes) -> RequestHeader:
    """Read the header of a document that is a request of a service played here.

    Raises:
        DuisError: Named.
    """
    return peek(octets)


def _body(octets: bytes) -> ServiceRequest | None:
    """Read a request; None for one whose body the DSP is to refuse with its own code."""
    try:
        return read_request(octets)
    except DuisError as error:
        if error.name in _FOR_THE_DSP:
            return None
        raise


def _is_signed(octets: bytes) -> bool:
    return document.parts(parse(octets), "Request")[2]


def _serial(octets: bytes) -> str | None:
    """Return the serial number of the certificate that a signature names, or None."""
    own = parse(octets).find(_SIGNATURE)
    named = None if own is None else next(own.iter(_SERIAL), None)
    return None if named is None or not named.text else named.text.strip()


def _distrusted(code: DoorCode, what: str, cause: str) -> Refusal:
    return Refusal(code, what, "Signature", cause, "smetsbench pki import SOURCE --out TRUST")
