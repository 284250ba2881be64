"""How a command says that it does not do what it was asked: for people, or for machines."""

import json
import sys
from collections.abc import Sequence
from typing import Final

import typer.exceptions

from emulator.core.errors import EmulatorError, MalformedFrameError
from harness.cli.output import errors
from harness.errors import HarnessError

_JSON: Final = "--json"
#: What a usage error says -> its likely cause; the first that fits, else a mistyped word.
_CAUSES: Final = (
    ("Missing ", "something that the command cannot do without was left out"),
    (" does not exist", "a mistyped name, or another folder than the one meant"),
    ("Got unexpected extra argument", "a word too many, or one with a blank and no quotes"),
    ("requires an argument", "an option without its value"),
    ("greater than or equal", "a number that is out of range"),
    ("less than or equal", "a number that is out of range"),
)
_DEFECT: Final = "a defect of smetsbench; set SMETSBENCH_TRACEBACK=1 and run it again"


def wants_json(words: Sequence[str]) -> bool:
    """Say whether a command line asks for JSON.

    Args:
        words: What was typed, without the program.
    """
    options = words[: words.index("--")] if "--" in words else words
    return _JSON in options


def tell(error: HarnessError, *, as_json: bool) -> None:
    """Print a refusal to standard error; standard output is for results alone.

    As JSON it is one object on one line: ``error``, ``where``, ``likely_cause``, ``next`` (texts,
    empty where there is nothing to say) and ``exit_code``.
    """
    if as_json:
        told = {
            "error": error.what,
            "where": error.where,
            "likely_cause": error.cause,
            "next": error.next_command,
            "exit_code": error.exit_code,
        }
        sys.stderr.write(json.dumps(told) + "\n")
        return
    for line in error.lines():
        errors().print(line, markup=False)


def tell_usage(error: typer.exceptions.TyperException, next_command: str, *, as_json: bool) -> None:
    """Print that a command line cannot be read."""
    show = getattr(error, "show", None)  # typer's own usage errors know how to print themselves
    if as_json or not callable(show):
        said = " ".join(error.format_message().split())
        context = getattr(error, "ctx", None)
        where = "the command line" if context is None else str(context.command_path)
        cause = next((why for word, why in _CAUSES if word in said), "a mistyped word")
        tell(
            HarnessError(said, where=where, cause=cause, next_command=next_command),
            as_json=as_json,
        )
    else:
        show()


def of_system(error: OSError) -> HarnessError:
    """Return the refusal that an error of the operating system stands for."""
    return HarnessError(
        f"the system refuses: {error.strerror or error}",
        where=str(error.filename or "standard output"),
        cause="a name that no file can have, a place that is not yours, or a full disk",
    )


def of_emulator(error: EmulatorError) -> HarnessError:
    """Return the refusal that an error of the formats or devices stands for."""
    if isinstance(error, MalformedFrameError):
        return HarnessError(
            f"these octets do not follow the format: {error.why}",
            where=f"{error.layer}, {len(error.data)} octets"
            + (f", octet {error.offset}" if error.offset >= 0 else ""),
            cause="a truncated copy, added octets, or another kind of file",
            next_command="smetsbench gbcs decode FILE, firmware inspect FILE or duis check FILE",
        )
    return HarnessError(str(error), next_command="smetsbench --help")


class _EndedError(HarnessError):
    """Something that ended a command and is no refusal of its input."""

    def __init__(self, what: str, exit_code: int, *, cause: str = "") -> None:
        super().__init__(what, cause=cause)
        self.exit_code = exit_code


def tell_interrupted(exit_code: int, *, as_json: bool) -> None:
    """Print that somebody ended the command."""
    if as_json:
        tell(_EndedError("interrupted", exit_code), as_json=True)
    else:
        errors().print("interrupted")


def tell_internal(error: Exception, exit_code: int, *, as_json: bool) -> None:
    """Print an error that no command should meet."""
    what = f"internal error: {type(error).__name__}: {error}"
    if as_json:
        tell(_EndedError(what, exit_code, cause=_DEFECT), as_json=True)
        return
    errors().print(what, markup=False)
    errors().print(f"  this is {_DEFECT}")
