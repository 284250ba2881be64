"""Tables for people that cut nothing off: the last column folds, the others keep their words."""

from rich import box
from rich.table import Column, Table


def folded(*headings: str, keep: int | None = None) -> Table:
    """Return an empty table that ends no cell in an ellipsis.

    Args:
        headings: Column headings.
        keep: How many columns, from the left, are never broken; all but the last when None.
    """
    unbroken = len(headings) - 1 if keep is None else keep
    columns = [
        Column(heading, no_wrap=number < unbroken, overflow="fold")
        for number, heading in enumerate(headings)
    ]
    return Table(*columns, box=box.SIMPLE, pad_edge=False)
