import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from emulator.codecs.gbcs import gbt
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import Accepted, KeyRing, open_message, seal
from harness.cli import gbcs
from harness.errors import UsageError
from tests.emulator.devices import kit
from tests.given import RTDS_DIR, RTDS_KEYS, needs_rtds

AT = ("--at", "2015-01-01T00:00")
ROLES = ("--party", f"acb={kit.ACB}", "--party", f"supplier={kit.SUPPLIER}")
DEVICES = {
    "esme": ("ECS52", "11.2_ECS52"),
    "gsme": ("GCS38", "11.2_GCS38"),
    "ppmid": ("CS08", "11.2_CS08"),
    "chf": ("CCS05", "8.9_CCS05CCS04"),
}


def run(*arguments: str) -> Result:
    """The command's result; what it refuses is raised."""
    app = typer.Typer()
    gbcs.register(app)
    done = CliRunner().invoke(app, ["gbcs", "answer", *arguments])
    if isinstance(done.exception, Exception):
        raise done.exception
    return done


def answers(*arguments: str, code: int = 0) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == code, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everybody's keys, the devices' private ones too; without certificates."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    kit.all_keys().to_json(path)
    return path


def written(folder: Path, *messages: bytes) -> list[str]:
    paths = [folder / f"{number}.hex" for number, _ in enumerate(messages)]
    for path, message in zip(paths, messages, strict=True):
        path.write_text(message.hex())
    return [str(path) for path in paths]


def reaction(document: dict[str, Any], number: int = 0) -> dict[str, Any]:
    [only] = document["commands"][number]["reactions"]
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize(
    ("profile", "target"),
    [("gfi-ppmid", kit.PPMID), ("gfi-hcalcs", kit.HCALCS)],
)
def test_a_device_answers_with_its_own_keys_and_the_answer_verifies(
    tmp_path: Path, keys: Path, profile: str, target: Eui64
) -> None:
    [file] = written(tmp_path, kit.cs08(target))
    document = answers("--device", profile, "--keystore", str(keys), *ROLES, file)
    assert document["missing_keys"] == []
    assert document["device"]["eui64"] == str(target)
    octets = bytes.fromhex(reaction(document)["octets"])
    opened = open_message(octets, kit.everyone(), acb=kit.ACB)
    assert isinstance(opened, Accepted)
    assert opened.envelope.header.cra is Cra.RESPONSE


def test_state_is_kept_between_calls_so_that_a_replay_is_refused(
    tmp_path: Path, keys: Path
) -> None:
    state, [file] = tmp_path / "state.json", written(tmp_path, kit.cs08(kit.PPMID))
    usual = ("--device", "gfi-ppmid", "--keystore", str(keys), *ROLES, "--state", str(state))
    assert reaction(answers(*usual, file))["kind"] == "response"
    refused = reaction(answers(*usual, file, code=1))
    assert (refused["kind"], refused["reason"]) == ("refused", "replayed_counter")
    [higher] = written(tmp_path, kit.cs08(kit.PPMID, counter=1001))
    assert reaction(answers(*usual, higher))["kind"] == "response"
    with pytest.raises(UsageError, match="the state cannot be used"):
        run("--device", "gfi-hcalcs", *usual[2:], file)


def test_commands_are_answered_in_order_and_each_refusal_has_its_reason(
    tmp_path: Path, keys: Path
) -> None:
    good = kit.cs08(kit.PPMID)
    wrong_mac = good[:-1] + bytes([good[-1] ^ 1])
    elsewhere = kit.cs08(kit.HCALCS)
    header = GroupingHeader(
        Cra.COMMAND, 1, kit.SUPPLIER, kit.PPMID, OtherInformation(int(MessageCode.GCS38))
    )
    unsupported = seal(
        Envelope(header, b"\x01\x09\x01\x01\x07\x02\x00\x05\x00\x00\x00\x06\x02"),
        kit.everyone(),
        protection=MESSAGES[int(MessageCode.GCS38)].command[0],
        acb=kit.ACB,
    )
    pre_command = good[12:][: len(good) - 25]
    files = written(tmp_path, good, wrong_mac, elsewhere, unsupported, good[:-3], pre_command)
    usual = ("--device", "gfi-ppmid", "--keystore", str(keys), *ROLES)
    document = answers(*usual, *files, code=1)
    kinds = [
        [(one["kind"], one.get("reason")) for one in command["reactions"]]
        for command in document["commands"]
    ]
    assert kinds[0] == [("response", None)]
    assert kinds[1] == [("refused", "bad_mac")]
    assert kinds[2] == [("refused", "wrong_target")]
    assert kinds[3][-1] in {("refused", "unsupported_use_case"), ("alert", None)}
    assert kinds[4] == [("refused", "malformed")]


def test_a_future_dated_activation_is_answered_now_and_told_at_its_date(
    tmp_path: Path, keys: Path
) -> None:
    later = UtcMs(kit.START + 3_600_000)
    [file] = written(tmp_path, kit.cs06(kit.ESME, bytes(32), at=later))
    usual = ("--device", "gfi-esme", "--keystore", str(keys), *ROLES)
    document = answers(*usual, "--at", "2024-06-01T12:00", "--until", "2024-06-01T14:00", file)
    assert reaction(document)["kind"] == "response"
    alerts = [one for one in document["later"] if one["kind"] == "alert"]
    assert len(alerts) >= 1
    assert "8F67" in json.dumps(alerts[-1]["fields"])
    assert alerts[-1]["at"] == "2024-06-01T13:00:00.000Z"


def test_long_answers_leave_in_blocks_and_blocks_come_in(tmp_path: Path, keys: Path) -> None:
    message = kit.cs08(kit.PPMID)
    header = GroupingHeader(
        Cra.COMMAND, 1000, kit.ACB, kit.PPMID, OtherInformation(int(MessageCode.CS08))
    )
    blocks = gbt.segment(message, header, gbt.GbtSettings(block_bytes=30))
    [file] = written(tmp_path, b"".join(gbt.encode(block) for block in blocks))
    usual = ("--device", "gfi-ppmid", "--keystore", str(keys), *ROLES)
    found = reaction(answers(*usual, "--gbt", "40", file))
    came = tuple(gbt.decode(bytes.fromhex(block)) for block in found["blocks"])
    assert len(came) == 3
    assert gbt.reassemble(came).hex() == found["octets"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--device", "nobody"), "nobody"),
        (("--device", "gfi-esme", "--role", "GPF"), "cannot be emulated"),
        (("--device", "gfi-esme", "--role", "toaster"), "no device type"),
        (("--device", "gfi-esme", *ROLES, "--at", "yesterday"), "no moment"),
        (("--device", "gfi-esme", "--party", "acb"), "no pair"),
        (("--device", "gfi-esme", "--party", "king=0102030405060708"), "no role"),
        (("--device", "gfi-esme", "--eui64", "xyz"), "--eui64"),
        (("--device", "gfi-esme"), "nobody is known as Access Control Broker"),
    ],
)
def test_wrong_options_are_refused_in_words(
    tmp_path: Path, keys: Path, arguments: tuple[str, ...], what: str
) -> None:
    [file] = written(tmp_path, kit.cs08(kit.ESME))
    with pytest.raises(UsageError) as refused:
        run(*arguments, "--keystore", str(keys), file)
    error = refused.value
    assert what in f"{error.what} {error.where}"
    assert error.cause
    assert error.next_command


def test_files_without_a_message_are_refused(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "a.hex").write_text("no hex")
    with pytest.raises(UsageError, match="neither hex nor base64"):
        run("--device", "gfi-esme", "--keystore", str(keys), str(tmp_path / "a.hex"))


def given_files(folder: str) -> list[str]:
    found = sorted((RTDS_DIR / "RTDS-4.5.0" / folder).glob("*SUCCESS*_COMMAND*.HEX"))
    assert found
    return [str(path) for path in found]


@needs_rtds
@pytest.mark.parametrize("kind", sorted(DEVICES))
def test_the_given_commands_are_answered_as_they_are_under_the_given_keys(kind: str) -> None:
    _, folder = DEVICES[kind]
    keystore = ("--keystore", str(RTDS_KEYS))
    document = answers("--device", f"gfi-{kind}", *keystore, *AT, given_files(folder)[0])
    octets = bytes.fromhex(reaction(document)["octets"])
    ring = KeyRing(KeyStore.load(RTDS_KEYS))
    assert isinstance(open_message(octets, ring, acb=kit.ACB), Accepted)
    assert len(document["missing_keys"]) == 2
    assert "no private signing key" in document["missing_keys"][0]
    assert document["parties"]["supplier"] == str(kit.SUPPLIER)


@needs_rtds
def test_the_text_shows_hex_and_the_decoded_answer_named_by_its_command() -> None:
    file = given_files("4.1.1_ECS17b")[0]
    done = run("--device", "gfi-esme", "--keystore", str(RTDS_KEYS), *AT, file)
    assert done.exit_code == 0, done.output
    assert "missing: no private signing key" in done.output
    assert "response at 2015-01-01T00:00:00.000Z" in done.output
    assert "import registers" in done.output


@needs_rtds
def test_the_gpf_of_a_hub_answers_too() -> None:
    [file] = given_files("8.12.2_GCS59")
    keystore = ("--keystore", str(RTDS_KEYS))
    usual = ("--device", "gfi-chf", "--role", "GPF", *keystore, *AT, file, "--json")
    done = run(*usual)
    document = json.loads(done.stdout)
    assert document["device"]["role"] == "GPF"
    first, *_ = document["commands"][0]["reactions"]
    assert (first["kind"], first.get("reason")) in {
        ("response", None),
        ("refused", "unsupported_use_case"),
    }


def test_an_end_before_the_beginning_is_refused(keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "any.hex"
    file.write_text("dd", "ascii")
    told = (*("--device", "demo-esme"), "--keystore", str(keys), "--eui64", str(kit.ESME), *ROLES)
    with pytest.raises(UsageError, match="--until lies before --at"):
        run(*told, "--at", "2024-06-01T12:00", "--until", "2024-05-01T12:00", str(file))


def test_a_message_cut_short_is_refused_with_what_is_wrong_with_it(
    keys: Path, tmp_path: Path
) -> None:
    file = tmp_path / "cut.hex"
    file.write_text("df09010000000000", "ascii")
    with pytest.raises(UsageError) as refused:
        run("--device", "demo-esme", "--keystore", str(keys), *ROLES, str(file))
    assert "8 octets, gbcs." in refused.value.cause
