"""The remote parties of an installation: who they are, and their test keys."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.installation import Installation
from device_profiles.words import RemoteParty
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki


@dataclass(frozen=True, slots=True)
class Parties:
    """The remote parties every device of an installation knows.

    Attributes:
        acb: Access Control Broker.
        wan_provider: WAN provider.
        network_operator: Network operator of its meters.
        recovery: Recovery party.
        transitional_cos: Transitional change-of-supplier party.
        suppliers: The responsible suppliers, in the order the installation names them.
    """

    acb: Eui64
    wan_provider: Eui64
    network_operator: Eui64
    recovery: Eui64
    transitional_cos: Eui64
    suppliers: tuple[Eui64, ...]

    def roles(self) -> tuple[tuple[Eui64, RemoteParty], ...]:
        """Return every party with its role, suppliers last."""
        return (
            (self.recovery, RemoteParty.RECOVERY),
            (self.acb, RemoteParty.ACCESS_CONTROL_BROKER),
            (self.transitional_cos, RemoteParty.TRANSITIONAL_COS),
            (self.wan_provider, RemoteParty.WAN_PROVIDER),
            (self.network_operator, RemoteParty.NETWORK_OPERATOR),
            *((supplier, RemoteParty.SUPPLIER) for supplier in self.suppliers),
        )


#: First three octets of a supplier -> ACB, WAN provider, network operator, recovery, transitional
#: change of supplier of the same test set. Source: the parties of the RTDS key store (gbcs.md §2);
#: the others: invented, the same that ``smetsbench pki new`` makes.
_TEST_SETS: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "90b3d5": (
        "90b3d51f30000002",
        "90b3d51f30000007",
        "90b3d51f30020000",
        "90b3d51f30000001",
        "90b3d51f30000004",
    ),
    "": (
        "0253420000000004",
        "0253420000000006",
        "0253420000020000",
        "0253420000000001",
        "0253420000000005",
    ),
}


def parties_of(installation: Installation) -> Parties:
    """Return the parties of an installation: its suppliers, and the rest of their test set."""
    texts = dict.fromkeys(device.supplier for device in installation.devices)
    suppliers = tuple(Eui64.parse(text) for text in texts)
    row = _TEST_SETS.get(suppliers[0].hex[:6], _TEST_SETS[""])
    acb, wan_provider, network_operator, recovery, transitional = map(Eui64.parse, row)
    return Parties(acb, wan_provider, network_operator, recovery, transitional, suppliers)


class KeyRoom:
    """All keys of an installation, from which each gets its own private ones only.

    Keys are taken from the given store where it holds their private part; the others are made by
    a test PKI out of the run's chance.
    """

    def __init__(self, given: KeyStore | None, chance: Chance, at: UtcMs) -> None:
        """Take the given keys, the run's chance, and the begin of validity of made ones."""
        self._given = given or KeyStore()
        self._pki = TestPki.new(chance.stream("pki").octets, at)
        self._all = KeyStore()

    def add_parties(self, parties: Parties) -> None:
        """Give every remote party its keys; suppliers have prepayment and XML-signing keys, too."""
        for eui64, role in parties.roles():
            for usage in (KeyUsage.DS, KeyUsage.KA):
                made = self._pki.organisation_entry(eui64, role, usage)
                self._keep(made)
            if role is RemoteParty.SUPPLIER:
                self._keep(self._pki.organisation_entry(eui64, role, KeyUsage.KA, prepayment=True))
                self._keep(self._pki.xml_signing_entry(eui64, role, f"smetsbench {eui64}"))

    def add_devices(self, devices: Iterable[Eui64]) -> None:
        """Give every device its keys."""
        for device in devices:
            for entry in self._pki.device_entries(device):
                self._keep(entry)

    def public(self) -> KeyStore:
        """Return everybody's public keys."""
        return self._all.public()

    def private(self, owner: Eui64) -> KeyStore:
        """Return the private keys of one party or device."""
        return KeyStore(
            entry
            for entry in self._all.entries()
            if entry.eui64 == owner and entry.private_scalar is not None
        )

    def ring_store(self, *owners: Eui64) -> KeyStore:
        """Return a store with everybody's public keys and the private ones of ``owners``."""
        return self.public().merged(*(self.private(owner) for owner in owners))

    def _keep(self, made: KeyEntry) -> None:
        held = self._given.find(made.eui64, made.usage, made.prepayment)
        usable = held is not None and held.private_scalar is not None
        self._all.add(held if held is not None and usable else made)
