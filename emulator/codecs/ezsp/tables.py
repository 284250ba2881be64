"""Rows of the tables of frames: number, name, and the parameters of command and response."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emulator.codecs.ezsp.frames import Frame


@dataclass(frozen=True, slots=True)
class Row:
    """One frame in one version.

    Attributes:
        frame_id: Its number.
        name: Its name.
        request: Class and fields of the command; None: the host never sends it.
        answer: Class and fields of the response, or of the callback.

    The fields are written ``name:kind`` in the order of the wire. ``st`` is a status that was an
    EmberStatus up to v13, ``ezst`` one that was an EzspStatus; since v14 both are sl_Status, as
    ``sl`` always was.
    """

    frame_id: int
    name: Frame
    request: tuple[type[Any], str] | None
    answer: tuple[type[Any], str]


def call(
    frame_id: int, name: Frame, request: tuple[type[Any], str], answer: tuple[type[Any], str]
) -> Row:
    """Return the row of a command and its response."""
    return Row(frame_id, name, request, answer)


def told(frame_id: int, name: Frame, cls: type[Any], fields: str = "") -> Row:
    """Return the row of a frame that only the NCP sends."""
    return Row(frame_id, name, None, (cls, fields))


@dataclass(frozen=True, slots=True)
class Delta:
    """What a version changes.

    Attributes:
        rows: New rows, and rows in place of those of the same name.
        gone: Frames it no longer has.
    """

    rows: tuple[Row, ...] = ()
    gone: frozenset[Frame] = frozenset()

    def on(self, older: Iterable[Row]) -> tuple[Row, ...]:
        """Return the table of this version, made from another's.

        Raises:
            ValueError: A frame is to go that is not there, or two frames share a number.
        """
        table = {row.name: row for row in older}
        if not self.gone <= table.keys():
            raise ValueError(f"not in the older table: {sorted(self.gone - table.keys(), key=str)}")
        for name in self.gone:
            del table[name]
        table.update({row.name: row for row in self.rows})
        rows = tuple(sorted(table.values(), key=lambda row: row.frame_id))
        if len({row.frame_id for row in rows}) != len(rows):
            raise ValueError("two frames share a number")
        return rows
