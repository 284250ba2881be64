"""The files of a migration, from MCF to outcome: who makes, sends and checks each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from device_profiles.cohort import HandoverOrder
from emulator.core.clock import UtcMs, to_datetime
from harness.formats.migration_files.building import BuiltFile, SetBuilder
from harness.formats.migration_files.checking import DeliveryReport, check_delivery
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.from_installations import Planner
from harness.formats.migration_files.groups import load_groups
from harness.formats.migration_files.opening import Opener
from harness.formats.migration_files.parties import Directory, register_of
from harness.formats.migration_files.reading import Context, check_octets
from harness.formats.migration_files.result_files import InstallationOutcome, OutcomeFile
from harness.formats.migration_files.view import InstallationView
from harness.formats.migration_files.words import FileType, ProcessingMode
from harness.migration import answers, judgements
from harness.migration.file_office import FileOffice
from harness.migration.file_set import Arrived, SetInHand, Tamper, restored
from harness.migration.record import InstallationRecord
from harness.migration.verdicts import InstallationVerdict, Stage
from harness.parties.mcc import NAME as MCC
from harness.parties.mcc import Mcc
from harness.parties.network_operator import NetworkOperator
from harness.parties.requesting_party import NAME as RP
from harness.parties.requesting_party import RequestingParty
from harness.rules.migration_installation import CommonFacts, Desk, InstallationRules
from harness.rules.outcomes import Outcome
from harness.words import counted

#: Makes another part of an MCF of the usual one.
Declared = Callable[[CommonInstallation], CommonInstallation]
#: Kind of message in the trace.
KIND: Final = "migration-file"
_CP, _S1SP, _S1SPDP, _DCO = "CP", "S1SP", "S1SPDP", "DCO"


class FileWork:
    """Makes, sends and checks the file sets of one run; a participant with a memory.

    Args:
        office: What the parties share.
        tamper: File type -> what happens to its octets between sender and receiver.
        plaintext: Whether group information goes in the clear (11.1), where the Requesting Party
            does so; whether it may is the S1SP's to say.
        mcc: The MCC, where several Requesting Parties share one; None: one of its own.
        rp: The Requesting Party; None: the office's own.

    Attributes:
        rp: The Requesting Party.
        mcc: The Migration Control Centre.
        no: The Network Operator.
        ledger: The S1SP's memory of counters.
        hands: Every set so far, oldest first.
        tamper: See above; a scenario may change it between steps.
        declared: Ref -> what its suppliers' data make of its part of the MCF, e.g. other
            Certificate IDs than the usual ones; a scenario may change it between sets.
    """

    def __init__(
        self,
        office: FileOffice,
        *,
        tamper: Mapping[FileType, Tamper] | None = None,
        plaintext: bool = False,
        mcc: Mcc | None = None,
        rp: RequestingParty | None = None,
    ) -> None:
        self._office = office
        self._plaintext = plaintext
        self.tamper: dict[FileType, Tamper] = dict(tamper or {})
        self.declared: dict[str, Declared] = {}
        store, schema, switches = office.keys.store, office.schema, office.terms.switches
        groups = load_groups(office.overlays, [office.cohort])
        directory = Directory(store)
        closed = Context(schema, directory, groups, Opener(), office.book, switches)
        # Three parties, each with its own private key for its own layer; the MCC has none of them.
        opener = Opener.of(store, office.keys.parties)
        self._context = Context(schema, directory, groups, opener, office.book, switches)
        self._rules = InstallationRules(office.book, office.lists, register_of(store), switches)
        self.mcc = mcc or Mcc(closed, self._rules)
        self.rp = rp or RequestingParty(
            office.keys,
            schema,
            office.chance.stream("rp/envelope").octets,
            first=office.terms.first_counter,
        )
        self.no = NetworkOperator(store, office.post)
        self._planner = Planner(store, self.no.party, office.overlays)
        self._homes = {home.ref: home for home in office.installations}
        self.ledger = Ledger()
        self.hands: list[SetInHand] = []

    def send_common(
        self,
        records: Sequence[InstallationRecord],
        mode: ProcessingMode = ProcessingMode.FULL,
        at: UtcMs | None = None,
    ) -> SetInHand:
        """Make, sign and send a Migration Common File (step V1).

        Args:
            records: Installations to name, in order.
            mode: Full, or Complete5.8A for a resubmission.
            at: When; None: now.

        Raises:
            UsageError: An installation cannot stand in such a file.
            KeyError: The office knows no installation of that ref.
        """
        office = self._office
        moment = office.clock.now() if at is None else at
        parts = {record.ref: self._part(record) for record in records}
        counter = self.rp.next_counter(office.cohort.cohort.group_id)
        hand = SetInHand(tuple(parts), mode, moment, counter, parts)
        self.hands.append(hand)
        if not self.no.asked:
            self.no.certificate_ids(RP)
        common = self.rp.common(self._builder(hand), tuple(parts.values()))
        self._send(hand, common, RP, MCC, f"MCF, {counted(len(parts), 'installation')}, {mode}")
        return hand

    def validate(
        self, hand: SetInHand, stranded: frozenset[str] | None = None
    ) -> dict[str, InstallationVerdict]:
        """Let the MCC validate the MCF and answer with an MVF (step V2).

        Where the cohort hands over after the common file (order B), 5.9.5 and the S1SP's rules of
        the MCF (5.9.10 among them) are asked here, before any device is touched; and an MVF that
        may not be believed starts no hand-over.

        Args:
            hand: The set.
            stranded: Refs that are stranded; None: nobody knows, and 5.8A is not judged.
        """
        early = self._office.cohort.handover.order is HandoverOrder.AFTER_COMMON_FILE
        arrived = hand.arrived[FileType.MCF]
        verdict = self.mcc.validate(
            arrived.name,
            arrived.octets,
            self._day(hand),
            ledger=self.ledger if early else None,
            desk=Desk.BOTH if early else Desk.MCC,
            stranded=stranded,
        )
        hand.verdicts.append(judgements.of_file(verdict.file))
        if early and verdict.file.file is not None:
            hand.common_accepted = True
            self.ledger = self.ledger.accepted(verdict.file.file.header)
        hand.results.update(judgements.of_common(hand.refs, verdict))
        answer = self._builder(hand).validation(
            hand.files[FileType.MCF], verdict.content, after_s=self._age_s(hand, 1)
        )
        self._send(hand, answer, MCC, RP, f"MVF, {len(hand.accepted())} of {len(hand.refs)} valid")
        if early:
            self._look_at_answer(hand)
        self._office.post.hand_over(MCC, _S1SP, KIND, arrived.octets, f"MCF {arrived.name}")
        return dict(hand.results)

    def _look_at_answer(self, hand: SetInHand) -> None:
        """Refuse what a spoilt MVF names, before any device is touched on its word (order B)."""
        both = (hand.arrived[FileType.MCF], hand.arrived[FileType.MVF])
        rows = [check_octets(one.name, one.octets, self._context) for one in both]
        found = check_delivery(rows, self._context, self.ledger, common_accepted=True).files[1]
        if found.error is not None and hand.accepted():
            hand.verdicts.append(judgements.of_file(found))
            hand.results.update(judgements.of_answer(hand.accepted(), found.error.finding))

    def send_group(self, hand: SetInHand) -> None:
        """Make and send MGF, MEF and the manifest of the valid installations (step V3).

        Where the MVF leaves none, nothing is sent.
        """
        valid = [hand.installations[ref] for ref in hand.accepted()]
        if not valid:
            return
        builder, after_s = self._builder(hand), self._age_s(hand, 2)
        group, encrypted = self.rp.group_files(
            builder,
            valid,
            self._office.secrets_of,
            plaintext=self._plaintext,
            after_s=after_s,
        )
        named = [*hand.files.values(), group, encrypted]
        manifest = builder.manifest(named, after_s=after_s + 2)
        self._send(hand, group, RP, _S1SP, f"MGF, {counted(len(valid), 'installation')}")
        self._send(hand, encrypted, RP, _S1SP, f"MEF, {counted(len(valid), 'installation')}")
        if self._office.cohort.envelope.dco_part:
            octets = hand.arrived[FileType.MEF].octets
            self._office.post.hand_over(RP, _DCO, KIND, octets, "MEF, the part for the DCO")
        self._send(hand, manifest, RP, _S1SP, "manifest of the Required File Set")

    def check(self, hand: SetInHand) -> dict[str, InstallationVerdict]:
        """Let the S1SP check the set: files first, then installation by installation (V4 to V6).

        Returns:
            The verdicts on the installations that the MCC found valid.
        """
        if FileType.MGF not in hand.arrived:
            return {ref: row for ref, row in hand.results.items() if row.accepted}
        report = self._checked(hand)
        hand.verdicts.extend(judgements.of_file(row) for row in report.files)
        self.ledger = report.ledger
        refused_before = {ref for ref, row in hand.results.items() if not row.accepted}
        found = {
            row.ref: InstallationVerdict(
                row.ref,
                Stage.FILE_SET,
                row.result,
                row.level,
                row.findings,
                row.warnings,
                None if row.view is None else row.view.opened,
            )
            for row in report.installations
            if row.ref in hand.refs and row.ref not in refused_before
        }
        for ref in hand.accepted():
            found.setdefault(ref, judgements.of_lost(ref, report))
        self._pass_on(found.values())
        hand.results.update(found)
        return found

    def _pass_on(self, verdicts: Iterable[InstallationVerdict]) -> None:
        """Write down that ProtectedData, which the S1SP cannot open, goes to the S1SPDP."""
        sealed = [
            row.opened.s1sp.protected.octets
            for row in verdicts
            if row.opened is not None
            and row.opened.s1sp is not None
            and row.opened.s1sp.protected is not None
        ]
        if sealed:
            told = f"ProtectedData of {counted(len(sealed), 'installation')}"
            self._office.post.hand_over(_S1SP, _S1SPDP, KIND, b"".join(sealed), told)

    def _checked(self, hand: SetInHand) -> DeliveryReport:
        rows = [check_octets(one.name, one.octets, self._context) for one in hand.arrived.values()]
        return check_delivery(
            rows,
            self._context,
            self.ledger,
            self._s1sp_rules,
            common_accepted=hand.common_accepted,
        )

    def _s1sp_rules(self, view: InstallationView) -> Sequence[Outcome]:
        facts = CommonFacts(view.header, view.cohort, view.common)
        return self._rules.ask(facts, to_datetime(view.header.created_at).date(), Desk.S1SP)

    def viable(self, hand: SetInHand, results: Mapping[str, Sequence[Finding]]) -> BuiltFile:
        """Make and send the S1SP Viable Installation File (step T7).

        Args:
            hand: The set.
            results: Ref -> the steps that failed; none: viable.
        """
        content = answers.viable_file(results)
        made = self._builder(hand).publish(
            FileType.VIF,
            content,
            after_s=self._next_s(hand, FileType.VIF),
            answers=hand.files[FileType.MEF],
        )
        self._send(hand, made, _S1SP, MCC, f"VIF, {counted(len(results), 'installation')}")
        return made

    def commissioning_file(self, hand: SetInHand, refs: Sequence[str]) -> BuiltFile:
        """Make and send the S1SP Commissioning File of viable installations (step C1)."""
        parts = [hand.installations[ref] for ref in refs]
        content = answers.commissioning_file(parts, self._office.keys)
        made = self._builder(hand).publish(
            FileType.SCF,
            content,
            after_s=self._next_s(hand, FileType.SCF),
            answers=hand.files[FileType.MCF],
        )
        self._send(hand, made, _S1SP, _CP, f"SCF, {counted(len(refs), 'installation')}")
        return made

    def outcome(
        self, hand: SetInHand, rows: Sequence[InstallationOutcome], answers: BuiltFile
    ) -> BuiltFile:
        """Make and send the outcome of commissioning; the set is complete with it (step C7).

        Args:
            hand: The set.
            rows: What became of its installations.
            answers: The SCF that named them.
        """
        made = self._builder(hand).publish(
            FileType.COF,
            OutcomeFile(tuple(rows)),
            after_s=self._next_s(hand, FileType.COF),
            answers=answers,
        )
        self._send(hand, made, _CP, MCC, f"COF, {counted(len(rows), 'installation')}")
        self.ledger = self.ledger.complete(hand.header)
        self.mcc.release(row.ref for row in rows)
        return made

    def ended(self, refs: Sequence[str]) -> None:
        """Say that the migration of installations ended without an outcome file.

        A rejected, rolled back or excluded installation may stand in another MCF; a stranded one
        may not, but for 5.8A.
        """
        self.mcc.release(refs)

    def _part(self, record: InstallationRecord) -> CommonInstallation:
        """Return what an MCF says of an installation, without what stays behind."""
        home = self._homes[record.ref]
        left = {row.category: row for row in self._office.book.exclusions}.get(record.exclusion)
        gas_stays = left is not None and left.blocks == "gsme"
        part = self._planner.migrating(home, self._office.cohort, gas_stays=gas_stays)
        declared = self.declared.get(record.ref)
        return part if declared is None else declared(part)

    def _builder(self, hand: SetInHand) -> SetBuilder:
        binds = self._office.book.settings.envelope_binds_requesting_party
        cohort = self._office.cohort
        return self.rp.builder(cohort, hand.counter, hand.at, hand.mode, binds_party=binds)

    def _send(
        self, hand: SetInHand, file: BuiltFile, sender: str, receiver: str, summary: str
    ) -> None:
        kind = file.file.header.file_type
        spoil = self.tamper.get(kind)
        octets = file.octets if spoil is None else spoil(file.octets)
        hand.files[kind] = file
        hand.arrived[kind] = Arrived(file.name, sender, receiver, octets)
        self._office.post.hand_over(sender, receiver, KIND, octets, f"{summary}: {file.name}")

    def _day(self, hand: SetInHand) -> date:
        return to_datetime(hand.at).date()

    def _age_s(self, hand: SetInHand, least: int) -> int:
        """Return whole seconds since the MCF was made: files of a set stand in a row."""
        return max(least, (self._office.clock.now() - hand.at) // 1000)

    def _next_s(self, hand: SetInHand, kind: FileType) -> int:
        """Return whole seconds since the MCF for another file of a kind: names tell them apart."""
        age_s, last = self._age_s(hand, 5), hand.files.get(kind)
        if last is None:
            return age_s
        return max(age_s, (last.file.header.created_at - hand.at // 1000 * 1000) // 1000 + 1)

    def supplier_view(self, hand: SetInHand) -> dict[str, InstallationVerdict]:
        """Return what suppliers see of a set: codes and sub-codes, no counter, nothing opened."""
        book = self._office.book
        return {
            ref: row.for_suppliers(lambda one: one.for_suppliers(book))
            for ref, row in hand.results.items()
        }

    def dump(self) -> dict[str, Any]:
        """Return the memories of RP, MCC and S1SP, and every set, as JSON values."""
        return {
            "rp": self.rp.dump(),
            "mcc": self.mcc.dump(),
            "no": self.no.dump(),
            "ledger": self.ledger.dump(),
            "hands": [hand.dump() for hand in self.hands],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory; the layers of accepted sets are opened again."""
        self.rp.load(state["rp"])
        self.mcc.load(state["mcc"])
        self.no.load(state["no"])
        self.ledger = Ledger.of_json(state["ledger"])
        self.hands = [restored(row, self._office.schema) for row in state["hands"]]
        for hand in self.hands:
            self._open_again(hand)

    def _open_again(self, hand: SetInHand) -> None:
        """Open what was opened before the memory was dumped: secrets are in no dump."""
        if not any(row.accepted and row.stage is Stage.FILE_SET for row in hand.results.values()):
            return
        report = self._checked_again(hand)
        opened = {row.ref: row.view.opened for row in report.installations if row.view is not None}
        for ref, row in hand.results.items():
            if row.accepted and row.stage is Stage.FILE_SET:
                hand.results[ref] = answers.with_opened(row, opened.get(ref))

    def _checked_again(self, hand: SetInHand) -> DeliveryReport:
        rows = [
            check_octets(one.name, one.octets, self._context)
            for kind, one in hand.arrived.items()
            if kind in answers.CHECKED
        ]
        return check_delivery(rows, self._context, Ledger(), self._s1sp_rules)
