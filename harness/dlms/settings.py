"""How a reader speaks to a meter: framing, addresses, limits and patience."""

import enum
from dataclasses import dataclass, field, replace
from typing import Final

from emulator.codecs.dlms.hdlc_link import LinkSettings
from emulator.codecs.dlms.initiate import Conformance

#: Services our client offers in an association.
#: Source: reference serial-dlms.md section 3.2 (what independent clients and a server agreed on).
OFFERED: Final = (
    Conformance.GENERAL_PROTECTION
    | Conformance.BLOCK_GET
    | Conformance.BLOCK_SET
    | Conformance.BLOCK_ACTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.GET
    | Conformance.SET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.ACTION
)
#: Octets of a frame beside its information field: flags, format, addresses, control, checks.
FRAME_OVERHEAD_BYTES: Final = 18
_BITS_AN_OCTET: Final = 10


class Framing(enum.StrEnum):
    """What stands around the APDUs on the line."""

    OPTICAL = "optical"  # IEC 62056-21 sign-on, then HDLC
    HDLC = "hdlc"  # HDLC at once
    WRAPPER = "wrapper"  # the TCP wrapper


@dataclass(frozen=True, slots=True)
class LineSettings:
    """One line, seen from its reading end.

    Attributes:
        framing: What stands around the APDUs.
        address_bytes: Octets of the meter's HDLC address: 1, 2 or 4.
        physical_address: Its lower part; None where the address has one octet.
        link: What the HDLC link offers and how long it waits; ``reply_timeout_ms`` holds for the
            wrapper too.
        wrapper_port: The meter's wrapper port; None: the server SAP of the credentials.
        mode_e: Optical: HDLC is opened by mode E; False: HDLC is there at once, and the sign-on
            gives the read-out alone.
        device_address: Optical: address in the sign-on; empty calls whoever is there.
        sign_on_baud: Optical: speed of the sign-on.
        sign_on_retries: Optical: sign-ons after the first that nobody answers.
        baud: Speed of HDLC where no mode E says it; None: as the port was opened, unknown here.
        conformance: Services offered.
        replaces: Whether the meter is known to put a granted association in the place of the one
            before, and to leave that where it refuses: then nobody is released first. Wrapper.
        high_priority: Whether requests carry the priority bit.
        silence_ms: Pause after which an unfinished frame is given up.
        max_answer_bytes: Longest value taken together from blocks.
        job_timeout_ms: Longest time of one job, whatever comes in.
    """

    framing: Framing = Framing.HDLC
    address_bytes: int = 1
    physical_address: int | None = None
    link: LinkSettings = field(default_factory=LinkSettings)
    wrapper_port: int | None = None
    mode_e: bool = True
    device_address: str = ""
    sign_on_baud: int = 300
    sign_on_retries: int = 2
    baud: int | None = None
    conformance: Conformance = OFFERED
    replaces: bool = False
    high_priority: bool = True
    silence_ms: int = 200
    max_answer_bytes: int = 1 << 24
    job_timeout_ms: int = 3_600_000

    def __post_init__(self) -> None:
        if self.address_bytes not in {1, 2, 4}:
            raise ValueError(f"an address has 1, 2 or 4 octets, not {self.address_bytes}")
        if (self.address_bytes == 1) is not (self.physical_address is None):
            raise ValueError("a physical address goes with addresses of 2 or 4 octets, always")


def line_ms(octets: int, baud: int | None) -> int:
    """Return how long ``octets`` take on the line, in milliseconds; 0 where ``baud`` is unknown."""
    return 0 if baud is None else -(-octets * _BITS_AN_OCTET * 1000 // baud)


def paced(link: LinkSettings, baud: int | None, max_pdu_bytes: int) -> LinkSettings:
    """Return link settings whose waits allow for the time octets take on the line itself.

    Args:
        link: The settings for a line without pace.
        baud: Speed of the line; None leaves the settings as they are.
        max_pdu_bytes: Longest APDU to wait for; 0 is no limit.
    """
    offered = link.parameters
    out = offered.transmit_window * (offered.transmit_bytes + FRAME_OVERHEAD_BYTES)
    back = offered.receive_bytes + FRAME_OVERHEAD_BYTES
    longest = 3 * (max_pdu_bytes or link.max_apdu_bytes)  # there, back, and the frames around it
    return replace(
        link,
        response_timeout_ms=link.response_timeout_ms + line_ms(out + back, baud),
        reply_timeout_ms=link.reply_timeout_ms + line_ms(longest, baud),
    )
