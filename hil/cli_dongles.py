"""What ``bench check`` and ``bench probe`` say of dongles."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from harness.cli.output import console
from harness.cli.tables import folded
from harness.run_options import RunOptions
from harness.setting import named
from hil.bench_file import LoadedBench

if TYPE_CHECKING:
    from hil.dongle_probe import ProbedDongle


def probe(
    loaded: LoadedBench, options: RunOptions, names: Sequence[str] | None
) -> "list[ProbedDongle]":
    """Ask the dongles of a bench file; bellows is loaded only where there are any.

    Args:
        loaded: The bench file.
        options: Seed and overlays of loopback dongles.
        names: Which dongles; None: all.

    Raises:
        BenchError: A loopback dongle does not start.
    """
    if not loaded.content.dongles or (names is not None and not names):
        return []
    found: list[ProbedDongle] = named("hil.dongle_looking:probe_dongles")(loaded, options, names)
    return found


def show(dongles: "Sequence[ProbedDongle]") -> None:
    """Print what dongles told, and what each can be used as."""
    screen = console()
    for one in dongles:
        screen.print(Text(f"{one.name}  {one.endpoint}", style="bold"))
        for name, value in one.facts.items():
            screen.print(f"  {name:20} {value}", markup=False)
        if one.uses:
            told = "; ".join(f"{use}: {word}" for use, word in one.uses.items())
            screen.print(f"  {told}", markup=False)
        for each in one.differences:
            found = f"expected {each.expected}, found {each.found}"
            screen.print(f"  different: {each.what}: {found}", markup=False)
        if one.error is not None:
            for line in one.error.lines():
                screen.print(f"  {line}", markup=False)


def described(loaded: LoadedBench) -> dict[str, Any]:
    """Return what a bench file says of dongles, as JSON values; nothing where it has none."""
    rows = {
        name: {
            "endpoint": str(section.where),
            "role": section.role.value,
            "channels": list(section.channels),
            "ezsp": list(section.ezsp),
            "cbke": section.cbke,
            "clock_factor": section.factor,
        }
        for name, section in loaded.content.dongles.items()
    }
    return {"dongles": rows} if rows else {}


def show_file(loaded: LoadedBench) -> None:
    """Print what a bench file says of dongles."""
    rows = described(loaded).get("dongles", {})
    if not rows:
        return
    table = folded("dongle", "endpoint", "role", "channels", "EZSP", "CBKE by", "clock factor")
    for name, row in rows.items():
        channels = row["channels"]
        mask = f"{channels[0]} to {channels[-1]}" if len(channels) > 2 else str(channels)[1:-1]
        versions = ", ".join(map(str, row["ezsp"]))
        factor = str(row["clock_factor"])
        table.add_row(name, row["endpoint"], row["role"], mask, versions, row["cbke"], factor)
    console().print(table)
