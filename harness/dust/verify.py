"""Checks a pack of evidence: rebuilt, compared, signature verified, reports rendered anew."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from harness.dust import pack, pack_parts, record_form, reports
from harness.dust.canonical_zip import CHUNK_BYTES, Entry, Reader, RefusedError, chunks_of
from harness.dust.mrr import FOLDER, reconcile_mrr
from harness.dust.pack_parts import CERTIFICATE, FILES, LAST, MANIFEST, RECORD, SIGNATURE, Packed
from harness.dust.packed_events import PackedEvents, lines_in
from harness.dust.pseudonyms import Shown
from harness.dust.record import DustRecord
from harness.dust.run_key import key_of_run, verifies
from harness.dust.steps_told import OnStep, Steps
from harness.errors import UsageError
from harness.setting import version
from harness.words import counted

#: Documents that are read into memory are at most so long.
_DOCUMENT_BYTES: Final = 256 << 20
_SMALL_BYTES: Final = 64 << 20
_MOST_SAID: Final = 40
#: What the octets of reports depend on.
_RENDER: Final = ("smetsbench", "python", "jinja2", "lxml")
#: What reading or rendering a record ends in that no run of ours wrote.
_BROKEN: Final = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError),
    *(ArithmeticError, RecursionError),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a pack, as it was judged.

    Attributes:
        name: ``archive``, ``manifest``, ``signature``… or the path of a file.
        ok: Whether it is as it was written; None: it could not be judged.
        says: What is wrong, or what was checked.
    """

    name: str
    ok: bool | None
    says: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A pack, part by part.

    Attributes:
        path: The pack.
        sha256: Of the whole pack, hex; empty where it could not be read to its end.
        parts: Its parts.
        run: Run id, where the record could be read.
        identifiers: ``plain``, ``pseudonyms`` or ``made-up``, likewise.
    """

    path: str
    sha256: str
    parts: tuple[Part, ...]
    run: str = ""
    identifiers: str = ""

    @property
    def intact(self) -> bool:
        """Whether no part fails."""
        return all(one.ok is not False for one in self.parts)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "pack": self.path,
            "sha256": self.sha256,
            "intact": self.intact,
            "run": self.run,
            "identifiers": self.identifiers,
            "parts": [{"part": one.name, "ok": one.ok, "says": one.says} for one in self.parts],
        }


def verify(path: Path, on_step: OnStep | None = None) -> Verified:
    """Check a pack.

    Args:
        path: The pack.
        on_step: Called with how far it is.

    Raises:
        UsageError: It cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            return check(file, str(path), on_step)
    except OSError as error:
        raise UsageError(
            f"the pack cannot be read: {error.strerror or error}",
            where=str(path),
            cause="a mistyped name, a folder in the place of a pack, or a file you may not read",
            next_command=f"ls -l {path}",
        ) from error


def check(file: BinaryIO, named: str, on_step: OnStep | None = None) -> Verified:
    """Check a pack that is open.

    Raises:
        OSError: It cannot be read.
    """
    return _Check(file, named, Steps(on_step)).all()


@dataclass(slots=True)
class _Check:
    """The checks of one pack and what they found so far."""

    file: BinaryIO
    path: str
    steps: Steps
    parts: list[Part] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def all(self) -> Verified:
        """Run every check; those whose ground has failed say that they were not made."""
        whole = self._sha256()
        try:
            reader = Reader(self.file)
        except RefusedError as error:
            named = f" ({error.entry})" if error.entry else ""
            self.parts.append(Part("archive", False, f"{error}{named}"))
            return Verified(self.path, whole, tuple(self.parts))
        self._archive(reader)
        manifest = self._manifest(reader)
        record = None
        if manifest is None or not all(one.ok for one in self.parts):
            self.parts.append(Part("content", None, "not judged: see above"))
        else:
            record = self._content(reader, manifest)
        return Verified(
            self.path,
            whole,
            tuple(self.parts),
            "" if record is None else record.header.run_id,
            str((manifest or {}).get("identifiers", "")),
        )

    def _sha256(self) -> str:
        digest = hashlib.sha256()
        size = self.file.seek(0, 2)
        self.file.seek(0)
        while chunk := self.file.read(CHUNK_BYTES):
            digest.update(chunk)
            self.steps.told("reading the pack", self.file.tell(), size)
        return digest.hexdigest()

    # -- the archive ---------------------------------------------------------------------------

    def _archive(self, reader: Reader) -> None:
        """Rebuild the archive from its contents, piece by piece, and compare every octet."""
        entries = self.steps.through("rebuilding the archive", reader.entries)
        wrong = [one.name for one in entries if not self._is_whole(reader, one)]
        names = [one.name for one in reader.entries]
        in_order = names == sorted(names, key=pack_parts.order)
        for name in wrong[:_MOST_SAID]:
            self.parts.append(Part(name, False, "its octets or the header before them are altered"))
        if not reader.has_directory():
            self.parts.append(Part("archive", False, "the directory is not that of these files"))
        elif not in_order:
            self.parts.append(Part("archive", False, "the files stand in another order"))
        elif not wrong:
            said = f"{counted(len(names), 'file')}, rebuilt octet for octet"
            self.parts.append(Part("archive", True, said))

    def _is_whole(self, reader: Reader, entry: Entry) -> bool:
        digest, crc = hashlib.sha256(), 0
        for chunk in reader.chunks(entry):
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
        self.digests[entry.name] = digest.hexdigest()
        return crc == entry.crc and reader.has_header(entry)

    # -- manifest and signature ----------------------------------------------------------------

    def _manifest(self, reader: Reader) -> dict[str, Any] | None:
        """Judge manifest and signature; returns the manifest where it can be read."""
        octets = {name: self._read(reader, name, _SMALL_BYTES) for name in LAST}
        absent = [name for name, content in octets.items() if content is None]
        if absent:
            self.parts += [Part(name, False, "missing") for name in absent]
            return None
        certificate, told, signature = (octets[name] or b"" for name in LAST)
        good = verifies(certificate, told, signature)
        said = f"over {MANIFEST}, with the key of {CERTIFICATE}"
        self.parts.append(Part(SIGNATURE, good, said if good else f"does not belong {said}"))
        try:
            plain = json.loads(told)
            listed = {one["path"]: (one["size_bytes"], one["sha256"]) for one in plain["files"]}
            shown = Shown(plain["identifiers"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.parts.append(Part(MANIFEST, False, f"no manifest: {type(error).__name__}"))
            return None
        self._listed(reader, listed)
        return {**plain, "identifiers": shown.value}

    def _listed(self, reader: Reader, listed: dict[str, tuple[Any, Any]]) -> None:
        """Compare the manifest with the files."""
        present = {one.name: one for one in reader.entries if one.name not in {MANIFEST, SIGNATURE}}
        wrong = [
            Part(name, False, "listed, and missing") for name in listed.keys() - present.keys()
        ]
        for name, entry in present.items():
            if name not in listed:
                wrong.append(Part(name, False, "added: the manifest does not list it"))
            elif listed[name] != (entry.size_bytes, self.digests[name]):
                wrong.append(Part(name, False, "altered: size or SHA-256 is not the manifest's"))
        self.parts += sorted(wrong, key=lambda one: one.name)[:_MOST_SAID]
        if not wrong:
            said = f"sizes and SHA-256 of {counted(len(present), 'file')}"
            self.parts.append(Part(MANIFEST, True, said))

    # -- what stands in it ---------------------------------------------------------------------

    def _content(self, reader: Reader, manifest: dict[str, Any]) -> DustRecord | None:
        """Render everything that follows from record and events, and compare."""
        shown = Shown(manifest["identifiers"])
        events = PackedEvents(self._lines(reader, reports.EVENTS))
        try:
            left_out = tuple(str(one) for one in manifest["left_out"])
            self.steps.say("reading the record")
            record = record_form.load_lines(self._lines(reader, RECORD))
            self.steps.say("rendering reports anew")
            made = pack.derived(record, events, shown, left_out)
            same = {name: self._is(name, content) for name, content in made.items()}
        except _BROKEN as error:
            said = f"cannot be read: {type(error).__name__}: {error}"
            self.parts.append(Part(RECORD, False, said[:300]))
            return None
        self._rendered(reader, record, same)
        self._remade(reader, record, shown, left_out)
        self._events(events)
        self._files(reader, record)
        self._sums(reader, record)
        return record

    def _is(self, name: str, content: pack.Content) -> bool:
        """Say whether a file of the pack holds these octets."""
        digest = hashlib.sha256()
        for chunk in chunks_of(content):
            digest.update(chunk)
        return self.digests.get(name) == digest.hexdigest()

    def _rendered(self, reader: Reader, record: DustRecord, same: dict[str, bool]) -> None:
        """Compare what was rendered anew; reports only where the same programs render them."""
        other = _other_programs(record)
        present = {one.name for one in reader.entries}
        stale = {name for name in present if name.startswith(f"{FOLDER}/")} - same.keys()
        self.parts += [Part(name, False, "of no day of this run") for name in sorted(stale)]
        for name, good in sorted(same.items()):
            said = "as it follows from the record" if good else "does not follow from the record"
            if not good and other and name in reports.RENDERERS:
                self.parts.append(Part(name, None, f"not comparable: {other}"))
            else:
                self.parts.append(Part(name, good, said))

    def _remade(
        self,
        reader: Reader,
        record: DustRecord,
        shown: Shown,
        left_out: Sequence[str],
    ) -> None:
        """Make certificate, manifest and signature again, from the run's seed."""
        listed = [
            Packed(one.name, one.size_bytes, self.digests[one.name])
            for one in reader.entries
            if one.name not in {MANIFEST, SIGNATURE}
        ]
        key = key_of_run(record.header)
        due = pack_parts.manifest(record, shown, listed, left_out)
        for name, content, what in (
            (CERTIFICATE, key.certificates, "the key of this run's seed"),
            (MANIFEST, due, "of the one form"),
            (SIGNATURE, key.sign(due), "by the key of this run's seed"),
        ):
            good = self._read(reader, name, _SMALL_BYTES) == content
            self.parts.append(Part(name, good, what if good else f"is not {what}"))

    def _events(self, events: PackedEvents) -> None:
        """Tell whether events are numbered without gaps, each in its one form."""
        said = events.wrong or f"{counted(events.count, 'event')} without gaps"
        self.parts.append(Part(reports.EVENTS, not events.wrong, said))

    def _files(self, reader: Reader, record: DustRecord) -> None:
        """Check that index and files name the same, and that nothing is inside that must not be."""
        listed = {one.path: (one.size_bytes, one.sha256) for one in record.files}
        present = {
            one.name: (one.size_bytes, self.digests[one.name])
            for one in reader.entries
            if one.name.startswith(FILES)
        }
        wrong = [
            Part(name, False, "index and files differ")
            for name in sorted(listed.keys() | present.keys())
            if listed.get(name) != present.get(name)
        ]
        wrong += [
            Part(one.name, False, "must not be in a pack")
            for one in reader.entries
            if pack.is_never_packed(one.name)
        ]
        self.parts += wrong[:_MOST_SAID] or [
            Part(FILES, True, f"{counted(len(listed), 'file')}, as indexed")
        ]

    def _sums(self, reader: Reader, record: DustRecord) -> None:
        names = [one.name for one in reader.entries if one.name.startswith(f"{FOLDER}/")]
        written = {name: self._read(reader, name, _SMALL_BYTES) or b"" for name in names}
        said = reconcile_mrr(record, written)
        told = "; ".join(said[:5]) if said else "histories, states and MRR agree"
        self.parts.append(Part("totals", not said, told))

    @staticmethod
    def _lines(reader: Reader, name: str) -> Iterator[bytes]:
        """Yield the lines of a file of the pack; none where it is not there or too long."""
        entry = reader.find(name)
        if entry is not None and entry.size_bytes <= _DOCUMENT_BYTES:
            yield from lines_in(reader.chunks(entry))

    @staticmethod
    def _read(reader: Reader, name: str, limit_bytes: int) -> bytes | None:
        entry = reader.find(name)
        if entry is None:
            return None
        try:
            return reader.read(entry, limit_bytes)
        except RefusedError:
            return None


def _other_programs(record: DustRecord) -> str:
    """Say what rendered a pack's reports that is of another version here; empty for nothing."""
    ours = {**pack_parts.versions(), "smetsbench": version()}
    theirs = {**record.header.versions, "smetsbench": record.header.version}
    differing = [name for name in _RENDER if name in theirs and theirs[name] != ours.get(name)]
    return ", ".join(f"written with {name} {theirs[name]}, here {ours[name]}" for name in differing)


def opened(path: Path) -> DustRecord:
    """Return the record of a pack that is intact.

    Raises:
        UsageError: It is not, or is no pack.
    """
    found = verify(path)
    failed = next((one for one in found.parts if one.ok is False), None)
    if failed is not None:
        raise UsageError(
            f"the pack is not as it was written: {failed.name}: {failed.says}",
            where=str(path),
            cause="a copy that broke off, or someone altered it",
            next_command=f"smetsbench dust verify {path}",
        )
    with path.open("rb") as file:
        reader = Reader(file)
        entry = reader.find(RECORD)
        chunks: Iterable[bytes] = () if entry is None else reader.chunks(entry)
        return record_form.load_lines(lines_in(chunks))
