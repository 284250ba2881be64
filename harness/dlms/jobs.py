"""What a reading line is asked to do, and what it puts out."""

from dataclasses import dataclass, field

from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor, GetResult
from emulator.codecs.dlms.axdr import Data
from emulator.core.values import quick
from harness.dlms.proof import Signing
from harness.meter import Association, Credentials, SignOnReport, Silence, Unanswered


@dataclass(frozen=True, slots=True)
class SignOnJob:
    """Say the IEC 62056-21 sign-on; ends in a ``SignOnReport``.

    Attributes:
        read_out: Ask for the mode C read-out even where HDLC is offered.
    """

    read_out: bool = False


@quick
@dataclass(frozen=True, slots=True)
class AssociateJob:
    """Open the link where it is closed, and associate; ends in an ``Association``.

    Attributes:
        credentials: Who associates.
        signing: Signature keys, where the mechanism is ECDSA.
    """

    credentials: Credentials
    signing: Signing | None = None


@quick
@dataclass(frozen=True, slots=True)
class GetJob:
    """Read attributes; ends in a ``GetAnswer``."""

    attributes: tuple[Attribute, ...]


@quick
@dataclass(frozen=True, slots=True)
class SetJob:
    """Write attributes; ends in a ``SetAnswer``. Values may be secrets: they do not show."""

    writes: tuple[tuple[Attribute, Data], ...] = field(repr=False)


@quick
@dataclass(frozen=True, slots=True)
class ActionJob:
    """Invoke one method; ends in an ``ActionAnswer``. Parameters may be keys: they do not show."""

    method: Descriptor
    parameters: Data | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RawJob:
    """Send an APDU as it stands on the link that is open; ends in the answer's octets."""

    apdu: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReleaseJob:
    """End the association and the link; ends in None."""


Job = SignOnJob | AssociateJob | GetJob | SetJob | ActionJob | RawJob | ReleaseJob

#: What a job may end in; which, its class says.
Value = (
    SignOnReport
    | Association
    | tuple[GetResult, ...]
    | tuple[DataAccessResult, ...]
    | MethodOutcome
    | bytes
    | Unanswered
    | None
)


@quick
@dataclass(frozen=True, slots=True)
class Write:
    """Put octets on the line."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Send and receive at ``baud`` from now on, once all that was written before has gone out.

    The line stays 8N1: parity is made in software. A line without speed (TCP) passes over it.
    """

    baud: int


@quick
@dataclass(frozen=True, slots=True)
class Done:
    """The job has ended in ``value``; the line is free for the next."""

    value: Value


Output = Write | SetSpeed | Done


def failed(job: Job, why: Silence, detail: str) -> Value:
    """Return what a job ends in that was cut short."""
    match job:
        case SignOnJob():
            return SignOnReport(answered=False, causes=(detail,))
        case AssociateJob():
            return Association(accepted=False, why=detail, silence=why)
        case ReleaseJob():
            return None
        case _:
            return Unanswered(why, detail)
