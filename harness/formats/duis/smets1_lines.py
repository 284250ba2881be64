"""Canonical text of what an S1SP says of a request: the quick way of `smets1_response`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from harness.formats.duis import kinds
from harness.formats.duis.quick_writing import UnusualError, plain

if TYPE_CHECKING:
    from harness.formats.duis.smets1_contents import Node, Result


#: Longest text of an error. Source: MMC 5.4 XSD.
MOST_ERROR_CHARS: Final = 250


def lines_of(result: "Result", declared: str) -> Iterator[str]:
    """Yield what stands in the message of a response, piece by piece.

    Args:
        result: What became of the request.
        declared: Declares the MMC name space.

    Raises:
        UnusualError: It needs a tree, which also says which value is wrong.
    """
    done = kinds.BOOLEAN.write(result.success)
    yield f'<ra:SMETSData{declared}><ra:{plain(result.element)} MessageSuccess="{done}">'
    for node in result.values:
        yield from _lines_of_node(node)
    yield f"</ra:{result.element}></ra:SMETSData>"
    if not result.statuses:
        return
    yield f"<ra:DebugInfo{declared}><ra:SMETS1Debug>"
    for status in result.statuses:
        if len(status.error) > MOST_ERROR_CHARS:
            raise UnusualError
        where = f'Position="{status.position}" ResponseCode="{status.code}"'
        error = f"<ra:Error>{plain(status.error)}</ra:Error>"
        yield f"<ra:SMETS1Response {where}>{error}</ra:SMETS1Response>"
    yield "</ra:SMETS1Debug></ra:DebugInfo>"


def _lines_of_node(node: "Node") -> Iterator[str]:
    given = "".join(_attribute(*one) for one in sorted(node.attributes))
    yield f"<ra:{plain(node.name)}{given}>{plain(node.text)}"
    for child in node.children:
        yield from _lines_of_node(child)
    yield f"</ra:{node.name}>"


def _attribute(name: str, value: str) -> str:
    """Return an attribute as canonical XML writes it."""
    if '"' in value:
        raise UnusualError
    return f' {plain(name)}="{plain(value)}"'
