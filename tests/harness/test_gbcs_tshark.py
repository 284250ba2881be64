"""An independent dissector reads our messages: tshark, where it is installed."""

import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from tests.given import needs_rtds, rtds_messages
from tests.vectors.gbcs import generate

TSHARK = shutil.which("tshark")
pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
_UPPER_PDU = 252
_DISSECTOR = b"gbcs_message"


def capture(messages: Iterable[bytes]) -> bytes:
    """A classic pcap of exported PDUs: each names the dissector that is to read it."""
    out = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, _UPPER_PDU))
    head = struct.pack(">HH", 12, len(_DISSECTOR)) + _DISSECTOR + bytes(4)
    for message in messages:
        packet = head + message
        out += struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
    return bytes(out)


def run(tmp_path: Path, messages: Iterable[bytes], *arguments: str) -> list[str]:
    path = tmp_path / "messages.pcap"
    path.write_bytes(capture(messages))
    assert TSHARK is not None
    command = [TSHARK, "-n", "-r", str(path), *arguments]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    return done.stdout.splitlines()


def compare(tmp_path: Path, named: list[tuple[str, bytes]]) -> None:
    columns = ("gbcs_message.grouping_header.message_code", "_ws.malformed")
    wanted = [part for column in columns for part in ("-e", column)]
    rows = run(tmp_path, [message for _, message in named], "-T", "fields", *wanted)
    assert len(rows) == len(named)
    for (name, message), row in zip(named, rows, strict=True):
        env = envelope.decode(message)
        code, malformed = row.split("\t")
        assert int(code, 0) == env.header.other.message_code, name
        assert bool(malformed) is (env.signature is None), name


def test_tshark_reads_our_codes_and_finds_nothing_malformed_but_pre_commands(
    tmp_path: Path,
) -> None:
    compare(tmp_path, list(generate.made(generate.new_store())))


@needs_rtds
def test_tshark_reads_the_given_messages_as_we_do(tmp_path: Path) -> None:
    compare(tmp_path, list(rtds_messages()))


def known_names(tmp_path: Path, messages: Iterable[bytes]) -> dict[int, str]:
    """Message code -> the name tshark prints, for the codes it knows."""
    found = {}
    for line in run(tmp_path, messages, "-V"):
        if line.strip().startswith("Message Code:"):
            name, _, code = line.split(":", 1)[1].strip().rpartition(" (")
            if not name.startswith("Unknown"):
                found[int(code.rstrip(")"), 16)] = name
    return found


def test_the_use_case_names_that_tshark_knows_are_ours(tmp_path: Path) -> None:
    names = known_names(tmp_path, [m for _, m in generate.made(generate.new_store())])
    assert {MessageCode.CS06, MessageCode.ECS52, MessageCode.GCS38} <= set(names)
    check_names(names)


@needs_rtds
def test_the_names_of_the_given_messages_are_ours_too(tmp_path: Path) -> None:
    names = known_names(tmp_path, [message for _, message in rtds_messages()])
    assert len(names) > 100
    check_names(names)


def check_names(names: dict[int, str]) -> None:
    differing = {
        f"{code:04x}": (name, MESSAGES[code].use_case)
        for code, name in names.items()
        if MESSAGES[code].srvs and not name.lower().startswith(MESSAGES[code].use_case.lower())
    }
    assert differing == {}
