"""Endpoints of a bench file: the short text that says what stands behind a role."""

import enum
import re
from dataclasses import dataclass
from typing import Final, Self

from hil import port_address
from hil.errors import PortAddressError


class EndpointKind(enum.StrEnum):
    """What may stand behind a role."""

    EMULATED = "emulated"
    LOOPBACK = "loopback"
    SERIAL = "serial"
    REPLAY = "replay"
    DONGLE = "dongle"


class Listen(enum.StrEnum):
    """What a loopback child offers its line on."""

    PTY = "pty"
    TCP = "tcp"
    WRAPPER = "wrapper"
    RFC2217 = "rfc2217"


#: The endpoint whose port is found by the role's ``usb`` table alone.
BY_USB: Final = "usb"
#: Names that the system gives anew each time a device is plugged in.
NUMBERED_PORT: Final = re.compile(r"/dev/tty(USB|ACM)\d+")


class EndpointError(ValueError):
    """A text is no endpoint.

    Attributes:
        code: Kind of error: ``unknown-endpoint``, ``numbered-port``, ``inline-secret``.
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands behind a role.

    Attributes:
        kind: What it is.
        target: Device profile (emulated, loopback), port (serial), transcript (replay), name of
            a dongle (dongle).
    """

    kind: EndpointKind
    target: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``KIND:TARGET``.

        Raises:
            EndpointError: It is none.
        """
        word, colon, target = text.partition(":")
        if word == "zigbee":
            raise EndpointError(
                "unknown-endpoint",
                "a dongle is described once, in [dongles.NAME]; roles name it: dongle:NAME",
            )
        if not colon or word not in set(EndpointKind) or not target.strip():
            kinds = ", ".join(f"{kind}:…" for kind in EndpointKind)
            raise EndpointError("unknown-endpoint", f"an endpoint is one of {kinds}")
        found = cls(EndpointKind(word), target)
        if found.kind is EndpointKind.SERIAL:
            _check_port(target)
        return found

    def __str__(self) -> str:
        """Return the endpoint as it is written."""
        return f"{self.kind}:{self.target}"

    @property
    def device_path(self) -> str | None:
        """The device file of a serial endpoint; None for a network address or another kind."""
        is_path = self.kind is EndpointKind.SERIAL and self.target.startswith("/")
        return self.target if is_path else None

    @property
    def is_wrapper(self) -> bool:
        """Whether the address itself says that the DLMS IP wrapper is spoken."""
        return self.kind is EndpointKind.SERIAL and self.target.startswith("wrapper://")


def _check_port(target: str) -> None:
    """Refuse a port that is none, or that will be another device tomorrow.

    Raises:
        EndpointError: It is one of these.
    """
    if target == BY_USB:
        return
    if NUMBERED_PORT.fullmatch(target):
        raise EndpointError(
            "numbered-port",
            f"{target} may be another device after the next plug-in:"
            " name its /dev/serial/by-id link, or write serial:usb and a usb table",
        )
    if "://" in target and "@" in target:
        raise EndpointError("inline-secret", "an address carries no user and no password")
    try:
        port_address.parse(target)
    except PortAddressError as error:
        raise EndpointError("unknown-endpoint", error.what) from error
