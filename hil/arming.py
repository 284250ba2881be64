"""Arming: every reason why a write to a real device is refused, and the guard that gives them."""

import enum
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.errors import NotPermittedError
from hil import wall_clock
from hil.arming_state import Arming, dry_run_file, last_moment, load_arming
from hil.bench_file import LoadedBench
from hil.dry_run_report import load_report
from hil.guard_port import MeterIdentity
from hil.verbs import CONFIRMED, Verb


class Reason(enum.StrEnum):
    """Why a write is refused."""

    BENCH_EXPIRED = "bench-expired"
    UNARMED = "unarmed"
    EXPIRED = "expired"
    FILE_CHANGED = "file-changed"
    OTHER_OPERATOR = "other-operator"
    IDENTITY_UNKNOWN = "identity-unknown"
    NOT_ALLOW_LISTED = "not-allow-listed"
    NO_DRY_RUN = "no-dry-run"
    NOT_IN_DRY_RUN = "not-in-dry-run"
    NOT_CONFIRMED = "not-confirmed"


class ArmingRefusedError(NotPermittedError):
    """A write to a real device is refused; nothing of it was sent.

    Attributes:
        reason: Why.
        verb: What the write would have done.
    """

    def __init__(self, reason: Reason, verb: Verb, why: str, *, where: str, then: str) -> None:
        super().__init__(
            f"{verb} refused ({reason}): {why}",
            where=where,
            cause="writing to a real device needs an armed bench, an allow-listed identity and a"
            " dry run; reading does not",
            next_command=then,
        )
        self.reason = reason
        self.verb = verb


@dataclass(slots=True)
class ArmedGuard:
    """Says whether a write to a real device may be made, each time anew: files are read again.

    Attributes:
        loaded: The bench file, as the run read it.
        scenario: The scenario that writes; empty outside a run.
        now: The present moment.
        user: Number of the system's user who runs.
        ask: Has a person type a word (given the question); None: nobody is there to ask.
    """

    loaded: LoadedBench
    scenario: str = ""
    now: Callable[[], UtcMs] = wall_clock.now
    user: int = field(default_factory=os.getuid)
    ask: Callable[[str], str] | None = None
    _typed: set[Verb] = field(default_factory=set)

    def permit(self, verb: Verb, target: Descriptor | None, identity: MeterIdentity) -> None:
        """Return when it may be done; reading always may.

        Raises:
            ArmingRefusedError: It may not, and why.
        """
        if verb is Verb.READ:
            return
        arming = self._armed(verb)
        self._known(verb, identity)
        self._rehearsed(verb, target, arming)
        self._confirmed(verb, identity, arming)

    def permit_message(self, verb: Verb, identity: MeterIdentity) -> None:
        """Return when a message may go to a device behind a radio; reading always may.

        No dry run shows it: what a scenario writes is GBCS messages, which the verbs grade.

        Raises:
            ArmingRefusedError: It may not, and why.
        """
        if verb is Verb.READ:
            return
        arming = self._armed(verb)
        self._known(verb, identity)
        self._confirmed(verb, identity, arming)

    def _armed(self, verb: Verb) -> Arming:
        """Check the bench: not past its date, armed, now, as it stands, by its operator."""
        now, path = self.now(), self.loaded.path
        again = f"smetsbench bench arm {path} --for 30m --operator NAME"
        end = last_moment(self.loaded)
        if end is not None and now >= end:
            day = self.loaded.content.bench.expires
            raise self._refuse(Reason.BENCH_EXPIRED, verb, f"the last day was {day}", "")
        arming = load_arming(path)
        if arming is None:
            raise self._refuse(Reason.UNARMED, verb, "the bench is not armed", again)
        if not arming.armed_at <= now < arming.until:
            why = f"the bench was armed until {iso(UtcMs(arming.until))}"
            raise self._refuse(Reason.EXPIRED, verb, why, again)
        if {arming.bench_sha256, _sha256(path)} != {self.loaded.sha256}:
            why = "the bench file is not the one that was armed"
            raise self._refuse(Reason.FILE_CHANGED, verb, why, again)
        if arming.operator != self.loaded.content.bench.operator or arming.user != self.user:
            why = f"{arming.operator} (user {arming.user}) armed it, user {self.user} runs"
            raise self._refuse(Reason.OTHER_OPERATOR, verb, why, again)
        return arming

    def _known(self, verb: Verb, identity: MeterIdentity) -> None:
        """Check the device: it said who it is, and is on the list."""
        path = self.loaded.path
        if identity.eui64 is None:
            why = "the device did not say which one it is"
            raise self._refuse(Reason.IDENTITY_UNKNOWN, verb, why, f"smetsbench bench probe {path}")
        allowed = {Eui64.parse(text) for text in self.loaded.content.bench.allow}
        if identity.eui64 not in allowed:
            why = f"{identity.eui64} is not in bench.allow"
            raise self._refuse(Reason.NOT_ALLOW_LISTED, verb, why, f"smetsbench bench check {path}")

    def _rehearsed(self, verb: Verb, target: Descriptor | None, arming: Arming) -> None:
        """Check the dry run: there, of this file, seen by whoever armed, with this write in it."""
        path = self.loaded.path
        rehearse = f"smetsbench bench dry-run {path} {self.scenario or 'ID'}"
        then = f"{rehearse}   (then arm again)"
        found = load_report(dry_run_file(path))
        if found is None:
            raise self._refuse(Reason.NO_DRY_RUN, verb, "there is no dry-run report", then)
        report, digest = found
        if report.bench_sha256 != self.loaded.sha256:
            why = "the dry run was made for another content of the bench file"
            raise self._refuse(Reason.NO_DRY_RUN, verb, why, then)
        if arming.dry_run_sha256 != digest:
            why = "the report is not the one that lay there when the bench was armed"
            again = f"smetsbench bench arm {path} --for 30m --operator NAME"
            raise self._refuse(Reason.NO_DRY_RUN, verb, why, again)
        rehearsal = report.of(self.scenario)
        if rehearsal is None:
            why = f"the dry run did not play {self.scenario or 'what is run now'}"
            raise self._refuse(Reason.NO_DRY_RUN, verb, why, then)
        if not any(write.covers(verb, target) for write in rehearsal.writes):
            why = f"{self.scenario} did not write {_shown(target)} in the dry run"
            raise self._refuse(Reason.NOT_IN_DRY_RUN, verb, why, then)

    def _confirmed(self, verb: Verb, identity: MeterIdentity, arming: Arming) -> None:
        """Check that a person said yes to the verbs that cannot be put back."""
        if verb not in CONFIRMED or verb in self._typed or verb in arming.confirmed:
            return
        if self.ask is not None:
            answer = self.ask(f"{self.scenario} wants to do {verb} to {identity}. Type {verb}: ")
            if answer.strip() == verb:
                self._typed.add(verb)
                return
        then = f"smetsbench bench arm {self.loaded.path} … --confirm {verb}"
        raise self._refuse(Reason.NOT_CONFIRMED, verb, f"nobody confirmed {verb}", then)

    def _refuse(self, reason: Reason, verb: Verb, why: str, then: str) -> ArmingRefusedError:
        where = f"bench {self.loaded.content.bench.name} ({self.loaded.path})"
        then = then or f"smetsbench bench check {self.loaded.path}"
        return ArmingRefusedError(reason, verb, why, where=where, then=then)


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _shown(target: Descriptor | None) -> str:
    if target is None:
        return "anything without a target"
    return f"class {target.class_id}, {print_obis(target.obis)}, index {target.index}"
