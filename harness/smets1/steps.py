"""Carries out a service request on a SMETS1 device: the equivalent steps, one access after another.

Source:
    The steps are stand-ins (the Annex of SEC Appendix AM that holds the real ones is not public);
    their table is ``device_profiles/catalogues/dmves.csv``.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import takewhile
from typing import Final

from device_profiles.dmves import Equivalent, EquivalentStep, StepVerb, Support
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    Descriptor,
)
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.selective import selection_of as selective
from emulator.core.clock import UtcMs
from emulator.core.values import quick
from harness.errors import UsageError
from harness.meter import Credentials, Silence, Unanswered
from harness.ports import Clock, MeterPort
from harness.smets1.arguments import Arguments, argument_of, image_block, selection_of
from harness.smets1.sessions import NOTHING_KEPT, Kept

#: Seconds between two questions for a verification that is not done. Source: invented.
POLL_S: Final = 10
#: Seconds after which a verification that is not done counts as refused. Source: invented.
PATIENCE_S: Final = 900
_SILENCES: Final = frozenset(why.value for why in Silence)
_NOTHING_CAME: Final = frozenset({Silence.NO_ANSWER, Silence.LINK_LOST, Silence.ABORTED})
#: Attributes from which on a request for several is worth while.
_FEW: Final = 2
#: A time that took longer on its way to a device is told once more. Source: invented.
_STALE_MS: Final = 10_000
_BLOCKS_LEFT: Final = 4  # attribute of class 18: number of the first block that is missing


class Done(enum.StrEnum):
    """What became of a request."""

    DONE = "done"
    REFUSED = "refused"  # the device answered a step with a refusal
    SILENT = "silent"  # the device did not answer a step
    NOT_SUPPORTED = "not-supported"  # the table says that this model cannot


@quick
@dataclass(frozen=True, slots=True)
class Taken:
    """One step as it went.

    Attributes:
        step: The step.
        result: Result word: ``success``, the device's refusal, or the kind of silence.
        value: What was read or returned; None for nothing.
    """

    step: EquivalentStep
    result: str
    value: Data | None = None


@dataclass(slots=True)
class Account:
    """All of a request as it went.

    Attributes:
        equivalent: What was to be done.
        done: What became of it.
        taken: The steps taken, in order; the last one is where it ended.
        says: One sentence for people.
        opened: Whether the device let the head end in at all.
    """

    equivalent: Equivalent
    done: Done = Done.DONE
    taken: list[Taken] = field(default_factory=list)
    says: str = ""
    opened: bool = False
    #: What was read together with a step that is taken, for those that follow it.
    ahead: dict[EquivalentStep, Taken] = field(default_factory=dict, repr=False)

    def value(self, obis: str, index: int) -> Data | None:
        """Return what the step on that attribute read; None where none did."""
        for item in reversed(self.taken):
            if (item.step.obis, item.step.index) == (obis, index) and item.value is not None:
                return item.value
        return None


@quick
@dataclass(frozen=True, slots=True)
class HeadEnd:
    """Who carries requests out: an S1SP or an SMSO at a device's port.

    Attributes:
        port: The device, down a line or through its hub.
        clock: Time of the bench.
        credentials: Association name -> how this party presents itself.
        kept: What it keeps open with the device from one request to the next.
        together: Whether attributes that are read one after another are asked for in one request.
    """

    port: MeterPort
    clock: Clock
    credentials: Callable[[str], Credentials]
    kept: Kept = NOTHING_KEPT
    together: bool = False

    async def carry_out(self, equivalent: Equivalent, given: Arguments) -> Account:
        """Take the steps of a request in order, until one is refused.

        Raises:
            UsageError: The request lacks a value, or the table holds an unknown word.
        """
        account = Account(equivalent, says=equivalent.says)
        if equivalent.support is Support.NOT_SUPPORTED:
            account.done = Done.NOT_SUPPORTED
            return account
        client = ""
        if given.clock:
            given = replace(given, since=self.clock.now())
        for step in equivalent.steps:
            taken, client = await self._step(step, given, client, account), step.client
            account.taken.append(taken)
            if taken.result != "success":
                account.says = f"{step.says}: {taken.result}"
                break
        await self._leave(client, account)
        return account

    async def _step(
        self, step: EquivalentStep, given: Arguments, client: str, account: Account
    ) -> Taken:
        """Take one step, in an association of its client."""
        reused = step.client != client and self.kept.stands(self.credentials(step.client))
        if step.client != client and not reused:
            ended = await self._associate(step)
            if ended is not None:
                taken, account.done = ended
                return taken
        account.opened = True
        if account.ahead and step in account.ahead:
            return account.ahead[step]
        taken = await self._take_with(step, given, account)
        if reused and taken.result in _SILENCES:
            taken = await self._anew(step, given, taken, account)
        if taken.result != "success" and account.done is Done.DONE:
            account.done = Done.SILENT if taken.result in _SILENCES else Done.REFUSED
        return taken

    async def _anew(
        self, step: EquivalentStep, given: Arguments, before: Taken, account: Account
    ) -> Taken:
        """Associate again where a device did not answer in an association that was kept.

        It may have forgotten it, or be gone. What may have been taken is not sent a second time.
        """
        ended = await self._associate(step)
        if ended is not None:
            account.opened = False
            taken, account.done = ended
            return taken
        unclear = before.result in _NOTHING_CAME and step.verb is not StepVerb.GET
        return before if unclear else await self._take_with(step, given, account)

    async def _take_with(self, step: EquivalentStep, given: Arguments, account: Account) -> Taken:
        """Take a step, and read with it what is to be read right after it."""
        steps = account.equivalent.steps
        rest = takewhile(lambda one: _reads_all(one, step), steps[steps.index(step) :])
        row = [*dict.fromkeys(rest)] if self.together else []
        if len(row) < _FEW:
            return await self._take(step, given)
        answer = await self.port.get([Attribute(descriptor(one)) for one in row])
        if isinstance(answer, Unanswered):
            # A device that makes nothing of several at once is asked for one.
            gone = answer.why in _NOTHING_CAME
            return Taken(step, answer.why.value) if gone else await self._take(step, given)
        found = {one: _of_read(one, value) for one, value in zip(row, answer, strict=True)}
        account.ahead |= found
        return found[step]

    async def _leave(self, client: str, account: Account) -> None:
        """Keep the association where more may follow and the device answers in it."""
        answered = account.opened and account.done in {Done.DONE, Done.REFUSED}
        if client and answered and self.kept.keep(self.port, self.credentials(client)):
            return
        self.kept.forget()
        await self.port.release()

    async def _associate(self, step: EquivalentStep) -> tuple[Taken, Done] | None:
        """Associate; returns how that ended the request, or None where it did not."""
        self.kept.forget()
        answer = await self.port.associate(self.credentials(step.client))
        if answer.accepted:
            return None
        done = Done.SILENT if answer.silence in _NOTHING_CAME else Done.REFUSED
        return Taken(step, f"no association: {answer.why}"), done

    async def _take(self, step: EquivalentStep, given: Arguments) -> Taken:
        if step.verb is StepVerb.GET:
            return await self._get(step, given)
        if step.verb is StepVerb.SET:
            return await self._set(step, given)
        if step.verb is StepVerb.IMAGE_BLOCKS:
            return await self._send_blocks(step, given)
        polled = step.verb is StepVerb.ACTION_POLLED
        return await self._invoke(step, given, PATIENCE_S if polled else 0)

    async def _get(self, step: EquivalentStep, given: Arguments) -> Taken:
        chosen = selection_of(step.argument, given)
        part = None if chosen is None else selective(chosen)
        answer = await self.port.get([Attribute(descriptor(step), part)])
        if isinstance(answer, Unanswered):
            return Taken(step, answer.why.value)
        return _of_read(step, answer[0])

    async def _set(self, step: EquivalentStep, given: Arguments, *, fresh: bool = True) -> Taken:
        given = given.at(self.clock.now())
        value = argument_of(step.argument, given)
        if value is None:
            raise UsageError(
                "a set step says nothing of what it writes",
                where=f"catalogues/dmves.csv, {step.service} step {step.step}",
            )
        begun = self.clock.now()
        answer = await self.port.set([(Attribute(descriptor(step)), value)])
        if isinstance(answer, Unanswered):
            return Taken(step, answer.why.value)
        stale = given.since is not None and self.clock.now() - begun > _STALE_MS
        if stale and fresh:  # it slept while the time to set went by; now it is awake
            return await self._set(step, given, fresh=False)
        return Taken(step, _word(answer[0]))

    async def _invoke(self, step: EquivalentStep, given: Arguments, patience_s: int) -> Taken:
        until = self.clock.now() + patience_s * 1000
        while True:
            answer = await self.port.action(descriptor(step), argument_of(step.argument, given))
            taken = _of_method(step, answer)
            pending = taken.result == _word(ActionResult.TEMPORARY_FAILURE)
            if not pending or self.clock.now() >= until:
                return taken
            await self.clock.sleep_until(UtcMs(self.clock.now() + POLL_S * 1000))

    async def _send_blocks(self, step: EquivalentStep, given: Arguments) -> Taken:
        image = given.image
        if image is None:
            raise UsageError("the request carries no image", where="service request")
        number = 0
        while number < image.blocks:
            answer = await self.port.action(descriptor(step), image_block(image, number))
            taken = _of_method(step, answer)
            if taken.result != "success":
                return taken
            number += 1
        left = await self._first_missing(step)
        return Taken(step, "success" if left >= image.blocks else f"block {left} is missing")

    async def _first_missing(self, step: EquivalentStep) -> int:
        one = descriptor(step)
        answer = await self.port.get([Attribute(Descriptor(one.class_id, one.obis, _BLOCKS_LEFT))])
        if isinstance(answer, Unanswered) or not isinstance(answer[0], Data):
            return -1
        value = answer[0].value
        return value if answer[0].tag is Tag.UINT32 and isinstance(value, int) else -1


def descriptor(step: EquivalentStep) -> Descriptor:
    """Return the attribute or method a step is about."""
    return _descriptor(step.class_id, step.obis, step.index)


@lru_cache(maxsize=256)  # a few steps are taken at home after home
def _descriptor(class_id: int, obis: str, index: int) -> Descriptor:
    return Descriptor(class_id, parse_obis(obis), index)


def _reads_all(step: EquivalentStep, like: EquivalentStep) -> bool:
    """Say whether a step reads a whole attribute in the same association as another."""
    return step.verb is StepVerb.GET and not step.argument and step.client == like.client


def _of_read(step: EquivalentStep, value: Data | DataAccessResult) -> Taken:
    if isinstance(value, DataAccessResult):
        return Taken(step, _word(value))
    return Taken(step, "success", value)


def _of_method(step: EquivalentStep, answer: MethodOutcome | Unanswered) -> Taken:
    if isinstance(answer, Unanswered):
        return Taken(step, answer.why.value)
    returned = answer.returned if isinstance(answer.returned, Data) else None
    return Taken(step, _word(answer.result), returned)


@lru_cache(maxsize=64, typed=True)  # typed: results of both kinds are equal as numbers
def _word(result: DataAccessResult | ActionResult) -> str:
    return result.name.lower().replace("_", "-")
