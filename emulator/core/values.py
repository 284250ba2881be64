"""Quick making of frozen values: a whole migration makes some twenty thousand of them a home."""

from dataclasses import fields as fields_of
from typing import Any, TypeVar

T = TypeVar("T")


def quick(cls: type[T]) -> type[T]:
    """Have a frozen dataclass with slots fill its slots as one that is not frozen does.

    The ``__init__`` that `dataclasses` writes for a frozen class looks every slot up by name and
    takes four times as long, because it has to get past the ``__setattr__`` that refuses
    assignments. A quick class has none: its values are frozen for the type checker, which reads
    every module and test, and no longer refuse at run time. Arguments, defaults,
    ``__post_init__``, equality and hash stay as they are; a class with fields that need more than
    that keeps the one it has.

    Args:
        cls: What ``@dataclass(frozen=True, slots=True)`` returned.
    """
    made: Any = cls.__dict__["__init__"]
    fields = tuple(row.name for row in fields_of(cls))  # type: ignore[arg-type]  # a dataclass
    code = made.__code__
    names = code.co_varnames[1 : code.co_argcount]
    if code.co_kwonlyargcount or fields != names or not _plain(cls, names):
        return cls
    body = [f"self.{name} = {name}" for name in names]
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n    ".join(body or ["..."])
    scope: dict[str, Any] = {}
    text = f"def __init__(self{''.join(f', {name}' for name in names)}):\n    {lines}\n"
    exec(text, scope)  # noqa: S102 -- as dataclasses itself does; only names of fields go in
    filled = scope["__init__"]
    filled.__defaults__ = made.__defaults__
    filled.__annotations__ = made.__annotations__
    filled.__qualname__ = made.__qualname__
    setattr(cls, "__init__", filled)  # noqa: B010 -- a plain assignment is what mypy refuses
    for name in ("__setattr__", "__delattr__"):
        if name in cls.__dict__:
            delattr(cls, name)
    return cls


def _plain(cls: type[Any], names: tuple[str, ...]) -> bool:
    """Say whether each field has a slot of the class itself, and no factory behind it."""
    fields = vars(cls)["__dataclass_fields__"]
    factories = any(callable(fields[name].default_factory) for name in names)
    return not factories and all(hasattr(cls.__dict__.get(name), "__set__") for name in names)
