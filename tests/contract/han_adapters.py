"""The adapters of ``harness.han_ports`` that their contract suites run against.

A new adapter adds a row. The home is the shipped one, with the install codes that seed 1 draws.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final

from device_profiles import installation as installations
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.crypto.test_certificates import all_credentials
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.ncp.member_plan import MemberPlan
from emulator.ncp.surroundings import Surround
from emulator.runtime.dongle_home import Joining, home_of_plan, install_codes
from emulator.runtime.dongle_hub import CHANNEL, HubPlan, surround
from emulator.runtime.installation import Plan
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService
from harness.benches.emulated_han import EmulatedHanHub, EmulatedHanNode
from harness.benches.emulated_plan import DEFAULT_START
from harness.han_ports import HanHub, HanNode
from hil.dongle_parts import credentials_of, hub_endpoints, node_endpoint
from hil.drivers.zigbee_hub import DongleHub
from hil.drivers.zigbee_node import DongleNode
from hil.drivers.zigbee_node_settings import NodeSettings
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.settings import DongleSettings

SEED: Final = 1
HOME: Final = installations.load("demo")
PLAN: Final = Plan(HOME, SEED, DEFAULT_START)
EUI64S: Final = {one.role: Eui64.parse(one.eui64) for one in reversed(HOME.devices)}
CHF, ESME = EUI64S[DeviceType.CHF], EUI64S[DeviceType.ESME]
PROFILES: Final = {
    role: load_profile(HOME.of(role)[0].profile) for role in (DeviceType.CHF, DeviceType.ESME)
}
CHF_ENDPOINT: Final = PROFILES[DeviceType.CHF].radio.endpoint
ESME_ENDPOINT: Final = PROFILES[DeviceType.ESME].radio.endpoint
KEYS: Final = {
    eui64: code.link_key() for eui64, code in install_codes(SEED, [*EUI64S.values()]).items()
}

HubAdapter = Callable[[], AbstractAsyncContextManager[HanHub]]
NodeAdapter = Callable[[], AbstractAsyncContextManager[HanNode]]


@contextlib.asynccontextmanager
async def emulated_hub() -> AsyncIterator[HanHub]:
    """A coordinator without any dongle."""
    hub = EmulatedHanHub(PLAN, KEYS)
    try:
        yield hub
    finally:
        await hub.close()


@contextlib.asynccontextmanager
async def emulated_node() -> AsyncIterator[HanNode]:
    """A node without any dongle."""
    node = EmulatedHanNode(PLAN, DeviceType.ESME, KEYS[ESME], CHANNEL)
    try:
        yield node
    finally:
        await node.close()


@contextlib.asynccontextmanager
async def _served(
    eui64: Eui64, members: tuple[MemberPlan, ...], around: Surround | None
) -> AsyncIterator[str]:
    own = all_credentials(SEED, eui64)
    identity = Identity(eui64, 13, libraries=CBKE_LIBRARIES, credentials=own)
    place = listen.parse("tcp://127.0.0.1:0")
    plan = DonglePlan(identity, members, SEED, place, DEFAULT_START, surround=around)
    service = DongleService(plan, lambda _at, _note: None)
    try:
        yield await service.open()
    finally:
        await service.close()


@contextlib.asynccontextmanager
async def loopback_hub() -> AsyncIterator[HanHub]:
    """The hub driver on bellows, and the emulated dongle with the home's ESME around it."""
    home = home_of_plan(PLAN, Joining())
    members = tuple(plan for plan in home.plans if plan.eui64 == ESME)
    async with _served(CHF, members, None) as address:
        settings = HubSettings(
            DongleSettings(address),
            hub_endpoints(PROFILES[DeviceType.CHF]),
            "host",
            lambda eui64: credentials_of(SEED, eui64),
        )
        hub = await DongleHub.open(settings)
        try:
            yield hub
        finally:
            await hub.close()


@contextlib.asynccontextmanager
async def loopback_node() -> AsyncIterator[HanNode]:
    """The node driver on bellows, and the emulated dongle in reach of an emulated hub."""
    plan = replace(PLAN, elsewhere=frozenset({ESME}))
    around = surround(HubPlan(plan, ESME, True, Joining()))
    async with _served(ESME, (), around) as address:
        settings = NodeSettings(
            DongleSettings(address),
            frozenset({CHF}),
            (node_endpoint(PROFILES[DeviceType.ESME]),),
            cbke="host",
            credentials=lambda eui64: credentials_of(SEED, eui64),
        )
        node = await DongleNode.open(settings)
        try:
            yield node
        finally:
            await node.close()


HUBS: Final[dict[str, HubAdapter]] = {"emulated": emulated_hub, "loopback": loopback_hub}
NODES: Final[dict[str, NodeAdapter]] = {"emulated": emulated_node, "loopback": loopback_node}
