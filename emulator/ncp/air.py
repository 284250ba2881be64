"""What an NCP hears of the radio, and says: the port that a medium fills.

Who is who. An NCP that has formed a network is its *coordinator*: it shows it by ``announce``,
speaks with ``send`` (frames of `radio_frames.ToNode`) and ``take`` gives it `FromNode` frames. An
NCP that joins, or is on, somebody else's network is a *node*: it speaks with ``emit`` (frames of
`FromNode`) and ``take`` gives it `ToNode` frames. A router whose host permits joining does both: it
``announce``s itself as a parent, tells its hub of children with `UpdateDevice`, and passes on what
the hub sends with ``via`` set to its short address. The course of a node:

1. ``networks(channel)``: beacons; the one whose extended PAN identifier was asked for is chosen.
2. ``emit(AssociationRequest(eui64, capability, pan_id=…, channel=…, parent=…))``. The medium
   answers, at once or later, with an `AssociationResponse` for that EUI-64 (no answer within
   `joining.RESPONSE_MS` counts as a refusal). The data request that fetches it from a real parent
   is a matter of whoever writes octets.
3. A `TransportKey` of kind NETWORK_KEY for that EUI-64, sealed under the key of the NCP's install
   code (or whatever the host has set), within `joining.KEY_MS`. While it waits, an NCP that does
   not listen when idle emits `Poll` with its new short address every `joining.KEY_POLL_MS`.
4. ``attach(Attachment)``: from now on it is a node of that network. It emits a `DataFrame` with
   its device announce. A host that wants it so (GET_LINK_KEY_WHEN_JOINING) makes it emit
   `RequestKey` before that, take a `TransportKey` of kind LINK_KEY, emit `VerifyKey`, and take
   a `ConfirmKey`.
5. `DataFrame` both ways. A `DataFrame` for the NCP has its short address or a broadcast address as
   destination; all others are dropped. Sealed at the APS layer it bears ``link_key``.
6. `LeaveOrder` (answered with `Left`), or of its own will `Left`, then ``attach(None)``.

A rejoin is 2. with ``short`` set, and ``network_key`` where it is secured; an unsecured one is
followed by 3. After a reset the NCP is deaf (``attach(None)``) until its host resumes the network:
then ``attach`` again, for an end device after a secured rejoin.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from emulator.codecs.ezsp.structures import FoundNetwork
from emulator.ncp.radio_frames import (
    Announcement,
    Attachment,
    FromNode,
    HeardPacket,
    RadioFrame,
    ToNode,
)

#: Channels of the 2.4 GHz band.
CHANNELS: Final = range(11, 27)
#: What a receiver measures where nobody sends, in dBm.
QUIET_DBM: Final = -100


@dataclass(frozen=True, slots=True)
class HeardNetwork:
    """A beacon as it was heard.

    Attributes:
        network: What it says.
        lqi: Link quality, 0 to 255.
        rssi: dBm.
        sender: Short address of who sent it: a parent to join.
        depth: Its hops from the coordinator.
        has_capacity: It has room for one more child.
    """

    network: FoundNetwork
    lqi: int
    rssi: int
    sender: int = 0x0000
    depth: int = 0
    has_capacity: bool = True


class Air(Protocol):
    """The radio's surroundings."""

    def networks(self, channel: int) -> Iterable[HeardNetwork]:
        """Return who answers a beacon request on a channel."""
        ...

    def energy(self, channel: int) -> int:
        """Return the most energy on a channel while it is listened to, in dBm."""
        ...

    @property
    def deadline(self) -> int | None:
        """When ``take`` or ``heard`` has something to give, in milliseconds; None: never."""
        ...

    def announce(self, network: Announcement | None, now: int) -> None:
        """Let the nodes around see the NCP's network; None: it is not on the air."""
        ...

    def send(self, frame: ToNode, now: int) -> bool:
        """Put a frame of a coordinator on the air; say whether the receiver's radio has taken it.

        A broadcast is taken by nobody in particular: True.
        """
        ...

    def take(self, now: int) -> Sequence[RadioFrame]:
        """Return the frames that have reached the NCP since last asked, in order."""
        ...

    # -- the NCP as a node of somebody else's network ------------------------------------------

    def attach(self, place: Attachment | None, now: int) -> None:
        """Let the air know that the NCP is a node of a network; None: of none, and it is deaf.

        Said after joining, resuming and a rejoin (a place may change), and after every reset.
        """
        ...

    def emit(self, frame: FromNode, now: int) -> bool:
        """Put a frame of a node on the air; say whether its parent's radio has taken it.

        False means: nobody there acknowledges (a lost hub). A broadcast is taken: True.
        """
        ...

    # -- the NCP as a measuring receiver -------------------------------------------------------

    def listen(self, channel: int | None, now: int) -> None:
        """Receive everything on a channel, for ``heard``; None: no more.

        Said when the host starts the manufacturing library, when it changes the channel, and
        (None) at its end and at every reset.
        """
        ...

    def heard(self, now: int) -> Sequence[HeardPacket]:
        """Return what was on the channel listened to since last asked, in order.

        Raw octets of IEEE 802.15.4 with their check; not more than 127.
        """
        ...

    def transmit(self, packet: bytes, channel: int, now: int) -> bool:
        """Put octets on the air as they are, check included; say whether an acknowledgement came.

        Nothing the stack sends comes this way: only what a host composes itself.
        """
        ...


class QuietAir:
    """Nobody is there."""

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        """Return nothing, on any channel.

        Raises:
            ValueError: There is no such channel.
        """
        self._check(channel)
        return ()

    def energy(self, channel: int) -> int:
        """Return the noise of the receiver, in dBm.

        Raises:
            ValueError: There is no such channel.
        """
        self._check(channel)
        return QUIET_DBM

    @property
    def deadline(self) -> int | None:
        """Nothing ever comes."""
        return None

    def announce(self, network: Announcement | None, now: int) -> None:
        """Nobody looks."""

    def send(self, frame: ToNode, now: int) -> bool:  # noqa: ARG002 - nobody is there
        """Nobody hears it."""
        return False

    def take(self, now: int) -> Sequence[RadioFrame]:  # noqa: ARG002 - nobody is there
        """Return nothing."""
        return ()

    def attach(self, place: Attachment | None, now: int) -> None:
        """Nobody minds."""

    def emit(self, frame: FromNode, now: int) -> bool:  # noqa: ARG002 - nobody is there
        """Nobody hears it."""
        return False

    def listen(self, channel: int | None, now: int) -> None:
        """There is nothing to hear."""

    def heard(self, now: int) -> Sequence[HeardPacket]:  # noqa: ARG002 - nobody is there
        """Return nothing."""
        return ()

    def transmit(self, packet: bytes, channel: int, now: int) -> bool:  # noqa: ARG002 - as above
        """Nobody hears it."""
        return False

    def _check(self, channel: int) -> None:
        if channel not in CHANNELS:
            raise ValueError(f"channels run from 11 to 26, not {channel}")
