"""The parties of a firmware scenario, as one participant of the run."""

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar, cast

from device_profiles.cpl import load_cpl
from device_profiles.cpl_entry import CplEntry
from device_profiles.cpl_rules import Cpl
from device_profiles.installation import Installation
from device_profiles.schema import DeviceProfile
from device_profiles.words import CplStatus, DeviceType
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from harness import installed
from harness.parties import defects
from harness.parties.acb import Acb
from harness.parties.dsp import Dsp
from harness.parties.enrolment import enrol
from harness.parties.post import Post, Record
from harness.parties.supplier import Supplier
from harness.parties.wan_provider import WanProvider
from harness.ports import Clock
from harness.rules.roles import UserRole
from harness.run import NOT_PROVEN, Run
from harness.run_options import RunOptions
from harness.scenarios.firmware.left_open import MADE_UP_SIGNATURE, left_open

NAME: Final = "market"

_Kind = TypeVar("_Kind", Dsp, Supplier, Acb)


class KeyedBench(Protocol):
    """What the parties read off a bench before the first step: who is who, and keys.

    Attributes:
        acb: EUI-64 of the Access Control Broker.
        wan_provider: EUI-64 of the WAN provider.
        public_keys: Certificates and public points of everybody.
    """

    acb: Eui64
    wan_provider: Eui64
    public_keys: KeyStore

    def party_keys(self, eui64: Eui64) -> KeyStore:
        """Return the private keys of one party."""
        ...


class SourceBench(Protocol):
    """The bench that parties stand at: journalled, or the bench itself."""

    @property
    def inner(self) -> object:
        """The bench behind it, a ``KeyedBench``."""
        ...

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...


class Source(Protocol):
    """What parties are set up from: a run, or one cell of the firmware matrix."""

    @property
    def options(self) -> RunOptions:
        """What the person at the bench chose."""
        ...

    @property
    def bench(self) -> SourceBench:
        """The bench."""
        ...

    def message(
        self, sender: str, receiver: str, kind: str, octets: bytes = b"", summary: str = ""
    ) -> None:
        """Trace a message between parties."""
        ...


class Market:
    """Supplier(s), DSP, ACB and WAN provider of one installation.

    Attributes:
        installation: The installation.
        profiles: EUI-64 text -> device model.
        post: Traces what the parties send each other.
        dsp: The DSP, with its ACB.
        suppliers: EUI-64 -> supplier.
        wan_provider: The WAN provider.
        kept: JSON values of the scenario's own that must survive a kill.
    """

    def __init__(self, run: Source) -> None:
        bench = cast("KeyedBench", run.bench.inner)
        self._bench = bench
        self._folders = installed.overlays(run.options)
        self.installation: Installation = installed.chosen(run.options)
        self.profiles: Mapping[str, DeviceProfile] = installed.profiles(
            self.installation, self._folders
        )
        self.post = Post(run.bench.clock, _traced(run))
        names = run.options.defects
        acb = _party(Acb, names)(bench.acb, self._ring(bench.acb))
        inventory = enrol(self.installation, {one.name: one for one in self.profiles.values()})
        cpl = load_cpl(self._folders)
        self.dsp = _party(Dsp, names)(acb, inventory, cpl, self.post)
        self.suppliers = {eui64: self._supplier(eui64, names) for eui64 in self._supplier_euis()}
        self.dsp.register(*self.suppliers.values())
        self.wan_provider = WanProvider(bench.wan_provider, self.post, self.dsp.expect_hub_version)
        self.kept: dict[str, Any] = {}

    def supplier_of(self, device: Eui64) -> Supplier:
        """Return the responsible supplier of a device of the installation."""
        record = self.dsp.inventory.find(device)
        if record is None:
            return next(iter(self.suppliers.values()))
        return self.suppliers[record.supplier]

    def profile(self, device: Eui64) -> DeviceProfile:
        """Return the model of a device of the installation."""
        return self.profiles[str(device)]

    @property
    def public_keys(self) -> KeyStore:
        """Everybody's public keys."""
        return self._bench.public_keys

    def keys_of(self, party: Eui64) -> KeyStore:
        """Return everybody's public keys with a party's own."""
        return self._bench.public_keys.merged(self._bench.party_keys(party))

    def signing_scalar(self, supplier: Eui64) -> int:
        """Return the key with which a supplier authorises images.

        Raises:
            LookupError: The bench holds no such key.
        """
        entry = self._bench.party_keys(supplier).find(supplier, KeyUsage.DS)
        if entry is not None and entry.private_scalar is not None:
            return entry.private_scalar
        raise LookupError(f"the bench holds no signing key of {supplier}")

    def list_version(self, entry: CplEntry) -> None:
        """Add a row to the CPL in force, or replace the row of that identifier."""
        rows = {**self.dsp.cpl.entries, entry.cpl_entry_id: entry}
        self.dsp.cpl = Cpl(rows.values(), self.dsp.cpl.file)

    def withdraw(self, cpl_entry_id: str) -> None:
        """Withdraw a row of the CPL in force (F-066), and remember it over a kill."""
        self.dsp.cpl = self.dsp.cpl.with_status(cpl_entry_id, CplStatus.WITHDRAWN)
        self.kept.setdefault("withdrawn", []).append(cpl_entry_id)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return the memory of all parties (never their keys)."""
        return {
            "dsp": self.dsp.dump(),
            "suppliers": {str(eui64): one.dump() for eui64, one in self.suppliers.items()},
            "wan_provider": self.wan_provider.dump(),
            "kept": self.kept,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.dsp.load(state["dsp"])
        for eui64, one in self.suppliers.items():
            one.load(state["suppliers"][str(eui64)])
        self.wan_provider.load(state["wan_provider"])
        self.kept = state["kept"]
        for cpl_entry_id in self.kept.get("withdrawn", []):
            self.dsp.cpl = self.dsp.cpl.with_status(cpl_entry_id, CplStatus.WITHDRAWN)

    # -- building ------------------------------------------------------------------------------

    def _ring(self, eui64: Eui64) -> KeyRing:
        return KeyRing(self.keys_of(eui64))

    def _supplier_euis(self) -> list[Eui64]:
        texts = dict.fromkeys(device.supplier for device in self.installation.devices)
        return [Eui64.parse(text) for text in texts]

    def _supplier(self, eui64: Eui64, names: tuple[str, ...]) -> Supplier:
        roles: set[UserRole] = set()
        for device in self.installation.devices:
            if Eui64.parse(device.supplier) == eui64:
                gas = device.role in {DeviceType.GSME, DeviceType.GPF}
                roles.add(UserRole.GAS_SUPPLIER if gas else UserRole.IMPORT_SUPPLIER)
        number = self._supplier_euis().index(eui64)
        kind = _party(Supplier, names)
        return kind(
            eui64,
            roles,
            self._ring(eui64),
            self.post,
            acb=self._bench.acb,
            name="supplier" if number == 0 else f"supplier {number + 1}",
        )


def _party(kind: type[_Kind], names: tuple[str, ...]) -> type[_Kind]:
    """Return a party's class with the party defects among ``names`` built in."""
    for name in names:
        if name in defects.DEFECTS:
            kind = defects.apply(kind, name)
    return kind


def _traced(run: Source) -> Record:
    """Return what traces a letter; those from and to the hub are in the capture already."""

    def record(sender: str, receiver: str, kind: str, octets: bytes, summary: str) -> None:
        if "CHF" not in {sender, receiver}:
            run.message(sender, receiver, kind, octets, summary)

    return record


def open_world(run: Run) -> None:
    """Set up the parties of a firmware scenario (``Scenario.setup``)."""
    parties = Market(run)
    run.participants[NAME] = parties
    emulated = run.bench.kind == "emulated"
    rows = left_open(parties.profiles, parties.dsp.cpl, emulated=emulated)
    if installed.has_made_up_signature(run.options):
        rows.append(MADE_UP_SIGNATURE)
    run.facts[NOT_PROVEN] = [list(row) for row in rows]


def market(run: Run) -> Market:
    """Return the parties of the run."""
    return run.participant(NAME, Market)
