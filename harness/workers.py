"""Plays scenarios or installations in processes of their own; outcomes come back as they end."""

import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from device_profiles.files import reading_once
from harness.errors import BenchError

#: What is played, and what came of it: values that can be sent to another process.
Task = Mapping[str, Any]
Outcome = dict[str, Any]
#: Made once in each process; plays task after task.
Playing = Callable[[Task], Iterator[Outcome]]
#: What a process sends behind the last outcome of a task.
_END: Final = None


@dataclass(frozen=True, slots=True)
class Workshop:
    """How a process gets its ``Playing``: a function at the top of a module, and its argument.

    Attributes:
        make: Makes it.
        about: What all tasks share: sent once to each process.
    """

    make: Callable[[Any], Playing]
    about: Any


def play_all(workshop: Workshop, tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Yield what comes of the tasks, in the order it comes.

    At any moment a process plays one task, so memory does not grow with their number.

    Args:
        workshop: How to play.
        tasks: What to play.
        jobs: Processes; 1 plays in this one, and so does a single task.

    Raises:
        BenchError: A process died.
    """
    if min(jobs, len(tasks)) <= 1:
        with reading_once():
            playing = workshop.make(workshop.about)
            for task in tasks:
                yield from playing(task)
        return
    with _crew(workshop, min(jobs, len(tasks))) as crew:
        yield from _shared_out(crew, tasks)


def _shared_out(crew: Sequence[Connection], tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Keep every process busy, with one task in hand and one waiting in its pipe."""
    waiting = deque(tasks)
    open_tasks = dict.fromkeys(crew, 0)
    for _round in range(2):
        for line in crew:
            _hand(line, waiting, open_tasks)
    while any(open_tasks.values()):
        heard = wait([one for one in crew if open_tasks[one]])
        for line in (one for one in crew if one in heard):
            try:
                outcome = line.recv()
            except EOFError as error:
                raise BenchError(
                    "a process of the run died",
                    cause="killed from outside, or out of memory",
                    next_command="smetsbench resume DIR",
                ) from error
            if outcome is _END:
                open_tasks[line] -= 1
                _hand(line, waiting, open_tasks)
            else:
                yield outcome


def _hand(line: Connection, waiting: deque[Task], open_tasks: dict[Connection, int]) -> None:
    if waiting:
        line.send(waiting.popleft())
        open_tasks[line] += 1


@contextmanager
def _crew(workshop: Workshop, count: int) -> Iterator[list[Connection]]:
    """Start processes; they end when their pipe does, so none outlives a killed run.

    They are spawned, not forked: a forked one would inherit the lock of the run folder and keep
    it after its parent was killed.
    """
    context = multiprocessing.get_context("spawn")
    lines: list[Connection] = []
    processes: list[BaseProcess] = []
    try:
        for _number in range(count):
            ours, theirs = context.Pipe()
            process: BaseProcess = context.Process(target=_work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            lines.append(ours)
            processes.append(process)
        for line in lines:
            line.send(workshop)
        yield lines
    finally:
        for line in lines:
            line.close()
        for process in processes:
            process.join(5)
            if process.is_alive():
                process.terminate()
                process.join()


def _work(line: Connection) -> None:
    """Play what comes down the pipe until it closes; Ctrl-C is the parent's to act on.

    First comes the workshop, and with it nearly all modules. What was loaded stays, and what was
    played is let go by reference counts: the collector of cycles need look at neither, but for
    what is left after each task.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    with reading_once():
        try:
            workshop: Workshop = line.recv()
        except (EOFError, ConnectionError):
            return
        playing = workshop.make(workshop.about)
        gc.collect()
        gc.freeze()
        while True:
            try:
                for outcome in playing(line.recv()):
                    line.send(outcome)
                line.send(_END)
                gc.collect()
            except (EOFError, ConnectionError):
                return  # the run has ended, or was killed
