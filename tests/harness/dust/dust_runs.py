"""Small runs for tests: definitions, and runs that are killed on the way."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.door.journal import Journal
from harness.dust.choices import Choices
from harness.dust.engine import start
from harness.dust.events import DustEvent
from harness.dust.record import DustRecord
from harness.dust.run_doors import Watchers

USER = "02-53-42-00-00-01-00-00"
SMALL = f"""
[run]
id = "T-1"
title = "small"
cohort = "EA"
seed = 3
[participant]
name = "Example Supplier"
user_ids = ["{USER}"]
sealed = true
[capacity]
per_day = 3
days = 1
[[devices]]
name = "dual"
count = 3
ppmid = "none"
[[fault]]
refs = ["dual-003"]
faults = ["before:T3/mute:role=esme@han", "after:T3/clear@han"]
[[mistake]]
refs = ["dual-002"]
what = "bad-mpan"
[[entry]]
id = "E1"
check = "epcl"
[[entry]]
id = "E2"
check = "participant-interface"
[[case]]
id = "C-001"
title = "migrated, and answers"
family = "happy-path"
refs = ["dual-001"]
expect = [
  {{file = "MA outcome", result = "accepted"}}, {{state = "Migrated"}}, {{code = "none"}},
  {{request = "4.1.1", answer = "I0"}},
]
[[case]]
id = "C-002"
title = "refused, corrected, migrated"
family = "ma-file-fault"
refs = ["dual-002"]
expect = [{{file = "MA outcome", result = "refused"}}, {{state = "Migrated"}}]
[[case]]
id = "C-003"
title = "a test fails"
family = "rollback"
refs = ["dual-003"]
expect = [{{code = "X-16.10.2"}}]
[retry]
policy = "never"
"""


def written(folder: Path, text: str = SMALL) -> Path:
    """Write a definition."""
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def run(file: Path, out: Path, on_event: Callable[[DustEvent], None] | None = None) -> DustRecord:
    """Run a definition."""
    return start(Choices(file, file.parent), out, Watchers(on_event))


def killed_run(file: Path, out: Path, *, commit: int = 0, event: int = 0) -> int:
    """Run a definition in a process of its own that kills itself; returns the signal it died of.

    Args:
        file: The definition.
        out: The run folder.
        commit: Die behind that transaction of the journal.
        event: Die behind that event.
    """
    child = os.fork()
    if not child:
        try:
            with _dying_at(commit):
                run(file, out, _killer(event) if event else None)
        finally:
            os._exit(0)
    _child, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _killer(number: int) -> Callable[[DustEvent], None]:
    def look(event: DustEvent) -> None:
        if event.number == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return look


@contextmanager
def _dying_at(number: int) -> Iterator[None]:
    whole, seen = Journal._transaction, 0

    @contextmanager
    def counting(self: Journal) -> Iterator[Any]:
        nonlocal seen
        with whole(self) as db:
            yield db
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    Journal._transaction = counting  # type: ignore[method-assign] # the fault that is injected
    yield
