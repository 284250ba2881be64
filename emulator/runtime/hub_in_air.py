"""The air between a dongle and an emulated hub, with the hub's world behind it.

A world knows nothing of the dongle: what it sends to the device whose place the dongle has goes out
by its outlet, is put into frames by the hub's radio, and comes back the same way. Time: the radio's
is the NCP's milliseconds, the world's is the devices' clock.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emulator.codecs.ezsp.structures import FoundNetwork
from emulator.codecs.zigbee import beacon, mac_commands
from emulator.core.clock import UtcMs
from emulator.core.effects import Note, SendZcl
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.ncp.air import QUIET_DBM, HeardNetwork, QuietAir
from emulator.ncp.air_octets import reception
from emulator.ncp.hub_in_air import AirHub
from emulator.ncp.hub_joining import JOINED, LEFT, HubRadio
from emulator.ncp.member_keys import ESTABLISHED
from emulator.ncp.member_plan import Log
from emulator.ncp.radio_bridge import HomeClock
from emulator.ncp.radio_frames import (
    BROADCASTS,
    Attachment,
    DataFrame,
    FromNode,
    HeardPacket,
    Poll,
    RadioFrame,
)
from emulator.ncp.surroundings import Record
from emulator.runtime.air_tap import AirTap
from emulator.runtime.home_air import HomeAir
from emulator.runtime.world import World

#: Most rounds in which the world and the hub's radio bring about something in each other.
_MAX_ROUNDS: Final = 1_000
#: The note of a message that the hub has sent onto its WAN, in hexadecimal.
WAN_OUT: Final = "wan_out"
_HUB_NAME: Final = "hub"
_NOBODY: Final = Eui64(bytes(8))


class Parting:
    """The outlet of a world whose radio is made after it.

    Attributes:
        to: What the frames go to.
    """

    def __init__(self) -> None:
        """Lead nowhere yet."""
        self.to: HubInAir | None = None

    def send(self, order: SendZcl, handle: int) -> None:
        """Send one ZCL frame out of the world."""
        if self.to is not None:
            self.to.carry(order, handle)

    def cancel(self, handle: int) -> None:
        """Give up a transfer."""
        if self.to is not None:
            self.to.give_up(handle)


@dataclass(frozen=True, slots=True)
class HubHome:
    """A home with an emulated hub.

    Attributes:
        world: Its world, built, started and not moved.
        border: The world's outlet.
        radio: The hub's radio and those of the other devices.
        dongle: EUI-64 of the dongle.
        seed: Seed of the keys between the home's other devices.
        permit_s: For how long joining is permitted from the start; None: while the place is free.
    """

    world: World
    border: Parting
    radio: HubRadio
    dongle: Eui64
    seed: int
    permit_s: int | None = None


class HubInAir(QuietAir):
    """What is around a dongle that may join an emulated hub, or listens to it.

    Attributes:
        hub: The hub's radio.
        world: The home.
    """

    def __init__(
        self, home: HubHome, clock: HomeClock, log: Log, record: Record | None = None
    ) -> None:
        """Take the home, its clock, who is told of notes, and who of packets."""
        self.world = home.world
        self.hub = AirHub(home.radio, self._note)
        self._dongle = home.dongle
        self._clock = clock
        self._log = log
        self._now = clock.base
        self._place: Attachment | None = None
        self._uplink: list[RadioFrame] = []
        self._while_free = home.permit_s is None
        self._air = HomeAir(home.radio, home.seed, AirTap(record), home.dongle, self._note)
        self._names = {eui64: box.role for box in home.world.boxes for eui64 in box.eui64s}
        self._orders: Mapping[str, Callable[[str], bool]] = {
            "gbcs": self._gbcs,
            "permit": self._permit,
            "image": self._image,
        }
        self._permit_s = home.permit_s
        self._begun = False
        home.border.to = self

    @property
    def link_keys(self) -> Mapping[int, bytes]:
        """Link keys of the home's other devices, by short address."""
        return self._air.link_keys

    # -- the NCP's radio -----------------------------------------------------------------------

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        """Return the hub's beacon, on its channel."""
        self._check(channel)
        self._run(self._now)
        radio = self.hub.plan
        if channel != radio.channel:
            return ()
        network = FoundNetwork(
            channel,
            radio.pan_id,
            radio.eui64,
            self.hub.permits,
            beacon.STACK_PROFILE,
            0,
        )
        self._air.beacon(self._now, self.hub.network, asked_by=self._dongle)
        rssi, lqi = reception(radio.eui64)
        return (HeardNetwork(network, lqi, rssi),)

    def energy(self, channel: int) -> int:
        """Return the strength of the hub on its channel, else the noise, in dBm."""
        self._check(channel)
        here = channel == self.hub.plan.channel
        return reception(self.hub.plan.eui64)[0] if here else QUIET_DBM

    @property
    def deadline(self) -> int | None:
        """When there is something to hear, or to happen, in milliseconds."""
        due_us = self.world.next_due()
        times = [self.hub.timers.deadline, self._air.deadline]
        if due_us is not None:
            times.append(self._clock.ncp_ms(UtcMs(-(-due_us // 1000))))
        if self.hub.downlink or self._air.tap.waits:
            times.append(self._now)
        return min((at for at in times if at is not None), default=None)

    def attach(self, place: Attachment | None, now: int) -> None:
        """Learn whether the NCP is a node of the network, and can hear."""
        self._place = place
        self._run(now)

    def emit(self, frame: FromNode, now: int) -> bool:
        """Take a frame of the NCP; say whether a radio has acknowledged it."""
        self._run(now)
        taken = self.hub.take(frame, now)
        everybody = isinstance(frame, DataFrame) and frame.destination in BROADCASTS
        waits = isinstance(frame, Poll) and bool(self.hub.downlink)
        self._air.write(frame, now, taken=taken, pending=waits)
        self._run(now)
        return taken or everybody

    def take(self, now: int) -> Sequence[RadioFrame]:
        """Return what has reached the NCP."""
        self._run(now)
        frames, self.hub.downlink = self.hub.downlink, []
        for frame in frames:
            self._air.write(frame, now, taken=True)
        return frames

    def listen(self, channel: int | None, now: int) -> None:
        """Receive everything on a channel; None: no more."""
        self._run(now)
        self._air.tap.listen(channel)

    def heard(self, now: int) -> Sequence[HeardPacket]:
        """Return what was on that channel since last asked."""
        self._run(now)
        return self._air.tap.take()

    def transmit(self, packet: bytes, channel: int, now: int) -> bool:
        """Take octets of the NCP's host; a beacon request is answered, nothing else understood."""
        self._run(now)
        self._air.raw(packet, now, channel)
        try:
            asked = isinstance(mac_commands.decode(packet), mac_commands.BeaconRequest)
        except MalformedFrameError:
            return False
        if asked and channel == self.hub.plan.channel:
            self._air.beacon(now, self.hub.network, asked_by=None)
        return False

    # -- the world -----------------------------------------------------------------------------

    def carry(self, order: SendZcl, handle: int) -> None:
        """Take a frame that leaves the world."""
        self.hub.send(order, handle, self._now)

    def give_up(self, handle: int) -> None:
        """Give up a transfer that has left the world."""
        self.hub.cancel(handle, self._now)

    def _run(self, now: int) -> None:
        """Let everything happen that is due, in the world and at the hub's radio."""
        self._now = max(self._now, now)
        if not self._begun:
            self._begun = True
            self.hub.permit(self._permit_s, self._now)
        at_us = self._clock.utc(self._now) * 1000
        for _ in range(_MAX_ROUNDS):
            self.world.run_until(at_us)
            self.hub.tick(self._now)
            if not self._pass_on():
                break
        self._tell_of_world(at_us)
        self._air.tick(self._now, self.hub.network)

    def _pass_on(self) -> bool:
        """Bring what the radio has for the world there; say whether there was anything."""
        arrived, self.hub.arrived = self.hub.arrived, []
        settled, self.hub.settled = self.hub.settled, []
        for frame in arrived:
            self.world.heard(frame)
        for source, outcome in settled:
            self.world.settled(source, outcome)
        return bool(arrived or settled)

    def _tell_of_world(self, at_us: int) -> None:
        records = self.world.records
        for seen in records.take_frames(at_us):
            self._air.reseal(seen, self._clock.ncp_ms(UtcMs(seen.at_us // 1000)))
        records.keeps_frames = self._air.tap.wanted
        for fact in records.take_facts():
            name = self._names.get(fact.device, str(fact.device))
            self._log(name, Note(fact.kind, fact.fields))
        while self.world.to_dsp:
            message = self.world.to_dsp.popleft()
            self._log(_HUB_NAME, Note(WAN_OUT, (("octets", message.hex()),)))

    def _note(self, note: Note) -> None:
        self._log(_HUB_NAME, note)
        if not self._while_free:
            return
        if note.kind == (ESTABLISHED if self.hub.keys.security.strict else JOINED):
            self.hub.permit(0, self._now)
        elif note.kind == LEFT:
            self.hub.permit(None, self._now)

    # -- orders --------------------------------------------------------------------------------

    def order(self, word: str, rest: str, now: int) -> bool:
        """Carry out an order of whoever serves the dongle; False: it means nothing.

        ``gbcs HEX``: a GBCS message comes to the hub from its WAN. ``permit SECONDS``: joining is
        permitted so long (0: no more). ``image FILE EUI64...``: a firmware image comes to the hub
        for these devices.
        """
        act = self._orders.get(word)
        self._run(now)
        done = act is not None and act(rest)
        self._run(now)
        return done

    def _gbcs(self, rest: str) -> bool:
        try:
            message = bytes.fromhex(rest)
        except ValueError:
            return False
        if message:
            self.world.send_wan(message)
        return bool(message)

    def _permit(self, rest: str) -> bool:
        if not rest.isdecimal():
            return False
        self._while_free = False
        self.hub.permit(int(rest), self._now)
        return True

    def _image(self, rest: str) -> bool:
        name, *devices = rest.split()[:1] + rest.split()[1:]
        try:
            image = Path(name).read_bytes()
            targets = tuple(Eui64.parse(device) for device in devices)
        except (OSError, ValueError):
            return False
        if targets:
            self.world.begin_transfer(f"order/{self._now}", image, targets)
        return bool(targets)

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power, as JSON-able data; keys are in the clear."""
        return {
            "hub": self.hub.dump(),
            "counts": self._air.dump(),
            "world": base64.b64encode(self.world.dump()).decode(),
        }

    def load(self, state: dict[str, Any], now: int) -> None:
        """Take over a ``dump``."""
        self._now, self._begun = now, True
        self.hub.load(state["hub"])
        self._air.load(state["counts"])
        self.world.load(base64.b64decode(state["world"]))
