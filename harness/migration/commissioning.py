"""Commissioning of a viable installation, C1 to C7: file, requests, certificates, notices, end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from device_profiles.words import DeviceStatus, DeviceType
from emulator.core.ids import Eui64
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.responses import ACKNOWLEDGED, read_response
from harness.formats.duis.smets1_bodies import JoinNonCritical, ReadDeviceLog
from harness.formats.duis.smets1_contents import Result
from harness.formats.migration_files.building import BuiltFile
from harness.formats.migration_files.commissioning_file import (
    CommissioningDevice,
    CommissioningFile,
    CommissioningInstallation,
)
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.groups import load_groups
from harness.formats.migration_files.opening import Opened
from harness.formats.migration_files.parties import Directory
from harness.formats.migration_files.reading import Context, believed
from harness.formats.migration_files.words import FileType
from harness.migration import commissioning_ends as ends
from harness.migration.collaborators import Files
from harness.migration.commissioning_result import CommissioningResult, DeviceResult
from harness.migration.commissioning_world import CommissioningWorld
from harness.migration.file_set import SetInHand
from harness.migration.office import Office
from harness.migration.record import Entry, InstallationRecord
from harness.migration.site import Site
from harness.parties.commissioning_party import NAME as CP
from harness.parties.commissioning_party import devices_first_hub

C1: Final = "C1"
C2: Final = "C2"
C3: Final = "C3"
C4: Final = "C4"
C5: Final = "C5"
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})


class StepFailedError(Exception):
    """A device is not commissioned.

    Attributes:
        step: Where it failed.
        sub_code: Which way.
        text: One sentence.
    """

    def __init__(self, step: str, sub_code: str, text: str) -> None:
        super().__init__(f"{step}: {text}")
        self.step = step
        self.sub_code = sub_code
        self.text = text


@dataclass(slots=True)
class Home:
    """One installation while it is commissioned.

    Attributes:
        site: Where it stands.
        record: What is kept of it.
        hand: Its file set.
        part: What the MCF says of it.
        listed: What the SCF says of it.
        file: The SCF as it was made: the outcome answers it, whatever was made since.
    """

    site: Site
    record: InstallationRecord
    hand: SetInHand = field(repr=False)
    part: CommonInstallation = field(repr=False)
    listed: CommissioningInstallation = field(repr=False)
    file: BuiltFile = field(repr=False)

    @property
    def hub(self) -> Eui64:
        """Its hub."""
        return self.part.hub.device

    def mpxn(self, device: Eui64) -> str | None:
        """Return the meter point of a meter, or None."""
        return next((one.mpxn for one in self.part.meters if one.device == device), None)


class Commissioning:
    """Commissions installations, several at a time; what is done is not done again.

    Args:
        office: What the parties of the run share.
        files: Makes the SCF and the outcome.
        incoming: Meter point -> supplier that is to take a dormant meter over.

    Attributes:
        world: DSP, Commissioning Party, the S1SP's desk and the suppliers.
    """

    def __init__(
        self, office: Office, files: Files, incoming: Mapping[str, Eui64] | None = None
    ) -> None:
        self.office = office
        self.world = CommissioningWorld(office)
        self._files = files
        self._incoming = dict(incoming or {})

    async def commission(
        self, site: Site, record: InstallationRecord, opened: Opened | None = None
    ) -> CommissioningResult:
        """Take C1 to C7 at one installation.

        Args:
            site: Where it stands.
            record: What is kept of it; its history is written here.
            opened: What the files conveyed; unused: the S1SP holds its own keys by now.
        """
        _ = opened
        try:
            home = self._begin(site, record)
        except StepFailedError as failure:
            self._note(record, failure.step, "failed", failure.text, failure)
            return CommissioningResult(
                record.ref, (self._failed(record.devices[0].eui64, failure),)
            )
        self.world.reach.add(site)
        ends.enrol(self.world, home.listed, home.part)
        self._seat(home)
        rows = []
        for device in devices_first_hub(home.listed.devices):
            rows.append(await self._commission_device(home, device))
            if not rows[-1].commissioned and device.device == home.hub:
                break
        return self._end(home, tuple(rows))

    def expect(self, mpxn: str, supplier: Eui64) -> None:
        """Note which supplier is to take the meter of a meter point over, if it is dormant."""
        self._incoming[mpxn] = supplier

    # -- C1 ----------------------------------------------------------------------------------

    def _begin(self, site: Site, record: InstallationRecord) -> Home:
        hand = next(
            (one for one in reversed(self._files.hands) if record.ref in one.installations), None
        )
        if hand is None:
            raise StepFailedError(C1, "01", "no file set names the installation")
        made = self._files.commissioning_file(hand, [record.ref])
        arrived = hand.arrived.get(FileType.SCF)
        octets = made.octets if arrived is None else arrived.octets
        try:
            read = believed(made.name, octets, self._context())
        except MigrationFileError as error:
            raise StepFailedError(C1, "02", f"the SCF is refused: {error.check.code}") from error
        content = read.content
        rows = content.installations if isinstance(content, CommissioningFile) else ()
        listed = next((one for one in rows if one.ref == record.ref), None)
        if listed is None:
            raise StepFailedError(C1, "03", "the SCF does not name the installation")
        self._note(record, C1, "ok", "the S1SP Commissioning File arrived", actor="S1SP")
        return Home(site, record, hand, hand.installations[record.ref], listed, made)

    def _context(self) -> Context:
        office = self.office
        groups = load_groups(office.overlays, [office.cohort])
        return Context(office.schema, Directory(office.keys.store), groups)

    def _seat(self, home: Home) -> None:
        for meter, role, name in ends.supplied(home.part):
            self.world.seat(meter.supplier, [role], name)
            coming = ends.taken_over_by(meter, self._incoming)
            self.world.dsp.supplies.setdefault(meter.mpxn, coming or meter.supplier)

    # -- C2, C3 ------------------------------------------------------------------------------

    async def _commission_device(self, home: Home, device: CommissioningDevice) -> DeviceResult:
        try:
            self._prenotify(home, device)
            await self._request(home, device)
            self._associate(home, device)
            self._check_inventory(home, device)
        except StepFailedError as failure:
            self._note(home.record, failure.step, "failed", failure.text, failure, device.device)
            return self._failed(device.device, failure)
        return DeviceResult(device.device, commissioned=True)

    def _prenotify(self, home: Home, device: CommissioningDevice) -> None:
        if self.world.dsp.inventory.find(device.device) is not None:
            self._note(home.record, C2, "skipped", "pre-notified before", device=device.device)
            return
        gpf = home.site.device(DeviceType.GPF)
        body = self.world.party.prenotification(
            device, self.office.lists.cpl, None if gpf is None else Eui64.parse(gpf.eui64)
        )
        code = self._submit(body)
        if code != ACKNOWLEDGED:
            raise StepFailedError(C2, "01", f"12.2 for {device.device_type}: {code}")
        if device.device == home.hub:
            facts = self.office.cohort.cohort
            self.world.dsp.assign(
                home.hub, facts.s1sp, region=facts.csp, coordinated=facts.coordinated_by_eis
            )
        text = f"12.2 for {device.device_type}: {code}"
        self._note(home.record, C2, "ok", text, device=device.device)

    def _submit(self, body: RequestBody) -> str:
        _asked, octets = self.world.party.ask(body)
        answer = self.world.dsp.submit(octets, self.world.party.eui64)
        return read_response(answer).header.code

    async def _request(self, home: Home, device: CommissioningDevice) -> None:
        record = self.world.dsp.inventory.find(device.device)
        if record is not None and record.status is DeviceStatus.COMMISSIONED:
            self._note(home.record, C3, "skipped", "commissioned before", device=device.device)
            return
        if device.device == home.hub:
            await self._carry(home, device, ReadDeviceLog(), home.hub)
            return
        if record is not None and record.status is DeviceStatus.PENDING:
            entry = self.world.party.log_entry(device.device, home.mpxn(device.device))
            await self._carry(home, device, entry, home.hub)
        if device.device_type in _METERS:
            clock = home.site.bench.clock  # a meter keeps the time of where it hangs
            body: RequestBody = self.world.party.commission(clock.now())
        else:
            body = JoinNonCritical(home.part.esme.device)
        await self._carry(home, device, body, device.device)

    async def _carry(
        self, home: Home, device: CommissioningDevice, body: RequestBody, target: Eui64
    ) -> None:
        asked, octets = self.world.party.ask(body, target)
        service = asked.header.variant
        answer = self.world.dsp.submit(octets, self.world.party.eui64)
        code = read_response(answer).header.code
        if code != ACKNOWLEDGED:
            raise StepFailedError(C3, "01", f"{service} is refused: {code}")
        sent = await self.world.dsp.relay(self.world.desk, lambda device: device == target)
        value = self.world.party.answers.get(asked.request_id)
        if value is None:
            why = next((one.detail for one in sent if one.detail), "no answer")
            raise StepFailedError(C3, "02", f"{service} for {device.device_type}: {why}")
        result = value.body
        if not isinstance(result, Result) or not result.success:
            errors = result.statuses if isinstance(result, Result) else ()
            why = errors[0].error if errors else "not done"
            raise StepFailedError(C3, "03", f"{service} for {device.device_type}: {why}")
        text = f"{service} for {device.device_type}"
        self._note(home.record, C3, "ok", text, device=device.device)

    # -- C4 to C7 ----------------------------------------------------------------------------

    def _associate(self, home: Home, device: CommissioningDevice) -> None:
        """Notify Certificate IDs where that is allowed; a device that has some keeps them."""
        if device.device_type not in _METERS:
            return
        held = self.world.desk.records[device.device]
        if not all(one.is_null for one in held.notified.values()):
            self._note(home.record, C4, "skipped", "associated before", device=device.device)
            return
        why = ends.associate(self.world, self.office, home.part, device, held)
        kept = home.record.device(device.device_type)
        if kept is not None:
            ids = held.notified.items()
            kept.certificate_ids = {name: (one.serial, one.issuer) for name, one in ids}
        text = f"supplier Certificate IDs stay Null: {why}" if why else "Certificate IDs associated"
        self._note(home.record, C4, "ok", text, device=device.device)

    def _check_inventory(self, home: Home, device: CommissioningDevice) -> None:
        record = self.world.dsp.inventory.find(device.device)
        if record is None or record.status is not DeviceStatus.COMMISSIONED:
            status = "none" if record is None else str(record.status)
            raise StepFailedError(C5, "01", f"inventory status of {device.device_type}: {status}")
        text = f"the inventory says Commissioned of {device.device_type}"
        self._note(home.record, C5, "ok", text, device=device.device, actor="DSP")

    def _end(self, home: Home, rows: tuple[DeviceResult, ...]) -> CommissioningResult:
        done = len(rows) == len(home.listed.devices) and all(one.commissioned for one in rows)
        if not done:
            return CommissioningResult(home.record.ref, rows)
        told = ends.tell(self.world, self.office, home.part, self._incoming)
        meters = [f"{name} of {meter}" for name, meter in told]
        text = f"told: {', '.join(meters) or 'nobody'}"
        self._note(home.record, "C6", "ok", text, actor="MCC")
        result = CommissioningResult(
            home.record.ref, rows, *ends.association_summary(self.world, home.part), told
        )
        made = ends.outcome(self._files, home.hand, result, home.file)
        self._note(home.record, "C7", "ok", "the outcome is reported", actor="SMSO")
        return CommissioningResult(
            result.ref, result.devices, result.associated, result.why_null, told, made
        )

    # -- writing down ------------------------------------------------------------------------

    def _failed(self, device: Eui64, failure: StepFailedError) -> DeviceResult:
        code = f"X-{failure.step}"
        known = self.office.book.codes.find(code, failure.sub_code) is not None
        sub_code = failure.sub_code if known else ""
        return DeviceResult(
            device,
            commissioned=False,
            step=failure.step,
            code=code,
            sub_code=sub_code,
            text=failure.text,
        )

    def _note(  # noqa: PLR0913, PLR0917 - the fields of an entry that differ
        self,
        record: InstallationRecord,
        step: str,
        result: str,
        text: str,
        failure: StepFailedError | None = None,
        device: Eui64 | None = None,
        actor: str = CP,
    ) -> None:
        failed = None if failure is None else self._failed(device or Eui64(bytes(8)), failure)
        record.note(
            Entry(
                at=self.office.clock.now(),
                actor=actor,
                step=step,
                result=result,
                text=text,
                device="" if device is None else str(device),
                code="" if failed is None else failed.code,
                sub_code="" if failed is None else failed.sub_code,
            )
        )

    # -- memory ------------------------------------------------------------------------------

    def take_up(self, site: Site) -> None:
        """Know a site again after a memory was taken over."""
        self.world.reach.add(site)

    def dump(self) -> dict[str, Any]:
        """Return the memories of its parties as JSON values."""
        incoming = {mpxn: str(one) for mpxn, one in self._incoming.items()}
        return {"world": self.world.dump(), "incoming": incoming}

    def load(self, state: dict[str, Any]) -> None:
        """Take over dumped memories."""
        self.world.load(state["world"])
        self._incoming = {mpxn: Eui64.parse(one) for mpxn, one in state["incoming"].items()}
