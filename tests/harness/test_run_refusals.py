"""What a run refuses before it makes or replaces anything."""

from pathlib import Path

import pytest

from harness.benches import emulated
from harness.cli import firmware
from harness.errors import UsageError
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import start
from tests.harness.cli.command_line import run


def refused(out: Path, *ids: str, **options: object) -> UsageError:
    chosen = RunOptions(**options)  # type: ignore[arg-type]  # a test names fields of RunOptions
    with pytest.raises(UsageError) as caught:
        start(ids or ("FM-01",), chosen, out=out)
    return caught.value


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"faults": ("dropp@han",)}, "no fault 'dropp'"),
        ({"faults": ("drop@moon",)}, "no link 'moon'"),
        ({"faults": ("drop:often=1@han",)}, "no key 'often'"),
        ({"defects": ("esme-sings",)}, "there is no defect esme-sings"),
        ({"accepted": frozenset({"zzz"})}, "no rule 'zzz' in this run"),
    ],
)
def test_a_mistyped_choice_leaves_no_folder_behind(
    options: dict[str, object], words: str, tmp_path: Path
) -> None:
    error = refused(tmp_path / "run", **options)
    assert words in error.what
    assert error.next_command.startswith("smetsbench ")
    assert not (tmp_path / "run").exists()


def test_an_earlier_run_survives_a_mistyped_one(tmp_path: Path) -> None:
    folder, _ = start(("FM-10",), RunOptions(), out=tmp_path / "run")
    before = folder.file("report").read_bytes()
    refused(tmp_path / "run", faults=("dropp@han",))
    assert folder.file("report").read_bytes() == before


def test_files_that_can_be_no_image_or_installation_are_refused(tmp_path: Path) -> None:
    empty, huge = tmp_path / "empty", tmp_path / "huge"
    empty.write_bytes(b"")
    with huge.open("wb") as file:
        file.truncate(1 << 30)
    assert "the image is empty" in refused(tmp_path / "run", image=empty).what
    assert "too large" in refused(tmp_path / "run", image=huge).what
    assert "cannot be used" in refused(tmp_path / "run", installation=empty).what
    deep = tmp_path / "bench.toml"
    deep.write_text("x = " + "[" * 100_000, "utf-8")
    assert "the bench file cannot be read" in refused(tmp_path / "run", bench=deep).what
    assert not (tmp_path / "run").exists()


def test_a_choice_that_only_a_later_scenario_cannot_use_is_refused_before_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(options: RunOptions) -> None:
        if options.scenario == "FM-10":
            raise UsageError("not with FM-10")

    monkeypatch.setattr(emulated, "check", check)
    assert refused(tmp_path / "run", "FM-09", "FM-10").what == "not with FM-10"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("catalogues/cpl.csv", "colour,size\n1,2\n", "column cpl_entry_id"),
        ("models/demo-esme.toml", "colour = 1\n", "colour"),
    ],
)
@pytest.mark.parametrize("with_image", [False, True])
def test_a_broken_overlay_is_named_and_not_the_home_it_was_read_for(
    name: str, text: str, key: str, with_image: bool, tmp_path: Path
) -> None:
    path = tmp_path / "mine" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    image = tmp_path / "image.ota"
    assert run(firmware.register, "firmware", "build", "demo-esme-2", "--out", str(image))[0] == 0
    error = refused(
        tmp_path / "run", data=(tmp_path / "mine",), image=image if with_image else None
    )
    assert "invalid-value" in error.what
    assert error.where == f"{path}, {key}"
    assert error.cause == "a typing error, or a file written for another version"
    assert "installation" not in error.what
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("begun.json", "a DUST run"),
        ("definition.toml", "a DUST run"),
        ("installations.csv", "a migration run"),
    ],
)
def test_a_run_of_another_kind_is_left_as_it_is(name: str, whose: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    start(("FM-10",), RunOptions(), out=out)
    (out / name).write_bytes(b"of another kind")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    error = refused(out)
    assert f"the folder holds {whose}" in error.what
    assert error.where == str(out / name)
    assert error.cause
    assert "OTHER-FOLDER" in error.next_command
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_migration_run_replaces_its_own_rows_and_no_dust_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for name in ("journal.sqlite", "run.json", "installations.csv"):
        (tmp_path / name).write_bytes(b"")
    folder.clear(beside=("installations.csv",))
    assert [path.name for path in tmp_path.iterdir()] == ["installations.csv"]
    for name in ("journal.sqlite", "begun.json"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match="a DUST run"):
        folder.clear("smetsbench migration run", beside=("installations.csv",))
    assert (tmp_path / "journal.sqlite").exists()
