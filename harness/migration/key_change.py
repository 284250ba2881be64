"""One change of keys on one device: proved before, carried out, proved after."""

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from emulator.core.values import quick
from harness.meter import Credentials
from harness.migration.proofs import TRIES, Door, quiet
from harness.parties.s1sp_gate import GateRefusal
from harness.smets1.steps import Account, Done


class Changed(enum.StrEnum):
    """What became of a change of keys; the value is the sub-code of its failure."""

    DONE = ""
    NOT_OPENED = "01"  # before: the old key does not open the device
    SILENT = "02"  # the device does not answer, and took nothing
    REFUSED = "03"  # the device refuses the key transfer
    NOT_PROVED = "04"  # after: the new key does not open it, or the old one still does
    NOT_COUNTERSIGNED = "05"  # the DCO's part is missing
    UNCLEAR = "06"  # nobody can tell whether the device took the keys


_WORDS: Final = {
    Changed.NOT_OPENED: "the key it should have does not open it",
    Changed.SILENT: "it does not answer",
    Changed.REFUSED: "it refuses the key transfer",
    Changed.NOT_PROVED: "after the key transfer the keys do not open it as they should",
    Changed.NOT_COUNTERSIGNED: "there is no part of the DCO's for it",
    Changed.UNCLEAR: "it does not answer any more: nobody can tell which keys it holds",
}


@quick
@dataclass(frozen=True, slots=True)
class Change:
    """What a change of keys came to.

    Attributes:
        how: What became of it.
        detail: One sentence, or empty.
        already: Whether the device had the new keys before.
    """

    how: Changed
    detail: str = ""
    already: bool = False

    @property
    def done(self) -> bool:
        """Whether the device has the new keys, as associations show."""
        return self.how is Changed.DONE

    @property
    def silent(self) -> bool:
        """Whether it failed because the device did not answer."""
        return self.how in {Changed.SILENT, Changed.UNCLEAR}

    def says(self) -> str:
        """Return what became of it in words."""
        told = _WORDS.get(self.how, "")
        return f"{told}: {self.detail}" if self.detail else told


@quick
@dataclass(frozen=True, slots=True)
class KeyChange:
    """One change of keys on one device.

    Attributes:
        door: The way to the device.
        old: Credentials that open it before.
        new: Credentials that open it after.
        transfer: Carries the key transfer out with the old credentials; None: it cannot be made
            (a wrapped key is missing).
    """

    door: Door = field(repr=False)
    old: Credentials
    new: Credentials
    transfer: Callable[[], Awaitable[Account | GateRefusal]] | None

    async def carry_out(self) -> Change:
        """Change the keys; a transfer nobody answered is settled by asking the device.

        The association of the transfer itself is the proof that the old key opens the device. A
        refusal may be the late answer to an earlier question: then the transfer is tried again.
        """
        for number in range(TRIES):
            if number:
                await quiet(self.door.clock)
            change = await self._once()
            if change is not None:
                return change
        return Change(Changed.NOT_OPENED)

    async def _once(self) -> Change | None:
        """Try once; None: refused, although the old key opens the device."""
        if self.transfer is None:
            return Change(Changed.NOT_COUNTERSIGNED)
        told = await self.transfer()
        if isinstance(told, GateRefusal):
            return Change(Changed.NOT_COUNTERSIGNED, f"gate: {told.name.lower()}")
        if told.done is Done.NOT_SUPPORTED:
            return Change(Changed.REFUSED, "the model cannot change keys")
        if not told.opened:
            silent = told.done is Done.SILENT
            return Change(Changed.SILENT) if silent else await self._not_opened()
        if told.done is Done.REFUSED:
            return Change(Changed.REFUSED, told.says)
        return await self._after(silent=told.done is Done.SILENT)

    async def _not_opened(self) -> Change | None:
        proof = await self.door.prove(self.new, self.old)
        if proof.holds:
            return Change(Changed.DONE, "it had them already", already=True)
        if proof.silent:
            return Change(Changed.SILENT)
        return None if proof.other else Change(Changed.NOT_OPENED)

    async def _after(self, *, silent: bool) -> Change:
        proof = await self.door.prove(self.new, self.old)
        if proof.holds:
            return Change(Changed.DONE)
        if proof.silent or proof.other is None:
            return Change(Changed.UNCLEAR)
        if silent and proof.other:
            return Change(Changed.SILENT, "the key transfer did not reach it")
        return Change(Changed.NOT_PROVED)
