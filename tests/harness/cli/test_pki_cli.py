import json
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emulator.crypto.keystore import KeyStore
from harness.cli import pki
from harness.errors import UsageError
from harness.keys import open_keystore

APP = typer.Typer()
pki.register(APP)


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(APP, ["pki", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def points(path: Path) -> set[tuple[str, bytes, int | None]]:
    return {(e.name, e.public_point, e.private_scalar) for e in KeyStore.load(path).entries()}


def octets(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_new_writes_a_folder_that_only_its_seed_determines(tmp_path: Path) -> None:
    run("new", "--out", tmp_path / "one")
    run("new", "--out", tmp_path / "same", "--seed", "1")
    run("new", "--out", tmp_path / "other", "--seed", "2")
    one, same, other = (octets(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)
    private = list((tmp_path / "one").rglob("*.key"))
    assert len(private) == 35
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_new_tells_what_it_wrote_and_no_private_key(tmp_path: Path) -> None:
    told = json.loads(run("new", "--out", tmp_path / "keys.json", "--json"))
    assert told["seed"] == 1
    assert len(told["keys"]) == 32
    assert told["keys"][0]["eui64"] == "02-53-42-00-00-00-00-01"
    shown = json.dumps(told) + run("new", "--out", tmp_path / "keys")
    for entry in KeyStore.load(tmp_path / "keys.json").entries():
        assert f"{entry.private_scalar:x}" not in shown
        assert str(entry.private_scalar) not in shown


def test_new_makes_the_parties_and_devices_that_are_named(tmp_path: Path) -> None:
    arguments = ("--party", "02:025342000001aaaa", "--device", "02:53:42:01:00:00:00:ff")
    run("new", "--out", tmp_path / "keys", *arguments)
    names = {entry.name for entry in KeyStore.load(tmp_path / "keys").entries()}
    party = {f"025342000001aaaa-{use}" for use in ("ds", "ka", "pp-ka", "xml")}
    assert names == party | {"02534201000000ff-ds", "02534201000000ff-ka"}


def test_export_hands_out_public_keys_alone(tmp_path: Path) -> None:
    run("new", "--out", tmp_path / "keys")
    for name in ("public", "public.json"):
        run("export", tmp_path / "keys", "--out", tmp_path / name)
        assert {e[:2] for e in points(tmp_path / name)} == {
            e[:2] for e in points(tmp_path / "keys")
        }
        assert all(scalar is None for _, _, scalar in points(tmp_path / name))
    assert not list((tmp_path / "public").glob("*.key"))


def test_import_changes_the_form_and_nothing_else(tmp_path: Path) -> None:
    run("new", "--out", tmp_path / "keys")
    run("import", tmp_path / "keys", "--out", tmp_path / "keys.json")
    run("import", tmp_path / "keys.json", "--out", tmp_path / "again")
    assert points(tmp_path / "keys") == points(tmp_path / "keys.json") == points(tmp_path / "again")
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_nothing_is_written_over_unless_asked(tmp_path: Path) -> None:
    run("new", "--out", tmp_path / "keys")
    before = octets(tmp_path / "keys")
    with pytest.raises(UsageError, match="not empty"):
        run("new", "--out", tmp_path / "keys", "--seed", "2")
    assert octets(tmp_path / "keys") == before
    run("new", "--out", tmp_path / "keys", "--seed", "2", "--force")
    assert octets(tmp_path / "keys") != before


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--party", "supplier"), "not a party"),
        (("--party", "100:025342000001aaaa"), "not a party"),
        (("--party", "02:02"), "not an EUI-64"),
        (("--device", "x"), "not an EUI-64"),
        (("--at", "yesterday"), "not a moment"),
        (("--at", "2026-01-01T00:00:00"), "not a moment"),
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(
    tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        run("new", "--out", tmp_path / "keys", *arguments)
    assert not (tmp_path / "keys").exists()


def test_a_key_store_that_cannot_be_read_says_where_why_and_what_next(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file") as caught:
        open_keystore(tmp_path / "none.json")
    assert caught.value.exit_code == 2
    assert caught.value.where
    assert caught.value.next_command
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot be written"):
        run("new", "--out", tmp_path / "file" / "keys")
