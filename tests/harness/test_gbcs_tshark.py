"""An independent dissector reads our messages: tshark, where it is installed."""

import shutil
import struct
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.gbt import GbtSettings
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs, from_datetime
from emulator.crypto.keystore import KeyStore
from emulator.devices.consumption import DAY_MS
from harness.answering_parties import parties_of
from harness.benches.emulated_answering import AnsweringDevice, Standing, keys_for
from harness.gbcs_blocks import whole_messages
from tests.emulator.devices.every_command import Asking, pairs
from tests.given import RTDS_KEYS, needs_rtds, rtds_messages
from tests.sampling import examples
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


def in_blocks(message: bytes) -> list[bytes]:
    header = envelope.decode(message).header
    return [gbt.encode(b) for b in gbt.segment(message, header, GbtSettings(block_bytes=60))]


def put_together(tmp_path: Path, message: bytes) -> None:
    """Every block but the last says in which frame the message is, and there it is as long."""
    blocks = in_blocks(message)
    assert len(blocks) > 1
    columns = (
        "gbcs_message.gbt_header.block_number",
        "gbcs_message.gbt.reassembled.length",
        "gbcs_message.grouping_header.message_code",
        "_ws.malformed",
    )
    wanted = [part for column in columns for part in ("-e", column)]
    rows = [row.split("\t") for row in run(tmp_path, blocks, "-T", "fields", *wanted)]
    assert [int(row[0], 0) for row in rows] == list(range(1, len(blocks) + 1))
    assert not any(row[3] for row in rows)
    assert int(rows[-1][1]) == len(message)
    code = envelope.decode(message).header.other.message_code
    assert int(rows[-1][2].split(",")[-1], 0) == code


def test_tshark_puts_our_blocks_together_to_the_message_they_were_cut_from(
    tmp_path: Path,
) -> None:
    whole = [octets for name, octets in generate.made(generate.new_store()) if "PRE" not in name]
    put_together(tmp_path, max(whole, key=len))


@needs_rtds
def test_tshark_puts_the_blocks_of_the_longest_given_messages_together(tmp_path: Path) -> None:
    given = [octets for name, octets in rtds_messages() if "PRECOMMAND" not in name]
    for message in sorted(given, key=len)[-6:]:
        put_together(tmp_path, message)


MODELS = {"A0": "gfi-esme", "A1": "gfi-gsme", "A2": "gfi-chf", "A3": "gfi-chf", "A4": "gfi-ppmid"}


def answers_to(command: bytes, store: KeyStore, days: int = 0) -> list[bytes]:
    """What a fresh device of the target's type sends; nothing of devices that are not emulated.

    Some days later is what it sends of itself, too.
    """
    target = envelope.decode(command).header.target
    model = MODELS.get(target.hex[-2:].upper())
    if model is None:
        return []
    profile = load_profile(model)
    role = DeviceType.GPF if target.hex.endswith("a3") else profile.device_type
    parties = parties_of(store, [command], ())
    start = from_datetime(datetime(2015, 1, 1, tzinfo=UTC))
    standing = Standing(profile, role, target, parties, {}, 1, start)
    device = AnsweringDevice(standing, keys_for(store, standing).store)
    reactions = device.answer(command)
    if days:
        reactions += device.pass_time(UtcMs(start + days * DAY_MS))
    return whole_messages(one.message for one in reactions if one.message)


@needs_rtds
def test_tshark_finds_nothing_malformed_in_what_our_devices_answer(tmp_path: Path) -> None:
    store, sent = KeyStore.load(RTDS_KEYS), []
    commands = [octets for name, octets in rtds_messages() if "_COMMAND" in name]
    step = max(len(commands) // examples(len(commands)), 1)
    for command in commands[::step]:
        sent += answers_to(command, store)
    assert len(sent) > len(commands) // step // 3
    rows = run(tmp_path, sent, "-T", "fields", "-e", "_ws.malformed")
    malformed = [octets.hex() for octets, row in zip(sent, rows, strict=True) if row.strip()]
    assert not malformed


def own_answers() -> list[bytes]:
    """What devices with fresh keys answer to a command of every use case of the table."""
    return [one for row, kind in pairs() for one in Asking(row, kind, seed=row.code).answers()]


def given_answers() -> list[bytes]:
    """What devices answer to all given commands, and what they tell of themselves in a day."""
    store, sent = KeyStore.load(RTDS_KEYS), []
    for name, command in rtds_messages():
        if "_COMMAND" in name:
            sent += answers_to(command, store, days=1)
    return sent


def check_all(tmp_path: Path, sent: list[bytes]) -> None:
    """Nothing malformed, the code read as sent, and every long one put together from blocks."""
    columns = ("gbcs_message.grouping_header.message_code", "_ws.malformed")
    wanted = [part for column in columns for part in ("-e", column)]
    rows = [row.split("\t") for row in run(tmp_path, sent, "-T", "fields", *wanted)]
    assert len(rows) == len(sent)
    for octets, (code, malformed) in zip(sent, rows, strict=True):
        assert int(code, 0) == envelope.decode(octets).header.other.message_code, octets.hex()
        assert not malformed, octets.hex()
    long = list(dict.fromkeys(octets for octets in sent if len(octets) > 120))
    blocks = [(octets, block) for octets in long for block in in_blocks(octets)]
    columns = ("gbcs_message.gbt.reassembled.length", "_ws.malformed")
    wanted = [part for column in columns for part in ("-e", column)]
    lines = run(tmp_path, [block for _, block in blocks], "-T", "fields", *wanted)
    last = dict(zip([octets for octets, _ in blocks], lines, strict=True))
    for octets, line in last.items():
        length, malformed = line.split("\t")
        assert not malformed, octets.hex()
        assert int(length) == len(octets), octets.hex()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_tshark_finds_nothing_malformed_in_the_answers_to_every_use_case(tmp_path: Path) -> None:
    sent = own_answers()
    assert len(sent) >= len(pairs())
    check_all(tmp_path, sent)


@needs_rtds
@pytest.mark.soak
@pytest.mark.timeout(900)
def test_tshark_finds_nothing_malformed_in_the_answers_to_every_given_command(
    tmp_path: Path,
) -> None:
    sent = given_answers()
    assert len(sent) > 200
    check_all(tmp_path, sent)
