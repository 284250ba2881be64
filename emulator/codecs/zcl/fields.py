"""Construct fields that commands of many clusters share."""

from typing import Any, Final

import construct as c

U8: Final = c.Int8ul
U16: Final = c.Int16ul
U24: Final = c.Int24ul
U32: Final = c.Int32ul
U48: Final = c.BytesInteger(6, swapped=True)
I32: Final = c.Int32sl
#: A length octet and so many octets.
OCTETS: Final = c.Prefixed(c.Int8ul, c.GreedyBytes)


class _Rows(c.Adapter):
    """Numbers in groups of ``width``; a tuple of tuples in Python."""

    def __init__(self, subcon: c.Construct, width: int) -> None:
        super().__init__(subcon)
        self._width = width

    def _decode(self, obj: list[int], context: Any, path: str) -> tuple[tuple[int, ...], ...]:
        numbers = list(obj)
        width = self._width
        return tuple([tuple(numbers[at : at + width]) for at in range(0, len(numbers), width)])

    def _encode(self, obj: tuple[tuple[int, ...], ...], context: Any, path: str) -> list[int]:
        return [number for row in obj for number in row]


class _ToEnd(c.Construct):
    """Fields in turn, as often as they fit, up to the end of the payload; none left over."""

    def __init__(self, *fields: c.Construct) -> None:
        super().__init__()
        self._fields = fields

    def _parse(self, stream: Any, context: Any, path: str) -> list[Any]:
        found: list[Any] = []
        while True:
            start = stream.tell()
            more = stream.read(1)
            if not more:
                return found
            stream.seek(start)
            found += [field._parsereport(stream, context, path) for field in self._fields]  # noqa: SLF001 - construct's way

    def _build(self, obj: list[Any], stream: Any, context: Any, path: str) -> list[Any]:
        for at, value in enumerate(obj):
            self._fields[at % len(self._fields)]._build(value, stream, context, path)  # noqa: SLF001 - construct's way
        return obj


def rows_to_end(*fields: c.Construct) -> c.Construct:
    """Rows of these fields up to the end of the payload, as a tuple of tuples."""
    return _Rows(_ToEnd(*fields), len(fields))


def pairs_to_end(first: c.Construct, second: c.Construct) -> c.Construct:
    """Pairs up to the end of the payload, as a tuple of pairs."""
    return rows_to_end(first, second)
