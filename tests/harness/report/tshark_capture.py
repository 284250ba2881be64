"""One of every frame of ours, written as a bench would, and tshark to read it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from emulator.codecs import csp_transfer
from emulator.codecs.zcl import foundation, metering, ota, tunneling
from emulator.codecs.zcl.foundation import AttributeReading, AttributeValue, ZclType
from emulator.codecs.zcl.ota import OtaStatus
from emulator.codecs.zigbee import aps, mac, nwk
from emulator.core.ids import Eui64
from harness.ports import CapturedFrame
from harness.report.pcapng import PcapngWriter

TSHARK = shutil.which("tshark")
CHF, ESME = 0x0000, 0x1234
CHF_ENDPOINT, ESME_ENDPOINT = 123, 1
NODE = Eui64.parse("00-DB-12-34-56-78-90-A0")
IMAGE = (0x121D, 0x0084, 0xACDCACDC)
BLOCK = bytes(range(44))
STATUS_SUCCESS = tunneling.TunnelStatus.SUCCESS
READ_FIRMWARE_VERSION = 0x0059  # ECS52, checked against the name that tshark prints


def command() -> bytes:
    """A GBCS command as the ACB seals it: made-up parties and content, a MAC of zeros."""
    parties = "08 90b3d51f00000001 08 00db1234567890a0"
    grouping = bytes.fromhex(f"df 09 01 00000000000003e8 {parties} 00 02 0059 04 d9200000 00")
    ciphered = bytes.fromhex("11 00000000") + grouping + bytes(12)
    return bytes.fromhex("dd 00 00 00 00 00 00") + bytes([len(ciphered)]) + ciphered


COMMAND = command()


class Capture:
    """Writes a dialogue as a bench would, and has tshark read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = PcapngWriter(path)
        self._number = 0
        self.fragmented: list[int] = []

    def put(self, link: str, octets: bytes, comment: str = "") -> int:
        """Write one frame; return the number tshark gives it."""
        self._number += 1
        at_us = 1_700_000_000_000_000 + 1000 * self._number
        self._writer.write(CapturedFrame(at_us, link, octets, comment))
        return self._number

    def han(self, application: aps.ApsFrame | aps.ApsAck, *, to_chf: bool) -> int:
        source, destination = (ESME, CHF) if to_chf else (CHF, ESME)
        sequence = self._number & 0xFF
        network = nwk.NwkFrame(destination, source, 30, sequence, aps.encode(application))
        frame = mac.MacFrame(sequence, 0x1AAA, destination, source, nwk.encode(network))
        return self.put("han", mac.encode(frame))

    def data(self, cluster: int, octets: bytes, *, to_chf: bool, **more: Any) -> int:
        ends = (CHF_ENDPOINT, ESME_ENDPOINT) if to_chf else (ESME_ENDPOINT, CHF_ENDPOINT)
        counter = more.pop("counter", self._number & 0xFF)
        return self.han(aps.ApsFrame(*ends, cluster, counter, octets, **more), to_chf=to_chf)

    def fragments(self, cluster: int, octets: bytes, counter: int) -> None:
        """Send ``octets`` in fragments of 61 with an acknowledgement behind each window of 3."""
        parts = [octets[at : at + 61] for at in range(0, len(octets), 61)]
        for number, part in enumerate(parts):
            fragment = aps.Fragment(number == 0, number or len(parts))
            self.data(
                cluster, part, to_chf=False, counter=counter, ack_request=True, fragment=fragment
            )
            last = number == len(parts) - 1
            if number % 3 == 2 or last:
                got = aps.FragmentAck(number // 3 * 3, 0xFF if last else 0x07)
                ack = aps.ApsAck(CHF_ENDPOINT, ESME_ENDPOINT, cluster, counter, fragments=got)
                self.fragmented.append(self.han(ack, to_chf=True))

    def close(self) -> None:
        self._writer.close()

    def fields(self, *names: str, where: str = "frame") -> list[list[str]]:
        """Return the named fields of the frames that pass the display filter ``where``."""
        out = self._run("-Y", where, "-T", "fields", *(part for n in names for part in ("-e", n)))
        return [line.split("\t") for line in out.splitlines()]

    def trees(self) -> list[dict[str, Any]]:
        """Return tshark's dissection of every frame."""
        found = json.loads(self._run("-T", "json", "--no-duplicate-keys"))
        return [row["_source"]["layers"] for row in found]

    def _run(self, *arguments: str) -> str:
        self._writer.flush()
        command = [TSHARK or "", "-n", "-r", str(self.path), *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=50
        ).stdout


OTA_DIALOGUE: list[tuple[Any, bool, str]] = [
    (ota.ImageNotify(50, *IMAGE), False, "Image Notify"),
    (ota.QueryNextImageRequest(*IMAGE, 0x1111), True, "Query Next Image Request"),
    (ota.QueryNextImageRefusal(OtaStatus.NOT_AUTHORIZED), False, "Query Next Image Response"),
    (ota.QueryNextImageResponse(*IMAGE, 361), False, "Query Next Image Response"),
    (ota.ImageBlockRequest(*IMAGE, 44, 44), True, "Image Block Request"),
    (ota.ImageBlockRequest(*IMAGE, 44, 44, NODE, 250), True, "Image Block Request"),
    (ota.ImageBlockResponse(*IMAGE, 44, BLOCK), False, "Image Block Response"),
    (ota.ImageBlockWait(0, 60), False, "Image Block Response"),
    (ota.ImageBlockWait(1000, 1060, 250), False, "Image Block Response"),
    (ota.ImageBlockRefusal(OtaStatus.ABORT), False, "Image Block Response"),
    (ota.ImagePageRequest(*IMAGE, 44, 44, 1024, 100, NODE), True, "Image Page Request"),
    (ota.UpgradeEndRequest(OtaStatus.SUCCESS, *IMAGE), True, "Upgrade End Request"),
    (ota.UpgradeEndResponse(*IMAGE, 0, ota.WAIT_FOR_COMMAND), False, "Upgrade End Response"),
    (ota.QuerySpecificFileRequest(NODE, *IMAGE, 2), True, "Query Specific File Request"),
    (ota.QuerySpecificFileResponse(*IMAGE, 361), False, "Query Specific File Response"),
]
TUNNEL_DIALOGUE: list[tuple[Any, bool, str]] = [
    (tunneling.RequestTunnel(), True, "Request Tunnel"),
    (tunneling.RequestTunnelResponse(1, STATUS_SUCCESS), False, "Request Tunnel Response"),
    (tunneling.TransferData(1, tunneling.encode_wrapped(tunneling.TunnelGet())), True, "GET"),
    (
        tunneling.TransferData(1, tunneling.encode_wrapped(tunneling.TunnelGetResponse(0, b""))),
        False,
        "GET-RESPONSE",
    ),
    (
        tunneling.TransferDataError(1, tunneling.TransferStatus.DATA_OVERFLOW),
        False,
        "Transfer Data Error",
    ),
    (tunneling.AckTransferData(1, 100), False, "Ack Transfer Data"),
    (tunneling.ReadyData(1, 100), False, "Ready Data"),
    (tunneling.CloseTunnel(1), True, "Close Tunnel"),
    (tunneling.TunnelClosureNotification(1), False, "Tunnel Closure Notification"),
]
FLAGS = metering.MirrorReportAttributeResponse(
    metering.NotificationScheme.ALL_FIVE, (1 | 1 << 21, 0, 0, 0, 0)
)
METERING_DIALOGUE: list[tuple[Any, bool, str]] = [
    (metering.RequestMirror(), True, "Request Mirror"),
    (metering.RequestMirrorResponse(10), False, "Request Mirror Response"),
    (metering.RemoveMirror(), True, "Remove Mirror"),
    (metering.MirrorRemoved(10), False, "Mirror Removed"),
    (
        metering.ConfigureMirror(1, 1800, True, metering.NotificationScheme.ALL_FIVE),
        True,
        "Configure Mirror",
    ),
    (FLAGS, False, "Mirror Report Attribute Response"),
    (
        metering.ChangeSupply(1, 2, 3, 0, metering.SupplyStatus.OFF_ARMED, 1),
        False,
        "Change Supply",
    ),
    (metering.LocalChangeSupply(metering.SupplyStatus.ON), False, "Local Change Supply"),
    (metering.SupplyStatusResponse(1, 2, 3, metering.SupplyStatus.ON), True, "Supply Status"),
]
READINGS = foundation.ReadAttributesResponse(
    (
        AttributeReading(0x0206, 0, AttributeValue(ZclType.OCTETS, b"\x09\x03\x0a\x07")),
        AttributeReading(0x0014, 0, AttributeValue(ZclType.ENUM8, 2)),
        AttributeReading(0x0205, 0, AttributeValue(ZclType.UINT16, 3000)),
        AttributeReading(0x0300, 0x86),
    )
)
ATTRIBUTES: list[tuple[int, Any, str]] = [
    (0x0702, foundation.ReadAttributes((0x0206, 0x0014)), "Read Attributes"),
    (0x0702, READINGS, "Read Attributes Response"),
    (
        0x0702,
        foundation.ReportAttributes(
            (
                (0x0000, AttributeValue(ZclType.UINT48, 123456)),
                (0xFFFE, AttributeValue(ZclType.ENUM8, 1)),
            )
        ),
        "Report Attributes",
    ),
    (0x0702, foundation.DefaultResponse(0x0A, 0), "Default Response"),
    (
        0x000A,
        foundation.ReadAttributesResponse(
            (
                AttributeReading(0, 0, AttributeValue(ZclType.UTC_TIME, 700_000_000)),
                AttributeReading(1, 0, AttributeValue(ZclType.BITMAP8, 9)),
            )
        ),
        "Read Attributes Response",
    ),
    (
        0x0000,
        foundation.ReadAttributesResponse(
            (AttributeReading(4, 0, AttributeValue(ZclType.TEXT, "Made Up")),)
        ),
        "Read Attributes Response",
    ),
    (
        0x0019,
        foundation.WriteAttributes(((0, AttributeValue(ZclType.EUI64, NODE)),)),
        "Write Attributes",
    ),
    (0x0019, foundation.WriteAttributesResponse(), "Write Attributes Response"),
]


def fill(capture: Capture) -> None:
    for cluster, dialogue in (
        (ota, OTA_DIALOGUE),
        (tunneling, TUNNEL_DIALOGUE),
        (metering, METERING_DIALOGUE),
    ):
        for command, to_chf, _ in dialogue:
            meter_serves = cluster is metering
            octets = cluster.encode(command, 7, server_to_client=to_chf is meter_serves)
            capture.data(cluster.CLUSTER, octets, to_chf=to_chf)
    for cluster_id, command, _ in ATTRIBUTES:
        octets = foundation.encode(command, 1, server_to_client=True)
        capture.data(cluster_id, octets, to_chf=True)
    put = tunneling.TransferData(1, tunneling.encode_wrapped(tunneling.TunnelPut(COMMAND)))
    for counter, transfer in ((200, tunneling.TransferData(1, COMMAND)), (201, put)):
        octets = tunneling.encode(transfer, 3, server_to_client=True)
        capture.fragments(tunneling.CLUSTER, octets, counter)
    capture.put("wan-in", COMMAND)
    capture.put("csp-in", csp_transfer.encode(csp_transfer.Chunk(1, 0, b"abc")))
    capture.put("wan-out", COMMAND, "fault: delayed by 3 s")
