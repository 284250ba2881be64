"""The DSP's way to S1SPs: requests for SMETS1 devices go out countersigned, answers come back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from device_profiles.smets1_services import Smets1Service, Taker, load_smets1_services
from device_profiles.words import Connectivity, CspRegion, DeviceType, SmetsVersion
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.ids import Eui64
from harness.formats.duis import countersigned, s1sp_alert, smets1_response
from harness.formats.duis.alerts import S1spAlertPassed, Smets1ChFirmwareNotification
from harness.formats.duis.countersigned import Countersigned
from harness.formats.duis.faults import DuisError
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.responses import ACKNOWLEDGED, Smets1ResponseMessage
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.signing import Signatories
from harness.formats.duis.smets1_contents import DeviceAlert, Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.parties import dsp_smets1_firmware as firmware
from harness.parties import dsp_smets1_inventory
from harness.parties.dsp_association import Associations
from harness.parties.dsp_s1sps import FromS1sp, S1spDoor
from harness.parties.dsp_work import PassOn
from harness.parties.post import DUIS
from harness.parties.transform import THROUGH_ACB
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import InventoryRecord
from harness.rules.roles import SUPPLIERS, Actor, UserRole, coordinator
from harness.rules.smets1_roles import Route, objection_to, route_of

_READ_VERSION: Final = "11.2"
_ACTIVATE: Final = "11.3"
#: Alerts with which a device tells what became of an image.
_RECEIPTS: Final = frozenset({AlertCode.FIRMWARE_VERIFIED, AlertCode.FIRMWARE_VERIFICATION_FAILED})
#: Roles of users that a meter of that type knows itself. Source: GBCS remote party roles.
_KNOWN: Final = {
    DeviceType.ESME: SUPPLIERS | {UserRole.ELECTRICITY_DISTRIBUTOR},
    DeviceType.GSME: SUPPLIERS | {UserRole.GAS_TRANSPORTER},
}


class Smets1Desk(Associations):
    """Countersigns requests for SMETS1 devices and brings home what S1SPs answer.

    Attributes:
        s1sps: Name of each S1SP in the inventory -> its identifier.
        to_s1sps: Countersigned requests that are still to go out, in order.
        supplies: Meter point -> its registered supplier.
        coin: What it makes of an update about which the documents are silent (F-100).
    """

    coin: bool = True

    def connect(
        self,
        s1sps: Mapping[str, Eui64],
        *,
        services: Mapping[str, Smets1Service] | None = None,
        certificates: Mapping[Eui64, bytes] | None = None,
    ) -> None:
        """Make S1SPs known.

        Args:
            s1sps: Name -> identifier.
            services: The table of services; None for the shipped one.
            certificates: XML-signing certificates of S1SPs; with them their signatures must hold.
        """
        self.s1sps.update(s1sps)
        self._services = services or load_smets1_services()
        self._s1sp_certificates = dict(certificates or {})

    def register_supply(self, mpxn: str, supplier: Eui64) -> None:
        """Note who is registered for a meter point, from now on (a change of supplier too)."""
        self.supplies[mpxn] = supplier
        record = self.inventory.of_mpxn(mpxn)
        if record is not None:
            dsp_smets1_inventory.give_supplier(self.inventory, record, supplier)

    def assign(self, hub: Eui64, s1sp: str, *, region: CspRegion, coordinated: bool = True) -> None:
        """Note which S1SP serves a SMETS1 hub, as the Commissioning Party tells it.

        Args:
            hub: The CHF, which is in the inventory.
            s1sp: Name of the S1SP.
            region: Region it is listed under.
            coordinated: Whether the electricity import supplier coordinates its firmware.

        Raises:
            ValueError: The hub is not in the inventory, or no SMETS1 one.
        """
        record = self.inventory.find(hub)
        if record is None:
            raise ValueError(f"{hub} is not in the inventory")
        self.inventory.put(
            replace(
                record,
                s1sp=s1sp,
                csp_region=region,
                connectivity=Connectivity.CELLULAR,
                coordinated=coordinated,
            )
        )

    # --- outward ----------------------------------------------------------------------------

    def goes_to_s1sp(self, asked: ServiceRequest) -> InventoryRecord | None:
        """Return the device of a request that an S1SP carries out, or None."""
        record = self.inventory.find(asked.request_id.target)
        row = self._services.get(asked.header.variant)
        if record is None or route_of(record) is not Route.S1SP or not self.s1sps:
            return None
        return record if row is None or row.taker is Taker.S1SP else None

    def pass_on(
        self, asked: ServiceRequest, actor: Actor, record: InventoryRecord, document: bytes
    ) -> Objection | bytes:
        """Check a request for a SMETS1 device, countersign it and acknowledge it."""
        row = self._services.get(asked.header.variant)
        if row is None:
            return Objection(Category.NOT_APPLICABLE, f"{asked.header.variant}: no SMETS1 service")
        objection = (
            self.not_announced(asked.body)
            or objection_to(row, actor, record, self.inventory)
            or self.placed_elsewhere(asked)
            or self.not_its_updater(asked, actor, record)
        )
        if objection is not None:
            return objection
        s1sp = self.s1sps.get(self._s1sp_of(record))
        if s1sp is None:
            return Objection(Category.UNKNOWN_DEVICE, f"no S1SP serves {record.device}")
        if asked.request_id in self._passed_on:
            return Objection(Category.BAD_REQUEST, f"{asked.request_id} was passed on before")
        self._passed_on[asked.request_id] = None
        self._queue_for_s1sp(asked, actor, record, s1sp, document)
        return self.respond(asked, ACKNOWLEDGED)

    def not_its_updater(
        self, asked: ServiceRequest, actor: Actor, record: InventoryRecord
    ) -> Objection | None:
        """Say that a supplier activates what it may not update, or None (F-100)."""
        if asked.header.variant != _ACTIVATE:
            return None
        return firmware.updater_objection(actor, record, self.inventory, coin=self.coin)

    def pass_image(self, asked: ServiceRequest, hub: Eui64, document: bytes) -> bool:
        """Countersign an 11.1 request for the S1SP of a hub; False for a hub that has none."""
        record = self.inventory.find(hub)
        s1sp = None if record is None else self.s1sps.get(record.s1sp)
        if record is None or s1sp is None:
            return False
        identity = asked.request_id
        request = Countersigned(
            s1sp,
            hub,
            self.acb.eui64,
            self.acb.next_counter(),
            document,
            identity.originator,
            identity.counter,
        )
        octets = countersigned.write(request, self.own_key())
        summary = f"{asked.header.variant} for devices of hub {hub}, countersigned"
        self.to_s1sps.append(PassOn(s1sp, hub, octets, summary))
        return True

    def _s1sp_of(self, record: InventoryRecord) -> str:
        if record.s1sp:
            return record.s1sp
        hub = None if record.hub is None else self.inventory.find(record.hub)
        return "" if hub is None else hub.s1sp

    def _queue_for_s1sp(
        self,
        asked: ServiceRequest,
        actor: Actor,
        record: InventoryRecord,
        s1sp: Eui64,
        document: bytes,
    ) -> None:
        known = _KNOWN.get(record.device_type, frozenset())
        identity = asked.request_id
        through_dcc = record.device_type in THROUGH_ACB or actor.roles.isdisjoint(known)
        originator = self.acb.eui64 if through_dcc else identity.originator
        counter = self.acb.next_counter() if through_dcc else identity.counter
        request = Countersigned(
            s1sp,
            record.device,
            originator,
            counter,
            document,
            identity.originator if through_dcc else None,
            identity.counter if through_dcc else None,
        )
        self._put_out(request, asked, record)

    def queue_own(self, asked: ServiceRequest, record: InventoryRecord, document: bytes) -> None:
        """Have an S1SP carry out what the DSP asks itself, in a schedule's place."""
        s1sp = self.s1sps.get(self._s1sp_of(record))
        if s1sp is not None:
            identity = asked.request_id
            own = Countersigned(
                s1sp, record.device, identity.originator, identity.counter, document
            )
            self._put_out(own, asked, record)

    def _put_out(
        self, request: Countersigned, asked: ServiceRequest, record: InventoryRecord
    ) -> None:
        octets = countersigned.write(request, self.own_key())
        self.asked_s1sps[request.device, request.originator, request.counter] = request.request
        summary = f"{asked.header.variant} for {record.device_type} {record.device}, countersigned"
        self.to_s1sps.append(PassOn(request.s1sp, record.device, octets, summary))

    async def relay(
        self, door: S1spDoor, at: Callable[[Eui64], bool] | None = None
    ) -> list[FromS1sp]:
        """Hand an S1SP what waits for it, in order; deliver what it answers.

        Args:
            door: The S1SP.
            at: Says of which devices, while others relay what is for the rest; None: of all.
        """
        done: list[FromS1sp] = []
        while (work := self._waiting_for(door.party, at)) is not None:
            self.post.hand_over(self.name, door.name, DUIS, work.document, work.summary)
            answers = await door.take(work.document)
            self.to_s1sps.remove(work)
            done += [self.take_from_s1sp(octets, door.party, door.name) for octets in answers]
        return done

    def _waiting_for(self, s1sp: Eui64, at: Callable[[Eui64], bool] | None) -> PassOn | None:
        waiting = (work for work in self.to_s1sps if work.s1sp == s1sp)
        return next((work for work in waiting if at is None or at(work.device)), None)

    # --- inward -----------------------------------------------------------------------------

    def take_from_s1sp(self, document: bytes, s1sp: Eui64, name: str = "S1SP") -> FromS1sp:
        """Deliver a signed response or alert of an S1SP, and note what it means."""
        signatories = None
        if self._s1sp_certificates:
            signatories = Signatories(self._s1sp_certificates, self.now)
        is_alert = b"<sr:S1SPAlert" in document[:64]
        try:
            value: Smets1Response | S1spAlert = (
                s1sp_alert.read_alert(document, signatories, s1sp)
                if is_alert
                else smets1_response.read_signed(document, signatories, s1sp)
            )
        except DuisError as error:
            self.post.hand_over(name, self.name, DUIS, document, f"refused: {error.name}")
            return FromS1sp("refused", None, detail=str(error))
        strange = self._not_its_to_tell(value, s1sp)
        if strange:
            self.post.hand_over(name, self.name, DUIS, document, f"refused: {strange}")
            return FromS1sp("refused", None, value, strange)
        if isinstance(value, S1spAlert):
            return self._s1sp_alert(document, value, name)
        return self._s1sp_answer(document, value, name)

    def _not_its_to_tell(self, value: Smets1Response | S1spAlert, s1sp: Eui64) -> str:
        """Say why an S1SP's word is not taken although its signature holds; empty: it is taken.

        An S1SP speaks of the devices it serves, and answers what was asked.
        """
        record = None if value.device is None else self.inventory.find(value.device)
        serves = None if record is None else self.s1sps.get(self._s1sp_of(record))
        if serves not in {None, s1sp}:
            return f"another S1SP serves {value.device}"
        if isinstance(value, S1spAlert) or isinstance(value.body, DeviceAlert):
            return ""
        waiting = self.asked_s1sps.get((value.device, value.target, value.counter))
        asked = None if waiting is None else read_request(waiting).header.variant
        return "" if asked in {None, value.variant} else f"{asked} was asked, not {value.variant}"

    def _s1sp_answer(self, document: bytes, value: Smets1Response, name: str) -> FromS1sp:
        if isinstance(value.body, DeviceAlert):
            return self._of_device(document, value, value.body, name)
        waiting = self.asked_s1sps.pop((value.device, value.target, value.counter), None)
        summary = f"{value.variant} response of {value.device}"
        self.post.hand_over(name, self.name, DUIS, document, summary)
        if waiting is None:
            return FromS1sp("unasked", None, value, f"nobody waits for {value.device}")
        asked = read_request(waiting)
        user, schedule = self.who_asked(asked.request_id)
        body = Smets1ResponseMessage(value.service, value.variant, document, schedule)
        response_id = RequestId(value.device, user, value.counter)
        request_id = asked.request_id if schedule is None else None
        self.deliver(user, body, summary, request_id, response_id)
        if value.body.success:
            self._note_success(asked, value, value.body)
        return FromS1sp("response", user, value, summary)

    def who_asked(self, request_id: RequestId) -> tuple[Eui64, int | None]:
        """Return who gets the answer to a request, and the schedule that asked in its place."""
        return request_id.originator, None

    def _of_device(
        self, document: bytes, value: Smets1Response, alert: DeviceAlert, name: str
    ) -> FromS1sp:
        """Deliver an alert of a device to its supplier; one about an image ends its transfer."""
        summary = f"alert of {value.device}: {alert.description}"
        self.post.hand_over(name, self.name, DUIS, document, summary)
        if alert.code in _RECEIPTS:
            self.transfers.pop(value.device, None)
        body = Smets1ResponseMessage(None, None, document)
        sent = self.deliver(value.target, body, summary)
        return FromS1sp("alert" if sent else "unasked", value.target, value, summary)

    def _s1sp_alert(self, document: bytes, value: S1spAlert, name: str) -> FromS1sp:
        self.post.hand_over(name, self.name, DUIS, document, f"alert {value.code}")
        users = self._concerned(value)
        self.raise_alert(users, S1spAlertPassed(document))
        if value.request_id is not None:
            self._end_transfers(value.request_id, value.device)
            self.asked_s1sps = {
                key: waiting
                for key, waiting in self.asked_s1sps.items()
                if read_request(waiting).request_id != value.request_id
            }
        return FromS1sp("alert", users[0] if users else None, value, value.code)

    def _end_transfers(self, request_id: RequestId, device: Eui64 | None) -> None:
        """Take notice that an image goes to no device that an alert is about: it or its hub's."""
        ended = []
        for target, transfer in [*self.transfers.items()]:
            record = self.inventory.find(target)
            hub = None if record is None else record.hub
            if transfer.request_id == request_id and device in {target, hub}:
                del self.transfers[target]
                ended.append(target)
        failure = firmware.not_distributed(request_id, ended, self.inventory)
        if failure is not None:
            self.raise_alert([request_id.originator], failure)

    def _concerned(self, value: S1spAlert) -> list[Eui64]:
        if value.request_id is not None:
            return [value.request_id.originator]
        record = None if value.device is None else self.inventory.find(value.device)
        return [] if record is None else [coordinator(record, self.inventory)]

    def _note_success(self, asked: ServiceRequest, value: Smets1Response, result: Result) -> None:
        dsp_smets1_inventory.note_success(
            self.inventory, asked, now=self.now, supplies=self.supplies
        )
        record = self.inventory.find(value.device)
        alert = dsp_smets1_inventory.credentials_alert(asked)
        if alert is not None and record is not None:
            self.raise_alert([record.supplier], alert)
        version = next((node.text for node in result.values if node.name == "FirmwareVersion"), "")
        if asked.header.variant == _READ_VERSION and record is not None and version:
            self.note_version(record, version)
        if asked.header.variant == _ACTIVATE and record is not None and version:
            self.tell_of_hub(firmware.activated(self.inventory, record, version))

    def tell_of_hub(self, notice: Smets1ChFirmwareNotification | None) -> None:
        """Tell every supplier of a home what becomes of its hub's firmware; None: nothing does."""
        if notice is not None:
            self.raise_alert(self.inventory.suppliers_of(notice.device), notice)

    def keeps_version(self, record: InventoryRecord, version: str) -> bool:
        """Say whether the inventory keeps its version against what a device answers.

        Source:
            S003 §2 (the SMETS1 entry of a bilingual PPMID does not show what it executes;
            18.64(c)): inferred that the inventory goes on naming that entry.
        """
        of_smets1 = record.smets is SmetsVersion.SMETS1
        return of_smets1 and not firmware.is_listed(self.cpl, record, version)

    # --- memory -----------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory; users, keys and tables come from the scenario again."""
        return {
            **super().dump(),
            "s1sps": {name: str(party) for name, party in self.s1sps.items()},
            "to_s1sps": [work.dump() for work in self.to_s1sps],
            "supplies": {mpxn: str(user) for mpxn, user in self.supplies.items()},
            "passed_on": [str(one) for one in self._passed_on],
            "asked_s1sps": [
                [str(device), str(party), counter, waiting.hex()]
                for (device, party, counter), waiting in self.asked_s1sps.items()
            ],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        super().load(state)
        self.s1sps = {name: Eui64.parse(text) for name, text in state["s1sps"].items()}
        self.to_s1sps = [PassOn.restore(one) for one in state["to_s1sps"]]
        self.supplies = {mpxn: Eui64.parse(text) for mpxn, text in state["supplies"].items()}
        self._passed_on = {RequestId.parse(text): None for text in state["passed_on"]}
        self.asked_s1sps = {
            (Eui64.parse(device), Eui64.parse(party), counter): bytes.fromhex(waiting)
            for device, party, counter, waiting in state["asked_s1sps"]
        }
