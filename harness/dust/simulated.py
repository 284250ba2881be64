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
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.door.client import HttpWay, Sent
from harness.door.drop import IN, OUT, REFUSED, TAKEN
from harness.door.drop_files import PART
from harness.door.participant import ParticipantSystem
from harness.door.trust import DCC, PARTICIPANT, xml_key_of
from harness.dust.definition import Definition
from harness.dust.definition_homes import changes
from harness.dust.definition_words import Mistake
from harness.dust.papers_made import Paper as MadePaper
from harness.dust.papers_made import Papers, mistakes_of, mistakes_of_paper
from harness.errors import BenchError
from harness.formats.authorisation.paper_kind import RetryLine, render_retries
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory, RequestBody
from harness.formats.duis.faults import DuisError
from harness.formats.duis.signing import XmlKey
from harness.formats.duis.smets1_bodies import ReadInstantaneousImportRegisters
from harness.keys import open_keystore
from harness.migration.states import State

#: Seconds between two looks; seconds that an answer is waited for. Source: invented.
_POLL_S: Final = 0.02
_ANSWER_S: Final = 20.0
_PAPER_S: Final = 300.0
#: Room for the counters of one turn.
_COUNTERS: Final = 100_000
_HOUR: Final = 7
#: Of how many newly migrated homes everything is asked; of the others their registers alone.
_FULLY: Final = 3


@dataclass(slots=True)
class SimulatedSupplier:
    """Takes the participant's turns until the run is over.

    Attributes:
        definition: The run.
        homes: Its homes.
        trust: Folder of keys.
        drop: The file drop.
        way: The way by HTTP.
        stop: Set from outside to end it.
    """

    definition: Definition
    homes: Sequence[Installation] = field(repr=False)
    trust: Path
    drop: Path
    way: HttpWay = field(repr=False)
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _system: ParticipantSystem | None = field(default=None, repr=False)

    def play(self) -> None:
        """Take turn after turn.

        Raises:
            BenchError: The doors do not answer as doors do.
        """
        while not self.stop.is_set():
            status, body = self.way.ask("GET", "/turns/current")
            sheet: dict[str, Any] = json.loads(body) if status == 200 else {}
            if not sheet:
                self.stop.wait(_POLL_S)
                continue
            if sheet["turn"] is None:
                return
            self._act(sheet)
            self.way.ask("POST", f"/turns/{sheet['turn']}/done", b"{}", "application/json")

    def _act(self, sheet: dict[str, Any]) -> None:
        day = date.fromisoformat(sheet["day"])
        self._fetched(sheet["files"])
        if sheet["kind"] == "authorise":
            self._authorise(self._mine(sheet["not_authorised"]), day, corrected=False)
            self._hand_in(self._papers().write_demand({day: len(sheet["not_authorised"])}))
        elif sheet["kind"] == "correct":
            lacking = self._mine(sheet["not_authorised"])
            if lacking:
                self._authorise(lacking, day, corrected=True, hour=_HOUR + sheet["turn"] % 12)
            self._decide(sheet["turn"], day)
        elif sheet["kind"] == "day":
            self._ask_homes(sheet["turn"])

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

    def _ask_homes(self, turn: int) -> None:
        """Ask the homes that are newly migrated."""
        before = {row["ref"] for row in self._outcomes(turn - 1) if row["state"] == State.MIGRATED}
        migrated = [row["ref"] for row in self._outcomes(turn) if row["state"] == State.MIGRATED]
        gone = {one.ref for one in changes(self.definition)}
        fresh = [ref for ref in migrated if ref not in before and ref not in gone]
        system = self._opened(turn)
        sent = [
            self._send(system, body, device)
            for number, home in enumerate(self._mine(fresh))
            for body, device in self._wishes(home, full=number < _FULLY)
        ]
        for one in sent:
            self._await(system, one)

    def _wishes(
        self, home: Installation, *, full: bool
    ) -> Iterator[tuple[RequestBody, Eui64 | None]]:
        """Yield what is asked of a home: registers, and of some the inventory and versions."""
        own = set(self.definition.participant.user_ids)
        esme = home.of(DeviceType.ESME)[0]
        if esme.supplier not in own:
            return
        yield ReadInstantaneousImportRegisters(), Eui64.parse(esme.eui64)
        if full:
            yield ReadInventory(Eui64.parse(esme.eui64)), None
            yield ReadFirmwareVersion(), Eui64.parse(esme.eui64)

    def _opened(self, turn: int) -> ParticipantSystem:
        user = Eui64.parse(self.definition.participant.user_ids[0])
        if self._system is None:
            self._system = ParticipantSystem.open(self.trust, self.way, user)
        self._system.supplier.counter = turn * _COUNTERS
        return self._system

    def _send(self, system: ParticipantSystem, body: RequestBody, device: Eui64 | None) -> Sent:
        asked = system.supplier.ask(body, device)
        return self.way.send(system.supplier.send(asked))

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
