"""The patience of an S1SP is data: every row is there, marked, and a number of seconds."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from device_profiles.errors import InvalidValueError
from harness.parties.s1sp_image_settings import ImageSettings, load_image_settings

ROWS = dict.fromkeys(ImageSettings.__slots__, 60)


def overlay(folder: Path, rows: Mapping[str, object]) -> Path:
    (folder / "catalogues").mkdir()
    lines = [f"{key},{value},made up," for key, value in rows.items()]
    text = "\n".join(["key,value,says,evidence", *lines, ""])
    (folder / "catalogues" / "smets1-images.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_patience_lets_a_sleepy_meter_take_its_image() -> None:
    settings = load_image_settings()
    assert settings.first_look_s < settings.longest_look_s < settings.activation_patience_s
    assert settings.activation_patience_s < settings.patience_s


def test_an_overlay_changes_it(tmp_path: Path) -> None:
    found = load_image_settings((overlay(tmp_path, {**ROWS, "patience_s": 9}),))
    assert found == ImageSettings(60, 60, 9, 60)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "an hour", "\u0663"])
def test_what_is_no_number_of_seconds_is_refused_by_its_key(tmp_path: Path, value: str) -> None:
    folder = overlay(tmp_path, {**ROWS, "patience_s": value})
    with pytest.raises(InvalidValueError, match="patience_s"):
        load_image_settings((folder,))


def test_a_missing_row_is_refused_by_its_key(tmp_path: Path) -> None:
    rows = {key: one for key, one in ROWS.items() if key != "longest_look_s"}
    with pytest.raises(InvalidValueError, match="longest_look_s"):
        load_image_settings((overlay(tmp_path, rows),))
