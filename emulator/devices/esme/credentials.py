"""Who holds the places of a device: shown, and replaced under checks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from device_profiles.words import RemoteParty
from emulator.codecs import der
from emulator.codecs.gbcs.credentials import (
    DIGITAL_SIGNATURE,
    KEY_AGREEMENT,
    NOT_REPLACED,
    REPLACED,
    Cell,
    CellOutcome,
    Holder,
    ReplaceCredentials,
    Replacement,
)
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, SetTimer
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.certificate import Certificate
from emulator.crypto.hashes import skid
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import scalar_from
from emulator.crypto.protection import KeyRing
from emulator.crypto.signature import point_of, public_key
from emulator.devices.saved import Saved, State

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

R = RemoteParty
#: Timer of the next replacement that is due.
CREDENTIALS_TIMER: Final = "credentials.replace"
#: Seed of keys that devices make; a device's EUI-64 tells them apart. Source: invented.
_SEED: Final = 0
#: Places of an ESME, in the order it shows them. Source: RTDS 4.5.0 (CS02a, CS02b by contingency).
PLACES: Final = (
    Cell(R.RECOVERY, DIGITAL_SIGNATURE),
    Cell(R.SUPPLIER, DIGITAL_SIGNATURE),
    Cell(R.SUPPLIER, KEY_AGREEMENT),
    Cell(R.SUPPLIER, KEY_AGREEMENT, is_prepayment=True),
    Cell(R.NETWORK_OPERATOR, DIGITAL_SIGNATURE),
    Cell(R.NETWORK_OPERATOR, KEY_AGREEMENT),
    Cell(R.ACCESS_CONTROL_BROKER, KEY_AGREEMENT),
    Cell(R.TRANSITIONAL_COS, DIGITAL_SIGNATURE),
    Cell(R.LOAD_CONTROLLER, DIGITAL_SIGNATURE),
    Cell(R.LOAD_CONTROLLER, KEY_AGREEMENT),
)
_USAGES: Final = {DIGITAL_SIGNATURE: KeyUsage.DS, KEY_AGREEMENT: KeyUsage.KA}
NOBODY: Final = Holder(Eui64(bytes(8)), bytes(8))


@dataclass(frozen=True, slots=True)
class PendingReplacement:
    """A replacement that waits for its date.

    Attributes:
        payload: The command's payload.
        code: Its message code.
        originator: Who sent it, and is told.
    """

    payload: bytes
    code: int
    originator: Eui64

    def dump(self) -> State:
        """Return it as JSON."""
        return {
            "payload": self.payload.hex(),
            "code": self.code,
            "originator": self.originator.hex,
        }

    @classmethod
    def restore(cls, saved: Saved) -> "PendingReplacement":
        """Return what a dump describes."""
        return cls(saved.octets("payload"), saved.number("code"), saved.eui64("originator"))


class Credentials:
    """What a device was told of keys, parties and neighbours beside what it was made with.

    Attributes:
        installed: Certificates of remote parties that came by command, by place.
        own: Keys of its own that came into use: usage -> (private scalar, certificate).
        scalars: Keys made and not yet certified.
        made: How many keys it ever made.
        floors: Role -> counter its commands began at.
        pending: Replacements that wait for their dates.
        joined: EUI-64 in hex -> device type, of the devices it was joined with.
    """

    __slots__ = ("floors", "installed", "joined", "made", "own", "pending", "scalars")

    def __init__(self) -> None:
        self.installed: dict[Cell, bytes] = {}
        self.own: dict[KeyUsage, tuple[int, bytes]] = {}
        self.scalars: dict[KeyUsage, int] = {}
        self.made = 0
        self.floors: dict[int, int] = {}
        self.pending: list[PendingReplacement] = []
        self.joined: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Credentials({len(self.installed)} places, {len(self.joined)} devices)"

    def new_scalar(self, device: Eui64, usage: KeyUsage) -> int:
        """Draw a private key; the same device makes the same keys in the same order."""
        draw = Stream(_SEED, f"key/{device.hex}/{usage}/{self.made}")
        self.made += 1
        self.scalars[usage] = scalar_from(draw.octets)
        return self.scalars[usage]

    def wait(self, device: "Esme", now: UtcMs) -> list[Effect]:
        """Set the timer to the next date."""
        dates = [ReplaceCredentials.read(der.decode(one.payload)).at for one in self.pending]
        moments = [at for at in dates if at is not None]
        if not moments:
            waits = CREDENTIALS_TIMER in device.timers
            return [CancelTimer(CREDENTIALS_TIMER)] if waits else []
        at = UtcMs(max(min(moments) - device.clock_offset_ms, now))
        return [SetTimer(CREDENTIALS_TIMER, at)]

    def dump(self) -> State:
        """Return the state as JSON values; it holds private keys, as a device's memory does."""
        return {
            "installed": [
                {
                    "role": cell.role,
                    "usage": cell.usage.hex(),
                    "prepayment": cell.is_prepayment,
                    "certificate": octets.hex(),
                }
                for cell, octets in self.installed.items()
            ],
            "own": [
                {"usage": usage.value, "scalar": f"{scalar:064x}", "certificate": octets.hex()}
                for usage, (scalar, octets) in self.own.items()
            ],
            "scalars": {usage.value: f"{scalar:064x}" for usage, scalar in self.scalars.items()},
            "made": self.made,
            "floors": {str(role): counter for role, counter in self.floors.items()},
            "pending": [one.dump() for one in self.pending],
            "joined": {**self.joined},
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state; the device then installs what it names."""
        self.installed = {
            Cell(row.number("role"), row.octets("usage"), row.flag("prepayment")): row.octets(
                "certificate"
            )
            for row in saved.rows("installed")
        }
        self.own = {
            KeyUsage(row.text("usage")): (int(row.text("scalar"), 16), row.octets("certificate"))
            for row in saved.rows("own")
        }
        scalars = saved.part("scalars")
        self.scalars = {
            KeyUsage(usage): int(scalars.text(usage), 16) for usage in saved.table("scalars")
        }
        self.made = saved.number("made")
        self.floors = {int(role): counter for role, counter in saved.numbers("floors").items()}
        self.pending = [PendingReplacement.restore(row) for row in saved.rows("pending")]
        self.joined = saved.numbers("joined")


def holder(device: "Esme", cell: Cell) -> Holder:
    """Return who holds a place: from the device's network and keys."""
    party = party_of(device, cell.role)
    usage = _USAGES.get(cell.usage)
    if party is None or usage is None:
        return NOBODY
    entry = device.ring.keystore.find(party, usage, cell.is_prepayment)
    return NOBODY if entry is None else Holder(party, key_identifier(entry))


def party_of(device: "Esme", role: int) -> Eui64 | None:
    """Return the party that a device knows in a role; None where it knows none."""
    network = device.network
    known = {
        R.RECOVERY: network.recovery,
        R.SUPPLIER: network.suppliers.get(device.eui64),
        R.NETWORK_OPERATOR: network.network_operators.get(device.eui64),
        R.ACCESS_CONTROL_BROKER: network.acb,
        R.TRANSITIONAL_COS: network.transitional_cos,
        R.LOAD_CONTROLLER: network.load_controllers.get(device.eui64),
    }
    return known.get(RemoteParty(role)) if role in set(known) else None


def key_identifier(entry: KeyEntry) -> bytes:
    """Return the subject key identifier of a key: its certificate's, or what its point makes."""
    if entry.certificate is not None:
        found = certificate.read(entry.certificate).key_identifier
        if found:
            return found
    return skid(entry.public_point)


def replace_all(device: "Esme", command: ReplaceCredentials) -> tuple[CellOutcome, ...]:
    """Replace the holders of places; all of them, or none where one does not hold.

    The certificates' validity is not judged: the command may ask for it ([1] of its first part),
    but what each value asks is not known.

    Source:
        inferred from RTDS 4.5.0 CS02g FUTURE_DATED_ERROR (every place answers 0A and stays).
    """
    judged = [(one, _judged(one, command.issuers)) for one in command.replacements]
    good = bool(judged) and all(
        found is not None and one.cell in PLACES and "credentials" not in device.model.broken
        for one, found in judged
    )
    outcomes = []
    for one, found in judged:
        old = holder(device, one.cell)
        new = old
        if good and found is not None and found.eui64 is not None:
            new = Holder(found.eui64, found.key_identifier or skid(found.public_point))
        outcomes.append(CellOutcome(one.cell, REPLACED if good else NOT_REPLACED, old, new))
    if good:
        for one, found in judged:
            if found is not None:
                install(device, one, found)
        _lay_floors(device, command)
    return tuple(outcomes)


def _judged(one: Replacement, issuers: Iterable[bytes]) -> Certificate | None:
    """Return a certificate that holds: signed by an issuer, for this role and usage."""
    try:
        found = certificate.read(one.certificate)
        known = [certificate.read(issuer) for issuer in issuers]
        public_key(found.public_point)
    except (MalformedFrameError, ValueError):  # a point off the curve is a ValueError
        return None
    signed = any(certificate.is_signed_by(found, issuer.public_point) for issuer in known)
    fits = found.role == one.cell.role and found.usage == _USAGES.get(one.cell.usage)
    return found if signed and fits and found.eui64 is not None else None


def install(device: "Esme", one: Replacement, found: Certificate) -> None:
    """Take a party and its key into the device's own network and ring."""
    if found.eui64 is None or found.usage is None:
        return
    party, cell = found.eui64, one.cell
    device.credentials.installed[cell] = one.certificate
    entry = KeyEntry(
        party, found.usage, cell.is_prepayment, found.public_point, certificate=one.certificate
    )
    device.ring = KeyRing(device.ring.keystore.merged(KeyStore([entry])))
    network, own = device.network, {device.eui64: party}
    match cell.role:
        case R.SUPPLIER:
            network = replace(network, suppliers={**network.suppliers, **own})
        case R.NETWORK_OPERATOR:
            network = replace(network, network_operators={**network.network_operators, **own})
        case R.LOAD_CONTROLLER:
            network = replace(network, load_controllers={**network.load_controllers, **own})
        case R.ACCESS_CONTROL_BROKER:
            network = replace(network, acb=party)
        case R.TRANSITIONAL_COS:
            network = replace(network, transitional_cos=party)
        case R.RECOVERY:
            network = replace(network, recovery=party)
    device.network = network


def reinstall(device: "Esme") -> None:
    """Install again what a loaded state says was installed."""
    for cell, octets in list(device.credentials.installed.items()):
        install(device, Replacement(octets, cell), certificate.read(octets))
    own = [
        KeyEntry(device.eui64, usage, False, point_of(scalar), scalar, certificate=octets)
        for usage, (scalar, octets) in device.credentials.own.items()
    ]
    if own:
        device.ring = KeyRing(device.ring.keystore.merged(KeyStore(own)))


def _lay_floors(device: "Esme", command: ReplaceCredentials) -> None:
    """Let the counters of replaced parties begin at their floors."""
    for floor in command.floors:
        party = party_of(device, floor.role)
        if party is not None:
            device.credentials.floors[floor.role] = floor.counter
            device.accepted[f"{party.hex}/command"] = floor.counter
