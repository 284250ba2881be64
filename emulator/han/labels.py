"""Names of HAN frames, for faults, captures and the choice of acknowledgements."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from emulator.codecs.zcl import ota, tunneling

_TO_CLIENT: Final = 0x08
_CLUSTER_SPECIFIC: Final = 0x01
_MANUFACTURER: Final = 0x04

_CLUSTERS: Final[Mapping[int, str]] = {
    0x0000: "basic",
    0x000A: "time",
    ota.CLUSTER: "ota",
    0x0700: "price",
    0x0702: "metering",
    0x0703: "messaging",
    tunneling.CLUSTER: "tunnel",
    0x0705: "prepayment",
    0x0708: "device-management",
    0x0709: "events",
}
_FOUNDATION: Final[Mapping[int, str]] = {
    0x00: "read-attributes",
    0x01: "read-attributes-response",
    0x02: "write-attributes",
    0x04: "write-attributes-response",
    0x0A: "report-attributes",
    0x0B: "default-response",
}
_OTA: Final[Mapping[int, str]] = {
    0x00: "image-notify",
    0x01: "query-next-image-request",
    0x02: "query-next-image-response",
    0x03: "image-block-request",
    0x04: "image-page-request",
    0x05: "image-block-response",
    0x06: "upgrade-end-request",
    0x07: "upgrade-end-response",
    0x08: "query-specific-file-request",
    0x09: "query-specific-file-response",
}
_TUNNEL_TO_SERVER: Final[Mapping[int, str]] = {
    0x00: "request",
    0x01: "close",
    0x02: "transfer-data",
    0x03: "transfer-data-error",
}
_TUNNEL_TO_CLIENT: Final[Mapping[int, str]] = {
    0x00: "request-response",
    0x01: "transfer-data",
    0x02: "transfer-data-error",
    0x06: "closure-notification",
}
#: Frames whose loss the application itself repairs; asking for acknowledgements would cost air.
_UNACKNOWLEDGED: Final = frozenset(
    {
        "ota.image-block-request",
        "ota.image-block-response",
        "ota.image-page-request",
        "time.read-attributes",
        "time.read-attributes-response",
        "basic.read-attributes",
        "basic.read-attributes-response",
    }
)
_ANSWERS: Final = (".read-attributes-response", ".write-attributes-response", ".default-response")
#: Label of acknowledgements of the application support layer.
APS_ACK: Final = "aps.ack"


def label_of(cluster: int, frame: bytes) -> str:
    """Return the name of a ZCL frame, such as ``ota.image-block-response``.

    Args:
        cluster: Cluster identifier.
        frame: The ZCL frame, header included; damaged ones get a name too.
    """
    control = frame[0] if frame else 0
    at = 4 if control & _MANUFACTURER else 2
    command = frame[at] if len(frame) > at else 0xFF
    return _name(cluster, control, command)


def wants_ack(label: str) -> bool:
    """Say whether frames of this name ask the other node for an acknowledgement."""
    return label not in _UNACKNOWLEDGED


def is_answer(label: str) -> bool:
    """Say whether somebody waits for frames of this name, and for no longer than a moment."""
    return label.endswith(_ANSWERS)


@lru_cache(maxsize=512)
def _name(cluster: int, control: int, command: int) -> str:
    family = _CLUSTERS.get(cluster, f"cluster-{cluster:04x}")
    if not control & _CLUSTER_SPECIFIC:
        names = _FOUNDATION
    elif cluster == ota.CLUSTER:
        names = _OTA
    elif cluster == tunneling.CLUSTER:
        names = _TUNNEL_TO_CLIENT if control & _TO_CLIENT else _TUNNEL_TO_SERVER
    else:
        names = {}
    return f"{family}.{names.get(command, f'command-{command:02x}')}"
