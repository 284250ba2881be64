"""docs/bench.md does what it says: its commands are run, and it names every word there is."""

import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from harness.cli import main as command_line
from hil import bench_file, doctor
from hil.arming import Reason
from hil.bench_sections import GeneralSection, RoleSection, UsbSection
from hil.verbs import Verb

PAGE = Path(__file__).parents[2] / "docs" / "bench.md"
TEXT = PAGE.read_text("utf-8")


def commands() -> list[tuple[list[str], int]]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for line in block.splitlines():
            told, _, remark = line.removeprefix("$ ").partition("# exit")
            found.append((shlex.split(told), int(remark or 0)))
    return found


def test_every_command_of_the_page_ends_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMETSBENCH_TRACEBACK", "1")
    monkeypatch.delenv("READER_SECRET", raising=False)
    monkeypatch.setattr("hil.locks.folder_of_locks", lambda: tmp_path / "locks")
    for name, text in re.findall(r"```toml\n# file: (\S+)\n(.*?)```", TEXT, re.DOTALL):
        # A person waits for a port to come back; a test of a page does not.
        Path(name).write_text(text.replace("reopen_s = 10", "reopen_s = 0"), "utf-8")
    ran = 0
    for words, code in commands():
        assert words[0] == "smetsbench"
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        told = capsys.readouterr()
        assert ended.value.code == code, (words, told.out, told.err)
        ran += 1
    assert ran >= 10


@pytest.mark.parametrize(
    "words",
    [
        [reason.value for reason in Reason],
        [verb.value for verb in Verb],
        sorted(bench_file._CAUSES),
        [code for code, _what, _command in doctor.GRABBERS.values()],
        sorted(GeneralSection.model_fields),
        sorted(RoleSection.model_fields),
        sorted(UsbSection.model_fields),
    ],
)
def test_the_page_names_every_word(words: list[str]) -> None:
    assert [word for word in words if f"`{word}`" not in TEXT and word not in TEXT] == []


def test_the_page_names_every_finding() -> None:
    root = Path(doctor.__file__).parent
    sources = "".join((root / name).read_text() for name in ("doctor.py", "bench_check.py"))
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', sources))
    assert "latency-timer" in codes
    folders = {"by-id"}
    assert [code for code in sorted(codes - folders) if f"`{code}`" not in TEXT] == []


def test_every_example_of_the_page_is_toml() -> None:
    for block in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL):
        assert tomllib.loads(block)
