"""The link key of an emulated node: agreed on with its hub, and what has to be sealed under it."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zcl.key_establishment import KeySuite, TerminateStatus
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, ZclIndication
from emulator.core.ids import Eui64
from emulator.devices.key_establishment import KeyEstablishment, KeyEstablishmentSettings
from emulator.ncp import link_key_rule
from emulator.ncp.link_key_rule import engines_of, goes_sealed, may_come_unsealed
from emulator.ncp.member_plan import MemberPlan, MemberSecurity

#: Notes of `KeyEstablishment` that its owner acts upon.
ESTABLISHED: Final = "key_established"
GIVEN_UP: Final = "key_establishment_given_up"
#: Attempts of a suite where no other one follows. Source: invented.
ATTEMPTS: Final = 5


class MemberKeys:
    """The keys one node shares with its hub.

    Time is the radio's, in milliseconds of the NCP: partners do not run faster with the devices'
    clock.
    """

    def __init__(self, plan: MemberPlan) -> None:
        """Begin with the key of the node's install code alone."""
        self._plan = plan
        self._security = plan.security
        self._sequence = 0
        self._left: list[KeySuite] = []
        self._sealed: set[int] = set()
        self._establishment = None
        if plan.security is not None:
            self._establishment = self._machine(plan.security)

    def _machine(self, security: MemberSecurity) -> KeyEstablishment:
        engines = engines_of(security.credentials, security.chance)
        attempts = ATTEMPTS if len(security.suites) == 1 else 1
        return KeyEstablishment(
            self._plan.eui64,
            engines,
            admit=self._admit,
            next_sequence=self._next_sequence,
            settings=KeyEstablishmentSettings(attempts=attempts),
        )

    def _admit(self, partner: Eui64) -> TerminateStatus | None:
        """Let the hub alone begin."""
        return None if partner == self._plan.hub else TerminateStatus.NO_RESOURCES

    def _next_sequence(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence

    # -- the key -------------------------------------------------------------------------------

    @property
    def strict(self) -> bool:
        """Whether the clusters of Smart Energy are for sealed frames alone."""
        return self._security is not None and self._security.strict

    @property
    def agreed(self) -> bytes | None:
        """The link key agreed on with the hub; None before that."""
        machine = self._establishment
        return None if machine is None else machine.link_keys.get(self._plan.hub)

    @property
    def current(self) -> bytes:
        """The link key shared with the hub: the one agreed on, else the one it joined with."""
        return self.agreed or self._plan.link_key

    @property
    def due(self) -> bool:
        """Whether a key has to be agreed on before anything else."""
        return self.strict and self.agreed is None

    def begin(self, now: int) -> list[Effect]:
        """Agree on a key, as the initiator, with the first suite."""
        security = self._security
        self._left = [] if security is None else list(security.suites)
        return self._next_suite(now)

    def _next_suite(self, now: int) -> list[Effect]:
        if self._establishment is None or not self._left:
            return []
        return self._establishment.begin(self._plan.hub, self._left.pop(0), UtcMs(now))

    def go_on(self, now: int) -> list[Effect]:
        """Try the next suite after one was given up; empty: there is none."""
        return self._next_suite(now)

    def hear(self, told: ZclIndication, now: int) -> list[Effect]:
        """Take a frame of the Key Establishment cluster."""
        machine = self._establishment
        if machine is None:
            return [Note("han_frame_discarded", (("why", "no key establishment here"),))]
        return link_key_rule.hear(machine, told, now)

    def timer(self, name: str, now: int) -> list[Effect]:
        """Take a timer of the key establishment."""
        machine = self._establishment
        return [] if machine is None else machine.on_timer(name, UtcMs(now))

    def forget(self) -> None:
        """Lose the key agreed on: the node has left the network."""
        self.rest()
        if self._establishment is not None:
            self._establishment.link_keys.clear()

    def rest(self) -> None:
        """Lose what is under way, as without power; the key stays."""
        self._left.clear()
        self._sealed.clear()
        if self._establishment is not None:
            self._establishment.lose_power()

    # -- the rule ------------------------------------------------------------------------------

    def seal(self, cluster: int) -> bytes | None:
        """Return the key a frame of this cluster goes out under; None: unsealed.

        What must come sealed goes out sealed; everything else as the hub last spoke there.
        """
        if self.strict and goes_sealed(cluster):
            return self.agreed
        return self.current if cluster in self._sealed else None

    def objection(self, cluster: int, link_key: bytes | None, payload: bytes, *, part: bool) -> str:
        """Say why a frame of the hub is not taken; empty where it is.

        Args:
            cluster: Its cluster.
            link_key: Key it was sealed under, or None.
            payload: Its octets.
            part: Whether it is a fragment.
        """
        if link_key is not None:
            return "" if link_key == self.current else "another link key"
        taken = not self.strict or may_come_unsealed(cluster, b"" if part else payload)
        return "" if taken else "not secured"

    def follow(self, cluster: int, *, sealed: bool) -> None:
        """Remember how the hub last spoke on a cluster."""
        (self._sealed.add if sealed else self._sealed.discard)(cluster)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power; keys are in the clear."""
        machine, security = self._establishment, self._security
        return {
            "establishment": None if machine is None else machine.dump(),
            "drawn": 0 if security is None else security.chance.position,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a ``dump``; what was under way is lost."""
        machine, security = self._establishment, self._security
        if machine is not None and security is not None and state["establishment"] is not None:
            machine.load(state["establishment"])
            security.chance.position = state["drawn"]
        self.rest()
