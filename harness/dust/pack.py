"""The evidence of a run as one archive: canonical, signed, identifiers replaced."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.dust import index, mrr, pack_parts, reports
from harness.dust.canonical_zip import RefusedError, Writer
from harness.dust.events import DustEvent, lines_of
from harness.dust.pack_parts import CERTIFICATE, FILES, MANIFEST, RECORD, SIGNATURE, Packed
from harness.dust.pseudonyms import Pseudonyms, Shown
from harness.dust.record import CaseResult, Defect, DustRecord, KeptFile
from harness.dust.record_form import Rendered
from harness.dust.run_key import RunKey
from harness.dust.steps_told import OnStep, Steps
from harness.errors import BenchError

NAME: Final = "evidence.zip"
DEFINITION: Final = "definition.toml"
#: Files of the folder that go in as they are, but for identifiers, where there are any.
TRANSCRIPTS: Final = (DEFINITION, reports.EVENTS, "wire.pcapng")
_NEVER_PACKED: Final = re.compile(r"(?i)\.((sqlite|db)(-\w+)?|key)$")
_PRIVATE: Final = (b"PRIVATE KEY-----", b'"private_scalar"')
_PART: Final = ".part"
#: Kind of file that opens a sealed authorisation; without it nobody reads what is sealed.
_OPENS: Final = "MAPASSWORD"
_LOCKED: Final = b"left out: it opens a sealed authorisation, in which nothing was replaced\n"
_LINES: Final = ".jsonl"
_JSON: Final = frozenset({".json", _LINES})
_NEVER: Final = re.compile(r"[\x00-\x1f\x7f\\%]")

Content = bytes | Path | Iterable[bytes]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the parts of a pack come from."""

    folder: Path
    names: Pseudonyms | None  # None: identifiers are shown

    @property
    def replaces(self) -> bool:
        """Whether identifiers are replaced."""
        return self.names is not None and self.names.shown is Shown.PSEUDONYMS

    def content(self, path: Path) -> Content:
        """Return a file as the pack holds it."""
        names = self.names
        if names is None or not self.replaces:
            return path
        if path.suffix == _LINES:  # long, and no identifier goes over the end of a line
            return (names.over(line, json=True) for line in rows_of(path))
        return names.over(path.read_bytes(), json=path.suffix in _JSON)


def write(
    folder: Path,
    record: DustRecord,
    key: RunKey,
    *,
    with_identifiers: bool = False,
    on_step: OnStep | None = None,
) -> Path:
    """Write ``evidence.zip``; one that is there is replaced whole, or not at all.

    Args:
        folder: Run folder: definition, events, capture and files are read from it.
        record: The run; its files are looked up below ``files/``.
        key: The run's key (``run_key.key_of_run``).
        with_identifiers: Whether live EUI-64s, MPxNs and UTRNs go in as they are.
        on_step: Called with how far it is.

    Returns:
        Its path.

    Raises:
        BenchError: A file of the record is missing or another, or the pack would be too large.
        OSError: A file cannot be read or written.
    """
    steps = Steps(on_step)
    record, left_out = _complete(folder, record, steps)
    names = None if with_identifiers else _names(folder, record, steps)
    path = folder / NAME
    fresh = path.with_name(f"{NAME}{_PART}")
    try:
        with fresh.open("wb+") as file:
            source = _Source(folder, names)
            _fill(Writer(file), source, record, key, left_out, steps)
        fresh.replace(path)
    except RefusedError as error:
        raise BenchError(
            f"the evidence cannot be packed: {error}",
            where=f"{path} ({error.entry})",
            cause="more evidence than one archive holds; a shorter run, or one without captures",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)
    return path


def _fill(  # noqa: PLR0913, PLR0917 -- what a pack is made of
    writer: Writer,
    source: _Source,
    record: DustRecord,
    key: RunKey,
    left_out: Sequence[str],
    steps: Steps,
) -> None:
    """Write all parts in their order: what tells of files comes behind them."""
    packed: list[Packed] = []

    def add(name: str, content: Content) -> Packed:
        packed.append(Packed(name, *writer.add(name, content)))
        return packed[-1]

    shown = Shown.PLAIN if source.names is None else source.names.shown
    files = steps.through("packing files", _in_order(record.files))
    kept = [_packed_file(source, one, add) for one in files]
    told = replace(record, files=tuple(kept))
    steps.say("rendering reports for the pack")
    if source.names is not None:
        told = reports.veiled(told, source.names)
    for name, content in sorted(_documents(source, told, shown, left_out).items()):
        add(name, content)
    add(CERTIFICATE, key.certificates)
    listed = pack_parts.manifest(told, shown, packed, left_out)
    writer.add(MANIFEST, listed)
    writer.add(SIGNATURE, key.sign(listed))
    writer.close()


def _in_order(files: Sequence[KeptFile]) -> list[KeptFile]:
    return sorted(files, key=lambda one: pack_parts.order(_plain(one.path)))


def _packed_file(source: _Source, one: KeptFile, add: Callable[[str, Content], Packed]) -> KeptFile:
    """Pack a file of the run; returns it as it is in the pack."""
    path = source.folder / one.path
    name = _plain(one.path)
    if source.names is not None:
        name = source.names.text(name)
    hidden = source.replaces and one.kind == _OPENS
    told = add(name, _LOCKED if hidden else source.content(path))
    return replace(one, path=name, size_bytes=told.size_bytes, sha256=told.sha256)


def _documents(
    source: _Source, record: DustRecord, shown: Shown, left_out: Sequence[str]
) -> Mapping[str, Content]:
    """Return what tells of the run, by name: transcripts, and all that follows from the record."""
    folder = source.folder
    found: dict[str, Content] = {
        name: source.content(folder / name) for name in TRANSCRIPTS if (folder / name).is_file()
    }
    log = folder / reports.EVENTS
    found.setdefault(reports.EVENTS, b"")
    names = source.names if source.replaces else None
    events = reports.events_of(log if log.is_file() else b"", names)
    return found | derived(record, events, shown, left_out)


def derived(
    record: DustRecord, events: Iterable[DustEvent], shown: Shown, left_out: Sequence[str]
) -> dict[str, Content]:
    """Return all that follows from record and events: part of a pack -> octets.

    Args:
        record: The run, as the pack tells it.
        events: Its events likewise, in order; they are gone through once.
        shown: What a reader sees of identifiers.
        left_out: Names of what stays out.

    Raises:
        ValueError: The events are no events.
    """
    return {
        RECORD: Rendered(record),
        index.NAME: index.render(record),
        pack_parts.COVER: pack_parts.cover(record, shown, left_out),
        pack_parts.ENVIRONMENT: pack_parts.environment(record),
        **mrr.tables(record),
        **reports.rendered(record, events, shown),
    }


# -- which files -------------------------------------------------------------------------------


def _complete(folder: Path, record: DustRecord, steps: Steps) -> tuple[DustRecord, tuple[str, ...]]:
    """Return the record with every file below ``files/``, and the names of what stays out.

    Raises:
        BenchError: A file of the record is missing, or is another one than it was.
    """
    known = {one.path: one for one in record.files if one.path.startswith(FILES)}
    left_out = sorted(one.path for one in record.files if not one.path.startswith(FILES))
    left_out = [name for name in left_out if name not in _made(record)]
    kept: list[KeptFile] = []
    for name in steps.through("looking at files", sorted({*known, *_below(folder)})):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise _missing(path, "it is not there")
        size, digest, private = _looked_at(path)
        one = known.get(name)
        if private or is_never_packed(name):
            left_out.append(name)
        elif one is None:
            kept.append(KeptFile(name, size, digest, "", "", "unlisted", ""))
        elif (one.size_bytes, one.sha256) != (size, digest):
            raise _missing(path, "its octets are others than those that were recorded")
        else:
            kept.append(one)
    return _with_paths(replace(record, files=tuple(kept))), tuple(left_out)


def _made(record: DustRecord) -> set[str]:
    """Return what the pack holds anyway, so that a record may list it."""
    return {*TRANSCRIPTS, "run.json", RECORD, index.NAME, *mrr.tables(record), *reports.RENDERERS}


def is_never_packed(name: str) -> bool:
    """Say whether a name is that of a journal or a private key."""
    return _NEVER_PACKED.search(name) is not None


def _below(folder: Path) -> Iterator[str]:
    for path in (folder / FILES).rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix != _PART:
            yield path.relative_to(folder).as_posix()


def _looked_at(path: Path) -> tuple[int, str, bool]:
    """Return size and SHA-256 of a file, and whether a private key stands in it."""
    digest, size, private, tail = hashlib.sha256(), 0, False, b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
            private = private or any(mark in tail + chunk for mark in _PRIVATE)
            tail = chunk[-64:]
    return size, digest.hexdigest(), private


def _missing(path: Path, why: str) -> BenchError:
    return BenchError(
        f"a file of the evidence cannot be packed: {why}",
        where=str(path),
        cause="files of the run folder were changed, or the disk was full",
        next_command="run it again into another folder",
    )


def _plain(name: str) -> str:
    """Return a path that any system can unpack: odd characters as ``%5C``."""
    return _NEVER.sub(lambda found: f"%{ord(found[0]):02X}", name)


def _with_paths(record: DustRecord) -> DustRecord:
    """Return a record whose cases and defects name files as the pack does."""

    def over(one: CaseResult) -> CaseResult:
        told = (replace(part, files=tuple(map(_plain, part.files))) for part in one.expected)
        return replace(one, expected=tuple(told))

    def defect(one: Defect) -> Defect:
        return replace(one, files=tuple(map(_plain, one.files)))

    return replace(
        record,
        cases=tuple(map(over, record.cases)),
        defects=tuple(map(defect, record.defects)),
    )


def _names(folder: Path, record: DustRecord, steps: Steps) -> Pseudonyms:
    """Return pseudonyms for everything the pack is going to hold, reports' first."""
    events = folder / reports.EVENTS
    steps.say("looking for identifiers")
    names = reports.names_of(record, lines_of(events if events.is_file() else b""))
    paths = [*(folder / name for name in TRANSCRIPTS), *(folder / one.path for one in record.files)]
    for path in steps.through("looking for identifiers", paths):
        if path.is_file() and path.name != reports.EVENTS:
            ours = path.name in TRANSCRIPTS or path.suffix in _JSON
            for octets in rows_of(path) if path.suffix == _LINES else (path.read_bytes(),):
                names.learn(octets, ours=ours)
    return names


def rows_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, the last one whole or not."""
    with path.open("rb") as file:
        yield from file
