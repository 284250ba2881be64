"""The S1SP's desk: countersigned requests in, instructions to devices, signed answers out."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from device_profiles.cohort import CohortMetadata, CohortPpmid
from device_profiles.dmves import Support
from device_profiles.metadata_layout import MetadataMode
from device_profiles.smets1_services import Smets1Service
from device_profiles.words import DeviceType
from emulator.codecs.dlms.hub_alert import HubAlert
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.top_up_code import TopUp
from harness.formats.duis import countersigned, s1sp_alert, smets1_response
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.bodies import ActivateFirmware, UpdateFirmware, UpdatePpmidFirmware
from harness.formats.duis.countersigned import Countersigned
from harness.formats.duis.faults import DuisError
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.signing import Signatories
from harness.formats.duis.smets1_contents import DeviceAlert, Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.parties import s1sp_desk_answers as answers
from harness.parties import s1sp_desk_credentials as credentials
from harness.parties import s1sp_desk_firmware as firmware
from harness.parties import smets1_top_up
from harness.parties.s1sp import Errand, S1sp
from harness.parties.s1sp_desk_arguments import arguments_of, refusal_of, steps_name
from harness.parties.s1sp_desk_credentials import Holders
from harness.parties.s1sp_desk_faults import GATE, INNER, OUTER, UNTOLD, DeskError, DeskFault
from harness.parties.s1sp_desk_records import DeskRecord, answerable
from harness.parties.s1sp_desk_trust import DeskTrust
from harness.parties.s1sp_gate import GateRefusal
from harness.parties.s1sp_image_desk import ImageDesk
from harness.parties.s1sp_image_settings import ImageSettings, load_image_settings
from harness.parties.s1sp_image_way import ImageWay, is_silent
from harness.parties.s1sp_reach import Reach
from harness.ports import Clock
from harness.rules.migration_certificates import CertificateId
from harness.smets1.arguments import Arguments
from harness.smets1.steps import Account, Done

#: Seconds between two looks at the hub's log for a device that is to join. Source: invented.
_LOOK_S: Final = 30


class S1spDesk:
    """Verifies, keeps the counters, has the S1SP act, answers.

    Args:
        s1sp: The S1SP with its gate and head end.
        reach: The way to devices.
        services: The table of services.
        trust: Whom it believes.
        clock: The present moment.
        ppmid: What the cohort makes of PPMIDs.
        metadata: Where the cohort's hubs find metadata; None: inside images, always.
        patience: How long it waits for what becomes of images; None: as the table says.
        coordinated: Whether the electricity supplier answers for hubs and PPMIDs.

    Attributes:
        records: What it keeps of each device.
        refused: Every request not carried out: code and sentence, in order.
        images: Its desk for images.
        make_rules: What its cohort makes of PPMIDs.
    """

    #: Who brings images to devices.
    image_desk: ClassVar[type[ImageDesk]] = ImageDesk
    #: Seconds that a device may take to join. Source: invented (an hour is what 8.11 allows).
    join_patience_s: ClassVar[int] = 3600

    def __init__(  # noqa: PLR0913, PLR0917 - a party, its way out, two tables, trust and time
        self,
        s1sp: S1sp,
        reach: Reach,
        services: Mapping[str, Smets1Service],
        trust: DeskTrust,
        clock: Clock,
        ppmid: CohortPpmid,
        *,
        metadata: CohortMetadata | None = None,
        patience: ImageSettings | None = None,
        coordinated: bool = True,
    ) -> None:
        self.party = s1sp.party
        self.name = s1sp.name
        self.records: dict[Eui64, DeskRecord] = {}
        self.refused: list[tuple[DeskFault, str]] = []
        self._s1sp = s1sp
        self._reach = reach
        self._services = services
        self._trust = trust
        self._clock = clock
        self._coordinated = coordinated
        self.make_rules = firmware.MakeRules(ppmid)
        self._holders = Holders(trust.store)
        way = ImageWay(s1sp, reach, clock, patience or load_image_settings())
        mode = metadata or CohortMetadata(mode=MetadataMode.TACTICAL)
        self.images = self.image_desk(way, self.make_rules, mode, trust.store)

    def enrol(self, records: Iterable[DeskRecord]) -> None:
        """Take devices up; those it has stay as they are."""
        for record in records:
            self.records.setdefault(record.device, record)

    def party_of(self, identity: CertificateId) -> Eui64 | None:
        """Return whose certificate a Certificate ID names; None for one nobody knows."""
        return self._holders.party(identity)

    async def take(self, document: bytes) -> tuple[bytes, ...]:
        """Take one countersigned request; returns what it answers, signed."""
        asked: Countersigned | None = None
        request: ServiceRequest | None = None
        try:
            asked = self._outer(document)
            request = self._inner(asked)
            if isinstance(request.body, UpdateFirmware):
                return await self._update(asked, request, request.body)
            body = await self._carry_out(asked, request)
        except DeskError as error:
            self.refused.append((error.fault, error.detail))
            return self._told(error, asked, request)
        response = Smets1Response(
            device=asked.device,
            target=asked.originator,
            counter=asked.counter,
            body=body,
            service=request.header.service,
            variant=request.header.variant,
            supplementary_party=asked.supplementary_party,
            supplementary_counter=asked.supplementary_counter,
            at=self._clock.now(),
        )
        return (smets1_response.write_signed(response, self._trust.key),)

    # -- believing ---------------------------------------------------------------------------

    def _signatories(self) -> Signatories:
        return Signatories(self._trust.xml, self._clock.now())

    def _outer(self, document: bytes) -> Countersigned:
        try:
            asked = countersigned.read(document, self._signatories(), self._trust.dsp)
        except DuisError as error:
            raise DeskError(OUTER.get(error.name, DeskFault.MALFORMED), str(error)) from error
        if asked.s1sp != self.party:
            raise DeskError(DeskFault.OTHER_S1SP, f"it is for {asked.s1sp}")
        return asked

    def _inner(self, asked: Countersigned) -> ServiceRequest:
        try:
            request = read_request(asked.request, self._signatories())
        except DuisError as error:
            fault = INNER.get(error.name, DeskFault.REQUEST_MALFORMED)
            raise DeskError(fault, str(error)) from error
        identity = request.request_id
        user = asked.supplementary_party or asked.originator
        counter = (
            asked.counter if asked.supplementary_party is None else asked.supplementary_counter
        )
        to_dcc = isinstance(request.body, UpdateFirmware)
        target = self._trust.dsp if to_dcc else asked.device
        if (identity.originator, identity.target, identity.counter) != (user, target, counter):
            raise DeskError(DeskFault.OTHER_REQUEST, f"the request inside is {identity}")
        return request

    # -- doing -------------------------------------------------------------------------------

    async def _carry_out(self, asked: Countersigned, request: ServiceRequest) -> Result:
        record = self.records.get(asked.device)
        if record is None:
            raise DeskError(DeskFault.UNKNOWN_DEVICE, f"{asked.device} is none of this S1SP's")
        if record.is_replay(asked.originator, asked.counter):
            raise DeskError(DeskFault.REPLAYED, f"a counter of {asked.originator} did not rise")
        # Used up although it may be refused below: repeated later, it must not be carried out then.
        record.executions[asked.originator] = asked.counter
        if (getattr(request.body, "execution_time", None) or 0) > self._clock.now():
            raise DeskError(DeskFault.FUTURE_DATED, f"{request.header.variant} for a later time")
        row = self._services.get(request.header.variant)
        if row is None:
            raise DeskError(DeskFault.NO_SUCH_SERVICE, f"{request.header.variant}")
        user = request.request_id.originator
        if user != self._trust.commissioning_party:
            self._check_asker(row, record, user)
        self._check_cos(record, request)
        wanted = credentials.replacement_of(request.body)
        if wanted is not None:
            return self._replace(record, request, row, wanted)
        return await self._at_device(record, request, row)

    async def _update(
        self, asked: Countersigned, request: ServiceRequest, body: UpdateFirmware
    ) -> tuple[bytes, ...]:
        """Bring an image to every device of a hub that the request names; each tells the outcome.

        Devices behind other hubs are left alone: a request is countersigned for each hub.

        Source:
            S003 §3 (an image goes to the hub first, then to the target).
        """
        hub = self.records.get(asked.device)
        if hub is None:
            raise DeskError(DeskFault.UNKNOWN_DEVICE, f"{asked.device} is none of this S1SP's")
        if hub.is_replay(asked.originator, asked.counter):
            raise DeskError(DeskFault.REPLAYED, f"a counter of {asked.originator} did not rise")
        if isinstance(body, UpdatePpmidFirmware) or request.header.variant not in self._services:
            raise DeskError(DeskFault.NO_SUCH_SERVICE, f"{request.header.variant}")
        hub.executions[asked.originator] = asked.counter
        user = request.request_id.originator
        known = [self.records[one] for one in dict.fromkeys(body.devices) if one in self.records]
        here = [record for record in known if record.hub == asked.device]
        if not here:
            fault = DeskFault.OTHER_HUB if known else DeskFault.UNKNOWN_DEVICE
            raise DeskError(fault, f"no device of the list stands behind {asked.device}")
        told = [await self._update_one(record, request, body, user) for record in here]
        return tuple(one for one in told if one is not None)

    async def _update_one(
        self, record: DeskRecord, request: ServiceRequest, body: UpdateFirmware, user: Eui64
    ) -> bytes | None:
        row = self._services[request.header.variant]
        try:
            self._check_asker(row, record, user)
            receipt = await self.images.update(record, body, user)
        except DeskError as error:
            self.refused.append((error.fault, error.detail))
            return self._alert(error, request, record.device)
        if receipt is None:
            return None
        says, told = receipt.says[:250], bytes.fromhex(receipt.image_hash)
        alert = DeviceAlert(int(receipt.code), says, self._clock.now(), told)
        response = Smets1Response(record.device, user, request.request_id.counter, alert)
        return smets1_response.write_signed(response, self._trust.key)

    def _check_asker(self, row: Smets1Service, record: DeskRecord, user: Eui64) -> None:
        """Refuse a user whose certificate is not notified for a device."""
        mine = None if self._coordinated else lambda one: self._holders.party(one) == user
        holder = answerable(self.records, record, mine)
        credentials.check_notified(row, holder, user, self._holders)

    def _check_cos(self, record: DeskRecord, request: ServiceRequest) -> None:
        if not isinstance(request.body, bodies.UpdateCredentialsCos):
            return
        if request.request_id.counter <= record.cos_execution:
            raise DeskError(DeskFault.COS_REPLAYED, "the counter of the change did not rise")
        record.cos_execution = request.request_id.counter

    def _replace(
        self,
        record: DeskRecord,
        request: ServiceRequest,
        row: Smets1Service,
        wanted: credentials.Replacement,
    ) -> Result:
        user = request.request_id.originator
        basis = credentials.Basis(user, self._trust.authorities, self._clock.now())
        why = credentials.replace_notified(record, wanted, self._holders, basis)
        return credentials.outcome(row.answer, user, why)

    async def _at_device(
        self, record: DeskRecord, request: ServiceRequest, row: Smets1Service
    ) -> Result:
        body = request.body
        if isinstance(body, ActivateFirmware):
            return await self.images.activate(record, row.answer, body)
        if row.service == "11.2" and self.make_rules.bars_reading(record):
            return answers.failed(row.answer, firmware.OTHER_MAKE, record.device_type)
        why = refusal_of(body)
        if why:
            return answers.failed(row.answer, why, record.device_type)
        added = None
        if isinstance(body, bodies.UpdateHanDeviceLog):
            found = self.records.get(body.device)
            added = DeviceType.PPMID if found is None else found.device_type
        given = arguments_of(body, added)
        code = ""
        if isinstance(body, bodies.TopUpDevice):
            code = self._code(record, request, body)
            given = Arguments(token=code)
        errand = self._reach.errand(record.device, steps_name(row.service, body), given)
        if errand is None:
            raise DeskError(DeskFault.UNKNOWN_DEVICE, f"there is no way to {record.device}")
        if errand.equivalent.support is Support.NOT_SUPPORTED:
            return answers.failed(row.answer, errand.equivalent.says, record.device_type)
        account = await self._acted(errand)
        self._check_delivery(record, request, account, code)
        return await self._result(record, request, row, account)

    async def _acted(self, errand: Errand) -> Account:
        account = await self._s1sp.carry_out(errand)
        if isinstance(account, GateRefusal):
            raise DeskError(GATE[account], f"the gate let {errand.equivalent.service} not pass")
        return account

    def _check_delivery(
        self, record: DeskRecord, request: ServiceRequest, account: Account, code: str
    ) -> None:
        if not is_silent(account):
            return
        if code:
            raise DeskError(DeskFault.NOT_DELIVERED, account.says, code)
        detail = f"{request.header.variant} at {record.device}: {account.says}"
        raise DeskError(DeskFault.SILENT, detail)

    async def _result(
        self, record: DeskRecord, request: ServiceRequest, row: Smets1Service, account: Account
    ) -> Result:
        body = request.body
        if isinstance(body, bodies.JoinNonCritical) and record.device_type is DeviceType.PPMID:
            return await self._joined(record, request, row, account)
        security = isinstance(body, bodies.ReadEventOrSecurityLog) and (
            body.log in {bodies.LogName.SECURITY, bodies.LogName.GSME_SECURITY}
        )
        if row.service == "11.2" and record.device_type is DeviceType.PPMID:
            return firmware.ppmid_version(self.make_rules, record, row.answer, account)
        result = answers.result_of(row.answer, account, record.device_type, security=security)
        if row.service == "11.2":
            result = firmware.as_told(self.make_rules, record, result)
        answers.note_log(record, body, account)
        return result

    # -- PPMIDs and hubs ---------------------------------------------------------------------

    async def _joined(
        self, record: DeskRecord, request: ServiceRequest, row: Smets1Service, account: Account
    ) -> Result:
        """Look into the hub's log until the device has joined, or its time is over."""
        until = UtcMs(self._clock.now() + self.join_patience_s * 1000)
        while account.done is Done.DONE:
            found = answers.row_of(account, record.device)
            if found is not None and found.joined:
                return answers.result_of(row.answer, account, record.device_type)
            if found is None or self._clock.now() >= until:
                break
            await self._clock.sleep_until(UtcMs(self._clock.now() + _LOOK_S * 1000))
            given = arguments_of(request.body)
            errand = self._reach.errand(record.device, row.service, given)
            if errand is None:
                break
            account = await self._acted(errand)
        return answers.failed(row.answer, "it has not joined", record.device_type)

    def _code(self, record: DeskRecord, request: ServiceRequest, body: bodies.TopUpDevice) -> str:
        """Return the device's own code for what a supplier ordered."""
        wanted = smets1_top_up.read_order(body.utrn, request.request_id.originator, record.device)
        key = self._reach.authentication_key(record.device)
        if wanted is None or key is None:
            raise DeskError(DeskFault.BAD_UTRN, "the UTRN is none of this user and device")
        number = record.number_of(request.request_id.originator, wanted)
        return smets1_top_up.device_code(key, record.device, TopUp(wanted.pence, number))

    # -- telling -----------------------------------------------------------------------------

    def _told(
        self, error: DeskError, asked: Countersigned | None, request: ServiceRequest | None
    ) -> tuple[bytes, ...]:
        if error.fault in UNTOLD or asked is None or request is None:
            return ()
        return (self._alert(error, request, asked.device),)

    def _alert(self, error: DeskError, request: ServiceRequest, device: Eui64) -> bytes:
        raised = S1spAlert(
            code=error.fault.value,
            at=self._clock.now(),
            request_id=request.request_id,
            device=device,
            information=error.detail[:500],
            utrn=error.utrn or None,
        )
        return s1sp_alert.write_alert(raised, self._trust.key)

    def tell_of_trouble(self, alert: HubAlert, at: UtcMs) -> bytes | None:
        """Return the S1SP's alert for what a hub told unasked; None for a hub of no home of its."""
        if alert.hub not in self.records:
            return None
        raised = S1spAlert(
            code=DeskFault.HUB_TROUBLE.value,
            at=at,
            device=alert.hub,
            information=f"event {alert.event} of the hub, number {alert.number}",
        )
        return s1sp_alert.write_alert(raised, self._trust.key)

    # -- memory ------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values."""
        return {
            "records": [one.dump() for one in self.records.values()],
            "refused": [[str(fault), detail] for fault, detail in self.refused],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        found = [DeskRecord.restore(one) for one in state["records"]]
        self.records = {one.device: one for one in found}
        self.refused = [(DeskFault(fault), detail) for fault, detail in state["refused"]]
