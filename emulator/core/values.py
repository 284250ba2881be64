"""Quick making of frozen values: a whole migration makes some twenty thousand of them a home."""

from typing import Any, TypeVar

T = TypeVar("T")


def quick(cls: type[T]) -> type[T]:
    """Have a frozen dataclass with slots fill its slots directly; nothing else of it changes.

    The ``__init__`` that `dataclasses` writes for a frozen class looks every slot up by name and
    takes twice as long. Arguments, defaults, ``__post_init__`` and what is refused stay as they
    are; a class with fields that need more than that keeps the one it has.

    Args:
        cls: What ``@dataclass(frozen=True, slots=True)`` returned.
    """
    made: Any = cls.__dict__["__init__"]
    fields = vars(cls)["__dataclass_fields__"]
    code = made.__code__
    names = code.co_varnames[1 : code.co_argcount]
    if code.co_kwonlyargcount or tuple(fields) != names or not _plain(cls, names):
        return cls
    setters = {f"set_{name}": cls.__dict__[name].__set__ for name in names}
    body = [f"set_{name}(self, {name})" for name in names]
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n        ".join(body or ["..."])
    text = (
        f"def make({', '.join(setters)}):\n"
        f"    def __init__(self{''.join(f', {name}' for name in names)}):\n        {lines}\n"
        "    return __init__"
    )
    scope: dict[str, Any] = {}
    exec(text, scope)  # noqa: S102 -- as dataclasses itself does; only names of fields go in
    filled = scope["make"](**setters)
    filled.__defaults__ = made.__defaults__
    filled.__annotations__ = made.__annotations__
    filled.__qualname__ = made.__qualname__
    setattr(cls, "__init__", filled)  # noqa: B010 -- a plain assignment is what mypy refuses
    return cls


def _plain(cls: type[Any], names: tuple[str, ...]) -> bool:
    """Say whether each field has a slot of the class itself, and no factory behind it."""
    fields = vars(cls)["__dataclass_fields__"]
    factories = any(callable(fields[name].default_factory) for name in names)
    return not factories and all(hasattr(cls.__dict__.get(name), "__set__") for name in names)
