"""Names of HAN frames."""

import pytest

from emulator.codecs.zcl import ota, tunneling
from emulator.codecs.zcl.ota import ImageBlockRequest, ImageBlockResponse, ImageNotify
from emulator.codecs.zcl.tunneling import CloseTunnel, RequestTunnel, TransferData
from emulator.han.labels import label_of, wants_ack


@pytest.mark.parametrize(
    ("cluster", "frame", "label", "acked"),
    [
        (0x19, ota.encode(ImageNotify(100), 1), "ota.image-notify", True),
        (0x19, ota.encode(ImageBlockRequest(1, 2, 3, 4, 5), 1), "ota.image-block-request", False),
        (
            0x19,
            ota.encode(ImageBlockResponse(1, 2, 3, 4, b"x"), 1),
            "ota.image-block-response",
            False,
        ),
        (0x0704, tunneling.encode(RequestTunnel(), 1), "tunnel.request", True),
        (0x0704, tunneling.encode(CloseTunnel(1), 1), "tunnel.close", True),
        (
            0x0704,
            tunneling.encode(TransferData(1, b"x"), 1, server_to_client=False),
            "tunnel.transfer-data",
            True,
        ),
        (
            0x0704,
            tunneling.encode(TransferData(1, b"x"), 1, server_to_client=True),
            "tunnel.transfer-data",
            True,
        ),
        (0x000A, b"\x00\x01\x00", "time.read-attributes", False),
        (0x0702, b"\x18\x01\x0a", "metering.report-attributes", True),
        (0x0702, b"\x19\x01\x09", "metering.command-09", True),
        (0x1234, b"\x01\x01\x77", "cluster-1234.command-77", True),
        (0x0019, b"\x05\x34\x12\x01\x03", "ota.image-block-request", False),
        (0x0019, b"", "ota.command-ff", True),
    ],
)
def test_a_frame_has_a_name(*, cluster: int, frame: bytes, label: str, acked: bool) -> None:
    assert label_of(cluster, frame) == label
    assert wants_ack(label) is acked
