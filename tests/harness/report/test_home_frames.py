"""What the report says of frames of a SMETS1 home: DLMS in tunnels, words of hub and display."""

import pytest

from emulator.codecs.dlms import wrapper
from emulator.codecs.dlms.wrapper import WrapperFrame
from harness.dlms_view.line import Way
from harness.report import pcapng
from harness.report.dissect import Dissector
from harness.report.layers import Dissection
from harness.report.line_frames import LineFrames
from harness.report.naming import Directory
from harness.run_options import RunOptions
from harness.runner import start

DIRECTORY = Directory({}, {}, "CHF", ("head end", "head end"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Dissection]:
    """What is said of each HAN frame of a row with a hub, meters and a display."""
    out = tmp_path_factory.mktemp("home") / "run"
    start(["FM-34"], RunOptions(), out=out)
    dissector = Dissector(DIRECTORY)
    frames = [one for one in pcapng.read(out / "wire.pcapng") if one.link == "han"]
    return [dissector.dissect(frame) for frame in frames]


def test_no_frame_of_a_home_in_order_is_called_damaged(told: list[Dissection]) -> None:
    assert len(told) > 100
    assert not [one.label for one in told if one.damaged or "damaged" in one.label]


@pytest.mark.parametrize(
    "said", ["AARQ: associate, HLS_GMAC, in the tunnel", "joining, hub and display (stand-in)"]
)
def test_messages_in_tunnels_are_told_by_what_they_are(said: str, told: list[Dissection]) -> None:
    assert said in {one.label for one in told}


def test_a_spoilt_message_in_a_tunnel_is_called_damaged() -> None:
    spoilt = wrapper.encode(WrapperFrame(16, 1, bytes.fromhex("60ff00")))
    assert LineFrames(DIRECTORY).tunnelled(Way.IN, spoilt).damaged
