"""The table of equivalent steps: what loads, what wins, what is refused by name."""

from pathlib import Path

import pytest

from device_profiles.dmves import StepVerb, Support, load_dmves
from device_profiles.errors import (
    BadMarkError,
    DataError,
    InconsistentDataError,
    InvalidValueError,
    UnreadableFileError,
)
from device_profiles.loader import load_profile, profile_names
from device_profiles.words import DeviceType

HEAD = (
    "models,device_type,service,support,step,verb,client,class_id,obis,index,argument,says,evidence"
)
GOOD = "smets1*,ESME,9.1,supported,1,get,management,3,1-0:1.8.0.255,2,,read it,stand-in"


def table(tmp_path: Path, *rows: str, head: str = HEAD) -> Path:
    file = tmp_path / "dmves.csv"
    file.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    return file


def test_every_smets1_dlms_model_is_read_and_given_keys_by_the_shipped_table() -> None:
    shipped = load_dmves()
    for name in profile_names():
        profile = load_profile(name)
        if profile.dlms is None:
            continue
        for service in ("11.2", "rotate-credentials", "interrogate"):
            found = shipped.find(name, profile.device_type, service)
            assert found.support is Support.SUPPORTED, (name, service)
            assert [step.step for step in found.steps] == list(range(1, len(found.steps) + 1))
            assert found.evidence == "stand-in"


def test_what_no_row_names_is_not_supported_and_says_so() -> None:
    found = load_dmves().find("smets1", DeviceType.ESME, "99.9")
    assert found.support is Support.NOT_SUPPORTED
    assert "99.9" in found.says
    assert not found.steps


def test_the_most_exact_model_wins(tmp_path: Path) -> None:
    exact = GOOD.replace("smets1*", "smets1-strict").replace("read it", "the very model")
    wider = GOOD.replace("smets1*", "*").replace("read it", "everybody")
    found = load_dmves(table(tmp_path, wider, GOOD, exact))
    says = [
        found.find(name, DeviceType.ESME, "9.1").says
        for name in ("smets1-strict", "smets1-other", "elster")
    ]
    assert says == ["the very model", "read it", "everybody"]
    assert found.services("elster", DeviceType.ESME) == ["9.1"]
    assert found.services("elster", DeviceType.GSME) == []


def test_an_overlay_replaces_all_steps_of_a_request_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "catalogues").mkdir()
    own = GOOD.replace("9.1", "4.1.1")
    table(tmp_path / "catalogues", own)
    mixed = load_dmves(overlays=(tmp_path,))
    assert len(mixed.find("smets1", DeviceType.ESME, "4.1.1").steps) == 1
    assert len(mixed.find("smets1", DeviceType.ESME, "interrogate").steps) == 4


@pytest.mark.parametrize(
    ("row", "error", "word"),
    [
        (GOOD.replace(",get,", ",guess,"), InvalidValueError, "verb"),
        (GOOD.replace("1-0:1.8.0.255", "1.8.0"), InvalidValueError, "obis"),
        (GOOD.replace("stand-in", "heard-say"), DataError, "mark"),
        (GOOD.replace(",1,get", ",2,get"), InconsistentDataError, "numbered"),
        (GOOD.replace("supported", "perhaps"), InvalidValueError, "support"),
        (GOOD.replace("supported", "not-supported"), InvalidValueError, "no steps"),
        (GOOD.replace(",management,", ",,"), InvalidValueError, "needs step"),
        (GOOD + ",more", InvalidValueError, "cells"),
        (GOOD.replace("smets1*", "Smets 1"), InvalidValueError, "glob"),
    ],
)
def test_a_wrong_row_is_refused_with_file_and_line(
    tmp_path: Path, row: str, error: type[DataError], word: str
) -> None:
    with pytest.raises(error, match=word) as raised:
        load_dmves(table(tmp_path, row))
    assert "dmves.csv" in str(raised.value)


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    other = GOOD.replace("supported,1", "varies,2")
    with pytest.raises(InconsistentDataError, match="agree"):
        load_dmves(table(tmp_path, GOOD, other))


def test_wrong_headings_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="modle"):
        load_dmves(table(tmp_path, GOOD, head=HEAD.replace("models", "modle")))


def test_a_mark_outside_the_vocabulary_is_a_bad_mark(tmp_path: Path) -> None:
    with pytest.raises((BadMarkError, InvalidValueError)):
        load_dmves(table(tmp_path, GOOD.replace("stand-in", "rumour")))


def test_every_verb_is_in_use_or_has_a_reader() -> None:
    shipped = load_dmves()
    used = {
        step.verb
        for service in shipped.services("smets1", DeviceType.ESME)
        for step in shipped.find("smets1", DeviceType.ESME, service).steps
    }
    assert used == set(StepVerb)
