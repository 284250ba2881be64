import io
import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import gbcs
from harness.errors import HarnessError
from tests.vectors.gbcs import generate

OURS = Path(generate.__file__).parent
CS06 = OURS / "CS06_11.3_IMMEDIATE_COMMAND.hex"
KEYS = [
    "messages", "parsed", "reencoded_identical", "signatures_present", "signatures_valid",
    "macs_present", "macs_valid", "macs_unverifiable", "encrypted_blocks", "decrypted",
    "payload_typed", "failures",
]  # fmt: skip


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("keys") / "keystore.json"
    generate.new_store().to_json(path)
    return str(path)


def run(*arguments: str, stdin: str = "") -> tuple[int, str]:
    app = typer.Typer()
    gbcs.register(app)
    result = CliRunner().invoke(app, ["gbcs", *arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_verify_prints_exactly_the_contracted_keys_and_exits_clean(keystore: str) -> None:
    code, out = run("verify", str(OURS), "--keystore", keystore, "--json")
    tally = json.loads(out)
    assert code == 0
    assert list(tally) == KEYS
    assert tally["messages"] == tally["reencoded_identical"] == len(list(OURS.glob("*.hex")))
    assert tally["failures"] == []


def test_verify_exits_with_1_when_anything_is_refused(keystore: str, tmp_path: Path) -> None:
    text = CS06.read_text("ascii").strip()
    (tmp_path / "bad.hex").write_text(text[:-2] + f"{int(text[-2:], 16) ^ 1:02x}")
    code, out = run("verify", str(tmp_path), "--keystore", keystore, "--json")
    assert code == 1
    assert [set(failure) for failure in json.loads(out)["failures"]] == [{"file", "layer", "why"}]
    code, out = run("verify", str(tmp_path), str(CS06), "--keystore", keystore)
    assert code == 1
    assert "1  valid of 2 MACs" in out
    assert "protection.bad_mac" in out


def test_verify_without_json_is_a_calm_table(keystore: str) -> None:
    code, out = run("verify", str(CS06), "--keystore", keystore)
    assert code == 0
    assert "1  re-encoded to the same octets" in out
    assert "{" not in out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["verify", str(OURS)], "needs keys"),
        (["verify", str(OURS), "--keystore", "/nowhere.json"], "key store cannot be read"),
        (["verify", "/nowhere", "--keystore", "KEYS"], "no such file"),
        (["verify", str(CS06), "--keystore", "KEYS", "--acb", "12"], "not an EUI-64"),
        (["decode", "/nowhere"], "neither a file nor"),
        (["decode", "df0"], "neither a file nor"),
        (["decode", str(OURS)], "that is a folder"),
        (["decode", "df09"], "no GBCS message"),
        (["decode", "-"], "nothing is there"),
        (["decode", "<a/>"], "no GBCSPayload"),
        (["decode", "<!DOCTYPE a><a/>"], "dtd"),
    ],
)
def test_bad_input_is_a_usage_error_that_says_what_to_do(
    arguments: list[str], what: str, keystore: str
) -> None:
    with pytest.raises(HarnessError, match=what) as caught:
        run(*[keystore if argument == "KEYS" else argument for argument in arguments])
    assert caught.value.exit_code == 2
    assert caught.value.where or caught.value.next_command


def test_verify_of_documents_without_messages_is_a_usage_error(
    keystore: str, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text("<a/>")
    with pytest.raises(HarnessError, match="no GBCS message in any"):
        run("verify", str(tmp_path), "--keystore", keystore)


def test_decode_prints_the_fields_of_a_message_indented() -> None:
    code, out = run("decode", str(CS06))
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "message: 0x0012 CS06 command: Activate Firmware"
    assert f"  manufacturer image hash: {generate.IMAGE_HASH.hex()}" in lines
    assert "  originator counter: 2000" in lines
    assert "  originator: 02-53-42-00-00-01-00-00" in lines
    assert not any("verdict" in line for line in lines)


def test_decode_takes_hex_as_argument_and_on_standard_input() -> None:
    text = CS06.read_text("ascii")
    whole = run("decode", str(CS06))
    assert run("decode", " ".join(text[n : n + 8] for n in range(0, len(text), 8))) == whole
    assert run("decode", "-", stdin=f"\n{text.upper()}\n") == whole


def test_decode_with_keys_gives_the_verdict(keystore: str) -> None:
    code, out = run("decode", str(CS06), "--keystore", keystore)
    assert code == 0
    assert "verdict: accepted" in out
    pre = OURS / "CS06_11.3_IMMEDIATE_PRECOMMAND.hex"
    code, out = run("decode", str(pre), "--keystore", keystore)
    assert code == 0
    assert "verdict: unauthenticated" in out
    text = CS06.read_text("ascii").strip()
    code, out = run("decode", text[:-1] + ("0" if text[-1] != "0" else "1"), "--keystore", keystore)
    assert code == 1
    assert "verdict: refused" in out
    assert "reason: bad_mac" in out


def test_decode_as_json_keeps_the_tree(keystore: str) -> None:
    code, out = run("decode", str(CS06), "--keystore", keystore, "--json")
    (message,) = json.loads(out)["messages"]
    assert code == 0
    assert message["source"] == str(CS06)
    assert message["octets"] == CS06.read_text("ascii").strip()
    names = [field["name"] for field in message["fields"]]
    assert names == ["message", "header", "payload (ASN1, 40 octets)", "protection", "check"]
    assert message["fields"][1]["fields"][0] == {"name": "direction", "value": "command"}


def test_a_long_line_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "20")
    gbcs.decode(str(CS06))
    assert f"  manufacturer image hash: {generate.IMAGE_HASH.hex()}\n" in out.getvalue()
