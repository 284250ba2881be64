import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import duis
from harness.errors import UsageError
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.smets1_bodies import DisableSupply, EnableSupply, ReadSupplyStatus
from tests.given import DUIS_DIR, RTDS_KEYS, needs_duis, needs_rtds
from tests.harness.formats.transforms import transforms_given as given

ESME = RequestId(given.SUPPLIER, given.ESME, 1000)
GSME = RequestId(given.SUPPLIER, given.GSME, 1000)


def run(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    duis.register(app)

    @app.command()
    def other() -> None:
        """A second noun, as the real command line has."""

    result = CliRunner().invoke(app, ["duis", "transform", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def enable(tmp_path: Path) -> Path:
    path = tmp_path / "enable.xml"
    path.write_bytes(write_request(request(EnableSupply(), ESME)))
    return path


@pytest.fixture
def disable(tmp_path: Path) -> Path:
    path = tmp_path / "disable.xml"
    path.write_bytes(write_request(request(DisableSupply(), GSME)))
    return path


def test_the_pre_command_is_printed_and_written(enable: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.bin"
    code, shown = run(enable, "--out", out)
    assert code == 0
    assert "7.1  ECS42 (004F)" in shown
    assert out.read_bytes().hex().upper() in shown


def test_as_json_it_says_what_it_is_of(disable: Path) -> None:
    code, shown = run(disable, "--json", "--device", f"{given.GSME}=GSME")
    row = json.loads(shown)
    assert code == 0
    assert (row["service"], row["use_case"], row["message_code"]) == ("7.2", "GCS32", "0081")
    assert row["request_id"] == str(GSME)
    assert "804A371C" in row["pre_command"]


def test_a_gas_command_carries_the_time_that_is_given(disable: Path) -> None:
    target = f"{given.GSME}=GSME"
    _code, shown = run(disable, "--json", "--device", target, "--at", "2000-01-01T00:00:01Z")
    assert "000000000100000000" in json.loads(shown)["pre_command"]


@needs_duis
@needs_rtds
def test_certificates_come_from_the_key_store() -> None:
    name = "CS03CCritical_8.7.1_SUCCESS"
    path = DUIS_DIR / "requests" / f"{name}_REQUEST_DUIS.XML"
    devices = ("--device", f"{given.GSME}=GSME", "--device", f"{given.PPMID}=PPMID")
    code, shown = run(path, "--json", *devices)
    assert (code, json.loads(shown)["refused"]) == (1, "missing-certificate")
    code, shown = run(path, "--json", *devices, "--keystore", RTDS_KEYS)
    assert code == 0
    assert given.agreement_certificates()["00db123456789098"].hex().upper() in shown


def test_a_request_that_becomes_none_is_refused_with_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "read.xml"
    path.write_bytes(write_request(request(ReadSupplyStatus(), ESME)))
    code, shown = run(path)
    assert code == 1
    assert "not-critical" in shown


def test_a_document_that_is_none_is_refused_with_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "none.xml"
    path.write_bytes(b"<no/>")
    code, shown = run(path, "--json")
    assert (code, json.loads(shown)["refused"]) == (1, "malformed")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--device", "nonsense"],
        ["--device", f"{given.GSME}=METER"],
        ["--device", f"{given.GSME}=GSME,triple"],
        ["--device", f"{given.GSME}=GSME", "--at", "tomorrow"],
        ["--device", f"{given.GSME}=GSME", "--keystore", "/no/such"],
    ],
)
def test_what_is_said_wrongly_is_a_usage_error(disable: Path, arguments: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        run(disable, *arguments)
    assert caught.value.next_command
