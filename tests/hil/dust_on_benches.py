"""DUST runs some of whose homes stand on benches: definitions, and runs whose child is killed."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.dust.choices import Choices
from harness.dust.engine import start
from harness.dust.events import DustEvent
from harness.dust.record import DustRecord
from harness.dust.run_doors import Watchers
from hil.children import Child

PAGE = Path(__file__).parents[2] / "docs" / "dust.md"
DESK = """\
[bench]
name = "desk"
operator = "A. Fitter"

[roles.ESME]
endpoint = "loopback:demo-s1-esme"
"""
RUN = """\
[run]
id = "ON-DESK"
title = "homes on a bench"
cohort = "EA"
environment = "HIL"
seed = 3
[participant]
name = "Example Supplier"
user_ids = ["02-53-42-00-00-01-00-00"]
asks = ["4.1.1"]
[capacity]
days = 1
[[devices]]
name = "line"
count = 1
shape = "ESME-only"
ppmid = "none"
bench = "desk.toml"
[[entry]]
id = "E1"
check = "bench"
[[case]]
id = "C-001"
title = "migrates over its line, and answers"
family = "happy-path"
set = "line"
expect = [
  {state = "Migrated"}, {code = "none"}, {request = "4.1.1", answer = "I0"},
  {device = "ESME", shows = "keys"}, {device = "ESME", shows = "serial"},
]
"""
BESIDE = """\
[[devices]]
name = "beside"
shape = "ESME-only"
ppmid = "none"
[[case]]
id = "C-002"
title = "migrates beside it"
family = "happy-path"
set = "beside"
expect = [{state = "Migrated"}]
"""


def on_desk(folder: Path, more: str = "", *, desk: str = DESK, run: str = RUN) -> Path:
    """Write a definition and the bench it names."""
    (folder / "desk.toml").write_text(desk, "utf-8")
    path = folder / "run.toml"
    path.write_text(run + more, "utf-8")
    return path


def page_examples(folder: Path) -> list[str]:
    """Write the files of the page's section on benches; returns its commands."""
    section = PAGE.read_text("utf-8").partition("\n## On a bench\n")[2].partition("\n## ")[0]
    for name, text in re.findall(r"```toml\n# file: (\S+)\n(.*?)```", section, re.DOTALL):
        (folder / name).write_text(text, "utf-8")
    blocks: list[str] = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def played(
    file: Path, out: Path, on_event: Callable[[DustEvent], None] | None = None
) -> DustRecord:
    """Run a definition."""
    return start(Choices(file, file.parent), out, Watchers(on_event))


@contextmanager
def children() -> Iterator[list[Child]]:
    """Keep an eye on the programs that are started meanwhile."""
    begin, born = Child.__init__, []

    def seen(self: Child, words: list[str]) -> None:
        begin(self, words)
        born.append(self)

    Child.__init__ = seen  # type: ignore[method-assign,assignment] # looked at, nothing else
    try:
        yield born
    finally:
        Child.__init__ = begin  # type: ignore[method-assign]


def killer(born: list[Child], step: str) -> Callable[[DustEvent], None]:
    """Return what kills the last program when a step is told of."""

    def look(event: DustEvent) -> None:
        if event.step == step and born[-1].is_running:
            os.kill(born[-1].pid, signal.SIGKILL)

    return look
