"""The keys an emulated hub shares with a joined NCP, and what has to be sealed under them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.codecs.zcl.key_establishment import KeySuite, TerminateStatus
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Credentials
from emulator.devices.key_establishment import KeyEstablishment
from emulator.ncp import link_key_rule
from emulator.ncp.link_key_rule import engines_of, goes_sealed, may_come_unsealed


@dataclass(frozen=True, slots=True)
class HubSecurity:
    """What an emulated hub holds and asks for.

    Attributes:
        log: Devices of its device log, and the link key of each one's install code (or the
            well-known one).
        credentials: Its own keys and certificates, by suite.
        chance: Source of its ephemeral keys.
        strict: Whether Smart Energy is for sealed frames alone.
    """

    log: Mapping[Eui64, bytes] = field(repr=False)
    credentials: Mapping[KeySuite, Credentials] = field(repr=False)
    chance: Stream = field(repr=False)
    strict: bool = True


class HubKeys:
    """Link keys of the hub; time is the radio's, in milliseconds."""

    def __init__(
        self, eui64: Eui64, security: HubSecurity, is_there: Callable[[Eui64], bool]
    ) -> None:
        """Take the hub, what it holds, and who is asked whether a node has joined."""
        self.security = security
        self._is_there = is_there
        self._sequence = 0
        self._sealed: set[tuple[Eui64, int]] = set()
        self._verified: dict[Eui64, bytes] = {}
        engines = engines_of(security.credentials, security.chance)
        self._machine = KeyEstablishment(
            eui64, engines, admit=self._admit, next_sequence=self._next_sequence
        )

    def _admit(self, partner: Eui64) -> TerminateStatus | None:
        """Agree on keys with nodes of the network alone."""
        return None if self._is_there(partner) else TerminateStatus.NO_RESOURCES

    def _next_sequence(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence

    def joining(self, eui64: Eui64) -> bytes | None:
        """Return the key a device joins under; None: it is not in the device log."""
        return self.security.log.get(eui64)

    def agreed(self, eui64: Eui64) -> bytes | None:
        """Return the key agreed on with a node."""
        return self._machine.link_keys.get(eui64)

    def current(self, eui64: Eui64) -> bytes | None:
        """Return the link key that counts now."""
        return self.agreed(eui64) or self._verified.get(eui64) or self.joining(eui64)

    def verified(self, eui64: Eui64, key: bytes) -> None:
        """Take a key of the trust centre's as proven by its holder."""
        self._verified[eui64] = key

    def hear(self, told: ZclIndication, now: int) -> list[Effect]:
        """Take a frame of the Key Establishment cluster."""
        return link_key_rule.hear(self._machine, told, now)

    def timer(self, name: str, now: int) -> list[Effect]:
        """Take a timer of the key establishment."""
        return self._machine.on_timer(name, UtcMs(now))

    # -- the rule ------------------------------------------------------------------------------

    def objection(self, sender: Eui64, cluster: int, link_key: bytes | None, payload: bytes) -> str:
        """Say why a frame is not taken; empty where it is.

        Args:
            sender: Who sent it.
            cluster: Its cluster.
            link_key: Key it was sealed under, or None.
            payload: Its octets, or those of a fragment.
        """
        if link_key is not None:
            right = link_key in {self.current(sender), self.agreed(sender)}
            return "" if right else "another link key"
        taken = not self.security.strict or may_come_unsealed(cluster, payload)
        return "" if taken else "not secured"

    def seal(self, to: Eui64, cluster: int) -> bytes | None:
        """Return the key a frame goes out under; None: unsealed.

        What has to come sealed goes out sealed; everything else as the node last spoke there.
        """
        if self.security.strict and goes_sealed(cluster):
            return self.agreed(to)
        return self.current(to) if (to, cluster) in self._sealed else None

    def may_send(self, to: Eui64, cluster: int) -> bool:
        """Say whether there is a key for a frame that has to be sealed."""
        needs = self.security.strict and goes_sealed(cluster)
        return not needs or self.agreed(to) is not None

    def follow(self, sender: Eui64, cluster: int, *, sealed: bool) -> None:
        """Remember how a node last spoke on a cluster."""
        (self._sealed.add if sealed else self._sealed.discard)((sender, cluster))

    def forget(self, eui64: Eui64) -> None:
        """Lose the keys agreed on with a node: it has left, or joins anew."""
        self._machine.link_keys.pop(eui64, None)
        self._verified.pop(eui64, None)
        self._sealed = {key for key in self._sealed if key[0] != eui64}

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power; keys are in the clear."""
        verified = {eui64.hex: key.hex() for eui64, key in self._verified.items()}
        drawn = self.security.chance.position
        return {"machine": self._machine.dump(), "verified": verified, "drawn": drawn}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a ``dump``; what was under way is lost."""
        self._machine.load(state["machine"])
        self._machine.lose_power()
        self._verified = {
            Eui64.parse(eui64): bytes.fromhex(key) for eui64, key in state["verified"].items()
        }
        self.security.chance.position = state["drawn"]
