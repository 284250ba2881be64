"""Entry point of the ``smetsbench`` command: assembles the nouns, turns errors into messages."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module, metadata
from typing import Annotated, Final

import typer
import typer.exceptions

from emulator.core.errors import EmulatorError, MalformedFrameError
from harness.cli.output import errors
from harness.errors import HarnessError

#: Noun -> module with a ``register(app)`` function, in the order ``--help`` shows them.
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
        "duis",
        "firmware",
    )
}

EXIT_REFUSED: Final = 1
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
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    if sys.argv[1:] == ["--version"]:
        asked = "faults"  # the lightest: nothing of it runs
    try:
        result = build_app(asked)(standalone_mode=False)
    except typer.Abort:
        errors().print("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except typer.exceptions.TyperException as error:
        _show_usage(error)
        sys.exit(EXIT_USAGE)
    except HarnessError as error:
        _show(error)
        sys.exit(error.exit_code)
    except EmulatorError as error:
        _show(_explain_emulator_error(error))
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        errors().print("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (``| head``): nothing is wrong and nobody listens.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # the last door: an internal error becomes exit code 5
        if os.environ.get("SMETSBENCH_TRACEBACK"):
            raise
        errors().print(f"internal error: {type(error).__name__}: {error}")
        errors().print(
            "  this is a defect of smetsbench; set SMETSBENCH_TRACEBACK=1 and run it again"
        )
        sys.exit(EXIT_INTERNAL)
    sys.exit(result if isinstance(result, int) else 0)


def _show_usage(error: typer.exceptions.TyperException) -> None:
    show = getattr(error, "show", None)  # typer's own usage errors know how to print themselves
    if callable(show):
        show()
    else:
        errors().print(error.format_message(), markup=False)


def _show(error: HarnessError) -> None:
    for line in error.lines():
        errors().print(line, markup=False)


if __name__ == "__main__":
    main()
