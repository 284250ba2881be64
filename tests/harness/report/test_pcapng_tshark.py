"""What stock tshark makes of our captures: nothing of ours is judged by our own decoder here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.codecs.zcl import tunneling
from emulator.codecs.zigbee import mac
from harness.report import pcapng
from tests.given import needs_rtds, rtds_messages
from tests.harness.report.tshark_capture import (
    ATTRIBUTES,
    BLOCK,
    CHF,
    CHF_ENDPOINT,
    ESME,
    ESME_ENDPOINT,
    METERING_DIALOGUE,
    NODE,
    OTA_DIALOGUE,
    READ_FIRMWARE_VERSION,
    TSHARK,
    TUNNEL_DIALOGUE,
    Capture,
    fill,
)

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

CODE = "gbcs_message.grouping_header.message_code"


def names_in(tree: Any) -> Iterator[str]:
    """Yield every key of a dissection, at any depth."""
    if isinstance(tree, dict):
        for name, inner in tree.items():
            yield name
            yield from names_in(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from names_in(inner)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capture]:
    """One of everything, in one file."""
    made = Capture(tmp_path_factory.mktemp("tshark") / "wire.pcapng")
    fill(made)
    yield made
    made.close()


@pytest.fixture
def own_capture(tmp_path: Path) -> Iterator[Capture]:
    """An empty capture for one test."""
    made = Capture(tmp_path / "wire.pcapng")
    yield made
    made.close()


@pytest.fixture(scope="module")
def trees(capture: Capture) -> list[dict[str, Any]]:
    return capture.trees()


def of_cluster(capture: Capture, cluster: int) -> list[str]:
    where = f"zbee_aps.cluster=={cluster} && zbee_aps.type==0 && !zbee_aps.fragmentation"
    return [row[0] for row in capture.fields("_ws.col.Info", where=where)]


def test_nothing_is_malformed_and_every_fcs_is_right(
    capture: Capture, trees: list[dict[str, Any]]
) -> None:
    for tree in trees:
        assert "_ws.malformed" not in set(names_in(tree))
    assert capture.fields("frame.number", where="wpan && wpan.fcs_ok != 1") == []
    stand_in = capture.fields("frame.number", where="user_dlt")  # undecoded, which is a warning
    assert capture.fields("frame.number", where="_ws.expert.severity >= 0x600000") == stand_in


def test_every_han_frame_is_read_down_to_its_layer(trees: list[dict[str, Any]]) -> None:
    han = [tree for tree in trees if tree["frame"]["frame.interface_id"] == "1"]
    assert len(han) == len(trees) - 3
    for tree in han:
        assert {"wpan-tap", "wpan", "zbee_nwk", "zbee_aps"} <= set(tree)
        assert tree["zbee_aps"]["zbee_aps.profile"] == "0x0109"
        assert tree["zbee_nwk"]["zbee_nwk.fcf_tree"]["zbee_nwk.proto_version"] == "2"
    read_on = [tree for tree in han if "zbee_zcl" in tree]
    dialogues = (OTA_DIALOGUE, TUNNEL_DIALOGUE, METERING_DIALOGUE, ATTRIBUTES)
    assert len(read_on) == sum(len(dialogue) for dialogue in dialogues) + 2


def test_the_tap_header_names_fcs_and_channel(trees: list[dict[str, Any]]) -> None:
    tap = json.dumps(trees[0]["wpan-tap"])
    assert "ITU-T CRC16" in tap or '"wpan-tap.fcs_type": "1"' in tap
    assert '"wpan-tap.ch_num": "11"' in tap


@pytest.mark.parametrize(
    ("cluster", "dialogue"),
    [(0x0019, OTA_DIALOGUE), (0x0704, TUNNEL_DIALOGUE), (0x0702, METERING_DIALOGUE)],
)
def test_every_command_has_its_name(
    capture: Capture, cluster: int, dialogue: list[tuple[Any, bool, str]]
) -> None:
    info = of_cluster(capture, cluster)[: len(dialogue)]
    for line, (_, _, name) in zip(info, dialogue, strict=True):
        assert name in line


def test_a_block_response_shows_image_offset_and_data(trees: list[dict[str, Any]]) -> None:
    block = trees[6]
    assert block["zbee_aps"]["zbee_aps.dst"] == str(ESME_ENDPOINT)
    assert block["zbee_aps"]["zbee_aps.src"] == str(CHF_ENDPOINT)
    assert int(block["zbee_aps"]["zbee_aps.cluster"], 0) == 0x0019
    text = json.dumps(block)
    ours = "zbee_zcl_general.ota."
    assert f'"{ours}status": "0x00"' in text
    assert f'"{ours}manufacturer_code": "0x121d"' in text
    assert f'"{ours}image.type": "0x0084"' in text
    assert f'"{ours}file.version": "0xacdcacdc"' in text
    assert f'"{ours}file.offset": "44"' in text
    assert f'"{ours}data_size": "44"' in text
    assert f'"{ours}image.data": "{BLOCK.hex(":")}"' in text


def test_optional_fields_and_waits_are_read(capture: Capture) -> None:
    ours = "zbee_zcl_general.ota."
    row = capture.fields(
        *(ours + name for name in ("ieee_addr", "min_block_period", "max_data_size")),
        where="frame.number==6",
    )
    assert row == [[f"0x{NODE.hex}", "250", "44"]]
    query = capture.fields(ours + "hw_ver", where="frame.number==2")
    assert query == [["0x1111"]]
    wait = capture.fields(ours + "status", where="frame.number==8 || frame.number==9")
    assert wait == [["0x97"], ["0x97"]]
    end = capture.fields(ours + "upgrade_time", where=f"{ours}upgrade_time")
    assert end == [["4294967295"]]


def test_the_protocol_of_the_tunnel_is_gb_hrgp(capture: Capture) -> None:
    got = capture.fields("zbee_zcl_se.tun.protocol_id", where="zbee_zcl_se.tun.protocol_id")
    assert [int(row[0], 0) for row in got] == [6]


def test_the_new_firmware_flag_is_the_one_tshark_knows(capture: Capture) -> None:
    flag = "zbee_zcl_se.met.attr.func_noti_flag"
    where = "zbee_zcl_se.met.mirror_report_attribute_response.notification_scheme==2"
    row = capture.fields(
        f"{flag}.new_ota_firmware", f"{flag}.tunnel_message_pending", f"{flag}.time_sync",
        where=where,
    )  # fmt: skip
    assert row == [["1", "1", "0"]]


def test_attributes_are_read_with_name_and_value(capture: Capture) -> None:
    names = [name for cluster, _, name in ATTRIBUTES]
    where = "zbee_zcl.type==0"
    assert [row[0].split(":")[1].split(",")[0].strip() for row in capture.fields(
        "_ws.col.Info", where=where)] == names  # fmt: skip
    row = capture.fields(
        "zbee_zcl.attr.ostr", "zbee_zcl.attr.uint16", "zbee_zcl.attr.status",
        where="zbee_zcl.attr.uint16",
    )  # fmt: skip
    assert row == [["09:03:0a:07", "3000", "0x00,0x00,0x00,0x86"]]


def test_fragments_are_put_together_and_the_gbcs_message_inside_is_read(capture: Capture) -> None:
    got = capture.fields("zbee_aps.fragment.count", CODE, where="zbee_aps.fragments")
    assert [row[0] for row in got] == ["2", "2"]
    assert {int(row[1], 0) for row in got} == {READ_FIRMWARE_VERSION}
    wrapped = capture.fields("gbcs_tunnel.command", where="zbee_aps.fragments && gbcs_tunnel")
    assert [int(row[0], 0) for row in wrapped] == [3]
    acks = capture.fields("zbee_aps.block", "zbee_aps.block_acks", where="zbee_aps.type==2")
    assert acks == [["0", "0xff"], ["0", "0xff"]]


def test_wan_messages_are_read_as_gbcs_with_their_direction(capture: Capture) -> None:
    rows = capture.fields(
        "frame.interface_name", "frame.packet_flags_direction", CODE,
        "frame.comment", where="frame.interface_id==0",
    )  # fmt: skip
    assert [row[0] for row in rows] == ["sm-wan", "sm-wan"]
    assert [int(row[1], 0) for row in rows] == [1, 2]
    assert [int(row[2], 0) for row in rows] == [READ_FIRMWARE_VERSION] * 2
    assert [row[3] for row in rows] == ["", "fault: delayed by 3 s"]


def test_the_stand_in_interface_says_so_in_name_and_comment(capture: Capture) -> None:
    rows = capture.fields(
        "frame.interface_name", "frame.interface_description", "frame.comment",
        where="frame.interface_id==2",
    )  # fmt: skip
    assert len(rows) == 1
    assert "stand-in" in rows[0][0]
    assert "stand-in" in rows[0][1]
    assert rows[0][2] == pcapng.STAND_IN


def test_a_frame_with_one_flipped_bit_is_one_whose_fcs_tshark_finds_wrong(
    own_capture: Capture,
) -> None:
    frame = mac.encode(mac.MacFrame(1, 0x1AAA, ESME, CHF, b"\x08\x00"))
    own_capture.put("han", frame[:3] + bytes([frame[3] ^ 1]) + frame[4:])
    assert own_capture.fields("wpan.fcs_ok") == [["0"]]


@needs_rtds
def test_long_given_messages_survive_windows_of_fragments(own_capture: Capture) -> None:
    longest = sorted(rtds_messages(), key=lambda row: len(row[1]))
    chosen = [octets for _, octets in longest if 600 < len(octets) <= 1200][::8]
    assert chosen
    for counter, octets in enumerate(chosen):
        transfer = tunneling.TransferData(1, octets)
        whole = tunneling.encode(transfer, 3, server_to_client=True)
        own_capture.fragments(tunneling.CLUSTER, whole, counter)
    got = own_capture.fields(CODE, where="zbee_aps.fragments")
    assert len(got) == len(chosen)
    assert all(row[0] for row in got)
