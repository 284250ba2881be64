"""A pack holds everything, is the same for the same run, and whatever is altered is found."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.chance import Chance, Stream
from emulator.crypto.key_files import pem
from emulator.crypto.signature import ORDER
from harness.dust import pack, pack_parts
from harness.dust.canonical_zip import Reader
from harness.dust.pack_parts import CERTIFICATE, MANIFEST, SIGNATURE, Packed
from harness.dust.pseudonyms import Shown
from harness.dust.record import DustRecord
from harness.dust.record_form import load, render
from harness.dust.run_key import key_of_run, verifies
from harness.dust.verify import Verified, check, verify
from harness.errors import BenchError, UsageError
from harness.migration.states import State
from tests.harness.dust import dust_sample
from tests.harness.dust.dust_archives import Files, archive, files_of
from tests.sampling import examples


def packed(
    folder: Path, count: int = 8, *, with_identifiers: bool = False
) -> tuple[DustRecord, bytes]:
    record = dust_sample.filled(folder, count)
    return record, pack.write(
        folder, record, key_of_run(record.header), with_identifiers=with_identifiers
    ).read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A pack of eight installations."""
    return packed(tmp_path_factory.mktemp("pack"))[1]


def checked(octets: bytes) -> Verified:
    return check(io.BytesIO(octets), "evidence.zip")


def failing(octets: bytes) -> set[str]:
    return {one.name for one in checked(octets).parts if one.ok is False}


def signed_again(files: Files) -> bytes:
    """What someone makes who has our program and the seed: manifest and signature anew."""
    record = load(files["record.json"])
    body = {one: files[one] for one in sorted(files, key=pack_parts.order)}
    del body[MANIFEST], body[SIGNATURE]
    listed = [Packed(name, len(it), hashlib.sha256(it).hexdigest()) for name, it in body.items()]
    shown = Shown(json.loads(files[MANIFEST])["identifiers"])
    told = pack_parts.manifest(record, shown, listed, ())
    return archive({**body, MANIFEST: told, SIGNATURE: key_of_run(record.header).sign(told)})


def test_a_pack_is_intact_and_says_so_part_by_part(whole: bytes) -> None:
    found = checked(whole)
    assert found.intact
    assert (found.run, found.identifiers) == ("SEC-2022-A", "made-up")
    assert found.sha256 == hashlib.sha256(whole).hexdigest()
    assert all(one.ok for one in found.parts)
    names = {one.name for one in found.parts}
    assert {"archive", "report.html", "index.csv", "totals", SIGNATURE, CERTIFICATE} <= names


def test_a_pack_holds_every_file_as_it_is(tmp_path: Path) -> None:
    record, octets = packed(tmp_path)
    files = files_of(octets)
    for one in record.files:
        assert files[one.path] == (tmp_path / one.path).read_bytes()
    for name in ("definition.toml", "events.jsonl", "wire.pcapng"):
        assert files[name] == (tmp_path / name).read_bytes()
    wanted = {"cover.md", "record.json", "index.csv", "environment.json", "report.md", "junit.xml"}
    assert wanted <= files.keys()
    assert any(name.startswith("mrr/weekly-") for name in files)
    assert load(files["record.json"]).installations == record.installations


def test_two_packs_of_one_run_are_equal_octet_for_octet(tmp_path: Path) -> None:
    assert packed(tmp_path / "a")[1] == packed(tmp_path / "b")[1]


def test_packing_again_leaves_one_pack_the_same(tmp_path: Path) -> None:
    record, octets = packed(tmp_path)
    assert pack.write(tmp_path, record, key_of_run(record.header)).read_bytes() == octets
    assert [one.name for one in tmp_path.glob("evidence*")] == ["evidence.zip"]


def test_others_can_open_a_pack_and_openssl_can_check_it(whole: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path)
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    key = tmp_path / "key.pem"
    told = ("x509", "-in", CERTIFICATE, "-pubkey", "-noout", "-out", key.name)
    subprocess.run([openssl, *told], cwd=tmp_path, check=True)
    told = ("dgst", "-sha256", "-verify", key.name, "-signature", SIGNATURE, MANIFEST)
    done = subprocess.run([openssl, *told], cwd=tmp_path, check=True, capture_output=True)
    assert b"Verified OK" in done.stdout


# -- whatever is altered is found --------------------------------------------------------------


def mutated(octets: bytes, draw: Stream, at: int | None = None) -> bytes:
    """The octets with one flipped, put in or taken out."""
    place = draw.below(len(octets)) if at is None else at
    way = draw.below(4)
    if way == 0:
        return octets[:place] + octets[place + 1 :]
    if way == 1:
        return octets[:place] + bytes([draw.below(256)]) + octets[place:]
    other = octets[place] ^ (1 << draw.below(8))
    return octets[:place] + bytes([other]) + octets[place + 1 :]


def test_an_octet_altered_added_or_removed_anywhere_is_found(whole: bytes) -> None:
    draw = Chance(1).stream("mutations")
    for _ in range(examples(3000)):
        other = mutated(whole, draw)
        assert other == whole or not checked(other).intact


def test_every_octet_of_the_end_is_guarded(whole: bytes) -> None:
    for at in range(len(whole) - 22, len(whole)):
        for bit in (1, 128):
            other = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
            assert not checked(other).intact


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_octet_of_the_directory_and_twenty_thousand_others(whole: bytes) -> None:
    begins = Reader(io.BytesIO(whole)).directory_offset
    for at in range(begins, len(whole)):
        other = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        assert not checked(other).intact, at
    draw = Chance(2).stream("mutations")
    for number in range(20_000):
        other = mutated(whole, draw, number * len(whole) // 20_000)
        assert other == whole or not checked(other).intact, number


@pytest.mark.parametrize("more", [b"\0", b"PK\5\6" + bytes(18), b"a line\n"])
def test_octets_behind_the_end_are_found(whole: bytes, more: bytes) -> None:
    assert failing(whole + more) == {"archive"}


@pytest.mark.parametrize("length", [0, 10, 22, 1000])
def test_a_cut_pack_is_found(whole: bytes, length: int) -> None:
    assert failing(whole[:length]) == {"archive"}


def test_an_altered_file_is_named(whole: bytes) -> None:
    files = files_of(whole)
    files["files/in/0001-MA.csv"] += b" "
    assert failing(archive(files)) == {"files/in/0001-MA.csv"}


def test_an_added_and_a_missing_file_are_named(whole: bytes) -> None:
    files = files_of(whole)
    body = {"files/in/0000": b"x", **files}
    assert "files/in/0000" in failing(archive(body))
    del files["files/in/0001-MA.csv"]
    assert "files/in/0001-MA.csv" in failing(archive(files))


def test_files_in_another_order_are_found(whole: bytes) -> None:
    files = files_of(whole)
    assert "archive" in failing(archive(dict(reversed(files.items()))))


def test_the_other_signature_of_the_same_manifest_is_found(whole: bytes) -> None:
    """Of each signature (r, s) there is (r, n - s), and it verifies."""
    files = files_of(whole)
    r, s = utils.decode_dss_signature(files[SIGNATURE])
    files[SIGNATURE] = utils.encode_dss_signature(r, ORDER - s)
    assert failing(archive(files)) == {SIGNATURE}


def _other_report(files: Files) -> None:
    files["report.html"] = files["report.html"].replace(b"FAIL", b"PASS")


def _other_index(files: Files) -> None:
    files["index.csv"] = files["index.csv"].replace(b"accepted", b"refused!")


def _other_mrr(files: Files) -> None:
    name = next(name for name in files if name.startswith("mrr/"))
    files[name] = files[name].replace(b",stand-in", b",source:DCC", 1)


def _other_cover(files: Files) -> None:
    files["cover.md"] = files["cover.md"].replace(b"**FAIL**", b"**PASS**")


def _other_verdict(files: Files) -> None:
    files["record.json"] = files["record.json"].replace(b'"verdict": "FAIL"', b'"verdict": "PASS"')


def _other_state(files: Files) -> None:
    record = load(files["record.json"])
    record.installations[0].state = State.VIABLE
    files["record.json"] = render(record).encode()


def _one_event_less(files: Files) -> None:
    lines = files["events.jsonl"].splitlines(keepends=True)
    files["events.jsonl"] = b"".join(lines[:5] + lines[6:])


def _other_file(files: Files) -> None:
    files["files/in/0001-MA.csv"] += b" "


def _a_journal(files: Files) -> None:
    files["files/journal.sqlite"] = b"SQLite format 3"


TAMPERED: dict[str, tuple[Callable[[Files], None], str]] = {
    "a report": (_other_report, "report.html"),
    "the index": (_other_index, "index.csv"),
    "the MRR": (_other_mrr, "totals"),
    "the cover": (_other_cover, "cover.md"),
    "a verdict in the record": (_other_verdict, "report.html"),
    "a state in the record": (_other_state, "totals"),
    "an event": (_one_event_less, "events.jsonl"),
    "a file": (_other_file, "files/in/0001-MA.csv"),
    "a journal": (_a_journal, "files/journal.sqlite"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_altered_and_signed_again_does_not_follow_from_the_rest(
    whole: bytes, what: str
) -> None:
    change, part = TAMPERED[what]
    files = files_of(whole)
    change(files)
    assert part in failing(signed_again(files))


def test_signing_again_without_a_change_gives_the_same_pack(whole: bytes) -> None:
    assert signed_again(files_of(whole)) == whole


def test_the_key_of_another_seed_is_found(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 8)
    other = key_of_run(replace(record.header, seed=8))
    octets = pack.write(tmp_path, record, other).read_bytes()
    assert failing(octets) == {CERTIFICATE, SIGNATURE}


@pytest.mark.parametrize("program", ["smetsbench", "jinja2"])
def test_reports_that_other_programs_wrote_are_not_judged_where_they_differ(
    tmp_path: Path, program: str
) -> None:
    record = dust_sample.filled(tmp_path, 8)
    head = replace(record.header, versions={**record.header.versions, program: "0.0.9"})
    head = replace(head, version="0.0.9") if program == "smetsbench" else head
    record = replace(record, header=head)
    octets = pack.write(tmp_path, record, key_of_run(record.header)).read_bytes()
    assert checked(octets).intact
    files = files_of(octets)
    _other_report(files)
    found = checked(signed_again(files))
    assert [(one.name, one.ok) for one in found.parts if not one.ok] == [("report.html", None)]
    assert f"written with {program} 0.0.9" in next(one.says for one in found.parts if not one.ok)
    _other_mrr(files)
    assert "totals" in failing(signed_again(files))


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"{}", b"null", b'{"files": [{"path": 1}]}']
)
def test_a_manifest_or_record_that_is_none_is_refused_quietly(whole: bytes, content: bytes) -> None:
    for name in (MANIFEST, "record.json", "events.jsonl"):
        files = files_of(whole)
        assert failing(archive({**files, name: content}))


def with_record(whole: bytes, content: bytes) -> bytes:
    """A pack with another record, signed again."""
    files = files_of(whole)
    record = load(files["record.json"])
    files["record.json"] = content
    body = {one: it for one, it in files.items() if one not in {MANIFEST, SIGNATURE}}
    listed = [Packed(name, len(it), hashlib.sha256(it).hexdigest()) for name, it in body.items()]
    told = pack_parts.manifest(record, Shown.MADE_UP, listed, ())
    return archive({**body, MANIFEST: told, SIGNATURE: key_of_run(record.header).sign(told)})


@pytest.mark.parametrize("content", [b"[" * 100_000, b"null", b"{}", b"[1, 2]", b'{"header": 1}'])
def test_a_record_that_is_none_is_named_even_when_signed(whole: bytes, content: bytes) -> None:
    assert failing(with_record(whole, content)) == {"record.json"}


_VALUES = ("1", "-1", "1e400", "null", "[]", "{}", '""', '"x"', "true", "9" * 30, '"9999-12-31"')


@settings(max_examples=examples(160), deadline=None)
@given(st.data())
def test_whatever_value_a_signed_record_holds_the_check_comes_to_an_end(
    whole: bytes, data: st.DataObject
) -> None:
    text = files_of(whole)["record.json"].decode()
    scalars = list(re.finditer(r'(?<=: )("[^"]*"|-?\d+|true|false|null)(?=[,}\n])', text))
    found = data.draw(st.sampled_from(scalars))
    value = data.draw(st.sampled_from(_VALUES))
    other = text[: found.start()] + value + text[found.end() :]
    assert checked(with_record(whole, other.encode())).parts


def test_what_is_not_there_is_said_for_people(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        verify(tmp_path / "none.zip")


# -- what goes in ------------------------------------------------------------------------------


def test_journals_and_private_keys_stay_out_and_the_cover_names_them(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 4)
    (tmp_path / "journal.sqlite").write_bytes(b"SQLite format 3")
    (tmp_path / "files/in/supplier.key").write_bytes(b"secret")
    key = b"x" * (1 << 20) + b"-----BEGIN PRIVATE KEY-----\nMIG"
    (tmp_path / "files/in/0099.pem").write_bytes(key)
    octets = pack.write(tmp_path, record, key_of_run(record.header)).read_bytes()
    files = files_of(octets)
    assert not [name for name in files if "sqlite" in name or ".key" in name or "0099" in name]
    assert b"files/in/0099.pem" in files["cover.md"]
    assert b"files/in/supplier.key" in files["cover.md"]
    assert checked(octets).intact


def test_a_file_that_nobody_listed_goes_in_and_is_listed(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 4)
    (tmp_path / "files/in/more\\odd %.txt").write_bytes(b"more")
    octets = pack.write(tmp_path, record, key_of_run(record.header)).read_bytes()
    files = files_of(octets)
    assert files["files/in/more%5Codd %25.txt"] == b"more"
    assert b"files/in/more%5Codd %25.txt,4," in files["index.csv"]
    assert checked(octets).intact


@pytest.mark.parametrize("how", ["missing", "altered", "link"])
def test_a_file_that_is_not_as_it_was_is_not_packed(tmp_path: Path, how: str) -> None:
    record = dust_sample.filled(tmp_path, 4)
    path = tmp_path / record.files[0].path
    content = path.read_bytes()
    path.unlink()
    if how == "altered":
        path.write_bytes(content + b" ")
    elif how == "link":
        (tmp_path / "elsewhere").write_bytes(content)
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BenchError, match="cannot be packed"):
        pack.write(tmp_path, record, key_of_run(record.header))
    assert not list(tmp_path.glob("evidence*"))


@pytest.mark.parametrize("asked", [False, True])
def test_live_identifiers_are_replaced_everywhere_unless_asked_for(
    tmp_path: Path, asked: bool
) -> None:
    record = dust_sample.filled(tmp_path, 8, prefix=b"\x00\xdb")
    path = pack.write(tmp_path, record, key_of_run(record.header), with_identifiers=asked)
    found = verify(path)
    assert found.intact
    assert found.identifiers == ("plain" if asked else "pseudonyms")
    octets = path.read_bytes()
    for one in record.installations:
        for device in one.devices:
            raw = device.eui64.octets
            spelt = (raw, raw.hex().encode(), raw.hex("-").upper().encode())
            assert any(it in octets for it in spelt) is asked
    assert (b"1200023305967" in octets) is asked
    cover = files_of(octets)["cover.md"]
    assert (b"(`--with-identifiers`)" in cover) is asked
    assert (b"are pseudonyms" in cover) is not asked


def test_a_pack_with_pseudonyms_lists_what_it_holds(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 4, prefix=b"\x00\xdb")
    files = files_of(pack.write(tmp_path, record, key_of_run(record.header)).read_bytes())
    for one in load(files["record.json"]).files:
        assert hashlib.sha256(files[one.path]).hexdigest() == one.sha256


@pytest.mark.parametrize(("prefix", "kept"), [(b"\x00\xdb", False), (b"\x02\x53", True)])
def test_what_opens_a_sealed_authorisation_stays_out_where_identifiers_are_replaced(
    tmp_path: Path, prefix: bytes, kept: bool
) -> None:
    record = dust_sample.filled(tmp_path, 4, prefix=prefix)
    one = replace(record.files[0], kind="MAPASSWORD")
    record = replace(record, files=(one, *record.files[1:]))
    path = pack.write(tmp_path, record, key_of_run(record.header))
    assert verify(path).intact
    content = files_of(path.read_bytes())[one.path]
    assert (content == (tmp_path / one.path).read_bytes()) is kept
    assert content.startswith(b"left out") is not kept


def test_a_certificate_with_a_curve_that_nobody_knows_proves_nothing(tmp_path: Path) -> None:
    record = dust_sample.filled(tmp_path, 1)
    key = key_of_run(record.header)
    signature = key.sign(b"data")
    known, odd = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a864886f7030107")
    der = x509.load_pem_x509_certificate(key.certificates).public_bytes(Encoding.DER)
    assert known in der
    octets = pem("CERTIFICATE", der.replace(known, odd))
    assert verifies(key.certificates, b"data", signature) is True
    assert verifies(octets, b"data", signature) is False
