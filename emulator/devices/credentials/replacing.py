"""Replaces the holders of places: all that a command names, or none."""

from typing import TYPE_CHECKING

from device_profiles.words import RemoteParty
from emulator.codecs.gbcs.credentials import (
    Cell,
    CellOutcome,
    Floor,
    Holder,
    ReplaceCredentials,
)
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.crypto.signature import point_of
from emulator.devices.credentials.holders import (
    NO_PARTY,
    holder,
    key_in,
    network_with,
    party_of,
    places_of,
)
from emulator.devices.credentials.judging import Judged, judge
from emulator.devices.credentials.places import ROOT, CellStatus, Mode

if TYPE_CHECKING:
    from emulator.devices.base import Device


def replace_all(
    device: "Device", asked: ReplaceCredentials, mode: Mode, at: UtcMs
) -> tuple[CellOutcome, ...]:
    """Replace the holders of the places a command names; all of them, or none.

    Args:
        device: Whose places they are.
        asked: The command.
        mode: What its message code allows.
        at: What the device's clock shows.

    Returns:
        What came of each replacement. A failed one shows the old holder as the new one, too.
    """
    judged = judge(device, asked, mode, at)
    old = [holder(device, one.one.cell) for one in judged]
    good = bool(judged) and all(one.status is CellStatus.SUCCESS for one in judged)
    if good:
        before = _parties(device)
        for one in judged:
            _install(device, one)
        renew_keys(device, before)
        _lay_floors(device, asked.floors, before)
    new = [holder(device, one.one.cell) for one in judged]
    return tuple(
        CellOutcome(one.one.cell, int(one.status), was, now)
        for one, was, now in zip(judged, old, new, strict=True)
    )


def refused_all(
    device: "Device", asked: ReplaceCredentials, status: CellStatus
) -> tuple[CellOutcome, ...]:
    """Return the outcome of a command of which nothing is done, for one reason."""
    held: list[tuple[Cell, Holder]] = [
        (one.cell, holder(device, one.cell)) for one in asked.replacements
    ]
    return tuple(CellOutcome(cell, int(status), old, old) for cell, old in held)


def _parties(device: "Device") -> dict[int, Eui64]:
    """Return who is in each role that the device has places for."""
    roles = {cell.role for cell in places_of(device)}
    found = {role: party_of(device.network, device.eui64, role) for role in roles}
    return {role: party for role, party in found.items() if party is not None}


def _install(device: "Device", judged: Judged) -> None:
    cell, octets = judged.one.cell, judged.one.certificate
    if cell == ROOT:
        device.trust.root = octets
        return
    found = judged.found
    party = NO_PARTY if found is None or found.eui64 is None else found.eui64
    device.trust.installed[cell] = octets
    device.network = network_with(device.network, device.eui64, cell.role, party)


def _lay_floors(device: "Device", floors: tuple[Floor, ...], before: dict[int, Eui64]) -> None:
    """Let the counters of parties begin at their floors.

    A party that stays may not be taken back below what it used already.

    Source:
        Floors: reference gbcs.md section 9.2 (NP's names). What happens to a party that stays:
        inferred, else its own old commands could be given again.
    """
    for floor in floors:
        party = party_of(device.network, device.eui64, floor.role)
        if party is None:
            continue
        key = f"{party.hex}/command"
        stays = before.get(floor.role) == party
        device.accepted[key] = max(floor.counter, device.accepted.get(key, 0) if stays else 0)
        for _, counter in floor.specialists:
            _lay_top_up_floor(device, floor.role, f"{key}/top-up", counter, stays=stays)


def _lay_top_up_floor(device: "Device", role: int, key: str, counter: int, *, stays: bool) -> None:
    device.trust.top_up_floors[role] = counter
    device.accepted[key] = max(counter, device.accepted.get(key, 0) if stays else 0)


def renew_keys(device: "Device", before: dict[int, Eui64]) -> None:
    """Make the ring hold what the places hold, and no key of a party that has left them all."""
    gone = set(before.values()) - set(_parties(device).values())
    entries = [e for e in device.ring.keystore.entries() if e.eui64 not in gone]
    claimed: set[tuple[Eui64, KeyUsage, bool]] = set()
    for cell in places_of(device):
        entry = key_in(device, cell)
        if entry is None:
            continue
        slot = (entry.eui64, entry.usage, entry.prepayment)
        if slot not in claimed and cell in device.trust.installed:
            entries.append(entry)
        claimed.add(slot)
    _keep_issuable(device, entries)
    device.take_ring(KeyRing(KeyStore(entries)))


def _keep_issuable(device: "Device", entries: list[KeyEntry]) -> None:
    """Add the keys of the device's own that came into use."""
    for usage, own in device.trust.own.items():
        point = point_of(own.scalar)
        entries.append(KeyEntry(device.eui64, usage, False, point, own.scalar, own.certificate))


def reinstall(device: "Device") -> None:
    """Put into effect what a loaded state says was installed."""
    before = _parties(device)
    if not (device.trust.installed or device.trust.own):
        return
    for cell, octets in device.trust.installed.items():
        party = certificate.read(octets).eui64
        if party is not None:
            device.network = network_with(device.network, device.eui64, cell.role, party)
    renew_keys(device, before)


def authorised(device: "Device", originator: Eui64, mode: Mode) -> bool:
    """Say whether a party still holds the role that a way of replacing asks for."""
    roles = device.network.roles(originator, device.eui64)
    return mode.authoriser is None or RemoteParty(mode.authoriser) in roles
