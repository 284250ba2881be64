"""Bench files: what a right one says, and one error of its own kind for each wrong one."""

import json
from importlib import resources
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.dlms.acse import Mechanism
from harness.dlms.settings import Framing
from harness.errors import UsageError
from hil.bench_file import (
    MAX_FILE_BYTES,
    BenchFileError,
    InlineSecretError,
    line_of,
    load_bench,
    schema_text,
)
from hil.endpoints import EndpointKind
from tests.hil.bench_texts import HEAD, METER, REAL, write_bench

SECRET = "73512890"  # noqa: S105 - the made-up secret that no error may repeat


def told(folder: Path, text: str) -> BenchFileError:
    """Load a wrong bench file; returns its error after checking its form."""
    path = write_bench(folder, text)
    with pytest.raises(BenchFileError) as caught:
        load_bench(path)
    error = caught.value
    assert str(path) in error.where
    assert error.cause
    assert error.next_command
    assert error.exit_code == 2
    assert error.what.startswith(f"{error.code}: ")
    return error


def test_a_right_file_says_who_where_and_what(tmp_path: Path) -> None:
    more = '\n[roles.ESME.credentials.reader]\nsecret = "env:READER"\nclient = 3\n'
    more += 'authentication = "lls"\n'
    loaded = load_bench(write_bench(tmp_path, REAL + more))
    role = loaded.content.roles[DeviceType.ESME]
    assert loaded.content.bench.operator == "A. Fitter"
    assert loaded.content.bench.allow == (METER,)
    assert role.where.kind is EndpointKind.SERIAL
    assert role.where.device_path == "/dev/serial/by-id/usb-head-0"
    assert role.credentials["reader"].mechanism is Mechanism.LLS
    assert loaded.profiles[DeviceType.ESME].title == "meter for tests of benches"
    assert not loaded.is_emulated
    assert len(loaded.sha256) == 64


def test_an_eui64_is_taken_in_every_spelling_and_kept_in_one(tmp_path: Path) -> None:
    text = REAL.replace(METER, METER.replace("-", ":").lower())
    loaded = load_bench(write_bench(tmp_path, text))
    assert loaded.content.bench.allow == (METER,)
    assert loaded.content.roles[DeviceType.ESME].eui64 == METER


def test_a_loopback_role_has_its_profile_in_the_endpoint(tmp_path: Path) -> None:
    role = '[roles.ESME]\nendpoint = "loopback:./model.toml"\nlisten = "rfc2217"\npace = 9600\n'
    loaded = load_bench(write_bench(tmp_path, HEAD + role))
    assert loaded.of(EndpointKind.LOOPBACK)[DeviceType.ESME].pace == 9600
    assert loaded.content.roles[DeviceType.ESME].framing is None


@pytest.mark.parametrize(
    ("endpoint", "more"),
    [
        ("serial:tcp://127.0.0.1:4059", ""),
        ("serial:wrapper://127.0.0.1:4059", 'framing = "wrapper"\n'),
        ("serial:rfc2217://10.0.0.7:2217", 'framing = "optical"\n'),
        ("serial:/dev/pts/7", ""),
        ("serial:/dev/ttyS0", ""),
        ("serial:usb", 'usb = { vid = 0x0403, pid = 0x6001, serial = "A9" }\n'),
        ("replay:captures/read", ""),
    ],
)
def test_every_form_of_port_is_taken(tmp_path: Path, endpoint: str, more: str) -> None:
    role = f'[roles.ESME]\nendpoint = "{endpoint}"\nprofile = "./model.toml"\n{more}'
    loaded = load_bench(write_bench(tmp_path, HEAD + role))
    assert str(loaded.content.roles[DeviceType.ESME].where) == endpoint


def test_framing_words_are_those_of_the_line() -> None:
    assert {word.value for word in Framing} == {"optical", "hdlc", "wrapper"}


# -- one error each -------------------------------------------------------------------------------

ROLE = '[roles.ESME]\nendpoint = "{}"\nprofile = "./model.toml"\n'
CREDENTIAL = REAL + "\n[roles.ESME.credentials.reader]\n"

WRONG = {
    "a heading left open": ("not-toml", HEAD + "[roles.ESME\n", "", 5),
    "the same key twice": ("not-toml", HEAD + 'name = "x"\n', "", 5),
    "a misspelt key": ("unknown-key", HEAD + "allowed = []\n" + ROLE, "bench.allowed", 5),
    "an unknown table": ("unknown-key", REAL + "\n[relay]\non = 1\n", "relay", 11),
    "neither roles nor dongles": ("missing-key", HEAD, "", None),
    "no operator": (
        "missing-key",
        REAL.replace('operator = "A. Fitter"\n', ""),
        "bench.operator",
        1,
    ),
    "no profile of a real one": (
        "missing-key",
        REAL.replace('profile = "./model.toml"\n', ""),
        "roles.ESME",
        6,
    ),
    "roles that are empty": ("missing-key", HEAD + "[roles]\n", "", None),
    "a role nobody knows": ("invalid-value", REAL.replace("ESME", "METER"), "roles.METER", 6),
    "an EUI-64 that is none": (
        "invalid-value",
        REAL.replace(f'["{METER}"]', '["02-53-01"]'),
        "bench.allow.0",
        4,
    ),
    "a date in quotes": (
        "invalid-value",
        REAL.replace("allow", 'expires = "2027-01-31"\nallow'),
        "bench.expires",
        4,
    ),
    "a bench called like a verb": (
        "invalid-value",
        REAL.replace("desk 3", "SUPPLY"),
        "bench",
        1,
    ),
    "an address of three octets": (
        "invalid-value",
        REAL + "address_bytes = 3\n",
        "roles.ESME",
        6,
    ),
    "a speed as text": ("invalid-value", REAL + 'baud = "9600"\n', "roles.ESME.baud", 10),
    "an unknown way to listen": (
        "invalid-value",
        HEAD + '[roles.ESME]\nendpoint = "loopback:./model.toml"\nlisten = "usb"\n',
        "roles.ESME.listen",
        7,
    ),
    "no kind of endpoint": (
        "unknown-endpoint",
        HEAD + ROLE.format("/dev/ttyS0"),
        "roles.ESME.endpoint",
        6,
    ),
    "an unknown kind of endpoint": (
        "unknown-endpoint",
        HEAD + ROLE.format("optical:/dev/ttyS0"),
        "roles.ESME.endpoint",
        6,
    ),
    "an unknown scheme": (
        "unknown-endpoint",
        HEAD + ROLE.format("serial:spy:///dev/ttyS0"),
        "roles.ESME.endpoint",
        6,
    ),
    "an address without port": (
        "unknown-endpoint",
        HEAD + ROLE.format("serial:tcp://127.0.0.1"),
        "roles.ESME.endpoint",
        6,
    ),
    "a dongle in a role": (
        "unknown-endpoint",
        HEAD + ROLE.format("zigbee:/dev/x"),
        "roles.ESME.endpoint",
        6,
    ),
    "a port by its number": (
        "numbered-port",
        HEAD + ROLE.format("serial:/dev/ttyUSB0"),
        "roles.ESME.endpoint",
        6,
    ),
    "an ACM port by its number": (
        "numbered-port",
        HEAD + ROLE.format("serial:/dev/ttyACM12"),
        "roles.ESME.endpoint",
        6,
    ),
    "a pattern that is none": (
        "bad-pattern",
        REAL + '\n[console]\nendpoint = "serial:/dev/ttyS1"\nprompt = "("\n',
        "console.prompt",
        13,
    ),
    "a reply that is no pattern": (
        "bad-pattern",
        REAL
        + '\n[console]\nendpoint = "serial:/dev/ttyS1"\nprompt = ">"\nreplies = { up = "[" }\n',
        "console.replies.up",
        14,
    ),
    "usb without its table": (
        "missing-key",
        HEAD + ROLE.format("serial:usb"),
        "roles.ESME",
        5,
    ),
    "a usb table that fits many": (
        "inconsistent",
        HEAD + ROLE.format("serial:usb") + "usb = { vid = 1, pid = 2 }\n",
        "roles.ESME.usb",
        8,
    ),
    "vid without pid": (
        "inconsistent",
        HEAD + ROLE.format("serial:usb") + 'usb = { vid = 1, serial = "x" }\n',
        "roles.ESME.usb",
        8,
    ),
    "a usb table for the network": (
        "inconsistent",
        HEAD + ROLE.format("serial:tcp://h:1") + 'usb = { serial = "x" }\n',
        "roles.ESME",
        5,
    ),
    "a usb table for a child": (
        "inconsistent",
        HEAD + '[roles.ESME]\nendpoint = "loopback:./model.toml"\nusb = { serial = "x" }\n',
        "roles.ESME",
        5,
    ),
    "pace of a real line": ("inconsistent", REAL + "pace = 9600\n", "roles.ESME", 6),
    "listen of a real line": ("inconsistent", REAL + 'listen = "pty"\n', "roles.ESME", 6),
    "a faster clock of a real meter": (
        "inconsistent",
        REAL + "clock_factor = 60\n",
        "roles.ESME",
        6,
    ),
    "a seed of a real meter": ("inconsistent", REAL + "seed = 1\n", "roles.ESME", 6),
    "the profile of a child twice": (
        "inconsistent",
        HEAD + ROLE.format("loopback:./model.toml"),
        "roles.ESME",
        5,
    ),
    "HDLC over wrapper://": (
        "inconsistent",
        HEAD + ROLE.format("serial:wrapper://h:1") + 'framing = "hdlc"\n',
        "roles.ESME",
        5,
    ),
    "a physical address that has no room": (
        "inconsistent",
        REAL + "address_bytes = 1\nphysical_address = 17\n",
        "roles.ESME",
        6,
    ),
    "emulated beside real without a hub": (
        "missing-key",
        REAL + '\n[roles.GSME]\nendpoint = "emulated:demo-s1-gsme"\n',
        "",
        None,
    ),
    "a recording beside an emulated hub": (
        "inconsistent",
        HEAD + ROLE.format("replay:one") + '\n[roles.CHF]\nendpoint = "emulated:demo-s1-chf"\n',
        "",
        None,
    ),
    "a faster clock beside an emulated hub": (
        "inconsistent",
        HEAD
        + '[roles.ESME]\nendpoint = "loopback:./model.toml"\nclock_factor = 60\n'
        + '\n[roles.CHF]\nendpoint = "emulated:demo-s1-chf"\n',
        "",
        None,
    ),
    "a relay of a bench without a real meter": (
        "inconsistent",
        HEAD
        + '[roles.CHF]\nendpoint = "emulated:demo-s1-chf"\n'
        + '[power]\nendpoint = "serial:/dev/serial/by-id/relay"\non = "1"\noff = "0"\n',
        "",
        None,
    ),
    "a seed of an emulated meter": (
        "inconsistent",
        HEAD + '[roles.ESME]\nendpoint = "emulated:./model.toml"\nseed = 3\n',
        "roles.ESME",
        5,
    ),
    "credentials of a child": (
        "inconsistent",
        HEAD
        + '[roles.ESME]\nendpoint = "loopback:./model.toml"\n[roles.ESME.credentials.reader]\n',
        "roles.ESME",
        5,
    ),
    "credentials of an emulated meter": (
        "inconsistent",
        HEAD
        + '[roles.ESME]\nendpoint = "emulated:./model.toml"\n[roles.ESME.credentials.reader]\n',
        "roles.ESME",
        5,
    ),
    "a hub on a serial line": (
        "inconsistent",
        HEAD + ROLE.replace("ESME", "CHF").format("serial:/dev/ttyS0"),
        "",
        None,
    ),
    "one port for two": (
        "inconsistent",
        REAL + '\n[console]\nendpoint = "serial:/dev/serial/by-id/usb-head-0"\nprompt = ">"\n',
        "",
        None,
    ),
    "a relay that is no port": (
        "inconsistent",
        REAL + '\n[power]\nendpoint = "loopback:x"\non = "1"\noff = "0"\n',
        "power",
        11,
    ),
    "a relay that answers nothing": (
        "inconsistent",
        REAL + '\n[power]\nendpoint = "serial:/dev/ttyS1"\non = "1"\noff = "0"\nquery = "?"\n',
        "power",
        11,
    ),
    "a model without DLMS": (
        "no-dlms",
        REAL.replace("./model.toml", "demo-esme"),
        "roles.ESME",
        None,
    ),
    "a model of another device": (
        "inconsistent",
        REAL.replace("./model.toml", "demo-gsme"),
        "roles.ESME",
        None,
    ),
    "too long": ("unreadable", HEAD + "#" * MAX_FILE_BYTES, "", None),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_file_has_its_error_with_key_and_line(tmp_path: Path, name: str) -> None:
    code, text, key, line = WRONG[name]
    error = told(tmp_path, text)
    assert (error.code, error.key) == (code, key), error.what
    assert error.line == line


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = write_bench(tmp_path, "")
    path.write_bytes(b"[bench]\nname = \xff")
    with pytest.raises(BenchFileError) as caught:
        load_bench(path)
    assert caught.value.code == "unreadable"


def test_brackets_without_end_are_no_toml(tmp_path: Path) -> None:
    assert told(tmp_path, "a = " + "[" * 100_000).code == "not-toml"


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_bench(tmp_path / "none.toml")


def test_an_unknown_profile_names_those_near(tmp_path: Path) -> None:
    path = write_bench(tmp_path, REAL.replace("./model.toml", "demo-s1-esm"))
    with pytest.raises(UsageError, match="demo-s1-esme"):
        load_bench(path)


# -- secrets --------------------------------------------------------------------------------------

INLINE = {
    "a password for a reference": f'secret = "{SECRET}"\n',
    "a number for a reference": f"secret = {SECRET}\n",
    "a key in hex": f'keys = "{SECRET * 4}"\n',
    "an unknown place": f'secret = "vault:{SECRET}"\n',
    "a variable that cannot be one": f'secret = "env:{SECRET}-1"\n',
    "a file without field": f'secret = "file:{SECRET}"\n',
    "a table of keys": f'keys = {{ unicast = "{SECRET * 4}" }}\n',
    "a key of no meaning called password": f'password = "{SECRET}"\n',
    "a key of no meaning called unicast": f'unicast = "{SECRET * 4}"\n',
}


@pytest.mark.parametrize("name", INLINE)
def test_a_secret_in_the_file_is_refused_and_never_repeated(tmp_path: Path, name: str) -> None:
    error = told(tmp_path, CREDENTIAL + INLINE[name])
    assert isinstance(error, InlineSecretError)
    assert error.code == "inline-secret"
    assert error.key.startswith("roles.ESME.credentials.reader.")
    assert error.line == 12
    assert SECRET not in "\n".join([*error.lines(), repr(error), str(error.__cause__)])


def test_a_secret_is_told_before_any_other_error(tmp_path: Path) -> None:
    text = CREDENTIAL.replace("operator", "operater") + INLINE["a password for a reference"]
    assert isinstance(told(tmp_path, text), InlineSecretError)


def test_a_password_in_an_address_is_refused_and_never_repeated(tmp_path: Path) -> None:
    error = told(tmp_path, HEAD + ROLE.format(f"serial:rfc2217://me:{SECRET}@host:2217"))
    assert isinstance(error, InlineSecretError)
    assert SECRET not in "\n".join(error.lines())


def test_other_errors_repeat_no_value_either(tmp_path: Path) -> None:
    error = told(tmp_path, CREDENTIAL + f'client = "{SECRET}"\n')
    assert error.code == "invalid-value"
    assert SECRET not in "\n".join(error.lines())


# -- lines and schema -----------------------------------------------------------------------------


def test_lines_are_found_by_table_and_key() -> None:
    text = '[a]\nb = 1\n# c = 2\n\n[a.d]\n"c" = 3\n[e]\nc = 4\n'
    assert line_of(text, ("a", "b")) == 2
    assert line_of(text, ("a", "d", "c")) == 6
    assert line_of(text, ("e", "c")) == 8
    assert line_of(text, ("a", "c")) == 1
    assert line_of(text, ("z",)) is None


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = resources.files("hil").joinpath("schemas/bench.schema.json").read_text("utf-8")
    assert published == schema_text(), "make it anew: smetsbench bench schema > hil/schemas/…"


def test_the_schema_knows_every_table_and_says_that_secrets_are_references() -> None:
    schema = json.loads(schema_text())
    assert set(schema["properties"]) == {"bench", "roles", "power", "console", "dongles"}
    assert schema["additionalProperties"] is False
    credential = schema["$defs"]["CredentialSection"]["properties"]["secret"]
    assert "never the secret" in json.dumps(credential)
