"""Nodes of a HAN that are not in its world: the border is the ZCL frame."""

from typing import Protocol, runtime_checkable

from emulator.core.effects import SendZcl
from emulator.core.ids import Eui64

#: Whom frames for such nodes are counted for.
OUTSIDE = "outside"


class Outlet(Protocol):
    """What carries frames to nodes that are not in a world.

    A world hands it every ZCL frame for an EUI-64 that none of its boxes has. What comes back goes
    in by ``World.heard`` and ``World.settled``, both at the world's present moment: whoever calls
    them moves the world on first, and tells its driver afterwards (``Driver.disturbed``).
    """

    def send(self, order: SendZcl, handle: int) -> None:
        """Send one ZCL frame.

        Args:
            order: The frame; its ``source`` is always filled in: the box, or the second
                application on it (a hub's GPF).
            handle: 0, or the number to settle with ``World.settled``: once, whatever comes of it.
                Numbers are the source's own.
        """
        ...

    def cancel(self, handle: int) -> None:
        """Give up the transfer with this handle, where that can still be done.

        Its ``World.settled`` may come from within this call, or later; it must come.
        """
        ...


@runtime_checkable
class KnowsRoles(Protocol):
    """An outlet that knows what the nodes elsewhere are: faults may name them by their role."""

    def role_of(self, device: Eui64) -> str:
        """Return what a node is, in the words of faults; empty: unknown."""
        ...
