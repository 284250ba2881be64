"""``smetsbench firmware``: inspect, build, lint, and what each refuses."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from device_profiles.files import SHIPPED
from emulator.codecs import ota_file
from emulator.core.ids import Eui64
from emulator.crypto.key_files import key_pem
from emulator.crypto.keystore import KeyStore
from firmware_images.defects import DEFECTS, spoil
from firmware_images.recipe import TEST_SIGNER, recipe_names
from harness.cli.firmware import register
from harness.errors import HarnessError, UsageError
from harness.formats.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from tests.firmware_images.forge import BOTH, OTHER_ONLY, SCALAR, SUPPLIER, draft, image
from tests.given import DUIS_DIR, RTDS_KEYS, needs_duis, needs_rtds
from tests.harness.cli.command_line import run, run_json

ACB = Eui64.parse("02-53-42-00-00-00-00-04")
TARGET = Eui64.parse("02-53-01-00-00-00-00-01")


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    path = tmp_path / "FFF2-0000-01000001-demo.zigbee"
    path.write_bytes(ota_file.encode(image()))
    return path


@pytest.fixture
def keystore(tmp_path: Path) -> str:
    BOTH.to_json(tmp_path / "keys.json")
    return str(tmp_path / "keys.json")


def duis(folder: Path, octets: bytes, *, ppmid: bool = False) -> str:
    body = UpdatePpmidFirmware if ppmid else UpdateFirmware
    value = request(body(octets, "01000001", (TARGET,)), RequestId(SUPPLIER, ACB, 1))
    path = folder / "request.xml"
    path.write_bytes(write_request(value))
    return str(path)


@needs_duis
@needs_rtds
def test_the_published_11_1_request_is_inspected_with_its_figures() -> None:
    file = str(next((DUIS_DIR / "requests").glob("11.1_*")))
    figures = run_json(register, "firmware", "inspect", file, "--keystore", str(RTDS_KEYS))
    assert figures["kind"] == "supplier-signed"
    assert (figures["size_bytes"], figures["manufacturer_image_bytes"]) == (361, 235)
    assert figures["manufacturer_image_sha256"] == (
        "7542f475e3f12eae887d81e32c46d313741d67076b13caec2f82e00ba5e1bb36"
    )
    assert figures["sha256"] == "c47fb1a43bf0765f74c42c857a22fc52e63512f977c661be14d4cb2f582901f0"
    assert (figures["signature"], figures["signer"]) == ("ok", "90-B3-D5-1F-30-01-00-00")
    assert figures["header"]["file_version"] == "ACDCACDC"
    assert figures["request"]["service"] == "11.1"
    assert figures["request"]["version_agrees"] is False
    assert figures["errors"] == []


@needs_duis
def test_the_published_11_4_request_is_inspected_as_unsigned() -> None:
    file = str(next((DUIS_DIR / "requests").glob("11.4_*")))
    figures = run_json(register, "firmware", "inspect", file)
    assert (figures["kind"], figures["size_bytes"]) == ("unsigned", 295)
    assert figures["signature"] == "no-trailer"


def test_a_bare_image_is_read_both_ways_until_told(image_file: Path) -> None:
    open_kind = run_json(register, "firmware", "inspect", str(image_file))
    assert open_kind["kind"] == "undetermined"
    assert set(open_kind["readings"]) == {"supplier-signed", "unsigned"}
    assert open_kind["request"] is None
    told = run_json(register, "firmware", "inspect", str(image_file), "--kind", "supplier-signed")
    assert told["signature"] == "not-checked"
    assert "readings" not in told


def test_people_see_the_whole_hash(image_file: Path) -> None:
    code, text = run(register, "firmware", "inspect", str(image_file))
    assert code == 0
    assert hashlib.sha256(image_file.read_bytes()).hexdigest() in text
    assert "read as each" in text


def test_a_request_names_the_signer(tmp_path: Path, keystore: str) -> None:
    good = duis(tmp_path, ota_file.encode(image()))
    figures = run_json(register, "firmware", "inspect", good, "--keystore", keystore)
    assert (figures["signature"], figures["request"]["version_agrees"]) == ("ok", True)
    for defect, status in (
        ("bit-flip-in-image", "bad-signature"),
        ("signature-by-another-supplier", "bad-signature"),
    ):
        bad = duis(tmp_path, spoil(defect, draft()))
        code, text = run(register, "firmware", "inspect", bad, "--keystore", keystore, "--json")
        assert code == 1
        assert json.loads(text)["signature"] == status


def test_a_signer_without_key_is_unknown(tmp_path: Path) -> None:
    OTHER_ONLY.to_folder(tmp_path / "keys")
    file = duis(tmp_path, ota_file.encode(image()))
    keys = str(tmp_path / "keys")
    code, text = run(register, "firmware", "inspect", file, "--keystore", keys, "--json")
    assert (code, json.loads(text)["signature"]) == (1, "unknown-signer")


@pytest.mark.parametrize(
    ("defect", "name"),
    [
        ("wrong-magic", "bad-magic"),
        ("wrong-header-length", "bad-header-length"),
        ("wrong-total-size", "size-mismatch"),
        ("truncated-trailer", "truncated-trailer"),
        ("wrong-signature-length", "bad-sig-length"),
        ("reserved-field-control", "reserved-field-control"),
    ],
)
def test_each_contradiction_exits_1_by_its_name(tmp_path: Path, defect: str, name: str) -> None:
    file = duis(tmp_path, spoil(defect, draft()))
    code, text = run(register, "firmware", "inspect", file, "--json")
    assert code == 1
    assert [error["name"] for error in json.loads(text)["errors"]] == [name]
    code, text = run(register, "firmware", "inspect", file)
    assert code == 1
    assert f"error {name}" in text


def test_a_kind_that_the_request_contradicts_is_refused(tmp_path: Path) -> None:
    file = duis(tmp_path, ota_file.encode(image("demo-ppmid-2")), ppmid=True)
    with pytest.raises(UsageError, match="says unsigned, --kind says supplier-signed"):
        run(register, "firmware", "inspect", file, "--kind", "supplier-signed")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"<a/>", "wrong-root"),
        (b"<a>", "not-well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entity"),
        (b'<!DOCTYPE a SYSTEM "http://x/"><a/>', "external-dtd"),
        (bytes(16 * 1024 * 1024 + 1), "more than any firmware file"),
    ],
)
def test_files_that_are_neither_are_refused_by_name(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=why):
        run(register, "firmware", "inspect", str(path))


def test_a_request_without_an_image_is_refused(tmp_path: Path) -> None:
    from harness.formats.duis.bodies import ReadFirmwareVersion  # noqa: PLC0415 -- used once

    path = tmp_path / "request.xml"
    value = request(ReadFirmwareVersion(), RequestId(SUPPLIER, TARGET, 1))
    path.write_bytes(write_request(value))
    with pytest.raises(UsageError, match=r"11\.2 carries no firmware image"):
        run(register, "firmware", "inspect", str(path))


def test_missing_files_and_key_stores_are_named(tmp_path: Path, image_file: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        run(register, "firmware", "inspect", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="none"):
        run(register, "firmware", "inspect", str(image_file), "--keystore", str(tmp_path / "none"))
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(UsageError, match="list of keys"):
        run(
            register, "firmware", "inspect", str(image_file),
            "--keystore", str(tmp_path / "bad.json"),
        )  # fmt: skip


@pytest.mark.parametrize("recipe", recipe_names())
def test_every_recipe_builds_and_inspects_cleanly(tmp_path: Path, recipe: str) -> None:
    out, keys = tmp_path / "image", tmp_path / "keys"
    built = run_json(
        register, "firmware", "build", recipe, "--out", str(out), "--signer-out", str(keys)
    )
    assert built["size_bytes"] == out.stat().st_size
    arguments = ("firmware", "inspect", str(out), "--kind", built["kind"], "--keystore", str(keys))
    found = run_json(register, *arguments)
    signed = built["kind"] == "supplier-signed"
    assert found["signature"] == ("ok" if signed else "no-trailer")
    assert found["signer"] == (str(TEST_SIGNER) if signed else None)
    assert (built["signed_with"] is not None) == signed


def test_building_twice_gives_the_same_octets(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(register, "firmware", "build", "demo-esme-2", "--out", str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_key_of_ones_own_signs(tmp_path: Path, keystore: str) -> None:
    pem = tmp_path / "key.pem"
    pem.write_bytes(key_pem(SCALAR))
    out = tmp_path / "image"
    run_json(register, "firmware", "build", "demo-esme-2", "--out", str(out), "--key", str(pem))
    assert out.read_bytes() == ota_file.encode(image())
    figures = run_json(
        register, "firmware", "inspect", str(out), "--kind", "supplier-signed",
        "--keystore", keystore,
    )  # fmt: skip
    assert figures["signer"] == str(SUPPLIER)


@pytest.mark.parametrize("defect", list(DEFECTS))
def test_every_defect_builds(tmp_path: Path, defect: str) -> None:
    out = tmp_path / "image"
    built = run_json(
        register, "firmware", "build", "demo-esme-2", "--out", str(out), "--defect", defect
    )
    assert built["defect"] == defect
    assert out.read_bytes() != ota_file.encode(image())


def test_oversize_is_measured_against_the_named_hub(tmp_path: Path) -> None:
    arguments = ("firmware", "build", "demo-esme-2", "--out", str(tmp_path / "i"))
    small = run_json(register, *arguments, "--defect", "oversize", "--hub", "demo-chf-small")
    assert small["size_bytes"] == 131_073
    assert run_json(register, *arguments, "--defect", "oversize")["size_bytes"] == 750_001
    with pytest.raises(UsageError, match="is no hub"):
        run(register, *arguments, "--defect", "oversize", "--hub", "demo-esme")


def other_curve() -> bytes:
    key = ec.derive_private_key(7, ec.SECP384R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("content", [b"no key", other_curve(), key_pem(SCALAR)[:-60]])
def test_a_file_without_a_fit_key_is_refused(tmp_path: Path, content: bytes) -> None:
    pem = tmp_path / "key.pem"
    pem.write_bytes(content)
    out = str(tmp_path / "i")
    with pytest.raises(UsageError, match="no unencrypted P-256") as caught:
        run(register, "firmware", "build", "demo-esme-2", "--out", out, "--key", str(pem))
    assert not (tmp_path / "i").exists()
    assert "MIG" not in "".join(caught.value.lines())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("no-such", "--out", "i"), "no recipe of this name"),
        (("demo-esme-2", "--out", "i", "--defect", "rust"), "no defect 'rust'"),
        (("demo-ppmid-2", "--out", "i", "--defect", "absent-trailer"), "no trailer to spoil"),
        (("demo-esme-2", "--out", "/no/such/folder/i"), "cannot be written"),
        (("demo-esme-2", "--out", "i", "--data", "/no/such"), "no such folder"),
    ],
)
def test_what_cannot_be_built_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=why):
        run(register, "firmware", "build", *arguments)
    assert not (tmp_path / "i").exists()


def test_a_sound_image_passes_the_linter(image_file: Path) -> None:
    cpl = str(SHIPPED / "catalogues" / "cpl.csv")
    figures = run_json(
        register, "firmware", "lint", str(image_file), "--profile", "demo-esme", "--cpl", cpl
    )
    assert figures["objections"] == []
    assert figures["cpl_entries"] == ["SYN-DEMO-ESME-01000001"]
    assert {"profile", "maker", "store_bytes", "fits"} <= set(figures["hubs"][0])


def test_the_linter_exits_1_on_errors_and_names_them(image_file: Path) -> None:
    arguments = ("firmware", "lint", str(image_file), "--profile", "gfi-esme")
    code, text = run(register, *arguments)
    assert code == 1
    assert "error: manufacturer: image for FFF2, device of 121D" in text
    assert "not public" in text
    code, text = run(register, *arguments, "--json")
    errors = {o["word"] for o in json.loads(text)["objections"] if o["severity"] == "error"}
    assert errors == {"manufacturer", "hardware-range"}


def test_the_linter_looks_images_up_in_an_overlays_list(tmp_path: Path, image_file: Path) -> None:
    catalogues = tmp_path / "data" / "catalogues"
    catalogues.mkdir(parents=True)
    heading = (SHIPPED / "catalogues" / "cpl.csv").read_text("utf-8").split("\n")[0]
    (catalogues / "cpl.csv").write_text(heading + "\n", "utf-8")
    data = str(tmp_path / "data")
    arguments = ("firmware", "lint", str(image_file), "--profile", "demo-esme")
    assert run(register, *arguments)[0] == 0
    code, text = run(register, *arguments, "--data", data)
    assert code == 1
    assert "not-on-cpl" in text


def test_a_wrong_list_is_named(tmp_path: Path, image_file: Path) -> None:
    (tmp_path / "list.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(UsageError, match="unknown key") as caught:
        run(
            register, "firmware", "lint", str(image_file), "--profile", "demo-esme",
            "--cpl", str(tmp_path / "list.csv"),
        )  # fmt: skip
    assert "column.a" in caught.value.where


def test_an_empty_key_store_finds_no_signer(tmp_path: Path, image_file: Path) -> None:
    KeyStore().to_json(tmp_path / "none.json")
    code, text = run(
        register, "firmware", "inspect", str(image_file), "--kind", "supplier-signed",
        "--keystore", str(tmp_path / "none.json"), "--json",
    )  # fmt: skip
    assert (code, json.loads(text)["signature"]) == (1, "unknown-signer")
