"""What a run refuses before it makes or replaces anything."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.run_options import RunOptions
from harness.runner import start


def refused(out: Path, **options: object) -> UsageError:
    chosen = RunOptions(**options)  # type: ignore[arg-type]  # a test names fields of RunOptions
    with pytest.raises(UsageError) as caught:
        start(("FM-01",), chosen, out=out)
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
