"""The WAN of the hub that a loopback dongle's process emulates: commands in, answers out."""

import asyncio
from typing import Final

from hil.children import Child

_NOTE: Final = "wan_out"
_OCTETS: Final = "octets="
#: Between two looks whether an answer has come, seconds of the wall.
_LOOK_S: Final = 0.05


class LoopbackWan:
    """What a hub's owner has: its WAN. The answers are read off the program's notes."""

    def __init__(self, child: Child) -> None:
        """Take a dongle's program that emulates a hub."""
        self._child = child
        self._seen: set[str] = set()

    async def send(self, message: bytes) -> None:
        """Have a GBCS message come to the hub from its WAN.

        Raises:
            ChildFailedError: The program has ended.
        """
        await asyncio.to_thread(self._child.tell, f"gbcs {message.hex()}")

    def answers(self) -> list[bytes]:
        """Return what the hub has sent onto its WAN since the last call."""
        fresh = [one for one in self._child.said if _NOTE in one and one not in self._seen]
        self._seen.update(fresh)
        return [bytes.fromhex(one.rpartition(_OCTETS)[2].split()[0]) for one in fresh]

    async def next_answer(self, loop_seconds: float) -> bytes | None:
        """Return the next answer; None when so many seconds of the loop have passed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + loop_seconds
        while loop.time() < until:
            found = self.answers()
            if found:
                return found[0]
            await asyncio.sleep(_LOOK_S)
        return None
