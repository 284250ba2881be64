"""The parties of commissioning and of the time after it: DSP, CP, S1SP's desk, import suppliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from device_profiles.announced import announced_in_smets1
from device_profiles.installation import InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.smets1_services import load_smets1_services
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.crypto import certificate as certificates
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from harness.formats.duis.bodies import DevicePrenotification, RequestBody
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.responses import ServiceResponse, read_response
from harness.formats.duis.signing import Signatories
from harness.formats.duis.smets1_bodies import (
    JoinNonCritical,
    LogChange,
    UpdateHanDeviceLog,
    Whitelisting,
)
from harness.formats.migration_files.parties import Role
from harness.formats.migration_files.signing import xml_key
from harness.migration.commissioning_reach import SiteReach
from harness.migration.office import Office
from harness.parties.acb import Acb
from harness.parties.commissioning_party import CommissioningParty
from harness.parties.dsp import Dsp
from harness.parties.import_supplier import ImportSupplier
from harness.parties.s1sp_desk import S1spDesk
from harness.parties.s1sp_desk_records import DeskRecord
from harness.parties.s1sp_desk_trust import DeskTrust
from harness.parties.s1sp_image_settings import load_image_settings
from harness.rules.inventory import Inventory
from harness.rules.roles import UserRole


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a user and what came of it.

    Attributes:
        request: The request.
        response: What the DSP answered at once.
    """

    request: ServiceRequest
    response: ServiceResponse

    @property
    def code(self) -> str:
        """Response code of the DSP's answer."""
        return self.response.header.code


class CommissioningWorld:
    """Seats the parties once for all installations of a run.

    Args:
        office: What the parties of the run share.

    Attributes:
        dsp: The DSP.
        party: The Commissioning Party.
        desk: The S1SP's desk.
        reach: The S1SP's way to devices.
        suppliers: Suppliers by identifier.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        keys, store = office.keys, office.keys.store
        self.dcc = keys.parties[Role.DSP]
        self._s1sp = office.s1sp.party
        self._xml = {
            entry.eui64: entry.certificate
            for entry in store.entries()
            if entry.usage is KeyUsage.XML and entry.certificate is not None
        }
        signatories = Signatories(self._xml, office.clock.now())
        self._signatories = signatories
        acb = Acb(self.dcc, KeyRing(KeyStore()))
        self.dsp = Dsp(
            acb,
            Inventory(),
            office.lists.cpl,
            office.post,
            xml_key=keys.signing(Role.DSP),
            signatories=signatories,
        )
        self.dsp.bilingual = office.cohort.bilingual
        self.dsp.coin = bool(office.chance.stream("dsp/updates nobody rules on").octets(1)[0] & 1)
        services = load_smets1_services(office.overlays)
        name = office.cohort.cohort.s1sp
        self.dsp.connect({name: self._s1sp}, services=services, certificates=self._xml)
        self.party = CommissioningParty(
            keys.parties[Role.COMMISSIONING_PARTY],
            self.dcc,
            self._s1sp,
            keys.signing(Role.COMMISSIONING_PARTY),
            signatories,
            office.post,
        )
        self.dsp.register(self.party)
        self.reach = SiteReach(office)
        self.desk = self._desk()
        self.suppliers: dict[Eui64, ImportSupplier] = {}

    def _desk(self) -> S1spDesk:
        """Return the S1SP's desk for the time after migration."""
        office, keys = self._office, self._office.keys
        trust = DeskTrust(
            keys.signing(Role.S1SP),
            self.dcc,
            self.party.eui64,
            self._xml,
            keys.store.public(),
            _authorities(keys.store),
        )
        return S1spDesk(
            office.s1sp,
            self.reach,
            load_smets1_services(office.overlays),
            trust,
            office.clock,
            office.cohort.ppmid,
            metadata=office.cohort.metadata,
            patience=load_image_settings(office.overlays),
            coordinated=office.cohort.cohort.coordinated_by_eis,
        )

    def seat(self, supplier: Eui64, roles: Sequence[UserRole], name: str) -> ImportSupplier:
        """Return a supplier; one that is new is registered with the DSP.

        Args:
            supplier: Its identifier.
            roles: Roles in which it is registered.
            name: How the trace calls it.
        """
        held = self.suppliers.get(supplier)
        if held is not None:
            held.roles |= frozenset(roles)
            return held
        entry = self._office.keys.store.find(supplier, KeyUsage.XML)
        private = entry is not None and entry.private_scalar is not None
        made = ImportSupplier(
            supplier,
            roles,
            self._office.post,
            dcc=self.dcc,
            s1sp=self._s1sp,
            name=name,
            xml_key=xml_key(entry) if entry is not None and private else None,
            signatories=self._signatories,
        )
        self.suppliers[supplier] = made
        self.dsp.register(made)
        return made

    async def ask(
        self, user: ImportSupplier, body: RequestBody, device: Eui64 | None = None
    ) -> Asked:
        """Let a supplier ask, and everything happen that follows from it.

        Args:
            user: The supplier.
            body: What it asks for.
            device: The device; None for requests to the DCC itself.
        """
        asked = user.ask(body, device)
        document = user.send(asked)
        answer = self.dsp.submit(document, user.eui64)
        user.take(answer)
        await self.dsp.relay(self.desk)
        return Asked(asked, read_response(answer))

    async def add_ppmid(
        self, user: ImportSupplier, device: InstalledDevice, esme: Eui64, version: str = ""
    ) -> tuple[Asked, ...]:
        """Let a supplier add a PPMID to a home after its migration: 12.2, 8.11, 8.7.2.

        Args:
            user: The supplier.
            device: The PPMID, which has to be in reach of the hub.
            esme: The ESME of the home.
            version: Version it is announced with; empty: that of its SMETS1 entry.
        """
        eui64 = Eui64.parse(device.eui64)
        home = self.dsp.inventory.find(esme)
        hub = None if home is None or home.hub is None else self.dsp.inventory.find(home.hub)
        if hub is None:
            raise ValueError(f"{esme} stands behind no hub of the inventory")
        profile = load_profile(device.profile, self._office.overlays)
        identity, (nominal, _smets) = profile.identity, announced_in_smets1(profile)
        self.reach.add_ppmid(eui64, hub.device, device.profile)
        own = identity.manufacturer_hex == hub.manufacturer
        record = DeskRecord(
            eui64,
            DeviceType.PPMID,
            hub.device,
            declared=nominal,
            own_make=own,
        )
        self.desk.enrol([record])
        announced = DevicePrenotification(
            eui64,
            identity.manufacturer_hex,
            identity.model_hex,
            DeviceType.PPMID,
            firmware_version=version or nominal,
        )
        let_in = Whitelisting(self.desk.join_patience_s, bytes(16))
        entry = UpdateHanDeviceLog(eui64, LogChange.ADD, let_in)
        return (
            await self.ask(user, announced),
            await self.ask(user, entry, hub.device),
            await self.ask(user, JoinNonCritical(esme), eui64),
        )

    def change_supply(self, mpxn: str, supplier: Eui64, kind: DeviceType, name: str) -> None:
        """Register another supplier for a meter point (a change of supplier).

        Args:
            mpxn: The meter point.
            supplier: The new supplier.
            kind: Type of its meter.
            name: How the trace calls the supplier.
        """
        gas = kind is DeviceType.GSME
        role = UserRole.GAS_SUPPLIER if gas else UserRole.IMPORT_SUPPLIER
        self.seat(supplier, [role], name)
        self.dsp.register_supply(mpxn, supplier)

    def dump(self) -> dict[str, Any]:
        """Return the memories of these parties as JSON values."""
        users = {
            str(eui64): [sorted(one.roles), one.name, one.dump()]
            for eui64, one in self.suppliers.items()
        }
        added = {str(one): [str(hub), model] for one, (hub, model) in self.reach.added.items()}
        return {
            "dsp": self.dsp.dump(),
            "party": self.party.dump(),
            "desk": self.desk.dump(),
            "suppliers": users,
            "added": added,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over dumped memories; sites are told again by who commissions."""
        self.dsp.load(state["dsp"])
        self.party.load(state["party"])
        self.desk.load(state["desk"])
        self.reach.added = {
            Eui64.parse(one): (Eui64.parse(hub), model)
            for one, (hub, model) in state["added"].items()
        }
        for text, (roles, name, memory) in state["suppliers"].items():
            user = self.seat(Eui64.parse(text), [UserRole(role) for role in roles], name)
            user.load(memory)


def _authorities(store: KeyStore) -> tuple[certificates.Certificate, ...]:
    """Return the issuers of the parties' certificates that a key store holds, or none.

    A test key store holds no certificate of an issuer: each certificate is then its own warrant.
    """
    found = (entry.certificate for entry in store.entries() if entry.certificate is not None)
    read = [certificates.read(der) for der in found]
    issuers = {one.issuer for one in read}
    return tuple(one for one in read if one.subject in issuers)
