"""Reads what an S1SP says of a request from its canonical text: the quick way of `smets1_response`.

It reads one form, to the letter: exclusive canonical XML as `smets1_lines` writes it, of a request
that succeeded. Whatever deviates is left to the parser, which reads it or says what is wrong.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from harness.formats.duis import signature_form
from harness.formats.duis.quick_writing import DECLARED, VERSION
from harness.formats.duis.signature_form import Signed

if TYPE_CHECKING:
    from harness.formats.duis.smets1_contents import Node

#: Longer documents, and deeper ones, are for the parser, which has bounds of its own.
_SMALL_BYTES: Final = 32 * 1024
_MOST_DEPTH: Final = 16
_MOST_ATTRIBUTES: Final = 8
_DECLARED: Final = ' xmlns:ra="http://www.dccinterface.co.uk/ResponseAndAlert"'
_ROOT: Final = "SMETS1SignedResponse"
_BEGUN: Final = f"<sr:{_ROOT}{DECLARED}{VERSION}><sr:SMETS1Response><sr:Header>"
_BETWEEN: Final = f"</sr:Header><sr:Body><sr:ResponseMessage><ra:SMETSData{_DECLARED}>"
_BEHIND: Final = "</ra:SMETSData></sr:ResponseMessage></sr:Body></sr:SMETS1Response>"
_ENDED: Final = f"</sr:{_ROOT}>"
#: What such a text consists of: printable, nothing that XML escapes.
_PLAIN: Final = bytes({*range(0x20, 0x7F)} - {ord("&")})
_NAME: Final = "[A-Za-z][A-Za-z0-9_]*"
_HEAD: Final = re.compile(rf"<ra:({_NAME}){re.escape(_DECLARED)}>([^<>]*)</ra:(\1)>")
_TAG: Final = re.compile(rf'<(/?)ra:({_NAME})((?: {_NAME}="[^"<>]*")*)>([^<>]*)')
_ATTRIBUTE: Final = re.compile(rf' ({_NAME})="([^"<>]*)"')
_SUCCESS: Final = {"true": True, "false": False}
#: Makes a node of name, text, children and attributes.
_Make = Callable[[str, str, tuple[Any, ...], tuple[tuple[str, str], ...]], Any]


class Said(NamedTuple):
    """What a signed response says.

    Attributes:
        header: Texts of its header, by name.
        answer: The one element of its data, with what it holds.
        success: Whether all of the request was done.
        mark: Its signature, with what it has to cover.
    """

    header: dict[str, str]
    answer: "Node"
    success: bool
    mark: Signed


class _Part(NamedTuple):
    """A node of a text that is only looked through."""

    name: str
    text: str
    children: tuple[Any, ...]
    attributes: tuple[tuple[str, str], ...]


class _OtherFormError(Exception):
    """A text of another form."""


def read(data: bytes, make: _Make) -> Said | None:
    """Read a signed response.

    Args:
        data: The document.
        make: Makes a node.

    Returns:
        None where it is for the parser to read or refuse it.
    """
    if len(data) > _SMALL_BYTES or data.translate(None, _PLAIN):
        return None
    text = data.decode("ascii")
    head, between, rest = text.partition(_BETWEEN)
    content, behind, last = rest.partition(_BEHIND)
    if not (between and behind and head.startswith(_BEGUN) and last.endswith(_ENDED)):
        return None
    signature = signature_form.texts_in_canonical(last[: -len(_ENDED)])
    if signature is None:
        return None
    try:
        header = _header(head[len(_BEGUN) :])
        answer = _tree(content, make)
        attributes = dict(answer.attributes)
        success = _SUCCESS[attributes.pop("MessageSuccess")]
    except (_OtherFormError, KeyError):
        return None
    rest = text[: len(text) - len(last)]
    mark = Signed(signature, lambda: f"{rest}{_ENDED}".encode("ascii"))
    return Said(header, answer, success, mark)


def is_canonical(data: bytes) -> bool:
    """Say whether octets are a signed response in the one form, which is canonical."""
    return read(data, _Part) is not None


def _header(text: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _HEAD.match(text, at)
        if found is None:
            raise _OtherFormError
        texts[found[1]], at = found[2], found.end()
    return texts


def _tree(text: str, make: _Make) -> Any:
    """Return the one element that a text consists of."""
    #: Of each open element: name, attributes, text, children.
    opened: list[tuple[str, tuple[tuple[str, str], ...], str, list[Any]]] = []
    at = 0
    while (found := _TAG.match(text, at)) is not None:
        closing, name, given, inside = found.groups()
        at = found.end()
        if not closing:
            if len(opened) >= _MOST_DEPTH or (opened and opened[-1][2]):
                raise _OtherFormError
            opened.append((name, _attributes(given) if given else (), inside, []))
            continue
        if inside or given or not opened or opened[-1][0] != name:
            raise _OtherFormError
        _name, attributes, own, children = opened.pop()
        node = make(name, own, tuple(children), attributes)
        if not opened:
            if at != len(text):
                break
            return node
        opened[-1][3].append(node)
    raise _OtherFormError


def _attributes(text: str) -> tuple[tuple[str, str], ...]:
    """Return attributes in the order of canonical XML, none of which declares a name space."""
    found = tuple(_ATTRIBUTE.findall(text))
    names = [name for name, _value in found]
    if len(found) > _MOST_ATTRIBUTES or names != sorted(set(names)) or "xmlns" in names:
        raise _OtherFormError
    return found
