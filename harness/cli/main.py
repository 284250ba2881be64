"""Entry point of the ``smetsbench`` command: assembles the nouns, turns errors into messages."""

import os
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from typing import Annotated, Final

import typer
import typer.exceptions

from emulator.core.errors import EmulatorError, MalformedFrameError
from harness.cli.output import errors
from harness.errors import HarnessError

#: Modules with a ``register(app)`` function, in the order ``--help`` shows them.
NOUNS: Final = (
    "harness.cli.demo",
    "harness.cli.scenarios",
    "harness.cli.run",
    "harness.cli.resume",
    "harness.cli.report",
    "harness.cli.explain",
    "harness.cli.profiles",
    "harness.cli.data",
    "harness.cli.installations",
    "harness.cli.faults",
    "harness.cli.pki",
    "harness.cli.gbcs",
    "harness.cli.duis",
    "harness.cli.firmware",
)

EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 4
EXIT_INTERNAL: Final = 5


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"smetsbench {metadata.version('smetsbench')}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return the whole command line."""
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

    for module in NOUNS:
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
    try:
        result = build_app()(standalone_mode=False)
    except typer.Abort:
        errors().print("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except typer.exceptions.TyperException as error:
        error.show()
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


def _show(error: HarnessError) -> None:
    for line in error.lines():
        errors().print(line, markup=False)


if __name__ == "__main__":
    main()
