"""Looks at devices behind answers that cases expect to be as shown; tells what differs, and whose.

Each device is read by a client of its own (the reader of its model), in an association of its own;
where its model, or the bench, has none, with the S1SP's proof in an association of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from device_profiles.dlms_catalogue import load_catalogue
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor, GetResult
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.dust.chronicle import ANSWER, CONTENT, IN, Chronicle
from harness.dust.definition import Definition
from harness.dust.definition_expect import Told
from harness.dust.events import DustEvent, Level, Phase
from harness.dust.told import Answer, Differs, Shown, Whose
from harness.dust.told_inventory import differing
from harness.dust.told_looked import Looked
from harness.dust.told_rules import RULES
from harness.errors import BenchError
from harness.formats.duis import smets1_response
from harness.formats.duis.bodies import ReadInventory
from harness.formats.duis.faults import DuisError
from harness.formats.duis.inventory_contents import Inventory
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.responses import ServiceResponse, Smets1ResponseMessage, read_response
from harness.formats.duis.smets1_contents import Result
from harness.meter import Credentials, Unanswered
from harness.migration.course import Course
from harness.migration.custody import S1SP, Custody
from harness.migration.observing import Observer
from harness.migration.site import Site

#: Name of the client that looks. Source: stand-in (serial-dlms.md 8.2).
READER: Final = "reader"
#: Attributes in one request: what fits into the shortest request that a model takes.
_AT_ONCE: Final = 12
_TRIES: Final = 3
_DONE: Final = "I"
#: Ref -> services of which answers are compared.
Wanted = Mapping[str, frozenset[str]]


def wanted_of(definition: Definition) -> Wanted:
    """Return of which homes which answers are to be as the devices show them."""
    found: dict[str, frozenset[str]] = {}
    for case in definition.cases:
        services = frozenset(one.request for one in case.expect if one.told is Told.AS_SHOWN)
        for ref in definition.refs_of(case) if services else ():
            found[ref] = found.get(ref, frozenset()) | services
    return found


@dataclass(frozen=True, slots=True)
class ToldLooks:
    """Compares the answers of a turn with the devices they are of.

    Attributes:
        course: The parties, and where the homes stand.
        chronicle: Where it is told.
        wanted: What is compared.
    """

    course: Course = field(repr=False)
    chronicle: Chronicle = field(repr=False)
    wanted: Wanted

    async def look(self) -> None:
        """Compare the answers that were given in this turn, in their order."""
        turn = self.chronicle.turn
        due = [
            event
            for event in self.chronicle.results
            if event.kind == ANSWER
            and event.turn == turn
            and event.told.get("service") in self.wanted.get(event.ref, ())
            and event.code.startswith(_DONE)
        ]
        for event in due:
            await self._one(event, self.course.sites[event.ref])

    async def _one(self, event: DustEvent, site: Site) -> None:
        answer = self._answer(event, site)
        if answer is None:
            return
        if isinstance(answer.body, Inventory):
            self._tell(event, answer, await self._inventory(site, answer.body))
        elif answer.service in RULES:
            self._tell(event, answer, await self._differing(site, answer))

    # -- what was told -------------------------------------------------------------------------

    def _answer(self, event: DustEvent, site: Site) -> Answer | None:
        number = event.told.get("request")
        request = _request(self.chronicle.folder / f"{IN}/duis-{number:06d}.xml")
        told = read_response((self.chronicle.folder / event.file).read_bytes())
        body, at = _body(told)
        if request is None or body is None:
            return None
        device = request.request_id.target
        if isinstance(request.body, ReadInventory):
            device = request.body.device
        kind = next(
            (one.role for one in site.installation.devices if one.eui64 == str(device)), None
        )
        if kind is None:
            return None
        asked_at, told_at = UtcMs(event.told["asked_at"]), at or told.header.at
        service = str(event.told["service"])
        return Answer(service, device, kind, asked_at, told_at, request.body, body)

    # -- what is shown -------------------------------------------------------------------------

    async def _differing(self, site: Site, answer: Answer) -> tuple[Differs, ...] | None:
        """Return what differs; None where the device could not be looked at."""
        looked = self._looked(site, answer)
        wants, judges = RULES[answer.service]
        attributes = wants(looked)
        at = DeviceType.CHF if answer.device_type is DeviceType.PPMID else answer.device_type
        if not attributes:
            return ()
        shown = await self.read(site, at, attributes, self._reader(site, at))
        if shown is None:
            return None
        found = tuple(judges(looked, shown))
        if any(one.whose is Whose.S1SP for one in found):
            found = await self._whose(site, at, looked, found)
        return found

    async def _whose(
        self, site: Site, at: DeviceType, looked: Looked, found: tuple[Differs, ...]
    ) -> tuple[Differs, ...]:
        """Say whether the device shows its S1SP what it told, and somebody else another thing."""
        wants, judges = RULES[looked.answer.service]
        own = Custody(self.course.office, site).s1sp(at)
        shown = await self.read(site, at, wants(looked), own)
        again = () if shown is None else tuple(judges(looked, shown))
        still = {one.what for one in again if one.whose is Whose.S1SP}
        contradicts = any(one.whose is Whose.DEVICE for one in found)
        if shown is None:
            return found
        return tuple(
            replace(one, whose=Whose.DEVICE)
            if one.whose is Whose.S1SP and (contradicts or one.what not in still)
            else one
            for one in found
        )

    async def _inventory(self, site: Site, told: Inventory) -> tuple[Differs, ...] | None:
        observer = Observer(self.course.office, site)
        _seen, log = await observer.hub()
        if log is None:
            return None
        versions = {kind: await observer.firmware(kind) for kind in site.holders()}
        return differing(site.installation, told, log, versions)

    def _looked(self, site: Site, answer: Answer) -> Looked:
        model, kind = site.model(answer.device_type), answer.device_type
        office = self.course.office
        dlms = load_profile(model, office.overlays).dlms
        objects = {} if dlms is None else load_catalogue(dlms.objects, office.overlays).objects
        return Looked(answer, lambda service: office.equivalent(model, kind, service), objects)

    def _reader(self, site: Site, kind: DeviceType) -> Credentials:
        try:
            return site.bench.credentials(site.role(kind), READER)
        except BenchError:
            return Custody(self.course.office, site).s1sp(kind)

    async def read(
        self, site: Site, kind: DeviceType, attributes: Sequence[Attribute], who: Credentials
    ) -> Shown | None:
        """Read attributes of a device in an association of its own; None: it does not let in."""
        port, sessions = site.port(kind, S1SP), self.course.office.s1sp.sessions
        sessions.forget(site.eui64(kind))
        for _try in range(_TRIES):
            association = await port.associate(who)
            if association.accepted:
                break
        else:
            return None
        values: dict[Descriptor, GetResult] = {}
        is_whole = True
        for some in _lists(attributes):
            answer = await port.get(some)
            if isinstance(answer, Unanswered) or len(answer) != len(some):
                is_whole = is_whole and len(some) == 1
                for one in some if len(some) > 1 else ():
                    alone = await port.get((one,))
                    if not isinstance(alone, Unanswered):
                        values[one.descriptor] = alone[0]
                continue
            values |= {one.descriptor: got for one, got in zip(some, answer, strict=True)}
        await port.release()
        return Shown(self.course.office.clock.now(), values, is_whole)

    # -- telling -------------------------------------------------------------------------------

    def _tell(self, event: DustEvent, answer: Answer, found: tuple[Differs, ...] | None) -> None:
        bad = () if found is None else found
        said = "; ".join(one.says() for one in bad) or "as the device shows"
        said = "the device could not be looked at" if found is None else said
        self.chronicle.tell(
            CONTENT,
            f"{answer.service} of {answer.device_type} of {event.ref}: {said}",
            level=Level.INFO if found == () else Level.WARNING,
            phase=Phase.AFTER,
            party=S1SP,
            ref=event.ref,
            device=str(answer.device),
            file=event.file,
            told={
                "service": answer.service,
                "type": answer.device_type.value,
                "looked": found is not None,
                "right": found == (),
                "found": said,
                "whose": str(bad[0].whose) if bad else "",
            },
        )


def _lists(attributes: Sequence[Attribute]) -> Iterator[tuple[Attribute, ...]]:
    """Yield what is asked for in one request: several whole attributes, or a part of one."""
    plain = [one for one in dict.fromkeys(attributes) if one.selection is None]
    for first in range(0, len(plain), _AT_ONCE):
        yield tuple(plain[first : first + _AT_ONCE])
    yield from ((one,) for one in attributes if one.selection is not None)


def _request(path: Path) -> ServiceRequest | None:
    try:
        return read_request(path.read_bytes())
    except DuisError:
        return None


def _body(told: ServiceResponse) -> tuple[Result | Inventory | None, UtcMs | None]:
    """Return what a response holds of a device, and when the device was asked."""
    body = told.body
    if isinstance(body, Smets1ResponseMessage):
        inside = smets1_response.read_signed(body.signed)
        return (inside.body if isinstance(inside.body, Result) else None), inside.at
    content = getattr(body, "content", None)
    return (content if isinstance(content, Inventory) else None), None


def device_of(document: bytes) -> Eui64 | None:
    """Return the device that a request to the DCC is about; None for any other request."""
    try:
        body = read_request(document).body
    except DuisError:
        return None
    return body.device if isinstance(body, ReadInventory) else None
