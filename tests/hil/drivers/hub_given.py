"""An emulated dongle with nodes around it, and the hub driver plugged into it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, Payload, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Credentials
from emulator.crypto.install_code import InstallCode
from emulator.crypto.test_certificates import all_credentials
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.ncp.member_plan import MemberPlan, MemberSecurity
from emulator.servers import listen
from emulator.servers.dongle_control import DongleOrders
from emulator.servers.dongle_service import DonglePlan, DongleService
from harness.han_ports import HanEvent, HanEventKind, HanFrame, Permit
from hil.drivers.zigbee_hub import DongleHub
from hil.zigbee.hub_settings import Cbke, HubSettings
from hil.zigbee.settings import DongleSettings
from tests.emulator.ncp.home_given import CHF_ENDPOINT, ENDPOINT, START
from tests.emulator.ncp.ncp_given import DONGLE

METERING = 0x0702
CODE = InstallCode(bytes.fromhex("83FED3407A939723A5C639B26916D505"))
SEED = 7
CHF = SimpleDescriptor(
    CHF_ENDPOINT, 0x0109, 0x0500, 0, (0x0000, 0x000A, 0x0019, 0x0800, METERING), (METERING,)
)
#: Longer than anything a test on a loaded machine should need.
PATIENCE_S = 30


class Echo:
    """A device that says whatever it is told back to whoever told it."""

    def handle(self, _event: DeviceEvent, payload: Payload, _now: UtcMs) -> list[Effect]:
        """Take one event."""
        if not isinstance(payload, ZclIndication):
            return []
        return [SendZcl(payload.source, payload.cluster, payload.frame)]

    def dump(self) -> dict[str, Any]:
        """Return nothing: it remembers nothing."""
        return {}

    def load(self, _state: Any) -> None:
        """Remember nothing."""


def secured(
    plan: MemberPlan, *suites: KeySuite, authority: str = "test", strict: bool = True
) -> MemberPlan:
    """Return a node that establishes a key with its hub."""
    credentials = all_credentials(SEED, plan.eui64, authority=authority)
    chance = Stream(SEED, f"member/{plan.eui64.hex}")
    chosen = suites or (KeySuite.CBKE_283,)
    return replace(plan, security=MemberSecurity(credentials, chance, chosen, strict))


@dataclass
class Served:
    """A dongle being served.

    Attributes:
        service: The service.
        notes: What it and its nodes noted.
        ended: Whether it ended before its time.
    """

    service: DongleService
    notes: list[Note] = field(default_factory=list)
    ended: bool = False

    async def end(self) -> None:
        """End the service before its time."""
        self.ended = True
        await self.service.close()

    @property
    def address(self) -> str:
        """Where it is plugged in."""
        return self.service.address

    def order(self, line: str) -> None:
        """Order a mishap."""
        told: list[str] = []
        DongleOrders(self.service, lambda: None, told.append).data_received(f"{line}\n".encode())
        assert told == [line]

    def kinds(self) -> list[str]:
        """Return what was noted."""
        return [note.kind for note in self.notes]


@contextlib.asynccontextmanager
async def served(
    *members: MemberPlan,
    version: int = 13,
    place: str = "tcp://127.0.0.1:0",
    image: bool = False,
    eui64: Eui64 = DONGLE,
    state: Path | None = None,
) -> AsyncIterator[Served]:
    """Serve a dongle; with ``image`` its firmware has the CBKE libraries and certificates."""
    notes: list[Note] = []
    identity = Identity(eui64, version)
    if image:
        own = all_credentials(SEED, eui64)
        identity = Identity(eui64, version, libraries=CBKE_LIBRARIES, credentials=own)
    where = listen.parse(place)
    plan = DonglePlan(identity, members, 1, where, START, state=state)
    service = DongleService(plan, lambda _at, note: notes.append(note))
    await service.open()
    dongle = Served(service, notes)
    try:
        yield dongle
    finally:
        if not dongle.ended:
            await service.close()


def credentials(eui64: Eui64) -> Mapping[KeySuite, Credentials]:
    """Return what the dongle proves itself with."""
    return all_credentials(SEED, eui64)


def settings(address: str, cbke: Cbke = None, **more: Any) -> HubSettings:
    """Return a hub on a dongle."""
    return HubSettings(DongleSettings(address), (CHF,), cbke, credentials, SEED, **more)


@contextlib.asynccontextmanager
async def hub_on(address: str, cbke: Cbke = None, **more: Any) -> AsyncIterator[DongleHub]:
    """Plug the driver in and form the network."""
    hub = await DongleHub.open(settings(address, cbke, **more))
    try:
        await hub.form(15)
        yield hub
    finally:
        await hub.close()


async def until(
    hub: DongleHub, wanted: Callable[[HanFrame | HanEvent], bool], seconds: float = PATIENCE_S
) -> HanFrame | HanEvent:
    """Take what the hub hears until something is wanted."""
    while True:
        got = await hub.received(seconds)
        assert got is not None, "nothing came"
        if wanted(got):
            return got


async def event(hub: DongleHub, kind: HanEventKind, peer: Eui64 | None = None) -> HanEvent:
    """Wait for an event."""
    found = await until(
        hub,
        lambda got: (
            isinstance(got, HanEvent) and got.kind is kind and (peer is None or got.peer == peer)
        ),
    )
    assert isinstance(found, HanEvent)
    return found


async def join(hub: DongleHub, *devices: Eui64, key: bytes | None = None) -> None:
    """Let devices join, by their install code or without one, and wait until they have."""
    waiting = set(devices)
    for one in devices:
        await hub.permit(Permit(one, key))
    while waiting:
        told = await event(hub, HanEventKind.JOINED)
        waiting.discard(told.peer or DONGLE)


async def ask(hub: DongleHub, peer: Eui64, octets: bytes, *, acknowledged: bool = True) -> HanFrame:
    """Send a frame on the metering cluster and return what comes back on it."""
    frame = HanFrame(peer, METERING, octets, ENDPOINT, CHF_ENDPOINT)
    fate = await hub.send(frame, acknowledged=acknowledged)
    assert fate.delivered, fate
    found = await until(
        hub,
        lambda got: isinstance(got, HanFrame) and (got.peer, got.cluster) == (peer, METERING),
    )
    assert isinstance(found, HanFrame)
    return found


def read_register(sequence: int = 1) -> bytes:
    """Return a read of the meter's register."""
    return bytes((0, sequence, 0, 0, 0))
