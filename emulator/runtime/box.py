"""One box of an installation: a device, its radio, its end of the tunnels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Payload
from emulator.core.ids import Eui64
from emulator.han.node import RadioNode
from emulator.han.tunnel_client import TunnelClient
from emulator.han.tunnel_server import TunnelServer
from emulator.runtime.snapshot import Kept


class DeviceLike(Protocol):
    """What a world needs of a device."""

    eui64: Eui64

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""
        ...

    def load(self, state: Any) -> None:
        """Take over a dumped state."""
        ...

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        ...


@dataclass(slots=True)
class Box:
    """One box; the hub's holds CHF and GPF in one device.

    Attributes:
        role: Role in lower case: ``esme``, ``gsme``, ``chf`` …
        eui64s: Its identifiers; the first is the device's own, a hub's second is its GPF's.
        inside: The device; others than the box itself take it as ``device``.
        node: Its radio stack.
        tunnel: Its end of the tunnels.
        sleepy: Whether its receiver is off unless the device switches it on.
        powered: Whether it has power.
        awake: Whether its receiver is on.
        index: Its place among the boxes of its world; the scene that it stands in says it.
    """

    role: str
    eui64s: tuple[Eui64, ...]
    inside: DeviceLike
    node: RadioNode
    tunnel: TunnelClient | TunnelServer
    sleepy: bool = False
    powered: bool = False
    awake: bool = False
    index: int = field(default=-1, compare=False)
    _kept: Kept | None = field(default=None, repr=False, compare=False)

    @property
    def device(self) -> DeviceLike:
        """The device; whoever takes it may change it, so what is kept of its state is dropped."""
        self.forget()
        return self.inside

    @device.setter
    def device(self, other: DeviceLike) -> None:
        self._kept, self.inside = None, other

    def forget(self) -> None:
        """Drop what is kept of the device's state: somebody is about to change it."""
        self._kept = None

    @property
    def kept(self) -> Kept | None:
        """What is kept of the device's state; None once somebody may have changed it."""
        return self._kept

    @property
    def eui64(self) -> Eui64:
        """The device's own identifier."""
        return self.eui64s[0]

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        if self._kept is None:
            self._kept = Kept(self.inside.dump())
        return {
            "device": self._kept,
            "node": self.node.dump(),
            "tunnel": self.tunnel.dump(),
            "powered": self.powered,
            "awake": self.awake,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self.device.load(state["device"])
        self.node.load(state["node"])
        self.tunnel.load(state["tunnel"])
        self.powered = state["powered"]
        self.awake = state["awake"]
