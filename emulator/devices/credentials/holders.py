"""Who holds a place of a device, and with which key: by command, or since it was made."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from device_profiles.words import RemoteParty
from emulator.codecs import der
from emulator.codecs.gbcs.credentials import Cell, Holder, ReplaceCredentials
from emulator.codecs.gbcs.envelope import Envelope
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate, mac
from emulator.crypto.hashes import skid
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.devices.credentials.places import PLACES, ROOT, USAGES
from emulator.devices.network import Network

if TYPE_CHECKING:
    from emulator.devices.base import Device

R = RemoteParty
NO_PARTY: Final = Eui64(bytes(8))
NOBODY: Final = Holder(NO_PARTY, bytes(8))


def places_of(device: "Device") -> tuple[Cell, ...]:
    """Return the places of a device, in the order it shows them; none where it has none."""
    return PLACES.get(device.device_type, ())


def party_of(network: Network, device: Eui64, role: int) -> Eui64 | None:
    """Return the party that a device knows in a role; None where it knows none."""
    known = {
        R.RECOVERY: network.recovery,
        R.SUPPLIER: network.suppliers.get(device),
        R.NETWORK_OPERATOR: network.network_operators.get(device),
        R.ACCESS_CONTROL_BROKER: network.acb,
        R.TRANSITIONAL_COS: network.transitional_cos,
        R.WAN_PROVIDER: network.wan_provider,
        R.LOAD_CONTROLLER: network.load_controllers.get(device),
    }
    return next((party for held, party in known.items() if held == role), None)


def network_with(network: Network, device: Eui64, role: int, party: Eui64) -> Network:
    """Return the network with another party in a role of a device; a role it has."""
    changes: dict[int, dict[str, Any]] = {
        R.RECOVERY: {"recovery": party},
        R.SUPPLIER: {"suppliers": {**network.suppliers, device: party}},
        R.NETWORK_OPERATOR: {"network_operators": {**network.network_operators, device: party}},
        R.ACCESS_CONTROL_BROKER: {"acb": party},
        R.TRANSITIONAL_COS: {"transitional_cos": party},
        R.WAN_PROVIDER: {"wan_provider": party},
        R.LOAD_CONTROLLER: {"load_controllers": {**network.load_controllers, device: party}},
    }
    return replace(network, **changes[role])


def key_in(device: "Device", cell: Cell) -> KeyEntry | None:
    """Return the key in a place; None where the place is empty, or is the root's."""
    usage = USAGES.get(cell.usage)
    party = party_of(device.network, device.eui64, cell.role)
    if usage is None or party is None or cell not in places_of(device):
        return None
    octets = device.trust.installed.get(cell)
    if octets is None:
        return device.ring.keystore.find(party, usage, cell.is_prepayment)
    point = certificate.read(octets).public_point
    return KeyEntry(party, usage, cell.is_prepayment, point, certificate=octets)


def holder(device: "Device", cell: Cell) -> Holder:
    """Return who holds a place, ``NOBODY`` where it is empty.

    Source:
        RTDS 4.5.0 CS02b by contingency: an authority's EUI-64 is shown as zeros.
    """
    if cell == ROOT:
        root = device.trust.root
        return NOBODY if root is None else Holder(NO_PARTY, _identifier(root))
    entry = key_in(device, cell)
    return NOBODY if entry is None else Holder(entry.eui64, key_identifier(entry))


def key_identifier(entry: KeyEntry) -> bytes:
    """Return the identifier of a key: its certificate's, or what its point makes."""
    if entry.certificate is None:
        return skid(entry.public_point)
    return _identifier(entry.certificate)


def _identifier(octets: bytes) -> bytes:
    found = certificate.read(octets)
    return found.key_identifier or skid(found.public_point)


def roles_of(device: "Device", party: Eui64) -> frozenset[RemoteParty]:
    """Return the roles in which a device knows a party; OTHER is the contingency party."""
    contingency = device.trust.contingency
    known = device.network.roles(party, device.eui64)
    return known if contingency is None or contingency.party != party else known | {R.OTHER}


def ring_for(device: "Device", env: Envelope, roles: frozenset[RemoteParty]) -> KeyRing:
    """Return the keys a command in one of these roles is held against.

    One party may hold places of two roles with a key in each; the first role in the order of
    places that fits decides. Almost always this is the device's own ring as it is.
    """
    originator = env.header.originator
    if R.OTHER in roles:
        return contingency_ring(device, env)
    if not device.trust.installed:
        return device.ring
    for cell in places_of(device):
        if cell.role not in roles:
            continue
        entry = key_in(device, cell)
        if entry is None or entry.eui64 != originator:
            continue
        held = device.ring.keystore.find(originator, entry.usage, entry.prepayment)
        if held is None or held.public_point != entry.public_point:
            return _overlaid(device, cell.role)
    return device.ring


def _overlaid(device: "Device", role: int) -> KeyRing:
    found = [key_in(device, cell) for cell in places_of(device) if cell.role == role]
    own = KeyStore([entry for entry in found if entry is not None])
    return KeyRing(device.ring.keystore.merged(own))


def contingency_ring(device: "Device", env: Envelope) -> KeyRing:
    """Return the keys with the contingency party's, opened by the key that a command brings.

    The key stands in the command, before its signature is judged; opening with a wrong one fails,
    and what it opens is the only key that the signature is then held against.

    Source:
        That a symmetric key in the command opens a key held by the device: NP (Plaintext Symmetric
        Key). How the key is held and encrypted (AES-128-GCM): a stand-in, no vector shows it.
    """
    held = device.trust.contingency
    if held is None or held.party != env.header.originator:
        return device.ring
    try:
        opener = ReplaceCredentials.read(der.decode(env.payload)).contingency_key
        point = mac.decrypt(opener, held.party, held.sealed) if opener else None
    except (MalformedFrameError, ValueError):
        point = None
    if point is None:
        return device.ring
    entry = KeyEntry(held.party, KeyUsage.DS, False, point)
    return KeyRing(device.ring.keystore.merged(KeyStore([entry])))


def believes(device: "Device", issuer: certificate.Certificate, root: bytes | None = None) -> bool:
    """Say whether a device believes an authority: the root's, else one it has certificates of.

    Args:
        device: The device.
        issuer: The authority.
        root: Certificate of the root that counts; None for the one held.

    Source:
        That GBCS devices hold the root's certificate: RTDS 4.5.0 CS02b by contingency. What a
        device does that was built without one is a stand-in.
    """
    root = root or device.trust.root
    if root is not None:
        anchor = certificate.read(root)
        return certificate.is_signed_by(issuer, anchor.public_point)
    held = [key_in(device, cell) for cell in places_of(device)]
    return any(
        certificate.is_signed_by(certificate.read(entry.certificate), issuer.public_point)
        for entry in held
        if entry is not None and entry.certificate is not None
    )
