"""A node whose steps are told to people, and that goes on with its network where it has one."""

from collections.abc import Callable, Sequence
from typing import Final

from emulator.core.ids import Eui64
from harness.han_ports import Delivery, HanEvent, HanFrame, HanNetwork, HanNode, JoinOutcome
from hil.drivers.zigbee_node import DongleNode

Tell = Callable[[str], None]
_DONE: Final = JoinOutcome(True)


class ToldNode(HanNode):
    """`harness.han_ports.HanNode` over a dongle's node.

    Attributes:
        resumed: Whether it goes on with the network it was on.
        sealed: Whether it has agreed on a key.
    """

    def __init__(
        self,
        node: DongleNode,
        tell: Tell,
        before: HanNetwork | None = None,
        *,
        sealed: bool = False,
    ) -> None:
        """Take a node.

        Args:
            node: The driver.
            tell: Takes one line for each step.
            before: The network it was on, as somebody remembers.
            sealed: Whether it had agreed on a key there.
        """
        self.resumed = False
        self.sealed = False
        self._node = node
        self._tell = tell
        self._before = before
        self._was_sealed = sealed

    @property
    def eui64(self) -> Eui64:
        """The radio's own address."""
        return self._node.eui64

    async def networks(self, channels: Sequence[int]) -> Sequence[HanNetwork]:
        """Return the network it was on, where the dongle still is; else scan."""
        before = self._before
        if before is not None:
            self.resumed = await self._node.resume(before, sealed=self._was_sealed)
            if self.resumed:
                self._tell(f"on the network of {before.extended_pan_id} as before")
                return (before,)
            self._tell(f"the dongle is no longer on the network of {before.extended_pan_id}")
        self._tell(f"scanning channels {', '.join(map(str, channels))}")
        found = await self._node.networks(channels)
        for one in found:
            joining = "open" if one.permits else "closed"
            self._tell(
                f"heard {one.extended_pan_id} on channel {one.channel}, joining is {joining}"
            )
        return found

    async def join(self, network: HanNetwork, link_key: bytes) -> JoinOutcome:
        """Join, where it has not gone on with its network."""
        if self.resumed:
            return _DONE
        self._tell(f"joining {network.extended_pan_id} under the key of the install code")
        outcome = await self._node.join(network, link_key)
        if outcome.done:
            self._tell("joined")
        return outcome

    async def establish_key(self) -> JoinOutcome:
        """Agree with the hub on a link key, where it has none yet."""
        if self.resumed and self._was_sealed:
            self.sealed = True
            return _DONE
        self._tell("agreeing on a link key (CBKE)")
        outcome = await self._node.establish_key()
        self.sealed = outcome.done
        if outcome.done:
            self._tell("link key agreed; Smart Energy is sealed from here on")
        return outcome

    async def send(self, frame: HanFrame, *, acknowledged: bool = True) -> Delivery:
        """Send one ZCL frame."""
        return await self._node.send(frame, acknowledged=acknowledged)

    async def received(self, seconds: float) -> HanFrame | HanEvent | None:
        """Return the next frame or event."""
        return await self._node.received(seconds)

    async def leave(self) -> None:
        """Leave the network."""
        await self._node.leave()

    async def close(self) -> None:
        """Close the line; the dongle keeps its network."""
        await self._node.close()
