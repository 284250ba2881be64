"""Proven power: a state machine must fail on each of a list of broken devices."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


class MachineFailed(Exception):  # noqa: N818 - a finding, not an error of the test
    """A machine found what it is there for."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defect: a place of the device's code that says something else.

    Attributes:
        name: What the device then does wrong.
        function: Function of the device; every reference to it is changed at once.
        old: Text that occurs once in it.
        new: What stands there instead.
    """

    name: str
    function: Callable[..., Any]
    old: str
    new: str

    def code(self) -> CodeType:
        """The function's code with the defect in it."""
        source = textwrap.dedent(inspect.getsource(self.function))
        assert source.count(self.old) == 1, f"{self.name}: the code has changed"
        free = self.function.__code__.co_freevars
        [made] = ast.parse(source.replace(self.old, self.new)).body
        assert isinstance(made, ast.FunctionDef)
        made.decorator_list = []
        if free:
            # names of a closure (of super() too) must stay free
            outer = ast.parse(f"def outer({', '.join(free)}): 0").body[0]
            assert isinstance(outer, ast.FunctionDef)
            outer.body = [made]
            found = _inner(compile(ast.Module([outer], []), "<mutant>", "exec"), "outer")
        else:
            found = compile(ast.Module([made], []), "<mutant>", "exec")
        return _inner(found, made.name)

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Let the device have the defect for a while."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.function, "__code__", self.code())
            yield


def _inner(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


def play(machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
    """Let a machine run the same examples every time, without looking for smaller ones.

    Raises:
        MachineFailed: It found something.
    """
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
        derandomize=True, phases=[Phase.generate], report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    try:
        run_state_machine_as_test(machine, settings=chosen)
    except (AssertionError, ValueError) as found:
        raise MachineFailed(str(found)[:200]) from found


def check_caught(
    mutant: Mutant, machine: type[RuleBasedStateMachine], examples: int, steps: int = 30
) -> None:
    """Check that a machine finds a defect within a number of examples."""
    with mutant.alive(), pytest.raises(MachineFailed):
        play(machine, examples, steps)
