"""The remote parties of an installation: who they are, and their test keys."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
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
    a test PKI out of the run's chance, or by one that several installations share.
    """

    def __init__(
        self, given: KeyStore | None, chance: Chance, at: UtcMs, pki: TestPki | None = None
    ) -> None:
        """Take the given keys, the run's chance, and the begin of validity of made ones.

        Args:
            given: Keys to use where their private part is there.
            chance: The run's chance.
            at: Begin of validity of made keys.
            pki: Makes the keys that are not given; None: a PKI of this installation, which draws
                every key, used or not, so that the same seed makes the same ones beside given ones.
        """
        self._given = given or KeyStore()
        self._draws_all = pki is None
        self._pki = pki or TestPki.new(chance.stream("pki").octets, at)
        self._all = KeyStore()
        self._everybody: KeyStore | None = None

    def add_parties(self, parties: Parties) -> None:
        """Give every remote party its keys; suppliers have prepayment and XML-signing keys, too."""
        issue = self._pki.organisation_entry
        for eui64, role in parties.roles():
            for usage in (KeyUsage.DS, KeyUsage.KA):
                self._keep(eui64, usage, partial(issue, eui64, role, usage))
            if role is RemoteParty.SUPPLIER:
                prepayment = partial(issue, eui64, role, KeyUsage.KA, prepayment=True)
                self._keep(eui64, KeyUsage.KA, prepayment, prepayment=True)
                name = f"smetsbench {eui64}"
                xml = partial(self._pki.xml_signing_entry, eui64, role, name)
                self._keep(eui64, KeyUsage.XML, xml)

    def add_devices(self, devices: Iterable[Eui64]) -> None:
        """Give every device its keys."""
        for device in devices:
            for usage in (KeyUsage.DS, KeyUsage.KA):
                self._keep(device, usage, partial(self._pki.device_entry, device, usage))

    def public(self) -> KeyStore:
        """Return everybody's public keys."""
        return self._all.public()

    def all_keys(self) -> KeyStore:
        """Return everybody's keys, private ones included: what another key room may be given."""
        return KeyStore(self._all.entries())

    def private(self, owner: Eui64) -> KeyStore:
        """Return the private keys of one party or device."""
        return KeyStore(
            entry
            for entry in self._all.entries()
            if entry.eui64 == owner and entry.private_scalar is not None
        )

    def ring_store(self, *owners: Eui64) -> KeyStore:
        """Return a store with everybody's public keys and the private ones of ``owners``.

        The public keys of all such stores are the same objects, as long as no key is added.
        """
        if self._everybody is None:
            self._everybody = self.public()
        return self._everybody.extended(
            entry for owner in owners for entry in self.private(owner).entries()
        )

    def _keep(
        self,
        eui64: Eui64,
        usage: KeyUsage,
        make: Callable[[], KeyEntry],
        *,
        prepayment: bool = False,
    ) -> None:
        held = self._given.find(eui64, usage, prepayment)
        usable = held is not None and held.private_scalar is not None
        made = make() if self._draws_all or not usable else None
        entry = held if held is not None and usable else made
        if entry is not None:
            self._all.add(entry)
            self._everybody = None
