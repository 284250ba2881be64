"""The rules of the Central Products List: rows checked against each other, and updates."""

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from device_profiles.cpl_entry import CplEntry
from device_profiles.errors import DanglingReferenceError
from device_profiles.list_faults import Problem
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
    """A list in force: rows by identifier, each row checked against the others.

    Args:
        entries: The rows.
        file: Where they come from, for messages.
        checked: Whether the caller has found no problem between them already.
    """

    def __init__(
        self, entries: Iterable[CplEntry], file: str = "cpl.csv", *, checked: bool = False
    ) -> None:
        rows = list(entries)
        self.file: Final = file
        for problem in () if checked else problems(rows):
            raise problem.error(file)
        self.entries: Final[Mapping[str, CplEntry]] = {row.cpl_entry_id: row for row in rows}

    @cached_property
    def _by_model(self) -> Mapping[tuple[str, ...], list[CplEntry]]:
        """Rows by type, manufacturer, model and hardware."""
        found: dict[tuple[str, ...], list[CplEntry]] = {}
        for entry in self.entries.values():
            found.setdefault(entry.identity[:4], []).append(entry)
        return found

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
        version, model = firmware_version.upper().zfill(8), model.upper()
        alike = self._by_model.get((device_type, manufacturer.upper(), model[:4], model[4:]), [])
        found = [
            entry
            for entry in alike
            if entry.firmware_version == version and (smets is None or entry.smets is smets)
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
                for entry in self._by_model.get(like.identity[:4], [])
                if entry.smets is like.smets
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

    def pathway(self, start: str, goal: str, day: date | None = None) -> tuple[str, ...] | None:
        """Return the shortest chain of rows that upgrades ``start`` to ``goal``, both included.

        Args:
            start: What runs now; of any status.
            goal: What is to run.
            day: A day on which every row after ``start`` must be Active (F-066); None asks not.

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
            if day is not None and not self.entries[here].may_be_installed(day):
                continue
            for before in self.entries[here].upgrade_from:
                if before not in came_from:
                    came_from[before] = here
                    waiting.append(before)
        return None

    def bilingual(self) -> list[tuple[CplEntry, CplEntry]]:
        """Return each pair of a SMETS1 and a SMETS2+ row of one model (F-096)."""
        return [
            (one, other)
            for rows in self._by_model.values()
            for one in rows
            if one.smets is SmetsVersion.SMETS1
            for other in rows
            if other.smets is SmetsVersion.SMETS2
        ]

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


def problems(rows: Sequence[CplEntry], left_out: Container[str] = ()) -> Iterator[Problem]:
    """Yield every row that does not go with the others (F-060, F-061).

    Args:
        rows: The rows, in the order of the list.
        left_out: Identifiers of rows that are wrong in themselves; naming one is no fault.
    """
    own: dict[str, int] = {}
    for number, row in enumerate(rows):
        first = own.setdefault(row.cpl_entry_id, number)
        if first != number:
            why, key = "this identifier stands twice", row.cpl_entry_id
            yield Problem(number, "cpl_entry_id", "duplicate-entry", key, why, first)
    identities = [row.identity for row in rows]
    yield from _duplicates(rows, identities)
    yield from _bilingual_versions(rows, identities)
    for number, row in enumerate(rows):
        for before in row.upgrade_from:
            problem = (
                None if before in left_out else _reference(rows, own, identities, number, before)
            )
            if problem is not None:
                key = f"{row.cpl_entry_id} upgrade_from {before}"
                told = f"{before}: {problem}"
                yield Problem(number, "upgrade_from", "dangling-reference", key, told)


def _duplicates(
    rows: Sequence[CplEntry], identities: Sequence[tuple[str, ...]]
) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows):
        first = seen.setdefault(identities[number], number)
        other = rows[first].cpl_entry_id
        if other != row.cpl_entry_id:
            why = f"same type, manufacturer, model, hardware, firmware and SMETS as {other}"
            yield Problem(
                number, "firmware_version", "duplicate-entry", row.cpl_entry_id, why, first
            )


def _bilingual_versions(
    rows: Sequence[CplEntry], identities: Sequence[tuple[str, ...]]
) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows):
        first = seen.setdefault(identities[number][1:5], number)
        other = rows[first]
        if other.smets is not row.smets:
            why = (
                f"version {row.firmware_version} is listed as {other.smets} by "
                f"{other.cpl_entry_id} and as {row.smets} here; the versions must differ"
            )
            yield Problem(
                number, "firmware_version", "bilingual-same-version", row.cpl_entry_id, why, first
            )


def _reference(
    rows: Sequence[CplEntry],
    own: Mapping[str, int],
    identities: Sequence[tuple[str, ...]],
    number: int,
    before: str,
) -> str | None:
    if before == rows[number].cpl_entry_id:
        return "an entry cannot be upgraded from itself"
    there = own.get(before)
    if there is None:
        return "no such CPL entry"
    if identities[there][1:4] != identities[number][1:4]:
        return "the entry is of another manufacturer, model or hardware version"
    return None
