"""The command line as a user calls it, in this process."""

import sys
from collections.abc import Callable

import pytest

from harness.cli import main as command_line

#: Runs words behind ``smetsbench``; returns exit code, standard output and standard error.
Command = Callable[..., tuple[int, str, str]]


def command_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return what runs the command line with some words."""

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["smetsbench", *words])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        told = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, told.out, told.err

    return command
