"""What a SMETS1 response or alert holds: a result with its values, or a device's alert.

Source:
    Elements: MMC 5.4 XSD; what stands in them is a stand-in where that schema leaves it open.
"""

from dataclasses import dataclass

from emulator.core.clock import UtcMs
from emulator.core.values import quick


@quick
@dataclass(frozen=True, slots=True)
class Node:
    """One element of the MMC name space.

    Attributes:
        name: Local name.
        text: Its text; empty for one with children.
        children: Its children, in order.
        attributes: Its attributes.
    """

    name: str
    text: str = ""
    children: tuple["Node", ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    def find(self, *path: str) -> str | None:
        """Return the text of the first element down a path of names, or None."""
        node: Node | None = self
        for name in path:
            node = next((one for one in node.children if one.name == name), None) if node else None
        return None if node is None else node.text


@dataclass(frozen=True, slots=True)
class Smets1Status:
    """One result of a device, in words.

    Attributes:
        code: 0 for a success.
        error: At most 250 characters.
        position: Which instruction of the request, from 1.
    """

    code: int
    error: str
    position: int


@quick
@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request.

    Attributes:
        element: Name of its element, e.g. ``UpdatePaymentModeRsp``.
        success: Whether all of it was done.
        values: What the element holds.
        statuses: Results of its instructions.
    """

    element: str
    success: bool
    values: tuple[Node, ...] = ()
    statuses: tuple[Smets1Status, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceAlert:
    """An alert of a device.

    Attributes:
        code: GBCS alert code, or None.
        description: At most 250 characters.
        at: When.
        image_hash: Of 8F1C and 8F72: Manufacturer Image Hash, or empty.
    """

    code: int | None
    description: str
    at: UtcMs
    image_hash: bytes = b""
