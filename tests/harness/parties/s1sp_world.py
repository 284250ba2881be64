"""An S1SP's desk with real keys, gate and DCO, in front of a scripted meter."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from device_profiles.cohort import load_cohort
from device_profiles.dmves import load_dmves
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.smets1_services import load_smets1_services
from device_profiles.words import CspRegion, DeviceStatus, DeviceType, SmetsVersion
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_keys import SecurityKeys
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.signing import Signatories
from harness.formats.migration_files.parties import TEST_PARTIES, Role, identity_of, role_keys
from harness.formats.migration_files.signing import xml_key
from harness.meter import ActionAnswer, Association, Credentials, GetAnswer, SetAnswer
from harness.parties.acb import Acb
from harness.parties.dco import MASTER, Dco
from harness.parties.dsp import Dsp
from harness.parties.import_supplier import ImportSupplier
from harness.parties.post import Post
from harness.parties.s1sp import Errand, S1sp
from harness.parties.s1sp_desk import S1spDesk
from harness.parties.s1sp_desk_records import CRITICAL_SUPPLIER, DeskRecord
from harness.parties.s1sp_desk_trust import DeskTrust
from harness.parties.s1sp_gate import Gate, critical_services
from harness.parties.s1spdp import S1spdp
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import UserRole
from harness.smets1.arguments import Arguments
from tests.harness.parties.party_world import CPL, FixedClock

AT = UtcMs(1_614_556_800_000)
EIS = Eui64.parse("02-53-42-00-00-01-00-00")
GIS = Eui64.parse("02-53-42-00-00-03-00-00")
NEW = Eui64.parse("02-53-42-00-00-05-00-00")
NO = Eui64.parse("02-53-42-00-00-02-00-00")
CHF = Eui64.parse("02-53-02-00-00-00-00-31")
ESME = Eui64.parse("02-53-01-00-00-00-00-31")
GSME = Eui64.parse("02-53-00-00-00-00-00-31")
PPMID = Eui64.parse("02-53-05-00-00-00-00-31")
S1SP = TEST_PARTIES[Role.S1SP]
DSP = TEST_PARTIES[Role.DSP]
CP = TEST_PARTIES[Role.COMMISSIONING_PARTY]
NAME = "DXC"
MODELS = {
    CHF: (DeviceType.CHF, "demo-s1-chf"),
    ESME: (DeviceType.ESME, "demo-s1-esme"),
    GSME: (DeviceType.GSME, "demo-s1-gsme"),
    PPMID: (DeviceType.PPMID, "demo-s1-ppmid"),
}
MPXN = {ESME: "9900000000024", GSME: "9900000002"}
DMVES = load_dmves()
SERVICES = load_smets1_services()


@cache
def keys() -> KeyStore:
    draw = Chance(9).stream("desk keys").octets
    return role_keys(draw, UtcMs(AT - 1), suppliers=[EIS, GIS, NEW], network_operators=[NO])


@cache
def certificates() -> dict[Eui64, bytes]:
    found = (one for one in keys().entries() if one.usage is KeyUsage.XML)
    return {one.eui64: one.certificate for one in found if one.certificate is not None}


def signing_key(party: Eui64) -> Any:
    entry = keys().find(party, KeyUsage.XML)
    assert entry is not None
    return xml_key(entry)


def run(story: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(story)


class ScriptedMeter:
    """A meter's port that answers what the script says and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.mute = False
        self.refuses = False

    async def associate(self, credentials: Credentials) -> Association:
        self.asked.append(f"associate {credentials.name}")
        return Association(not self.mute, why="nothing came" if self.mute else "")

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        self.asked.append("get")
        _ = attributes
        return (Data(Tag.INT32, 12_345),)

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        self.asked.append("set")
        _ = writes
        refused = DataAccessResult.READ_WRITE_DENIED
        return (refused if self.refuses else DataAccessResult.SUCCESS,)

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        self.asked.append("action")
        _ = method, parameters
        result = ActionResult.READ_WRITE_DENIED if self.refuses else ActionResult.SUCCESS
        return MethodOutcome(result)

    async def release(self) -> None:
        self.asked.append("release")


class World:
    """DSP, S1SP with desk, gate and DCO, and the users, around one scripted meter."""

    def __init__(self, cohort: str = "EA", *, dco_knows: bool = True) -> None:
        self.clock = FixedClock()
        self.clock.at = AT
        self.post = Post(self.clock)
        self.meter = ScriptedMeter()
        signing = keys().find(TEST_PARTIES[Role.DCO], KeyUsage.DS)
        assert signing is not None
        assert signing.private_scalar is not None
        self.dco = Dco(TEST_PARTIES[Role.DCO], signing.private_scalar, self.post)
        if dco_knows:
            for device in MODELS:
                self.dco.ring.put(device, MASTER, bytes(16))
        self.gate = Gate(critical_services(), TEST_PARTIES[Role.DCO], keys().public(), {})
        chance = Chance(9)
        s1spdp = S1spdp(chance)
        self.s1sp = S1sp(S1SP, chance, self.gate, s1spdp, self.dco, self.post)
        trust = DeskTrust(
            signing_key(S1SP), DSP, CP, certificates(), keys().public(), authorities=()
        )
        ppmid = load_cohort(cohort).ppmid
        self.desk = S1spDesk(self.s1sp, self, SERVICES, trust, self.clock, ppmid)
        self.desk.enrol(DeskRecord(one, kind, CHF) for one, (kind, _model) in MODELS.items())
        self.dsp = self._dsp()
        self.eis = self._user(EIS, UserRole.IMPORT_SUPPLIER, "EIS")
        self.gis = self._user(GIS, UserRole.GAS_SUPPLIER, "GIS")
        self.no = self._user(NO, UserRole.ELECTRICITY_DISTRIBUTOR, "NO")

    def _dsp(self) -> Dsp:
        dsp = Dsp(
            Acb(DSP, KeyRing(KeyStore())),
            Inventory(self._records()),
            CPL,
            self.post,
            xml_key=signing_key(DSP),
            signatories=Signatories(certificates(), AT),
        )
        dsp.connect({NAME: S1SP}, certificates=certificates())
        return dsp

    def _records(self) -> list[InventoryRecord]:
        history = ((AT, DeviceStatus.COMMISSIONED),)
        return [
            InventoryRecord(
                device=device,
                device_type=kind,
                status=DeviceStatus.COMMISSIONED,
                manufacturer="FFF1",
                model="01010100",
                firmware_version="10000001",
                smets=SmetsVersion.SMETS1,
                hub=CHF,
                supplier=GIS if kind is DeviceType.GSME else EIS,
                mpxn=MPXN.get(device, ""),
                csp_region=CspRegion.SMETS1,
                s1sp=NAME,
                history=history,
            )
            for device, (kind, _model) in MODELS.items()
        ]

    def _user(self, eui64: Eui64, role: UserRole, name: str) -> ImportSupplier:
        user = ImportSupplier(
            eui64,
            [role],
            self.post,
            dcc=DSP,
            s1sp=S1SP,
            name=name,
            xml_key=signing_key(eui64),
            signatories=Signatories(certificates(), AT),
        )
        self.dsp.register(user)
        return user

    def user(self, eui64: Eui64, role: UserRole, name: str) -> ImportSupplier:
        return self._user(eui64, role, name)

    # the way to devices

    def errand(self, device: Eui64, service: str, given: Arguments) -> Errand | None:
        kind, model = MODELS[device]
        equivalent = DMVES.find(model, kind, service)
        keyed = SecurityKeys(bytes(16), bytes(16), bytes(16))
        like = replace(Credentials("S1SP", 1), keys=keyed)
        return Errand(device, self.meter, self.clock, equivalent, like, given)  # type: ignore[arg-type]  # the script plays the part of the port that a head end uses

    def block_bytes(self, device: Eui64) -> int:
        return 0 if MODELS[device][0] is DeviceType.PPMID else 200

    def profile(self, device: Eui64) -> DeviceProfile | None:
        return load_profile(MODELS[device][1])

    def authentication_key(self, device: Eui64) -> bytes | None:
        return device.octets * 2

    # asking

    def notify(self, device: Eui64, party: Eui64) -> None:
        """Have a device's critical supplier be that party."""
        entry = keys().find(party, KeyUsage.DS)
        assert entry is not None
        assert entry.certificate is not None
        self.desk.records[device].notified[CRITICAL_SUPPLIER] = identity_of(entry.certificate)

    async def ask(
        self, user: ImportSupplier, body: RequestBody, device: Eui64 | None = None
    ) -> tuple[str, Any]:
        """Return the DSP's code and what the S1SP answered."""
        asked = user.ask(body, device)
        answer = self.dsp.submit(user.send(asked), user.eui64)
        got = user.take(answer)
        await self.dsp.relay(self.desk)
        return got.code, user.answer_to(asked.request_id)

    def queued(self, user: ImportSupplier, body: RequestBody, device: Eui64) -> bytes:
        """Return the countersigned request that waits after a user asked; nothing is relayed."""
        asked = user.ask(body, device)
        self.dsp.submit(user.send(asked), user.eui64)
        work = self.dsp.to_s1sps.pop()
        return work.document


def signed_request(user: Eui64, body: RequestBody, device: Eui64, counter: int) -> bytes:
    """Return a request as a user signs it."""
    return write_request(request(body, RequestId(user, device, counter)), signing_key(user))
