"""What inspection says of images of known, unknown and contradictory kinds."""

import pytest

from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from firmware_images.defects import spoil
from firmware_images.inspect import inspect
from tests.emulator.codecs.test_ota_file import sample
from tests.firmware_images.forge import (
    BOTH,
    OTHER_ONLY,
    SUPPLIER,
    SUPPLIER_ONLY,
    draft,
    image,
)
from tests.given import needs_duis

FILE = ota_file.encode(image())
SIGNED, UNSIGNED = ImageKind.SUPPLIER_SIGNED, ImageKind.UNSIGNED


def test_a_told_kind_gives_one_flat_reading() -> None:
    figures = inspect(FILE, SIGNED, BOTH, SUPPLIER).figures()
    assert figures["kind"] == "supplier-signed"
    assert figures["size_bytes"] == len(FILE)
    assert figures["manufacturer_image_bytes"] == 8192
    assert figures["force_replace"] == 0
    assert figures["signature"] == "ok"
    assert figures["signer"] == str(SUPPLIER)
    assert figures["errors"] == []
    assert "readings" not in figures


def test_nobody_having_told_the_kind_gives_both_readings() -> None:
    found = inspect(FILE)
    figures = found.figures()
    assert figures["kind"] == "undetermined"
    readings = figures["readings"]
    assert isinstance(readings, dict)
    assert set(readings) == {"supplier-signed", "unsigned"}
    assert found.readings[0].image == image()
    assert found.readings[1].image is not None
    assert len(found.readings[1].image.manufacturer_image) == 8192 + 66
    assert found.is_clean


def test_every_header_field_is_there() -> None:
    header = inspect(FILE, SIGNED).figures()["header"]
    assert isinstance(header, dict)
    assert header == {
        "magic": "0BEEF11E",
        "header_version": "0100",
        "header_length": 60,
        "field_control": "0004",
        "manufacturer_code": "FFF2",
        "image_type": "0000",
        "file_version": "01000001",
        "stack_version": "0002",
        "header_string": "Birchwell Lumen 1.0.1",
        "total_image_size": len(FILE),
        "credential_version": None,
        "destination": None,
        "minimum_hardware_version": "0100",
        "maximum_hardware_version": "01FF",
    }


@pytest.mark.parametrize(
    ("defect", "error", "signature"),
    [
        ("wrong-magic", "bad-magic", "not-checked"),
        ("reserved-field-control", "reserved-field-control", "not-checked"),
        ("wrong-header-length", "bad-header-length", "not-checked"),
        ("wrong-total-size", "size-mismatch", "not-checked"),
        ("truncated-trailer", "truncated-trailer", "no-trailer"),
        ("wrong-signature-length", "bad-sig-length", "no-trailer"),
        ("absent-trailer", "bad-sig-length", "no-trailer"),
    ],
)
def test_each_contradiction_is_reported_by_name(defect: str, error: str, signature: str) -> None:
    found = inspect(spoil(defect, draft()), SIGNED, BOTH)
    figures = found.figures()
    errors = figures["errors"]
    assert isinstance(errors, list)
    assert isinstance(errors[0], dict)
    assert errors[0]["name"] == error
    assert figures["signature"] == signature
    assert figures["manufacturer_image_sha256"] is None
    assert not found.is_clean


def test_a_contradiction_of_every_reading_stands_on_top() -> None:
    figures = inspect(spoil("wrong-total-size", draft())).figures()
    assert [row["name"] for row in _rows(figures["errors"])] == ["size-mismatch"]
    assert figures["header"] is not None
    assert inspect(spoil("wrong-magic", draft())).figures()["header"] is None
    assert inspect(spoil("absent-trailer", draft())).figures()["errors"] == []


def _rows(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value


@pytest.mark.parametrize(
    ("defect", "keys", "status"),
    [
        ("bit-flip-in-image", SUPPLIER_ONLY, "bad-signature"),
        ("bit-flip-in-signature", SUPPLIER_ONLY, "bad-signature"),
        ("bit-flip-in-image", BOTH, "unknown-signer"),
        ("signature-by-another-supplier", OTHER_ONLY, "ok"),
    ],
)
def test_the_signature_is_told_apart(defect: str, keys: object, status: str) -> None:
    found = inspect(spoil(defect, draft()), SIGNED, keys)  # type: ignore[arg-type]  # a KeyStore
    assert found.figures()["signature"] == status
    assert found.is_clean == (status == "ok")


def test_without_keys_nothing_is_checked_and_nothing_refused() -> None:
    found = inspect(spoil("bit-flip-in-image", draft()), SIGNED)
    assert found.figures()["signature"] == "not-checked"
    assert found.is_clean


def test_a_wrong_signature_is_not_clean_even_when_the_kind_is_open() -> None:
    assert not inspect(spoil("bit-flip-in-image", draft()), None, SUPPLIER_ONLY).is_clean


@needs_duis
def test_the_published_samples_have_their_golden_figures() -> None:
    esme = inspect(sample("11.1_"), SIGNED).figures()
    ppmid = inspect(sample("11.4_"), UNSIGNED).figures()
    assert (esme["size_bytes"], ppmid["size_bytes"]) == (361, 295)
    assert esme["manufacturer_image_sha256"] == ppmid["manufacturer_image_sha256"]
    assert esme["manufacturer_image_bytes"] == ppmid["manufacturer_image_bytes"] == 235
    assert str(esme["sha256"]).startswith("c47fb1a43bf0765f")
    assert ppmid["signature"] == "no-trailer"
