"""The capture of a run: every GBCS message twice, and nothing malformed for stock Wireshark."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from emulator.codecs.gbcs import envelope
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import tunnel_wrapper, tunneling
from emulator.codecs.zcl.tunnel_wrapper import TunnelGetResponse, TunnelPut
from emulator.codecs.zigbee import aps, mac, nwk
from emulator.codecs.zigbee.aps import ApsFrame
from harness.cli.demo import SHOWN
from harness.report import pcapng
from harness.run_options import RunOptions
from harness.runner import start

TSHARK = shutil.which("tshark")
#: How a GBCS message begins; how the frames of the SMETS1 home beside it begin (DLMS wrapper).
GBCS = {b"\xdd", b"\xdf"}
WPORT = b"\x00\x01"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, _ = start(tuple(SHOWN), RunOptions(seed=1), out=tmp_path_factory.mktemp("demo") / "run")
    return folder.file("capture")


def in_tunnels(path: Path) -> Counter[bytes]:
    """Every GBCS message that crossed the HAN inside a tunnel, reassembled from fragments."""
    found: Counter[bytes] = Counter()
    parts: dict[tuple[int, int], list[bytes]] = {}
    wanted: dict[tuple[int, int], int] = {}
    for captured in pcapng.read(path):
        if captured.link != "han":
            continue
        network = nwk.decode(mac.decode(captured.frame).payload)
        application = aps.decode(network.payload)
        if not isinstance(application, ApsFrame) or application.cluster != tunneling.CLUSTER:
            continue
        payload, fragment = application.payload, application.fragment
        if fragment is not None:
            key = network.source, application.counter
            if fragment.first:
                wanted[key], parts[key] = fragment.block, []
            parts[key].append(payload)
            if len(parts[key]) < wanted[key]:
                continue
            payload = b"".join(parts.pop(key))
        message = carried(payload)
        if message:
            found[message] += 1
    return found


def carried(payload: bytes) -> bytes:
    """The message in one Tunneling frame, out of its GSME wrapper where it has one."""
    command = tunneling.decode(zcl_frame.decode(payload))
    if not isinstance(command, tunneling.TransferData):
        return b""
    if command.data[:1] in GBCS:
        return command.data
    if command.data[:2] == WPORT:
        return b""
    wrapped = tunnel_wrapper.decode(command.data)
    message = wrapped.message if isinstance(wrapped, TunnelGetResponse | TunnelPut) else b""
    return message if message[:1] in GBCS else b""


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_every_message_to_or_from_a_device_crosses_the_wan_and_a_tunnel(demo: Path) -> None:
    frames = [one for one in pcapng.read(demo) if one.frame[:1] in GBCS]
    wan = Counter(f.frame for f in frames if f.link.startswith("wan"))
    chf = {str(envelope.decode(f.frame).header.originator) for f in frames if f.link == "wan-out"}
    assert len(chf) > 2
    hub_itself = [m for m in wan if is_of_hub(m)]
    tunnels = in_tunnels(demo)
    assert sum(wan.values()) > 30
    assert {m: n for m, n in wan.items() if m not in hub_itself} == dict(tunnels)


def is_of_hub(message: bytes) -> bool:
    header = envelope.decode(message).header
    hub = bytes.fromhex("0253020000000001")
    return hub in {header.originator.octets, header.target.octets}


@pytest.mark.timeout(180)
@pytest.mark.skipif(TSHARK is None, reason="no tshark here (apt-get install tshark)")
def test_tshark_finds_nothing_malformed_and_knows_every_layer(demo: Path) -> None:
    assert TSHARK is not None
    ended = subprocess.run(
        [TSHARK, "-r", str(demo), "-T", "fields", "-e", "frame.protocols", "-e", "_ws.malformed"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("\t") for line in ended.stdout.splitlines()]
    assert [row for row in rows if len(row) > 1 and row[1]] == []
    assert len(rows) == sum(1 for _ in pcapng.read(demo))
    layers = Counter(row[0] for row in rows)
    assert any("zbee_zcl_general.ota" in name or "zbee_zcl" in name for name in layers)
    assert any(name.startswith("exported_pdu:gbcs") for name in layers), layers
