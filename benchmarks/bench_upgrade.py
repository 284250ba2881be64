"""What a whole firmware upgrade costs: FM-15 (256 KiB, GSME) against the codecs alone.

The reference decodes and encodes every HAN frame the run put on the air, once each and at every
layer, in the same process; the ratio says how much devices, tunnel, medium, journal and reports
add.
"""

import tempfile
import time
import tracemalloc
from pathlib import Path

from emulator.codecs.zcl import frame as zcl
from emulator.codecs.zigbee import aps, mac, nwk
from emulator.codecs.zigbee.aps import ApsFrame
from harness.report import pcapng
from harness.run_options import RunOptions
from harness.runner import start


def codecs_alone(frames: list[bytes]) -> float:
    """Process time of decoding and encoding every frame at every layer."""
    begun = time.process_time()
    for octets in frames:
        radio = mac.decode(octets)
        network = nwk.decode(radio.payload)
        application = aps.decode(network.payload)
        if isinstance(application, ApsFrame) and application.fragment is None:
            zcl.encode(zcl.decode(application.payload))
        aps.encode(application)
        nwk.encode(network)
        mac.encode(radio)
    return time.process_time() - begun


def main() -> None:
    """Print ``claim | value | unit | reference | ratio`` lines."""
    with tempfile.TemporaryDirectory() as folder:
        start(("FM-01",), RunOptions(), out=Path(folder) / "warm")
        begun = time.process_time()
        made, record = start(("FM-15",), RunOptions(), out=Path(folder) / "run")
        whole = time.process_time() - begun
        frames = [f.frame for f in pcapng.read(made.file("capture")) if f.link == "han"]
        floor = min(codecs_alone(frames) for _ in range(3))
        tracemalloc.start()
        start(("FM-15",), RunOptions(), out=Path(folder) / "again")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        size = made.file("report").stat().st_size
    image = 262_206
    name = f"codecs alone {floor:.2f} s, {len(frames)} HAN frames"
    print("claim | value | unit | reference | ratio")
    print(f"256 KiB upgrade with reports | {whole:.2f} | s | {name} | {whole / floor:.1f}")
    seconds = (record.scenarios[0].ended_at or 0) - (record.scenarios[0].started_at or 0)
    virtual = seconds / 1000
    print(f"virtual time | {virtual:.0f} | s | wall {whole:.2f} s | {virtual / whole:.0f}")
    print(f"peak memory | {peak / 2**20:.0f} | MiB | image {image} octets | {peak / image:.0f}")
    print(f"report | {size / 2**20:.2f} | MiB | limit 10 MiB | {size / 2**20 / 10:.2f}")


if __name__ == "__main__":
    main()
