"""The built-in supplier: takes its turns through the same doors as anybody's own system.

It hands papers in at the file drop and asks by HTTP. It knows the definition, as a supplier knows
its own homes, and otherwise only what the doors tell it. What it does in a turn follows from that
alone, so that a turn that was cut off is taken again with the same octets.
"""

import csv
import io
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from device_profiles.installation import Installation
from device_profiles.words import DeviceType, SupplyShape
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from harness.door.client import HttpWay, Sent
from harness.door.drop import IN, OUT, REFUSED, TAKEN
from harness.door.drop_files import PART
from harness.door.participant import ParticipantSystem
from harness.door.pauses import longer
from harness.door.refusals import REFUSED as DOOR_REFUSED
from harness.door.refusals import SENT
from harness.door.trust import DCC, PARTICIPANT, xml_key_of
from harness.dust.asks import Asker, Due, due_of, wishes
from harness.dust.definition import Definition
from harness.dust.definition_homes import changes
from harness.dust.definition_words import Mistake
from harness.dust.papers_made import Paper as MadePaper
from harness.dust.papers_made import Papers, mistakes_of, mistakes_of_paper
from harness.errors import BenchError
from harness.formats.authorisation.paper_kind import RetryLine, render_retries
from harness.formats.duis import document as documents
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.dcc_bodies import CreateSchedule
from harness.formats.duis.faults import DuisError
from harness.formats.duis.shape import SIGNATURE_NAMESPACE
from harness.formats.duis.signing import XmlKey
from harness.formats.duis.xml_input import parse
from harness.keys import open_keystore
from harness.migration.states import State

#: Seconds between two looks, at first and while a turn of many homes is at work; seconds that an
#: answer is waited for. Source: invented.
_POLL_S: Final = 0.02
_SELDOM_S: Final = 0.5
_ANSWER_S: Final = 20.0
_PAPER_S: Final = 300.0
#: Room for the counters of one turn.
_COUNTERS: Final = 100_000
_HOUR: Final = 7
#: Minutes that a request takes, with a sleepy meter among some; minutes from a turn to the hour at
#: which its schedule runs. What takes longer is asked when the schedule has run. Source: invented.
_MINUTES: Final = 4
_BEFORE_ONE: Final = 150
_NONE: Final[Due] = frozenset()


@dataclass(frozen=True, slots=True)
class _Posted:
    """A request, and what the door said to it."""

    document: bytes
    sent: Sent


@dataclass(slots=True)
class SimulatedSupplier:
    """Takes the participant's turns until the run is over.

    Attributes:
        definition: The run.
        homes: Its homes.
        trust: Folder of keys.
        drop: The file drop.
        way: The way by HTTP.
        again: Whether it may have sent what it sends in its first turn before a restart.
        stop: Set from outside to end it.
    """

    definition: Definition
    homes: Sequence[Installation] = field(repr=False)
    trust: Path
    drop: Path
    way: HttpWay = field(repr=False)
    again: bool = False
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _systems: dict[Eui64, ParticipantSystem] = field(default_factory=dict, repr=False)

    def play(self) -> None:
        """Take turn after turn.

        Raises:
            BenchError: The doors do not answer as doors do.
        """
        pause_s = _POLL_S
        while not self.stop.is_set():
            status, body = self.way.ask("GET", "/turns/current")
            sheet: dict[str, Any] = json.loads(body) if status == 200 else {}
            if not sheet:
                self.stop.wait(pause_s)
                pause_s = longer(pause_s, _SELDOM_S)
                continue
            if sheet["turn"] is None:
                return
            pause_s = _POLL_S
            self._act(sheet)
            self.again = False
            self.way.ask("POST", f"/turns/{sheet['turn']}/done", b"{}", "application/json")

    def _act(self, sheet: dict[str, Any]) -> None:
        day = date.fromisoformat(sheet["day"])
        self._fetched(sheet["files"])
        if sheet["kind"] == "authorise":
            lacking = self._mine(sheet["not_authorised"])
            if lacking:  # homes that are dormant altogether migrate without one
                self._authorise(lacking, day, corrected=False)
            self._hand_in(self._papers().write_demand({day: len(sheet["not_authorised"])}))
        elif sheet["kind"] == "correct":
            lacking = self._mine(sheet["not_authorised"])
            if lacking:
                self._authorise(lacking, day, corrected=True, hour=_HOUR + sheet["turn"] % 12)
            self._decide(sheet["turn"], day)
        elif sheet["kind"] == "day":
            self._ask_homes(sheet["turn"], day)

    def _fetched(self, names: Sequence[str]) -> None:
        """Wait until the files of a turn lie in the drop: by HTTP its sheet may be there first.

        Raises:
            BenchError: One does not come.
        """
        for name in names:
            self._seen((self.drop / OUT / name,))

    def _seen(self, places: Sequence[Path]) -> Path | None:
        """Wait for one of several files; None where the run is stopped meanwhile.

        Raises:
            BenchError: None of them came.
        """
        for _look in range(round(_PAPER_S / _POLL_S)):
            for place in places:
                if place.exists():
                    return place
            if self.stop.wait(_POLL_S):
                return None
        raise BenchError("the drop does not answer", where=str(places[0]))

    def _mine(self, refs: Iterable[str]) -> list[Installation]:
        wanted = frozenset(refs)
        return [home for home in self.homes if home.ref in wanted]

    # -- papers --------------------------------------------------------------------------------

    def _papers(self) -> Papers:
        own, others = open_keystore(self.trust / PARTICIPANT), open_keystore(self.trust / DCC)
        user = Eui64.parse(self.definition.participant.user_ids[0])
        known = others.merged(own)
        return Papers.of(
            self.definition,
            known,
            key=xml_key_of(own, user),
            other_key=self._other_key(user),
        )

    def _other_key(self, user: Eui64) -> XmlKey | None:
        """Return another supplier's key, for the mistake of signing with it."""
        own = open_keystore(self.trust / PARTICIPANT)
        for entry in own.entries():
            if entry.eui64 != user:
                try:
                    return xml_key_of(own, entry.eui64)
                except LookupError:
                    continue
        return None

    def _authorise(
        self, homes: Sequence[Installation], day: date, *, corrected: bool, hour: int = _HOUR
    ) -> None:
        """Hand in an authorisation of homes, sealed and signed as the definition has it."""
        papers, definition = self._papers(), self.definition
        refs = [home.ref for home in homes]
        whole = mistakes_of_paper(definition, corrected=corrected)
        lines = mistakes_of(definition, refs, corrected=corrected)
        paper = papers.write_authorisation(homes, day, mistakes=lines, hour=hour)
        if definition.participant.sealed:
            password, phrase = papers.write_password(day, hour=hour)
            if Mistake.NO_PASSWORD not in whole:
                self._hand_in(password)
            paper = papers.sealed(paper, phrase)
        if definition.participant.signed or whole & {Mistake.ALTERED, Mistake.WRONG_SIGNER}:
            paper = papers.signed(paper, whole)
        self._hand_in(paper)

    def _decide(self, turn: int, day: date) -> None:
        """Hand in a retry list of the homes that failed: each is to be tried again."""
        failed = [
            row
            for row in self._outcomes(turn)
            if row["state"] not in {State.MIGRATED, State.PLANNED, State.EXCLUDED}
        ]
        if failed:
            lines = [RetryLine(row["ref"], "retry", day, "it may succeed now") for row in failed]
            self._hand_in((f"RETRY_turn-{turn:03d}.csv", render_retries(lines)))

    def _hand_in(self, paper: MadePaper) -> None:
        """Put a paper into the drop and wait for its outcome; what is there already stays.

        Raises:
            BenchError: No outcome came.
        """
        name, octets = paper
        place = self.drop / IN / name
        if not (self.drop / TAKEN / name).exists() and not place.exists():
            part = place.with_name(name + PART)
            part.write_bytes(octets)
            part.replace(place)
        outcome = self.drop / OUT / f"{name}.outcome.json"
        self._seen((outcome, self.drop / REFUSED / f"{name}.error.json"))

    # -- requests ------------------------------------------------------------------------------

    def _outcomes(self, turn: int) -> list[dict[str, str]]:
        """Return what the newest file of outcomes up to a turn says of homes."""
        for number in range(turn, 0, -1):
            path = self.drop / OUT / f"outcomes-{number:03d}.csv"
            if path.exists():
                return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        return []

    def _ask_homes(self, turn: int, day: date) -> None:
        """Ask the homes that are newly migrated what the definition has asked of them."""
        before = {row["ref"] for row in self._outcomes(turn - 1) if row["state"] == State.MIGRATED}
        migrated = [row["ref"] for row in self._outcomes(turn) if row["state"] == State.MIGRATED]
        fresh = self._mine(ref for ref in migrated if ref not in before)
        asks, chance = self.definition.participant.asks, Chance(self.definition.run.seed)
        due = due_of(self.definition)
        sent = [
            (self._opened(asker.user, turn), body, device)
            for place, asker in enumerate(self._askers(fresh, turn, day))
            for body, device in wishes(asker, asks, place, chance, due.get(asker.home.ref, _NONE))
        ]
        last = _takes_minutes(sent) < _BEFORE_ONE
        sent.sort(key=lambda one: isinstance(one[1], CreateSchedule) is last)
        waits = [(one[0], self._send(*one)) for one in sent]
        self._send_wrongly(sent, waits)
        for system, one in waits:
            self._await(system, one.sent)

    def _send_wrongly(
        self,
        wishes_: Sequence[tuple[ParticipantSystem, RequestBody, Eui64 | None]],
        sent: Sequence[tuple[ParticipantSystem, "_Posted"]],
    ) -> None:
        """Send what the definition's mistakes are about once more: as it was, or unsigned."""
        again = DOOR_REFUSED if self.again else ""
        for mistake in self.definition.mistakes:
            meant = self.definition.refs_of(mistake)
            devices = {
                device.eui64 for home in self._mine(meant) for device in home.of(DeviceType.ESME)
            }
            for (_system, _body, device), (_same, posted) in zip(wishes_, sent, strict=True):
                if str(device) not in devices:
                    continue
                if mistake.what is Mistake.REPLAYED:
                    self.way.send(posted.document, again=again)
                elif mistake.what is Mistake.UNSIGNED_REQUEST:
                    self.way.send(_unsigned(posted.document), again=again)
                devices.discard(str(device))  # the first request of a home is enough

    def _askers(self, homes: Sequence[Installation], turn: int, day: date) -> Iterator[Asker]:
        """Yield who asks each home: its supplier now, where that is the participant or gained it.

        The store has the keys of the suppliers that gain a home: they play in this process, too.
        """
        store = open_keystore(self.trust / DCC).merged(open_keystore(self.trust / PARTICIPANT))
        gained = {one.ref: one.to for one in changes(self.definition)}
        own = {*self.definition.participant.user_ids, *gained.values()}
        null = self.definition.cohort.split_supply.require_null_supplier_certificates
        for home in homes:
            user = gained.get(home.ref, home.of(DeviceType.ESME)[0].supplier)
            if user in own:
                split = null and home.shape is SupplyShape.SPLIT_SUPPLY
                known = Eui64.parse(user)
                yield Asker(home, known, day, turn, store, null=split, gained=home.ref in gained)

    def _opened(self, user: Eui64, turn: int) -> ParticipantSystem:
        system = self._systems.get(user)
        if system is None:
            system = self._systems[user] = ParticipantSystem.open(self.trust, self.way, user)
        system.supplier.counter = max(system.supplier.counter, turn * _COUNTERS)
        return system

    def _send(
        self, system: ParticipantSystem, body: RequestBody, device: Eui64 | None
    ) -> "_Posted":
        document = system.supplier.send(system.supplier.ask(body, device))
        return _Posted(document, self.way.send(document, again=SENT if self.again else ""))

    def _await(self, system: ParticipantSystem, sent: Sent) -> None:
        """Take the answer to a request; one that was asked before a restart is not waited for.

        Raises:
            BenchError: The answer is not what a DSP signs.
        """
        if sent.refusal is not None:
            return
        document = sent.document
        for _look in range(round(_ANSWER_S / _POLL_S)):
            document = document or self.way.answer(sent)
            if document is not None or self.stop.wait(_POLL_S):
                break
        try:
            if document is not None:
                system.supplier.take(document)
        except DuisError as error:
            raise BenchError(
                f"an answer cannot be believed: {error}", where=f"request {sent.id}"
            ) from error


def _takes_minutes(sent: Sequence[tuple[ParticipantSystem, RequestBody, Eui64 | None]]) -> int:
    """Return how long it takes about until all requests of a turn are answered."""
    return _MINUTES * len(sent)


def _unsigned(document: bytes) -> bytes:
    """Return a request without its signature."""
    root = parse(document)
    for signature in root.findall(f"{{{SIGNATURE_NAMESPACE}}}Signature"):
        root.remove(signature)
    return documents.octets(root)
