"""What a receiver near an emulated hub hears: sealed frames of all that the home does."""

import shutil
import subprocess
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.zcl import ota, tunneling
from emulator.codecs.zigbee import beacon, mac_commands
from emulator.codecs.zigbee.aps import ApsFrame
from emulator.codecs.zigbee.mac_commands import Beacon, BeaconRequest, DataRequest
from emulator.ncp.air_reading import AirReader
from emulator.ncp.radio_frames import AssociationRequest, DataFrame, HeardPacket, TransportKey
from emulator.runtime.dongle_home import install_codes
from emulator.runtime.dongle_hub import CHANNEL
from harness.report.air_capture import AirCapture
from tests.emulator.runtime.hub_home_given import (
    SEED,
    Scene,
    a_scene,
    an_image,
    ask_version,
    device_of,
)

_TSHARK = shutil.which("tshark")
HOUR_MS = 3_600_000
GSME = device_of(DeviceType.GSME)
ESME = device_of(DeviceType.ESME)


def _codes() -> list[bytes]:
    return [code.link_key() for code in install_codes(SEED, [ESME, GSME]).values()]


def _reader(scene: Scene) -> AirReader:
    """Whoever has the install codes, the network key and every link key of the home."""
    hub = scene.hub.hub
    drawn = [*scene.hub.link_keys.values()]
    agreed = [key for key in (hub.keys.agreed(ESME),) if key is not None]
    shorts = {node.short: node.described.eui64 for node in hub.plan.nodes}
    return AirReader([hub.plan.network_key], [*_codes(), *drawn, *agreed], shorts)


def _frames(scene: Scene, packets: list[HeardPacket]) -> list[DataFrame]:
    reader = _reader(scene)
    told = [reader.read(packet.octets) for packet in packets]
    assert {read.why for read in told} <= {""}
    return [read.frame for read in told if isinstance(read.frame, DataFrame)]


def _spy(scene: Scene, until: int) -> list[HeardPacket]:
    """Listen on the hub's channel as an NCP does; return what was heard."""
    scene.hub.listen(CHANNEL, 0)
    heard, now = list(scene.hub.heard(0)), 0
    while now < until:
        due = scene.hub.deadline
        now = until if due is None else min(max(now + 1, due), until)
        scene.hub.take(now)
        heard += scene.hub.heard(now)
    return heard


def test_a_listener_hears_a_sleepy_meter_wake_and_a_command_in_its_tunnel() -> None:
    scene = a_scene()
    scene.hub.order("gbcs", ask_version(GSME).hex(), 0)
    packets = _spy(scene, HOUR_MS)
    assert {packet.channel for packet in packets} == {CHANNEL}
    frames = _frames(scene, packets)
    short = next(node.short for node in scene.hub.hub.plan.nodes if node.described.eui64 == GSME)
    of_gsme = [frame for frame in frames if frame.source == short]
    assert [frame for frame in of_gsme if frame.frame.cluster == tunneling.CLUSTER]
    assert all(frame.link_key for frame in of_gsme if frame.frame.cluster == tunneling.CLUSTER)
    fetched = [mac_commands.decode(packet.octets) for packet in packets]
    assert [one for one in fetched if isinstance(one, DataRequest) and one.source == short]
    told = [frame.frame for frame in frames if frame.destination == short and not frame.source]
    command = [one for one in told if one.cluster == tunneling.CLUSTER]
    assert [one for one in command if isinstance(one, ApsFrame) and one.fragment is not None]


def test_a_listener_hears_the_blocks_of_an_image(tmp_path: Path) -> None:
    scene = a_scene()
    file = tmp_path / "image.bin"
    file.write_bytes(an_image(GSME, 600))
    assert scene.hub.order("image", f"{file} {GSME}", 0)
    frames = _frames(scene, _spy(scene, 2 * HOUR_MS))
    blocks = [frame for frame in frames if frame.frame.cluster == ota.CLUSTER]
    assert len(blocks) > 20


def test_nothing_is_heard_on_another_channel_or_when_nobody_listens_any_more() -> None:
    scene = a_scene()
    scene.hub.listen(CHANNEL + 1, 0)
    scene.hub.take(60_000)
    assert scene.hub.heard(60_000) == []
    scene.hub.listen(CHANNEL, 60_000)
    scene.hub.take(120_000)
    assert scene.hub.heard(120_000)
    scene.hub.listen(None, 120_000)
    scene.hub.take(180_000)
    assert scene.hub.heard(180_000) == []


def test_a_beacon_request_of_the_host_itself_is_answered_with_the_permit_bit() -> None:
    scene = a_scene(permit_s=10)
    scene.hub.listen(CHANNEL, 0)
    scene.hub.heard(0)
    for now, permits in ((100, True), (20_000, False)):
        scene.hub.transmit(mac_commands.encode(BeaconRequest(1)), CHANNEL, now)
        heard = [mac_commands.decode(packet.octets) for packet in scene.hub.heard(now)]
        shown = [one for one in heard if isinstance(one, Beacon)]
        assert [one.permit for one in shown] == [permits]
        assert beacon.decode(shown[0].payload).extended_pan_id == scene.hub.hub.plan.eui64


def test_a_join_is_recorded_from_the_beacon_to_the_sealed_messages() -> None:
    scene = a_scene(recorded=True)
    scene.hub.networks(CHANNEL)
    scene.run(20_000)
    reader = AirReader([], [*_codes(), *scene.hub.link_keys.values()])
    told = [reader.read(packet.octets) for _now, packet in scene.packets]
    seen = [type(read.frame) for read in told if read.frame is not None]
    assert AssociationRequest in seen
    assert TransportKey in seen
    assert [read for read in told if isinstance(read.mac, BeaconRequest)]
    moments = [now for now, _packet in scene.packets]
    assert moments == sorted(moments)


@pytest.mark.skipif(_TSHARK is None, reason="tshark is not here to judge")
def test_tshark_deciphers_a_recorded_join_with_the_keys_and_finds_nothing_malformed(
    tmp_path: Path,
) -> None:
    scene = a_scene(recorded=True)
    scene.run(20_000)
    scene.hub.order("gbcs", ask_version(ESME).hex(), scene.now)
    scene.run(scene.now + 60_000)
    assert scene.from_wan()
    file = tmp_path / "home.pcapng"
    with AirCapture(file) as capture:
        for now, packet in scene.packets:
            told = (packet.octets, packet.channel, packet.rssi, packet.lqi)
            capture.write(1_700_000_000_000_000 + now * 1000, *told)
    held = [scene.hub.hub.plan.network_key, *_reader(scene).link_keys]
    keys = "".join(f'"{key.hex(":").upper()}","Normal","test"\n' for key in held)
    (tmp_path / "zigbee_pc_keys").write_text(keys)
    done = subprocess.run(
        [str(_TSHARK), "-r", str(file), "-T", "fields", "-e", "_ws.malformed",
         "-e", "_ws.expert.message", "-e", "_ws.col.Info"],
        env={"WIRESHARK_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin"},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(scene.packets)
    assert [row for row in rows if row[0] or "ncrypted" in row[1]] == []
    assert [row for row in rows if "Transport Key" in row[2]]
