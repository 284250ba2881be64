"""The rules of the Central Products List: rows checked against each other, and updates."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from device_profiles.cpl_entry import CplEntry
from device_profiles.errors import (
    BilingualVersionError,
    DanglingReferenceError,
    DuplicateEntryError,
)
from device_profiles.words import CplStatus, DeviceType, SmetsVersion


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection to an update.

    Attributes:
        word: ``not-on-cpl``, ``not-yet-effective``, ``status``, ``hash-mismatch``,
            ``hash-not-listed`` or ``pathway``.
        refuses: Whether it forbids the update; otherwise it is a warning.
        detail: One sentence.
    """

    word: str
    refuses: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a model and version came to (F-062).

    Attributes:
        entry: The one row, or None.
        why: Empty, ``unknown-device-model`` or ``ambiguous-device-model``.
        candidates: Identifiers of the rows that fit when more than one does.
    """

    entry: CplEntry | None
    why: str = ""
    candidates: tuple[str, ...] = ()


class Cpl:
    """A list in force: rows by identifier, each row checked against the others."""

    def __init__(self, entries: Iterable[CplEntry], file: str = "cpl.csv") -> None:
        self.file: Final = file
        self.entries: Final[Mapping[str, CplEntry]] = _by_id(entries, file)
        _refuse_duplicates(self.entries.values(), file)
        _refuse_bilingual_versions(self.entries.values(), file)
        _refuse_dangling(self.entries, file)

    def entry(self, cpl_entry_id: str) -> CplEntry:
        """Return one row.

        Raises:
            DanglingReferenceError: The list has no such row.
        """
        try:
            return self.entries[cpl_entry_id]
        except KeyError:
            raise DanglingReferenceError(
                "no such CPL entry", file=self.file, key=cpl_entry_id
            ) from None

    def resolve(
        self,
        *,
        manufacturer: str,
        model: str,
        device_type: DeviceType,
        firmware_version: str,
        smets: SmetsVersion | None = None,
    ) -> Resolution:
        """Find the one row for what a pre-notification says (F-062).

        Args:
            manufacturer: 4 hex digits, as DUIS writes it.
            model: 8 hex digits: model id and hardware version.
            device_type: What the device is.
            firmware_version: 8 hex digits; shorter ones are filled with zeros in front.
            smets: Generation, where the caller already knows it.
        """
        version = firmware_version.upper().zfill(8)
        wanted = (device_type, manufacturer.upper(), model.upper(), version)
        found = [
            entry
            for entry in self.entries.values()
            if (entry.device_type, entry.manufacturer_id, entry.model_hex, entry.firmware_version)
            == wanted
            and (smets is None or entry.smets is smets)
        ]
        if len(found) == 1:
            return Resolution(found[0])
        why = "ambiguous-device-model" if found else "unknown-device-model"
        return Resolution(None, why, tuple(entry.cpl_entry_id for entry in found))

    def versions_of(self, like: CplEntry) -> list[CplEntry]:
        """Return all rows of the same model and generation, by version."""
        return sorted(
            (
                entry
                for entry in self.entries.values()
                if entry.identity[:4] == like.identity[:4] and entry.smets is like.smets
            ),
            key=lambda entry: entry.firmware_version,
        )

    def with_hash(self, image_hash: bytes) -> list[CplEntry]:
        """Return all rows that list this Manufacturer Image Hash (32 octets)."""
        wanted = image_hash.hex()
        return [e for e in self.entries.values() if e.manufacturer_image_hash == wanted]

    def check_update(
        self, installed: CplEntry, firmware_version: str, image_hash: bytes, day: date
    ) -> tuple[Finding, ...]:
        """Say what speaks against updating a device (F-063, F-066).

        Args:
            installed: Row of what runs now.
            firmware_version: Version of the new image, 8 hex digits.
            image_hash: Its Manufacturer Image Hash, 32 octets.
            day: The day of the request, in UTC.
        """
        wanted = firmware_version.upper().zfill(8)
        target = next(
            (e for e in self.versions_of(installed) if e.firmware_version == wanted), None
        )
        if target is None:
            model = f"{installed.manufacturer_id} {installed.model_hex}"
            return (Finding("not-on-cpl", True, f"{model} has no entry for version {wanted}"),)
        found = [*_status_findings(target, day), *_hash_findings(target, image_hash)]
        if installed.cpl_entry_id not in (target.cpl_entry_id, *target.upgrade_from):
            steps = ", ".join(target.upgrade_from) or "N/A"
            detail = f"{target.cpl_entry_id} upgrades from {steps}, not {installed.cpl_entry_id}"
            found.append(Finding("pathway", False, detail))
        return tuple(found)

    def pathway(self, start: str, goal: str) -> tuple[str, ...] | None:
        """Return the shortest chain of rows that upgrades ``start`` to ``goal``, both included.

        Returns:
            The chain, or None when there is none.

        Raises:
            DanglingReferenceError: One of the rows is not in the list.
        """
        self.entry(start)
        self.entry(goal)
        came_from: dict[str, str | None] = {goal: None}
        waiting = deque([goal])
        while waiting:
            here = waiting.popleft()
            if here == start:
                chain = [here]
                while (following := came_from[chain[-1]]) is not None:
                    chain.append(following)
                return tuple(chain)
            for before in self.entries[here].upgrade_from:
                if before not in came_from:
                    came_from[before] = here
                    waiting.append(before)
        return None

    def with_status(self, cpl_entry_id: str, status: CplStatus) -> "Cpl":
        """Return the list with one row's status changed, as a withdrawal does (F-066)."""
        changed = self.entry(cpl_entry_id).model_copy(update={"status": status})
        return Cpl({**self.entries, cpl_entry_id: changed}.values(), self.file)


def _status_findings(target: CplEntry, day: date) -> Iterable[Finding]:
    status = target.status_on(day)
    if status is not CplStatus.ACTIVE:
        yield Finding("status", True, f"{target.cpl_entry_id} is {status}")
    elif day < target.effective_from:
        detail = f"{target.cpl_entry_id} is effective from {target.effective_from}"
        yield Finding("not-yet-effective", True, detail)


def _hash_findings(target: CplEntry, image_hash: bytes) -> Iterable[Finding]:
    listed = target.manufacturer_image_hash
    if not listed:
        yield Finding("hash-not-listed", False, f"{target.cpl_entry_id} lists no image hash")
    elif listed != image_hash.hex():
        yield Finding(
            "hash-mismatch",
            True,
            f"{target.cpl_entry_id} lists {listed[:16]}…, the image has {image_hash.hex()[:16]}…",
        )


def _by_id(entries: Iterable[CplEntry], file: str) -> dict[str, CplEntry]:
    found: dict[str, CplEntry] = {}
    for entry in entries:
        if entry.cpl_entry_id in found:
            raise DuplicateEntryError(
                "this identifier stands twice", file=file, key=entry.cpl_entry_id
            )
        found[entry.cpl_entry_id] = entry
    return found


def _refuse_duplicates(entries: Iterable[CplEntry], file: str) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for entry in entries:
        other = seen.setdefault(entry.identity, entry.cpl_entry_id)
        if other != entry.cpl_entry_id:
            raise DuplicateEntryError(
                f"same type, manufacturer, model, hardware, firmware and SMETS as {other}",
                file=file,
                key=entry.cpl_entry_id,
            )


def _refuse_bilingual_versions(entries: Iterable[CplEntry], file: str) -> None:
    seen: dict[tuple[str, ...], CplEntry] = {}
    for entry in entries:
        other = seen.setdefault(entry.identity[1:5], entry)
        if other.smets is not entry.smets:
            raise BilingualVersionError(
                f"version {entry.firmware_version} is listed as {other.smets} by "
                f"{other.cpl_entry_id} and as {entry.smets} here; the versions must differ",
                file=file,
                key=entry.cpl_entry_id,
            )


def _refuse_dangling(entries: Mapping[str, CplEntry], file: str) -> None:
    for entry in entries.values():
        for before in entry.upgrade_from:
            problem = _reference_problem(entries, entry.cpl_entry_id, before)
            if problem is not None:
                raise DanglingReferenceError(
                    problem, file=file, key=f"{entry.cpl_entry_id} upgrade_from {before}"
                )


def _reference_problem(entries: Mapping[str, CplEntry], entry_id: str, before: str) -> str | None:
    if before == entry_id:
        return "an entry cannot be upgraded from itself"
    if before not in entries:
        return "no such CPL entry"
    if entries[before].identity[1:4] != entries[entry_id].identity[1:4]:
        return "the entry is of another manufacturer, model or hardware version"
    return None
