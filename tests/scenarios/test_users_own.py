"""The same rows on the user's own request, image, installation and keys."""

import base64
import re
from pathlib import Path

import pytest

from device_profiles.loader import load_profile
from emulator.codecs import ota_file
from emulator.core.chance import Chance
from emulator.crypto.pki import scalar_from
from firmware_images import image, recipe
from harness.errors import UsageError
from harness.verdict import Verdict
from tests.given import DUIS_DIR, RTDS_KEYS, needs_duis, needs_rtds
from tests.scenarios.played import play

REQUESTS = DUIS_DIR / "requests"
UPDATE = REQUESTS / "11.1_UPDATE_FIRMWARE_REQUEST_DUIS.XML"
UPDATE_PPMID = REQUESTS / "11.4_UPDATE_PPMID_FIRMWARE_REQUEST_DUIS.XML"


@needs_duis
@needs_rtds
@pytest.mark.parametrize(("row", "request_file"), [("FM-01", UPDATE), ("FM-19", UPDATE_PPMID)])
def test_the_published_requests_upgrade_a_device_under_the_published_keys(
    row: str, request_file: Path, tmp_path: Path
) -> None:
    _, result = play(row, tmp_path / "run", request=request_file, keystore=RTDS_KEYS)
    assert (result.verdict, result.outcome) == (Verdict.PASS, "ACTIVATED"), result.reason


@needs_duis
def test_without_its_signer_s_key_the_published_image_is_refused_with_the_way_out(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="not signed by the supplier these devices know") as caught:
        play("FM-01", tmp_path / "run", request=UPDATE)
    assert "--keystore" in caught.value.next_command


@pytest.mark.parametrize("seed", [1, 5])
def test_an_image_that_firmware_build_signed_runs_without_more_ado(
    seed: int, tmp_path: Path
) -> None:
    path = own_image(tmp_path / "x.ota", recipe.made_up_scalar())
    folder, result = play("FM-01", tmp_path / "run", image=path, seed=seed)
    assert (result.verdict, result.outcome) == (Verdict.PASS, "ACTIVATED"), result.reason
    assert "made-up signature" in folder.file("run").read_text("utf-8")


@needs_duis
def test_the_image_alone_is_enough(tmp_path: Path) -> None:
    text = re.search(r"FirmwareImage>([^<]+)<", UPDATE_PPMID.read_text("utf-8"))
    assert text is not None
    path = tmp_path / "image.ota"
    path.write_bytes(base64.b64decode(text.group(1)))
    _, result = play("FM-19", tmp_path / "run", image=path)
    assert (result.verdict, result.outcome) == (Verdict.PASS, "ACTIVATED"), result.reason


def own_image(path: Path, scalar: int) -> Path:
    profile = load_profile("demo-esme")
    made = recipe.build(recipe.load_recipe("demo-esme-2"), profile, scalar)
    path.write_bytes(ota_file.encode(image.sign(made, scalar)))
    return path


def test_an_image_by_a_signer_the_meter_does_not_know_is_refused(tmp_path: Path) -> None:
    stranger = scalar_from(Chance(99).stream("stranger").octets)
    with pytest.raises(UsageError, match="not signed by the supplier"):
        play("FM-01", tmp_path / "run", image=own_image(tmp_path / "x.ota", stranger))


@pytest.mark.parametrize("row", ["FM-07", "FM-08", "FM-09", "FM-10"])
def test_a_row_about_a_spoilt_image_refuses_the_user_s_own(row: str, tmp_path: Path) -> None:
    path = own_image(tmp_path / "x.ota", recipe.made_up_scalar())
    with pytest.raises(UsageError, match="makes its own"):
        play(row, tmp_path / "run", image=path)


def test_a_file_that_is_no_image_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear all")
    with pytest.raises(UsageError, match="the image cannot be read"):
        play("FM-01", tmp_path / "run", image=path)


def test_an_image_for_a_model_nobody_has_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = own_image(tmp_path / "x.ota", 1)
    octets = bytearray(path.read_bytes())
    octets[10:12] = b"\x34\x12"
    path.write_bytes(octets)
    with pytest.raises(UsageError, match="manufacturer 1234") as caught:
        play("FM-01", tmp_path / "run", image=path)
    assert "--installation" in caught.value.next_command


def test_a_request_that_is_no_request_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "request.xml"
    path.write_text("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
    with pytest.raises(UsageError, match="the request cannot be used"):
        play("FM-01", tmp_path / "run", request=path)
