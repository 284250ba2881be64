"""An emulated home some of whose devices stand behind a Zigbee radio: the bench over it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from device_profiles.words import DeviceType
from emulator.core import faults as fault_orders
from emulator.core.ids import Eui64
from emulator.runtime.installation import Emulation
from harness.benches.emulated import HomeBench
from harness.benches.emulated_outlet import OutletDriver, RadioOutlet
from harness.benches.emulated_plan import built, plan_of
from harness.benches.emulated_ports import EmulatedHub, EmulatedPower
from harness.errors import BenchError
from harness.han_ports import HanEvent, HanEventKind, HanHub, HanNetwork, HanNode, Permit
from harness.ports import Observation
from harness.run_options import RunOptions

B = TypeVar("B")
#: How long devices may take to join and to agree on a key, in seconds of the wall: joining is
#: permitted for a minute, and whoever finds the hub busy with another's key comes back later.
#: Source: invented.
JOIN_S: Final = 90.0
#: Refusals of a key after which a device is given up. Source: invented.
MAX_REFUSALS: Final = 3
#: What is known of a device behind the radio from its frames alone.
_ON_THE_AIR: Final = "ota_progress"


@dataclass(frozen=True, slots=True)
class Behind:
    """Who stands behind the radio, and how they are let in.

    Attributes:
        devices: Device types that are not emulated here.
        kind: What the bench is called: ``loopback``, ``real``, ``emulated``.
        endpoint: Where they are, for people.
        wall: How many seconds of the loop a second of the wall is.
        link_keys: Device -> key of its install code; None: the well-known one.
        keyed: Whether a device must have agreed on a link key (CBKE) before it counts as there.
    """

    devices: frozenset[DeviceType]
    kind: str = "emulated"
    endpoint: str = ""
    wall: float = 1.0
    link_keys: Mapping[Eui64, bytes | None] = field(default_factory=dict, repr=False)
    keyed: bool = True


class OutletHub(EmulatedHub):
    """The emulated hub, of a bench whose radio may fail."""

    def __init__(self, driver: OutletDriver) -> None:
        """Take what moves the home."""
        super().__init__(driver)
        self._radio = driver

    async def send(self, message: bytes) -> None:
        """Hand one GBCS message to the SM WAN, for the hub or a device behind it.

        Raises:
            BenchError: The radio has failed.
        """
        self._radio.check()
        await super().send(message)


class OutletPower(EmulatedPower):
    """The mains of the emulated devices; those behind the radio have their own."""

    def __init__(self, driver: OutletDriver, strangers: frozenset[Eui64], where: str) -> None:
        """Take what moves the home, and who is not in it."""
        super().__init__(driver)
        self._strangers = strangers
        self._where = where

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds, and return when it is back.

        Raises:
            BenchError: The bench has no such device, or no switch for it.
            UsageError: ``off_s`` is not more than 0.
        """
        if device in self._strangers:
            raise BenchError(
                f"the power of {device} cannot be switched",
                where=self._where,
                cause="it stands behind a Zigbee dongle and has no relay",
                next_command="smetsbench run ID   (without --bench: the emulated bench)",
            )
        await super().cycle(device, off_s)


class OutletBench(HomeBench):
    """One home, partly emulated here and partly behind a Zigbee radio.

    Attributes:
        offers: Needs of scenarios beyond device types that it meets.
        hidden: Devices that nobody can look into.
        wall: How many seconds of the loop a second of the wall is.
        joined: Devices behind the radio that have joined, in order.
        refusal: Why scenarios are SKIPPED here; empty: they are played.
    """

    def __init__(self, emulation: Emulation, outlet: RadioOutlet, behind: Behind) -> None:
        """Take a built world with its outlet; nothing passes before ``admit`` or ``join``."""
        driver = OutletDriver(emulation.world)
        super().__init__(emulation, driver)
        outlet.bind(driver, emulation.world.boxes[0].node.book)
        outlet.events = self._happened
        self.kind = behind.kind
        self.offers: frozenset[str] = frozenset()
        self.wall = behind.wall
        self.hidden = frozenset(
            eui64 for role, eui64 in emulation.roles.items() if role in behind.devices
        )
        self.hub = OutletHub(driver)
        self.power = OutletPower(driver, self.hidden, behind.endpoint)
        self.joined: list[Eui64] = []
        self.refusal = ""
        self._behind = behind
        self._outlet = outlet
        self._radio = driver
        self._end: HanHub | HanNode | None = None
        self._keyed: set[Eui64] = set()
        self._refusals: dict[Eui64, list[str]] = {}
        self._news = asyncio.Event()

    # -- the radio -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Let the home's clock run from the present moment of the loop on."""
        self._radio.catch_up()

    async def admit(self, hub: HanHub, channel: int) -> HanNetwork:
        """Be a hub: form the network, and let in every device that stands behind the radio.

        Raises:
            BenchError: The dongle fails or is another; a device does not join, or agrees on no key.
        """
        own = self.role(DeviceType.CHF)
        if hub.eui64 != own:
            raise _another(hub.eui64, own, self._behind.endpoint)
        self._end = hub
        network = await hub.form(channel)
        self._outlet.begin(hub)
        here = set(await hub.nodes())
        for device in sorted(self.hidden - here):
            key = self._behind.link_keys.get(device)
            await hub.permit(Permit(device, key))
        await self._until_there(self.hidden - here)
        return network

    async def join(self, node: HanNode, channels: Sequence[int]) -> HanNetwork:
        """Be a device: find the hub behind the radio, join it, and agree on a key.

        Raises:
            BenchError: No such network, it does not let us in, or it agrees on no key.
        """
        hub, own = self.role(DeviceType.CHF), self.world.boxes[0].eui64
        if node.eui64 != own:
            raise _another(node.eui64, own, self._behind.endpoint)
        self._end = node
        found = {one.extended_pan_id: one for one in await node.networks(channels)}
        network = found.get(hub)
        if network is None:
            heard = ", ".join(str(eui64) for eui64 in found) or "none"
            raise self._refusal("the hub is not on the air", f"networks heard: {heard}")
        outcome = await node.join(network, self._behind.link_keys.get(own) or b"")
        if outcome.done and self._behind.keyed:
            outcome = await node.establish_key()
        if not outcome.done:
            raise self._refusal(f"the hub does not take us: {outcome.why}", outcome.detail)
        self._outlet.begin(node)
        self.joined = [hub]
        return network

    async def _until_there(self, wanted: frozenset[Eui64] | set[Eui64]) -> None:
        """Wait until devices have joined, and agreed on keys.

        Raises:
            BenchError: One does not, or refuses.
        """
        try:
            async with asyncio.timeout(JOIN_S * self.wall):
                while not self._are_there(wanted):
                    self._news.clear()
                    await self._news.wait()
                    self._radio.check()
        except TimeoutError:
            late = [one for one in sorted(wanted) if not self._is_there(one)]
            told = [why for one in late for why in self._refusals.get(one, [])[-1:]]
            raise self._refusal(
                f"{', '.join(map(str, late))} did not join within {JOIN_S:g} s",
                "; ".join(told)
                or "a wrong install code, no power, out of reach, or joined to another hub",
            ) from None

    def _are_there(self, wanted: frozenset[Eui64] | set[Eui64]) -> bool:
        for device in sorted(wanted):
            refusals = self._refusals.get(device, [])
            if len(refusals) >= MAX_REFUSALS:
                why = f"{device} agrees on no key: {refusals[-1]}"
                raise self._refusal(why, "certificates of another authority (CA), as a rule")
        return all(self._is_there(device) for device in wanted)

    def _is_there(self, device: Eui64) -> bool:
        return device in self.joined and (not self._behind.keyed or device in self._keyed)

    def _happened(self, event: HanEvent) -> None:
        if event.peer is not None:
            match event.kind:
                case HanEventKind.JOINED:
                    self.joined = [one for one in self.joined if one != event.peer] + [event.peer]
                case HanEventKind.LEFT:
                    self.joined = [one for one in self.joined if one != event.peer]
                case HanEventKind.KEY_ESTABLISHED:
                    self._keyed.add(event.peer)
                case HanEventKind.KEY_REFUSED:
                    self._refusals.setdefault(event.peer, []).append(event.why)
                case _:
                    return
        self._news.set()

    def _refusal(self, what: str, cause: str) -> BenchError:
        return BenchError(
            what,
            where=self._behind.endpoint,
            cause=cause,
            next_command="smetsbench bench probe FILE",
        )

    # -- what it tells -------------------------------------------------------------------------

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers; None for one behind the radio.

        Raises:
            BenchError: The bench has no such device.
        """
        return None if self.role(role) in self.hidden else super().memory(role)

    def faults_behind(self, options: RunOptions) -> tuple[str, ...]:
        """Return the faults of a run that lie inside devices behind the radio."""
        names = {role.value.lower() for role in self._behind.devices}
        return tuple(text for text in options.faults if _link(text) in names)

    async def disturb(self, order: str) -> None:
        """Put one more fault into force; those inside devices behind the radio are refused.

        Raises:
            UsageError: The order means nothing.
            BenchError: Nobody here can make it.
        """
        link = order.rpartition("@")[2]
        if link in {role.value.lower() for role in self._behind.devices}:
            raise self._refusal(
                f"the fault {order} cannot be made here", "the device is behind the dongle"
            )
        await super().disturb(order)

    def take_observations(self) -> Sequence[Observation]:
        """Return what was seen inside the emulated devices; nobody looks into the others.

        How far their downloads are is seen: it is read off the frames that pass.
        """
        return [
            one
            for one in super().take_observations()
            if one.device not in self.hidden or one.kind == _ON_THE_AIR
        ]

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each emulated device's state, and of the others where they are."""
        rows = dict(super().describe())
        roles = {eui64: role for role, eui64 in self._emulation.roles.items()}
        for device in sorted(self.hidden):
            there = "joined" if device in self.joined else "not joined"
            model = self.profiles.get(device)
            rows[f"{roles[device]} {device}"] = {
                **({} if model is None else {"profile": model.name}),
                "endpoint": self._behind.endpoint,
                "network": there,
            }
        return rows

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> bytes | None:
        """Return None: what a device behind a radio remembers is its own."""
        return None

    def restore(self, state: bytes) -> None:
        """Refuse: a device behind a radio cannot be put back.

        Raises:
            BenchError: Always.
        """
        raise BenchError(
            f"a bench with a Zigbee dongle cannot be put back to a state of {len(state)} octets",
            where=self._behind.endpoint,
            cause="the run was begun on an emulated bench",
            next_command="smetsbench run (afresh) instead of resume",
        )

    async def close(self) -> None:
        """Let nothing pass any more, give the radio back, and stop moving the world."""
        await self._outlet.stop()
        end, self._end = self._end, None
        if end is not None:
            await end.close()
        await super().close()


def outlet_bench(
    options: RunOptions, behind: Behind, make: Callable[[Emulation, RadioOutlet, Behind], B]
) -> B:
    """Build the emulated part of a home; nothing passes to the radio yet.

    Faults inside devices behind the radio are left out: they are for whoever emulates those.

    Args:
        options: The choices of a run.
        behind: Who stands behind the radio.
        make: Makes the bench: ``OutletBench``, or one that knows more of its radio.

    Raises:
        UsageError: The installation, a profile, a fault or a defect cannot be used.
    """
    names = {role.value.lower() for role in behind.devices}
    faults = tuple(text for text in options.faults if _link(text) not in names)
    plan = plan_of(replace(options, faults=faults))
    elsewhere = frozenset(
        Eui64.parse(device.eui64)
        for device in plan.installation.devices
        if device.role in behind.devices
    )
    outlet = RadioOutlet()
    emulation = built(replace(plan, elsewhere=elsewhere), outlet)
    return make(emulation, outlet, behind)


def _link(text: str) -> str:
    try:
        return fault_orders.parse(text).link
    except fault_orders.FaultError:
        return ""  # whoever builds the home says so


def _another(found: Eui64, wanted: Eui64, where: str) -> BenchError:
    return BenchError(
        f"the dongle is {found}, and the installation's device is {wanted}",
        where=where,
        cause="a radio's address is the device's own: it stands in certificates and messages",
        next_command="write the dongle's EUI-64 into the installation (--installation HOME.toml)",
    )
