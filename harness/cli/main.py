"""Entry point of the ``smetsbench`` command: assembles the nouns, turns errors into messages."""

import gc
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, metadata
from typing import Annotated, Final

import typer
import typer.exceptions

from emulator.core.errors import EmulatorError
from harness.benches import COMMANDS
from harness.cli import refusals
from harness.errors import HarnessError

#: Noun -> module with a ``register(app)`` function, in the order ``--help`` shows them; those of
#: real benches stand in ``harness.benches``.
NOUNS: Final[Mapping[str, str]] = {
    noun: f"harness.cli.{noun}"
    for noun in (
        "demo",
        "scenarios",
        "run",
        "resume",
        "report",
        "explain",
        "profiles",
        "data",
        "installations",
        "faults",
        "pki",
        "gbcs",
        "utrn",
        "duis",
        "firmware",
        "cpl",
        "epcl",
        "emulate",
        "dongle",
        "compare",
        "migration",
        "ma",
        "serve",
        "dust",
    )
} | dict(COMMANDS)

#: How many new objects the collector of cycles waits for, and how many of its looks at the younger
#: ones before one at the older: nearly all that a command makes is kept, or goes without it.
_SELDOM: Final = (20_000, 20, 20)

EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 4
EXIT_INTERNAL: Final = 5


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"smetsbench {metadata.version('smetsbench')}")
        raise typer.Exit


def build_app(noun: str = "") -> typer.Typer:
    """Return the command line.

    Args:
        noun: The one noun that is asked for, so that no other is imported; all when it is none
            of the table (help, a typing error).
    """
    app = typer.Typer(
        name="smetsbench",
        help="Emulated GB smart-metering devices, and scenarios for them or for real ones.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Print version.")
        ] = False,
    ) -> None:
        """Emulated GB smart-metering devices, and scenarios for them or for real ones."""

    for module in [NOUNS[noun]] if noun in NOUNS else NOUNS.values():
        register: Callable[[typer.Typer], None] = import_module(module).register
        register(app)
    return app


def main() -> None:
    """Run the command line and exit with the codes of docs/architecture.md."""
    gc.set_threshold(*_SELDOM)
    _settle_streams()
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    if sys.argv[1:] == ["--version"]:
        asked = "faults"  # the lightest: nothing of it runs
    try:
        result = build_app(asked)(standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        refusals.tell_interrupted(EXIT_INTERRUPTED, as_json=refusals.wants_json(sys.argv[1:]))
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (``| head``): nothing is wrong and nobody listens.
        _forget_output()
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 -- the last door: told without a traceback
        sys.exit(_told(error))
    sys.exit(_flushed(result if isinstance(result, int) else 0))


def _told(error: Exception) -> int:
    """Say what went wrong; returns the exit code.

    Raises:
        Exception: The error itself, when it is internal and a traceback is asked for.
    """
    as_json = refusals.wants_json(sys.argv[1:])
    if isinstance(error, typer.exceptions.TyperException):
        refusals.tell_usage(error, _help_for(sys.argv[1:]), as_json=as_json)
    elif isinstance(error, HarnessError):
        _show(error, as_json=as_json)
        return error.exit_code
    elif isinstance(error, EmulatorError):
        _show(refusals.of_emulator(error), as_json=as_json)
    elif isinstance(error, OSError):
        _show(refusals.of_system(error), as_json=as_json)
    elif os.environ.get("SMETSBENCH_TRACEBACK"):
        raise error
    else:
        refusals.tell_internal(error, EXIT_INTERNAL, as_json=as_json)
        return EXIT_INTERNAL
    return EXIT_USAGE


def _settle_streams() -> None:
    """Make sure that whatever is to be printed can be, wherever it goes."""
    if sys.stdout is None:  # closed by the shell (``>&-``)
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _flushed(code: int) -> int:
    """Write out what waits to be written; returns the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
    except OSError as error:
        _show(refusals.of_system(error), as_json=refusals.wants_json(sys.argv[1:]))
        _forget_output()
        return EXIT_USAGE
    return code


def _forget_output() -> None:
    """Send what still waits for standard output nowhere, so that ending raises nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help_for(words: Sequence[str]) -> str:
    """Return the command that explains what was asked for: ``smetsbench NOUN [VERB] --help``."""
    noun = next((word for word in words if word in NOUNS), "")
    if not noun:
        return "smetsbench --help"
    command = getattr(typer.main.get_command(build_app(noun)), "commands", {}).get(noun)
    verbs = getattr(command, "commands", {})
    verb = next((word for word in words[words.index(noun) + 1 :] if word in verbs), "")
    return " ".join(part for part in ("smetsbench", noun, verb, "--help") if part)


def _show(error: HarnessError, *, as_json: bool) -> None:
    error.next_command = error.next_command or _help_for(sys.argv[1:])
    refusals.tell(error, as_json=as_json)


if __name__ == "__main__":
    main()
