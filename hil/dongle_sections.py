"""``[dongles.NAME]`` of a bench file: what a Zigbee dongle is, and what is expected of it."""

import enum
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from device_profiles.schema import EuiText
from device_profiles.sections import Section
from hil import port_address
from hil.bench_fields import Baud, Text, refuse
from hil.endpoints import NUMBERED_PORT
from hil.errors import PortAddressError
from hil.zigbee.guard import Role

#: Channels of the 2.4 GHz band. Source: known (IEEE 802.15.4); consumer dongles have no other.
CHANNELS: Final = tuple(range(11, 27))
#: First and last EZSP version that is spoken to (``hil.zigbee.settings`` says the same).
EZSP_SPOKEN: Final = (8, 19)
#: Channel on which a hub forms its network where the file says none. Source: invented.
HUB_CHANNEL: Final = 15
#: How much faster the clocks of a loopback dongle's devices run where the file does not say.
#: Source: invented; the 10 s that a device waits for a tunnel's answer are a second of the wall.
CLOCK_FACTOR: Final = 10
_LOOPBACK: Final = "loopback:dongle"
_ZIGBEE: Final = "zigbee:"
_REPLAY: Final = "replay:"


class DongleKind(enum.StrEnum):
    """What a dongle is."""

    LOOPBACK = "loopback"
    ZIGBEE = "zigbee"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class DongleEndpoint:
    """Where a dongle is.

    Attributes:
        kind: A program of ours, one that is plugged in, or a recorded one.
        target: ``dongle``, a device path, ``tcp://HOST:PORT``, or a transcript.
    """

    kind: DongleKind
    target: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``loopback:dongle``, ``zigbee:PORT`` or ``replay:FILE``.

        Raises:
            PydanticCustomError: It is none of them.
        """
        if text == _LOOPBACK:
            return cls(DongleKind.LOOPBACK, "dongle")
        if text.startswith(_REPLAY) and text.removeprefix(_REPLAY).strip():
            return cls(DongleKind.REPLAY, text.removeprefix(_REPLAY))
        target = text.removeprefix(_ZIGBEE)
        if target == text:
            raise refuse(
                "unknown-endpoint", "a dongle is zigbee:PORT, loopback:dongle or replay:FILE"
            )
        if NUMBERED_PORT.fullmatch(target):
            raise refuse(
                "numbered-port",
                f"{target} may be another device after the next plug-in:"
                " name its /dev/serial/by-id link",
            )
        if target.startswith("tcp://"):
            _check_address(target)
        elif not target.startswith("/"):
            raise refuse(
                "unknown-endpoint", "a dongle's port is a /dev/serial/by-id link or tcp://HOST:PORT"
            )
        return cls(DongleKind.ZIGBEE, target)

    def __str__(self) -> str:
        """Return the endpoint as it is written."""
        return f"{self.kind}:{self.target}"


def _check_address(target: str) -> None:
    if "@" in target:
        raise refuse("inline-secret", "an address carries no user and no password")
    try:
        port_address.parse(target)
    except PortAddressError as error:
        raise refuse("unknown-endpoint", error.what) from error


def _endpoint(text: str) -> str:
    return str(DongleEndpoint.parse(text))


def _channels(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(numbers)) != len(numbers):
        raise refuse("invalid-value", "a channel stands twice")
    return numbers


DongleEndpointText = Annotated[
    Text,
    AfterValidator(_endpoint),
    Field(
        description="zigbee:/dev/serial/by-id/…, zigbee:tcp://HOST:PORT, loopback:dongle"
        " or replay:FILE"
    ),
]
Channel = Annotated[int, Field(strict=True, ge=CHANNELS[0], le=CHANNELS[-1])]
Version = Annotated[int, Field(strict=True, ge=EZSP_SPOKEN[0], le=EZSP_SPOKEN[1])]
DongleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")]


class DongleSection(Section):
    """``[dongles.NAME]``: one Zigbee dongle.

    Attributes:
        endpoint: Where it is.
        role: What it is used as: ``hub``, ``node`` or ``observer``.
        channels: Channel mask: those it may form on, join on or listen on.
        ezsp: Versions of EZSP that are taken; others are refused. The first one is that of a
            loopback dongle.
        cbke: Who computes key establishment: ``ncp`` (the dongle, where its image has the library),
            ``host`` (this computer) or ``none`` (nobody: who joins keeps its first key).
        eui64: Its address, where it is known: another dongle is refused.
        firmware: How the version of its firmware begins, where another is to be refused.
        flow_control: ``hardware`` or ``software``; None: as bellows sees fit.
        baud: Speed of its line.
        networks: Extended PAN identifiers that it may join (role ``node``): the bench's own hubs.
        clock_factor: How much faster the clocks of a loopback dongle's devices run.
        join: Whether a loopback dongle's devices join by ``install-code`` or ``open``.
        pace: Bits a second that a loopback dongle keeps to; None: as fast as it can.
        keep_keys: Whether transcripts of its line hold keys in clear; zeros stand for them else.
    """

    endpoint: DongleEndpointText
    role: Role
    channels: Annotated[tuple[Channel, ...], AfterValidator(_channels), Field(min_length=1)] = (
        CHANNELS
    )
    ezsp: Annotated[tuple[Version, ...], Field(min_length=1)] = (13,)
    cbke: Literal["ncp", "host", "none"] = "host"
    eui64: EuiText | None = None
    firmware: Text | None = None
    flow_control: Literal["hardware", "software"] | None = None
    baud: Baud = 115_200
    networks: tuple[EuiText, ...] = ()
    clock_factor: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None
    join: Literal["install-code", "open"] | None = None
    pace: Baud | None = None
    keep_keys: bool = False

    @property
    def where(self) -> DongleEndpoint:
        """The endpoint, read."""
        return DongleEndpoint.parse(self.endpoint)

    @property
    def is_loopback(self) -> bool:
        """Whether it is a program of ours."""
        return self.where.kind is DongleKind.LOOPBACK

    @property
    def is_real(self) -> bool:
        """Whether it is plugged in, and whatever is behind it is somebody's."""
        return self.where.kind is DongleKind.ZIGBEE

    @property
    def factor(self) -> int:
        """How much faster than the wall the clocks behind it run."""
        return 1 if self.is_real else (self.clock_factor or CLOCK_FACTOR)

    @property
    def channel(self) -> int:
        """The channel a hub forms its network on."""
        return HUB_CHANNEL if HUB_CHANNEL in self.channels else self.channels[0]

    @model_validator(mode="after")
    def _keys_fit_the_dongle(self) -> Self:
        for name in ("clock_factor", "join", "pace"):
            of_replay = name == "clock_factor" and not self.is_real
            if name in self.model_fields_set and not (self.is_loopback or of_replay):
                raise refuse("inconsistent", f"{name}: only loopback:dongle has it")
        if self.networks and self.role is not Role.NODE:
            raise refuse("inconsistent", f"networks: a {self.role} joins none")
        if "cbke" in self.model_fields_set and self.role is Role.OBSERVER:
            raise refuse("inconsistent", "cbke: an observer agrees on no key")
        return self
