"""Archives of one form: what is written is read back, anything else is refused by name."""

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from harness.dust.canonical_zip import Reader, RefusedError
from tests.harness.dust.dust_archives import archive, files_of

FILES = {"files/a.xml": b"<a/>" * 99, "empty": b"", "übung.txt": "é".encode()}


def foreign(info: zipfile.ZipInfo, content: bytes = b"x" * 1000, **more: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(info, content, **more)
    return out.getvalue()


def named(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o100644 << 16
    return info


def test_what_is_written_is_read_back_and_by_others_too() -> None:
    octets = archive(FILES)
    reader = Reader(io.BytesIO(octets))
    assert files_of(octets) == FILES
    assert reader.has_directory()
    assert all(map(reader.has_header, reader.entries))
    with zipfile.ZipFile(io.BytesIO(octets)) as other:
        assert {name: other.read(name) for name in other.namelist()} == FILES
        assert other.testzip() is None
        assert {one.date_time for one in other.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_same_files_give_the_same_octets() -> None:
    assert archive(FILES) == archive(FILES)


@pytest.mark.soak
@pytest.mark.timeout(120)
def test_more_files_than_a_short_directory_can_count() -> None:
    files = {f"files/{number:06d}": b"" for number in range(66_000)}
    octets = archive(files)
    assert len(Reader(io.BytesIO(octets)).entries) == len(files)
    with zipfile.ZipFile(io.BytesIO(octets)) as other:
        assert len(other.namelist()) == len(files)


def _duplicate() -> bytes:
    return archive({"a": b"1", "b": b"2"}).replace(b"b", b"a")


def _encrypted() -> bytes:
    octets = bytearray(archive({"a": b"1"}))
    octets[octets.index(b"PK\1\2") + 8] |= 1
    return bytes(octets)


def _symlink() -> bytes:
    info = named("link")
    info.external_attr = 0o120777 << 16
    return foreign(info, b"/etc/passwd")


def _bomb() -> bytes:
    return foreign(named("bomb"), bytes(5_000_000), compress_type=zipfile.ZIP_DEFLATED)


def _claims_more() -> bytes:
    octets = bytearray(archive({"a": b"1"}))
    at = octets.index(b"PK\1\2") + 20
    octets[at : at + 8] = struct.pack("<2L", 2**31, 2**31)
    return bytes(octets)


def _many() -> bytes:
    octets = bytearray(archive({"a": b"1"}))
    octets[-14:-10] = struct.pack("<2H", 60_000, 60_000)
    return bytes(octets)


def _extra() -> bytes:
    info = named("a")
    info.extra = b"\x01\x00\x04\x00abcd"
    return foreign(info)


def _comment() -> bytes:
    out = io.BytesIO(archive({"a": b"1"}))
    with zipfile.ZipFile(out, "a") as made:
        made.comment = b"hello"
    return out.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"not a zip at all, and longer than an end record", "not-a-pack"),
    "empty file": (lambda: b"", "not-a-pack"),
    "a name twice": (_duplicate, "duplicate-name"),
    "encrypted": (_encrypted, "encrypted"),
    "a link": (_symlink, "symlink"),
    "a bomb": (_bomb, "compressed"),
    "a size beyond the archive": (_claims_more, "size"),
    "more files than there are": (_many, "entries"),
    "an extra field": (_extra, "extra-field"),
    "octets behind the end": (lambda: archive({"a": b"1"}) + b"more", "not-a-pack"),
    "octets before the beginning": (lambda: b"MZ" + archive({"a": b"1"}), "gap"),
    "a parent folder": (lambda: foreign(named("a/../../etc/x")), "path-traversal"),
    "an absolute path": (lambda: foreign(named("/etc/x")), "path-traversal"),
    "a drive": (lambda: foreign(named("c:x")), "path-traversal"),
    "a backslash": (lambda: foreign(named("a\\b")), "name"),
    "a folder": (lambda: foreign(named("a/"), b""), "name"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_such_an_archive_never_is_is_refused_by_name(what: str) -> None:
    made, reason = REFUSED[what]
    with pytest.raises(RefusedError) as caught:
        Reader(io.BytesIO(made()))
    assert caught.value.reason == reason


def test_a_comment_is_refused() -> None:
    with pytest.raises(RefusedError):
        Reader(io.BytesIO(_comment()))


@pytest.mark.parametrize("name", ["", "/a", "../a", "a//b", "a/./b", "a\nb", "x" * 2000])
def test_a_name_that_no_archive_has_is_not_written(name: str) -> None:
    with pytest.raises(RefusedError):
        archive({name: b""})


def test_a_file_is_not_read_beyond_its_limit() -> None:
    reader = Reader(io.BytesIO(archive(FILES)))
    with pytest.raises(RefusedError, match="size"):
        reader.read(reader.entries[0], 10)
