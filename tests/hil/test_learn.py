"""What an emulated meter learns from a capture."""

from pathlib import Path

import pytest

from harness.dlms.settings import Framing
from harness.errors import UsageError
from harness.transcript_file import load
from hil import learn
from hil.replay import Against, against_emulator
from tests.harness.cli.command_line import run, run_json
from tests.harness.recorded import CLOCK, Recorded, attribute, save
from tests.harness.test_replay_client import ALTERATIONS, altered


@pytest.mark.parametrize("count", [0, 1, len(ALTERATIONS)])
def test_what_was_learnt_makes_the_emulator_answer_as_the_device_did(
    tmp_path: Path, count: int
) -> None:
    told = Recorded(altered(tmp_path, count))
    told.read("reader", CLOCK, *(one for _, one in ALTERATIONS))
    save(tmp_path / "one", told.transcript(), {"reader.secret": told.wire.keys.secrets["reader"]})
    before = against_emulator(load(tmp_path / "one"), Against("smets1")).differences
    assert len(before) == count
    overlay = tmp_path / "overlay"
    document = run_json(
        _learning, "learn", "--from", str(tmp_path / "one"), "--profile", "smets1",
        "--out", str(overlay),
    )  # fmt: skip
    assert document["differences_before"] == count
    assert document["learnt"] == count
    assert document["differences_after"] == []
    if count:
        text = (overlay / "models" / "smets1.toml").read_text("utf-8")
        assert f"observed:{load(tmp_path / 'one').about.short_hash}" in text
        after = against_emulator(load(tmp_path / "one"), Against("smets1", (overlay,)))
        assert after.differences == ()
    else:
        assert not overlay.exists()


def _learning(app: object) -> None:
    learn.register(app)  # type: ignore[arg-type]  # a typer application


def test_what_moves_by_itself_is_told_and_not_learnt(tmp_path: Path) -> None:
    moved = '{ class_id = 3, obis = "1-0:1.8.0.255", attribute = 2, value = "0600000001" }'
    path = tmp_path / "altered.toml"
    path.write_text(
        'device_type = "ESME"\ntitle = "x"\nextends = "smets1"\n\n[dlms]\n'
        f'deviation = [{moved}]\n\n[evidence]\n"dlms" = "stand-in"\n',
        "utf-8",
    )
    told = Recorded(str(path))
    told.read("public", attribute(3, "1-0:1.8.0.255", 2))
    save(tmp_path / "one", told.transcript())
    document = run_json(
        _learning, "learn", "--from", str(tmp_path / "one"), "--profile", "smets1",
        "--out", str(tmp_path / "overlay"),
    )  # fmt: skip
    assert document["learnt"] == 0
    assert document["told"] == [
        {
            "subject": "Active import, value (3 / 1-0:1.8.0.255 a2)",
            "why": "a register that moves",
        }
    ]


def test_links_and_sign_ons_are_learnt_as_settings(tmp_path: Path) -> None:
    told = Recorded("smets1-quirks", Framing.OPTICAL)
    told.read("public", CLOCK)
    about = told.transcript().about.model_copy(update={"profile": "smets1"})
    save(tmp_path / "one", type(told.transcript())(about, told.transcript().records))
    run_json(
        _learning, "learn", "--from", str(tmp_path / "one"), "--profile", "smets1",
        "--out", str(tmp_path / "overlay"),
    )  # fmt: skip
    text = (tmp_path / "overlay" / "models" / "smets1.toml").read_text("utf-8")
    assert "max_information_bytes = 64" in text or "max_pdu_bytes = 200" in text


def test_an_overlay_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    told = Recorded(altered(tmp_path, 1))
    told.read("reader", ALTERATIONS[0][1])
    save(tmp_path / "one", told.transcript(), {"reader.secret": told.wire.keys.secrets["reader"]})
    words = ["learn", "--from", str(tmp_path / "one"), "--profile", "smets1", "--out"]
    run_json(_learning, *words, str(tmp_path / "overlay"))
    with pytest.raises(UsageError, match="has an overlay of this profile already"):
        run(_learning, *words, str(tmp_path / "overlay"))


@pytest.mark.parametrize("words", [[], ["--from", "x", "--bench", __file__]])
def test_one_source_is_learnt_from(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="from a bench or from a capture"):
        run(_learning, "learn", "--profile", "smets1", "--out", str(tmp_path / "o"), *words)
