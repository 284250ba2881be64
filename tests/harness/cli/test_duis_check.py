import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.cli import duis
from harness.errors import UsageError
from harness.formats.duis import bodies
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.responses import (
    ResponseHeader,
    ResponseMessage,
    ServiceResponse,
    write_response,
)
from tests.given import needs_duis
from tests.harness.formats.duis_given import other_samples, samples

ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
ASKED = RequestId(ESME, ESME, 1)


def app() -> typer.Typer:
    made = typer.Typer()
    duis.register(made)

    @made.command()
    def other() -> None:
        """A second noun, as the real command line has."""

    return made


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app(), ["duis", "check", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def write(folder: Path, name: str, document: bytes) -> Path:
    path = folder / name
    path.write_bytes(document)
    return path


def update(*devices: Eui64) -> bytes:
    return write_request(request(bodies.UpdateFirmware(b"x", "1", devices), ASKED))


def test_a_clean_document_exits_0_and_is_marked(tmp_path: Path) -> None:
    path = write(tmp_path, "a.xml", update(ESME))
    code, output = run(str(path), "--json")
    told = json.loads(output)
    assert (code, told["clean"]) == (0, True)
    (row,) = told["files"]
    assert row["origin"] == "unsigned, local"
    assert (row["service"], row["body"], row["command_variant"]) == ("11.1", "UpdateFirmware", 8)
    assert row["findings"] == []
    code, output = run(str(path))
    assert code == 0
    assert "clean" in output


def test_a_refused_document_exits_1_with_name_and_line(tmp_path: Path) -> None:
    good = write(tmp_path, "good.xml", update(ESME))
    bad = write(tmp_path, "bad.xml", update(ESME).replace(b">1</sr:Firm", b">123456789</sr:Firm"))
    code, output = run(str(good), str(bad), "--json")
    told = json.loads(output)
    assert (code, told["clean"]) == (1, False)
    (finding,) = told["files"][1]["findings"]
    assert finding["name"] == "bad-firmware-version"
    assert finding["where"] == "FirmwareVersion"
    lines = bad.read_text("utf-8").splitlines()
    assert "FirmwareVersion" in lines[finding["line"] - 1]
    code, output = run(str(bad))
    assert code == 1
    assert f"bad.xml:{finding['line']}" in output.replace("\n", "")


def test_each_duplicate_is_a_finding_in_the_line_of_the_list(tmp_path: Path) -> None:
    other = Eui64(bytes(8))
    path = write(tmp_path, "twice.xml", update(ESME, other, ESME, other, ESME))
    code, output = run(str(path), "--json")
    (row,) = json.loads(output)["files"]
    assert code == 1
    assert [finding["name"] for finding in row["findings"]] == ["duplicate-device"] * 2
    line = row["findings"][0]["line"]
    assert "DeviceIDList" in path.read_text("utf-8").splitlines()[line - 1]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "external-entity"),
        (b"<!DOCTYPE r><r/>", "dtd"),
        (b"<r>", "not-well-formed"),
        (b"\xff", "not-utf-8"),
        (b" " * (16 * 1024 * 1024 + 1), "too-large"),
        (b"<r/>", "wrong-root"),
    ],
)
def test_hostile_and_broken_documents_are_findings_not_tracebacks(
    tmp_path: Path, document: bytes, name: str
) -> None:
    path = write(tmp_path, "x.xml", document)
    code, output = run(str(path), "--json")
    assert code == 1
    assert json.loads(output)["files"][0]["findings"][0]["name"] == name


def test_a_response_is_checked_too(tmp_path: Path) -> None:
    value = ServiceResponse(
        ResponseHeader(ASKED, None, "I99", UtcMs(0)), ResponseMessage("11.1", "11.1")
    )
    path = write(tmp_path, "r.xml", write_response(value))
    code, output = run(str(path), "--json")
    (row,) = json.loads(output)["files"]
    assert (code, row["code"], row["body"]) == (0, "I99", "ResponseMessage")


def test_a_folder_stands_for_its_documents(tmp_path: Path) -> None:
    write(tmp_path, "a.xml", update(ESME))
    write(tmp_path, "b.XML", update(ESME))
    write(tmp_path, "note.txt", b"no document")
    _, output = run(str(tmp_path), "--json")
    assert len(json.loads(output)["files"]) == 2


def test_a_missing_file_and_an_empty_folder_are_usage_errors(tmp_path: Path) -> None:
    for name in (str(tmp_path / "nothing.xml"), str(tmp_path)):
        with pytest.raises(UsageError):
            run(name)


@needs_duis
def test_the_samples_of_our_services_and_of_the_others_are_clean() -> None:
    for paths in (samples(), other_samples()):
        code, output = run(*map(str, paths), "--json")
        assert code == 0, output
