"""How devices behind a Zigbee radio become part of an emulated home: forming, joining, keys."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core import faults as fault_orders
from emulator.core.ids import Eui64
from harness.benches.emulated_outlet import OutletDriver, RadioOutlet
from harness.errors import BenchError
from harness.han_ports import HanEvent, HanEventKind, HanHub, HanNetwork, HanNode, Permit
from harness.ports import Observation

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


class Admission:
    """One home's radio, and who is on its network.

    Attributes:
        behind: Who stands behind the radio.
        hidden: Their EUI-64s: devices that nobody can look into.
        joined: Those that have joined, in order.
    """

    def __init__(
        self,
        driver: OutletDriver[Any],
        outlet: RadioOutlet,
        behind: Behind,
        hidden: frozenset[Eui64],
    ) -> None:
        """Take what moves the home, and its outlet; nothing passes before ``admit`` or ``join``."""
        self.behind = behind
        self.hidden = hidden
        self.joined: list[Eui64] = []
        self._driver = driver
        self._outlet = outlet
        self._end: HanHub | HanNode | None = None
        self._keyed: set[Eui64] = set()
        self._refusals: dict[Eui64, list[str]] = {}
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        outlet.events = self._happened

    async def admit(self, own: Eui64, hub: HanHub, channel: int) -> HanNetwork:
        """Be a hub: form the network, and let in every device that stands behind the radio.

        Args:
            own: The hub's EUI-64.
            hub: The radio.
            channel: Where the network is to be.

        Raises:
            BenchError: The dongle fails or is another; a device does not join, or agrees on no key.
        """
        if hub.eui64 != own:
            raise _another(hub.eui64, own, self.behind.endpoint)
        self._end, self._loop = hub, asyncio.get_running_loop()
        network = await hub.form(channel)
        self._outlet.begin(hub)
        here = set(await hub.nodes())
        for device in sorted(self.hidden - here):
            key = self.behind.link_keys.get(device)
            await hub.permit(Permit(device, key))
        await self._until_there(self.hidden - here)
        return network

    async def join(
        self, own: Eui64, hub: Eui64, node: HanNode, channels: Sequence[int]
    ) -> HanNetwork:
        """Be a device: find the hub behind the radio, join it, and agree on a key.

        Args:
            own: The device's EUI-64.
            hub: The hub's.
            node: The radio.
            channels: Where to look.

        Raises:
            BenchError: No such network, it does not let us in, or it agrees on no key.
        """
        if node.eui64 != own:
            raise _another(node.eui64, own, self.behind.endpoint)
        self._end, self._loop = node, asyncio.get_running_loop()
        found = {one.extended_pan_id: one for one in await node.networks(channels)}
        network = found.get(hub)
        if network is None:
            heard = ", ".join(str(eui64) for eui64 in found) or "none"
            raise self.refusal("the hub is not on the air", f"networks heard: {heard}")
        outcome = await node.join(network, self.behind.link_keys.get(own) or b"")
        if outcome.done and self.behind.keyed:
            outcome = await node.establish_key()
        if not outcome.done:
            raise self.refusal(f"the hub does not take us: {outcome.why}", outcome.detail)
        self._outlet.begin(node)
        self.joined = [hub]
        return network

    @property
    def failure(self) -> BenchError | None:
        """Why the radio does not work at the moment; None: it does."""
        return self._driver.failure

    def break_off(self, failure: BenchError) -> None:
        """Tell whoever waits that the bench cannot go on; from any thread, once it has a radio."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._driver.fail, failure)

    async def _until_there(self, wanted: frozenset[Eui64] | set[Eui64]) -> None:
        """Wait until devices have joined, and agreed on keys.

        Raises:
            BenchError: One does not, or refuses.
        """
        try:
            async with asyncio.timeout(JOIN_S * self.behind.wall):
                while not self._are_there(wanted):
                    self._news.clear()
                    await self._news.wait()
                    self._driver.check()
        except TimeoutError:
            late = [one for one in sorted(wanted) if not self._is_there(one)]
            told = [why for one in late for why in self._refusals.get(one, [])[-1:]]
            raise self.refusal(
                f"{', '.join(map(str, late))} did not join within {JOIN_S:g} s",
                "; ".join(told)
                or "a wrong install code, no power, out of reach, or joined to another hub",
            ) from None

    def _are_there(self, wanted: frozenset[Eui64] | set[Eui64]) -> bool:
        for device in sorted(wanted):
            refusals = self._refusals.get(device, [])
            if len(refusals) >= MAX_REFUSALS:
                why = f"{device} agrees on no key: {refusals[-1]}"
                raise self.refusal(why, "certificates of another authority (CA), as a rule")
        return all(self._is_there(device) for device in wanted)

    def _is_there(self, device: Eui64) -> bool:
        return device in self.joined and (not self.behind.keyed or device in self._keyed)

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

    # -- what stands behind the radio ----------------------------------------------------------

    def is_behind(self, order: str) -> bool:
        """Say whether a fault lies inside a device behind the radio."""
        return order.rpartition("@")[2] in words_of(self.behind.devices)

    def seen(self, observations: Iterable[Observation]) -> list[Observation]:
        """Return what was seen inside the emulated devices; nobody looks into the others.

        How far their downloads are is seen: it is read off the frames that pass.
        """
        return [
            one for one in observations if one.device not in self.hidden or one.kind == _ON_THE_AIR
        ]

    def rows(
        self, roles: Mapping[Eui64, DeviceType], profiles: Mapping[Eui64, DeviceProfile]
    ) -> dict[str, Mapping[str, str]]:
        """Return for each device behind the radio what and where it is."""
        found: dict[str, Mapping[str, str]] = {}
        for device in sorted(self.hidden):
            model = profiles.get(device)
            found[f"{roles[device]} {device}"] = {
                **({} if model is None else {"profile": model.name}),
                "endpoint": self.behind.endpoint,
                "network": "joined" if device in self.joined else "not joined",
            }
        return found

    def refusal(self, what: str, cause: str) -> BenchError:
        """Return what is said when something cannot be done with what stands behind the radio."""
        return BenchError(
            what,
            where=self.behind.endpoint,
            cause=cause,
            next_command="smetsbench bench probe FILE",
        )

    async def close(self) -> None:
        """Let nothing pass any more, and give the radio back."""
        await self._outlet.stop()
        end, self._end = self._end, None
        if end is not None:
            await end.close()


def words_of(devices: Iterable[DeviceType]) -> frozenset[str]:
    """Return what device types are called in faults."""
    return frozenset(role.value.lower() for role in devices)


def link_of(text: str) -> str:
    """Return where a fault lies; empty where it means nothing."""
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
