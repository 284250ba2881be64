"""The lines of a sheet as its XML, with the octets that openpyxl would write for them."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from lxml import etree
from openpyxl.cell.cell import ERROR_CODES, ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

#: What openpyxl writes for a sheet without lines.
EMPTY: Final = b"<sheetData></sheetData>"
_MAX_CHARS: Final = 32_767  # of one cell, says every spreadsheet
_REMEMBERED: Final = 50_000
_ERRORS: Final = frozenset(ERROR_CODES)


def sheet_data(lines: Iterable[Sequence[str]]) -> bytes:
    """Return the element ``sheetData`` of lines of texts, in ASCII.

    openpyxl makes an object of each cell and sends it through lxml piece by piece, which took a
    fifth of a whole check; nearly all cells are texts, and many of them stand in each line.
    """
    written: list[str] = []
    contents: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        written.append(f'<row r="{number}">')
        for index, text in enumerate(line, 1):
            content = contents.get(text)
            if content is None:
                if len(contents) > _REMEMBERED:
                    contents.clear()
                content = contents[text] = _content(text)
            written.append(f'<c r="{get_column_letter(index)}{number}" {content}</c>')
        written.append("</row>")
    return b"<sheetData>" + "".join(written).encode("ascii") + b"</sheetData>"


def _content(text: str) -> str:
    """Return the rest of a cell behind its address."""
    plain = ILLEGAL_CHARACTERS_RE.sub("", text)[:_MAX_CHARS]
    if plain in _ERRORS:
        return f't="e"><v>{plain}</v>'
    if not plain:
        return 't="inlineStr">'
    space = ' xml:space="preserve"' if plain != plain.strip() else ""
    return f't="inlineStr"><is><t{space}>{_escaped(plain)}</t></is>'


def _escaped(text: str) -> str:
    if text.isascii() and "\r" not in text:
        return escape(text, quote=False)
    element = etree.Element("t")  # lxml knows how every other character is written
    element.text = text
    return etree.tostring(element).decode("ascii").removeprefix("<t>").removesuffix("</t>")
