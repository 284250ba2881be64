"""The DSP's desk for service requests: read, authorise, check, transform, acknowledge."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import ClassVar, Final

from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Envelope
from emulator.codecs.ota_file import ImageError, OtaImage
from emulator.core.clock import UtcMs, to_datetime
from emulator.core.errors import KeyNotHeldError, MalformedFrameError
from emulator.core.ids import Eui64
from harness.formats.duis import bodies
from harness.formats.duis.alerts import FirmwareUpgradeRequested
from harness.formats.duis.bodies import ServiceReference
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.requests import ServiceRequest, peek, read_request
from harness.formats.duis.responses import (
    ACKNOWLEDGED,
    SUCCESS,
    FirmwareWarning,
    PpmidFirmwareWarning,
    PreCommand,
)
from harness.formats.duis.transforms.outcome import Context, Refusal, Refused
from harness.formats.duis.transforms.transform import transform as to_pre_command
from harness.parties import dsp_inventory, dsp_smets1_firmware, known_devices, transform
from harness.parties.dsp_base import Decision
from harness.parties.dsp_smets1 import Smets1Desk
from harness.parties.dsp_work import Awaited, DistributeImage, SendCommand, Transfer
from harness.parties.post import GBCS
from harness.rules import firmware_checks
from harness.rules.firmware_checks import (
    Category,
    Check,
    Objection,
    Update,
    WarningList,
)
from harness.rules.inventory import InventoryRecord
from harness.rules.roles import Actor, may_ask

#: GBCS version named with a pre-command where the inventory holds none (DUIS 5.4 is aligned so).
GBCS_VERSION: Final = "4.3"
#: Name of the check that asks who may update.
_RESPONSIBLE: Final = "responsible"
#: Faults of a document -> category of the refusal; any other is a bad request.
_CATEGORIES: Final[Mapping[DuisFault, Category]] = {
    DuisFault.TOO_MANY_DEVICES: Category.BAD_LIST,
    DuisFault.BAD_DEVICE_LIST: Category.BAD_LIST,
    DuisFault.MISSING_SIGNATURE: Category.BAD_SIGNATURE,
    DuisFault.BAD_SIGNATURE: Category.BAD_SIGNATURE,
    DuisFault.IMAGE_TOO_LARGE: Category.BAD_IMAGE,
}

#: Why a request becomes no command -> category of the refusal.
_NO_COMMAND: Final[Mapping[Refusal, Category]] = {
    Refusal.MALFORMED: Category.BAD_REQUEST,
    Refusal.NOT_CRITICAL: Category.BAD_REQUEST,
    Refusal.NO_TRANSFORM: Category.NOT_APPLICABLE,
    Refusal.UNKNOWN_DEVICE: Category.UNKNOWN_DEVICE,
    Refusal.DEVICE_TYPE: Category.NOT_APPLICABLE,
    Refusal.MISSING_CERTIFICATE: Category.NOT_TRANSFORMED,
    Refusal.OUT_OF_RANGE: Category.BAD_REQUEST,
}

Answer = Objection | bytes


class RequestDesk(Smets1Desk):
    """Takes requests; what it accepts ends as a response and as work in the outbox."""

    #: Checks of each target of 11.1 and 11.4.
    checks: ClassVar[Mapping[str, Check]] = MappingProxyType(
        {**firmware_checks.CHECKS, _RESPONSIBLE: dsp_smets1_firmware.check_updater}
    )

    def submit(self, document: bytes, sender: Eui64) -> bytes:
        """Take one service request and return the response to it.

        Args:
            document: The request.
            sender: The service user it comes from, as the connection (or the bench) says.

        Raises:
            DuisError: Not even the header of the document can be read.
        """
        try:
            asked = self.read(document)
        except DuisError as error:
            header = peek(document)
            category = _CATEGORIES.get(error.name, Category.BAD_REQUEST)
            unread = ServiceRequest(header, bodies.ReadFirmwareVersion())
            return self._refuse(unread, Objection(category, str(error)))
        actor = self.actor(sender)
        answer = self._authorise(asked, actor) or self._handled(asked, actor, document)
        if isinstance(answer, Objection):
            return self._refuse(asked, answer)
        if not self.decisions or self.decisions[-1].request_id != asked.request_id:
            self.decisions.append(Decision(asked.request_id))
        return answer

    def _handled(self, asked: ServiceRequest, actor: Actor, document: bytes) -> Answer:
        """Pass a request for a SMETS1 device on to its S1SP; deal with any other one here."""
        self._document = document
        self.settle(asked)
        stray = self.stray(asked)
        if stray is not None:
            return stray
        record = self.goes_to_s1sp(asked)
        if record is not None:
            return self.pass_on(asked, actor, record, document)
        handle = self.HANDLERS.get(type(asked.body))
        return self.by_table(asked, actor) if handle is None else handle(self, asked, actor)

    def by_table(self, asked: ServiceRequest, actor: Actor) -> Answer:
        """Deal with a request that the table of services alone knows."""
        detail = f"{asked.header.variant} of {actor.eui64} is played on SMETS1 devices alone"
        return Objection(Category.NOT_APPLICABLE, detail)

    def may_ask(self, asked: ServiceRequest, actor: Actor) -> Objection | None:
        """Say that no role of a user allows a service, or None."""
        service = ServiceReference(asked.header.variant)
        if may_ask(actor, service):
            return None
        return firmware_checks.role_objection(actor, service)

    def read(self, document: bytes) -> ServiceRequest:
        """Read a request.

        Raises:
            DuisError: Named.
        """
        return read_request(document, self._signatories)

    def judge_update(
        self, update: Update, devices: tuple[Eui64, ...]
    ) -> "firmware_checks.UpdateVerdict":
        """Judge an 11.1 or 11.4 request."""
        checks = dict(self.checks)
        if checks.get(_RESPONSIBLE) is dsp_smets1_firmware.check_updater:
            checks[_RESPONSIBLE] = partial(dsp_smets1_firmware.check_updater, coin=self.coin)
        return firmware_checks.check_update(update, devices, checks)

    def judge_command(
        self, service: ServiceReference, actor: Actor, device: Eui64
    ) -> Objection | None:
        """Judge an 11.2 or 11.3 request."""
        return firmware_checks.check_command(service, actor, device, self.inventory)

    def transformed(self, asked: ServiceRequest) -> bytes | Refused:
        """Return the pre-command of a critical request, or why there is none."""
        made = to_pre_command(asked, self.known())
        return made if isinstance(made, Refused) else made.octets

    def known(self) -> Context:
        """Return what transforms are told: the inventory, certificates at hand, the time."""
        return known_devices.listed(self.inventory, self.acb.certificate_of, self.now)

    def busy_devices(self) -> frozenset[Eui64]:
        """Return the devices with an unfinished transfer."""
        return frozenset(self.transfers)

    # --- requests ---------------------------------------------------------------------------

    def _authorise(self, asked: ServiceRequest, actor: Actor) -> Objection | None:
        objection = self.may_ask(asked, actor)
        if objection is not None:
            return objection
        originator = asked.request_id.originator
        is_read = asked.header.variant == ServiceReference.READ_FIRMWARE_VERSION
        through_acb = is_read and originator == self.acb.eui64
        if originator != actor.eui64 and not through_acb:
            detail = f"{actor.eui64} sent a request of {originator}"
            return Objection(Category.BAD_REQUEST, detail)
        return None

    def _update(self, asked: ServiceRequest, actor: Actor) -> Answer:
        body = asked.body
        if not isinstance(body, bodies.UpdateFirmware):
            raise TypeError(type(body).__name__)
        is_ppmid = isinstance(body, bodies.UpdatePpmidFirmware)
        image = _opened(body.firmware_image, dsp_smets1_firmware.image_kind(body, self.inventory))
        if isinstance(image, Objection):
            return image
        version = body.firmware_version.upper().zfill(8)
        update = Update(
            service=ServiceReference(asked.header.service),
            actor=actor,
            version=version,
            image_hash=ota_file.manufacturer_image_hash(image),
            force_replace=image.force_replace == 1,
            inventory=self.inventory,
            cpl=self.cpl,
            in_progress=self.busy_devices(),
            day=to_datetime(self.now).date(),
        )
        verdict = self.judge_update(update, body.devices)
        left_out = tuple(verdict.objections.items())
        self.decisions.append(
            Decision(asked.request_id, verdict.refusal, left_out, verdict.warnings)
        )
        if verdict.refusal is not None:
            return verdict.refusal
        self._start_transfers(asked, body, verdict.targets)
        if not verdict.objections:
            return self.respond(asked, ACKNOWLEDGED)
        lists = {name.value: verdict.in_list(name) or None for name in WarningList}
        warning = PpmidFirmwareWarning(**lists) if is_ppmid else FirmwareWarning(**lists)
        return self.respond(asked, self.codes.warning(asked.header.service), warning)

    def _start_transfers(
        self, asked: ServiceRequest, body: bodies.UpdateFirmware, targets: tuple[Eui64, ...]
    ) -> None:
        by_hub: dict[Eui64, list[InventoryRecord]] = {}
        for target in targets:
            record = self.inventory.find(target)
            if record is not None and record.hub is not None:
                by_hub.setdefault(record.hub, []).append(record)
        for hub, records in by_hub.items():
            devices = tuple(record.device for record in records)
            if self.pass_image(asked, hub, self._document):
                self._tell_other_suppliers(asked, body.firmware_version, hub, records)
                self.tell_of_hub(
                    dsp_smets1_firmware.update_requested(hub, body.firmware_version, records)
                )
                continue
            work = DistributeImage(
                hub, asked.request_id, body.firmware_image, body.firmware_version, devices
            )
            self.outbox.append(work)
            self._tell_other_suppliers(asked, body.firmware_version, hub, records)
        for target in targets:
            self.transfers[target] = Transfer(asked.request_id, body.firmware_version)

    def _tell_other_suppliers(
        self, asked: ServiceRequest, version: str, hub: Eui64, records: list[InventoryRecord]
    ) -> None:
        """F-027: the other suppliers of the installation learn of a PPMID update."""
        devices = tuple(r.device for r in records if r.device_type is DeviceType.PPMID)
        asker = asked.request_id.originator
        others = [one for one in self.inventory.suppliers_of(hub) if one != asker]
        if devices and others:
            self.raise_alert(others, FirmwareUpgradeRequested(DeviceType.PPMID, version, devices))

    def _read_version(self, asked: ServiceRequest, actor: Actor) -> Answer:
        body, device = asked.body, asked.request_id.target
        objection = self.judge_command(ServiceReference.READ_FIRMWARE_VERSION, actor, device)
        record = self.inventory.find(device)
        if objection is not None or record is None:
            return objection or Objection(Category.UNKNOWN_DEVICE, str(device))
        if asked.header.command_variant != 1:
            return Objection(Category.BAD_REQUEST, "there is no local command service here")
        through_acb = record.device_type in transform.THROUGH_ACB
        env = transform.read_command(
            asked,
            record.device_type,
            requester=actor.eui64,
            acb=self.acb.eui64,
            acb_counter=self.acb.next_counter() if through_acb else 0,
        )
        not_before = body.execution_time if isinstance(body, bodies.ReadFirmwareVersion) else None
        return self.queue(asked, actor, env, not_before)

    def _activate(self, asked: ServiceRequest, actor: Actor) -> Answer:
        device = asked.request_id.target
        objection = self.judge_command(ServiceReference.ACTIVATE_FIRMWARE, actor, device)
        record = self.inventory.find(device)
        if objection is not None or record is None:
            return objection or Objection(Category.UNKNOWN_DEVICE, str(device))
        return self.hand_back(asked, record)

    def hand_back(self, asked: ServiceRequest, record: InventoryRecord) -> Answer:
        """Return a pre-command for its originator to sign, and remember it; or say why not."""
        octets = self.transformed(asked)
        if isinstance(octets, Refused):
            return refusal_of(octets)
        self._pre_commands[asked.request_id] = octets
        pre_command = PreCommand(record.gbcs_version or GBCS_VERSION, octets)
        return self.respond(asked, SUCCESS, pre_command)

    def _signed(self, asked: ServiceRequest, actor: Actor) -> Answer:
        body = asked.body
        if not isinstance(body, bodies.SignedPreCommand):
            raise TypeError(type(body).__name__)
        if asked.header.command_variant != 5:
            return Objection(Category.BAD_REQUEST, "there is no local command service here")
        issued = self._pre_commands.get(asked.request_id)
        if issued is None:
            detail = f"no pre-command of {asked.request_id} waits to be signed"
            return Objection(Category.PRE_COMMAND_MISMATCH, detail)
        try:
            env = envelope.decode(body.gbcs_payload)
        except MalformedFrameError as error:
            return Objection(Category.PRE_COMMAND_MISMATCH, f"malformed: {error.why}")
        if env.mac is not None or envelope.encode(replace(env, signature=None)) != issued:
            return Objection(Category.PRE_COMMAND_MISMATCH, "it is not what was returned")
        if not self.signature_holds(env):
            return Objection(Category.BAD_SIGNATURE, f"not the signature of {actor.eui64}")
        del self._pre_commands[asked.request_id]
        return self.queue(asked, actor, env, body.execution_time)

    def signature_holds(self, env: Envelope) -> bool:
        """Say whether a signed pre-command bears its originator's signature."""
        return self.acb.signature_holds(env)

    def queue(
        self,
        asked: ServiceRequest,
        actor: Actor,
        env: Envelope,
        not_before: UtcMs | None,
        schedule: int | None = None,
    ) -> Answer:
        """Have the MAC added, remember who waits for the answer, put the command in the outbox."""
        device = env.header.target
        record = self.inventory.find(device)
        if record is None or record.hub is None:
            return Objection(Category.UNKNOWN_DEVICE, f"{device} stands behind no hub")
        service = asked.header.variant
        self.post.hand_over(self.name, self.acb.name, GBCS, body_of(env), f"{service}: add the MAC")
        try:
            message = self.acb.protect(env)
        except KeyNotHeldError as error:
            return Objection(Category.UNKNOWN_DEVICE, str(error))
        self._awaited[device, env.header.originator, env.header.counter] = Awaited(
            asked.request_id, service, actor.eui64, schedule
        )
        summary = f"{service} command for {record.device_type} {device}"
        self.outbox.append(SendCommand(record.hub, message, summary, not_before))
        return self.respond(asked, ACKNOWLEDGED)

    def _refuse(self, asked: ServiceRequest, objection: Objection) -> bytes:
        if not self.decisions or self.decisions[-1].objection is not objection:
            self.decisions.append(Decision(asked.request_id, objection))
        return self.respond(asked, self.codes.refusal(asked.header.service, objection.category))

    def _prenotify(self, asked: ServiceRequest, _actor: Actor) -> Answer:
        objection = dsp_inventory.prenotify(asked, self.inventory, self.cpl, self.now)
        return self.respond(asked, ACKNOWLEDGED) if objection is None else objection

    def _show_inventory(self, asked: ServiceRequest, _actor: Actor) -> Answer:
        day = to_datetime(self.now).date()
        shown = dsp_inventory.show(asked, self.inventory, self.cpl, day)
        return shown if isinstance(shown, Objection) else self.respond(asked, SUCCESS, shown)

    def _change_inventory(self, asked: ServiceRequest, _actor: Actor) -> Answer:
        objection = dsp_inventory.change(asked, self.inventory)
        return self.respond(asked, ACKNOWLEDGED) if objection is None else objection

    HANDLERS: ClassVar[Mapping[type, Callable[["RequestDesk", ServiceRequest, Actor], Answer]]] = {
        bodies.UpdateFirmware: _update,
        bodies.UpdatePpmidFirmware: _update,
        bodies.ReadFirmwareVersion: _read_version,
        bodies.ActivateFirmware: _activate,
        bodies.SignedPreCommand: _signed,
        bodies.DevicePrenotification: _prenotify,
        bodies.ReadInventory: _show_inventory,
        bodies.UpdateInventory: _change_inventory,
    }


def refusal_of(refused: Refused) -> Objection:
    """Return the refusal of a request that becomes no command."""
    return Objection(_NO_COMMAND[refused.reason], f"{refused.reason}: {refused.detail}")


def body_of(env: Envelope) -> bytes:
    """Return a command as it goes to the broker: signature field, no MAC."""
    return envelope.encode(replace(env, signature=env.signature or b"", mac=None))


def _opened(image: bytes, kind: ImageKind) -> OtaImage | Objection:
    try:
        return ota_file.decode(image, kind)
    except ImageError as error:
        return Objection(Category.BAD_IMAGE, f"{error.name}: {error.why}")
    except MalformedFrameError as error:
        return Objection(Category.BAD_IMAGE, error.why)
