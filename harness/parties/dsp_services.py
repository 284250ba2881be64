"""The DSP's desk for services that a table describes, and for schedules."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from device_profiles.duis_services import (
    PLAYED,
    DuisService,
    Transform,
    Treatment,
    load_duis_services,
    load_transforms,
)
from device_profiles.words import DeviceStatus, SmetsVersion
from emulator.core.clock import UtcMs
from emulator.core.errors import KeyNotHeldError
from emulator.core.ids import Eui64
from harness.formats.duis.dcc_bodies import (
    CreateSchedule,
    DecommissionDevice,
    DeleteSchedule,
    OtherBody,
    ReadSchedule,
    ScheduleIdentity,
)
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, request, write_request
from harness.formats.duis.responses import ACKNOWLEDGED, SUCCESS
from harness.formats.duis.schedule_contents import Schedule, ScheduleCreated, Schedules
from harness.formats.duis.transforms.outcome import Refused
from harness.parties import dsp_credentials, dsp_schedules, dsp_transform
from harness.parties.dsp_contents import Reader
from harness.parties.dsp_credentials import Known
from harness.parties.dsp_requests import Answer, RequestDesk, refusal_of
from harness.parties.dsp_schedules import DspSchedule
from harness.parties.speakers import SIGNED, Speaker, is_signed, speaker_of
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import InventoryRecord
from harness.rules.roles import Actor

_COMMAND: Final = 1
_PRE_COMMAND: Final = 4
_CATEGORIES: Final = {
    Treatment.NO_SERVICE: Category.NOT_APPLICABLE,
    Treatment.NO_TRANSFORM: Category.NOT_TRANSFORMED,
    Treatment.NOT_PLAYED: Category.NOT_PLAYED,
}
_SAYS: Final = {
    Treatment.NO_SERVICE: "devices of this generation have no such service",
    Treatment.NO_TRANSFORM: "the command for it is not known to this DSP",
    Treatment.NOT_PLAYED: "this DSP keeps nothing that it could be about",
}
_FIRST_SCHEDULE: Final = 1
_Handler = Callable[["ServiceDesk", ServiceRequest, Actor], Answer]


class ServiceDesk(RequestDesk):
    """Transforms what the table knows, keeps schedules, refuses the rest by name.

    Attributes:
        schedules: Number -> DSP schedule.
    """

    #: Every service reference variant of DUIS.
    services: ClassVar[Mapping[str, DuisService]] = load_duis_services()
    #: How reads become commands.
    transforms: ClassVar[Mapping[str, tuple[Transform, ...]]] = load_transforms()

    def __init__(self, *args: Any, **words: Any) -> None:
        """Take what the DSP takes."""
        super().__init__(*args, **words)
        self.schedules: dict[int, DspSchedule] = {}
        self._last_schedule = _FIRST_SCHEDULE - 1
        self._for_schedules: dict[RequestId, int] = {}

    # -- services of the table ---------------------------------------------------------------

    def may_ask(self, asked: ServiceRequest, actor: Actor) -> Objection | None:
        """Say that no role of a user allows a service, or None."""
        if not isinstance(asked.body, OtherBody):
            return super().may_ask(asked, actor)
        if actor.roles & self.services[asked.body.service].roles:
            return None
        detail = f"{actor.eui64} may not ask for {asked.body.service}"
        return Objection(Category.NOT_ELIGIBLE_ROLE, detail)

    def by_table(self, asked: ServiceRequest, actor: Actor) -> Answer:
        """Transform a request, or refuse it with a named reason."""
        row = self.services[asked.header.variant]
        if row.smets2 not in PLAYED:
            return _refusal(row, row.smets2)
        record = self.inventory.find(asked.request_id.target)
        if record is None:
            detail = f"{asked.request_id.target} is not in the inventory"
            return Objection(Category.UNKNOWN_DEVICE, detail)
        objection = self._objection_to(asked, actor, record)
        if objection is not None:
            return objection
        if row.critical:
            return self.hand_back(asked, record)
        return self._command(asked, actor, record)

    def _command(self, asked: ServiceRequest, actor: Actor, record: InventoryRecord) -> Answer:
        """Send the command of a request that is not critical."""
        service = asked.header.variant
        reader = self._reader(asked, actor, record)
        if reader is None:
            return Objection(Category.NOT_TRANSFORMED, f"nobody here speaks for {service}")
        env = dsp_transform.command(self._row(asked, record), asked, reader, self.known())
        if isinstance(env, Refused):
            return refusal_of(env)
        waits = None if service in SIGNED else getattr(asked.body, "execution_time", None)
        try:
            whole = self.acb.signed(env) if is_signed(service, env) else env
        except KeyNotHeldError as error:
            return Objection(Category.NOT_TRANSFORMED, str(error))
        answer = self.queue(asked, actor, whole, waits)
        if isinstance(answer, bytes) and dsp_credentials.is_of_dcc(service):
            self.changes.order(asked, reader.counter, self._document)
        return answer

    def _row(self, asked: ServiceRequest, record: InventoryRecord) -> Transform | None:
        word = dsp_transform.asks_of(asked.body)
        return Transform.found(self.transforms, asked.header.variant, record.device_type, word)

    def _objection_to(
        self, asked: ServiceRequest, actor: Actor, record: InventoryRecord
    ) -> Objection | None:
        row, kind = self.services[asked.header.variant], record.device_type
        if record.status is not DeviceStatus.COMMISSIONED:
            return Objection(Category.NOT_COMMISSIONED, f"{record.device} is {record.status}")
        transform = self._row(asked, record)
        if transform is None and not dsp_transform.is_made(row.service, kind):
            return Objection(Category.NOT_APPLICABLE, f"{row.service} is not for a {kind}")
        if asked.header.command_variant not in {_COMMAND, _PRE_COMMAND}:
            return Objection(Category.BAD_REQUEST, "there is no local command service here")
        if dsp_credentials.is_of_dcc(row.service):
            known = Known(self.acb.eui64, self.inventory, self.supplies, self.now)
            return dsp_credentials.objection_to(asked, actor, record, known)
        return self._not_its_device(row, actor, record, transform)

    @staticmethod
    def _not_its_device(
        row: DuisService, actor: Actor, record: InventoryRecord, transform: Transform | None
    ) -> Objection | None:
        """Say that a device is not the asker's to command, or does not know it; or None."""
        is_own = record.supplier == actor.eui64
        if not is_own and (row.critical or speaker_of(row.service) is not Speaker.USER):
            detail = f"{actor.eui64} does not answer for {record.device}"
            return Objection(Category.NOT_RESPONSIBLE, detail)
        if transform is not None and transform.sealed and not is_own:
            detail = f"{row.service} is sealed for the reader, whom {record.device} does not know"
            return Objection(Category.NOT_TRANSFORMED, detail)
        return None

    def _reader(
        self, asked: ServiceRequest, actor: Actor, record: InventoryRecord
    ) -> Reader | None:
        """Return who speaks to a device; None where nobody plays that party."""
        speaker = speaker_of(asked.header.variant)
        if speaker is Speaker.TRANSITIONAL_COS:
            cos = self.acb.transitional_cos
            return None if cos is None else Reader(cos, self.acb.next_counter(), record.device)
        if speaker is Speaker.BROKER:
            return Reader(self.acb.eui64, self.acb.next_counter(), record.device)
        identity, knows = asked.request_id, record.supplier == actor.eui64
        if not dsp_transform.through_acb(record.device_type, knows_user=knows):
            return Reader(actor.eui64, identity.counter, record.device)
        counter = self.acb.next_counter()
        return Reader(self.acb.eui64, counter, record.device, actor.eui64, identity.counter)

    def _decommission(self, asked: ServiceRequest, actor: Actor) -> Answer:
        """8.3: the device is Decommissioned from now on; its schedules end."""
        body = asked.body
        if not isinstance(body, DecommissionDevice):
            raise TypeError(type(body).__name__)
        record = self.inventory.find(body.device)
        if record is None:
            return Objection(Category.UNKNOWN_DEVICE, f"{body.device} is not in the inventory")
        if record.supplier != actor.eui64:
            detail = f"{actor.eui64} does not answer for {body.device}"
            return Objection(Category.NOT_RESPONSIBLE, detail)
        if record.status is DeviceStatus.DECOMMISSIONED:
            return Objection(Category.NOT_APPLICABLE, f"{body.device} is {record.status}")
        self.inventory.move(body.device, DeviceStatus.DECOMMISSIONED, self.now)
        for one in [one for one in self.schedules.values() if one.body.device == body.device]:
            del self.schedules[one.number]
        return self.respond(asked, ACKNOWLEDGED)

    # -- schedules ---------------------------------------------------------------------------

    def _create(self, asked: ServiceRequest, actor: Actor) -> Answer:
        body = asked.body
        if not isinstance(body, CreateSchedule):
            raise TypeError(type(body).__name__)
        objection = self._objection_to_schedule(body, actor)
        next_at = dsp_schedules.next_after(body, self.now)
        if objection is not None or next_at is None:
            return objection or Objection(Category.BAD_REQUEST, "the schedule is over already")
        self._last_schedule += 1
        number = self._last_schedule
        self.schedules[number] = DspSchedule(number, actor.eui64, body, self._document, next_at)
        return self.respond(asked, SUCCESS, ScheduleCreated(number))

    def _objection_to_schedule(self, body: CreateSchedule, actor: Actor) -> Objection | None:
        variant = dsp_schedules.variant_of(body)
        if (body.variant, body.service) != (variant, self.services[variant].reference):
            detail = f"{body.command.element} is not service {body.service}/{body.variant}"
            return Objection(Category.BAD_REQUEST, detail)
        record = self.inventory.find(body.device)
        if record is None:
            return Objection(Category.UNKNOWN_DEVICE, f"{body.device} is not in the inventory")
        if sum(one.body.device == body.device for one in self.schedules.values()) >= (
            dsp_schedules.MOST
        ):
            return Objection(Category.BAD_REQUEST, f"{body.device} has {dsp_schedules.MOST}")
        row = self.services[variant]
        treatment = row.smets1 if record.smets is SmetsVersion.SMETS1 else row.smets2
        if treatment not in PLAYED:
            return _refusal(row, treatment)
        if not actor.roles & row.roles:
            return Objection(Category.NOT_ELIGIBLE_ROLE, f"{actor.eui64} may not ask {variant}")
        return None

    def _found(self, asked: ServiceRequest, actor: Actor) -> list[DspSchedule]:
        """Return the user's schedules that a request names."""
        body = asked.body
        if not isinstance(body, ReadSchedule | DeleteSchedule):
            raise TypeError(type(body).__name__)
        own = [one for one in self.schedules.values() if one.user == actor.eui64]
        if isinstance(body.which, ScheduleIdentity):
            return [one for one in own if one.number == body.which.schedule]
        return [one for one in own if one.body.device == body.which.device]

    def _show(self, asked: ServiceRequest, actor: Actor) -> Answer:
        found = self._found(asked, actor)
        if not found:
            return Objection(Category.NO_SCHEDULE, f"{actor.eui64} has no such schedule")
        shown = tuple(Schedule(one.number, one.body) for one in found)
        return self.respond(asked, SUCCESS, Schedules(shown))

    def _delete(self, asked: ServiceRequest, actor: Actor) -> Answer:
        found = self._found(asked, actor)
        if not found:
            return Objection(Category.NO_SCHEDULE, f"{actor.eui64} has no such schedule")
        for one in found:
            del self.schedules[one.number]
        return self.respond(asked, SUCCESS)

    def next_schedule_at(self) -> UtcMs | None:
        """Return when a schedule is due next, or None."""
        due = [one.next_at for one in self.schedules.values() if one.next_at is not None]
        return min(due, default=None)

    def run_schedules(self) -> list[int]:
        """Ask every device whose schedule is due; returns the numbers of the schedules."""
        due = [
            one
            for one in self.schedules.values()
            if one.next_at is not None and one.next_at <= self.now
        ]
        for one in due:
            self._run(one)
            one.next_at = dsp_schedules.next_after(one.body, self.now)
        return [one.number for one in due]

    def _run(self, schedule: DspSchedule) -> None:
        device = schedule.body.device
        record = self.inventory.find(device)
        if record is None or record.status is not DeviceStatus.COMMISSIONED:
            return
        body = dsp_schedules.asked_for(schedule.body.command, self.now)
        identity = RequestId(self.acb.eui64, device, self.acb.next_counter())
        asked = request(body, identity)
        self._for_schedules[identity] = schedule.number
        if record.smets is SmetsVersion.SMETS1:
            self.queue_own(asked, record, write_request(asked, self.own_key()))
            return
        row = Transform.found(self.transforms, schedule.body.variant, record.device_type)
        if row is None:
            return
        reader = Reader(self.acb.eui64, identity.counter, device, schedule.user, identity.counter)
        env = dsp_transform.command(row, asked, reader, self.known())
        if isinstance(env, Refused):
            return
        self.queue(asked, Actor(schedule.user, frozenset()), env, None, schedule.number)

    def who_asked(self, request_id: RequestId) -> tuple[Eui64, int | None]:
        """Return who gets the answer to a request, and the schedule that asked in its place."""
        number = self._for_schedules.pop(request_id, None)
        schedule = None if number is None else self.schedules.get(number)
        if schedule is None:
            return super().who_asked(request_id)
        return schedule.user, number

    HANDLERS: ClassVar[Mapping[type, Any]] = MappingProxyType(
        {
            **RequestDesk.HANDLERS,
            CreateSchedule: _create,
            ReadSchedule: _show,
            DeleteSchedule: _delete,
            DecommissionDevice: _decommission,
        }
    )

    # -- memory ------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory; users, keys and tables come from the scenario again."""
        return {
            **super().dump(),
            "schedules": [one.dump() for one in self.schedules.values()],
            "last_schedule": self._last_schedule,
            "for_schedules": {str(one): number for one, number in self._for_schedules.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        super().load(state)
        found = (DspSchedule.restore(one) for one in state["schedules"])
        self.schedules = {one.number: one for one in found}
        self._last_schedule = state["last_schedule"]
        self._for_schedules = {
            RequestId.parse(one): number for one, number in state["for_schedules"].items()
        }


def _refusal(row: DuisService, treatment: Treatment) -> Objection:
    return Objection(_CATEGORIES[treatment], f"{row.service} {row.body}: {_SAYS[treatment]}")
