"""What an emulated node is before it has a network: its keys, its endpoint, its application."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, Payload
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Credentials
from emulator.han.tunnel_client import TunnelClient


class Application(Protocol):
    """What a node does above its radio: one of ``emulator.devices``, or a stand-in."""

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""
        ...

    def load(self, state: Any) -> None:
        """Take over a dumped state."""
        ...


class Clock(Protocol):
    """The devices' time beside the NCP's milliseconds."""

    def utc(self, at: int) -> UtcMs:
        """Return what a true clock shows at a moment of the NCP."""
        ...

    def ncp_ms(self, at: UtcMs) -> int:
        """Return the NCP's milliseconds at which a true clock shows ``at``."""
        ...


@dataclass(frozen=True, slots=True)
class MemberSecurity:
    """How a node agrees on a link key with its hub, and what it then wants sealed under it.

    Attributes:
        credentials: Its keys and certificates, by suite.
        chance: Source of its ephemeral keys.
        suites: Suites it tries as the initiator, in this order.
        strict: Whether it agrees on a key as soon as it has joined, begins its life only then,
            and takes the clusters of Smart Energy under that key alone.
        agree_ms: From joining to its first word of key establishment. Hubs agree with one node at
            a time and send others away for half a minute, so nodes of a home do not all begin at
            once.
    """

    credentials: Mapping[KeySuite, Credentials] = field(repr=False)
    chance: Stream = field(repr=False)
    suites: tuple[KeySuite, ...] = (KeySuite.CBKE_283,)
    strict: bool = True
    agree_ms: int = 250


@dataclass(frozen=True, slots=True)
class MemberPlan:
    """One node.

    Attributes:
        eui64: Its own address.
        name: For notes.
        application: What it does.
        link_key: Key of its install code, or the well-known one.
        endpoint: Where its application lives.
        capability: `zdo.Capability`.
        hub: EUI-64 its application knows the CHF by.
        gpf: EUI-64 and endpoint of the hub's GPF, where its application knows one.
        hub_endpoint: The hub's endpoint for what is sent unasked before it has spoken.
        tunnel: Its end of the tunnel to the hub; None: it has none.
        manufacturer: Code of its maker.
        join_ms: From permission to its attempt to join.
        asks_key: Whether it asks the trust centre for a link key of its own, as Zigbee 3.0
            devices do.
        security: Key establishment; None: it knows none, and takes everything unsealed.
    """

    eui64: Eui64
    name: str
    application: Application
    link_key: bytes = field(repr=False)
    endpoint: SimpleDescriptor
    capability: int
    hub: Eui64
    gpf: tuple[Eui64, int] | None = None
    hub_endpoint: int = 1
    tunnel: TunnelClient | None = None
    manufacturer: int = 0
    join_ms: int = 100
    asks_key: bool = False
    security: MemberSecurity | None = None


class Directory(Protocol):
    """Who else is on the network, and who has power."""

    def place_of(self, eui64: Eui64) -> tuple[int, int] | None:
        """Return short address and endpoint of another node on the network."""
        ...

    def eui64_of(self, short: int) -> Eui64 | None:
        """Return who has a short address."""
        ...

    def cut_power(self, device: Eui64, off_s: float, now: int) -> None:
        """Take the supply from a node for so many seconds of its clock; 0: for good."""
        ...


class Stage(enum.StrEnum):
    """Where a node stands with the network."""

    OUT = "out"
    KEY_WAIT = "key_wait"
    IN = "in"


Log = Callable[[str, Note], None]
