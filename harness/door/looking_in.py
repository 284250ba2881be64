"""Looks into requests and work of the DSP, to see what is to be waited for."""

from emulator.codecs.gbcs import asn1, envelope
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from harness.formats.duis.bodies import SignedPreCommand
from harness.formats.duis.faults import DuisError
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.parties.dsp_work import SendCommand, Work


def is_due(work: Work, now: UtcMs) -> bool:
    """Say whether a piece of work is to be done now."""
    return not isinstance(work, SendCommand) or (work.not_before or now) <= now


def read_or_none(document: bytes) -> ServiceRequest | None:
    """Read a request; None for one that the DSP refuses for its body."""
    try:
        return read_request(document)
    except DuisError:
        return None


def moment_of(asked: ServiceRequest) -> UtcMs | None:
    """Return when a request is to be carried out, as it or the command in it says; None: now."""
    named: UtcMs | None = getattr(asked.body, "execution_time", None)
    if named is not None or not isinstance(asked.body, SignedPreCommand):
        return named
    try:
        command = envelope.decode(asked.body.gbcs_payload)
        return asn1.ActivateFirmware.decode(command.payload).execution_time
    except MalformedFrameError:
        return None
