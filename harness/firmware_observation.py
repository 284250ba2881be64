"""Where `firmware matrix --verify` sees what a cell really does: a table of observers by name."""

import importlib
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from harness.errors import UsageError
from harness.firmware_cells import MatrixCell

#: Plays one cell with a seed and returns its outcome word; a hang is ``HANG``, a broken frame
#: ``BROKEN_FRAME``: no cell agrees with either.
Observer: TypeAlias = Callable[[MatrixCell, int], str]

#: Bench -> "module:function" of its observer, imported when asked for.
OBSERVERS: Final[Mapping[str, str]] = {
    "emulated": "harness.scenarios.smets1_firmware.cells:observe",
}


def observer(bench: str, table: Mapping[str, str] | None = None) -> Observer:
    """Return the observer of a bench.

    Args:
        bench: Its name.
        table: Observers by name; ``OBSERVERS`` when left out.

    Raises:
        UsageError: There is none, or its module is not there.
    """
    known = OBSERVERS if table is None else table
    try:
        module, _, name = known[bench].partition(":")
        return cast("Observer", getattr(importlib.import_module(module), name))
    except (KeyError, ImportError, AttributeError) as error:
        raise UsageError(
            f"no cell can be played on {bench}",
            where="--verify",
            cause=f"observers at hand: {', '.join(known) or 'none'} ({error})",
            next_command="smetsbench firmware matrix",
        ) from error
