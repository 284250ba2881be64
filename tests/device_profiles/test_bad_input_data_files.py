"""Data files as an enemy writes them: each is refused by a named error, none in silence."""

from pathlib import Path

import pytest

from device_profiles.cohort import load_cohort
from device_profiles.cpl import COLUMNS, load_cpl, load_map
from device_profiles.cpl import load as load_list
from device_profiles.errors import (
    DataError,
    InvalidValueError,
    OverlayError,
    UnknownNameError,
    UnreadableFileError,
)
from device_profiles.files import read_octets, read_toml
from device_profiles.installation import load_many
from device_profiles.loader import load_profile
from device_profiles.overlay import open_overlay
from device_profiles.rows import load_words

LONG_NAME = "x" * 300


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a = " + "9" * 5000, "not TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deep"),
        ("a = [", "not TOML"),
    ],
)
def test_toml_that_python_cannot_hold_is_unreadable(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(UnreadableFileError, match=why):
        read_toml(written(tmp_path / "x.toml", content), is_overlay=False)


def test_tables_nested_without_end_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.toml", "[" + ".".join("a" * 3000) + "]\nx = 1\n")
    with pytest.raises(InvalidValueError, match="nested deeper"):
        read_toml(path, is_overlay=False)


def test_an_endless_device_is_read_no_further_than_the_limit() -> None:
    with pytest.raises(UnreadableFileError, match="more than"):
        read_octets(Path("/dev/zero"))


def test_a_cell_longer_than_csv_allows_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "ref\n" + "x" * 200_000 + "\n")
    with pytest.raises(UnreadableFileError, match="not CSV"):
        load_many(path)
    listed = written(tmp_path / "y.csv", ",".join(COLUMNS) + "\n" + "x" * 200_000 + "\n")
    with pytest.raises(UnreadableFileError, match="line 2: not CSV"):
        load_list(listed)


@pytest.mark.parametrize("load", [load_profile, load_cohort, load_many])
def test_a_name_too_long_for_a_file_is_an_unknown_name(load: object) -> None:
    assert callable(load)
    with pytest.raises(UnknownNameError):
        load(LONG_NAME)


def test_an_installation_file_of_another_suffix_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "home.txt", "")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownNameError, match=r"ends in \.toml or \.csv"):
        load_many("home.txt")


@pytest.mark.parametrize("content", ["word = 5\n", "[word]\nid = 'a'\n", "word = 'abc'\n"])
def test_a_catalogue_that_holds_no_rows_is_refused(tmp_path: Path, content: str) -> None:
    written(tmp_path / "catalogues" / "words.toml", content)
    with pytest.raises(InvalidValueError):
        load_words((tmp_path,))


@pytest.mark.parametrize(
    "content", ["columns = 5\n", "formats = 'x'\n", "[formats]\nlist_separator = ''\n"]
)
def test_a_column_map_of_wrong_shape_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidValueError):
        load_map(written(tmp_path / "cpl_columns.toml", content))


def test_what_an_overlay_names_but_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "demo-esme.toml").symlink_to("nowhere")
    (tmp_path / "catalogues").mkdir()
    (tmp_path / "catalogues" / "cpl.csv").symlink_to("cpl.csv")
    (tmp_path / "catalogues" / "words.toml").mkdir()
    for load in (
        lambda: load_profile("demo-esme", (tmp_path,)),
        lambda: load_cpl((tmp_path,)),
        lambda: load_words((tmp_path,)),
    ):
        with pytest.raises(UnreadableFileError):
            load()


@pytest.mark.parametrize(
    "name", ["models/demo-esme.tml", "catalogues/wrods.toml", "catalogues/cpl.txt"]
)
def test_an_overlay_file_that_nothing_reads_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, "")
    with pytest.raises(OverlayError, match="nothing reads"):
        open_overlay(tmp_path)


def test_an_overlay_whose_subfolder_is_a_file_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "models", "")
    with pytest.raises(OverlayError, match="must be a folder"):
        open_overlay(tmp_path)


def test_an_overlay_may_hold_its_own_installations_map_and_notes(tmp_path: Path) -> None:
    for name in ("README.md", ".keep", "cpl_columns.toml", "installation-mine.toml", "cpl.csv"):
        written(tmp_path / "catalogues" / name, "")
    assert open_overlay(tmp_path) == tmp_path


def test_every_refusal_is_of_one_family() -> None:
    with pytest.raises(DataError):
        load_profile(LONG_NAME)
