"""What goes in and out of a key establishment: who we are, what is asked for, how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from emulator.codecs.zcl.key_establishment import (
    KeyEstablishmentCommand,
    KeySuite,
    TerminateStatus,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.cbke_table import CbkeEvent
from emulator.crypto.ecqv import SUITES


@dataclass(frozen=True, slots=True)
class CbkeIdentity:
    """What a device shows of itself.

    Attributes:
        eui64: Its identifier.
        certificates: Its certificates, by suite; their keys are its suites.
        ephemeral_time_s: Seconds it says it needs for an ephemeral key.
        confirm_time_s: Seconds it says it needs for the keyed hashes.
    """

    eui64: Eui64
    certificates: Mapping[KeySuite, bytes]
    ephemeral_time_s: int = 3
    confirm_time_s: int = 6

    @property
    def suites(self) -> int:
        """Its suites as a bitmap."""
        return sum(self.certificates)


@dataclass(frozen=True, slots=True)
class Send:
    """Send this command to the partner."""

    command: KeyEstablishmentCommand


@dataclass(frozen=True, slots=True)
class MakeKey:
    """Make an ephemeral key; tell `CbkeSession.key_made` its public half."""

    suite: KeySuite


@dataclass(frozen=True, slots=True)
class Agree:
    """Compute the keyed hashes; tell `CbkeSession.agreed`.

    Attributes:
        suite: Suite.
        certificate: The partner's certificate.
        key: The partner's ephemeral public key.
        initiator: Whether we are the initiator.
    """

    suite: KeySuite
    certificate: bytes
    key: bytes
    initiator: bool


@dataclass(frozen=True, slots=True)
class Established:
    """The partner has proved itself: the link key computed counts from now on."""

    partner: Eui64
    suite: KeySuite


@dataclass(frozen=True, slots=True)
class Ended:
    """It came to nothing; the link key computed, if any, must be forgotten.

    Attributes:
        status: Why; None: the partner fell silent.
        by_partner: Whether the partner said so.
        wait_s: Seconds to wait before a new attempt.
        why: The reason in words.
    """

    status: TerminateStatus | None
    by_partner: bool
    wait_s: int
    why: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that came too late to matter."""

    event: CbkeEvent


CbkeOutput: TypeAlias = Send | MakeKey | Agree | Established | Ended | Ignored


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command of the partner, or what it leads to, is not acceptable."""

    status: TerminateStatus
    why: str


def judge_certificate(
    suite: KeySuite, theirs: bytes, ours: bytes, partner: Eui64
) -> Refusal | None:
    """Say why a partner's certificate is not acceptable; its key is for the arithmetic to judge.

    Args:
        suite: Suite of both certificates.
        theirs: The partner's certificate.
        ours: Our own, whose issuer must have issued the other.
        partner: Who sent it.
    """
    read = SUITES[suite].read_certificate
    try:
        certificate = read(theirs)
    except MalformedFrameError as error:
        return Refusal(TerminateStatus.INVALID_CERTIFICATE, str(error))
    if certificate.issuer != read(ours).issuer:
        return Refusal(TerminateStatus.UNKNOWN_ISSUER, f"issuer {certificate.issuer.hex()}")
    if not certificate.agrees_keys():
        return Refusal(TerminateStatus.INVALID_CERTIFICATE, "the key may not agree keys")
    if certificate.subject != partner:
        return Refusal(TerminateStatus.BAD_MESSAGE, f"the certificate is {certificate.subject}'s")
    return None
