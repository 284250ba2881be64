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

from emulator.core.errors import EmulatorError, MalformedFrameError
from harness.benches import COMMANDS
from harness.cli.output import errors
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


def _explain_emulator_error(error: EmulatorError) -> HarnessError:
    if isinstance(error, MalformedFrameError):
        return HarnessError(
            f"these octets do not follow the format: {error.why}",
            where=f"{error.layer}, {len(error.data)} octets"
            + (f", octet {error.offset}" if error.offset >= 0 else ""),
            cause="a truncated copy, added octets, or another kind of file",
            next_command="smetsbench gbcs decode FILE, firmware inspect FILE or duis check FILE",
        )
    return HarnessError(str(error), next_command="smetsbench --help")


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
        errors().print("interrupted")
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
    if isinstance(error, typer.exceptions.TyperException):
        _show_usage(error)
    elif isinstance(error, HarnessError):
        _show(error)
        return error.exit_code
    elif isinstance(error, EmulatorError):
        _show(_explain_emulator_error(error))
    elif isinstance(error, OSError):
        _show(_explain_os_error(error))
    elif os.environ.get("SMETSBENCH_TRACEBACK"):
        raise error
    else:
        errors().print(f"internal error: {type(error).__name__}: {error}", markup=False)
        told = "  this is a defect of smetsbench; set SMETSBENCH_TRACEBACK=1 and run it again"
        errors().print(told)
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
        _show(_explain_os_error(error))
        _forget_output()
        return EXIT_USAGE
    return code


def _forget_output() -> None:
    """Send what still waits for standard output nowhere, so that ending raises nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain_os_error(error: OSError) -> HarnessError:
    return HarnessError(
        f"the system refuses: {error.strerror or error}",
        where=str(error.filename or "standard output"),
        cause="a name that no file can have, a place that is not yours, or a full disk",
    )


def _help_for(words: Sequence[str]) -> str:
    """Return the command that explains what was asked for: ``smetsbench NOUN [VERB] --help``."""
    noun = next((word for word in words if word in NOUNS), "")
    if not noun:
        return "smetsbench --help"
    command = getattr(typer.main.get_command(build_app(noun)), "commands", {}).get(noun)
    verbs = getattr(command, "commands", {})
    verb = next((word for word in words[words.index(noun) + 1 :] if word in verbs), "")
    return " ".join(part for part in ("smetsbench", noun, verb, "--help") if part)


def _show_usage(error: typer.exceptions.TyperException) -> None:
    show = getattr(error, "show", None)  # typer's own usage errors know how to print themselves
    if callable(show):
        show()
    else:
        errors().print(error.format_message(), markup=False)


def _show(error: HarnessError) -> None:
    error.next_command = error.next_command or _help_for(sys.argv[1:])
    for line in error.lines():
        errors().print(line, markup=False)


if __name__ == "__main__":
    main()
