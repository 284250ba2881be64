"""What the machines of a node ask of the world, and what they tell each other: plain values."""

from dataclasses import dataclass
from typing import ClassVar

from emulator.codecs.zcl import tunneling
from emulator.core.effects import Note, ZclIndication
from emulator.core.ids import Eui64
from emulator.core.values import quick

#: Integer microseconds since 1970: the time of links and stacks.
Micros = int


@quick
@dataclass(frozen=True, slots=True)
class Transmit:
    """Put one MAC frame on the air.

    Attributes:
        to: Short address of the receiver.
        octets: The MAC frame, FCS included.
        label: What it is, for faults and captures.
    """

    to: int
    octets: bytes
    label: str


@quick
@dataclass(frozen=True, slots=True)
class StartTimer:
    """Wake this part of the node at ``due_us``; replaces a running timer of that name."""

    name: str
    due_us: Micros


@quick
@dataclass(frozen=True, slots=True)
class StopTimer:
    """Forget that timer."""

    name: str


@quick
@dataclass(frozen=True, slots=True)
class Settled:
    """A transfer that asked for an acknowledgement has ended.

    Attributes:
        handle: The number its owner gave it.
        delivered: The other node acknowledged all of it.
        whole_sent: How often its last block went on the air. When nothing was delivered and this
            is 0, the other side cannot have the whole; otherwise it may.
    """

    handle: int
    delivered: bool
    whole_sent: int


@quick
@dataclass(frozen=True, slots=True)
class SendFrame:
    """A tunnel machine's order to its node: one ZCL frame, acknowledged.

    Attributes:
        to: EUI-64 of the destination.
        frame: The ZCL frame of the Tunneling cluster.
        handle: Number to give back with `Settled`; 0 where nobody asks.
        cluster: The Tunneling cluster: a node takes the order as it takes a `SendZcl`.
        source: None: the node's own identifier.
    """

    to: Eui64
    frame: bytes
    handle: int = 0

    cluster: ClassVar[int] = tunneling.CLUSTER
    source: ClassVar[None] = None


@quick
@dataclass(frozen=True, slots=True)
class Hand:
    """A GBCS message out of a tunnel, for the device.

    Attributes:
        source: EUI-64 of the other end of the tunnel.
        message: The message.
    """

    source: Eui64
    message: bytes


@dataclass(frozen=True, slots=True)
class CancelFrame:
    """Give up the transfer with this handle, if it still runs; it settles at once."""

    handle: int


NodeOutput = Transmit | StartTimer | StopTimer | Settled | ZclIndication | Note
TunnelOutput = SendFrame | CancelFrame | StartTimer | StopTimer | Hand | Note
