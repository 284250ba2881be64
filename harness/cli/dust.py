"""``smetsbench dust``: assembles its verbs; only the one that is asked for is imported."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Final

import typer

NOUN: Final = "dust"
#: Verb -> module with a ``register(dust)`` function, in the order ``--help`` shows them.
VERBS: Final[Mapping[str, str]] = {
    "door": "harness.cli.dust_door",
    "sign": "harness.cli.dust_door",
    "new": "harness.cli.dust_new",
    "plan": "harness.cli.dust_plan",
    "run": "harness.cli.dust_run",
    "stock": "harness.cli.dust_stock",
    "verify": "harness.cli.dust_verify",
}


def register(app: typer.Typer) -> None:
    """Add ``dust`` and its commands: all of them where none of them is asked for."""
    dust = typer.Typer(help="Test runs with a participant's own system.", no_args_is_help=True)

    @dust.callback()
    def root() -> None:
        """Test runs with a participant's own system."""

    asked = VERBS.get(verb_of(sys.argv[1:]))
    for module in [asked] if asked is not None else dict.fromkeys(VERBS.values()):
        add: Callable[[typer.Typer], None] = import_module(module).register
        add(dust)
    app.add_typer(dust, name=NOUN)


def verb_of(words: Sequence[str]) -> str:
    """Return the verb of a command line of ours; empty where it is none, or none yet."""
    plain = [word for word in words if not word.startswith("-")]
    return plain[1] if plain[:1] == [NOUN] and len(plain) > 1 else ""
