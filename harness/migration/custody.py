"""Changes of keys as SMSO and S1SP make them: which keys, over whose network, by whose leave."""

from dataclasses import dataclass, field, replace

from device_profiles.dmves import Equivalent
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files.parties import Role
from harness.meter import Credentials
from harness.migration.key_change import Change, Changed, KeyChange
from harness.migration.office import Office, points, scalar_of
from harness.migration.proofs import Door
from harness.migration.site import Site
from harness.parties import s1sp as s1sp_party
from harness.parties import smso as smso_party
from harness.parties.instruction import Instruction
from harness.parties.s1sp import Errand
from harness.parties.s1sp_gate import GateRefusal
from harness.parties.sealed import open_secrets, seal_secrets
from harness.parties.smso import secrets
from harness.smets1.arguments import Arguments
from harness.smets1.sessions import NOTHING_KEPT, Sessions
from harness.smets1.steps import Account, HeadEnd

ROTATE = "rotate-credentials"
RESTORE = "rollback-credentials"
SMSO = smso_party.NAME
S1SP = s1sp_party.NAME


@quick
@dataclass(frozen=True, slots=True)
class Custody:
    """Takes devices of one home over, and gives them back.

    Attributes:
        office: What the parties share.
        site: The home.
    """

    office: Office
    site: Site = field(repr=False)

    # -- how the parties present themselves ----------------------------------------------------

    def smso(self, device_type: DeviceType) -> Credentials:
        """Return how the SMSO presents itself."""
        return self.site.credentials(device_type)

    def s1sp(self, device_type: DeviceType) -> Credentials:
        """Return how the S1SP presents itself to a device that it owns."""
        like = self.site.credentials(device_type)
        return self.office.s1sp.credentials(like, self.site.eui64(device_type))

    def ordered(self, device_type: DeviceType) -> Credentials:
        """Return how the SMSO presents itself with the keys it was ordered to put on a device.

        Under its own system title: counters go with key and title, and the S1SP's are its own.
        """
        return replace(self.s1sp(device_type), name=SMSO, title=self.smso(device_type).title)

    def door(self, device_type: DeviceType, party: str) -> Door:
        """Return a party's way to a device."""
        kept = self.office.s1sp.sessions.of(self.site.eui64(device_type))
        return Door(
            self.site.port(device_type, party),
            self.office.clock,
            kept if party == S1SP else NOTHING_KEPT,
        )

    def conveyed(self, device_type: DeviceType) -> Credentials | None:
        """Return how the S1SP opens a device with the SMSO's keys; None: it was not given them."""
        like = self.site.credentials(device_type)
        return self.office.s1sp.conveyed_credentials(like, self.site.eui64(device_type))

    # -- over the SMSO's network ---------------------------------------------------------------

    async def rotate(self, device_type: DeviceType) -> Change:
        """Let the SMSO put the S1SP's keys on a device (H2)."""
        device = self.site.eui64(device_type)
        if self.office.smso.ordered(device) is None:
            self._order(device)
        ordered = self.office.smso.ordered(device)
        if ordered is None:
            return Change(Changed.NOT_COUNTERSIGNED, "the S1SP ordered no keys")
        wrapped = self.office.smso.wrap(device, ordered)
        given = Arguments(wrapped=wrapped)
        return await self._by_smso(
            device_type, ROTATE, given, self.smso(device_type), self.ordered(device_type)
        )

    async def take_back(self, device_type: DeviceType) -> Change:
        """Let the SMSO undo its own rotation, with the SIM still on its network."""
        device = self.site.eui64(device_type)
        own = self.office.smso.own(device)
        if own is None:
            return Change(Changed.NOT_COUNTERSIGNED, "the SMSO has no keys of it")
        given = Arguments(wrapped=self.office.smso.wrap(device, own))
        return await self._by_smso(
            device_type, RESTORE, given, self.ordered(device_type), self.smso(device_type)
        )

    async def _by_smso(
        self,
        device_type: DeviceType,
        service: str,
        given: Arguments,
        old: Credentials,
        new: Credentials,
    ) -> Change:
        sessions, device = Sessions(), self.site.eui64(device_type)
        door = replace(self.door(device_type, SMSO), kept=sessions.of(device))
        equivalent = self._equivalent(device_type, service)
        head_end = HeadEnd(door.port, self.office.clock, lambda _client: old, door.kept)

        async def transfer() -> Account:
            account = await head_end.carry_out(equivalent, given)
            self._note(SMSO, device, equivalent, given, account)
            return account

        known = given.wrapped is not None
        sessions.begin()
        change = await KeyChange(door, old, new, transfer if known else None).carry_out()
        await sessions.end()
        return change

    # -- over the S1SP's network ---------------------------------------------------------------

    async def secure(self, device_type: DeviceType) -> Change:
        """Let the S1SP take a device over with the keys the files conveyed."""
        device = self.site.eui64(device_type)
        conveyed = self.conveyed(device_type)
        if conveyed is None:
            return Change(Changed.NOT_COUNTERSIGNED, "the files conveyed no keys of it")
        wrapped = self.office.dco.wrap(device, self.office.s1sp.new_keys(device))
        return await self._by_s1sp(
            device_type, ROTATE, Arguments(wrapped=wrapped), conveyed, self.s1sp(device_type)
        )

    async def restore(self, device_type: DeviceType) -> Change:
        """Let the S1SP put the SMSO's keys back on a device (R1)."""
        device = self.site.eui64(device_type)
        if self.office.s1sp.conveyed_keys(device) is None:
            self._send_back(device)
        keys = self.office.s1sp.conveyed_keys(device)
        conveyed = self.conveyed(device_type)
        if keys is None or conveyed is None:
            return Change(Changed.NOT_COUNTERSIGNED, "nobody gave the S1SP the SMSO's keys")
        wrapped = self.office.dco.wrap(device, keys)
        return await self._by_s1sp(
            device_type, RESTORE, Arguments(wrapped=wrapped), self.s1sp(device_type), conveyed
        )

    async def _by_s1sp(
        self,
        device_type: DeviceType,
        service: str,
        given: Arguments,
        old: Credentials,
        new: Credentials,
    ) -> Change:
        door = self.door(device_type, S1SP)
        device = self.site.eui64(device_type)
        equivalent = self._equivalent(device_type, service)
        errand = Errand(device, door.port, self.office.clock, equivalent, old, given, alone=True)

        async def transfer() -> Account | GateRefusal:
            return await self.office.s1sp.carry_out(errand)

        known = given.wrapped is not None
        return await KeyChange(door, old, new, transfer if known else None).carry_out()

    # -- letters -------------------------------------------------------------------------------

    def _order(self, device: Eui64) -> None:
        """Send the SMSO the S1SP's keys for a device, sealed."""
        group = self.office.cohort.cohort.group_id
        keys = secrets(device, self.office.s1sp.new_keys(device))
        draw = self.office.chance.stream("s1sp/envelopes").octets
        letter = seal_secrets(keys, self.office.point(Role.SMSO), group, draw)
        said = f"keys to put on {device}, sealed"
        self.office.post.hand_over(S1SP, SMSO, smso_party.ORDER, letter, said)
        self.office.smso.accept(letter, group, device)

    def _send_back(self, device: Eui64) -> None:
        """Let the SMSO send its keys of a device to those who are to restore them."""
        office, group = self.office, self.office.cohort.cohort.group_id
        letters = office.smso.send_keys_back(device, group, points(office))
        takers = {
            "S1SP": (Role.S1SP, office.s1sp.take_secrets),
            "S1SPDP": (Role.S1SPDP, office.s1spdp.take_secrets),
            "DCO": (Role.DCO, office.dco.take_secrets),
        }
        for name, letter in letters.items():
            role, take = takers[name]
            take(open_secrets(letter, scalar_of(office, role), group, device))

    def _equivalent(self, device_type: DeviceType, service: str) -> Equivalent:
        return self.office.equivalent(self.site.model(device_type), device_type, service)

    def _note(
        self, party: str, device: Eui64, equivalent: Equivalent, given: Arguments, account: Account
    ) -> None:
        octets = Instruction.of(device, equivalent, given).octets()
        said = f"{equivalent.service}: {account.done}"
        self.office.post.hand_over(party, str(device), s1sp_party.DLMS, octets, said)
