"""Values made quickly are the values that dataclasses make."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import ClassVar

import pytest

from emulator.core.values import quick


@dataclass(frozen=True, slots=True)
class Slow:
    number: int
    text: str = "x"
    octets: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("below nothing")


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    number: int
    text: str = "x"
    octets: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("below nothing")


@quick
@dataclass(frozen=True, slots=True)
class Marked:
    octets: bytes

    FORM: ClassVar[int] = 7


@quick
@dataclass(frozen=True, slots=True)
class Listed:
    rows: list[int] = field(default_factory=list)


def test_a_quick_value_is_made_shown_compared_and_copied_like_any_other() -> None:
    assert inspect.signature(Quick) == inspect.signature(Slow)
    for made, like in ((Quick(1), Slow(1)), (Quick(2, octets=b"u"), Slow(2, octets=b"u"))):
        assert repr(made) == repr(like).replace("Slow", "Quick")
        assert [getattr(made, one.name) for one in fields(made)] == [
            getattr(like, one.name) for one in fields(like)
        ]
        assert made == copy.deepcopy(made) == replace(made) == pickle.loads(pickle.dumps(made))  # noqa: S301 -- our own octets
        assert hash(made) == hash(replace(made))
    assert replace(Quick(1), text="y") == Quick(1, "y")


def test_a_quick_value_refuses_what_any_other_refuses() -> None:
    with pytest.raises(TypeError):
        Quick()  # type: ignore[call-arg]  # that is the point
    with pytest.raises(ValueError, match="below nothing"):
        Quick(-1)


def test_a_quick_value_is_frozen_for_the_type_checker_alone() -> None:
    slow, quickly = Slow(1), Quick(1)
    with pytest.raises(FrozenInstanceError):
        slow.number = 2  # type: ignore[misc]  # that is the point
    quickly.number = 2  # type: ignore[misc]  # the point: mypy refuses it (an unused ignore fails)
    assert hash(quickly) == hash(Quick(2))
    with pytest.raises(AttributeError):
        quickly.other = 2  # type: ignore[attr-defined]  # it has slots, and no others


def test_a_constant_of_the_class_is_no_field() -> None:
    assert Marked(b"x") == Marked(b"x")
    assert Marked.FORM == 7
    assert Marked.__setattr__ is object.__setattr__  # made quickly


def test_a_class_with_a_factory_keeps_its_own_way() -> None:
    assert Listed().rows is not Listed().rows
