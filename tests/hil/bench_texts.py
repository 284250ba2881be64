"""Bench files and a SMETS1 model for tests of benches."""

from pathlib import Path

METER = "02-53-01-00-01-00-00-01"
OTHER = "02-53-01-00-01-00-00-02"

#: A model of our own, so that these tests do not change with the shipped ones.
MODEL = """
device_type = "ESME"
title = "meter for tests of benches"
extends = "demo-s1-esme"

[dlms]
logical_device = 1
wan_port = 1
logical_device_name = "TST0000000000001"
suite = 0
conformance = ["GET", "SET", "ACTION", "SELECTIVE_ACCESS"]
max_pdu_bytes = 1024
objects = "smets1-esme"
firmware_obis = "1-0:0.2.0.255"
capture_period_s = 1800
profile_entries = 100
log_entries = 10
clock_drift_ppm = 0
first_counter = 1

[dlms.hdlc]
address_bytes = 4
physical_address = 17
max_information_bytes = 128
window = 1
inactivity_s = 120
max_links = 2

[dlms.sign_on]
manufacturer = "TST"
baud_character = "5"
name = "BENCH"
mode_c = true
mode_e = true
start_baud = 300

[[dlms.associations]]
client = 16
name = "public"
authentication = "none"
ciphered = false
rights = "public"

[[dlms.associations]]
client = 2
name = "reader"
authentication = "lls"
ciphered = false
rights = "reader"

[[dlms.associations]]
client = 1
name = "management"
authentication = "hls-gmac"
ciphered = true
rights = "management"

[evidence]
"dlms" = "stand-in"
"""

HEAD = f"""\
[bench]
name = "desk 3"
operator = "A. Fitter"
allow = ["{METER}"]
"""

REAL = f"""\
{HEAD}
[roles.ESME]
endpoint = "serial:/dev/serial/by-id/usb-head-0"
profile = "./model.toml"
eui64 = "{METER}"
"""


def write_bench(folder: Path, text: str, name: str = "bench.toml") -> Path:
    """Write a bench file, and the model beside it; returns the bench file."""
    (folder / "model.toml").write_text(MODEL, "utf-8")
    path = folder / name
    path.write_text(text, "utf-8")
    return path
