"""What processes of a test play; imports little, for every process imports it anew."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from harness.workers import Outcome, Playing, Task


@dataclass(frozen=True)
class Doubling:
    """What processes of a test share: a factor."""

    factor: int


def doubling(about: Doubling) -> Playing:
    """Make what multiplies the numbers of a task, one outcome for each."""

    def play(task: Task) -> Iterator[Outcome]:
        for number in task["numbers"]:
            yield {"value": number * about.factor}

    return play


def dying(_about: object) -> Playing:
    """Make what ends its process."""

    def play(_task: Task) -> Iterator[Outcome]:
        return map(os._exit, [3])

    return play
