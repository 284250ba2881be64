"""The WAN provider: updates the communications hubs themselves (CS05a)."""

from collections.abc import Callable
from typing import Any

from emulator.core.ids import Eui64
from harness.parties.post import IMAGE, Post
from harness.ports import Hub, StageOrder, StageOutcome


class WanProvider:
    """Sends hubs their own images; how a hub activates one is its maker's and the CSP's affair.

    Attributes:
        name: How the trace calls it.
        eui64: Its identifier.
        sent: Hub -> version of the last image it was sent, eight hex digits.

    Source:
        CS05a is no GBCS message (reference/gbcs.md §3.1); the order of things: inferred.
    """

    def __init__(
        self, eui64: Eui64, post: Post, announce: Callable[[Eui64, str], None] | None = None
    ) -> None:
        """Make the party.

        Args:
            eui64: Its identifier.
            post: The post.
            announce: Told hub and version of each image a hub took (``Dsp.expect_hub_version``).
        """
        self.name = "WAN provider"
        self.eui64 = eui64
        self.sent: dict[Eui64, str] = {}
        self._post = post
        self._announce = announce
        self._orders = 0

    async def update_hub(self, hub: Hub, image: bytes, version: str) -> StageOutcome:
        """Send a hub an image for itself and return how the transfer ended.

        Args:
            hub: The hub.
            image: OTA Upgrade Image of the kind ``wan-provider``.
            version: Version in it, eight hex digits.
        """
        self._orders += 1
        order = StageOrder(f"{self.eui64}:{hub.eui64}:{self._orders}", image, (hub.eui64,))
        self._post.hand_over(self.name, "CHF", IMAGE, image, f"own image {version} for the hub")
        outcome = await hub.stage(order)
        if outcome.delivered:
            self.sent[hub.eui64] = version.upper().zfill(8)
            if self._announce is not None:
                self._announce(hub.eui64, self.sent[hub.eui64])
        return outcome

    def dump(self) -> dict[str, Any]:
        """Return its memory."""
        return {
            "orders": self._orders,
            "sent": {str(hub): version for hub, version in self.sent.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self._orders = state["orders"]
        self.sent = {Eui64.parse(hub): version for hub, version in state["sent"].items()}
