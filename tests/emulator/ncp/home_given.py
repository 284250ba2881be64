"""A home around the dongle: plain meters that join."""

from collections.abc import Sequence

from emulator.codecs.zcl import basic, metering
from emulator.codecs.zigbee.aps import PROFILE_SMART_ENERGY
from emulator.codecs.zigbee.zdo import Capability, SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity
from emulator.ncp.member import Application, MemberPlan
from emulator.ncp.plain_meter import PlainMeter
from emulator.ncp.radio_bridge import HomeClock, RadioBridge
from tests.emulator.ncp.ncp_given import DONGLE

METER = Eui64.parse("90-B3-D5-1F-00-00-00-11")
SLEEPER = Eui64.parse("90-B3-D5-1F-00-00-00-12")
START = UtcMs(1_800_000_000_000)
MAINS = Capability.FULL_FUNCTION | Capability.MAINS_POWER | Capability.RECEIVER_ON_WHEN_IDLE
BATTERY = Capability.ALLOCATE_ADDRESS
#: An endpoint that is not the CHF's.
ENDPOINT = 7


def a_plan(
    eui64: Eui64 = METER,
    *,
    key: bytes = WELL_KNOWN_LINK_KEY,
    capability: int = int(MAINS),
    application: Application | None = None,
    asks_key: bool = False,
) -> MemberPlan:
    """Return a node with a plain meter behind it."""
    clusters = (basic.CLUSTER, metering.CLUSTER)
    return MemberPlan(
        eui64,
        f"meter-{eui64.hex[-2:]}",
        application or PlainMeter(),
        key,
        SimpleDescriptor(ENDPOINT, PROFILE_SMART_ENERGY, 0x0501, 0, clusters, (0x0A,)),
        capability,
        DONGLE,
        asks_key=asks_key,
    )


def a_home(
    *plans: MemberPlan, version: int = 13, notes: list[tuple[str, Note]] | None = None
) -> tuple[Dongle, RadioBridge]:
    """Return a dongle beside these nodes, switched on, and the air between them."""
    kept = [] if notes is None else notes
    bridge = bridge_of(plans, kept)
    dongle = Dongle(Ncp(Identity(DONGLE, version), bridge, Stream(1, "dongle")))
    dongle.power_on(0)
    return dongle, bridge


def bridge_of(plans: Sequence[MemberPlan], notes: list[tuple[str, Note]]) -> RadioBridge:
    """Return the air with these nodes on it."""
    return RadioBridge(plans, HomeClock(START), lambda name, note: notes.append((name, note)))
