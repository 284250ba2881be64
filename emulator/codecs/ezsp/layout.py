"""How the parameters of one frame stand on the wire in one version of EZSP."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

import construct as c

from emulator.codecs.ezsp.kinds import TAILS, Kind, Tail, UnfitError, parts_under
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.zigbee.blocks import build, parse_whole
from emulator.core.errors import MalformedFrameError

_LAYER: Final = "ezsp"


class RefusedEzspError(MalformedFrameError):
    """Octets are no EZSP frame of this version.

    Attributes:
        reason: What an NCP answers in ``invalidCommand``: TRUNCATED, OVERFLOW,
            INVALID_PARAMETER, INVALID_FRAME_ID, WRONG_DIRECTION, VERSION_NOT_SET or
            UNSUPPORTED_CONTROL.
    """

    def __init__(self, data: bytes, why: str, reason: Status, offset: int = -1) -> None:
        super().__init__(_LAYER, data, why, offset)
        self.reason = reason


class _Run:
    """Fields of fixed length that follow each other."""

    __slots__ = ("_get", "_turns", "rows", "struct")

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.struct = struct.Struct("<" + "".join(kind.codes for kind in kinds.values()))
        rows, at = [], 0
        for kind in kinds.values():
            rows.append((kind.read, at))
            at += kind.count
        self.rows = tuple(rows)
        parts = [part for name, kind in kinds.items() for part in parts_under(name, kind)]
        self._turns = [(at, part.turn) for at, part in enumerate(parts) if part.turn is not None]
        self._get = _getter([part.path for part in parts])

    def read(self, data: bytes, at: int) -> list[Any]:
        raw = self.struct.unpack_from(data, at)
        return [raw[i] if read is None else read(raw, i) for read, i in self.rows]

    def write(self, value: Any) -> bytes:
        given = self._get(value)
        if not self._turns:
            return self.struct.pack(*given)
        out = [*given]
        for at, turn in self._turns:
            out[at] = turn(out[at])
        return self.struct.pack(*out)


def _getter(paths: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes attributes out of a value, all at once."""
    if len(paths) > 1:
        return attrgetter(*paths)
    if not paths:
        return lambda _value: ()
    only = attrgetter(paths[0])
    return lambda value: (only(value),)


class Layout:
    """The parameters of one frame: a dataclass and where its fields stand.

    The construct declaration is the definition. Octets of the declared length are read by a
    ``struct`` that is made of the same fields; everything else is left to the declaration, which
    knows why it refuses. Fields of the dataclass that this version does not carry are not written
    and have their default when read.
    """

    __slots__ = ("_all", "_head", "_names", "_rest", "_tail", "_tail_name", "cls", "form")

    def __init__(self, cls: type[Any], spec: str, kinds: Mapping[str, Kind]) -> None:
        """Take the dataclass and its fields as ``name:kind`` in the order of the wire.

        Raises:
            TypeError: A field is not one of the dataclass, or two have no fixed length.
            KeyError: A kind is not known.
        """
        self.cls = cls
        self._tail: Tail | None = None
        self._tail_name = ""
        known = tuple(field.name for field in fields(cls))
        forms: list[c.Construct] = []
        runs: tuple[dict[str, Kind], dict[str, Kind]] = ({}, {})
        for word in spec.split():
            name, _, of_kind = word.partition(":")
            if name not in known or (of_kind in TAILS and self._tail is not None):
                raise TypeError(f"{cls.__name__} cannot hold {word!r} there")
            if of_kind in TAILS:
                self._tail, self._tail_name = TAILS[of_kind], name
                forms.append(c.Renamed(self._tail.form, name))
                continue
            runs[self._tail is not None][name] = kinds[of_kind]
            forms.append(c.Renamed(kinds[of_kind].form, name))
        self.form = c.Struct(*forms)
        self._head = _Run(runs[False])
        self._rest = _Run(runs[True]) if runs[True] else None
        self._names = tuple(word.partition(":")[0] for word in spec.split())
        self._all = self._names == known

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that this version carries, in the order of the wire."""
        return self._names

    def decode(self, data: bytes, at: int = 0) -> Any:
        """Read the parameters that stand in ``data`` from ``at`` to its end.

        Raises:
            RefusedEzspError: They are not as declared.
        """
        try:
            return self._decode_fast(data, at)
        except (struct.error, UnfitError):
            return self.decode_declared(data[at:])

    def encode(self, value: Any) -> bytes:
        """Write the parameters.

        Raises:
            ValueError: A value does not fit its field.
        """
        try:
            octets = self._head.write(value)
            if self._tail is not None:
                octets += self._tail.write(getattr(value, self._tail_name), value)
            if self._rest is not None:
                octets += self._rest.write(value)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{_LAYER}.{self.cls.__name__}: {error}") from error
        return octets

    def decode_declared(self, data: bytes) -> Any:
        """Read the parameters by the declaration alone.

        Raises:
            RefusedEzspError: They are not as declared.
        """
        try:
            raw = parse_whole(f"{_LAYER}.{self.cls.__name__}", self.form, data)
        except MalformedFrameError as error:
            raise RefusedEzspError(data, error.why, _reason(error), error.offset) from error
        return self.cls(**{name: raw[name] for name in self._names})

    def encode_declared(self, value: Any) -> bytes:
        """Write the parameters by the declaration alone.

        Raises:
            ValueError: A value does not fit its field.
        """
        values = {name: getattr(value, name) for name in self._names}
        return build(f"{_LAYER}.{self.cls.__name__}", self.form, values)

    def _decode_fast(self, data: bytes, at: int) -> Any:
        start, end = at + self._head.struct.size, len(data)
        if self._rest is not None:
            end -= self._rest.struct.size
        if start > end or (self._tail is None and start != end):
            raise UnfitError
        values = self._head.read(data, at)
        if self._tail is not None:
            values.append(self._tail.read(data[start:end], values))
        if self._rest is not None:
            values += self._rest.read(data, end)
        if self._all:
            return self.cls(*values)
        return self.cls(**dict(zip(self._names, values, strict=True)))


def _reason(error: MalformedFrameError) -> Status:
    """Return what kind of refusal the declaration's is."""
    if error.__cause__ is None:
        return Status.OVERFLOW  # all was read and something was left
    if isinstance(error.__cause__, c.StreamError):
        return Status.TRUNCATED
    return Status.INVALID_PARAMETER
