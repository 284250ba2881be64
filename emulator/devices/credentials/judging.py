"""Whether the certificates of a replacement hold: place, subject, issuer, time."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.codecs.gbcs.credentials import KEY_CERT_SIGN, Cell, ReplaceCredentials, Replacement
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.certificate import Certificate
from emulator.devices.credentials.holders import believes, key_in, party_of, places_of
from emulator.devices.credentials.places import ROOT, USAGES, CellStatus, Mode, certified_roles

if TYPE_CHECKING:
    from emulator.devices.base import Device


@dataclass(frozen=True, slots=True)
class Judged:
    """One replacement and what is to become of it.

    Attributes:
        one: The replacement.
        status: SUCCESS where it may be carried out.
        found: Its certificate, where it could be read.
    """

    one: Replacement
    status: CellStatus
    found: Certificate | None


def judge(device: "Device", asked: ReplaceCredentials, mode: Mode, at: UtcMs) -> tuple[Judged, ...]:
    """Judge every replacement of a command; a good one beside a bad one is OTHER.

    Args:
        device: Whose places they are.
        asked: The command.
        mode: What its message code allows.
        at: What the device's clock shows.

    Source:
        The status of each fault and that one bad replacement stops all: inferred from the names of
        the codes, and from RTDS 4.5.0 CS02g FUTURE_DATED_ERROR (every place fails, none changes).
    """
    issuers = _readable(asked.issuers)
    roots = [one.certificate for one in asked.replacements if one.cell == ROOT]
    root = roots[0] if roots else None
    judged = [_judge_one(device, one, issuers, mode, root) for one in asked.replacements]
    judged = _judge_together(device, judged)
    if _time_counts(device, asked):
        judged = [_judge_time(one, issuers, at) for one in judged]
    if all(one.status is CellStatus.SUCCESS for one in judged):
        return tuple(judged)
    return tuple([_stopped(one) for one in judged])


def _time_counts(device: "Device", asked: ReplaceCredentials) -> bool:
    """Say whether validity counts; a device whose clock is not set cannot judge it (inferred)."""
    return asked.judges_time and device.trust.judges_validity and device.clock_reliable


def _stopped(one: Judged) -> Judged:
    if one.status is not CellStatus.SUCCESS:
        return one
    return Judged(one.one, CellStatus.OTHER, one.found)


def _readable(octets: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    found = []
    for one in octets:
        try:
            found.append(certificate.read(one))
        except MalformedFrameError:
            continue
    return tuple(found)


def _judge_one(
    device: "Device",
    one: Replacement,
    issuers: tuple[Certificate, ...],
    mode: Mode,
    root: bytes | None,
) -> Judged:
    """Judge one; ``root`` is the certificate of the root that the command itself brings."""
    cell = one.cell
    if cell not in places_of(device) or cell.role not in mode.replaced:
        return Judged(one, CellStatus.TRUST_ANCHOR_NOT_FOUND, None)
    [*readable] = _readable((one.certificate,))
    if not readable:
        return Judged(one, CellStatus.BAD_CERTIFICATE, None)
    found = readable[0]
    if cell == ROOT:
        return Judged(one, _judge_root(device, found, mode), found)
    if not _fits(found, cell):
        return Judged(one, CellStatus.BAD_CERTIFICATE, found)
    issuer = _issuer_of(found, issuers)
    if issuer is None or not _believed(device, issuer, root):
        return Judged(one, CellStatus.NO_TRUST_ANCHOR, found)
    return Judged(one, CellStatus.SUCCESS, found)


def _believed(device: "Device", issuer: Certificate, root: bytes | None) -> bool:
    try:
        return believes(device, issuer, root)
    except MalformedFrameError:
        return False


def _fits(found: Certificate, cell: Cell) -> bool:
    return (
        found.eui64 is not None
        and found.role in certified_roles(cell.role)
        and found.usage is USAGES.get(cell.usage)
    )


def _issuer_of(found: Certificate, issuers: tuple[Certificate, ...]) -> Certificate | None:
    for issuer in issuers:
        if issuer.subject == found.issuer and certificate.is_signed_by(found, issuer.public_point):
            return issuer
    return None


def _judge_root(device: "Device", found: Certificate, mode: Mode) -> CellStatus:
    """Judge a new root: the one held must have signed it; for the contingency key, itself."""
    if found.usage is not None or found.role != ROOT.role or ROOT.usage != KEY_CERT_SIGN:
        return CellStatus.BAD_CERTIFICATE
    if mode.authoriser is None:
        signed = certificate.is_signed_by(found, found.public_point)
        return CellStatus.SUCCESS if signed else CellStatus.BAD_CERTIFICATE
    if device.trust.root is None:
        return CellStatus.NO_TRUST_ANCHOR
    anchor = certificate.read(device.trust.root)
    signed = certificate.is_signed_by(found, anchor.public_point)
    return CellStatus.SUCCESS if signed else CellStatus.NO_TRUST_ANCHOR


def _judge_together(device: "Device", judged: list[Judged]) -> list[Judged]:
    """Refuse one place twice, two parties in one role, and half a change of party."""
    times = Counter(one.one.cell for one in judged)
    parties: dict[int, set[Eui64]] = {}
    for one in judged:
        if one.found is not None and one.found.eui64 is not None:
            parties.setdefault(one.one.cell.role, set()).add(one.found.eui64)
    torn = {role for role, found in parties.items() if _is_torn(device, role, found, set(times))}
    return [
        Judged(one.one, CellStatus.BAD_CERTIFICATE, one.found)
        if _is_spoilt(one, torn, times[one.one.cell])
        else one
        for one in judged
    ]


def _is_spoilt(one: Judged, torn: set[int], times: int) -> bool:
    return one.status is CellStatus.SUCCESS and (times > 1 or one.one.cell.role in torn)


def _is_torn(device: "Device", role: int, parties: set[Eui64], cells: set[Cell]) -> bool:
    """Say whether a role would be left with keys of two parties.

    Source:
        That a role has one party: inferred (a grouping header names one originator for it).
    """
    if len(parties) > 1:
        return True
    if parties == {party_of(device.network, device.eui64, role)}:
        return False
    held = {cell for cell in places_of(device) if cell.role == role and key_in(device, cell)}
    return not held <= cells


def _judge_time(one: Judged, issuers: tuple[Certificate, ...], at: UtcMs) -> Judged:
    if one.status is not CellStatus.SUCCESS or one.found is None:
        return one
    issuer = _issuer_of(one.found, issuers) or one.found
    begin = max(one.found.not_before, issuer.not_before)
    end = min(one.found.not_after, issuer.not_after)
    return one if begin <= at <= end else Judged(one.one, CellStatus.BAD_CERTIFICATE, one.found)
