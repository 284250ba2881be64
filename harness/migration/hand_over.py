"""Hand-over, H1 to H4: the SMSO lets go, keys and SIM change hands, the S1SP hears the hub."""

from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms import data_notification
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.migration.custody import S1SP, SMSO, Custody
from harness.migration.key_change import Change, Changed
from harness.migration.office import Office
from harness.migration.states import Owner
from harness.migration.steps import Case, Steps, Told, fault, judged, ok
from harness.ports import Notice
from harness.rules.migration_calendar import ContactFacts, check_contact

_EUI_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hands installations over.

    Attributes:
        steps: Takes the steps.
    """

    steps: Steps

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    async def quiesce(self, case: Case) -> Told:
        """Let the SMSO end what its head end does at the installation by itself (H1)."""

        async def act() -> Told:
            ended = self.office.smso.quiesce(case.ref)
            for device_type in case.holders():
                await case.site.port(device_type, SMSO).release()
            said = ", ".join(ended) or "nothing was going on"
            self.office.post.hand_over(SMSO, "MCC", "notice", b"", f"{case.ref} quiesced: {said}")
            return ok(f"ended: {said}")

        return await self.steps.take(case, "H1", act)

    async def rotate(self, case: Case) -> Told | None:
        """Let the SMSO put the S1SP's keys on each device (H2); returns the failure, or None."""
        for device_type in case.holders():
            told = await self._rotate_one(case, device_type)
            if told.failed:
                return told
        return None

    async def _rotate_one(self, case: Case, device_type: DeviceType) -> Told:
        async def act() -> Told:
            change = await Custody(self.office, case.site).rotate(device_type)
            note_owner(case, device_type, change, Owner.S1SP)
            if change.done:
                return ok("the S1SP's key opens it, the SMSO's is refused")
            return fault(
                self.office.judge(), "H2", change.how.value, change.says(), silent=change.silent
            )

        return await self.steps.take(case, "H2", act, device_type)

    async def move_sim(self, case: Case, step: str = "H3") -> Told:
        """Have the SIM moved to the S1SP's network (H3)."""

        async def act() -> Told:
            self.office.post.hand_over(S1SP, SMSO, "order", b"", f"SIM of {case.ref} to the S1SP")
            answer = await case.site.hub().change_sim(S1SP)
            if not answer.done:
                return fault(self.office.judge(), "H3", "01", answer.why)
            case.record.sim_owner = Owner.S1SP
            case.since = self.office.clock.now()
            for device_type in case.holders():
                self.office.smso.orders.forget(case.site.eui64(device_type))
            return ok("the SIM is on the S1SP's network")

        return await self.steps.take(case, step, act)

    async def wait(self, case: Case, *, begun: bool = False) -> Told:
        """Wait for the hub's first contact until it comes or the time runs out (H4).

        Args:
            case: The installation.
            begun: Whether ``look`` was called before: the wait has begun.
        """

        async def act() -> Told:
            while not await self.look(case, self.deadline(case)):
                if self.office.clock.now() >= self.deadline(case):
                    break
            outcome = self.office.judge().ask("H4", check_contact, self._facts(case))
            if outcome.code:
                told = judged(outcome)
                return Told(told.result, told.text, told.code, told.sub_code, silent=True)
            return ok("the hub was heard in time")

        return await self.steps.take(case, "H4", act, begun=begun)

    async def look(self, case: Case, until: UtcMs) -> bool:
        """Wait for the hub until a moment of the calendar; say whether it was heard.

        A hub that the S1SP spoke to in an earlier attempt does not announce itself again: where
        hand-over is skipped the S1SP calls it, too, from time to time.
        """
        clock = self.office.clock
        if case.record.skips_hand_over:
            await self._call(case)
            until = min(until, UtcMs(clock.now() + 1000 * self.office.settings.call_s))
        until = min(until, self.deadline(case))
        while case.heard is None:
            notice = await case.site.hub().notified(S1SP, clock.on_bench(until))
            if notice is None:
                return False
            self._take(case, notice)
        return True

    async def _call(self, case: Case) -> None:
        """Try to associate with the hub: an answer of any kind is a contact."""
        if case.heard is not None:
            return
        custody = Custody(self.office, case.site)
        door = custody.door(DeviceType.CHF, S1SP)
        if await door.opens_to(custody.s1sp(DeviceType.CHF)) is not None:
            case.heard = self.office.clock.now()

    def deadline(self, case: Case) -> UtcMs:
        """Return the first moment that is too late; the wait begins now where it has not."""
        if case.since is None:
            case.since = self.office.clock.now()
        return UtcMs(self._facts(case).deadline_ms)

    def _take(self, case: Case, notice: Notice) -> None:
        """Take a notice for a contact where it is one, and not from before the hub was awaited."""
        hub = hub_of(notice.octets)
        at = self.office.clock.shown(notice.at)
        if hub is None or (case.since is not None and at < case.since):
            return
        case.heard = at
        said = f"first contact of {hub}"
        self.office.post.hand_over(str(hub), S1SP, "dlms", notice.octets, said)

    def _facts(self, case: Case) -> ContactFacts:
        since = 0 if case.since is None else case.since
        days = self.office.cohort.handover.chf_contact_timeout_days
        return ContactFacts(since, case.heard, self.office.clock.now(), days)


def hub_of(octets: bytes) -> Eui64 | None:
    """Return the hub that a notice is of, or None where it says none."""
    try:
        body = data_notification.decode(octets).body
    except MalformedFrameError:
        return None
    parts = body.value if isinstance(body.value, tuple) else ()
    first = parts[0] if parts else None
    named = first.value if isinstance(first, Data) else None
    return Eui64(named) if isinstance(named, bytes) and len(named) == _EUI_BYTES else None


def note_owner(case: Case, device_type: DeviceType, change: Change, new: Owner) -> None:
    """Write down whose a device is after a change of keys, as far as associations showed it."""
    record = case.record.device(device_type)
    if record is None:
        return
    if change.done:
        record.owner = new
    elif change.how is Changed.UNCLEAR:
        record.owner = Owner.UNKNOWN
    elif change.how is Changed.NOT_PROVED:
        record.owner = Owner.NEITHER
