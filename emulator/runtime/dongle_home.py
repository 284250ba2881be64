"""The home around an emulated dongle: an installation's devices as nodes that may join it.

The dongle is the hub's radio (`HubMode.DONGLE`), or stands in reach of an emulated hub
(`HubMode.EMULATED`): that one is made by `emulator.runtime.dongle_hub.surround`, of a `Home` and
the `emulator.ncp.hub_in_air` parts.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, SmetsVersion
from emulator.codecs.zcl import key_establishment, ota, time, tunneling
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.aps import PROFILE_SMART_ENERGY
from emulator.codecs.zigbee.zdo import Capability, SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto import test_certificates
from emulator.crypto.ecqv import Credentials
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY, InstallCode, draw
from emulator.devices.served_clusters import served_clusters
from emulator.han.tunnel_client import TunnelClient
from emulator.ncp.member_plan import MemberPlan, MemberSecurity
from emulator.runtime.box import Box
from emulator.runtime.installation import Emulation, InstallationError, Plan, build
from emulator.runtime.smets1_home import Smets1Emulation, build_home

#: From permission to the first node's attempt to join, and between two nodes' attempts: four
#: nodes have joined within the second.
FIRST_JOIN_MS: Final = 100
JOIN_GAP_MS: Final = 100
#: From joining to the first node's key establishment, and how much later each further node begins
#: its own: an emulated hub is done within that time. Source: invented.
FIRST_AGREE_MS: Final = 250
AGREE_GAP_MS: Final = 1_500
#: Suites nodes use unless told otherwise, by the generation of their home. Source: GBCS (suite 2),
#: known (a Smart Energy 1.1 home has suite 1 alone).
SUITES: Final[Mapping[SmetsVersion, tuple[KeySuite, ...]]] = {
    SmetsVersion.SMETS2: (KeySuite.CBKE_283,),
    SmetsVersion.SMETS1: (KeySuite.CBKE_163,),
}
#: Device identifiers. Source: Smart Energy 1.2 (known): metering device, in-home display, load
#: control device.
_DEVICE_IDS: Final = {
    DeviceType.ESME: 0x0501,
    DeviceType.GSME: 0x0501,
    DeviceType.PPMID: 0x0502,
    DeviceType.HCALCS: 0x0503,
}
_USED: Final = (time.CLUSTER, ota.CLUSTER, tunneling.CLUSTER)
_MAINS: Final = (
    Capability.FULL_FUNCTION
    | Capability.MAINS_POWER
    | Capability.RECEIVER_ON_WHEN_IDLE
    | Capability.ALLOCATE_ADDRESS
)


class HubMode(enum.StrEnum):
    """Whose hub the home has."""

    DONGLE = "dongle"
    EMULATED = "emulated"


@dataclass(frozen=True, slots=True)
class Joining:
    """How the nodes join and what they ask for then.

    Attributes:
        well_known: Under the well-known key instead of their install codes.
        secure: They agree on a link key and take Smart Energy under it alone; None: unless
            ``well_known``.
        suites: Suites they try; empty: those of the home's generation.
        authority: Who has issued their certificates, of `test_certificates.ISSUERS`.
    """

    well_known: bool = False
    secure: bool | None = None
    suites: tuple[KeySuite, ...] = ()
    authority: str = test_certificates.TEST

    @property
    def strict(self) -> bool:
        """Whether the nodes ask for security."""
        return not self.well_known if self.secure is None else self.secure


@dataclass(frozen=True, slots=True)
class Home:
    """Devices that may join a dongle.

    Attributes:
        hub: EUI-64 the devices know their CHF by: the dongle's.
        plans: The nodes.
        codes: Their install codes.
    """

    hub: Eui64
    plans: tuple[MemberPlan, ...]
    codes: Mapping[Eui64, InstallCode] = field(repr=False)


def generation_of(plan: Plan) -> SmetsVersion:
    """Return whether a home is a SMETS1 one: its hub's model says it.

    Raises:
        DataError: A profile is missing or wrong.
        InstallationError: The home has no hub.
    """
    hubs = [item for item in plan.installation.devices if item.role is DeviceType.CHF]
    if not hubs:
        raise InstallationError(f"{plan.installation.ref}: a home needs a CHF")
    return load_profile(hubs[0].profile, plan.overlays).identity.smets


def home_of_plan(plan: Plan, joining: Joining) -> Home:
    """Return the home of a plan, of whichever generation.

    Raises:
        DataError: A profile is missing, wrong, or of another device type.
        InstallationError: A device that is not emulated, or that does not fit.
    """
    generation = generation_of(plan)
    old = generation is SmetsVersion.SMETS1
    emulation: Emulation | Smets1Emulation = build_home(plan) if old else build(plan)
    suites = joining.suites or SUITES[generation]
    chosen = Joining(joining.well_known, joining.secure, suites, joining.authority)
    return home_with(emulation, plan.seed, chosen)


def home_of(emulation: Emulation | Smets1Emulation, seed: int, *, well_known: bool) -> Home:
    """Return the devices of an installation, taken out of its world; nodes without security.

    Args:
        emulation: A world just built; its devices are used up, its hub is not used.
        seed: Seed of the install codes.
        well_known: Let every node join under the well-known key instead of its install code.
    """
    return home_with(emulation, seed, Joining(well_known, secure=False))


def home_with(emulation: Emulation | Smets1Emulation, seed: int, joining: Joining) -> Home:
    """Return the devices of an installation, taken out of its world, as they are to join."""
    boxes = [box for box in emulation.world.boxes if box.eui64 != emulation.roles[DeviceType.CHF]]
    codes = install_codes(seed, [box.eui64 for box in boxes])
    workshop = _Workshop(emulation, seed, joining)
    plans = tuple(workshop.plan(box, codes[box.eui64], number) for number, box in enumerate(boxes))
    return Home(workshop.hub, plans, codes)


def install_codes(seed: int, devices: Sequence[Eui64]) -> Mapping[Eui64, InstallCode]:
    """Return the made-up install codes of devices, the same in every process with that seed."""
    return {eui64: draw(Stream(seed, f"install-code/{eui64.hex}")) for eui64 in devices}


class _Workshop:
    """Makes the nodes of one home."""

    def __init__(self, emulation: Emulation | Smets1Emulation, seed: int, joining: Joining) -> None:
        self.hub = emulation.roles[DeviceType.CHF]
        self._seed = seed
        self._joining = joining
        self._profiles = emulation.profiles
        radio = emulation.profiles[self.hub].radio
        self._hub_endpoint = radio.endpoint
        gpf = emulation.roles.get(DeviceType.GPF)
        self._gpf = None
        if gpf is not None and radio.gpf_endpoint is not None:
            self._gpf = (gpf, radio.gpf_endpoint)

    def plan(self, box: Box, code: InstallCode, number: int) -> MemberPlan:
        """Return one node."""
        profile, tunnel = self._profiles[box.eui64], box.tunnel
        key = WELL_KNOWN_LINK_KEY if self._joining.well_known else code.link_key()
        return MemberPlan(
            eui64=box.eui64,
            name=f"{box.role} {box.eui64}",
            application=box.device,
            link_key=key,
            endpoint=self._endpoint(box, profile),
            capability=int(Capability.ALLOCATE_ADDRESS if profile.radio.sleepy else _MAINS),
            hub=self.hub,
            gpf=self._gpf,
            hub_endpoint=self._hub_endpoint,
            tunnel=tunnel if isinstance(tunnel, TunnelClient) else None,
            manufacturer=profile.identity.manufacturer_code,
            join_ms=FIRST_JOIN_MS + number * JOIN_GAP_MS,
            security=self._security(box.eui64, FIRST_AGREE_MS + number * AGREE_GAP_MS),
        )

    def _endpoint(self, box: Box, profile: DeviceProfile) -> SimpleDescriptor:
        agrees = (key_establishment.CLUSTER,)
        return SimpleDescriptor(
            profile.radio.endpoint,
            PROFILE_SMART_ENERGY,
            _DEVICE_IDS[profile.device_type],
            0,
            (*served_clusters(box.inside), *agrees),
            (*_USED, *agrees),
        )

    def _security(self, eui64: Eui64, agree_ms: int) -> MemberSecurity:
        joining = self._joining
        suites = joining.suites or SUITES[SmetsVersion.SMETS2]
        issued: dict[KeySuite, Credentials] = {
            suite: test_certificates.credentials_of(
                self._seed, suite, eui64, authority=joining.authority
            )
            for suite in suites
        }
        chance = Stream(self._seed, f"cbke/ephemeral/{eui64.hex}")
        return MemberSecurity(issued, chance, suites, joining.strict, agree_ms)
