"""What the S1SP sees of a device: readings through its head end, as facts for the tables."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from device_profiles.dmves import Equivalent, StepVerb, Support
from device_profiles.words import DeviceType, PaymentMode
from emulator.codecs.dlms import axdr, han_log
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.han_log import LogRow
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.migration.custody import S1SP, Custody
from harness.migration.office import Office
from harness.migration.proofs import TRIES, quiet
from harness.migration.site import Site
from harness.parties.s1sp import Errand
from harness.parties.s1sp_gate import GateRefusal
from harness.rules.migration_appendices import Value
from harness.smets1.arguments import Arguments
from harness.smets1.steps import Account, Done, Taken

#: Where a device says its EUI-64. Source: stand-in (serial-dlms.md, illustrative objects).
_EUI64_OBIS: Final = "0-0:96.1.1.255"
_EUI_BYTES: Final = 8
#: Number of a payment mode on the device (class 111) -> word. Source: invented.
_MODES: Final = {1: PaymentMode.CREDIT, 2: PaymentMode.PREPAYMENT}
_MODE_NUMBERS: Final = {word: number for number, word in _MODES.items()}
INTERROGATE: Final = "interrogate"
READ_FIRMWARE: Final = "11.2"
SET_MODE: Final = "1.6"
READ_LOG: Final = "8.9"
#: Name of readings put together of several services: none of the critical ones.
READING: Final = "reading"


@quick
@dataclass(frozen=True, slots=True)
class Seen:
    """What one reading brought, in one association.

    Attributes:
        answered: Whether the device said anything.
        opened: Whether it let the S1SP in.
        taken: The steps taken.
        says: One sentence.
    """

    answered: bool
    opened: bool
    taken: tuple[Taken, ...] = field(default=(), repr=False)
    says: str = ""

    def value(self, equivalent: Equivalent) -> Data | None:
        """Return what the last reading step of a service brought; None: nothing."""
        wanted = equivalent.steps
        values = (one for one in self.taken if one.value is not None)
        found = [one.value for one in values if one.step in wanted]
        return found[-1] if found else None

    def at(self, obis: str) -> Data | None:
        """Return what was read of the object of that logical name; None: nothing."""
        found = (one.value for one in self.taken if one.step.obis == obis)
        return next((value for value in found if value is not None), None)

    def evidence(self) -> str:
        """Return the SHA-256 of what was read, 64 hex digits; empty for nothing."""
        values = [one.value for one in self.taken if one.value is not None]
        if not values:
            return ""
        return hashlib.sha256(b"".join(axdr.encode(one) for one in values)).hexdigest()


@quick
@dataclass(frozen=True, slots=True)
class Observer:
    """Reads the devices of one home with the S1SP's own keys.

    Attributes:
        office: What the parties share.
        site: The home.
    """

    office: Office
    site: Site = field(repr=False)

    @property
    def custody(self) -> Custody:
        """How the parties present themselves."""
        return Custody(self.office, self.site)

    async def read(self, device_type: DeviceType, *services: str) -> Seen:
        """Carry out the reading steps of services, in one association."""
        parts = [self.reading(device_type, service) for service in services]
        steps = tuple(step for part in parts for step in part.steps)
        whole = replace(parts[0], service=READING, steps=steps)
        errand = replace(self._errand(device_type, whole, Arguments()), together=True)
        account = await self._asked(errand)
        if isinstance(account, GateRefusal):
            return Seen(False, False, says=f"the gate lets nothing through: {account.name}")
        answered = account.opened or account.done is not Done.SILENT
        return Seen(answered, account.opened, tuple(account.taken), account.says)

    async def _asked(self, errand: Errand) -> Account | GateRefusal:
        """Carry out a request; a device that does not let the S1SP in is asked again.

        Its refusal may be the answer to an earlier question that came late.
        """
        account = await self.office.s1sp.carry_out(errand)
        for _again in range(TRIES - 1):
            if isinstance(account, GateRefusal) or account.opened:
                break
            await quiet(self.office.clock)
            account = await self.office.s1sp.carry_out(errand)
        return account

    def reading(self, device_type: DeviceType, service: str) -> Equivalent:
        """Return a service as this model has it, without the steps that change anything."""
        equivalent = self._equivalent(device_type, service)
        steps = tuple(one for one in equivalent.steps if one.verb is StepVerb.GET)
        return replace(equivalent, steps=steps)

    async def hub(self) -> tuple[Seen, tuple[LogRow, ...] | None]:
        """Interrogate the hub; returns what was seen, and its device log where that was read."""
        seen = await self.read(DeviceType.CHF, INTERROGATE, READ_LOG)
        log = seen.value(self.reading(DeviceType.CHF, READ_LOG))
        if log is None:
            return seen, None
        try:
            return seen, han_log.decode_log(log)
        except MalformedFrameError:
            return seen, None

    async def firmware(self, device_type: DeviceType) -> str:
        """Read the firmware version back; empty where nothing came."""
        seen = await self.read(device_type, READ_FIRMWARE)
        value = seen.value(self.reading(device_type, READ_FIRMWARE))
        return "" if value is None else firmware_text(value)

    # -- payment mode --------------------------------------------------------------------------

    def has_account(self, device_type: DeviceType) -> bool:
        """Say whether a meter of that model has a payment mode to read and to set."""
        return self._equivalent(device_type, SET_MODE).support is not Support.NOT_SUPPORTED

    def payment_mode(self, device_type: DeviceType, seen: Seen) -> str:
        """Return the payment mode that was read; a model without an account has the inventory's.

        Source:
            stand-in: what a meter without an account object would be asked is not known.
        """
        if not self.has_account(device_type):
            known = self.site.device(device_type)
            return "" if known is None else str(known.payment_mode or PaymentMode.CREDIT)
        value = seen.value(self.reading(device_type, SET_MODE))
        return "" if value is None else str(_mode(value) or "")

    async def proves_mode_change(self, device_type: DeviceType, mode: str = "") -> str:
        """Write the payment mode a meter has, protected and countersigned, and read it back.

        The mode stays as it is; that the meter takes the protected write proves the cryptography
        of a change of mode.

        Args:
            device_type: Which meter.
            mode: The mode it has, where that was just read; empty: it is read first.

        Returns:
            Why it is not proved; empty: it is.
        """
        if not mode:
            mode = self.payment_mode(device_type, await self.read(device_type, SET_MODE))
        if mode not in set(PaymentMode):
            return "its payment mode cannot be read"
        given = Arguments(mode=_MODE_NUMBERS[PaymentMode(mode)])
        errand = self._errand(device_type, self._equivalent(device_type, SET_MODE), given)
        account = await self._asked(errand)
        if isinstance(account, GateRefusal):
            return f"the gate lets no protected write through: {account.name.lower()}"
        if account.done is not Done.DONE:
            return account.says
        read = Seen(True, True, tuple(account.taken))
        after = self.payment_mode(device_type, read)
        return "" if after == mode else f"it was in mode {mode} and is in mode {after}"

    # -- keys ----------------------------------------------------------------------------------

    async def opens_to_smso(self, device_type: DeviceType) -> bool | None:
        """Say whether the SMSO's key still opens a device; None: it does not answer.

        Asked over the S1SP's network with the keys the files conveyed; where none were conveyed,
        with the SMSO's own.
        """
        known = self.custody.conveyed(device_type) or self.site.credentials(device_type)
        return await self.custody.door(device_type, S1SP).opens_to(known, expected=False)

    # -- facts ---------------------------------------------------------------------------------

    async def facts(
        self, device_type: DeviceType, wanted: Sequence[str]
    ) -> tuple[dict[str, Value], str]:
        """Collect what the tables ask of one meter.

        Args:
            device_type: ESME or GSME.
            wanted: Names of facts, ``esme.answered``; others' are left out.

        Returns:
            Facts by name, and the SHA-256 of what was read.
        """
        prefix = device_type.value.lower()
        seen = await self.read(device_type, INTERROGATE, READ_FIRMWARE, SET_MODE)
        found: dict[str, Value] = {f"{prefix}.answered": seen.answered}
        if not seen.answered:
            return found, ""
        found[f"{prefix}.s1sp_association"] = seen.opened
        found |= self._read_facts(device_type, seen)
        if f"{prefix}.mode_change_proved" in wanted and seen.opened:
            mode = self.payment_mode(device_type, seen)
            why = await self.proves_mode_change(device_type, mode)
            found[f"{prefix}.mode_change_proved"] = not why
        smso = await self.opens_to_smso(device_type)
        if smso is not None:
            found[f"{prefix}.smso_association"] = smso
        return found, seen.evidence()

    def _read_facts(self, device_type: DeviceType, seen: Seen) -> dict[str, Value]:
        """Return what a meter's own octets say of it."""
        prefix = device_type.value.lower()
        found: dict[str, Value] = {}
        eui64 = eui64_of(seen)
        if eui64 is not None:
            found[f"{prefix}.device_id"] = str(eui64)
            found |= self._meter_point(prefix, eui64)
        version = seen.value(self.reading(device_type, READ_FIRMWARE))
        if version is not None:
            found[f"{prefix}.firmware"] = firmware_text(version)
        mode = self.payment_mode(device_type, seen) if seen.opened else ""
        if mode:
            found[f"{prefix}.payment_mode"] = mode
        return found

    def _meter_point(self, prefix: str, device: Eui64) -> dict[str, Value]:
        """Return the meter point that the SMSO's inventory has for the device that answered.

        Source:
            stand-in: whether a SMETS1 meter holds its MPxN is not known; ours do not.
        """
        name = "mpan" if prefix == "esme" else "mprn"
        # Its own home's devices first: of a thousand homes another's answers in hardly any.
        homes = chain((self.site.installation,), self.office.installations)
        rows = (row for home in homes for row in home.devices)
        known = next((row.mpxn for row in rows if Eui64.parse(row.eui64) == device), None)
        return {} if known is None else {f"{prefix}.{name}": known}

    def _equivalent(self, device_type: DeviceType, service: str) -> Equivalent:
        return self.office.equivalent(self.site.model(device_type), device_type, service)

    def _errand(self, device_type: DeviceType, equivalent: Equivalent, given: Arguments) -> Errand:
        return Errand(
            self.site.eui64(device_type),
            self.site.port(device_type, S1SP),
            self.office.clock,
            equivalent,
            self.custody.s1sp(device_type),
            given,
        )


def eui64_of(seen: Seen) -> Eui64 | None:
    """Return the EUI-64 that a device said it has, or None."""
    value = seen.at(_EUI64_OBIS)
    octets = None if value is None else value.value
    return Eui64(octets) if isinstance(octets, bytes) and len(octets) == _EUI_BYTES else None


def firmware_text(value: Data) -> str:
    """Return a firmware version as the files write it: upper-case text, octets as hex.

    Source:
        stand-in: meters answer with text or with raw octets.
    """
    octets = value.value
    if isinstance(octets, bytes):
        text = octets.decode("ascii", "replace")
        return text.upper() if text.isprintable() and text.isascii() else octets.hex().upper()
    return str(octets).upper()


def _mode(value: Data) -> PaymentMode | None:
    """Return the payment mode in an account's mode and status (class 111, attribute 2)."""
    parts = value.value if value.tag is Tag.STRUCTURE else (value,)
    first = parts[0] if isinstance(parts, tuple) and parts else None
    number = first.value if isinstance(first, Data) else None
    return _MODES.get(number) if isinstance(number, int) else None
