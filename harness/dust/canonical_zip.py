"""Zip archives of one form only: stored, one moment, one order; written whole, read strictly.

What is stored depends on no compressor's version, so that an archive can be rebuilt octet for
octet anywhere, and nothing in it grows when it is opened.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

#: Octets that are read or written at once.
CHUNK_BYTES: Final = 1 << 18
#: An archive is shorter than this: longer ones need fields that this form does not have.
LIMIT_BYTES: Final = (1 << 32) - 1
MOST_ENTRIES: Final = 250_000
LONGEST_NAME_BYTES: Final = 1024

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_VERSION: Final = 20
_MADE_BY: Final = 3 << 8 | _VERSION  # a Unix system
_UTF8: Final = 1 << 11
_ENCRYPTED: Final = 1 << 0 | 1 << 6
_DAY: Final = 1 << 5 | 1  # 1 January 1980, midnight
_REGULAR: Final = 0o100644
_SYMLINK, _KIND = 0o120000, 0o170000
_FULL: Final = 0xFFFF  # entries of a plain end record; from here on there is a long one


class RefusedError(ValueError):
    """An archive is not of this form.

    Attributes:
        reason: One word: ``path-traversal``, ``encrypted``…
        entry: Name it is about; empty for the archive.
    """

    def __init__(self, reason: str, says: str, entry: str = "") -> None:
        super().__init__(f"{reason}: {says}")
        self.reason = reason
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive.

    Attributes:
        name: Its path, ``/`` between parts.
        size_bytes: Octets.
        crc: CRC-32 of them.
        offset: Where its header begins.
    """

    name: str
    size_bytes: int
    crc: int
    offset: int

    @property
    def data_offset(self) -> int:
        """Where its octets begin."""
        return self.offset + _LOCAL.size + len(self.name.encode())

    def local_header(self) -> bytes:
        """Return what stands before its octets."""
        name = self.name.encode()
        size = self.size_bytes
        fixed = (b"PK\3\4", _VERSION, _UTF8, 0, 0, _DAY, self.crc, size, size, len(name), 0)
        return _LOCAL.pack(*fixed) + name

    def central_header(self) -> bytes:
        """Return its line of the directory."""
        name, size = self.name.encode(), self.size_bytes
        fixed = (b"PK\1\2", _MADE_BY, _VERSION, _UTF8, 0, 0, _DAY, self.crc, size, size)
        return _CENTRAL.pack(*fixed, len(name), 0, 0, 0, 0, _REGULAR << 16, self.offset) + name


def directory(entries: Iterable[Entry], offset: int) -> bytes:
    """Return the directory of an archive and all that follows it.

    Args:
        entries: Its files, in order.
        offset: Where the directory begins.
    """
    rows = [one.central_header() for one in entries]
    table, count = b"".join(rows), len(rows)
    end = b""
    if count >= _FULL:
        behind = offset + len(table)
        both = (_VERSION, _VERSION, 0, 0, count, count, len(table), offset)
        end = _END64.pack(b"PK\6\6", _END64.size - 12, *both)
        end += _LOCATOR.pack(b"PK\6\7", 0, behind, 1)
        count = _FULL
    return table + end + _END.pack(b"PK\5\6", 0, 0, count, count, len(table), offset, 0)


class Writer:
    """Writes an archive, one file after the other; complete after ``close``."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin an archive in an empty file that can be sought in."""
        self._file = file
        self._names: set[str] = set()
        self.entries: list[Entry] = []

    def add(self, name: str, content: bytes | Path | Iterable[bytes]) -> tuple[int, str]:
        """Add a file.

        Args:
            name: Its path in the archive.
            content: Its octets, at once or in pieces, or the file that holds them.

        Returns:
            Octets and SHA-256 (hex) of what was added.

        Raises:
            RefusedError: A name that no such archive has, or a file too many or too long.
            OSError: A file cannot be read or written.
        """
        refuse_name(name, self._names)
        if len(self.entries) >= MOST_ENTRIES:
            raise RefusedError("entries", f"an archive holds {MOST_ENTRIES} files", name)
        start = self._file.tell()
        blank = Entry(name, 0, 0, start)
        self._file.write(blank.local_header())
        size, crc, digest = 0, 0, hashlib.sha256()
        for chunk in chunks_of(content):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
            digest.update(chunk)
            if start + size >= LIMIT_BYTES:
                raise RefusedError("size", f"an archive is shorter than {LIMIT_BYTES} octets", name)
            self._file.write(chunk)
        entry = Entry(name, size, crc, start)
        self._file.seek(start)
        self._file.write(entry.local_header())
        self._file.seek(0, 2)
        self.entries.append(entry)
        return size, digest.hexdigest()

    def close(self) -> None:
        """Write the directory.

        Raises:
            RefusedError: The archive has grown too long.
        """
        end = directory(self.entries, self._file.tell())
        if self._file.tell() + len(end) > LIMIT_BYTES:
            raise RefusedError("size", f"an archive is shorter than {LIMIT_BYTES} octets")
        self._file.write(end)


def chunks_of(content: bytes | Path | Iterable[bytes]) -> Iterator[bytes]:
    """Yield octets that are there at once, in pieces, or in a file, piece by piece.

    Raises:
        OSError: The file cannot be read.
    """
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, Path):
        with content.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    else:
        yield from content


def refuse_name(name: str, seen: set[str]) -> None:
    """Refuse a name that leads elsewhere, hides something, or stands twice; else remember it.

    Raises:
        RefusedError: It is one of those.
    """
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        raise RefusedError("path-traversal", "a name leads out of the archive", name)
    odd = any(char < " " or char in "\\\x7f" for char in name)
    if odd or any(part in {"", "."} for part in name.split("/")):
        raise RefusedError("name", "a name is no plain path of a file", name)
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME_BYTES:
        raise RefusedError("name", f"a name is longer than {LONGEST_NAME_BYTES} octets", name)
    if name in seen:
        raise RefusedError("duplicate-name", "a name stands twice", name)
    seen.add(name)


class Reader:
    """Reads an archive of this form; whatever deviates in its directory is refused at once."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the directory; no content is touched.

        Raises:
            RefusedError: It is no archive of this form; says what of it is not.
            OSError: It cannot be read.
        """
        self._file = file
        self.size_bytes = file.seek(0, 2)
        if self.size_bytes > LIMIT_BYTES:
            raise RefusedError("size", f"longer than {LIMIT_BYTES} octets")
        self.directory_offset, self._end, count = self._read_end()
        self.entries = tuple(self._read_entries(count))
        self._by_name = {one.name: one for one in self.entries}

    def _read_end(self) -> tuple[int, int, int]:
        """Return where the directory begins, where it ends, and how many files it names."""
        end = self._at(self.size_bytes - _END.size, _END.size)
        if len(end) < _END.size or end[:4] != b"PK\5\6":
            raise RefusedError("not-a-pack", "no zip archive, or octets behind its end")
        _, disk, first, here, count, table, offset, comment = _END.unpack(end)
        if disk or first or here != count:
            raise RefusedError("not-a-pack", "an archive in several parts")
        if comment:
            raise RefusedError("comment", "the archive has a comment")
        long = _END64.size + _LOCATOR.size if count == _FULL else 0
        if long:
            count = self._long_count(self.size_bytes - _END.size - long)
        if offset + table + long + _END.size != self.size_bytes:
            raise RefusedError("gap", "octets before, between or behind what the archive names")
        if count > MOST_ENTRIES or count * _CENTRAL.size > table:
            raise RefusedError("entries", f"{count} files are named; {MOST_ENTRIES} may be")
        return offset, offset + table, count

    def _long_count(self, offset: int) -> int:
        octets = self._at(max(0, offset), _END64.size)
        if len(octets) < _END64.size or octets[:4] != b"PK\6\6":
            raise RefusedError("not-a-pack", "the long end record is missing")
        return int(_END64.unpack(octets)[7])

    def _read_entries(self, count: int) -> Iterator[Entry]:
        seen: set[str] = set()
        at, expected = self.directory_offset, 0
        for _ in range(count):
            fixed = self._at(at, _CENTRAL.size)
            if at + _CENTRAL.size > self._end or fixed[:4] != b"PK\1\2":
                raise RefusedError("directory", "the directory is shorter than it says")
            row = _CENTRAL.unpack(fixed)
            name = self._name(at + _CENTRAL.size, row[10])
            refuse_name(name, seen)
            entry = _checked(name, row)
            if entry.offset != expected:
                raise RefusedError("overlap", "files overlap, or leave a gap between them", name)
            expected = entry.data_offset + entry.size_bytes
            if expected > self.directory_offset:
                raise RefusedError("size", "a file is longer than the archive", name)
            yield entry
            at += _CENTRAL.size + row[10]
        if at != self._end or expected != self.directory_offset:
            raise RefusedError("gap", "octets that belong to no file")

    def _name(self, offset: int, length: int) -> str:
        octets = self._at(offset, min(length, LONGEST_NAME_BYTES + 1))
        try:
            return octets.decode()
        except UnicodeDecodeError as error:
            raise RefusedError("name", "a name is not UTF-8", octets.hex()) from error

    def find(self, name: str) -> Entry | None:
        """Return the file of a name."""
        return self._by_name.get(name)

    def read(self, entry: Entry, limit_bytes: int) -> bytes:
        """Return the octets of a file.

        Raises:
            RefusedError: They are more than the limit.
            OSError: They cannot be read.
        """
        if entry.size_bytes > limit_bytes:
            raise RefusedError("size", f"more than {limit_bytes} octets", entry.name)
        return self._at(entry.data_offset, entry.size_bytes)

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Yield the octets of a file, piece by piece."""
        at, left = entry.data_offset, entry.size_bytes
        while left:
            chunk = self._at(at, min(left, CHUNK_BYTES))
            if not chunk:
                return
            at, left = at + len(chunk), left - len(chunk)
            yield chunk

    def has_header(self, entry: Entry) -> bool:
        """Say whether the octets before a file are those that belong there."""
        expected = entry.local_header()
        return self._at(entry.offset, len(expected)) == expected

    def has_directory(self) -> bool:
        """Say whether directory and end are, octet for octet, those of these files."""
        rebuilt = directory(self.entries, self.directory_offset)
        return self._at(self.directory_offset, self.size_bytes) == rebuilt

    def _at(self, offset: int, count: int) -> bytes:
        self._file.seek(max(0, offset))
        return self._file.read(count)


def _checked(name: str, row: tuple[int, ...]) -> Entry:
    """Return a line of the directory as a file; refuse what such an archive never holds."""
    flags, method, crc, packed, size = row[3], row[4], row[7], row[8], row[9]
    extra, comment, attributes, offset = row[11], row[12], row[15], row[16]
    if flags & _ENCRYPTED:
        raise RefusedError("encrypted", "a file is encrypted", name)
    if (attributes >> 16) & _KIND == _SYMLINK:
        raise RefusedError("symlink", "a link stands in the place of a file", name)
    if method or packed != size:
        raise RefusedError("compressed", "a file is compressed; nothing was unpacked", name)
    if extra or comment:
        raise RefusedError("extra-field", "a file has an extra field or a comment", name)
    return Entry(name, size, crc, offset)
